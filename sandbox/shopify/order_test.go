package shopify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAnOrderReadsWholeThroughTheHubsQuery(t *testing.T) {
	s := open(t, nil)
	id := s.buy(Buy{Order: "1002", Lines: []Line{{SKU: "TEA", Quantity: 2}}, Shipping: Shipping{Price: "4.50"}, PO: "PO-7", Tags: []string{"a", "b"}})
	if id != "gid://shopify/Order/1002" {
		t.Errorf("the gid is %s", id)
	}
	w, out := s.post(map[string]any{"query": operation(t, "HubOrderRead"), "variables": map[string]any{"id": id}}, nil)
	if w.Header().Get("X-Shopify-API-Version") != "2026-07" || w.Header().Get("X-Request-Id") == "" {
		t.Errorf("headers are %v", w.Header())
	}
	order := at(t, out, "data", "order")
	for _, c := range []struct {
		want any
		path []any
	}{
		{"#1002", []any{"name"}},
		{"1002", []any{"legacyResourceId"}},
		{"2026-11-02T18:00:00Z", []any{"createdAt"}},
		{nil, []any{"cancelledAt"}},
		{"PAID", []any{"displayFinancialStatus"}},
		{"UNFULFILLED", []any{"displayFulfillmentStatus"}},
		{"PO-7", []any{"poNumber"}},
		{[]string{"a", "b"}, []any{"tags"}},
		{"ada@example.org", []any{"customer", "defaultEmailAddress", "emailAddress"}},
		{"Customer", []any{"purchasingEntity", "__typename"}},
		{"US", []any{"shippingAddress", "countryCodeV2"}},
		{"26.1", []any{"currentTotalPriceSet", "shopMoney", "amount"}},
		{"USD", []any{"currentTotalPriceSet", "presentmentMoney", "currencyCode"}},
		{"1.6", []any{"currentTotalTaxSet", "shopMoney", "amount"}},
		{"4.5", []any{"currentShippingPriceSet", "shopMoney", "amount"}},
		{"0.0", []any{"totalOutstandingSet", "shopMoney", "amount"}},
		{"TEA", []any{"lineItems", "nodes", 0, "sku"}},
		{2, []any{"lineItems", "nodes", 0, "quantity"}},
		{"10.0", []any{"lineItems", "nodes", 0, "originalUnitPriceSet", "shopMoney", "amount"}},
		{"1.6", []any{"lineItems", "nodes", 0, "taxLines", 0, "priceSet", "shopMoney", "amount"}},
		{json.Number("0.08"), []any{"lineItems", "nodes", 0, "taxLines", 0, "rate"}},
		{json.Number("8"), []any{"currentTaxLines", 0, "ratePercentage"}},
		{false, []any{"lineItems", "pageInfo", "hasNextPage"}},
		{"Standard", []any{"shippingLines", "nodes", 0, "title"}},
		{"SALE", []any{"transactions", 0, "kind"}},
		{[]any{}, []any{"refunds"}},
		{nil, []any{"paymentTerms"}},
	} {
		same(t, order, c.want, c.path...)
	}
	cost := at(t, out, "extensions", "cost")
	asked, spent := at(t, cost, "requestedQueryCost").(json.Number), at(t, cost, "actualQueryCost").(json.Number)
	a, _ := asked.Int64()
	b, _ := spent.Int64()
	if a < 500 || a > 1000 || b < 50 || b > a {
		t.Errorf("the read asked %s and cost %s", asked, spent)
	}
	same(t, cost, 2000-b, "throttleStatus", "currentlyAvailable")
}

func TestAnswersKeepTheOrderOfTheQuery(t *testing.T) {
	s := open(t, nil)
	w, _ := s.post(map[string]any{"query": `{ shop { taxesIncluded b: name name __typename } publicApiVersions { handle supported } }`}, nil)
	want := `{"data":{"shop":{"taxesIncluded":false,"b":"tea","name":"tea","__typename":"Shop"},"publicApiVersions":[{"handle":"2026-01","supported":true},`
	if !strings.HasPrefix(w.Body.String(), want) {
		t.Errorf("answered %s", w.Body)
	}
}

func TestSkipIncludeAndFragmentsMerge(t *testing.T) {
	s := open(t, nil)
	got := s.ask(`query($on: Boolean!) { shop { ...A name @skip(if: $on) id @include(if: $on) plan { shopifyPlus } } }
		fragment A on Shop { plan { partnerDevelopment } ... on Shop { currencyCode } }`, map[string]any{"on": true})
	b, _ := json.Marshal(got)
	if string(b) != `{"shop":{"currencyCode":"USD","id":"gid://shopify/Shop/548380009","plan":{"partnerDevelopment":true,"shopifyPlus":false}}}` {
		t.Errorf("answered %s", b)
	}
}

func TestLinesPage(t *testing.T) {
	s := open(t, nil)
	var lines []Line
	for i := range 30 {
		lines = append(lines, Line{SKU: fmt.Sprintf("X%02d", i), Quantity: 1, Price: "1.00"})
	}
	id := s.buy(Buy{Order: "7", Lines: lines})
	var seen []string
	var after any
	for range 3 {
		page := at(t, s.ask(operation(t, "HubOrderLines"), map[string]any{"id": id, "after": after}), "order", "lineItems")
		for _, n := range at(t, page, "nodes").([]any) {
			seen = append(seen, at(t, n, "sku").(string))
			same(t, n, nil, "product") // a SKU the shop does not sell
		}
		if after = at(t, page, "pageInfo", "endCursor"); at(t, page, "pageInfo", "hasNextPage") == false {
			break
		}
	}
	if len(seen) != 30 || seen[0] != "X00" || seen[29] != "X29" {
		t.Errorf("the pages held %v", seen)
	}
}

func TestOrdersChangedSincePageInOrderAndMissNothing(t *testing.T) {
	s := open(t, nil)
	for i := range 60 {
		s.now = s.now.Add(time.Second)
		s.buy(Buy{Order: fmt.Sprint(2000 - i), Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	}
	s.must(s.Cancel("2000", true)) // the oldest becomes the newest
	q := fmt.Sprintf("updated_at:>='%s'", s.now.Add(-55*time.Second).Format(time.RFC3339))
	var names []string
	var after any
	for {
		page := at(t, s.ask(operation(t, "HubOrdersChangedSince"), map[string]any{"q": q, "after": after}), "orders")
		last := ""
		for _, n := range at(t, page, "nodes").([]any) {
			names = append(names, at(t, n, "name").(string))
			if u := at(t, n, "updatedAt").(string); u < last {
				t.Errorf("%s comes after %s", u, last)
			} else {
				last = u
			}
		}
		if at(t, page, "pageInfo", "hasNextPage") == false {
			break
		}
		after = at(t, page, "pageInfo", "endCursor")
		s.must(s.Edit(names[0][1:], "CUP", 2)) // an order of the page read moves to the end
	}
	count := map[string]int{}
	for _, n := range names {
		count[n]++
	}
	if len(count) != 57 || count["#2000"] != 1 || len(names) < 57 {
		t.Errorf("read %d names, %d orders", len(names), len(count))
	}
}

func TestOrdersSearch(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	s.now = s.now.Add(time.Hour)
	s.buy(Buy{Order: "2", Lines: []Line{{SKU: "CUP", Quantity: 1}}, Test: true})
	s.buy(Buy{Order: "3", Lines: []Line{{SKU: "CUP", Quantity: 1}}, Customer: Customer{First: "Bo", Email: "bo@example.org"}})
	s.must(s.Cancel("3", true))
	for search, want := range map[string]string{
		"":                                    "#1 #2 #3",
		"name:#2":                             "#2",
		"name:2":                              "#2",
		"test:true":                           "#2",
		"status:open":                         "#1 #2",
		"status:closed":                       "",
		"status:not_closed":                   "#1 #2 #3",
		"status:cancelled":                    "#3",
		"email:bo@example.org":                "#3",
		"id:>1 AND id:<=2":                    "#2",
		"created_at:>'2026-11-02T18:30:00Z'":  "#2 #3",
		`updated_at:<="2026-11-02T18:00:00Z"`: "#1",
		"updated_at:>=2026-11-03":             "",
		"updated_at:<2026-11-03 status:open":  "#1 #2",
	} {
		got := at(t, s.ask(`query($q: String) { orders(first: 10, sortKey: ID, query: $q) { nodes { name } } }`, map[string]any{"q": search}), "orders", "nodes").([]any)
		var names []string
		for _, n := range got {
			names = append(names, at(t, n, "name").(string))
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%q found %v, want %s", search, names, want)
		}
	}
	for search, code := range map[string]string{
		"tag:x": "NOT_IN_STAND_IN", "-test:true": "NOT_IN_STAND_IN", "a OR b": "NOT_IN_STAND_IN", "updated_at:>yesterday": "BAD_REQUEST",
		"status:odd": "BAD_REQUEST", "updated_at:>'2026": "BAD_REQUEST", "name:>3": "BAD_REQUEST", "id:x": "BAD_REQUEST",
	} {
		_, out := s.post(map[string]any{"query": `query($q: String) { orders(first: 10, sortKey: ID, query: $q) { nodes { name } } }`, "variables": map[string]any{"q": search}}, nil)
		if got, message := errorCode(t, out); got != code {
			t.Errorf("%q was refused with %s: %s", search, got, message)
		}
	}
}

func TestReverseLastAndEdges(t *testing.T) {
	s := open(t, nil)
	for i := range 5 {
		s.buy(Buy{Order: fmt.Sprint(i + 1), Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	}
	names := func(args string) (out []string, info any) {
		got := at(t, s.ask(`{ orders(sortKey: ID, `+args+`) { edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, nil), "orders")
		for _, e := range at(t, got, "edges").([]any) {
			out = append(out, at(t, e, "node", "name").(string))
		}
		return out, at(t, got, "pageInfo")
	}
	first, info := names("first: 2, reverse: true")
	if fmt.Sprint(first) != "[#5 #4]" {
		t.Errorf("reversed: %v", first)
	}
	next, _ := names(fmt.Sprintf("first: 2, reverse: true, after: %q", at(t, info, "endCursor")))
	if fmt.Sprint(next) != "[#3 #2]" {
		t.Errorf("reversed, next: %v", next)
	}
	last, info := names("last: 2")
	if fmt.Sprint(last) != "[#4 #5]" {
		t.Errorf("last: %v", last)
	}
	before, _ := names(fmt.Sprintf("last: 2, before: %q", at(t, info, "startCursor")))
	if fmt.Sprint(before) != "[#2 #3]" {
		t.Errorf("last before: %v", before)
	}
}

func TestWhatIsNotThereIsNull(t *testing.T) {
	s := open(t, nil)
	got := s.ask(`{ order(id: "gid://shopify/Order/99") { id } location(id: "gid://shopify/Location/99") { id } nodes(ids: ["gid://shopify/Order/99"]) { id } }`, nil)
	same(t, got, nil, "order")
	same(t, got, nil, "location")
	same(t, got, []any{nil}, "nodes")
}
