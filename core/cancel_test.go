package core

import (
	"testing"

	"github.com/crossdockhq/crossdock"
)

func TestCancelledBeforeItWasCreated(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(cancelled(order("1001", "2")), 5)
	h.is("1001", crossdock.OrderCancelled)
	h.shop.webhook(order("1001", "2"), 1)
	h.shop.webhook(order("1001", "3"), 3)
	h.works()
	h.is("1001", crossdock.OrderCancelled)
	h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
	if len(h.erp.sales) != 0 {
		t.Errorf("the ERP holds %d records, want none", len(h.erp.sales))
	}
	h.exceptions()
}

func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name  string
		until func(*house) // what has happened before
		free  string
		sale  string // what the ERP holds in the end
	}{
		{"while held", func(h *house) { h.shop.webhook(order("1001", "9"), 0); h.is("1001", crossdock.OrderHeld) }, "on hand 3, reserved 0, promised 0, converted 0, free 3", ""},
		{"while promised", func(h *house) { h.shop.webhook(order("1001", "2"), 0); h.is("1001", crossdock.OrderPromised) }, "on hand 3, reserved 0, promised 0, converted 0, free 3", ""},
		{"while the draft is there", func(h *house) { h.shop.webhook(order("1001", "2"), 0); h.step(); h.step() }, "on hand 3, reserved 0, promised 0, converted 0, free 3", "cancel"},
		{"after it was confirmed", func(h *house) {
			h.shop.webhook(order("1001", "2"), 0)
			h.works()
			h.is("1001", crossdock.OrderConfirmed)
		}, "on hand 3, reserved 0, promised 0, converted 0, free 3", "cancel"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, "3")
			c.until(h)
			h.shop.webhook(cancelled(order("1001", "2")), 5)
			h.is("1001", crossdock.OrderCancelled)
			h.works()
			h.ledger(c.free)
			h.sale("1001", c.sale)
			h.exceptions()
			h.shop.webhook(order("1001", "2"), 6) // nothing takes it back
			h.works()
			h.is("1001", crossdock.OrderCancelled)
			h.sale("1001", c.sale)
			if h.order("1001").Cancelled == nil {
				t.Error("the cancellation was taken back")
			}
		})
	}
}

// The draft is on its way when the cancellation comes: it is called off once its key is known.
func TestCancelledWhileThePushIsOpen(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.step()
	pushes, _ := h.due()
	a := h.attempt(pushes)
	h.shop.webhook(cancelled(order("1001", "2")), 5)
	if pushes, _ := h.due(); len(pushes) != 0 {
		t.Errorf("%d pushes are due while one is open", len(pushes))
	}
	h.take(crossdock.Result{Attempt: a.ID, System: "odoo", Receipts: []crossdock.Receipt{h.erp.write(a.Pushes[0])}})
	h.works()
	h.is("1001", crossdock.OrderCancelled)
	h.sale("1001", "cancel")
	h.exceptions()
}

func TestLateCancel(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	h.decided("ship", func(b Book) Decision {
		return run(b, h.seq, h.at, func(l *layer) {
			r := edit[Record](l, RecordAt(crossdock.BookRef(crossdock.KindOrder, "1001")))
			var o crossdock.Order
			if r.Body.Unpack(&o) != nil {
				return // not loaded yet
			}
			move(&o, crossdock.OrderShipped)
			l.release(r.Of)
			l.save(r, &o)
		})
	})
	h.shop.webhook(cancelled(order("1001", "2")), 5)
	h.works()
	h.is("1001", crossdock.OrderShipped)
	h.exceptions("late cancel|order/1001")
	h.sale("1001", "sale")
}

// A cancellation is taken at once, also when what came with it can't be ordered
// and has to be looked at: nothing must be confirmed in between.
func TestCancelledInTheSecondOfAnUpdate(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 4)
	h.shop.webhook(cancelled(order("1001", "3")), 4)
	h.is("1001", crossdock.OrderCancelled)
	h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
	if stored[Want](h, WantAt("shop", DoLook, crossdock.BookRef(crossdock.KindOrder, "1001"))) == nil {
		t.Error("nobody looks which of the two states of that second is the last")
	}
	h.works()
	if got := h.order("1001").Lines[0].Quantity.String(); got != "3" {
		t.Errorf("the book says %s are wanted, want 3 as the shop says", got)
	}
}

// A channel deletes an order: whatever the order of what it says, none is made.
func TestDeletedInTheChannel(t *testing.T) {
	gone := func(h *house) { h.hears("shop", h.seq, h.at, crossdock.Statement{Of: shopOrder("1001"), Gone: true}) }
	create := func(h *house) { h.shop.late(order("1001", "2"), 0) }
	update := func(h *house) { h.shop.late(order("1001", "3"), 4) }
	for name, said := range map[string][]func(*house){
		"alone":                 {gone},
		"before it was created": {gone, create, update},
		"between":               {create, gone, update},
		"in the end":            {create, update, gone},
		"update first":          {update, gone, create},
		"twice":                 {gone, update, gone, create},
		"while held":            {func(h *house) { h.shop.late(order("1001", "9"), 0) }, gone, update},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "3")
			for _, says := range said {
				says(h)
			}
			h.works()
			h.is("1001", crossdock.OrderCancelled)
			h.sale("1001", "")
			h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
			h.exceptions()
		})
	}
	t.Run("after the draft", func(t *testing.T) {
		h := newHouse(t, "3")
		create(h)
		h.confirmDue()
		gone(h)
		h.works()
		h.sale("1001", "cancel")
		h.exceptions()
	})
	t.Run("after it was sold", func(t *testing.T) {
		h := newHouse(t, "3")
		create(h)
		h.works()
		gone(h)
		h.works()
		h.is("1001", crossdock.OrderConfirmed)
		h.sale("1001", "sale")
		h.exceptions("deleted|shop|order/1001")
	})
}
