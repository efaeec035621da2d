package odoo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// client speaks real HTTP to a server under test.
type client struct {
	t   *testing.T
	url string
	uid int
}

func newClient(t *testing.T, s *Server) *client {
	t.Helper()
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	return &client{t: t, url: ts.URL, uid: adminUser}
}

type rpcAnswer struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code int `json:"code"`
		Data struct{ Name, Message string }
	} `json:"error"`
}

func (c *client) post(service, method string, args ...any) rpcAnswer {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "call", "id": 1, "params": map[string]any{"service": service, "method": method, "args": args}})
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.Post(c.url+"/jsonrpc", "application/json", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("HTTP %d %s %v", resp.StatusCode, raw, err)
	}
	if !resp.Close {
		c.t.Fatal("the answer does not close the connection")
	}
	var a rpcAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *client) call(model, method string, args []any, kw map[string]any) rpcAnswer {
	c.t.Helper()
	return c.post("object", "execute_kw", "db", c.uid, "secret", model, method, args, kw)
}

func (c *client) must(model, method string, args []any, kw map[string]any) any {
	c.t.Helper()
	a := c.call(model, method, args, kw)
	if a.Error != nil {
		c.t.Fatalf("%s.%s: %s: %s", model, method, a.Error.Data.Name, a.Error.Data.Message)
	}
	var v any
	if a.Result != nil {
		if err := json.Unmarshal(a.Result, &v); err != nil {
			c.t.Fatal(err)
		}
	}
	return v
}

func at(text string) func() time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return t }
}

// shop is a small world: two warehouses, one tax, two products, a customer.
func shop(t *testing.T, version int) *Server {
	t.Helper()
	s := New(Config{Version: version, Database: "db", User: "admin", Password: "secret", Clock: at("2026-11-02T10:00:00Z"), Seed: 1})
	for _, err := range []error{
		s.AddWarehouse("E", "East"), s.AddWarehouse("W", "West"), s.AddTax("8%", "8", false),
		s.AddProduct(Product{SKU: "TEA", Name: "Tea", Price: "10.00", Taxes: []string{"8%"}}),
		s.AddProduct(Product{SKU: "SHIP", Name: "Shipping", Kind: "service", Price: "5", Taxes: []string{"8%"}}),
		s.AddPartner(Partner{Ref: "C1", Name: "Ada Lee", Email: "ada@example.org", Country: "US", State: "CA"}),
		s.SetStock("TEA", "E", "3"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func everyVersion(t *testing.T, do func(t *testing.T, version int)) {
	for _, v := range []int{16, 18, 19} {
		t.Run(fmt.Sprint(v), func(t *testing.T) { do(t, v) })
	}
}

func (c *client) load(key string, qty string) map[string]any {
	c.t.Helper()
	return c.must("sale.order", "load", []any{
		[]any{"id", "partner_id/.id", "client_order_ref", "order_line/product_id/.id", "order_line/product_uom_qty"},
		[]any{[]any{key, fmt.Sprint(c.customer()), key, fmt.Sprint(c.product("TEA")), qty}},
	}, map[string]any{"context": map[string]any{"mode": "update", "noupdate": true, "tz": "UTC"}}).(map[string]any)
}

func (c *client) one(model, field, value string) int {
	c.t.Helper()
	ids := c.must(model, "search", []any{[]any{[]any{field, "=", value}}}, nil).([]any)
	if len(ids) != 1 {
		c.t.Fatalf("%s %s=%s: %v", model, field, value, ids)
	}
	return int(ids[0].(float64))
}

func (c *client) customer() int          { return c.one("res.partner", "ref", "C1") }
func (c *client) product(sku string) int { return c.one("product.product", "default_code", sku) }

func TestOrderFromLoadToShipping(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		c := newClient(t, s)
		first := c.load("crossdock.order_1001", "2")
		again := c.load("crossdock.order_1001", "2")
		if fmt.Sprint(first) != fmt.Sprint(again) {
			t.Fatalf("a repeated load answers %v, not %v", again, first)
		}
		id := int(first["ids"].([]any)[0].(float64))
		c.must("sale.order", "action_confirm", []any{[]any{id}}, nil)
		found, err := s.Match("sale.order", map[string]string{"client_order_ref": "crossdock.order_1001", "state": "sale", "amount_total": "21.6", "partner_id": "Ada Lee", "order_line.product_id": "[TEA] Tea"})
		if err != nil || len(found) != 1 {
			t.Fatalf("the order: %v, %v", found, err)
		}
		quants, err := s.Match("stock.quant", map[string]string{"location_id": "E/Stock", "quantity": "3", "reserved_quantity": "2"})
		if err != nil || len(quants) != 1 {
			t.Fatalf("reserved stock: %v, %v", quants, err)
		}
		if err := s.ShipOrder("crossdock.order_1001", "Z1"); err != nil {
			t.Fatal(err)
		}
		for model, where := range map[string]map[string]string{
			"stock.quant":     {"location_id": "E/Stock", "quantity": "1", "reserved_quantity": "0"},
			"stock.picking":   {"sale_id": "S00001", "state": "done", "carrier_tracking_ref": "Z1"},
			"sale.order.line": {"order_id.client_order_ref": "crossdock.order_1001", "qty_delivered": "2.0"},
		} {
			if rows, err := s.Match(model, where); err != nil || len(rows) != 1 {
				t.Errorf("%s %v: %v, %v", model, where, rows, err)
			}
		}
		if n := s.Calls()["sale.order.load"]; n != 2 {
			t.Errorf("%d loads were counted", n)
		}
	})
}
