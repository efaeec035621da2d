package storetest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// desk commits one batch after the other, as the desk of the hub does.
type desk struct {
	*house
	at store.Position
}

func (h *house) desk() *desk {
	h.Helper()
	p, err := h.s.Book().Claim(h.Context())
	h.must(err)
	return &desk{h, p}
}

// next returns the commit of one entry for each ref (about nothing for a zero
// one), and changes.
func (d *desk) next(changes []core.Change, about ...crossdock.Ref) store.Commit {
	c := store.Commit{From: d.at, To: d.at, Changes: changes}
	c.To.Lanes = maps.Clone(d.at.Lanes)
	if c.To.Lanes == nil {
		c.To.Lanes = map[crossdock.Lane]store.Place{}
	}
	if c.To.At.IsZero() {
		c.To.At = noon
	}
	for _, of := range about {
		c.To.Seq++
		c.To.At = c.To.At.Add(time.Nanosecond)
		place := c.To.Lanes[crossdock.Normal]
		place.Number++
		c.To.Lanes[crossdock.Normal] = place
		t := store.Taken{Seq: c.To.Seq, At: c.To.At, Lane: crossdock.Normal, Arrival: place.Number, Part: 2, Kind: "message", Effect: "put " + of.Key, Digest: bytes.Repeat([]byte{byte(c.To.Seq)}, 32)}
		if !of.IsZero() {
			t.Refs = []crossdock.Ref{of, crossdock.BookRef(crossdock.KindParty, "P7")}
		}
		c.Entries = append(c.Entries, t)
	}
	return c
}

func (d *desk) commit(changes []core.Change, about ...crossdock.Ref) {
	d.Helper()
	c := d.next(changes, about...)
	d.must(d.s.Book().Commit(d.Context(), c))
	d.at = c.To
}

func (h *house) position() store.Position {
	h.Helper()
	p, err := h.s.Book().Position(h.Context())
	h.must(err)
	return p
}

func (h *house) load(at ...core.Address) []core.Row {
	h.Helper()
	got, err := h.s.Book().Load(h.Context(), at)
	h.must(err)
	return got
}

func newBook(h *house) {
	if p := h.position(); !p.Equal(store.Position{}) || p.Lanes == nil {
		h.Fatalf("a new book is at %+v", p)
	}
	next, err := h.s.Book().Next(h.Context())
	h.must(err)
	if !next.IsZero() {
		h.Fatalf("something becomes due in an empty book at %s", next)
	}
	d := h.desk()
	h.same("the first owner's epoch", int64(1), d.at.Epoch)
	d.commit(nil) // nothing to do is no error
	h.restart()
	h.same("after a restart", d.at, h.position())
}

func twoDesks(h *house) {
	one := h.desk()
	two := &desk{h, one.at}
	one.commit(put(row("1001", 1)), order("1001"))
	c := two.next(put(row("1001", 2), row("1002", 2)), order("1002"))
	h.refused(h.s.Book().Commit(h.Context(), c), store.ErrStale)
	h.same("the position", one.at, h.position())
	h.same("the rows", []core.Row{row("1001", 1), nil}, h.load(row("1001", 0).Address(), row("1002", 0).Address()))
	entries, err := h.s.Book().Entries(h.Context(), 0, 10)
	h.must(err)
	h.same("the entries", 1, len(entries))
}

func wholePosition(h *house) {
	d := h.desk()
	d.commit(put(row("1", 1)), order("1"))
	for what, change := range map[string]func(*store.Position){
		"epoch":          func(p *store.Position) { p.Epoch-- },
		"seq":            func(p *store.Position) { p.Seq-- },
		"nanosecond":     func(p *store.Position) { p.At = p.At.Add(-1) },
		"number in lane": func(p *store.Position) { p.Lanes[crossdock.Normal] = store.Place{Number: 7} },
		"part in lane":   func(p *store.Position) { p.Lanes[crossdock.Normal] = store.Place{Number: 1, Part: 1} },
		"missing lane":   func(p *store.Position) { p.Lanes = nil },
		"further lane":   func(p *store.Position) { p.Lanes[crossdock.Bulk] = store.Place{Part: 1} },
	} {
		c := d.next(put(row("1", 2)))
		c.From.Lanes = maps.Clone(d.at.Lanes)
		change(&c.From)
		c.To = c.From
		if err := h.s.Book().Commit(h.Context(), c); err == nil {
			h.Errorf("a position with another %s was taken for the stored one", what)
		} else {
			h.refused(err, store.ErrStale)
		}
	}
	elsewhere := d.next(put(row("1", 3)), order("1"))
	elsewhere.From.At = elsewhere.From.At.In(time.FixedZone("", -3600))
	elsewhere.From.Lanes = maps.Clone(d.at.Lanes)
	elsewhere.From.Lanes[crossdock.Bulk] = store.Place{}
	h.must(h.s.Book().Commit(h.Context(), elsewhere)) // the same moment, and a lane nothing was taken from
}

func claimFences(h *house) {
	old := h.desk()
	old.commit(put(row("1", 1)), order("1"))
	fresh := h.desk()
	h.same("the new epoch", old.at.Epoch+1, fresh.at.Epoch)
	h.refused(h.s.Book().Commit(h.Context(), old.next(put(row("1", 2)), order("1"))), store.ErrStale)
	fresh.commit(put(row("1", 3)), order("1"))
	h.restart()
	h.same("after a restart", fresh.at, h.position())
	h.same("the row", []core.Row{row("1", 3)}, h.load(row("1", 0).Address()))
}

func wrongCommits(h *house) {
	d := h.desk()
	d.commit(put(row("1", 1)), order("1"), order("2"))
	for what, spoil := range map[string]func(*store.Commit){
		"another epoch":           func(c *store.Commit) { c.To.Epoch++ },
		"a time that goes back":   func(c *store.Commit) { c.To.At = noon.Add(-time.Hour); c.Entries = nil },
		"a seq that goes back":    func(c *store.Commit) { c.To.Seq = 1; c.Entries = nil },
		"an entry given twice":    func(c *store.Commit) { c.Entries[1].Seq = c.Entries[0].Seq },
		"an entry already there":  func(c *store.Commit) { c.Entries[0].Seq = 2 },
		"an entry after its end":  func(c *store.Commit) { c.Entries[1].Seq = c.To.Seq + 1 },
		"an entry before its end": func(c *store.Commit) { c.Entries[1].At = noon.Add(time.Hour) },
		"a row under another key": func(c *store.Commit) { c.Changes[0].At = row("9", 0).Address() },
		"a table nobody knows":    func(c *store.Commit) { c.Changes = append(c.Changes, core.Change{At: core.Address{Table: "none"}}) },
	} {
		c := d.next(put(row("1", 2)), order("3"), order("4"))
		spoil(&c)
		if err := h.s.Book().Commit(h.Context(), c); err == nil {
			h.Errorf("a commit with %s was written", what)
		}
	}
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	h.refused(h.s.Book().Commit(ctx, d.next(put(row("1", 2)))), context.Canceled)
	h.same("the position", d.at, h.position())
	h.same("the row", []core.Row{row("1", 1)}, h.load(row("1", 0).Address()))
}

func laterWins(h *house) {
	d := h.desk()
	changes := append(put(row("a", 1), row("a", 2)), drop(row("b", 0))...)
	changes = append(changes, put(row("b", 3))...)
	changes = append(changes, put(row("c", 4))...)
	d.commit(append(changes, drop(row("c", 0))...))
	h.same("the rows", []core.Row{row("a", 2), row("b", 3), nil}, h.load(row("a", 0).Address(), row("b", 0).Address(), row("c", 0).Address()))
}

func putAndDrop(h *house) {
	d := h.desk()
	d.commit(put(row("a", 1), row("b", 1), &core.Name{Name: "a"}))
	a, b, name := row("a", 0).Address(), row("b", 0).Address(), core.NameAt("a")
	odd := core.Address{Table: core.Records, Key: "o'r\"der/\x00é"}
	h.same("in the order asked", []core.Row{row("b", 1), nil, row("a", 1), &core.Name{Name: "a"}, row("b", 1)}, h.load(b, odd, a, name, b))
	h.same("nothing asked", 0, len(h.load()))
	n, err := h.s.Book().Count(h.Context(), core.Records)
	h.must(err)
	h.same("the count", int64(2), n)
	d.commit(append(drop(row("a", 0), row("never", 0)), put(row("b", 2))...))
	h.restart()
	h.same("after a restart", []core.Row{nil, row("b", 2)}, h.load(a, b))
	n, err = h.s.Book().Count(h.Context(), core.Records)
	h.must(err)
	h.same("the count", int64(1), n)
}

func loadMany(h *house) {
	d := h.desk()
	var changes []core.Change
	var at []core.Address
	var want []core.Row
	for i := range 3000 {
		r := row(fmt.Sprint(i), int64(i))
		at = append(at, r.Address())
		if i%3 == 0 {
			want = append(want, nil)
			continue
		}
		want = append(want, r)
		changes = append(changes, put(r)...)
	}
	d.commit(changes)
	h.same("the rows", want, h.load(at...))
}

func trace(h *house) {
	d := h.desk()
	d.commit(nil, order("1"), crossdock.Ref{}, order("2"), order("1"))
	d.commit(nil, order("1"))
	seqs := func(of crossdock.Ref, limit int) (out []int64) {
		got, err := h.s.Book().Trace(h.Context(), of, limit)
		h.must(err)
		for _, t := range got {
			out = append(out, t.Seq)
		}
		return out
	}
	h.same("order 1", []int64{1, 4, 5}, seqs(order("1"), 10))
	h.same("order 1, the first two", []int64{1, 4}, seqs(order("1"), 2))
	h.same("order 2", []int64{3}, seqs(order("2"), 10))
	h.same("its party", []int64{1, 3, 4, 5}, seqs(crossdock.BookRef(crossdock.KindParty, "P7"), 10))
	h.same("a record nobody named", 0, len(seqs(order("3"), 10)))
}

func chain(h *house) {
	d := h.desk()
	first := d.next(nil, order("1"), crossdock.Ref{})
	h.must(h.s.Book().Commit(h.Context(), first))
	d.at = first.To
	h.restart()
	d.house = h
	second := d.next(nil, order("2"))
	h.must(h.s.Book().Commit(h.Context(), second))
	want := append(first.Entries, second.Entries...)
	var hash []byte
	for i := range want {
		hash = store.Chain(hash, want[i])
		want[i].Chain = hash
	}
	got, err := h.s.Book().Entries(h.Context(), 0, 10)
	h.must(err)
	h.same("the entries", want, got)
	got, err = h.s.Book().Entries(h.Context(), 1, 1)
	h.must(err)
	h.same("one page of them", want[1:2], got)
	if v, ok := h.s.Book().(interface {
		VerifyChain(context.Context, int64) error
	}); ok {
		h.must(v.VerifyChain(h.Context(), 0))
		h.must(v.VerifyChain(h.Context(), 2))
	}
}

func readersBesideWriter(h *house) {
	d := h.desk()
	const records = 200
	batch := func(v int64) (out []core.Change) {
		for i := range records {
			out = append(out, put(row(fmt.Sprint(i), v))...)
		}
		return out
	}
	var at []core.Address
	for i := range records {
		at = append(at, row(fmt.Sprint(i), 0).Address())
	}
	d.commit(batch(1), order("0"))
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := h.s.Book().Load(h.Context(), at)
				if err != nil {
					h.Error(err)
					return
				}
				seen := map[int64]bool{}
				for _, r := range got {
					if r, ok := r.(*core.Record); ok {
						seen[r.Rev] = true
					}
				}
				if len(seen) != 1 {
					h.Errorf("one load holds the revisions %v", seen)
					return
				}
			}
		})
	}
	for v := int64(2); v < 12; v++ {
		d.commit(batch(v), order("0"))
	}
	close(stop)
	all.Wait()
	h.same("the last", row("0", 11), h.load(at[0])[0])
}
