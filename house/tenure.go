package house

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/crossdockhq/crossdock/store"
)

// Times of leases. A step of a room that sends or reads outside is cut off before
// its lease ends; a push is given 90 s by dispatch, and so has at least them.
const (
	deskTerm    = 10 * time.Second // the desk sends nothing: who takes over need not wait long
	roomTerm    = 2 * time.Minute
	renewAfter  = 10 // a lease is renewed once a tenth of it has passed
	lastWord    = 5 * time.Second
	heldBackFor = time.Second // before a lease that somebody else holds is asked for again
)

type step = func(context.Context) (did bool, err error)

// tenure lets a room work while it holds its lease, and not else. With every new
// lease the room begins anew: what it remembers is of a time when it was alone.
type tenure struct {
	leases store.Leases
	store  store.Store
	name   string
	owner  string
	term   time.Duration
	begin  func(store.Store) step
	log    *slog.Logger

	lease store.Lease
	work  step // nil: it is not held
	again time.Time
}

// Step does a step of the room under its lease. did is false while another node
// holds it. It is for one goroutine.
func (t *tenure) Step(ctx context.Context) (did bool, err error) {
	if err := t.hold(ctx); err != nil || t.work == nil {
		return false, err
	}
	limited, cancel := context.WithDeadline(ctx, t.lease.Until.Add(-lastWord))
	defer cancel()
	did, err = t.work(limited)
	switch {
	case errors.Is(err, store.ErrStale):
		t.drop("somebody else works on it")
		return false, nil
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		return false, nil // it took too long; it is tried again under a renewed lease
	}
	return did, err
}

// hold renews the lease, or acquires it; work is nil where it can't be had.
func (t *tenure) hold(ctx context.Context) error {
	now := time.Now()
	if t.work != nil {
		left := t.lease.Until.Sub(now)
		if left > t.term-t.term/renewAfter {
			return nil
		}
		l, err := t.leases.Renew(ctx, t.lease, t.term)
		if err == nil {
			t.lease = l
			return nil
		}
		if !errors.Is(err, store.ErrStale) {
			return err // nothing is begun with what is left of it
		}
		t.drop("its lease has passed on")
	}
	if now.Before(t.again) {
		return nil
	}
	l, err := t.leases.Acquire(ctx, t.name, t.owner, t.term)
	if errors.Is(err, store.ErrHeld) {
		t.again = now.Add(heldBackFor)
		return nil
	}
	if err != nil {
		return err
	}
	t.lease = l
	t.work = t.begin(store.Under(t.store, func() store.Lease { return t.lease }))
	t.log.Debug("this node works on it now", "room", t.name, "epoch", l.Epoch)
	return nil
}

func (t *tenure) drop(why string) {
	t.log.Warn("this node works on it no more", "room", t.name, "epoch", t.lease.Epoch, "reason", why)
	t.work = nil
}

// end gives the lease back, so that another node need not wait for its end.
func (t *tenure) end(ctx context.Context) error {
	if t.work == nil {
		return nil
	}
	t.work = nil
	return t.leases.Release(ctx, t.lease)
}
