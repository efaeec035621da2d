package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// model is a book as a plain map.
type model struct {
	at   store.Position
	rows map[core.Address]core.Row
}

// likeModel commits what chance proposes, from the right and the wrong position,
// and compares the book with a map after every step. All runs share one book; each
// has systems and keys of its own.
func likeModel(h *house) {
	d := h.desk()
	run := 0
	rapid.Check(h.T, func(t *rapid.T) {
		run++
		m := &model{at: d.at, rows: map[core.Address]core.Row{}}
		g := proposals{system: crossdock.System(fmt.Sprintf("run%d", run))}
		for range rapid.IntRange(1, 6).Draw(t, "commits") {
			c := (&desk{h, m.at}).next(g.changes(t), order("1"))
			stale := rapid.IntRange(0, 3).Draw(t, "stale") == 0
			if stale {
				c.From.Seq++
				c.To.Seq++
				c.Entries = nil
			}
			err := h.s.Book().Commit(h.Context(), c)
			if stale != (err != nil) {
				t.Fatalf("stale %v, but the commit says %v", stale, err)
			}
			if !stale {
				m.take(c)
			}
			d.at = m.at
			m.compare(t, h, g)
		}
	})
}

func (m *model) take(c store.Commit) {
	m.at = c.To
	for _, ch := range c.Changes {
		if ch.Row == nil {
			delete(m.rows, ch.At)
		} else {
			m.rows[ch.At] = ch.Row
		}
	}
}

// proposals draws rows from few addresses, so that they meet.
type proposals struct{ system crossdock.System }

func (g proposals) rows(key string) []core.Row {
	of := crossdock.Ref{System: g.system, Kind: crossdock.KindOrder, Key: string(g.system) + "-" + key}
	return []core.Row{
		&core.Record{Of: of}, &core.Link{Of: of}, &core.Want{System: g.system, Do: core.DoPush, Of: of}, &core.Timer{Of: of, Name: "hold"},
		&core.Exception{ID: string(g.system) + "-" + key},
	}
}

func (g proposals) changes(t *rapid.T) []core.Change {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) core.Change {
		r := rapid.SampledFrom(g.rows(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key"))).Draw(t, "row")
		if rapid.IntRange(0, 3).Draw(t, "drop") == 0 {
			return core.Change{At: r.Address()}
		}
		at := noon.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "time")) * time.Nanosecond)
		switch r := r.(type) {
		case *core.Record:
			r.Rev, r.At = rapid.Int64().Draw(t, "rev"), at
		case *core.Link:
			r.To = order(rapid.StringMatching(`[a-z0-9/|é'"]{1,9}`).Draw(t, "to"))
		case *core.Want:
			r.Due = at
			r.Lane = rapid.SampledFrom(crossdock.Lanes).Draw(t, "lane")
			r.State = rapid.SampledFrom([]core.WantState{core.WantDue, core.WantOpen, core.WantParked, core.WantStopped}).Draw(t, "state")
		case *core.Timer:
			r.Due = at
		case *core.Exception:
			r.Opened = at
			if rapid.Bool().Draw(t, "closed") {
				r.Closed = at
			}
		}
		return core.Change{At: r.Address(), Row: r}
	}), 0, 12).Draw(t, "changes")
}

// compare asks the book and the map the same questions.
func (m *model) compare(t *rapid.T, h *house, g proposals) {
	same := func(what string, want, got any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(want, got); d != "" {
			t.Fatalf("%s (-map +book):\n%s", what, d)
		}
	}
	b, ctx := h.s.Book(), h.Context()
	p, err := b.Position(ctx)
	same("position", m.at, p, err)

	var at []core.Address
	var rows []core.Row
	for _, key := range []string{"a", "b", "c"} {
		for _, r := range g.rows(key) {
			at, rows = append(at, r.Address()), append(rows, m.rows[r.Address()])
		}
	}
	loaded, err := b.Load(ctx, at)
	same("load", rows, loaded, err)

	due, err := b.Due(ctx, g.system, noon, 99)
	same("due", m.due(), due, err)
	fired, err := b.Timers(ctx, noon, 1<<20)
	others := func(t *core.Timer) bool { return t.Of.System != g.system }
	same("timers", m.timers(), slices.DeleteFunc(fired, others), err)
	open, err := b.Exceptions(ctx, false, nil, 1<<20)
	same("exceptions", m.exceptions(), slices.DeleteFunc(open, func(e *core.Exception) bool { return !strings.HasPrefix(e.ID, string(g.system)+"-") }), err)
}

// sorted returns the rows of one type that which lets through, in the order of less.
func sorted[R core.Row](m *model, which func(R) bool, compare func(a, b R) int) (out []R) {
	for _, r := range m.rows {
		if r, ok := r.(R); ok && which(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b R) int {
		if c := compare(a, b); c != 0 {
			return c
		}
		return strings.Compare(a.Address().Key, b.Address().Key)
	})
	return out
}

func (m *model) due() []*core.Want {
	rank := func(w *core.Want) int { return slices.Index(crossdock.Lanes, w.Lane) }
	return sorted(m, func(w *core.Want) bool { return w.State == core.WantDue && !w.Due.After(noon) }, func(a, b *core.Want) int {
		if c := rank(a) - rank(b); c != 0 {
			return c
		}
		return a.Due.Compare(b.Due)
	})
}

func (m *model) timers() []*core.Timer {
	return sorted(m, func(t *core.Timer) bool { return !t.Due.After(noon) }, func(a, b *core.Timer) int { return a.Due.Compare(b.Due) })
}

func (m *model) exceptions() []*core.Exception {
	return sorted(m, func(e *core.Exception) bool { return e.Open() }, func(a, b *core.Exception) int { return a.Opened.Compare(b.Opened) })
}
