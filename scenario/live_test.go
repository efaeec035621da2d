package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	odooconn "github.com/crossdockhq/crossdock/connectors/odoo"
	"github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
)

// standIn serves a fresh Odoo of a version on a socket, as a scratch database that
// Live opens like a real one.
func standIn(t *testing.T, version int) (*odoo.Server, string) {
	t.Helper()
	s := odoo.New(odoo.Config{Version: version, Database: "scratch", User: "admin", Password: "admin", Seed: 1})
	s.AddAPIKey("admin") // the one word is both
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, strings.Replace(h.URL, "http://", "http://admin:admin@", 1) + "/scratch"
}

func each(t *testing.T, do func(t *testing.T, s *odoo.Server, l *Live)) {
	t.Helper()
	for _, v := range []int{16, 18, 19} {
		t.Run(fmt.Sprintf("Odoo%d", v), func(t *testing.T) {
			s, url := standIn(t, v)
			l, err := OpenLive(t.Context(), url, LiveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			do(t, s, l)
		})
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// expect checks that so many records match, by Live and by the stand-in itself.
func expect(t *testing.T, s *odoo.Server, l *Live, count int, model string, where map[string]string, fields ...string) []map[string]any {
	t.Helper()
	rows, err := l.Match(model, where, fields...)
	if err != nil {
		t.Fatal(err)
	}
	same, err := s.Match(model, where, fields...)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != count || len(same) != count {
		t.Fatalf("%s %v: Live finds %d, the stand-in %d, not %d", model, where, len(rows), len(same), count)
	}
	return rows
}

func TestLiveFurnishesOnce(t *testing.T) {
	each(t, func(t *testing.T, s *odoo.Server, l *Live) {
		for range 2 { // the second time everything is there
			must(t, l.AddWarehouse("E", "East"), l.AddTax("Tax 8%", "8", false),
				l.AddProduct(odoo.Product{SKU: "TEA", Name: "Green tea", Price: "10.00", Taxes: []string{"Tax 8%"}}),
				l.AddProduct(odoo.Product{SKU: "SHIP", Name: "Shipping", Kind: "service", Price: "0"}),
				l.SetStock("TEA", "E", "3"))
		}
		expect(t, s, l, 1, "stock.warehouse", map[string]string{"code": "E", "name": "East"})
		expect(t, s, l, 1, "account.tax", map[string]string{"name": "Tax 8%", "amount": "8.0"})
		expect(t, s, l, 1, "product.product", map[string]string{"default_code": "TEA", "list_price": "10", "taxes_id": "Tax 8%"})
		stock := map[string]string{"product_id.default_code": "TEA", "location_id.usage": "internal"}
		if row := expect(t, s, l, 1, "stock.quant", stock, "quantity")[0]; row["quantity"] != 3.0 {
			t.Errorf("the stock is %v", row["quantity"])
		}
		must(t, l.SetPrice("TEA", "12.50"), l.SetStock("TEA", "E", "1"), l.AddProduct(odoo.Product{SKU: "TEA", Price: "12.50"}))
		expect(t, s, l, 1, "product.product", map[string]string{"default_code": "TEA", "list_price": "12.5", "taxes_id": "false"})
		stock["quantity"] = "1"
		expect(t, s, l, 1, "stock.quant", stock)

		for _, err := range []error{
			l.AddTax("Tax 8%", "9", false), l.AddTax("Tax 8%", "8", true), l.AddTax("x", "many", false),
			l.AddProduct(odoo.Product{SKU: "SHIP", Price: "0"}), l.AddProduct(odoo.Product{SKU: "X", Price: "1", Taxes: []string{"none"}}),
			l.SetStock("TEA", "Q", "1"), l.SetStock("NONE", "E", "1"), l.SetPrice("NONE", "1"), l.SetPrice("TEA", "1e3"),
		} {
			if err == nil {
				t.Error("what can't be done was done")
			}
		}
	})
}

func TestLiveActsOnOrders(t *testing.T) {
	each(t, func(t *testing.T, s *odoo.Server, l *Live) {
		must(t, l.AddWarehouse("E", "East"), l.AddProduct(odoo.Product{SKU: "TEA", Name: "Green tea", Price: "10.00"}), l.SetStock("TEA", "E", "3"),
			s.AddPartner(odoo.Partner{Ref: "C1", Name: "Ada Lee"}))
		partner := expect(t, s, l, 1, "res.partner", map[string]string{"ref": "C1"})[0]["id"]
		tea := expect(t, s, l, 1, "product.product", map[string]string{"default_code": "TEA"})[0]["id"]
		for _, ref := range []string{"1001", "1002"} {
			line := []any{0, 0, map[string]any{"product_id": tea, "product_uom_qty": 2}}
			must(t, l.create("sale.order", map[string]any{"partner_id": partner, "client_order_ref": ref, "order_line": []any{line}}, nil))
		}
		must(t, l.EditLine("1001", "TEA", "3"), l.ConfirmOrder("1001"), l.ShipOrder("1001", ""))
		expect(t, s, l, 1, "sale.order", map[string]string{"client_order_ref": "1001", "state": "sale", "amount_total": "30.0", "partner_id": "Ada Lee"})
		expect(t, s, l, 1, "sale.order.line", map[string]string{"order_id.client_order_ref": "1001", "qty_delivered": "3"})
		expect(t, s, l, 1, "stock.picking", map[string]string{"sale_id.client_order_ref": "1001", "state": "done"})
		must(t, l.ConfirmOrder("1002"), l.CancelOrder("1002"))
		expect(t, s, l, 1, "sale.order", map[string]string{"client_order_ref": "1002", "state": "cancel"})
		must(t, l.DeleteOrder("1002"))
		expect(t, s, l, 0, "sale.order", map[string]string{"client_order_ref": "1002"})

		for _, err := range []error{
			l.DeleteOrder("1001"), l.ConfirmOrder("1002"), l.ShipOrder("1001", ""), l.EditLine("1001", "NONE", "1"),
		} {
			if err == nil {
				t.Error("what can't be done was done")
			}
		}
		for model, field := range map[string]string{"sale.order": "colour", "sale.odor": "name", "sale.order.line": "order_id.colour", "res.partner": "name.first"} {
			if _, err := l.Match(model, map[string]string{field: "1"}); err == nil {
				t.Errorf("%s %s: no error", model, field)
			}
			if _, err := l.Match(model, nil, field); err == nil {
				t.Errorf("%s with %s: no error", model, field)
			}
		}
	})
}

// TestLiveDatesApart changes a product twice with a look between, and twice without:
// what the hub has seen is dated apart from what comes after it.
func TestLiveDatesApart(t *testing.T) {
	t.Parallel()
	s, url := standIn(t, 18)
	l, err := OpenLive(t.Context(), url, LiveOptions{})
	must(t, err, l.AddProduct(odoo.Product{SKU: "TEA", Name: "Green tea", Price: "10.00"}))
	dated := func() time.Time {
		row := expect(t, s, l, 1, "product.product", map[string]string{"default_code": "TEA"}, "write_date")[0]
		at, err := time.Parse(time.DateTime, fmt.Sprint(row["write_date"]))
		must(t, err)
		return at
	}
	look := func() {
		body := fmt.Sprintf(`{"params":{"service":"object","method":"execute_kw","args":["scratch",%d,"admin","product.product","search_read",[[]],{"fields":["id"]}]}}`, l.uid)
		answer := httptest.NewRecorder()
		l.ServeHTTP(answer, httptest.NewRequest("POST", "http://hub/jsonrpc", strings.NewReader(body)))
		if !strings.Contains(answer.Body.String(), `"result"`) || l.Calls()["product.product.search_read"] == 0 {
			t.Fatalf("the look was not answered: %s, calls %v", answer.Body, l.Calls())
		}
	}
	look()
	began := time.Now()
	for range 3 {
		before := dated()
		must(t, l.SetPrice("TEA", "11.00"))
		if !dated().After(before) {
			t.Errorf("the change after a look is dated %s, as the one before it", before)
		}
		look()
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("three changes after looks took %s", took)
	}
	must(t, l.SetPrice("TEA", "12.00"))
	began = time.Now()
	must(t, l.SetPrice("TEA", "13.00"), l.SetPrice("TEA", "14.00"))
	if took := time.Since(began); took > 900*time.Millisecond {
		t.Errorf("two changes that nobody looked between took %s", took)
	}
}

func TestLiveTakesScratchDatabasesOnly(t *testing.T) {
	_, url := standIn(t, 18)
	fresh := func(name string, err error) LiveOptions {
		return LiveOptions{Fresh: func(context.Context) (string, error) { return name, err }}
	}
	host := strings.TrimSuffix(url, "/scratch")
	for _, c := range []struct {
		url  string
		o    LiveOptions
		want string
	}{
		{host, LiveOptions{}, "which database?"},
		{host + "/production", LiveOptions{}, `neither "scratch" nor "test"`},
		{url, LiveOptions{Database: "production"}, `neither "scratch" nor "test"`},
		{url, fresh("production", nil), `neither "scratch" nor "test"`},
		{url, fresh("", errors.New("no room")), "no room"},
		{"http://admin:admin@odoo.example.com/scratch", LiveOptions{}, "not on this machine"},
		{"http://admin:admin@192.0.2.1:8069/scratch", LiveOptions{}, "not on this machine"},
		{"127.0.0.1:8069/scratch", LiveOptions{}, "no address"},
		{strings.Replace(url, "admin:admin@", "", 1), LiveOptions{}, "as whom?"},
		{url, LiveOptions{Key: "wrong"}, "does not let user"},
		{"http://admin:admin@127.0.0.1:1/scratch", LiveOptions{}, "refused"},
	} {
		if _, err := OpenLive(t.Context(), c.url, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %+v: %v, not %q", c.url, c.o, err, c.want)
		}
	}
}

// TestScenariosOverTheNetwork plays scenarios with their Odoo behind a socket: with
// faults before it, a person's acts in it, and the hub's crash.
func TestScenariosOverTheNetwork(t *testing.T) {
	for _, name := range []string{"happy", "answer-lost", "deleted", "unknown-sku-appears"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Load("../scenarios/"+name+".txtar", []connector.Type{odooconn.Type, shopify.Type})
			must(t, err)
			version := map[string]int{"happy": 19, "answer-lost": 19}[name] // over JSON-2
			if version == 0 {
				version = 18
			}
			server, url := standIn(t, version)
			opened := 0
			o := Options{Live: func(ctx context.Context) (*Live, error) {
				opened++
				return OpenLive(ctx, url, LiveOptions{})
			}}
			res, err := Run(t.Context(), s, o)
			must(t, err)
			for _, f := range res.Failures {
				t.Errorf("%s: %s", f.Line, f.Text)
			}
			if opened != 1 || res.Calls == 0 {
				t.Errorf("opened %d times, %d calls", opened, res.Calls)
			}
			if spoken := server.Spoken()["json2"]; (spoken > 0) != (version == 19) {
				t.Errorf("Odoo %d was asked %d times over JSON-2", version, spoken)
			}
			if name == "deleted" {
				return // no order is left
			}
			var fault *crossdock.Error
			if _, err = Run(t.Context(), s, o); !errors.As(err, &fault) || !strings.Contains(err.Error(), "already has an order 1001: use a fresh scratch database") {
				t.Errorf("in the same database again: %v", err)
			}
		})
	}
}

// TestLiveCountsBothDialects: what the hub asks is paced and counted however it is said.
func TestLiveCountsBothDialects(t *testing.T) {
	for _, c := range []struct{ path, body, want string }{
		{"/jsonrpc", `{"params":{"service":"object","method":"execute_kw","args":["db",2,"key","sale.order","load",[]]}}`, "sale.order.load true"},
		{"/jsonrpc", `{"params":{"service":"common","method":"version","args":[]}}`, ". false"},
		{"/json/2/sale.order/load", `{"fields":[],"data":[]}`, "sale.order.load true"},
		{"/json/2/sale.order", `{}`, "sale.order. false"},
		{"/web/version", ``, ". false"},
	} {
		if model, method, ok := called(c.path, []byte(c.body)); fmt.Sprintf("%s.%s %v", model, method, ok) != c.want {
			t.Errorf("%s: %s.%s %v, want %s", c.path, model, method, ok, c.want)
		}
	}
}

// TestALiveMistakeIsSeen runs a scenario whose expectation is wrong.
func TestALiveMistakeIsSeen(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("../scenarios/happy.txtar")
	must(t, err)
	dir := t.TempDir()
	must(t, os.CopyFS(filepath.Join(dir, "fixtures"), os.DirFS("../scenarios/fixtures")),
		os.WriteFile(filepath.Join(dir, "wrong.txtar"), []byte(strings.Replace(string(src), "amount_total=21.60", "amount_total=21.61", 1)), 0o600))
	s, err := Load(filepath.Join(dir, "wrong.txtar"), []connector.Type{odooconn.Type, shopify.Type})
	must(t, err)
	_, url := standIn(t, 18)
	res, err := Run(t.Context(), s, Options{Live: func(ctx context.Context) (*Live, error) { return OpenLive(ctx, url, LiveOptions{}) }})
	must(t, err)
	if len(res.Failures) != 1 || !strings.Contains(res.Failures[0].Text, "amount_total is 21.6") {
		t.Errorf("failures: %+v", res.Failures)
	}
	s.Land.Odoo.Currency = "EUR"
	_, url = standIn(t, 18)
	if _, err := Run(t.Context(), s, Options{Live: func(ctx context.Context) (*Live, error) { return OpenLive(ctx, url, LiveOptions{}) }}); err == nil || !strings.Contains(err.Error(), "does not sell in EUR") {
		t.Errorf("another currency: %v", err)
	}
}
