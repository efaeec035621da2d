package core

import (
	"fmt"
	"testing"

	"github.com/crossdockhq/crossdock"
)

func TestShipmentOfAnOrder(t *testing.T) {
	m := newMarket(t, 3)
	m.confirmed("1001", 2)
	m.ledger("on hand 3, reserved 2, promised 2, converted 2, free 1")
	m.pulls(m.pickingSays("300", "1001", "assigned", 1, tea(2)))
	m.is("1001", crossdock.OrderPicking)
	m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2)))
	m.is("1001", crossdock.OrderShipped)
	m.ledger("on hand 3, reserved 2, promised 0, converted 0, free 1")
	m.settles()
	d := m.document("fulfilment-300")
	if d.State != crossdock.DocumentAcknowledged || d.To != "shop" || d.About != crossdock.BookRef(crossdock.KindShipment, "300") {
		t.Errorf("the document is %+v", d)
	}
	if m.sold["1001"].fulfilled != 2 {
		t.Errorf("the shop counts %d as sent", m.sold["1001"].fulfilled)
	}
	m.orderHook("1001")
	m.onHand["E"], m.sold["1001"].shipped = 1, 2
	m.reads("E")
	m.settles()
	m.ledger("on hand 1, reserved 0, promised 0, converted 0, free 1")
	m.shows("L-E", 1)
	m.exceptions()
	m.atRest()
}

// atRest checks that nothing is left to do.
func (m *market) atRest() {
	m.tb.Helper()
	for _, w := range all[Want](m.house, Wants) {
		m.tb.Errorf("%s %s on %s is left to do: %s", w.Do, w.Of.Short(), w.System, w.Why)
	}
	for _, x := range all[Timer](m.house, Timers) {
		m.tb.Errorf("timer %s of %s is left", x.Name, x.Of.Short())
	}
}

// The ledger, whichever is heard first: that the goods left, or what is there without them.
func TestShipmentAndReading(t *testing.T) {
	for _, c := range []struct {
		name                string
		do                  []func(*market)
		between, afterwards string
	}{
		{"the shipment first", []func(*market){
			func(m *market) { m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2))) },
			func(m *market) { m.stockSays("E", [2]int{1, 0}, m.seq) },
		}, "on hand 3, reserved 2, promised 0, converted 0, free 1", "on hand 1, reserved 0, promised 0, converted 0, free 1"},
		{"the reading first: on the safe side until the shipment is heard", []func(*market){
			func(m *market) { m.stockSays("E", [2]int{1, 0}, m.seq) },
			func(m *market) { m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2))) },
		}, "on hand 1, reserved 0, promised 2, converted 2, free -1", "on hand 1, reserved 0, promised 0, converted 0, free 1"},
		{"half of it, then the reading", []func(*market){
			func(m *market) { m.pulls(m.pickingSays("300", "1001", "done", 2, tea(1))) },
			func(m *market) { m.stockSays("E", [2]int{2, 1}, m.seq) },
		}, "on hand 3, reserved 2, promised 1, converted 1, free 1", "on hand 2, reserved 1, promised 1, converted 1, free 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMarket(t, 3)
			m.confirmed("1001", 2)
			c.do[0](m)
			m.ledger(c.between)
			c.do[1](m)
			m.ledger(c.afterwards)
		})
	}
}

// A promise that no reading has shown as reserved yet leaves what is turning first.
func TestShipmentWhileThePromiseIsTurning(t *testing.T) {
	m := newMarket(t, 3)
	m.buy("1001", "L-E", 2)
	m.orderHook("1001")
	m.works()
	m.pulls(m.pickingSays("300", "1001", "done", 2, tea(1)))
	m.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1") // the reading is older than the reservation: it shows neither that nor what left
	m.stockSays("E", [2]int{3, 2}, m.seq-1)                            // asked for before we knew that it had left
	m.ledger("on hand 3, reserved 2, promised 2, converted 1, free 0")
	m.stockSays("E", [2]int{2, 1}, m.seq)
	m.ledger("on hand 2, reserved 1, promised 1, converted 1, free 1")
}

func TestShipmentsOfAnOrder(t *testing.T) {
	lot := func(n int, lot string) crossdock.Move { m := tea(n); m.Lot = lot; return m }
	type heard struct {
		id, state string
		moves     []crossdock.Move
	}
	for _, c := range []struct {
		name      string
		heard     []heard
		state     crossdock.OrderState
		documents []string // number: count after before
		promised  string
		open      []string
	}{
		{"nothing has left", []heard{{"300", "assigned", []crossdock.Move{tea(3)}}}, crossdock.OrderPicking, nil, "3", nil},
		{"a part, and a backorder waits", []heard{{"300", "done", []crossdock.Move{tea(1)}}, {"301", "waiting", []crossdock.Move{tea(2)}}}, crossdock.OrderPicking, []string{"300: 1 after 0"}, "2", nil},
		{"a part, then the backorder", []heard{{"300", "done", []crossdock.Move{tea(1)}}, {"301", "waiting", []crossdock.Move{tea(2)}}, {"301", "done", []crossdock.Move{tea(2)}}}, crossdock.OrderShipped, []string{"300: 1 after 0", "301: 2 after 1"}, "0", nil},
		{"two lots of one item", []heard{{"300", "done", []crossdock.Move{lot(1, "A"), lot(2, "B")}}}, crossdock.OrderShipped, []string{"300: 3 after 0"}, "0", nil},
		{"split over two that leave together", []heard{{"300", "done", []crossdock.Move{tea(2)}}, {"301", "done", []crossdock.Move{tea(1)}}}, crossdock.OrderShipped, []string{"300: 2 after 0", "301: 1 after 2"}, "0", nil},
		{"the backorder was cancelled", []heard{{"300", "done", []crossdock.Move{tea(1)}}, {"301", "cancelled", []crossdock.Move{tea(2)}}}, crossdock.OrderPicking, []string{"300: 1 after 0"}, "0", []string{"short shipped|order/1001"}},
		{"all was cancelled", []heard{{"300", "assigned", []crossdock.Move{tea(3)}}, {"300", "cancelled", []crossdock.Move{tea(3)}}}, crossdock.OrderPicking, nil, "0", []string{"short shipped|order/1001"}},
		{"no backorder was made", []heard{{"300", "done", []crossdock.Move{tea(2)}}}, crossdock.OrderPicking, []string{"300: 2 after 0"}, "0", []string{"short shipped|order/1001"}},
		{"short, and then another shipment after all", []heard{{"300", "done", []crossdock.Move{tea(1)}}, {"", "", nil}, {"302", "assigned", []crossdock.Move{tea(2)}}, {"302", "done", []crossdock.Move{tea(2)}}}, crossdock.OrderShipped, []string{"300: 1 after 0", "302: 2 after 1"}, "0", nil},
		{"more than was ordered", []heard{{"300", "done", []crossdock.Move{tea(4)}}}, crossdock.OrderShipped, []string{"300: 3 after 0"}, "0", []string{"shipment|shipment/300"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMarket(t, 9)
			m.confirmed("1001", 3)
			for i, s := range c.heard {
				if s.id == "" {
					m.passes(shortAfter)
					m.ticks()
					m.exceptions("short shipped|order/1001")
					continue
				}
				m.pulls(m.pickingSays(s.id, "1001", s.state, i+1, s.moves...))
			}
			m.settles()
			m.passes(shortAfter)
			m.ticks()
			m.settles()
			m.is("1001", c.state)
			m.exceptions(c.open...)
			var got []string
			for _, d := range all[Document](m.house, Documents) {
				var f crossdock.Fulfilment
				if err := d.Text.Unpack(&f); err != nil || len(f.Lines) != 1 {
					t.Fatalf("%s says %v, %v", d.Number, d.Text, err)
				}
				got = append(got, fmt.Sprintf("%s: %s after %s", f.Shipment.Key, f.Lines[0].Count, f.Lines[0].Before))
				if d.State != crossdock.DocumentAcknowledged {
					t.Errorf("%s is %s", d.Number, d.State)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.documents) {
				t.Errorf("told %v, want %v", got, c.documents)
			}
			promised := crossdock.Decimal{}
			if p := stored[Promise](m.house, PromiseAt(crossdock.BookRef(crossdock.KindOrder, "1001"))); p != nil {
				promised = p.Lines[0].Count
			}
			if promised.String() != c.promised {
				t.Errorf("%s are promised yet, want %s", promised, c.promised)
			}
		})
	}
}

// One picking heard five times in any order with what its order says: one
// fulfilment, and the same end.
func TestShipmentInAnyOrder(t *testing.T) {
	steps := []func(*market){
		func(m *market) { m.pulls(m.pickingSays("300", "1001", "assigned", 1, tea(2))) },
		func(m *market) { m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2))) },
		func(m *market) { m.orderHook("1001") },
		func(m *market) { m.works() },
		func(m *market) { m.stockSays("E", [2]int{1, 0}, m.seq) },
	}
	want := ""
	permute(len(steps), func(order []int) {
		m := newMarket(t, 3)
		m.buy("1001", "L-E", 2)
		m.bulk = true
		for _, i := range order {
			if i != 2 && m.erp.external["order/1001"] == "" {
				m.orderHook("1001") // nothing is picked before its order is there
				m.works()
			}
			steps[i](m)
		}
		for range 3 {
			m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2)))
		}
		m.orderHook("1001")
		m.settles()
		m.ticks()
		m.orderHook("1001")
		m.stockSays("E", [2]int{1, 0}, m.seq)
		m.settles()
		m.invariants()
		if fmt.Sprint(m.heard) != "[fulfilment-300]" {
			t.Fatalf("in the order %v the shop made %v", order, m.heard)
		}
		got := m.factsOf("1001") + m.rest("1001")
		if want == "" {
			want = got
			m.is("1001", crossdock.OrderShipped)
			m.ledger("on hand 1, reserved 0, promised 0, converted 0, free 1")
		}
		if got != want {
			t.Fatalf("in the order %v:\n%s\nwant\n%s", order, got, want)
		}
		m.shows("L-E", 1)
		m.exceptions()
	})
}

// permute calls f with every order of n things.
func permute(n int, f func([]int)) {
	var grow func([]int)
	grow = func(have []int) {
		if len(have) == n {
			f(have)
			return
		}
		for i := range n {
			used := false
			for _, h := range have {
				used = used || h == i
			}
			if !used {
				grow(append(have[:len(have):len(have)], i))
			}
		}
	}
	grow(nil)
}

// A picking that was done before the hub knows that its order is confirmed waits for that.
func TestShipmentBeforeTheConfirmationIsKnown(t *testing.T) {
	m := newMarket(t, 3)
	m.buy("1001", "L-E", 2)
	m.orderHook("1001")
	m.step()
	m.step()
	m.erp.next = append(m.erp.next, m.erp.lost) // the confirmation is carried out and not answered
	m.step()
	m.is("1001", crossdock.OrderPromised)
	m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2)))
	m.is("1001", crossdock.OrderPromised)
	m.settles()
	m.is("1001", crossdock.OrderShipped)
	if fmt.Sprint(m.heard) != "[fulfilment-300]" {
		t.Errorf("the shop made %v", m.heard)
	}
	m.exceptions()
}

// A shipment of an order, or of an item, that the book does not know yet is asked for again.
func TestShipmentWaitsForWhatItNames(t *testing.T) {
	m := newMarket(t, 3)
	m.confirmed("1001", 2)
	cup := crossdock.Move{Item: crossdock.Ref{System: "odoo", Kind: crossdock.KindItem, Key: "product-CUP"}, Quantity: units(1)}
	m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2), cup))
	m.is("1001", crossdock.OrderConfirmed)
	m.erp.says(item("CUP"))
	due, looks := m.due()
	if len(due) != 0 || len(looks) != 1 || looks[0].Of.Key != "300" {
		t.Fatalf("due are %d pushes and the looks %v", len(due), looks)
	}
	m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2), cup))
	m.is("1001", crossdock.OrderShipped)
	m.exceptions("shipment|shipment/300")
}

func TestShipmentChangedAfterItLeft(t *testing.T) {
	m := newMarket(t, 3)
	m.confirmed("1001", 2)
	m.pulls(m.pickingSays("300", "1001", "done", 2, tea(2)))
	m.pulls(m.pickingSays("300", "1001", "done", 3, tea(1)))
	m.exceptions("shipment|shipment/300")
	m.pulls(m.pickingSays("300", "1001", "cancelled", 4, tea(2)))
	m.settles()
	m.is("1001", crossdock.OrderShipped)
	if m.sold["1001"].fulfilled != 2 {
		t.Errorf("the shop counts %d as sent", m.sold["1001"].fulfilled)
	}
}

func TestShipmentDeleted(t *testing.T) {
	m := newMarket(t, 3)
	m.confirmed("1001", 2)
	m.pulls(m.pickingSays("300", "1001", "assigned", 1, tea(2)))
	m.pulls(crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindShipment, Key: "300"}, Gone: true})
	m.passes(shortAfter)
	m.ticks()
	m.exceptions("short shipped|order/1001")
}

// What the channel cancels after its goods have left is a person's to mend.
func TestCancelledAfterGoodsLeft(t *testing.T) {
	m := newMarket(t, 5)
	m.confirmed("1001", 3)
	m.pulls(m.pickingSays("300", "1001", "done", 1, tea(1)), m.pickingSays("301", "1001", "waiting", 1, tea(2)))
	m.shop.webhook(cancelled(order("1001", "3")), 9)
	m.is("1001", crossdock.OrderPicking)
	m.exceptions("late cancel|order/1001")
}
