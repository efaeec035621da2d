package shopify

import (
	"fmt"
	"slices"
	"strings"
)

// wish is what a fulfillmentCreate asks of one fulfilment order's line.
type wish struct {
	from     *fulfilOrder
	of       *fulfilLine
	quantity int
}

// told is a plain UserError: fulfilment mutations give no codes (schema 2026-07,
// FulfillmentCreatePayload). Texts are the stand-in's own where Shopify publishes
// none: a client decides by state, not by text.
func told(typ, result string, message string, field ...string) *object {
	f := fields{"field": nil, "message": message}
	if len(field) > 0 {
		f["field"] = texts(field)
	}
	return &object{typ: typ, fields: fields{result: nil, "userErrors": []any{&object{typ: "UserError", fields: f}}}}
}

// createFulfilment is fulfillmentCreate. All fulfilment orders must be of one
// order and one location; without lines everything left of one is sent. It has
// no idempotency key: sent again it makes another fulfilment, as long as units
// remain. A refusal changes nothing.
func (s *Server) createFulfilment(a arguments) (*object, error) {
	input, _ := a["fulfillment"].(map[string]any)
	if input["originAddress"] != nil {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in fulfils without originAddress")
	}
	wishes, problem, err := s.wishes(items(input["lineItemsByFulfillmentOrder"]))
	if err != nil {
		return nil, err
	}
	parcel, bad := readTracking(input["trackingInfo"])
	if problem == "" {
		problem = bad
	}
	if problem != "" {
		return told("FulfillmentCreatePayload", "fulfillment", problem, "fulfillment"), nil
	}
	o := wishes[0].from.order
	made := &fulfilment{id: s.later(), order: o, location: wishes[0].from.location, sequence: len(o.fulfilments) + 1, tracking: parcel,
		notified: input["notifyCustomer"] == true, created: s.now(), updated: s.now()}
	for _, w := range wishes {
		w.of.remaining -= w.quantity
		w.from.settle(s.now())
		made.lines = append(made.lines, fulfilmentLine{id: s.later(), of: w.of, from: w.from, quantity: w.quantity})
	}
	o.fulfilments, s.fulfilmentsByID[made.id] = append(o.fulfilments, made), made
	s.changed(o)
	touched := s.moveOut(made, 1)
	event := s.uuid()
	s.tellFulfilment("fulfillments/create", made, event)
	if o.fulfilled() == "FULFILLED" {
		s.tellOrder("orders/fulfilled", o, event)
	} else {
		s.tellOrder("orders/partially_fulfilled", o, event)
	}
	s.tellOrder("orders/updated", o, event)
	for _, l := range touched {
		s.levelChanged(l, event)
	}
	return &object{typ: "FulfillmentCreatePayload", fields: fields{"fulfillment": s.fulfilmentObject(made), "userErrors": []any{}}}, nil
}

// moveOut takes a fulfilment's goods out of committed, and so out of on_hand; a
// sign of -1 brings them back. It returns the levels that changed.
func (s *Server) moveOut(f *fulfilment, sign int) []*level {
	var touched []*level
	for _, part := range f.lines {
		if at := s.committedAt(part.of.line); at != nil {
			at.committed -= sign * part.quantity
			touched = append(touched, at)
		}
	}
	return unique(touched)
}

// wishes reads lineItemsByFulfillmentOrder and checks it as a whole.
func (s *Server) wishes(asked []any) (all []wish, problem string, err error) {
	taken := map[*fulfilLine]int{}
	for _, one := range asked {
		group, _ := one.(map[string]any)
		id, err := parseGID("FulfillmentOrder", group["fulfillmentOrderId"])
		if err != nil {
			return nil, "", err
		}
		f := s.fulfilOrdersByID[id]
		if f == nil {
			return nil, "Fulfillment order does not exist.", nil
		}
		part, problem, err := f.wishes(items(group["fulfillmentOrderLineItems"]))
		if err != nil || problem != "" {
			return nil, problem, err
		}
		for _, w := range part {
			if taken[w.of] += w.quantity; w.quantity < 1 || taken[w.of] > w.of.remaining {
				return nil, "Invalid fulfillment order line item quantity requested.", nil
			}
		}
		all = append(all, part...)
	}
	switch {
	case len(all) == 0:
		return nil, "Fulfillment must have at least one line item.", nil
	case slices.ContainsFunc(all, func(w wish) bool { return w.from.order != all[0].from.order }):
		return nil, "All fulfillment orders must belong to the same order.", nil
	case slices.ContainsFunc(all, func(w wish) bool { return w.from.location != all[0].from.location }):
		return nil, "All fulfillment orders must be assigned to the same location.", nil
	}
	return all, "", nil
}

func (f *fulfilOrder) wishes(lines []any) (all []wish, problem string, err error) {
	if !f.open() {
		return nil, fmt.Sprintf("Fulfillment order %d has an unfulfillable status= %s.", f.id, strings.ToLower(f.status)), nil
	}
	if len(lines) == 0 {
		for _, l := range f.lines {
			if l.remaining > 0 {
				all = append(all, wish{f, l, l.remaining})
			}
		}
		return all, "", nil
	}
	for _, one := range lines {
		line, _ := one.(map[string]any)
		id, err := parseGID("FulfillmentOrderLineItem", line["id"])
		if err != nil {
			return nil, "", err
		}
		at := slices.IndexFunc(f.lines, func(l *fulfilLine) bool { return l.id == id })
		if at < 0 {
			return nil, fmt.Sprintf("Fulfillment order line item %d does not belong to fulfillment order %d.", id, f.id), nil
		}
		quantity, _ := whole(line["quantity"])
		all = append(all, wish{f, f.lines[at], quantity})
	}
	return all, "", nil
}

// carriers are those whose parcels the stand-in knows the page of, given their
// company's exact name (schema 2026-07, FulfillmentTrackingInput; the page of UPS
// is that of the webhook sample fulfillments/create).
var carriers = map[string]string{
	"UPS":   "https://www.ups.com/WebTracking?loc=en_US&requester=ST&trackNums=",
	"FedEx": "https://www.fedex.com/fedextrack/?trknbr=",
	"USPS":  "https://tools.usps.com/go/TrackConfirmAction.action?tLabels=",
}

// readTracking reads number and url, or numbers and urls.
func readTracking(value any) (out []tracking, problem string) {
	input, _ := value.(map[string]any)
	numbers, urls := items(input["numbers"]), items(input["urls"])
	if (input["number"] != nil && numbers != nil) || (input["url"] != nil && urls != nil) {
		return nil, "Tracking takes one number or several, not both."
	}
	if input["number"] != nil {
		numbers = []any{input["number"]}
	}
	if input["url"] != nil {
		urls = []any{input["url"]}
	}
	company, _ := input["company"].(string)
	for i := range max(len(numbers), len(urls)) {
		t := tracking{company: company}
		if i < len(numbers) {
			t.number, _ = numbers[i].(string)
		}
		if i < len(urls) {
			t.url, _ = urls[i].(string)
		}
		if page := carriers[company]; t.url == "" && t.number != "" && page != "" {
			t.url = page + t.number
		}
		if t.url != "" && !strings.HasPrefix(t.url, "https://") && !strings.HasPrefix(t.url, "http://") {
			return nil, "Tracking url is not a valid URL."
		}
		out = append(out, t)
	}
	if out == nil && company != "" {
		out = []tracking{{company: company}}
	}
	return out, ""
}

// updateTracking is fulfillmentTrackingInfoUpdate: the parcels are those given now.
func (s *Server) updateTracking(a arguments) (*object, error) {
	const typ = "FulfillmentTrackingInfoUpdatePayload"
	f, err := s.fulfilmentOf(a["fulfillmentId"])
	if err != nil {
		return nil, err
	}
	parcel, problem := readTracking(a["trackingInfoInput"])
	switch {
	case f == nil:
		return told(typ, "fulfillment", "Fulfillment does not exist.", "fulfillmentId"), nil
	case f.cancelled:
		return told(typ, "fulfillment", "Fulfillment is cancelled.", "fulfillmentId"), nil
	case problem != "":
		return told(typ, "fulfillment", problem, "trackingInfoInput"), nil
	}
	f.tracking, f.updated = parcel, s.now()
	f.notified = f.notified || a["notifyCustomer"] == true
	s.changed(f.order)
	event := s.uuid()
	s.tellFulfilment("fulfillments/update", f, event)
	s.tellOrder("orders/updated", f.order, event)
	return &object{typ: typ, fields: fields{"fulfillment": s.fulfilmentObject(f), "userErrors": []any{}}}, nil
}

// cancelFulfilment is fulfillmentCancel: the goods are back at their location,
// in the fulfilment order they left or, when that is closed, in a new one.
func (s *Server) cancelFulfilment(a arguments) (*object, error) {
	const typ = "FulfillmentCancelPayload"
	f, err := s.fulfilmentOf(a["id"])
	if err != nil {
		return nil, err
	}
	switch {
	case f == nil:
		return told(typ, "fulfillment", "Fulfillment does not exist.", "id"), nil
	case f.cancelled:
		return told(typ, "fulfillment", "Fulfillment is already cancelled.", "id"), nil
	}
	f.cancelled, f.updated = true, s.now()
	for _, part := range f.lines {
		s.comeBack(f.order, part)
	}
	s.changed(f.order)
	touched := s.moveOut(f, -1)
	event := s.uuid()
	s.tellFulfilment("fulfillments/update", f, event)
	s.tellOrder("orders/updated", f.order, event)
	for _, l := range touched {
		s.levelChanged(l, event)
	}
	return &object{typ: typ, fields: fields{"fulfillment": s.fulfilmentObject(f), "userErrors": []any{}}}, nil
}

func (s *Server) comeBack(o *order, part fulfilmentLine) {
	if part.from.open() {
		part.of.remaining += part.quantity
		part.from.settle(s.now())
		return
	}
	part.of.total -= part.quantity
	s.route(o, part.of.line, part.quantity)
}

func (s *Server) fulfilmentOf(value any) (*fulfilment, error) {
	id, err := parseGID("Fulfillment", value)
	return s.fulfilmentsByID[id], err
}

func (s *Server) tellOrder(topic string, o *order, event string) {
	if s.heard(topic) {
		s.tell(topic, s.orderBody(o), o.gid(), event)
	}
}

func (s *Server) tellFulfilment(topic string, f *fulfilment, event string) {
	if s.heard(topic) {
		s.tell(topic, s.fulfilmentBody(f), f.gid(), event)
	}
}

// Ship is a person in the shop's admin who sends all that is left of an order,
// one fulfilment for each location; number is the parcels' tracking number, ""
// for none. It is an error when nothing is left.
func (s *Server) Ship(name, number string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.order(name)
	if err != nil {
		return err
	}
	var left []*fulfilOrder
	for _, f := range o.fulfilOrders {
		if f.open() {
			left = append(left, f)
		}
	}
	if len(left) == 0 {
		return fmt.Errorf("nothing of order %s is left to send", o.name())
	}
	for _, f := range left {
		input := map[string]any{"lineItemsByFulfillmentOrder": []any{map[string]any{"fulfillmentOrderId": f.gid()}}}
		if number != "" {
			input["trackingInfo"] = map[string]any{"number": number}
		}
		if _, err := s.createFulfilment(arguments{"fulfillment": input}); err != nil {
			return fmt.Errorf("order %s: %w", o.name(), err)
		}
	}
	return nil
}
