package shopify

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock"
)

// order is a Shopify order read out of either shape, still as Shopify tells it.
// One function makes statements of it, so both shapes end in the same ones.
type order struct {
	gid, name          string
	placed, updated    time.Time
	cancelled          time.Time // zero: it is not
	reason             string
	currency           string // of the shop
	email, phone       string // given with the order
	customer           *customer
	billing, shipping  *crossdock.Address
	lines              []line
	charges            []charge
	original, current  crossdock.Totals // before and after returns and edits
	note, purchaseCode string
	test, taxIncluded  bool
}

type customer struct{ gid, first, last, email, phone string }

// line holds discounts and taxes as Shopify states them: of all units ever
// ordered, also those refunded or removed (LineItem.discountAllocations and
// .taxLines in the Admin GraphQL schema 2026-07).
type line struct {
	gid, sku, title, variant string
	quantity, current        crossdock.Decimal // ordered; without what was refunded or removed
	price                    crossdock.Money
	discounts                []crossdock.Money
	taxes                    []crossdock.TaxAmount
	ships, giftCard          bool
}

type charge struct {
	key, code, title string
	price            crossdock.Money
	discounts        []crossdock.Money
	taxes            []crossdock.TaxAmount
	removed          bool
}

// changed reports an order of which something was refunded or removed. Of a
// cancelled one the quantities once ordered are told, so it counts as unchanged.
func (o order) changed() bool {
	if !o.cancelled.IsZero() {
		return false
	}
	for _, l := range o.lines {
		if !l.current.Equal(l.quantity) {
			return true
		}
	}
	for _, c := range o.charges {
		if c.removed {
			return true
		}
	}
	return false
}

// form gives the order in the hub's form, with refs of the shop.
func (o order) form(from crossdock.System, buyer crossdock.Ref) crossdock.Order {
	out := crossdock.Order{
		Number: strings.TrimPrefix(o.name, "#"), Channel: from, Placed: o.placed, Currency: o.currency, Customer: buyer,
		BillTo: o.billing, ShipTo: o.shipping, TaxIncluded: o.taxIncluded, Totals: o.original,
		PurchaseCode: o.purchaseCode, Note: o.note, Test: o.test,
	}
	if o.changed() {
		out.Totals = o.current
	} else {
		// total_shipping_price_set is before discounts, current_shipping_price_set after.
		for _, c := range o.charges {
			out.Totals.Charges = less(out.Totals.Charges, c.discounts...)
		}
	}
	for _, l := range o.lines {
		out.Lines = append(out.Lines, l.form(!o.cancelled.IsZero()))
	}
	for _, c := range o.charges {
		if !c.removed {
			out.Charges = append(out.Charges, crossdock.Charge{
				Key: c.key, Code: c.code, Title: c.title, Price: c.price, Discount: sum(c.discounts), Taxes: due(c.taxes)})
		}
	}
	if o.changed() {
		o.level(&out)
	}
	out.Discount = o.unallocated(out)
	if !o.cancelled.IsZero() {
		out.Cancelled = &crossdock.Cancellation{At: o.cancelled, Reason: o.reason}
	}
	return out
}

// form gives a line with the part of its discounts and taxes that falls on the
// units still wanted, each rounded to the currency's coin.
func (l line) form(whole bool) crossdock.Line {
	wanted := l.current
	if whole {
		wanted = l.quantity
	}
	out := crossdock.Line{Key: l.gid, SKU: l.sku, Title: l.title, Quantity: crossdock.Quantity{Count: wanted},
		Price: l.price, Ships: l.ships, GiftCard: l.giftCard}
	if l.variant != "" && l.variant != "Default Title" {
		out.Title += " - " + l.variant
	}
	var discounts []crossdock.Money
	for _, d := range l.discounts {
		discounts = append(discounts, part(d, wanted, l.quantity))
	}
	out.Discount = sum(discounts)
	taxes := make([]crossdock.TaxAmount, len(l.taxes))
	for i, t := range l.taxes {
		t.Amount = part(t.Amount, wanted, l.quantity)
		taxes[i] = t
	}
	out.Taxes = due(taxes)
	return out
}

// level makes the parts of discounts and taxes of partly refunded lines add up to
// what Shopify states for the whole order. Shopify does not state the parts, so
// they are ours to round, and what rounding leaves goes on the last of them. A
// greater difference is not ours to hide.
func (o order) level(out *crossdock.Order) {
	var discounts, taxes []*crossdock.Money
	off, tax := out.Totals.Discount, out.Totals.Tax
	for i := range out.Lines {
		l := &out.Lines[i]
		split := l.Quantity.Count.IsPositive() && !o.lines[i].quantity.Equal(l.Quantity.Count)
		if off = less(off, l.Discount); split && !l.Discount.IsZero() {
			discounts = append(discounts, &l.Discount)
		}
		for j := range l.Taxes {
			if tax = less(tax, l.Taxes[j].Amount); split {
				taxes = append(taxes, &l.Taxes[j].Amount)
			}
		}
	}
	for _, c := range out.Charges {
		off = less(off, c.Discount)
		for _, t := range c.Taxes {
			tax = less(tax, t.Amount)
		}
	}
	spread(off, discounts)
	spread(tax, taxes)
}

// spread puts what is left of a sum on the last of its parts, if rounding each
// of them to a coin can have left it.
func spread(left crossdock.Money, parts []*crossdock.Money) {
	most := decimal.New(int64(len(parts)), -crossdock.Digits(left.Currency))
	if len(parts) == 0 || left.Amount.Abs().GreaterThan(most) {
		return
	}
	last := parts[len(parts)-1]
	last.Amount = last.Amount.Add(left.Amount)
}

// unallocated is what the order's discounts come to beyond those on its lines and
// charges. An order whose discounts were all allocated at first has none, however
// the parts are rounded after a refund.
func (o order) unallocated(out crossdock.Order) crossdock.Money {
	rest := o.original.Discount
	for _, l := range o.lines {
		rest = less(rest, l.discounts...)
	}
	for _, c := range o.charges {
		rest = less(rest, c.discounts...)
	}
	if o.changed() && rest.Amount.IsPositive() {
		rest = out.Totals.Discount
		for _, l := range out.Lines {
			rest = less(rest, l.Discount)
		}
		for _, c := range out.Charges {
			rest = less(rest, c.Discount)
		}
	}
	if !rest.Amount.IsPositive() {
		return crossdock.Money{}
	}
	return rest
}

// part is the share of wanted units in an amount for all of them.
func part(m crossdock.Money, wanted, all crossdock.Decimal) crossdock.Money {
	if wanted.Equal(all) || !all.IsPositive() {
		return m
	}
	return crossdock.Money{Amount: m.Amount.Mul(wanted).DivRound(all, crossdock.Digits(m.Currency)), Currency: m.Currency}
}

// due leaves out taxes of nothing: Shopify lists exempt ones too.
func due(taxes []crossdock.TaxAmount) []crossdock.TaxAmount {
	var out []crossdock.TaxAmount
	for _, t := range taxes {
		if !t.Amount.IsZero() {
			out = append(out, t)
		}
	}
	return out
}

// sum adds amounts of one currency, which is what reader.money lets through.
func sum(amounts []crossdock.Money) crossdock.Money {
	var out crossdock.Money
	for _, m := range amounts {
		out = crossdock.Money{Amount: out.Amount.Add(m.Amount), Currency: either(m.Currency, out.Currency)}
	}
	return out
}

// less subtracts amounts of one currency; from an amount nobody stated nothing is.
func less(from crossdock.Money, amounts ...crossdock.Money) crossdock.Money {
	if from.Currency == "" {
		return from
	}
	return crossdock.Money{Amount: from.Amount.Sub(sum(amounts).Amount), Currency: from.Currency}
}
