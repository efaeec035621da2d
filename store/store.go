// Package store holds the contracts of the hub's durable state: the journal of
// arrivals and the book. store/storetest is their specification in code; every
// implementation passes it.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

// Errors of both contracts.
var (
	// ErrStale means that somebody else has committed to the book since Position
	// was read, or that the lease has passed on under which it was to be written:
	// throw the work away and read again. Nothing was written.
	ErrStale = errors.New("the book has moved on since it was read")
	// ErrFull means that the disk is full: nothing was written; it may be tried again.
	ErrFull = errors.New("the disk is full")
	// ErrAway means that the store can't be reached or can't do it just now (a
	// database that restarts or fails over): nothing was written; it may be tried
	// again.
	ErrAway = errors.New("the store is away")
	// ErrBroken means that writing to disk failed in a way that leaves open what is
	// on it (a failed fsync, a connection lost in a commit and not to be had again):
	// the process has to stop and start again.
	ErrBroken = errors.New("the disk did not keep what was written: stop and start again")
)

// Arrival is something that reached the hub and waits in its lane.
type Arrival struct {
	Lane   crossdock.Lane
	Number int64     // counts from 1 in each lane without gaps that a reader could see filled later; set by File
	At     time.Time // when it reached the hub
	Body   crossdock.Body
	Digest []byte // H(salt ‖ body), set by the store: what the entry's chain hash covers
}

// Cursor is how far a pull has come; its text means something only to its connector.
type Cursor struct {
	System crossdock.System
	Kind   crossdock.Kind
	Text   string
	At     time.Time // when it was moved
	Whole  bool      // a reading of everything is under way: it began at no cursor and has more pages
}

// Filing is what is put on disk together.
type Filing struct {
	Arrivals []*Arrival
	Cursor   *Cursor // moves with what was read (I2); nil: none
	Under    *Lease  // filed only while it is held, else ErrStale; nil: by anybody
}

// Journal keeps what arrived, in lanes. Arrivals never change.
// Safe for use by many goroutines.
type Journal interface {
	// File puts arrivals at the ends of their lanes, in their order, and moves the
	// cursor, all or nothing. When it returns nil they are on disk (I1) and their
	// Number and Digest are set. An Attempt's ID becomes its Number; attempts and
	// results are refused in any lane but Urgent. Bodies are given by value. Calls
	// that come together may share one commit. A context that ends before the commit
	// began leaves nothing; after that File waits and says what came of it.
	// ErrFull, ErrAway: nothing was filed, try later. ErrBroken: stop.
	File(ctx context.Context, f Filing) error
	// Read returns up to limit arrivals of a lane with numbers above after, ascending;
	// fewer, but at least one where there is one, when their bodies are large.
	Read(ctx context.Context, lane crossdock.Lane, after int64, limit int) ([]Arrival, error)
	// Get returns one arrival; (nil, nil) when there is none.
	Get(ctx context.Context, lane crossdock.Lane, number int64) (*Arrival, error)
	// Last returns the number of the last arrival of a lane, 0 for an empty one.
	Last(ctx context.Context, lane crossdock.Lane) (int64, error)
	// Cursor returns the pull cursor of a kind; its Text is "" before the first pull.
	Cursor(ctx context.Context, system crossdock.System, kind crossdock.Kind) (Cursor, error)
	// Open returns the attempts for which no Result was filed, oldest first.
	Open(ctx context.Context) ([]crossdock.Attempt, error)
}

// Position is how far the desk has come. Commit compares all of it.
type Position struct {
	Epoch int64     // of the desk's lease; a new owner counts it up
	Seq   int64     // last one given
	At    time.Time // of the last entry; never goes back
	Lanes map[crossdock.Lane]Place
}

// Place is how far a lane has been taken: everything up to Number, and, when Part
// is above 0, that many slices of the arrival after it.
type Place struct {
	Number int64 `json:"number"`
	Part   int   `json:"part"`
}

// Taken is one entry as the book keeps it; its body stays in the journal.
type Taken struct {
	Seq     int64
	At      time.Time
	Lane    crossdock.Lane
	Arrival int64
	Part    int
	Kind    string          // "message", "attempt", "result", "action", "tick", "setup"
	Refs    []crossdock.Ref // the records it is about
	Effect  string          // what came of it, or why nothing did
	Digest  []byte          // of the arrival
	Chain   []byte          // hash over the entry before and this one; set by the store
}

// Commit is one batch of the desk.
type Commit struct {
	From    Position
	To      Position
	Entries []Taken
	Changes []core.Change // in order; a later one of the same address wins
	Under   *Lease        // written only while it is held, else ErrStale; nil: by anybody
}

// Book is the state the core decides on. One desk writes it; anybody reads.
type Book interface {
	// Position returns how far the desk has come.
	Position(ctx context.Context) (Position, error)
	// Claim makes the caller the book's one desk: it counts the epoch up, so that
	// commits of an earlier owner end in ErrStale, and returns the position.
	Claim(ctx context.Context) (Position, error)
	// Load returns the rows at the addresses, in their order, nil where there is none.
	Load(ctx context.Context, at []core.Address) ([]core.Row, error)
	// Commit writes a batch: entries, rows and position together or not at all. It
	// refuses what Commit.Validate does, compares the stored position with From and
	// returns ErrStale when they differ. The other errors are as in Journal.File.
	Commit(ctx context.Context, c Commit) error
	// Due returns up to limit wants of a system in state due whose time has come,
	// urgent lane first, then by due time, then by key. The zero time has always come.
	Due(ctx context.Context, system crossdock.System, now time.Time, limit int) ([]*core.Want, error)
	// Timers returns up to limit timers with Due at or before now, the earliest first.
	Timers(ctx context.Context, now time.Time, limit int) ([]*core.Timer, error)
	// Next returns the earliest time at which a want or timer becomes due, zero when none will.
	Next(ctx context.Context) (time.Time, error)
	// Scan returns up to limit rows of a table whose key begins with prefix and is
	// above after, ascending by key: for people and reports, not for decisions.
	Scan(ctx context.Context, t core.Table, prefix, after string, limit int) ([]core.Row, error)
	// Exceptions returns up to limit exceptions, the oldest first, those of one instant
	// by ID; open ones only unless all. With after, only those behind it in this order,
	// of which nothing but Opened and ID are read: it need not be there any more.
	Exceptions(ctx context.Context, all bool, after *core.Exception, limit int) ([]*core.Exception, error)
	// Trace returns the entries about a record, ascending by Seq.
	Trace(ctx context.Context, of crossdock.Ref, limit int) ([]Taken, error)
	// Entries returns up to limit entries with Seq above after, ascending.
	Entries(ctx context.Context, after int64, limit int) ([]Taken, error)
	// Count returns the number of rows of a table.
	Count(ctx context.Context, t core.Table) (int64, error)
	// Incarnation returns which life of the book this is, from 1.
	Incarnation(ctx context.Context) (int64, error)
	// Reincarnate begins a new life of a book that was restored, or promoted from a
	// standby, and so may lack what it once held: it counts the incarnation and the
	// epoch up, so that no desk of the life before commits, and returns the new one.
	Reincarnate(ctx context.Context) (int64, error)
}

// Store is a journal and a book that belong together.
type Store interface {
	Journal() Journal
	Book() Book
	Leases() Leases
	Close() error
}

// Listener is a store whose nodes tell each other of what they have written.
// Whoever waits also looks by itself from time to time: a word may get lost.
type Listener interface {
	// Listen calls wake, after another node has filed or committed, until the
	// context ends. A connection that breaks is made anew.
	Listen(ctx context.Context, wake func()) error
}
