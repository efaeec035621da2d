package core

import (
	"time"

	"github.com/crossdockhq/crossdock"
)

// Version names the rules of this core; a judgement stores it.
const Version = "1"

// layer is what one entry changes on top of the book. It is thrown away when a
// row is missing. A read of such a row counts as none there and the decision goes
// on, only to find out what else it is going to ask for: so a few rounds load all.
type layer struct {
	base    Book
	seq     int64
	at      time.Time
	setup   crossdock.Setup
	rows    map[Address]Row // what was changed; nil: dropped
	order   []Address       // of the changes
	touched map[Touch]bool
	touches []Touch
	cited   map[crossdock.Ref]bool
	refs    []crossdock.Ref
	effect  string
	stays   map[Address]bool // by ticket: asked to wait in this entry
	missing []Address        // rows that were asked for and are not loaded
	missed  map[Address]bool
}

// unloaded is thrown where going on without the rows makes no sense; only run catches it.
type unloaded struct{}

// run gives f a fresh layer over the book and returns what it decided.
func run(b Book, seq int64, at time.Time, f func(*layer)) (d Decision) {
	l := &layer{base: b, seq: seq, at: at, rows: map[Address]Row{}, touched: map[Touch]bool{}, cited: map[crossdock.Ref]bool{}, missed: map[Address]bool{}, stays: map[Address]bool{}}
	defer func() {
		r := recover()
		if len(l.missing) > 0 { // whatever happened since a row was missing means nothing
			d = Decision{Missing: l.missing}
		} else if r != nil {
			panic(r)
		}
	}()
	if s := get[Setup](l, SetupAt); s != nil {
		l.setup = s.Setup
	}
	f(l)
	changes := make([]Change, len(l.order))
	for i, at := range l.order {
		changes[i] = Change{At: at, Row: l.rows[at]}
	}
	return Decision{Changes: changes, Touched: l.touches, Refs: l.refs, Effect: l.effect}
}

// need asks for many rows at once and goes on only when all of them are loaded.
func (l *layer) need(at ...Address) {
	for _, a := range at {
		if _, changed := l.rows[a]; changed {
			continue
		}
		if _, known := l.base.Row(a); !known {
			l.miss(a)
		}
	}
	if len(l.missing) > 0 {
		panic(unloaded{})
	}
}

// soon asks for rows that are going to be read, so that they are loaded with others.
func (l *layer) soon(at ...Address) {
	for _, a := range at {
		l.row(a)
	}
}

func (l *layer) miss(at Address) {
	if !l.missed[at] {
		l.missed[at] = true
		l.missing = append(l.missing, at)
	}
}

func (l *layer) row(at Address) Row {
	if row, changed := l.rows[at]; changed {
		return row
	}
	row, known := l.base.Row(at)
	if !known {
		l.miss(at)
		return nil
	}
	return row
}

// get returns the row at an address, nil where there is none. It is shared: a
// caller that changes it works on a copy and puts that.
func get[T any, P interface {
	*T
	Row
}](l *layer, at Address) *T {
	row := l.row(at)
	if row == nil {
		return nil
	}
	p, ok := row.(P)
	if !ok {
		panic(crossdock.Errorf(crossdock.Internal, "row %v holds a %T", at, row))
	}
	return p
}

// edit returns a copy of the row at an address, a new one where there is none.
// The copy is shallow: slices and maps in it are replaced, never written into.
func edit[T any, P interface {
	*T
	Row
}](l *layer, at Address) *T {
	c := new(T)
	if p := get[T, P](l, at); p != nil {
		*c = *p
	}
	return c
}

func (l *layer) put(row Row) {
	at := row.Address()
	if _, again := l.rows[at]; !again {
		l.order = append(l.order, at)
	}
	l.rows[at] = row
}

func (l *layer) drop(at Address) {
	if l.row(at) == nil {
		return
	}
	if _, again := l.rows[at]; !again {
		l.order = append(l.order, at)
	}
	l.rows[at] = nil
}

// touch asks for a view to be projected again once the entry is decided.
func (l *layer) touch(system crossdock.System, of crossdock.Ref) {
	t := Touch{system, of}
	if !l.touched[t] {
		l.touched[t] = true
		l.touches = append(l.touches, t)
	}
}

// about adds a record to those the entry is about.
func (l *layer) about(of ...crossdock.Ref) {
	for _, r := range of {
		if r.Validate() == nil && !l.cited[r] {
			l.cited[r] = true
			l.refs = append(l.refs, r)
		}
	}
}

// say adds to what came of the entry.
func (l *layer) say(text string) {
	if l.effect == "" {
		l.effect = text
	} else if len(l.effect) < 400 { // a long slice has a thousand effects; its records tell them one by one
		l.effect += "; " + text
	}
}

// record returns a record of the book, following merges.
func (l *layer) record(of crossdock.Ref) *Record {
	for range 16 { // a chain of merges is short; a circle is a defect that must not hang the desk
		r := get[Record](l, RecordAt(of))
		if r == nil || r.Into.IsZero() {
			return r
		}
		of = r.Into
	}
	panic(crossdock.Errorf(crossdock.Internal, "%s is merged in a circle", of.Short()))
}

// view returns a copy of what the book knows of a record in a system.
func (l *layer) view(system crossdock.System, of crossdock.Ref) *View {
	v := edit[View](l, ViewAt(system, of))
	v.System, v.Of = system, of
	return v
}
