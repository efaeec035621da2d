package core

import (
	"testing"

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
	t.Log(h.rounds, h.effect)
}
