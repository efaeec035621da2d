package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Bench measures what the hub does most, on a new store for each.
func Bench(b *testing.B, open func(b *testing.B) store.Store) {
	b.Run("File", func(b *testing.B) { benchmarkFile(b, open(b)) })
	b.Run("Commit", func(b *testing.B) { benchmarkCommit(b, open(b)) })
	b.Run("Load", func(b *testing.B) { benchmarkLoad(b, open(b)) })
}

// benchmarkFile files 2 KB messages from 64 callers at once; every call waits
// until its message is on disk.
func benchmarkFile(b *testing.B, s store.Store) {
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		seed := rand.Uint64()
		for pb.Next() {
			seed++
			a := store.Arrival{Lane: crossdock.Normal, At: time.Unix(1, 0), Body: Message(seed)}
			if err := s.Journal().File(context.Background(), store.Filing{Arrivals: []*store.Arrival{&a}}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "filings/s")
}

// benchmarkCommit commits 1,000 changes at a time to a book that grows to 50,000
// rows: records, views, balances, promises and wants, and an entry for every five.
func benchmarkCommit(b *testing.B, s store.Store) {
	d := Begin(b, s.Book())
	all := make([][]core.Change, 50)
	for i := range all {
		all[i] = Thousand(i * 200)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		d.Commit(200, all[i%len(all)])
	}
}

// benchmarkLoad loads 5,000 rows of a book that holds 50,000.
func benchmarkLoad(b *testing.B, s store.Store) {
	d := Begin(b, s.Book())
	var at []core.Address
	for i := range 50 {
		changes := Thousand(i * 200)
		d.Commit(200, changes)
		if i%10 == 0 {
			for _, c := range changes {
				at = append(at, c.At)
			}
		}
	}
	b.ResetTimer()
	for range b.N {
		got, err := s.Book().Load(context.Background(), at)
		if err != nil || len(got) != len(at) || got[len(at)-1] == nil {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(float64(len(at)), "rows/op")
}

// Text returns n bytes that compress about as well as an order does.
func Text(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"sku":"TEA-%03d","quantity":%d,"price":"%d.%02d"},`, r.Uint64(), r.IntN(900), r.IntN(20), r.IntN(500), r.IntN(100))
	}
	return b.Bytes()[:n]
}

// Message returns an order of 2 KB as a shop sends it.
func Message(seed uint64) crossdock.Message {
	return crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: fmt.Sprint(seed), Version: "2026-11-02T10:00:00Z",
		Meta: crossdock.Meta{"topic": "orders/create"}, Body: Text(seed, 2048)}
}

// Desk commits one batch after the other, for tests and benchmarks of one store.
type Desk struct {
	At store.Position // where the book is

	t    testing.TB
	book store.Book
}

// Begin claims the book.
func Begin(t testing.TB, b store.Book) *Desk {
	t.Helper()
	p, err := b.Claim(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return &Desk{At: p, t: t, book: b}
}

// Next returns a commit of n entries and the changes.
func (d *Desk) Next(n int, changes []core.Change) store.Commit {
	c := store.Commit{From: d.At, To: d.At, Changes: changes}
	c.To.Lanes = map[crossdock.Lane]store.Place{}
	for lane, place := range d.At.Lanes {
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

// Commit commits what Next returns.
func (d *Desk) Commit(n int, changes []core.Change) {
	d.t.Helper()
	c := d.Next(n, changes)
	if err := d.book.Commit(context.Background(), c); err != nil {
		d.t.Fatal(err)
	}
	d.At = c.To
}

// Thousand returns 1,000 changes of 200 orders.
func Thousand(from int) []core.Change {
	var out []core.Change
	put := func(r core.Row) { out = append(out, core.Change{At: r.Address(), Row: r}) }
	due := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	for i := from; i < from+200; i++ {
		of := crossdock.BookRef(crossdock.KindOrder, fmt.Sprint(i))
		body := crossdock.Record{Kind: crossdock.KindOrder, Form: 1}
		_ = body.Set("lines", strings.Repeat("ten lines of an order, ", 40))
		put(&core.Record{Of: of, Rev: 1, Body: body, Seq: 1, At: due})
		put(&core.View{View: crossdock.View{System: "odoo", Of: of, Key: fmt.Sprint(i), Held: body, AsOf: due}})
		put(&core.Want{System: "odoo", Of: of, Do: core.DoPush, Lane: crossdock.Normal, State: core.WantDue, Due: due, Want: body})
		item := crossdock.BookRef(crossdock.KindItem, fmt.Sprint(i%500))
		put(&core.Balance{Item: item, Site: crossdock.BookRef(crossdock.KindSite, fmt.Sprint(i/500))})
		put(&core.Promise{Cause: of, Site: crossdock.BookRef(crossdock.KindSite, "E"), Lines: []core.Promised{{Item: item}}, Seq: 1})
	}
	return out
}
