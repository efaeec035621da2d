package odoo

import "cmp"
import "slices"

func taxModels(models map[string]*model, v *version) {
	t := models["account.tax"]
	t.fields("name amount amount_type type_tax_use company_id sequence active description children_tax_ids include_base_amount is_base_affected " + v.taxIncluded)
	t.order = "sequence, id"
	t.company = "company_id"
	t.defaults = map[string]func(*env) any{
		"amount_type": fixed("percent"), "type_tax_use": fixed("sale"), "sequence": fixed(1), "amount": fixed(0.0),
		"company_id": func(e *env) any { return e.company() }, "include_base_amount": fixed(false), "is_base_affected": fixed(true),
	}
	if v.taxIncluded != "price_include" {
		t.computed["price_include"] = func(e *env, r rec) any { return r.str(v.taxIncluded) == "tax_included" }
	}
	fp := models["account.fiscal.position"]
	fp.fields("name company_id active sequence auto_apply country_id")
	fp.order = "sequence, id"
	fp.company = "company_id"
	if v.hasTaxMaps {
		models["account.fiscal.position.tax"].fields("position_id tax_src_id tax_dest_id company_id")
	} else {
		t.fields("fiscal_position_ids original_tax_ids")
		fp.stored["is_domestic"] = true
	}
	models["account.payment.term"].fields("name active company_id sequence note")
	models["account.payment.term"].order = "sequence, id"
}

// mapTaxes replaces taxes as a fiscal position says; a tax without a rule stays.
func (e *env) mapTaxes(position rec, taxes []int) []int {
	if position.id == 0 {
		return taxes
	}
	var out []int
	add := func(tax int) {
		if !slices.Contains(out, tax) {
			out = append(out, tax)
		}
	}
	for _, tax := range taxes {
		mapped, ruled := e.taxRule(position, tax)
		if !ruled {
			add(tax)
		}
		for _, m := range mapped {
			add(m)
		}
	}
	return out
}

func (e *env) taxRule(position rec, tax int) (mapped []int, ruled bool) {
	if e.v.hasTaxMaps {
		for _, id := range e.db.table("account.fiscal.position.tax").having("position_id", position.id) {
			if r := e.rec("account.fiscal.position.tax", id); r.ref("tax_src_id") == tax {
				ruled = true
				if to := r.ref("tax_dest_id"); to != 0 {
					mapped = append(mapped, to)
				}
			}
		}
		return mapped, ruled
	}
	for _, id := range e.all("account.tax") {
		if r := e.rec("account.tax", id); slices.Contains(r.ids("fiscal_position_ids"), position.id) && slices.Contains(r.ids("original_tax_ids"), tax) {
			mapped = append(mapped, id)
		}
	}
	return mapped, len(mapped) > 0
}

// taxable is one line of money before tax.
type taxable struct {
	qty, price, discount float64
	taxes                []rec
}

// taxed is what a line comes to. raw holds each tax before rounding, for orders
// whose company rounds globally.
type taxed struct {
	subtotal, tax, total float64
	raw                  map[int]float64
}

// computeTax adds taxes to one line, rounded per line to the currency's step,
// as 16, 18 and 19 do it (tax recordings). Known: percent taxes in or on top of
// the price, groups of them. Fixed taxes, taxes on taxes and prices with both
// included and excluded taxes are where the versions differ: not supported.
func (e *env) computeTax(l taxable, step float64) taxed {
	taxes := flattenTaxes(l.taxes)
	base := roundTo(l.qty*(l.price*(1-l.discount/100)), step)
	out := taxed{subtotal: base, total: base, raw: map[int]float64{}}
	if len(taxes) == 0 {
		return out
	}
	included := taxes[0].flag("price_include")
	sum := 0.0
	for _, t := range taxes {
		switch {
		case t.str("amount_type") != "percent":
			notSupported("tax %q of kind %s", t.str("name"), t.str("amount_type"))
		case t.flag("include_base_amount") && len(taxes) > 1:
			notSupported("tax %q, which counts in the base of the next", t.str("name"))
		case t.get("is_base_affected") == false && len(taxes) > 1:
			notSupported("tax %q, whose base other taxes do not change", t.str("name"))
		case t.flag("price_include") != included:
			notSupported("a line with a tax in the price and one on top of it")
		}
		sum += t.num("amount")
	}
	if included {
		return e.includedTax(l, taxes, sum, base, step)
	}
	for _, t := range taxes {
		raw := base * t.num("amount") / 100
		out.raw[t.id] += raw
		out.tax += roundTo(raw, step)
	}
	out.tax = roundTo(out.tax, step)
	out.total = roundTo(base+out.tax, step)
	return out
}

// includedTax takes taxes out of a price: 16 rounds the base and the tax is the
// rest, 18 and 19 round the tax and the base is the rest (20 x 9.99 with 20%).
func (e *env) includedTax(l taxable, taxes []rec, sum, gross, step float64) taxed {
	out := taxed{total: gross, raw: map[int]float64{}}
	if e.v.includedRoundsBase {
		out.subtotal = roundTo(gross/(1+sum/100), step)
		out.tax = roundTo(gross-out.subtotal, step)
	} else {
		for _, t := range taxes {
			out.tax += roundTo(gross*t.num("amount")/(100+sum), step)
		}
		out.tax = roundTo(out.tax, step)
		out.subtotal = roundTo(gross-out.tax, step)
	}
	for _, t := range taxes {
		out.raw[t.id] = l.qty * l.price * (1 - l.discount/100) * t.num("amount") / (100 + sum)
	}
	return out
}

// flattenTaxes puts the members of group taxes in the group's place, in order.
func flattenTaxes(taxes []rec) []rec {
	sorted := slices.Clone(taxes)
	slices.SortStableFunc(sorted, func(a, b rec) int {
		return cmp.Or(cmp.Compare(a.num("sequence"), b.num("sequence")), cmp.Compare(a.id, b.id))
	})
	var out []rec
	for _, t := range sorted {
		if t.str("amount_type") == "group" {
			out = append(out, flattenTaxes(t.each("children_tax_ids"))...)
		} else {
			out = append(out, t)
		}
	}
	return out
}
