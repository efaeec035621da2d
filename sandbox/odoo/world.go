package odoo

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// The world: what a person does in Odoo, by business names. Every act is one
// transaction by the administrator; an act that names something unknown, or
// that Odoo refuses, is an error and changes nothing.

// Product is a product as a person enters it.
type Product struct {
	SKU, Name, Barcode string
	Kind               string // "goods" (stock is kept) or "service"; "" is goods
	Price              string // list price, a decimal
	Taxes              []string
	UoM                string // "Units", "Dozens", "kg"; "" is Units
	Policy             string // "order" or "delivery": what is invoiced; "" is order
}

// Partner is a customer or address as a person enters it. Parent is the ref of
// the customer an address belongs to.
type Partner struct {
	Ref, Name, Email, Phone             string
	Company                             bool
	Parent, Type                        string // Type of an address: "invoice", "delivery", "contact", "other"
	Street, Street2, City, Zip          string
	Country, State                      string // codes: "US", "CA"
	PaymentTerm, Pricelist, CreditLimit string
}

func decimalOf(what, text string) float64 {
	r, ok := new(big.Rat).SetString(text)
	if !ok || strings.ContainsAny(text, "/_eE") {
		userError("%s %q is not a decimal number", what, text)
	}
	f, _ := r.Float64()
	return f
}

// byName finds the one record whose field is text.
func (e *env) byName(model, field, text string) rec {
	var found rec
	for _, id := range e.all(model) {
		if r := e.rec(model, id); r.str(field) == text {
			if found.id != 0 {
				userError("there are several %s with %s %q", model, field, text)
			}
			found = r
		}
	}
	if found.id == 0 {
		userError("there is no %s with %s %q", model, field, text)
	}
	return found
}

// AddCompany makes another company with its own currency, inventory location
// and price list; the administrator may work in it. It has no warehouse.
func (s *Server) AddCompany(name, currency string) error {
	return s.person(func(e *env) {
		money := e.byName("res.currency", "name", currency)
		partner := e.insert("res.partner", row{"name": name, "is_company": true, "type": "contact", "lang": "en_US", "customer_rank": 0, "supplier_rank": 0})
		id := e.insert("res.company", row{"name": name, "currency_id": money.id, "partner_id": partner, "sequence": 10, "account_use_credit_limit": false, "tax_calculation_rounding_method": "round_per_line"})
		admin := e.rec("res.users", adminUser)
		admin.set(row{"company_ids": append(append([]int{}, admin.ids("company_ids")...), id)})
		e.insert("stock.location", row{"name": "Inventory adjustment", "usage": "inventory", "company_id": id})
		e.insert("product.pricelist", row{"name": name, "currency_id": money.id, "company_id": id, "sequence": 16})
		if e.v.domesticPosition {
			e.insert("account.fiscal.position", row{"name": "Domestic", "company_id": id, "is_domestic": true, "sequence": 1})
		}
	})
}

// RenameCompany gives the first company its name and currency.
func (s *Server) RenameCompany(name, currency string) error {
	return s.person(func(e *env) {
		money := e.byName("res.currency", "name", currency)
		e.rec("res.company", 1).set(row{"name": name, "currency_id": money.id})
		e.rec("res.partner", 1).set(row{"name": name})
		e.rec("product.pricelist", 1).set(row{"currency_id": money.id})
	})
}

// SetRate sets a currency's rate in the first company: units of it for one unit of
// the company's. Other companies have no rates and convert one to one.
func (s *Server) SetRate(currency, rate string) error {
	return s.person(func(e *env) {
		e.byName("res.currency", "name", currency).set(row{"rate": decimalOf("rate", rate)})
	})
}

// SetPricelists switches the setting "Pricelists"; on 19 it begins switched off
// and orders then have no price list.
func (s *Server) SetPricelists(on bool) error {
	return s.person(func(e *env) { e.rec("res.company", 1).quiet(row{"~pricelists": on}) })
}

// AddPricelist makes a price list in a currency for every company.
func (s *Server) AddPricelist(name, currency string) error {
	return s.person(func(e *env) {
		e.insert("product.pricelist", row{"name": name, "currency_id": e.byName("res.currency", "name", currency).id, "sequence": 16})
	})
}

// AddWarehouse makes a warehouse of the first company with its stock location
// and operation types. The first one is the default of new orders.
func (s *Server) AddWarehouse(code, name string) error {
	return s.person(func(e *env) { e.newWarehouse(1, code, name) })
}

// AddWarehouseOf makes a warehouse of the named company.
func (s *Server) AddWarehouseOf(company, code, name string) error {
	return s.person(func(e *env) { e.newWarehouse(e.byName("res.company", "name", company).id, code, name) })
}

// AddTax makes a percent sales tax of the first company; included says that
// prices contain it.
func (s *Server) AddTax(name, percent string, included bool) error {
	return s.AddTaxOf("", name, percent, included)
}

// AddTaxOf makes a percent sales tax of the named company ("" is the first).
func (s *Server) AddTaxOf(company, name, percent string, included bool) error {
	return s.person(func(e *env) {
		owner := 1
		if company != "" {
			owner = e.byName("res.company", "name", company).id
		}
		vals := row{"name": name, "amount": decimalOf("percent", percent), "amount_type": "percent", "type_tax_use": "sale", "company_id": owner, "sequence": 1, "include_base_amount": false, "is_base_affected": true}
		if e.v.taxIncluded == "price_include" {
			vals["price_include"] = included
		} else {
			vals[e.v.taxIncluded] = map[bool]string{true: "tax_included", false: "tax_excluded"}[included]
		}
		e.insert("account.tax", vals)
	})
}

// AddCountry adds a country the fresh database does not have.
func (s *Server) AddCountry(code, name string) error {
	return s.person(func(e *env) {
		id := e.insert("res.country", row{"code": code, "name": name})
		e.setExternalID("base."+strings.ToLower(code), "res.country", id, false)
	})
}

// AddSalesman makes a user with the right "Sales / User: Own Documents Only".
func (s *Server) AddSalesman(name, login, password string) error {
	return s.person(func(e *env) { e.newUser(name, login, password, true) })
}

// AddProduct makes a product with one variant.
func (s *Server) AddProduct(p Product) error {
	return s.person(func(e *env) {
		vals := map[string]any{"name": p.Name, "default_code": p.SKU, "list_price": decimalOf("price", p.Price)}
		if p.Barcode != "" {
			vals["barcode"] = p.Barcode
		}
		switch p.Kind {
		case "", "goods":
			vals[e.v.productKind] = e.v.kindStorable
			if e.v.storableFlag {
				vals["is_storable"] = true
			}
		case "service":
			vals[e.v.productKind] = "service"
		default:
			userError("product %s: kind %q is neither goods nor service", p.SKU, p.Kind)
		}
		taxes := []any{}
		for _, name := range p.Taxes {
			taxes = append(taxes, e.byName("account.tax", "name", name).id)
		}
		vals["taxes_id"] = []any{[]any{6, 0, taxes}}
		if p.UoM != "" {
			vals["uom_id"] = e.byName("uom.uom", "name", p.UoM).id
		}
		if p.Policy != "" {
			vals["invoice_policy"] = p.Policy
		}
		e.create("product.product", vals)
	})
}

// AddPartner makes a customer, or an address of one.
func (s *Server) AddPartner(p Partner) error {
	return s.person(func(e *env) {
		vals := map[string]any{"name": p.Name, "is_company": p.Company, "customer_rank": 1}
		for f, v := range map[string]string{"ref": p.Ref, "email": p.Email, "phone": p.Phone, "type": p.Type, "street": p.Street, "street2": p.Street2, "city": p.City, "zip": p.Zip} {
			if v != "" {
				vals[f] = v
			}
		}
		if p.Parent != "" {
			vals["parent_id"] = e.byName("res.partner", "ref", p.Parent).id
		}
		if p.Country != "" {
			country := e.byName("res.country", "code", p.Country)
			vals["country_id"] = country.id
			if p.State != "" {
				state := e.first("res.country.state", func(r rec) bool { return r.str("code") == p.State && r.ref("country_id") == country.id })
				if state.id == 0 {
					userError("there is no state %q in %s", p.State, p.Country)
				}
				vals["state_id"] = state.id
			}
		}
		if p.PaymentTerm != "" {
			vals["property_payment_term_id"] = e.byName("account.payment.term", "name", p.PaymentTerm).id
		}
		if p.CreditLimit != "" {
			vals["use_partner_credit_limit"], vals["credit_limit"] = true, decimalOf("credit limit", p.CreditLimit)
		}
		id := e.create("res.partner", vals)
		if p.Pricelist != "" {
			e.rec("res.partner", id).set(row{ownPricelist(e): e.byName("product.pricelist", "name", p.Pricelist).id})
		}
	})
}

// SetCredit sets what the customer with this ref owes (res.partner.credit).
func (s *Server) SetCredit(ref, amount string) error {
	return s.person(func(e *env) {
		commercial(e.byName("res.partner", "ref", ref)).set(row{"~credit": decimalOf("credit", amount)})
	})
}

func (e *env) productBySKU(sku string) rec { return e.byName("product.product", "default_code", sku) }

// SetStock makes the warehouse with this code hold qty of the product, as an
// inventory count does.
func (s *Server) SetStock(sku, warehouse, qty string) error {
	return s.person(func(e *env) {
		w := e.byName("stock.warehouse", "code", warehouse)
		p := e.productBySKU(sku)
		if !storable(p) {
			userError("product %s keeps no stock", sku)
		}
		e.applyInventory(e.quantAt(p.id, w.ref("lot_stock_id")), decimalOf("quantity", qty))
	})
}

// SetLot makes the warehouse with this code hold qty of the product in a lot, which is
// made where there is none of that name; the product is then tracked by lots.
func (s *Server) SetLot(sku, warehouse, lot, qty string) error {
	return s.person(func(e *env) {
		w, p := e.byName("stock.warehouse", "code", warehouse), e.productBySKU(sku)
		if !storable(p) {
			userError("product %s keeps no stock", sku)
		}
		l := e.first("stock.lot", func(r rec) bool { return r.ref("product_id") == p.id && r.str("name") == lot })
		if l.id == 0 {
			l = e.rec("stock.lot", e.insert("stock.lot", row{"name": lot, "product_id": p.id, "company_id": e.company()}))
			p.follow("product_tmpl_id").set(row{"tracking": "lot"})
		}
		e.applyInventory(e.quantOn(p.id, shelf{w.ref("lot_stock_id"), l.id}), decimalOf("quantity", qty))
	})
}

// SetPrice changes a product's list price.
func (s *Server) SetPrice(sku, price string) error {
	return s.person(func(e *env) {
		e.write("product.product", []int{e.productBySKU(sku).id}, map[string]any{"list_price": decimalOf("price", price)})
	})
}

// order finds the one order with this client_order_ref, or by its own number.
func (e *env) order(ref string) rec {
	var found []rec
	for _, id := range e.all("sale.order") {
		if r := e.rec("sale.order", id); r.str("client_order_ref") == ref || r.str("name") == ref {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		userError("there are %d orders with reference %q, not one", len(found), ref)
	}
	return found[0]
}

// ConfirmOrder presses Confirm on the order with this client_order_ref.
func (s *Server) ConfirmOrder(ref string) error {
	return s.person(func(e *env) { confirmOrder(e, e.order(ref)) })
}

// CancelOrder cancels the order and its open transfers.
func (s *Server) CancelOrder(ref string) error {
	return s.person(func(e *env) {
		cancelOrders(e.with("disable_cancel_warning", true), []any{e.order(ref).id}, nil)
	})
}

// DeleteOrder deletes the order; Odoo refuses unless it is a draft or cancelled.
func (s *Server) DeleteOrder(ref string) error {
	return s.person(func(e *env) { e.unlink("sale.order", []int{e.order(ref).id}) })
}

// EditLine changes the ordered quantity of the product on the order.
func (s *Server) EditLine(ref, sku, qty string) error {
	return s.person(func(e *env) {
		e.write("sale.order.line", []int{e.lineOf(ref, sku).id}, map[string]any{"product_uom_qty": decimalOf("quantity", qty)})
	})
}

// EditPrice changes the unit price of the product on the order.
func (s *Server) EditPrice(ref, sku, price string) error {
	return s.person(func(e *env) {
		e.write("sale.order.line", []int{e.lineOf(ref, sku).id}, map[string]any{"price_unit": decimalOf("price", price)})
	})
}

func (e *env) lineOf(ref, sku string) rec {
	product := e.productBySKU(sku)
	for _, l := range e.order(ref).each("order_line") {
		if l.ref("product_id") == product.id {
			return l
		}
	}
	userError("order %s has no line of %s", ref, sku)
	return rec{}
}

// ShipOrder validates the order's open transfers in full: what is not reserved
// is shipped too, and stock falls. tracking, when given, is written on them.
func (s *Server) ShipOrder(ref, tracking string) error {
	return s.person(func(e *env) { e.shipOrder(ref, tracking, nil) })
}

// ShipPart validates the order's first open transfer with these quantities by
// SKU; what is left becomes a backorder.
func (s *Server) ShipPart(ref, tracking string, quantities map[string]string) error {
	return s.person(func(e *env) { e.shipOrder(ref, tracking, quantities) })
}

// CancelTransfers cancels what of the order's transfers is open, a backorder for
// instance; the order stands.
func (s *Server) CancelTransfers(ref string) error {
	return s.person(func(e *env) {
		open := slices.DeleteFunc(e.order(ref).each("picking_ids"), func(p rec) bool { return p.str("state") == "done" || p.str("state") == "cancel" })
		if len(open) == 0 {
			userError("order %s has no open transfer", ref)
		}
		for _, p := range open {
			e.cancelPicking(p)
		}
	})
}

func (e *env) shipOrder(ref, tracking string, quantities map[string]string) {
	shipped := 0
	for _, p := range e.order(ref).each("picking_ids") {
		if state := p.str("state"); state == "done" || state == "cancel" {
			continue
		}
		for _, m := range openMoves(p) {
			n := m.num("product_uom_qty")
			if quantities != nil {
				text, named := quantities[m.follow("product_id").str("default_code")]
				if n = 0; named {
					n = decimalOf("quantity", text)
				}
			}
			e.typeQuantity(m, n)
			m.set(row{"picked": n > 0})
		}
		e.finish(p, true)
		if tracking != "" {
			p.set(row{"carrier_tracking_ref": tracking})
		}
		if shipped++; quantities != nil {
			break
		}
	}
	if shipped == 0 {
		userError("order %s has no open transfer", ref)
	}
}

// String names the server for messages: "Odoo 18".
func (s *Server) String() string { return fmt.Sprintf("Odoo %d", s.cfg.Version) }
