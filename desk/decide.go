package desk

import (
	"context"
	"fmt"
	"slices"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// mostRounds is how often an entry is loaded for and decided again before it
// counts as broken. What a decision asks for hangs on what it was just given, and
// that is not deep; but one that wakes hundreds of others asks for each.
const mostRounds = 5000

// row returns a row as an entry of the batch sees it: as the batch has changed it,
// else as the book holds it. known is false when it has not been loaded.
func (d *Desk) row(b *batch, at core.Address) (row core.Row, known bool) {
	if row, changed := b.over[at]; changed {
		return row, true
	}
	row, known = d.rows[at]
	return row, known
}

// reading is the book of one decision. A row that is not loaded reads as none and
// is noted, so that one run learns of as many as it can; what was decided without
// them is thrown away. Five hundred orders woken by one reading of stock would
// otherwise stop at the first missing row each, and load the book row by row.
type reading struct {
	d       *Desk
	b       *batch
	noted   map[core.Address]bool
	missing []core.Address
}

// Row implements core.Book.
func (r *reading) Row(at core.Address) (core.Row, bool) {
	row, known := r.d.row(r.b, at)
	if !known && !r.noted[at] {
		if r.noted == nil {
			r.noted = map[core.Address]bool{}
		}
		r.noted[at] = true
		r.missing = append(r.missing, at)
	}
	return row, true
}

// made returns what a run of the core came to: nothing but the rows it missed
// where there are any.
func (r *reading) made(run func(core.Book) core.Decision) core.Decision {
	dec := run(r)
	if len(r.missing) > 0 {
		return core.Decision{Missing: r.missing}
	}
	return dec
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
				if next < len(b.entries) && (d.now().Sub(b.started) > longest || b.stale(next)) {
					d.shorten(b, next)
					return nil
				}
			}
		}
		if miss == nil {
			return nil
		}
		if rounds++; rounds > mostRounds {
			if err := d.giveUp(ctx, b, b.entries[next]); err != nil {
				return err
			}
			next, rounds = next+1, 0
			continue
		}
		if err := d.load(ctx, miss); err != nil {
			return err
		}
	}
	return nil
}

// stale reports that an entry is an attempt at work which entries before it in the
// batch have touched: what is wanted there is known only when they are trued up, and
// the attempt is decided by that (I6). It goes into the next batch.
func (b *batch) stale(i int) bool {
	a, ok := b.entries[i].Body.(crossdock.Attempt)
	if !ok {
		return false
	}
	touched := map[core.Touch]bool{}
	for _, e := range b.entries[:i] {
		for _, t := range e.decision.Touched {
			touched[t] = true
		}
	}
	return slices.ContainsFunc(a.Pushes, func(p crossdock.Push) bool { return touched[core.Touch{System: a.System, Of: p.Of}] })
}

// giveUp makes an exception of an entry that asks for ever more rows.
func (d *Desk) giveUp(ctx context.Context, b *batch, e *entry) error {
	for {
		e.decision = d.broken(b, e, "it asks for more rows without end")
		if len(e.decision.Missing) == 0 {
			b.apply(e.decision.Changes)
			return nil
		}
		if err := d.load(ctx, e.decision.Missing); err != nil {
			return err
		}
	}
}

// decideOne decides one entry; a panic, and a decision that can't be written down,
// becomes an exception that names it.
func (d *Desk) decideOne(b *batch, e *entry) core.Decision {
	if text, ok := d.poison[e.placeID()]; ok {
		return d.broken(b, e, text)
	}
	dec, text := d.made(b, func(book core.Book) core.Decision { return core.Decide(book, e.Entry, e.said) })
	if text != "" {
		return d.broken(b, e, text)
	}
	return dec
}

// made has the core decide over what is loaded; text is why it panicked, unless a
// row that is not loaded yet was read as none before.
func (d *Desk) made(b *batch, f func(core.Book) core.Decision) (dec core.Decision, text string) {
	read := &reading{d: d, b: b}
	defer func() {
		r := recover()
		switch {
		case r == nil:
		case len(read.missing) > 0:
			dec = core.Decision{Missing: read.missing}
		default:
			text = fmt.Sprint(r)
		}
	}()
	return read.made(f), ""
}

func (d *Desk) broken(b *batch, e *entry, reason string) core.Decision {
	return (&reading{d: d, b: b}).made(func(book core.Book) core.Decision { return core.Broken(book, e.Entry, reason) })
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
		to.Lanes[e.Lane] = e.place()
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
func (d *Desk) trueUpOnce(b *batch, projected []core.Projected) core.Decision {
	dec, text := d.trueUpAll(b, projected)
	if text == "" {
		return dec
	}
	for i := range projected {
		if dec, text := d.trueUpAll(b, projected[i:i+1]); text != "" {
			projected[i] = core.Projected{Touch: projected[i].Touch, Err: crossdock.Errorf(crossdock.Internal, "the hub failed to true it up: %s", text)}
		} else if len(dec.Missing) > 0 {
			return dec
		}
	}
	dec, text = d.trueUpAll(b, projected)
	if text != "" {
		panic(text) // even to stop the work is more than the core can do: a defect that must not be passed over
	}
	return dec
}

// trueUpAll trues up views; text is why the core panicked.
func (d *Desk) trueUpAll(b *batch, projected []core.Projected) (dec core.Decision, text string) {
	return d.made(b, func(book core.Book) core.Decision { return core.TrueUp(book, b.to.Seq, b.to.At, projected) })
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
			knowns[i] = &known{d: d, b: b, system: touches[todo[i]].System}
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
	d       *Desk
	b       *batch
	system  crossdock.System
	missing []core.Address
}

func (k *known) row(at core.Address) core.Row {
	row, ok := k.d.row(k.b, at)
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
	if of.Kind == crossdock.KindDocument {
		return k.document(of)
	}
	if r, _ := k.row(core.RecordAt(of)).(*core.Record); r != nil {
		return r.Body, true
	}
	return crossdock.Record{}, false
}

// document returns a document that is still to be told; of one that was taken or
// refused nothing is left to do.
func (k *known) document(of crossdock.Ref) (crossdock.Record, bool) {
	d, _ := k.row(core.DocumentAt(of)).(*core.Document)
	if d == nil || !d.State.Follows(crossdock.DocumentAcknowledged) {
		return crossdock.Record{}, false
	}
	body, err := crossdock.Pack(d.Document)
	return body, err == nil
}

// Named implements connector.Known.
func (k *known) Named(name string) []crossdock.Ref {
	if n, _ := k.row(core.NameAt(name)).(*core.Name); n != nil {
		return n.Of
	}
	return nil
}
