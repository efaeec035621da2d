// Package desk is the room where entries are decided: it takes arrivals from the
// lanes by weight, has them translated, decides them one after the other, has the
// touched records projected, and commits all of it with its position at once. It
// is the only writer of the book.
package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Bounds of one batch.
const (
	mostStatements = 1000
	longest        = 50 * time.Millisecond
	mostTimers     = 500
	mostCached     = 100_000 // rows kept between batches
)

// Desk decides the entries of one book. Step and Run are for one goroutine.
type Desk struct {
	journal    store.Journal
	book       store.Book
	connectors map[crossdock.System]connector.Connector
	now        func() time.Time

	claimed bool
	lost    error // the book, to another desk: this one is at its end
	pos     store.Position
	rows    map[core.Address]core.Row          // what the book holds, as far as it was read; the desk alone changes it
	waiting map[crossdock.Lane][]store.Arrival // what was read and is not known to be taken
	ahead   map[arrivalID][]core.Said          // translations of what was read and not wholly taken
	poison  map[placeID]string                 // entries whose decision can't be written down, and why
	ticked  int64                              // the last tick filed, by its number in the urgent lane
	turn    int                                // where the round of the lanes goes on, also after a batch that was cut
}

// New makes a desk over a store. It starts nothing.
func New(s store.Store, connectors map[crossdock.System]connector.Connector, now func() time.Time) *Desk {
	return &Desk{journal: s.Journal(), book: s.Book(), connectors: connectors, now: now, rows: map[core.Address]core.Row{}}
}

// Step decides one batch. did is false when nothing waits. store.ErrStale means
// that another desk has claimed the book: this one has to end, and does no more.
func (d *Desk) Step(ctx context.Context) (did bool, err error) {
	if d.lost != nil {
		return false, d.lost
	}
	if !d.claimed {
		if d.pos, err = d.book.Claim(ctx); err != nil {
			return false, fmt.Errorf("claim the book: %w", err)
		}
		d.claimed = true
	}
	if err := d.fileTimers(ctx); err != nil {
		return false, err
	}
	batch, err := d.take(ctx)
	if err != nil || len(batch.entries) == 0 {
		return false, err
	}
	if err := d.decide(ctx, batch); err != nil {
		return false, err
	}
	if err := d.trueUp(ctx, batch); err != nil {
		return false, err
	}
	if err := d.commit(ctx, batch); err != nil {
		d.forget()
		if d.unwritable(batch) {
			return true, nil // they are decided anew, the unwritable ones as broken
		}
		if errors.Is(err, store.ErrStale) {
			d.lost = err // to claim the book again would take it back from who was given it
		}
		return false, err
	}
	return true, nil
}

// Run decides until the context ends. wake tells that something was filed.
func (d *Desk) Run(ctx context.Context, wake <-chan struct{}) error {
	return store.Loop(ctx, "desk", wake, d.Step)
}

// forget drops what the desk remembers of a batch that was not committed.
func (d *Desk) forget() {
	d.claimed, d.rows, d.waiting, d.ahead = false, map[core.Address]core.Row{}, nil, nil
}

// fileTimers files a tick for the timers that are due, unless one is on its way.
func (d *Desk) fileTimers(ctx context.Context) error {
	if d.ticked > d.pos.Lanes[crossdock.Urgent].Number {
		return nil
	}
	now := d.now()
	due, err := d.book.Timers(ctx, now, mostTimers)
	if err != nil || len(due) == 0 {
		return err
	}
	tick := crossdock.Tick{}
	for _, t := range due {
		tick.Timers = append(tick.Timers, crossdock.TimerName{Of: t.Of, Name: t.Name})
	}
	a := &store.Arrival{Lane: crossdock.Urgent, At: now, Body: tick}
	if err := d.journal.File(ctx, store.Filing{Arrivals: []*store.Arrival{a}}); err != nil {
		return fmt.Errorf("file a tick: %w", err)
	}
	d.ticked = a.Number
	return nil
}

// commit writes the batch and moves on.
func (d *Desk) commit(ctx context.Context, b *batch) error {
	c := store.Commit{From: d.pos, To: b.to, Changes: b.changes}
	for _, e := range b.entries {
		c.Entries = append(c.Entries, store.Taken{
			Seq: e.Seq, At: e.At, Lane: e.Lane, Arrival: e.Arrival, Part: e.Part,
			Kind: kindOf(e.Body), Refs: e.decision.Refs, Effect: e.decision.Effect, Digest: e.digest,
		})
	}
	if err := d.book.Commit(ctx, c); err != nil {
		return fmt.Errorf("commit entries %d to %d: %w", b.entries[0].Seq, b.to.Seq, err)
	}
	d.pos, d.turn = b.to, b.entries[len(b.entries)-1].turn
	if len(d.rows) > mostCached {
		d.rows = map[core.Address]core.Row{}
	}
	for at, row := range b.over {
		d.rows[at] = row
	}
	return nil
}

// unwritable notes which entries of a batch came to rows that can't be written
// down: a defect of ours, which must not hold up the others. It reports whether
// there are any that were not noted before.
func (d *Desk) unwritable(b *batch) (found bool) {
	for _, e := range b.entries {
		for _, c := range e.decision.Changes {
			if c.Row == nil {
				continue
			}
			if _, err := store.WriteRow(c.Row); err != nil {
				id := e.placeID()
				if _, known := d.poison[id]; !known {
					if d.poison == nil {
						d.poison = map[placeID]string{}
					}
					d.poison[id], found = fmt.Sprintf("row %s %s: %v", c.At.Table, c.At.Key, err), true
				}
				break
			}
		}
	}
	return found
}

func kindOf(b crossdock.Body) string {
	switch b.(type) {
	case crossdock.Message:
		return "message"
	case crossdock.Attempt:
		return "attempt"
	case crossdock.Result:
		return "result"
	case crossdock.Action:
		return "action"
	case crossdock.Tick:
		return "tick"
	case crossdock.Setup:
		return "setup"
	}
	return fmt.Sprintf("%T", b)
}
