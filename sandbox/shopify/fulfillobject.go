package shopify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// fulfilOrderObject is a FulfillmentOrder; nil for none.
func (s *Server) fulfilOrderObject(f *fulfilOrder) *object {
	if f == nil {
		return nil
	}
	actions := []any{}
	if f.open() {
		actions = append(actions, &object{typ: "FulfillmentOrderSupportedAction", fields: fields{"action": "CREATE_FULFILLMENT", "externalUrl": nil}})
	}
	return &object{typ: "FulfillmentOrder", fields: fields{
		"id": f.gid(), "status": f.status, "requestStatus": "UNSUBMITTED", "createdAt": utc(f.created), "updatedAt": utc(f.updated),
		"fulfillAt": utc(f.created), "fulfillBy": nil, "orderId": f.order.gid(), "orderName": f.order.name(), "orderProcessedAt": utc(f.order.created),
		"order":            lazy(func() any { return s.orderObject(f.order) }),
		"supportedActions": actions, "fulfillmentHolds": []any{},
		"deliveryMethod": &object{typ: "DeliveryMethod", fields: fields{"id": gid("DeliveryMethod", f.id), "methodType": "SHIPPING"}},
		"assignedLocation": &object{typ: "FulfillmentOrderAssignedLocation", fields: fields{"name": f.location.name, "countryCode": s.Country,
			"location": lazy(func() any { return s.locationObject(f.location) })}},
		"lineItems": pageOf("FulfillmentOrderLineItem", len(f.lines), func(i int) *object { return s.fulfilLineObject(f.order, f.lines[i]) }),
		"fulfillments": resolve(func(a arguments) (any, error) {
			of := slices.DeleteFunc(slices.Clone(f.order.fulfilments), func(made *fulfilment) bool {
				return !slices.ContainsFunc(made.lines, func(l fulfilmentLine) bool { return l.from == f })
			})
			return pageOf("Fulfillment", len(of), func(i int) *object { return s.fulfilmentObject(of[i]) })(a)
		}),
	}}
}

func (s *Server) fulfilLineObject(o *order, l *fulfilLine) *object {
	f := fields{"id": gid("FulfillmentOrderLineItem", l.id), "totalQuantity": l.total, "remainingQuantity": l.remaining,
		"sku": text(l.line.sku), "inventoryItemId": nil, "requiresShipping": true, "productTitle": l.line.title, "variantTitle": nil,
		"lineItem": lazy(func() any { return s.lineObject(o, l.line) })}
	if p := l.line.product; p != nil {
		f["inventoryItemId"] = gid("InventoryItem", p.itemID)
	}
	return &object{typ: "FulfillmentOrderLineItem", fields: f}
}

// fulfilmentObject is a Fulfillment; nil for none.
func (s *Server) fulfilmentObject(f *fulfilment) *object {
	if f == nil {
		return nil
	}
	units := 0
	for _, l := range f.lines {
		units += l.quantity
	}
	display := "FULFILLED"
	if f.cancelled {
		display = "CANCELED"
	}
	return &object{typ: "Fulfillment", fields: fields{
		"id": f.gid(), "legacyResourceId": fmt.Sprint(f.id), "name": f.name(), "status": f.status(), "displayStatus": display,
		"createdAt": utc(f.created), "updatedAt": utc(f.updated), "totalQuantity": units, "requiresShipping": true,
		"order":    lazy(func() any { return s.orderObject(f.order) }),
		"location": lazy(func() any { return s.locationObject(f.location) }),
		"trackingInfo": resolve(func(a arguments) (any, error) {
			return firstOf(a, len(f.tracking), func(i int) *object {
				t := f.tracking[i]
				return &object{typ: "FulfillmentTrackingInfo", fields: fields{"company": text(t.company), "number": text(t.number), "url": text(t.url)}}
			})
		}),
		"fulfillmentLineItems": pageOf("FulfillmentLineItem", len(f.lines), func(i int) *object {
			l := f.lines[i]
			return &object{typ: "FulfillmentLineItem", fields: fields{"id": gid("FulfillmentLineItem", l.id), "quantity": l.quantity,
				"lineItem": lazy(func() any { return s.lineObject(f.order, l.of.line) })}}
		}),
		"fulfillmentOrders": resolve(func(a arguments) (any, error) {
			var of []*fulfilOrder
			for _, l := range f.lines {
				if !slices.Contains(of, l.from) {
					of = append(of, l.from)
				}
			}
			return pageOf("FulfillmentOrder", len(of), func(i int) *object { return s.fulfilOrderObject(of[i]) })(a)
		}),
	}}
}

// fulfilOrderTerms are what fulfilment orders are searched by.
var fulfilOrderTerms = terms[*fulfilOrder]{
	"id":                   byNumber(func(f *fulfilOrder) uint64 { return f.id }),
	"updated_at":           byTime(func(f *fulfilOrder) time.Time { return f.updated }),
	"created_at":           byTime(func(f *fulfilOrder) time.Time { return f.created }),
	"status":               byText(func(f *fulfilOrder) string { return f.status }),
	"assigned_location_id": byNumber(func(f *fulfilOrder) uint64 { return f.location.id }),
}

// queryFulfilOrders is fulfillmentOrders: closed and cancelled ones only with includeClosed.
func (s *Server) queryFulfilOrders(a arguments) (any, error) {
	match, err := search(a["query"], "fulfillment orders", fulfilOrderTerms)
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, o := range s.orders {
		for _, f := range o.fulfilOrders {
			if s.tooOld(o) || !match(f) || (!f.open() && a["includeClosed"] != true) {
				continue
			}
			key := fmt.Sprintf("%020d", f.id)
			if fmt.Sprint(a["sortKey"]) == "UPDATED_AT" {
				key = stamp(f.updated) + "/" + key
			}
			found = append(found, entry{key, func() *object { return s.fulfilOrderObject(f) }})
		}
	}
	slices.SortFunc(found, byKey)
	return connection("FulfillmentOrder", a, found)
}

// fulfilmentBody is the body of fulfillments/create and fulfillments/update.
func (s *Server) fulfilmentBody(f *fulfilment) body {
	o := f.order
	status := "success"
	if f.cancelled {
		status = "cancelled"
	}
	b := body{
		"id": f.id, "admin_graphql_api_id": f.gid(), "order_id": o.id, "name": f.name(), "status": status, "service": "manual",
		"created_at": s.zoned(f.created), "updated_at": s.zoned(f.updated), "shipment_status": nil, "location_id": f.location.id,
		"origin_address": nil, "email": o.email, "destination": s.addressBody(o.shipping), "receipt": body{},
		"tracking_company": nil, "tracking_number": nil, "tracking_url": nil, "line_items": s.sentBodies(f),
	}
	numbers, urls := []string{}, []string{}
	for i, t := range f.tracking {
		if i == 0 {
			b["tracking_company"], b["tracking_number"], b["tracking_url"] = text(t.company), text(t.number), text(t.url)
		}
		if t.number != "" {
			numbers = append(numbers, t.number)
		}
		if t.url != "" {
			urls = append(urls, t.url)
		}
	}
	b["tracking_numbers"], b["tracking_urls"] = numbers, urls
	return b
}

// sentBodies are the lines of a fulfilment: order lines with the quantity sent.
func (s *Server) sentBodies(f *fulfilment) []any {
	out := []any{}
	for _, l := range f.lines {
		b := s.lineBody(f.order, l.of.line)
		b["quantity"] = l.quantity
		out = append(out, b)
	}
	return out
}

// fulfilmentBodies are the fulfilments inside an order.
func (s *Server) fulfilmentBodies(o *order) []any {
	out := []any{}
	for _, f := range o.fulfilments {
		b := s.fulfilmentBody(f)
		delete(b, "destination")
		delete(b, "email")
		out = append(out, b)
	}
	return out
}

// fulfilmentRow and fulfilOrderRow are what Rows shows.
func (s *Server) fulfilmentRow(f *fulfilment) map[string]any {
	units := []string{}
	for _, l := range f.lines {
		units = append(units, fmt.Sprintf("%s x%d", l.of.line.sku, l.quantity))
	}
	numbers := []string{}
	company := ""
	for _, t := range f.tracking {
		numbers, company = append(numbers, t.number), t.company
	}
	return map[string]any{"key": strings.TrimPrefix(f.name(), "#"), "id": f.gid(), "order": fmt.Sprint(f.order.number), "location": f.location.code,
		"status": strings.ToLower(f.status()), "skus": strings.Join(units, ", "), "tracking": strings.Join(numbers, ", "),
		"company": company, "notified": f.notified, "created_at": utc(f.created), "updated_at": utc(f.updated)}
}

func (s *Server) fulfilOrderRow(f *fulfilOrder, n int) map[string]any {
	total, remaining := f.counts()
	return map[string]any{"key": fmt.Sprintf("%d/%d", f.order.number, n+1), "id": f.gid(), "order": fmt.Sprint(f.order.number),
		"location": f.location.code, "status": strings.ToLower(f.status), "total": total, "remaining": remaining, "updated_at": utc(f.updated)}
}
