package shopify

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestABadTokenIsRefused(t *testing.T) {
	s := open(t, nil)
	for _, token := range []string{"", "shpat_other"} {
		w, out := s.post(map[string]any{"query": "{ shop { id } }"}, map[string]string{"X-Shopify-Access-Token": token})
		text, _ := out["errors"].(string)
		if w.Code != 401 || !strings.HasPrefix(text, "[API] Invalid API key or access token") {
			t.Errorf("token %q: %d %s", token, w.Code, w.Body)
		}
	}
	if s.Calls()["unauthorized"] != 2 {
		t.Errorf("calls are %v", s.Calls())
	}
	if w, _ := open(t, func(c *Config) { c.Token = "" }).post(map[string]any{"query": "{ shop { id } }"},
		map[string]string{"X-Shopify-Access-Token": ""}); w.Code != 401 {
		t.Errorf("a shop without a token let an empty one in: %d", w.Code)
	}
}

func TestOtherPathsMethodsAndTypesAreRefused(t *testing.T) {
	s := open(t, nil)
	for _, c := range []struct {
		method, path, typ string
		code              int
	}{
		{"GET", "/admin/api/2026-07/graphql.json", "application/json", 404},
		{"POST", "/admin/api/2026-07/orders.json", "application/json", 404},
		{"POST", "/", "application/json", 404},
		{"POST", "/admin/api/2026-07/graphql.json", "text/plain", 415},
		{"POST", "/admin/api/2026-07/graphql.json", "application/json", 400},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader("{"))
		r.Header.Set("Content-Type", c.typ)
		r.Header.Set("X-Shopify-Access-Token", "shpat_test")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.code {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.typ, w.Code, c.code)
		}
	}
}

func TestAnotherVersionIsServedAndSaysSo(t *testing.T) {
	s := open(t, nil)
	r := httptest.NewRequest("POST", "/admin/api/2025-01/graphql.json", strings.NewReader(`{"query":"{ shop { id } }"}`))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-Shopify-Access-Token", "shpat_test")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("X-Shopify-API-Version") != "2026-07" {
		t.Errorf("%d, version %q", w.Code, w.Header().Get("X-Shopify-API-Version"))
	}
}

func TestAQueryShopifyWouldRefuseIsRefused(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	long := func(n int) []any {
		ids := make([]any, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("gid://shopify/InventoryItem/%d", i)
		}
		return ids
	}
	for _, c := range []struct {
		name, query string
		vars        map[string]any
		code, part  string
	}{
		{"syntax", "{ shop { id }", nil, "", "Expected"},
		{"unknown field", "{ shop { ident } }", nil, "undefinedField", "ident"},
		{"unknown argument", `{ order(ident: "x") { id } }`, nil, "argumentNotAccepted", "ident"},
		{"missing argument", "{ order { id } }", nil, "missingRequiredArguments", "id"},
		{"no selection", `{ shop }`, nil, "selectionMismatch", "shop"},
		{"unknown directive", `{ shop { id @idem(key: "x") } }`, nil, "undefinedDirective", "idem"},
		{"unused variable", `query($x: ID) { shop { id } }`, nil, "variableNotUsed", "x"},
		{"missing variable", `query($x: ID!) { order(id: $x) { id } }`, nil, "INVALID_VARIABLE", "must be defined"},
		{"variable of another type", `query($n: Int) { orders(first: $n) { nodes { id } } }`, map[string]any{"n": "3"}, "INVALID_VARIABLE", "text is no number"},
		{"bad gid", `{ order(id: "1001") { id } }`, nil, "INVALID_VARIABLE", "Invalid global id '1001'"},
		{"gid of another kind", `{ order(id: "gid://shopify/Product/1") { id } }`, nil, "RESOURCE_NOT_FOUND", "gid://shopify/Product/1"},
		{"no page size", `{ orders { nodes { id } } }`, nil, "BAD_REQUEST", "first or last"},
		{"both page sizes", `{ orders(first: 1, last: 1) { nodes { id } } }`, nil, "BAD_REQUEST", "both"},
		{"page of 251", `{ orders(first: 251) { nodes { id } } }`, nil, "BAD_REQUEST", "250"},
		{"page of 0", `{ orders(first: 0) { nodes { id } } }`, nil, "BAD_REQUEST", "250"},
		{"bad cursor", `{ orders(first: 1, after: "eA==") { nodes { id } } }`, nil, "INVALID_CURSOR", "eA=="},
		{"251 ids", `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": long(251)}, "MAX_INPUT_SIZE_EXCEEDED", "251"},
		{"too dear", `{ orders(first: 250) { nodes { id customer { id } app { id } billingAddress { zip } shippingAddress { zip } } } }`, nil, "MAX_COST_EXCEEDED", "exceeds"},
		{"unknown quantity name", `{ inventoryItem(id: "` + gid("InventoryItem", s.product("TEA").itemID) + `") { inventoryLevels(first: 1) { nodes { quantities(names: ["free"]) { name } } } } }`,
			nil, "INVALID_FIELD_ARGUMENTS", "free"},
		{"a mutation the stand-in lacks", `mutation { orderClose(input: {id: "gid://shopify/Order/1"}) { order { id } } }`, nil, "NOT_IN_STAND_IN", "Mutation.orderClose"},
		{"a field the stand-in lacks", `{ order(id: "gid://shopify/Order/1") { returns(first: 1) { nodes { id } } } }`, nil, "NOT_IN_STAND_IN", "Order.returns"},
		{"a lacking field of nothing", `{ order(id: "gid://shopify/Order/99") { refunds { staffMember { id } } } }`, nil, "NOT_IN_STAND_IN", "Refund.staffMember"},
		{"a lacking field in a fragment", `{ shop { ...F } } fragment F on Shop { shopOwnerName }`, nil, "NOT_IN_STAND_IN", "Shop.shopOwnerName"},
		{"introspection", `{ __schema { types { name } } }`, nil, "NOT_IN_STAND_IN", "__schema"},
		{"an unknown sort", `{ orders(first: 1, sortKey: TOTAL_PRICE) { nodes { id } } }`, nil, "NOT_IN_STAND_IN", "TOTAL_PRICE"},
		{"idempotency on another mutation", `mutation { inventoryActivate(inventoryItemId: "gid://shopify/InventoryItem/1", locationId: "gid://shopify/Location/1") { userErrors { message } } }`,
			nil, "BAD_REQUEST", "@idempotent"},
	} {
		w, out := s.post(map[string]any{"query": c.query, "variables": c.vars}, nil)
		if w.Code != 200 {
			t.Errorf("%s: HTTP %d %s", c.name, w.Code, w.Body)
			continue
		}
		if code, message := errorCode(t, out); code != c.code || !strings.Contains(message, c.part) {
			t.Errorf("%s: %s %q, want %s with %q", c.name, code, message, c.code, c.part)
		}
		if out["data"] != nil {
			t.Errorf("%s: refused and still answered %v", c.name, out["data"])
		}
	}
}

func TestOperationNameChoosesTheOperation(t *testing.T) {
	s := open(t, nil)
	both := operation(t, "HubLocations")
	_, out := s.post(map[string]any{"query": both, "operationName": "HubVersions"}, nil)
	same(t, out, "2026-07", "data", "publicApiVersions", 2, "handle")
	same(t, out, "America/Los_Angeles", "data", "shop", "ianaTimezone")
	_, out = s.post(map[string]any{"query": both, "operationName": "HubLocations"}, nil)
	same(t, out, "East", "data", "locations", "nodes", 0, "name")
	_, out = s.post(map[string]any{"query": both}, nil)
	if _, message := errorCode(t, out); !strings.Contains(message, "operation") {
		t.Errorf("two operations and no name: %s", message)
	}
	_, out = s.post(map[string]any{"query": both, "operationName": "Hub"}, nil)
	if _, message := errorCode(t, out); !strings.Contains(message, "Hub") {
		t.Errorf("an unknown operation: %s", message)
	}
}

func TestTheBucketEmptiesAndFillsAgain(t *testing.T) {
	s := open(t, nil)
	id := s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	dear := map[string]any{"query": `query($id: ID!) { order(id: $id) { lineItems(first: 250) { nodes { product { id } variant { id } } } } }`,
		"variables": map[string]any{"id": id}}
	charge := func() (throttled bool, available string) {
		_, out := s.post(dear, nil)
		status := at(t, out, "extensions", "cost", "throttleStatus")
		if out["errors"] != nil {
			if code, _ := errorCode(t, out); code != "THROTTLED" {
				t.Fatalf("refused with %s", code)
			}
			same(t, out, nil, "extensions", "cost", "actualQueryCost")
			return true, fmt.Sprint(at(t, status, "currentlyAvailable"))
		}
		return false, fmt.Sprint(at(t, status, "currentlyAvailable"))
	}
	// The query asks 751 and spends 4, so only the difference between them binds.
	if throttled, available := charge(); throttled || available != "1996" {
		t.Errorf("the first query: throttled %v, %s left", throttled, available)
	}
	s.bucket.level = 700
	if throttled, available := charge(); !throttled || available != "700" {
		t.Errorf("a query above what is left: throttled %v, %s left", throttled, available)
	}
	s.now = s.now.Add(time.Second)
	if throttled, available := charge(); throttled || available != "796" {
		t.Errorf("a second later: throttled %v, %s left", throttled, available)
	}
	s.now = s.now.Add(time.Hour)
	if _, available := charge(); available != "1996" {
		t.Errorf("an hour later %s are left", available)
	}
	if s.Calls()["throttled"] != 1 || s.Calls()["order"] != 3 {
		t.Errorf("calls are %v", s.Calls())
	}
}

func TestEveryListedFieldIsInTheSchema(t *testing.T) {
	for typ, has := range resolved {
		def := schema().Types[typ]
		if def == nil {
			t.Errorf("the schema has no type %s", typ)
			continue
		}
		for _, field := range strings.Fields(has) {
			if def.Fields.ForName(field) == nil {
				t.Errorf("the schema has no field %s.%s", typ, field)
			}
		}
	}
}

func TestEveryListedFieldIsAnswered(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1, Discount: "1"}}, Shipping: Shipping{Price: "1"}, Discount: Discount{Code: "X", Percent: "10"}})
	s.must(s.Cancel("1", true))
	o := s.byNumber[1]
	for _, one := range []*object{
		s.orderObject(o), s.lineObject(o, o.lines[0]), s.customerObject(o.customer), s.mailingAddress(o, o.billing), s.application(o, 0),
		s.application(o, 1), s.shippingObject(o.carriage[0]), s.transactionObject(o, o.transactions[0]), s.refundObject(o.refunds[0]),
		s.fulfilOrderObject(o.fulfilOrders[0]), s.fulfilLineObject(o, o.fulfilOrders[0].lines[0]), s.installation(),
		s.fulfilmentObject(&fulfilment{order: o, location: s.locations[0]}), s.bulkObject(&bulk{}), s.subscriptionObject(&subscription{topic: "ORDERS_CREATE"}),
		s.itemObject(s.products[0]), s.variantObject(s.products[0]), s.productObject(s.products[0]), s.locationObject(s.locations[0]),
		s.shopObject(), s.levelObject(s.levels[levelKey{s.products[0].itemID, s.locations[0].id}]),
		s.taxObjects(s.taxes(o, false))[0].(*object), s.bag(o.original), s.moneyV2(o.original), {typ: "QueryRoot", fields: s.queries()},
		{typ: "Mutation", fields: s.mutations(nil, nil)}, apiVersion("x", true),
	} {
		want := strings.Fields(resolved[one.typ])
		for _, field := range want {
			if _, ok := one.fields[field]; !ok {
				t.Errorf("%s.%s is listed and not answered", one.typ, field)
			}
		}
		if len(one.fields) != len(want) {
			t.Errorf("%s has %d fields, %d are listed", one.typ, len(one.fields), len(want))
		}
	}
}
