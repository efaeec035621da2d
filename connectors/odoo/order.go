package odoo

import (
	"encoding/json"
	"html"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

const orderModel crossdock.Kind = "sale.order"

// What a want says about an order's state. Odoo has two words more, "sent" (a
// quotation that was mailed) and, on 16, "done" (a locked sale).
const (
	stateDraft  = "draft"
	stateSale   = "sale"
	stateCancel = "cancel"
)

// bookState reads Odoo's state in the book's words.
func bookState(state string) (crossdock.OrderState, bool) {
	switch state {
	case stateDraft, "sent":
		return crossdock.OrderPromised, true
	case stateSale, "done":
		return crossdock.OrderConfirmed, true
	case stateCancel:
		return crossdock.OrderCancelled, true
	}
	return "", false
}

// translateOrder reads a sale.order. It speaks of the state, the totals and, where
// Odoo has one, the customer's reference as the order's number.
func translateOrder(r row, _ crossdock.Message, s crossdock.Statement) (crossdock.Statement, error) {
	said, err := orderHeld(r)
	s.Said, s.Says = said, said.Names()
	return s, err
}

// orderHeld returns what a sale.order's row says, in the form of the kind.
func orderHeld(r row) (crossdock.Record, error) {
	f := &reader{row: r}
	number, state, currency := f.str("client_order_ref"), f.str("state"), f.name("currency_id")
	totals := crossdock.Totals{
		Subtotal: f.money("amount_untaxed", currency), Tax: f.money("amount_tax", currency), Total: f.money("amount_total", currency),
	}
	if f.err != nil {
		return crossdock.Record{}, f.err
	}
	in, ok := bookState(state)
	if !ok {
		return crossdock.Record{}, crossdock.At("state", crossdock.Errorf(crossdock.Invalid, "%q is no state of a sale order that this connector knows", state))
	}
	if err := (crossdock.Money{Currency: currency}).Validate(); err != nil {
		return crossdock.Record{}, crossdock.At("currency_id", err)
	}
	_, form := crossdock.Order{}.FormOf()
	said := crossdock.Record{Kind: crossdock.KindOrder, Form: form, Fields: map[string]json.RawMessage{
		"state": raw(in), "totals": raw(totals),
	}}
	if number != "" {
		said.Fields["number"] = raw(number)
	}
	if name := f.str("name"); f.err == nil && name != "" { // what people call it in Odoo
		said.Fields["name"] = raw(name)
	}
	return said, nil
}

// orderWriter says one order of the book in Odoo's words.
type orderWriter struct {
	cfg   Config
	known connector.Known
	order crossdock.Order
	// company is the id of the company the order is made in, "" where the
	// connection has only one.
	company string
	waits   []crossdock.Ref
	err     error // the first
}

// project returns the next step of an order: load it as a draft, then confirm or
// cancel it. Until Odoo says it is confirmed the book owns its content and a
// change is written over the draft; from then on Odoo owns it, and the want keeps
// what was asked for. What a person cancelled, confirmed or deleted in Odoo is
// never made or confirmed again.
func (w orderWriter) project(v crossdock.View) (connector.Wanted, error) {
	calledOff := w.order.State == crossdock.OrderCancelled || w.order.State == crossdock.OrderRefused
	sold := w.order.State == crossdock.OrderPromised || w.order.State == crossdock.OrderConfirmed
	if v.Gone {
		return connector.Wanted{}, nil
	}
	if v.Key == "" {
		if again, ok := sentAlready(v); ok {
			return connector.Wanted{Record: again, Door: crossdock.DoorRefused}, nil
		}
		if !sold {
			return connector.Wanted{}, nil
		}
		return w.draft(v, crossdock.DoorRefused)
	}
	held := crossdock.OrderState(v.Held.Text("state"))
	asked := v.Asked.Text("state")
	switch {
	case held == crossdock.OrderCancelled && !calledOff:
		return w.asAsked(v, asked), nil
	case calledOff:
		return w.asAsked(v, stateCancel), nil
	case asked == stateCancel:
		return w.asAsked(v, stateCancel), nil
	case held == crossdock.OrderConfirmed || asked == stateSale:
		return w.asAsked(v, stateSale), nil
	case !sold:
		return w.asAsked(v, asked), nil
	}
	want, err := w.draft(v, crossdock.DoorFound)
	if err == nil && len(want.Waits) == 0 && want.Record.Equal(v.Asked) {
		return w.asAsked(v, stateSale), nil
	}
	return want, err
}

// asAsked returns the content that was asked for last, in a state; "" keeps it as
// it is, and nothing is wanted where nothing was ever asked.
func (w orderWriter) asAsked(v crossdock.View, state string) connector.Wanted {
	r := v.Asked.Clone()
	if r.IsZero() {
		if state == "" {
			return connector.Wanted{}
		}
		r = crossdock.Record{Kind: orderModel, Form: 1, Fields: map[string]json.RawMessage{
			"client_order_ref": raw(w.order.Number), "origin": raw(externalID(v.Of)),
		}}
		if w.company != "" {
			r.Fields["company_id"] = raw(w.company)
		}
	}
	if state != "" {
		r.Fields["state"] = raw(state)
	}
	return connector.Wanted{Record: r, Door: crossdock.DoorFound}
}

// draft returns the order's content as a draft.
func (w orderWriter) draft(v crossdock.View, door crossdock.Door) (connector.Wanted, error) {
	o := &w.order
	if o.Site != "" {
		w.sameCompany(crossdock.BookRef(crossdock.KindSite, o.Site))
	}
	lines, err := w.lines()
	want := crossdock.Record{Kind: orderModel, Form: 1, Fields: map[string]json.RawMessage{
		"client_order_ref": raw(o.Number),
		"origin":           raw(externalID(v.Of)),
		"date_order":       raw(o.Placed.UTC().Format(stamp)),
		"currency":         raw(o.Currency),
		"order_line":       raw(lines),
		"state":            raw(stateDraft),
	}}
	w.refer(want, "partner_id", o.Customer)
	w.refer(want, "partner_invoice_id", orRef(o.BillToParty, o.Customer))
	w.refer(want, "partner_shipping_id", orRef(o.ShipToParty, o.Customer))
	if o.Site != "" {
		w.refer(want, "warehouse_id", crossdock.BookRef(crossdock.KindSite, o.Site))
	}
	if w.company != "" {
		want.Fields["company_id"] = raw(w.company)
	}
	if err != nil {
		return connector.Wanted{}, err
	}
	if list := w.cfg.Pricelists[o.Currency]; list != "" {
		want.Fields["pricelist"] = raw(list)
	}
	if note := noteHTML(o); note != "" {
		want.Fields["note"] = raw(note)
	}
	return connector.Wanted{Record: want, Waits: w.waits, Door: door}, nil
}

func orRef(r, other crossdock.Ref) crossdock.Ref {
	if r.IsZero() {
		return other
	}
	return r
}

// refer puts the target's key of a record of the book, or waits for it.
func (w *orderWriter) refer(want crossdock.Record, field string, of crossdock.Ref) {
	if key := w.key(of); key != "" {
		want.Fields[field] = raw(key)
	}
}

func (w *orderWriter) key(of crossdock.Ref) string {
	key := w.known.Key(of)
	if key != "" {
		return key
	}
	for _, r := range w.waits {
		if r == of {
			return ""
		}
	}
	w.waits = append(w.waits, of)
	return ""
}

// noteHTML writes the customer's note and purchase order number for Odoo's HTML
// field; what customers type is text and never markup.
func noteHTML(o *crossdock.Order) string {
	var part []string
	if o.PurchaseCode != "" {
		part = append(part, "Purchase order "+o.PurchaseCode)
	}
	if s := strings.TrimSpace(o.Note); s != "" {
		part = append(part, s)
	}
	for i, s := range part {
		part[i] = "<p>" + strings.ReplaceAll(html.EscapeString(strings.ReplaceAll(s, "\r\n", "\n")), "\n", "<br>") + "</p>"
	}
	return strings.Join(part, "")
}
