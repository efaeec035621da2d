// Package atp says what can be promised. It is pure and knows nothing of where
// its numbers come from.
package atp

import "github.com/crossdockhq/crossdock"

// Terms are the numbers of one item at one site, in the item's unit.
type Terms struct {
	OnHand    crossdock.Decimal // by the last reading
	Reserved  crossdock.Decimal // by the stock's system for anybody, as of that reading
	Promised  crossdock.Decimal // by us to open orders
	Converted crossdock.Decimal // the part of Promised that Reserved already holds
}

// Foreign returns what the stock's system has reserved for others than us. It is
// never negative: a reading older than our conversion lacks our own part.
func (t Terms) Foreign() crossdock.Decimal {
	foreign := t.Reserved.Sub(t.Converted)
	if foreign.IsNegative() {
		return crossdock.Decimal{}
	}
	return foreign
}

// Free returns what can still be promised: on hand − promised − reserved by
// others. It is negative where a fact took away what was promised before.
func (t Terms) Free() crossdock.Decimal {
	return t.OnHand.Sub(t.Promised).Sub(t.Foreign())
}
