package core

import (
	"hash/fnv"
	"time"

	"github.com/crossdockhq/crossdock"
)

// attempted notes the pushes of an attempt on their views. Dispatch sends none before
// it is noted here, and none that is not: what was wanted when it was read from the
// book may be wanted differently by now.
func (l *layer) attempted(a crossdock.Attempt) {
	var need []Address
	for _, p := range a.Pushes {
		need = append(need, RecordAt(p.Of), ViewAt(a.System, p.Of), WantAt(a.System, DoPush, p.Of))
	}
	l.need(need...)
	for _, p := range a.Pushes {
		l.about(p.Of)
		w := get[Want](l, WantAt(a.System, DoPush, p.Of))
		if w == nil || w.State != WantDue || w.Rev != p.Rev {
			l.say(p.Of.Short() + " is wanted differently by now: it is not sent")
			continue
		}
		v := l.view(a.System, p.Of)
		var told crossdock.Record
		if r := l.record(p.Of); r != nil {
			told = r.Body
		}
		opened(&v.View, a.ID, p, told, l.seq)
		l.put(v)
		c := *w
		c.State = WantOpen
		l.put(&c)
		if p.Of.Kind == crossdock.KindDocument {
			l.advance(p.Of, crossdock.DocumentSent)
		}
	}
	l.say("attempt " + decimalText(a.ID) + " on " + string(a.System))
}

// resulted decides what came back from an attempt: one receipt after the other.
// said are the statements of what pushes saw instead of what they expected.
func (l *layer) resulted(r crossdock.Result, said []heardOf) {
	for _, c := range r.Receipts { // without its view a receipt goes nowhere
		l.soon(ViewAt(r.System, c.Of), WantAt(r.System, DoPush, c.Of))
	}
	l.aheadAnswers(r)
	for _, c := range r.Receipts {
		l.about(c.Of)
		l.credentials(r.System, c)
		if c.Look {
			l.notLooked(r.System, c)
			continue
		}
		l.receipt(r, c)
	}
	for _, h := range said {
		l.hear(h)
	}
}

func (l *layer) receipt(r crossdock.Result, c crossdock.Receipt) {
	v := l.view(r.System, c.Of)
	open, ok := closed(&v.View, r.Attempt)
	if !ok { // decided before, or an attempt the book never took: nothing to learn from it twice
		l.say("the receipt was known")
		return
	}
	w := edit[Want](l, WantAt(r.System, DoPush, c.Of))
	have := w.System != ""
	w.Decided, w.Why = r.Attempt, c.Text
	if w.State == WantOpen {
		w.State = WantDue
	}
	own := c.Of.Kind == crossdock.KindDocument && l.answeredDocument(v, w, c)
	switch code := c.Code; {
	case own:
	case code == crossdock.OK:
		l.done(v, w, open, c)
	case code == crossdock.Ambiguous:
		conn, _ := l.setup.Connection(r.System)
		unanswered(&v.View, open, l.seq, l.at.Add(conn.Settles))
		w.Tries++
		w.Due = l.at.Add(backoff(w.Tries, w.Of, c.After))
		l.say("no answer: it may or may not have happened")
	case code == crossdock.Conflict:
		v.Stale++
		v.Unknown, v.Settles = true, l.at
		if c.Of.Kind == crossdock.KindOffer && len(c.Saw) > 0 { // what it saw is the look: nothing was written
			v.Settles = time.Time{}
		} else {
			v.Settled = l.seq
		}
		if v.Stale > 1 && !v.Settles.IsZero() { // the first is looked at at once
			v.Settles = l.at.Add(backoff(v.Stale-1, c.Of, c.After))
		}
		if v.Stale >= mostStale {
			l.raise(Exception{Check: "conflict", Code: c.Code, Of: c.Of, System: r.System, Owner: ownerOperator,
				Text: c.Of.Short() + " was found changed in " + string(r.System) + " " + decimalText(int64(v.Stale)) + " times in a row: " + c.Text + ". See what changes it there"}, string(r.System)+"|"+c.Of.Short())
		}
		l.say("it holds something else than the decision saw")
	case code == crossdock.Gone:
		v.Settled = l.seq
		l.put(v)
		l.gone(r.System, c.Of)
		v = l.view(r.System, c.Of)
		w.Tries++ // where it was never known to be, it is made again, but not at once
		w.Due = l.at.Add(backoff(w.Tries, w.Of, c.After))
	case code.Waits() || code == crossdock.Unauthorized:
		w.Tries++
		w.Due = l.at.Add(backoff(w.Tries, w.Of, c.After))
		l.say(string(c.Code) + ": again in " + w.Due.Sub(l.at).Round(time.Second).String())
	default:
		if w.Rev != open.Push.Rev {
			l.say(string(r.System) + " refuses what is wanted differently now: " + c.Text)
			break
		}
		w.State, w.System, w.Of = WantStopped, r.System, c.Of
		text, subject := " refuses "+c.Of.Short()+": ", c.Subject
		if !have { // nothing is left to be written that could wait for the value
			subject = ""
		} else if subject != "" {
			text = ": "
		}
		l.stuck(w, subject, Exception{Check: "push", Code: c.Code, Text: string(r.System) + text + c.Text, Owner: ownerOperator})
	}
	l.put(v)
	if have {
		l.put(w)
	}
	if c.Of.Kind == crossdock.KindOrder {
		l.letGo(c.Of)
	}
	l.touch(r.System, c.Of)
}

// mostStale is after how many stale rounds a person is told.
const mostStale = 3

// done takes over what the target answered.
func (l *layer) done(v *View, w *Want, open crossdock.Open, c crossdock.Receipt) {
	hadKey := v.Key
	before := v.Held
	c.Holds = l.ours(v.System, c.Holds)
	answered(&v.View, open, c, l.seq)
	v.AsOf, v.Stale = l.at, 0
	w.Tries, w.Why = 0, ""
	l.mended(w)
	l.put(v)
	if v.Key != "" && v.Key != hadKey {
		l.link(keyed(v.System, v.Of, v), v.Of)
		l.wake(keyName(v.System, v.Of))
	}
	if v.Unknown { // something unordered was heard while the push was open
		l.look(v.System, v.Of, keyed(v.System, v.Of, v), l.at, "it changed while we wrote")
	}
	l.clear("push", v.System, v.Of, "it was written")
	l.clear("conflict", v.System, v.Of, "it was written")
	l.say(v.Of.Short() + " is " + v.Key + " in " + string(v.System))
	switch v.Of.Kind {
	case crossdock.KindOrder:
		l.numberedThere(v)
		l.orderHeld(v, before)
	case crossdock.KindOffer:
		l.offerWritten(v.System, v.Of)
	}
}

// credentials tells a person when a system refuses us, and when it does so no
// more. A receipt without a record is about the connection alone: a pull files it.
func (l *layer) credentials(system crossdock.System, c crossdock.Receipt) {
	switch c.Code {
	case crossdock.OK:
		l.settled("credentials", string(system), "the credentials work")
		if c.Of.IsZero() {
			l.settled("pull", string(system), "it can be pulled again")
		}
	case crossdock.Internal, crossdock.Invalid, crossdock.Refused:
		if c.Of.IsZero() {
			l.raise(Exception{Check: "pull", Code: c.Code, Text: string(system) + " can't be pulled: " + c.Text + ". Until it is mended the hub does not hear what changes there", System: system, Owner: ownerIntegrator}, string(system))
		}
	case crossdock.Unauthorized:
		l.raise(Exception{Check: "credentials", Code: c.Code, Text: string(system) + " refuses our credentials: " + c.Text + ". Replace them; work goes on by itself", System: system, Owner: ownerIntegrator}, string(system))
	}
}

// notLooked keeps a look that failed for later.
func (l *layer) notLooked(system crossdock.System, c crossdock.Receipt) {
	w := get[Want](l, WantAt(system, DoLook, c.Of))
	if w == nil {
		return
	}
	if c.Code == crossdock.OK { // it was answered; what closed it came before
		if w.Rev == c.Rev {
			l.inVain(w)
		}
		return
	}
	n := *w
	n.Tries++
	n.Due, n.Why = l.at.Add(backoff(n.Tries, n.Of, c.After)), c.Text
	if !c.Code.Waits() && c.Code != crossdock.Unauthorized {
		n.State = WantStopped
		l.raise(Exception{Check: "look", Code: c.Code, Text: "can't look up " + c.Of.Short() + " in " + string(system) + ": " + c.Text, Of: c.Of, System: system, Owner: ownerIntegrator}, string(system)+"|"+c.Of.Short())
	}
	l.put(&n)
	l.say("not looked up: " + c.Text)
}

// mostVain is after how many answers that say nothing of a record a person is told.
const mostVain = 5

// inVain keeps a look for later whose answer said nothing of its record, and gives
// it up when that happens again and again.
func (l *layer) inVain(w *Want) {
	if w.State != WantDue {
		return
	}
	n := *w
	n.Tries++
	n.Due, n.Why = l.at.Add(backoff(n.Tries, n.Of, 0)), "what "+string(n.System)+" answers says nothing of it"
	if n.Tries >= mostVain {
		n.State = WantStopped
		l.raise(Exception{Check: "look", Code: crossdock.Internal, Text: "can't look up " + n.Of.Short() + " in " + string(n.System) + ": what it answers says nothing of it", Of: n.Of, System: n.System, Owner: ownerIntegrator}, string(n.System)+"|"+n.Of.Short())
	}
	l.put(&n)
	l.say("looked up in vain")
}

// stillDue notes that an answer about one record has not closed the look for it.
func (l *layer) stillDue(m crossdock.Message) {
	if m.Asked.IsZero() || m.Key == "" {
		return
	}
	theirs := crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}
	at := []Address{WantAt(m.From, DoLook, theirs)}
	if link := get[Link](l, LinkAt(theirs)); link != nil {
		at = append(at, WantAt(m.From, DoLook, link.To))
	}
	for _, a := range at {
		if w := get[Want](l, a); w != nil && w.Rev < l.seq && !m.Asked.Before(w.Due) {
			l.inVain(w)
		}
	}
}

// backoff returns how long to wait after tries failures in a row: 2 s doubling
// to 5 minutes, spread by a fifth so that records do not come back together, or
// as long as the target asked for.
func backoff(tries int, of crossdock.Ref, asked time.Duration) time.Duration {
	wait := 2 * time.Second << min(max(tries-1, 0), 8)
	wait = min(wait, 5*time.Minute)
	h := fnv.New32a()
	_, _ = h.Write([]byte(of.String() + decimalText(int64(tries))))
	wait += wait / 5 * time.Duration(h.Sum32()%1000) / 1000
	return max(wait, asked)
}
