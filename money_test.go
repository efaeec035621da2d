package crossdock_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	exact "github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/crossdockhq/crossdock"
)

func TestParseMoney(t *testing.T) {
	for _, c := range []struct{ in, out, fault string }{
		{"12.50 USD", "12.50 USD", ""},
		{" 12.5 USD ", "12.50 USD", ""},
		{"12 USD", "12.00 USD", ""},
		{"-0.005 EUR", "-0.005 EUR", ""},
		{"-0.00 EUR", "0.00 EUR", ""},
		{"12.505 USD", "12.505 USD", ""}, // a decimal that counts is never dropped
		{"1000 JPY", "1000 JPY", ""},
		{"1000.50 JPY", "1000.5 JPY", ""},
		{"1.5 KWD", "1.500 KWD", ""},
		{strings.Repeat("9", 40) + " USD", strings.Repeat("9", 40) + ".00 USD", ""},
		{strings.Repeat("9", 41) + " USD", "", "at most 40 characters"},
		{"1e3 USD", "", "no plain decimal number"},
		{"1E3 USD", "", "no plain decimal number"},
		{"1e999999999 USD", "", "no plain decimal number"},
		{"12.50", "", "write the amount, a space and the currency"},
		{"", "", "write the amount"},
		{"12,50 EUR", "", "is no decimal number"},
		{"0x10 EUR", "", "is no decimal number"},
		{"1_000 EUR", "", "is no decimal number"},
		{"NaN EUR", "", "is no decimal number"},
		{"Inf EUR", "", "is no decimal number"},
		{"١٢ EUR", "", "is no decimal number"},
		{" EUR", "", "write the amount"},
		{"12.50 usd", "", "three capital letters"},
		{"12.50 US", "", "three capital letters"},
		{"12.50 USDX", "", "three capital letters"},
		{"12.50 €", "", "three capital letters"}, // three bytes
		{"12.50 123", "", "three capital letters"},
		{"12.50 U D", "", "three capital letters"},
		{"12.50  USD", "", "three capital letters"},
	} {
		t.Run(c.in, func(t *testing.T) {
			got, err := crossdock.ParseMoney(c.in)
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

// decimals draws plain decimal numbers with up to 30 digits.
func decimals() *rapid.Generator[crossdock.Decimal] {
	return rapid.Custom(func(t *rapid.T) crossdock.Decimal {
		n, ok := new(big.Int).SetString(rapid.StringMatching(`-?[0-9]{1,30}`).Draw(t, "digits"), 10)
		if !ok {
			t.Fatal("the generator made no number")
		}
		return exact.NewFromBigInt(n, -rapid.Int32Range(0, 8).Draw(t, "decimals"))
	})
}

func moneys(currency *rapid.Generator[string]) *rapid.Generator[crossdock.Money] {
	return rapid.Custom(func(t *rapid.T) crossdock.Money {
		return crossdock.Money{Amount: decimals().Draw(t, "amount"), Currency: currency.Draw(t, "currency")}
	})
}

func currencies() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"USD", "EUR", "JPY", "KWD"}), rapid.StringMatching(`[A-Z]{3}`))
}

func TestMoneyTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := moneys(currencies()).Draw(t, "money")
		if strings.ContainsAny(strings.TrimSuffix(m.String(), m.Currency), "eE") {
			t.Fatalf("%s has an exponent", m)
		}
		_, frac, _ := strings.Cut(strings.Fields(m.String())[0], ".")
		if int32(len(frac)) < crossdock.Digits(m.Currency) {
			t.Fatalf("%s lacks decimals of its coins", m)
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var got crossdock.Money
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(m) || got.Currency != m.Currency || got.String() != m.String() {
			t.Fatalf("%s came back as %s", m, got)
		}
	})
}

func TestMoneySums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Just("USD")
		a, b, c := moneys(one).Draw(t, "a"), moneys(one).Draw(t, "b"), moneys(one).Draw(t, "c")
		sum := func(list ...crossdock.Money) (s crossdock.Money) {
			for _, m := range list {
				var err error
				if s, err = s.Plus(m); err != nil {
					t.Fatal(err)
				}
			}
			return s
		}
		if !sum(a, b, c).Equal(sum(c, a, b)) {
			t.Fatal("the order of adding counts")
		}
		if back, err := sum(a, b).Minus(b); err != nil || !back.Equal(a) {
			t.Fatalf("%s + %s − %s = %s, %v", a, b, b, back, err)
		}
		if off := a.Round().Amount.Sub(a.Amount).Abs(); off.GreaterThan(exact.RequireFromString("0.005")) {
			t.Fatalf("Round moved %s by %s", a, off)
		}
	})
}

func TestMoneyOfTwoCurrencies(t *testing.T) {
	usd, eur := money(t, "1.00 USD"), money(t, "1.00 EUR")
	if got, err := usd.Plus(eur); err == nil || crossdock.CodeOf(err) != crossdock.Invalid || !got.IsZero() {
		t.Errorf("Plus gave %s, %v", got, err)
	}
	if got, err := usd.Minus(eur); err == nil {
		t.Errorf("Minus gave %s", got)
	}
	if n, err := usd.Compare(eur); err == nil {
		t.Errorf("Compare gave %d", n)
	}
	if usd.Equal(eur) {
		t.Error("a dollar equals a euro")
	}
	if got, err := money(t, "0.00 USD").Plus(eur); err == nil {
		t.Errorf("no dollars plus a euro gave %s: only the zero Money has no currency", got)
	}
	if got, err := (crossdock.Money{}).Plus(eur); err != nil || got.String() != "1.00 EUR" {
		t.Errorf("the zero Money plus a euro gave %s, %v", got, err)
	}
}

func TestRoundToCoins(t *testing.T) {
	for in, want := range map[string]string{
		"1.005 USD": "1.01 USD", "-1.005 USD": "-1.01 USD", "1.004 USD": "1.00 USD",
		"10.5 JPY": "11 JPY", "10.4 JPY": "10 JPY", "1.0005 KWD": "1.001 KWD", "1.0004 KWD": "1.000 KWD",
	} {
		if got := money(t, in).Round().String(); got != want {
			t.Errorf("%s rounded is %s, want %s", in, got, want)
		}
	}
}

// What MarshalText writes can be read; what could not be is refused when written.
func TestMoneyThatCouldNotBeReadIsNotWritten(t *testing.T) {
	for _, m := range []crossdock.Money{
		{Amount: exact.New(5, 0)},
		{Amount: exact.New(5, 0), Currency: "usd"},
		{Amount: exact.New(1, 60), Currency: "USD"},
		{Amount: exact.New(1, 39), Currency: "USD"}, // 40 digits, and .00
		{Amount: exact.New(1, 1<<30), Currency: "USD"},
	} {
		if b, err := m.MarshalText(); err == nil {
			t.Errorf("wrote %s", b)
		}
	}
	b, err := json.Marshal(crossdock.Money{})
	if err != nil || string(b) != `""` {
		t.Errorf("the zero Money is %s, %v", b, err)
	}
}

func money(t testing.TB, s string) crossdock.Money {
	t.Helper()
	m, err := crossdock.ParseMoney(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"12.50 USD", "1000 JPY", "-1.500 KWD", "1e9 USD", " ", "0 €", strings.Repeat("1", 41) + " USD", ".5 USD", "5. USD", "+5 USD", "+-5 USD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := crossdock.ParseMoney(s)
		if err != nil {
			if crossdock.CodeOf(err) != crossdock.Invalid {
				t.Fatalf("%q: code %q", s, crossdock.CodeOf(err))
			}
			return
		}
		// A number of 40 characters may get three decimals and a point more.
		text := m.String()
		if len(text) > 40+1+3+4 || m.Validate() != nil {
			t.Fatalf("%q was read as %q", s, text)
		}
		written, err := m.MarshalText()
		if err != nil {
			return // a number at the bound, to which the coins' decimals come
		}
		var again crossdock.Money
		if err := again.UnmarshalText(written); err != nil || !again.Equal(m) || again.String() != text {
			t.Fatalf("%q → %q → %q, %v", s, written, again, err)
		}
	})
}
