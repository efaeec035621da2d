package shopify

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// set runs the hub's HubInventorySet.
func (s *shop) set(key string, input map[string]any) map[string]any {
	s.t.Helper()
	_, out := s.post(map[string]any{"query": operation(s.t, "HubInventorySet"), "operationName": "HubInventorySet",
		"variables": map[string]any{"key": key, "input": input}}, nil)
	return out
}

func (s *shop) line(sku, code string, quantity, from any) map[string]any {
	s.t.Helper()
	at, err := s.location(code)
	s.must(err)
	return map[string]any{"inventoryItemId": gid("InventoryItem", s.product(sku).itemID), "locationId": gid("Location", at.id),
		"quantity": quantity, "changeFromQuantity": from}
}

func input(lines ...map[string]any) map[string]any {
	return map[string]any{"name": "available", "reason": "correction", "referenceDocumentUri": "gid://hub/Want/7", "quantities": lines}
}

func (s *shop) level(key string) string {
	s.t.Helper()
	rows, err := s.Match("inventory", map[string]string{"key": key})
	s.must(err)
	if len(rows) != 1 {
		s.t.Fatalf("%d rows for %s", len(rows), key)
	}
	return fmt.Sprintf("%v/%v/%v", rows[0]["available"], rows[0]["committed"], rows[0]["on_hand"])
}

func TestASetThatSawTheQuantityIsCarriedOut(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 2}}})
	s.drain(200)
	out := s.set("k1", input(s.line("TEA", "E", 13, 1), s.line("CUP", "W", 4, nil)))
	group := at(t, out, "data", "inventorySetQuantities", "inventoryAdjustmentGroup")
	same(t, group, "correction", "reason")
	same(t, group, "gid://hub/Want/7", "referenceDocumentUri")
	same(t, group, "available", "changes", 0, "name")
	same(t, group, 12, "changes", 0, "delta")
	same(t, group, 13, "changes", 0, "quantityAfterChange")
	same(t, group, 15, "changes", 1, "quantityAfterChange")
	if n := len(at(t, group, "changes").([]any)); n != 2 {
		t.Errorf("%d changes; CUP@W did not change", n)
	}
	if s.level("TEA@E") != "13/2/15" {
		t.Errorf("TEA@E is %s", s.level("TEA@E"))
	}
	due := s.drain(200)
	if len(due) != 1 || due[0].Topic != "inventory_levels/update" {
		t.Fatalf("the shop told of %d things", len(due))
	}
	same(t, decoded(t, due[0]), 13, "available")
}

func TestOnHandMovesAvailableByTheSame(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 2}}})
	in := input(s.line("TEA", "E", 10, 3))
	in["name"] = "on_hand"
	same(t, s.set("k", in), []any{}, "data", "inventorySetQuantities", "userErrors")
	if s.level("TEA@E") != "8/2/10" {
		t.Errorf("TEA@E is %s", s.level("TEA@E"))
	}
}

func TestNoChangeIsNoError(t *testing.T) {
	s := open(t, nil)
	out := s.set("k", input(s.line("TEA", "E", 3, 3)))
	same(t, out, nil, "data", "inventorySetQuantities", "inventoryAdjustmentGroup")
	same(t, out, []any{}, "data", "inventorySetQuantities", "userErrors")
}

func TestASetThatMustNotBeIsRefusedWhole(t *testing.T) {
	for _, c := range []struct {
		code, field string
		change      func(s *shop, in map[string]any, second map[string]any)
	}{
		{"CHANGE_FROM_QUANTITY_STALE", "input quantities 1 changeFromQuantity", func(_ *shop, _, l map[string]any) { l["changeFromQuantity"] = 9 }},
		{"INVALID_QUANTITY_NEGATIVE", "input quantities 1 quantity", func(_ *shop, _, l map[string]any) { l["quantity"] = -1 }},
		{"INVALID_QUANTITY_TOO_HIGH", "input quantities 1 quantity", func(_ *shop, _, l map[string]any) { l["quantity"] = 1_000_000_001 }},
		{"INVALID_INVENTORY_ITEM", "input quantities 1 inventoryItemId", func(_ *shop, _, l map[string]any) { l["inventoryItemId"] = "gid://shopify/InventoryItem/1" }},
		{"INVALID_LOCATION", "input quantities 1 locationId", func(_ *shop, _, l map[string]any) { l["locationId"] = "gid://shopify/Location/1" }},
		{"ITEM_NOT_STOCKED_AT_LOCATION", "input quantities 1 locationId", func(s *shop, _, l map[string]any) {
			l["inventoryItemId"] = gid("InventoryItem", s.product("TEA").itemID)
		}},
		{"NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "input quantities 1 locationId", func(s *shop, in, _ map[string]any) {
			in["quantities"] = []map[string]any{s.line("TEA", "E", 5, 3), s.line("TEA", "E", 6, 3)}
		}},
		{"INVALID_NAME", "input name", func(_ *shop, in, _ map[string]any) { in["name"] = "committed" }},
		{"INVALID_REASON", "input reason", func(_ *shop, in, _ map[string]any) { in["reason"] = "because" }},
		{"INVALID_REFERENCE_DOCUMENT", "input referenceDocumentUri", func(_ *shop, in, _ map[string]any) { in["referenceDocumentUri"] = "want 7" }},
	} {
		s := open(t, nil)
		second := s.line("CUP", "W", 1, 4)
		in := input(s.line("TEA", "E", 5, 3), second)
		c.change(s, in, second)
		out := s.set("k", in)
		result := at(t, out, "data", "inventorySetQuantities")
		same(t, result, nil, "inventoryAdjustmentGroup")
		var found bool
		for _, e := range at(t, result, "userErrors").([]any) {
			var path []string
			for _, p := range at(t, e, "field").([]any) {
				path = append(path, p.(string))
			}
			found = found || (at(t, e, "code") == c.code && strings.Join(path, " ") == c.field)
		}
		if !found {
			t.Errorf("%s: refused with %v", c.code, at(t, result, "userErrors"))
		}
		if s.level("TEA@E") != "3/0/3" || s.level("CUP@W") != "4/0/4" {
			t.Errorf("%s: a line was applied: %s %s", c.code, s.level("TEA@E"), s.level("CUP@W"))
		}
		if len(s.Deliveries(s.now)) != 0 {
			t.Errorf("%s: the shop told of a change", c.code)
		}
	}
}

func TestASetWithoutWhatIsRequiredIsATopLevelError(t *testing.T) {
	s := open(t, nil)
	absent := s.line("TEA", "E", 5, 3)
	delete(absent, "changeFromQuantity")
	in := input(absent)
	in["reason"] = "because" // checked later than what is missing
	if code, message := errorCode(t, s.set("k", in)); code != "INVALID_FIELD_ARGUMENTS" || !strings.Contains(message, "changeFromQuantity") {
		t.Errorf("without changeFromQuantity: %s %s", code, message)
	}
	plain := strings.Replace(operation(t, "HubInventorySet"), "@idempotent(key: $key)", "", 1)
	plain = strings.Replace(plain, ", $key: String!", "", 1)
	_, out := s.post(map[string]any{"query": plain, "operationName": "HubInventorySet", "variables": map[string]any{"input": input(s.line("TEA", "E", 5, 3))}}, nil)
	if code, message := errorCode(t, out); code != "BAD_REQUEST" || !strings.Contains(message, "@idempotent") {
		t.Errorf("without a key: %s %s", code, message)
	}
	if code, _ := errorCode(t, s.set("  ", input(s.line("TEA", "E", 5, 3)))); code != "BAD_REQUEST" {
		t.Errorf("with a blank key: %s", code)
	}
	old := s.line("TEA", "E", 5, 3)
	old["compareQuantity"] = 3
	if code, _ := errorCode(t, s.set("k", input(old))); code != "INVALID_VARIABLE" {
		t.Errorf("with the compareQuantity of old: %s", code)
	}
	many := make([]map[string]any, 251)
	for i := range many {
		many[i] = s.line("TEA", "E", 5, 3)
	}
	if code, _ := errorCode(t, s.set("k", input(many...))); code != "MAX_INPUT_SIZE_EXCEEDED" {
		t.Errorf("with 251 lines: %s", code)
	}
	text := s.line("TEA", "E", "5", 3)
	if code, _ := errorCode(t, s.set("k", input(text))); code != "INVALID_VARIABLE" {
		t.Errorf("with a quantity in quotes: %s", code)
	}
	if s.level("TEA@E") != "3/0/3" {
		t.Errorf("TEA@E is %s", s.level("TEA@E"))
	}
}

func TestAKeyHasOneEffect(t *testing.T) {
	s := open(t, nil)
	in := input(s.line("TEA", "E", 7, 3))
	first := fmt.Sprint(s.set("k", in)["data"])
	s.must(s.SetAvailable("TEA", "E", 1)) // a person, in between
	if again := fmt.Sprint(s.set("k", in)["data"]); again != first {
		t.Errorf("the same key answered\n%s\nthen\n%s", first, again)
	}
	if s.level("TEA@E") != "1/0/1" {
		t.Errorf("the second call had an effect: %s", s.level("TEA@E"))
	}
	code := func(key string, in map[string]any) any {
		return at(t, s.set(key, in), "data", "inventorySetQuantities", "userErrors", 0, "code")
	}
	if c := code("k", input(s.line("TEA", "E", 8, 1))); c != "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" {
		t.Errorf("the key with other lines: %v", c)
	}
	if c := code("k2", input(s.line("TEA", "E", 8, 3))); c != "CHANGE_FROM_QUANTITY_STALE" {
		t.Errorf("a stale set: %v", c)
	}
	if c := code("k2", input(s.line("TEA", "E", 8, 3))); c != "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" {
		t.Errorf("a failed key again: %v", c)
	}
	s.now = s.now.Add(25 * time.Hour)
	if c := code("k", in); c != "CHANGE_FROM_QUANTITY_STALE" {
		t.Errorf("a forgotten key: %v", c)
	}
}

func TestActivateStocksAnItem(t *testing.T) {
	s := open(t, nil)
	query := `mutation($item: ID!, $location: ID!, $n: Int, $key: String!) { inventoryActivate(inventoryItemId: $item, locationId: $location, available: $n) @idempotent(key: $key) {
		inventoryLevel { id isActive } userErrors { field message } } }`
	l := s.line("TEA", "W", 0, nil)
	vars := map[string]any{"item": l["inventoryItemId"], "location": l["locationId"], "key": "a"}
	same(t, s.ask(query, vars), true, "inventoryActivate", "inventoryLevel", "isActive")
	if s.level("TEA@W") != "0/0/0" {
		t.Errorf("TEA@W is %s", s.level("TEA@W"))
	}
	same(t, s.set("k", input(s.line("TEA", "W", 6, 0))), []any{}, "data", "inventorySetQuantities", "userErrors")
	vars["key"], vars["n"] = "b", 3
	if errs := at(t, s.ask(query, vars), "inventoryActivate", "userErrors").([]any); len(errs) != 1 {
		t.Errorf("activating an active level with a quantity: %v", errs)
	}
}

func TestInventoryIsReadByItemAndLocation(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 2}}})
	l := s.line("TEA", "E", 0, nil)
	read := func(name string, vars map[string]any) map[string]any {
		_, out := s.post(map[string]any{"query": operation(t, "HubInventoryRead"), "operationName": name, "variables": vars}, nil)
		return out
	}
	got := read("HubInventoryRead", map[string]any{"ids": []any{l["inventoryItemId"], gid("InventoryItem", s.product("CUP").itemID)}, "locationId": l["locationId"]})
	same(t, got, "TEA", "data", "nodes", 0, "sku")
	same(t, got, true, "data", "nodes", 0, "tracked")
	for i, want := range []int{1, 2, 3, 0, 0} {
		same(t, got, want, "data", "nodes", 0, "inventoryLevel", "quantities", i, "quantity")
	}
	same(t, got, "CUP", "data", "nodes", 1, "sku")
	all := read("HubInventoryByLocation", map[string]any{"locationId": l["locationId"], "after": nil})
	same(t, all, "CUP", "data", "location", "inventoryLevels", "nodes", 1, "item", "sku")
	ids := make([]any, 250)
	for i := range ids {
		ids[i] = l["inventoryItemId"]
	}
	if full := read("HubInventoryRead", map[string]any{"ids": ids, "locationId": l["locationId"]}); full["errors"] != nil {
		t.Errorf("250 ids were refused: %v", full["errors"])
	}
}
