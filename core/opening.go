package core

import (
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/atp"
)

// Opening is what of one order its channel still counts as committed and we have
// promised: the part of the channel's own count that is out of free already.
type Opening struct {
	Cause  crossdock.Ref    `json:"cause"`
	System crossdock.System `json:"system"`
	Lines  []Promised       `json:"lines"`
}

// Tally is what one channel holds of one item over all its locations.
type Tally struct {
	System crossdock.System  `json:"system"`
	Item   crossdock.Ref     `json:"item"`
	Known  crossdock.Decimal `json:"known"`          // the openings of all its orders
	Rose   int64             `json:"rose,omitempty"` // Seq at which Known grew last
	Levels []Level           `json:"levels,omitempty"`
}

// Level is what a channel committed of an item at one location.
type Level struct {
	Of        crossdock.Ref     `json:"of"`            // the offer it is the level of
	Site      crossdock.Ref     `json:"site,omitzero"` // zero: no site of ours stands for the location
	Committed crossdock.Decimal `json:"committed"`
	After     int64             `json:"after,omitempty"` // the last Seq taken when it was asked for
	Seq       int64             `json:"seq,omitempty"`   // of the statement
}

// OpeningAt returns the address of what is open of an order in its channel.
func OpeningAt(cause crossdock.Ref) Address { return Address{Openings, cause.Short()} }

// TallyAt returns the address of what a channel holds of an item.
func TallyAt(system crossdock.System, item crossdock.Ref) Address {
	return Address{Tallies, key(string(system), item.Short())}
}

// Address implements Row.
func (r *Opening) Address() Address { return OpeningAt(r.Cause) }

// Address implements Row.
func (r *Tally) Address() Address { return TallyAt(r.System, r.Item) }

// shown returns the numbers of a tally that say what may be offered.
func (r *Tally) shown() atp.Shown {
	s := atp.Shown{Known: r.Known}
	for _, at := range r.Levels {
		s.Committed = s.Committed.Add(at.Committed)
	}
	return s
}

// opens brings the opening of an order up to date with what its channel and its
// promise say now, and the tallies of its items with it.
func (l *layer) opens(of crossdock.Ref) {
	r := get[Record](l, RecordAt(of))
	var o crossdock.Order
	if r == nil || r.Body.Unpack(&o) != nil || !l.offersTo(o.Channel) {
		return
	}
	was := edit[Opening](l, OpeningAt(of))
	now := l.openLines(of, &o)
	change := map[crossdock.Ref]crossdock.Decimal{}
	var items []crossdock.Ref
	add := func(line Promised, count crossdock.Decimal) {
		if _, there := change[line.Item]; !there {
			items = append(items, line.Item)
		}
		change[line.Item] = change[line.Item].Add(count)
	}
	for _, line := range was.Lines {
		add(line, line.Count.Neg())
	}
	for _, line := range now {
		add(line, line.Count)
	}
	moved := false
	for _, item := range items {
		by := change[item]
		if by.IsZero() {
			continue
		}
		moved = true
		t := l.tally(o.Channel, item)
		t.Known = t.Known.Add(by)
		if by.IsPositive() {
			t.Rose = l.seq
		}
		l.put(t)
	}
	if !moved {
		l.soldUnpromised(of, &o)
		return
	}
	if len(now) == 0 {
		l.drop(OpeningAt(of))
		return
	}
	l.put(&Opening{Cause: of, System: o.Channel, Lines: now})
}

// soldUnpromised has a channel looked at that has sold goods, or called them off, in
// an order that nothing was promised to: the goods are its customer's all the same.
func (l *layer) soldUnpromised(of crossdock.Ref, o *crossdock.Order) {
	if get[Promise](l, PromiseAt(of)) != nil || !open(o.State) && o.State != crossdock.OrderCancelled {
		return
	}
	conn, _ := l.setup.Connection(o.Channel)
	for _, line := range o.Lines {
		for _, site := range conn.Sites {
			if !line.Item.IsZero() {
				l.lookAtOffer(o.Channel, line.Item, crossdock.BookRef(crossdock.KindSite, site))
			}
		}
	}
}

// openLines returns what of an order its channel still counts as committed and is
// promised, by item. A unit that is promised and not counted any more, because the
// channel has sent it, would hide one that was sold unheard; so would one that is
// counted and not promised.
func (l *layer) openLines(of crossdock.Ref, o *crossdock.Order) (out []Promised) {
	p := get[Promise](l, PromiseAt(of))
	if p == nil || o.Cancelled != nil || o.State == crossdock.OrderCancelled {
		return nil
	}
	sent := map[string]crossdock.Decimal{}
	for _, f := range o.Fulfilled {
		sent[f.Line] = sent[f.Line].Add(f.Count)
	}
	for _, line := range p.Lines {
		open := crossdock.Decimal{}
		for _, ordered := range o.Lines {
			if ordered.Item == line.Item && ordered.Quantity.Count.GreaterThan(sent[ordered.Key]) {
				open = open.Add(ordered.Quantity.Count).Sub(sent[ordered.Key])
			}
		}
		if open = least(open, line.Count); open.IsPositive() {
			out = append(out, Promised{Item: line.Item, Count: open})
		}
	}
	return out
}

func least(a, b crossdock.Decimal) crossdock.Decimal {
	if b.LessThan(a) {
		return b
	}
	return a
}

// tally returns a copy of what a channel holds of an item.
func (l *layer) tally(system crossdock.System, item crossdock.Ref) *Tally {
	t := edit[Tally](l, TallyAt(system, item))
	t.System, t.Item = system, item
	return t
}

// offersTo reports whether a system is one that is told what it may sell.
func (l *layer) offersTo(system crossdock.System) bool {
	for _, s := range l.setup.Takers(crossdock.KindOffer) {
		if s == system {
			return true
		}
	}
	return false
}

// follow does what follows from the changes of an entry, whatever made them:
// shipments reach their orders, openings the tallies, and where what is free or
// known has moved, the channels are looked at.
func (l *layer) follow() {
	var orders []crossdock.Ref
	seen := map[crossdock.Ref]bool{}
	order := func(of crossdock.Ref) {
		if of.Kind == crossdock.KindOrder && !seen[of] {
			seen[of] = true
			orders = append(orders, of)
		}
	}
	for _, at := range l.order {
		switch at.Table {
		case Records, Promises, Deliveries:
			kind, key, _ := strings.Cut(at.Key, "/")
			order(crossdock.BookRef(crossdock.Kind(kind), key))
			if r, _ := l.rows[at].(*Record); r != nil && r.Of.Kind == crossdock.KindShipment {
				if of, err := crossdock.ParseRef(r.Body.Text("order")); err == nil {
					order(of)
				}
			}
		}
	}
	for _, of := range orders {
		l.deliver(of)
	}
	for _, of := range orders {
		l.opens(of)
	}
	for i := 0; i < len(l.order); i++ { // what is looked at is added behind
		switch now := l.rows[l.order[i]].(type) {
		case *Balance:
			before, _ := l.base.Row(l.order[i])
			was, _ := before.(*Balance)
			if was == nil {
				was = &Balance{}
			}
			if !freeOf(was).Equal(freeOf(now)) {
				l.freeMoved(now.Item, now.Site)
				if freeOf(was).IsNegative() || freeOf(now).IsNegative() {
					l.shortMoved(now.Item)
				}
			}
		case *Tally:
			before, _ := l.base.Row(l.order[i])
			was, _ := before.(*Tally)
			if was == nil {
				was = &Tally{}
			}
			if !was.Known.Equal(now.Known) {
				l.knownMoved(now)
			}
		}
	}
}
