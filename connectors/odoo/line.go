package odoo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock"
)

// orderLine is one line of a sale.order in a want. Numbers are decimal strings
// without idle zeros; ids are keys of Odoo. The tax field is named as on 16 to 18;
// 19 calls it tax_ids and gets it under that name.
type orderLine struct {
	Key      string   `json:"key"`
	Product  string   `json:"product_id,omitempty"`
	Name     string   `json:"name"`
	Quantity string   `json:"product_uom_qty"`
	Price    string   `json:"price_unit"`
	Discount string   `json:"discount"` // percent, at most two decimals
	Taxes    []string `json:"tax_id"`   // empty: no tax, said explicitly
}

var hundred = decimal.NewFromInt(100)

// share is a tax set with the net amount of its lines.
type share struct {
	taxes []string
	net   decimal.Decimal
}

// lines returns the order's lines: one for each line with a quantity, one more
// where a discount can't be said as a percentage, one for each charge, and one for
// each tax set that the discount of the whole order falls on.
//
// It goes on after the first error, which it returns, so that all it needs to know
// is asked for at once.
func (w *orderWriter) lines() ([]orderLine, error) {
	var out []orderLine
	var shares []share
	for i, l := range w.order.Lines {
		if !l.Quantity.Count.IsPositive() {
			continue
		}
		made := w.line(l, fmt.Sprintf("lines[%d]", i))
		out = append(out, made...)
		shares = addShare(shares, made[0].Taxes, l.Net().Amount)
	}
	for i, ch := range w.order.Charges {
		net := ch.Net()
		if net.IsZero() {
			continue
		}
		place := fmt.Sprintf("charges[%d]", i)
		made := w.extra("charge", place, w.cfg.Shipping, "shipping_product")
		made.Key, made.Name, made.Price, made.Taxes = place, or(ch.Title, ch.Code), net.Amount.String(), w.taxes(ch.Taxes, place)
		out = append(out, made)
	}
	if out = append(out, w.orderDiscount(shares)...); len(out) == 0 {
		w.fail("lines", crossdock.Errorf(crossdock.Refused, "order %s has no line with a quantity: there is nothing to make in Odoo", w.order.Number))
	}
	return out, w.err
}

// fail keeps the first error.
func (w *orderWriter) fail(place string, err error) {
	if w.err == nil {
		w.err = crossdock.At(place, err)
	}
}

// line writes one line of the order, and its discount as a second line where no
// percentage with two decimals says it exactly.
func (w *orderWriter) line(l crossdock.Line, place string) []orderLine {
	made := orderLine{
		Key: l.Key, Name: or(l.Title, or(l.SKU, l.Item.Key)),
		Quantity: l.Quantity.Count.String(), Price: l.Price.Amount.String(), Discount: "0", Taxes: w.taxes(l.Taxes, place),
	}
	if l.Item.IsZero() {
		w.fail(place+".item", crossdock.Errorf(crossdock.Invalid, "no item is known for SKU %q: give a product in Odoo this internal reference", l.SKU))
	} else {
		made.Product = w.key(l.Item)
		w.sameUnit(l, place)
	}
	if l.Discount.IsZero() {
		return []orderLine{made}
	}
	gross := l.Price.Amount.Mul(l.Quantity.Count)
	if p, ok := percent(l.Discount.Amount, gross); ok {
		made.Discount = p.String()
		return []orderLine{made}
	}
	cut := w.extra("discount", place, w.cfg.Discount, "discount_product")
	cut.Key, cut.Name, cut.Taxes = l.Key+"/discount", "Discount on "+made.Name, made.Taxes
	cut.Price = l.Discount.Amount.Neg().String()
	return []orderLine{made, cut}
}

// percent returns discount/gross as a percentage between 0 and 100 when two
// decimals, which is what Odoo keeps, say it exactly.
func percent(discount, gross decimal.Decimal) (decimal.Decimal, bool) {
	if !gross.IsPositive() {
		return decimal.Decimal{}, false
	}
	p := discount.Mul(hundred).DivRound(gross, 2)
	exact := p.Mul(gross).Equal(discount.Mul(hundred))
	return p, exact && !p.IsNegative() && p.LessThanOrEqual(hundred)
}

// sameUnit fails a line counted in another unit than its item: twelve pieces must
// not become twelve cases.
func (w *orderWriter) sameUnit(l crossdock.Line, place string) {
	if l.Quantity.Unit == "" {
		return
	}
	r, _ := w.known.Record(l.Item)
	if unit := r.Text("unit"); unit != "" && unit != l.Quantity.Unit {
		w.fail(place+".quantity", crossdock.Errorf(crossdock.Invalid, "the line counts in %q and the product in Odoo in %q: convert the quantity in the channel's mapping", l.Quantity.Unit, unit))
	}
}

// extra starts a line on one of the two products the configuration names.
func (w *orderWriter) extra(what, place, sku, setting string) orderLine {
	var keys []string
	for _, of := range w.known.Named("sku:" + sku) {
		if key := w.known.Key(of); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	made := orderLine{Quantity: "1", Discount: "0"}
	switch len(keys) {
	case 1:
		made.Product = keys[0]
	case 0:
		w.fail(place, crossdock.Errorf(crossdock.Invalid,
			"the %s needs a product with internal reference %q in Odoo: make a service product with it, or name another as %s in crossdock.yaml", what, sku, setting))
	default:
		w.fail(place, crossdock.Errorf(crossdock.Invalid,
			"products %s in Odoo all have internal reference %q: leave it to one of them, or name another as %s in crossdock.yaml", strings.Join(keys, ", "), sku, setting))
	}
	return made
}

// orderDiscount books the discount of the whole order. Where its lines are taxed
// differently it is split over their tax sets in proportion to their net amounts,
// to the currency's smallest coin, the largest remainder first: so the tax of each
// set falls with it.
func (w *orderWriter) orderDiscount(shares []share) []orderLine {
	total := w.order.Discount.Amount
	if total.IsZero() {
		return nil
	}
	var out []orderLine
	for i, part := range split(total, shares, crossdock.Digits(w.order.Currency)) {
		if part.IsZero() {
			continue
		}
		made := w.extra("discount", "discount", w.cfg.Discount, "discount_product")
		made.Key, made.Name, made.Price, made.Taxes = fmt.Sprintf("discount[%d]", i), "Discount", part.Neg().String(), []string{}
		if len(shares) > 0 {
			made.Taxes = shares[i].taxes
		}
		out = append(out, made)
	}
	return out
}

func addShare(shares []share, taxes []string, net decimal.Decimal) []share {
	for i := range shares {
		if slices.Equal(shares[i].taxes, taxes) {
			shares[i].net = shares[i].net.Add(net)
			return shares
		}
	}
	return append(shares, share{taxes, net})
}

// split divides total in proportion to the shares' net amounts, in whole coins.
// The parts add up to total. Without a positive net everything falls on the first.
func split(total decimal.Decimal, shares []share, digits int32) []decimal.Decimal {
	sum := decimal.Zero
	for _, s := range shares {
		if s.net.IsPositive() {
			sum = sum.Add(s.net)
		}
	}
	if len(shares) < 2 || !sum.IsPositive() {
		return append([]decimal.Decimal{total}, make([]decimal.Decimal, max(0, len(shares)-1))...)
	}
	coin := decimal.New(1, -digits)
	parts, order, left := make([]decimal.Decimal, len(shares)), make([]int, len(shares)), total
	rest := make([]decimal.Decimal, len(shares)) // what was cut off, in shares of sum
	for i, s := range shares {
		order[i] = i
		if s.net.IsPositive() {
			parts[i], rest[i] = total.Mul(s.net).QuoRem(sum, digits)
		}
		left = left.Sub(parts[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return rest[b].Cmp(rest[a]) })
	for _, i := range order {
		if left.LessThan(coin) {
			break
		}
		parts[i], left = parts[i].Add(coin), left.Sub(coin)
	}
	parts[order[0]] = parts[order[0]].Add(left) // less than a coin: a total that is none itself
	return parts
}
