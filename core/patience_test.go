package core

import (
	"slices"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

func ref(k string) crossdock.Ref { return crossdock.BookRef(crossdock.KindOrder, k) }

// A look that failed for good is tried again when a person says so.
func TestFailedLookIsRetried(t *testing.T) {
	h := newHouse(t, "9")
	h.shop.webhook(order("1", "1"), 10)
	h.works()
	h.erp.next = append(h.erp.next, h.erp.vanished)
	h.shop.webhook(cancelled(order("1", "1")), 20)
	h.step()
	h.passes(2 * time.Minute)
	look := stored[Want](h, WantAt("odoo", DoLook, ref("1")))
	if look == nil {
		t.Fatal("no look is wanted after a lost answer")
	}
	h.take(crossdock.Result{System: look.System, Receipts: []crossdock.Receipt{{Of: look.Of, Look: true, Code: crossdock.Refused, Text: "no access"}}})
	h.passes(10 * time.Minute) // right is given; a person retries
	for _, id := range h.open() {
		h.take(crossdock.Action{By: "ada", Do: "retry", With: map[string]string{"exception": id}})
	}
	_, looks := h.due()
	if len(looks) == 0 {
		t.Errorf("after retry no look is due; wants: %+v", *stored[Want](h, look.Address()))
	}
}

// Work whose projection failed once goes on when it succeeds, also with the same want.
func TestStoppedWorkGoesOn(t *testing.T) {
	h := newHouse(t, "9")
	h.shop.webhook(order("1", "1"), 10)
	h.step() // party
	h.erp.answers(crossdock.Unavailable, "away")
	pushes, _ := h.due()
	h.push(pushes)
	good := h.want
	bad := true
	h.want = func(tc Touch) (Projected, bool) {
		p, ok := good(tc)
		if bad && tc.Of == ref("1") {
			return Projected{Touch: tc, Err: crossdock.Errorf(crossdock.Invalid, "no tax of 8 %% in Odoo")}, true
		}
		return p, ok
	}
	h.trueUp([]Touch{{"odoo", ref("1")}})
	bad = false
	h.trueUp([]Touch{{"odoo", ref("1")}})
	if got := h.open(); len(got) != 0 {
		t.Errorf("the exceptions %v stand although it can be written", got)
	}
	h.passes(48 * time.Hour)
	h.works()
	h.is("1", crossdock.OrderConfirmed)
}

// A target that is always found changed is asked less and less, and a person is told.
func TestConflictsBackOff(t *testing.T) {
	h := newHouse(t, "9")
	for range 400 {
		h.erp.next = append(h.erp.next, func(p crossdock.Push) crossdock.Receipt {
			r := h.erp.write(p)
			return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Key: r.Key, Code: crossdock.Conflict, Text: "the order in Odoo has 2 lines where 1 were sent"}
		})
	}
	h.shop.webhook(order("1", "1"), 10)
	for range 200 { // the clock stands still
		if !h.step() {
			break
		}
	}
	if n := h.pushes("1"); n > 3 {
		t.Errorf("%d pushes at one instant", n)
	}
	for range 10 {
		h.passes(5 * time.Minute)
		h.step()
	}
	if got := h.open(); !slices.Contains(got, "conflict|odoo|order/1") {
		t.Errorf("the open exceptions are %v; want the conflict", got)
	}
}

// A person who confirms in the ERP an order that is cancelled is told of; the hub leaves it alone.
func TestCancelledOrderIsTakenUp(t *testing.T) {
	h := newHouse(t, "9")
	h.shop.webhook(order("1", "1"), 10)
	h.works()
	h.shop.webhook(cancelled(order("1", "1")), 20)
	h.works()
	h.is("1", crossdock.OrderCancelled)
	h.sale("1", "cancel")
	h.erp.person("1", func(s *sale) { s.state = "draft" })
	h.works()
	h.erp.person("1", func(s *sale) { s.state = "sale" })
	h.works()
	h.sale("1", "sale")
	if got := h.open(); !slices.Contains(got, "taken up|order/1") {
		t.Errorf("the open exceptions are %v; want to be told that it was taken up", got)
	}
}

// An order held for its customer goes out once the customer can be used.
func TestCustomerHeals(t *testing.T) {
	h := newHouse(t, "9")
	o := order("1", "1")
	body, _ := crossdock.Pack(o)
	for _, name := range []string{"state", "findings", "site", "channel", "company"} {
		delete(body.Fields, name)
	}
	bad, _ := crossdock.Pack(crossdock.Party{Name: "", Email: "ada@example.org"})
	h.hears("shop", -1, time.Time{}, crossdock.Statement{Of: o.Customer, Version: second(1), Said: bad, Names: []string{"email:ada@example.org"}},
		crossdock.Statement{Of: shopOrder("1"), Version: second(1), Said: body})
	good, _ := crossdock.Pack(crossdock.Party{Name: "Ada", Email: "ada@example.org"})
	h.hears("shop", -1, time.Time{}, crossdock.Statement{Of: o.Customer, Version: second(5), Said: good, Names: []string{"email:ada@example.org"}})
	h.is("1", crossdock.OrderPromised)
}

// A target whose clock went back is looked at now and then, and a person is told.
func TestClockGoesBack(t *testing.T) {
	h := newHouse(t, "9")
	h.shop.webhook(order("1", "1"), 10)
	h.works()
	h.erp.next = append(h.erp.next, h.erp.vanished)
	h.shop.webhook(cancelled(order("1", "1")), 20)
	h.step()
	// Odoo is restored from a backup of a second before
	h.erp.sales[h.erp.external["order/1"]].version = 1
	looks := 0
	for range 600 {
		h.passes(time.Minute)
		_, l := h.due()
		looks += len(l)
		h.step()
	}
	if looks > 100 {
		t.Errorf("%d looks in ten hours", looks)
	}
	if got := h.open(); !slices.Contains(got, "clock|odoo|order/1") {
		t.Errorf("the open exceptions are %v; want the clock's", got)
	}
}
