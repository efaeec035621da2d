package core

import (
	"slices"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

func TestOrderToConfirmed(t *testing.T) {
	h := newHouse(t, "3")
	h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
	h.shop.webhook(order("1001", "2"), 0)
	h.is("1001", crossdock.OrderPromised)
	h.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1")
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1")
	h.exceptions()
}

func TestSameWebhookThreeTimes(t *testing.T) {
	h := newHouse(t, "3")
	for range 3 {
		h.shop.webhook(order("1001", "2"), 0)
	}
	h.works()
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1")
	if len(h.erp.sales) != 2 || h.pushes("1001") != 2 {
		t.Errorf("the ERP holds %d records after %d pushes of the order, want its customer and one sale order after two", len(h.erp.sales), h.pushes("1001"))
	}
	if got := len(all[Record](h, Records)); got != 5 { // two sites, an item, a customer, an order
		t.Errorf("the book has %d records, want 5", got)
	}
	h.exceptions()
}

func TestUpdateBeforeTheERPHasIt(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1")
	h.shop.webhook(order("1001", "3"), 1)
	h.is("1001", crossdock.OrderPromised)
	h.ledger("on hand 3, reserved 0, promised 3, converted 0, free 0")
	h.shop.webhook(order("1001", "4"), 2)
	h.is("1001", crossdock.OrderHeld)
	h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
	h.shop.webhook(order("1001", "1"), 3)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.ledger("on hand 3, reserved 0, promised 1, converted 0, free 2")
	if got := h.erp.sales[h.erp.external["order/1001"]].total; got != "10.80 USD" {
		t.Errorf("the ERP has it at %s, want 10.80 USD", got)
	}
	h.exceptions()
}

func TestUpdateAfterTheDraft(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.step()
	h.step()
	h.sale("1001", "draft")
	h.shop.webhook(order("1001", "3"), 1)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.ledger("on hand 3, reserved 0, promised 3, converted 0, free 0")
	if got := h.erp.sales[h.erp.external["order/1001"]].total; got != "32.40 USD" {
		t.Errorf("the ERP has it at %s, want 32.40 USD", got)
	}
	h.exceptions()
}

func TestUpdateAfterConfirmation(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	n := h.pushes("1001")
	h.shop.webhook(order("1001", "3"), 1)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.exceptions("late change|order/1001")
	o := h.order("1001")
	if o.Lines[0].Quantity.String() != "3" || o.Lines[0].Item.Key != "TEA" {
		t.Errorf("the book says %s of %s, want what the shop says: 3 of TEA", o.Lines[0].Quantity, o.Lines[0].Item.Short())
	}
	h.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1")
	if h.pushes("1001") != n {
		t.Error("a change after confirmation was pushed: the ERP owns the order")
	}
}

// The update comes while the confirmation is on its way: the ERP confirms what it had.
func TestUpdateWhileItIsConfirmed(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.step()
	h.step()
	pushes, _ := h.due()
	a := h.attempt(pushes)
	h.shop.webhook(order("1001", "3"), 1)
	h.take(crossdock.Result{Attempt: a.ID, System: "odoo", Receipts: []crossdock.Receipt{h.erp.write(a.Pushes[0])}})
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	if !slices.Contains(h.open(), "late change|order/1001") {
		t.Errorf("open exceptions %q: nobody is told that the ERP confirmed the order as it was before", h.open())
	}
}

// The update comes while nobody knows whether the order was confirmed.
func TestUpdateWhileTheConfirmationIsLost(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.step()
	h.step()
	h.erp.next = append(h.erp.next, h.erp.lost)
	h.step()
	h.sale("1001", "sale")
	h.shop.webhook(order("1001", "3"), 1)
	h.passes(2 * time.Minute)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	if !slices.Contains(h.open(), "late change|order/1001") {
		t.Errorf("open exceptions %q: nobody is told that the ERP confirmed the order as it was before", h.open())
	}
}

// A person confirms the draft before an update is written over it.
func TestUpdateForestalledByAPerson(t *testing.T) {
	for name, update := range map[string]bool{"an update": true, "no update": false} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "3")
			h.shop.webhook(order("1001", "2"), 0)
			h.step()
			h.step()
			if update {
				h.shop.webhook(order("1001", "3"), 1)
			}
			h.erp.person("1001", func(s *sale) { s.state = "sale" })
			h.works()
			h.is("1001", crossdock.OrderConfirmed)
			if slices.Contains(h.open(), "late change|order/1001") != update {
				t.Errorf("open exceptions %q after %s", h.open(), name)
			}
		})
	}
}

func TestPeopleInTheERP(t *testing.T) {
	confirmed := func(t *testing.T) *house {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.works()
		h.is("1001", crossdock.OrderConfirmed)
		return h
	}
	t.Run("cancel a confirmed order", func(t *testing.T) {
		h := confirmed(t)
		n := h.pushes("1001")
		h.erp.person("1001", func(s *sale) { s.state = "cancel" })
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
		h.exceptions("called off|order/1001")
		if h.pushes("1001") != n {
			t.Error("what a person did was pushed again")
		}
		if by := h.order("1001").Cancelled.By; by != "odoo" {
			t.Errorf("cancelled by %q, want odoo", by)
		}
	})
	t.Run("cancel an order, and then the channel does too", func(t *testing.T) {
		h := confirmed(t)
		h.erp.person("1001", func(s *sale) { s.state = "cancel" })
		h.works()
		h.exceptions("called off|order/1001")
		h.shop.webhook(cancelled(order("1001", "2")), 1)
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.exceptions()
	})
	t.Run("change an order and cancel it, heard of in one reading", func(t *testing.T) {
		h := confirmed(t)
		h.erp.person("1001", func(s *sale) { s.total, s.state = "30.00 USD", "cancel" })
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.exceptions("called off|order/1001")
	})
	t.Run("cancel a draft, and the answer to our resend shows it", func(t *testing.T) {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.step()
		h.erp.next = append(h.erp.next, h.erp.lost)
		h.step()
		h.erp.sales[h.erp.external["order/1001"]].state = "cancel"
		h.passes(time.Minute)
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.sale("1001", "cancel")
		h.exceptions("called off|order/1001")
	})
	t.Run("cancel a draft, and the look after a lost answer shows it", func(t *testing.T) {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.step()
		h.erp.next = append(h.erp.next, h.erp.lost)
		h.step()
		h.shop.webhook(order("1001", "3"), 1) // the want changed: a look comes first
		h.erp.sales[h.erp.external["order/1001"]].state = "cancel"
		h.passes(2 * time.Minute)
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.sale("1001", "cancel")
		h.exceptions("called off|order/1001")
	})
	t.Run("delete an order", func(t *testing.T) {
		h := confirmed(t)
		n := h.pushes("1001")
		h.erp.deletes("1001")
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
		h.exceptions("called off|order/1001")
		h.shop.webhook(order("1001", "2"), 7)
		h.works()
		h.sale("1001", "")
		if h.pushes("1001") != n {
			t.Error("a deleted order was made or written again")
		}
	})
	t.Run("delete a draft, and our confirmation finds out", func(t *testing.T) {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.step()
		h.step()
		delete(h.erp.sales, h.erp.external["order/1001"])
		delete(h.erp.external, "order/1001")
		h.works()
		h.is("1001", crossdock.OrderCancelled)
		h.exceptions("called off|order/1001")
	})
	t.Run("set an order back", func(t *testing.T) {
		h := confirmed(t)
		n := h.pushes("1001")
		h.erp.person("1001", func(s *sale) { s.state = "draft" })
		h.works()
		h.is("1001", crossdock.OrderConfirmed)
		h.exceptions("set back|order/1001")
		if h.pushes("1001") != n {
			t.Error("an order a person set back was confirmed again")
		}
		h.erp.person("1001", func(s *sale) { s.state = "sale" })
		h.exceptions()
	})
	t.Run("confirm a draft before we do", func(t *testing.T) {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.step()
		h.step()
		h.erp.person("1001", func(s *sale) { s.state = "sale" })
		h.is("1001", crossdock.OrderConfirmed)
		h.works()
		h.exceptions()
		h.erp.stock("TEA", "3", "2")
		h.ledger("on hand 3, reserved 2, promised 2, converted 2, free 1")
	})
	t.Run("change a draft before we confirm it", func(t *testing.T) {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.confirmDue()
		h.erp.person("1001", func(s *sale) { s.total = "32.40 USD" })
		h.exceptions() // the book owns it yet
		due, _ := h.due()
		if len(due) != 1 || due[0].Want.Text("state") != "draft" {
			t.Fatalf("due is %+v, want what the book says of the draft", due)
		}
		h.works()
		h.is("1001", crossdock.OrderConfirmed)
		h.exceptions()
		if s := h.erp.sales[h.erp.external["order/1001"]]; s.state != "sale" || s.total != "21.60 USD" {
			t.Errorf("sold is %s for %s", s.state, s.total)
		}
	})
	t.Run("confirm a draft of an order that is held meanwhile", func(t *testing.T) {
		h := newHouse(t, "3")
		h.shop.webhook(order("1001", "2"), 0)
		h.step()
		h.step()
		h.shop.webhook(order("1001", "9"), 1)
		h.is("1001", crossdock.OrderHeld)
		h.erp.person("1001", func(s *sale) { s.state = "sale" })
		if !slices.Contains(h.open(), "confirmed there|order/1001") {
			t.Errorf("open exceptions %q: nobody is told that a held order was confirmed", h.open())
		}
	})
	t.Run("change amounts", func(t *testing.T) {
		h := confirmed(t)
		h.erp.person("1001", func(s *sale) { s.total = "30.00 USD" })
		h.works()
		h.exceptions("changed there|order/1001")
		h.erp.person("1001", func(s *sale) { s.total = "21.60 USD" })
		h.exceptions()
	})
}

func TestEveryMoveIsInTheTable(t *testing.T) {
	known := []crossdock.OrderState{"", crossdock.OrderReceived, crossdock.OrderHeld, crossdock.OrderRefused, crossdock.OrderPromised, crossdock.OrderConfirmed,
		crossdock.OrderPicking, crossdock.OrderShipped, crossdock.OrderClosed, crossdock.OrderCancelled, crossdock.OrderReturned}
	for from, to := range Moves() {
		if !slices.Contains(known, from) {
			t.Errorf("%q is no state", from)
		}
		for _, s := range to {
			if !slices.Contains(known[1:], s) {
				t.Errorf("%q may go to %q, which is no state", from, s)
			}
		}
	}
	for _, s := range known {
		if _, ok := Moves()[s]; !ok {
			t.Errorf("the table does not say what follows %q", s)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a cancelled order was promised")
		}
	}()
	move(&crossdock.Order{State: crossdock.OrderCancelled}, crossdock.OrderPromised)
}
