package shopify

import (
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// order reads an order of this shape.
func (s shape) order(n node) (order, error) {
	r := &reader{currency: n.at(s.currency).text()}
	o := order{
		gid: n.at(s.id).text(), name: n.at(s.name).text(), currency: r.currency,
		email: trimmed(n.at(s.email)), phone: trimmed(n.at(s.phone)),
		billing: s.addressOf(n.at(s.billing)), shipping: s.addressOf(n.at(s.shipping)),
		note: n.at(s.note).text(), purchaseCode: n.at(s.purchaseCode).text(),
		test: r.flag(n.at(s.test)), taxIncluded: n.at(s.taxIncluded).isTrue(),
		updated: r.moment(n.at(s.updated)), cancelled: r.moment(n.at(s.cancelled)), reason: strings.ToLower(n.at(s.reason).text()),
	}
	if o.placed = r.moment(n.at(s.created)); o.placed.IsZero() {
		o.placed = r.moment(n.at(s.processed))
	}
	if c := n.at(s.customer); !c.isNull() {
		o.customer = &customer{gid: c.at(s.id).text(), first: trimmed(c.at(s.first)), last: trimmed(c.at(s.last)),
			email: trimmed(c.path(s.customerEmail)), phone: trimmed(c.path(s.customerPhone))}
		if o.customer.gid == "" {
			r.fail(c.at(s.id), "the customer has no id")
		}
	}
	s.check(r, n, o)
	for _, l := range n.path(s.lines).items() {
		o.lines = append(o.lines, s.line(r, l))
	}
	exact := s.exactIDs(n)
	for _, c := range n.path(s.charges).items() {
		o.charges = append(o.charges, charge{
			key: s.chargeKey(c, exact), code: c.at(s.code).text(), title: c.at(s.title).text(), removed: c.at(s.removed).isTrue(),
			price: s.priceOf(r, c, s.chargePrice), discounts: s.discountsOf(r, c), taxes: s.taxesOf(r, c),
		})
	}
	o.original, o.current = s.totals(r, n, s.original), s.totals(r, n, s.now)
	return o, r.err
}

// exactIDs reports a body whose numeric ids have all their digits. Those of Shopify's
// own samples went through a float: the order's is not the one in its global id.
func (s shape) exactIDs(n node) bool { return n.at("id").text() == tail(n.at(s.id).text()) }

// chargeKey returns the number of a shipping line: from its global id where it has
// one (webhook schema orders/updated 2026-07 has none), else the digits of its
// number. One that may have lost digits is no key.
func (s shape) chargeKey(c node, exact bool) string {
	if gid := c.at(s.id).text(); gid != "" {
		return tail(gid)
	}
	const whole = 1 << 53 // up to here a float holds every whole number
	id := c.at("id").text()
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || n > whole && !exact {
		return ""
	}
	return id
}

// tail returns what stands behind the last slash of a global id.
func tail(gid string) string { return gid[strings.LastIndexByte(gid, '/')+1:] }

func (s shape) line(r *reader, l node) line {
	out := line{
		gid: l.at(s.id).text(), sku: trimmed(l.at(s.sku)), title: l.at(s.title).text(), variant: l.at(s.variant).text(),
		quantity: r.decimal(l.at(s.quantity)), current: r.decimal(l.at(s.quantity)),
		price: s.priceOf(r, l, s.price), discounts: s.discountsOf(r, l), taxes: s.taxesOf(r, l),
		ships: l.at(s.ships).isTrue(), giftCard: l.at(s.giftCard).isTrue(),
	}
	if current := l.at(s.current); !current.isNull() {
		out.current = r.decimal(current)
	}
	switch {
	case out.gid == "":
		r.fail(l.at(s.id), "the line has no id")
	case l.at(s.quantity).isNull():
		r.fail(l.at(s.quantity), "the line has no quantity")
	}
	return out
}

// check reports what no order can be told without.
func (s shape) check(r *reader, n node, o order) {
	switch {
	case !isGID(o.gid):
		r.fail(n.at(s.id), "this is no global id of an order, such as %s1", gidPrefix)
	case (crossdock.Money{Currency: o.currency}).Validate() != nil:
		r.fail(n.at(s.currency), "%.20q is no currency", o.currency)
	case o.placed.IsZero():
		r.fail(n.at(s.created), "the order doesn't say when it was placed")
	case o.name == "":
		r.fail(n.at(s.name), "the order has no name")
	}
}

func (s shape) totals(r *reader, n node, names totalNames) crossdock.Totals {
	return crossdock.Totals{
		Subtotal: s.money(r, n, names.subtotal), Discount: s.money(r, n, names.discount), Charges: s.money(r, n, names.charges),
		Tax: s.money(r, n, names.tax), Total: s.money(r, n, names.total),
	}
}

func (s shape) discountsOf(r *reader, n node) []crossdock.Money {
	var out []crossdock.Money
	for _, a := range n.at(s.discounts).items() {
		out = append(out, s.money(r, a, s.discount))
	}
	return out
}

func (s shape) taxesOf(r *reader, n node) []crossdock.TaxAmount {
	var out []crossdock.TaxAmount
	for _, t := range n.at(s.taxes).items() {
		out = append(out, crossdock.TaxAmount{Title: t.at(s.taxTitle).text(), Rate: r.decimal(t.at(s.rate)), Amount: s.money(r, t, s.tax)})
	}
	return out
}

// priceOf reads an amount that must be there.
func (s shape) priceOf(r *reader, n node, name string) crossdock.Money {
	m := s.money(r, n, name)
	if m.Currency == "" {
		r.fail(n.at(name), "there is no price")
	}
	return m
}

// addressOf reads an address; one that says nothing is nil.
func (s shape) addressOf(n node) *crossdock.Address {
	var v [11]string
	for i, name := range s.address {
		v[i] = trimmed(n.at(name))
	}
	a := crossdock.Address{
		Name: either(v[0], strings.TrimSpace(v[1]+" "+v[2])), Company: v[3], Street: v[4], Street2: v[5], City: v[6], Zip: v[7],
		Region: v[8], Country: strings.ToUpper(v[9]), Phone: v[10],
	}
	if a.IsZero() {
		return nil
	}
	return &a
}

func trimmed(n node) string { return strings.TrimSpace(n.text()) }
