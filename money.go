package crossdock

import (
	"strings"

	"github.com/shopspring/decimal"
)

// Decimal is an exact decimal number.
type Decimal = decimal.Decimal

// Money is an exact amount in one currency (ISO 4217). Its text form, in JSON
// too, is "12.50 USD". The zero Money has no currency and is the neutral element
// of Plus, so that sums can start with it.
type Money struct {
	Amount   Decimal
	Currency string
}

// minor lists the currencies whose smallest coin is not a hundredth (ISO 4217).
var minor = map[string]int32{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Digits returns the decimals of a currency's smallest coin (ISO 4217).
func Digits(currency string) int32 {
	if d, ok := minor[currency]; ok {
		return d
	}
	return 2
}

// ParseMoney reads "12.50 USD".
func ParseMoney(s string) (Money, error) {
	amount, currency, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok {
		return Money{}, Errorf(Invalid, "%q is no amount of money: write the amount, a space and the currency, for instance 12.50 USD", s)
	}
	return NewMoney(amount, currency)
}

// NewMoney makes Money of a decimal string and a currency code of three capital letters.
func NewMoney(amount, currency string) (Money, error) {
	d, err := ParseDecimal(amount)
	if err != nil {
		return Money{}, err
	}
	m := Money{d, currency}
	return m, m.Validate()
}

// most is how many characters a number may have as text.
const most = 40

// ParseDecimal reads a plain decimal number of at most 40 characters: no
// exponent, because a short text must not become a gigantic number.
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > most || strings.ContainsAny(s, "eE") {
		return Decimal{}, Errorf(Invalid, "%q is no plain decimal number of at most %d characters", shorten(s, 60), most)
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return Decimal{}, Errorf(Invalid, "%q is no decimal number", s)
	}
	return d, nil
}

// checkDecimal holds a number that came in by another way (a JSON number, which
// may have an exponent) to the bounds of ParseDecimal.
func checkDecimal(d Decimal) error {
	if e := d.Exponent(); e > most || e < -most || d.NumDigits() > most || len(d.String()) > most {
		return Errorf(Invalid, "a number has more than %d characters", most)
	}
	return nil
}

func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Validate reports a currency that is not three capital letters.
func (m Money) Validate() error {
	if !isCapitals(m.Currency, 3) {
		return Errorf(Invalid, "currency %q is not three capital letters (ISO 4217)", shorten(m.Currency, 20))
	}
	return nil
}

// isCapitals reports n letters A to Z.
func isCapitals(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// IsZero reports an amount of nothing, in whatever currency.
func (m Money) IsZero() bool { return m.Amount.IsZero() }

// Plus adds two amounts of one currency; adding euros to dollars is an error.
func (m Money) Plus(o Money) (Money, error) {
	switch {
	case m.Currency == "" && m.Amount.IsZero():
		return o, nil
	case o.Currency == "" && o.Amount.IsZero():
		return m, nil
	case m.Currency != o.Currency:
		return Money{}, Errorf(Invalid, "can't add %s to %s: convert one of them first", o, m)
	}
	return Money{m.Amount.Add(o.Amount), m.Currency}, nil
}

// Minus subtracts o, under the rule of Plus.
func (m Money) Minus(o Money) (Money, error) { return m.Plus(o.Negative()) }

// Negative returns the amount with its sign turned.
func (m Money) Negative() Money { return Money{m.Amount.Neg(), m.Currency} }

// Times multiplies by a plain number, exactly; Round afterwards where coins are meant.
func (m Money) Times(d Decimal) Money { return Money{m.Amount.Mul(d), m.Currency} }

// Round rounds to the currency's smallest coin, half away from zero.
func (m Money) Round() Money { return Money{m.Amount.Round(Digits(m.Currency)), m.Currency} }

// Equal reports the same amount of the same currency: 12.5 USD equals 12.50 USD.
func (m Money) Equal(o Money) bool {
	return m.Amount.Equal(o.Amount) && (m.Currency == o.Currency || m.Amount.IsZero())
}

// Compare returns -1, 0 or 1; two currencies can't be compared.
func (m Money) Compare(o Money) (int, error) {
	if m.Currency != o.Currency && !m.IsZero() && !o.IsZero() {
		return 0, Errorf(Invalid, "can't compare %s with %s: convert one of them first", m, o)
	}
	return m.Amount.Cmp(o.Amount), nil
}

// String writes at least the currency's decimals and never drops one that counts.
func (m Money) String() string {
	if m.Currency == "" {
		return plain(m.Amount, 0)
	}
	return plain(m.Amount, Digits(m.Currency)) + " " + m.Currency
}

// plain writes d without an exponent and without idle zeros beyond least decimals.
func plain(d Decimal, least int32) string {
	s := d.String() // shopspring: no exponent, trailing zeros removed
	whole, frac, _ := strings.Cut(s, ".")
	for int32(len(frac)) < least {
		frac += "0"
	}
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// MarshalText writes String; the zero Money is the empty text. An amount that
// UnmarshalText would refuse (no currency, too long) is refused here already.
func (m Money) MarshalText() ([]byte, error) {
	if m.Currency == "" && m.Amount.IsZero() {
		return nil, nil
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if err := checkDecimal(m.Amount); err != nil {
		return nil, err
	}
	s := m.String()
	if len(s) > most+len(" USD") { // the decimals of the coins came on top
		return nil, Errorf(Invalid, "%s has more than %d characters", s, most)
	}
	return []byte(s), nil
}

// UnmarshalText reads what MarshalText wrote.
func (m *Money) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*m = Money{}
		return nil
	}
	got, err := ParseMoney(string(b))
	if err != nil {
		return err
	}
	*m = got
	return nil
}
