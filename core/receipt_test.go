package core

import (
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

func TestLostAnswer(t *testing.T) {
	// started is an order whose customer is in the ERP and whose draft is due.
	started := func(t *testing.T, answer func(*erp) func(crossdock.Push) crossdock.Receipt) *house {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.step()
		h.erp.next = append(h.erp.next, answer(h.erp))
		h.step()
		return h
	}
	landed := func(e *erp) func(crossdock.Push) crossdock.Receipt { return e.lost }
	vanished := func(e *erp) func(crossdock.Push) crossdock.Receipt { return e.vanished }
	for name, answer := range map[string]func(*erp) func(crossdock.Push) crossdock.Receipt{"it landed": landed, "it did not land": vanished} {
		t.Run("the same push again at once, "+name, func(t *testing.T) {
			h := started(t, answer)
			h.passes(3 * time.Second) // the backoff, far from what a look has to wait for
			h.works()
			h.is("1001", crossdock.OrderConfirmed)
			h.sale("1001", "sale")
			if len(h.erp.sales) != 2 {
				t.Errorf("the ERP holds %d records, want the customer and one sale order", len(h.erp.sales))
			}
			h.exceptions()
		})
		t.Run("a look first because it was cancelled meanwhile, "+name, func(t *testing.T) {
			h := started(t, answer)
			h.shop.webhook(cancelled(order("1001", "2")), 5)
			h.passes(3 * time.Second)
			n := h.pushes("1001")
			h.works()
			if h.pushes("1001") != n {
				t.Error("it was pushed before the look")
			}
			h.passes(2 * time.Minute)
			h.works()
			h.is("1001", crossdock.OrderCancelled)
			h.sale("1001", map[string]string{"it landed": "cancel", "it did not land": ""}[name])
			h.exceptions()
		})
	}
	for name, answer := range map[string]func(*erp) func(crossdock.Push) crossdock.Receipt{"it landed": landed, "it did not land": vanished} {
		t.Run("of the confirmation, "+name, func(t *testing.T) {
			h := newHouse(t, "3")
			h.shop.webhook(order("1001", "2"), 0)
			h.step()
			h.step()
			h.erp.next = append(h.erp.next, answer(h.erp))
			h.step()
			n := h.pushes("1001")
			h.passes(30 * time.Second)
			h.works()
			if h.pushes("1001") != n {
				t.Error("it was pushed again before a look could tell")
			}
			h.passes(time.Minute)
			h.works()
			h.is("1001", crossdock.OrderConfirmed)
			h.sale("1001", "sale")
			h.exceptions()
		})
	}
	t.Run("it lands after a look that came too early", func(t *testing.T) {
		h := started(t, vanished)
		h.shop.webhook(cancelled(order("1001", "2")), 5)
		early := &Want{System: "odoo", Of: crossdock.BookRef(crossdock.KindOrder, "1001")}
		h.erp.looked(early, h.seq) // a pull, say: it is not there
		for _, p := range h.pushed {
			if p.Of.Kind == crossdock.KindOrder {
				h.erp.write(p) // and now it is
			}
		}
		h.passes(2 * time.Minute)
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.sale("1001", "cancel")
	})
}

// An absolute field goes 0 → 5 → 0 while the 5 is lost in flight and lands late:
// the target must end at 0.
func TestWantComesBackWhileThePushIsLost(t *testing.T) {
	h := newHouse(t, "3")
	of := crossdock.BookRef(crossdock.KindParty, "p1")
	wants := func(n string) {
		h.decided("true up", func(b Book) Decision {
			return TrueUp(b, h.seq, h.at, []Projected{{Touch: Touch{"odoo", of}, Want: words("stock", "available", n), Door: crossdock.DoorFound}})
		})
	}
	target := "0"
	held := func() crossdock.Record { return words(crossdock.KindParty, "name", target) }
	h.decided("set up", func(b Book) Decision {
		return run(b, h.seq, h.at, func(l *layer) {
			l.put(&Record{Of: of, Body: words(crossdock.KindParty, "name", "0")})
			l.put(&Link{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindParty, Key: "77"}, To: of})
			l.put(&View{crossdock.View{System: "odoo", Of: of, Key: "77", Held: held(), Asked: words("stock", "available", "0")}})
		})
	})
	wants("5")
	pushes, _ := h.due()
	if len(pushes) != 1 {
		t.Fatalf("%d pushes are due, want one", len(pushes))
	}
	a := h.attempt(pushes)
	h.decided("result", func(b Book) Decision {
		h.seq++
		return Decide(b, crossdock.Entry{Seq: h.seq, At: h.at, Body: crossdock.Result{Attempt: a.ID, System: "odoo", Receipts: []crossdock.Receipt{h.erp.vanished(a.Pushes[0])}}}, nil)
	})
	wants("0")
	if pushes, _ := h.due(); len(pushes) != 0 {
		t.Fatalf("%d pushes are due although nobody knows what stands there", len(pushes))
	}
	look := stored[Want](h, WantAt("odoo", DoLook, of))
	if look == nil || look.Due.Before(h.at.Add(time.Minute)) {
		t.Fatalf("look %+v: want one, no sooner than the target's longest transaction is over", look)
	}
	target = "5" // it lands
	h.passes(time.Minute)
	h.decided("look", func(b Book) Decision {
		h.seq++
		m := crossdock.Message{From: "odoo", Asked: h.at, After: h.seq - 1}
		return Decide(b, crossdock.Entry{Seq: h.seq, At: h.at, Body: m}, []Said{{m, []crossdock.Statement{{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindParty, Key: "77"}, Said: held()}}}})
	})
	wants("0")
	pushes, _ = h.due()
	if len(pushes) != 1 || pushes[0].Want.Text("available") != "0" {
		t.Fatalf("%d pushes are due, want one of 0", len(pushes))
	}
}

func TestMessageThatCantBeUsed(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.orders["1001"] = told{order("1001", "2"), "2026-11-02T10:00:00Z"} // the shop has it; its webhook was cut
	m := crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: shopOrder("1001").Key, Body: []byte("{"),
		Fault: &crossdock.Fault{Code: crossdock.Invalid, Text: "unexpected end", Place: "byte 2"}}
	h.take(m)
	h.take(m)
	h.exceptions("message|" + shopOrder("1001").String())
	if x := stored[Exception](h, ExceptionAt(h.open()[0])); x.Place != "byte 2" || x.Owner != "integrator" || x.Count != 2 {
		t.Errorf("exception %+v", x)
	}
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.exceptions()

	// A look whose answer can't be used does not look for ever.
	h.take(m)
	m.Asked, m.After = h.at, h.seq
	h.take(m)
	if _, looks := h.due(); len(looks) != 0 {
		t.Errorf("%d looks are due: the answer to the last one could not be used either, the next can't", len(looks))
	}

	// Without a record to look at, the same bytes are one exception.
	h = newHouse(t, "3")
	for range 2 {
		h.take(crossdock.Message{From: "shop", Body: []byte("{"), Fault: &crossdock.Fault{Code: crossdock.Invalid, Text: "unexpected end"}})
	}
	if got := h.open(); len(got) != 1 {
		t.Errorf("open exceptions %q, want one", got)
	}
}

func TestReceipts(t *testing.T) {
	for _, c := range []struct {
		code       crossdock.Code
		exceptions []string
		again      bool // it is tried again by itself and ends well
	}{
		{crossdock.Throttled, nil, true},
		{crossdock.Unavailable, nil, true},
		{crossdock.NotYet, nil, true},
		{crossdock.Conflict, nil, true},
		{crossdock.Ambiguous, nil, true},
		{crossdock.Unauthorized, []string{"credentials|odoo"}, true},
		{crossdock.Invalid, []string{"push|odoo|order/1001"}, false},
		{crossdock.Refused, []string{"push|odoo|order/1001"}, false},
		{crossdock.Internal, []string{"push|odoo|order/1001"}, false},
	} {
		t.Run(string(c.code), func(t *testing.T) {
			h := newHouse(t, "3")
			h.shop.webhook(order("1001", "2"), 0)
			h.step()
			h.erp.answers(c.code, "so it is")
			h.step()
			h.exceptions(c.exceptions...)
			if pushes, _ := h.due(); len(pushes) != 0 {
				t.Error("it is due again in the same moment")
			}
			h.passes(2 * time.Minute)
			h.works()
			if !c.again {
				h.is("1001", crossdock.OrderPromised)
				h.take(crossdock.Action{By: "kim", Do: "retry", With: map[string]string{"exception": c.exceptions[0]}})
				h.works()
			}
			h.is("1001", crossdock.OrderConfirmed)
			h.sale("1001", "sale")
			h.exceptions()
		})
	}
}

// What is refused of an older want does not stop the newer one.
func TestRefusalOfAnOlderWant(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.step()
	pushes, _ := h.due()
	a := h.attempt(pushes)
	h.shop.webhook(order("1001", "3"), 1)
	h.take(crossdock.Result{Attempt: a.ID, System: "odoo", Receipts: []crossdock.Receipt{{Of: a.Pushes[0].Of, Rev: a.Pushes[0].Rev, Code: crossdock.Refused, Text: "no such unit"}}})
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.exceptions()
}

func TestReceiptTwice(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.step()
	pushes, _ := h.due()
	a := h.attempt(pushes)
	r := crossdock.Result{Attempt: a.ID, System: "odoo", Receipts: []crossdock.Receipt{h.erp.write(a.Pushes[0])}}
	h.take(r)
	before := len(dueNow(h))
	d := h.take(r)
	if len(d.Changes) != 0 || len(dueNow(h)) != before {
		t.Errorf("the same receipt changed %d rows the second time", len(d.Changes))
	}
}

func dueNow(h *house) []*Want {
	pushes, looks := h.due()
	return append(pushes, looks...)
}

func TestActions(t *testing.T) {
	h := newHouse(t, "0")
	h.shop.webhook(order("1001", "2"), 0)
	h.exceptions("stock|order/1001")
	h.take(crossdock.Action{By: "kim", Do: "drop", Note: "the customer waits", With: map[string]string{"exception": "stock|order/1001"}})
	h.exceptions()
	if x := stored[Exception](h, ExceptionAt("stock|order/1001")); x.Why != "dropped by kim: the customer waits" {
		t.Errorf("closed because %q", x.Why)
	}
	h.take(crossdock.Action{By: "kim", Do: "drop", With: map[string]string{"exception": "stock|order/1001"}})
	h.take(crossdock.Action{By: "kim", Do: "retry", Of: crossdock.BookRef(crossdock.KindOrder, "1001")})
	h.is("1001", crossdock.OrderHeld)
	h.exceptions("stock|order/1001")
	h.take(crossdock.Action{By: "kim", Do: "dance", Of: crossdock.BookRef(crossdock.KindOrder, "1001")})
	h.take(crossdock.Action{By: "kim", Do: "retry", Of: shopOrder("1001")})
	if w := stored[Want](h, WantAt("shop", DoLook, shopOrder("1001"))); w == nil || w.Why != "retried by kim" {
		t.Errorf("look %+v: want one that kim asked for", w)
	}
}

func TestParkedWantHasADeadline(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	at := WantAt("odoo", DoPush, crossdock.BookRef(crossdock.KindOrder, "1001"))
	w := stored[Want](h, at)
	if w.State != WantParked || w.Waits[0].Short() != "party/shop-c1" || w.Why != "waits for party/shop-c1" {
		t.Fatalf("want %+v: it should be parked for its customer", w)
	}
	h.passes(parkedFor - time.Second)
	h.ticks()
	h.exceptions()
	h.passes(time.Second)
	h.ticks()
	h.exceptions("project|odoo|order/1001")
	h.ticks()
	if x := stored[Exception](h, ExceptionAt("project|odoo|order/1001")); x.Count != 1 || x.Code != crossdock.NotYet {
		t.Errorf("exception %+v", x)
	}
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.exceptions()
	if timers := all[Timer](h, Timers); len(timers) != 0 {
		t.Errorf("%d timers are left", len(timers))
	}
}

// A tick that was filed before a timer was moved does not fire it.
func TestTickOfATimerThatMoved(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	timers := all[Timer](h, Timers)
	if len(timers) != 1 {
		t.Fatalf("%d timers, want the deadline of the parked order", len(timers))
	}
	d := h.take(crossdock.Tick{Timers: []crossdock.TimerName{{Of: timers[0].Of, Name: timers[0].Name}, {Of: timers[0].Of, Name: "gone"}}})
	if len(d.Changes) != 0 {
		t.Errorf("it changed %d rows", len(d.Changes))
	}
	h.exceptions()
}

// An edit that was filed before the attempt of a confirmation is decided before it,
// and takes the promise away: so the confirmation, which dispatch had read from the
// book by then, is not noted and does not leave. Were it sent, the ERP would sell what
// others are promised by now (I6).
func TestConfirmationOfWhatIsHeldByNowIsNotNoted(t *testing.T) {
	for name, changed := range map[string]func() crossdock.Order{
		"edited to more than there are": func() crossdock.Order { return order("1001", "5") },
		"cancelled":                     func() crossdock.Order { return cancelled(order("1001", "2")) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "3")
			h.shop.webhook(order("1001", "2"), 0)
			confirm := h.confirmDue()
			h.shop.webhook(changed(), 1)
			a := h.attempt(confirm)
			if v := stored[View](h, ViewAt("odoo", crossdock.BookRef(crossdock.KindOrder, "1001"))); len(v.Open) != 0 {
				t.Errorf("the core notes a confirmation it wants no more: %+v", v.Open)
			}
			h.take(crossdock.Result{Attempt: a.ID, System: a.System})
			h.shop.webhook(order("1002", "3"), 2)
			h.works()
			h.sale("1002", "sale")
			if s := h.erp.sales[h.erp.external["order/1001"]]; s.state == "sale" {
				t.Error("3 TEA on hand: 2 confirmed for 1001 and 3 for 1002")
			}
		})
	}
}

// confirmDue works until a confirmation is due and returns it.
func (h *house) confirmDue() []*Want {
	h.tb.Helper()
	for range 5 {
		if p, _ := h.due(); len(p) == 1 && p[0].Want.Text("state") == "sale" {
			return p
		}
		h.step()
	}
	h.tb.Fatal("no confirmation is due")
	return nil
}

// A message that names no record is found by its headers, and by its entry.
func TestFaultyMessageSaysWhichItIs(t *testing.T) {
	h := newHouse(t, "3")
	h.take(crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Meta: crossdock.Meta{"topic": "orders/create", "webhook_id": "b54557e4", "size": "17000000", "digest": "d1"},
		Fault: &crossdock.Fault{Code: crossdock.Invalid, Text: "too large"}})
	h.exceptions("message|d1")
	x := stored[Exception](h, ExceptionAt("message|d1"))
	want := "a message from shop can't be used: too large. It names no record, topic orders/create, webhook id b54557e4, size 17000000: crossdock trace --entry " + decimalText(h.seq) + " shows what came"
	if x.Text != want {
		t.Error(x.Text)
	}
}
