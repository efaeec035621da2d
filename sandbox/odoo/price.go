package odoo

import "slices"

func priceModels(models map[string]*model, v *version) {
	p := models["product.pricelist"]
	p.fields("name currency_id company_id active sequence")
	p.order = "sequence, id"
	p.company = "company_id"
	p.search = []string{"name"}
	p.defaults = map[string]func(*env) any{
		"currency_id": func(e *env) any { return companyCurrency(e, rec{}) },
		"sequence":    fixed(16),
	}
	if v.pricelistHasCompany {
		p.defaults["company_id"] = func(e *env) any { return e.company() }
	}
	p.display = func(e *env, r rec) string { return r.str("name") + " (" + r.follow("currency_id").str("name") + ")" }

	i := models["product.pricelist.item"]
	i.fields(`pricelist_id applied_on compute_price percent_price fixed_price min_quantity product_id product_tmpl_id
		categ_id date_start date_end base price_discount price_surcharge`)
	i.order = "applied_on, min_quantity desc, categ_id desc, id desc"
	i.defaults = map[string]func(*env) any{
		"applied_on": fixed("3_global"), "compute_price": fixed("fixed"), "base": fixed("list_price"),
		"percent_price": fixed(0.0), "fixed_price": fixed(0.0), "min_quantity": fixed(0.0),
		"price_discount": fixed(0.0), "price_surcharge": fixed(0.0),
	}
	if v.ruleNamesTemplate {
		i.create = func(e *env, vals row) int {
			if product, _ := vals["product_id"].(int); product != 0 && vals["product_tmpl_id"] == nil {
				vals["product_tmpl_id"] = e.rec("product.product", product).ref("product_tmpl_id")
			}
			return e.createRow(i, vals)
		}
	}
	c := models["res.currency"]
	c.fields("name symbol rounding decimal_places active rate position")
	c.order = "name"
	c.computed["rate"] = func(e *env, r rec) any { return rateOf(r) }
}

// rateOf is a currency's rate in the current company: units of it for one unit
// of the company's. Rates belong to the first company; another company has none
// and converts one to one (multi recordings).
func rateOf(r rec) float64 {
	if rate, _ := r.raw("rate").(float64); r.e.company() == 1 && rate != 0 {
		return rate
	}
	return 1
}

// listedPrice is what a product costs on a price list, in the order's currency
// and unit of measure, before rounding.
func (e *env) listedPrice(product rec, list rec, qty float64, uom rec, currency rec) float64 {
	units := ratio(uom) / ratio(product.follow("uom_id"))
	price := product.num("list_price") * units
	from := product.follow("currency_id")
	rule := e.priceRule(product, list, qty*units)
	if rule.id != 0 {
		switch kind := rule.str("compute_price"); kind {
		case "fixed":
			return convert(rule.num("fixed_price")*units, list.follow("currency_id"), currency)
		case "percentage":
			return convert(price, from, currency) * (1 - rule.num("percent_price")/100)
		default:
			notSupported("price list rules of kind %s", kind)
		}
	}
	return convert(price, from, currency)
}

// priceRule is the first rule, in the list's order, that applies to the quantity.
func (e *env) priceRule(product rec, list rec, qty float64) rec {
	if list.id == 0 {
		return e.rec("product.pricelist.item", 0)
	}
	ids := slices.Clone(e.db.table("product.pricelist.item").having("pricelist_id", list.id))
	m := e.model("product.pricelist.item")
	e.sort(m, ids, m.order)
	for _, id := range ids {
		r := e.rec(m.name, id)
		if qty < r.num("min_quantity") {
			continue
		}
		switch r.str("applied_on") {
		case "3_global":
			return r
		case "0_product_variant":
			if r.ref("product_id") == product.id {
				return r
			}
		case "1_product":
			if r.ref("product_tmpl_id") == product.ref("product_tmpl_id") {
				return r
			}
		default:
			notSupported("price list rules on a category")
		}
	}
	return e.rec(m.name, 0)
}

// convert changes an amount between currencies by the company's rates.
func convert(amount float64, from, to rec) float64 {
	if from.id == to.id || from.id == 0 || to.id == 0 {
		return amount
	}
	return amount * rateOf(to) / rateOf(from)
}
