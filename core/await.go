package core

import (
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// await puts one at the end of those who wait for name. Who waits already keeps its
// place; it costs the same however many wait.
func (l *layer) await(name string, who Waiting) {
	at := TicketAt(name, who)
	l.stays[at] = true
	a := edit[Await](l, AwaitAt(name))
	if t := get[Ticket](l, at); t != nil {
		if w := get[Waiter](l, WaiterAt(name, t.Number)); w != nil && !w.Needs.Equal(who.Needs) {
			l.put(&Waiter{Name: name, Number: t.Number, Waiting: who})
		}
		return
	}
	l.put(&Ticket{Name: name, Of: who.Of, System: who.System, Number: a.Next})
	l.put(&Waiter{Name: name, Number: a.Next, Waiting: who})
	a.Name = name
	a.Next++
	a.Count++
	l.put(a)
}

// unawait takes one off those who wait for name and reports whether nobody is left.
func (l *layer) unawait(name string, who Waiting) bool {
	a := edit[Await](l, AwaitAt(name))
	t := get[Ticket](l, TicketAt(name, who))
	if t == nil {
		return a.Count == 0
	}
	l.drop(t.Address())
	l.drop(WaiterAt(name, t.Number))
	if a.Count--; a.Count > 0 {
		l.put(a)
	} else {
		l.drop(AwaitAt(name))
	}
	return a.Count <= 0
}

// foremost returns who has waited longest for name; ok is false when nobody is
// found among the first places.
func (l *layer) foremost(name string) (who Waiting, ok bool) {
	a := get[Await](l, AwaitAt(name))
	if a == nil {
		return who, false
	}
	to := min(a.First+mostWoken, a.Next)
	l.soon(waitersAt(name, a.First, to)...)
	for n := a.First; n < to; n++ {
		if w := get[Waiter](l, WaiterAt(name, n)); w != nil {
			return w.Waiting, true
		}
	}
	return who, false
}

// awaitLink keeps what a system says of a record until the book knows another of its
// records that it refers to. It is looked at again then; after a day a person is told.
func (l *layer) awaitLink(h heardOf, theirs crossdock.Ref) {
	l.await("link:"+theirs.String(), Waiting{Of: h.Of})
	at := TimerAt(h.Of, unlinkedTimer(h.from))
	if get[Timer](l, at) == nil && get[Exception](l, ExceptionAt(key("record", string(h.from)+"|"+h.Of.String()))) == nil {
		l.put(&Timer{Of: h.Of, Name: unlinkedTimer(h.from), Due: l.at.Add(parkedFor)})
	}
	l.about(h.Of)
	l.say("waits for " + theirs.String())
}

// unlinkedTimer carries the system's name: keys of two systems may be the same.
func unlinkedTimer(system crossdock.System) string { return unlinked + string(system) }

const unlinked = "unlinked:"

// neverLinked tells a person of what still waits for a record nobody told us of.
func (l *layer) neverLinked(t *Timer) {
	if get[Link](l, LinkAt(t.Of)) != nil {
		return
	}
	since := t.Due.Add(-parkedFor).UTC().Format(time.RFC3339)
	l.raise(Exception{Check: "record", Code: crossdock.NotYet, Of: t.Of, System: t.Of.System, Owner: ownerIntegrator,
		Text: "what " + string(t.Of.System) + " says of " + t.Of.Short() + " waits since " + since + " for a record it refers to, which " + string(t.Of.System) + " has not told the hub of: see why it is not pulled, or drop this"},
		string(t.Of.System)+"|"+t.Of.String())
}

// expect loads those who are going to be told that a name has come.
func (l *layer) expect(name string) {
	if a := get[Await](l, AwaitAt(name)); a != nil {
		l.expected(name, a.First, a.Next)
	}
}

// expected loads those with numbers from from on and below until, as many as fit
// into one entry, and what hangs on them.
func (l *layer) expected(name string, from, until int64) {
	at := waitersAt(name, from, min(until, from+mostWoken))
	l.soon(at...)
	for _, at := range at {
		if w := get[Waiter](l, at); w != nil {
			l.soon(TicketAt(name, w.Waiting), RecordAt(w.Of))
		}
	}
}

func waitersAt(name string, from, to int64) (at []Address) {
	for n := from; n < to; n++ {
		at = append(at, WaiterAt(name, n))
	}
	return at
}

// mostWoken is how many places of those who wait one entry goes through; the rest
// waits for a tick.
const mostWoken = 500

const wakeTimer = "wake"

// wake tells those who wait for name, in the order of their asking. Who still waits
// afterwards keeps its place.
func (l *layer) wake(name string) {
	if a := get[Await](l, AwaitAt(name)); a != nil {
		l.wakeSome(name, a.First, a.Next)
	}
}

// wakeRest goes on with a wake that had more to tell than fits into one entry. Who
// came since is not among them, so it comes to an end.
func (l *layer) wakeRest(name string) {
	if a := get[Await](l, AwaitAt(name)); a != nil && a.Until > 0 {
		l.wakeSome(name, a.Told, a.Until)
	}
}

// wakeSome tells those with numbers from from on and below until, as many as fit.
func (l *layer) wakeSome(name string, from, until int64) {
	l.expected(name, from, until)
	to, goesOn := min(until, from+mostWoken), true
	for n := from; n < to && goesOn; n++ {
		if w := get[Waiter](l, WaiterAt(name, n)); w != nil {
			goesOn = l.tell(w)
		}
	}
	a := edit[Await](l, AwaitAt(name))
	timer := &Timer{Of: crossdock.BookRef("await", name), Name: wakeTimer, Due: l.at}
	before := *a
	if from == a.First {
		for a.First < to && get[Waiter](l, WaiterAt(name, a.First)) == nil {
			a.First++
		}
	}
	a.Told, a.Until = 0, 0
	if a.Count > 0 && goesOn && to < until {
		a.Told, a.Until = to, until
		l.put(timer)
	} else if before.Until > 0 {
		l.drop(timer.Address())
	}
	if a.Count > 0 && *a != before {
		l.put(a)
	}
}

// tell tells one that what it waits for has come, and takes it off the list unless
// it still waits. It reports whether the next one may be told as well: of stock,
// only as long as some is free. Who needs more than that is passed over.
func (l *layer) tell(w *Waiter) bool {
	if stock, ok := strings.CutPrefix(w.Name, stockPrefix); ok {
		free := crossdock.Decimal{}
		if b := get[Balance](l, Address{Balances, stock}); b != nil {
			free = freeOf(b)
		}
		if !free.IsPositive() {
			return false
		}
		if w.Needs.GreaterThan(free) {
			return true
		}
	}
	at := TicketAt(w.Name, w.Waiting)
	l.stays[at] = false
	switch {
	case w.Of.System != crossdock.BookSystem:
		l.look(w.Of.System, w.Of, w.Of, l.at, "what it refers to has appeared")
	case w.System != "":
		if strings.HasPrefix(w.Name, valuePrefix) {
			l.again(w.System, w.Of)
		}
		l.touch(w.System, w.Of)
	default:
		l.rejudge(w.Of)
	}
	if !l.stays[at] {
		l.unawait(w.Name, w.Waiting)
	}
	return true
}
