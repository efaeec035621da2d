package odoo

import "slices"

// modelled are the models the stand-in answers.
var modelled = []string{
	"sale.order", "sale.order.line", "res.partner", "product.product", "product.template", "product.category",
	"product.pricelist", "product.pricelist.item", "stock.quant", "stock.warehouse", "stock.location", "stock.picking",
	"stock.picking.type", "stock.lot", "stock.move", "stock.move.line", "stock.backorder.confirmation", "account.tax", "account.fiscal.position",
	"account.fiscal.position.tax", "account.payment.term", "uom.uom", "res.country", "res.country.state", "res.company",
	"res.currency", "res.users", "ir.model.data", "crm.tag", "crm.team",
}

func buildModels(v *version) map[string]*model {
	known := KnownFields(v.number)
	models := map[string]*model{}
	for _, name := range modelled {
		models[name] = newModel(name, known)
	}
	partnerModel(models["res.partner"], v)
	countryModels(models)
	productModels(models, v)
	priceModels(models, v)
	taxModels(models, v)
	saleModels(models, v)
	lineModel(models["sale.order.line"], v)
	stockModels(models, v)
	pickingModels(models, v)
	backorderModel(models["stock.backorder.confirmation"])
	companyModel(models["res.company"])
	userModel(models["res.users"], v)
	keyModel(models["ir.model.data"])
	if !v.hasTaxMaps {
		delete(models, "account.fiscal.position.tax")
	}
	return models
}

func companyModel(m *model) {
	m.fields(`name currency_id partner_id sequence country_id parent_id account_sale_tax_id
		account_use_credit_limit tax_calculation_rounding_method`)
	if _, ok := m.meta["chart_template"]; ok {
		m.stored["chart_template"] = true
	}
	m.order = "sequence, name, id"
	m.create = func(e *env, vals row) int { notSupported("creating res.company"); return 0 }
	m.write = func(e *env, ids []int, vals row) {
		for f := range vals {
			if f != "account_use_credit_limit" && f != "tax_calculation_rounding_method" && f != "name" {
				notSupported("writing field %s of res.company", f)
			}
		}
		e.writeRow(m, ids, vals)
	}
}

func userModel(m *model, v *version) {
	m.fields("name login company_id company_ids tz lang partner_id active email " + v.userGroups)
	m.order = "name, login"
	m.computed["password"] = func(e *env, r rec) any { return "" } // never shown
	m.stored["password"] = true
	m.methods["context_get"] = func(e *env, args []any, kw map[string]any) any {
		user := e.rec("res.users", e.uid)
		return map[string]any{"lang": user.str("lang"), "tz": user.str("tz"), "uid": e.uid}
	}
	m.meta[v.userGroups] = Field{Type: "many2many", Relation: "res.groups"}
	m.create = func(e *env, vals row) int {
		groups, _ := vals[v.userGroups].(links)
		if salesman := e.externalID("sales_team.group_sale_salesman"); !slices.Equal(groups.add, []int{salesman.ref("res_id")}) {
			notSupported("a user with other groups than sales_team.group_sale_salesman")
		}
		login, _ := vals["login"].(string)
		password, _ := vals["password"].(string)
		name, _ := vals["name"].(string)
		return e.newUser(name, login, password, true)
	}
	m.write = func(e *env, ids []int, vals row) { notSupported("writing res.users") }
}

// newUser makes an internal user of the current company; a salesman sees his
// own orders only and has no administration or invoicing rights.
func (e *env) newUser(name, login, password string, salesman bool) int {
	partner := e.insert("res.partner", row{"name": name, "type": "contact", "is_company": false, "email": login, "lang": "en_US", "customer_rank": 0, "supplier_rank": 0})
	return e.insert("res.users", row{
		"name": name, "login": login, "~password": password, "~salesman": salesman, "company_id": e.company(),
		"company_ids": []int{e.company()}, "tz": "Europe/Brussels", "lang": "en_US", "partner_id": partner, "email": login,
	})
}

func keyModel(m *model) {
	m.fields("module name model res_id noupdate")
	m.create = func(e *env, vals row) int {
		module, _ := vals["module"].(string)
		name, _ := vals["name"].(string)
		if e.db.external[module+"."+name] != 0 {
			refuse("ValidationError", "The operation cannot be completed: duplicate key value violates unique constraint \"ir_model_data_module_name_uniq_index\"\nDETAIL:  Key (module, name)=(%s, %s) already exists.\n", module, name)
		}
		if vals["noupdate"] == nil {
			vals["noupdate"] = false
		}
		return e.addExternalID(vals)
	}
	m.unlink = func(e *env, ids []int) {
		for _, id := range ids {
			e.dropExternalID(e.rec("ir.model.data", id))
		}
	}
	m.write = func(e *env, ids []int, vals row) {
		for f := range vals {
			if f != "res_id" && f != "noupdate" {
				notSupported("writing field %s of ir.model.data", f)
			}
		}
		e.writeRow(m, ids, vals)
	}
}
