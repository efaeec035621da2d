package atp

import "github.com/crossdockhq/crossdock"

// Shown are the numbers of one item in one channel that sells it by itself, in the
// item's unit, over all its locations.
type Shown struct {
	Committed crossdock.Decimal // what the channel has sold and not yet sent, as it said last
	Known     crossdock.Decimal // the part of it that we have promised to orders we know
}

// Unseen returns what the channel has sold without a promise of ours: orders that
// have not been heard of yet, and those that are held. It is never negative: an
// order may be known before the channel's count is read again.
func (s Shown) Unseen() crossdock.Decimal {
	unseen := s.Committed.Sub(s.Known)
	if unseen.IsNegative() {
		return crossdock.Decimal{}
	}
	return unseen
}

// Ahead returns by how much the channel has gone down itself for orders we know
// since it was read last.
func (s Shown) Ahead() crossdock.Decimal {
	return Shown{Committed: s.Known, Known: s.Committed}.Unseen()
}

// Offer returns what a channel may sell of an item from a site where so much is
// free: whole units, never fewer than none. What is unseen may have been sold from
// any site, so each site leaves room for all of it.
func Offer(free, unseen crossdock.Decimal) crossdock.Decimal {
	left := free.Sub(unseen).Floor()
	if left.IsNegative() {
		return crossdock.Decimal{}
	}
	return left
}
