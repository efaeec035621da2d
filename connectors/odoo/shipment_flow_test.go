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
	sandbox "github.com/crossdockhq/crossdock/sandbox/odoo"
)

// told is what is said of one transfer.
type told struct {
	crossdock.Shipment
	of   crossdock.Ref
	says crossdock.Fields
}

func (f *flow) told(st crossdock.Statement) told {
	f.t.Helper()
	if st.Fault != nil {
		f.t.Fatalf("%s: %s %s", st.Of, st.Fault.Place, st.Fault.Text)
	}
	out := told{of: st.Of, says: st.Says}
	if err := st.Said.Unpack(&out.Shipment); err != nil {
		f.t.Fatal(err)
	}
	return out
}

// shipments pulls and returns what is said of the transfers of an order, in the order
// of their ids.
func (f *flow) shipments(order crossdock.Ref, cursor *connector.Cursor) (out []told) {
	f.t.Helper()
	for _, st := range f.pullAll(crossdock.KindShipment, cursor) {
		if s := f.told(st); s.Order.Key == f.view(order).Key {
			out = append(out, s)
		}
	}
	return out
}

// deliver types what leaves of the first move of a transfer and validates it, with a
// backorder for the rest.
func (f *flow) deliver(picking string, count int) {
	f.t.Helper()
	move := f.search("stock.move", []any{"picking_id", "=", json.Number(picking)})[0]
	typed := map[string]any{"quantity": count, "picked": true}
	if f.s.version < 17 {
		typed = map[string]any{"quantity_done": count}
	}
	f.rpc("stock.move", "write", []any{[]any{move}, typed}, nil)
	f.rpc("stock.picking", "button_validate", []any{[]any{json.Number(picking)}},
		map[string]any{"context": map[string]any{"skip_sms": true, "skip_backorder": true, "picking_ids_not_to_backorder": []any{}}})
}

func countOf(s told) string {
	if len(s.Lines) != 1 {
		return fmt.Sprint(len(s.Lines), " lines")
	}
	return s.Lines[0].Quantity.Count.String()
}

func TestShipments(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		ctx := context.Background()
		var cursor connector.Cursor
		customer := f.customer()
		of, number := f.ref("ship")
		f.true(of, f.order(number, customer))

		// Orders people make in Odoo are none of the hub's, and neither is a copy of one
		// of the hub's with its mark.
		copied := f.rpc("sale.order", "create", []any{map[string]any{"partner_id": json.Number(f.keys[customer]), "origin": "crossdock.order_" + of.Key,
			"order_line": []any{[]any{0, 0, map[string]any{"product_id": json.Number(f.keys[f.item("TEA")]), "product_uom_qty": 1}}}}}, nil)
		f.rpc("sale.order", "action_confirm", []any{[]json.RawMessage{copied}}, nil)

		first := f.shipments(of, &cursor)
		if len(first) != 1 {
			t.Fatalf("%+v", first)
		}
		s := first[0]
		if s.State != crossdock.ShipmentAssigned || countOf(s) != "2" || s.Lines[0].Item.Key != f.keys[f.item("TEA")] || !s.Shipped.IsZero() ||
			s.Site.Key != f.keys[f.names["site:E"][0]] || !slices.Equal(s.says, crossdock.Fields{"carrier", "lines", "order", "shipped", "site", "state", "tracking"}) {
			t.Errorf("a transfer that is ready: %+v", s)
		}
		for _, st := range f.pullAll(crossdock.KindShipment, nil) {
			if f.told(st).Order.Key == string(copied) {
				t.Errorf("the transfer of a copied order is ours: %s", st.Of)
			}
		}

		f.deliver(s.of.Key, 1)
		f.rpc("stock.picking", "write", []any{[]any{json.Number(s.of.Key)}, map[string]any{"carrier_tracking_ref": "Z1, Z2,"}}, nil)
		after := f.shipments(of, &cursor)
		if len(after) != 2 {
			t.Fatalf("%+v", after)
		}
		if d := after[0]; d.of != s.of || d.State != crossdock.ShipmentDone || countOf(d) != "1" || !slices.Equal(d.Tracking, []string{"Z1", "Z2"}) || d.Shipped.Location() != time.UTC || d.Shipped.IsZero() {
			t.Errorf("a part that left: %+v", d)
		}
		if b := after[1]; b.State != crossdock.ShipmentAssigned || countOf(b) != "1" || b.Site != s.Site || len(b.Tracking) > 0 {
			t.Errorf("the rest: %+v", b)
		}
		f.rpc("stock.picking", "action_cancel", []any{[]any{json.Number(after[1].of.Key)}}, nil)
		var rest *told
		for _, c := range f.shipments(of, &cursor) {
			if c.of == after[1].of {
				rest = &c
			}
		}
		if rest == nil || rest.State != crossdock.ShipmentCancelled || countOf(*rest) != "1" {
			t.Errorf("the rest that was cancelled: %+v", rest)
		}

		page, err := f.conn.Keys(ctx, crossdock.KindShipment, "")
		if err != nil || !slices.Contains(page.Keys, s.of.Key) || !slices.Contains(page.Keys, after[1].of.Key) {
			t.Errorf("%+v %v", page, err)
		}
		found, err := f.conn.Find(ctx, []crossdock.Ref{s.of, {System: "odoo", Kind: crossdock.KindShipment, Key: "99999999"}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			found[i].From = "odoo"
		}
		if d := f.told(f.conn.Translate(found[0])[0]); d.of != s.of || countOf(d) != "1" || d.State != crossdock.ShipmentDone {
			t.Errorf("looked up: %+v", d)
		}
		if st := f.conn.Translate(found[1])[0]; !st.Gone {
			t.Errorf("a transfer that is not there: %+v", st)
		}
	})
}

// TestShipmentsByLot: what left says of which lots it was, however many places they
// lay in.
func TestShipmentsByLot(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		if f.s.stand == nil {
			return // lots are put into stand-ins alone
		}
		for _, err := range []error{f.s.stand.SetStock("TEA", "E", "0"), f.s.stand.SetLot("TEA", "E", "L1", "1"), f.s.stand.SetLot("TEA", "E", "L2", "4")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		of, number := f.ref("lots")
		f.true(of, f.order(number, f.customer()))
		if err := f.s.stand.ShipOrder(number, "Z1"); err != nil {
			t.Fatal(err)
		}
		got := f.shipments(of, new(connector.Cursor))
		if len(got) != 1 || got[0].State != crossdock.ShipmentDone || len(got[0].Lines) != 2 {
			t.Fatalf("%+v", got)
		}
		for i, lot := range []string{"L1", "L2"} {
			if l := got[0].Lines[i]; l.Lot != lot || !l.Quantity.Count.Equal(dec("1")) || l.Item.Key != f.keys[f.item("TEA")] {
				t.Errorf("line %d: %+v", i, l)
			}
		}
	})
}

// TestShipmentOfNoOrder: a transfer outlives its order, and is then no shipment of ours.
func TestShipmentOfNoOrder(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		var cursor connector.Cursor
		of, number := f.ref("gone")
		f.true(of, f.order(number, f.customer()))
		s := f.shipments(of, &cursor)[0]
		f.cancel(of)
		f.remove(of)
		found, err := f.conn.Find(context.Background(), []crossdock.Ref{s.of})
		if err != nil {
			t.Fatal(err)
		}
		if st := f.conn.Translate(found[0])[0]; !st.Gone || st.Of.Key != s.of.Key {
			t.Errorf("%+v", st)
		}
	})
}

// TestShipmentsWithoutDelivery: carrier and tracking are fields of an optional module.
func TestShipmentsWithoutDelivery(t *testing.T) {
	for _, version := range []int{16, 18, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			s := sandbox.New(sandbox.Config{Version: version, Database: "hub", User: "hub@example.com", Password: "secret", Seed: 1, NoDelivery: true})
			for _, err := range []error{
				s.AddWarehouse("E", "East"), s.AddTax("Tax 8%", "8", false), s.AddProduct(sandbox.Product{SKU: "TEA", Name: "Green tea", Price: "10.00"}),
				s.AddProduct(sandbox.Product{SKU: "SHIP", Name: "Shipping", Kind: "service", Price: "0"}), s.SetStock("TEA", "E", "3"),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			h := httptest.NewServer(strict(t, version, s))
			t.Cleanup(h.Close)
			f := start(t, server{version: version, url: h.URL, database: "hub", user: "hub@example.com", password: "secret", stand: s})
			of, number := f.ref("plain")
			f.true(of, f.order(number, f.customer()))
			got := f.shipments(of, new(connector.Cursor))
			if len(got) != 1 || countOf(got[0]) != "2" || !slices.Equal(got[0].says, crossdock.Fields{"lines", "order", "shipped", "site", "state"}) {
				t.Errorf("%+v", got)
			}
			if calls := s.Calls()["stock.picking.fields_get"]; calls != 1 {
				t.Errorf("the fields are asked for %d times", calls)
			}
		})
	}
}
