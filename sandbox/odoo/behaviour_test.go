package odoo

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPasswordsAndKeys(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		login := func(password string) string {
			return strings.TrimSpace(string(c.post("common", "authenticate", "db", "admin", password, map[string]any{}).Result))
		}
		s.AddAPIKey("k1")
		if login("secret") != "2" || login("k1") != "2" || login("nope") != "false" || login("") != "false" {
			t.Errorf("authenticate: %s %s %s %s", login("secret"), login("k1"), login("nope"), login(""))
		}
		s.RevokeAPIKey("k1")
		a := c.post("object", "execute_kw", "db", 2, "k1", "res.partner", "search_count", []any{[]any{}}, map[string]any{})
		if a.Error == nil || a.Error.Data.Name != "odoo.exceptions.AccessDenied" {
			t.Errorf("a revoked key is answered %+v", a)
		}
		if a := c.post("common", "authenticate", "other", "admin", "secret", map[string]any{}); a.Error == nil || a.Error.Data.Name != "psycopg2.OperationalError" {
			t.Errorf("an unknown database is answered %+v", a)
		}
	})
}

// TestRefusals lists calls and the error class each must get.
func TestRefusals(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		c := newClient(t, shop(t, version))
		for _, x := range []struct {
			model, method string
			args          []any
			class         string
		}{
			{"account.move", "search", []any{[]any{}}, notSupportedName},
			{"no.such.thing", "search", []any{[]any{}}, "odoo.exceptions.UserError"},
			{"sale.order", "copy", []any{[]any{1}}, notSupportedName},
			{"sale.order", "no_such", []any{[]any{1}}, "builtins.AttributeError"},
			{"sale.order", "_compute", []any{[]any{1}}, "odoo.exceptions.AccessError"},
			{"sale.order", "read", []any{[]any{1}, []any{"tax_totals"}}, notSupportedName},
			{"sale.order", "read", []any{[]any{1}, []any{"no_such"}}, "builtins.ValueError"},
			{"sale.order", "write", []any{[]any{77}, map[string]any{"note": "x"}}, "odoo.exceptions.MissingError"},
			{"sale.order", "create", []any{map[string]any{}}, "odoo.exceptions.ValidationError"},
			{"res.partner", "create", []any{map[string]any{"no_such": 1}}, "builtins.ValueError"},
			{"sale.order", "search", []any{[]any{[]any{"tax_totals", "=", 1}}}, notSupportedName},
			{"sale.order", "search", []any{[]any{[]any{"order_line.no_such", "=", 1}}}, "builtins.ValueError"},
		} {
			a := c.call(x.model, x.method, x.args, nil)
			if a.Error == nil || a.Error.Data.Name != x.class {
				t.Errorf("%s.%s %v: %+v, want %s", x.model, x.method, x.args, a.Error, x.class)
			}
		}
	})
}

func TestARefusedRequestKeepsNothing(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		before := fmt.Sprint(s.Rows("res.partner"), s.Rows("ir.model.data"))
		a := c.call("res.partner", "create", []any{[]any{map[string]any{"name": "One"}, map[string]any{"name": "Two", "no_such": 1}}}, nil)
		if a.Error == nil {
			t.Fatal("the second record is wrong and the call is accepted")
		}
		load := c.must("res.partner", "load", []any{[]any{"id", "name", "country_id/id"}, []any{
			[]any{"x.one", "One", "base.us"}, []any{"x.two", "Two", "base.nowhere"},
		}}, nil).(map[string]any)
		if load["ids"] != false || len(load["messages"].([]any)) != 1 {
			t.Fatalf("a batch with a bad row: %v", load)
		}
		if after := fmt.Sprint(s.Rows("res.partner"), s.Rows("ir.model.data")); after != before {
			t.Error("a refused request left something behind")
		}
	})
}

func TestOrderedFaults(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		s.Contend("sale.order", 1)
		s.Reject("sale.order", "action_confirm", 1)
		lost := c.load("crossdock.order_1", "1")
		text := fmt.Sprint(lost["messages"])
		if lost["ids"] != false || !strings.Contains(text, "could not serialize access due to concurrent update") {
			t.Errorf("a lost race answers %v", lost)
		}
		won := c.load("crossdock.order_1", "1")
		id := int(won["ids"].([]any)[0].(float64))
		if a := c.call("sale.order", "action_confirm", []any{[]any{id}}, nil); a.Error == nil || a.Error.Data.Name != "odoo.exceptions.UserError" {
			t.Errorf("a rejected confirmation answers %+v", a)
		}
		c.must("sale.order", "action_confirm", []any{[]any{id}}, nil)
		s.Reject("sale.order", "load", 1)
		if l := c.load("crossdock.order_2", "1"); l["ids"] != false {
			t.Errorf("a rejected load answers %v", l)
		}
		if rows := s.Rows("sale.order"); len(rows) != 1 {
			t.Errorf("%d orders", len(rows))
		}
	})
}

func TestTwoLoadsAtOnceMakeOneOrder(t *testing.T) {
	s := shop(t, 18)
	c := newClient(t, s)
	customer, tea := c.customer(), c.product("TEA")
	var wg sync.WaitGroup
	answers := make([]string, 8)
	for i := range answers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a := c.call("sale.order", "load", []any{
				[]any{"id", "partner_id/.id", "order_line/product_id/.id"},
				[]any{[]any{"x.same", fmt.Sprint(customer), fmt.Sprint(tea)}},
			}, map[string]any{"context": map[string]any{"mode": "update", "noupdate": true}})
			answers[i] = string(a.Result)
		}()
	}
	wg.Wait()
	for _, a := range answers[1:] {
		if a != answers[0] {
			t.Errorf("the answers differ: %s and %s", answers[0], a)
		}
	}
	if n := len(s.Rows("sale.order")); n != 1 {
		t.Errorf("%d orders were made", n)
	}
}

// TestCursor shows what "later than" means: the database keeps microseconds, 16
// and 18 compare with them and show seconds, 19 compares whole seconds.
func TestCursor(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		id := c.customer()
		shown := c.must("res.partner", "read", []any{[]any{id}, []any{"write_date"}}, nil).([]any)[0].(map[string]any)["write_date"]
		count := func(test string) float64 {
			return c.must("res.partner", "search_count", []any{[]any{[]any{"id", "=", id}, []any{"write_date", test, shown}}}, nil).(float64)
		}
		later, equal := count(">"), count("=")
		if version == 19 && (later != 0 || equal != 1) || version != 19 && (later != 1 || equal != 0) || count(">=") != 1 {
			t.Errorf("> %v, = %v, >= %v", later, equal, count(">="))
		}
	})
}

func TestALateCommitIsDatedBeforeWhatWasSeen(t *testing.T) {
	s := shop(t, 18)
	s.BeganEarlier(4 * time.Second)
	if err := s.AddPartner(Partner{Ref: "LATE", Name: "Late"}); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.Match("res.partner", map[string]string{"ref": "LATE", "write_date": "2026-11-02 09:59:56"}); err != nil || len(rows) != 1 {
		t.Errorf("the late row: %v, %v (%v)", rows, err, s.Rows("res.partner")[len(s.Rows("res.partner"))-1]["write_date"])
	}
}

func TestMatchRefusesWhatItDoesNotKnow(t *testing.T) {
	s := shop(t, 18)
	for _, x := range []struct {
		model string
		where map[string]string
	}{
		{"sale.ordr", nil}, {"sale.order", map[string]string{"stat": "sale"}}, {"sale.order", map[string]string{"partner_id.nam": "x"}},
		{"account.move", nil}, {"sale.order", map[string]string{"tax_totals": "1"}},
	} {
		if rows, err := s.Match(x.model, x.where); err == nil {
			t.Errorf("%s %v: %v, no error", x.model, x.where, rows)
		}
	}
	for _, where := range []map[string]string{
		{"ref": "C1", "country_id": "United States"}, {"ref": "C1", "country_id": "233"}, {"ref": "C1", "parent_id": ""},
		{"ref": "C1", "active": "true", "credit_limit": "0.00"}, {"ref": "C1", "country_id.code": "US"},
	} {
		if rows, err := s.Match("res.partner", where); err != nil || len(rows) != 1 {
			t.Errorf("%v: %v, %v", where, rows, err)
		}
	}
	if rows, err := s.Match("res.partner", map[string]string{"ref": "C1", "country_id": "Germany"}); err != nil || len(rows) != 0 {
		t.Errorf("a wrong country: %v, %v", rows, err)
	}
}

// TestAPersonsActs goes through what a person does in Odoo by business names.
func TestAPersonsActs(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		c.load("A1", "2")
		one := func(model string, where map[string]string) {
			t.Helper()
			if rows, err := s.Match(model, where); err != nil || len(rows) != 1 {
				t.Errorf("%s %v: %d rows, %v", model, where, len(rows), err)
			}
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.ConfirmOrder("A1"))
		must(s.EditLine("A1", "TEA", "5"))
		one("sale.order", map[string]string{"client_order_ref": "A1", "amount_total": "54"})
		one("stock.move", map[string]string{"sale_line_id.order_id.client_order_ref": "A1", "product_uom_qty": "5", "state": "partially_available"})
		must(s.ShipPart("A1", "Z1", map[string]string{"TEA": "2"}))
		one("stock.quant", map[string]string{"location_id": "E/Stock", "quantity": "1", "reserved_quantity": "1"})
		one("stock.picking", map[string]string{"backorder_id.carrier_tracking_ref": "Z1", "state": "assigned"})
		must(s.SetStock("TEA", "E", "15"))
		must(s.SetStock("TEA", "W", "4"))
		one("stock.quant", map[string]string{"location_id": "E/Stock", "quantity": "15"})
		if version != 16 {
			one("sale.order", map[string]string{"client_order_ref": "A1", "delivery_status": "partial"})
		}
		if err := s.DeleteOrder("A1"); err == nil {
			t.Error("a confirmed order was deleted")
		}
		must(s.CancelOrder("A1"))
		one("sale.order", map[string]string{"client_order_ref": "A1", "state": "cancel"})
		one("stock.quant", map[string]string{"location_id": "E/Stock", "reserved_quantity": "0"})
		must(s.DeleteOrder("A1"))
		if key := c.must("ir.model.data", "search_count", []any{[]any{[]any{"name", "=", "A1"}}}, nil); key != 0.0 {
			t.Errorf("the deleted order keeps its external id: %v", key)
		}
		for _, err := range []error{s.ConfirmOrder("A1"), s.SetStock("NONE", "E", "1"), s.SetStock("TEA", "X", "1"), s.SetPrice("TEA", "ten"), s.SetStock("SHIP", "E", "1")} {
			if err == nil {
				t.Error("an act on something unknown was accepted")
			}
		}
		must(s.SetPrice("TEA", "12.5"))
		one("product.product", map[string]string{"default_code": "TEA", "lst_price": "12.50"})
	})
}

func TestCompaniesKeepApart(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		for _, err := range []error{s.AddCompany("Europe", "EUR"), s.AddWarehouseOf("Europe", "D", "Dock"), s.SetPricelists(true)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		europe := c.one("res.company", "name", "Europe")
		in := map[string]any{"context": map[string]any{"allowed_company_ids": []int{europe}}}
		id := c.must("sale.order", "create", []any{map[string]any{"partner_id": c.customer()}}, in)
		if rows, err := s.Match("sale.order", map[string]string{"company_id": "Europe", "currency_id": "EUR", "warehouse_id": "Dock"}); err != nil || len(rows) != 1 {
			t.Errorf("the order of Europe: %v, %v", rows, err)
		}
		first := map[string]any{"context": map[string]any{"allowed_company_ids": []int{1}}}
		if a := c.call("sale.order", "read", []any{[]any{id}, []any{"name"}}, first); a.Error == nil || a.Error.Data.Name != "odoo.exceptions.AccessError" {
			t.Errorf("another company's order reads as %+v", a)
		}
		if n := c.must("sale.order", "search_count", []any{[]any{}}, first); n != 0.0 {
			t.Errorf("the first company sees %v orders", n)
		}
	})
}

// TestLoadOfACustomerWithItsAddress loads a customer and, in the same batch, an
// address that names it by external id.
func TestLoadOfACustomerWithItsAddress(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		rows := []any{
			[]any{"x.c", "Ben", "", "", "1 Main St", "base.us"},
			[]any{"x.c_ship", "Ben at work", "x.c", "delivery", "2 Dock Rd", "base.us"},
		}
		columns := []any{"id", "name", "parent_id/id", "type", "street", "country_id/id"}
		kw := map[string]any{"context": map[string]any{"mode": "update", "tz": "UTC"}}
		first := c.must("res.partner", "load", []any{columns, rows}, kw)
		if again := c.must("res.partner", "load", []any{columns, rows}, kw); fmt.Sprint(first) != fmt.Sprint(again) {
			t.Errorf("loaded twice: %v and %v", first, again)
		}
		found, err := s.Match("res.partner", map[string]string{"name": "Ben at work", "parent_id.name": "Ben", "type": "delivery", "street": "2 Dock Rd"})
		if err != nil || len(found) != 1 {
			t.Errorf("the address: %v, %v (%v)", found, err, first)
		}
	})
}

// FuzzRequest posts anything: the answer is never an error of the stand-in itself.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"params":{"service":"object","method":"execute_kw","args":["db",2,"secret","sale.order","load",[["id","partner_id/.id","order_line/product_id/.id"],[["a.b","1","1"],["","","2"]]],{"context":{"mode":"update"}}]}}`,
		`{"params":{"service":"object","method":"execute_kw","args":["db",2,"secret","sale.order","create",[{"partner_id":1,"order_line":[[0,0,{"product_id":1}]]}],{}]}}`,
		`{"params":{"service":"object","method":"execute_kw","args":["db",2,"secret","res.partner","search_read",[["|",["name","ilike","a"],["parent_id.name","=",false]],["name"]],{"limit":3,"order":"name desc"}]}}`,
		`{"params":{"service":"object","method":"execute_kw","args":["db",2,"secret","stock.quant","create",[{"product_id":1,"location_id":7,"inventory_quantity_auto_apply":2}],{"context":{"inventory_mode":true}}]}}`,
		`{"params":{"service":"object","method":"execute_kw","args":["db",2,"secret","res.partner","write",[[1],{"child_ids":[[0,0,{"name":"x"}],[2,1]]}],{}]}}`,
		`{"params":{"service":"object","method":"execute_kw","args":["db",2,"secret","product.product","read",[[1],["qty_available"]],{"context":{"warehouse_id":[1]}}]}}`,
		`{"params":{"service":"object","method":"execute_kw","args":["db",2,"secret","stock.picking","button_validate",[[1]],{}]}}`,
		`{"params":{"service":"common","method":"authenticate","args":["db","admin","secret",{}]}}`,
	} {
		f.Add(seed)
	}
	s := New(Config{Version: 18, Database: "db", User: "admin", Password: "secret", Clock: at("2026-11-02T10:00:00Z")})
	for _, err := range []error{s.AddWarehouse("E", "East"), s.AddProduct(Product{SKU: "A", Name: "A", Price: "1"}), s.AddProduct(Product{SKU: "B", Name: "B", Price: "2"})} {
		if err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/jsonrpc", strings.NewReader(body)))
		if strings.Contains(w.Body.String(), bugName) {
			t.Errorf("%s\n%s", body, w.Body)
		}
	})
}

// TestWhatARealOdooHolds shows what a running Odoo 18 was seen to hold after an
// order was confirmed, cancelled and deleted, and how it names a customer with a
// company of his own.
func TestWhatARealOdooHolds(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		c.load("A1", "2")
		hold := func(model string, where map[string]string) {
			t.Helper()
			if rows, err := s.Match(model, where); err != nil || len(rows) != 1 {
				t.Errorf("%s %v: %d rows, %v", model, where, len(rows), err)
			}
		}
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		do(s.ConfirmOrder("A1"))
		order, err := s.Match("sale.order", map[string]string{"client_order_ref": "A1"})
		do(err)
		origin := fmt.Sprint(order[0]["name"])
		if version == 18 {
			origin += " - A1"
		}
		hold("stock.move", map[string]string{"sale_line_id.order_id.client_order_ref": "A1", "origin": origin})
		if version == 18 {
			hold("stock.move", map[string]string{"name": "[TEA] Tea"})
		}
		do(s.CancelOrder("A1"))
		do(s.DeleteOrder("A1"))
		hold("stock.picking", map[string]string{"origin": origin, "state": "cancel", "sale_id": ""})
		hold("stock.move", map[string]string{"origin": origin, "sale_line_id": ""})
		c.must("res.partner", "create", []any{map[string]any{"name": "John Smith", "company_name": "Shipping Company"}}, nil)
		hold("res.partner", map[string]string{"name": "John Smith", "display_name": "Shipping Company, John Smith"})
	})
}
