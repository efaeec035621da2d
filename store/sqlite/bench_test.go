package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

// text returns n bytes that compress about as well as an order does.
func text(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"sku":"TEA-%03d","quantity":%d,"price":"%d.%02d"},`, r.Uint64(), r.IntN(900), r.IntN(20), r.IntN(500), r.IntN(100))
	}
	return b.Bytes()[:n]
}

func order(seed uint64) crossdock.Message {
	return crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: fmt.Sprint(seed), Version: "2026-11-02T10:00:00Z",
		Meta: crossdock.Meta{"topic": "orders/create"}, Body: text(seed, 2048)}
}

// BenchmarkFile files 2 KB messages from 64 callers at once; every call waits
// until its message is on disk.
func BenchmarkFile(b *testing.B) {
	s := open(b, b.TempDir(), sqlite.Options{})
	b.SetParallelism(64 / max(1, maxProcs()))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		seed := rand.Uint64()
		for pb.Next() {
			seed++
			a := store.Arrival{Lane: crossdock.Normal, At: time.Unix(1, 0), Body: order(seed)}
			if err := s.Journal().File(context.Background(), store.Filing{Arrivals: []*store.Arrival{&a}}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "filings/s")
}

// BenchmarkCommit commits 1,000 changes at a time to a book that grows to 50,000
// rows: records, views, balances, promises and wants, and an entry for every five.
func BenchmarkCommit(b *testing.B) {
	s := open(b, b.TempDir(), sqlite.Options{})
	d := begin(b, s.Book())
	all := make([][]core.Change, 50)
	for i := range all {
		all[i] = thousand(i * 200)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		d.commit(200, all[i%len(all)])
	}
}

// BenchmarkLoad loads 5,000 rows of a book that holds 50,000.
func BenchmarkLoad(b *testing.B) {
	s := open(b, b.TempDir(), sqlite.Options{Unsafe: true})
	d := begin(b, s.Book())
	var at []core.Address
	for i := range 50 {
		changes := thousand(i * 200)
		d.commit(200, changes)
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

// thousand returns 1,000 changes of 200 orders.
func thousand(from int) []core.Change {
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
