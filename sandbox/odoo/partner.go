package odoo

import (
	"slices"
	"strings"
)

// addressFields are copied from a customer to its contacts of type contact.
var addressFields = []string{"street", "street2", "city", "zip", "country_id", "state_id"}

func partnerModel(m *model, v *version) {
	m.fields(`name is_company ref email phone street street2 city zip country_id state_id vat type parent_id active
		lang tz comment user_id company_id customer_rank supplier_rank credit_limit use_partner_credit_limit
		website function company_name property_payment_term_id property_account_position_id`)
	if _, ok := m.meta["mobile"]; ok {
		m.stored["mobile"] = true
	}
	m.order = "complete_name, id desc"
	if v.addressAsDisplayName {
		m.order = "display_name, id desc"
	}
	m.search = []string{"email", "ref", "vat", "name"}
	m.company = "company_id"
	m.required = []string{"name"}
	m.display = partnerName
	m.defaults = map[string]func(*env) any{
		"type": fixed("contact"), "is_company": fixed(false), "lang": fixed("en_US"),
		"customer_rank": fixed(0), "supplier_rank": fixed(0), "credit_limit": fixed(0.0), "use_partner_credit_limit": fixed(false),
	}
	if _, ok := m.meta["complete_name"]; ok {
		m.computed["complete_name"] = func(e *env, r rec) any { return partnerName(e, r) }
	}
	m.computed["commercial_partner_id"] = func(e *env, r rec) any { return commercial(r).id }
	m.computed["country_code"] = func(e *env, r rec) any { return r.follow("country_id").get("code") }
	m.computed["company_type"] = func(e *env, r rec) any {
		if r.flag("is_company") {
			return "company"
		}
		return "person"
	}
	m.computed["property_product_pricelist"] = func(e *env, r rec) any { return e.pricelistOf(r) }
	m.stored["property_product_pricelist"] = true // written by a person, kept as ownPricelist
	if _, ok := m.meta["specific_property_product_pricelist"]; ok {
		m.computed["specific_property_product_pricelist"] = func(e *env, r rec) any { return r.raw(ownPricelist(e)) }
	}
	// Receivables: the stand-in has no invoices, so what is owed is what the
	// world says (Server.SetCredit), kept on the commercial partner.
	m.computed["credit"] = func(e *env, r rec) any {
		if commercial(r).id != r.id {
			return 0.0
		}
		if n, ok := r.raw("~credit").(float64); ok {
			return n
		}
		return 0.0
	}
	m.computed["show_credit_limit"] = func(e *env, r rec) any { return e.rec("res.company", e.company()).flag("account_use_credit_limit") }
	m.computed["sale_order_count"] = func(e *env, r rec) any { return len(e.db.table("sale.order").having("partner_id", r.id)) }
	m.computed["category_id"] = func(e *env, r rec) any { return nil } // categories are not modelled: nobody has one
	m.computed["image_128"] = func(e *env, r rec) any { return nil }
	m.create = createPartner
	m.write = writePartner
	m.methods["address_get"] = func(e *env, args []any, kw map[string]any) any {
		ids := toIDs(argument(args, 0, kw, "ids"))
		if len(ids) != 1 {
			notSupported("address_get of %d partners", len(ids))
		}
		return e.addresses(e.rec("res.partner", ids[0]), namesOf(argument(args, 1, kw, "adr_pref")))
	}
	m.methods["message_subscribe"] = func(e *env, args []any, kw map[string]any) any { return true }
}

func fixed(v any) func(*env) any { return func(*env) any { return v } }

// partnerName is "Customer, Contact" for a contact of a company; an address
// without a name takes its type's.
func partnerName(e *env, r rec) string {
	name, own, parent := r.str("name"), r.str("company_name"), r.follow("parent_id")
	if parent.id == 0 && own == "" || r.flag("is_company") {
		return name
	}
	if name == "" {
		name = map[string]string{"invoice": "Invoice Address", "delivery": "Delivery Address", "other": "Other Address"}[r.str("type")]
	}
	company := commercial(r)
	switch {
	case company.flag("is_company"):
		return company.str("name") + ", " + name
	case own != "":
		return own + ", " + name
	}
	return parent.str("name") + ", " + name
}

// commercial is the company a contact belongs to, or the partner itself.
func commercial(r rec) rec {
	for !r.flag("is_company") && r.ref("parent_id") != 0 {
		r = r.follow("parent_id")
	}
	return r
}

func createPartner(e *env, vals row) int {
	if rank, given := e.ctx["res_partner_search_mode"]; given && rank == "customer" {
		vals["customer_rank"] = 1
	}
	if vals["name"] == nil {
		if t, _ := vals["type"].(string); t != "" && t != "contact" {
			vals["name"] = ""
		}
	}
	lists := partnerPricelist(vals)
	id := e.createRow(e.model("res.partner"), vals)
	r := e.rec("res.partner", id)
	if lists != nil {
		r.set(row{ownPricelist(e): lists["list"]})
	}
	inherit(r)
	return id
}

// partnerPricelist takes the price list out of vals: the field is computed and
// its own value is kept in another one.
func partnerPricelist(vals row) row {
	list, given := vals["property_product_pricelist"]
	if !given {
		return nil
	}
	delete(vals, "property_product_pricelist")
	return row{"list": list}
}

// inherit copies the parent's address to a plain contact without one, and the
// commercial partner's tax number.
func inherit(r rec) {
	parent := r.follow("parent_id")
	if parent.id == 0 {
		return
	}
	vals := row{}
	if r.str("type") == "contact" {
		for _, f := range addressFields {
			vals[f] = parent.get(f)
		}
	}
	if !r.flag("is_company") {
		vals["vat"] = commercial(r).get("vat")
	}
	if len(vals) > 0 {
		r.quiet(vals)
	}
}

func writePartner(e *env, ids []int, vals row) {
	m := e.model("res.partner")
	lists := partnerPricelist(vals)
	for _, id := range ids {
		if parent, _ := vals["parent_id"].(int); parent != 0 && e.childOf(e.rec("res.partner", parent), id) {
			refuse("ValidationError", "You cannot create recursive Partner hierarchies.")
		}
	}
	e.writeRow(m, ids, vals)
	for _, id := range ids {
		r := e.rec("res.partner", id)
		if lists != nil {
			r.set(row{ownPricelist(e): lists["list"]})
		}
		if _, moved := vals["parent_id"]; moved {
			inherit(r)
		}
		if slices.ContainsFunc(addressFields, func(f string) bool { _, given := vals[f]; return given }) {
			for _, child := range e.recs("res.partner", slices.Clone(e.db.table("res.partner").having("parent_id", id))) {
				if child.str("type") == "contact" {
					inherit(child)
				}
			}
		}
	}
}

// addresses is address_get: for each wanted type the nearest contact of that
// type below the customer, then above; the contact itself where there is none.
func (e *env) addresses(r rec, types []string) map[string]int {
	found := map[string]int{}
	seen := map[int]bool{}
	for at := r; at.id != 0; at = at.follow("parent_id") {
		queue := []rec{at}
		for len(queue) > 0 {
			p := queue[0]
			queue = queue[1:]
			if seen[p.id] {
				continue
			}
			seen[p.id] = true
			if t := p.str("type"); found[t] == 0 {
				found[t] = p.id
			}
			for _, child := range p.each("child_ids") {
				if !child.flag("is_company") {
					queue = append(queue, child)
				}
			}
		}
		if at.flag("is_company") {
			break
		}
	}
	fallback := found["contact"]
	if fallback == 0 {
		fallback = r.id
	}
	out := map[string]int{"contact": fallback}
	for _, t := range types {
		out[t] = found[t]
		if out[t] == 0 {
			out[t] = fallback
		}
	}
	return out
}

// ownPricelist is the key of the price list set on a customer, per company.
func ownPricelist(e *env) string { return companyKey("~pricelist", e.company()) }

// pricelistOf is the customer's own price list, else the first of the company;
// nil where price lists are switched off.
func (e *env) pricelistOf(r rec) any {
	if e.v.pricelistSetting && !e.s.pricelistsOn() {
		return nil
	}
	for _, p := range []rec{commercial(r), r} {
		if own, _ := p.raw(ownPricelist(e)).(int); own != 0 {
			return own
		}
	}
	first := e.first("product.pricelist", func(p rec) bool {
		c := p.ref("company_id")
		return p.flag("active") && (c == 0 || c == e.company())
	})
	if first.id == 0 {
		return nil
	}
	return first.id
}

// pricelistsOn is the setting "Pricelists" (group_product_pricelist); on 19 it
// is off until a person switches it on.
func (s *Server) pricelistsOn() bool {
	on, _ := s.db.table("res.company").rows[1]["~pricelists"].(bool)
	return on
}

func countryModels(models map[string]*model) {
	c := models["res.country"]
	c.fields("name code currency_id phone_code")
	c.order = "name"
	c.search = []string{"code"}
	st := models["res.country.state"]
	st.fields("name code country_id")
	st.order = "code"
	st.search = []string{"code", "name"}
	st.display = func(e *env, r rec) string {
		return r.str("name") + " (" + strings.ToUpper(r.follow("country_id").str("code")) + ")"
	}
}
