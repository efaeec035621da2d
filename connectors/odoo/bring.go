package odoo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/crossdockhq/crossdock"
)

// step is how orders are brought to a state.
type step struct {
	state  string
	method string
	reach  crossdock.OrderState
	with   map[string]any // context
}

var steps = map[string]step{
	stateSale: {stateSale, "action_confirm", crossdock.OrderConfirmed, nil},
	// Without this, 18 answers with a wizard and cancels nothing (recorded).
	stateCancel: {stateCancel, "action_cancel", crossdock.OrderCancelled, map[string]any{"disable_cancel_warning": true}},
}

// bring confirms or cancels orders. Confirming twice is an error on 18 and 19 and
// silently accepted on 16 (recorded), so the state is read first; and whether a person
// changed the draft meanwhile, who would have it confirmed with what nobody promised.
func (p *pushing) bring(ctx context.Context, idx []int, state string) {
	do := steps[state]
	for _, some := range chunks(idx, p.c.cfg.ConfirmBatch) {
		rows, ok := p.orderStates(ctx, some)
		if !ok {
			continue
		}
		var todo []int
		for _, i := range some {
			if r, there := rows[p.out[i].Key]; p.failed(i) {
				continue
			} else if !there {
				p.orderGone(i)
			} else if p.mayAct(i, r, do) {
				todo = append(todo, i)
			}
		}
		if do.state == stateCancel {
			todo = p.undelivered(ctx, todo)
		}
		for _, of := range p.byCompany(todo) {
			p.act(ctx, of, do)
		}
	}
}

// undelivered leaves out the orders of which goods have left: Odoo would cancel them
// all the same (recorded), and nobody would hear that goods are under way.
func (p *pushing) undelivered(ctx context.Context, idx []int) []int {
	if len(idx) == 0 {
		return nil
	}
	n, err := ids(p.keys(idx))
	if err != nil {
		p.failAll(idx, err)
		return nil
	}
	rows, err := p.c.searchRows(ctx, "sale.order.line", []any{[]any{"order_id", "in", n}}, []string{"order_id", "qty_delivered"}, noNames)
	if err != nil {
		p.failAll(idx, err)
		return nil
	}
	left := map[string]bool{}
	for _, r := range rows {
		f := &reader{row: r}
		if order, count := f.ref("order_id"), f.num("qty_delivered", countDigits); count.IsPositive() {
			left[order] = true
		}
		if f.err != nil {
			p.failAll(idx, f.err)
			return nil
		}
	}
	var todo []int
	for _, i := range idx {
		if left[p.out[i].Key] {
			p.fail(i, crossdock.Errorf(crossdock.Refused, "goods of sale order %s have left: it is not cancelled. Arrange a return, or cancel in Odoo what is still to come", p.out[i].Key))
		} else {
			todo = append(todo, i)
		}
	}
	return todo
}

// mayAct reports that an order still has to be brought to the state; every other
// gets its receipt here.
func (p *pushing) mayAct(i int, r row, do step) bool {
	state, err := r.text("state")
	if err != nil {
		p.fail(i, err)
		return false
	}
	in, ok := bookState(state)
	locked, _ := r.flag("locked") // 17 and later; on 16 a locked order may be cancelled
	switch {
	case !ok:
		p.fail(i, crossdock.At("state", crossdock.Errorf(crossdock.Invalid, "sale order %s is in state %q, which this connector does not know", p.out[i].Key, state)))
	case in == do.reach:
		p.orderDone(i, r)
	case in == crossdock.OrderCancelled:
		p.conflict(i, r, fmt.Sprintf("sale order %s was cancelled in Odoo", p.out[i].Key))
	case do.state == stateCancel && locked:
		p.fail(i, crossdock.Errorf(crossdock.Refused, "sale order %s is locked in Odoo: unlock it there, then try again", p.out[i].Key))
	case do.state == stateSale && p.changed(i, r):
		p.conflict(i, r, fmt.Sprintf("the draft %s was changed in Odoo since it was written", p.out[i].Key))
	default:
		return true
	}
	return false
}

// changed reports that an order is not as the decision saw it: it was written at
// another time or, as Odoo tells that to the second only, comes to another total.
func (p *pushing) changed(i int, r row) bool {
	b := p.batch[i]
	if at, err := r.text("write_date"); b.Version != "" && (err != nil || at != b.Version) {
		return true
	}
	if len(b.Held.Fields["totals"]) == 0 {
		return false
	}
	holds, err := orderHeld(r)
	return err != nil || len(b.Held.Differs(holds, crossdock.Fields{"totals"})) > 0
}

// act runs the method on all orders at once. Odoo does all of them or, with an
// exception, none: the batch is then halved down to the order that can't be.
func (p *pushing) act(ctx context.Context, idx []int, do step) {
	if p.stopped(idx) {
		return
	}
	n, err := ids(p.keys(idx))
	if err != nil {
		p.failAll(idx, err)
		return
	}
	var answer json.RawMessage
	err = p.c.rpc.call(ctx, string(orderModel), do.method, []any{n}, p.c.context(inCompany(p.batch[idx[0]].Want, do.with)), &answer)
	switch {
	case err == nil:
		p.acted(ctx, idx, do, answer)
	case !halve(err):
		p.failAll(idx, err)
	case len(idx) > 1:
		p.actHalves(ctx, idx, do)
	default:
		p.actedNot(ctx, idx[0], do, err)
	}
}

func (p *pushing) actHalves(ctx context.Context, idx []int, do step) {
	half := len(idx) / 2
	p.act(ctx, idx[:half:half], do)
	p.act(ctx, idx[half:], do)
}

// acted reads back what became of the orders. An answer that is an action, a
// question to a person for instance, means that it was not done.
func (p *pushing) acted(ctx context.Context, idx []int, do step, answer json.RawMessage) {
	rows, err := p.c.readRows(ctx, crossdock.KindOrder, p.keys(idx))
	if err != nil {
		p.unread(idx, err)
		return
	}
	var not []int
	for _, i := range idx {
		r, there := rows[p.out[i].Key]
		state, _ := r.text("state")
		in, _ := bookState(state)
		switch {
		case !there:
			p.orderGone(i)
		case in == do.reach:
			p.orderDone(i, r)
		default:
			not = append(not, i)
		}
	}
	switch {
	case len(not) > 1:
		p.actHalves(ctx, not, do)
	case len(not) == 1 && len(idx) > 1:
		p.act(ctx, not, do)
	case len(not) == 1:
		p.fail(not[0], crossdock.Errorf(crossdock.Refused, "Odoo did not %s sale order %s%s: do it there by hand", do.verb(), p.out[not[0]].Key, question(answer)))
	}
}

func (s step) verb() string {
	if s.state == stateCancel {
		return "cancel"
	}
	return "confirm"
}

// question names the action Odoo answered with.
func question(answer json.RawMessage) string {
	var action struct {
		Name  string `json:"name"`
		Model string `json:"res_model"`
	}
	if json.Unmarshal(answer, &action) != nil || action.Name == "" && action.Model == "" {
		return ""
	}
	return fmt.Sprintf(" and asks for a decision instead (%s)", or(veil(action.Name, nil), action.Model))
}

// actedNot writes the receipt of the one order Odoo refuses. Where it has reached
// the state meanwhile by another hand, it is done.
func (p *pushing) actedNot(ctx context.Context, i int, do step, refused error) {
	p.fail(i, refused)
	rows, err := p.c.readRows(ctx, crossdock.KindOrder, p.keys([]int{i}))
	if err != nil {
		return
	}
	r, there := rows[p.out[i].Key]
	state, _ := r.text("state")
	if in, _ := bookState(state); there && in == do.reach {
		p.out[i].Code, p.out[i].Text = crossdock.OK, ""
		p.orderDone(i, r)
	}
}
