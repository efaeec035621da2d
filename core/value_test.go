package core

import (
	"fmt"
	"testing"

	"github.com/crossdockhq/crossdock"
)

// A tax nobody mapped is one exception, however many orders have it, and mending it
// sets all of them going.
func TestUnmappedValueIsOneException(t *testing.T) {
	h := newHouse(t, "90")
	unmapped := true
	h.want = func(touch Touch) (Projected, bool) {
		p, ok := h.project(touch)
		if unmapped && touch.Of.Kind == crossdock.KindOrder {
			err := crossdock.About("tax:CA 8%", crossdock.Errorf(crossdock.Invalid, "no tax is known for %q", "CA 8%"))
			return Projected{Touch: touch, Err: crossdock.At("lines[0]", err)}, true
		}
		return p, ok
	}
	for i := range 5 {
		h.shop.webhook(order(fmt.Sprint(1001+i), "1"), 0)
	}
	h.works()
	h.exceptions("project|odoo|tax:CA 8%")
	h.shop.webhook(cancelled(order("1005", "1")), 1) // one that it kept back needs it no more
	h.exceptions("project|odoo|tax:CA 8%")
	unmapped = false
	h.take(crossdock.Action{By: "ada", Do: "retry", With: map[string]string{"exception": "project|odoo|tax:CA 8%"}})
	h.works()
	h.exceptions()
	for i := range 4 {
		h.is(fmt.Sprint(1001+i), crossdock.OrderConfirmed)
	}
	for _, w := range all[Waiter](h, Waiters) {
		if w.Name != setupName {
			t.Errorf("%s still waits for %s", w.Of, w.Name)
		}
	}
}

// A price list the target does not have is told by the answer to a push; the orders
// that need it are one exception, and the first that gets through takes the others along.
func TestRefusedValueIsOneException(t *testing.T) {
	h := newHouse(t, "90")
	for i := range 4 {
		h.shop.webhook(order(fmt.Sprint(1001+i), "1"), 0)
	}
	h.step() // the customer
	refuse := func() (n int) {
		pushes, _ := h.due()
		if len(pushes) == 0 {
			return 0
		}
		a := h.attempt(pushes)
		r := crossdock.Result{Attempt: a.ID, System: a.System}
		for _, p := range a.Pushes {
			r.Receipts = append(r.Receipts, crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Invalid, Text: `no price list "Web"`, Subject: "price list:Web"})
		}
		h.take(r)
		return len(a.Pushes)
	}
	n := refuse()
	if n != 4 {
		t.Fatalf("%d were pushed", n)
	}
	h.exceptions("push|odoo|price list:Web")
	x := stored[Exception](h, ExceptionAt("push|odoo|price list:Web"))
	if x.Count != n || x.Subject != "price list:Web" || x.Text != `odoo: no price list "Web"` {
		t.Errorf("%+v", x)
	}
	h.works() // all are stopped
	h.exceptions("push|odoo|price list:Web")
	h.take(crossdock.Action{By: "ada", Do: "retry", With: map[string]string{"exception": x.ID}})
	if again := refuse(); again != n { // it was not mended yet
		t.Errorf("%d of %d were tried again", again, n)
	}
	h.exceptions("push|odoo|price list:Web")
	// Retrying a single record is enough once it is mended.
	h.take(crossdock.Action{By: "ada", Do: "retry", Of: x.Of})
	h.works()
	h.exceptions()
	for i := range 4 {
		h.is(fmt.Sprint(1001+i), crossdock.OrderConfirmed)
	}
}
