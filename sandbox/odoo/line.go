package odoo

import (
	"fmt"
	"slices"
	"strings"
)

func lineModel(m *model, v *version) {
	m.fields(`order_id sequence display_type product_id name product_uom_qty price_unit discount price_subtotal price_tax
		price_total qty_delivered ` + v.lineUoM + " " + v.lineTax)
	if m.meta["technical_price_unit"].Type != "" {
		m.stored["technical_price_unit"] = true
	}
	m.order = "order_id, sequence, id"
	m.company = "company_id"
	m.search = []string{"name"}
	m.required = []string{"order_id", "name"}
	for _, f := range []string{"price_subtotal", "price_tax", "price_total", "qty_delivered", "currency_id"} {
		m.ignored[f] = true
	}
	m.display = func(e *env, r rec) string {
		o := r.follow("order_id")
		first, _, _ := strings.Cut(r.str("name"), "\n")
		text := fmt.Sprintf("%s - %s", o.str("name"), first)
		if ref := o.follow("partner_id").str("ref"); ref != "" {
			text += " (" + ref + ")"
		}
		return text
	}
	for f, from := range map[string]string{"company_id": "company_id", "state": "state", "currency_id": "currency_id", "order_partner_id": "partner_id", "warehouse_id": "warehouse_id", "salesman_id": "user_id"} {
		m.computed[f] = func(e *env, r rec) any { return r.follow("order_id").get(from) }
	}
	m.computed["qty_invoiced"] = func(e *env, r rec) any { return 0.0 } // no invoices are modelled
	m.computed["qty_to_invoice"] = func(e *env, r rec) any { return toInvoice(r) }
	m.computed["qty_to_deliver"] = func(e *env, r rec) any { return r.num("product_uom_qty") - r.num("qty_delivered") }
	m.computed["invoice_status"] = lineInvoiceStatus
	m.computed["product_template_id"] = func(e *env, r rec) any { return r.follow("product_id").get("product_tmpl_id") }
	m.create, m.write, m.unlink = createLine, writeLine, unlinkLine
}

func confirmed(o rec) bool { s := o.str("state"); return s == "sale" || s == "done" }

func locked(o rec) bool {
	if o.e.v.lockedFlag {
		return o.flag("locked")
	}
	return o.str("state") == "done"
}

func toInvoice(r rec) float64 {
	if !confirmed(r.follow("order_id")) || r.get("display_type") != nil {
		return 0
	}
	if r.follow("product_id").str("invoice_policy") == "delivery" {
		return r.num("qty_delivered")
	}
	return r.num("product_uom_qty")
}

func lineInvoiceStatus(e *env, r rec) any {
	ordered, policy := r.num("product_uom_qty"), r.follow("product_id").str("invoice_policy")
	switch {
	case !confirmed(r.follow("order_id")):
		return "no"
	case !isZero(toInvoice(r)):
		return "to invoice"
	case policy == "order" && r.num("qty_delivered") > ordered:
		return "upselling"
	case ordered <= 0:
		return "invoiced"
	}
	return "no"
}

func createLine(e *env, vals row) int {
	id, _ := vals["order_id"].(int)
	o := e.rec("sale.order", id)
	e = e.inCompany(o.ref("company_id"))
	if vals["display_type"] != nil {
		e.plainLine(vals)
	} else {
		e.fillLine(o, vals)
	}
	if vals["sequence"] == nil {
		vals["sequence"] = 10
	}
	vals["qty_delivered"] = 0.0
	line := e.createRow(e.model("sale.order.line"), vals)
	l := e.rec("sale.order.line", line)
	e.checkLineCompany(l)
	e.priceLine(l)
	if l.get("display_type") == nil {
		e.total(o)
		if confirmed(o) && !locked(o) {
			e.ship(o, l)
		}
	}
	return line
}

// plainLine is a section or a note: it has no product and no money.
func (e *env) plainLine(vals row) {
	if vals["product_id"] != nil {
		panic(&fault{
			Name: "psycopg2.errors.CheckViolation", database: true,
			Message: "new row for relation \"sale_order_line\" violates check constraint \"sale_order_line_non_accountable_null_fields\"\nDETAIL:  Failing row contains (" +
				fmt.Sprint(e.db.table("sale.order.line").last+1) + ").\n",
		})
	}
	vals["product_uom_qty"], vals["price_unit"], vals["discount"] = 0.0, 0.0, 0.0
	vals[e.v.lineUoM] = nil
	delete(vals, e.v.lineTax)
}

// fillLine computes what the client left out of a line with a product.
func (e *env) fillLine(o rec, vals row) {
	fill := func(f string, v func() any) {
		if _, given := vals[f]; !given {
			vals[f] = v()
		}
	}
	id, _ := vals["product_id"].(int)
	product := e.rec("product.product", id)
	if c := product.ref("company_id"); c != 0 && c != o.ref("company_id") {
		refuse("ValidationError", "Your quotation contains products from company %s whereas your quotation belongs to company %s. \n Please change the company of your quotation or remove the products from other companies (%s).",
			product.follow("company_id").str("name"), o.follow("company_id").str("name"), product.display())
	}
	fill("product_uom_qty", func() any { return 1.0 })
	fill("discount", func() any { return 0.0 })
	fill(e.v.lineUoM, func() any { return product.get("uom_id") })
	fill("name", func() any { return lineName(product) })
	fill(e.v.lineTax, func() any { return links{set: true, add: e.productTaxes(o, product)} })
	vals["product_uom_qty"] = roundDigits(number(vals["product_uom_qty"]), 2)
	vals["discount"] = roundDigits(number(vals["discount"]), 2)
	if id == 0 {
		fill("price_unit", func() any { return 0.0 })
	} else {
		fill("price_unit", func() any {
			uom, _ := vals[e.v.lineUoM].(int)
			return e.computedPrice(o, product, number(vals["product_uom_qty"]), e.rec("uom.uom", uom))
		})
	}
	vals["price_unit"] = roundDigits(number(vals["price_unit"]), e.v.priceDigits)
	if e.model("sale.order.line").stored["technical_price_unit"] {
		vals["technical_price_unit"] = vals["price_unit"]
	}
}

func lineName(product rec) any {
	name := product.display()
	if d := product.str("description_sale"); d != "" {
		name += "\n" + d
	}
	if name == "" {
		return nil
	}
	return name
}

// productTaxes are the product's taxes of the order's company, mapped by the
// order's fiscal position.
func (e *env) productTaxes(o, product rec) []int {
	var taxes []int
	for _, t := range product.follow("product_tmpl_id").ids("taxes_id") {
		if e.rec("account.tax", t).ref("company_id") == o.ref("company_id") {
			taxes = append(taxes, t)
		}
	}
	return e.mapTaxes(o.follow("fiscal_position_id"), taxes)
}

// computedPrice is the price list's price in the order's currency. A tax in the
// product's price that the fiscal position takes away is taken out of it.
func (e *env) computedPrice(o, product rec, qty float64, uom rec) float64 {
	price := e.listedPrice(product, o.follow("pricelist_id"), qty, uom, o.follow("currency_id"))
	plain := e.recs("account.tax", product.ids("taxes_id"))
	mapped := e.productTaxes(o, product)
	for _, t := range plain {
		if t.flag("price_include") && !slices.Contains(mapped, t.id) && t.ref("company_id") == o.ref("company_id") {
			price /= 1 + t.num("amount")/100
		}
	}
	return roundDigits(price, 2)
}

func (e *env) checkLineCompany(l rec) {
	o := l.follow("order_id")
	var names []string
	foreign := false
	for _, t := range l.each(e.v.lineTax) {
		names = append(names, t.display())
		c := t.ref("company_id")
		foreign = foreign || (c != 0 && c != o.ref("company_id"))
	}
	if foreign {
		label := l.m.meta[e.v.lineTax].Label
		e.refuseCompanies([]string{e.v.otherCompany(l.display(), o.follow("company_id").str("name"), label, e.v.lineTax, strings.Join(names, "', '"))})
	}
}

func (e *env) lineTax(l rec) taxed {
	return e.computeTax(taxable{
		qty: l.num("product_uom_qty"), price: l.num("price_unit"), discount: l.num("discount"), taxes: l.each(e.v.lineTax),
	}, l.follow("order_id").follow("currency_id").num("rounding"))
}

// priceLine stores a line's amounts; write_date is the transaction's anyway.
func (e *env) priceLine(l rec) {
	c := e.lineTax(l)
	l.quiet(row{"price_subtotal": c.subtotal, "price_tax": c.tax, "price_total": c.total})
}

var moneyFields = []string{"product_uom_qty", "price_unit", "discount", "product_id", "tax_id", "tax_ids", "product_uom", "product_uom_id"}

func writeLine(e *env, ids []int, vals row) {
	money := slices.ContainsFunc(moneyFields, func(f string) bool { _, given := vals[f]; return given })
	for _, id := range ids {
		l := e.rec("sale.order.line", id)
		o := l.follow("order_id")
		e := e.inCompany(o.ref("company_id"))
		own := cloneRow(vals)
		e.checkLineChange(l, o, own)
		e.recompute(l, o, own)
		e.writeRow(l.m, []int{id}, own)
		e.checkLineCompany(l)
		if !money {
			continue
		}
		e.priceLine(l)
		e.total(o)
		_, requantified := own["product_uom_qty"]
		if requantified && confirmed(o) && !locked(o) {
			e.ship(o, l)
		}
	}
}

// checkLineChange refuses what a locked, confirmed or delivered line does not allow.
func (e *env) checkLineChange(l, o rec, own row) {
	if locked(o) {
		var labels []string
		for _, f := range moneyFields {
			if _, given := own[f]; given && l.m.meta[f].Label != "" {
				labels = append(labels, l.m.meta[f].Label)
			}
		}
		if len(labels) > 0 {
			userError("It is forbidden to modify the following fields in a locked order:\n%s", strings.Join(labels, "\n"))
		}
	}
	if p, given := own["product_id"]; given && e.v.productLocked && confirmed(o) && p != l.get("product_id") {
		userError("You cannot modify the product of this order line.")
	}
	if q, given := own["product_uom_qty"].(float64); given && confirmed(o) && q < l.num("qty_delivered") {
		userError("The ordered quantity of a sale order line cannot be decreased below the amount already delivered. Instead, create a return in your inventory.")
	}
}

// recompute rounds what is given and renews the price when product, quantity or
// unit change and no price comes with it.
func (e *env) recompute(l, o rec, own row) {
	for _, f := range []string{"product_uom_qty", "discount"} {
		if v, given := own[f]; given {
			own[f] = roundDigits(number(v), 2)
		}
	}
	if v, given := own["price_unit"]; given {
		own["price_unit"] = roundDigits(number(v), e.v.priceDigits)
		return
	}
	_, newProduct := own["product_id"]
	_, newQty := own["product_uom_qty"]
	_, newUoM := own[e.v.lineUoM]
	if !newProduct && !newQty && !newUoM {
		return
	}
	product, qty, uom := l.ref("product_id"), l.num("product_uom_qty"), l.ref(e.v.lineUoM)
	if p, ok := own["product_id"].(int); ok {
		product = p
	}
	if q, ok := own["product_uom_qty"].(float64); ok {
		qty = q
	}
	if u, ok := own[e.v.lineUoM].(int); ok {
		uom = u
	}
	p := e.rec("product.product", product)
	if newProduct && product != l.ref("product_id") {
		if _, given := own["name"]; !given {
			own["name"] = lineName(p)
		}
		if _, given := own[e.v.lineTax]; !given {
			own[e.v.lineTax] = links{set: true, add: e.productTaxes(o, p)}
		}
	}
	manual := e.v.manualPriceKept && !isZero(l.num("technical_price_unit")-l.num("price_unit"))
	if l.get("display_type") != nil || product == 0 || manual {
		return
	}
	own["price_unit"] = roundDigits(e.computedPrice(o, p, qty, e.rec("uom.uom", uom)), e.v.priceDigits)
	if l.m.stored["technical_price_unit"] {
		own["technical_price_unit"] = own["price_unit"]
	}
}

func unlinkLine(e *env, ids []int) {
	for _, id := range ids {
		l := e.rec("sale.order.line", id)
		if confirmed(l.follow("order_id")) && l.get("display_type") == nil {
			userError("%s", e.v.lineKept)
		}
	}
	for _, id := range ids {
		l := e.rec("sale.order.line", id)
		o, plain := l.follow("order_id"), l.get("display_type") != nil
		e.unlinkRows(l.m, []int{id})
		if !plain {
			e.total(o)
		}
	}
}
