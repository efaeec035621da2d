package core

import (
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/atp"
)

// hearStock takes in a reading of an item at a site. A later reading replaces an
// earlier one; what the stock's system had reserved for us by the time it was
// asked counts as converted from now on.
func (l *layer) hearStock(h heardOf) {
	var s crossdock.Stock
	if err := h.Said.Unpack(&s); err != nil {
		h.Fault = crossdock.FaultOf(err)
		l.unusable(h, crossdock.Ref{})
		return
	}
	item, site := get[Link](l, LinkAt(s.Item)), get[Link](l, LinkAt(s.Site))
	for _, ref := range []struct {
		link *Link
		of   crossdock.Ref
	}{{item, s.Item}, {site, s.Site}} {
		if ref.link == nil {
			l.awaitLink(h, ref.of)
			return
		}
	}
	of := crossdock.BookRef(crossdock.KindStock, item.To.Key+"@"+site.To.Key)
	l.about(of, item.To)
	if get[Link](l, LinkAt(h.Of)) == nil {
		l.put(&Link{Of: h.Of, To: of})
		l.drop(TimerAt(h.Of, unlinkedTimer(h.from)))
		l.settled("record", string(h.from)+"|"+h.Of.String(), "it can be used now")
	}
	l.expect(stockName(item.To, site.To))
	said := h.Said.Clone()
	for _, field := range []struct {
		name string
		of   crossdock.Ref
	}{{"item", item.To}, {"site", site.To}} {
		if err := said.Set(field.name, field.of); err != nil {
			panic(err)
		}
	}
	b := edit[Balance](l, BalanceAt(item.To, site.To))
	if h.after < b.Heard && !h.asked.IsZero() {
		l.say("nothing to do: a later reading of " + of.Short() + " is known")
		if v := l.view(h.from, of); v.Unknown { // it closed the look, and did not answer it
			l.look(h.from, of, keyed(h.from, of, v), v.Settles, "what it holds is not known")
		}
		return
	}
	_, what, _ := l.merged(h, of, said)
	if what == older || what == unordered {
		return
	}
	before := freeOf(b)
	b.Item, b.Site = item.To, site.To
	b.OnHand, b.Reserved, b.AsOf, b.Heard = s.OnHand.Count, s.Reserved.Count, l.at, max(b.Heard, h.after)
	var rest []Turn
	for _, t := range b.Turning {
		if t.Seq <= h.after {
			b.Converted = b.Converted.Add(t.Count)
		} else {
			rest = append(rest, t)
		}
	}
	b.Turning = rest
	b.arrived(h.after)
	l.put(b)
	if w := get[Want](l, WantAt(h.from, DoLook, of)); len(rest)+len(b.Leaving) == 0 && w != nil && w.Why == whyRead {
		l.drop(w.Address())
	}
	l.say("free " + of.Key + " " + freeOf(b).String())
	if freeOf(b).GreaterThan(before) {
		l.wake(stockName(b.Item, b.Site))
	}
}

// noStock takes in that a system has no stock of an item at a site any more, for
// instance because the warehouse is no longer one of ours: there is none to promise.
func (l *layer) noStock(h heardOf, of crossdock.Ref) {
	l.about(of)
	item, site, ok := strings.Cut(of.Key, "@")
	if !ok {
		return
	}
	b := edit[Balance](l, BalanceAt(crossdock.BookRef(crossdock.KindItem, item), crossdock.BookRef(crossdock.KindSite, site)))
	if b.Item.IsZero() || h.after < b.Heard {
		return
	}
	b.OnHand, b.Reserved, b.AsOf, b.Heard = crossdock.Decimal{}, crossdock.Decimal{}, l.at, h.after
	b.arrived(h.after)
	l.put(b)
	v := l.view(h.from, of)
	v.Held, v.Digest, v.Unknown, v.AsOf = crossdock.Record{}, "", false, l.at
	l.put(v)
	l.say("none of " + of.Key + " is left")
}

// stockName is what waits for stock of an item at a site: its prefix and the key of
// the balance.
func stockName(item, site crossdock.Ref) string { return stockPrefix + BalanceAt(item, site).Key }

const stockPrefix = "stock:"

// freeOf returns what can still be promised of a balance.
func freeOf(b *Balance) crossdock.Decimal {
	return atp.Terms{OnHand: b.OnHand, Reserved: b.Reserved, Promised: b.Promised, Converted: b.Converted}.Free()
}

// promisesOf loads what an order is promised, with what hangs on it.
func (l *layer) promisesOf(of crossdock.Ref) {
	if p := get[Promise](l, PromiseAt(of)); p != nil {
		for _, line := range p.Lines {
			l.soon(BalanceAt(line.Item, p.Site))
			l.expect(stockName(line.Item, p.Site))
		}
	}
}

// promise takes goods at a site for a cause: its lines of the ledger and the
// balances move together.
func (l *layer) promise(cause, site crossdock.Ref, lines []Promised) {
	l.put(&Promise{Cause: cause, Site: site, Lines: lines, Seq: l.seq})
	for _, line := range lines {
		b := edit[Balance](l, BalanceAt(line.Item, site))
		b.Item, b.Site = line.Item, site
		b.Promised = b.Promised.Add(line.Count)
		l.put(b)
	}
}

// convert notes that the stock's system has taken a promise over: until a reading
// shows it, it is counted as ours alone.
func (l *layer) convert(cause crossdock.Ref) {
	p := get[Promise](l, PromiseAt(cause))
	if p == nil || p.Converted > 0 {
		return
	}
	c := *p
	c.Converted = l.seq
	l.put(&c)
	for _, line := range p.Lines {
		b := edit[Balance](l, BalanceAt(line.Item, p.Site))
		b.Turning = append(b.Turning[:len(b.Turning):len(b.Turning)], Turn{Cause: cause, Count: line.Count, Seq: l.seq})
		l.put(b)
		l.readAgain(line.Item, p.Site)
	}
}

// A stock's system tells of a reservation when it changes what it holds. It may have
// told before we knew that it was ours, or hold the same sum as before because
// another let go of as much: then nothing more comes, and it would count as somebody
// else's for ever. So it is read again unless a reading came within a while.
const (
	readWithin = 2 * time.Minute
	whyRead    = "no reading shows yet what it has reserved for us"
)

func (l *layer) readAgain(item, site crossdock.Ref) {
	of := crossdock.BookRef(crossdock.KindStock, item.Key+"@"+site.Key)
	for _, c := range l.setup.Connections {
		if !l.setup.Owns(c.System, crossdock.KindStock) {
			continue
		}
		if v := get[View](l, ViewAt(c.System, of)); v != nil && v.Key != "" {
			l.look(c.System, of, keyed(c.System, of, v), l.at.Add(readWithin), whyRead)
		}
	}
}

// release gives back what a cause was promised and returns it; freed wakes who
// waits for it, once the cause itself had its chance to take it again.
func (l *layer) release(cause crossdock.Ref) *Promise {
	p := get[Promise](l, PromiseAt(cause))
	if p == nil {
		return nil
	}
	l.drop(PromiseAt(cause))
	for _, line := range p.Lines {
		b := edit[Balance](l, BalanceAt(line.Item, p.Site))
		b.Promised = b.Promised.Sub(line.Count)
		if p.Converted > 0 {
			var rest []Turn
			turned := true
			for _, t := range b.Turning {
				if t.Cause == cause {
					turned = false
				} else {
					rest = append(rest, t)
				}
			}
			b.Turning = rest
			if turned {
				b.Converted = b.Converted.Sub(line.Count)
			}
		}
		l.put(b)
	}
	return p
}

func (l *layer) freed(p *Promise) {
	if p == nil {
		return
	}
	for _, line := range p.Lines {
		l.wake(stockName(line.Item, p.Site))
	}
}
