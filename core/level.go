package core

import (
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// hearLevel takes in what a channel offers and has committed of an item at one of
// its locations. It counts in the tally also where no site of ours stands for the
// location.
func (l *layer) hearLevel(h heardOf) {
	if !l.offersTo(h.from) { // what it counts is nothing to promise from
		l.say("nothing to do: " + string(h.from) + " is not told what it may sell")
		return
	}
	var s crossdock.Stock
	if err := h.Said.Unpack(&s); err != nil {
		h.Fault = crossdock.FaultOf(err)
		l.unusable(h, crossdock.Ref{})
		return
	}
	item, site := get[Link](l, LinkAt(s.Item)), get[Link](l, LinkAt(s.Site))
	if item == nil {
		l.await("link:"+s.Item.String(), Waiting{Of: h.Of})
		l.say("waits for " + s.Item.String())
		return
	}
	at := Level{Of: offerRef(item.To, crossdock.Ref{Key: "no-site-" + plainKey(s.Site.Key)}, h.from), After: h.after, Seq: l.seq}
	if site == nil {
		l.await("link:"+s.Site.String(), Waiting{Of: h.Of})
	} else {
		at.Site, at.Of = site.To, offerRef(item.To, site.To, h.from)
	}
	if link := get[Link](l, LinkAt(h.Of)); link == nil || link.To != at.Of {
		if link != nil {
			l.forgetLevel(h.from, link.To)
		}
		l.put(&Link{Of: h.Of, To: at.Of})
	}
	l.about(at.Of, item.To)
	said := h.Said.Clone()
	mustSet(&said, "item", item.To)
	if site != nil {
		mustSet(&said, "site", site.To)
	}
	if !h.Fields().Has("reserved") {
		l.hearOffered(h, at.Of, said)
		return
	}
	t := l.tally(h.from, item.To)
	if i := t.level(at.Of); i >= 0 && !h.asked.IsZero() && h.after < t.Levels[i].After {
		l.say("nothing to do: a later reading of " + at.Of.Short() + " is known")
		if v := l.view(h.from, at.Of); v.Unknown { // it closed the look, and did not answer it
			l.look(h.from, at.Of, keyed(h.from, at.Of, v), v.Settles, "what it holds is not known")
		}
		return
	}
	v, what, _ := l.merged(h, at.Of, said)
	switch {
	case what == older || what == unordered:
		return
	case h.asked.IsZero(): // what it had committed is as old as the message
		l.look(h.from, at.Of, h.Of, l.at.Add(offerDelay), "it came unasked")
		return
	case len(v.Open) > 0: // the answer to a look, while a write is on its way: it tells nothing of what follows
		l.look(h.from, at.Of, h.Of, l.at.Add(offerDelay), "it changed while we wrote")
	}
	at.Committed = s.Reserved.Count
	t.set(at)
	l.put(t)
	l.offers(t, at.Of)
}

// hearOffered takes in a message that says only what a channel offers: it is looked
// at, unless that is known.
func (l *layer) hearOffered(h heardOf, of crossdock.Ref, said crossdock.Record) {
	v := l.view(h.from, of)
	if v.Heard == 0 {
		v.Key = h.Of.Key
		l.put(v)
		l.look(h.from, of, h.Of, l.at.Add(offerDelay), "what it has committed is not known")
		l.say(of.Short() + " is to be looked at")
		return
	}
	h.Version = "" // it must not stand for what it does not say
	h.digest = v.Digest
	if _, what, _ := l.merged(h, of, said); what == echo {
		l.say("nothing to do: " + of.Short() + " is known")
	}
}

func mustSet(r *crossdock.Record, name string, value any) {
	if err := r.Set(name, value); err != nil {
		panic(err)
	}
}

// level returns where the level of an offer is among those of a tally, −1 where it is not.
func (r *Tally) level(of crossdock.Ref) int {
	return slices.IndexFunc(r.Levels, func(at Level) bool { return at.Of == of })
}

// set puts a level in the place of what was known of it.
func (r *Tally) set(at Level) {
	levels := slices.Clone(r.Levels)
	if i := r.level(at.Of); i >= 0 {
		levels[i] = at
	} else {
		levels = append(levels, at)
		slices.SortFunc(levels, func(a, b Level) int { return a.Of.Compare(b.Of) })
	}
	r.Levels = levels
}

// forgetLevel drops what is known of a level that is gone, or is of another item or
// site now.
func (l *layer) forgetLevel(system crossdock.System, of crossdock.Ref) {
	t := l.tally(system, offeredItem(of))
	if i := t.level(of); i >= 0 {
		t.Levels = slices.Delete(slices.Clone(t.Levels), i, i+1)
		l.put(t)
	}
	for _, at := range []Address{ViewAt(system, of), RecordAt(of), WantAt(system, DoPush, of), WantAt(system, DoLook, of)} {
		l.drop(at)
	}
	l.clear("push", system, of, "it is not offered any more")
	l.clear("conflict", system, of, "it is not offered any more")
	l.say(of.Short() + " is not there any more")
}

// theirs reports a record that its system only tells us of so that we know what it
// calls an item or a site of ours, because another system owns the kind: it never
// becomes a record of the book.
func (l *layer) theirs(h heardOf) bool {
	if h.Of.Kind != crossdock.KindItem && h.Of.Kind != crossdock.KindSite || l.setup.Owns(h.from, h.Of.Kind) {
		return false
	}
	return slices.ContainsFunc(l.setup.Connections, func(c crossdock.Connection) bool { return l.setup.Owns(c.System, h.Of.Kind) })
}

// hearTheirs links an item or a location of a channel to the record of the book it
// stands for, or waits until there is one.
func (l *layer) hearTheirs(h heardOf, of crossdock.Ref) {
	to, waits := l.itemOf(h)
	if h.Of.Kind == crossdock.KindSite {
		to, waits = l.siteOf(h)
	}
	if !of.IsZero() && to != of {
		l.unlink(h, of)
		of = crossdock.Ref{}
	}
	if to.IsZero() {
		for _, name := range waits {
			l.await(name, Waiting{Of: h.Of})
		}
		l.say("waits for what " + h.Of.String() + " stands for")
		return
	}
	if v := l.view(h.from, to); of.IsZero() && v.Key != "" && v.Key != h.Of.Key && !v.Gone {
		l.raise(Exception{Check: "twice", Code: crossdock.Conflict, Of: to, System: h.from, Owner: ownerIntegrator,
			Text: to.Short() + " is " + v.Key + " in " + string(h.from) + " and " + h.Of.Key + " as well: leave it to one of them; only the first is told how many there are"}, h.Of.String())
		for _, name := range waits {
			l.await(name, Waiting{Of: h.Of})
		}
		return
	}
	l.settled("twice", h.Of.String(), "it stands for one record of its own")
	l.settled("location", string(h.from)+"|"+h.Of.Key, "it is "+to.Short())
	l.about(to, h.Of)
	if of.IsZero() {
		l.link(h.Of, to)
		l.say(h.Of.String() + " is " + to.Short())
	}
	l.merged(h, to, h.Said)
}

// itemOf returns the item of the book with the SKU, else the barcode, of a channel's
// item: exactly one. waits lists what may bring one.
func (l *layer) itemOf(h heardOf) (to crossdock.Ref, waits []string) {
	for _, prefix := range []string{"sku:", "barcode:"} {
		for _, name := range h.Names {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			waits = append(waits, name)
			items := slices.DeleteFunc(slices.Clone(l.named(name)), func(of crossdock.Ref) bool { return of.Kind != crossdock.KindItem })
			if len(items) == 1 && to.IsZero() {
				to = items[0]
			}
		}
	}
	return to, waits
}

// siteOf returns the site a location stands for: the one the connection's locations
// name, else the one with its code or name. A location that is none of ours is one
// exception, once the sites that the channel ships from are known.
func (l *layer) siteOf(h heardOf) (to crossdock.Ref, waits []string) {
	conn, _ := l.setup.Connection(h.from)
	waits = []string{setupName}
	names := []string{h.Said.Text("code"), h.Said.Text("name")}
	for _, name := range append([]string{h.Of.Key}, names...) {
		if mapped := conn.Locations[name]; name != "" && mapped != "" {
			names = []string{mapped}
			break
		}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		waits = append(waits, siteName(name))
		if same := l.named(siteName(name)); len(same) == 1 && to.IsZero() {
			to = same[0]
		}
	}
	called := names[len(names)-1]
	if called == "" {
		called = h.Of.Key
	}
	if to.IsZero() && l.sitesKnown(conn) {
		l.raise(Exception{Check: "location", Code: crossdock.Invalid, Of: h.Of, System: h.from, Owner: ownerIntegrator,
			Text: "no site is called " + called + ", as the location " + h.Of.Key + " of " + string(h.from) + " is: say under locations: of the connection which site it is; until then nothing is offered there"},
			string(h.from)+"|"+h.Of.Key)
	}
	return to, waits
}

func (l *layer) sitesKnown(conn crossdock.Connection) bool {
	return !slices.ContainsFunc(conn.Sites, func(s string) bool {
		return get[Record](l, RecordAt(crossdock.BookRef(crossdock.KindSite, s))) == nil
	})
}

// siteName is the matching key of a site by its code or its name.
func siteName(name string) string { return "site:" + strings.ToLower(strings.TrimSpace(name)) }

// siteNames are the matching keys of a site.
func siteNames(said crossdock.Record) (names []string) {
	for _, field := range []string{"code", "name"} {
		if said.Text(field) != "" {
			names = append(names, siteName(said.Text(field)))
		}
	}
	return names
}

// unlink takes back that a channel's item or location stands for a record of ours.
// Its levels are looked at: they are of something else now, or of nothing.
func (l *layer) unlink(h heardOf, of crossdock.Ref) {
	l.drop(LinkAt(h.Of))
	l.drop(ViewAt(h.from, of))
	l.say(h.Of.String() + " is not " + of.Short() + " any more")
	if of.Kind != crossdock.KindItem {
		return
	}
	for _, at := range l.tally(h.from, of).Levels {
		if v := get[View](l, ViewAt(h.from, at.Of)); v != nil && v.Key != "" {
			level := keyed(h.from, at.Of, v)
			l.forgetLevel(h.from, at.Of)
			l.drop(LinkAt(level))
			l.look(h.from, level, level, l.at, "its item is another now")
		}
	}
}
