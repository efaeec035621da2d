package shopify

import (
	"strings"

	"github.com/crossdockhq/crossdock"
)

// lookedOrder reads an order as query/order.graphql asks for it (Admin GraphQL
// schema 2026-07), with all its lines.
func lookedOrder(n node) (order, error) {
	r := &reader{currency: n.at("currencyCode").text()}
	o := order{
		gid: n.at("id").text(), name: n.at("name").text(), currency: r.currency,
		email: trimmed(n.at("email")), phone: trimmed(n.at("phone")),
		billing: lookedAddress(n.at("billingAddress")), shipping: lookedAddress(n.at("shippingAddress")),
		note: n.at("note").text(), purchaseCode: n.at("poNumber").text(),
		test: n.at("test").isTrue(), taxIncluded: n.at("taxesIncluded").isTrue(),
		updated: r.moment(n.at("updatedAt")), cancelled: r.moment(n.at("cancelledAt")), reason: strings.ToLower(n.at("cancelReason").text()),
	}
	if o.placed = r.moment(n.at("createdAt")); o.placed.IsZero() {
		o.placed = r.moment(n.at("processedAt"))
	}
	if c := n.at("customer"); !c.isNull() {
		o.customer = &customer{gid: c.at("id").text(), first: trimmed(c.at("firstName")), last: trimmed(c.at("lastName")),
			email: trimmed(c.at("defaultEmailAddress").at("emailAddress")), phone: trimmed(c.at("defaultPhoneNumber").at("phoneNumber"))}
		if o.customer.gid == "" {
			r.fail(c.at("id"), "the customer has no id")
		}
	}
	r.check(n, o, "id", "currencyCode", "createdAt")
	for _, l := range n.at("lineItems").at("nodes").items() {
		o.lines = append(o.lines, r.lookedLine(l))
	}
	for _, c := range n.at("shippingLines").at("nodes").items() {
		id := c.at("id").text()
		o.charges = append(o.charges, charge{
			key: id[strings.LastIndexByte(id, '/')+1:], code: c.at("code").text(), title: c.at("title").text(), removed: c.at("isRemoved").isTrue(),
			price: r.price(c.at("originalPriceSet"), r.shop(c, "originalPriceSet")), discounts: r.lookedDiscounts(c), taxes: r.lookedTaxes(c),
		})
	}
	o.original = crossdock.Totals{
		Subtotal: r.shop(n, "subtotalPriceSet"), Discount: r.shop(n, "totalDiscountsSet"), Charges: r.shop(n, "totalShippingPriceSet"),
		Tax: r.shop(n, "totalTaxSet"), Total: r.shop(n, "totalPriceSet"),
	}
	o.current = crossdock.Totals{
		Subtotal: r.shop(n, "currentSubtotalPriceSet"), Discount: r.shop(n, "currentTotalDiscountsSet"), Charges: r.shop(n, "currentShippingPriceSet"),
		Tax: r.shop(n, "currentTotalTaxSet"), Total: r.shop(n, "currentTotalPriceSet"),
	}
	return o, r.err
}

func (r *reader) lookedLine(l node) line {
	out := line{
		gid: l.at("id").text(), sku: trimmed(l.at("sku")), title: l.at("title").text(), variant: l.at("variantTitle").text(),
		quantity: r.decimal(l.at("quantity")), current: r.decimal(l.at("quantity")),
		price: r.price(l.at("originalUnitPriceSet"), r.shop(l, "originalUnitPriceSet")), discounts: r.lookedDiscounts(l), taxes: r.lookedTaxes(l),
		ships: l.at("requiresShipping").isTrue(), giftCard: l.at("isGiftCard").isTrue(),
	}
	if current := l.at("currentQuantity"); !current.isNull() {
		out.current = r.decimal(current)
	}
	r.checkLine(l, out, "id")
	return out
}

func (r *reader) lookedDiscounts(n node) []crossdock.Money {
	var out []crossdock.Money
	for _, a := range n.at("discountAllocations").items() {
		out = append(out, r.shop(a, "allocatedAmountSet"))
	}
	return out
}

func (r *reader) lookedTaxes(n node) []crossdock.TaxAmount {
	var out []crossdock.TaxAmount
	for _, t := range n.at("taxLines").items() {
		out = append(out, crossdock.TaxAmount{Title: t.at("title").text(), Rate: r.decimal(t.at("rate")), Amount: r.shop(t, "priceSet")})
	}
	return out
}

// shop reads the shop's money of a MoneyBag.
func (r *reader) shop(n node, name string) crossdock.Money {
	money := n.at(name).at("shopMoney")
	return r.money(money.at("amount"), money.at("currencyCode"), n.at(name))
}

func lookedAddress(n node) *crossdock.Address {
	return address(n, [...]string{"name", "firstName", "lastName", "company", "address1", "address2", "city", "zip", "provinceCode", "countryCodeV2", "phone"})
}
