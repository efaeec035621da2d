package desk

import (
	"context"
	"fmt"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// mostRounds is how often an entry is loaded for and decided again before it
// counts as broken. What a decision asks for hangs on what it was just given, and
// that is not deep; but one that wakes hundreds of others asks for each.
const mostRounds = 5000

// reading is the book as an entry of the batch sees it: the rows that are loaded,
// under what the batch has changed before.
type reading struct {
	d *Desk
	b *batch
}

// Row implements core.Book.
func (r reading) Row(at core.Address) (core.Row, bool) {
	if row, changed := r.b.over[at]; changed {
		return row, true
	}
	row, known := r.d.rows[at]
	return row, known
}

func (b *batch) apply(changes []core.Change) {
	for _, c := range changes {
		b.over[c.At] = c.Row
	}
	b.changes = append(b.changes, changes...)
}

// decide decides the entries of a batch in their order. When one misses rows, the
// entries after it are run as well, only to learn what they miss, so that all
// misses of the batch are loaded together.
func (d *Desk) decide(ctx context.Context, b *batch) error {
	rounds := 0
	for next := 0; next < len(b.entries); {
		var miss []core.Address
		for i := next; i < len(b.entries); i++ {
			e := b.entries[i]
			e.decision = d.decideOne(b, e)
			if len(e.decision.Missing) > 0 {
				miss = append(miss, e.decision.Missing...)
				continue
			}
			if miss == nil {
				b.apply(e.decision.Changes)
				next, rounds = i+1, 0
				if d.now().Sub(b.started) > longest && next < len(b.entries) {
					d.shorten(b, next)
					return nil
				}
			}
		}
		if miss == nil {
			return nil
		}
		if rounds++; rounds > mostRounds {
			e := b.entries[next]
			e.decision = core.Broken(reading{d, b}, e.Entry, "it asks for more rows without end")
			b.apply(e.decision.Changes)
			next++
			continue
		}
		if err := d.load(ctx, miss); err != nil {
			return err
		}
	}
	return nil
}

// decideOne decides one entry; a panic becomes an exception that names it.
func (d *Desk) decideOne(b *batch, e *entry) (dec core.Decision) {
	defer func() {
		if r := recover(); r != nil {
			dec = core.Broken(reading{d, b}, e.Entry, fmt.Sprint(r))
		}
	}()
	return core.Decide(reading{d, b}, e.Entry, e.said)
}

// shorten ends a batch that has taken long at the entry before next.
func (d *Desk) shorten(b *batch, next int) {
	to := b.to
	to.Lanes = map[crossdock.Lane]store.Place{}
	for lane, place := range d.pos.Lanes {
		to.Lanes[lane] = place
	}
	to.Seq = d.pos.Seq
	for _, e := range b.entries[:next] {
		to.Seq = e.Seq
		if e.Last {
			to.Lanes[e.Lane] = store.Place{Number: e.Arrival}
		} else {
			to.Lanes[e.Lane] = store.Place{Number: e.Arrival - 1, Part: e.Part + 1}
		}
	}
	b.entries, b.to = b.entries[:next], to
}

func (d *Desk) load(ctx context.Context, at []core.Address) error {
	seen := make(map[core.Address]bool, len(at))
	want := at[:0:0]
	for _, a := range at {
		if _, known := d.rows[a]; !known && !seen[a] {
			seen[a] = true
			want = append(want, a)
		}
	}
	rows, err := d.book.Load(ctx, want)
	if err != nil {
		return fmt.Errorf("load %d rows: %w", len(want), err)
	}
	for i, a := range want {
		d.rows[a] = rows[i]
	}
	return nil
}

// trueUp has every touched view projected once and lets the core open, change or
// close its want.
func (d *Desk) trueUp(ctx context.Context, b *batch) error {
	var touches []core.Touch
	seen := map[core.Touch]bool{}
	for _, e := range b.entries {
		for _, t := range e.decision.Touched {
			if !seen[t] {
				seen[t] = true
				touches = append(touches, t)
			}
		}
	}
	projected, err := d.project(ctx, b, touches)
	if err != nil || len(projected) == 0 {
		return err
	}
	for range mostRounds {
		dec := d.trueUpOnce(b, projected)
		if len(dec.Missing) == 0 {
			b.apply(dec.Changes)
			return nil
		}
		if err := d.load(ctx, dec.Missing); err != nil {
			return err
		}
	}
	return crossdock.Errorf(crossdock.Internal, "truing up asks for more rows without end")
}

// trueUpOnce trues up all views together; when that panics, those that do are
// found one by one and stopped with an exception.
func (d *Desk) trueUpOnce(b *batch, projected []core.Projected) (dec core.Decision) {
	defer func() {
		if r := recover(); r != nil {
			for i := range projected {
				if text := d.panics(b, projected[i]); text != "" {
					projected[i] = core.Projected{Touch: projected[i].Touch, Err: crossdock.Errorf(crossdock.Internal, "the hub failed to true it up: %s", text)}
				}
			}
			dec = core.TrueUp(reading{d, b}, b.to.Seq, b.to.At, projected)
		}
	}()
	return core.TrueUp(reading{d, b}, b.to.Seq, b.to.At, projected)
}

func (d *Desk) panics(b *batch, p core.Projected) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	core.TrueUp(reading{d, b}, b.to.Seq, b.to.At, []core.Projected{p})
	return ""
}

// project asks the connectors what each touched system should hold, on all cores.
func (d *Desk) project(ctx context.Context, b *batch, touches []core.Touch) ([]core.Projected, error) {
	out := make([]core.Projected, len(touches))
	todo := make([]int, 0, len(touches))
	for i, t := range touches {
		out[i].Touch = t
		if _, ok := d.connectors[t.System].(connector.Projector); ok {
			todo = append(todo, i)
		} else {
			out[i].Err = crossdock.Errorf(crossdock.Internal, "no connection named %s can be written to: is it still in crossdock.yaml?", t.System)
		}
	}
	for range mostRounds {
		knowns := make([]*known, len(todo))
		each(len(todo), func(i int) {
			knowns[i] = &known{read: reading{d, b}, system: touches[todo[i]].System}
			out[todo[i]] = d.projectOne(touches[todo[i]], knowns[i])
		})
		var miss []core.Address
		var again []int
		for i, k := range knowns {
			if len(k.missing) > 0 {
				miss = append(miss, k.missing...)
				again = append(again, todo[i])
			}
		}
		if again == nil {
			return out, nil
		}
		if err := d.load(ctx, miss); err != nil {
			return nil, err
		}
		todo = again
	}
	return nil, crossdock.Errorf(crossdock.Internal, "a projection asks for more rows without end")
}

func (d *Desk) projectOne(t core.Touch, k *known) (p core.Projected) {
	p.Touch = t
	defer func() {
		if r := recover(); r != nil {
			p.Err = crossdock.Errorf(crossdock.Internal, "the connector of %s failed on %s: %v", t.System, t.Of.Short(), r)
		}
	}()
	record, ok := k.Record(t.Of)
	view := crossdock.View{System: t.System, Of: t.Of}
	if row, _ := k.row(core.ViewAt(t.System, t.Of)).(*core.View); row != nil {
		view = row.View
	}
	if !ok {
		return p
	}
	c, _ := d.connectors[t.System].(connector.Projector)
	want, err := c.Project(record, view, k)
	p.Want, p.Waits, p.Door, p.Err = want.Record, want.Waits, want.Door, err
	return p
}

// known is what a projection may read; it notes the rows that are not loaded.
type known struct {
	read    reading
	system  crossdock.System
	missing []core.Address
}

func (k *known) row(at core.Address) core.Row {
	row, ok := k.read.Row(at)
	if !ok {
		k.missing = append(k.missing, at)
	}
	return row
}

// Key implements connector.Known.
func (k *known) Key(of crossdock.Ref) string {
	if v, _ := k.row(core.ViewAt(k.system, of)).(*core.View); v != nil && !v.Gone {
		return v.Key
	}
	return ""
}

// Record implements connector.Known.
func (k *known) Record(of crossdock.Ref) (crossdock.Record, bool) {
	if r, _ := k.row(core.RecordAt(of)).(*core.Record); r != nil {
		return r.Body, true
	}
	return crossdock.Record{}, false
}

// Named implements connector.Known.
func (k *known) Named(name string) []crossdock.Ref {
	if n, _ := k.row(core.NameAt(name)).(*core.Name); n != nil {
		return n.Of
	}
	return nil
}
