package core

import (
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

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

// A reading of an item nobody tells of is not left waiting in silence (I7).
func TestReadingOfAnUnknownItem(t *testing.T) {
	h := newHouse(t, "3")
	h.erp.stock("TEE", "4", "0")
	h.exceptions()
	h.passes(23 * time.Hour)
	h.erp.stock("TEE", "5", "0")
	h.passes(2 * time.Hour)
	if !h.ticks() {
		t.Fatal("no deadline is set")
	}
	h.exceptions("record|odoo|odoo/stock/TEE@E")
	h.erp.stock("TEE", "6", "0")
	h.exceptions("record|odoo|odoo/stock/TEE@E")
	h.erp.says(crossdock.Item{SKU: "TEE", Name: "TEE", Stocked: true, Active: true})
	h.works()
	h.exceptions()
	if h.passes(48 * time.Hour); h.ticks() {
		t.Error("a deadline is left of what waits no more")
	}
}
