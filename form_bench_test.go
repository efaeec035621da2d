package crossdock_test

import (
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// fiveLines is an order as most are.
func fiveLines() crossdock.Order {
	usd := func(s string) crossdock.Money {
		m, err := crossdock.ParseMoney(s + " USD")
		if err != nil {
			panic(err)
		}
		return m
	}
	two, _ := crossdock.ParseQuantity("2")
	o := crossdock.Order{Number: "1001", Channel: "shop", Company: "US1", Placed: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC), Currency: "USD",
		Customer: crossdock.BookRef(crossdock.KindParty, "shop-1"), ShipTo: &crossdock.Address{Name: "Ada Lee", Street: "12 Orchard Way", City: "Los Angeles", Zip: "90012", Region: "CA", Country: "US"},
		Totals: crossdock.Totals{Subtotal: usd("100.00"), Tax: usd("8.00"), Total: usd("108.00")}}
	for _, key := range []string{"1", "2", "3", "4", "5"} {
		o.Lines = append(o.Lines, crossdock.Line{Key: "gid://shopify/LineItem/" + key, SKU: "TEA-" + key, Title: "Tea", Quantity: two, Price: usd("10.00"), Ships: true,
			Taxes: []crossdock.TaxAmount{{Title: "Tax", Rate: two.Count, Amount: usd("1.60")}}})
	}
	return o
}

func BenchmarkPack(b *testing.B) {
	o := fiveLines()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := crossdock.Pack(o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	r, err := crossdock.Pack(fiveLines())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var o crossdock.Order
		if err := r.Unpack(&o); err != nil {
			b.Fatal(err)
		}
	}
}
