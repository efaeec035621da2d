package shopify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// orderObject is an order as GraphQL answers it; nil for none.
func (s *Server) orderObject(o *order) *object {
	if o == nil {
		return nil
	}
	f := fields{
		"id": o.gid(), "legacyResourceId": fmt.Sprint(o.id), "name": o.name(), "number": o.sequence(),
		"confirmationNumber": o.confirmation, "sourceName": "web", "sourceIdentifier": nil, "poNumber": text(o.po), "test": o.test,
		"confirmed": true, "edited": o.edited, "closed": false, "createdAt": utc(o.created), "updatedAt": utc(o.updated),
		"processedAt": utc(o.created), "cancelledAt": utc(o.cancelled), "cancelReason": text(o.reason), "closedAt": nil,
		"currencyCode": s.Currency, "presentmentCurrencyCode": s.Currency, "taxesIncluded": s.TaxesIncluded, "taxExempt": false,
		"estimatedTaxes": false, "dutiesIncluded": false, "displayFinancialStatus": s.financial(o),
		"displayFulfillmentStatus": o.fulfilled(), "returnStatus": "NO_RETURN", "email": text(o.email), "phone": text(o.phone),
		"note": text(o.note), "tags": texts(o.tags), "customAttributes": []any{},
		"app":            &object{typ: "OrderApp", fields: fields{"id": "gid://shopify/App/580111", "name": "Online Store"}},
		"retailLocation": nil, "customer": s.customerObject(o.customer), "purchasingEntity": s.customerObject(o.customer),
		"paymentTerms": nil, "billingAddress": s.mailingAddress(o, o.billing), "shippingAddress": s.mailingAddress(o, o.shipping),
		"additionalFees": []any{}, "taxLines": s.taxObjects(s.taxes(o, false)), "currentTaxLines": s.taxObjects(s.taxes(o, true)),
		"paymentGatewayNames": texts(gateways(o)),
	}
	s.putBags(f, o)
	f["discountApplications"] = pageOf("DiscountApplication", len(o.discounts), func(i int) *object { return s.application(o, i) })
	f["lineItems"] = pageOf("LineItem", len(o.lines), func(i int) *object { return s.lineObject(o, o.lines[i]) })
	f["shippingLines"] = pageOf("ShippingLine", len(o.carriage), func(i int) *object { return s.shippingObject(o.carriage[i]) })
	f["transactions"] = resolve(func(a arguments) (any, error) {
		return firstOf(a, len(o.transactions), func(i int) *object { return s.transactionObject(o, o.transactions[i]) })
	})
	f["refunds"] = resolve(func(a arguments) (any, error) {
		return firstOf(a, len(o.refunds), func(i int) *object { return s.refundObject(o.refunds[i]) })
	})
	f["fulfillments"] = resolve(func(a arguments) (any, error) {
		if a["query"] != nil {
			return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search fulfillments")
		}
		return firstOf(a, len(o.fulfilments), func(i int) *object { return s.fulfilmentObject(o.fulfilments[i]) })
	})
	f["fulfillmentOrders"] = resolve(func(a arguments) (any, error) {
		match, err := search(a["query"], "fulfillment orders", fulfilOrderTerms)
		if err != nil {
			return nil, err
		}
		of := slices.DeleteFunc(slices.Clone(o.fulfilOrders), func(f *fulfilOrder) bool { return !match(f) })
		return pageOf("FulfillmentOrder", len(of), func(i int) *object { return s.fulfilOrderObject(of[i]) })(a)
	})
	return &object{typ: "Order", fields: f}
}

// putBags writes the order's amounts.
func (s *Server) putBags(f fields, o *order) {
	all, now := s.ordered(o), s.current(o)
	zero := decimal.Zero
	for name, d := range map[string]decimal.Decimal{
		"originalTotalPriceSet": o.original, "totalPriceSet": all.total, "subtotalPriceSet": all.subtotal, "totalTaxSet": all.tax,
		"totalDiscountsSet": all.discounts, "totalShippingPriceSet": all.shipping, "currentSubtotalPriceSet": now.subtotal,
		"currentTotalDiscountsSet": now.discounts, "currentTotalTaxSet": now.tax, "currentShippingPriceSet": now.shipping,
		"currentTotalPriceSet": now.total, "totalTipReceivedSet": zero, "totalReceivedSet": o.received(),
		"totalRefundedSet": o.refunded(), "netPaymentSet": o.received().Sub(o.refunded()),
		"totalOutstandingSet": s.outstanding(o), "refundDiscrepancySet": zero,
	} {
		f[name] = s.bag(d)
	}
	f["currentTotalDutiesSet"], f["currentTotalAdditionalFeesSet"] = nil, nil
	f["totalCashRoundingAdjustment"] = &object{typ: "CashRoundingAdjustment",
		fields: fields{"paymentSet": s.bag(zero), "refundSet": s.bag(zero)}}
}

// pageOf is a connection over n things in the order the shop keeps them.
func pageOf(typ string, n int, make func(int) *object) resolve {
	return func(a arguments) (any, error) {
		all := []entry{}
		for i := range n {
			all = append(all, entry{fmt.Sprintf("%010d", i), func() *object { return make(i) }})
		}
		return connection(typ, a, all)
	}
}

// firstOf is a plain list that takes first.
func firstOf(a arguments, n int, make func(int) *object) (any, error) {
	if first, ok := whole(a["first"]); ok {
		if first < 0 || first > most {
			return nil, refused("BAD_REQUEST", "first must be from 0 to %d, not %d", most, first)
		}
		n = min(n, first)
	}
	out := []any{}
	for i := range n {
		out = append(out, make(i))
	}
	return out, nil
}

func texts(all []string) []any {
	out := []any{}
	for _, one := range all {
		out = append(out, one)
	}
	return out
}

func (s *Server) lineObject(o *order, l *line) *object {
	f := fields{
		"id": gid("LineItem", l.id), "sku": text(l.sku), "name": l.title, "title": l.title, "variantTitle": nil, "vendor": nil,
		"isGiftCard": false, "taxable": len(l.tax) > 0 || l.product == nil, "requiresShipping": true, "quantity": l.quantity,
		"currentQuantity": l.current, "unfulfilledQuantity": fulfillable(o, l), "refundableQuantity": l.current,
		"nonFulfillableQuantity": l.quantity - l.current, "product": nil, "variant": nil, "lineItemGroup": nil, "customAttributes": []any{},
		"originalUnitPriceSet": s.bag(l.unit), "originalTotalSet": s.bag(l.goods(l.quantity)),
		"totalDiscountSet": s.bag(s.ownDiscount(o, l)), "duties": []any{},
	}
	if l.product != nil {
		f["vendor"], f["product"], f["variant"] = s.Shop, lazy(func() any { return s.productObject(l.product) }), s.variantObject(l.product)
	}
	allocations, totals := []any{}, []taxTotal{}
	for _, a := range l.allocated {
		allocations = append(allocations, &object{typ: "DiscountAllocation", fields: fields{
			"allocatedAmountSet": s.bag(a.amount), "discountApplication": s.application(o, a.discount)}})
	}
	for i, r := range l.tax {
		totals = append(totals, taxTotal{r, s.lineTax(l, l.quantity, i)})
	}
	f["discountAllocations"], f["taxLines"] = allocations, s.taxObjects(totals)
	return &object{typ: "LineItem", fields: f}
}

func (s *Server) taxObjects(totals []taxTotal) []any {
	out := []any{}
	for _, t := range totals {
		out = append(out, &object{typ: "TaxLine", fields: fields{"title": t.title, "rate": number(t.rate.rate.String()),
			"ratePercentage": number(t.rate.rate.Shift(2).String()), "source": "Shopify", "channelLiable": false, "priceSet": s.bag(t.amount)}})
	}
	return out
}

func (s *Server) application(o *order, i int) *object {
	d := o.discounts[i]
	f := fields{"index": i, "allocationMethod": "ACROSS", "targetType": "LINE_ITEM", "targetSelection": "ALL",
		"value": s.moneyV2(d.amount)}
	if d.percent.IsPositive() {
		f["value"] = &object{typ: "PricingPercentageValue", fields: fields{"percentage": number(d.percent.String())}}
	}
	if d.line {
		f["allocationMethod"], f["targetSelection"] = "EACH", "EXPLICIT"
	}
	if d.code != "" {
		f["code"] = d.code
		return &object{typ: "DiscountCodeApplication", fields: f}
	}
	f["title"], f["description"] = d.title, text(d.title)
	return &object{typ: "ManualDiscountApplication", fields: f}
}

func (s *Server) shippingObject(c *carriage) *object {
	now := c.price
	if c.refunded {
		now = decimal.Zero
	}
	totals := []taxTotal{}
	for i, r := range c.tax {
		totals = append(totals, taxTotal{r, s.tax(c.price, c.tax, i)})
	}
	return &object{typ: "ShippingLine", fields: fields{
		"id": gid("ShippingLine", c.id), "title": c.title, "code": c.code, "source": "shopify", "carrierIdentifier": nil, "custom": false,
		"isRemoved": false, "originalPriceSet": s.bag(c.price), "discountedPriceSet": s.bag(c.price),
		"currentDiscountedPriceSet": s.bag(now), "discountAllocations": []any{}, "taxLines": s.taxObjects(totals)}}
}

func (s *Server) transactionObject(o *order, t *transaction) *object {
	f := fields{
		"id": gid("OrderTransaction", t.id), "kind": t.kind, "status": "SUCCESS", "gateway": gateway,
		"formattedGateway": "Shopify Payments", "test": o.test, "manualPaymentGateway": false, "processedAt": utc(t.at),
		"createdAt": utc(t.at), "paymentId": fmt.Sprintf("%s.1", o.name()), "amountSet": s.bag(t.amount), "amountRoundingSet": nil,
		"parentTransaction": nil, "errorCode": nil,
	}
	for _, parent := range o.transactions {
		if parent.id == t.parent {
			f["parentTransaction"] = lazy(func() any { return s.transactionObject(o, parent) })
		}
	}
	return &object{typ: "OrderTransaction", fields: f}
}

func (s *Server) refundObject(r *refund) *object {
	return &object{typ: "Refund", fields: fields{"id": gid("Refund", r.id), "legacyResourceId": fmt.Sprint(r.id), "createdAt": utc(r.at),
		"updatedAt": utc(r.at), "processedAt": utc(r.at), "note": nil, "totalRefundedSet": s.bag(r.transaction.amount)}}
}

func (s *Server) customerObject(c *customer) *object {
	if c == nil {
		return nil
	}
	updated := c.updated
	if updated.IsZero() {
		updated = c.created
	}
	var phone *object
	if c.Phone != "" {
		phone = &object{typ: "CustomerPhoneNumber", fields: fields{"phoneNumber": c.Phone}}
	}
	return &object{typ: "Customer", fields: fields{
		"id": gid("Customer", c.id), "legacyResourceId": fmt.Sprint(c.id), "displayName": strings.TrimSpace(c.First + " " + c.Last),
		"firstName": text(c.First), "lastName": text(c.Last), "createdAt": utc(c.created), "updatedAt": utc(updated),
		"defaultEmailAddress": &object{typ: "CustomerEmailAddress", fields: fields{"emailAddress": c.Email}},
		"defaultPhoneNumber":  phone}}
}

func (s *Server) mailingAddress(o *order, a *Address) *object {
	if a == nil {
		return nil
	}
	which := o.id * 2
	if a == o.shipping && o.shipping != o.billing {
		which++
	}
	return &object{typ: "MailingAddress", fields: fields{
		"id": gid("MailingAddress", which) + "?model_name=Address", "name": text(strings.TrimSpace(a.First + " " + a.Last)),
		"firstName": text(a.First), "lastName": text(a.Last), "company": text(a.Company), "address1": text(a.Address1),
		"address2": text(a.Address2), "city": text(a.City), "zip": text(a.Zip), "province": text(a.Province),
		"provinceCode": text(a.ProvinceCode), "country": text(a.Country), "countryCodeV2": text(a.CountryCode), "phone": text(a.Phone)}}
}
