package shopify

import "github.com/crossdockhq/crossdock"

// shape says where one of the two forms in which Shopify tells an order has what
// the hub reads of it. A name with a dot is a path.
type shape struct {
	id, currency, name, email, phone, note, purchaseCode, test, taxIncluded string
	created, processed, updated, cancelled, reason                          string
	billing, shipping                                                       string
	address                                                                 [11]string // in the order of crossdock.Address, the name in three: whole, first, last

	customer, first, last, customerEmail, customerPhone string

	lines, sku, title, variant, quantity, current, price, ships, giftCard string
	charges, code, removed, chargePrice                                   string
	discounts, discount, taxes, taxTitle, rate, tax                       string

	original, now totalNames // before and after returns and edits

	money func(*reader, node, string) crossdock.Money
}

// totalNames are the names of an order's sums.
type totalNames struct{ subtotal, discount, charges, tax, total string }

// webhookShape is the body of orders/create, updated, cancelled and the other topics
// that carry the whole order (webhook schema orders/updated 2026-07).
var webhookShape = shape{
	id: "admin_graphql_api_id", currency: "currency", name: "name", email: "email", phone: "phone", note: "note",
	purchaseCode: "po_number", test: "test", taxIncluded: "taxes_included",
	created: "created_at", processed: "processed_at", updated: "updated_at", cancelled: "cancelled_at", reason: "cancel_reason",
	billing: "billing_address", shipping: "shipping_address",
	address: [...]string{"name", "first_name", "last_name", "company", "address1", "address2", "city", "zip", "province_code", "country_code", "phone"},

	customer: "customer", first: "first_name", last: "last_name", customerEmail: "email", customerPhone: "phone",

	lines: "line_items", sku: "sku", title: "title", variant: "variant_title", quantity: "quantity", current: "current_quantity", price: "price",
	ships: "requires_shipping", giftCard: "gift_card",
	charges: "shipping_lines", code: "code", removed: "is_removed", chargePrice: "price",
	discounts: "discount_allocations", discount: "amount", taxes: "tax_lines", taxTitle: "title", rate: "rate", tax: "price",

	original: totalNames{"subtotal_price", "total_discounts", "total_shipping_price", "total_tax", "total_price"},
	now:      totalNames{"current_subtotal_price", "current_total_discounts", "current_shipping_price", "current_total_tax", "current_total_price"},

	money: (*reader).bag,
}

// lookedShape is an order as query/order.graphql asks for it (Admin GraphQL schema
// 2026-07), with all its lines.
var lookedShape = shape{
	id: "id", currency: "currencyCode", name: "name", email: "email", phone: "phone", note: "note",
	purchaseCode: "poNumber", test: "test", taxIncluded: "taxesIncluded",
	created: "createdAt", processed: "processedAt", updated: "updatedAt", cancelled: "cancelledAt", reason: "cancelReason",
	billing: "billingAddress", shipping: "shippingAddress",
	address: [...]string{"name", "firstName", "lastName", "company", "address1", "address2", "city", "zip", "provinceCode", "countryCodeV2", "phone"},

	customer: "customer", first: "firstName", last: "lastName",
	customerEmail: "defaultEmailAddress.emailAddress", customerPhone: "defaultPhoneNumber.phoneNumber",

	lines: "lineItems.nodes", sku: "sku", title: "title", variant: "variantTitle", quantity: "quantity", current: "currentQuantity", price: "originalUnitPriceSet",
	ships: "requiresShipping", giftCard: "isGiftCard",
	charges: "shippingLines.nodes", code: "code", removed: "isRemoved", chargePrice: "originalPriceSet",
	discounts: "discountAllocations", discount: "allocatedAmountSet", taxes: "taxLines", taxTitle: "title", rate: "rate", tax: "priceSet",

	original: totalNames{"subtotalPriceSet", "totalDiscountsSet", "totalShippingPriceSet", "totalTaxSet", "totalPriceSet"},
	now:      totalNames{"currentSubtotalPriceSet", "currentTotalDiscountsSet", "currentShippingPriceSet", "currentTotalTaxSet", "currentTotalPriceSet"},

	money: (*reader).shop,
}

// bag reads the shop's money of "<name>_set" of a webhook; where there is none, the
// plain amount, which is in the shop's currency too.
func (r *reader) bag(n node, name string) crossdock.Money {
	plain, money := n.at(name), n.at(name+"_set").at("shop_money")
	if money.isNull() {
		return r.money(plain, node{}, plain)
	}
	return r.money(money.at("amount"), money.at("currency_code"), plain)
}

// shop reads the shop's money of a MoneyBag of the Admin API.
func (r *reader) shop(n node, name string) crossdock.Money {
	money := n.at(name).at("shopMoney")
	return r.money(money.at("amount"), money.at("currencyCode"), n.at(name))
}
