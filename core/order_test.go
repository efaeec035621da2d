package core

import (
	"fmt"
	"slices"
	"strings"
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

// The whole way, with the ledger at every step: goods are counted once, first as
// promised by us, then as reserved by the ERP.
func TestLedgerOfAnOrder(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	asked := h.seq
	h.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1")
	h.erp.stockAfter("TEA", "3", "0", asked-3) // asked for before the receipt: the ERP had not reserved yet
	h.ledger("on hand 3, reserved 0, promised 2, converted 0, free 1")
	h.erp.stock("TEA", "3", "2") // asked for after it: what is reserved there is ours
	h.ledger("on hand 3, reserved 2, promised 2, converted 2, free 1")
	h.erp.stock("TEA", "15", "5") // a receipt of 12; somebody else took 3
	h.ledger("on hand 15, reserved 5, promised 2, converted 2, free 10")
	h.shop.webhook(cancelled(order("1001", "2")), 9)
	h.ledger("on hand 15, reserved 5, promised 2, converted 2, free 10") // the ERP holds it yet
	h.works()
	h.ledger("on hand 15, reserved 5, promised 0, converted 0, free 10") // until a reading shows that the ERP let go
	h.erp.stock("TEA", "15", "3")
	h.ledger("on hand 15, reserved 3, promised 0, converted 0, free 12")
	h.exceptions()
}

func TestStockReadingsAreOrdered(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	early := h.seq
	h.passes(time.Second)
	h.erp.stock("TEA", "9", "2")
	h.erp.stockAfter("TEA", "3", "2", early-1)
	h.ledger("on hand 9, reserved 2, promised 2, converted 2, free 7")
}

// A reading may show a reservation before we know that it is ours, and never change again.
func TestStockIsReadAgainWhereNoReadingShowsWhatTurned(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.step()
	h.step()
	h.erp.next = append(h.erp.next, h.erp.lost)
	h.step()
	h.erp.stock("TEA", "3", "2")
	h.passes(2 * time.Minute)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.ledger("on hand 3, reserved 2, promised 2, converted 0, free -1")
	h.shop.webhook(order("1002", "1"), 1)
	h.is("1002", crossdock.OrderHeld)
	h.passes(readWithin)
	h.works()
	h.is("1002", crossdock.OrderConfirmed)
	h.ledger("on hand 3, reserved 2, promised 3, converted 2, free 0")
}

// A reading that comes by itself spares the look.
func TestStockIsNotReadAgainAfterAReading(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	h.erp.stock("TEA", "3", "2")
	for at := range h.rows {
		if at.Table == Wants {
			t.Errorf("%s is left to do", at.Key)
		}
	}
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

func TestUnknownSKU(t *testing.T) {
	h := newHouse(t, "3")
	for i := range 10 {
		o := order(fmt.Sprint(1001+i), "1")
		o.Lines[0].SKU = "TEE"
		h.shop.webhook(priced(o), 0)
		h.is(o.Number, crossdock.OrderHeld)
	}
	h.exceptions("item|sku:TEE")
	if x := stored[Exception](h, ExceptionAt("item|sku:TEE")); x.Count != 10 || !strings.Contains(x.Text, `"TEE"`) {
		t.Errorf("counted %d times, text %q", x.Count, x.Text)
	}
	h.works()
	if len(h.erp.sales) != 0 {
		t.Errorf("the ERP holds %d records, want none: no dummy item", len(h.erp.sales))
	}
	h.erp.stock("TEE", "4", "0") // its item is not known yet: the reading is asked for again when it is
	h.erp.says(crossdock.Item{SKU: "TEE", Name: "TEE", Stocked: true, Active: true})
	h.erp.stock("TEE", "4", "0")
	for i := range 10 { // judged again in the order of their coming: four get one each
		want := crossdock.OrderPromised
		if i >= 4 {
			want = crossdock.OrderHeld
		}
		h.is(fmt.Sprint(1001+i), want)
	}
	if slices.Contains(h.open(), "item|sku:TEE") {
		t.Error("the exception about the SKU is still open")
	}
}

// An order that no longer names the unknown SKU leaves nobody to wait for it.
func TestUnknownSKUCorrectedInTheChannel(t *testing.T) {
	for name, mend := range map[string]func(*house){
		"taken out": func(h *house) { // a channel keeps the line, with nothing left to send
			o := order("1001", "1")
			o.Lines = append(o.Lines, o.Lines[0])
			o.Lines[1].Key, o.Lines[1].SKU, o.Lines[1].Quantity.Count, o.Lines[1].Taxes = "l2", "TEE", crossdock.Decimal{}, nil
			h.shop.webhook(o, 4)
			h.is("1001", crossdock.OrderPromised)
		},
		"corrected": func(h *house) { h.shop.webhook(order("1001", "1"), 4); h.is("1001", crossdock.OrderPromised) },
		"cancelled": func(h *house) {
			o := order("1001", "1")
			o.Lines[0].SKU = "TEE"
			h.shop.webhook(cancelled(priced(o)), 4)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "3")
			o := order("1001", "1")
			o.Lines[0].SKU = "TEE"
			h.shop.webhook(priced(o), 0)
			h.exceptions("item|sku:TEE")
			mend(h)
			h.exceptions()
		})
	}
}

func TestSKUOfTwoItems(t *testing.T) {
	h := newHouse(t, "3")
	h.erp.says(crossdock.Item{SKU: "TEA", Name: "Tea, old", Stocked: true})
	h.shop.webhook(order("1001", "1"), 0)
	h.is("1001", crossdock.OrderHeld)
	h.exceptions("item|sku:TEA")
	old := crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindItem, Key: "product-Tea, old"}, Version: "000002", Names: []string{"sku:TEA-OLD"}}
	old.Said, _ = crossdock.Pack(crossdock.Item{SKU: "TEA-OLD", Name: "Tea, old", Stocked: true})
	h.hears("odoo", h.seq, h.at, old)
	h.is("1001", crossdock.OrderPromised)
	h.exceptions()
}

func TestLineWithoutSKU(t *testing.T) {
	h := newHouse(t, "3")
	o := order("1001", "1")
	o.Lines[0].SKU = ""
	h.shop.webhook(priced(o), 0)
	h.is("1001", crossdock.OrderHeld)
	h.exceptions("item|order/1001|1")
	h.shop.webhook(order("1001", "1"), 3)
	h.is("1001", crossdock.OrderPromised)
	h.exceptions()
}

func TestShortStock(t *testing.T) {
	h := newHouse(t, "1")
	h.shop.webhook(order("1001", "2"), 0)
	h.passes(time.Hour)
	h.shop.webhook(order("1002", "2"), 0)
	h.is("1001", crossdock.OrderHeld)
	h.is("1002", crossdock.OrderHeld)
	h.exceptions("stock|order/1001", "stock|order/1002")
	h.passes(time.Hour)
	h.erp.stock("TEA", "3", "0") // for one of them: the earlier
	h.is("1001", crossdock.OrderPromised)
	h.is("1002", crossdock.OrderHeld)
	h.exceptions("stock|order/1002")
	x := stored[Exception](h, ExceptionAt("stock|order/1002"))
	if want := worldStart.Add(time.Hour + answerIn); !x.Due.Equal(want) {
		t.Errorf("the shortage has to be answered by %v, want %v: judging again must not put it off", x.Due, want)
	}
	h.shop.webhook(cancelled(order("1001", "2")), 5) // what it frees goes to the one that waits
	h.is("1002", crossdock.OrderPromised)
	h.exceptions()
}

func TestTwoOrdersForTheLastUnit(t *testing.T) {
	for _, pair := range [][2]string{{"1001", "1002"}, {"1002", "1001"}} {
		h := newHouse(t, "1")
		h.shop.webhook(order(pair[0], "1"), 0)
		h.shop.webhook(order(pair[1], "1"), 0)
		h.works()
		h.is(pair[0], crossdock.OrderConfirmed)
		h.is(pair[1], crossdock.OrderHeld)
		h.ledger("on hand 1, reserved 0, promised 1, converted 0, free 0")
	}
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

func TestTestOrder(t *testing.T) {
	h := newHouse(t, "3")
	o := order("1001", "2")
	o.Test = true
	o.Lines[0].SKU = "UNHEARD"
	h.shop.webhook(o, 0)
	h.works()
	h.is("1001", crossdock.OrderRefused)
	h.finding("1001", "test", crossdock.Refuse)
	h.exceptions()
	if len(h.erp.sales) != 0 {
		t.Errorf("the ERP holds %d records, want none", len(h.erp.sales))
	}
	h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
}

func TestTotals(t *testing.T) {
	t.Run("a subtotal that disagrees is noted", func(t *testing.T) {
		h := newHouse(t, "3")
		o := order("1001", "2")
		o.Totals.Subtotal = usd("19.00")
		h.shop.webhook(o, 0)
		h.works()
		h.is("1001", crossdock.OrderConfirmed)
		h.finding("1001", "totals", crossdock.Note)
		h.exceptions()
	})
	t.Run("a total that disagrees holds the order until it is mended", func(t *testing.T) {
		h := newHouse(t, "3")
		o := order("1001", "2")
		o.Totals.Total = usd("19.00")
		h.shop.webhook(o, 0)
		h.works()
		h.is("1001", crossdock.OrderHeld)
		h.finding("1001", "totals", crossdock.Hold)
		h.exceptions("totals|order/1001")
		h.shop.webhook(order("1001", "2"), 1)
		h.is("1001", crossdock.OrderPromised)
		h.exceptions()
	})
	for _, c := range []struct {
		there string
		want  []string
	}{{"21.60 USD", nil}, {"21.62 USD", nil}, {"21.58 USD", nil}, {"21.63 USD", []string{"amount|order/1001"}}, {"21.57 USD", []string{"amount|order/1001"}}, {"21.60 EUR", []string{"amount|order/1001"}}} {
		t.Run("the ERP comes to "+c.there, func(t *testing.T) {
			h := newHouse(t, "3")
			h.shop.webhook(order("1001", "2"), 0)
			h.erp.next = append(h.erp.next, func(p crossdock.Push) crossdock.Receipt {
				h.erp.write(p)
				s := h.erp.sales[h.erp.external["order/1001"]]
				s.total = c.there
				return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Key: h.erp.external["order/1001"], Holds: s.record(), Version: s.clock()}
			})
			h.works()
			h.is("1001", crossdock.OrderConfirmed)
			h.exceptions(c.want...)
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

// A reading whose item is not known yet is asked for again when it is.
func TestStockOfAnItemTheBookLearnsOfLater(t *testing.T) {
	h := newHouse(t, "3")
	h.erp.levels["MUG"] = [2]string{"5", "0"}
	h.erp.stockAfter("MUG", "5", "0", h.seq)
	look := WantAt("odoo", DoLook, crossdock.Ref{System: "odoo", Kind: crossdock.KindStock, Key: "MUG@E"})
	if stored[Want](h, look) != nil {
		t.Error("it is looked at before its item is known")
	}
	h.erp.says(item("MUG"))
	if stored[Want](h, look) == nil {
		t.Fatal("its item is known, and nobody looks at the stock again")
	}
	h.works()
	b := stored[Balance](h, BalanceAt(crossdock.BookRef(crossdock.KindItem, "MUG"), crossdock.BookRef(crossdock.KindSite, "E")))
	if b == nil || b.OnHand.String() != "5" {
		t.Errorf("balance %+v, want 5 on hand", b)
	}
}

// What an order gives back when it is judged again goes to those who wait.
func TestUpdateFreesStock(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "3"), 0)
	h.shop.webhook(order("1002", "2"), 0)
	h.is("1002", crossdock.OrderHeld)
	h.shop.webhook(order("1001", "1"), 1)
	h.is("1001", crossdock.OrderPromised)
	h.is("1002", crossdock.OrderPromised)
	h.ledger("on hand 3, reserved 0, promised 3, converted 0, free 0")
}

// A reading nobody asked for can't be ordered: it is looked at before it counts.
func TestUnaskedReading(t *testing.T) {
	h := newHouse(t, "3")
	h.erp.levels["TEA"] = [2]string{"5", "0"}
	h.erp.stockAfter("TEA", "9", "0", -1)
	h.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
	h.works()
	h.ledger("on hand 5, reserved 0, promised 0, converted 0, free 5")
}

// While nobody knows whether the ERP has confirmed an order, and so reserved its
// goods, a cancellation or a smaller quantity does not give them to others.
func TestGoodsTheERPMayHoldAreNotGivenAway(t *testing.T) {
	for name, less := range map[string]func(*house){
		"cancelled": func(h *house) { h.shop.webhook(cancelled(order("1001", "3")), 1) },
		"edited":    func(h *house) { h.shop.webhook(order("1001", "1"), 1) },
	} {
		for fate, answer := range map[string]func(*erp) func(crossdock.Push) crossdock.Receipt{
			"it landed":       func(e *erp) func(crossdock.Push) crossdock.Receipt { return e.lost },
			"it did not land": func(e *erp) func(crossdock.Push) crossdock.Receipt { return e.vanished },
		} {
			t.Run(name+", "+fate, func(t *testing.T) {
				h := newHouse(t, "3")
				h.shop.webhook(order("1001", "3"), 0)
				h.shop.webhook(order("1002", "2"), 0)
				h.is("1002", crossdock.OrderHeld)
				h.step()
				h.step()
				h.erp.next = append(h.erp.next, answer(h.erp))
				h.step() // its confirmation
				less(h)
				h.is("1002", crossdock.OrderHeld)
				for range 12 {
					h.passes(10 * time.Second)
					h.step()
					if s := h.erp.sales[h.erp.external["order/1001"]]; s.state == "sale" && h.order("1002").State != crossdock.OrderHeld && fate == "it landed" {
						t.Fatalf("1002 is %s while the ERP holds 1001 as it was confirmed", h.order("1002").State)
					}
				}
				h.settles()
				switch {
				case name == "cancelled":
					h.is("1001", crossdock.OrderCancelled)
					h.sale("1001", "cancel")
					h.is("1002", crossdock.OrderConfirmed)
				case fate == "it landed": // too late: the ERP holds 3
					h.is("1001", crossdock.OrderConfirmed)
					h.is("1002", crossdock.OrderHeld)
					h.ledger("on hand 3, reserved 0, promised 3, converted 3, free 0")
				default:
					h.is("1001", crossdock.OrderConfirmed)
					h.is("1002", crossdock.OrderConfirmed)
				}
			})
		}
	}
}
