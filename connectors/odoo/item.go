package odoo

import (
	"encoding/json"

	"github.com/crossdockhq/crossdock"
)

// priceDigits bounds the decimals kept of a price: Odoo's own setting "Product
// Price" is 2 by default and 19 does not round prices at all.
const priceDigits = 6

// translateItem reads a product.product. Stocked are only products whose quantity
// Odoo tracks: detailed_type "product" on 16, is_storable since 18.
func translateItem(r row, _ crossdock.Message, s crossdock.Statement) (crossdock.Statement, error) {
	f := &reader{row: r}
	item := crossdock.Item{
		SKU: f.str("default_code"), Barcode: f.str("barcode"), Name: f.str("name"),
		Unit: f.name("uom_id"), Active: f.bool("active"),
		Price: crossdock.Money{Amount: f.num("list_price", priceDigits), Currency: f.name("currency_id")},
	}
	if _, old := r["detailed_type"]; old {
		item.Stocked = f.str("detailed_type") == "product"
	} else {
		item.Stocked = f.bool("is_storable")
	}
	if f.err != nil {
		return s, f.err
	}
	if item.SKU != "" {
		s.Names = append(s.Names, "sku:"+item.SKU)
	}
	if item.Barcode != "" {
		s.Names = append(s.Names, "barcode:"+item.Barcode)
	}
	return pack(s, item)
}

// translateSite reads a stock.warehouse.
func translateSite(r row, _ crossdock.Message, s crossdock.Statement) (crossdock.Statement, error) {
	f := &reader{row: r}
	site := crossdock.Site{Code: f.str("code"), Name: f.str("name")}
	if f.bool("active") && f.err == nil && site.Code != "" {
		s.Names = []string{"site:" + site.Code}
	}
	if f.err != nil {
		return s, f.err
	}
	return pack(s, site)
}

// translateTax reads an account.tax that is used on sales. One that is archived
// keeps its record and loses its name, so that nothing new finds it. A percentage
// has a rate, a fixed tax an amount a unit; a group and a "division" have neither,
// because only Odoo computes them: Kept says so.
func translateTax(r row, _ crossdock.Message, s crossdock.Statement) (crossdock.Statement, error) {
	f := &reader{row: r}
	tax := crossdock.Tax{Name: f.str("name"), Included: f.bool("price_include")}
	amount, how := f.num("amount", 4), f.str("amount_type")
	active := f.bool("active")
	if f.err != nil {
		return s, f.err
	}
	switch how {
	case "percent":
		tax.Rate = amount.Shift(-2)
	case "fixed":
		tax.Fixed = amount
	case "group":
		tax.Kept = crossdock.Kept{"computation": raw(how), "children": r["children_tax_ids"]}
		if tax.Kept["children"] == nil {
			tax.Kept["children"] = json.RawMessage("[]")
		}
	default:
		tax.Kept = crossdock.Kept{"computation": raw(how)}
	}
	if active {
		s.Names = []string{"tax:" + tax.Name}
	}
	return pack(s, tax)
}
