package core

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
)

// written is how many bytes of rows a decision writes.
func written(d Decision) (n int) {
	for _, c := range d.Changes {
		if c.Row != nil {
			n += len(mustJSON(c.Row))
		}
	}
	return n
}

// What it costs to wait does not depend on how many wait already.
func TestWaitingCostsTheSameHoweverManyWait(t *testing.T) {
	h := newHouse(t, "0")
	h.bulk = true
	h.shop.webhook(order("0999", "1"), 0) // makes the customer
	first, last := 0, 0
	for i := range 300 {
		d := h.shop.webhook(order(fmt.Sprint(1001+i), "1"), 0)
		if last = written(d); i == 0 {
			first = last
		}
	}
	if last > first+100 {
		t.Errorf("the first order that waits writes %d bytes, the 300th %d", first, last)
	}
}

// A little stock is offered to those who can be served by it, and to no more once
// nothing is left.
func TestLittleStockIsOfferedToFew(t *testing.T) {
	h := newHouse(t, "0")
	h.bulk = true
	for i := range 60 {
		need := "1"
		if i < 20 {
			need = "5"
		}
		h.shop.webhook(order(fmt.Sprint(1001+i), need), 0)
	}
	reads := func(onHand string) []string {
		before := h.seq
		h.erp.stock("TEA", onHand, "0")
		var judged []string
		for _, j := range all[Judgement](h, Judgements) {
			if j.Seq > before {
				judged = append(judged, j.Of.Key)
			}
		}
		return judged
	}
	if got := fmt.Sprint(reads("2")); got != "[1021 1022]" {
		t.Errorf("two units: judged were %s, want those who are served", got)
	}
	if got := fmt.Sprint(reads("3")); got != "[1023]" {
		t.Errorf("one unit more: judged were %s", got)
	}
	h.is("1023", crossdock.OrderPromised)
	h.is("1001", crossdock.OrderHeld)
	if got := reads("2"); len(got) != 0 { // less than is promised
		t.Errorf("nothing is free, and judged were %s", got)
	}
	if got := fmt.Sprint(reads("8")); got != "[1001]" { // who asked first comes first, once it can be served
		t.Errorf("five units more: judged were %s", got)
	}
	h.invariants()
}

// Who is promised its goods, or cancelled, is on no list any more.
func TestNobodyWaitsWhoDoesNotNeedTo(t *testing.T) {
	h := newHouse(t, "0")
	for i := range 4 {
		h.shop.webhook(order(fmt.Sprint(1001+i), "1"), 0)
	}
	h.shop.webhook(cancelled(order("1001", "1")), 4)
	h.shop.webhook(cancelled(order("1003", "1")), 4)
	h.erp.stock("TEA", "9", "0")
	h.is("1002", crossdock.OrderPromised)
	h.is("1004", crossdock.OrderPromised)
	for _, a := range all[Await](h, Awaits) {
		if strings.HasPrefix(a.Name, stockPrefix) {
			t.Errorf("somebody still waits: %+v", a)
		}
	}
	for _, w := range all[Waiter](h, Waiters) {
		if stored[Await](h, AwaitAt(w.Name)) == nil || stored[Ticket](h, TicketAt(w.Name, w.Waiting)) == nil {
			t.Errorf("%+v waits without a ticket, or for a name nobody wakes", w)
		}
	}
	if w, n := len(all[Waiter](h, Waiters)), len(all[Ticket](h, Tickets)); w != n {
		t.Errorf("%d wait with %d tickets", w, n)
	}
}

// Judged again to the same end by the same facts, an order gets no further judgement.
func TestSameJudgementIsNotWrittenAgain(t *testing.T) {
	h := newHouse(t, "0")
	h.shop.webhook(order("1001", "1"), 0)
	judgements := func() int { return len(all[Judgement](h, Judgements)) }
	before := judgements()
	for range 3 {
		h.take(crossdock.Action{By: "Ada", Do: "retry", Of: crossdock.BookRef(crossdock.KindOrder, "1001")})
	}
	if got := judgements(); got != before {
		t.Errorf("%d judgements of an order nothing changed for, want %d", got, before)
	}
	h.erp.stock("TEA", "1", "0")
	if got := judgements(); got != before+1 {
		t.Errorf("%d judgements once it is promised, want %d", got, before+1)
	}
}

// The exception about an unknown SKU names an order that needs it, as long as one does.
func TestExceptionOfAnItemNamesAnOrderThatNeedsIt(t *testing.T) {
	h := newHouse(t, "3")
	tee := func(n string) crossdock.Order {
		o := order(n, "1")
		o.Lines[0].SKU = "TEE"
		return priced(o)
	}
	for _, n := range []string{"1001", "1002", "1003"} {
		h.shop.webhook(tee(n), 0)
	}
	named := func(want string) {
		t.Helper()
		x := stored[Exception](h, ExceptionAt("item|sku:TEE"))
		if !x.Open() || x.Of.Key != want || x.Place != "lines[0].sku" {
			t.Errorf("the exception is %+v, want it to name %s", x, want)
		}
	}
	named("1003")
	h.shop.webhook(cancelled(tee("1003")), 4)
	named("1001")
	h.shop.webhook(cancelled(tee("1002")), 4)
	named("1001")
	h.shop.webhook(cancelled(tee("1001")), 4)
	h.exceptions()
}

// A name may be anything a shop writes: none is taken for another.
func TestNamesOfWaitersAreKeptApart(t *testing.T) {
	who := Waiting{Of: crossdock.BookRef(crossdock.KindOrder, "1")}
	seen := map[Address]string{}
	for _, name := range []string{"sku:A", "sku:A|book/order/1|", "sku:A|book/order/1", "sku:A|0000000000000000001", "sku:"} {
		for _, at := range []Address{TicketAt(name, who), WaiterAt(name, 1)} {
			if other, twice := seen[at]; twice {
				t.Errorf("%q and %q share %v", name, other, at)
			}
			seen[at] = name
		}
	}
	var back Waiter
	row := Waiter{Name: "stock:TEA@E", Number: 7, Waiting: Waiting{Of: who.Of, Needs: decimalOf("2.5")}}
	if err := json.Unmarshal(mustJSON(row), &back); err != nil || back.Number != 7 || back.Of != who.Of || !back.Needs.Equal(row.Needs) {
		t.Errorf("read back as %+v: %v", back, err)
	}
}

// A thousand orders wait for one item: they are woken some at a time, in the
// order of their coming, and the waking ends though most go on waiting.
func TestManyWait(t *testing.T) {
	h := newHouse(t, "0")
	h.bulk = true
	const orders = 2*mostWoken + 100
	for i := range orders {
		h.shop.webhook(order(fmt.Sprint(1001+i), "1"), 0)
	}
	h.erp.stock("TEA", "700", "0")
	ticks := 0
	for h.ticks() {
		if ticks++; ticks > 3 {
			t.Fatalf("after %d ticks there are still orders to wake", ticks)
		}
	}
	h.invariants()
	for i := range orders {
		want := crossdock.OrderPromised
		if i >= 700 {
			want = crossdock.OrderHeld
		}
		h.is(fmt.Sprint(1001+i), want)
	}
	h.erp.stock("TEA", "701", "0")
	for h.ticks() {
	}
	h.is(fmt.Sprint(1001+700), crossdock.OrderPromised)
	h.is(fmt.Sprint(1001+701), crossdock.OrderHeld)
}
