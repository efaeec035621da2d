package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// Push implements connector.Pusher. Records are made with load in batches, orders
// are confirmed and cancelled in batches, changes are written one by one. After
// each step one read says what Odoo holds now: that is the receipts' Holds and
// Version.
//
// Confirm, cancel and a change of a draft read the state first and act only on
// what still is as the decision saw it: otherwise the receipt has code Conflict
// and Saw, and nothing was written.
func (c *Connector) Push(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt {
	p := &pushing{c: c, batch: batch, out: make([]crossdock.Receipt, len(batch))}
	work := map[string][]int{}
	for i, b := range batch {
		p.out[i] = crossdock.Receipt{Of: b.Of, Rev: b.Rev, Key: b.Key}
		step := stepOf(b)
		if step == "" {
			p.fail(i, crossdock.Errorf(crossdock.Internal, "the want of %s (kind %q, state %q) is none that Project makes", b.Of.Short(), b.Want.Kind, b.Want.Text("state")))
			continue
		}
		work[step] = append(work[step], i)
	}
	p.makeParties(ctx, work["make party"])
	p.writeParties(ctx, work["write party"])
	p.makeOrders(ctx, work["make order"])
	p.writeOrders(ctx, work["write order"])
	p.bring(ctx, work[stateSale], stateSale)
	p.bring(ctx, work[stateCancel], stateCancel)
	return p.out
}

// stepOf says what a push does in Odoo.
func stepOf(b crossdock.Push) string {
	state := b.Want.Text("state")
	switch {
	case b.Want.Kind == partnerModel && b.Key == "":
		return "make party"
	case b.Want.Kind == partnerModel:
		return "write party"
	case b.Want.Kind == orderModel && state == stateDraft && b.Key == "":
		return "make order"
	case b.Want.Kind == orderModel && state == stateDraft:
		return "write order"
	case b.Want.Kind == orderModel && b.Key != "" && (state == stateSale || state == stateCancel):
		return state
	}
	return ""
}

// Touches implements connector.Toucher. Confirming and cancelling reserve and
// release stock: orders that share a product wait for each other inside Odoo, up
// to a serialization failure after 16 s (recorded).
func (c *Connector) Touches(b crossdock.Push) []crossdock.Ref {
	if state := b.Want.Text("state"); b.Want.Kind != orderModel || state != stateSale && state != stateCancel {
		return nil
	}
	var lines []orderLine
	if json.Unmarshal(b.Want.Fields["order_line"], &lines) != nil {
		return nil
	}
	var out []crossdock.Ref
	for _, l := range lines {
		of := crossdock.Ref{System: c.system, Kind: crossdock.KindItem, Key: l.Product}
		if l.Product != "" && !slices.Contains(out, of) {
			out = append(out, of)
		}
	}
	slices.SortFunc(out, crossdock.Ref.Compare)
	return out
}

// pushing is one batch on its way.
type pushing struct {
	c     *Connector
	batch []crossdock.Push
	out   []crossdock.Receipt
	down  error // why nothing further is sent
}

// fail writes the outcome of a push that did not get through.
func (p *pushing) fail(i int, err error) {
	r := &p.out[i]
	r.Code, r.Text, r.After, r.Subject = crossdock.CodeOf(err), err.Error(), afterOf(err), crossdock.SubjectOf(err)
}

// failAll gives several pushes the same outcome. When Odoo can't be spoken with at
// all, the rest of the batch is not sent.
func (p *pushing) failAll(idx []int, err error) {
	for _, i := range idx {
		p.fail(i, err)
	}
	var c *cause
	if !errors.As(err, &c) {
		return
	}
	switch code := crossdock.CodeOf(err); {
	case code == crossdock.Unauthorized || code == crossdock.Throttled:
		p.down = err
	case c.class == "transport" || strings.HasPrefix(c.class, "http "):
		p.down = fail(crossdock.Unavailable, &cause{class: c.class, after: c.after, err: err}, "not sent, because the call before failed: %s", err)
	}
}

// stopped fails the pushes when nothing further is to be sent.
func (p *pushing) stopped(idx []int) bool {
	if p.down == nil || len(idx) == 0 {
		return len(idx) == 0
	}
	for _, i := range idx {
		p.fail(i, p.down)
	}
	return true
}

// unread is the outcome of pushes that got through while the read that should say
// what Odoo holds did not.
func (p *pushing) unread(idx []int, err error) {
	p.failAll(idx, fail(crossdock.Ambiguous, &cause{class: "transport", after: afterOf(err), err: err}, "written, but what Odoo holds now could not be read: %s", err))
}

// halve reports an error that may be one record's alone, so that the others are
// tried without it: nothing of the batch was done.
func halve(err error) bool {
	switch crossdock.CodeOf(err) {
	case crossdock.Invalid, crossdock.Refused, crossdock.Gone:
		return true
	case crossdock.Internal:
		// A column Odoo does not know fails every record alike.
		var c *cause
		return !errors.As(err, &c) || !c.column
	}
	return false
}

func (p *pushing) keys(idx []int) []string {
	out := make([]string, 0, len(idx))
	for _, i := range idx {
		out = append(out, p.out[i].Key)
	}
	return out
}

// chunks cuts work into batches of at most n.
func chunks(idx []int, n int) [][]int {
	var out [][]int
	for len(idx) > n {
		out, idx = append(out, idx[:n:n]), idx[n:]
	}
	if len(idx) > 0 {
		out = append(out, idx)
	}
	return out
}
