package core

import (
	"fmt"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// erp is a system that fulfils orders. It keeps business keys as external ids, so
// that a second create comes to the first; every write is one second of its clock.
type erp struct {
	*house
	sales    map[string]*sale     // by key
	external map[string]string    // business key → key
	levels   map[string][2]string // SKU → on hand and reserved at E
	keys     int
	next     []func(crossdock.Push) crossdock.Receipt // how the next pushes are answered instead
}

type sale struct {
	of      crossdock.Ref
	state   string // draft, sale, cancel
	total   string
	version int
	party   bool
}

// answer does what a push asks for.
func (e *erp) answer(p crossdock.Push) crossdock.Receipt {
	if len(e.next) > 0 && p.Of.Kind == crossdock.KindOrder {
		f := e.next[0]
		e.next = e.next[1:]
		return f(p)
	}
	return e.write(p)
}

// write is a push that arrives and is answered.
func (e *erp) write(p crossdock.Push) crossdock.Receipt {
	key, known := e.external[p.Of.Short()]
	s := e.sales[key]
	switch {
	case p.Key != "" && e.sales[p.Key] == nil:
		return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Gone, Text: "it was deleted"}
	case !known:
		e.keys++
		key = fmt.Sprint(800 + e.keys)
		s = &sale{of: p.Of, state: "draft", party: p.Of.Kind == crossdock.KindParty}
		e.sales[key], e.external[p.Of.Short()] = s, key
	}
	switch state := p.Want.Text("state"); state {
	case "draft":
		if s.state == "draft" {
			s.total = p.Want.Text("total")
		}
	case "sale":
		if s.state == "cancel" {
			return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Conflict, Text: "it is cancelled"}
		}
		s.state = state
	case "cancel":
		s.state = state
	}
	s.version++
	return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Key: key, Holds: s.record(), Version: s.clock()}
}

// lost is a push that arrives, but its answer does not; vanished one that neither does.
func (e *erp) lost(p crossdock.Push) crossdock.Receipt {
	e.write(p)
	return e.vanished(p)
}

func (e *erp) vanished(p crossdock.Push) crossdock.Receipt {
	return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Ambiguous, Text: "connection reset"}
}

// answers makes the next push of an order end in a code.
func (e *erp) answers(code crossdock.Code, text string) {
	e.next = append(e.next, func(p crossdock.Push) crossdock.Receipt {
		return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: code, Text: text}
	})
}

func (s *sale) clock() string { return fmt.Sprintf("%06d", s.version) }

// record is what the ERP says of it, in the form of its kind.
func (s *sale) record() crossdock.Record {
	if s.party {
		return crossdock.Record{}
	}
	state := map[string]crossdock.OrderState{"draft": crossdock.OrderReceived, "sale": crossdock.OrderConfirmed, "cancel": crossdock.OrderCancelled}[s.state]
	r := words(crossdock.KindOrder, "state", string(state))
	r.Form = 1
	total, err := crossdock.ParseMoney(s.total)
	if err != nil {
		panic(err)
	}
	if err := r.Set("totals", crossdock.Totals{Total: total}); err != nil {
		panic(err)
	}
	return r
}

// person changes an order in the ERP, which is pulled at once.
func (e *erp) person(order string, change func(*sale)) {
	key := e.external["order/"+order]
	change(e.sales[key])
	e.sales[key].version++
	e.pulled(key, e.seq)
}

// deletes is a person who deletes an order in the ERP; a listing of keys finds out.
func (e *erp) deletes(order string) {
	key := e.external["order/"+order]
	delete(e.sales, key)
	delete(e.external, "order/"+order)
	e.hears("odoo", e.seq, e.at, crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindOrder, Key: key}, Gone: true})
}

func (e *erp) pulled(key string, after int64) {
	s := e.sales[key]
	e.hears("odoo", after, e.at, crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: s.of.Kind, Key: key}, Version: s.clock(), Said: s.record(), Names: []string{"of:" + s.of.Short()}})
}

// looked answers a look by key or by business key.
func (e *erp) looked(w *Want, after int64) {
	key := w.Record.Key
	if site, ok := strings.CutPrefix(key, "TEA@"); ok && e.market != nil {
		e.market.reads(site)
		return
	}
	if level, ok := e.levels[strings.TrimSuffix(key, "@E")]; ok {
		e.stockAfter(strings.TrimSuffix(key, "@E"), level[0], level[1], after)
		return
	}
	if w.Record.IsZero() {
		key = e.external[w.Of.Short()]
	}
	if e.sales[key] != nil {
		e.pulled(key, after)
		return
	}
	of := w.Record
	if of.IsZero() {
		of = w.Of
	}
	e.hears("odoo", after, e.at, crossdock.Statement{Of: of, Gone: true})
}

// says pulls records the ERP owns.
func (e *erp) says(forms ...crossdock.Form) {
	var said []crossdock.Statement
	for _, f := range forms {
		body, err := crossdock.Pack(f)
		if err != nil {
			panic(err)
		}
		st := crossdock.Statement{Said: body, Version: "000001"}
		switch f := f.(type) {
		case crossdock.Site:
			st.Of = crossdock.Ref{System: "odoo", Kind: crossdock.KindSite, Key: "wh-" + f.Code}
		case crossdock.Item:
			st.Of, st.Names = crossdock.Ref{System: "odoo", Kind: crossdock.KindItem, Key: "product-" + f.Name}, []string{skuName(f.SKU)}
		}
		said = append(said, st)
	}
	e.hears("odoo", e.seq, e.at, said...)
}

func site(code string) crossdock.Site { return crossdock.Site{Code: code, Name: "Site " + code} }

func item(sku string) crossdock.Item {
	return crossdock.Item{SKU: sku, Name: sku, Stocked: true, Active: true}
}

// stock pulls a reading of an item at E, asked for now.
func (e *erp) stock(sku, onHand, reserved string) {
	e.levels[sku] = [2]string{onHand, reserved}
	e.stockAfter(sku, onHand, reserved, e.seq)
}

// stockAfter is a reading that was asked for after a Seq.
func (e *erp) stockAfter(sku, onHand, reserved string, after int64) {
	s := crossdock.Stock{Item: crossdock.Ref{System: "odoo", Kind: crossdock.KindItem, Key: "product-" + sku}, Site: crossdock.Ref{System: "odoo", Kind: crossdock.KindSite, Key: "wh-E"},
		OnHand: count(onHand), Reserved: count(reserved)}
	body, err := crossdock.Pack(s)
	if err != nil {
		panic(err)
	}
	e.hears("odoo", after, e.at, crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindStock, Key: sku + "@E"}, Said: body})
}

func count(s string) crossdock.Quantity { return crossdock.Quantity{Count: decimalOf(s)} }

// shop is a channel that sells.
type shop struct {
	*house
	orders map[string]told
}

type told struct {
	order   crossdock.Order
	version string
}

// order is 1001 and the like: so many TEA for 10.00 each, 8 % tax, of Ada.
func order(number, tea string) crossdock.Order {
	n := decimalOf(tea)
	return priced(crossdock.Order{Number: number, Placed: worldStart, Currency: "USD",
		Customer: crossdock.Ref{System: "shop", Kind: crossdock.KindParty, Key: "c1"},
		Lines:    []crossdock.Line{{Key: "1", SKU: "TEA", Quantity: crossdock.Quantity{Count: n}, Price: usd("10.00"), Ships: true}}})
}

// priced sets tax and totals as a shop that adds up right.
func priced(o crossdock.Order) crossdock.Order {
	net, tax := crossdock.Decimal{}, crossdock.Decimal{}
	for i := range o.Lines {
		line := &o.Lines[i]
		t := crossdock.Money{Amount: line.Net().Amount.Mul(decimalOf("0.08")), Currency: "USD"}.Round()
		line.Taxes = []crossdock.TaxAmount{{Title: "Tax", Rate: decimalOf("0.08"), Amount: t}}
		net, tax = net.Add(line.Net().Amount), tax.Add(t.Amount)
	}
	o.Totals = crossdock.Totals{Subtotal: crossdock.Money{Amount: net, Currency: "USD"}, Tax: crossdock.Money{Amount: tax, Currency: "USD"}, Total: crossdock.Money{Amount: net.Add(tax), Currency: "USD"}}
	return o
}

func usd(s string) crossdock.Money {
	m, err := crossdock.NewMoney(s, "USD")
	if err != nil {
		panic(err)
	}
	return m
}

func cancelled(o crossdock.Order) crossdock.Order {
	o.Cancelled = &crossdock.Cancellation{At: worldStart, Reason: "customer", By: "shop"}
	return o
}

// webhook says an order as of a second of the shop's clock. The shop holds the
// latest of what it said.
func (s *shop) webhook(o crossdock.Order, version int) Decision {
	if have, ok := s.orders[o.Number]; !ok || have.version <= second(version) {
		s.orders[o.Number] = told{o, second(version)}
	}
	return s.late(o, version)
}

// late is a webhook of a state the shop may have left behind.
func (s *shop) late(o crossdock.Order, version int) Decision {
	return s.hears("shop", -1, time.Time{}, s.statements(o, second(version))...)
}

func second(n int) string { return worldStart.Add(time.Duration(n) * time.Second).Format(time.RFC3339) }

// statements are those of one order: its customer goes before it.
func (s *shop) statements(o crossdock.Order, version string) []crossdock.Statement {
	customer, err := crossdock.Pack(crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Address: crossdock.Address{Street: "1 Main St", City: "Louisville", Country: "US"}})
	if err != nil {
		panic(err)
	}
	body, err := crossdock.Pack(o)
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"state", "findings", "site", "channel", "company"} {
		delete(body.Fields, name)
	}
	says := append(body.Names(), "cancelled", "test", "bill_to", "ship_to", "charges", "discount", "note")
	return []crossdock.Statement{
		{Of: o.Customer, Version: "2026-11-02T09:00:00Z", Said: customer, Names: []string{"email:ada@example.org"}},
		{Of: shopOrder(o.Number), Version: version, Said: body, Says: sorted(says)},
	}
}

func sorted(names crossdock.Fields) crossdock.Fields {
	m := crossdock.Record{}
	for _, n := range names {
		_ = m.Set(n, true)
	}
	return m.Names()
}

func shopOrder(number string) crossdock.Ref {
	return crossdock.Ref{System: "shop", Kind: crossdock.KindOrder, Key: "gid://shopify/Order/" + number}
}

func (s *shop) looked(w *Want, after int64) {
	key := w.Record.Key
	if w.Record.Kind != crossdock.KindOrder && s.market != nil {
		s.hears("shop", after, s.at, s.market.found(w.Record))
		return
	}
	have, ok := s.orders[key[strings.LastIndexByte(key, '/')+1:]]
	if !ok {
		s.hears("shop", after, s.at, crossdock.Statement{Of: w.Record, Gone: true})
		return
	}
	s.hears("shop", after, s.at, s.statements(have.order, have.version)...)
}
