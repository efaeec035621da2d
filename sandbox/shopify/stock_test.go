package shopify

import (
	"fmt"
	"testing"
)

// manyItems is a shop with 250 items, stocked at E and W, none of which is TEA or CUP.
func manyItems(t *testing.T) *wire {
	t.Helper()
	w := serve(t, none)
	for n := range 250 {
		sku := fmt.Sprintf("X%03d", n)
		w.must(w.AddProduct(Product{SKU: sku, Price: "1"}))
		w.must(w.SetAvailable(sku, "E", n))
		w.must(w.SetAvailable(sku, "W", 1000+n))
	}
	return w
}

// Up to 250 levels are looked at in one read and set in one write, on exactly the
// quantities that were seen.
func TestStockIsReadAndSetIn250s(t *testing.T) {
	w := manyItems(t)
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "X007", Quantity: 3, Location: "E"}}})
	var ids []any
	for _, p := range w.products[2:] {
		ids = append(ids, gid("InventoryItem", p.itemID))
	}
	east := gid("Location", w.locations[0].id)
	look := func() []any {
		t.Helper()
		return at(t, w.do(`query($ids: [ID!]!, $at: ID!) { nodes(ids: $ids) { id ... on InventoryItem { sku tracked inventoryLevel(locationId: $at) {
			id quantities(names: ["available", "committed", "on_hand"]) { name quantity } } } } }`, "", map[string]any{"ids": ids, "at": east}), "nodes").([]any)
	}
	seen := look()
	w.now = w.now.Add(60e9)
	if len(seen) != 250 {
		t.Fatalf("%d nodes", len(seen))
	}
	for i, want := range []int{4, 3, 7} { // available, committed, on_hand of X007 with three sold
		same(t, seen[7], want, "inventoryLevel", "quantities", i, "quantity")
	}
	var lines []map[string]any
	for _, one := range seen {
		lines = append(lines, map[string]any{"inventoryItemId": at(t, one, "id"), "locationId": east, "quantity": 500,
			"changeFromQuantity": at(t, one, "inventoryLevel", "quantities", 0, "quantity")})
	}
	w.buy(Buy{Order: "2", Lines: []Line{{SKU: "X100", Quantity: 1, Location: "E"}, {SKU: "X200", Quantity: 1, Location: "E"}}})
	set := func(key string, lines []map[string]any) map[string]any {
		t.Helper()
		w.now = w.now.Add(60e9)
		return w.try(operation(t, "HubInventorySet"), "HubInventorySet", map[string]any{"key": key, "input": input(lines...)})
	}
	out := set("k1", lines)
	var stale []string
	for _, e := range at(t, out, "data", "inventorySetQuantities", "userErrors").([]any) {
		stale = append(stale, fmt.Sprint(at(t, e, "code"), at(t, e, "field")))
	}
	if fmt.Sprint(stale) != "[CHANGE_FROM_QUANTITY_STALE[input quantities 100 changeFromQuantity] CHANGE_FROM_QUANTITY_STALE[input quantities 200 changeFromQuantity]]" {
		t.Errorf("stale are %v", stale)
	}
	if w.level("X000@E") != "0/0/0" {
		t.Errorf("a set with stale rows was carried out: %s", w.level("X000@E"))
	}
	lines[100]["changeFromQuantity"], lines[200]["changeFromQuantity"] = 99, 199
	same(t, set("k2", lines), []any{}, "data", "inventorySetQuantities", "userErrors")
	if got := w.level("X007@E") + " " + w.level("X100@E") + " " + w.level("X249@E") + " " + w.level("X007@W"); got != "500/3/503 500/1/501 500/0/500 1007/0/1007" {
		t.Errorf("the levels are %s", got)
	}
	out = set("k3", append(lines, lines[0]))
	if code, _ := errorCode(t, out); code != "MAX_INPUT_SIZE_EXCEEDED" {
		t.Errorf("251 lines: %v", out)
	}
}

// What was looked at before goods left is stale for the quantity that moved only:
// a fulfilment lowers on_hand and committed and leaves available.
func TestAFulfilmentLeavesAvailableAndMovesOnHand(t *testing.T) {
	w := twoPlaces(t)
	if w.level("TEA@E") != "0/3/3" {
		t.Fatalf("TEA@E is %s", w.level("TEA@E"))
	}
	if problem, _ := w.ship(nil, w.part(0, 2)); problem != "" {
		t.Fatal(problem)
	}
	in := input(w.line("TEA", "E", 5, 3))
	in["name"] = "on_hand"
	same(t, w.set("k1", in), "CHANGE_FROM_QUANTITY_STALE", "data", "inventorySetQuantities", "userErrors", 0, "code")
	same(t, w.set("k2", input(w.line("TEA", "E", 5, 0))), []any{}, "data", "inventorySetQuantities", "userErrors")
	if w.level("TEA@E") != "5/1/6" {
		t.Errorf("TEA@E is %s", w.level("TEA@E"))
	}
}
