package shopify

import "github.com/shopspring/decimal"

// sums are an order's amounts over some quantity of each line.
type sums struct {
	goods     decimal.Decimal // lines before discounts
	discounts decimal.Decimal
	subtotal  decimal.Decimal // goods − discounts
	shipping  decimal.Decimal
	tax       decimal.Decimal // of lines and shipping, in the prices or on top
	total     decimal.Decimal
}

// ordered sums what was ever ordered; current what is left after edits and refunds.
func (s *Server) ordered(o *order) sums {
	return s.sum(o, func(l *line) int { return l.quantity }, func(*carriage) bool { return true })
}

func (s *Server) current(o *order) sums {
	return s.sum(o, func(l *line) int { return l.current }, func(c *carriage) bool { return !c.refunded })
}

func (s *Server) sum(o *order, quantity func(*line) int, counts func(*carriage) bool) sums {
	var t sums
	for _, l := range o.lines {
		n := quantity(l)
		t.goods = t.goods.Add(l.goods(n))
		t.discounts = t.discounts.Add(s.discount(l, n))
		for i := range l.tax {
			t.tax = t.tax.Add(s.lineTax(l, n, i))
		}
	}
	for _, c := range o.carriage {
		if !counts(c) {
			continue
		}
		t.shipping = t.shipping.Add(c.price)
		for i := range c.tax {
			t.tax = t.tax.Add(s.tax(c.price, c.tax, i))
		}
	}
	t.subtotal = t.goods.Sub(t.discounts)
	t.total = t.subtotal.Add(t.shipping)
	if !s.TaxesIncluded {
		t.total = t.total.Add(t.tax)
	}
	return t
}

// goods is the price of n units before discounts.
func (l *line) goods(n int) decimal.Decimal { return l.unit.Mul(decimal.NewFromInt(int64(n))) }

// discount is what all discounts take off n units of a line.
func (s *Server) discount(l *line, n int) decimal.Decimal {
	sum := decimal.Zero
	for _, a := range l.allocated {
		sum = sum.Add(s.share(a.amount, l, n))
	}
	return sum
}

// share is the part of a line's amount that falls on n of its units.
func (s *Server) share(of decimal.Decimal, l *line, n int) decimal.Decimal {
	if n == l.quantity || l.quantity == 0 {
		return of
	}
	return s.round(of.Mul(decimal.NewFromInt(int64(n))).Div(decimal.NewFromInt(int64(l.quantity))))
}

// lineTax is one tax on n units of a line, rounded for the line.
func (s *Server) lineTax(l *line, n, tax int) decimal.Decimal {
	return s.tax(l.goods(n).Sub(s.discount(l, n)), l.tax, tax)
}

// tax is the tax of one rate on an amount that has them all, contained in the
// amount when the shop's prices contain tax.
func (s *Server) tax(net decimal.Decimal, rates []rate, which int) decimal.Decimal {
	due := net.Mul(rates[which].rate)
	if s.TaxesIncluded {
		whole := decimal.NewFromInt(1)
		for _, r := range rates {
			whole = whole.Add(r.rate)
		}
		due = due.Div(whole)
	}
	return s.round(due)
}

// taxTotal is one tax of an order, over its lines and shipping.
type taxTotal struct {
	rate
	amount decimal.Decimal
}

// taxes are the order's taxes by title and rate, in the order they appear, over
// what was ever ordered or over what is current.
func (s *Server) taxes(o *order, current bool) []taxTotal {
	var out []taxTotal
	add := func(r rate, amount decimal.Decimal) {
		for i := range out {
			if out[i].title == r.title && out[i].rate.rate.Equal(r.rate) {
				out[i].amount = out[i].amount.Add(amount)
				return
			}
		}
		out = append(out, taxTotal{r, amount})
	}
	for _, l := range o.lines {
		n := l.quantity
		if current {
			n = l.current
		}
		for i, r := range l.tax {
			add(r, s.lineTax(l, n, i))
		}
	}
	for _, c := range o.carriage {
		for i, r := range c.tax {
			if !current || !c.refunded {
				add(r, s.tax(c.price, c.tax, i))
			}
		}
	}
	return out
}

// received and refunded are what moved, whatever is owed.
func (o *order) received() decimal.Decimal { return o.moved("SALE", "CAPTURE") }
func (o *order) refunded() decimal.Decimal { return o.moved("REFUND") }

func (o *order) moved(kinds ...string) decimal.Decimal {
	sum := decimal.Zero
	for _, t := range o.transactions {
		for _, k := range kinds {
			if t.kind == k {
				sum = sum.Add(t.amount)
			}
		}
	}
	return sum
}

// financial is the displayed financial status, derived from the transactions.
func (s *Server) financial(o *order) string {
	received, refunded := o.received(), o.refunded()
	switch {
	case refunded.IsPositive() && refunded.LessThan(received):
		return "PARTIALLY_REFUNDED"
	case refunded.IsPositive():
		return "REFUNDED"
	case received.IsPositive() && received.LessThan(s.current(o).total):
		return "PARTIALLY_PAID"
	case received.IsPositive() || (s.ordered(o).total.IsZero() && o.cancelled.IsZero()):
		return "PAID"
	case o.moved("VOID").IsPositive() || !o.cancelled.IsZero():
		return "VOIDED"
	case o.moved("AUTHORIZATION").IsPositive():
		return "AUTHORIZED"
	}
	return "PENDING"
}
