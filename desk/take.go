package desk

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
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
	turn     int // where the round of the lanes goes on after it
	decision core.Decision
}

// arrivalID names an arrival.
type arrivalID struct {
	lane   crossdock.Lane
	number int64
}

// placeID names one entry: an arrival, or a slice of one.
type placeID struct {
	arrivalID
	part int
}

func (e *entry) placeID() placeID { return placeID{arrivalID{e.Lane, e.Arrival}, e.Part} }

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
	waiting, err := d.read(ctx)
	if err != nil {
		return nil, err
	}
	said := d.translateAll(waiting)
	parts, costs := map[crossdock.Lane][]part{}, map[crossdock.Lane][]int{}
	for _, lane := range crossdock.Lanes {
		parts[lane] = partsOf(waiting[lane], said, b.to.Lanes[lane].Part)
		for _, p := range parts[lane] {
			costs[lane] = append(costs[lane], count(p.said))
		}
	}
	for _, t := range lineUp(costs, d.turn, mostStatements) {
		b.add(parts[t.lane][0], t.next)
		parts[t.lane] = parts[t.lane][1:]
	}
	return b, nil
}

// read returns what waits in each lane, as far as a batch can take it: the share
// of the lane, and more where the others leave theirs. Arrivals never change, so
// what an earlier batch left is not read again; more is read once half of it is taken.
func (d *Desk) read(ctx context.Context) (map[crossdock.Lane][]store.Arrival, error) {
	if d.waiting == nil {
		d.waiting = map[crossdock.Lane][]store.Arrival{}
	}
	room := mostStatements
	for _, lane := range crossdock.Lanes {
		taken := d.pos.Lanes[lane].Number
		d.waiting[lane] = slices.DeleteFunc(d.waiting[lane], func(a store.Arrival) bool { return a.Number <= taken })
		if err := d.fill(ctx, lane, shareOf(lane, mostStatements)); err != nil {
			return nil, err
		}
		room -= len(d.waiting[lane])
	}
	for _, lane := range crossdock.Lanes {
		share := shareOf(lane, mostStatements)
		if had := len(d.waiting[lane]); had >= share && room > 0 {
			if err := d.fill(ctx, lane, had+room); err != nil {
				return nil, err
			}
			room -= len(d.waiting[lane]) - had
		}
	}
	return d.waiting, nil
}

// fill reads on in a lane until so many wait, unless half of them do.
func (d *Desk) fill(ctx context.Context, lane crossdock.Lane, want int) error {
	have := d.waiting[lane]
	if len(have) > want/2 {
		return nil
	}
	after := d.pos.Lanes[lane].Number
	if len(have) > 0 {
		after = have[len(have)-1].Number
	}
	got, err := d.journal.Read(ctx, lane, after, want-len(have))
	if err != nil {
		return fmt.Errorf("read lane %s: %w", lane, err)
	}
	d.waiting[lane] = append(have, got...)
	return nil
}

// part is an arrival, or one slice of a large one, that makes one entry.
type part struct {
	of     *store.Arrival
	said   []core.Said
	number int
	last   bool
}

// partsOf cuts the arrivals of a lane into entries; of the first, so many slices
// have been taken before. More than a batch has room for are not cut.
func partsOf(waiting []store.Arrival, said map[arrivalID][]core.Said, taken int) (out []part) {
	for i := range waiting {
		a := &waiting[i]
		all := said[arrivalID{a.Lane, a.Number}]
		total := count(all)
		if total <= sliceSize {
			out = append(out, part{a, all, 0, true})
			taken = 0
			continue
		}
		for n := taken; n*sliceSize < total; n++ {
			if n-taken > mostStatements/sliceSize {
				return out // the rest of a large message comes before what follows it
			}
			to := min((n+1)*sliceSize, total)
			out = append(out, part{a, cut(all, n*sliceSize, to), n, to == total})
		}
		taken = 0
	}
	return out
}

// add puts an entry at the end of the batch.
func (b *batch) add(p part, next int) {
	b.to.Seq++
	body := p.of.Body
	if at, ok := body.(crossdock.Attempt); ok {
		at.ID = p.of.Number
		body = at
	}
	e := &entry{
		Entry:  crossdock.Entry{Seq: b.to.Seq, At: b.to.At, Lane: p.of.Lane, Arrival: p.of.Number, Part: p.number, Last: p.last, Body: body},
		digest: p.of.Digest, said: p.said, turn: next,
	}
	b.entries = append(b.entries, e)
	b.to.Lanes[e.Lane] = e.place()
}

// place is how far its lane has been taken with this entry.
func (e *entry) place() store.Place {
	if e.Last {
		return store.Place{Number: e.Arrival}
	}
	return store.Place{Number: e.Arrival - 1, Part: e.Part + 1}
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
