package sqlite_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

func maxProcs() int { return runtime.GOMAXPROCS(0) }

// open opens a store and closes it with the test.
func open(t testing.TB, dir string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// desk commits one batch after the other.
type desk struct {
	t    testing.TB
	book store.Book
	at   store.Position
}

func begin(t testing.TB, b store.Book) *desk {
	t.Helper()
	p, err := b.Claim(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t, b, p}
}

// next returns a commit of n entries and the changes.
func (d *desk) next(n int, changes []core.Change) store.Commit {
	c := store.Commit{From: d.at, To: d.at, Changes: changes}
	c.To.Lanes = map[crossdock.Lane]store.Place{}
	for lane, place := range d.at.Lanes {
		c.To.Lanes[lane] = place
	}
	for range n {
		c.To.Seq++
		c.To.At = time.Date(2026, 11, 2, 10, 0, 0, int(c.To.Seq%1e9), time.UTC)
		digest := sha256.Sum256([]byte(fmt.Sprint(c.To.Seq)))
		place := c.To.Lanes[crossdock.Normal]
		place.Number++
		c.To.Lanes[crossdock.Normal] = place
		c.Entries = append(c.Entries, store.Taken{Seq: c.To.Seq, At: c.To.At, Lane: crossdock.Normal, Arrival: place.Number, Kind: "message",
			Refs: []crossdock.Ref{crossdock.BookRef(crossdock.KindOrder, fmt.Sprint(c.To.Seq))}, Effect: "taken", Digest: digest[:]})
	}
	return c
}

func (d *desk) commit(n int, changes []core.Change) {
	d.t.Helper()
	c := d.next(n, changes)
	if err := d.book.Commit(context.Background(), c); err != nil {
		d.t.Fatal(err)
	}
	d.at = c.To
}
