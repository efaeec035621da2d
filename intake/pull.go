package intake

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/store"
)

// Pull reads what changed in one connection, kind after kind, a page a step.
// Step and Run are for one goroutine.
type Pull struct {
	system  crossdock.System
	conn    connector.Puller
	journal store.Journal
	book    store.Book
	now     func() time.Time
	every   time.Duration
	log     *slog.Logger
	filed   func()

	told     crossdock.Code // what was filed last of the connection: told once that it refuses us, and that it does no more
	known    bool           // something was filed of it since the start
	kind     int            // of Kinds: the one being pulled
	next     time.Time      // of the next round
	failures int
	rounds   int
	behind   int64 // the last arrival in lane bulk that may be this pull's; -1: not known yet
}

// NewPull makes the pull of one connection; it starts nothing. filed is called
// after something was filed and may be nil.
func NewPull(s store.Store, system crossdock.System, conn connector.Puller, o PullOptions) *Pull {
	return &Pull{system: system, conn: conn, journal: s.Journal(), book: s.Book(), now: o.Now, every: o.Every, log: o.Log, filed: o.Filed, behind: -1}
}

// PullOptions are what a pull is given besides store and connector.
type PullOptions struct {
	Now   func() time.Time
	Every time.Duration // between two rounds
	Log   *slog.Logger
	Filed func()
}

// Rounds returns how many times everything has been pulled since the start.
func (p *Pull) Rounds() int { return p.rounds }

// Next returns when the next round begins.
func (p *Pull) Next() time.Time { return p.next }

// Step pulls one page. did is false between two rounds, and while the system is away.
func (p *Pull) Step(ctx context.Context) (did bool, err error) {
	now := p.now()
	if now.Before(p.next) {
		return false, nil
	}
	kinds := p.conn.Kinds()
	if p.kind >= len(kinds) {
		p.kind, p.next = 0, now.Add(p.every)
		p.rounds++
		return false, nil
	}
	more, err := p.page(ctx, kinds[p.kind])
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // the hub ends; the page is pulled again
	}
	if code := crossdock.CodeOf(err); err != nil && isAway(err) {
		p.failures++
		wait := min(time.Second<<min(p.failures, 10), 5*time.Minute)
		p.next = now.Add(wait)
		if !code.Waits() { // time alone does not mend it
			if err := p.tell(ctx, code, err.Error()); err != nil {
				return false, err
			}
		}
		p.log.Warn("can't pull", "connection", p.system, "kind", kinds[p.kind], "code", code, "again_in", wait, "error", err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p.failures = 0
	if err := p.tell(ctx, crossdock.OK, ""); err != nil {
		return false, err
	}
	if !more {
		p.kind++
	}
	return true, nil
}

// tell files that the system refuses our credentials, or that it takes them,
// whenever that is news. A start does not know what was told before it.
func (p *Pull) tell(ctx context.Context, code crossdock.Code, text string) error {
	if p.known && code == p.told {
		return nil
	}
	a := &store.Arrival{Lane: crossdock.Urgent, At: p.now(), Body: crossdock.Result{System: p.system, Receipts: []crossdock.Receipt{{Look: true, Code: code, Text: text}}}}
	if err := p.journal.File(ctx, store.Filing{Arrivals: []*store.Arrival{a}}); err != nil {
		return fmt.Errorf("file how %s takes our credentials: %w", p.system, err)
	}
	p.told, p.known = code, true
	if p.filed != nil {
		p.filed()
	}
	return nil
}

// Run pulls until the context ends.
func (p *Pull) Run(ctx context.Context, wake <-chan struct{}) error {
	return store.Loop(ctx, "pull "+string(p.system), wake, p.Step)
}

// pullError is trouble with the outside, as opposed to our own disk.
type pullError struct{ error }

func (e pullError) Unwrap() error { return e.error }

func isAway(err error) bool {
	_, ok := err.(pullError) //nolint:errorlint // page returns it bare
	return ok
}

// page pulls one page of a kind and files its rows and its cursor in one
// transaction (I2). A row that says what the view already heard is not filed. What
// is read from the beginning goes into lane bulk, page after page, also over a
// restart; what changed since goes into lane normal. Lanes have no order between
// them: what has no version to be told old by stays behind what was filed as bulk.
func (p *Pull) page(ctx context.Context, kind crossdock.Kind) (more bool, err error) {
	cursor, err := p.journal.Cursor(ctx, p.system, kind)
	if err != nil {
		return false, err
	}
	pos, err := p.book.Position(ctx)
	if err != nil {
		return false, err
	}
	asked := p.now()
	page, err := p.pull(ctx, kind, connector.Cursor(cursor.Text))
	if err != nil {
		return false, pullError{err}
	}
	fresh, err := store.Fresh(ctx, p.journal, p.book, p.system, page.Messages)
	if err != nil {
		return false, err
	}
	whole := cursor.Text == "" || cursor.Whole
	if p.behind < 0 {
		if p.behind, err = p.journal.Last(ctx, crossdock.Bulk); err != nil {
			return false, err
		}
	}
	f := store.Filing{Cursor: &store.Cursor{System: p.system, Kind: kind, Text: string(page.Next), At: asked, Whole: whole && page.More}}
	for _, m := range fresh {
		m.From, m.Asked, m.After = p.system, asked, pos.Seq
		lane := crossdock.Normal
		if whole || m.Version == "" && pos.Lanes[crossdock.Bulk].Number < p.behind {
			lane = crossdock.Bulk
		}
		f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: lane, At: asked, Body: m})
	}
	if err := p.journal.File(ctx, f); err != nil {
		return false, fmt.Errorf("file a page of %s from %s: %w", kind, p.system, err)
	}
	for _, a := range f.Arrivals {
		if a.Lane == crossdock.Bulk {
			p.behind = a.Number
		}
	}
	if len(fresh) > 0 && p.filed != nil {
		p.filed()
	}
	return page.More, nil
}

// pull calls the connector; one that panics is away.
func (p *Pull) pull(ctx context.Context, kind crossdock.Kind, after connector.Cursor) (page connector.Page, err error) {
	defer func() {
		if r := recover(); r != nil {
			page, err = connector.Page{}, crossdock.Errorf(crossdock.Internal, "the connector failed: %v", r)
		}
	}()
	return p.conn.Pull(ctx, kind, after)
}
