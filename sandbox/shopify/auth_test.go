package shopify

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// grant asks /admin/oauth/access_token, as a form or as JSON.
func (w *wire) grant(asJSON bool, fields map[string]string) map[string]any {
	w.t.Helper()
	for name, value := range map[string]string{"client_id": "client", "client_secret": "shpss_test_secret"} {
		if _, ok := fields[name]; !ok {
			fields[name] = value
		}
	}
	if asJSON {
		b, err := json.Marshal(fields)
		w.must(err)
		return decodeJSON(w.t, w.send("POST", "/admin/oauth/access_token", "application/json", string(b)))
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return decodeJSON(w.t, w.send("POST", "/admin/oauth/access_token", "application/x-www-form-urlencoded", form.Encode()))
}

// enters tells whether a token is let in; if not, the answer must be Shopify's 401.
func (w *wire) enters(token any) bool {
	w.t.Helper()
	w.token = fmt.Sprint(token)
	out := w.try("{ shop { id } }", "", nil)
	if w.status == 200 {
		return true
	}
	text, _ := out["errors"].(string)
	if w.status != 401 || !strings.HasPrefix(text, "[API] Invalid API key or access token") || w.header.Get("X-Shopify-API-Version") == "" {
		w.t.Errorf("HTTP %d %v", w.status, out)
	}
	return false
}

func TestClientCredentialsLastADay(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		w := serve(t, func(c *Config) { c.Scopes = []string{"read_orders", "write_inventory"} })
		out := w.grant(asJSON, map[string]string{"grant_type": "client_credentials"})
		same(t, out, 86399, "expires_in")
		same(t, out, "read_inventory,read_orders,write_inventory", "scope")
		if out["refresh_token"] != nil {
			t.Error("client credentials have a refresh token")
		}
		w.now = w.now.Add(86398 * time.Second)
		if !w.enters(out["access_token"]) {
			t.Error("it ended too early")
		}
		w.now = w.now.Add(time.Second)
		if w.enters(out["access_token"]) {
			t.Error("it did not end")
		}
		if next := w.grant(asJSON, map[string]string{"grant_type": "client_credentials"}); !w.enters(next["access_token"]) || next["access_token"] == out["access_token"] {
			t.Error("a new one is not let in")
		}
		if !w.enters("shpat_test") {
			t.Error("the fixed token ended too")
		}
	}
}

func TestAGrantShopifyWouldRefuse(t *testing.T) {
	w := serve(t, nil)
	for code, fields := range map[string]map[string]string{
		"invalid_client":         {"grant_type": "client_credentials", "client_secret": "other"},
		"invalid_client ":        {"grant_type": "client_credentials", "client_id": "other"},
		"invalid_client  ":       {"grant_type": "client_credentials", "client_secret": ""},
		"invalid_grant":          {"grant_type": "refresh_token", "refresh_token": "shprt_other"},
		"invalid_grant ":         {"grant_type": "refresh_token"},
		"unsupported_grant_type": {"grant_type": "password"},
	} {
		out := w.grant(true, fields)
		if w.status != 400 || out["error"] != strings.TrimSpace(code) {
			t.Errorf("%v: HTTP %d %v, want %s", fields, w.status, out, code)
		}
	}
	for kind, body := range map[string]string{"text/plain": "x", "application/json": "{", "application/x-www-form-urlencoded": "%zz"} {
		if out := decodeJSON(t, w.send("POST", "/admin/oauth/access_token", kind, body)); w.status != 400 || out["error"] != "invalid_request" {
			t.Errorf("%s: HTTP %d %v", kind, w.status, out)
		}
	}
	if w.send("GET", "/admin/oauth/access_token", "", ""); w.status != 404 {
		t.Errorf("GET: HTTP %d", w.status)
	}
	if w.Calls()["token refused"] != 9 || w.Calls()["token"] != 0 {
		t.Errorf("calls are %v", w.Calls())
	}
}

// A used refresh token is valid until what it gave is first used, so a lost
// answer can be asked for again.
func TestARefreshTokenRotates(t *testing.T) {
	w := serve(t, nil)
	refresh := func(token any) map[string]any {
		return w.grant(false, map[string]string{"grant_type": "refresh_token", "refresh_token": fmt.Sprint(token)})
	}
	first := w.Install()
	if !w.enters(first.Access) {
		t.Fatal("what an install gives is not let in")
	}
	lost := refresh(first.Refresh)
	same(t, lost, 3600, "expires_in")
	same(t, lost, 90*24*3600, "refresh_token_expires_in")
	second := refresh(first.Refresh)
	if second["error"] != nil || second["refresh_token"] == lost["refresh_token"] {
		t.Fatalf("after a lost answer: %v", second)
	}
	if !w.enters(second["access_token"]) {
		t.Error("what a refresh gives is not let in")
	}
	for name, token := range map[string]any{"used": first.Refresh, "lost": lost["refresh_token"]} {
		if out := refresh(token); out["error"] != "invalid_grant" {
			t.Errorf("the %s one is still valid: %v", name, out)
		}
	}
	if w.enters(lost["access_token"]) {
		t.Error("the lost access token is let in")
	}
	third := refresh(second["refresh_token"])
	refresh(third["refresh_token"]) // uses it without ever using the access token
	if out := refresh(second["refresh_token"]); out["error"] != "invalid_grant" {
		t.Errorf("what was replaced by a used one is valid: %v", out)
	}
	w.now = w.now.Add(time.Hour)
	if w.enters(second["access_token"]) {
		t.Error("an access token lives longer than an hour")
	}
	w.now = w.now.Add(90 * 24 * time.Hour)
	if out := refresh(third["refresh_token"]); out["error"] != "invalid_grant" {
		t.Errorf("a refresh token lives longer than 90 days: %v", out)
	}
}

func TestTokensEndWhenOrdered(t *testing.T) {
	w := serve(t, nil)
	tokens := w.Install()
	w.must(w.Order("expire tokens"))
	if w.enters(tokens.Access) || !w.enters("shpat_test") {
		t.Error("expire tokens ends what was granted, and only that")
	}
	if out := w.grant(true, map[string]string{"grant_type": "refresh_token", "refresh_token": tokens.Refresh}); !w.enters(out["access_token"]) {
		t.Error("the refresh token ended too")
	}
	w.must(w.Order("token revoke"))
	if w.enters("shpat_test") {
		t.Error("a revoked token is let in")
	}
	w.must(w.Order("token restore"))
	if !w.enters("shpat_test") {
		t.Error("a token that was given back is not let in")
	}
}

func TestWhatScopesDontAllowIsDenied(t *testing.T) {
	w := serve(t, nil)
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	item := gid("InventoryItem", w.product("TEA").itemID)
	for _, c := range []struct{ scopes, query, field, need string }{
		{"read_orders", `{ orders(first: 1) { nodes { id } } }`, "", ""},
		{"write_orders", `{ orders(first: 1) { nodes { id } } }`, "", ""},
		{"read_products", `{ orders(first: 1) { nodes { id } } }`, "orders", "read_orders"},
		{"read_products", `{ order(id: "gid://shopify/Order/1") { id } }`, "order", "read_orders"},
		{"read_products", `{ nodes(ids: ["gid://shopify/Order/1"]) { id } }`, "nodes", "read_orders"},
		{"read_orders", `{ order(id: "gid://shopify/Order/1") { customer { id } } }`, "customer", "read_customers"},
		{"read_orders read_customers", `{ order(id: "gid://shopify/Order/1") { customer { id } } }`, "", ""},
		{"read_orders", `{ order(id: "gid://shopify/Order/1") { fulfillmentOrders(first: 1) { nodes { id } } } }`, "fulfillmentOrders", "read_merchant_managed_fulfillment_orders"},
		{"read_orders read_assigned_fulfillment_orders", `{ order(id: "gid://shopify/Order/1") { fulfillmentOrders(first: 1) { nodes { id } } } }`, "", ""},
		{"read_orders", `{ products(first: 1) { nodes { id } } }`, "products", "read_products"},
		{"read_orders", `{ locations(first: 1) { nodes { id } } }`, "locations", "read_locations"},
		{"read_orders", `{ inventoryItem(id: "` + item + `") { id } }`, "inventoryItem", "read_inventory"},
		{"read_inventory", `mutation { inventoryActivate(inventoryItemId: "` + item + `", locationId: "gid://shopify/Location/1") @idempotent(key: "k") { userErrors { message } } }`, "inventoryActivate", "write_inventory"},
		{"read_orders", `mutation { fulfillmentCancel(id: "gid://shopify/Fulfillment/1") { userErrors { message } } }`, "fulfillmentCancel", "write_merchant_managed_fulfillment_orders"},
		{"none", `{ shop { name } }`, "", ""},
	} {
		w.must(w.Order("scopes " + c.scopes))
		out := w.try(c.query, "", nil)
		if c.field == "" {
			if out["errors"] != nil {
				t.Errorf("%s, %s: %v", c.scopes, c.query, out["errors"])
			}
			continue
		}
		code, message := errorCode(t, out)
		if w.status != 200 || code != "ACCESS_DENIED" || message != "Access denied for "+c.field+" field. Required access: `"+c.need+"` access scope." {
			t.Errorf("%s, %s: HTTP %d %s %s", c.scopes, c.query, w.status, code, message)
		}
	}
	w.must(w.Order("scopes read_orders write_products"))
	out := w.do("{ currentAppInstallation { accessScopes { handle } } }", "", nil)
	same(t, out, []any{map[string]any{"handle": "read_orders"}, map[string]any{"handle": "read_products"}, map[string]any{"handle": "write_products"}}, "currentAppInstallation", "accessScopes")
	if problem, _ := w.subscribeTo("INVENTORY_LEVELS_UPDATE", map[string]any{"uri": "https://h/a"}); !strings.Contains(problem, "specified topic") {
		t.Errorf("a topic without its scope: %q", problem)
	}
	w.must(w.Order("scopes all"))
	if n := len(at(t, w.do("{ currentAppInstallation { accessScopes { handle } } }", "", nil), "currentAppInstallation", "accessScopes").([]any)); n < 10 {
		t.Errorf("%d scopes are all", n)
	}
}

func TestWebhooksAreSignedWithTheOldOrTheNewSecret(t *testing.T) {
	w := serve(t, nil)
	signed := func() string {
		w.buy(Buy{Lines: []Line{{SKU: "CUP", Quantity: 1}}})
		d := w.drain(200)[0]
		for _, secret := range []string{"shpss_test_secret", "shpss_2"} {
			if d.Header.Get("X-Shopify-Hmac-Sha256") == Sign(secret, d.Body) {
				return secret
			}
		}
		return "neither"
	}
	for _, c := range []struct{ order, want string }{
		{"sign old", "shpss_test_secret"}, {"rotate shpss_2", "shpss_test_secret"}, {"sign new", "shpss_2"}, {"sign old", "shpss_test_secret"}, {"sign new", "shpss_2"},
	} {
		w.must(w.Order(c.order))
		if got := signed(); got != c.want {
			t.Errorf("after %s: signed with %s", c.order, got)
		}
	}
	for secret, want := range map[string]int{"shpss_test_secret": 200, "shpss_2": 200, "shpss_3": 400} {
		if w.grant(true, map[string]string{"grant_type": "client_credentials", "client_secret": secret}); w.status != want {
			t.Errorf("a token for %s: HTTP %d", secret, w.status)
		}
	}
}
