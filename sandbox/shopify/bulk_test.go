package shopify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const ordersInBulk = `{ orders(query: "updated_at:>='2026-11-01T00:00:00Z'", sortKey: UPDATED_AT, first: 1) { edges { node {
	id name updatedAt currentTotalPriceSet { shopMoney { amount } }
	lineItems { edges { node { id sku quantity } } }
} } } }`

const stockInBulk = `{ inventoryItems { edges { node { id sku tracked
	inventoryLevels { nodes { id isActive location { id } quantities(names: ["available", "committed", "on_hand"]) { name quantity } } }
} } } }`

func (w *wire) bulk(name string, vars map[string]any) map[string]any {
	w.t.Helper()
	return w.do(operation(w.t, "HubBulk"), name, vars)
}

// start runs a bulk query and returns its gid; the test ends if it is refused.
func (w *wire) start(query string, group bool) string {
	w.t.Helper()
	data := w.bulk("HubBulkRun", map[string]any{"query": query, "group": group})
	if p := problemOf(w.t, data, "bulkOperationRunQuery"); p != "" {
		w.t.Fatal(p)
	}
	return at(w.t, data, "bulkOperationRunQuery", "bulkOperation", "id").(string)
}

func (w *wire) poll(id string) map[string]any {
	w.t.Helper()
	return at(w.t, w.bulk("HubBulkPoll", map[string]any{"id": id}), "bulkOperation").(map[string]any)
}

// fetch reads a file of lines, without a token.
func (w *wire) fetch(url any) []map[string]any {
	w.t.Helper()
	defer func(token string) { w.token = token }(w.token)
	w.token = ""
	raw := w.send(http.MethodGet, strings.TrimPrefix(fmt.Sprint(url), w.base), "", "")
	if w.status != http.StatusOK {
		w.t.Fatalf("%v: HTTP %d %s", url, w.status, raw)
	}
	var out []map[string]any
	for line := range strings.Lines(string(raw)) {
		var one map[string]any
		w.must(json.Unmarshal([]byte(line), &one))
		out = append(out, one)
	}
	return out
}

func TestABulkOperationTakesItsTime(t *testing.T) {
	w := serve(t, func(c *Config) { c.Topics = []string{} })
	w.subscribeTo("BULK_OPERATIONS_FINISH", map[string]any{"uri": "https://hub.example.com/in"})
	for n := range 3 {
		w.buy(Buy{Order: fmt.Sprint(n + 1), Lines: []Line{{SKU: "TEA", Quantity: 1}, {SKU: "CUP", Quantity: 2}}})
	}
	id := w.start(ordersInBulk, false)
	w.buy(Buy{Order: "4", Lines: []Line{{SKU: "TEA", Quantity: 1}}}) // after it began
	for _, c := range []struct {
		after  time.Duration
		status string
		count  string
	}{{0, "CREATED", "0"}, {time.Second, "RUNNING", "3"}, {time.Second, "RUNNING", "6"}, {time.Second, "COMPLETED", "9"}} {
		w.now = w.now.Add(c.after)
		b := w.poll(id)
		same(t, b, c.status, "status")
		same(t, b, c.count, "objectCount")
		if (b["url"] != nil) != (c.status == "COMPLETED") || (b["completedAt"] != nil) != (c.status == "COMPLETED") {
			t.Errorf("%s: %v", c.status, b)
		}
		running := w.bulk("HubBulkRunning", nil)
		same(t, running, id, "currentBulkOperation", "id")
		if n := len(at(t, running, "bulkOperations", "nodes").([]any)); (n == 1) != (c.status == "RUNNING") {
			t.Errorf("%s: %d are listed as running", c.status, n)
		}
	}
	b := w.poll(id)
	same(t, b, "3", "rootObjectCount")
	due := w.drain(200)
	if len(due) != 1 || due[0].Topic != "bulk_operations/finish" {
		t.Fatalf("told %v", toldOf(due))
	}
	told := decoded(t, due[0])
	same(t, told, id, "admin_graphql_api_id")
	same(t, told, "completed", "status")
	same(t, told, nil, "error_code")
	if told["url"] != nil {
		t.Error("the webhook has a url")
	}
	lines := w.fetch(b["url"])
	if len(lines) != 9 || fmt.Sprint(b["fileSize"]) != fmt.Sprint(w.header.Get("Content-Length")) {
		t.Errorf("%d lines, %s bytes of %v", len(lines), w.header.Get("Content-Length"), b["fileSize"])
	}
	orders, children, mixed := map[string]bool{}, 0, false
	for _, l := range lines {
		if l["__parentId"] == nil {
			orders[l["id"].(string)] = true
			if l["lineItems"] != nil {
				t.Error("a connection is inside a line")
			}
			if _, ok := at(t, l, "currentTotalPriceSet", "shopMoney", "amount").(string); !ok {
				t.Errorf("a line is %v", l)
			}
		} else {
			children++
			mixed = mixed || !orders[l["__parentId"].(string)]
		}
	}
	if len(orders) != 3 || children != 6 || !mixed {
		t.Errorf("%d orders, %d children, a child before its parent: %v", len(orders), children, mixed)
	}
	w.now = w.now.Add(8 * 24 * time.Hour)
	same(t, w.poll(id), "EXPIRED", "status")
	same(t, w.poll(id), nil, "url")
	if w.send(http.MethodGet, strings.TrimPrefix(fmt.Sprint(b["url"]), w.base), "", ""); w.status != 404 {
		t.Errorf("after a week: HTTP %d", w.status)
	}
}

// finished runs a bulk query to its end.
func (w *wire) finished(query string, group bool) map[string]any {
	w.t.Helper()
	id := w.start(query, group)
	w.now = w.now.Add(3 * time.Second)
	return w.poll(id)
}

func TestGroupedChildrenFollowTheirParent(t *testing.T) {
	w := serve(t, none)
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 2}}})
	b := w.finished(stockInBulk, true)
	var got []string
	for _, l := range w.fetch(b["url"]) {
		if l["__parentId"] == nil {
			got = append(got, fmt.Sprint(l["sku"]))
			continue
		}
		n := l["quantities"].([]any)
		got = append(got, fmt.Sprint(at(t, n[0], "quantity"), "/", at(t, n[1], "quantity"), "/", at(t, n[2], "quantity")))
		if !strings.HasPrefix(l["__parentId"].(string), "gid://shopify/InventoryItem/") || l["location"] == nil {
			t.Errorf("a level is %v", l)
		}
	}
	if s := strings.Join(got, " "); s != "TEA 3/0/3 CUP 8/2/10 4/0/4" {
		t.Errorf("got %s", s)
	}
}

func TestAnEmptyBulkResultHasNoURL(t *testing.T) {
	b := serve(t, none).finished(ordersInBulk, false)
	same(t, b, "COMPLETED", "status")
	same(t, b, nil, "url")
	same(t, b, "0", "objectCount")
	same(t, b, nil, "errorCode")
}

func TestABulkOperationOfOneObject(t *testing.T) {
	w := serve(t, none)
	id := w.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 2}}})
	b := w.finished(`{ order(id: "`+id+`") { id name lineItems { nodes { id sku } } } }`, true)
	lines := w.fetch(b["url"])
	if len(lines) != 2 || lines[0]["name"] != "#1" || lines[1]["__parentId"] != id {
		t.Errorf("lines are %v", lines)
	}
}

func TestABulkOperationFails(t *testing.T) {
	w := serve(t, none)
	for n := range 4 {
		w.buy(Buy{Order: fmt.Sprint(n + 1), Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	}
	for _, c := range []struct {
		order, status string
		code          any
	}{
		{"bulk failed", "FAILED", nil},
		{"bulk failed 1 INTERNAL_SERVER_ERROR", "FAILED", "INTERNAL_SERVER_ERROR"},
		{"bulk failed TIMEOUT", "FAILED", "TIMEOUT"},
		{"bulk canceled", "CANCELED", nil},
		{"bulk takes 3s", "COMPLETED", nil},
	} {
		w.must(w.Order(c.order))
		b := w.finished(ordersInBulk, false)
		same(t, b, c.status, "status")
		same(t, b, c.code, "errorCode")
		if (b["url"] != nil) != (c.status == "COMPLETED") {
			t.Errorf("%s: url %v", c.order, b["url"])
		}
		if c.status != "COMPLETED" && len(w.fetch(b["partialDataUrl"])) != 4 {
			t.Errorf("%s: partial data is not half of it", c.order)
		}
	}
	w.must(w.Order("scopes read_products"))
	b := w.finished(ordersInBulk, false)
	same(t, b, "FAILED", "status")
	same(t, b, "ACCESS_DENIED", "errorCode")
}

func TestABulkOperationIsCanceled(t *testing.T) {
	w := serve(t, func(c *Config) { c.Topics = []string{"bulk_operations/finish"} })
	id := w.start(ordersInBulk, false)
	w.now = w.now.Add(2 * time.Second)
	same(t, w.bulk("HubBulkCancel", map[string]any{"id": id}), "CANCELING", "bulkOperationCancel", "bulkOperation", "status")
	same(t, w.poll(id), "CANCELING", "status")
	if due, ok := w.Next(); !ok || !due.Equal(w.now.Add(time.Second)) {
		t.Errorf("the next webhook is due at %v, %v", due, ok)
	}
	w.now = w.now.Add(time.Second)
	same(t, w.poll(id), "CANCELED", "status")
	same(t, decoded(t, w.drain(200)[0]), "canceled", "status")
	data := w.bulk("HubBulkCancel", map[string]any{"id": id})
	if p := problemOf(t, data, "bulkOperationCancel"); !strings.Contains(p, "cannot be canceled when it is canceled") {
		t.Error(p)
	}
	data = w.bulk("HubBulkCancel", map[string]any{"id": "gid://shopify/BulkOperation/7"})
	if p := problemOf(t, data, "bulkOperationCancel"); !strings.Contains(p, "does not exist") {
		t.Error(p)
	}
}

func TestFiveBulkOperationsAtOnce(t *testing.T) {
	w := serve(t, none)
	for range 5 {
		w.start(ordersInBulk, false)
	}
	data := w.bulk("HubBulkRun", map[string]any{"query": ordersInBulk})
	same(t, data, "LIMIT_REACHED", "bulkOperationRunQuery", "userErrors", 0, "code")
	same(t, data, nil, "bulkOperationRunQuery", "bulkOperation")
	w.now = w.now.Add(3 * time.Second)
	w.start(ordersInBulk, false)
}

func TestABulkQueryShopifyWouldRefuse(t *testing.T) {
	w := serve(t, none)
	many := "{ orders { edges { node { "
	for i := range 5 {
		many += fmt.Sprintf("l%d: lineItems { nodes { id } } ", i)
	}
	for _, c := range []struct{ name, query, part string }{
		{"no connection", "{ shop { id } }", "at least one connection"},
		{"six connections", many + "} } } }", "more than 5"},
		{"three deep", "{ orders { nodes { id fulfillmentOrders { nodes { id lineItems { nodes { id } } } } } } }", "nesting depth"},
		{"two fields", "{ orders { nodes { id } } products { nodes { id } } }", "single top-level"},
		{"nodes", `{ nodes(ids: ["gid://shopify/Order/1"]) { id } }`, "`nodes`"},
		{"a mutation", `mutation { fulfillmentCancel(id: "gid://shopify/Fulfillment/1") { userErrors { message } } }`, "single query"},
		{"variables", `query($q: String) { orders(query: $q) { nodes { id } } }`, "without variables"},
		{"an unknown field", "{ orders { nodes { ident } } }", "ident"},
		{"bad syntax", "{ orders { nodes { id }", "Expected"},
		{"a field the stand-in lacks", "{ orders { nodes { id returns { nodes { id } } } } }", "Order.returns"},
	} {
		data := w.bulk("HubBulkRun", map[string]any{"query": c.query})
		same(t, data, "INVALID", "bulkOperationRunQuery", "userErrors", 0, "code")
		if p := problemOf(t, data, "bulkOperationRunQuery"); !strings.Contains(p, c.part) {
			t.Errorf("%s: %q, want %q", c.name, p, c.part)
		}
	}
}
