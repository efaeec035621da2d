package core

import (
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/atp"
)

// What a channel may sell is a number that others move: it is decided on a look at
// what the channel offers and has committed, and written only where it still
// offers just that.

// offerDelay is how long a look at a channel waits, so that many changes make one.
const offerDelay = 2 * time.Second

// offerRest is how long an offer that others keep changing is left alone before it
// is raised again.
const offerRest = 5 * time.Minute

const whyOffer = "what may be offered has changed"

// offerRef names what a channel offers of an item from a site.
func offerRef(item, site crossdock.Ref, channel crossdock.System) crossdock.Ref {
	return crossdock.BookRef(crossdock.KindOffer, item.Key+"@"+site.Key+"@"+string(channel))
}

// offeredItem returns the item an offer is of.
func offeredItem(of crossdock.Ref) crossdock.Ref {
	item, _, _ := strings.Cut(of.Key, "@")
	return crossdock.BookRef(crossdock.KindItem, item)
}

// freeMoved has the channels looked at that offer an item from a site. One that
// shows more than is left is looked at before anything else is done.
func (l *layer) freeMoved(item, site crossdock.Ref) {
	for _, channel := range l.setup.Takers(crossdock.KindOffer) {
		if l.shipsFrom(channel, site) {
			l.lookAtOffer(channel, item, site)
		}
	}
}

// shortMoved has all offers of an item looked at: each leaves room for what another
// site lacks.
func (l *layer) shortMoved(item crossdock.Ref) {
	for _, channel := range l.setup.Takers(crossdock.KindOffer) {
		conn, _ := l.setup.Connection(channel)
		for _, site := range conn.Sites {
			l.lookAtOffer(channel, item, crossdock.BookRef(crossdock.KindSite, site))
		}
	}
}

// knownMoved has the offers of an item in one channel looked at.
func (l *layer) knownMoved(t *Tally) {
	for _, at := range t.Levels {
		if !at.Site.IsZero() && l.shipsFrom(t.System, at.Site) {
			l.lookAtOffer(t.System, t.Item, at.Site)
		}
	}
}

// shipsFrom reports whether the orders of a channel may ship from a site.
func (l *layer) shipsFrom(channel crossdock.System, site crossdock.Ref) bool {
	conn, _ := l.setup.Connection(channel)
	for _, s := range conn.Sites {
		if s == site.Key {
			return true
		}
	}
	return false
}

// lookAtOffer asks for what a channel offers of an item from a site. Work that would
// raise it above what may be offered now is lowered at once.
func (l *layer) lookAtOffer(channel crossdock.System, item, site crossdock.Ref) {
	of := offerRef(item, site, channel)
	v := get[View](l, ViewAt(channel, of))
	if v == nil || v.Key == "" || v.Gone {
		return
	}
	due := l.at.Add(offerDelay)
	urgent := false
	if may, known := l.mayOffer(channel, item, site); known && v.Heard > 0 {
		s := l.tally(channel, item).shown()
		urgent = may.LessThan(offered(v.Held).Sub(s.Ahead()))
		l.curb(of, may)
	}
	if urgent {
		due = l.at
	}
	if v.Unknown && due.Before(v.Settles) {
		due = v.Settles
	}
	l.look(channel, of, keyed(channel, of, v), due, whyOffer)
	if w := get[Want](l, WantAt(channel, DoLook, of)); urgent && w != nil && w.Lane != crossdock.Urgent {
		c := *w
		c.Lane = crossdock.Urgent
		l.put(&c)
	}
}

// curb takes back a raise that is not on its way yet and would offer too much now.
func (l *layer) curb(of crossdock.Ref, may crossdock.Decimal) {
	var o crossdock.Offer
	r := edit[Record](l, RecordAt(of))
	if r.Of.IsZero() || r.Body.Unpack(&o) != nil || !o.Available.Count.GreaterThan(o.Seen.Count) || !o.Available.Count.GreaterThan(may) {
		return
	}
	if get[Want](l, WantAt(o.Channel, DoPush, of)) == nil {
		return
	}
	o.Available.Count = may
	if may.LessThan(o.Seen.Count) { // to go down is decided on a look
		o.Available.Count = o.Seen.Count
	}
	l.writeOffer(r, o)
}

// offered returns what a channel shows.
func offered(held crossdock.Record) crossdock.Decimal {
	var s crossdock.Stock
	if held.Unpack(&s) != nil {
		return crossdock.Decimal{}
	}
	return s.Offered.Count
}

// mayOffer returns how much of an item a channel may offer from a site: what is free
// there, less what was sold unheard and what another of its sites has promised and
// lacks. Both may have to be sent from here.
func (l *layer) mayOffer(channel crossdock.System, item, site crossdock.Ref) (may crossdock.Decimal, known bool) {
	free, known := l.freeIn(channel, item, site)
	if !known {
		return may, false
	}
	taken := l.tally(channel, item).shown().Unseen()
	conn, _ := l.setup.Connection(channel)
	for _, s := range conn.Sites {
		if b := get[Balance](l, BalanceAt(item, crossdock.BookRef(crossdock.KindSite, s))); b != nil && s != site.Key && freeOf(b).IsNegative() {
			taken = taken.Sub(freeOf(b))
		}
	}
	return atp.Offer(free, taken), true
}

// freeIn returns what is free of an item at a site. It is not known before a first
// reading: a site that has none while another of the channel has one holds nothing.
// What the ERP does not keep in stock is not offered by count at all.
func (l *layer) freeIn(channel crossdock.System, item, site crossdock.Ref) (free crossdock.Decimal, known bool) {
	var form crossdock.Item
	if r := l.record(item); r == nil || r.Body.Unpack(&form) != nil || !form.Stocked {
		return free, false
	}
	if b := get[Balance](l, BalanceAt(item, site)); b != nil && !b.AsOf.IsZero() {
		return freeOf(b), true
	}
	conn, _ := l.setup.Connection(channel)
	for _, s := range conn.Sites {
		if b := get[Balance](l, BalanceAt(item, crossdock.BookRef(crossdock.KindSite, s))); b != nil && !b.AsOf.IsZero() {
			return free, true
		}
	}
	return free, false
}

// offers decides what a channel is to offer of an item wherever it was read since
// the last order of it became known; heard is the level that was read just now.
func (l *layer) offers(t *Tally, heard crossdock.Ref) {
	for _, at := range t.Levels {
		if at.Site.IsZero() || !l.shipsFrom(t.System, at.Site) {
			if at.Of == heard {
				l.say("nothing to do: orders of " + string(t.System) + " do not ship from there")
			}
			continue
		}
		if at.Of == heard || at.After >= t.Rose {
			l.offer(t, at, at.Of == heard)
		} else if may, known := l.mayOffer(t.System, t.Item, at.Site); known { // its own look is on its way
			l.curb(at.Of, may)
		}
	}
}

// offer decides what a channel is to offer of an item from one site. An offer may
// be lowered on any look. It is raised only when nothing can hide a unit that was
// sold unheard: each level of the item was read since the last order became known,
// and none shows more than it may or has a write on its way.
func (l *layer) offer(t *Tally, at Level, heard bool) {
	v := l.view(t.System, at.Of)
	may, known := l.mayOffer(t.System, t.Item, at.Site)
	if v.Unknown || len(v.Open) > 0 || v.Gone || !known {
		if heard && !known {
			l.say("nothing to do: how many of " + t.Item.Short() + " there are is not known")
		}
		return
	}
	shown, unseen := offered(v.Held), t.shown().Unseen()
	o := crossdock.Offer{Channel: t.System, Item: t.Item, Site: at.Site, Look: at.Seq,
		Available: crossdock.Quantity{Count: may}, Seen: crossdock.Quantity{Count: shown}, Unseen: crossdock.Quantity{Count: unseen}}
	switch {
	case may.Equal(shown):
		l.calm(v, 0)
		l.clear("conflict", t.System, at.Of, "it offers what it may")
		if heard {
			l.say("nothing to do: " + string(t.System) + " offers " + shown.String() + " of " + t.Item.Key + " at " + at.Site.Key + ", which is what it may")
		}
	case may.LessThan(shown):
		o.Lower = v.Stale >= mostStale
	case v.Stale >= mostStale: // a promised number is never raised against others
		o.Available = o.Seen
		l.calm(v, 0)
		l.look(t.System, at.Of, keyed(t.System, at.Of, v), l.at.Add(offerRest), "others keep changing it")
		l.say(at.Of.Short() + " is not raised while others keep changing it")
	case !l.ripe(t, at):
		o.Available = o.Seen
		if heard {
			l.say(at.Of.Short() + " is raised once all of it was read again")
		}
	}
	l.wantOffer(o, at.Of)
}

// calm sets how many stale rounds a view has had in a row.
func (l *layer) calm(v *View, stale int) {
	if v.Stale != stale {
		v.Stale = stale
		l.put(v)
	}
}

// ripe reports whether the offer at one level of an item may be raised. What stands
// against it is looked at.
func (l *layer) ripe(t *Tally, raised Level) bool {
	ripe := true
	for _, at := range t.Levels {
		v := get[View](l, ViewAt(t.System, at.Of))
		if v == nil || v.Gone {
			continue
		}
		against := at.After < t.Rose || v.Unknown
		if at.Of != raised.Of && !at.Site.IsZero() && l.shipsFrom(t.System, at.Site) {
			may, known := l.mayOffer(t.System, t.Item, at.Site)
			against = against || len(v.Open) > 0 || known && offered(v.Held).GreaterThan(may)
		}
		if against {
			ripe = false
			due := l.at.Add(offerDelay)
			if v.Unknown && due.Before(v.Settles) {
				due = v.Settles
			}
			l.look(t.System, at.Of, keyed(t.System, at.Of, v), due, whyOffer)
		}
	}
	return ripe
}

// wantOffer writes an offer where it says something new. What is wanted already
// keeps its look: the same work must not begin anew with every reading.
func (l *layer) wantOffer(o crossdock.Offer, of crossdock.Ref) {
	r := edit[Record](l, RecordAt(of))
	var was crossdock.Offer
	if !r.Of.IsZero() && r.Body.Unpack(&was) == nil && sameOffer(was, o) {
		pending := get[Want](l, WantAt(o.Channel, DoPush, of)) != nil
		if o.Available.Equal(o.Seen) || pending {
			return
		}
	}
	r.Of = of
	l.writeOffer(r, o)
	if !o.Available.Equal(o.Seen) {
		l.say(string(o.Channel) + " is to offer " + o.Available.String() + " instead of " + o.Seen.String() + " of " + o.Item.Key + " at " + o.Site.Key)
	}
}

func (l *layer) writeOffer(r *Record, o crossdock.Offer) {
	body, err := crossdock.Pack(o)
	if err != nil {
		panic(err)
	}
	l.write(r, body, nil, crossdock.BookSystem)
	l.touch(o.Channel, r.Of)
}

func sameOffer(a, b crossdock.Offer) bool {
	return a.Available.Equal(b.Available) && a.Seen.Equal(b.Seen) && a.Unseen.Equal(b.Unseen) && a.Lower == b.Lower
}

// offerWritten goes on with the other sites of an item once one was written: their
// offers may have waited for it.
func (l *layer) offerWritten(system crossdock.System, of crossdock.Ref) {
	l.offers(l.tally(system, offeredItem(of)), crossdock.Ref{})
}
