package shopify

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// idempotent remembers what mutations with a key did.
type idempotent struct{ kept map[string]kept }

// kept is a mutation that ran under a key.
type kept struct {
	what   string // the mutation and its arguments
	answer *object
	failed bool
	at     time.Time
}

// memory is how long keys are remembered (from a third party; Shopify's
// documentation gives no figure).
const memory = 24 * time.Hour

// mutations are the root fields of Mutation. Keys of @idempotent are handed out
// in the order the fields run.
func (s *Server) mutations(want []chosen, vars map[string]any) fields {
	keys := map[string][]string{}
	for _, f := range want {
		if d := f.Directives.ForName("idempotent"); d != nil {
			keys[f.Name] = append(keys[f.Name], fmt.Sprint(d.ArgumentMap(vars)["key"]))
		}
	}
	once := func(name, typ, userError string, do func(arguments) (*object, error)) resolve {
		return func(a arguments) (any, error) {
			key := keys[name][0]
			keys[name] = keys[name][1:]
			return s.once(key, name+string(marshal(a)), func(code, message string) *object {
				return failure(typ, userError, code, nil, message)
			}, func() (*object, error) { return do(a) })
		}
	}
	bare := func(do func(arguments) (*object, error)) resolve {
		return func(a arguments) (any, error) { return do(a) }
	}
	return fields{
		"fulfillmentCreate": bare(s.createFulfilment), "fulfillmentCancel": bare(s.cancelFulfilment),
		"fulfillmentTrackingInfoUpdate": bare(s.updateTracking),
		"bulkOperationRunQuery":         bare(s.runBulk), "bulkOperationCancel": bare(s.cancelBulk),
		"webhookSubscriptionCreate": bare(s.subscribe), "webhookSubscriptionUpdate": bare(s.resubscribe),
		"webhookSubscriptionDelete": bare(s.unsubscribe),
		"inventorySetQuantities":    once("inventorySetQuantities", "InventorySetQuantitiesPayload", "InventorySetQuantitiesUserError", s.setQuantities),
		"inventoryActivate":         once("inventoryActivate", "InventoryActivatePayload", "UserError", s.activate),
	}
}

// once runs a mutation under its key, or answers what it did before. A try that
// ended in user errors is a failed one: it needs a new key (schema 2026-07,
// IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED).
func (s *Server) once(key, what string, fail func(code, message string) *object, do func() (*object, error)) (any, error) {
	if s.running > 0 {
		s.running--
		return fail("IDEMPOTENCY_CONCURRENT_REQUEST", "A request with this idempotency key is still running."), nil
	}
	before, ok := s.kept[key]
	if ok && s.Clock().Sub(before.at) < memory {
		switch {
		case before.what != what:
			return fail("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "The same idempotency key cannot be used with different operation parameters."), nil
		case before.failed:
			return fail("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "A previous request with this idempotency key failed. Retry with a new idempotency key."), nil
		}
		return before.answer, nil
	}
	out, err := do()
	if err != nil {
		return nil, err
	}
	problems, _ := out.fields["userErrors"].([]any)
	s.kept[key] = kept{what: what, answer: out, failed: len(problems) > 0, at: s.Clock()}
	return out, nil
}

// failure is a result with one user error and nothing else.
func failure(typ, userError, code string, field []string, message string) *object {
	f := fields{"field": nil, "message": message}
	if field != nil {
		f["field"] = texts(field)
	}
	if userError != "UserError" {
		f["code"] = code
	}
	return &object{typ: typ, fields: fields{
		"inventoryAdjustmentGroup": nil, "inventoryLevel": nil, "userErrors": []any{&object{typ: userError, fields: f}}}}
}

// change is one line of inventorySetQuantities that may be carried out.
type change struct {
	level    *level
	quantity int
}

// problem is a user error of inventorySetQuantities.
type problem struct {
	code, message string
	field         []string
}

// setQuantities is inventorySetQuantities: all lines or none. changeFromQuantity
// must be present in every line (null switches the check off); it is checked
// before anything else, as a top-level error.
func (s *Server) setQuantities(a arguments) (*object, error) {
	input, _ := a["input"].(map[string]any)
	lines := items(input["quantities"])
	for i, value := range lines {
		line, _ := value.(map[string]any)
		if _, ok := line["changeFromQuantity"]; !ok {
			return nil, refused("INVALID_FIELD_ARGUMENTS",
				"input.quantities.%d: the changeFromQuantity argument is required, even if it is null", i)
		}
	}
	problems := setProblems(input)
	var changes []change
	seen := map[*level]bool{}
	for i, value := range lines {
		c, p := s.checkLine(fmt.Sprint(input["name"]), value.(map[string]any)) //nolint:errcheck // the schema has validated the list
		if p == nil && seen[c.level] {
			p = &problem{"NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "The combination of inventoryItemId and locationId must be unique.", []string{"locationId"}}
		}
		if p != nil {
			p.field = append([]string{"input", "quantities", strconv.Itoa(i)}, p.field...)
			problems = append(problems, *p)
			continue
		}
		seen[c.level] = true
		changes = append(changes, c)
	}
	if len(problems) > 0 {
		return refusedSet(problems), nil
	}
	group := s.apply(input, changes)
	return &object{typ: "InventorySetQuantitiesPayload", fields: fields{"inventoryAdjustmentGroup": group, "userErrors": []any{}}}, nil
}

func refusedSet(problems []problem) *object {
	var out []any
	for _, p := range problems {
		out = append(out, &object{typ: "InventorySetQuantitiesUserError", fields: fields{"code": p.code, "field": texts(p.field), "message": p.message}})
	}
	return &object{typ: "InventorySetQuantitiesPayload", fields: fields{"inventoryAdjustmentGroup": nil, "userErrors": out}}
}

// reasons are those of shopify.dev's page on inventory quantities.
var reasons = []string{"correction", "cycle_count_available", "damaged", "movement_created", "movement_updated", "movement_received",
	"movement_canceled", "other", "promotion", "quality_control", "received", "reservation_created", "reservation_deleted",
	"reservation_updated", "restock", "safety_stock", "shrinkage"}

var document = regexp.MustCompile(`^gid://[^/]+/[^/]+/[^/]+$`)

// setProblems checks what is said once for all lines.
func setProblems(input map[string]any) []problem {
	var out []problem
	if name := input["name"]; name != "available" && name != "on_hand" {
		out = append(out, problem{"INVALID_NAME", "The quantity name must be either 'available' or 'on_hand'.", []string{"input", "name"}})
	}
	if !slices.Contains(reasons, fmt.Sprint(input["reason"])) {
		out = append(out, problem{"INVALID_REASON", "The specified reason is invalid.", []string{"input", "reason"}})
	}
	if uri, ok := input["referenceDocumentUri"].(string); ok && !document.MatchString(uri) {
		out = append(out, problem{"INVALID_REFERENCE_DOCUMENT", "The specified reference document is invalid.", []string{"input", "referenceDocumentUri"}})
	}
	return out
}

// checkLine finds what one line is about and whether it may be set.
func (s *Server) checkLine(name string, line map[string]any) (change, *problem) {
	itemID, err := parseGID("InventoryItem", line["inventoryItemId"])
	item := s.item(itemID)
	if err != nil || item == nil {
		return change{}, &problem{"INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.", []string{"inventoryItemId"}}
	}
	placeID, err := parseGID("Location", line["locationId"])
	at := s.place(placeID)
	if err != nil || at == nil {
		return change{}, &problem{"INVALID_LOCATION", "The specified location could not be found.", []string{"locationId"}}
	}
	l := s.levels[levelKey{item.itemID, at.id}]
	if l == nil || l.inactive {
		return change{}, &problem{"ITEM_NOT_STOCKED_AT_LOCATION", "The specified inventory item is not stocked at the location.", []string{"locationId"}}
	}
	quantity, _ := whole(line["quantity"])
	switch {
	case quantity < 0:
		return change{}, &problem{"INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", []string{"quantity"}}
	case quantity > 1_000_000_000:
		return change{}, &problem{"INVALID_QUANTITY_TOO_HIGH", "The total quantity can't be higher than 1,000,000,000.", []string{"quantity"}}
	}
	has, _ := l.quantity(name)
	if from, ok := whole(line["changeFromQuantity"]); ok && from != has {
		return change{}, &problem{"CHANGE_FROM_QUANTITY_STALE", "The changeFromQuantity value does not match persisted value.", []string{"changeFromQuantity"}}
	}
	return change{l, quantity}, nil
}

// apply carries the changes out and returns their adjustment group, nil when
// nothing changed. Setting available moves on_hand by the same difference and
// the other way round, since on_hand contains available.
func (s *Server) apply(input map[string]any, changes []change) *object {
	var out []any
	event := s.uuid()
	for _, c := range changes {
		has, _ := c.level.quantity(fmt.Sprint(input["name"]))
		delta := c.quantity - has
		if delta == 0 {
			continue
		}
		c.level.available += delta
		s.levelChanged(c.level, event)
		for _, name := range []string{"available", "on_hand"} {
			after, _ := c.level.quantity(name)
			l := c.level
			out = append(out, &object{typ: "InventoryChange", fields: fields{"name": name, "delta": delta, "quantityAfterChange": after,
				"item":     lazy(func() any { return s.itemObject(l.product) }),
				"location": lazy(func() any { return s.locationObject(l.location) })}})
		}
	}
	if out == nil {
		return nil
	}
	return &object{typ: "InventoryAdjustmentGroup", fields: fields{"id": gid("InventoryAdjustmentGroup", s.id()), "createdAt": utc(s.now()),
		"reason": input["reason"], "referenceDocumentUri": input["referenceDocumentUri"],
		"changes": resolve(func(a arguments) (any, error) { return chosenChanges(out, a) })}}
}

// chosenChanges narrows changes to the quantity names asked for.
func chosenChanges(all []any, a arguments) (any, error) {
	if a["inventoryItemIds"] != nil || a["locationIds"] != nil {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in narrows changes by quantityNames only")
	}
	names := items(a["quantityNames"])
	if len(names) == 0 {
		return all, nil
	}
	out := []any{}
	for _, c := range all {
		if o, ok := c.(*object); ok && slices.Contains(names, o.fields["name"]) {
			out = append(out, c)
		}
	}
	return out, nil
}

// activate is inventoryActivate: it stocks an item at a location, once more when
// it was deactivated. An active level stays as it is.
func (s *Server) activate(a arguments) (*object, error) {
	fail := func(field, message string) (*object, error) {
		return failure("InventoryActivatePayload", "UserError", "", []string{field}, message), nil
	}
	itemID, err := parseGID("InventoryItem", a["inventoryItemId"])
	if err != nil {
		return nil, err
	}
	placeID, err := parseGID("Location", a["locationId"])
	if err != nil {
		return nil, err
	}
	item, at := s.item(itemID), s.place(placeID)
	switch {
	case item == nil:
		return fail("inventoryItemId", "The inventory item couldn't be found.")
	case at == nil:
		return fail("locationId", "The location couldn't be found.")
	}
	available, set := whole(a["available"])
	if _, ok := whole(a["onHand"]); ok {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not activate with onHand")
	}
	l := s.levels[levelKey{item.itemID, at.id}]
	switch {
	case l != nil && !l.inactive && set:
		return fail("available", "Not allowed to set available quantity when the item is already active at the location.")
	case l == nil:
		l = s.stock(item, at)
	}
	l.inactive = false
	if set {
		l.available = available
	}
	return &object{typ: "InventoryActivatePayload", fields: fields{"inventoryLevel": s.levelObject(l), "userErrors": []any{}}}, nil
}
