package shopify

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// since lists the orders changed since a time, as the hub pulls them, and how
// many pages there were; between is called before each further page.
func (w *wire) since(query string, first int, between func()) (names []string, pages int) {
	w.t.Helper()
	var after any
	for {
		data := w.do(`query($q: String!, $n: Int!, $after: String) { orders(first: $n, after: $after, sortKey: UPDATED_AT, query: $q) {
			pageInfo { hasNextPage endCursor } nodes { name updatedAt } } }`, "", map[string]any{"q": query, "n": first, "after": after})
		pages++
		for _, o := range at(w.t, data, "orders", "nodes").([]any) {
			names = append(names, at(w.t, o, "name").(string))
		}
		if at(w.t, data, "orders", "pageInfo", "hasNextPage") == false {
			return names, pages
		}
		after = at(w.t, data, "orders", "pageInfo", "endCursor")
		if between != nil {
			between()
		}
	}
}

// sixOrders are made a second apart, from 18:00:01 on.
func sixOrders(t *testing.T) *wire {
	t.Helper()
	w := serve(t, nil)
	for n := range 6 {
		w.now = w.now.Add(time.Second)
		w.buy(Buy{Order: fmt.Sprint(n + 1), Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	}
	return w
}

const fromStart = "updated_at:>='2026-11-02T18:00:00Z'"

func TestChangedOrdersCome(t *testing.T) {
	for _, c := range []struct {
		name, query string
		first       int
		before      func(*wire)
		between     func(*wire)
		want        string
		pages       int
	}{
		{"in pages", fromStart, 4, nil, nil, "#1 #2 #3 #4 #5 #6", 2},
		{"the last page exactly full", fromStart, 3, nil, nil, "#1 #2 #3 #4 #5 #6", 2},
		{"one page exactly full", fromStart, 6, nil, nil, "#1 #2 #3 #4 #5 #6", 1},
		{"none", "updated_at:>='2026-11-02T19:00:00Z'", 3, nil, nil, "", 1},
		{"of a second", "updated_at:>='2026-11-02T18:00:03Z' AND updated_at:<'2026-11-02T18:00:05Z'", 3, nil, nil, "#3 #4", 1},
		{"as they changed", fromStart, 10, func(w *wire) { w.now = w.now.Add(time.Minute); w.must(w.Edit("2", "CUP", 2)) }, nil, "#1 #3 #4 #5 #6 #2", 1},
		{"once more when one changes while paging", fromStart, 3, nil, func(w *wire) { w.now = w.now.Add(time.Minute); w.must(w.Edit("2", "CUP", 2)) }, "#1 #2 #3 #4 #5 #6 #2", 3},
		{"and none is missed when one ahead changes", fromStart, 3, nil, func(w *wire) { w.now = w.now.Add(time.Minute); w.must(w.Edit("4", "CUP", 2)) }, "#1 #2 #3 #5 #6 #4", 2},
	} {
		w := sixOrders(t)
		if c.before != nil {
			c.before(w)
		}
		var between func()
		if c.between != nil {
			done := false
			between = func() {
				if !done {
					done = true
					c.between(w)
				}
			}
		}
		names, pages := w.since(c.query, c.first, between)
		if got := strings.Join(names, " "); got != c.want || pages != c.pages {
			t.Errorf("%s: %s in %d pages, want %s in %d", c.name, got, pages, c.want, c.pages)
		}
	}
}

func TestTheSearchIndexLagsWhenOrdered(t *testing.T) {
	w := sixOrders(t)
	w.must(w.Order("lag 30s"))
	w.now = w.now.Add(27 * time.Second) // 18:00:33
	if names, _ := w.since(fromStart, 10, nil); strings.Join(names, " ") != "#1 #2 #3" {
		t.Errorf("with a lag came %v", names)
	}
	same(t, w.do(`{ order(id: "gid://shopify/Order/6") { name } }`, "", nil), "#6", "order", "name")
	w.must(w.Edit("1", "CUP", 2))
	names, _ := w.since("updated_at:>='2026-11-02T18:00:30Z'", 10, nil)
	if len(names) != 0 {
		t.Errorf("an edit is known at once: %v", names)
	}
	w.now = w.now.Add(30 * time.Second)
	if names, _ = w.since("updated_at:>='2026-11-02T18:00:30Z'", 10, nil); strings.Join(names, " ") != "#1" {
		t.Errorf("30 s after an edit came %v", names)
	}
	if names, _ = w.since(fromStart, 10, nil); strings.Join(names, " ") != "#2 #3 #4 #5 #6 #1" {
		t.Errorf("30 s after an edit there are %v", names)
	}
	w.must(w.Edit("2", "CUP", 2))
	w.must(w.Order("lag 0s"))
	if names, _ = w.since(fromStart, 10, nil); strings.Join(names, " ") != "#3 #4 #5 #6 #1 #2" {
		t.Errorf("without a lag there are %v", names)
	}
}

func TestOldOrdersNeedAScope(t *testing.T) {
	w := sixOrders(t)
	w.now = w.now.Add(60*24*time.Hour - 3*time.Second)
	for _, c := range []struct{ scopes, want, first string }{
		{"scopes read_orders", "#3 #4 #5 #6", "<nil>"},
		{"scopes read_orders read_all_orders", "#1 #2 #3 #4 #5 #6", "map[name:#1]"},
		{"scopes all", "#1 #2 #3 #4 #5 #6", "map[name:#1]"},
	} {
		w.must(w.Order(c.scopes))
		if names, _ := w.since(fromStart, 10, nil); strings.Join(names, " ") != c.want {
			t.Errorf("%s: %v", c.scopes, names)
		}
		if got := fmt.Sprint(w.do(`{ order(id: "gid://shopify/Order/1") { name } }`, "", nil)["order"]); got != c.first {
			t.Errorf("%s: the first order is %s", c.scopes, got)
		}
	}
}

// What an installing hub reads: the shop, its places and everything it sells.
func TestAHubThatIsInstalledReadsTheShop(t *testing.T) {
	w := serve(t, nil)
	w.must(w.AddProduct(Product{SKU: "POT", Title: "Pot", Price: "20", Barcode: "4006381333931"}))
	w.now = w.now.Add(time.Hour)
	w.must(w.SetPrice("CUP", "6.00"))
	shop := at(t, w.do(`{ shop { name currencyCode ianaTimezone myshopifyDomain weightUnit taxesIncluded enabledPresentmentCurrencies
		plan { publicDisplayName shopifyPlus partnerDevelopment } } }`, "", nil), "shop")
	for name, want := range map[string]any{"currencyCode": "USD", "ianaTimezone": "America/Los_Angeles", "myshopifyDomain": "tea.myshopify.com", "weightUnit": "KILOGRAMS"} {
		same(t, shop, want, name)
	}
	for _, c := range []struct{ query, want string }{
		{`products(first: 10, sortKey: UPDATED_AT)`, "TEA POT CUP"},
		{`products(first: 10, sortKey: UPDATED_AT, query: "updated_at:>='2026-11-02T19:00:00Z'")`, "CUP"},
		{`products(first: 2)`, "TEA CUP"},
		{`productVariants(first: 10, sortKey: SKU)`, "CUP POT TEA"},
		{`productVariants(first: 10, query: "sku:cup")`, "CUP"},
		{`productVariants(first: 10, query: "barcode:4006381333931")`, "POT"},
		{`inventoryItems(first: 10, query: "sku:TEA")`, "TEA"},
	} {
		fields := "sku barcode updatedAt inventoryItem { id tracked }"
		switch {
		case strings.HasPrefix(c.query, "products("):
			fields = "id title status updatedAt variants(first: 1) { nodes { " + fields + " } }"
		case strings.HasPrefix(c.query, "inventoryItems"):
			fields = "id sku tracked variant { id product { title } }"
		}
		data := w.do("{ all: "+c.query+" { nodes { "+fields+" } } }", "", nil)
		var got []string
		for _, one := range at(t, data, "all", "nodes").([]any) {
			if strings.HasPrefix(c.query, "products(") {
				one = at(t, one, "variants", "nodes", 0)
			}
			got = append(got, at(t, one, "sku").(string))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", c.query, s, c.want)
		}
	}
	p := w.product("POT")
	data := w.do(`{ product(id: "`+gid("Product", p.id)+`") { title } productVariant(id: "`+gid("ProductVariant", p.variantID)+`") { barcode inventoryQuantity inventoryItem { id } } }`, "", nil)
	same(t, data, "Pot", "product", "title")
	same(t, data, gid("InventoryItem", p.itemID), "productVariant", "inventoryItem", "id")
	place := w.locations[0]
	data = w.do(`{ location(id: "`+gid("Location", place.id)+`") { inventoryLevel(inventoryItemId: "`+gid("InventoryItem", w.product("TEA").itemID)+`") { quantities(names: ["available"]) { quantity } } } }`, "", nil)
	same(t, data, 3, "location", "inventoryLevel", "quantities", 0, "quantity")
	out := w.try(`{ products(first: 1, sortKey: VENDOR) { nodes { id } } }`, "", nil)
	if code, _ := errorCode(t, out); code != "NOT_IN_STAND_IN" {
		t.Errorf("an unknown order: %v", out)
	}
}
