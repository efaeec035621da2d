package shopify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queries are the root fields of QueryRoot.
func (s *Server) queries() fields {
	one := func(a arguments) (any, error) { return s.node(a["id"]) }
	of := func(kind string) resolve {
		return func(a arguments) (any, error) {
			if _, err := parseGID(kind, a["id"]); err != nil {
				return nil, err
			}
			return one(a)
		}
	}
	return fields{
		"node": resolve(one), "order": of("Order"), "inventoryItem": of("InventoryItem"), "product": of("Product"),
		"productVariant": of("ProductVariant"), "fulfillment": of("Fulfillment"), "fulfillmentOrder": of("FulfillmentOrder"),
		"bulkOperation": of("BulkOperation"), "webhookSubscription": of("WebhookSubscription"),
		"nodes": resolve(func(a arguments) (any, error) {
			out := []any{}
			for _, id := range items(a["ids"]) {
				one, err := s.node(id)
				if err != nil {
					return nil, err
				}
				out = append(out, one)
			}
			return out, nil
		}),
		"inventoryLevel": resolve(func(a arguments) (any, error) { return s.levelNode(a["id"]) }),
		"location": resolve(func(a arguments) (any, error) {
			if a["id"] == nil {
				return nil, refused("BAD_REQUEST", "the stand-in answers location only by its id")
			}
			return of("Location")(a)
		}),
		"orders": resolve(s.queryOrders), "locations": resolve(s.queryLocations), "fulfillmentOrders": resolve(s.queryFulfilOrders),
		"products": resolve(s.queryProducts), "productVariants": resolve(s.queryVariants), "inventoryItems": resolve(s.queryItems),
		"bulkOperations": resolve(s.queryBulks), "currentBulkOperation": resolve(s.currentBulk),
		"webhookSubscriptions":   resolve(s.querySubscriptions),
		"currentAppInstallation": lazy(func() any { return s.installation() }),
		"publicApiVersions":      s.versions(),
		"shop":                   s.shopObject(),
	}
}

// versions are those of November 2026: four are supported, the next one can be
// tried (shopify.dev "versioning").
func (s *Server) versions() []any {
	return []any{apiVersion("2026-01", true), apiVersion("2026-04", true), apiVersion("2026-07", true), apiVersion("2026-10", true),
		apiVersion("2027-01", false), apiVersion("unstable", false)}
}

func apiVersion(handle string, supported bool) *object {
	return &object{typ: "ApiVersion", fields: fields{"handle": handle, "supported": supported, "displayName": handle}}
}

func (s *Server) shopObject() *object {
	return &object{typ: "Shop", fields: fields{
		"id": "gid://shopify/Shop/548380009", "name": strings.Split(s.Shop, ".")[0], "myshopifyDomain": s.Shop, "currencyCode": s.Currency,
		"ianaTimezone": s.Zone.String(), "taxesIncluded": s.TaxesIncluded, "weightUnit": "KILOGRAMS", "url": "https://" + s.Shop,
		"email": "owner@" + s.Shop, "contactEmail": "owner@" + s.Shop, "enabledPresentmentCurrencies": []any{s.Currency},
		"plan": &object{typ: "ShopPlan", fields: fields{
			"publicDisplayName": "Basic", "shopifyPlus": s.Restore >= 1000, "partnerDevelopment": true}},
	}}
}

// items are the elements of a list argument, which may be one bare value.
func items(value any) []any {
	switch v := value.(type) {
	case []any:
		return v
	case nil:
		return nil
	}
	return []any{value}
}

// node finds any object by its gid; nil for one the shop doesn't have.
func (s *Server) node(value any) (any, error) {
	text := fmt.Sprint(value)
	kind, _, _ := strings.Cut(strings.TrimPrefix(text, "gid://shopify/"), "/")
	if kind == "InventoryLevel" {
		return s.levelNode(value)
	}
	id, err := parseGID(kind, value)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "Order":
		if o := s.orderByID(id); o != nil && !s.tooOld(o) {
			return s.orderObject(o), nil
		}
		return nil, nil
	case "InventoryItem":
		return s.itemObject(s.item(id)), nil
	case "Location":
		return s.locationObject(s.place(id)), nil
	case "Product":
		return s.productObject(s.productBy(func(p *product) bool { return p.id == id })), nil
	case "ProductVariant":
		return s.variantObject(s.productBy(func(p *product) bool { return p.variantID == id })), nil
	case "FulfillmentOrder":
		return s.fulfilOrderObject(s.fulfilOrdersByID[id]), nil
	case "Fulfillment":
		return s.fulfilmentObject(s.fulfilmentsByID[id]), nil
	case "BulkOperation":
		return s.bulkObject(s.bulkByID(id)), nil
	case "WebhookSubscription":
		return s.subscriptionObject(s.subscription(id)), nil
	case "Customer":
		for _, c := range s.customers {
			if c.id == id {
				return s.customerObject(c), nil
			}
		}
		return nil, nil
	}
	return nil, refused("NOT_IN_STAND_IN", "the stand-in does not answer node of a %s", kind)
}

// parseGID reads the number of a global id of one kind.
func parseGID(kind string, value any) (uint64, error) {
	text := fmt.Sprint(value)
	of, tail, ok := strings.Cut(strings.TrimPrefix(text, "gid://shopify/"), "/")
	id, err := strconv.ParseUint(tail, 10, 64)
	if !strings.HasPrefix(text, "gid://shopify/") || !ok || of == "" || err != nil {
		return 0, refused("INVALID_VARIABLE", "Invalid global id '%s'", text)
	}
	if of != kind {
		return 0, refused("RESOURCE_NOT_FOUND", "Invalid id: %s", text)
	}
	return id, nil
}

func (s *Server) orderByID(id uint64) *order {
	return s.byNumber[int(id)] // an order's id is its number
}

func (s *Server) item(id uint64) *product {
	return s.productBy(func(p *product) bool { return p.itemID == id })
}

func (s *Server) productBy(is func(*product) bool) *product {
	at := slices.IndexFunc(s.products, is)
	if at < 0 {
		return nil
	}
	return s.products[at]
}

func (s *Server) place(id uint64) *location {
	at := slices.IndexFunc(s.locations, func(l *location) bool { return l.id == id })
	if at < 0 {
		return nil
	}
	return s.locations[at]
}

// orderKeys are the sort keys the stand-in knows. Keys compare as text.
// UPDATED_AT is what the search index believes.
var orderKeys = map[string]func(*Server, *order) string{
	"UPDATED_AT":   func(s *Server, o *order) string { return stamp(s.indexed(o)) },
	"CREATED_AT":   func(_ *Server, o *order) string { return stamp(o.created) },
	"PROCESSED_AT": func(_ *Server, o *order) string { return stamp(o.created) },
	"ID":           func(*Server, *order) string { return "" },
	"ORDER_NUMBER": func(*Server, *order) string { return "" }, // an order's number is its id
}

func stamp(t time.Time) string { return t.UTC().Format("20060102150405") }

func byKey(a, b entry) int { return strings.Compare(a.key, b.key) }

// old is how far back orders are given to apps without read_all_orders (schema
// 2026-07, QueryRoot.order).
const old = 60 * 24 * time.Hour

func (s *Server) tooOld(o *order) bool {
	return !s.granted("read_all_orders") && o.created.Before(s.Clock().Add(-old))
}

// indexed is when an order was updated, as far as the search index knows; zero
// while it doesn't know the order at all. The index follows the shop by `lag`.
func (s *Server) indexed(o *order) time.Time {
	if s.lag == 0 {
		return o.updated
	}
	edge := s.Clock().Add(-s.lag)
	for _, u := range slices.Backward(o.updates) {
		if !u.at.After(edge) {
			return u.updated
		}
	}
	return time.Time{}
}

func (s *Server) queryOrders(a arguments) (any, error) {
	key := orderKeys[fmt.Sprint(a["sortKey"])]
	if key == nil {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not sort orders by %v", a["sortKey"])
	}
	if a["savedSearchId"] != nil {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in has no saved searches")
	}
	match, err := search(a["query"], "orders", orderTerms(s.indexed))
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, o := range s.orders {
		if match(o) && !s.tooOld(o) && !s.indexed(o).IsZero() {
			found = append(found, entry{key(s, o) + fmt.Sprintf("/%020d", o.id), func() *object { return s.orderObject(o) }})
		}
	}
	slices.SortFunc(found, byKey)
	return connection("Order", a, found)
}

func (s *Server) queryLocations(a arguments) (any, error) {
	if text, _ := a["query"].(string); text != "" {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search locations")
	}
	if key := fmt.Sprint(a["sortKey"]); key != "NAME" && key != "ID" {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not sort locations by %s", key)
	}
	var found []entry
	for _, l := range s.locations {
		key := fmt.Sprintf("%020d", l.id)
		if fmt.Sprint(a["sortKey"]) == "NAME" {
			key = l.name + "/" + key
		}
		found = append(found, entry{key, func() *object { return s.locationObject(l) }})
	}
	slices.SortFunc(found, byKey)
	return connection("Location", a, found)
}
