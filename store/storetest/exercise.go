// Package storetest is the specification of package store in code: what every
// store keeps, through crash and restart, whatever it keeps it in.
package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Exercise runs the whole suite. open opens the store that belongs to dir, making
// it where there is none; the suite closes what it opened, and opens the same dir
// again to see what outlasts a restart.
func Exercise(t *testing.T, open func(t *testing.T, dir string) store.Store) {
	for _, c := range []struct {
		name  string
		check func(*house)
	}{
		{"arrivals keep the order of their lane", orderInLanes},
		{"a filing of several lanes is numbered in its order", severalLanes},
		{"numbers have no gaps under 32 callers at once", noGaps},
		{"I1: what was acknowledged is there after a restart", acknowledged},
		{"I2: a cursor moves with what was read or not at all", cursorAndRows},
		{"a filing whose context has ended leaves nothing", endedContext},
		{"every body comes back as it was filed", bodies},
		{"a digest depends on body and salt", digests},
		{"attempts are open until their result is filed", openAttempts},
		{"attempts and results belong in the urgent lane", attemptsAreUrgent},
		{"lanes are read in pages", pages},
		{"urgent arrivals are read while 100,000 rows are filed", largeBesideUrgent},

		{"a new book is at its beginning", newBook},
		{"of two desks that commit from one position one wins", twoDesks},
		{"every part of the position is compared", wholePosition},
		{"Claim fences the owner before", claimFences},
		{"a commit that breaks the rules writes nothing", wrongCommits},
		{"a later change of an address wins", laterWins},
		{"rows are put, dropped and loaded in the order asked", putAndDrop},
		{"thousands of rows are loaded at once", loadMany},
		{"every row comes back as it was put", allRows},
		{"due wants come by lane, time and key", dueOrder},
		{"wants that are not due any more are not taken", dueStates},
		{"timers come by time", timers},
		{"Next is the earliest of wants and timers", next},
		{"tables are scanned in pages by prefix", scan},
		{"exceptions come oldest first, open ones only", exceptions},
		{"entries are found by what they are about", trace},
		{"entries are chained", chain},
		{"readers see whole commits while one is written", readersBesideWriter},
		{"a book is what a plain map would be", likeModel},
		{"a lease has one holder", oneHolder},
		{"a lease is renewed by its holder and free when released", renewAndRelease},
		{"a lease expires", expiry},
		{"the leases of an owner that has ended are free at once", vacated},
		{"a write under an old epoch is stale and writes nothing", epochFences},
		{"a stale write holds up no other", staleBesideGood},
		{"what is written under a lease is in the order of its epochs", orderOfEpochs},
		{"a new incarnation is counted and fences the desk before", incarnations},
		{"closing twice, or without use, is safe", closing},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(enter(t, open))
		})
	}
}

// house is a store and the directory it lives in.
type house struct {
	*testing.T
	dir  string
	open func(*testing.T, string) store.Store
	s    store.Store
}

func enter(t *testing.T, open func(*testing.T, string) store.Store) *house {
	h := &house{T: t, dir: t.TempDir(), open: open}
	h.s = open(t, h.dir)
	t.Cleanup(func() { h.must(h.s.Close()) })
	return h
}

// restart closes the store and opens it again.
func (h *house) restart() {
	h.Helper()
	h.must(h.s.Close())
	h.s = h.open(h.T, h.dir)
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// refused fails the test unless err is target.
func (h *house) refused(err, target error) {
	h.Helper()
	if !errors.Is(err, target) {
		h.Fatalf("got %v, want %v", err, target)
	}
}

// same fails the test when got is not want, down to the form of records and the
// digits of amounts; nil and empty are the same, and so are two names of one moment.
func (h *house) same(what string, want, got any) {
	h.Helper()
	if d := difference(want, got); d != "" {
		h.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func difference(want, got any) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b crossdock.Record) bool {
			return a.Kind == b.Kind && a.Form == b.Form && maps.EqualFunc(a.Fields, b.Fields, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
		}),
		cmp.Comparer(func(a, b crossdock.Money) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b crossdock.Quantity) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }))
}

// noon is when the tests begin.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 123456789, time.UTC)

func order(key string) crossdock.Ref { return crossdock.BookRef(crossdock.KindOrder, key) }

// row is a small record row: version v of order key.
func row(key string, v int64) *core.Record {
	r := &core.Record{Of: order(key), Rev: v, Seq: v, At: noon, Body: crossdock.Record{Kind: crossdock.KindOrder, Form: 1}}
	if err := r.Body.Set("number", key); err != nil {
		panic(err) // a string is always JSON
	}
	return r
}

func put(rows ...core.Row) []core.Change {
	var out []core.Change
	for _, r := range rows {
		out = append(out, core.Change{At: r.Address(), Row: r})
	}
	return out
}

func drop(rows ...core.Row) []core.Change {
	var out []core.Change
	for _, r := range rows {
		out = append(out, core.Change{At: r.Address()})
	}
	return out
}

func closing(h *house) {
	h.restart()
	h.must(h.s.Close())
	h.must(h.s.Close())
	if err := h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{message(crossdock.Normal, "late")}}); err == nil {
		h.Fatal("a closed journal filed an arrival")
	}
	if _, err := h.s.Book().Claim(h.Context()); err == nil {
		h.Fatal("a closed book was claimed")
	}
	h.s = h.open(h.T, h.dir)
}
