package shopify

import (
	"strings"

	"github.com/shopspring/decimal"
)

// body is a webhook's JSON in the REST shape. Its fields are those of Shopify's
// own samples of 2026-07.
type body = map[string]any

// levelBody is the body of inventory_levels/update.
func (s *Server) levelBody(l *level) body {
	return body{
		"inventory_item_id": l.product.itemID, "location_id": l.location.id, "available": l.available,
		"updated_at": s.zoned(l.updated), "admin_graphql_api_id": l.gid(),
	}
}

// orderBody is the body of orders/create, orders/updated and orders/cancelled.
func (s *Server) orderBody(o *order) body {
	b := body{
		"id": o.id, "admin_graphql_api_id": o.gid(), "app_id": 580111, "browser_ip": nil,
		"buyer_accepts_marketing": false, "cancel_reason": text(strings.ToLower(o.reason)), "cancelled_at": s.zoned(o.cancelled),
		"cart_token": nil, "checkout_token": nil, "client_details": nil, "closed_at": nil,
		"confirmation_number": o.confirmation, "confirmed": true, "contact_email": o.email,
		"created_at": s.zoned(o.created), "processed_at": s.zoned(o.created), "updated_at": s.zoned(o.updated),
		"currency": s.Currency, "presentment_currency": s.Currency, "customer_locale": "en", "device_id": nil,
		"discount_codes": s.codes(o), "duties_included": false, "email": o.email, "estimated_taxes": false,
		"financial_status": strings.ToLower(s.financial(o)), "fulfillment_status": fulfilledShort(o.shipped()),
		"landing_site": nil, "landing_site_ref": nil, "location_id": nil,
		"merchant_business_entity_id": "MTU0ODM4MDAwOQ", "merchant_of_record_app_id": nil,
		"name": o.name(), "note": text(o.note), "note_attributes": []any{},
		"number": o.sequence(), "order_number": o.number,
		"order_status_url":      "https://" + s.Shop + "/orders/" + o.token + "/authenticate?key=" + o.token[:8],
		"payment_gateway_names": gateways(o), "phone": text(o.phone), "po_number": text(o.po), "reference": nil,
		"referring_site": nil, "source_identifier": nil, "source_name": "web", "source_url": nil,
		"tags": strings.Join(o.tags, ", "), "tax_exempt": false, "taxes_included": s.TaxesIncluded,
		"test": o.test, "token": o.token, "total_tip_received": s.money(decimal.Zero), "total_weight": 0, "user_id": nil,
		"payment_terms": nil, "returns": []any{}, "line_item_groups": []any{}, "fulfillments": s.fulfilmentBodies(o),
		"refunds": s.refundBodies(o), "line_items": s.lineBodies(o), "shipping_lines": s.shippingBodies(o),
		"discount_applications": s.applicationBodies(o), "tax_lines": s.taxTotals(s.taxes(o, false)),
		"billing_address": s.addressBody(o.billing), "shipping_address": s.addressBody(o.shipping),
		"customer": nil,
	}
	if o.customer != nil {
		b["customer"] = s.customerBody(o.customer)
	}
	s.putSums(b, o)
	return b
}

// putSums writes the order's amounts, each as a string and as a set where
// Shopify writes both.
func (s *Server) putSums(b body, o *order) {
	both := func(name string, d decimal.Decimal) { b[name], b[name+"_set"] = s.money(d), s.set(d) }
	all, now := s.ordered(o), s.current(o)
	both("subtotal_price", all.subtotal)
	both("total_discounts", all.discounts)
	both("total_line_items_price", all.goods)
	both("total_price", all.total)
	both("total_tax", all.tax)
	both("current_subtotal_price", now.subtotal)
	both("current_total_discounts", now.discounts)
	both("current_total_price", now.total)
	both("current_total_tax", now.tax)
	b["total_shipping_price_set"] = s.set(all.shipping)
	b["current_shipping_price_set"] = s.set(now.shipping)
	b["total_outstanding"] = s.money(s.outstanding(o))
	b["total_cash_rounding_payment_adjustment_set"] = s.set(decimal.Zero)
	b["total_cash_rounding_refund_adjustment_set"] = s.set(decimal.Zero)
	for _, none := range []string{"current_total_additional_fees_set", "current_total_duties_set",
		"original_total_additional_fees_set", "original_total_duties_set"} {
		b[none] = nil
	}
}

// outstanding is what the customer owes; negative is what the shop owes.
func (s *Server) outstanding(o *order) decimal.Decimal {
	return s.current(o).total.Sub(o.received().Sub(o.refunded()))
}

// text is a string, or null when it is empty.
func text(of string) any {
	if of == "" {
		return nil
	}
	return of
}

func gateways(o *order) []string {
	if len(o.transactions) == 0 {
		return []string{}
	}
	return []string{gateway}
}

const gateway = "shopify_payments"

func (s *Server) lineBodies(o *order) []any {
	out := []any{}
	for _, l := range o.lines {
		out = append(out, s.lineBody(o, l))
	}
	return out
}

func (s *Server) lineBody(o *order, l *line) body {
	own := s.ownDiscount(o, l)
	b := body{
		"id": l.id, "admin_graphql_api_id": gid("LineItem", l.id), "attributed_staffs": []any{},
		"current_quantity": l.current, "fulfillable_quantity": fulfillable(o, l), "quantity": l.quantity,
		"fulfillment_service": "manual", "fulfillment_status": fulfilledShort(o.sent(l), l.current), "gift_card": false, "grams": 0,
		"name": l.title, "title": l.title, "sku": l.sku, "price": s.money(l.unit), "price_set": s.set(l.unit),
		"product_exists": l.product != nil, "product_id": nil, "variant_id": nil, "properties": []any{},
		"requires_shipping": true, "sales_line_item_group_id": nil, "taxable": len(l.tax) > 0 || l.product == nil,
		"total_discount": s.money(own), "total_discount_set": s.set(own), "variant_inventory_management": nil,
		"variant_title": nil, "vendor": nil, "duties": []any{},
		"tax_lines": s.lineTaxBodies(l), "discount_allocations": s.allocationBodies(l),
	}
	if l.product != nil {
		b["product_id"], b["variant_id"], b["vendor"] = l.product.id, l.product.variantID, s.Shop
		if !l.product.untracked {
			b["variant_inventory_management"] = "shopify"
		}
	}
	return b
}

// fulfillable is how many units are still to be sent.
func fulfillable(o *order, l *line) int {
	if !o.cancelled.IsZero() {
		return 0
	}
	return l.current - o.sent(l)
}

// editBody is the body of orders/edited: what one edit changed, by line ids.
func (s *Server) editBody(o *order, l *line, more int) body {
	one := []any{body{"id": l.id, "delta": max(more, -more)}}
	none := func() body { return body{"additions": []any{}, "removals": []any{}} }
	lines := none()
	if more > 0 {
		lines["additions"] = one
	} else {
		lines["removals"] = one
	}
	return body{"order_edit": body{"id": s.later(), "app_id": nil, "user_id": nil, "order_id": o.id, "created_at": s.zoned(o.updated),
		"committed_at": s.zoned(o.updated), "notify_customer": false, "staff_note": "", "line_items": lines,
		"discounts": body{"line_item": none()}, "shipping_lines": none()}}
}

// ownDiscount is what discounts of chosen lines take off a line. Discounts over
// all lines are not part of a line's total_discount (schema 2026-07, LineItem).
func (s *Server) ownDiscount(o *order, l *line) decimal.Decimal {
	sum := decimal.Zero
	for _, a := range l.allocated {
		if o.discounts[a.discount].line {
			sum = sum.Add(a.amount)
		}
	}
	return sum
}

func (s *Server) allocationBodies(l *line) []any {
	out := []any{}
	for _, a := range l.allocated {
		out = append(out, body{"amount": s.money(a.amount), "amount_set": s.set(a.amount), "discount_application_index": a.discount})
	}
	return out
}

func (s *Server) lineTaxBodies(l *line) []any {
	totals := make([]taxTotal, 0, len(l.tax))
	for i, r := range l.tax {
		totals = append(totals, taxTotal{r, s.lineTax(l, l.quantity, i)})
	}
	return s.taxTotals(totals)
}

func (s *Server) taxTotals(totals []taxTotal) []any {
	out := []any{}
	for _, t := range totals {
		out = append(out, body{"channel_liable": false, "price": s.money(t.amount), "price_set": s.set(t.amount),
			"rate": number(t.rate.rate.String()), "title": t.title})
	}
	return out
}

func (s *Server) shippingBodies(o *order) []any {
	out := []any{}
	for _, c := range o.carriage {
		now := c.price
		if c.refunded {
			now = decimal.Zero
		}
		taxes := make([]taxTotal, 0, len(c.tax))
		for i, r := range c.tax {
			taxes = append(taxes, taxTotal{r, s.tax(c.price, c.tax, i)})
		}
		out = append(out, body{
			"id": c.id, "carrier_identifier": nil, "code": c.code, "current_discounted_price_set": s.set(now),
			"discounted_price": s.money(c.price), "discounted_price_set": s.set(c.price), "is_removed": false, "phone": nil,
			"price": s.money(c.price), "price_set": s.set(c.price), "requested_fulfillment_service_id": nil,
			"source": "shopify", "title": c.title, "tax_lines": s.taxTotals(taxes), "discount_allocations": []any{},
		})
	}
	return out
}

func (s *Server) codes(o *order) []any {
	out := []any{}
	for _, d := range o.discounts {
		if d.code != "" {
			kind := "fixed_amount"
			if d.percent.IsPositive() {
				kind = "percentage"
			}
			out = append(out, body{"amount": s.money(d.amount), "code": d.code, "type": kind})
		}
	}
	return out
}

func (s *Server) applicationBodies(o *order) []any {
	out := []any{}
	for _, d := range o.discounts {
		b := body{"target_type": "line_item", "target_selection": "all", "allocation_method": "across",
			"type": "discount_code", "code": d.code, "value_type": "fixed_amount", "value": s.money(d.amount)}
		if d.percent.IsPositive() {
			b["value_type"], b["value"] = "percentage", d.percent.StringFixed(1)
		}
		if d.line {
			b["target_selection"], b["allocation_method"] = "explicit", "each"
		}
		if d.code == "" {
			delete(b, "code")
			b["type"], b["title"], b["description"] = "manual", d.title, d.title
		}
		out = append(out, b)
	}
	return out
}

// refundBodies are the refunds inside an order. Amounts of refund lines are JSON
// numbers beside their sets (webhook sample refunds/create, 2026-07).
func (s *Server) refundBodies(o *order) []any {
	out := []any{}
	for _, r := range o.refunds {
		lines := []any{}
		how := "no_restock"
		if r.restock {
			how = "cancel"
		}
		for _, l := range r.lines {
			b := body{"id": l.id, "quantity": l.quantity, "line_item_id": l.line.id, "location_id": nil, "restock_type": how,
				"subtotal": number(l.subtotal.String()), "subtotal_set": s.set(l.subtotal),
				"total_tax": number(l.tax.String()), "total_tax_set": s.set(l.tax)}
			if r.restock && l.line.location != nil {
				b["location_id"] = l.line.location.id
			}
			lines = append(lines, b)
		}
		out = append(out, body{"id": r.id, "admin_graphql_api_id": gid("Refund", r.id), "order_id": o.id,
			"created_at": s.zoned(r.at), "processed_at": s.zoned(r.at), "note": nil, "user_id": nil, "duties": []any{},
			"total_duties_set": s.set(decimal.Zero), "return": nil, "refund_shipping_lines": []any{}, "restock": r.restock,
			"order_adjustments": []any{}, "refund_line_items": lines, "transactions": []any{body{
				"id": r.transaction.id, "admin_graphql_api_id": gid("OrderTransaction", r.transaction.id), "order_id": o.id,
				"amount": s.money(r.transaction.amount), "currency": s.Currency, "gateway": gateway, "kind": "refund",
				"status": "success", "parent_id": r.transaction.parent, "created_at": s.zoned(r.at), "processed_at": s.zoned(r.at),
				"test": o.test}}})
	}
	return out
}

func (s *Server) addressBody(a *Address) any {
	if a == nil {
		return nil
	}
	return body{
		"first_name": a.First, "last_name": a.Last, "name": strings.TrimSpace(a.First + " " + a.Last), "company": text(a.Company),
		"address1": a.Address1, "address2": text(a.Address2), "city": a.City, "zip": a.Zip, "phone": a.Phone,
		"province": a.Province, "province_code": a.ProvinceCode, "country": a.Country, "country_code": a.CountryCode,
		"latitude": nil, "longitude": nil,
	}
}

func (s *Server) customerBody(c *customer) body {
	b := body{
		"id": c.id, "admin_graphql_api_id": gid("Customer", c.id), "created_at": s.zoned(c.created), "updated_at": s.zoned(c.updated),
		"first_name": c.First, "last_name": c.Last, "state": "disabled", "note": nil, "verified_email": true,
		"multipass_identifier": nil, "tax_exempt": false, "email": c.Email, "phone": text(c.Phone), "currency": s.Currency,
		"tax_exemptions": []any{},
	}
	if c.Billing != (Address{}) {
		a := s.addressBody(c.address(c.Billing)).(body) //nolint:errcheck // an address that is not empty is always a body
		delete(a, "latitude")
		delete(a, "longitude")
		a["id"], a["customer_id"], a["country_name"], a["default"] = c.addressID, c.id, a["country"], true
		b["default_address"] = a
	}
	return b
}
