package shopify

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// productObject is a product with its one variant; nil for none.
func (s *Server) productObject(p *product) *object {
	if p == nil {
		return nil
	}
	return &object{typ: "Product", fields: fields{"id": gid("Product", p.id), "legacyResourceId": fmt.Sprint(p.id), "title": p.title,
		"handle": strings.ToLower(strings.ReplaceAll(p.sku, " ", "-")), "status": "ACTIVE", "vendor": s.Shop, "productType": "",
		"createdAt": utc(p.created), "updatedAt": utc(p.updated),
		"variants": pageOf("ProductVariant", 1, func(int) *object { return s.variantObject(p) })}}
}

// variantObject is a product's variant; nil for none.
func (s *Server) variantObject(p *product) *object {
	if p == nil {
		return nil
	}
	sum := 0
	for _, at := range s.locations {
		if l := s.levels[levelKey{p.itemID, at.id}]; l != nil && !l.inactive {
			sum += l.available
		}
	}
	return &object{typ: "ProductVariant", fields: fields{
		"id": gid("ProductVariant", p.variantID), "legacyResourceId": fmt.Sprint(p.variantID), "sku": text(p.sku),
		"title": "Default Title", "displayName": p.title + " - Default Title", "price": s.money(p.price), "barcode": text(p.barcode),
		"taxable": len(p.tax) > 0, "inventoryPolicy": "CONTINUE", "inventoryQuantity": sum, "position": 1,
		"createdAt": utc(p.created), "updatedAt": utc(p.updated), "product": lazy(func() any { return s.productObject(p) }),
		"inventoryItem": lazy(func() any { return s.itemObject(p) })}}
}

// itemObject is a product's inventory item; nil for none.
func (s *Server) itemObject(p *product) *object {
	if p == nil {
		return nil
	}
	return &object{typ: "InventoryItem", fields: fields{
		"id": gid("InventoryItem", p.itemID), "legacyResourceId": fmt.Sprint(p.itemID), "sku": text(p.sku), "tracked": !p.untracked,
		"requiresShipping": true, "createdAt": utc(p.created), "updatedAt": utc(p.itemUpdate),
		"variant": lazy(func() any { return s.variantObject(p) }),
		"inventoryLevel": resolve(func(a arguments) (any, error) {
			id, err := parseGID("Location", a["locationId"])
			if err != nil {
				return nil, err
			}
			l := s.levels[levelKey{p.itemID, id}]
			if l == nil || (l.inactive && a["includeInactive"] != true) {
				return nil, nil
			}
			return s.levelObject(l), nil
		}),
		"inventoryLevels": resolve(func(a arguments) (any, error) {
			return s.pageLevels(a, func(l *level) bool { return l.product == p })
		}),
	}}
}

// pageLevels pages the levels that are wanted, products by locations as they were added.
func (s *Server) pageLevels(a arguments, want func(*level) bool) (any, error) {
	if search, _ := a["query"].(string); search != "" {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search inventory levels")
	}
	var all []entry
	for i, p := range s.products {
		for j, at := range s.locations {
			l := s.levels[levelKey{p.itemID, at.id}]
			if l != nil && want(l) && (!l.inactive || a["includeInactive"] == true) {
				all = append(all, entry{fmt.Sprintf("%010d/%010d", i, j), func() *object { return s.levelObject(l) }})
			}
		}
	}
	return connection("InventoryLevel", a, all)
}

// levelNode finds a level by its gid, which has the item in its query part.
func (s *Server) levelNode(value any) (any, error) {
	text := fmt.Sprint(value)
	head, query, _ := strings.Cut(text, "?")
	id, err := parseGID("InventoryLevel", head)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(query)
	item, err2 := strconv.ParseUint(values.Get("inventory_item_id"), 10, 64)
	if err != nil || err2 != nil {
		return nil, refused("INVALID_VARIABLE", "Invalid global id '%s'", text)
	}
	return s.levelObject(s.levels[levelKey{item, id}]), nil
}

func (s *Server) levelObject(l *level) *object {
	if l == nil {
		return nil
	}
	return &object{typ: "InventoryLevel", fields: fields{
		"id": l.gid(), "isActive": !l.inactive, "createdAt": utc(l.created), "updatedAt": utc(l.updated),
		"item": lazy(func() any { return s.itemObject(l.product) }), "location": lazy(func() any { return s.locationObject(l.location) }),
		"quantities": resolve(func(a arguments) (any, error) {
			out := []any{}
			for _, name := range items(a["names"]) {
				n, ok := l.quantity(fmt.Sprint(name))
				if !ok {
					return nil, refused("INVALID_FIELD_ARGUMENTS", "%v is no name of an inventory quantity", name)
				}
				out = append(out, &object{typ: "InventoryQuantity", fields: fields{
					"id":   fmt.Sprintf("gid://shopify/InventoryQuantity/%d?inventory_item_id=%d&name=%s", l.location.id, l.product.itemID, name),
					"name": name, "quantity": n, "updatedAt": utc(l.updated)}})
			}
			return out, nil
		}),
	}}
}

// locationObject is a location; nil for none. Its address is the shop's country only.
func (s *Server) locationObject(l *location) *object {
	if l == nil {
		return nil
	}
	return &object{typ: "Location", fields: fields{
		"id": gid("Location", l.id), "legacyResourceId": fmt.Sprint(l.id), "name": l.name, "isActive": true, "fulfillsOnlineOrders": true,
		"shipsInventory": true, "isFulfillmentService": false, "updatedAt": utc(l.updated),
		"address": &object{typ: "LocationAddress", fields: fields{"countryCode": s.Country, "zip": nil}},
		"inventoryLevel": resolve(func(a arguments) (any, error) {
			id, err := parseGID("InventoryItem", a["inventoryItemId"])
			if err != nil {
				return nil, err
			}
			level := s.levels[levelKey{id, l.id}]
			if level == nil || (level.inactive && a["includeInactive"] != true) {
				return nil, nil
			}
			return s.levelObject(level), nil
		}),
		"inventoryLevels": resolve(func(a arguments) (any, error) {
			return s.pageLevels(a, func(level *level) bool { return level.location == l })
		}),
	}}
}
