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
	return fields{
		"order": resolve(func(a arguments) (any, error) {
			id, err := parseGID("Order", a["id"])
			if err != nil {
				return nil, err
			}
			return s.orderObject(s.orderByID(id)), nil
		}),
		"orders": resolve(s.queryOrders),
		"node":   resolve(func(a arguments) (any, error) { return s.node(a["id"]) }),
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
		"inventoryItem": resolve(func(a arguments) (any, error) {
			id, err := parseGID("InventoryItem", a["id"])
			if err != nil {
				return nil, err
			}
			return s.itemObject(s.item(id)), nil
		}),
		"inventoryLevel": resolve(func(a arguments) (any, error) { return s.levelNode(a["id"]) }),
		"location": resolve(func(a arguments) (any, error) {
			if a["id"] == nil {
				return nil, refused("BAD_REQUEST", "the stand-in answers location only by its id")
			}
			id, err := parseGID("Location", a["id"])
			if err != nil {
				return nil, err
			}
			return s.locationObject(s.place(id)), nil
		}),
		"locations":         resolve(s.queryLocations),
		"publicApiVersions": []any{apiVersion(Version, true)},
		"shop":              s.shopObject(),
	}
}

func apiVersion(handle string, supported bool) *object {
	return &object{typ: "ApiVersion", fields: fields{"handle": handle, "supported": supported, "displayName": handle}}
}

func (s *Server) shopObject() *object {
	return &object{typ: "Shop", fields: fields{
		"id": "gid://shopify/Shop/548380009", "name": strings.Split(s.Shop, ".")[0], "myshopifyDomain": s.Shop, "currencyCode": s.Currency,
		"ianaTimezone": s.Zone.String(), "taxesIncluded": s.TaxesIncluded,
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
		return s.orderObject(s.orderByID(id)), nil
	case "InventoryItem":
		return s.itemObject(s.item(id)), nil
	case "Location":
		return s.locationObject(s.place(id)), nil
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
	at := slices.IndexFunc(s.products, func(p *product) bool { return p.itemID == id })
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
var orderKeys = map[string]func(*order) string{
	"UPDATED_AT":   func(o *order) string { return stamp(o.updated) },
	"CREATED_AT":   func(o *order) string { return stamp(o.created) },
	"PROCESSED_AT": func(o *order) string { return stamp(o.created) },
	"ID":           func(*order) string { return "" },
	"ORDER_NUMBER": func(*order) string { return "" }, // an order's number is its id
}

func stamp(t time.Time) string { return t.UTC().Format("20060102150405") }

func (s *Server) queryOrders(a arguments) (any, error) {
	key := orderKeys[fmt.Sprint(a["sortKey"])]
	if key == nil {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not sort orders by %v", a["sortKey"])
	}
	if a["savedSearchId"] != nil {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in has no saved searches")
	}
	text, _ := a["query"].(string)
	match, err := parseSearch(text)
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, o := range s.orders {
		if match(o) {
			found = append(found, entry{key(o) + fmt.Sprintf("/%020d", o.id), func() *object { return s.orderObject(o) }})
		}
	}
	slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.key, b.key) })
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
	slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return connection("Location", a, found)
}
