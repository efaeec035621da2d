package shopify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var fulfilTopics = []string{"orders/updated", "orders/fulfilled", "orders/partially_fulfilled", "fulfillments/create", "fulfillments/update", "inventory_levels/update"}

// twoPlaces is a shop where order 1 is for 3 TEA and 2 CUP from E and 1 CUP from W.
func twoPlaces(t *testing.T) *wire {
	t.Helper()
	w := serve(t, func(c *Config) { c.Topics = fulfilTopics })
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 3}, {SKU: "CUP", Quantity: 2}, {SKU: "CUP", Quantity: 1, Location: "W"}}})
	w.drain(200)
	return w
}

func (w *wire) fulfilment(name string, vars map[string]any) map[string]any {
	w.t.Helper()
	return w.do(operation(w.t, "HubFulfillment"), name, vars)
}

// goods describes the fulfilment orders of order 1: "OPEN East TEA 3/3, CUP 2/2".
func (w *wire) goods() string {
	w.t.Helper()
	data := w.fulfilment("HubFulfillmentOrders", map[string]any{"orderId": "gid://shopify/Order/1"})
	var out []string
	for _, f := range at(w.t, data, "order", "fulfillmentOrders", "nodes").([]any) {
		var lines []string
		for _, l := range at(w.t, f, "lineItems", "nodes").([]any) {
			lines = append(lines, fmt.Sprintf("%v %v/%v", at(w.t, l, "sku"), at(w.t, l, "remainingQuantity"), at(w.t, l, "totalQuantity")))
		}
		out = append(out, fmt.Sprintf("%v %v %s", at(w.t, f, "status"), at(w.t, f, "assignedLocation", "name"), strings.Join(lines, ", ")))
	}
	return strings.Join(out, "; ")
}

// part names units of a fulfilment order of order 1 for fulfillmentCreate.
func (w *wire) part(which int, quantities ...int) map[string]any {
	w.t.Helper()
	f := w.byNumber[1].fulfilOrders[which]
	lines := []any{}
	for i, n := range quantities {
		if n != 0 {
			lines = append(lines, map[string]any{"id": gid("FulfillmentOrderLineItem", f.lines[i].id), "quantity": n})
		}
	}
	if len(lines) == 0 {
		return map[string]any{"fulfillmentOrderId": f.gid()}
	}
	return map[string]any{"fulfillmentOrderId": f.gid(), "fulfillmentOrderLineItems": lines}
}

// ship runs fulfillmentCreate and returns its problem and the fulfilment's gid.
func (w *wire) ship(tracking map[string]any, parts ...map[string]any) (problem, id string) {
	w.t.Helper()
	data := w.fulfilment("HubFulfillmentCreate", map[string]any{"fulfillment": map[string]any{
		"lineItemsByFulfillmentOrder": parts, "trackingInfo": tracking, "notifyCustomer": true}})
	if problem = problemOf(w.t, data, "fulfillmentCreate"); problem != "" {
		same(w.t, data, nil, "fulfillmentCreate", "fulfillment")
		return problem, ""
	}
	return "", at(w.t, data, "fulfillmentCreate", "fulfillment", "id").(string)
}

func TestAnOrderIsSplitByLocation(t *testing.T) {
	w := twoPlaces(t)
	if got := w.goods(); got != "OPEN East TEA 3/3, CUP 2/2; OPEN West CUP 1/1" {
		t.Error(got)
	}
	out := w.do(`{ fulfillmentOrders(first: 5, query: "status:open") { nodes { id orderName } } }`, "", nil)
	if n := len(at(t, out, "fulfillmentOrders", "nodes").([]any)); n != 2 {
		t.Errorf("%d open fulfilment orders", n)
	}
}

func TestGoodsLeaveInPartsAndSplit(t *testing.T) {
	w := twoPlaces(t)
	w.now = w.now.Add(61e9)
	if problem, _ := w.ship(map[string]any{"company": "UPS", "number": "1Z1"}, w.part(0, 2)); problem != "" {
		t.Fatal(problem)
	}
	if got := w.goods(); got != "IN_PROGRESS East TEA 1/3, CUP 2/2; OPEN West CUP 1/1" {
		t.Error(got)
	}
	if w.level("TEA@E") != "0/1/1" {
		t.Errorf("TEA@E is %s", w.level("TEA@E"))
	}
	due := w.drain(200)
	if got := toldOf(due); !slices.Equal(got, []string{"fulfillments/create", "orders/partially_fulfilled", "orders/updated", "inventory_levels/update"}) {
		t.Errorf("the shop told %v", got)
	}
	sent := decoded(t, due[0])
	valid(t, published(t, "fulfillment"), withoutNull(t, sent, "origin_address"))
	same(t, sent, 2, "line_items", 0, "quantity")
	same(t, sent, "1Z1", "tracking_number")
	same(t, sent, "https://www.ups.com/WebTracking?loc=en_US&requester=ST&trackNums=1Z1", "tracking_url")
	order := decoded(t, due[2])
	same(t, order, "partial", "fulfillment_status")
	same(t, order, "partial", "line_items", 0, "fulfillment_status")
	same(t, order, 1, "line_items", 0, "fulfillable_quantity")
	same(t, order, "success", "fulfillments", 0, "status")
	same(t, order, "2026-11-02T10:01:01-08:00", "updated_at")

	if problem, _ := w.ship(nil, w.part(0)); problem != "" { // everything left
		t.Fatal(problem)
	}
	w.drain(200)
	if problem, _ := w.ship(map[string]any{"numbers": []any{"A", "B"}, "urls": []any{"https://t/A"}, "company": "Nobody"}, w.part(1)); problem != "" {
		t.Fatal(problem)
	}
	if got := w.goods(); got != "CLOSED East TEA 0/3, CUP 0/2; CLOSED West CUP 0/1" {
		t.Error(got)
	}
	data := w.fulfilment("HubFulfillmentOrders", map[string]any{"orderId": "gid://shopify/Order/1"})
	same(t, data, "FULFILLED", "order", "displayFulfillmentStatus")
	same(t, data, 0, "order", "lineItems", "nodes", 0, "unfulfilledQuantity")
	same(t, data, 3, "order", "lineItems", "nodes", 0, "currentQuantity")
	same(t, data, "#1.3", "order", "fulfillments", 2, "name")
	same(t, data, "West", "order", "fulfillments", 2, "location", "name")
	same(t, data, "CUP", "order", "fulfillments", 2, "fulfillmentLineItems", "nodes", 0, "lineItem", "sku")
	same(t, data, "B", "order", "fulfillments", 2, "trackingInfo", 1, "number")
	same(t, data, nil, "order", "fulfillments", 2, "trackingInfo", 1, "url")
	if got := toldOf(w.drain(200)); got[1] != "orders/fulfilled" {
		t.Errorf("the shop told %v", got)
	}
	if w.level("CUP@E")+w.level("CUP@W") != "8/0/8"+"3/0/3" {
		t.Errorf("CUP is %s and %s", w.level("CUP@E"), w.level("CUP@W"))
	}
	rows, err := w.Match("fulfillment", map[string]string{"key": "1.1"})
	w.must(err)
	if len(rows) != 1 || rows[0]["skus"] != "TEA x2" || rows[0]["tracking"] != "1Z1" || rows[0]["notified"] != true {
		t.Errorf("the fulfilment is %v", rows)
	}
}

// withoutNull is a body as JSON without a member whose schema does not allow null.
func withoutNull(t *testing.T, b map[string]any, name string) []byte {
	t.Helper()
	same(t, b, nil, name)
	b[name] = map[string]any{}
	return marshal(b)
}

// There is no key: sent again, what was lost is done again while units remain.
func TestASecondSendIsASecondFulfilment(t *testing.T) {
	w := twoPlaces(t)
	for i, want := range []string{"", "", "", "Invalid fulfillment order line item quantity requested."} {
		if problem, _ := w.ship(nil, w.part(0, 1)); problem != want {
			t.Errorf("send %d: %q", i+1, problem)
		}
	}
	if got := w.goods(); got != "IN_PROGRESS East TEA 0/3, CUP 2/2; OPEN West CUP 1/1" {
		t.Error(got)
	}
	if n := len(w.byNumber[1].fulfilments); n != 3 {
		t.Errorf("%d fulfilments", n)
	}
}

func TestAFulfilmentShopifyWouldRefuse(t *testing.T) {
	w := twoPlaces(t)
	w.buy(Buy{Order: "2", Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	w.buy(Buy{Order: "3", Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	w.must(w.Cancel("3", true))
	other, gone := w.byNumber[2].fulfilOrders[0], w.byNumber[3].fulfilOrders[0]
	of := func(f *fulfilOrder) map[string]any { return map[string]any{"fulfillmentOrderId": f.gid()} }
	line := map[string]any{"fulfillmentOrderId": other.gid(), "fulfillmentOrderLineItems": []any{
		map[string]any{"id": gid("FulfillmentOrderLineItem", gone.lines[0].id), "quantity": 1}}}
	if problem, _ := w.ship(nil, w.part(1)); problem != "" {
		t.Fatal(problem)
	}
	before := w.goods() + w.level("CUP@E") + w.level("TEA@E")
	w.drain(200)
	for _, c := range []struct {
		name     string
		parts    []map[string]any
		tracking map[string]any
		part     string
	}{
		{"nothing", []map[string]any{}, nil, "at least one"},
		{"more than remains", []map[string]any{w.part(0, 4)}, nil, "quantity"},
		{"more than remains in two parts", []map[string]any{w.part(0, 2), w.part(0, 2)}, nil, "quantity"},
		{"one good and one bad line", []map[string]any{w.part(0, 1, 9)}, nil, "quantity"},
		{"less than none", []map[string]any{w.part(0, -1)}, nil, "quantity"},
		{"a closed one", []map[string]any{w.part(1)}, nil, "unfulfillable status= closed"},
		{"a cancelled one", []map[string]any{of(gone)}, nil, "unfulfillable status= cancelled"},
		{"an unknown one", []map[string]any{{"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/7"}}, nil, "does not exist"},
		{"a line of another", []map[string]any{line}, nil, "does not belong"},
		{"two orders", []map[string]any{w.part(0), of(other)}, nil, "same order"},
		{"a bad address", []map[string]any{w.part(0)}, map[string]any{"number": "1", "url": "ftp://x"}, "valid URL"},
		{"one and several numbers", []map[string]any{w.part(0)}, map[string]any{"number": "1", "numbers": []any{"2"}}, "not both"},
	} {
		problem, _ := w.ship(c.tracking, c.parts...)
		if !strings.Contains(problem, c.part) {
			t.Errorf("%s: %q, want %q", c.name, problem, c.part)
		}
	}
	if after := w.goods() + w.level("CUP@E") + w.level("TEA@E"); after != before {
		t.Errorf("refused and still changed: %s, was %s", after, before)
	}
	if due := w.drain(200); len(due) > 0 {
		t.Errorf("refused and still told %v", toldOf(due))
	}
	w = twoPlaces(t)
	if problem, _ := w.ship(nil, w.part(0), w.part(1)); !strings.Contains(problem, "same location") {
		t.Errorf("two locations: %q", problem)
	}
}

func TestAUserErrorOfAFulfilmentHasNoCode(t *testing.T) {
	out := twoPlaces(t).try(`mutation { fulfillmentCancel(id: "gid://shopify/Fulfillment/7") { userErrors { code } } }`, "", nil)
	if code, _ := errorCode(t, out); code != "undefinedField" {
		t.Errorf("answered %v", out)
	}
}

func TestTrackingChangesAndAFulfilmentIsCancelled(t *testing.T) {
	w := twoPlaces(t)
	_, id := w.ship(nil, w.part(0))
	w.drain(200)
	data := w.fulfilment("HubFulfillmentTracking", map[string]any{"id": id, "tracking": map[string]any{"number": "9", "company": "FedEx"}})
	same(t, data, "9", "fulfillmentTrackingInfoUpdate", "fulfillment", "trackingInfo", 0, "number")
	if got := toldOf(w.drain(200)); !slices.Equal(got, []string{"fulfillments/update", "orders/updated"}) {
		t.Errorf("the shop told %v", got)
	}
	if err := w.Cancel("1", true); err == nil || !strings.Contains(err.Error(), "have left") {
		t.Errorf("an order goods of which have left was cancelled: %v", err)
	}
	if err := w.Edit("1", "TEA", 2); err == nil || !strings.Contains(err.Error(), "have left") {
		t.Errorf("a fulfilled line was edited: %v", err)
	}
	same(t, w.fulfilment("HubFulfillmentCancel", map[string]any{"id": id}), "CANCELLED", "fulfillmentCancel", "fulfillment", "status")
	if got := w.goods(); got != "CLOSED East TEA 0/0, CUP 0/0; OPEN West CUP 1/1; OPEN East TEA 3/3, CUP 2/2" {
		t.Error(got)
	}
	if w.level("TEA@E") != "0/3/3" {
		t.Errorf("TEA@E is %s", w.level("TEA@E"))
	}
	for name, want := range map[string]string{"HubFulfillmentCancel": "already cancelled", "HubFulfillmentTracking": "is cancelled"} {
		data := w.fulfilment(name, map[string]any{"id": id, "tracking": map[string]any{"number": "1"}})
		for mutation := range data {
			if p := problemOf(t, data, mutation); !strings.Contains(p, want) {
				t.Errorf("%s: %q", name, p)
			}
		}
	}
	if p := problemOf(t, w.fulfilment("HubFulfillmentCancel", map[string]any{"id": "gid://shopify/Fulfillment/7"}), "fulfillmentCancel"); !strings.Contains(p, "not exist") {
		t.Errorf("an unknown fulfilment: %q", p)
	}
	w.must(w.Cancel("1", true))
	if got := w.goods(); !strings.HasSuffix(got, "CANCELLED West CUP 0/0; CANCELLED East TEA 0/0, CUP 0/0") {
		t.Error(got)
	}
	if w.level("TEA@E") != "3/0/3" {
		t.Errorf("TEA@E is %s", w.level("TEA@E"))
	}
}

func TestPartOfACancelledFulfilmentGoesBackWhereItWas(t *testing.T) {
	w := twoPlaces(t)
	_, id := w.ship(nil, w.part(0, 2))
	w.fulfilment("HubFulfillmentCancel", map[string]any{"id": id})
	if got := w.goods(); got != "OPEN East TEA 3/3, CUP 2/2; OPEN West CUP 1/1" {
		t.Error(got)
	}
}

func TestAnEditMovesWhatIsToBeSent(t *testing.T) {
	w := twoPlaces(t)
	w.Topics = []string{"orders/edited", "orders/updated"}
	w.ship(nil, w.part(0, 1))
	w.drain(200)
	for _, c := range []struct {
		sku      string
		quantity int
		goods    string
		delta    string
	}{
		{"TEA", 2, "IN_PROGRESS East TEA 1/2, CUP 2/2; OPEN West CUP 1/1", "removals"},
		{"TEA", 1, "IN_PROGRESS East TEA 0/1, CUP 2/2; OPEN West CUP 1/1", "removals"},
		{"TEA", 5, "IN_PROGRESS East TEA 4/5, CUP 2/2; OPEN West CUP 1/1", "additions"},
		{"CUP", 0, "IN_PROGRESS East TEA 4/5, CUP 2/2; CANCELLED West CUP 0/0", "removals"},
	} {
		w.must(w.Edit("1", c.sku, c.quantity))
		if got := w.goods(); got != c.goods {
			t.Errorf("%s %d: %s", c.sku, c.quantity, got)
		}
		due := w.drain(200)
		if !slices.Equal(toldOf(due), []string{"orders/edited", "orders/updated"}) {
			t.Fatalf("the shop told %v", toldOf(due))
		}
		valid(t, published(t, "order_edit"), due[0].Body)
		if n := len(at(t, decoded(t, due[0]), "order_edit", "line_items", c.delta).([]any)); n != 1 {
			t.Errorf("%s %d: %d %s", c.sku, c.quantity, n, c.delta)
		}
	}
}

func TestAPersonShipsInTheShop(t *testing.T) {
	w := twoPlaces(t)
	w.ship(nil, w.part(0, 1))
	w.drain(200)
	w.must(w.Ship("1", "T9"))
	if got := w.goods(); got != "CLOSED East TEA 0/3, CUP 0/2; CLOSED West CUP 0/1" {
		t.Error(got)
	}
	rows, err := w.Match("fulfillment", map[string]string{"tracking": "T9"})
	if w.must(err); len(rows) != 2 || rows[0]["skus"] != "TEA x2, CUP x2" || rows[1]["location"] != "W" {
		t.Errorf("the fulfilments are %v", rows)
	}
	if got := topics(w.drain(200)); strings.Count(got, "fulfillments/create") != 2 || strings.Count(got, "orders/fulfilled") != 1 {
		t.Errorf("told %s", got)
	}
	if err := w.Ship("1", ""); err == nil {
		t.Error("what is gone was sent again")
	}
}
