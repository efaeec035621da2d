package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim/checker"
)

// TestTheCheckerNamesWhatIsWrong spoils the end of a good run in one way after the
// other, in the systems outside, and demands that the checker says so.
func TestTheCheckerNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(*testing.T, *runner)
	}{
		{"an order made twice", "order shop/1001: is 2 sale orders", func(t *testing.T, r *runner) {
			o := r.row(t, "sale.order", "client_order_ref", "1001")
			r.rpc(t, "sale.order", "create", []any{map[string]any{"partner_id": o["partner_id"], "client_order_ref": "1001", "warehouse_id": o["warehouse_id"]}})
		}},
		{"a cancelled order confirmed", "order shop/1002: is cancelled in its shop and open in Odoo", func(t *testing.T, r *runner) {
			id := []any{r.row(t, "sale.order", "client_order_ref", "1002")["id"]}
			r.rpc(t, "sale.order", "action_draft", []any{id})
			r.rpc(t, "sale.order", "action_confirm", []any{id})
		}},
		{"another quantity", "order shop/1001: is map[A:5]", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.EditLine("1001", "A", "5"))
		}},
		{"another price", "order shop/1001: is map[A:2]", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.EditPrice("1001", "A", "30.05"))
		}},
		{"a dummy product", `SKU "UNKNOWN"`, func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.AddProduct(odoo.Product{SKU: "UNKNOWN", Name: "Unknown", Price: "1"}))
		}},
		{"more sold than there is", "were sold at E when", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.EditLine("1001", "A", "501"))
		}},
		{"a customer twice", "are all ada@example.org", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.AddPartner(odoo.Partner{Name: "Ada again", Email: "Ada@Example.org"}))
		}},
		{"an order lost", "order shop/1001: was not made and confirmed in Odoo, although one of [E W] has all", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.CancelOrder("1001"))
			try(t, r.w.Odoo.DeleteOrder("1001"))
		}},
		{"an order left as a draft", "order shop/1001: was left in Odoo", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.CancelOrder("1001"))
			r.rpc(t, "sale.order", "action_draft", []any{[]any{r.row(t, "sale.order", "client_order_ref", "1001")["id"]}})
		}},
		{"an order called off", "order shop/1001: was cancelled in Odoo", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.CancelOrder("1001"))
		}},
		{"a test order made", "order shop/1003: is a test order", func(t *testing.T, r *runner) {
			r.rpc(t, "sale.order", "create", []any{map[string]any{"partner_id": r.row(t, "sale.order", "client_order_ref", "1001")["partner_id"], "client_order_ref": "1003"}})
		}},
		{"an order with an unknown SKU made", "order shop/1004: has SKUs Odoo does not know (GHOST)", func(t *testing.T, r *runner) {
			r.rpc(t, "sale.order", "create", []any{map[string]any{"partner_id": r.row(t, "sale.order", "client_order_ref", "1001")["partner_id"], "client_order_ref": "1004"}})
		}},
		{"an order nobody placed", "a purchase nobody made", func(t *testing.T, r *runner) {
			r.rpc(t, "sale.order", "create", []any{map[string]any{"partner_id": 1, "client_order_ref": "7777"}})
		}},
		{"a reservation let go", "reserved at E, and its confirmed orders", func(t *testing.T, r *runner) {
			o := r.row(t, "sale.order", "client_order_ref", "1001")
			r.rpc(t, "stock.picking", "do_unreserve", []any{o["picking_ids"]})
		}},
		{"stock that moved", "on hand at W, and people left", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.SetStock("B", "W", "499"))
		}},
		{"a webhook that was not taken", "(orders/updated) is waiting", func(t *testing.T, r *runner) {
			try(t, r.w.Shops["shop"].Send("orders/updated", []byte("{}"), nil))
		}},
		{"an exception without a cause", `nobody planted a cause for the exception "amount"`, func(_ *testing.T, r *runner) {
			r.open = append(r.open, checker.Exception{Check: "amount", Order: "shop/1001", Text: "it comes to less"})
		}},
		{"nobody told of a change in Odoo", "order shop/1001: no exception tells a person of it: changed there or amount", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.EditLine("1001", "A", "9"))
			r.story.Orders[0].People = []checker.Act{{At: r.w.Clock.Now(), Do: "edit"}}
		}},
		{"nobody told of a missing item", "order GHOST: no exception tells a person of it: item", func(_ *testing.T, r *runner) {
			r.open = slices.DeleteFunc(r.open, func(x checker.Exception) bool { return x.Check == "item" })
		}},
		{"an exception that is open twice", `the exception "item" of GHOST is open twice`, func(_ *testing.T, r *runner) {
			r.open = append(r.open, r.open[0])
		}},
		{"an excuse for what was not made", "order shop/1001: was not made and confirmed in Odoo", func(t *testing.T, r *runner) {
			try(t, r.w.Odoo.CancelOrder("1001"))
			try(t, r.w.Odoo.DeleteOrder("1001"))
			r.open = append(r.open, checker.Exception{Check: "stock", Order: "shop/1001", Text: "not enough stock"}, checker.Exception{Check: "called off", Order: "shop/1001"})
		}},
		{"a cancellation that took its time", "order shop/1002: was open in Odoo until 08:01", func(_ *testing.T, r *runner) {
			r.story.Orders[1].Told = []checker.Told{{At: begin.Add(-time.Hour)}, {At: begin.Add(-390 * time.Second), Cancelled: true}}
		}},
		{"an order of somebody else", "order shop/1001: was not made and confirmed", func(_ *testing.T, r *runner) {
			r.story.Orders[0].Email = "eve@example.org"
		}},
		{"more sold than was left after something broke", "were sold at E when", func(_ *testing.T, r *runner) {
			r.story.Stock = append(r.story.Stock, checker.Count{At: begin.Add(-time.Hour), SKU: "A", Site: "E", OnHand: "1"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := quietRun(t)
			c.spoil(t, r)
			var all []string
			for _, w := range r.wrongs() {
				all = append(all, w.String())
			}
			if !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("the checker does not say %q, but:\n%s", c.want, strings.Join(all, "\n"))
			}
		})
	}
}

// quietRun is a short run without faults, in which nothing is wrong: 1001 is
// confirmed, 1002 is cancelled after that, 1003 is a test, 1004 has an unknown SKU.
func quietRun(t *testing.T) *runner {
	t.Helper()
	r, err := newRunner(t.Context(), 1, Plan{Orders: 1, Over: time.Minute}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { try(t, r.w.Close()) })
	r.events, r.names = nil, nil
	for i, b := range []shopify.Buy{
		{Lines: []shopify.Line{{SKU: "A", Quantity: 2}}},
		{Lines: []shopify.Line{{SKU: "B", Quantity: 1}}},
		{Lines: []shopify.Line{{SKU: "A", Quantity: 1}}, Test: true},
		{Lines: []shopify.Line{{SKU: "GHOST", Quantity: 1, Price: "1.00"}}},
	} {
		b.Order = fmt.Sprint(1001 + i)
		o, e := r.newOrder("shop", b), shopify.Event{Act: "buy", Order: b.Order, Buy: b}
		r.at(time.Duration(i)*time.Second, "buy", func() error { return r.inShop(o, e) })
	}
	r.at(time.Minute, "cancel", func() error {
		return r.inShop(r.orders["shop/1002"], shopify.Event{Act: "cancel", Order: "1002"})
	})
	try(t, r.play(t.Context()))
	try(t, r.finish(t.Context()))
	if len(r.report.Wrong) > 0 || r.report.Confirmed != 1 {
		t.Fatalf("%d confirmed, and in a quiet run is wrong: %v", r.report.Confirmed, r.report.Wrong)
	}
	return r
}

func (r *runner) wrongs() []checker.Wrong {
	return append(checker.Check(r.w.Odoo, map[string]checker.Holds{"shop": r.w.Shops["shop"]}, r.story), checker.Exceptions(r.w.Odoo, r.story, r.open)...)
}

func (r *runner) row(t *testing.T, model, field, value string) map[string]any {
	t.Helper()
	rows, err := r.w.Odoo.Match(model, map[string]string{field: value})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows of %s with %s %s: %v", len(rows), model, field, value, err)
	}
	return rows[0]
}

// rpc calls Odoo as any client of it may.
func (r *runner) rpc(t *testing.T, model, method string, args []any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "call", "params": map[string]any{
		"service": "object", "method": "execute_kw", "args": []any{Database, 2, Password, model, method, args, map[string]any{}}}})
	try(t, err)
	req := httptest.NewRequest(http.MethodPost, "http://odoo.invalid/jsonrpc", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	r.w.Odoo.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK || bytes.Contains(answer.Body.Bytes(), []byte(`"error"`)) {
		t.Fatalf("%s.%s: %d %s", model, method, answer.Code, answer.Body)
	}
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
