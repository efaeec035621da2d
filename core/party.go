package core

import (
	"maps"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// hearRecord takes in what a system says of a party, item, site or tax: a new one
// is made or matched, a change is adopted.
func (l *layer) hearRecord(h heardOf, of crossdock.Ref) {
	var r *Record
	if of.IsZero() {
		r = l.match(h)
	} else {
		r = edit[Record](l, RecordAt(of))
	}
	l.about(r.Of, h.Of)
	v, what, changed := l.merged(h, r.Of, h.Said)
	if what == older || what == unordered {
		return
	}
	if h.Fills {
		changed = unfilled(r.Body, changed)
	}
	if len(changed) == 0 {
		l.rename(r, l.namesOf(r, h))
		return
	}
	pending := get[Want](l, WantAt(h.from, DoPush, r.Of)) != nil
	body := r.Body.With(h.Said, changed)
	l.write(r, body, changed, h.from)
	if err := validate(body); err != nil {
		h.Fault = crossdock.FaultOf(err)
		l.unusable(h, r.Of)
	} else {
		l.settled("record", string(h.from)+"|"+h.Of.String(), "it can be used now")
		l.wake(goodName(r.Of))
	}
	l.rename(r, l.namesOf(r, h))
	if !pending && v.Asked.Kind != "" {
		v.Adopt = true
		l.put(v)
	}
	l.retouch("", r.Of)
	l.say(r.Of.Short() + " changed: " + strings.Join(changed, ", "))
}

// unfilled leaves those fields a record does not have.
func unfilled(body crossdock.Record, which crossdock.Fields) crossdock.Fields {
	return slices.DeleteFunc(slices.Clone(which), func(name string) bool { return len(body.Fields[name]) > 0 })
}

// namesOf returns the matching keys of a record: those the statement gives, in place
// of those its system gave before, and those other systems gave. Where the system
// owns the kind its word is the only one.
func (l *layer) namesOf(r *Record, h heardOf) []string {
	if r.Of.Kind == crossdock.KindSite {
		h.Names = append(append(siteNames(r.Body), sitesName), h.Names...)
	}
	if l.setup.Owns(h.from, r.Of.Kind) {
		return h.Names
	}
	if h.Fills && r.Names != nil {
		return r.Names
	}
	if r.Given == nil || !slices.Equal(r.Given[h.from], h.Names) {
		given := map[crossdock.System][]string{}
		maps.Copy(given, r.Given)
		given[h.from] = h.Names
		r.Given = given
		l.put(r)
	}
	var names []string
	for _, system := range slices.Sorted(maps.Keys(r.Given)) {
		names = append(names, r.Given[system]...)
	}
	return names
}

// match links a system's record that the book does not know to the one record it
// can only be, or to a new one. A record that has a key in this system already is
// another's: two of its accounts stay two, whatever e-mail address they give.
func (l *layer) match(h heardOf) *Record {
	if h.Of.Kind == crossdock.KindParty {
		for _, name := range h.Names {
			if !strings.HasPrefix(name, "email:") {
				continue
			}
			same := slices.DeleteFunc(slices.Clone(l.named(name)), func(of crossdock.Ref) bool {
				v := get[View](l, ViewAt(h.from, of))
				return v != nil && v.Key != ""
			})
			if len(same) == 1 {
				l.link(h.Of, same[0])
				l.say(h.Of.String() + " is " + same[0].Short() + " by " + name[:5])
				return edit[Record](l, RecordAt(same[0]))
			}
		}
	}
	r := &Record{Of: l.fresh(h)}
	l.put(r)
	l.link(h.Of, r.Of)
	l.say("new " + r.Of.Short())
	return r
}

// validate checks a record by the form of its kind.
func validate(body crossdock.Record) error {
	switch body.Kind {
	case crossdock.KindParty:
		return unpacked[crossdock.Party](body)
	case crossdock.KindItem:
		return unpacked[crossdock.Item](body)
	case crossdock.KindSite:
		return unpacked[crossdock.Site](body)
	case crossdock.KindTax:
		return unpacked[crossdock.Tax](body)
	}
	return crossdock.Errorf(crossdock.Internal, "nobody knows what to do with the kind %q", body.Kind)
}

func unpacked[F crossdock.Form, P interface {
	*F
	crossdock.Form
}](body crossdock.Record) error {
	f := new(F)
	if err := body.Unpack(P(f)); err != nil {
		return err
	}
	return (*f).Validate()
}

// heardGone takes in that a system does not have a record (any more).
func (l *layer) heardGone(h heardOf, of crossdock.Ref) {
	v := get[View](l, ViewAt(h.from, of))
	if v == nil {
		l.say("nothing to do: " + string(h.from) + " never had " + of.Short())
		return
	}
	if v.Unknown && h.asked.Before(v.Settles) || len(v.Open) > 0 || h.after < v.Settled && !h.asked.IsZero() {
		l.say(of.Short() + ": not there, but a push may still land; to be looked at")
		c := *v
		c.Unknown = true
		l.put(&c)
		if len(v.Open) == 0 { // else the receipt asks for the look
			l.look(h.from, of, keyed(h.from, of, v), v.Settles, "it was not there while a push was open")
		}
		return
	}
	switch {
	case of.Kind == crossdock.KindStock:
		l.noStock(h, of)
	case of.Kind == crossdock.KindOffer:
		l.forgetLevel(h.from, of)
		l.drop(LinkAt(h.Of))
	case of.Kind == crossdock.KindShipment:
		l.noShipment(h, of)
	case l.theirs(h):
		l.unlink(h, of)
	case of.Kind == crossdock.KindOrder && l.isChannel(h.from):
		l.vanished(h, of)
	default:
		l.gone(h.from, of)
	}
}

// gone notes that a record is not in a system: either it never got there (a lost
// push), and may be made, or it was deleted there, and is never made again (I5).
func (l *layer) gone(system crossdock.System, of crossdock.Ref) {
	v := l.view(system, of)
	deleted := v.Key != ""
	v.Unknown, v.Lost, v.Digest = false, nil, ""
	if deleted && !v.Gone {
		v.Gone = true
		l.put(v)
		l.deleted(system, of)
	} else {
		l.put(v)
		l.say(of.Short() + " is not in " + string(system))
	}
	if of.Kind == crossdock.KindOrder && !l.isChannel(system) {
		l.letGo(of)
	}
	l.retouch(system, of)
}

// deleted tells that a person deleted a record in a system.
func (l *layer) deleted(system crossdock.System, of crossdock.Ref) {
	l.about(of)
	if of.Kind == crossdock.KindOrder && !l.isChannel(system) {
		l.calledOff(system, of, "was deleted in "+string(system))
		return
	}
	text := of.Short() + " was deleted in " + string(system) + ": it is not made again by itself; restore it there, or drop this"
	if of.Kind == crossdock.KindOrder {
		text = of.Short() + " was deleted in " + string(system) + " after it was sold: it stands in the ERP as it is; cancel it there if it is not to be shipped, or drop this"
	}
	l.raise(Exception{Check: "deleted", Code: crossdock.Gone, Text: text, Of: of, System: system, Owner: ownerOperator}, string(system)+"|"+of.Short())
}

// partyFor returns the party that stands for an address an order names: one of the
// customer's addresses, kept by what it says. It never changes afterwards, so a
// later order of the same customer can't send an earlier one elsewhere. An order
// that names none goes to the customer itself.
func (l *layer) partyFor(customer crossdock.Ref, a *crossdock.Address, use crossdock.PartUse) crossdock.Ref {
	if a == nil || a.IsZero() {
		return customer
	}
	var p crossdock.Party
	if r := l.record(customer); r == nil || r.Body.Unpack(&p) != nil {
		return customer
	}
	of := crossdock.BookRef(crossdock.KindParty, customer.Key+"-"+DigestOf([]byte(a.Norm()))[:8])
	if l.record(of) != nil {
		return of
	}
	name := a.Name
	if name == "" {
		name = p.Name
	}
	body, err := crossdock.Pack(crossdock.Party{Name: name, Company: a.Company, Phone: a.Phone, Address: *a, Parent: customer, Role: use})
	if err != nil {
		panic(err)
	}
	r := &Record{Of: of}
	l.write(r, body, body.Names(), crossdock.BookSystem)
	return of
}
