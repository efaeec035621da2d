package odoo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func saleModels(models map[string]*model, v *version) {
	o := models["sale.order"]
	o.fields(`name state partner_id partner_invoice_id partner_shipping_id client_order_ref date_order commitment_date
		validity_date pricelist_id payment_term_id warehouse_id fiscal_position_id note tag_ids company_id user_id team_id
		origin reference require_signature require_payment amount_untaxed amount_tax amount_total currency_id picking_policy`)
	if v.lockedFlag {
		o.fields("locked")
	}
	o.order = "date_order desc, id desc"
	o.company = "company_id"
	o.search = []string{"name", "client_order_ref"}
	for _, f := range []string{"amount_untaxed", "amount_tax", "amount_total", "currency_id", "invoice_status", "delivery_status"} {
		o.ignored[f] = true
	}
	o.required = []string{"partner_id", "partner_invoice_id", "partner_shipping_id", "company_id"}
	if v.pricelistRequired {
		o.required = append(o.required, "pricelist_id", "warehouse_id")
	}
	o.computed["invoice_status"] = orderInvoiceStatus
	if o.meta["delivery_status"].Type != "" {
		o.computed["delivery_status"] = deliveryStatus
	}
	o.computed["delivery_count"] = func(e *env, r rec) any { return len(r.ids("picking_ids")) }
	o.computed["access_url"] = func(e *env, r rec) any { return fmt.Sprintf("/my/orders/%d", r.id) }
	o.computed["invoice_ids"] = func(e *env, r rec) any { return nil } // no invoices are modelled: there are none
	o.computed["invoice_count"] = func(e *env, r rec) any { return 0 }
	o.computed["partner_credit_warning"] = func(e *env, r rec) any { return creditWarning(e, r) }
	o.create, o.write, o.unlink = createOrder, writeOrder, unlinkOrder
	o.methods = map[string]method{
		"action_confirm":        overOrders(confirmOrder, true),
		"action_cancel":         cancelOrders,
		"action_draft":          overOrders(draftOrder, true),
		"action_quotation_sent": overOrders(func(e *env, r rec) { setState(r, "sent") }, none{}),
	}
	if v.lockedFlag {
		o.methods["action_lock"] = overOrders(func(e *env, r rec) { r.set(row{"locked": true}) }, none{})
		o.methods["action_unlock"] = overOrders(func(e *env, r rec) { r.set(row{"locked": false}) }, none{})
	} else {
		o.methods["action_done"] = overOrders(func(e *env, r rec) { setState(r, "done") }, none{})
		o.methods["action_unlock"] = overOrders(func(e *env, r rec) { setState(r, "sale") }, none{})
	}
	tags := models["crm.tag"]
	tags.fields("name color")
	tags.create = func(e *env, vals row) int {
		for _, id := range e.all("crm.tag") {
			if e.rec("crm.tag", id).get("name") == vals["name"] {
				refuse("ValidationError", "The operation cannot be completed: %s", v.tagExists)
			}
		}
		return e.createRow(tags, vals)
	}
	models["crm.team"].fields("name company_id active sequence")
	models["crm.team"].order = "sequence, id"
}

// creditWarning is empty unless the company checks credit limits, which is not modelled.
func creditWarning(e *env, r rec) any {
	if r.follow("company_id").flag("account_use_credit_limit") {
		notSupported("partner_credit_warning with the company's credit limit switched on")
	}
	return ""
}

// overOrders makes a method that acts on each order and answers the same for all.
func overOrders(act func(e *env, r rec), answer any) method {
	return func(e *env, args []any, kw map[string]any) any {
		for _, r := range e.orders(args, kw) {
			act(e, r)
		}
		return answer
	}
}

func (e *env) orders(args []any, kw map[string]any) []rec {
	ids := toIDs(argument(args, 0, kw, "ids"))
	for _, id := range ids {
		r := e.rec("sale.order", id)
		if !r.exists() {
			e.missingRecord("sale.order", id)
		}
		if !e.visible(r) {
			e.accessRule("sale.order", "read", e.otherCompanyHint(r))
		}
	}
	return e.recs("sale.order", ids)
}

func createOrder(e *env, vals row) int {
	company, _ := vals["company_id"].(int)
	if company == 0 {
		company = e.company()
	}
	allowed := slices.Contains(e.companies, company)
	if !allowed && !e.v.companyMixAllowed {
		e.companyForbidden("sale.order.line", company)
	}
	e = e.inCompany(company)
	vals["company_id"] = company
	lines := vals["order_line"]
	delete(vals, "order_line")
	if d, given := vals["date_order"]; given && d == nil {
		raise("builtins.AssertionError", "Unknown error during import: <class 'AssertionError'>: Datetime instance expected")
	}
	e.fillOrder(vals)
	number, given := vals["name"]
	if !given || number == nil {
		number = fmt.Sprintf("S%05d", e.db.next("sale.order"))
	}
	vals["name"] = number
	id := e.createRow(e.model("sale.order"), vals)
	r := e.rec("sale.order", id)
	e.checkOrderCompany(r)
	if cmds, ok := lines.([]any); ok {
		e.applyLines(r.m.meta["order_line"], id, cmds)
	}
	e.total(r)
	return id
}

func (e *env) companyForbidden(model string, company int) {
	hint := "\n\nThis seems to be a multi-company issue, you might be able to access the record by switching to the company: " + e.rec("res.company", company).str("name") + "."
	e.accessRule(model, "create", hint)
}

// fillOrder computes what the client left out; a given value, false included, stays.
func (e *env) fillOrder(vals row) {
	fill := func(f string, v func() any) {
		if _, given := vals[f]; !given {
			vals[f] = v()
		}
	}
	id, _ := vals["partner_id"].(int)
	partner := e.rec("res.partner", id)
	fill("state", func() any { return "draft" })
	fill("date_order", func() any { return e.now.Truncate(time.Second) })
	fill("user_id", func() any {
		if u := partner.ref("user_id"); u != 0 {
			return u
		}
		return e.uid
	})
	fill("team_id", func() any { return orNil(e.first("crm.team", func(rec) bool { return true }).id) })
	fill("picking_policy", func() any { return "direct" })
	fill("require_signature", func() any { return true })
	fill("require_payment", func() any { return false })
	if e.v.lockedFlag {
		fill("locked", func() any { return false })
	}
	if e.v.validityDays > 0 {
		fill("validity_date", func() any { return e.now.AddDate(0, 0, e.v.validityDays).Format(dateLayout) })
	}
	if id != 0 {
		addresses := e.addresses(partner, []string{"invoice", "delivery"})
		fill("partner_invoice_id", func() any { return addresses["invoice"] })
		fill("partner_shipping_id", func() any { return addresses["delivery"] })
	}
	fill("payment_term_id", func() any { return partner.get("property_payment_term_id") })
	fill("fiscal_position_id", func() any { return e.positionOf(partner) })
	fill("pricelist_id", func() any {
		if vals["state"] != "draft" && e.v.pricelistInDraftOnly {
			return nil
		}
		return e.pricelistOf(partner)
	})
	fill("warehouse_id", func() any {
		return orNil(e.first("stock.warehouse", func(w rec) bool { return w.flag("active") && w.ref("company_id") == e.company() }).id)
	})
	vals["currency_id"] = e.orderCurrency(vals)
}

func orNil(id int) any {
	if id == 0 {
		return nil
	}
	return id
}

func (e *env) orderCurrency(vals row) any {
	if list, _ := vals["pricelist_id"].(int); list != 0 {
		return e.rec("product.pricelist", list).get("currency_id")
	}
	return companyCurrency(e, rec{})
}

func (e *env) positionOf(partner rec) any {
	if own := commercial(partner).ref("property_account_position_id"); own != 0 {
		return own
	}
	if !e.v.domesticPosition {
		return nil
	}
	return orNil(e.first("account.fiscal.position", func(p rec) bool { return p.flag("is_domestic") && p.ref("company_id") == e.company() }).id)
}

// checkOrderCompany refuses a warehouse or customer of another company.
func (e *env) checkOrderCompany(r rec) {
	var texts []string
	for _, f := range []string{"partner_id", "warehouse_id", "partner_invoice_id", "partner_shipping_id"} {
		x := r.follow(f)
		if c := x.ref("company_id"); c != 0 && c != r.ref("company_id") {
			texts = append(texts, e.v.otherCompany(r.display(), r.follow("company_id").str("name"), r.m.meta[f].Label, f, x.display()))
		}
	}
	e.refuseCompanies(texts)
}

func (e *env) refuseCompanies(texts []string) {
	if len(texts) == 0 {
		return
	}
	for i := range texts[1:] {
		_, texts[i+1], _ = strings.Cut(texts[i+1], "\n")
	}
	userError("%s", strings.Join(texts, "\n")+e.v.otherCompanyFoot)
}

// total stores an order's amounts from its lines and moves the order.
func (e *env) total(r rec) {
	e = e.inCompany(r.ref("company_id"))
	step := r.follow("currency_id").num("rounding")
	global := r.follow("company_id").str("tax_calculation_rounding_method") == "round_globally"
	var untaxed, tax float64
	raw := map[int]float64{}
	for _, l := range r.each("order_line") {
		untaxed += l.num("price_subtotal")
		tax += l.num("price_tax")
		if global {
			if slices.ContainsFunc(flattenTaxes(l.each(e.v.lineTax)), func(t rec) bool { return t.flag("price_include") }) {
				notSupported("global rounding of taxes that are in the price") // 16, 18 and 19 differ
			}
			c := e.lineTax(l)
			for id, amount := range c.raw {
				raw[id] += amount
			}
		}
	}
	if global {
		tax = 0
		for _, amount := range raw {
			tax += roundTo(amount, max(step, e.v.globalTaxStep))
		}
	}
	untaxed, tax = roundTo(untaxed, step), roundTo(tax, step)
	r.set(row{"amount_untaxed": untaxed, "amount_tax": tax, "amount_total": roundTo(untaxed+tax, step)})
}

func writeOrder(e *env, ids []int, vals row) {
	if d, given := vals["date_order"]; given && d == nil {
		e.missingValue("sale.order", "date_order")
	}
	for _, id := range ids {
		r := e.rec("sale.order", id)
		own := cloneRow(vals)
		lines, hasLines := own["order_line"].([]any)
		delete(own, "order_line")
		if partner, given := own["partner_id"].(int); given && partner != r.ref("partner_id") {
			e.repartner(r, partner, own)
		}
		_, stateGiven := own["state"]
		if len(own) > 0 || !hasLines {
			e.writeRow(r.m, []int{id}, own)
		}
		if stateGiven || own["partner_id"] != nil {
			for _, l := range r.each("order_line") {
				l.touch()
			}
		}
		if _, given := own["warehouse_id"]; given && e.v.lineWarehouseMoves {
			for _, l := range r.each("order_line") {
				l.touch()
			}
		}
		if _, given := own["pricelist_id"]; given {
			r.set(row{"currency_id": e.orderCurrency(row{"pricelist_id": own["pricelist_id"]})})
		}
		if when, given := own["commitment_date"]; given {
			e.moveDeadline(r, when)
		}
		e.checkOrderCompany(r)
		if hasLines {
			e.applyLines(r.m.meta["order_line"], id, lines)
		}
	}
}

// repartner recomputes, on a draft, what follows from the customer.
func (e *env) repartner(r rec, partner int, own row) {
	p := e.rec("res.partner", partner)
	addresses := e.addresses(p, []string{"invoice", "delivery"})
	for f, v := range map[string]any{
		"partner_invoice_id": addresses["invoice"], "partner_shipping_id": addresses["delivery"],
		"payment_term_id": p.get("property_payment_term_id"),
	} {
		if _, given := own[f]; !given {
			own[f] = v
		}
	}
	if _, given := own["pricelist_id"]; !given && r.str("state") == "draft" {
		own["pricelist_id"] = e.pricelistOf(p)
	}
}

func unlinkOrder(e *env, ids []int) {
	for _, id := range ids {
		if s := e.rec("sale.order", id).str("state"); s != "draft" && s != "cancel" {
			userError("You can not delete a sent quotation or a confirmed sales order. You must first cancel it.")
		}
	}
	for _, id := range ids {
		lines := slices.Clone(e.db.table("sale.order.line").having("order_id", id))
		for _, l := range lines {
			e.forget("stock.move", "sale_line_id", l)
		}
		e.unlinkRows(e.model("sale.order.line"), lines)
		e.forget("stock.picking", "sale_id", id)
	}
	e.unlinkRows(e.model("sale.order"), ids)
}

// forget empties a field that refers to a record that goes away, as the database's
// foreign key does: no write_date moves (seen on an Odoo 18: a cancelled order's
// transfer stays and has no order any more).
func (e *env) forget(model, field string, id int) {
	for _, of := range slices.Clone(e.db.table(model).having(field, id)) {
		e.rec(model, of).quiet(row{field: nil})
	}
}

// setState moves the order and all its lines (person recordings).
func setState(r rec, state string) {
	r.set(row{"state": state})
	for _, l := range r.each("order_line") {
		l.touch()
	}
}

func confirmOrder(e *env, r rec) {
	state := r.str("state")
	if state != "draft" && state != "sent" {
		if !e.v.confirmTwiceAllowed {
			userError("Some orders are not in a state requiring confirmation.")
		}
		if state != "sale" {
			userError("It is not allowed to confirm an order in the following states: cancel, done")
		}
	}
	e = e.inCompany(r.ref("company_id"))
	r.set(row{"date_order": e.now.Truncate(time.Second)})
	setState(r, "sale")
	for _, l := range r.each("order_line") {
		e.ship(r, l)
	}
}

func draftOrder(e *env, r rec) {
	if s := r.str("state"); s != "cancel" && s != "sent" {
		return
	}
	setState(r, "draft")
}
