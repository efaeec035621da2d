package odoo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
	sandbox "github.com/crossdockhq/crossdock/sandbox/odoo"
)

func TestItemsSitesAndTaxes(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		var tea crossdock.Item
		r := f.body[f.item("TEA")]
		if err := r.Unpack(&tea); err != nil {
			t.Fatal(err)
		}
		if !tea.Stocked || !tea.Active || !tea.Price.Equal(usd("10")) || tea.Unit != "Units" {
			t.Errorf("tea: %+v", tea)
		}
		var ship crossdock.Item
		r = f.body[f.item("SHIP")]
		if err := r.Unpack(&ship); err != nil || ship.Stocked {
			t.Errorf("a service is not stocked: %+v %v", ship, err)
		}
		var tax crossdock.Tax
		r = f.body[f.names["tax:Tax 8%"][0]]
		if err := r.Unpack(&tax); err != nil || !tax.Rate.Equal(dec("0.08")) || tax.Included {
			t.Errorf("tax: %+v %v", tax, err)
		}
		if len(f.names["site:E"]) != 1 || len(f.names["site:W"]) != 1 {
			t.Errorf("sites: %v", f.names)
		}
	})
}

// TestStockVanishes sells what there is: Odoo deletes quants of nothing, and the
// reading still comes, as zero.
func TestStockVanishes(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		var cursor connector.Cursor
		f.stock(&cursor)
		f.setStock("TEA", "W", 7)
		if got := f.stock(&cursor)["TEA@W"]; !got.OnHand.Count.Equal(dec("7")) {
			t.Fatalf("%+v", got)
		}
		f.setStock("TEA", "W", 0)
		// What stays of it on a real server is a quant of 0 until Odoo sweeps it.
		got, ok := f.stock(&cursor)["TEA@W"]
		if !ok || !got.OnHand.IsZero() {
			t.Fatalf("%+v %v", got, ok)
		}
		product := f.keys[f.item("TEA")]
		site := f.keys[f.names["site:W"][0]]
		found, err := f.conn.Find(context.Background(), []crossdock.Ref{
			{System: "odoo", Kind: crossdock.KindStock, Key: product + "@" + site},
			{System: "odoo", Kind: crossdock.KindStock, Key: product + "@99999"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if string(found[0].Body) != fmt.Sprintf(`{"product_id":%s,"quantity":0,"reserved_quantity":0,"warehouse_id":%s}`, product, site) || found[0].Version == "" {
			t.Errorf("%+v", found[0])
		}
		if st := f.conn.Translate(found[1])[0]; !st.Gone {
			t.Errorf("a warehouse that is not there: %+v", st)
		}
		page, err := f.conn.Keys(context.Background(), crossdock.KindStock, "")
		if err != nil || page.More || !slices.Contains(page.Keys, product+"@"+f.keys[f.names["site:E"][0]]) {
			t.Errorf("%+v %v", page, err)
		}
	})
}

func TestOrdersArePulledWithTheirOwner(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		var cursor connector.Cursor
		f.pullAll(crossdock.KindOrder, &cursor)
		customer := f.customer()
		of := f.drafts("pull", 1, customer)[0]
		copied := f.rpc("sale.order", "create", []any{map[string]any{"partner_id": json.Number(f.keys[customer]), "origin": "crossdock." + "order_" + of.Key}}, nil)
		said := map[string]crossdock.Statement{}
		for _, st := range f.pullAll(crossdock.KindOrder, &cursor) {
			said[st.Of.Key] = st
		}
		st := said[f.view(of).Key]
		if !slices.Equal(st.Names, []string{"of:" + of.Short()}) || st.Said.Text("state") != "promised" || !slices.Equal(st.Fields(), crossdock.Fields{"name", "number", "state", "totals"}) {
			t.Errorf("%+v", st)
		}
		if st := said[string(copied)]; st.Of.Key == "" || len(st.Names) != 0 {
			t.Errorf("an order a person copied is not ours: %+v", st)
		}
		page, err := f.conn.Keys(context.Background(), crossdock.KindOrder, "")
		if err != nil || !slices.Contains(page.Keys, f.view(of).Key) {
			t.Errorf("%v %v", page, err)
		}
	})
}

// fleet is a stand-in with many products whose clock is the test's.
func fleet(t *testing.T, version, products int) (*flow, *sandbox.Server, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	s := sandbox.New(sandbox.Config{Version: version, Database: "hub", User: "hub@example.com", Password: "secret", Seed: 7, Clock: func() time.Time { return now }})
	for _, err := range []error{s.AddWarehouse("E", "East"), s.AddTax("Tax 8%", "8", false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range products {
		if err := s.AddProduct(sandbox.Product{SKU: fmt.Sprintf("P%04d", i), Name: "Product", Price: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	h := httptest.NewServer(strict(t, version, s))
	t.Cleanup(h.Close)
	f := &flow{t: t, s: server{version: version, url: h.URL, database: "hub", user: "hub@example.com", password: "secret", stand: s}, now: now}
	f.conn = connect(t, f.s, func(*odoo.Config) {}, func() time.Time { return now })
	return f, s, &now
}

// TestPagesSkipNothing changes a product behind the page while a pass runs, and
// one that another transaction dates back before the pass.
func TestPagesSkipNothing(t *testing.T) {
	for _, version := range []int{16, 18, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			f, s, now := fleet(t, version, 1100)
			ctx := context.Background()
			first, err := f.conn.Pull(ctx, crossdock.KindItem, "")
			if err != nil || len(first.Messages) != 500 || !first.More {
				t.Fatalf("%d %v %v", len(first.Messages), first.More, err)
			}
			*now = now.Add(20 * time.Minute) // the pass takes long, and others write on
			if err := s.SetPrice("P0003", "5"); err != nil {
				t.Fatal(err)
			}
			*now = now.Add(20 * time.Minute)
			if err := s.SetPrice("P1099", "6"); err != nil {
				t.Fatal(err)
			}
			rest, next := f.pull(crossdock.KindItem, first.Next)
			if len(rest) != 600 && len(rest) != 601 { // Odoo's own products may be among them
				t.Fatalf("%d rows in the rest of the pass", len(rest))
			}
			skus := func(said []crossdock.Statement) (out []string) {
				for _, st := range said {
					out = append(out, st.Said.Text("sku"))
				}
				return out
			}
			behind, next := f.pull(crossdock.KindItem, next)
			if !slices.Contains(skus(behind), "P0003") {
				t.Fatal("a product changed behind the page was skipped")
			}
			s.BeganEarlier(50 * time.Second)
			if err := s.SetPrice("P0007", "7"); err != nil {
				t.Fatal(err)
			}
			late, next := f.pull(crossdock.KindItem, next)
			if !slices.Contains(skus(late), "P0007") {
				t.Fatal("a change dated back by its transaction's start was skipped")
			}
			// What stands for longer than the overlap is not read again.
			*now = now.Add(3 * time.Minute)
			_, next = f.pull(crossdock.KindItem, next)
			if quiet, _ := f.pull(crossdock.KindItem, next); len(quiet) != 0 {
				t.Fatalf("%v are read again for nothing", skus(quiet))
			}
			var keys []string
			for after := connector.Cursor(""); ; {
				page, err := f.conn.Keys(ctx, crossdock.KindItem, after)
				if err != nil {
					t.Fatal(err)
				}
				if keys = append(keys, page.Keys...); !page.More {
					break
				}
				after = page.Next
			}
			if len(keys) < 1100 {
				t.Fatalf("%d keys", len(keys))
			}
		})
	}
}

func TestUnchangedRowsAreTheSameBytes(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		a, err := f.conn.Pull(context.Background(), crossdock.KindItem, "")
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.conn.Pull(context.Background(), crossdock.KindItem, "")
		if err != nil || len(a.Messages) == 0 || len(a.Messages) != len(b.Messages) {
			t.Fatal(len(a.Messages), len(b.Messages), err)
		}
		for i := range a.Messages {
			if string(a.Messages[i].Body) != string(b.Messages[i].Body) {
				t.Errorf("%s\n%s", a.Messages[i].Body, b.Messages[i].Body)
			}
		}
	})
}
