package desk

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// sliceSize is how many statements of a large message make one entry. It is part
// of the position (Place.Part counts slices), so it never changes.
const sliceSize = 500

// batch is what one Step decides.
type batch struct {
	started time.Time
	entries []*entry
	to      store.Position
	over    map[core.Address]core.Row // changes of the batch over the book; nil: dropped
	changes []core.Change
}

// entry is one entry of a batch on its way.
type entry struct {
	crossdock.Entry
	digest   []byte
	said     []core.Said
	decision core.Decision
}

// arrivalID names an arrival.
type arrivalID struct {
	lane   crossdock.Lane
	number int64
}

// take reads arrivals from the lanes by weight and translates them. Seq and At
// are given here; they hold once the batch is committed.
func (d *Desk) take(ctx context.Context) (*batch, error) {
	now := d.now()
	if now.Before(d.pos.At) {
		now = d.pos.At // At never goes back, whatever the clock does
	}
	b := &batch{started: d.now(), to: d.pos, over: map[core.Address]core.Row{}}
	b.to.At, b.to.Lanes = now, maps.Clone(d.pos.Lanes)
	if b.to.Lanes == nil {
		b.to.Lanes = map[crossdock.Lane]store.Place{}
	}
	room := mostStatements
	waiting := map[crossdock.Lane][]store.Arrival{}
	for _, lane := range crossdock.Lanes {
		got, err := d.journal.Read(ctx, lane, d.pos.Lanes[lane].Number, share[lane])
		if err != nil {
			return nil, fmt.Errorf("read lane %s: %w", lane, err)
		}
		waiting[lane] = got
	}
	said := d.translateAll(waiting)
	for _, lane := range crossdock.Lanes {
		left := min(room, share[lane])
		for i := range waiting[lane] {
			if left <= 0 {
				break
			}
			a := &waiting[lane][i]
			n := d.slice(b, a, said[arrivalID{lane, a.Number}], left)
			left -= n
			room -= n
			if b.to.Lanes[lane].Part > 0 {
				break // the rest of a large message comes before what follows it
			}
		}
	}
	return b, nil
}

// slice adds one arrival to the batch, or as many slices of it as there is room
// for, and returns how many statements that took.
func (d *Desk) slice(b *batch, a *store.Arrival, said []core.Said, room int) int {
	place := b.to.Lanes[a.Lane]
	total := count(said)
	if total <= sliceSize {
		b.add(a, said, 0, true)
		b.to.Lanes[a.Lane] = store.Place{Number: a.Number}
		return max(total, 1)
	}
	took := 0
	for part := place.Part; room-took > 0; part++ {
		from, to := part*sliceSize, min((part+1)*sliceSize, total)
		last := to == total
		b.add(a, cut(said, from, to), part, last)
		took += to - from
		if last {
			b.to.Lanes[a.Lane] = store.Place{Number: a.Number}
			break
		}
		b.to.Lanes[a.Lane] = store.Place{Number: a.Number - 1, Part: part + 1}
	}
	return took
}

func (b *batch) add(a *store.Arrival, said []core.Said, part int, last bool) {
	b.to.Seq++
	body := a.Body
	if at, ok := body.(crossdock.Attempt); ok {
		at.ID = a.Number
		body = at
	}
	b.entries = append(b.entries, &entry{
		Entry:  crossdock.Entry{Seq: b.to.Seq, At: b.to.At, Lane: a.Lane, Arrival: a.Number, Part: part, Last: last, Body: body},
		digest: a.Digest, said: said,
	})
}

func count(said []core.Said) int {
	n := 0
	for _, s := range said {
		n += len(s.Statements)
	}
	return n
}

// cut returns the statements from to of all messages of an arrival.
func cut(said []core.Said, from, to int) []core.Said {
	var out []core.Said
	at := 0
	for _, s := range said {
		lo, hi := max(from-at, 0), min(to-at, len(s.Statements))
		if lo < hi {
			out = append(out, core.Said{Message: s.Message, Statements: s.Statements[lo:hi]})
		}
		at += len(s.Statements)
	}
	return out
}

// translateAll has every message of the waiting arrivals translated, on all cores.
// What is not taken in this batch, or only in slices, is remembered for the next.
func (d *Desk) translateAll(waiting map[crossdock.Lane][]store.Arrival) map[arrivalID][]core.Said {
	var fresh []*store.Arrival
	out := map[arrivalID][]core.Said{}
	for _, lane := range crossdock.Lanes {
		for i := range waiting[lane] {
			a := &waiting[lane][i]
			id := arrivalID{lane, a.Number}
			if said, ok := d.ahead[id]; ok {
				out[id] = said
			} else {
				fresh = append(fresh, a)
			}
		}
	}
	said := make([][]core.Said, len(fresh))
	each(len(fresh), func(i int) { said[i] = d.translate(fresh[i]) })
	for i, a := range fresh {
		out[arrivalID{a.Lane, a.Number}] = said[i]
	}
	d.ahead = out
	return out
}

// each runs f for 0 … n-1 on all cores.
func each(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}

// translate returns what the messages of one arrival say.
func (d *Desk) translate(a *store.Arrival) []core.Said {
	switch body := a.Body.(type) {
	case crossdock.Message:
		if body.Fault != nil {
			return nil
		}
		return []core.Said{d.said(body)}
	case crossdock.Result:
		var out []core.Said
		for _, r := range body.Receipts {
			for _, m := range r.Saw {
				out = append(out, d.said(m))
			}
		}
		return out
	}
	return nil
}

// said translates one message; a connector that panics becomes a fault of that
// message, and holds nothing else up.
func (d *Desk) said(m crossdock.Message) (s core.Said) {
	s.Message = m
	of := crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}
	fail := func(text string) []crossdock.Statement {
		return []crossdock.Statement{{Of: of, Fault: &crossdock.Fault{Code: crossdock.Internal, Text: text}}}
	}
	defer func() {
		if r := recover(); r != nil {
			s.Statements = fail(fmt.Sprintf("the connector of %s failed on a message: %v", m.From, r))
		}
	}()
	t, ok := d.connectors[m.From].(connector.Translator)
	if !ok {
		s.Statements = fail(fmt.Sprintf("no connection named %s can translate: is it still in crossdock.yaml?", m.From))
		return s
	}
	s.Statements = t.Translate(m)
	return s
}
