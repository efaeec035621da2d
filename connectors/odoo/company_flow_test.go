package odoo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
)

// twoCompanies adds a company that sells in EUR, with a warehouse, a price list and
// a sales tax of the same name as the first one's, and connects to both.
func (f *flow) twoCompanies() {
	f.t.Helper()
	for _, err := range []error{
		f.s.stand.SetPricelists(true),
		f.s.stand.AddCompany("Europe", "EUR"), f.s.stand.AddWarehouseOf("Europe", "EW", "Europe West"),
		f.s.stand.AddTaxOf("Europe", "Tax 8%", "8", false), f.s.stand.SetStock("TEA", "EW", "5"),
	} {
		if err != nil {
			f.t.Fatal(err)
		}
	}
	var rows []struct{ ID int }
	answer := f.rpc("res.company", "search_read", []any{[]any{[]any{"name", "=", "Europe"}}, []string{"name"}}, nil)
	if err := json.Unmarshal(answer, &rows); err != nil || len(rows) != 1 {
		f.t.Fatal(err, rows)
	}
	f.conn = connect(f.t, f.s, func(c *odoo.Config) {
		c.Companies = map[string]string{"US1": "1", "EU1": fmt.Sprint(rows[0].ID)}
	}, nil)
	f.names = map[string][]crossdock.Ref{}
	for _, k := range []crossdock.Kind{crossdock.KindSite, crossdock.KindTax, crossdock.KindItem} {
		for _, st := range f.pullAll(k, nil) {
			f.learn(st)
		}
	}
}

func eur(s string) crossdock.Money { return crossdock.Money{Amount: dec(s), Currency: "EUR"} }

// european is an order of the second company.
func (f *flow) european(number string, customer crossdock.Ref) crossdock.Order {
	o := f.order(number, customer)
	o.Company, o.Currency, o.Site = "EU1", "EUR", f.names["site:EW"][0].Key
	o.Lines[0].Price = eur("10.00")
	o.Lines[0].Taxes = []crossdock.TaxAmount{{Title: "Tax", Rate: dec("0.08"), Amount: eur("1.60")}}
	o.Totals = crossdock.Totals{Subtotal: eur("20.00"), Tax: eur("1.60"), Total: eur("21.60")}
	return o
}

// eachStand runs on the stand-ins: a second company can't be made over the API.
func eachStand(t *testing.T, do func(t *testing.T, f *flow)) {
	each(t, func(t *testing.T, f *flow) {
		if f.s.stand != nil {
			do(t, f)
		}
	})
}

// TestOrdersOfTwoCompanies: each is made, confirmed and cancelled in its own, with
// its own warehouse, tax and currency.
func TestOrdersOfTwoCompanies(t *testing.T) {
	eachStand(t, func(t *testing.T, f *flow) {
		f.twoCompanies()
		if len(f.names["tax:Tax 8%"]) != 2 || f.body[f.names["site:EW"][0]].Text("company") != "EU1" || f.body[f.names["site:E"][0]].Text("company") != "US1" {
			t.Fatalf("taxes %v, sites %v %v", f.names["tax:Tax 8%"], f.body[f.names["site:EW"][0]], f.body[f.names["site:E"][0]])
		}
		customer := f.customer()
		of, number := f.ref("us")
		first := f.order(number, customer)
		first.Company = "US1"
		of2, number2 := f.ref("eu")
		second := f.european(number2, customer)
		var batch []crossdock.Push
		for ref, o := range map[crossdock.Ref]crossdock.Order{of: first, of2: second} {
			w := f.want(ref, o)
			batch = append(batch, crossdock.Push{Of: ref, Rev: 1, Want: w.Record, Door: w.Door})
		}
		for _, r := range f.push(batch...) { // both in one batch
			if r.Code != crossdock.OK {
				t.Fatalf("%+v", r)
			}
		}
		batch = batch[:0]
		for ref, o := range map[crossdock.Ref]crossdock.Order{of: first, of2: second} {
			w := f.want(ref, o)
			batch = append(batch, crossdock.Push{Of: ref, Rev: 2, Want: w.Record, Key: f.view(ref).Key, Door: w.Door})
		}
		for _, r := range f.push(batch...) {
			if r.Code != crossdock.OK || r.Holds.Text("state") != "confirmed" {
				t.Fatalf("%+v", r)
			}
		}
		for number, want := range map[string]map[string]string{
			number:  {"company_id": "My Company", "currency_id": "USD", "warehouse_id.code": "E", "state": "sale", "amount_total": "21.60", "amount_tax": "1.60"},
			number2: {"company_id": "Europe", "currency_id": "EUR", "warehouse_id.code": "EW", "state": "sale", "amount_total": "21.60", "amount_tax": "1.60"},
		} {
			want["client_order_ref"] = number
			rows, err := f.s.stand.Match("sale.order", want)
			if err != nil || len(rows) != 1 {
				all, _ := f.s.stand.Match("sale.order", map[string]string{"client_order_ref": number}, "company_id", "currency_id", "warehouse_id", "state", "amount_total", "amount_tax")
				t.Errorf("%v %v: is %v", want, err, all)
			}
		}
		stock := f.stock(new(connector.Cursor))
		if a, b := stock["TEA@E"].Reserved.Count, stock["TEA@EW"].Reserved.Count; !a.Equal(dec("2")) || !b.Equal(dec("2")) {
			t.Errorf("reserved %s and %s", a, b)
		}
		second.State = crossdock.OrderCancelled
		if f.true(of2, second); f.view(of2).Held.Text("state") != "cancelled" {
			t.Errorf("held: %v", f.view(of2).Held)
		}
	})
}

// TestAnotherCompanyIsLeftAlone: what lies in a company the connection does not
// serve is neither seen nor written.
func TestAnotherCompanyIsLeftAlone(t *testing.T) {
	eachStand(t, func(t *testing.T, f *flow) {
		ctx := context.Background()
		f.twoCompanies()
		of, number := f.ref("theirs")
		o := f.european(number, f.customer())
		w := f.want(of, o)
		if r := f.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})[0]; r.Code != crossdock.OK {
			t.Fatalf("%+v", r)
		}
		draft := f.view(of).Asked
		f.conn = connect(t, f.s, func(c *odoo.Config) { c.Company = 1 }, nil)
		for _, k := range []crossdock.Kind{crossdock.KindSite, crossdock.KindTax, crossdock.KindStock, crossdock.KindOrder} {
			page, err := f.conn.Keys(ctx, k, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range page.Keys {
				if k == crossdock.KindOrder && key == f.view(of).Key || k == crossdock.KindSite && key == f.keys[f.names["site:EW"][0]] ||
					k == crossdock.KindStock && strings.HasSuffix(key, "@"+f.keys[f.names["site:EW"][0]]) {
					t.Errorf("%s %s of another company is listed", k, key)
				}
			}
			if k == crossdock.KindTax && len(page.Keys) != 1 {
				t.Errorf("taxes %v", page.Keys)
			}
		}
		for _, state := range []string{"sale", "cancel", "draft"} {
			want := draft.Clone()
			want.Fields["state"] = json.RawMessage(`"` + state + `"`)
			delete(want.Fields, "company_id")
			r := f.conn.Push(ctx, []crossdock.Push{{Of: of, Rev: 3, Want: want, Key: f.view(of).Key, Door: crossdock.DoorFound}})[0]
			if r.Code != crossdock.Refused {
				t.Errorf("to %s: %+v", state, r)
			}
		}
		if rows, err := f.s.stand.Match("sale.order", map[string]string{"client_order_ref": number, "state": "draft", "company_id": "Europe"}); err != nil || len(rows) != 1 {
			t.Errorf("%v %v", rows, err)
		}
	})
}

// TestAnotherCompanyFailsAlone: what may not be read does not stop its batch.
func TestAnotherCompanyFailsAlone(t *testing.T) {
	eachStand(t, func(t *testing.T, f *flow) {
		f.twoCompanies()
		customer := f.customer()
		ours, number := f.ref("ours")
		theirs, number2 := f.ref("theirs")
		first := f.order(number, customer)
		first.Company = "US1"
		var batch []crossdock.Push
		for i, o := range []crossdock.Order{first, f.european(number2, customer)} {
			of := []crossdock.Ref{ours, theirs}[i]
			w := f.want(of, o)
			if r := f.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})[0]; r.Code != crossdock.OK {
				t.Fatalf("%+v", r)
			}
			want := f.view(of).Asked.Clone()
			delete(want.Fields, "company_id")
			batch = append(batch, crossdock.Push{Of: of, Rev: 2, Want: want, Key: f.view(of).Key, Door: crossdock.DoorFound})
		}
		f.conn = connect(t, f.s, func(c *odoo.Config) { c.Company = 1 }, nil)
		for _, state := range []string{"draft", "sale", "cancel"} {
			for _, p := range batch {
				p.Want.Fields["state"] = json.RawMessage(`"` + state + `"`)
			}
			got := f.conn.Push(context.Background(), batch)
			if got[0].Code != crossdock.OK || got[1].Code != crossdock.Refused {
				t.Errorf("to %s: ours %q %s, theirs %q %s", state, got[0].Code, got[0].Text, got[1].Code, got[1].Text)
			}
		}
	})
}

// TestCompaniesThatDoNotFit are told before anything is sent.
func TestCompaniesThatDoNotFit(t *testing.T) {
	eachStand(t, func(t *testing.T, f *flow) {
		f.twoCompanies()
		customer := f.customer()
		of, number := f.ref("wrong")
		o := f.european(number, customer)
		o.Company = "ASIA"
		f.refused(of, o, "company: no company in Odoo is known for \"ASIA\"")
		o = f.european(number, customer)
		o.Site = f.names["site:E"][0].Key
		f.refused(of, o, "is of company \"US1\"")
		o = f.european(number, customer)
		o.Company = "US1"
		f.refused(of, o, "is of company \"EU1\"")
		if got := f.search("sale.order", []any{"client_order_ref", "=", number}); len(got) != 0 {
			t.Errorf("made %v", got)
		}
		// A company the user does not hold stops everything, and says so.
		conn := connect(t, f.s, func(c *odoo.Config) { c.Company = 77 }, nil)
		if err := conn.Ping(context.Background()); crossdock.CodeOf(err) != crossdock.Unauthorized || !strings.Contains(err.Error(), "companies") {
			t.Error(err)
		}
	})
}

// refused expects that an order can't be projected, and why.
func (f *flow) refused(of crossdock.Ref, o crossdock.Order, why string) {
	f.t.Helper()
	r, err := crossdock.Pack(o)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.conn.Project(r, *f.view(of), f); crossdock.CodeOf(err) != crossdock.Invalid || !strings.Contains(err.Error(), why) {
		f.t.Errorf("%v, want %q", err, why)
	}
}

// TestPricelistOfTheCompany: lists of one name and currency are told apart by their
// company.
func TestPricelistOfTheCompany(t *testing.T) {
	eachStand(t, func(t *testing.T, f *flow) {
		f.twoCompanies()
		lists := map[string]string{}
		euro := f.search("res.currency", []any{"name", "=", "EUR"})[0]
		both := map[string]any{"context": map[string]any{"allowed_company_ids": f.search("res.company")}}
		for _, company := range f.search("res.company") {
			id := f.rpc("product.pricelist", "create", []any{map[string]any{"name": "Web", "currency_id": euro, "company_id": company}}, both)
			lists[fmt.Sprint(company)] = string(id)
		}
		companies := f.search("res.company", []any{"name", "=", "Europe"})
		f.conn = connect(t, f.s, func(c *odoo.Config) {
			c.Companies = map[string]string{"US1": "1", "EU1": fmt.Sprint(companies[0])}
			c.Pricelists = map[string]string{"EUR": "Web"}
		}, nil)
		of, number := f.ref("listed")
		w := f.want(of, f.european(number, f.customer()))
		if r := f.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})[0]; r.Code != crossdock.OK {
			t.Fatalf("%+v", r)
		}
		rows, err := f.s.stand.Match("sale.order", map[string]string{"client_order_ref": number, "pricelist_id": lists[fmt.Sprint(companies[0])], "company_id": "Europe"})
		if err != nil || len(rows) != 1 {
			t.Errorf("%v %v, lists %v", rows, err, lists)
		}
	})
}
