package connectortest

import (
	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// The clauses about pulling and listing.

// pages bounds how often a reader is asked for more.
const pages = 60

// reading is what a reader has heard so far of one kind.
type reading struct {
	st      *stage
	kind    crossdock.Kind
	last    map[string]crossdock.Statement // by key, what was said last
	cursors []connector.Cursor             // after each page
	news    [][]string                     // keys of each page
}

func (st *stage) reading(k crossdock.Kind) *reading {
	return &reading{st: st, kind: k, last: map[string]crossdock.Statement{}}
}

// page reads one page and reports whether there is more.
func (r *reading) page(after connector.Cursor) (connector.Cursor, bool) {
	ctx, cancel := r.st.ctx()
	defer cancel()
	p, err := through[connector.Puller](r.st).Pull(ctx, r.kind, after)
	r.st.need(err, "pulling %s after %q", r.kind, after)
	var news []string
	for _, m := range p.Messages {
		m.From = System
		for _, s := range r.st.translate(m) {
			if s.Of.Kind == r.kind && s.Fault == nil && !s.Gone {
				r.last[s.Of.Key] = s
				news = append(news, s.Of.Key)
			}
		}
	}
	r.cursors, r.news = append(r.cursors, p.Next), append(r.news, news)
	return p.Next, p.More
}

// pass reads until there is no more.
func (r *reading) pass(after connector.Cursor) connector.Cursor {
	for range pages {
		next, more := r.page(after)
		if after = next; !more {
			return after
		}
	}
	r.st.wrong("pulling %s does not end: after %d pages there is more", r.kind, pages)
	panic(stop{})
}

func (r *reading) has(keys []string, when string) {
	for _, k := range keys {
		if _, ok := r.last[k]; !ok {
			r.st.wrong("%s %s is skipped %s", r.kind, k, when)
		}
	}
}

// kinds runs do for each kind that is pulled, on a stage of its own. About one of
// which the world has no records the clause "subject" complains.
func (x *trial) kinds(do func(*stage, crossdock.Kind, Records)) {
	for _, k := range through[connector.Puller](x.stages[0]).Kinds() {
		if x.stages[0].w.Records[k].Make != nil {
			st := x.stage()
			do(st, k, st.w.Records[k])
		}
	}
}

func zeroCursor(x *trial) {
	x.kinds(func(st *stage, k crossdock.Kind, r Records) {
		before := st.reading(k)
		before.pass("")
		keys := r.Make(r.Page - len(before.last)%r.Page)
		all := st.reading(k)
		end := all.pass("")
		if len(all.last)%r.Page != 0 {
			x.wrong("the world has %d of %s, which is no full page of %d", len(all.last), k, r.Page)
		}
		for key := range before.last {
			keys = append(keys, key)
		}
		all.has(keys, "by a pull of everything whose last page is full")
		st.w.Advance(overlapPassed)
		more := r.Make(1)
		next := st.reading(k)
		next.pass(end)
		next.has(more, "by the pull after one whose last page was full")
	})
}

// overlapPassed is longer than any connector reads back.
const overlapPassed = 10 * 60 * 1e9

func resume(x *trial) {
	x.kinds(func(st *stage, k crossdock.Kind, r Records) {
		r.Make(r.Page + 2)
		all := st.reading(k)
		end := all.pass("")
		seen := map[string]bool{}
		for i, after := range all.cursors[:len(all.cursors)-1] {
			for _, key := range all.news[i] {
				seen[key] = true
			}
			st.open() // another process
			rest := st.reading(k)
			rest.pass(after)
			for key := range all.last {
				if _, ok := rest.last[key]; !ok && !seen[key] {
					x.wrong("%s %s is skipped by a pull that goes on from page %d of %d", k, key, i+1, len(all.cursors))
				}
			}
		}
		st.open()
		st.w.Advance(overlapPassed)
		more := r.Make(1)
		again := st.reading(k)
		again.pass(end)
		again.has(more, "by a pull that goes on from the end in another process")
	})
}

func paging(x *trial) {
	x.kinds(func(st *stage, k crossdock.Kind, r Records) {
		made := r.Make(r.Page + 4)
		now := st.reading(k)
		after, more := now.page("")
		if !more {
			x.wrong("%s: more than a page was made and the first page says there is no more", k)
			return
		}
		st.w.Advance(2 * 60 * 1e9)
		first, last := made[0], made[len(made)-1]
		r.Alter(first)
		r.Alter(last)
		if r.Delete != nil {
			r.Delete(made[1])
			r.Delete(made[len(made)-2])
		}
		r.Make(2)
		end := now.pass(after)
		end = now.pass(end)
		st.w.Advance(overlapPassed)
		r.Alter(first)
		now.pass(end)
		fresh := st.reading(k)
		fresh.pass("")
		for key, s := range fresh.last {
			was, ok := now.last[key]
			switch {
			case !ok:
				x.wrong("%s %s, made or changed while a pull turned pages, is skipped", k, key)
			case !was.Said.Equal(s.Said):
				x.wrong("%s %s was changed while a pull turned pages or after it, and is known as %v, not as %v", k, key, was.Said.Fields, s.Said.Fields)
			}
		}
	})
}

func keys(x *trial) {
	if !isPuller(x.stages[0].conn) {
		x.wrong("it is a Lister and no Puller: nobody knows of which kinds")
		return
	}
	x.kinds(func(st *stage, k crossdock.Kind, r Records) {
		made := r.Make(r.Page + 2)
		all := st.reading(k)
		all.pass("")
		there := st.listed(k)
		for key := range all.last {
			if !there[key] {
				x.wrong("Keys does not list %s %s", k, key)
			}
		}
		if r.Delete == nil {
			x.t.Logf("%s is never deleted: %s", k, r.Never)
			return
		}
		if turned := st.listedAnd(k, func(p connector.KeyPage) { r.Delete(p.Keys[0]) }); len(turned) < len(there) {
			x.wrong("Keys lists %d of %s, and %d when one of its first page is deleted before the second", len(there), k, len(turned))
		}
		gone := []string{made[1], made[len(made)-1]}
		for _, key := range gone {
			r.Delete(key)
		}
		there = st.listed(k)
		for _, key := range gone {
			if there[key] {
				x.wrong("Keys lists %s %s, which was deleted", k, key)
			}
		}
		if !there[made[2]] {
			x.wrong("Keys does not list %s %s any more, and it is there", k, made[2])
		}
		if f, ok := st.conn.(connector.Finder); ok {
			st.lookedUp(f, k, gone[0])
		}
	})
}

// lookedUp looks for a record that was deleted.
func (st *stage) lookedUp(f connector.Finder, k crossdock.Kind, key string) {
	ctx, cancel := st.ctx()
	defer cancel()
	ref := crossdock.Ref{System: System, Kind: k, Key: key}
	got, err := f.Find(ctx, []crossdock.Ref{ref})
	st.need(err, "finding %s", ref)
	if len(got) == 1 {
		got[0].From = System
		st.answers(ref, got[0], true)
	}
}

// listed returns all keys of a kind.
func (st *stage) listed(k crossdock.Kind) map[string]bool {
	return st.listedAnd(k, func(connector.KeyPage) {})
}

// listedAnd lists all keys of a kind and does something after the first page.
func (st *stage) listedAnd(k crossdock.Kind, between func(first connector.KeyPage)) map[string]bool {
	ctx, cancel := st.ctx()
	defer cancel()
	out := map[string]bool{}
	after := connector.Cursor("")
	for n := range pages {
		p, err := through[connector.Lister](st).Keys(ctx, k, after)
		st.need(err, "listing the keys of %s", k)
		for _, key := range p.Keys {
			out[key] = true
		}
		if after = p.Next; !p.More {
			return out
		}
		if n == 0 {
			between(p)
		}
	}
	st.wrong("the keys of %s do not end: after %d pages there are more", k, pages)
	return out
}
