package core

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// The types of documents.
const (
	docFulfilment   = "fulfilment"
	docCancellation = "cancellation"
)

// tellable reports whether a system takes documents.
func (l *layer) tellable(system crossdock.System) bool {
	return slices.Contains(l.setup.Takers(crossdock.KindDocument), system)
}

// issue gives out a document: once, and as it is now for good.
func (l *layer) issue(d crossdock.Document) crossdock.Ref {
	of := crossdock.BookRef(crossdock.KindDocument, d.Number)
	if get[Document](l, DocumentAt(of)) != nil {
		return of
	}
	d.State = crossdock.DocumentIssued
	l.put(&Document{Of: of, Document: d, Seq: l.seq})
	l.put(l.view(d.To, of))
	l.touch(d.To, of)
	l.about(of)
	l.say(of.Short() + " goes to " + string(d.To))
	return of
}

// notice issues the document that tells a channel what left for an order.
func (l *layer) notice(o *crossdock.Order, d *Delivery, left Delivered, s crossdock.Shipment) crossdock.Ref {
	if !l.tellable(o.Channel) {
		return crossdock.Ref{}
	}
	f := crossdock.Fulfilment{Order: d.Cause, Shipment: left.Of, Site: s.Site, Carrier: s.Carrier, Tracking: s.Tracking}
	for _, line := range left.Lines {
		line.Before = l.toldOf(d, line.Line)
		f.Lines = append(f.Lines, line)
	}
	text, err := crossdock.Pack(f)
	if err != nil {
		panic(err)
	}
	return l.issue(crossdock.Document{Number: docFulfilment + "-" + left.Of.Key, Type: docFulfilment, To: o.Channel, About: left.Of, Text: text})
}

// toldOf returns how much of a line of an order its channel was told of, or is about to be.
func (l *layer) toldOf(d *Delivery, line string) (sum crossdock.Decimal) {
	for _, s := range d.Shipments {
		if doc := get[Document](l, DocumentAt(s.Notice)); !s.Notice.IsZero() && doc != nil && doc.State != crossdock.DocumentRefused {
			sum = sum.Add(sentOf(s.Lines, line))
		}
	}
	return sum
}

// advance moves a document on; its states only go forward.
func (l *layer) advance(of crossdock.Ref, to crossdock.DocumentState) bool {
	d := get[Document](l, DocumentAt(of))
	if d == nil || !d.State.Follows(to) {
		return false
	}
	c := *d
	c.State = to
	l.put(&c)
	return true
}

// answeredDocument does with the receipt of a document what is its own: nothing of
// it is ever looked up. It reports whether the rest of receipt has nothing to add.
func (l *layer) answeredDocument(v *View, w *Want, c crossdock.Receipt) bool {
	switch c.Code {
	case crossdock.OK:
		v.Unknown, v.Lost = false, nil
		l.heard(c.Of)
		return false
	case crossdock.Conflict:
		v.Stale++
		w.Tries++
		w.Due = l.at.Add(backoff(w.Tries, w.Of, c.After))
		if v.Stale >= mostStale {
			l.raise(Exception{Check: "conflict", Code: c.Code, Of: c.Of, System: v.System, Owner: ownerOperator,
				Text: string(v.System) + " counts otherwise than " + c.Of.Short() + " says: " + c.Text + ". See what was marked as sent or taken back there by hand"}, string(v.System)+"|"+c.Of.Short())
		}
		l.put(v)
		l.heardElsewhere(c.Of)
		l.say("it holds something else than was told before")
	case crossdock.Gone, crossdock.Invalid, crossdock.Refused:
		v.Unknown, v.Lost = false, nil
		l.advance(c.Of, crossdock.DocumentRefused)
		l.raise(Exception{Check: "document", Code: c.Code, Of: c.Of, System: v.System, Owner: ownerOperator,
			Text: string(v.System) + " refuses " + c.Of.Short() + ": " + c.Text + ". Mend that and retry, which issues it anew, or tell it there by hand"}, c.Of.Short())
	default:
		return false
	}
	return true
}

// heard closes a document that its system has taken. What it told of moves the
// channel's own counts.
func (l *layer) heard(of crossdock.Ref) {
	d := get[Document](l, DocumentAt(of))
	if d == nil || !l.advance(of, crossdock.DocumentAcknowledged) {
		return
	}
	l.settled("document", of.Short(), "it was taken")
	l.clear("conflict", d.To, of, "it was taken")
	l.touch(d.To, of)
	var f crossdock.Fulfilment
	if d.Type == docCancellation {
		l.settled("called off", d.About.Short(), "it was called off in "+string(d.To)+" too")
		return
	}
	if d.Text.Unpack(&f) != nil || !l.offersTo(d.To) {
		return
	}
	var o crossdock.Order
	if r := l.record(f.Order); r == nil || r.Body.Unpack(&o) != nil {
		return
	}
	for _, line := range f.Lines {
		for _, ordered := range o.Lines {
			if ordered.Key == line.Line && !ordered.Item.IsZero() {
				l.knownMoved(l.tally(d.To, ordered.Item))
			}
		}
	}
}

// heardElsewhere closes a fulfilment whose channel counts all it tells as sent
// already: a person was there before.
func (l *layer) heardElsewhere(of crossdock.Ref) {
	if of.IsZero() {
		return
	}
	d := get[Document](l, DocumentAt(of))
	if d == nil || d.Type != docFulfilment || !d.State.Follows(crossdock.DocumentAcknowledged) {
		return
	}
	if v := get[View](l, ViewAt(d.To, of)); v == nil || len(v.Open) > 0 {
		return // its answer tells
	}
	var f crossdock.Fulfilment
	var o crossdock.Order
	if d.Text.Unpack(&f) != nil {
		return
	}
	if r := l.record(f.Order); r == nil || r.Body.Unpack(&o) != nil {
		return
	}
	for _, line := range f.Lines {
		if sentOf(o.Fulfilled, line.Line).LessThan(line.Before.Add(line.Count)) {
			return
		}
	}
	l.say(string(d.To) + " counts all of " + of.Short() + " as sent already")
	l.heard(of)
}

// reissue gives out a refused fulfilment anew, under a number of its own, with what
// had been told by now.
func (l *layer) reissue(a crossdock.Action) {
	d := get[Document](l, DocumentAt(a.Of))
	if d == nil || d.State != crossdock.DocumentRefused {
		l.say("nothing to try again: " + a.Of.Short() + " was not refused")
		return
	}
	next := d.Document
	base, n, _ := strings.Cut(next.Number, ".")
	again, err := strconv.Atoi(n)
	if err != nil {
		again = 1 // the first number has no count
	}
	next.Number = base + "." + strconv.Itoa(again+1)
	if next.Type == docFulfilment {
		var f crossdock.Fulfilment
		if err := next.Text.Unpack(&f); err != nil {
			panic(err)
		}
		known := get[Delivery](l, DeliveryAt(f.Order))
		if known == nil {
			return
		}
		delivery := &Delivery{Cause: known.Cause, Shipments: slices.Clone(known.Shipments)}
		f.Lines = slices.Clone(f.Lines)
		for i := range f.Lines {
			f.Lines[i].Before = l.toldOf(delivery, f.Lines[i].Line)
		}
		text, err := crossdock.Pack(f)
		if err != nil {
			panic(err)
		}
		next.Text = text
		if i, ok := delivery.find(f.Shipment); ok {
			delivery.Shipments[i].Notice = crossdock.BookRef(crossdock.KindDocument, next.Number)
			l.put(delivery)
		}
	}
	l.settled("document", a.Of.Short(), "issued anew as "+next.Number+" by "+a.By)
	l.issue(next)
}

// callOff tells a channel that an order of it was called off in the ERP, where the
// configuration says so: a refund is a person's decision.
func (l *layer) callOff(of crossdock.Ref, channel crossdock.System, why string) {
	conn, _ := l.setup.Connection(channel)
	if !conn.Tells(crossdock.TellCancellations) || !l.tellable(channel) {
		return
	}
	text := crossdock.Record{Kind: docCancellation, Form: 1, Fields: map[string]json.RawMessage{}}
	mustSet(&text, "order", of)
	mustSet(&text, "reason", why)
	l.issue(crossdock.Document{Number: docCancellation + "-" + of.Key, Type: docCancellation, To: channel, About: of, Text: text})
}
