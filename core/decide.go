package core

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// heardOf is one statement with the message that carried it.
type heardOf struct {
	crossdock.Statement
	from   crossdock.System
	asked  time.Time
	after  int64
	digest string // of the message, when it is about this record alone
}

// Said is one message of an entry and what its connector translated it to.
type Said struct {
	Message    crossdock.Message
	Statements []crossdock.Statement
}

// Decide says what one entry makes of the book. said holds the entry's message,
// or the messages in the receipts of a result, each translated. Decide is pure:
// the same book, entry and statements give the same decision.
func Decide(b Book, e crossdock.Entry, said []Said) Decision {
	return run(b, e.Seq, e.At, func(l *layer) {
		var heard []heardOf
		for _, s := range said {
			heard = append(heard, spread(s)...)
		}
		heard, fault := named(heard)
		switch body := e.Body.(type) {
		case crossdock.Message:
			if body.Fault == nil {
				body.Fault = fault
			}
			l.message(body, heard)
		case crossdock.Attempt:
			l.attempted(body)
		case crossdock.Result:
			l.resulted(body, heard)
		case crossdock.Action:
			l.act(body)
		case crossdock.Tick:
			l.tick(body)
		case crossdock.Setup:
			l.put(&Setup{Setup: body, Seq: l.seq})
			l.setup = body
			l.wake(setupName)
			l.say("configuration " + body.Hash)
		}
		l.follow()
		if l.effect == "" {
			l.say("nothing to do: it says what is known")
		}
	})
}

// named leaves out statements that name no record, such as an order without its id,
// and returns what is wrong with the first of them.
func named(heard []heardOf) (all []heardOf, fault *crossdock.Fault) {
	for _, h := range heard {
		err := h.Of.Validate()
		switch {
		case err == nil:
			all = append(all, h)
		case fault == nil && h.Fault != nil:
			fault = h.Fault
		case fault == nil:
			fault = crossdock.FaultOf(err)
		}
	}
	return all, fault
}

func spread(s Said) []heardOf {
	var out []heardOf
	for _, st := range s.Statements {
		h := heardOf{Statement: st, from: s.Message.From, asked: s.Message.Asked, after: s.Message.After}
		if len(s.Statements) == 1 && s.Message.Key != "" {
			h.digest = DigestOf(s.Message.Body)
		}
		out = append(out, h)
	}
	return out
}

// DigestOf is what a view remembers of the last message about its record alone.
func DigestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

func (l *layer) message(m crossdock.Message, heard []heardOf) {
	if m.Fault != nil {
		l.faulty(m)
		return
	}
	heard = serious(heard)
	l.need(l.foreseen(heard)...)
	for _, h := range heard {
		l.expect("link:" + h.Of.String())
		for _, n := range h.Names {
			l.expect(n)
		}
	}
	l.need(l.linked(heard)...)
	l.ahead(heard)
	for _, h := range heard {
		l.hear(h)
	}
	l.stillDue(m)
	if len(heard) == 0 {
		l.say("nothing to do: it speaks of no record")
	}
}

// serious leaves out what a test order says of its customer: a real customer of
// that name, and what was really ordered, must not hear of it.
func serious(heard []heardOf) []heardOf {
	isTest := func(h heardOf) bool {
		return h.Of.Kind == crossdock.KindOrder && string(h.Said.Fields["test"]) == "true"
	}
	if !slices.ContainsFunc(heard, isTest) {
		return heard
	}
	return slices.DeleteFunc(slices.Clone(heard), func(h heardOf) bool { return h.Of.Kind == crossdock.KindParty })
}

// faulty makes an exception of a message that can't be translated, and looks at
// the record it named, because its sender will not tell us twice. What is of no kind
// the hub hears of names none, and is one exception however much of it comes: its
// text says what is the matter, a topic for instance.
func (l *layer) faulty(m crossdock.Message) {
	subject := m.Meta["digest"]
	switch {
	case m.Kind == "":
		subject = string(m.From) + "|" + m.Fault.Text
	case subject == "":
		subject = DigestOf(m.Body)
	}
	x := Exception{Check: "message", Code: m.Fault.Code, Place: m.Fault.Place, System: m.From, Owner: ownerIntegrator,
		Text: "a message from " + string(m.From) + " can't be used: " + m.Fault.Text}
	if m.Key != "" {
		x.Of = crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}
		subject = x.Of.String()
		if m.Asked.IsZero() {
			l.look(m.From, x.Of, x.Of, l.at, "its message can't be used")
		} else { // the answer to a look; the next one would be no better
			l.drop(WantAt(m.From, DoLook, x.Of))
			if link := get[Link](l, LinkAt(x.Of)); link != nil {
				l.drop(WantAt(m.From, DoLook, link.To))
			}
		}
	}
	if m.Key == "" {
		x.Text += ". " + arrivedAs(m, l.seq)
	}
	l.raise(x, subject)
}

// arrivedAs says by what a message that names no record is found in the system it came
// from (its headers) and here (its entry).
func arrivedAs(m crossdock.Message, seq int64) string {
	text := "It names no record"
	for _, name := range []string{"topic", "webhook_id", "event_id", "size"} {
		if v := m.Meta[name]; v != "" {
			text += ", " + strings.ReplaceAll(name, "_", " ") + " " + v
		}
	}
	return text + ": crossdock trace --entry " + decimalText(seq) + " shows what came"
}

// foreseen lists the rows a statement is sure to ask for, so that one round loads them.
func (l *layer) foreseen(heard []heardOf) []Address {
	var need []Address
	for _, h := range heard {
		need = append(need, LinkAt(h.Of), WantAt(h.from, DoLook, h.Of), AwaitAt("link:"+h.Of.String()))
		for _, n := range h.Names {
			need = append(need, NameAt(n), AwaitAt(n))
			if ours, ok := strings.CutPrefix(n, ofName+string(h.Of.Kind)+"/"); ok {
				of := crossdock.BookRef(h.Of.Kind, ours)
				need = append(need, RecordAt(of), ViewAt(h.from, of), PromiseAt(of), WantAt(h.from, DoLook, of))
			}
		}
		for _, name := range refNames {
			if of, err := crossdock.ParseRef(h.Said.Text(name)); err == nil && of.System == h.from {
				need = append(need, LinkAt(of))
			}
		}
		if h.Of.Kind == crossdock.KindOrder {
			var o crossdock.Order
			if h.Said.Unpack(&o) == nil {
				for _, line := range o.Lines {
					need = append(need, NameAt(skuName(line.SKU)))
				}
			}
		}
		if h.Of.Kind == crossdock.KindShipment {
			var s crossdock.Shipment
			if h.Said.Unpack(&s) == nil {
				for _, move := range s.Lines {
					need = append(need, LinkAt(move.Item))
				}
			}
		}
		need = append(need, RecordAt(crossdock.BookRef(h.Of.Kind, bookKey(h))))
	}
	return need
}

// linked lists what hangs on the links of the statements.
func (l *layer) linked(heard []heardOf) []Address {
	var need []Address
	for _, h := range heard {
		if link := get[Link](l, LinkAt(h.Of)); link != nil {
			need = append(need, RecordAt(link.To), ViewAt(h.from, link.To), WantAt(h.from, DoLook, link.To))
			switch link.To.Kind {
			case crossdock.KindOrder:
				need = append(need, PromiseAt(link.To), DeliveryAt(link.To))
			case crossdock.KindStock:
				need = append(need, Address{Balances, link.To.Key}, AwaitAt(stockPrefix+link.To.Key))
			case crossdock.KindParty:
				need = append(need, AwaitAt(goodName(link.To)))
			}
		}
		if h.Of.Kind == crossdock.KindShipment {
			if link := get[Link](l, linkOf(h, "order")); link != nil {
				need = append(need, RecordAt(link.To), PromiseAt(link.To), DeliveryAt(link.To), ViewAt(h.from, crossdock.BookRef(h.Of.Kind, bookKey(h))))
			}
		}
	}
	return need
}

// hear takes one statement in.
func (l *layer) hear(h heardOf) {
	of, known := l.resolve(h)
	if of.Kind == crossdock.KindOrder { // what it was promised hangs on nearly all that is said of it
		l.promisesOf(of)
	}
	l.looked(h, of)
	switch {
	case h.Fault != nil:
		l.unusable(h, of)
	case h.Gone && h.Of.Kind == crossdock.KindOrder && l.isChannel(h.from) && h.Of.System != crossdock.BookSystem && !known && !l.unread(h.Of):
		l.vanished(h, crossdock.Ref{})
	case h.Gone && !known:
		l.drop(TimerAt(h.Of, unlinkedTimer(h.from)))
		l.notThere(h)
	case h.Gone:
		l.heardGone(h, of)
	case h.Says != nil && len(h.Says) == 0:
		l.look(h.from, h.Of, h.Of, l.at, "it was named without being described")
		l.say(h.Of.String() + " is to be looked at")
	case h.Of.Kind == crossdock.KindStock && !l.setup.Owns(h.from, crossdock.KindStock):
		l.hearLevel(h)
	case h.Of.Kind == crossdock.KindStock:
		l.hearStock(h)
	case h.Of.Kind == crossdock.KindShipment:
		l.hearShipment(h, of)
	case l.theirs(h):
		l.hearTheirs(h, of)
	case h.Of.Kind == crossdock.KindOrder:
		l.hearOrder(h, of)
	default:
		l.hearRecord(h, of)
	}
}

// unread reports that a message about a record could not be used: what a look does
// not find then is not known to have been deleted.
func (l *layer) unread(of crossdock.Ref) bool {
	x := get[Exception](l, ExceptionAt(key("message", of.String())))
	return x != nil && x.Open()
}

// notThere takes in that a system has not what the book has not either. A message
// about it that could not be used stays with a person: the record may only not be
// shown yet, or not to us.
func (l *layer) notThere(h heardOf) {
	l.say("nothing to do: " + h.Of.String() + " is not there and the book has none")
	const looked = ". It was looked up, and is not shown to the hub: see whether it exists, and whether the credentials may read it"
	x := get[Exception](l, ExceptionAt(key("message", h.Of.String())))
	if x == nil || !x.Open() || strings.HasSuffix(x.Text, looked) {
		return
	}
	c := *x
	c.Text += looked
	l.put(&c)
}

// looked closes the look a statement answers.
func (l *layer) looked(h heardOf, of crossdock.Ref) {
	if h.asked.IsZero() {
		return
	}
	at := []Address{WantAt(h.from, DoLook, h.Of)}
	if !of.IsZero() {
		at = append(at, WantAt(h.from, DoLook, of))
	}
	for _, a := range at {
		if w := get[Want](l, a); w != nil && !h.asked.Before(w.Due) {
			l.drop(a)
			l.say("looked at")
			l.settled("look", string(h.from)+"|"+w.Of.Short(), "it was looked up")
			if h.Fault == nil && !h.Gone { // of what is not there nobody knows yet what it said
				l.settled("message", w.Of.String(), "it was looked up")
			}
		}
	}
}

func (l *layer) unusable(h heardOf, of crossdock.Ref) {
	x := Exception{Check: "record", Code: h.Fault.Code, Text: "what " + string(h.from) + " says can't be used: " + h.Fault.Text, Place: h.Fault.Place, Of: h.Of, System: h.from, Owner: ownerIntegrator}
	if !of.IsZero() {
		x.Of = of
	}
	l.raise(x, string(h.from)+"|"+h.Of.String())
}

// text writes the fields of a record one after the other, to compare two of them.
func text(r crossdock.Record, which crossdock.Fields) string {
	var b strings.Builder
	for _, name := range which {
		b.WriteString(name)
		b.Write(r.Fields[name])
		b.WriteByte('\n')
	}
	return b.String()
}

// merged merges a statement into the view of its record and returns which fields
// somebody changed. It looks where the statement can't be ordered.
func (l *layer) merged(h heardOf, of crossdock.Ref, said crossdock.Record) (*View, verdict, crossdock.Fields) {
	v := l.view(h.from, of)
	hadKey := v.Key
	s := spoken{said: said, says: h.Fields(), version: h.Version, asked: h.asked, after: h.after, seq: l.seq}
	unknown := v.Unknown
	if s.asked.IsZero() && of.Kind == crossdock.KindParty && l.isChannel(h.from) && s.version != "" && s.version == v.Version {
		// Two of its orders describe one customer in the same second, and a shop can't be
		// asked for a customer: the same one of the two wins whatever their order (I4).
		if text(said, s.says) <= text(v.Held, s.says) {
			return v, older, nil
		}
		v.Version = ""
	}
	what, changed := hear(&v.View, s)
	if unknown && !v.Unknown { // work on it was put off: see whether there is still some
		l.clear("clock", h.from, of, "its state is known again")
		l.retouch(h.from, of)
	}
	if what == echo || what == foreign {
		if h.Of.System != crossdock.BookSystem {
			v.Key = h.Of.Key
		}
		v.Digest, v.AsOf = h.digest, l.at
	}
	if what != older {
		l.put(v)
	}
	if hadKey == "" && v.Key != "" {
		l.wake(keyName(h.from, of))
	}
	switch what {
	case older:
		l.say("nothing to do: a newer state of " + of.Short() + " is known")
	case unordered:
		if len(v.Open) == 0 {
			due := v.Settles
			if h.Version != "" && h.Version < v.Version && h.after >= v.Settled && !h.asked.IsZero() {
				conn, _ := l.setup.Connection(h.from) // its clock went back, or it reads from a copy that lags: don't ask it all the time
				due = l.at.Add(max(conn.Settles, lookStale/6))
				v.Settles = due
				l.put(v)
				l.raise(Exception{Check: "clock", Code: crossdock.Conflict, Of: of, System: h.from, Owner: ownerIntegrator,
					Text: string(h.from) + " answers with a state of " + of.Short() + " that is older (" + h.Version + ") than the one it told before (" + v.Version + "): was it restored from a backup, or is it read from a copy that lags?"}, string(h.from)+"|"+of.Short())
			}
			if of.Kind == crossdock.KindOffer && due.Before(l.at.Add(offerDelay)) {
				due = l.at.Add(offerDelay) // what it tells of comes with an order, and with other levels
			}
			l.look(h.from, of, keyed(h.from, of, v), due, "what it says can't be ordered")
		}
		l.retouch(h.from, of)
		l.say(of.Short() + ": can't be ordered, to be looked at")
	}
	return v, what, changed
}
