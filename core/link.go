package core

import (
	"maps"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

func skuName(sku string) string { return "sku:" + sku }

// ofName is the matching key of a record that carries our own business key, for
// instance in the source document of a sale order.
const ofName = "of:"

// resolve returns the record of the book a statement is about. known is false
// when the book has none yet; of is then where it would stand, or zero.
func (l *layer) resolve(h heardOf) (of crossdock.Ref, known bool) {
	if h.Of.System == crossdock.BookSystem {
		return h.Of, l.record(h.Of) != nil
	}
	if link := get[Link](l, LinkAt(h.Of)); link != nil {
		if r := l.record(link.To); r != nil {
			return r.Of, true
		}
		return link.To, true
	}
	for _, name := range h.Names {
		if ours, ok := strings.CutPrefix(name, ofName+string(h.Of.Kind)+"/"); ok {
			of = crossdock.BookRef(h.Of.Kind, ours)
			if l.record(of) != nil {
				l.link(h.Of, of)
				return of, true
			}
		}
	}
	return crossdock.Ref{}, false
}

// link says that a system's record is this one of the book, and wakes who waits for it.
func (l *layer) link(theirs, of crossdock.Ref) {
	l.put(&Link{Of: theirs, To: of})
	l.wake("link:" + theirs.String())
}

// bookKey returns the key a new record of the book would like: what people call
// it where that is unique by nature (SKU, code, name), else the last part of the
// system's key. For parties the system goes before it: customers of two shops
// have nothing to do with each other until they are matched.
// It depends on the statement alone, so a record that is heard of again after a
// restore comes to the same business key.
func bookKey(h heardOf) string {
	own := ""
	switch h.Of.Kind {
	case crossdock.KindItem:
		own = h.Said.Text("sku")
	case crossdock.KindSite:
		own = h.Said.Text("code")
	case crossdock.KindTax:
		own = h.Said.Text("name")
	}
	if own == "" {
		own = h.Of.Key[strings.LastIndexByte(h.Of.Key, '/')+1:]
		if h.Of.Kind == crossdock.KindParty {
			own = string(h.from) + "-" + own
		}
	}
	return plainKey(own)
}

// plainKey keeps what may stand in an external id and a file name.
func plainKey(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, s)
}

// fresh returns a ref of the book that no record has: the liked key, else one
// that the system's name or its own key makes unique.
func (l *layer) fresh(h heardOf) crossdock.Ref {
	liked := bookKey(h)
	tail := plainKey(h.Of.Key[strings.LastIndexByte(h.Of.Key, '/')+1:])
	for _, k := range []string{liked, string(h.from) + "-" + liked, string(h.from) + "-" + tail, string(h.from) + "-" + DigestOf([]byte(h.Of.String()))} {
		of := crossdock.BookRef(h.Of.Kind, k)
		if k != "" && get[Record](l, RecordAt(of)) == nil {
			return of
		}
	}
	panic(crossdock.Errorf(crossdock.Internal, "no free key for %s", h.Of))
}

// write puts a record with the fields a system changed and who set them.
func (l *layer) write(r *Record, body crossdock.Record, changed crossdock.Fields, by crossdock.System) {
	set := maps.Clone(r.Set)
	if set == nil {
		set = make(map[string]Source, len(changed))
	}
	for _, name := range changed {
		set[name] = Source{System: by, Seq: l.seq}
	}
	r.Body, r.Set, r.Rev, r.Seq, r.At = body, set, r.Rev+1, l.seq, l.at
	l.put(r)
	l.about(r.Of)
}

// rename brings the matching keys of a record up to date and wakes who waits for one of them.
func (l *layer) rename(r *Record, names []string) {
	names = slices.Clone(names)
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, ofName) })
	slices.Sort(names)
	names = slices.Compact(names)
	if slices.Equal(names, r.Names) {
		return
	}
	var moved []string // names that other records than before have
	for _, n := range r.Names {
		if !slices.Contains(names, n) {
			l.soon(AwaitAt(n))
			row := edit[Name](l, NameAt(n))
			row.Of = slices.DeleteFunc(slices.Clone(row.Of), func(of crossdock.Ref) bool { return of == r.Of })
			if len(row.Of) == 0 {
				l.drop(NameAt(n))
			} else {
				l.put(row)
				moved = append(moved, n)
			}
		}
	}
	for _, n := range names {
		row := edit[Name](l, NameAt(n))
		if !slices.Contains(row.Of, r.Of) {
			row.Name, row.Of = n, append(slices.Clone(row.Of), r.Of)
			slices.SortFunc(row.Of, crossdock.Ref.Compare)
			l.put(row)
			moved = append(moved, n)
		}
	}
	r.Names = names
	l.put(r)
	for _, n := range moved {
		if only := l.named(n); len(only) == 1 {
			l.settled("item", n, "only "+only[0].Short()+" has it now")
		}
		l.wake(n)
	}
}

// named returns the records with a matching key.
func (l *layer) named(name string) []crossdock.Ref {
	if n := get[Name](l, NameAt(name)); n != nil {
		return n.Of
	}
	return nil
}

// wantIn makes a record one that each system taking its kind should hold.
func (l *layer) wantIn(of crossdock.Ref) {
	for _, system := range l.setup.Takers(of.Kind) {
		v := get[View](l, ViewAt(system, of))
		if v == nil {
			l.put(l.view(system, of))
		}
		if v != nil && v.Gone && of.Kind == crossdock.KindParty { // somebody deleted or merged it there, and now it is needed: it is made anew
			fresh := View{crossdock.View{System: system, Of: of, Rev: v.Rev, Heard: l.seq, Settled: l.seq}}
			l.put(&fresh)
			l.clear("deleted", system, of, "an order needs it: it is made again")
		}
		l.touch(system, of)
	}
}

// retouch asks for the views of a record to be projected again, where a system
// holds or should hold it: all of them, or, with only, that one.
func (l *layer) retouch(only crossdock.System, of crossdock.Ref) {
	for _, system := range l.setup.Takers(of.Kind) {
		if (only == "" || only == system) && get[View](l, ViewAt(system, of)) != nil {
			l.touch(system, of)
		}
	}
}
