// Package core decides. Decide is a function of the book and one entry: no clock,
// no network, no randomness, no dependence on the order of a map. A row it needs
// and the book has not loaded aborts the decision, which is then made again.
package core

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// Table names one kind of row of the book.
type Table string

// The tables of the book.
const (
	Records    Table = "record"
	Links      Table = "link"
	Names      Table = "name"
	Views      Table = "view"
	Wants      Table = "want"
	Balances   Table = "balance"
	Promises   Table = "promise"
	Awaits     Table = "await"
	Waiters    Table = "waiter"
	Tickets    Table = "ticket"
	Documents  Table = "document"
	Timers     Table = "timer"
	Exceptions Table = "exception"
	Judgements Table = "judgement"
	Setups     Table = "setup"
	Openings   Table = "opening"
	Tallies    Table = "tally"
	Deliveries Table = "delivery"
)

// Tables lists every table of the book.
var Tables = []Table{Records, Links, Names, Views, Wants, Balances, Promises, Awaits, Waiters, Tickets, Documents, Timers, Exceptions, Judgements, Setups, Openings, Tallies, Deliveries}

// Address names one row of the book.
type Address struct {
	Table Table
	Key   string
}

// Row is one row of the book: a pointer to one of the types below. All of them
// are written and read as JSON by stores.
type Row interface{ Address() Address }

// Record is a record of the book.
type Record struct {
	Of      crossdock.Ref     `json:"of"`
	Rev     int64             `json:"rev"` // counts its changes
	Company string            `json:"company,omitempty"`
	Body    crossdock.Record  `json:"body"`
	Set     map[string]Source `json:"set,omitempty"`   // who set each field
	Names   []string          `json:"names,omitempty"` // the matching keys it is found by
	// Given are the matching keys by the system that gave them last, where several may.
	Given  map[crossdock.System][]string `json:"given,omitempty"`
	Into   crossdock.Ref                 `json:"into,omitzero"`    // merged into this one: readers follow
	Judged int64                         `json:"judged,omitempty"` // Seq of its last Judgement
	Seq    int64                         `json:"seq"`              // of the entry that changed it last
	At     time.Time                     `json:"at"`
}

// Source says which system set a field, by which entry.
type Source struct {
	System crossdock.System `json:"system"`
	Seq    int64            `json:"seq"`
}

// Link says which record of the book a system's record is.
type Link struct {
	Of crossdock.Ref `json:"of"` // the system's
	To crossdock.Ref `json:"to"` // the book's
}

// Name lists the records that share one matching key, for instance sku:TEA, sorted.
type Name struct {
	Name string          `json:"name"`
	Of   []crossdock.Ref `json:"of"`
}

// View is what the book knows of one of its records in one system.
type View struct{ crossdock.View }

// Want is work to be done in one system for one record: a push or a look.
type Want struct {
	System   crossdock.System `json:"system"`
	Of       crossdock.Ref    `json:"of"`
	Do       Do               `json:"do"`
	Rev      int64            `json:"rev,omitempty"` // of a look: the Seq it was asked for at
	Want     crossdock.Record `json:"want,omitzero"` // in the target's words
	Key      string           `json:"key,omitempty"` // the target's, where it is known
	Door     crossdock.Door   `json:"door,omitempty"`
	Version  string           `json:"version,omitempty"` // of an order: the target's, as the book knows it
	Held     crossdock.Record `json:"held,omitzero"`     // of an order: what the target holds, as the book knows it
	Lane     crossdock.Lane   `json:"lane"`
	Due      time.Time        `json:"due"`
	State    WantState        `json:"state"`
	Waits    []crossdock.Ref  `json:"waits,omitempty"`   // parked: what has to be there first
	Deadline time.Time        `json:"deadline,omitzero"` // parked: when it becomes an exception
	Tries    int              `json:"tries,omitempty"`   // in a row without success
	Decided  int64            `json:"decided,omitempty"` // ID of the last attempt whose result was decided
	Since    time.Time        `json:"since"`             // when the work came up
	Why      string           `json:"why,omitempty"`     // the reasons for a look, or what went wrong last
	Subject  string           `json:"subject,omitempty"` // the value that stopped it, which may stop others too
	Record   crossdock.Ref    `json:"record,omitzero"`   // a look: the system's record, where the book has none yet
}

// Do says what a want asks for.
type Do string

// What a want can ask for.
const (
	DoPush Do = "push"
	DoLook Do = "look"
)

// WantState says whether dispatch may take a want.
type WantState string

// The states of a want. Only WantDue rows are taken by dispatch, once they are due.
const (
	WantDue     WantState = "due"
	WantOpen    WantState = "open"    // an attempt is on its way
	WantParked  WantState = "parked"  // waits for other records
	WantStopped WantState = "stopped" // an exception: a change of the record or a person sets it going again
)

// Balance is what the book knows of one item at one site.
type Balance struct {
	Item      crossdock.Ref     `json:"item"`
	Site      crossdock.Ref     `json:"site"`
	OnHand    crossdock.Decimal `json:"on_hand"`
	Reserved  crossdock.Decimal `json:"reserved"`  // by the stock's system, as of the same reading
	Promised  crossdock.Decimal `json:"promised"`  // by us, all open orders
	Converted crossdock.Decimal `json:"converted"` // the part of Promised that Reserved already holds
	Turning   []Turn            `json:"turning,omitempty"`
	Leaving   []Turn            `json:"leaving,omitempty"` // in Promised yet: it has left, and no reading shows it
	Heard     int64             `json:"heard,omitempty"`   // the last Seq taken when the reading was asked for
	AsOf      time.Time         `json:"as_of,omitzero"`
}

// Turn is a promise the stock's system has taken over at Seq: a reading that was
// asked for at or after it holds the reservation.
type Turn struct {
	Cause crossdock.Ref     `json:"cause"`
	Count crossdock.Decimal `json:"count"`
	Seq   int64             `json:"seq"`
}

// Promise is what one cause (an order) was promised at one site: its lines of the ledger.
type Promise struct {
	Cause     crossdock.Ref `json:"cause"`
	Site      crossdock.Ref `json:"site"`
	Lines     []Promised    `json:"lines"`
	Seq       int64         `json:"seq"`
	Converted int64         `json:"converted,omitempty"` // Seq at which the stock's system took it over
}

// Promised is a count of one item, in the item's unit.
type Promised struct {
	Item  crossdock.Ref     `json:"item"`
	Count crossdock.Decimal `json:"count"`
}

// Await is the head of those who are judged or projected again when something
// appears: a name (sku:TEA), a key (key:odoo/book/party/x) or stock. Each has a
// number, in the order of their asking, and two rows: a Waiter, found by number, and
// a Ticket, found by who it is.
type Await struct {
	Name  string `json:"name"`
	First int64  `json:"first"`           // nobody waits below this number
	Next  int64  `json:"next"`            // the number that is given next
	Count int64  `json:"count"`           // how many wait
	Told  int64  `json:"told,omitempty"`  // a wake goes on with this number
	Until int64  `json:"until,omitempty"` // and ends before this one; 0: none is under way
}

// Waiter is one that waits for a name.
type Waiter struct {
	Name   string `json:"name"`
	Number int64  `json:"number"`
	Waiting
}

// Ticket is the number one has among those who wait for a name.
type Ticket struct {
	Name   string           `json:"name"`
	Of     crossdock.Ref    `json:"of"`
	System crossdock.System `json:"system,omitempty"`
	Number int64            `json:"number"`
}

// Waiting is one that waits: a record to be judged again, or, with a system, a
// view to be projected again.
type Waiting struct {
	Of     crossdock.Ref     `json:"of"`
	System crossdock.System  `json:"system,omitempty"`
	Needs  crossdock.Decimal `json:"needs,omitzero"` // of stock: less does not serve it
}

// Document is something issued.
type Document struct {
	Of crossdock.Ref
	crossdock.Document
	Seq int64
}

// documentRow is the JSON form of a Document, which would otherwise be written by
// the promoted method of the document in it, without Of and Seq.
type documentRow struct {
	Of       crossdock.Ref      `json:"of"`
	Document crossdock.Document `json:"document"`
	Seq      int64              `json:"seq"`
}

// MarshalJSON writes the document inside the row.
func (r Document) MarshalJSON() ([]byte, error) {
	return json.Marshal(documentRow{r.Of, r.Document, r.Seq})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Document) UnmarshalJSON(b []byte) error {
	var row documentRow
	if err := json.Unmarshal(b, &row); err != nil {
		return err
	}
	*r = Document{row.Of, row.Document, row.Seq}
	return nil
}

// Timer fires once, at or after Due.
type Timer struct {
	Of   crossdock.Ref `json:"of"`
	Name string        `json:"name"`
	Due  time.Time     `json:"due"`
}

// Exception is something a person has to know of or decide.
type Exception struct {
	ID      string           `json:"id"` // made of Check and what it is about: the same trouble is one exception
	Check   string           `json:"check"`
	Subject string           `json:"subject,omitempty"` // the one value it is about, in the words of System: country:US
	Code    crossdock.Code   `json:"code"`
	Text    string           `json:"text"`
	Place   string           `json:"place,omitempty"`
	Of      crossdock.Ref    `json:"of,omitzero"`
	System  crossdock.System `json:"system,omitempty"`
	Seq     int64            `json:"seq"`   // the entry that raised it last
	Owner   string           `json:"owner"` // the role that answers for it
	Value   crossdock.Money  `json:"value,omitzero"`
	Opened  time.Time        `json:"opened"`
	Due     time.Time        `json:"due"`
	Count   int              `json:"count"` // how often it came up while open
	Closed  time.Time        `json:"closed,omitzero"`
	Why     string           `json:"why,omitempty"` // why it was closed
}

// Open reports whether somebody still has to act.
func (r *Exception) Open() bool { return r.Closed.IsZero() }

// Judgement is one judging of a record with the facts it read. One that came to the
// same by the same facts is not written again.
type Judgement struct {
	Of       crossdock.Ref       `json:"of"`
	Seq      int64               `json:"seq"`
	At       time.Time           `json:"at"`
	Findings []crossdock.Finding `json:"findings"`
	Facts    map[string]string   `json:"facts"`
	Setup    string              `json:"setup"` // hash of the configuration
	Core     string              `json:"core"`  // version of the core
}

// Setup is the configuration in force.
type Setup struct {
	crossdock.Setup
	Seq int64 `json:"seq"`
}

func key(part ...string) string { return strings.Join(part, "|") }

// RecordAt returns the address of a record of the book.
func RecordAt(of crossdock.Ref) Address { return Address{Records, of.Short()} }

// LinkAt returns the address of the link of a system's record.
func LinkAt(of crossdock.Ref) Address { return Address{Links, of.String()} }

// NameAt returns the address of a matching key.
func NameAt(name string) Address { return Address{Names, name} }

// ViewAt returns the address of a view.
func ViewAt(system crossdock.System, of crossdock.Ref) Address {
	return Address{Views, key(string(system), of.Short())}
}

// WantAt returns the address of a want.
func WantAt(system crossdock.System, do Do, of crossdock.Ref) Address {
	return Address{Wants, key(string(system), string(do), of.String())}
}

// BalanceAt returns the address of the balance of an item at a site.
func BalanceAt(item, site crossdock.Ref) Address { return Address{Balances, item.Key + "@" + site.Key} }

// PromiseAt returns the address of what is promised to cause.
func PromiseAt(cause crossdock.Ref) Address { return Address{Promises, cause.Short()} }

// AwaitAt returns the address of those who wait for name.
func AwaitAt(name string) Address { return Address{Awaits, name} }

// WaiterAt returns the address of the one with a number among those who wait for name.
func WaiterAt(name string, number int64) Address { return Address{Waiters, key(name, seqText(number))} }

// TicketAt returns the address of the number one has among those who wait for name.
// The length of the name keeps two names apart of which one begins with the other.
func TicketAt(name string, who Waiting) Address {
	return Address{Tickets, key(decimalText(int64(len(name))), name, who.Of.String(), string(who.System))}
}

// DocumentAt returns the address of a document.
func DocumentAt(of crossdock.Ref) Address { return Address{Documents, of.Short()} }

// TimerAt returns the address of a timer.
func TimerAt(of crossdock.Ref, name string) Address { return Address{Timers, key(of.Short(), name)} }

// ExceptionAt returns the address of an exception.
func ExceptionAt(id string) Address { return Address{Exceptions, id} }

// JudgementAt returns the address of the judgement of a record by one entry.
func JudgementAt(of crossdock.Ref, seq int64) Address {
	return Address{Judgements, key(of.Short(), seqText(seq))}
}

// SetupAt is the address of the configuration in force.
var SetupAt = Address{Setups, "current"}

// Address implements Row.
func (r *Record) Address() Address    { return RecordAt(r.Of) }
func (r *Link) Address() Address      { return LinkAt(r.Of) }
func (r *Name) Address() Address      { return NameAt(r.Name) }
func (r *View) Address() Address      { return ViewAt(r.System, r.Of) }
func (r *Want) Address() Address      { return WantAt(r.System, r.Do, r.Of) }
func (r *Balance) Address() Address   { return BalanceAt(r.Item, r.Site) }
func (r *Promise) Address() Address   { return PromiseAt(r.Cause) }
func (r *Await) Address() Address     { return AwaitAt(r.Name) }
func (r *Waiter) Address() Address    { return WaiterAt(r.Name, r.Number) }
func (r *Ticket) Address() Address    { return TicketAt(r.Name, Waiting{Of: r.Of, System: r.System}) }
func (r *Document) Address() Address  { return DocumentAt(r.Of) }
func (r *Timer) Address() Address     { return TimerAt(r.Of, r.Name) }
func (r *Exception) Address() Address { return ExceptionAt(r.ID) }
func (r *Judgement) Address() Address { return JudgementAt(r.Of, r.Seq) }
func (r *Setup) Address() Address     { return SetupAt }

// NewRow returns an empty row of a table, to be read from JSON.
func NewRow(t Table) Row {
	switch t {
	case Records:
		return new(Record)
	case Links:
		return new(Link)
	case Names:
		return new(Name)
	case Views:
		return new(View)
	case Wants:
		return new(Want)
	case Balances:
		return new(Balance)
	case Promises:
		return new(Promise)
	case Awaits:
		return new(Await)
	case Waiters:
		return new(Waiter)
	case Tickets:
		return new(Ticket)
	case Documents:
		return new(Document)
	case Timers:
		return new(Timer)
	case Exceptions:
		return new(Exception)
	case Judgements:
		return new(Judgement)
	case Setups:
		return new(Setup)
	case Openings:
		return new(Opening)
	case Tallies:
		return new(Tally)
	case Deliveries:
		return new(Delivery)
	}
	return nil
}

// seqText writes a Seq so that text order is number order.
func seqText(seq int64) string {
	const digits = "0000000000000000000"
	s := decimalText(seq)
	return digits[:len(digits)-len(s)] + s
}
