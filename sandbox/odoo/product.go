package odoo

import "slices"

func productModels(models map[string]*model, v *version) {
	t := models["product.template"]
	t.fields(`name list_price sale_ok purchase_ok uom_id categ_id taxes_id description_sale invoice_policy tracking
		company_id active weight volume description sequence ` + v.productKind)
	if v.storableFlag {
		t.fields("is_storable")
	} else {
		t.computed["type"] = func(e *env, r rec) any { return r.get(v.productKind) }
	}
	t.order = "name"
	t.company = "company_id"
	t.required = []string{"name"}
	t.defaults = templateDefaults(v)
	t.display = func(e *env, r rec) string { return codedName(onlyVariant(r).str("default_code"), r.str("name")) }
	for _, f := range []string{"default_code", "barcode", "standard_price"} {
		t.computed[f] = func(e *env, r rec) any { return onlyVariant(r).get(f) }
	}
	t.computed["product_variant_id"] = func(e *env, r rec) any { return onlyVariant(r).id }
	t.computed["product_variant_count"] = func(e *env, r rec) any { return len(variants(r)) }
	t.computed["currency_id"] = companyCurrency
	t.create = func(e *env, vals row) int {
		own := ownFields(e, vals)
		id := e.createRow(t, vals)
		e.addVariant(id, own)
		return id
	}
	t.write = writeTemplate

	p := models["product.product"]
	p.fields("default_code barcode active product_tmpl_id standard_price")
	p.order = "default_code, name, id"
	p.search = []string{"default_code", "barcode", "name"}
	p.company = "company_id"
	p.display = func(e *env, r rec) string { return codedName(r.str("default_code"), r.str("name")) }
	for f := range t.stored {
		if !p.stored[f] && p.meta[f].Type != "" {
			p.computed[f] = func(e *env, r rec) any { return r.follow("product_tmpl_id").get(f) }
		}
	}
	p.computed["taxes_id"] = func(e *env, r rec) any {
		return slices.DeleteFunc(slices.Clone(r.follow("product_tmpl_id").ids("taxes_id")), func(tax int) bool {
			c := e.rec("account.tax", tax).ref("company_id")
			return c != 0 && !slices.Contains(e.companies, c)
		})
	}
	if !v.storableFlag {
		p.computed["type"] = func(e *env, r rec) any { return r.follow("product_tmpl_id").get("type") }
	}
	p.computed["lst_price"] = func(e *env, r rec) any { return r.get("list_price") }
	p.computed["currency_id"] = mainCurrency
	p.computed["cost_currency_id"] = companyCurrency
	p.computed["product_template_attribute_value_ids"] = func(e *env, r rec) any { return nil }
	quantityFields(p)
	p.create = func(e *env, vals row) int {
		own := ownFields(e, vals)
		template := vals["product_tmpl_id"]
		delete(vals, "product_tmpl_id")
		if template == nil {
			if e.v.storableFlag {
				e.selection("product.template", "type", vals)
			}
			template = e.createRow(t, vals)
		}
		id, ok := template.(int)
		if !ok {
			refuse("ValueError", "product_tmpl_id %v is no database id", template)
		}
		return e.addVariant(id, own)
	}
	p.write = writeVariant

	u := models["uom.uom"]
	u.fields("name factor rounding active")
	if v.uomByFactorOnly {
		u.fields("relative_factor")
	} else {
		u.computed["factor_inv"] = func(e *env, r rec) any { return 1 / r.num("factor") }
		u.fields("uom_type")
	}
	models["product.category"].fields("name parent_id")
}

func templateDefaults(v *version) map[string]func(*env) any {
	d := map[string]func(*env) any{
		"list_price": fixed(1.0), "sale_ok": fixed(true), "purchase_ok": fixed(true), "invoice_policy": fixed("order"),
		"tracking": fixed("none"), "sequence": fixed(1), v.productKind: fixed(v.kindConsumable),
		"uom_id": func(e *env) any { return e.first("uom.uom", func(r rec) bool { return true }).id },
		"categ_id": func(e *env) any {
			if c := e.first("product.category", func(rec) bool { return true }); c.id != 0 {
				return c.id
			}
			return nil
		},
		"taxes_id": func(e *env) any {
			l := links{set: true}
			for _, c := range e.recs("res.company", e.all("res.company")) {
				if tax := c.ref("account_sale_tax_id"); tax != 0 {
					l.add = append(l.add, tax)
				}
			}
			return l
		},
	}
	if v.storableFlag {
		d["is_storable"] = fixed(false)
	}
	return d
}

func (e *env) selection(model, f string, vals row) {
	if s, ok := vals[f].(string); ok {
		e.value(model, f, e.model(model).meta[f], s)
	}
}

func codedName(code, name string) string {
	if code == "" {
		return name
	}
	return "[" + code + "] " + name
}

func companyCurrency(e *env, r rec) any {
	return e.rec("res.company", e.company()).get("currency_id")
}

// mainCurrency is the first company's: list prices are always in it (multi recordings).
func mainCurrency(e *env, r rec) any {
	if c := r.ref("company_id"); c != 0 {
		return e.rec("res.company", c).get("currency_id")
	}
	return e.rec("res.company", e.all("res.company")[0]).get("currency_id")
}

func variants(t rec) []int { return t.e.db.table("product.product").having("product_tmpl_id", t.id) }

func onlyVariant(t rec) rec {
	if ids := variants(t); len(ids) == 1 {
		return t.e.rec("product.product", ids[0])
	}
	return t.e.rec("product.product", 0)
}

// ownFields takes the variant's own fields out of vals.
func ownFields(e *env, vals row) row {
	own := row{}
	for _, f := range []string{"default_code", "barcode", "standard_price"} {
		if v, given := vals[f]; given {
			own[f] = v
			delete(vals, f)
		}
	}
	if v, given := vals["lst_price"]; given {
		vals["list_price"] = v
		delete(vals, "lst_price")
	}
	return own
}

func (e *env) addVariant(template int, own row) int {
	own["product_tmpl_id"] = template
	id := e.createRow(e.model("product.product"), own)
	e.checkBarcode(e.rec("product.product", id))
	return id
}

func (e *env) checkBarcode(r rec) {
	code := r.str("barcode")
	if code == "" {
		return
	}
	var same []string
	for _, id := range e.all("product.product") {
		if p := e.rec("product.product", id); p.str("barcode") == code {
			same = append(same, p.display())
		}
	}
	if len(same) > 1 {
		refuse("ValidationError", "%s", e.v.duplicateBarcode(code, same))
	}
}

// writeTemplate moves the template and its variants; archiving goes down too.
func writeTemplate(e *env, ids []int, vals row) {
	own := ownFields(e, vals)
	for _, id := range ids {
		t := e.rec("product.template", id)
		if len(vals) > 0 {
			e.writeRow(e.model("product.template"), []int{id}, vals)
		}
		for _, variant := range slices.Clone(variants(t)) {
			r := e.rec("product.product", variant)
			down := row{}
			if active, given := vals["active"]; given {
				down["active"] = active
			}
			for f, v := range own {
				down[f] = v
			}
			r.set(down)
			e.checkBarcode(r)
		}
	}
}

// writeVariant sends shared fields to the template, which moves both; cost,
// code and barcode move the variant only.
func writeVariant(e *env, ids []int, vals row) {
	shared := row{}
	own := ownFields(e, vals)
	for f, v := range vals {
		if e.model("product.product").stored[f] {
			own[f] = v
		} else {
			shared[f] = v
		}
	}
	for _, id := range ids {
		r := e.rec("product.product", id)
		if len(shared) > 0 {
			writeTemplate(e, []int{r.ref("product_tmpl_id")}, cloneRow(shared))
		}
		if len(own) > 0 || len(shared) == 0 {
			e.writeRow(e.model("product.product"), []int{id}, own)
			e.checkBarcode(r)
		}
	}
}

func cloneRow(r row) row {
	c := make(row, len(r))
	for k, v := range r {
		c[k] = v
	}
	return c
}

// storable says whether stock is kept of the product.
func storable(p rec) bool {
	if p.e.v.storableFlag {
		return p.flag("is_storable")
	}
	return p.str(p.e.v.productKind) == p.e.v.kindStorable
}

// goods says whether the product is shipped at all (not a service).
func goods(p rec) bool { return p.id != 0 && p.str(p.e.v.productKind) != "service" }

// ratio is how many reference units one of this unit is (a dozen: 12).
func ratio(uom rec) float64 {
	f := uom.num("factor")
	if f == 0 {
		return 1
	}
	if uom.e.v.factorIsRatio {
		return f
	}
	return 1 / f
}
