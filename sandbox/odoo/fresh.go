package odoo

import "strings"

// freshDatabase is what a new Odoo holds before a person sets it up.
func (e *env) freshDatabase() {
	put := func(model string, id int, vals row) {
		stored := row{"create_date": e.now, "write_date": e.now, "create_uid": 1, "write_uid": 1}
		if e.model(model).stored["active"] {
			stored["active"] = true
		}
		for k, v := range vals {
			stored[k] = v
		}
		e.db.insert(model, id, stored)
	}
	currencies := []struct {
		code, symbol string
		rounding     float64
	}{{"USD", "$", 0.01}, {"EUR", "€", 0.01}, {"GBP", "£", 0.01}, {"CAD", "$", 0.01}, {"CHF", "CHF", 0.01}, {"JPY", "¥", 1}, {"AUD", "$", 0.01}}
	for i, c := range currencies {
		put("res.currency", i+1, row{"name": c.code, "symbol": c.symbol, "rounding": c.rounding, "rate": 1.0, "position": "before"})
	}
	e.countries(put)
	put("res.partner", 1, row{"name": "My Company", "is_company": true, "type": "contact", "lang": "en_US", "customer_rank": 0, "supplier_rank": 0})
	put("res.company", 1, row{"name": "My Company", "currency_id": 1, "partner_id": 1, "sequence": 10, "account_use_credit_limit": false, "tax_calculation_rounding_method": "round_per_line"})
	put("res.partner", 3, row{"name": "Administrator", "is_company": false, "type": "contact", "email": e.s.cfg.User, "lang": "en_US", "customer_rank": 0, "supplier_rank": 0})
	put("res.users", adminUser, row{
		"name": "Administrator", "login": e.s.cfg.User, "~password": e.s.cfg.Password, "company_id": 1, "company_ids": []int{1},
		"tz": "Europe/Brussels", "lang": "en_US", "partner_id": 3, "email": "admin@example.org",
	})
	e.companies = []int{1}
	put("product.category", 1, row{"name": "All"})
	e.units(put)
	list := row{"name": "Default", "currency_id": 1, "sequence": 16, "company_id": 1}
	if !e.v.pricelistHasCompany {
		list["name"] = "Public Pricelist"
	}
	put("product.pricelist", 1, list)
	put("account.payment.term", 1, row{"name": "Immediate Payment", "sequence": 10})
	put("account.payment.term", 2, row{"name": "15 Days", "sequence": 10})
	put("account.payment.term", 4, row{"name": "30 Days", "sequence": 10})
	put("crm.team", 1, row{"name": "Sales", "sequence": 10})
	if e.v.domesticPosition {
		put("account.fiscal.position", 1, row{"name": "Domestic", "company_id": 1, "is_domestic": true, "sequence": 1})
	}
	partners := 0
	if strings.Contains(e.v.locationCustomers, "/") {
		partners = 2
		put("stock.location", 2, row{"name": "Partners", "usage": "view"})
	}
	put("stock.location", 4, row{"name": "Vendors", "usage": "supplier", "location_id": orNil(partners)})
	put("stock.location", 5, row{"name": "Customers", "usage": "customer", "location_id": orNil(partners)})
	put("stock.location", 14, row{"name": "Inventory adjustment", "usage": "inventory", "company_id": 1})
	for i, x := range []struct {
		module, name, model string
		id                  int
	}{{"base", "main_company", "res.company", 1}, {"base", "user_admin", "res.users", 2}, {"base", "USD", "res.currency", 1}, {"base", "EUR", "res.currency", 2},
		{"sales_team", "group_sale_salesman", "res.groups", 21}} {
		put("ir.model.data", i+1, row{"module": x.module, "name": x.name, "model": x.model, "res_id": x.id, "noupdate": false})
		e.db.external[x.module+"."+x.name] = i + 1
	}
	for _, id := range e.all("res.country") {
		e.setExternalID("base."+strings.ToLower(e.rec("res.country", id).str("code")), "res.country", id, false)
	}
}

func (e *env) units(put func(string, int, row)) {
	for i, u := range []struct {
		name  string
		ratio float64
	}{{"Units", 1}, {"Dozens", 12}, {"kg", 1}} {
		vals := row{"name": u.name, "rounding": 0.01}
		if e.v.factorIsRatio {
			vals["factor"], vals["relative_factor"] = u.ratio, u.ratio
		} else {
			vals["factor"], vals["uom_type"] = 1/u.ratio, "reference"
			if u.ratio > 1 {
				vals["uom_type"] = "bigger"
			}
		}
		put("uom.uom", i+1, vals)
	}
}

// countryNames and stateNames are the countries and states a fresh database
// knows here: code=name. A real Odoo has every country; one that is missing is
// added with Server.AddCountry.
const (
	countryNames = `AE=United Arab Emirates|AR=Argentina|AT=Austria|AU=Australia|BE=Belgium|BG=Bulgaria|BR=Brazil|CA=Canada|CH=Switzerland|CL=Chile|CN=China|CO=Colombia|CY=Cyprus|CZ=Czech Republic|DE=Germany|DK=Denmark|EE=Estonia|ES=Spain|FI=Finland|FR=France|GB=United Kingdom|GR=Greece|HK=Hong Kong|HR=Croatia|HU=Hungary|IE=Ireland|IL=Israel|IN=India|IS=Iceland|IT=Italy|JP=Japan|KR=South Korea|LT=Lithuania|LU=Luxembourg|LV=Latvia|MT=Malta|MX=Mexico|NL=Netherlands|NO=Norway|NZ=New Zealand|PL=Poland|PT=Portugal|RO=Romania|SE=Sweden|SG=Singapore|SI=Slovenia|SK=Slovakia|TR=Türkiye|US=United States|ZA=South Africa`
	usStates     = `AL=Alabama|AK=Alaska|AZ=Arizona|AR=Arkansas|CA=California|CO=Colorado|CT=Connecticut|DE=Delaware|DC=District of Columbia|FL=Florida|GA=Georgia|HI=Hawaii|ID=Idaho|IL=Illinois|IN=Indiana|IA=Iowa|KS=Kansas|KY=Kentucky|LA=Louisiana|ME=Maine|MD=Maryland|MA=Massachusetts|MI=Michigan|MN=Minnesota|MS=Mississippi|MO=Missouri|MT=Montana|NE=Nebraska|NV=Nevada|NH=New Hampshire|NJ=New Jersey|NM=New Mexico|NY=New York|NC=North Carolina|ND=North Dakota|OH=Ohio|OK=Oklahoma|OR=Oregon|PA=Pennsylvania|RI=Rhode Island|SC=South Carolina|SD=South Dakota|TN=Tennessee|TX=Texas|UT=Utah|VT=Vermont|VA=Virginia|WA=Washington|WV=West Virginia|WI=Wisconsin|WY=Wyoming`
	caStates     = `AB=Alberta|BC=British Columbia|MB=Manitoba|NB=New Brunswick|NL=Newfoundland and Labrador|NS=Nova Scotia|NT=Northwest Territories|NU=Nunavut|ON=Ontario|PE=Prince Edward Island|QC=Quebec|SK=Saskatchewan|YT=Yukon`
)

func (e *env) countries(put func(string, int, row)) {
	at := map[string]int{}
	for i, entry := range strings.Split(countryNames, "|") {
		code, name, _ := strings.Cut(entry, "=")
		id := i + 1
		if code == "US" {
			id = 233 // as on every Odoo we have seen
		}
		at[code] = id
		put("res.country", id, row{"code": code, "name": name})
	}
	id := 9 // California is 13
	for _, entry := range strings.Split(usStates, "|") {
		code, name, _ := strings.Cut(entry, "=")
		put("res.country.state", id, row{"code": code, "name": name, "country_id": at["US"]})
		id++
	}
	for _, entry := range strings.Split(caStates, "|") {
		code, name, _ := strings.Cut(entry, "=")
		put("res.country.state", id, row{"code": code, "name": name, "country_id": at["CA"]})
		id++
	}
}
