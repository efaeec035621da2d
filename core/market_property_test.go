package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"pgregory.net/rapid"
)

// late is a message on its way: what it says was true when it was sent.
type lateMessage struct {
	from  crossdock.System
	after int64 // −1: unasked
	said  []crossdock.Statement
}

// accepted is what the shop has sold and not called off.
func (m *market) accepted() (sum int) {
	for _, o := range m.sold {
		if !o.cancelled {
			sum += o.count
		}
	}
	return sum
}

// offers is what the shop still sells.
func (m *market) offersNow() (sum int) {
	for _, s := range m.shelves {
		sum += s.available
	}
	return sum
}

// Sales of the shop, messages late, twice and out of order, readings, shipments,
// cancellations, looks, writes and lost answers in any order. As long as messages
// are merely late the shop never offers, and so never sells, more than there is
// (I6); and at rest it offers just what is free.
func TestShopNeverSellsMoreThanThereIs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		counts := []int{rapid.IntRange(0, 8).Draw(rt, "at E")}
		if rapid.Bool().Draw(rt, "two sites") {
			counts = append(counts, rapid.IntRange(0, 8).Draw(rt, "at W"))
		}
		m := newMarket(rt, counts...)
		m.bulk = true
		total := 0
		for _, n := range counts {
			total += n
		}
		p := &trade{market: m, rt: rt, received: total}
		entries := rapid.IntRange(5, 40).Draw(rt, "entries")
		for range entries {
			p.something()
			if sold, more := m.accepted(), m.offersNow(); sold+more > p.received {
				rt.Fatalf("the shop has sold %d and offers %d more, and there were only %d\n%v\n%s", sold, more, p.received, p.log, p.dump())
			}
		}
		p.rests()
	})
}

// trade does things at random.
type trade struct {
	*market
	rt       *rapid.T
	received int // all that ever came in
	numbers  int
	pending  []lateMessage
	log      []string
}

func (p *trade) send(after int64, from crossdock.System, said ...crossdock.Statement) {
	p.pending = append(p.pending, lateMessage{from, after, said})
}

func (p *trade) something() {
	what := rapid.SampledFrom([]string{"buy", "buy", "buy", "cancel", "deliver", "deliver", "deliver", "deliver", "twice", "come in", "reading", "pull", "step", "step", "step", "ship", "lose", "race", "time", "time", "tick"}).Draw(p.rt, "what")
	p.log = append(p.log, what)
	sites := []string{"E", "W"}[:len(p.shelves)]
	site := rapid.SampledFrom(sites).Draw(p.rt, "site")
	switch what {
	case "buy":
		p.buys("L-"+site, rapid.IntRange(1, 4).Draw(p.rt, "count"))
	case "cancel":
		if number := p.some(); p.sold[number] != nil && p.sold[number].shipped == 0 && p.sold[number].demand == 0 && p.cancels(number) {
			p.send(-1, "shop", p.orderSays(number)...)
			p.sendLevel(p.sold[number].location)
		}
	case "deliver", "twice":
		if len(p.pending) == 0 {
			return
		}
		i := rapid.IntRange(0, len(p.pending)-1).Draw(p.rt, "which")
		msg := p.pending[i]
		if what == "deliver" {
			p.pending = append(p.pending[:i:i], p.pending[i+1:]...)
		}
		p.hears(msg.from, msg.after, p.at, msg.said...)
	case "come in":
		n := rapid.IntRange(1, 5).Draw(p.rt, "count")
		p.onHand[site], p.received = p.onHand[site]+n, p.received+n
	case "reading":
		p.reads(site)
	case "pull":
		p.looksAt("L-" + site)
	case "step":
		p.step()
	case "ship":
		p.ships(p.some(), false)
	case "lose":
		p.next = append(p.next, rapid.SampledFrom([]func(crossdock.Push) crossdock.Receipt{p.loses, p.vanishes}).Draw(p.rt, "lost"))
	case "race": // somebody buys just before a write arrives
		n := rapid.IntRange(1, 3).Draw(p.rt, "count")
		p.next = append(p.next, func(push crossdock.Push) crossdock.Receipt {
			p.buys("L-"+site, n)
			return p.market.write(push)
		})
	case "time":
		p.passes(time.Duration(rapid.IntRange(1, 90).Draw(p.rt, "seconds")) * time.Second)
	case "tick":
		p.ticks()
	}
}

// buys is a customer of the shop; what the shop tells of it comes some time.
func (p *trade) buys(location string, n int) {
	number := fmt.Sprint(1001 + p.numbers)
	if p.buy(number, location, n) {
		p.numbers++
		p.send(-1, "shop", p.orderSays(number)...)
		p.sendLevel(location)
	}
}

// some is a number that may have been ordered.
func (p *trade) some() string {
	return fmt.Sprint(1001 + rapid.IntRange(0, max(p.numbers-1, 0)).Draw(p.rt, "number"))
}

// sendLevel is the shop's webhook of a level: it says what is available and no more.
func (p *trade) sendLevel(location string) {
	st := p.found(levelRef(location))
	st.Says = crossdock.Fields{"item", "offered", "site"}
	p.send(-1, "shop", st)
}

// ships has the warehouse send some or all of an order that is confirmed there.
func (p *trade) ships(number string, all bool) bool {
	s := p.sold[number]
	if s == nil || p.erpState(number) != "sale" || s.shipped == s.count || s.cancelled {
		return false
	}
	n := s.count - s.shipped
	if !all {
		n = rapid.IntRange(1, n).Draw(p.rt, "shipped")
	}
	site := p.order(number).Site
	if site == "" || p.onHand[site] < n {
		return false
	}
	p.picking++
	s.shipped += n
	p.onHand[site] -= n
	// a person in the shop can't call it off any more
	s.demand = 1
	p.send(p.seq, "odoo", p.pickingSays(fmt.Sprint(300+p.picking), number, "done", p.picking, tea(n)))
	return true
}

// rests delivers what is late, lets time pass, and holds the shop to what is free.
func (p *trade) rests() {
	p.next = nil
	for range 6 {
		for _, msg := range p.pending {
			p.hears(msg.from, msg.after, p.at, msg.said...)
		}
		p.pending = nil
		for _, number := range sortedKeys(p.sold) {
			p.orderHook(number)
		}
		for _, site := range sortedKeys(p.onHand) {
			p.reads(site)
		}
		p.settles()
		p.passes(offerRest)
		p.ticks()
		p.works()
		for _, number := range sortedKeys(p.sold) {
			p.ships(number, true)
		}
	}
	p.invariants()
	if sold, more := p.accepted(), p.offersNow(); sold+more > p.received {
		p.rt.Fatalf("at rest the shop has sold %d and offers %d more, and there were only %d\n%v\n%s", sold, more, p.received, p.log, p.dump())
	}
	unpromised := 0
	for _, number := range sortedKeys(p.sold) {
		s, o := p.sold[number], p.order(number)
		switch {
		case s.cancelled:
		case o.State == crossdock.OrderHeld:
			unpromised += s.count
		case o.State != crossdock.OrderShipped || s.fulfilled != s.count:
			p.rt.Errorf("order %s came to rest as %s with %d of %d sent and %d told", number, o.State, s.shipped, s.count, s.fulfilled)
		}
	}
	for site := range p.onHand {
		free := max(0, p.onHand[site]-unpromised)
		if got := p.shelves["L-"+site].available; got != free {
			p.rt.Errorf("at rest the shop offers %d at %s, and %d are there, of which %d are sold and held\n%v\n%s", got, site, p.onHand[site], unpromised, p.log, p.dump())
		}
	}
	for _, w := range all[Want](p.house, Wants) {
		p.rt.Errorf("%s %s on %s is left to do: %s", w.Do, w.Of.Short(), w.System, w.Why)
	}
	for _, id := range p.open() {
		if id[:5] != "stock" {
			p.rt.Errorf("the exception %s is open", id)
		}
	}
}

// dump tells what the book and the outside hold, for a test that failed.
func (m *market) dump() string {
	out := ""
	for _, number := range sortedKeys(m.sold) {
		out += fmt.Sprintf("order %s: %+v, %s at %s, in the ERP %s\n", number, *m.sold[number], m.order(number).State, m.order(number).Site, m.erpState(number))
	}
	for _, b := range all[Balance](m.house, Balances) {
		out += string(mustJSON(b)) + "\n"
	}
	for _, t := range all[Tally](m.house, Tallies) {
		out += string(mustJSON(t)) + "\n"
	}
	for _, w := range all[Want](m.house, Wants) {
		out += string(mustJSON(w)) + "\n"
	}
	for location, s := range m.shelves {
		out += fmt.Sprintf("%s: %+v\n", location, *s)
	}
	return out + fmt.Sprint(m.open())
}
