package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/replay"
	"github.com/crossdockhq/crossdock/sim/checker"
)

// ordered is in the text of a refusal that was planted, as far as the connector shows it.
const ordered = "by an ordered"

// retry lets a person try again what a target refused because it was told to; again
// is false when there is nothing of the kind. Other refusals are for the checker.
func (r *runner) retry(ctx context.Context) (again bool, err error) {
	open, err := r.w.Store.Book().Exceptions(ctx, false, nil, 1000)
	if err != nil {
		return false, err
	}
	for _, x := range open {
		if x.Check == "push" && strings.Contains(x.Text, ordered) {
			again = true
			r.say("ada retries %s: %s", x.Of.Short(), x.Text)
			if _, err := r.w.House.File(ctx, crossdock.Action{By: "ada", Do: "retry", Of: x.Of}); err != nil {
				return false, err
			}
		}
	}
	return again, nil
}

// judge has the end checked, from outside and from inside.
func (r *runner) judge(ctx context.Context) error {
	if err := r.tell(ctx); err != nil {
		return err
	}
	shops := map[string]checker.Holds{}
	for name, s := range r.w.Shops {
		shops[string(name)] = s
	}
	r.report.Wrong = append(r.report.Wrong, checker.Check(r.w.Odoo, shops, r.story)...)
	r.report.Wrong = append(r.report.Wrong, checker.Exceptions(r.w.Odoo, r.story, r.open)...)
	inside, err := r.inside(ctx)
	if err != nil {
		return err
	}
	r.report.Wrong = append(r.report.Wrong, inside...)
	r.report.Orders = len(r.story.Orders)
	r.report.Spoken = r.w.Odoo.Spoken()
	r.report.Struck = r.w.Doors["odoo"].Struck()
	for _, row := range r.w.Odoo.Rows("sale.order") {
		if row["state"] == "sale" {
			r.report.Confirmed++
		}
	}
	for _, model := range []string{"sale.order", "sale.order.line", "res.partner", "stock.quant", "product.product"} {
		r.state(model, r.w.Odoo.Rows(model))
	}
	for _, name := range shopKeys {
		r.state(string(name), r.w.Shops[name].Rows("order"))
		r.state(string(name), r.w.Shops[name].Rows("webhook"))
	}
	for _, w := range r.report.Wrong {
		if _, told := r.report.Stories[w.Order]; !told && w.Order != "" {
			r.report.Stories[w.Order] = r.tale(ctx, w.Order)
		}
	}
	return nil
}

func (r *runner) state(model string, rows []map[string]any) {
	for _, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			panic(err) // rows are plain values
		}
		r.report.State = append(r.report.State, model+" "+string(text))
	}
}

// tell completes the story: the orders as they ended, the exceptions that are open.
func (r *runner) tell(ctx context.Context) error {
	r.story.Orders = r.story.Orders[:0]
	for _, name := range r.names {
		r.story.Orders = append(r.story.Orders, *r.orders[name])
	}
	open, err := r.w.Store.Book().Exceptions(ctx, false, nil, 1000)
	if err != nil {
		return err
	}
	r.open = nil
	for _, x := range open {
		name, err := r.nameOf(ctx, x.Of)
		if err != nil {
			return err
		}
		r.open = append(r.open, checker.Exception{Check: x.Check, Order: name, Text: x.Text})
	}
	return nil
}

// nameOf returns what the story calls an order of the book, "" for other records.
func (r *runner) nameOf(ctx context.Context, of crossdock.Ref) (string, error) {
	if of.Kind != crossdock.KindOrder || of.System != crossdock.BookSystem {
		return "", nil
	}
	rows, err := r.w.Store.Book().Load(ctx, []core.Address{core.RecordAt(of)})
	if err != nil || rows[0] == nil {
		return "", err
	}
	record, _ := rows[0].(*core.Record)
	return record.Body.Text("channel") + "/" + record.Body.Text("number"), nil
}

// inside looks into the hub's own book for what must not be left in the end: work
// nobody waits for, views that are not known, stock promised to nobody.
func (r *runner) inside(ctx context.Context) ([]checker.Wrong, error) {
	var out []checker.Wrong
	wrong := func(of crossdock.Ref, format string, a ...any) error {
		name, err := r.nameOf(ctx, of)
		out = append(out, checker.Wrong{Order: name, Text: "in the hub: " + fmt.Sprintf(format, a...)})
		return err
	}
	states := map[string]crossdock.OrderState{}
	promised := map[string]crossdock.Decimal{}
	for _, table := range []core.Table{core.Records, core.Wants, core.Views, core.Promises, core.Balances} {
		rows, err := r.w.Store.Book().Scan(ctx, table, "", "", 10_000)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			err = nil
			switch row := row.(type) {
			case *core.Record:
				if row.Of.Kind == crossdock.KindOrder {
					states[row.Of.Short()] = crossdock.OrderState(row.Body.Text("state"))
				}
			case *core.Want:
				err = wrong(row.Of, "%s of %s in %s is %s and due %s: %s", row.Do, row.Of.Short(), row.System, row.State, row.Due, row.Why)
			case *core.View:
				if row.Unknown || len(row.Open) > 0 {
					err = wrong(row.Of, "what %s holds of %s is not known (%d open)", row.System, row.Of.Short(), len(row.Open))
				}
			case *core.Promise:
				if s := states[row.Cause.Short()]; s != crossdock.OrderConfirmed && s != crossdock.OrderPicking {
					err = wrong(row.Cause, "stock is promised to %s, which is %s", row.Cause.Short(), s)
				}
				for _, l := range row.Lines {
					at := core.BalanceAt(l.Item, row.Site).Key
					promised[at] = promised[at].Add(l.Count)
				}
			case *core.Balance:
				at := row.Address().Key
				for _, t := range row.Leaving {
					promised[at] = promised[at].Add(t.Count)
				}
				if !row.Promised.Equal(promised[at]) {
					err = wrong(row.Item, "%s of %s are promised, to orders and to what is leaving %s", row.Promised, at, promised[at])
				}
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// tale is everything about one order: what the world did, what the hub made of it.
func (r *runner) tale(ctx context.Context, name string) string {
	o, ok := r.orders[name]
	if !ok {
		return name + " is no order of the world"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the story of %s, Odoo %d:\n", name, r.report.Odoo)
	for _, line := range r.log {
		if strings.Contains(line, name) || !slices.ContainsFunc(r.names, func(n string) bool { return strings.Contains(line, n) }) {
			fmt.Fprintln(&b, "  world", line)
		}
	}
	for _, row := range r.w.Odoo.Rows("sale.order") {
		if row["client_order_ref"] == o.Number {
			fmt.Fprintf(&b, "  odoo %v %v %v made %v confirmed %v written %v\n", row["name"], row["state"], row["amount_total"], row["create_date"], row["date_order"], row["write_date"])
		}
	}
	story, err := replay.Trace(ctx, r.w.Store, o.Shop+"/order/gid://shopify/Order/"+o.Number)
	if err != nil {
		fmt.Fprintln(&b, "  the hub:", err)
		return b.String()
	}
	for _, e := range story.Entries {
		fmt.Fprintf(&b, "  hub %s %d %s: %s\n", e.At.Format("15:04:05.000"), e.Seq, e.What, e.Effect)
	}
	for _, h := range story.Systems {
		fmt.Fprintf(&b, "  view %s %s held %s unknown %v gone %v\n", h.System, h.Key, h.Held.Text("state"), h.Unknown, h.Gone)
	}
	return b.String()
}
