package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/crossdockhq/crossdock"
)

// makeOrders makes drafts by load.
func (p *pushing) makeOrders(ctx context.Context, idx []int) {
	if p.stopped(idx) {
		return
	}
	major, err := p.c.rpc.major(ctx)
	if err != nil {
		p.failAll(idx, err)
		return
	}
	var made []int
	for _, some := range p.byCompany(idx) {
		made = append(made, p.load(ctx, p.orderGroup(ctx, some, major))...)
	}
	slices.Sort(made)
	p.ordersWritten(ctx, made)
}

// orderGroup puts orders of one company on sheets.
func (p *pushing) orderGroup(ctx context.Context, idx []int, major int) *group {
	g := &group{model: orderModel, with: inCompany(p.batch[idx[0]].Want, loadContext)}
	for _, i := range idx {
		if p.stopped([]int{i}) {
			continue
		}
		columns, rows, err := p.orderRows(ctx, p.batch[i], major)
		if err != nil {
			p.failAll([]int{i}, err)
			continue
		}
		g.add(i, columns, rows)
	}
	return g
}

// orderHeader are the columns of an order's header, by the field of the want.
var orderHeader = []struct{ field, column string }{
	{"client_order_ref", "client_order_ref"}, {"origin", "origin"},
	{"partner_id", "partner_id/.id"}, {"partner_invoice_id", "partner_invoice_id/.id"}, {"partner_shipping_id", "partner_shipping_id/.id"},
	{"date_order", "date_order"}, {"warehouse_id", "warehouse_id/.id"}, {"note", "note"},
}

// orderRows returns the columns and rows of a new order. Its lines start in the
// row of its header.
func (p *pushing) orderRows(ctx context.Context, b crossdock.Push, major int) (columns []string, rows [][]string, err error) {
	lines, err := wantedLines(b.Want)
	if err != nil {
		return nil, nil, err
	}
	list, err := p.pricelist(ctx, b.Want)
	if err != nil {
		return nil, nil, err
	}
	columns, header := []string{"id"}, []string{externalID(b.Of)}
	for _, h := range orderHeader {
		if v := b.Want.Text(h.field); v != "" {
			columns, header = append(columns, h.column), append(header, v)
		}
	}
	if list != "" {
		columns, header = append(columns, "pricelist_id/.id"), append(header, list)
	}
	columns = append(columns, "order_line/product_id/.id", "order_line/name", "order_line/product_uom_qty",
		"order_line/price_unit", "order_line/discount", "order_line/"+taxField(major)+"/.id")
	for n, l := range lines {
		if n > 0 {
			header = make([]string, len(header))
		}
		cells := []string{l.Product, l.Name, l.Quantity, l.Price, l.Discount, join(l.Taxes)}
		rows = append(rows, append(header[:len(header):len(header)], cells...))
	}
	return columns, rows, nil
}

func join(keys []string) string {
	var b bytes.Buffer
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(k)
	}
	return b.String()
}

func wantedLines(want crossdock.Record) ([]orderLine, error) {
	var lines []orderLine
	if err := json.Unmarshal(want.Fields["order_line"], &lines); err != nil || len(lines) == 0 {
		return nil, crossdock.Errorf(crossdock.Internal, "the want has no lines that can be read")
	}
	return lines, nil
}

// pricelist returns the id of the price list a want names. An order without one is
// in the company's currency, whatever its amounts were meant in: so an order in
// another currency is not made at all.
func (p *pushing) pricelist(ctx context.Context, want crossdock.Record) (string, error) {
	company, currency := want.Text("company_id"), want.Text("currency")
	if name := want.Text("pricelist"); name != "" {
		return p.c.pricelist(ctx, priceList{company, name, currency})
	}
	in, err := p.c.companyCurrency(ctx, company)
	if err != nil {
		return "", err
	}
	if in != currency {
		return "", crossdock.At("currency", crossdock.Errorf(crossdock.Invalid, "the order is in %s and the company in Odoo sells in %s: make a price list in %s and add it to crossdock.yaml under pricelists", currency, in, currency))
	}
	return "", nil
}

// writeOrders writes the content of drafts anew, header and lines, one call each.
// A note that is not wanted any more stays: emptying it would take the company's
// own terms away.
func (p *pushing) writeOrders(ctx context.Context, idx []int) {
	rows, ok := p.orderStates(ctx, idx)
	if !ok {
		return
	}
	major, err := p.c.rpc.major(ctx)
	if err != nil {
		p.failAll(idx, err)
		return
	}
	var written []int
	for _, i := range idx {
		r, there := rows[p.out[i].Key]
		if p.failed(i) || p.stopped([]int{i}) || !p.stillDraft(i, r, there) {
			continue
		}
		values, err := p.orderValues(ctx, p.batch[i].Want, major)
		if err != nil {
			p.failAll([]int{i}, err)
			continue
		}
		n, err := ids([]string{p.out[i].Key})
		if err != nil {
			p.fail(i, err)
			continue
		}
		kw := p.c.context(inCompany(p.batch[i].Want, map[string]any{"tracking_disable": true}))
		if err := p.c.rpc.call(ctx, string(orderModel), "write", []any{n, values}, kw, nil); err != nil {
			p.failAll([]int{i}, err)
			continue
		}
		written = append(written, i)
	}
	p.ordersWritten(ctx, written)
}

// stillDraft fails an order that is not a draft any more.
func (p *pushing) stillDraft(i int, r row, there bool) bool {
	if !there {
		p.orderGone(i)
		return false
	}
	state, _ := r.text("state")
	if in, _ := bookState(state); in != crossdock.OrderPromised {
		p.conflict(i, r, fmt.Sprintf("the order is %q in Odoo, not a draft", state))
		return false
	}
	return true
}

func (p *pushing) orderValues(ctx context.Context, want crossdock.Record, major int) (map[string]any, error) {
	lines, err := wantedLines(want)
	if err != nil {
		return nil, err
	}
	list, err := p.pricelist(ctx, want)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, h := range orderHeader {
		v := want.Text(h.field)
		switch {
		case v == "":
		case h.field != h.column: // a reference
			values[h.field] = json.Number(v)
		default:
			values[h.field] = v
		}
	}
	if list != "" {
		values["pricelist_id"] = json.Number(list)
	}
	commands := []any{[]any{5, 0, 0}}
	for _, l := range lines {
		taxes, err := ids(l.Taxes)
		if err != nil {
			return nil, err
		}
		commands = append(commands, []any{0, 0, map[string]any{
			"product_id": json.Number(l.Product), "name": l.Name, "product_uom_qty": json.Number(l.Quantity),
			"price_unit": json.Number(l.Price), "discount": json.Number(l.Discount), taxField(major): []any{[]any{6, 0, taxes}},
		}})
	}
	values["order_line"] = commands
	return values, nil
}

// orderStates reads orders before they are acted on; ok is false when that failed
// or there is nothing to do. An order that may not be read, one that a person moved
// to another company for instance, fails alone: see failed.
func (p *pushing) orderStates(ctx context.Context, idx []int) (rows map[string]row, ok bool) {
	if p.stopped(idx) {
		return nil, false
	}
	rows, err := p.c.readRows(ctx, crossdock.KindOrder, p.keys(idx))
	if err == nil {
		return rows, true
	}
	if len(idx) == 1 || !halve(err) {
		p.failAll(idx, err)
		return nil, false
	}
	half := len(idx) / 2
	rows, ok = p.orderStates(ctx, idx[:half:half])
	more, okToo := p.orderStates(ctx, idx[half:])
	if rows == nil {
		rows = map[string]row{}
	}
	maps.Copy(rows, more)
	return rows, ok || okToo
}

// failed reports a push that has its outcome already.
func (p *pushing) failed(i int) bool { return p.out[i].Code != crossdock.OK }

// ordersWritten reads what Odoo holds after drafts were made or changed. Where
// load met an order that was there already, it wrote nothing: a different number
// of lines shows it, and the receipt says what stands there instead.
func (p *pushing) ordersWritten(ctx context.Context, idx []int) {
	if len(idx) == 0 {
		return
	}
	rows, err := p.c.readOrders(ctx, p.keys(idx))
	if err != nil {
		p.unread(idx, err)
		return
	}
	for _, i := range idx {
		r, there := rows[p.out[i].Key]
		if !there {
			p.orderGone(i)
			continue
		}
		if why := orderDiffers(r, p.batch[i].Want); why != "" {
			p.conflict(i, r, why)
			continue
		}
		p.orderDone(i, r)
	}
}

// readOrders reads orders with the fields that show whether the content is ours.
func (c *Connector) readOrders(ctx context.Context, keys []string) (map[string]row, error) {
	major, err := c.rpc.major(ctx)
	if err != nil {
		return nil, err
	}
	return c.readFields(ctx, string(orderModel), keys, append(fieldsOf(crossdock.KindOrder, major), "order_line", "partner_id"))
}

// orderDiffers says in what a draft differs from what was sent, "" if in nothing
// that shows in its header.
func orderDiffers(r row, want crossdock.Record) string {
	lines, err := wantedLines(want)
	if err != nil {
		return ""
	}
	f := &reader{row: r}
	number, partner := f.str("client_order_ref"), f.ref("partner_id")
	var has []json.RawMessage
	if f.err != nil || json.Unmarshal(r["order_line"], &has) != nil {
		return "the order's row can't be read"
	}
	switch {
	case number != want.Text("client_order_ref"):
		return "the order in Odoo has another customer reference"
	case partner != want.Text("partner_id"):
		return fmt.Sprintf("the order in Odoo is for partner %s", partner)
	case len(has) != len(lines):
		return fmt.Sprintf("the order in Odoo has %d lines where %d were sent", len(has), len(lines))
	}
	return ""
}

func (p *pushing) orderGone(i int) {
	p.fail(i, crossdock.Errorf(crossdock.Gone, "sale order %s was deleted in Odoo", p.out[i].Key))
}

// orderDone writes the receipt of an order that is as wanted.
func (p *pushing) orderDone(i int, r row) {
	holds, err := orderHeld(r)
	if err != nil {
		p.fail(i, err)
		return
	}
	p.out[i].Holds = holds
	p.out[i].Version, _ = r.text("write_date")
}

// conflict writes the receipt of an order that is not as the decision saw it;
// nothing was written to it.
func (p *pushing) conflict(i int, r row, why string) {
	p.fail(i, crossdock.Errorf(crossdock.Conflict, "%s", why))
	m, err := message(crossdock.KindOrder, r)
	if err != nil {
		return
	}
	m.From, m.Asked = p.c.system, p.c.now()
	m.Meta = crossdock.Meta{metaExternal: externalID(p.batch[i].Of)}
	p.out[i].Saw = []crossdock.Message{m}
}
