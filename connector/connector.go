// Package connector is the wall between the hub and the systems outside: the
// doors a connector may have, and what goes through them. A connector is what it
// implements; there is no list of abilities. Retry, lanes, budgets and leases are
// around it, never inside.
package connector

import (
	"context"
	"net/http"
	"time"

	"github.com/crossdockhq/crossdock"
)

// Connector speaks with one outside system under one credential. Its methods are
// safe for use by several goroutines. Its errors are *crossdock.Error, with a Code.
type Connector interface {
	// Ping asks the system for the least it answers with our credentials.
	Ping(ctx context.Context) error
}

// Translator turns what the system said into statements.
type Translator interface {
	// Translate is pure: the same message gives the same statements, in the same
	// order. One statement per record; a record that can't be used becomes a
	// statement with a Fault that names its place. Records a statement refers to
	// (a customer in an order) come before it.
	Translate(m crossdock.Message) []crossdock.Statement
}

// Cursor is how far a pull has come, as text only its connector reads. The zero
// cursor asks for everything.
type Cursor string

// Page is what one pull returned.
type Page struct {
	Messages []crossdock.Message // one per record, From and Asked left to the caller
	Next     Cursor              // where the next pull goes on
	More     bool                // there is more now
}

// Puller reads what changed.
type Puller interface {
	Translator
	// Kinds lists what can be pulled, those first that others refer to.
	Kinds() []crossdock.Kind
	// Pull returns the records of a kind that changed after the cursor, a page at a
	// time. It may return a record again, it never skips one.
	Pull(ctx context.Context, k crossdock.Kind, after Cursor) (Page, error)
}

// KeyPage is a page of the keys a system holds.
type KeyPage struct {
	Keys []string
	Next Cursor
	More bool
}

// Lister lists what a system holds, to find what was deleted.
type Lister interface {
	Keys(ctx context.Context, k crossdock.Kind, after Cursor) (KeyPage, error)
}

// Answer is what a sender is told once its message is on disk.
type Answer struct {
	Status int
	Body   []byte
}

// Receiver takes what the system sends us.
type Receiver interface {
	Translator
	// Receive checks that a request is genuine (over the raw bytes, in constant
	// time) and bounded, and makes messages of it without understanding them. It
	// reads the body with ReadRaw, to its end. A request that is not genuine is an error with
	// code Unauthorized. The answer leaves after the messages are filed. A body
	// beyond HardCap is a message with a Fault and an answer of status 413.
	Receive(r *http.Request) ([]crossdock.Message, Answer, error)
}

// Known is what a projection may know of the target.
type Known interface {
	// Key returns the target's key of a record of the book; "" while it has none.
	Key(of crossdock.Ref) string
	// Record returns a record of the book.
	Record(of crossdock.Ref) (crossdock.Record, bool)
	// Named returns the records of the book with a matching key ("tax:Tax 8%"), sorted.
	Named(name string) []crossdock.Ref
}

// Wanted is what a system should hold of a record.
type Wanted struct {
	Record crossdock.Record // in the target's words; zero: it need not hold anything
	Waits  []crossdock.Ref  // records of the book that need a key in the target first
	Door   crossdock.Door   // how a second send of this push ends
}

// Projector says what a system should hold.
type Projector interface {
	// Project is pure. It returns the next step from what the view says is there:
	// a record that takes two writes (make, then confirm) is wanted in two steps,
	// the second once the view's Asked is the first. What known lacks goes into
	// Waits; what can never be written is an error with code Invalid or Refused
	// and the place in the record.
	Project(r crossdock.Record, v crossdock.View, known Known) (Wanted, error)
}

// Pusher writes.
type Pusher interface {
	Projector
	// Push sends a batch and returns one receipt for each push, in their order. It
	// never returns fewer; whatever goes wrong is a receipt's Code. A push whose
	// answer did not come has code Ambiguous, unless it is sure that nothing was sent.
	Push(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt
}

// Finder looks.
type Finder interface {
	Translator
	// Find reads records as they are now. It answers every ref with one message,
	// also one that is not there (its statement then says Gone). A ref may name a
	// record by the system's key, or, System being the book, by the hub's business
	// key (external id): a record whose key was never learned.
	Find(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error)
}

// Toucher says what pushes have in common: those that share a ref never run at once.
type Toucher interface {
	Touches(p crossdock.Push) []crossdock.Ref
}

// Env is what a connector is given to live in.
type Env struct {
	System    crossdock.System  // the connection's name
	Transport http.RoundTripper // nil: http.DefaultTransport
	Now       func() time.Time
	Shared    bool // another connection of this type has a secret of this one: what is signed with it may be meant for that one
}
