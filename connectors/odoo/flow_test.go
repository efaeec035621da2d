package odoo_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
	sandbox "github.com/crossdockhq/crossdock/sandbox/odoo"
)

// server is an Odoo the flows run against.
type server struct {
	version  int
	url      string
	database string
	user     string
	password string
	dialect  string
	stand    *sandbox.Server // nil for a real one
}

// servers are the stand-ins of each version, of 19 one for each dialect (a password
// is no bearer of JSON-2), with the same small world: warehouses
// E and W, TEA at 10.00 with Tax 8 % and 3 in stock at E, services SHIP and DISCOUNT.
func servers(t *testing.T) []server {
	t.Helper()
	var out []server
	for _, made := range []server{{version: 16, password: "secret"}, {version: 18, password: "secret"}, {version: 19, password: "secret"}, {version: 19, password: "key"}} {
		made.stand = standIn(t, made.version, nil)
		h := httptest.NewServer(strict(t, made.version, made.stand))
		t.Cleanup(h.Close)
		made.url, made.database, made.user = h.URL, "hub", "hub@example.com"
		made.dialect = map[bool]string{true: "json2", false: "jsonrpc"}[made.password == "key"]
		out = append(out, made)
	}
	// Besides, where named, a running scratch database that holds the same world and
	// in which nothing was sold yet. The user may be one with no more rights than
	// the connector asks for; people act as admin.
	if url := os.Getenv("ODOO_URL"); url != "" {
		out = append(out, server{version: 18, url: url, database: os.Getenv("ODOO_DB"), user: cmp.Or(os.Getenv("ODOO_USER"), "admin"), password: cmp.Or(os.Getenv("ODOO_PASSWORD"), "admin")})
	}
	return out
}

// standIn is a stand-in of a version with the small world in it.
func standIn(t *testing.T, version int, clock func() time.Time) *sandbox.Server {
	t.Helper()
	s := sandbox.New(sandbox.Config{Version: version, Database: "hub", User: "hub@example.com", Password: "secret", Seed: 1, Clock: clock})
	s.AddAPIKey("key")
	for _, err := range []error{
		s.AddWarehouse("E", "East"), s.AddWarehouse("W", "West"), s.AddTax("Tax 8%", "8", false),
		s.AddProduct(sandbox.Product{SKU: "TEA", Name: "Green tea", Barcode: "4006381333931", Price: "10.00", Taxes: []string{"Tax 8%"}}),
		s.AddProduct(sandbox.Product{SKU: "SHIP", Name: "Shipping", Kind: "service", Price: "0"}),
		s.AddProduct(sandbox.Product{SKU: "DISCOUNT", Name: "Discount", Kind: "service", Price: "0"}),
		s.SetStock("TEA", "E", "3"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func each(t *testing.T, do func(t *testing.T, f *flow)) {
	t.Helper()
	for _, s := range servers(t) {
		t.Run(fmt.Sprintf("Odoo%d/%s/%s", s.version, s.dialect, strings.TrimPrefix(s.url, "http://")), func(t *testing.T) {
			do(t, start(t, s))
			if s.stand == nil {
				return
			}
			if spoken := s.stand.Spoken(); (spoken["json2"] > 0) != (s.dialect == "json2") {
				t.Errorf("%s was to be spoken, and spoken were %v", s.dialect, spoken)
			}
		})
	}
}

// flow plays the hub: it knows what was pulled and pushed.
type flow struct {
	t     *testing.T
	s     server
	conn  *odoo.Connector
	keys  map[crossdock.Ref]string
	names map[string][]crossdock.Ref
	body  map[crossdock.Ref]crossdock.Record
	views map[crossdock.Ref]*crossdock.View
	now   time.Time
	run   string // makes keys unique where a server lives longer than a test
}

func start(t *testing.T, s server) *flow {
	f := &flow{
		t: t, s: s, keys: map[crossdock.Ref]string{}, names: map[string][]crossdock.Ref{}, body: map[crossdock.Ref]crossdock.Record{},
		views: map[crossdock.Ref]*crossdock.View{}, now: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC), run: fmt.Sprint(time.Now().UnixNano() % 1e9),
	}
	f.conn = connect(t, s, func(c *odoo.Config) {}, func() time.Time { return f.now })
	for _, k := range []crossdock.Kind{crossdock.KindSite, crossdock.KindTax, crossdock.KindItem} {
		for _, st := range f.pullAll(k, nil) {
			f.learn(st)
		}
	}
	return f
}

func connect(t *testing.T, s server, set func(*odoo.Config), now func() time.Time) *odoo.Connector {
	t.Helper()
	cfg := odoo.Type.Config().(*odoo.Config)
	*cfg = odoo.Config{URL: s.url, Database: s.database, User: s.user, Key: s.password, Shipping: "SHIP"}
	set(cfg)
	c, err := odoo.Type.Open(cfg, connector.Env{System: "odoo", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*odoo.Connector)
}

func (f *flow) Key(of crossdock.Ref) string { return f.keys[of] }
func (f *flow) Record(of crossdock.Ref) (crossdock.Record, bool) {
	r, ok := f.body[of]
	return r, ok
}
func (f *flow) Named(name string) []crossdock.Ref { return f.names[name] }

// learn books a statement of site, tax or item.
func (f *flow) learn(st crossdock.Statement) {
	f.t.Helper()
	if st.Fault != nil {
		f.t.Fatalf("%s: %s %s", st.Of, st.Fault.Place, st.Fault.Text)
	}
	of := crossdock.BookRef(st.Of.Kind, st.Of.Key)
	f.keys[of], f.body[of] = st.Of.Key, st.Said
	for _, n := range st.Names {
		if !slices.Contains(f.names[n], of) {
			f.names[n] = append(f.names[n], of)
		}
	}
}

// pull reads from a cursor to the end and returns what was said and where it goes on.
func (f *flow) pull(k crossdock.Kind, after connector.Cursor) ([]crossdock.Statement, connector.Cursor) {
	f.t.Helper()
	var out []crossdock.Statement
	for range 100 {
		page, err := f.conn.Pull(context.Background(), k, after)
		if err != nil {
			f.t.Fatalf("pull %s: %v", k, err)
		}
		for _, m := range page.Messages {
			m.From = "odoo"
			out = append(out, f.conn.Translate(m)...)
		}
		if after = page.Next; !page.More {
			return out, after
		}
	}
	f.t.Fatalf("pull %s does not end", k)
	return nil, ""
}

func (f *flow) pullAll(k crossdock.Kind, after *connector.Cursor) []crossdock.Statement {
	f.t.Helper()
	from := connector.Cursor("")
	if after != nil {
		from = *after
	}
	out, next := f.pull(k, from)
	if after != nil {
		*after = next
	}
	return out
}

func (f *flow) view(of crossdock.Ref) *crossdock.View {
	if f.views[of] == nil {
		f.views[of] = &crossdock.View{System: "odoo", Of: of}
	}
	return f.views[of]
}

// want projects one record as the core would.
func (f *flow) want(of crossdock.Ref, form crossdock.Form) connector.Wanted {
	f.t.Helper()
	r, err := crossdock.Pack(form)
	if err != nil {
		f.t.Fatal(err)
	}
	w, err := f.conn.Project(r, *f.view(of), f)
	if err != nil {
		f.t.Fatalf("project %s: %v", of, err)
	}
	return w
}

// push sends wants and books their receipts as the core would.
func (f *flow) push(batch ...crossdock.Push) []crossdock.Receipt {
	f.t.Helper()
	got := f.conn.Push(context.Background(), batch)
	if len(got) != len(batch) {
		f.t.Fatalf("%d receipts for %d pushes", len(got), len(batch))
	}
	for i, r := range got {
		v := f.view(batch[i].Of)
		if r.Code == crossdock.Conflict && r.Of.Kind == crossdock.KindParty {
			f.sawParty(v, r)
		}
		if r.Code != crossdock.OK {
			continue
		}
		if r.Key == "" || r.Version == "" || r.Holds.IsZero() {
			f.t.Fatalf("the receipt of %s lacks key, version or what Odoo holds: %+v", r.Of, r)
		}
		v.Key, v.Asked, v.Held, v.Version = r.Key, batch[i].Want, v.Held.With(r.Holds, r.Fields()), r.Version
		f.keys[batch[i].Of] = r.Key
	}
	return got
}

// sawParty books what a push saw in place of what its decision saw.
func (f *flow) sawParty(v *crossdock.View, r crossdock.Receipt) {
	f.t.Helper()
	if len(r.Saw) != 1 {
		f.t.Fatalf("a conflict about %s saw %d records", r.Of, len(r.Saw))
	}
	st := f.conn.Translate(r.Saw[0])[0]
	if st.Fault != nil || !slices.Contains(st.Names, "of:"+r.Of.Short()) || r.Saw[0].Asked.IsZero() || st.Of.System != "odoo" {
		f.t.Fatalf("seen of %s: %+v", r.Of, st)
	}
	v.Key, v.Held = st.Of.Key, v.Held.With(st.Said, st.Says)
	f.keys[r.Of] = v.Key
}

// true brings a record to where nothing is wanted any more and returns the steps.
func (f *flow) true(of crossdock.Ref, form crossdock.Form) (steps int) {
	f.t.Helper()
	for {
		w := f.want(of, form)
		v := f.view(of)
		if len(w.Waits) > 0 {
			f.t.Fatalf("%s waits for %v", of, w.Waits)
		}
		if w.Record.IsZero() || w.Record.Equal(v.Asked) {
			return steps
		}
		if steps++; steps > 5 {
			f.t.Fatalf("%s is never true", of)
		}
		r := f.push(crossdock.Push{Of: of, Rev: int64(steps), Want: w.Record, Key: v.Key, Door: w.Door, Version: v.Version, Held: v.Held})[0]
		if r.Code != crossdock.OK && (r.Code != crossdock.Conflict || of.Kind != crossdock.KindParty) {
			f.t.Fatalf("push of %s: %s %s", of, r.Code, r.Text)
		}
	}
}

func (f *flow) customer() crossdock.Ref {
	f.t.Helper()
	of := crossdock.BookRef(crossdock.KindParty, "P7-"+f.run)
	f.true(of, crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Phone: "+15550100", Address: crossdock.Address{Street: "1 Main St", City: "Lexington", Zip: "40502", Country: "US", Region: "KY"}})
	return of
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func usd(s string) crossdock.Money { return crossdock.Money{Amount: dec(s), Currency: "USD"} }

func (f *flow) item(sku string) crossdock.Ref {
	f.t.Helper()
	if len(f.names["sku:"+sku]) != 1 {
		f.t.Fatalf("%s is %v", sku, f.names["sku:"+sku])
	}
	return f.names["sku:"+sku][0]
}

func (f *flow) order(number string, customer crossdock.Ref) crossdock.Order {
	tax := []crossdock.TaxAmount{{Title: "Tax", Rate: dec("0.08"), Amount: usd("1.60")}}
	return crossdock.Order{
		Number: number, Channel: "shop", Placed: f.now, Currency: "USD", Customer: customer, State: crossdock.OrderPromised,
		Site:   f.names["site:E"][0].Key,
		Lines:  []crossdock.Line{{Key: "1", SKU: "TEA", Item: f.item("TEA"), Title: "Green tea", Quantity: crossdock.Quantity{Count: dec("2")}, Price: usd("10.00"), Taxes: tax, Ships: true}},
		Totals: crossdock.Totals{Subtotal: usd("20.00"), Tax: usd("1.60"), Total: usd("21.60")},
	}
}

func (f *flow) ref(name string) (crossdock.Ref, string) {
	number := name + "-" + f.run
	return crossdock.BookRef(crossdock.KindOrder, number), number
}

func TestOrderLife(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		ctx := context.Background()
		if err := f.conn.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		var cursor connector.Cursor
		before := f.stock(&cursor)["TEA@E"]
		customer := f.customer()
		of, number := f.ref("1001")
		o := f.order(number, customer)

		if got := f.true(of, o); got != 2 {
			t.Fatalf("an order took %d steps; it is made, then confirmed", got)
		}
		v := f.view(of)
		if v.Held.Text("state") != "confirmed" || v.Held.Text("number") != number {
			t.Fatalf("held: %v", v.Held)
		}
		want := `{"subtotal":"20.00 USD","tax":"1.60 USD","total":"21.60 USD"}`
		if got := string(v.Held.Fields["totals"]); got != want {
			t.Fatalf("totals %s, want %s", got, want)
		}
		if got := f.stock(&cursor)["TEA@E"]; !got.Reserved.Count.Equal(before.Reserved.Count.Add(dec("2"))) || !got.OnHand.Equal(before.OnHand) {
			t.Fatalf("stock after the confirmation: %+v, before: %+v", got, before)
		}

		// The same load again, as after a lost answer: one order, and nothing is written to it.
		draft := v.Asked.Clone()
		draft.Fields["state"] = json.RawMessage(`"draft"`)
		again := f.conn.Push(ctx, []crossdock.Push{{Of: of, Rev: 9, Want: draft, Door: crossdock.DoorRefused}})[0]
		if again.Code != crossdock.OK || again.Key != v.Key || again.Holds.Text("state") != "confirmed" {
			t.Fatalf("a second load: %+v", again)
		}
		// A second confirmation is no error.
		if r := f.push(crossdock.Push{Of: of, Rev: 10, Want: v.Asked, Key: v.Key, Door: crossdock.DoorFound})[0]; r.Code != crossdock.OK {
			t.Fatalf("a second confirmation: %s %s", r.Code, r.Text)
		}

		found, err := f.conn.Find(ctx, []crossdock.Ref{of, {System: "odoo", Kind: crossdock.KindOrder, Key: v.Key}, crossdock.BookRef(crossdock.KindOrder, "none"), {System: "odoo", Kind: crossdock.KindOrder, Key: "99999999"}})
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range found {
			m.From = "odoo"
			st := f.conn.Translate(m)[0]
			switch {
			case i < 2 && (st.Of.Key != v.Key || st.Gone || !slices.Contains(st.Names, "of:"+of.Short()) || st.Said.Text("state") != "confirmed"):
				t.Errorf("look %d: %+v", i, st)
			case i == 2 && (!st.Gone || st.Of != crossdock.BookRef(crossdock.KindOrder, "none")):
				t.Errorf("look %d: %+v", i, st)
			case i == 3 && (!st.Gone || st.Of.Key != "99999999"):
				t.Errorf("look %d: %+v", i, st)
			}
		}

		o.State = crossdock.OrderCancelled
		if got := f.true(of, o); got != 1 || v.Held.Text("state") != "cancelled" {
			t.Fatalf("cancelling took %d steps and left %s", got, v.Held.Text("state"))
		}
		if got := f.stock(&cursor)["TEA@E"]; !got.Reserved.Equal(before.Reserved) {
			t.Fatalf("stock after the cancellation: %+v", got)
		}
	})
}

// stock pulls readings and returns them by SKU and warehouse code.
func (f *flow) stock(cursor *connector.Cursor) map[string]crossdock.Stock {
	f.t.Helper()
	out := map[string]crossdock.Stock{}
	for _, st := range f.pullAll(crossdock.KindStock, cursor) {
		var s crossdock.Stock
		if err := st.Said.Unpack(&s); err != nil {
			f.t.Fatalf("%s: %v %+v", st.Of, err, st.Fault)
		}
		item, site := f.body[crossdock.BookRef(crossdock.KindItem, s.Item.Key)], f.body[crossdock.BookRef(crossdock.KindSite, s.Site.Key)]
		out[item.Text("sku")+"@"+site.Text("code")] = s
	}
	return out
}
