package shopify

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// digits is how many decimals amounts of a currency have (ISO 4217, the ones
// that don't have two).
func digits(currency string) int32 {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// amount reads a decimal that isn't negative; "" is zero.
func amount(what, text string) (decimal.Decimal, error) {
	if text == "" {
		return decimal.Zero, nil
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.IsNegative() {
		return decimal.Zero, fmt.Errorf("%s %q is not an amount of 0 or more, such as 10.00", what, text)
	}
	return d, nil
}

// round rounds to the currency's decimals, halves away from zero.
func (s *Server) round(d decimal.Decimal) decimal.Decimal { return d.Round(digits(s.Currency)) }

// money is an amount as webhooks write it: "414.95", "10.00".
func (s *Server) money(d decimal.Decimal) string { return d.StringFixed(digits(s.Currency)) }

// set is a *_set object of a webhook.
func (s *Server) set(d decimal.Decimal) map[string]any {
	one := func() map[string]any { return map[string]any{"amount": s.money(d), "currency_code": s.Currency} }
	return map[string]any{"shop_money": one(), "presentment_money": one()}
}

// graphMoney is an amount as GraphQL writes it: "414.95", "10.0". Decimals in
// Shopify's GraphQL answers have no fixed number of places (schema 2026-07,
// scalar Decimal).
func graphMoney(d decimal.Decimal) string {
	text := d.String()
	if !strings.Contains(text, ".") {
		return text + ".0"
	}
	text = strings.TrimRight(text, "0")
	if strings.HasSuffix(text, ".") {
		text += "0"
	}
	return text
}

func (s *Server) moneyV2(d decimal.Decimal) *object {
	return &object{typ: "MoneyV2", fields: fields{"amount": graphMoney(d), "currencyCode": s.Currency}}
}

func (s *Server) bag(d decimal.Decimal) *object {
	return &object{typ: "MoneyBag", fields: fields{"shopMoney": s.moneyV2(d), "presentmentMoney": s.moneyV2(d)}}
}
