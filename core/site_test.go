package core

import (
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
)

// A warehouse code nobody has is not a lack of stock, and not one exception an order.
func TestUnknownSiteIsSaidSo(t *testing.T) {
	wrong := setup
	wrong.Connections = append([]crossdock.Connection{}, setup.Connections...)
	wrong.Connections[1].Sites = []string{"NOPE", "E"}
	h := newHouseOf(t, wrong, "3")
	h.shop.webhook(order("1001", "2"), 0) // E has it
	h.shop.webhook(order("1002", "2"), 0)
	h.shop.webhook(order("1003", "2"), 0)
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
	h.is("1002", crossdock.OrderHeld)
	h.finding("1002", "site", crossdock.Hold)
	h.finding("1002", "stock", crossdock.Hold)
	h.exceptions("site|shop", "stock|order/1002", "stock|order/1003")
	x := stored[Exception](h, ExceptionAt("site|shop"))
	if want := "there is no site NOPE: known are E, W; correct sites of connection shop in crossdock.yaml"; !strings.HasPrefix(x.Text, want) {
		t.Error(x.Text)
	}
	right := wrong
	right.Hash = "h2"
	right.Connections = append([]crossdock.Connection{}, setup.Connections...)
	right.Connections[1].Sites = []string{"E", "W"}
	h.take(right)
	h.exceptions("stock|order/1002", "stock|order/1003")

	wrong.Connections[1].Sites = []string{"NOPE"}
	h = newHouseOf(t, wrong, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.exceptions("site|shop")
	h.erp.says(site("NOPE")) // somebody makes it
	h.exceptions("stock|order/1001")
}
