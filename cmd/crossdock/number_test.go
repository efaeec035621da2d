package main

import (
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

// TestOrdersAreFoundByNumber: people know the number on the invoice, not our key.
func TestOrdersAreFoundByNumber(t *testing.T) {
	at := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	one, two := crossdock.BookRef(crossdock.KindOrder, "820982911946154508"), crossdock.BookRef(crossdock.KindOrder, "77")
	name := func(system crossdock.System, number string, of ...crossdock.Ref) *core.Name {
		return &core.Name{Name: core.NumberName(system, number), Of: of}
	}
	run := stoppedHub(t, 0,
		&core.Setup{Setup: crossdock.Setup{Connections: []crossdock.Connection{{System: "bell"}, {System: "books"}}}},
		recordOf(t, one, crossdock.Order{Number: "9999", Currency: "USD"}), recordOf(t, two, crossdock.Order{Number: "8", Currency: "USD"}),
		name("bell", "9999", one), name("books", "S00001", one), name("bell", "8", two), name("books", "8", one),
		&core.Exception{ID: "stock|order/820982911946154508", Check: "stock", Text: "none left", Owner: "operator", Of: one, Opened: at, Count: 1},
		&core.Want{System: "books", Of: one, Do: core.DoPush, State: core.WantDue, Since: at},
	)
	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"trace", "9999"}, 0, "order/820982911946154508 (9999)"},
		{[]string{"trace", "#9999"}, 0, "order/820982911946154508 (9999)"},
		{[]string{"trace", "order/9999"}, 0, "order/820982911946154508 (9999)"},
		{[]string{"trace", "s00001"}, 0, "order/820982911946154508 (9999)"},
		{[]string{"trace", "820982911946154508"}, 0, "order/820982911946154508 (9999)"},
		{[]string{"trace", "8"}, 2, "several orders are called 8: say which with book/order/77 or book/order/820982911946154508"},
		{[]string{"trace", "book/order/77"}, 0, "order/77 (8)"},
		{[]string{"trace", "12345"}, 2, "the book has no 12345, and no order with this number"},
		{[]string{"exceptions"}, 0, "order/820982911946154508 (9999), for the operator"},
		{[]string{"exceptions", "--record", "9999"}, 0, "none left"},
		{[]string{"exceptions", "--record", "8"}, 2, "several orders are called 8"},
		{[]string{"exceptions", "retry", "#9999"}, 0, "Filed: retry stock|order/820982911946154508"},
		{[]string{"work"}, 0, "order/820982911946154508 (9999)"},
		{[]string{"work", "--json"}, 0, `"number": "9999"`},
	} {
		if out, code := run(c.args...); code != c.exit || !strings.Contains(out, c.says) {
			t.Errorf("%q: exit %d, want %d and %q in:\n%s", c.args, code, c.exit, c.says, out)
		}
	}
}
