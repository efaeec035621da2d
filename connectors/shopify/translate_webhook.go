package shopify

import (
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// webhookOrder reads the body of orders/create, updated, cancelled and the other
// topics that carry the whole order (webhook schema orders/updated 2026-07).
func webhookOrder(n node) (order, error) {
	r := &reader{currency: n.at("currency").text()}
	o := order{
		gid: n.at("admin_graphql_api_id").text(), name: n.at("name").text(), currency: r.currency,
		email: trimmed(n.at("email")), phone: trimmed(n.at("phone")),
		billing: webhookAddress(n.at("billing_address")), shipping: webhookAddress(n.at("shipping_address")),
		note: n.at("note").text(), purchaseCode: n.at("po_number").text(),
		test: n.at("test").isTrue(), taxIncluded: n.at("taxes_included").isTrue(),
		updated: r.moment(n.at("updated_at")), cancelled: r.moment(n.at("cancelled_at")), reason: strings.ToLower(n.at("cancel_reason").text()),
	}
	o.thin = !n.has("currency") && !n.has("line_items") && isGID(o.gid)
	if o.placed = r.moment(n.at("created_at")); o.placed.IsZero() {
		o.placed = r.moment(n.at("processed_at"))
	}
	if c := n.at("customer"); !c.isNull() {
		o.customer = &customer{gid: c.at("admin_graphql_api_id").text(), first: trimmed(c.at("first_name")), last: trimmed(c.at("last_name")),
			email: trimmed(c.at("email")), phone: trimmed(c.at("phone"))}
		if o.customer.gid == "" {
			r.fail(c.at("admin_graphql_api_id"), "the customer has no id")
		}
	}
	r.check(n, o, "admin_graphql_api_id", "currency", "created_at")
	for _, l := range n.at("line_items").items() {
		o.lines = append(o.lines, r.webhookLine(l))
	}
	exact := exactIDs(n)
	for _, c := range n.at("shipping_lines").items() {
		o.charges = append(o.charges, charge{
			key: chargeKey(c, exact), code: c.at("code").text(), title: c.at("title").text(), removed: c.at("is_removed").isTrue(),
			price: r.price(c.at("price"), r.bag(c, "price")), discounts: r.webhookDiscounts(c), taxes: r.webhookTaxes(c),
		})
	}
	o.original = crossdock.Totals{
		Subtotal: r.bag(n, "subtotal_price"), Discount: r.bag(n, "total_discounts"), Charges: r.bag(n, "total_shipping_price"),
		Tax: r.bag(n, "total_tax"), Total: r.bag(n, "total_price"),
	}
	o.current = crossdock.Totals{
		Subtotal: r.bag(n, "current_subtotal_price"), Discount: r.bag(n, "current_total_discounts"), Charges: r.bag(n, "current_shipping_price"),
		Tax: r.bag(n, "current_total_tax"), Total: r.bag(n, "current_total_price"),
	}
	return o, r.err
}

// exactIDs reports a body whose numeric ids have all their digits. Those of Shopify's
// own samples went through a float: the order's is not the one in its global id.
func exactIDs(n node) bool {
	gid := n.at("admin_graphql_api_id").text()
	return n.at("id").text() == gid[strings.LastIndexByte(gid, '/')+1:]
}

// chargeKey returns the id of a shipping line as a look tells it, without its type:
// from its global id where it has one (webhook schema orders/updated 2026-07 has
// none), else the digits of its number. One that may have lost digits is no key.
func chargeKey(c node, exact bool) string {
	if gid := c.at("admin_graphql_api_id").text(); gid != "" {
		return gid[strings.LastIndexByte(gid, '/')+1:]
	}
	const whole = 1 << 53 // up to here a float holds every whole number
	id := c.at("id").text()
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || n > whole && !exact {
		return ""
	}
	return id
}

func (r *reader) webhookLine(l node) line {
	out := line{
		gid: l.at("admin_graphql_api_id").text(), sku: trimmed(l.at("sku")), title: l.at("title").text(), variant: l.at("variant_title").text(),
		quantity: r.decimal(l.at("quantity")), current: r.decimal(l.at("quantity")),
		price: r.price(l.at("price"), r.bag(l, "price")), discounts: r.webhookDiscounts(l), taxes: r.webhookTaxes(l),
		ships: l.at("requires_shipping").isTrue(), giftCard: l.at("gift_card").isTrue(),
	}
	if current := l.at("current_quantity"); !current.isNull() {
		out.current = r.decimal(current)
	}
	r.checkLine(l, out, "admin_graphql_api_id")
	return out
}

func (r *reader) webhookDiscounts(n node) []crossdock.Money {
	var out []crossdock.Money
	for _, a := range n.at("discount_allocations").items() {
		out = append(out, r.bag(a, "amount"))
	}
	return out
}

func (r *reader) webhookTaxes(n node) []crossdock.TaxAmount {
	var out []crossdock.TaxAmount
	for _, t := range n.at("tax_lines").items() {
		out = append(out, crossdock.TaxAmount{Title: t.at("title").text(), Rate: r.decimal(t.at("rate")), Amount: r.bag(t, "price")})
	}
	return out
}

// bag reads the shop's money of "<name>_set"; where there is none, the plain
// amount, which is in the shop's currency too.
func (r *reader) bag(n node, name string) crossdock.Money {
	plain, money := n.at(name), n.at(name+"_set").at("shop_money")
	if money.isNull() {
		return r.money(plain, node{}, plain)
	}
	return r.money(money.at("amount"), money.at("currency_code"), plain)
}

func webhookAddress(n node) *crossdock.Address {
	return address(n, [...]string{"name", "first_name", "last_name", "company", "address1", "address2", "city", "zip", "province_code", "country_code", "phone"})
}

// address reads an address whose fields have these names, in this order; one that
// says nothing is nil.
func address(n node, names [11]string) *crossdock.Address {
	var v [11]string
	for i, name := range names {
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

// check reports what no order can be told without.
func (r *reader) check(n node, o order, id, currency, placed string) {
	switch {
	case !isGID(o.gid):
		r.fail(n.at(id), "this is no global id of an order, such as %s1", gidPrefix)
	case (crossdock.Money{Currency: o.currency}).Validate() != nil:
		r.fail(n.at(currency), "%.20q is no currency", o.currency)
	case o.placed.IsZero():
		r.fail(n.at(placed), "the order doesn't say when it was placed")
	case o.name == "":
		r.fail(n.at("name"), "the order has no name")
	}
}

// checkLine reports what no line can be told without.
func (r *reader) checkLine(n node, l line, id string) {
	switch {
	case l.gid == "":
		r.fail(n.at(id), "the line has no id")
	case n.at("quantity").isNull():
		r.fail(n.at("quantity"), "the line has no quantity")
	}
}

// price reports an amount that must be there and is not.
func (r *reader) price(at node, m crossdock.Money) crossdock.Money {
	if m.Currency == "" {
		r.fail(at, "there is no price")
	}
	return m
}
