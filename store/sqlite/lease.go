package sqlite

import (
	"context"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// leases implements store.Leases for the one process that holds the lock of the
// directory: they live in its memory and end with it.
type leases struct {
	mu   sync.RWMutex // read-locked while something is written under a lease
	last map[string]store.Lease
}

var _ store.Leases = (*leases)(nil)

// Acquire implements store.Leases.
func (l *leases) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (store.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return store.Lease{}, err
	}
	now := time.Now()
	was := l.last[name]
	if now.Before(was.Until) {
		return store.Lease{}, crossdock.Errorf(crossdock.Unavailable, "lease %s is with %s: %w", name, was.Owner, store.ErrHeld)
	}
	got := store.Lease{Name: name, Owner: owner, Epoch: was.Epoch + 1, Until: now.Add(ttl)}
	l.last[name] = got
	return got, nil
}

// Renew implements store.Leases.
func (l *leases) Renew(_ context.Context, of store.Lease, ttl time.Duration) (store.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.check(of); err != nil {
		return store.Lease{}, err
	}
	of.Until = time.Now().Add(ttl)
	l.last[of.Name] = of
	return of, nil
}

// Release implements store.Leases.
func (l *leases) Release(_ context.Context, of store.Lease) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.check(of) == nil {
		of.Until = time.Time{}
		l.last[of.Name] = of
	}
	return nil
}

// Vacate implements store.Leases.
func (l *leases) Vacate(_ context.Context, owner string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, one := range l.last {
		if one.Owner == owner {
			one.Until = time.Time{}
			l.last[name] = one
		}
	}
	return nil
}

// check refuses a lease that is not held, for use under mu.
func (l *leases) check(of store.Lease) error {
	if is := l.last[of.Name]; !is.Is(of) || !time.Now().Before(is.Until) {
		return crossdock.Errorf(crossdock.Conflict, "lease %s of %s, epoch %d, is not held any more: %w", of.Name, of.Owner, of.Epoch, store.ErrStale)
	}
	return nil
}

// during runs write while nobody can take the leases over.
func (l *leases) during(write func() error, under ...*store.Lease) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, one := range under {
		if one != nil {
			if err := l.check(*one); err != nil {
				return err
			}
		}
	}
	return write()
}
