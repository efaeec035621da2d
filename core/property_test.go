package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"pgregory.net/rapid"
)

// factsOf writes down what is a fact of an order wherever it has been on its way:
// what the channel says and what became of it. Which item, site and parties it was
// found to mean, and who set what when, are not.
func (h *house) factsOf(key string) string {
	r := stored[Record](h, RecordAt(crossdock.BookRef(crossdock.KindOrder, key)))
	if r == nil {
		return "none"
	}
	body := r.Body.Clone()
	for _, found := range []string{"site", "bill_to_party", "ship_to_party"} {
		delete(body.Fields, found)
	}
	lines := h.order(key).Lines
	for i := range lines {
		lines[i].Item = crossdock.Ref{}
	}
	if err := body.Set("lines", lines); err != nil {
		h.tb.Fatal(err)
	}
	return string(mustJSON(body))
}

// rest says what is left over besides the facts of an order.
func (h *house) rest(key string) string {
	var out []string
	for _, b := range all[Balance](h, Balances) {
		out = append(out, fmt.Sprintf("%s: promised %s, converted %s, turning %d, free %s", b.Item.Key, b.Promised, b.Converted, len(b.Turning), freeOf(b)))
	}
	for _, w := range all[Want](h, Wants) {
		out = append(out, fmt.Sprintf("%s %s on %s", w.Do, w.Of.Short(), w.System))
	}
	for _, v := range all[View](h, Views) {
		if v.Unknown || len(v.Open) > 0 {
			out = append(out, fmt.Sprintf("%s on %s is not settled", v.Of.Short(), v.System))
		}
	}
	if s := h.erp.sales[h.erp.external["order/"+key]]; s != nil && s.state != "cancel" {
		out = append(out, "the ERP holds it as "+s.state)
	}
	return strings.Join(append(out, h.open()...), "; ")
}

// settles lets the ERP and the shop answer and time pass until nothing is due.
func (h *house) settles() {
	h.works()
	for _, d := range []time.Duration{2 * time.Minute, 2 * time.Minute, 2 * time.Minute, readWithin, readWithin, readWithin} {
		h.passes(d)
		h.works()
	}
}

// threeStates are an order as it was created, updated and cancelled.
func threeStates() []crossdock.Order {
	created, updated := order("1001", "2"), order("1001", "3")
	updated.Note = "at the back door"
	updated.Totals.Subtotal = usd("31.00") // disagrees: a finding that must not depend on the way
	return []crossdock.Order{created, updated, cancelled(updated)}
}

// sequences returns every sequence of up to so many of three messages in which
// each is there.
func sequences(most int) (out [][]int) {
	var grow func(seq []int)
	grow = func(seq []int) {
		if len(seq) >= 3 && slices.Contains(seq, 0) && slices.Contains(seq, 1) && slices.Contains(seq, 2) {
			out = append(out, slices.Clone(seq))
		}
		if len(seq) < most {
			for m := range 3 {
				grow(append(seq, m))
			}
		}
	}
	grow(nil)
	return out
}

// I4: whatever the order and repetition of create, update and cancel, and whatever
// the ERP did in between, an order ends with the same facts and nothing left over.
func TestFactsEndTheSame(t *testing.T) {
	states := threeStates()
	for _, c := range []struct {
		name     string
		versions []int
	}{
		{"each of its own second", []int{1, 2, 3}},
		{"all of one second", []int{1, 1, 1}},
		{"cancelled in the second of the update", []int{1, 2, 2}},
		{"updated in the second of its creation", []int{1, 1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			most := 4
			if testing.Short() {
				most = 3
			}
			var want, rest string
			for _, seq := range sequences(most) {
				turns := []int{0, 1<<len(seq) - 1} // after which messages the ERP has its turn: none, all, each
				for i := range seq {
					turns = append(turns, 1<<i)
				}
				for _, steps := range turns {
					h := newHouse(t, "9")
					h.shop.orders["1001"] = told{states[2], second(c.versions[2])}
					for i, m := range seq {
						h.shop.late(states[m], c.versions[m])
						if steps>>i&1 == 1 {
							h.step()
							h.step()
						}
					}
					h.settles()
					h.erp.stock("TEA", "9", "0")
					h.settles()
					facts, left := h.factsOf("1001"), h.rest("1001")
					if want == "" {
						want, rest = facts, left
						h.is("1001", crossdock.OrderCancelled)
					}
					if facts != want || left != rest {
						t.Fatalf("messages %v, turns of the ERP %b:\n%s\nand left over: %s\nwant\n%s\nand left over: %s", seq, steps, facts, left, want, rest)
					}
				}
			}
			if strings.Contains(rest, "promised 0, converted 0, turning 0, free 9") && !strings.Contains(rest, ";") {
				return
			}
			t.Errorf("left over: %s", rest)
		})
	}
}

// Orders, readings, cancellations, conversions, lost answers and people in any
// order: the ledger adds up after every entry and promises nothing that is not
// free (house.invariants), and in the end everything has come to rest.
func TestLedgerAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(rt, "6")
		version := 0
		numbers := []string{"1001", "1002", "1003", "1004"}
		number := func() string { return rapid.SampledFrom(numbers).Draw(rt, "number") }
		there := func() (string, *sale) {
			n := number()
			return n, h.erp.sales[h.erp.external["order/"+n]]
		}
		entries := rapid.IntRange(5, 40).Draw(rt, "entries")
		for range entries {
			switch rapid.SampledFrom([]string{"order", "order", "cancel", "late", "reading", "reading", "step", "step", "lost", "refused", "person", "time", "tick"}).Draw(rt, "what") {
			case "order":
				version++
				h.shop.webhook(order(number(), fmt.Sprint(rapid.IntRange(1, 5).Draw(rt, "count"))), version)
			case "cancel":
				version++
				h.shop.webhook(cancelled(order(number(), "1")), version)
			case "late":
				h.shop.late(order(number(), "2"), rapid.IntRange(0, version).Draw(rt, "version"))
			case "reading":
				reserved := 0
				for _, s := range h.erp.sales {
					if s.state == "sale" {
						reserved += 2
					}
				}
				onHand := fmt.Sprint(rapid.IntRange(0, 9).Draw(rt, "on hand"))
				if late := rapid.IntRange(0, 4).Draw(rt, "late by"); late == 0 {
					h.erp.stock("TEA", onHand, fmt.Sprint(reserved))
				} else {
					h.erp.stockAfter("TEA", onHand, fmt.Sprint(reserved), h.seq-int64(late))
				}
			case "step":
				h.step()
			case "lost":
				h.erp.next = append(h.erp.next, rapid.SampledFrom([]func(crossdock.Push) crossdock.Receipt{h.erp.lost, h.erp.vanished}).Draw(rt, "lost"))
			case "refused":
				h.erp.answers(rapid.SampledFrom([]crossdock.Code{crossdock.Throttled, crossdock.Unavailable, crossdock.Conflict, crossdock.NotYet}).Draw(rt, "code"), "so it is")
			case "person":
				n, s := there()
				if s == nil {
					continue
				}
				switch rapid.SampledFrom([]string{"sale", "cancel", "deleted"}).Draw(rt, "does") {
				case "sale":
					if s.state == "draft" {
						h.erp.person(n, func(s *sale) { s.state = "sale" })
					}
				case "cancel":
					h.erp.person(n, func(s *sale) { s.state = "cancel" })
				default:
					h.erp.deletes(n)
				}
			case "time":
				h.passes(time.Duration(rapid.IntRange(1, 120).Draw(rt, "seconds")) * time.Second)
			case "tick":
				h.ticks()
			}
		}
		h.erp.next = nil
		h.settles()
		for _, n := range numbers {
			o, s := h.order(n), h.erp.sales[h.erp.external["order/"+n]]
			switch o.State {
			case "", crossdock.OrderHeld:
			case crossdock.OrderConfirmed:
				if s == nil || s.state != "sale" {
					rt.Errorf("order %s is confirmed, and the ERP holds %+v", n, s)
				}
			case crossdock.OrderCancelled:
				if s != nil && s.state != "cancel" {
					rt.Errorf("order %s is cancelled, and the ERP holds it as %s", n, s.state)
				}
			default:
				rt.Errorf("order %s came to rest as %q", n, o.State)
			}
		}
		for _, v := range all[View](h, Views) {
			if v.Unknown || len(v.Open) > 0 {
				rt.Errorf("%s on %s is not settled", v.Of.Short(), v.System)
			}
		}
		for _, w := range all[Want](h, Wants) {
			rt.Errorf("want %v is %s in the end", w.Address(), w.State)
		}
	})
}

// The same book and the same entry give the same decision, whatever the order of
// the maps it is read from.
func TestDecideIsDeterministic(t *testing.T) {
	h := newHouse(t, "3")
	h.again = 100
	if testing.Short() {
		h.again = 10
	}
	two := order("1001", "2")
	two.ShipTo = &crossdock.Address{Name: "Ada Lee", Street: "2 Side St", City: "Louisville", Country: "US"}
	two.BillTo = &crossdock.Address{Name: "Ada Lee", Street: "3 Back St", City: "Louisville", Country: "US"}
	two.Lines = append(two.Lines, crossdock.Line{Key: "2", SKU: "MUG", Quantity: count("1"), Price: usd("4.00"), Ships: true})
	h.shop.webhook(priced(two), 0)
	h.shop.webhook(order("1002", "3"), 1)
	h.erp.says(item("MUG"))
	h.erp.stock("MUG", "5", "0")
	h.erp.next = append(h.erp.next, h.erp.lost)
	h.settles()
	h.erp.stock("TEA", "9", "2")
	h.settles()
	h.is("1001", crossdock.OrderConfirmed)
	h.is("1002", crossdock.OrderConfirmed)
	h.shop.webhook(cancelled(priced(two)), 9)
	h.settles()
}
