package shopify

import (
	"fmt"
	"slices"
	"time"
)

// productTerms are what products and their variants are searched by.
var productTerms = terms[*product]{
	"id":         byNumber(func(p *product) uint64 { return p.id }),
	"created_at": byTime(func(p *product) time.Time { return p.created }),
	"updated_at": byTime(func(p *product) time.Time { return p.updated }),
	"sku":        byText(func(p *product) string { return p.sku }),
	"barcode":    byText(func(p *product) string { return p.barcode }),
	"title":      byText(func(p *product) string { return p.title }),
	"status":     byText(func(*product) string { return "active" }),
}

func (s *Server) queryProducts(a arguments) (any, error) {
	return s.queryCatalogue(a, "Product", productTerms, map[string]func(*product) string{
		"ID":         func(p *product) string { return fmt.Sprintf("%020d", p.id) },
		"UPDATED_AT": func(p *product) string { return stamp(p.updated) },
		"CREATED_AT": func(p *product) string { return stamp(p.created) },
		"TITLE":      func(p *product) string { return p.title },
	}, s.productObject)
}

func (s *Server) queryVariants(a arguments) (any, error) {
	known := terms[*product]{}
	for name, t := range productTerms {
		known[name] = t
	}
	known["id"] = byNumber(func(p *product) uint64 { return p.variantID })
	known["product_id"] = byNumber(func(p *product) uint64 { return p.id })
	return s.queryCatalogue(a, "ProductVariant", known, map[string]func(*product) string{
		"ID":  func(p *product) string { return fmt.Sprintf("%020d", p.variantID) },
		"SKU": func(p *product) string { return p.sku },
	}, s.variantObject)
}

func (s *Server) queryItems(a arguments) (any, error) {
	a["sortKey"] = "ID" // inventoryItems has no other order
	return s.queryCatalogue(a, "InventoryItem", terms[*product]{
		"id":         byNumber(func(p *product) uint64 { return p.itemID }),
		"sku":        byText(func(p *product) string { return p.sku }),
		"created_at": byTime(func(p *product) time.Time { return p.created }),
		"updated_at": byTime(func(p *product) time.Time { return p.itemUpdate }),
	}, map[string]func(*product) string{
		"ID": func(p *product) string { return fmt.Sprintf("%020d", p.itemID) },
	}, s.itemObject)
}

// queryCatalogue pages what there is of each product: the product, its variant
// or its inventory item.
func (s *Server) queryCatalogue(a arguments, typ string, known terms[*product], keys map[string]func(*product) string,
	make func(*product) *object) (any, error) {
	key := keys[fmt.Sprint(a["sortKey"])]
	if key == nil || a["savedSearchId"] != nil {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not sort a %s by %v and has no saved searches", typ, a["sortKey"])
	}
	match, err := search(a["query"], "products", known)
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, p := range s.products {
		if match(p) {
			found = append(found, entry{fmt.Sprintf("%s/%020d", key(p), p.id), func() *object { return make(p) }})
		}
	}
	slices.SortFunc(found, byKey)
	return connection(typ, a, found)
}
