package crossdock_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// wrong is one thing a record can't be without, and what is said then.
type wrong[F any] struct {
	name string
	edit func(*F)
	want string // the beginning of the error: its place and what is wrong
}

// refuses checks that good is valid and that each edit of it is refused in its place.
func refuses[F crossdock.Form](t *testing.T, good func() F, cases ...wrong[F]) {
	t.Helper()
	f := good()
	kind, _ := f.FormOf()
	if err := f.Validate(); err != nil {
		t.Errorf("a good %s: %v", kind, err)
	}
	for _, c := range cases {
		t.Run(string(kind)+"/"+c.name, func(t *testing.T) {
			f := good()
			c.edit(&f)
			err := f.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || crossdock.CodeOf(err) != crossdock.Invalid {
				t.Errorf("got %v, want %q …", err, c.want)
			}
		})
	}
}

var (
	noon  = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	order = crossdock.Ref{System: "shop", Kind: "order", Key: "gid://shopify/Order/1001"}
	item  = crossdock.BookRef(crossdock.KindItem, "TEA")
)

func goodOrder(t *testing.T) func() crossdock.Order {
	return func() crossdock.Order {
		return crossdock.Order{
			Number: "1001", Placed: noon, Currency: "USD",
			Lines: []crossdock.Line{
				{Key: "1", SKU: "TEA", Quantity: quantity(t, "2"), Price: money(t, "10.00 USD"), Taxes: []crossdock.TaxAmount{{Title: "VAT", Amount: money(t, "1.60 USD")}}},
				{Key: "2", SKU: "A", Quantity: quantity(t, "0"), Price: money(t, "1.00 USD")},
			},
			Charges: []crossdock.Charge{{Title: "Shipping", Price: money(t, "5.00 USD"), Taxes: []crossdock.TaxAmount{{Title: "VAT", Amount: money(t, "0.40 USD")}}}},
			Totals:  crossdock.Totals{Total: money(t, "27.00 USD")},
		}
	}
}

func quantity(t testing.TB, s string) crossdock.Quantity {
	t.Helper()
	q, err := crossdock.ParseQuantity(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestOrderValidate(t *testing.T) {
	eur := money(t, "1.00 EUR")
	bare := crossdock.Money{Amount: eur.Amount}
	type o = crossdock.Order
	refuses(t, goodOrder(t),
		wrong[o]{"no number", func(r *o) { r.Number = "" }, "number: an order has a number"},
		wrong[o]{"no currency", func(r *o) { r.Currency = "" }, "currency: currency \"\" is not three"},
		wrong[o]{"no time", func(r *o) { r.Placed = time.Time{} }, "placed: "},
		wrong[o]{"no lines", func(r *o) { r.Lines = nil }, "lines: an order has lines"},
		wrong[o]{"a line without a key", func(r *o) { r.Lines[1].Key = "" }, "lines[1]: a line has a key"},
		wrong[o]{"two lines with one key", func(r *o) { r.Lines[1].Key = "1" }, "lines[1]: a line has a key of its own; \"1\""},
		wrong[o]{"a negative quantity", func(r *o) { r.Lines[0].Quantity = quantity(t, "-1") }, "lines[0].quantity: quantity -1 is negative"},
		wrong[o]{"a negative discount", func(r *o) { r.Lines[0].Discount = money(t, "-1.00 USD") }, "lines[0].discount: "},
		wrong[o]{"a price in another currency", func(r *o) { r.Lines[1].Price = eur }, "lines[1]: 1.00 EUR is not in USD"},
		wrong[o]{"a price without a currency", func(r *o) { r.Lines[1].Price = bare }, "lines[1]: 1 is not in USD"},
		wrong[o]{"a tax in another currency", func(r *o) { r.Lines[0].Taxes[0].Amount = eur }, "lines[0]: 1.00 EUR is not in USD"},
		wrong[o]{"a charge in another currency", func(r *o) { r.Charges[0].Price = eur }, "charges[0]: 1.00 EUR is not in USD"},
		wrong[o]{"a tax of a charge in another currency", func(r *o) { r.Charges[0].Taxes[0].Amount = eur }, "charges[0]: 1.00 EUR is not in USD"},
		wrong[o]{"a discount in another currency", func(r *o) { r.Discount = eur }, "discount: 1.00 EUR is not in USD"},
		wrong[o]{"a total in another currency", func(r *o) { r.Totals.Total = eur }, "totals: 1.00 EUR is not in USD"},
	)
}

func TestMasterDataValidate(t *testing.T) {
	type p = crossdock.Party
	refuses(t, func() p { return p{Name: "Ada Lee", Address: crossdock.Address{Country: "DE"}} },
		wrong[p]{"no name", func(r *p) { r.Name = " " }, "name: a party has a name"},
		wrong[p]{"a country in words", func(r *p) { r.Address.Country = "Germany" }, "address.country: country \"Germany\""},
		wrong[p]{"a country in small letters", func(r *p) { r.Address.Country = "de" }, "address.country: "},
		wrong[p]{"a country of digits", func(r *p) { r.Address.Country = "49" }, "address.country: "},
	)
	type i = crossdock.Item
	refuses(t, func() i { return i{Name: "Tea"} },
		wrong[i]{"no name", func(r *i) { r.Name = "" }, "name: an item has a name"})
	type s = crossdock.Stock
	refuses(t, func() s { return s{Item: item, Site: crossdock.BookRef("site", "E")} },
		wrong[s]{"no item", func(r *s) { r.Item = crossdock.Ref{} }, "item: reference"},
		wrong[s]{"half a site", func(r *s) { r.Site.Key = "" }, "site: reference \"book/site/\" names no record"})
	type l = crossdock.Site
	refuses(t, func() l { return l{Code: "E"} },
		wrong[l]{"no code", func(r *l) { r.Code = "" }, "code: a site has a code"})
	type x = crossdock.Tax
	refuses(t, func() x { return x{Name: "VAT 8%"} },
		wrong[x]{"no name", func(r *x) { r.Name = "" }, "name: a tax has a name"})
}

func TestMovementsValidate(t *testing.T) {
	moves := func() []crossdock.Move {
		return []crossdock.Move{{Item: item, Quantity: quantity(t, "1")}, {Item: item, Quantity: quantity(t, "2")}}
	}
	negative := quantity(t, "-2")
	type s = crossdock.Shipment
	refuses(t, func() s { return s{Order: order, State: crossdock.ShipmentDone, Lines: moves()} },
		wrong[s]{"no order", func(r *s) { r.Order = crossdock.Ref{} }, "order: reference"},
		wrong[s]{"a line without an item", func(r *s) { r.Lines[1].Item = crossdock.Ref{} }, "lines[1].item: reference"},
		wrong[s]{"a negative quantity", func(r *s) { r.Lines[0].Quantity = negative }, "lines[0].quantity: quantity -2 is negative"})
	type p = crossdock.Purchase
	refuses(t, func() p { return p{Number: "PO7", Lines: moves()} },
		wrong[p]{"no number", func(r *p) { r.Number = "" }, "number: a purchase has a number"},
		wrong[p]{"a line without an item", func(r *p) { r.Lines[0].Item = crossdock.Ref{} }, "lines[0].item: reference"})
	type b = crossdock.Return
	refuses(t, func() b { return b{Order: order, Lines: moves(), Sellable: moves()} },
		wrong[b]{"no order", func(r *b) { r.Order = crossdock.Ref{} }, "order: reference"},
		wrong[b]{"a negative quantity", func(r *b) { r.Lines[0].Quantity = negative }, "lines[0].quantity: "},
		wrong[b]{"a negative sellable quantity", func(r *b) { r.Sellable[1].Quantity = negative }, "sellable[1].quantity: "})
}

func TestMoneyRecordsValidate(t *testing.T) {
	eur := money(t, "1.00 EUR")
	type i = crossdock.Invoice
	refuses(t, func() i {
		return i{Number: "INV/7", Posted: true, Total: money(t, "21.60 USD"), Residual: money(t, "21.60 USD"),
			Lines: []crossdock.InvoiceLine{{Net: money(t, "20.00 USD"), Taxes: []crossdock.TaxAmount{{Amount: money(t, "1.60 USD")}}}}}
	},
		wrong[i]{"posted without a number", func(r *i) { r.Number = "" }, "number: a posted invoice has a number"},
		wrong[i]{"no total", func(r *i) { r.Total = crossdock.Money{} }, "total: currency"},
		wrong[i]{"a residual in another currency", func(r *i) { r.Residual = eur }, "residual: 1.00 EUR is not in USD"},
		wrong[i]{"a line in another currency", func(r *i) { r.Lines[0].Net = eur }, "lines[0]: 1.00 EUR is not in USD"},
		wrong[i]{"a tax in another currency", func(r *i) { r.Lines[0].Taxes[0].Amount = eur }, "lines[0]: 1.00 EUR is not in USD"})
	type p = crossdock.Payment
	refuses(t, func() p { return p{Amount: money(t, "-5.00 USD"), Received: noon} },
		wrong[p]{"no amount", func(r *p) { r.Amount = crossdock.Money{} }, "amount: currency"},
		wrong[p]{"no time", func(r *p) { r.Received = time.Time{} }, "received: "})
	type d = crossdock.Document
	refuses(t, func() d {
		return d{Number: "fulfilment/300", Type: "fulfilment", To: "shop", State: crossdock.DocumentIssued}
	},
		wrong[d]{"no number", func(r *d) { r.Number = "" }, "number: a document has a number"},
		wrong[d]{"to nobody", func(r *d) { r.To = "" }, "to: a document has a system it goes to"},
		wrong[d]{"no state", func(r *d) { r.State = "" }, "state: \"\" is no state of a document"})
}

// The empty record of every kind but one is refused: each form has something it
// can't be without. (Schemas say which fields are always written, not more.)
func TestNothingIsNoRecord(t *testing.T) {
	for _, f := range crossdock.Forms() {
		if err := f.Validate(); err == nil {
			t.Errorf("an empty %s is valid", reflect.TypeOf(f))
		}
	}
}

func TestDocumentStatesOnlyGoForward(t *testing.T) {
	order := []crossdock.DocumentState{crossdock.DocumentIssued, crossdock.DocumentSent, crossdock.DocumentAcknowledged}
	for i, from := range order {
		for j, to := range order {
			if from.Follows(to) != (j > i) {
				t.Errorf("%s to %s: %v", from, to, from.Follows(to))
			}
		}
	}
	if crossdock.DocumentAcknowledged.Follows(crossdock.DocumentRefused) || crossdock.DocumentRefused.Follows(crossdock.DocumentAcknowledged) {
		t.Error("an end can be followed by another")
	}
	if !crossdock.DocumentSent.Follows(crossdock.DocumentRefused) {
		t.Error("a sent document can't be refused")
	}
}

func TestNetOfALine(t *testing.T) {
	// The lines of Shopify's own sample order: 414.95 − 20 is no whole multiple of anything.
	l := crossdock.Line{Quantity: quantity(t, "3"), Price: money(t, "19.99 USD"), Discount: money(t, "0.01 USD")}
	if got := l.Net().String(); got != "59.96 USD" {
		t.Errorf("net of the line: %s", got)
	}
	c := crossdock.Charge{Price: money(t, "10.00 USD"), Discount: money(t, "2.50 USD")}
	if got := c.Net().String(); got != "7.50 USD" {
		t.Errorf("net of the charge: %s", got)
	}
}

func TestNormOfAnAddress(t *testing.T) {
	a := crossdock.Address{Name: "Ada  Lee", Street: " 1 Main St ", City: "PARIS", Country: "FR"}
	b := crossdock.Address{Name: "ada lee", Street: "1 main st", City: "Paris", Country: "fr"}
	if a.Norm() != b.Norm() {
		t.Errorf("%q and %q", a.Norm(), b.Norm())
	}
	b.City, b.Zip = "", "Paris"
	if a.Norm() == b.Norm() {
		t.Error("a city and a zip are the same place")
	}
	if !(crossdock.Address{}).IsZero() || a.IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestSetup(t *testing.T) {
	s := crossdock.Setup{Connections: []crossdock.Connection{
		{System: "odoo", Takes: []crossdock.Kind{"order", "party"}, Owns: []crossdock.Kind{"item"}},
		{System: "shop", Takes: []crossdock.Kind{"stock"}},
	}}
	if got := s.Takers("party"); len(got) != 1 || got[0] != "odoo" {
		t.Errorf("takers of party: %v", got)
	}
	if !s.Owns("odoo", "item") || s.Owns("shop", "item") || s.Owns("odoo", "stock") || s.Owns("crm", "item") {
		t.Error("Owns is wrong")
	}
	if _, ok := s.Connection("crm"); ok {
		t.Error("a connection nobody configured")
	}
}
