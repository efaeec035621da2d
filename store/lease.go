package store

import (
	"context"
	"errors"
	"time"
)

// ErrHeld means that somebody else holds the lease: try again later.
var ErrHeld = errors.New("somebody else holds the lease")

// Lease is the right of one owner to do one piece of work for a time: to be the
// desk, to dispatch to a connection, to pull from it. Of several nodes on one
// store the one that holds the lease works.
type Lease struct {
	Name  string // the work, for instance "desk" or "dispatch odoo"
	Owner string // who holds it: one start of one process; no two share a name
	Epoch int64  // from 1; counts how often the lease was acquired
	// Until is when it ends, by the holder's own clock and never later than by the
	// store's: a request to the outside has its deadline before it.
	Until time.Time
}

// Leases hands out leases. They expire by the store's own clock, never by a node's.
//
// That an epoch is over does not by itself keep its holder from writing: it may have
// looked just before and been paused since. So whatever is written under a lease
// names it (Filing.Under, Commit.Under), the store holds the lease still while it
// writes, and Acquire waits for what is being written. What the holder before has
// sent to the outside may still take effect there: who takes work over waits out
// Settles of the system before it looks.
type Leases interface {
	// Acquire gives a lease to owner for ttl where it is free, released or expired,
	// and counts its epoch. ErrHeld where it is held, by owner too.
	Acquire(ctx context.Context, name, owner string, ttl time.Duration) (Lease, error)
	// Renew lets a lease that is still held end ttl from now. ErrStale when it has
	// expired, was released or is somebody else's: its work has to end.
	Renew(ctx context.Context, l Lease, ttl time.Duration) (Lease, error)
	// Release frees a lease at once. One that is not held any more is left as it is.
	Release(ctx context.Context, l Lease) error
	// Vacate frees every lease of an owner that is known to have ended, so that nobody
	// waits for them to expire.
	Vacate(ctx context.Context, owner string) error
}

// Is reports whether two leases are of one work, owner and epoch.
func (l Lease) Is(o Lease) bool {
	return l.Name == o.Name && l.Owner == o.Owner && l.Epoch == o.Epoch
}

// Under returns s with everything written to it under the lease that held returns
// at that moment.
func Under(s Store, held func() Lease) Store { return underStore{s, held} }

type underStore struct {
	Store
	held func() Lease
}

type underJournal struct {
	Journal
	held func() Lease
}

type underBook struct {
	Book
	held func() Lease
}

func (u underStore) Journal() Journal { return underJournal{u.Store.Journal(), u.held} }
func (u underStore) Book() Book       { return underBook{u.Store.Book(), u.held} }

func (u underJournal) File(ctx context.Context, f Filing) error {
	l := u.held()
	f.Under = &l
	return u.Journal.File(ctx, f)
}

func (u underBook) Commit(ctx context.Context, c Commit) error {
	l := u.held()
	c.Under = &l
	return u.Book.Commit(ctx, c)
}
