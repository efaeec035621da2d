package crossdock

import "time"

// Entry is something that happened outside the core, as the desk took it. Seq and
// At are given when it is taken; At never goes back. A large message is taken in
// slices: each has its own Seq, and Part counts them from 0.
type Entry struct {
	Seq     int64
	At      time.Time
	Lane    Lane
	Arrival int64 // its number in the lane
	Part    int
	Last    bool // no further slice follows
	Body    Body
}

// Body is what an entry holds: a Message, Action, Attempt, Result, Tick or Setup.
type Body interface{ entryBody() }

// Lane is one of the queues arrivals wait in; the desk takes from them by weight.
type Lane string

// The lanes, most urgent first. Attempts and results always use Urgent, so a
// result never overtakes its attempt.
const (
	Urgent Lane = "urgent"
	Normal Lane = "normal"
	Bulk   Lane = "bulk"
)

// Lanes lists the lanes in the order of their weight.
var Lanes = []Lane{Urgent, Normal, Bulk}

// Message is what a system said, word for word.
type Message struct {
	From    System    // the connection it came through
	Kind    Kind      // of the records it speaks of
	Key     string    // of its one record; empty where it has many
	Version string    // of that record; sorts bytewise in the order of its system's clock
	After   int64     // the last Seq taken when it was asked for; 0: it came unasked
	Asked   time.Time // when the request began, by the hub's clock; zero: it came unasked
	Meta    Meta      // headers and the like that Translate needs
	Body    []byte
	Fault   *Fault // set by intake: genuine, but not to be translated
}

// Meta are named strings that travel with a message.
type Meta map[string]string

// Fault says why a message, or one record in it, can't be used as it is.
type Fault struct {
	Code  Code   `json:"code"`
	Text  string `json:"text"`
	Place string `json:"place,omitempty"`
}

// FaultOf makes a Fault of an error.
func FaultOf(err error) *Fault {
	if err == nil {
		return nil
	}
	f := &Fault{Code: CodeOf(err), Text: err.Error()}
	if e, ok := err.(*Error); ok { //nolint:errorlint // a wrapped place would repeat what the text says
		f.Text, f.Place = e.Text, e.Place
	}
	return f
}

// Action is what a person decided.
type Action struct {
	By   string            `json:"by"`
	Do   string            `json:"do"` // "retry", "drop" …
	Of   Ref               `json:"of"`
	Note string            `json:"note,omitempty"`
	With map[string]string `json:"with,omitempty"`
}

// Attempt says that a batch is about to be pushed to one system. Its ID is the
// number of the arrival that holds it in its lane; it is on disk before the first byte leaves.
type Attempt struct {
	ID     int64  `json:"-"`
	System System `json:"system"`
	Pushes []Push `json:"pushes"`
}

// Push is one record of a batch, as it is sent.
type Push struct {
	Of   Ref    `json:"of"`            // the book's record
	Rev  int64  `json:"rev"`           // of the want
	Want Record `json:"want"`          // in the target's words
	Key  string `json:"key,omitempty"` // the target's key, where it is known
	Door Door   `json:"door"`          //
	// Version and Held are of the target's record as the decision saw it, for orders:
	// a push that finds another returns Conflict and writes nothing. Version is "" where
	// the target never told one.
	Version string `json:"version,omitempty"`
	Held    Record `json:"held,omitzero"`
}

// Door says how a second send of the same push ends in the target.
type Door string

// The doors.
const (
	DoorRefused    Door = "refused"     // the target refuses a second effect: it may be sent again at once
	DoorFound      Door = "found"       // only a look that begins Settles after the push says what happened
	DoorHeardTwice Door = "heard twice" // it can't be taken back or looked up: the same bytes and number again
)

// Result is what came back from an attempt, one receipt for each push or look.
type Result struct {
	Attempt  int64     `json:"attempt"` // 0 for looks, which have no effect to attempt
	System   System    `json:"system"`
	Receipts []Receipt `json:"receipts"`
}

// Receipt is the outcome of one push, or of a look that failed.
type Receipt struct {
	Of      Ref           `json:"of"`
	Rev     int64         `json:"rev"`
	Look    bool          `json:"look,omitempty"`
	Code    Code          `json:"code,omitempty"`
	Text    string        `json:"text,omitempty"`
	Subject string        `json:"subject,omitempty"` // the one value at fault, where many records may have it: country:US
	Holds   Record        `json:"holds,omitzero"`    // in the form of the kind: what the target holds now, from its answer
	Says    Fields        `json:"says,omitempty"`    // which fields Holds speaks of, also where they are empty; nil: those it has
	Key     string        `json:"key,omitempty"`
	Version string        `json:"version,omitempty"`
	Saw     []Message     `json:"saw,omitempty"`   // what stood there instead of what the decision saw
	After   time.Duration `json:"after,omitempty"` // how long the target asks to wait
}

// Fields returns which fields Holds speaks of.
func (r Receipt) Fields() Fields {
	if r.Says != nil {
		return r.Says
	}
	return r.Holds.Names()
}

// Tick says that the time of these timers has come.
type Tick struct {
	Timers []TimerName `json:"timers"`
}

// TimerName names one timer of a record of the book.
type TimerName struct {
	Of   Ref    `json:"of"`
	Name string `json:"name"`
}

func (Message) entryBody() {}
func (Action) entryBody()  {}
func (Attempt) entryBody() {}
func (Result) entryBody()  {}
func (Tick) entryBody()    {}
func (Setup) entryBody()   {}

// Statement is what one message says of one record, in the form of its kind but
// with the refs of its system.
type Statement struct {
	Of      Ref
	Version string    // sorts bytewise by the source's clock; "" when it has none
	At      time.Time // by the source's clock
	Said    Record
	Says    Fields // which fields it speaks of; nil: all the record has
	Gone    bool   // the system does not have it (any more)
	Into    Ref    // merged into this one
	Fills   bool   // nobody has shown to be who it names (a guest's order): it fills what is empty and changes nothing
	Names   []string
	Fault   *Fault // this record can't be used; Of, Place and Text say which and why
}

// Fields returns which fields the statement speaks of.
func (s Statement) Fields() Fields {
	if s.Says != nil {
		return s.Says
	}
	return s.Said.Names()
}
