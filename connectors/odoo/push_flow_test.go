package odoo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
)

// drafts pushes n orders as drafts and returns their refs.
func (f *flow) drafts(name string, n int, customer crossdock.Ref) []crossdock.Ref {
	f.t.Helper()
	var out []crossdock.Ref
	var batch []crossdock.Push
	for i := range n {
		of, number := f.ref(fmt.Sprintf("%s%d", name, i))
		w := f.want(of, f.order(number, customer))
		out = append(out, of)
		batch = append(batch, crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})
	}
	for _, r := range f.push(batch...) {
		if r.Code != crossdock.OK {
			f.t.Fatalf("%s: %s %s", r.Of, r.Code, r.Text)
		}
	}
	return out
}

// step pushes the next step of orders whose drafts are there.
func (f *flow) step(state crossdock.OrderState, customer crossdock.Ref, orders ...crossdock.Ref) []crossdock.Receipt {
	f.t.Helper()
	var batch []crossdock.Push
	for _, of := range orders {
		o := f.order(of.Key, customer)
		o.State = state
		w := f.want(of, o)
		batch = append(batch, crossdock.Push{Of: of, Rev: 2, Want: w.Record, Key: f.view(of).Key, Door: w.Door})
	}
	return f.push(batch...)
}

func (f *flow) count(of crossdock.Ref) int {
	return len(f.search("sale.order", []any{"client_order_ref", "=", of.Key}))
}

func TestBadRecordsAmongGoodOnes(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		customer := f.customer()
		var batch []crossdock.Push
		for i := range 7 {
			of, number := f.ref(fmt.Sprintf("bad%d", i))
			w := f.want(of, f.order(number, customer))
			switch i {
			case 2:
				w.Record.Fields["partner_id"] = json.RawMessage(`"99999999"`)
			case 5:
				w.Record.Fields["order_line"] = json.RawMessage(`[{"key":"1","product_id":"99999999","name":"x","product_uom_qty":"1","price_unit":"1","discount":"0","tax_id":[]}]`)
			}
			batch = append(batch, crossdock.Push{Of: of, Rev: 3, Want: w.Record, Door: w.Door})
		}
		for i, r := range f.push(batch...) {
			switch {
			case i == 2 || i == 5:
				if r.Code != crossdock.Invalid || !strings.Contains(r.Text, "99999999") || f.count(r.Of) != 0 {
					t.Errorf("%s: %+v", r.Of, r)
				}
			case r.Code != crossdock.OK || r.Rev != 3 || f.count(r.Of) != 1:
				t.Errorf("%s: %+v", r.Of, r)
			}
		}
	})
}

func TestConfirmSeesWhatPeopleDid(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		customer := f.customer()
		orders := f.drafts("seen", 4, customer)
		cancelled, deleted, confirmed, plain := orders[0], orders[1], orders[2], orders[3]
		f.cancel(cancelled)
		f.remove(deleted)
		f.confirm(confirmed)
		got := f.step(crossdock.OrderPromised, customer, cancelled, deleted, confirmed, plain)
		if got[0].Code != crossdock.Conflict || len(got[0].Saw) != 1 {
			t.Fatalf("cancelled by a person: %+v", got[0])
		}
		saw := f.conn.Translate(got[0].Saw[0])[0]
		if saw.Said.Text("state") != "cancelled" || !slices.Contains(saw.Names, "of:"+cancelled.Short()) || saw.Of.Key != f.view(cancelled).Key {
			t.Errorf("saw %+v", saw)
		}
		if got[1].Code != crossdock.Gone {
			t.Errorf("deleted by a person: %+v", got[1])
		}
		for _, i := range []int{2, 3} {
			if got[i].Code != crossdock.OK || got[i].Holds.Text("state") != "confirmed" {
				t.Errorf("%s: %+v", got[i].Of, got[i])
			}
		}
		if p := got[3]; len(f.conn.Touches(crossdock.Push{Want: f.view(p.Of).Asked})) != 1 {
			t.Errorf("a confirmation touches its product")
		}
		// Projection leaves alone what a person did.
		f.view(cancelled).Held.Fields["state"] = json.RawMessage(`"cancelled"`)
		if w := f.want(cancelled, f.order(cancelled.Key, customer)); !w.Record.Equal(f.view(cancelled).Asked) {
			t.Errorf("a cancelled order is wanted otherwise: %v", w.Record)
		}
		f.view(deleted).Gone = true
		if w := f.want(deleted, f.order(deleted.Key, customer)); !w.Record.IsZero() {
			t.Errorf("a deleted order is wanted: %v", w.Record)
		}
	})
}

func TestDraftIsRewritten(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		customer := f.customer()
		of := f.drafts("edit", 1, customer)[0]
		o := f.order(of.Key, customer)
		o.Lines[0].Quantity.Count = dec("1")
		o.Lines = append(o.Lines, crossdock.Line{Key: "2", SKU: "TEA", Item: f.item("TEA"), Title: "More tea", Quantity: crossdock.Quantity{Count: dec("3")}, Price: usd("9.50"), Discount: usd("2.85")})
		o.Note = "Ring <twice>"
		if got := f.true(of, o); got != 2 {
			t.Fatalf("a changed draft took %d steps: it is rewritten, then confirmed", got)
		}
		if got, want := string(f.view(of).Held.Fields["totals"]), `{"subtotal":"35.65 USD","tax":"0.80 USD","total":"36.45 USD"}`; got != want {
			t.Fatalf("totals %s, want %s", got, want)
		}
		// Confirmed: Odoo owns the lines, whatever the book says.
		o.Lines = o.Lines[:1]
		if w := f.want(of, o); !w.Record.Equal(f.view(of).Asked) {
			t.Fatalf("a confirmed order is wanted otherwise: %v", w.Record)
		}
		// A change of a draft that a person confirmed meanwhile is not written.
		other := f.drafts("late", 1, customer)[0]
		f.confirm(other)
		late := f.order(other.Key, customer)
		late.Lines[0].Quantity.Count = dec("1")
		w := f.want(other, late)
		got := f.push(crossdock.Push{Of: other, Rev: 2, Want: w.Record, Key: f.view(other).Key, Door: w.Door})[0]
		if got.Code != crossdock.Conflict || len(got.Saw) != 1 {
			t.Fatalf("a change of a confirmed order: %+v", got)
		}
	})
}

func TestLoadMeetsAnotherContent(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		customer := f.customer()
		of := f.drafts("twice", 1, customer)[0]
		key := f.view(of).Key
		delete(f.views, of) // as after a restore: the book has forgotten it
		o := f.order(of.Key, customer)
		o.Lines = append(o.Lines, crossdock.Line{Key: "2", SKU: "TEA", Item: f.item("TEA"), Title: "More", Quantity: crossdock.Quantity{Count: dec("1")}, Price: usd("1")})
		w := f.want(of, o)
		got := f.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})[0]
		if got.Code != crossdock.Conflict || len(got.Saw) != 1 || got.Saw[0].Key != key || f.count(of) != 1 {
			t.Fatalf("%+v", got)
		}
		// What was seen names the order; with its key the content is written over it.
		f.view(of).Key, f.view(of).Held = key, f.conn.Translate(got.Saw[0])[0].Said
		if steps := f.true(of, o); steps != 2 {
			t.Fatalf("%d steps", steps)
		}
		if got := string(f.view(of).Held.Fields["totals"]); !strings.Contains(got, `"subtotal":"21.00 USD"`) {
			t.Fatal(got)
		}
	})
}

func TestPartyIsMadeChangedAndGivenAddresses(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		ctx := context.Background()
		firm := crossdock.BookRef(crossdock.KindParty, "F 1/ü-"+f.run) // escaped in its external id
		p := crossdock.Party{Name: "Lee Ltd", IsFirm: true, Email: "ap@example.org", Address: crossdock.Address{Street: "1 Main St", City: "Lexington", Zip: "40502", Country: "US", Region: "KY"}}
		address := crossdock.BookRef(crossdock.KindParty, "A1-"+f.run)
		dock := crossdock.Party{Name: "Dock", Parent: firm, Role: crossdock.UseDelivery, Address: crossdock.Address{Street: "5 Dock Rd", City: "Oakland", Zip: "94601", Country: "US", Region: "CA", Phone: "+15550199"}}
		if w := f.want(address, dock); len(w.Waits) != 1 || w.Waits[0] != firm {
			t.Fatalf("an address waits for %v, want its customer", w.Waits)
		}
		f.true(firm, p)
		f.true(address, dock)
		made := f.view(firm).Key

		got, err := f.conn.Find(ctx, []crossdock.Ref{firm, address, crossdock.BookRef(crossdock.KindParty, "nobody")})
		if err != nil {
			t.Fatal(err)
		}
		var st []crossdock.Statement
		for _, m := range got {
			m.From = "odoo"
			st = append(st, f.conn.Translate(m)...)
		}
		if st[0].Of.Key != made || !slices.Contains(st[0].Names, "of:"+firm.Short()) || !st[2].Gone {
			t.Fatalf("%+v", st)
		}
		var held crossdock.Party
		if err := st[1].Said.Unpack(&held); err != nil {
			t.Fatal(err)
		}
		want := crossdock.Address{Street: "5 Dock Rd", City: "Oakland", Zip: "94601", Country: "US", Region: "CA"}
		if !reflect.DeepEqual(held.Address, want) || held.Name != "Dock" {
			t.Fatalf("held %+v", held)
		}

		// The same load again changes nothing; with other content it is a conflict first,
		// then the partner ends as wanted, and what is not said any more stays: the book
		// has forgotten whose it is.
		delete(f.views, firm)
		p.Address.Street, p.Email = "2 Side St", ""
		f.true(firm, p)
		if f.view(firm).Key != made {
			t.Fatalf("a second partner was made: %s after %s", f.view(firm).Key, made)
		}
		var now crossdock.Party
		if err := f.view(firm).Held.Unpack(&now); err != nil || now.Address.Street != "2 Side St" || now.Email != "ap@example.org" {
			t.Fatalf("%v %+v", err, now)
		}
		p.Address.Zip = "40503"
		f.true(firm, p)
		if err := f.view(firm).Held.Unpack(&now); err != nil || now.Address.Zip != "40503" {
			t.Fatalf("%v %+v", err, now)
		}

		// An order ships to the address.
		of, number := f.ref("ship")
		o := f.order(number, firm)
		o.ShipToParty = address
		if f.true(of, o); f.view(of).Asked.Text("partner_shipping_id") != f.view(address).Key {
			t.Fatal(f.view(of).Asked)
		}
	})
}

// TestPartyKeepsWhatPeopleEntered: a change writes what the hub wants otherwise, and
// empties only what the hub had filled.
func TestPartyKeepsWhatPeopleEntered(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		of := crossdock.BookRef(crossdock.KindParty, "K1-"+f.run)
		p := crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Phone: "+15550100", Address: crossdock.Address{Street: "1 Main St", City: "Lexington", Zip: "40502", Country: "US", Region: "KY"}}
		f.true(of, p)
		held := func() (now crossdock.Party) {
			t.Helper()
			if err := f.view(of).Held.Unpack(&now); err != nil {
				t.Fatal(err)
			}
			return now
		}
		person := func(values map[string]any) {
			f.rpc("res.partner", "write", []any{[]any{f.id(of)}, values}, nil)
		}
		person(map[string]any{"vat": "US123456", "street2": "Floor 2", "phone": "+1 555-0100"})

		p.Email = "lee@example.org"
		if steps := f.true(of, p); steps != 2 {
			t.Fatalf("%d steps: what the person did is seen, then the e-mail is written", steps)
		}
		if now := held(); now.Email != "lee@example.org" || now.TaxID != "US123456" || now.Address.Street2 != "Floor 2" || now.Phone != "+1 555-0100" {
			t.Errorf("after the shop changed the e-mail: %+v", now)
		}
		p.Address = crossdock.Address{Street: "9 High St", City: "Leeds", Zip: "LS1 1AA", Country: "GB"}
		p.Phone, p.Email = "", ""
		f.true(of, p)
		now := held()
		if want := (crossdock.Address{Street: "9 High St", Street2: "Floor 2", City: "Leeds", Zip: "LS1 1AA", Country: "GB"}); !reflect.DeepEqual(now.Address, want) {
			t.Errorf("after the move: %+v, want %+v: the state belonged to the other country", now.Address, want)
		}
		if now.TaxID != "US123456" || now.Phone != "" || now.Email != "" {
			t.Errorf("the hub's own phone and e-mail are emptied, a person's tax number stays: %+v", now)
		}

		// One read serves the batch: it also shows who is gone, and to whom nothing is to be written.
		gone := crossdock.BookRef(crossdock.KindParty, "K2-"+f.run)
		f.true(gone, crossdock.Party{Name: "Bob"})
		f.rpc("res.partner", "unlink", []any{[]any{f.id(gone)}}, nil)
		between := &lossy{url: f.s.url}
		h := httptest.NewServer(between)
		t.Cleanup(h.Close)
		s := f.s
		s.url = h.URL
		f.conn = connect(t, s, func(*odoo.Config) {}, time.Now)
		between.lose.Store("write") // would be ambiguous, were one sent
		got := f.push(
			crossdock.Push{Of: of, Rev: 8, Want: f.view(of).Asked, Key: f.view(of).Key, Door: crossdock.DoorFound},
			crossdock.Push{Of: gone, Rev: 8, Want: f.view(gone).Asked, Key: f.view(gone).Key, Door: crossdock.DoorFound})
		if got[0].Code != crossdock.OK || got[1].Code != crossdock.Gone {
			t.Errorf("%+v", got)
		}
	})
}

func TestDiscountsAndCharges(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		customer := f.customer()
		of, number := f.ref("cut")
		tax := []crossdock.TaxAmount{{Title: "Tax", Rate: dec("0.08"), Amount: usd("1.00")}}
		tea := func(key, qty, price, discount string, taxes []crossdock.TaxAmount) crossdock.Line {
			return crossdock.Line{Key: key, SKU: "TEA", Item: f.item("TEA"), Title: "Tea " + key, Quantity: crossdock.Quantity{Count: dec(qty)}, Price: usd(price), Discount: usd(discount), Taxes: taxes}
		}
		o := f.order(number, customer)
		o.Lines = []crossdock.Line{
			tea("1", "2", "10.00", "5.00", tax), // 25 %
			tea("2", "3", "10.00", "1.00", tax), // 3.33… %: a line of its own
			tea("3", "1", "20.00", "0", nil),
			tea("4", "0", "20.00", "0", tax), // removed
		}
		o.Discount, o.Note = usd("6.40"), "Ring twice"
		o.Charges = []crossdock.Charge{{Title: "Post", Price: usd("5.00"), Discount: usd("0.50"), Taxes: tax}, {Title: "Free", Price: usd("0")}}
		f.true(of, o)
		// Net 15 + 29 + 20 = 64; the 6.40 fall 4.40 on the taxed 44 and 2.00 on the free 20.
		// Taxed: 15 + 30 − 1 − 4.40 + 4.50 = 44.10; tax by line 1.20 + 2.40 − 0.08 − 0.35 + 0.36 = 3.53.
		if got, want := string(f.view(of).Held.Fields["totals"]), `{"subtotal":"62.10 USD","tax":"3.53 USD","total":"65.63 USD"}`; got != want {
			t.Fatalf("totals %s, want %s", got, want)
		}
	})
}

func TestOrderInAnotherCurrencyIsNotMade(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		customer := f.customer()
		of, number := f.ref("eur")
		o := f.order(number, customer)
		o.Currency = "EUR"
		for i := range o.Lines {
			o.Lines[i].Price.Currency = "EUR"
			o.Lines[i].Taxes[0].Amount.Currency = "EUR"
		}
		o.Totals = crossdock.Totals{}
		w := f.want(of, o)
		got := f.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})[0]
		if got.Code != crossdock.Invalid || !strings.Contains(got.Text, "pricelists") || f.count(of) != 0 {
			t.Fatalf("%+v", got)
		}
	})
}

// TestPriceListsOfOneName: a name stands for a list in each currency, and a list in
// another currency than the order's is never taken.
func TestPriceListsOfOneName(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		if f.s.stand == nil {
			return // a scratch database has one currency switched on
		}
		customer := f.customer()
		f.conn = connect(t, f.s, func(c *odoo.Config) {
			c.Pricelists = map[string]string{"USD": "Web", "EUR": "Web", "GBP": "Web"}
		}, time.Now)
		lists := map[string]string{}
		for _, code := range []string{"USD", "EUR"} {
			in := f.search("res.currency", []any{"name", "=", code})
			lists[code] = string(f.rpc("product.pricelist", "create", []any{map[string]any{"name": "Web", "currency_id": in[0]}}, nil))
		}
		for _, code := range []string{"USD", "EUR", "USD", "GBP"} {
			of, number := f.ref(fmt.Sprint(code, len(f.views)))
			o := f.order(number, customer)
			o.Currency, o.Totals = code, crossdock.Totals{}
			o.Lines[0].Price.Currency, o.Lines[0].Taxes = code, nil
			w := f.want(of, o)
			got := f.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})[0]
			if code == "GBP" {
				if got.Code != crossdock.Invalid || !strings.Contains(got.Text, `"Web" in Odoo is in EUR, USD, the order in GBP`) || f.count(of) != 0 {
					t.Errorf("no list in GBP: %+v", got)
				}
				continue
			}
			if got.Code != crossdock.OK || !strings.Contains(string(got.Holds.Fields["totals"]), code) {
				t.Errorf("an order in %s: %+v", code, got)
			}
			if on := f.search("sale.order", []any{"id", "=", f.id(of)}, []any{"pricelist_id", "=", json.Number(lists[code])}); len(on) != 1 {
				t.Errorf("the order in %s is not on list %s", code, lists[code])
			}
		}
	})
}

func TestSomebodyElseWritesTheSame(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		if f.s.stand == nil {
			return // a real server can't be made to contend on cue; the recorded answer is in TestLoadAnswers
		}
		customer := f.customer()
		of, number := f.ref("race")
		w := f.want(of, f.order(number, customer))
		f.s.stand.Contend("sale.order", 1)
		push := crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door}
		if got := f.push(push)[0]; got.Code != crossdock.Unavailable {
			t.Fatalf("the loser of a race: %+v", got)
		}
		if got := f.push(push)[0]; got.Code != crossdock.OK || f.count(of) != 1 {
			t.Fatalf("tried again: %+v", got)
		}
	})
}

func TestBatchThatOneOrderFails(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		if f.s.stand == nil {
			return
		}
		customer := f.customer()
		orders := f.drafts("half", 6, customer)
		f.s.stand.Reject("sale.order", "action_confirm", 1) // the whole batch: it is halved
		for _, r := range f.step(crossdock.OrderPromised, customer, orders...) {
			if r.Code != crossdock.OK || r.Holds.Text("state") != "confirmed" {
				t.Errorf("%+v", r)
			}
		}
	})
}

var _ connector.Known = (*flow)(nil)

// Confirming is a compare-and-set: a draft that is not as the decision saw it is left
// alone, also where Odoo's clock shows the same second.
func TestConfirmOfADraftThatChanged(t *testing.T) {
	for name, seen := range map[string]func(*crossdock.Push){
		"by its time":  func(p *crossdock.Push) { p.Version, p.Held = "2020-01-01 00:00:00", crossdock.Record{} },
		"by its total": func(p *crossdock.Push) { p.Version = "" },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, f *flow) {
				of, number := f.ref("1001")
				o := f.order(number, f.customer())
				w := f.want(of, o)
				f.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})
				v := f.view(of)
				line := f.search("sale.order.line", []any{"order_id", "=", f.id(of)})
				f.rpc("sale.order", "write", []any{[]any{f.id(of)}, map[string]any{"order_line": []any{[]any{1, line[0], map[string]any{"product_uom_qty": 3}}}}}, nil)
				w = f.want(of, o)
				p := crossdock.Push{Of: of, Rev: 2, Want: w.Record, Key: v.Key, Door: w.Door, Version: v.Version, Held: v.Held}
				seen(&p)
				got := f.conn.Push(t.Context(), []crossdock.Push{p})[0]
				if w.Record.Text("state") != "sale" || got.Code != crossdock.Conflict || len(got.Saw) != 1 {
					t.Fatalf("to %s: %s %s, saw %d", w.Record.Text("state"), got.Code, got.Text, len(got.Saw))
				}
				said := f.conn.Translate(got.Saw[0])[0]
				if said.Said.Text("state") != string(crossdock.OrderPromised) {
					t.Errorf("it was confirmed all the same: %v", said.Said)
				}
				p.Version, p.Held = said.Version, said.Said
				if got := f.push(p)[0]; got.Code != crossdock.OK || v.Held.Text("state") != "confirmed" {
					t.Errorf("as it is now it may be confirmed: %s %s", got.Code, got.Text)
				}
			})
		})
	}
}
