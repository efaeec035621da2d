package shopify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func (s *shop) row(model, key string) map[string]any {
	s.t.Helper()
	rows, err := s.Match(model, map[string]string{"key": key})
	s.must(err)
	if len(rows) != 1 {
		s.t.Fatalf("%d rows for %s %s", len(rows), model, key)
	}
	return rows[0]
}

func (s *shop) has(model, key string, want map[string]any) {
	s.t.Helper()
	row := s.row(model, key)
	for field, v := range want {
		if fmt.Sprint(row[field]) != fmt.Sprint(v) {
			s.t.Errorf("%s %s: %s is %v, want %v", model, key, field, row[field], v)
		}
	}
}

func TestAmountsAddUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		included bool
		buy      Buy
		want     string // subtotal discounts shipping tax total
	}{
		{"plain", false, Buy{Lines: []Line{{SKU: "TEA", Quantity: 2}}}, "20.00 0.00 0.00 1.60 21.60"},
		{"half a cent of tax rounds up", false, Buy{Lines: []Line{{SKU: "TEA", Quantity: 1}}, Shipping: Shipping{Price: "10.20", Tax: []Tax{{"T", "0.075"}}}}, "10.00 0.00 10.20 1.57 21.77"},
		{"tax is rounded per line", false, Buy{Lines: []Line{{SKU: "TEA", Quantity: 1, Price: "0.07"}, {SKU: "CUP", Quantity: 1, Price: "0.07"}}}, "0.14 0.00 0.00 0.02 0.16"},
		{"shipping with tax", false, Buy{Lines: []Line{{SKU: "TEA", Quantity: 1}}, Shipping: Shipping{Price: "4.50", Tax: []Tax{{"T", "0.08"}}}}, "10.00 0.00 4.50 1.16 15.66"},
		{"a line's discount", false, Buy{Lines: []Line{{SKU: "TEA", Quantity: 2, Discount: "1.00"}}}, "19.00 1.00 0.00 1.52 20.52"},
		{"a third of three lines", false, Buy{Lines: []Line{{SKU: "A", Quantity: 1, Price: "1"}, {SKU: "B", Quantity: 1, Price: "1"}, {SKU: "C", Quantity: 1, Price: "1"}},
			Discount: Discount{Code: "X", Amount: "1.00"}}, "2.00 1.00 0.00 0.00 2.00"},
		{"a percentage after a line's discount", false, Buy{Lines: []Line{{SKU: "TEA", Quantity: 2, Discount: "1.00"}, {SKU: "CUP", Quantity: 1}},
			Discount: Discount{Code: "X", Percent: "10"}}, "21.82 3.43 0.00 1.75 23.57"},
		{"all of it", false, Buy{Lines: []Line{{SKU: "TEA", Quantity: 1}, {SKU: "CUP", Quantity: 1}}, Discount: Discount{Code: "X", Percent: "100"}}, "0.00 15.25 0.00 0.00 0.00"},
		{"tax in the price", true, Buy{Lines: []Line{{SKU: "TEA", Quantity: 2}}}, "20.00 0.00 0.00 1.48 20.00"},
	} {
		s := open(t, func(cfg *Config) { cfg.TaxesIncluded = c.included })
		c.buy.Order = "1"
		s.buy(c.buy)
		r := s.row("order", "1")
		if got := fmt.Sprint(r["subtotal_price"], " ", r["total_discounts"], " ", r["total_shipping_price"], " ", r["total_tax"], " ", r["total_price"]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		b := decoded(t, s.drain(200)[0])
		allocated := decimal.Zero
		for _, l := range at(t, b, "line_items").([]any) {
			for _, a := range at(t, l, "discount_allocations").([]any) {
				allocated = allocated.Add(decimal.RequireFromString(at(t, a, "amount").(string)))
			}
		}
		if allocated.StringFixed(2) != r["total_discounts"] {
			t.Errorf("%s: the allocations sum to %s", c.name, allocated)
		}
	}
}

func TestCurrenciesHaveTheirOwnDecimals(t *testing.T) {
	s := open(t, func(c *Config) { c.Currency = "JPY" })
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "X", Quantity: 3, Price: "333.4"}}})
	s.has("order", "1", map[string]any{"total_price": "999", "currency": "JPY"})
}

func TestStockFollowsOrders(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 2}, {SKU: "CUP", Quantity: 3}}})
	s.has("inventory", "TEA@E", map[string]any{"available": 1, "committed": 2, "on_hand": 3})
	s.buy(Buy{Order: "2", Lines: []Line{{SKU: "TEA", Quantity: 2}}}) // more than there is
	s.has("inventory", "TEA@E", map[string]any{"available": -1, "committed": 4, "on_hand": 3})
	s.buy(Buy{Order: "3", Lines: []Line{{SKU: "CUP", Quantity: 3}}, Location: "W"})
	s.has("inventory", "CUP@W", map[string]any{"available": 1, "committed": 3})
	s.must(s.Cancel("2", true))
	s.has("inventory", "TEA@E", map[string]any{"available": 1, "committed": 2, "on_hand": 3})
	s.must(s.Cancel("1", false)) // the goods are gone
	s.has("inventory", "TEA@E", map[string]any{"available": 1, "committed": 0, "on_hand": 1})
	s.must(s.Edit("3", "CUP", 1))
	s.has("inventory", "CUP@W", map[string]any{"available": 3, "committed": 1, "on_hand": 4})
	s.must(s.Edit("3", "TEA", 1)) // a product it did not have
	s.has("inventory", "TEA@E", map[string]any{"available": 0, "committed": 1})
	s.has("order", "3", map[string]any{"lines": 2, "skus": "CUP x1, TEA x1", "units": 2, "edited": true})
}

func TestAnOrderIsSentFromTheFirstPlaceThatHasEnough(t *testing.T) {
	s := open(t, nil)
	s.must(s.SetAvailable("CUP", "E", 2))
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 3}}})
	s.has("inventory", "CUP@E", map[string]any{"available": 2, "committed": 0})
	s.has("inventory", "CUP@W", map[string]any{"available": 1, "committed": 3})
	s.buy(Buy{Order: "2", Lines: []Line{{SKU: "CUP", Quantity: 3}}}) // nowhere enough
	s.has("inventory", "CUP@E", map[string]any{"available": -1, "committed": 3})
}

// A value the schema doesn't allow is an error of the stand-in, never an answer.
func TestTheStandInChecksItsOwnAnswers(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 1}}, Customer: Customer{First: "X", Email: "x@example.org",
		Billing: Address{Address1: "1 Road", CountryCode: "XQ"}}})
	_, out := s.post(map[string]any{"query": `{ order(id: "gid://shopify/Order/1") { billingAddress { countryCodeV2 } } }`}, nil)
	if code, message := errorCode(t, out); code != "INTERNAL_SERVER_ERROR" || !strings.Contains(message, "XQ") {
		t.Errorf("%s %s", code, message)
	}
	same(t, out, []any{"order", "billingAddress", "countryCodeV2"}, "errors", 0, "path")
}

func TestEditsKeepWhatWasOrderedApartFromWhatIsLeft(t *testing.T) {
	s := open(t, nil)
	id := s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 4, Discount: "1.00"}}})
	s.must(s.Edit("1", "CUP", 1))
	s.has("order", "1", map[string]any{"total_price": "21.60", "current_total_price": "5.40", "total_outstanding": "-16.20", "financial_status": "paid"})
	line := func() any {
		return at(t, s.ask(operation(t, "HubOrderLines"), map[string]any{"id": id, "after": nil}), "order", "lineItems", "nodes", 0)
	}
	same(t, line(), 4, "quantity")
	same(t, line(), 1, "currentQuantity")
	s.must(s.Edit("1", "CUP", 6))
	same(t, line(), 6, "quantity")
	same(t, line(), 6, "currentQuantity")
	if s.row("order", "1")["financial_status"] != "partially_paid" {
		t.Errorf("an order that grew is %v", s.row("order", "1")["financial_status"])
	}
	s.must(s.Pay("1"))
	s.has("order", "1", map[string]any{"total_outstanding": "0.00", "financial_status": "paid"})
}

func TestPaymentDecidesHowACancellationEnds(t *testing.T) {
	for payment, want := range map[string][2]string{"paid": {"paid", "refunded"}, "authorized": {"authorized", "voided"}, "pending": {"pending", "voided"}} {
		s := open(t, nil)
		id := s.buy(Buy{Order: "1", Payment: payment, Lines: []Line{{SKU: "TEA", Quantity: 1}}})
		s.has("order", "1", map[string]any{"financial_status": want[0], "cancelled": false})
		s.must(s.Cancel("1", true))
		s.has("order", "1", map[string]any{"financial_status": want[1], "cancelled": true, "cancel_reason": "customer"})
		got := s.ask(operation(t, "HubOrderRead"), map[string]any{"id": id})
		same(t, got, "CUSTOMER", "order", "cancelReason")
		refunds := at(t, got, "order", "refunds").([]any)
		if (payment == "paid") != (len(refunds) == 1) {
			t.Errorf("%s: %d refunds", payment, len(refunds))
		}
		if payment == "paid" {
			same(t, got, "SALE", "order", "transactions", 0, "kind")
			same(t, got, at(t, got, "order", "transactions", 0, "id"), "order", "transactions", 1, "parentTransaction", "id")
			same(t, got, "10.8", "order", "totalRefundedSet", "shopMoney", "amount")
			same(t, got, 0, "order", "lineItems", "nodes", 0, "currentQuantity")
			same(t, got, 1, "order", "lineItems", "nodes", 0, "quantity")
		}
	}
}

func TestCustomersReturnByTheirAddress(t *testing.T) {
	s := open(t, nil)
	one := []Line{{SKU: "CUP", Quantity: 1}}
	s.buy(Buy{Order: "1", Lines: one})
	s.buy(Buy{Order: "2", Lines: one, Customer: Customer{First: "Ada", Last: "Lee-Smith", Email: "ADA@example.org"}})
	s.buy(Buy{Order: "3", Lines: one, Guest: true})
	if a, b := s.row("order", "1")["customer"], s.row("order", "2")["customer"]; a != b || a == "" {
		t.Errorf("one address, customers %v and %v", a, b)
	}
	if s.row("order", "3")["customer"] != "" {
		t.Error("a guest became a customer")
	}
	got := s.ask(operation(t, "HubOrderRead"), map[string]any{"id": "gid://shopify/Order/3"})
	same(t, got, nil, "order", "customer")
	same(t, got, nil, "order", "purchasingEntity")
	same(t, got, "ada@example.org", "order", "email")
	if b := decoded(t, s.Deliveries(s.now)[4]); b["customer"] != nil {
		t.Errorf("the guest's webhook names a customer: %v", b["customer"])
	}
}

func TestThingsThatCannotBeAreRefused(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	s.must(s.Cancel("1", true))
	s.buy(Buy{Order: "2", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	before := fmt.Sprint(s.Rows("inventory"), len(s.Rows("order")))
	buy := func(b Buy) error { _, err := s.Buy(b); return err }
	tea := []Line{{SKU: "TEA", Quantity: 1}}
	for name, c := range map[string]struct {
		err  error
		part string
	}{
		"nothing":            {buy(Buy{Order: "9"}), "nothing is bought"},
		"twice":              {buy(Buy{Order: "#2", Lines: tea}), "has it already"},
		"a name":             {buy(Buy{Order: "tea-1", Lines: tea}), "by its number"},
		"none":               {buy(Buy{Order: "9", Lines: []Line{{SKU: "TEA"}}}), "0 \"TEA\""},
		"a price":            {buy(Buy{Order: "9", Lines: []Line{{SKU: "TEA", Quantity: 1, Price: "-1"}}}), "not an amount"},
		"a discount":         {buy(Buy{Order: "9", Lines: []Line{{SKU: "TEA", Quantity: 1, Discount: "11"}}}), "more than the line's"},
		"an order discount":  {buy(Buy{Order: "9", Lines: tea, Discount: Discount{Amount: "11"}}), "more than the goods'"},
		"two discounts":      {buy(Buy{Order: "9", Lines: tea, Discount: Discount{Amount: "1", Percent: "1"}}), "not both"},
		"a place":            {buy(Buy{Order: "9", Lines: tea, Location: "X"}), "it has E, W"},
		"a payment":          {buy(Buy{Order: "9", Lines: tea, Payment: "cash"}), "none of paid"},
		"shipping":           {buy(Buy{Order: "9", Lines: tea, Shipping: Shipping{Price: "x"}}), "not an amount"},
		"a tax":              {buy(Buy{Order: "9", Lines: tea, Shipping: Shipping{Price: "1", Tax: []Tax{{"T", "8"}}}}), "0 to 1"},
		"cancel twice":       {s.Cancel("1", true), "cancelled already"},
		"cancel nothing":     {s.Cancel("77", true), "no order"},
		"edit a cancelled":   {s.Edit("1", "TEA", 2), "can't be edited"},
		"edit an unknown":    {s.Edit("2", "GHOST", 2), "sells TEA, CUP"},
		"remove what is not": {s.Edit("2", "CUP", 0), "no line"},
		"edit below zero":    {s.Edit("2", "TEA", -1), "can't be ordered"},
		"pay twice":          {s.Pay("2"), "owes nothing"},
		"stock of nothing":   {s.SetAvailable("GHOST", "E", 1), "sells TEA, CUP"},
		"stock nowhere":      {s.SetAvailable("TEA", "X", 1), "it has E, W"},
		"a product twice":    {s.AddProduct(Product{SKU: "TEA"}), "already"},
		"a place twice":      {s.AddLocation("E", "x"), "already"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.part) {
			t.Errorf("%s: error %v, want one with %q", name, c.err, c.part)
		}
	}
	if after := fmt.Sprint(s.Rows("inventory"), len(s.Rows("order"))); after != before {
		t.Errorf("something refused had an effect:\n%s\n%s", before, after)
	}
}

func TestAPersonWhoSetsStockTellsTheHubOfChangesOnly(t *testing.T) {
	s := open(t, nil)
	if n := len(s.Deliveries(s.now)); n != 0 {
		t.Errorf("stocking told of %d things", n)
	}
	s.must(s.SetAvailable("TEA", "E", 3))
	s.must(s.SetAvailable("TEA", "E", 8))
	if due := s.drain(200); len(due) != 1 {
		t.Errorf("%d webhooks", len(due))
	} else {
		same(t, decoded(t, due[0]), 8, "available")
	}
}

func TestUpdatedAtNeverGoesBack(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	s.now = s.now.Add(-time.Hour)
	s.must(s.Edit("1", "CUP", 2))
	s.has("order", "1", map[string]any{"updated_at": "2026-11-02T18:00:00Z"})
}

func TestMatchRefusesWhatItDoesNotKnow(t *testing.T) {
	s := open(t, nil)
	s.buy(Buy{Order: "1002", Lines: []Line{{SKU: "TEA", Quantity: 2}}})
	for model, where := range map[string]map[string]string{"ordr": nil, "order": {"totl_price": "1"}} {
		if _, err := s.Match(model, where); err == nil || !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s %v: %v", model, where, err)
		}
	}
	for want, where := range map[int]map[string]string{
		1: {"key": "1002", "total_price": "21.6", "cancelled": "false"}, 0: {"key": "1002", "total_price": "21.61"},
	} {
		if rows, err := s.Match("order", where); err != nil || len(rows) != want {
			t.Errorf("%v: %d rows, %v", where, len(rows), err)
		}
	}
	for model, has := range Models() {
		for _, row := range s.Rows(model) {
			for _, field := range has {
				if _, ok := row[field]; !ok {
					t.Errorf("a row of %s has no %s", model, field)
				}
			}
			if len(row) != len(has) {
				t.Errorf("a row of %s has %d fields, %d are listed", model, len(row), len(has))
			}
		}
	}
}
