package core

import (
	"testing"

	"github.com/crossdockhq/crossdock"
)

// An order is found by its number in the shop and by what the ERP calls it, and by a
// number it has no more it isn't.
func TestOrdersHaveTheirNumbersAsNames(t *testing.T) {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "1"), 0)
	h.works()
	of := crossdock.BookRef(crossdock.KindOrder, "1001")
	found := func(system crossdock.System, number string) bool {
		n := stored[Name](h, NameAt(NumberName(system, number)))
		return n != nil && len(n.Of) == 1 && n.Of[0] == of
	}
	if !found("shop", "1001") {
		t.Error("it is not found by its number in the shop")
	}
	for _, name := range []string{"S00007", "S00008"} {
		said := words("order", "name", name)
		h.hears("odoo", -1, h.at, crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindOrder, Key: stored[View](h, ViewAt("odoo", of)).Key},
			Version: second(len(name) + int(name[5])), Said: said, Says: said.Names()})
		h.works()
		if !found("odoo", name) {
			t.Errorf("it is not found by %s", name)
		}
	}
	if found("odoo", "S00007") || !found("shop", "1001") {
		t.Error("the names it has are not those it has now")
	}
	h.exceptions()
}
