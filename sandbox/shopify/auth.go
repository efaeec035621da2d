package shopify

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Lives of what /admin/oauth/access_token gives (shopify.dev "client credentials
// grant" and "offline access tokens").
const (
	clientLife  = 86399 * time.Second
	offlineLife = time.Hour
	refreshLife = 90 * 24 * time.Hour
)

// keys are the tokens that are valid.
type keys struct {
	access  map[string]*grant
	refresh map[string]*grant
	revoked bool // Config.Token is valid no more
	former  string
	signOld bool
}

// grant is an access token, with a refresh token when it came with one.
type grant struct {
	access, refresh string
	ends, lasts     time.Time // of the access and of the refresh token
	before          *grant    // what was given up for it; valid until this is first used
	after           []*grant
}

// Tokens are an access token and the refresh token that renews it.
type Tokens struct{ Access, Refresh string }

// Install is a merchant who installs the app: it gives an offline access token of
// an hour and its refresh token of 90 days, as the authorization code grant with
// expiring=1 would.
func (s *Server) Install() Tokens {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.newOffline(nil)
	return Tokens{g.access, g.refresh}
}

func (s *Server) secretText(prefix string) string {
	return fmt.Sprintf("%s_%016x%016x", prefix, s.side.Uint64(), s.side.Uint64())
}

func (s *Server) newOffline(before *grant) *grant {
	now := s.Clock()
	g := &grant{access: s.secretText("shpat"), refresh: s.secretText("shprt"), ends: now.Add(offlineLife), lasts: now.Add(refreshLife), before: before}
	if before != nil {
		before.after = append(before.after, g)
	}
	s.access[g.access], s.refresh[g.refresh] = g, g
	return g
}

// used is the first use of what a refresh gave: from then on what it replaces is
// worth nothing, nor is another answer to the same refresh.
func (s *Server) used(g *grant) {
	if g.before == nil {
		return
	}
	delete(s.refresh, g.before.refresh)
	for _, other := range g.before.after {
		if other != g {
			delete(s.access, other.access)
			delete(s.refresh, other.refresh)
		}
	}
	g.before = nil
}

// mayEnter tells whether an access token is valid now.
func (s *Server) mayEnter(token string) bool {
	if token == "" {
		return false
	}
	if token == s.Token {
		return !s.revoked
	}
	g := s.access[token]
	if g == nil || !s.Clock().Before(g.ends) {
		return false
	}
	s.used(g)
	return true
}

// token answers POST /admin/oauth/access_token: the grants client_credentials and
// refresh_token, as a form or as JSON. Errors have the form of RFC 6749; Shopify
// publishes no list of them.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	asked, err := tokenRequest(r)
	deny := func(code, why string) {
		s.calls["token refused"]++
		answer(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": why})
	}
	switch {
	case err != nil:
		deny("invalid_request", err.Error())
	case asked.Get("client_id") != s.Client || !s.knowsSecret(asked.Get("client_secret")):
		deny("invalid_client", "The client id or the client secret is wrong.")
	case asked.Get("grant_type") == "client_credentials":
		s.calls["token"]++
		g := &grant{access: s.secretText("shpat"), ends: s.Clock().Add(clientLife)}
		s.access[g.access] = g
		answer(w, http.StatusOK, pairs{{"access_token", g.access}, {"scope", strings.Join(s.handles(), ",")}, {"expires_in", int(clientLife.Seconds())}})
	case asked.Get("grant_type") == "refresh_token":
		g := s.refresh[asked.Get("refresh_token")]
		if g == nil || !s.Clock().Before(g.lasts) {
			deny("invalid_grant", "The refresh token is unknown, was replaced or has expired.")
			return
		}
		s.calls["token"]++
		s.used(g)
		next := s.newOffline(g)
		answer(w, http.StatusOK, pairs{{"access_token", next.access}, {"scope", strings.Join(s.handles(), ",")}, {"expires_in", int(offlineLife.Seconds())},
			{"refresh_token", next.refresh}, {"refresh_token_expires_in", int(refreshLife.Seconds())}})
	default:
		deny("unsupported_grant_type", "The stand-in gives client_credentials and refresh_token.")
	}
}

func tokenRequest(r *http.Request) (url.Values, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		return url.ParseQuery(string(raw))
	case "application/json":
		var fields map[string]string
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, fmt.Errorf("the body is no JSON object of strings: %w", err)
		}
		out := url.Values{}
		for name, value := range fields {
			out.Set(name, value)
		}
		return out, nil
	}
	return nil, fmt.Errorf("the body is neither a form nor JSON but %q", kind)
}

// knowsSecret takes the secret before, too: a rotated secret is valid until it is
// revoked (shopify.dev "client secrets").
func (s *Server) knowsSecret(secret string) bool {
	return secret != "" && (secret == s.Secret || secret == s.former)
}

// signing is the secret webhooks are signed with. After a rotation that may be
// the old one for an hour (shopify.dev "verify deliveries").
func (s *Server) signing() string {
	if s.signOld && s.former != "" {
		return s.former
	}
	return s.Secret
}

// every are the scopes the stand-in tells apart.
var every = []string{"read_all_orders", "read_customers", "read_fulfillments", "read_inventory", "read_locations",
	"read_merchant_managed_fulfillment_orders", "read_orders", "read_products", "write_fulfillments", "write_inventory",
	"write_merchant_managed_fulfillment_orders", "write_orders", "write_products"}

// handles are the scopes granted: a write scope contains its read scope.
func (s *Server) handles() []string {
	if s.Scopes == nil {
		return every
	}
	out := slices.Clone(s.Scopes)
	for _, handle := range s.Scopes {
		if of, ok := strings.CutPrefix(handle, "write_"); ok {
			out = append(out, "read_"+of)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// granted tells whether the app has a scope; any of several, split by blanks. No
// scope is always granted.
func (s *Server) granted(anyOf string) bool {
	if s.Scopes == nil || anyOf == "" {
		return true
	}
	has := s.handles()
	return slices.ContainsFunc(strings.Fields(anyOf), func(one string) bool { return slices.Contains(has, one) })
}

const (
	readFulfilOrders  = "read_merchant_managed_fulfillment_orders read_assigned_fulfillment_orders read_third_party_fulfillment_orders"
	writeFulfilOrders = "write_merchant_managed_fulfillment_orders write_assigned_fulfillment_orders write_third_party_fulfillment_orders"
)

// needs are the scopes of fields, by type and field. A type alone is what node,
// nodes and any other way to it need. Any of several scopes is enough.
var needs = map[string]string{
	"Order": "read_orders", "QueryRoot.orders": "read_orders", "Product": "read_products", "ProductVariant": "read_products",
	"QueryRoot.products": "read_products", "QueryRoot.productVariants": "read_products",
	"InventoryItem": "read_inventory read_products", "InventoryLevel": "read_inventory", "QueryRoot.inventoryItems": "read_inventory read_products",
	"QueryRoot.locations": "read_locations", "QueryRoot.location": "read_locations",
	"Customer": "read_customers", "FulfillmentOrder": readFulfilOrders, "QueryRoot.fulfillmentOrders": readFulfilOrders,
	"Order.fulfillmentOrders":    readFulfilOrders,
	"Fulfillment":                "read_fulfillments read_orders " + readFulfilOrders,
	"Mutation.fulfillmentCreate": writeFulfilOrders, "Mutation.fulfillmentCancel": writeFulfilOrders,
	"Mutation.fulfillmentTrackingInfoUpdate": writeFulfilOrders,
	"Mutation.inventorySetQuantities":        "write_inventory", "Mutation.inventoryActivate": "write_inventory",
}

// topicScopes are the scopes topics need, by the topic's first word.
var topicScopes = map[string]string{"ORDERS": "read_orders", "INVENTORY": "read_inventory", "FULFILLMENTS": "read_fulfillments read_orders " + readFulfilOrders,
	"PRODUCTS": "read_products", "LOCATIONS": "read_locations", "CUSTOMERS": "read_customers"}

// allow refuses what the app's scopes don't allow, in Shopify's words.
func (s *Server) allow(what, field string) error {
	need := needs[what]
	if s.granted(need) {
		return nil
	}
	first, _, _ := strings.Cut(need, " ")
	e := refused("ACCESS_DENIED", "Access denied for %s field. Required access: `%s` access scope.", field, first)
	e.extra = map[string]any{"documentation": "https://shopify.dev/api/usage/access-scopes", "requiredAccess": "`" + first + "` access scope."}
	return e
}

func (s *Server) installation() *object {
	scopes := []any{}
	for _, handle := range s.handles() {
		scopes = append(scopes, &object{typ: "AccessScope", fields: fields{"handle": handle, "description": strings.ReplaceAll(handle, "_", " ")}})
	}
	return &object{typ: "AppInstallation", fields: fields{"id": "gid://shopify/AppInstallation/580111", "accessScopes": scopes}}
}
