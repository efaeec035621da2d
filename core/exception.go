package core

import (
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// The roles that answer for exceptions.
const (
	ownerOperator   = "operator"
	ownerIntegrator = "integrator"
	ownerFinance    = "finance"
)

// answerIn is how soon somebody should have acted on an exception.
const answerIn = 24 * time.Hour

// raise opens an exception, or counts it again: the same check about the same
// subject is one exception, however often it comes up.
func (l *layer) raise(x Exception, subject string) {
	x.ID = key(x.Check, subject)
	if x.Of.Validate() != nil { // what names no record can't be written down as one
		x.Of = crossdock.Ref{}
	}
	old := get[Exception](l, ExceptionAt(x.ID))
	x.Seq, x.Opened, x.Count = l.seq, l.at, 1
	if old != nil && old.Open() {
		x.Opened, x.Count = old.Opened, old.Count+1
		if x.Of.IsZero() {
			x.Of = old.Of
		}
	}
	x.Due = x.Opened.Add(answerIn)
	l.put(&x)
	l.about(x.Of)
	l.say("exception: " + x.Text)
}

// settled closes an exception that stands no longer.
func (l *layer) settled(check, subject, why string) {
	old := get[Exception](l, ExceptionAt(key(check, subject)))
	if old == nil || !old.Open() {
		return
	}
	x := *old
	x.Closed, x.Why = l.at, why
	l.put(&x)
}

// clear closes the exception of a check about a record in a system.
func (l *layer) clear(check string, system crossdock.System, of crossdock.Ref, why string) {
	l.settled(check, string(system)+"|"+of.Short(), why)
}

// Broken returns the decision on an entry that could not be decided because of a
// defect of ours: an exception that names it, and nothing else.
func Broken(b Book, e crossdock.Entry, reason string) Decision {
	return run(b, e.Seq, e.At, func(l *layer) {
		x := Exception{Check: "internal", Code: crossdock.Internal, Owner: ownerIntegrator,
			Text: "the hub failed on entry " + decimalText(e.Seq) + ": " + reason + ". Report it; the entry is kept and can be retried"}
		if m, ok := e.Body.(crossdock.Message); ok && m.Key != "" {
			x.Of, x.System = crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}, m.From
		}
		l.raise(x, string(e.Lane)+" "+decimalText(e.Arrival)+"."+decimalText(int64(e.Part)))
	})
}

// act does what a person decided.
func (l *layer) act(a crossdock.Action) {
	l.about(a.Of)
	switch a.Do {
	case "retry":
		l.retry(a)
	case "drop":
		old := get[Exception](l, ExceptionAt(a.With["exception"]))
		if old == nil || !old.Open() {
			l.say("there is no open exception " + a.With["exception"])
			return
		}
		x := *old
		x.Closed, x.Why = l.at, "dropped by "+a.By+": "+a.Note
		l.put(&x)
		l.say("exception closed")
	default:
		l.say("nobody knows the action " + a.Do)
	}
}

// retry sets stopped work going again: the push of a record, or its judging.
func (l *layer) retry(a crossdock.Action) {
	of := a.Of
	if x := get[Exception](l, ExceptionAt(a.With["exception"])); x != nil && of.IsZero() {
		of = x.Of
		if x.Subject != "" { // all it keeps back
			l.wake(valueName(x.System, x.Subject))
		}
	}
	if of.IsZero() {
		l.say("nothing to try again: it names no record")
		return
	}
	if of.System != crossdock.BookSystem {
		l.look(of.System, of, of, l.at, "retried by "+a.By)
		l.say("looked at again")
		return
	}
	l.about(of)
	if d := get[Document](l, DocumentAt(of)); of.Kind == crossdock.KindDocument && d != nil && d.State == crossdock.DocumentRefused {
		a.Of = of
		l.reissue(a)
		return
	}
	for _, c := range l.setup.Connections {
		if w := get[Want](l, WantAt(c.System, DoLook, of)); w != nil && w.State == WantStopped {
			n := *w
			n.State, n.Due, n.Tries = WantDue, l.at, 0
			l.put(&n)
		}
	}
	for _, system := range l.setup.Takers(of.Kind) {
		l.again(system, of)
		l.touch(system, of) // where its projection failed, that is tried
	}
	if of.Kind == crossdock.KindOrder {
		l.rejudge(of)
	}
	l.say("tried again")
}

// tick fires the timers whose time has come; one that was dropped or moved since
// the tick was filed is left alone.
func (l *layer) tick(t crossdock.Tick) {
	fired := 0
	for _, name := range t.Timers {
		timer := get[Timer](l, TimerAt(name.Of, name.Name))
		if timer == nil || timer.Due.After(l.at) {
			continue
		}
		fired++
		l.about(name.Of)
		l.drop(timer.Address())
		switch {
		case strings.HasPrefix(timer.Name, unlinked):
			l.neverLinked(timer)
		case timer.Name == wakeTimer:
			l.wakeRest(timer.Of.Key)
		case timer.Name == shortTimer:
			l.aheadOrder(timer.Of)
			l.short(timer.Of)
		default:
			l.overdue(timer)
		}
	}
	if fired == 0 {
		l.say("no timer was due any more")
	}
}

// overdue tells a person about parked work.
func (l *layer) overdue(t *Timer) {
	for _, c := range l.setup.Connections {
		if t.Name != parkedTimer(c.System) {
			continue
		}
		w := get[Want](l, WantAt(c.System, DoPush, t.Of))
		if w == nil || w.State != WantParked {
			return
		}
		names := make([]string, len(w.Waits))
		for i, of := range w.Waits {
			names[i] = of.Short()
		}
		slices.Sort(names)
		l.raise(Exception{Check: "project", Code: crossdock.NotYet, Of: t.Of, System: c.System, Owner: ownerOperator,
			Text: t.Of.Short() + " waits since " + w.Since.UTC().Format(time.RFC3339) + " for " + names[0] + " in " + string(c.System) + ": see what holds that back"},
			string(c.System)+"|"+t.Of.Short())
	}
}
