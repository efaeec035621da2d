package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
)

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

// A person confirmed the draft of an order that was held. Once it is promised it is
// confirmed here too, as Odoo has it; what it asks for beyond that is told.
func TestConfirmedByAPersonWhileHeld(t *testing.T) {
	for name, heal := range map[string]func(*house){
		"stock comes in": func(h *house) { h.erp.stock("TEA", "20", "2") },
		"the shop takes the change back": func(h *house) {
			h.erp.stock("TEA", "5", "2")
			h.shop.webhook(order("1001", "3"), 9)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "3")
			h.shop.webhook(order("1001", "2"), 0)
			h.confirmDue()
			h.shop.webhook(order("1001", "5"), 1)
			h.is("1001", crossdock.OrderHeld)
			h.erp.person("1001", func(s *sale) { s.state = "sale" })
			h.exceptions("amount|order/1001", "confirmed there|order/1001", "stock|order/1001")
			heal(h)
			h.works()
			h.is("1001", crossdock.OrderConfirmed)
			h.exceptions("amount|order/1001", "late change|order/1001")
			if p := stored[Promise](h, PromiseAt(crossdock.BookRef(crossdock.KindOrder, "1001"))); p == nil || p.Converted == 0 {
				t.Errorf("what Odoo has reserved for it is counted beside its promise: %+v", p)
			}
		})
	}
}
