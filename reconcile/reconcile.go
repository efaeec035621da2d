// Package reconcile is the room that compares: from time to time it reads what a
// system holds of the records that are still in motion and files what differs
// from the views. It adds no second way of mending: what it files is a message
// like any other.
package reconcile

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/store"
)

// soon is how long after a start the first round begins.
const soon = time.Minute

// pageSize is how many records are read in one call.
const pageSize = 100

// How often a record is compared, by how long ago the book changed it: one that
// nothing happens to is not read every quarter of an hour for years. What changes in
// the system meanwhile is pulled; a round finds what a pull can't see: what was
// deleted, or changed without a new date.
const (
	recent  = 48 * time.Hour      // compared in every round
	settled = 60 * 24 * time.Hour // up to this age once in aDay, then once in aMonth
	aDay    = 24 * time.Hour
	aMonth  = 30 * aDay
)

// Options are what a reconciliation is given besides store and connector.
type Options struct {
	Kinds []crossdock.Kind // what is compared
	Every time.Duration
	Now   func() time.Time
	Log   *slog.Logger
	Filed func() // called after something was filed; may be nil
}

// Reconcile compares the records of one connection. Step and Run are for one goroutine.
type Reconcile struct {
	system  crossdock.System
	conn    connector.Finder
	journal store.Journal
	book    store.Book
	o       Options

	kind     int
	after    string // key of the last view compared
	next     time.Time
	turn     int64 // counts the rounds: whose turn it is
	failures int
}

// New makes the reconciliation of one connection. It starts nothing; the first
// round begins a minute after the first step, for nobody knows how long the hub was
// down, and one that starts again and again must compare as well.
func New(s store.Store, system crossdock.System, conn connector.Finder, o Options) *Reconcile {
	return &Reconcile{system: system, conn: conn, journal: s.Journal(), book: s.Book(), o: o}
}

// Next returns when the next round begins, zero before the first step.
func (r *Reconcile) Next() time.Time { return r.next }

// Step compares one page. did is false between rounds and while the system is away.
func (r *Reconcile) Step(ctx context.Context) (did bool, err error) {
	now := r.o.Now()
	if r.next.IsZero() {
		r.next = now.Add(min(r.o.Every, soon))
		r.turn = r.next.UnixNano() / int64(r.o.Every) // so that a restart goes on with the turns
	}
	if now.Before(r.next) {
		return false, nil
	}
	if r.kind >= len(r.o.Kinds) {
		r.kind, r.next = 0, now.Add(r.o.Every)
		r.turn++
		return false, nil
	}
	refs, last, err := r.page(ctx, r.o.Kinds[r.kind])
	if err != nil {
		return false, err
	}
	if last == "" {
		r.kind, r.after = r.kind+1, ""
		return true, nil
	}
	away, err := r.compare(ctx, refs)
	switch {
	case err != nil:
		return false, err
	case ctx.Err() != nil:
		return false, nil //nolint:nilerr // the hub ends; the page is compared again
	case away != nil:
		r.failures++
		wait := min(time.Second<<min(r.failures, 10), 5*time.Minute)
		r.next = now.Add(wait)
		r.o.Log.Warn("can't reconcile", "connection", r.system, "kind", r.o.Kinds[r.kind], "again_in", wait, "error", away)
		return false, nil
	}
	r.failures, r.after = 0, last
	return true, nil
}

// Run compares until the context ends.
func (r *Reconcile) Run(ctx context.Context, wake <-chan struct{}) error {
	return store.Loop(ctx, "reconcile "+string(r.system), wake, r.Step)
}

// page returns the refs of the next records in motion, and the key of the last
// view it passed, "" at the end.
func (r *Reconcile) page(ctx context.Context, kind crossdock.Kind) (refs []crossdock.Ref, last string, err error) {
	rows, err := r.book.Scan(ctx, store.Views, store.ViewAt(r.system, crossdock.BookRef(kind, "")).Key, r.after, pageSize)
	if err != nil {
		return nil, "", fmt.Errorf("views of %s: %w", r.system, err)
	}
	var at []store.Address
	var views []*store.View
	for _, row := range rows {
		v, ok := row.(*store.View)
		if !ok {
			return nil, "", crossdock.Errorf(crossdock.Internal, "a %T stands among the views", row)
		}
		last = v.Address().Key
		if v.Key != "" && !v.Gone {
			at, views = append(at, store.RecordAt(v.Of)), append(views, v)
		}
	}
	records, err := r.book.Load(ctx, at)
	if err != nil {
		return nil, "", err
	}
	for i, row := range records {
		if rec, ok := row.(*store.Record); ok && inMotion(rec) && r.itsTurn(rec) {
			refs = append(refs, crossdock.Ref{System: r.system, Kind: kind, Key: views[i].Key})
		}
	}
	return refs, last, nil
}

// inMotion reports whether something may still happen to a record: an order that
// is closed or cancelled is compared no more, nor is a shipment that left or was
// called off.
func inMotion(r *store.Record) bool {
	switch state := r.Body.Text("state"); r.Of.Kind {
	case crossdock.KindOrder:
		return state != string(crossdock.OrderClosed) && state != string(crossdock.OrderCancelled)
	case crossdock.KindShipment:
		return state != string(crossdock.ShipmentDone) && state != string(crossdock.ShipmentCancelled)
	}
	return true
}

// itsTurn reports whether a record is compared in this round. The rounds of those
// that are compared less often are spread evenly over them.
func (r *Reconcile) itsTurn(rec *store.Record) bool {
	age, period := r.o.Now().Sub(rec.At), aMonth
	switch {
	case age < recent:
		return true
	case age < settled:
		period = aDay
	}
	rounds := max(int64(period/r.o.Every), 1)
	h := fnv.New32a()
	_, _ = h.Write([]byte(rec.Of.Key))
	return r.turn%rounds == int64(h.Sum32())%rounds
}

// find calls the connector; one that panics is away.
func (r *Reconcile) find(ctx context.Context, refs []crossdock.Ref) (out []crossdock.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, crossdock.Errorf(crossdock.Internal, "the connector failed: %v", p)
		}
	}()
	return r.conn.Find(ctx, refs)
}

// compare reads the records and files what differs. away is trouble with the
// outside, err with our own disk.
func (r *Reconcile) compare(ctx context.Context, refs []crossdock.Ref) (away, err error) {
	if len(refs) == 0 {
		return nil, nil
	}
	pos, err := r.book.Position(ctx)
	if err != nil {
		return nil, err
	}
	asked := r.o.Now()
	messages, away := r.find(ctx, refs)
	if away != nil {
		return away, nil
	}
	fresh, err := store.Fresh(ctx, r.journal, r.book, r.system, messages)
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	var f store.Filing
	for _, m := range fresh {
		m.From, m.Asked, m.After = r.system, asked, pos.Seq
		f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: crossdock.Bulk, At: asked, Body: m})
	}
	if err := r.journal.File(ctx, f); err != nil {
		return nil, fmt.Errorf("file what differs in %s: %w", r.system, err)
	}
	if r.o.Filed != nil {
		r.o.Filed()
	}
	return nil, nil
}
