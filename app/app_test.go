package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	odooconn "github.com/crossdockhq/crossdock/connectors/odoo"
	shopifyconn "github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/replay"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/storetest"
)

var types = []connector.Type{odooconn.Type, shopifyconn.Type}

// rig is a hub that runs as serve runs it, over sockets and the production
// store, against an Odoo stand-in.
type rig struct {
	t        *testing.T
	odoo     *odoo.Server
	log      *slog.Logger
	away     string // the address of Odoo
	database string // "": the store is in the data directory
	cfg      *config.Config
	base     string
	stop     func()
	done     chan error
}

// onBoth runs a test on a hub with each store.
func onBoth(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newRig(t, "")) })
	t.Run("postgres", func(t *testing.T) { test(t, newRig(t, storetest.Database(t, t.Name()))) })
}

// newRig starts a hub that keeps its store in a database, "" for its data directory.
func newRig(t *testing.T, database string) *rig {
	t.Helper()
	r := newHouse(t, slog.DiscardHandler, func(h http.Handler) http.Handler { return h })
	r.database = database
	r.begin()
	return r
}

// newRigBehind is newRig with a log, and with something between the hub and Odoo.
func newRigBehind(t *testing.T, log slog.Handler, between func(http.Handler) http.Handler) *rig {
	t.Helper()
	r := newHouse(t, log, between)
	r.begin()
	return r
}

// begin opens the hub and waits until it knows what Odoo sells.
func (r *rig) begin() {
	r.t.Helper()
	r.open()
	r.story("item/SKU2006-035", func(*replay.Story) bool { return true })
}

// newHouse makes the Odoo stand-in.
func newHouse(t *testing.T, log slog.Handler, between func(http.Handler) http.Handler) *rig {
	t.Helper()
	r := &rig{t: t, log: slog.New(log), odoo: odoo.New(odoo.Config{Version: 18, Database: sim.Database, User: sim.User, Password: sim.Password, Clock: time.Now, Seed: 1})}
	must(t, r.odoo.AddWarehouse("E", "East"))
	for _, p := range []odoo.Product{
		{SKU: "SKU2006-001", Name: "Aviator sunglasses", Price: "89.99"}, {SKU: "LENS-PROTECT-2YR", Name: "Lens Protection Plan", Price: "19.99", Kind: "service"},
		{SKU: "CASE-LEATHER-PREM", Name: "Premium Leather Case", Price: "24.99"}, {SKU: "SKU2006-020", Name: "Mid-century lounger", Price: "159.99"},
		{SKU: "SKU2006-035", Name: "Coffee table", Price: "119.99"}, {SKU: "SHIPPING", Name: "Shipping", Price: "0", Kind: "service"}, {SKU: "DISCOUNT", Name: "Discount", Price: "0", Kind: "service"},
	} {
		must(t, r.odoo.AddProduct(p))
		if p.Kind == "" {
			must(t, r.odoo.SetStock(p.SKU, "E", "5"))
		}
	}
	away := httptest.NewServer(between(r.odoo))
	t.Cleanup(away.Close)
	r.away = away.URL
	return r
}

// open starts a hub in a data directory of its own.
func (r *rig) open() {
	t := r.t
	t.Helper()
	dir, err := os.MkdirTemp("", "hub") // short: a socket's path may have about 100 characters
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	where, secrets := "sqlite", sim.Secrets()
	if r.database != "" {
		where = `{ postgres: "${file:/database}" }`
		secrets.File = func(string) ([]byte, error) { return []byte(r.database), nil }
	}
	source := fmt.Sprintf(`
version: 1
listen: 127.0.0.1:0
data: %s
store: %s
companies: { US1: { currency: USD, zone: America/New_York } }
connections:
  shop: { type: shopify, company: US1, sites: [E], shop: jsmith.myshopify.com, token: "${env:SHOPIFY_TOKEN}", secret: "${env:SHOPIFY_SECRET}" }
  odoo: { type: odoo, url: %s, database: sandbox, user: hub@example.org, key: "${env:ODOO_KEY}", pull: 1s }
`, filepath.Join(dir, "data"), where, r.away)
	r.cfg, err = config.Load("crossdock.yaml", []byte(source), types, secrets)
	must(t, err)
	r.start()
	t.Cleanup(r.end)
}

func (r *rig) start() {
	r.t.Helper()
	hub, err := app.Open(r.t.Context(), r.cfg, r.log)
	must(r.t, err)
	r.base = "http://" + hub.Address()
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.done = stop, make(chan error, 1)
	go func() { r.done <- hub.Run(ctx) }()
}

func (r *rig) end() {
	r.stop()
	select {
	case err := <-r.done:
		must(r.t, err)
		r.done <- nil
	case <-time.After(30 * time.Second):
		r.t.Error("the hub did not end")
	}
}

// send posts a body to the hub as Shopify does and returns the answer's status,
// 502 where none came.
func (r *rig) send(topic string, body []byte, secret string) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+"/in/shop", bytes.NewReader(body))
	must(r.t, err)
	for name, value := range map[string]string{
		"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": "jsmith.myshopify.com", "X-Shopify-API-Version": "2026-07",
		"X-Shopify-Webhook-Id": "w-" + topic, "X-Shopify-Hmac-Sha256": shopify.Sign(secret, body), "Content-Type": "application/json",
	} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return http.StatusBadGateway // the hub has gone: no answer
	}
	must(r.t, resp.Body.Close())
	return resp.StatusCode
}

// story waits until a record is in a state and returns what the command line is told of it.
func (r *rig) story(ref string, is func(*replay.Story) bool) *replay.Story {
	r.t.Helper()
	asked, err := app.Ask(r.t.Context(), r.cfg, config.Lookup{})
	must(r.t, err)
	defer func() { must(r.t, asked.Close()) }()
	var last *replay.Story
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		story, err := asked.Trace(r.t.Context(), ref)
		if err == nil {
			if last = story; is(story) {
				return story
			}
		}
	}
	r.t.Fatalf("%s did not come to what is expected; it is %+v", ref, last)
	return nil
}

// sample is the body of Shopify's own sample of one order: orders/create, updated
// and cancelled of its published samples are the same to the byte.
func sample(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("../connectors/shopify/testdata/sample_order.json")
	must(t, err)
	return b
}

// TestShopifySample: Shopify's own sample of one order, cancelled and a test, as
// created, updated and cancelled, leaves one tombstone and nothing in Odoo.
func TestShopifySample(t *testing.T) { onBoth(t, testShopifySample) }

func testShopifySample(t *testing.T, r *rig) {
	for _, topic := range []string{"create", "updated", "cancelled"} {
		if status := r.send("orders/"+topic, sample(t), sim.Secret); status != http.StatusOK {
			t.Fatalf("orders/%s was answered %d", topic, status)
		}
	}
	story := r.story("order/820982911946154508", func(s *replay.Story) bool { return len(s.Entries) == 3 && s.Record.Text("state") != "" })
	o, err := replay.Order(story.Record)
	must(t, err)
	if o.State != crossdock.OrderCancelled || o.Cancelled == nil || !o.Test {
		t.Errorf("the order is %s, cancelled %v, test %v; want a cancelled test order", o.State, o.Cancelled, o.Test)
	}
	for check, text := range map[string]string{"test": "test order", "totals": "394.95 USD"} {
		found := false
		for _, f := range o.Findings {
			found = found || f.Check == check && strings.Contains(f.Text, text)
		}
		if !found {
			t.Errorf("no finding %s that says %q in %v", check, text, o.Findings)
		}
	}
	if o.Totals.Total.String() != "404.95 USD" || o.Lines[0].Key != "gid://shopify/LineItem/487817672276298554" || o.Customer.Key != "gid://shopify/Customer/115310627314723954" {
		t.Errorf("total %s, first line %s, customer %s; want what the sample's admin_graphql_api_id say", o.Totals.Total, o.Lines[0].Key, o.Customer)
	}
	if rows := r.odoo.Rows("sale.order"); len(rows) != 0 {
		t.Errorf("Odoo holds %v; want no sale order", rows)
	}
	if len(story.Work) != 0 || len(story.Exceptions) != 0 {
		t.Errorf("work %v, exceptions %v; want none", story.Work, story.Exceptions)
	}
}

// consistent is the sample with states, sums and SKUs made consistent.
func consistent(t *testing.T, updated string) []byte {
	t.Helper()
	var body map[string]any
	d := json.NewDecoder(bytes.NewReader(sample(t)))
	d.UseNumber()
	must(t, d.Decode(&body))
	body["cancelled_at"], body["cancel_reason"], body["test"], body["confirmed"], body["financial_status"] = nil, nil, false, true, "paid"
	body["subtotal_price"] = "394.95"
	body["subtotal_price_set"] = map[string]any{"shop_money": map[string]any{"amount": "394.95", "currency_code": "USD"}, "presentment_money": map[string]any{"amount": "394.95", "currency_code": "USD"}}
	body["updated_at"] = updated
	b, err := json.Marshal(body)
	must(t, err)
	return b
}

// TestShopifySampleConsistent: the same bodies with states, sums and SKUs made
// consistent give one confirmed order with the same lines and 404.95.
func TestShopifySampleConsistent(t *testing.T) { onBoth(t, testShopifySampleConsistent) }

func testShopifySampleConsistent(t *testing.T, r *rig) {
	for i, topic := range []string{"create", "updated"} {
		b := consistent(t, fmt.Sprintf("2021-12-31T19:00:0%d-05:00", i))
		if status := r.send("orders/"+topic, b, sim.Secret); status != http.StatusOK {
			t.Fatalf("orders/%s was answered %d", topic, status)
		}
	}
	story := r.story("order/820982911946154508", func(s *replay.Story) bool {
		return s.Record.Text("state") == string(crossdock.OrderConfirmed) && len(s.Work) == 0
	})
	orders := r.odoo.Rows("sale.order")
	if len(orders) != 1 || orders[0]["state"] != "sale" || fmt.Sprint(orders[0]["amount_total"]) != "404.95" {
		t.Fatalf("Odoo holds %v; want one confirmed order of 404.95", orders)
	}
	var lines []string
	for _, l := range r.odoo.Rows("sale.order.line") {
		lines = append(lines, fmt.Sprint(l["name"], " ", l["product_uom_qty"], " × ", l["price_unit"]))
	}
	want := []string{"Aviator sunglasses 1 × 89.99", "Lens Protection Plan (2 Year) 1 × 19.99", "Premium Leather Case 1 × 24.99", "Mid-century lounger 1 × 159.99", "Coffee table 1 × 119.99", "Generic Shipping 1 × 10", "Discount 1 × -20"}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for _, x := range story.Exceptions {
		if x.Open() {
			t.Errorf("exception %s", x.Text)
		}
	}
	who := func(s *replay.Story) (all []string) {
		for _, p := range s.People {
			a := p.Party.Address
			all = append(all, strings.Join([]string{p.As, p.Party.Name, p.Party.Email, a.Street, a.City, a.Country}, "|"))
		}
		return all
	}
	if want := []string{"customer|John Smith|john@example.com|123 Shipping Street|Shippington|US", "bill to, ship to|Steve Shipper||123 Shipping Street|Shippington|US"}; !slices.Equal(who(story), want) {
		t.Errorf("the order is about %q, want %q", who(story), want)
	}
	party := r.story(story.People[0].Of.Short(), func(*replay.Story) bool { return true })
	if want := []string{"itself|John Smith|john@example.com|123 Shipping Street|Shippington|US", "address|Steve Shipper||123 Shipping Street|Shippington|US"}; !slices.Equal(who(party), want) {
		t.Errorf("the customer is %q, want %q", who(party), want)
	}
	address := r.story(story.People[1].Of.Short(), func(*replay.Story) bool { return true })
	if want := []string{"itself|Steve Shipper||123 Shipping Street|Shippington|US", "belongs to|John Smith|john@example.com|123 Shipping Street|Shippington|US"}; !slices.Equal(who(address), want) {
		t.Errorf("the address is %q, want %q", who(address), want)
	}
}

// TestTwoNodes: two hubs on one database take orders at both doors, and each order is
// made once. When one ends, the other does its work.
func TestTwoNodes(t *testing.T) {
	one := newRig(t, storetest.Database(t, t.Name()))
	two := &rig{t: t, log: one.log, odoo: one.odoo, away: one.away, database: one.database}
	two.open()
	order := func(r *rig, n int) string {
		id := fmt.Sprintf("82098291194615450%d", n)
		b := bytes.ReplaceAll(consistent(t, "2021-12-31T19:00:00-05:00"), []byte("820982911946154508"), []byte(id))
		if status := r.send("orders/create", b, sim.Secret); status != http.StatusOK {
			t.Fatalf("order %s was answered %d", id, status)
		}
		return "order/" + id
	}
	confirmed := func(s *replay.Story) bool {
		return s.Record.Text("state") == string(crossdock.OrderConfirmed) && len(s.Work) == 0
	}
	first, second := order(one, 1), order(two, 2)
	order(one, 2) // the shop asks at another door
	for _, r := range []*rig{one, two} {
		r.story(first, confirmed)
		r.story(second, confirmed)
	}
	one.end()
	two.story(order(two, 3), confirmed)
	if orders := one.odoo.Rows("sale.order"); len(orders) != 3 {
		t.Errorf("Odoo holds %d orders, want 3: %v", len(orders), orders)
	}
}

// TestLeasesOfAKilledHub: a hub that was killed gave back no lease; the next start in
// its data directory knows that it has ended and does not wait.
func TestLeasesOfAKilledHub(t *testing.T) {
	r := newRig(t, storetest.Database(t, t.Name()))
	r.end()
	s, err := postgres.Open(t.Context(), r.database, postgres.Options{})
	must(t, err)
	for _, name := range []string{"desk", "pull odoo", "dispatch odoo"} {
		_, err := s.Leases().Acquire(t.Context(), name, "the killed one", time.Hour)
		must(t, err)
	}
	must(t, s.Close())
	must(t, os.WriteFile(filepath.Join(r.cfg.Data, "owner"), []byte("the killed one"), 0o600))
	r.start()
	if status := r.send("orders/create", consistent(t, "2021-12-31T19:00:00-05:00"), sim.Secret); status != http.StatusOK {
		t.Fatalf("the order was answered %d", status)
	}
	r.story("order/820982911946154508", func(s *replay.Story) bool {
		return s.Record.Text("state") == string(crossdock.OrderConfirmed) && len(s.Work) == 0
	})
}

// TestUnsigned: what is not genuine is refused and leaves no trace.
// TestWithoutID: what is genuine and names no order is filed and told, and the hub
// goes on, now and after a restart.
func TestWithoutID(t *testing.T) {
	r := newRig(t, "")
	for _, c := range [][2]string{
		{"orders/create", `[]`}, {"orders/create", `null`}, {"orders/create", `1`}, {"orders/create", `"x"`}, {"orders/create", `{}`}, {"orders/create", `{"id":null}`},
		{"orders/create", `{"id":"5"}`}, {"orders/updated", `{"id":820982911946154500}`}, {"orders/updated", `{"id":5000003020,"updated_at":"2026-11-02T10:00:00Z"}`},
		{"orders/create", `{"admin_graphql_api_id":"gid://shopify/Product/1"}`}, {"orders/create", `{"admin_graphql_api_id":""}`}, {"orders/create", `{"admin_graphql_api_id":7}`},
		{"orders/create", `{"admin_graphql_api_id":"gid://shopify/Order/` + strings.Repeat("7", 5000) + `"}`}, {"orders/paid", `{"id":5}`},
		{"orders/edited", `{}`}, {"orders/edited", `{"order_edit":null}`}, {"orders/cancelled", `{}`}, {"orders/delete", `{}`},
		{"orders/create", string(bytes.ReplaceAll(consistent(t, "2021-12-31T19:00:00-05:00"), []byte("admin_graphql_api_id"), []byte("no_id")))},
	} {
		if status := r.send(c[0], []byte(c[1]), sim.Secret); status != http.StatusOK {
			t.Errorf("%s %.60s was answered %d", c[0], c[1], status)
		}
	}
	for range 2 {
		if status := r.send("orders/create", consistent(t, "2021-12-31T19:00:00-05:00"), sim.Secret); status != http.StatusOK {
			t.Errorf("an order after them was answered %d", status)
		}
		r.story("order/820982911946154508", func(s *replay.Story) bool { return s.Record.Text("state") != "" && len(s.Work) == 0 })
		asked, err := app.Ask(t.Context(), r.cfg, config.Lookup{})
		must(t, err)
		list, err := asked.Exceptions(t.Context(), replay.Asked{Check: "message"})
		must(t, err)
		must(t, asked.Close())
		if len(list.Exceptions) < 5 {
			t.Errorf("only %d exceptions tell of them", len(list.Exceptions))
		}
		for _, x := range list.Exceptions {
			if x.Code == crossdock.Internal {
				t.Errorf("a defect: %s", x.Text)
			}
		}
		r.end()
		r.start()
	}
}

func TestUnsigned(t *testing.T) { onBoth(t, testUnsigned) }

func testUnsigned(t *testing.T, r *rig) {
	if status := r.send("orders/create", sample(t), "another secret"); status != http.StatusUnauthorized {
		t.Errorf("a wrongly signed message was answered %d", status)
	}
	asked, err := app.Ask(t.Context(), r.cfg, config.Lookup{})
	must(t, err)
	if _, err := asked.Trace(t.Context(), "order/820982911946154508"); crossdock.CodeOf(err) != crossdock.Invalid {
		t.Errorf("the hub knows of a refused message: %v", err)
	}
	must(t, asked.Close())
}

// filed checks that a message can be read back as it came.
func (r *rig) filed(seq int64, body []byte) {
	r.t.Helper()
	asked, err := app.Ask(r.t.Context(), r.cfg, config.Lookup{})
	must(r.t, err)
	defer func() { must(r.t, asked.Close()) }()
	f, err := asked.Entry(r.t.Context(), seq)
	must(r.t, err)
	if f.Text != string(body) || f.Size != len(body) || f.From != "shop" || f.Meta["topic"] != "orders/create" || !strings.HasPrefix(f.Digest, "sha256:") || f.Effect == "" || len(f.Refs) == 0 {
		r.t.Errorf("entry %d is %+v", seq, f)
	}
}

// TestAskStopped: a hub that does not run is asked through its store, and does
// what was decided meanwhile when it starts again.
func TestAskStopped(t *testing.T) { onBoth(t, testAskStopped) }

func testAskStopped(t *testing.T, r *rig) {
	body := bytes.ReplaceAll(bytes.ReplaceAll(sample(t), []byte(`"test": true`), []byte(`"test": false`)), []byte(`"cancelled_at": "2021-12-31T19:00:00-05:00"`), []byte(`"cancelled_at": null`))
	body = bytes.ReplaceAll(body, []byte("SKU2006-020"), []byte("NOBODY-KNOWS"))
	r.send("orders/create", body, sim.Secret)
	story := r.story("order/820982911946154508", func(s *replay.Story) bool { return s.Record.Text("state") == string(crossdock.OrderHeld) })
	r.filed(story.Entries[0].Seq, body)
	if _, err := app.Open(t.Context(), r.cfg, slog.New(slog.DiscardHandler)); crossdock.CodeOf(err) != crossdock.Unavailable {
		t.Errorf("a second hub on one data directory: %v; want it refused as Unavailable", err)
	}
	info, err := os.Stat(filepath.Join(r.cfg.Data, app.SocketName))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v", info.Mode())
	}
	r.end()
	asked, err := app.Ask(t.Context(), r.cfg, config.Lookup{})
	must(t, err)
	list, err := asked.Exceptions(t.Context(), replay.Asked{})
	must(t, err)
	open := list.Exceptions
	if len(open) != 1 || open[0].ID != "item|sku:NOBODY-KNOWS" {
		t.Fatalf("there are %d open exceptions: %+v", len(open), open)
	}
	r.filed(story.Entries[0].Seq, body) // by the store of the stopped hub, too
	if _, err := asked.Entry(t.Context(), 1<<40); crossdock.CodeOf(err) != crossdock.Invalid {
		t.Errorf("an entry there is not: %v", err)
	}
	must(t, asked.Act(t.Context(), []crossdock.Action{{By: "ada", Do: "drop", Note: "ordered by mistake", With: map[string]string{"exception": open[0].ID}}}))
	must(t, asked.Close())
	r.start()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		asked, err := app.Ask(t.Context(), r.cfg, config.Lookup{})
		must(t, err)
		list, err := asked.Exceptions(t.Context(), replay.Asked{All: true})
		must(t, err)
		open := list.Exceptions
		must(t, asked.Close())
		if len(open) == 1 && !open[0].Open() && strings.Contains(open[0].Why, "ordered by mistake") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the action of a stopped hub was not done: %v", open)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestDoor: what was refused is counted, and the command line can ask for it.
func TestDoor(t *testing.T) { onBoth(t, testDoor) }

func testDoor(t *testing.T, r *rig) {
	r.send("orders/create", sample(t), "another secret")
	r.send("orders/create", sample(t), sim.Secret)
	r.send("orders/create", []byte(`{"admin_graphql_api_id": "gid://shopify/Order/5", "id": 5, "id": 6}`), sim.Secret)
	asked, err := app.Ask(t.Context(), r.cfg, config.Lookup{})
	must(t, err)
	defer func() { must(t, asked.Close()) }()
	got, ok, err := asked.Door(t.Context())
	must(t, err)
	if want := (app.DoorCounts{Filed: 2, Faulty: 1, Unsigned: 1}); !ok || got != want {
		t.Errorf("the door counted %+v; want %+v", got, want)
	}
}

// TestBrokenDisk: when the disk does not keep what is written, nothing is
// acknowledged any more and the hub ends.
func TestBrokenDisk(t *testing.T) {
	r := newRig(t, "")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, err)
	defer func() { must(t, null.Close()) }()
	for _, log := range openFiles(t, filepath.Join(r.cfg.Data, "journal.db-wal")) {
		must(t, syscall.Dup3(int(null.Fd()), log, syscall.O_CLOEXEC)) // it takes what is written, and fsync on it fails
	}
	if status := r.send("orders/create", sample(t), sim.Secret); status < http.StatusInternalServerError {
		t.Errorf("a message that was not kept was answered %d", status)
	}
	select {
	case err := <-r.done:
		if err == nil {
			t.Error("the hub ended as if all were well")
		}
	case <-time.After(20 * time.Second):
		t.Error("the hub goes on on a disk that keeps nothing")
	}
	r.done <- nil
}

// openFiles returns the descriptors this process has open for a file.
func openFiles(t *testing.T, path string) (fds []int) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	path, err = filepath.EvalSymlinks(path)
	must(t, err)
	for _, e := range open {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == path {
			fd, err := strconv.Atoi(e.Name())
			must(t, err)
			fds = append(fds, fd)
		}
	}
	if fds == nil {
		t.Fatalf("%s is not open", path)
	}
	return fds
}
