package crossdock_test

import (
	"encoding/json"
	"strings"
	"testing"

	exact "github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/crossdockhq/crossdock"
)

func TestParseQuantity(t *testing.T) {
	for _, c := range []struct{ in, out, fault string }{
		{"2", "2", ""},
		{"2.50 kg", "2.5 kg", ""},
		{"2 Case of 12", "2 Case of 12", ""},
		{" 2   Case of 12 ", "2 Case of 12", ""},
		{"-1 Units", "-1 Units", ""},
		{"0.000", "0", ""},
		{"", "", "no decimal number"},
		{"two", "", "no decimal number"},
		{"1e9", "", "no plain decimal number"},
		{strings.Repeat("1", 41), "", "at most 40 characters"},
	} {
		t.Run(c.in, func(t *testing.T) {
			got, err := crossdock.ParseQuantity(c.in)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) || crossdock.CodeOf(err) != crossdock.Invalid {
					t.Errorf("got %v, %v; want an error that says %q", got, err, c.fault)
				}
				return
			}
			if err != nil || got.String() != c.out {
				t.Errorf("got %q, %v; want %q", got, err, c.out)
			}
		})
	}
}

func TestQuantityTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := crossdock.Quantity{
			Count: decimals().Draw(t, "count"),
			Unit:  strings.TrimSpace(rapid.String().Draw(t, "unit")),
		}
		b, err := q.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got crossdock.Quantity
		if err := got.UnmarshalText(b); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(q) || got.Unit != q.Unit {
			t.Fatalf("%q came back as %q", q, got)
		}
	})
}

func TestQuantityOfTwoUnits(t *testing.T) {
	cases, pieces := crossdock.Quantity{Count: exact.New(1, 0), Unit: "Case of 12"}, crossdock.Quantity{Count: exact.New(2, 0)}
	if got, err := cases.Plus(pieces); err == nil || crossdock.CodeOf(err) != crossdock.Invalid {
		t.Errorf("a case plus two pieces gave %s, %v", got, err)
	}
	if got, err := cases.Minus(cases); err != nil || !got.IsZero() || got.Unit != "Case of 12" {
		t.Errorf("a case minus itself gave %s, %v", got, err)
	}
	if got, err := (crossdock.Quantity{}).Plus(cases); err != nil || !got.Equal(cases) {
		t.Errorf("nothing plus a case gave %s, %v", got, err)
	}
}

// A JSON number with an exponent is short and gigantic; no form takes one.
func TestRatesHaveBounds(t *testing.T) {
	for _, rate := range []string{"1e999999999", "1e-999999999", `"1e41"`, "0." + strings.Repeat("1", 41), strings.Repeat("1", 41)} {
		var o crossdock.Order
		in := `{"number":"1","lines":[{"key":"1","taxes":[{"title":"VAT","rate":` + rate + `,"amount":"1.00 USD"}]}]}`
		if err := json.Unmarshal([]byte(in), &o); err == nil || crossdock.CodeOf(err) != crossdock.Invalid {
			t.Errorf("an order with rate %.20s: %v", rate, err)
		}
		for _, field := range []string{"rate", "fixed"} {
			var tax crossdock.Tax
			if err := json.Unmarshal([]byte(`{"name":"VAT","`+field+`":`+rate+`}`), &tax); err == nil || !strings.HasPrefix(err.Error(), field+": ") {
				t.Errorf("a tax with %s %.20s: %v", field, rate, err)
			}
		}
	}
	var tax crossdock.Tax
	if err := json.Unmarshal([]byte(`{"name":"VAT","rate":0.08,"fixed":"8e-2"}`), &tax); err != nil || tax.Rate.String() != "0.08" {
		t.Errorf("an ordinary rate: %s, %v", tax.Rate, err)
	}
}
