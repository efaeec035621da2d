package crossdock

import "time"

// View is what the book knows of one of its records in one system.
type View struct {
	System  System    `json:"system"`
	Of      Ref       `json:"of"`                // the book's record
	Key     string    `json:"key,omitempty"`     // the system's key; "" until it is known
	Held    Record    `json:"held,omitzero"`     // what the system said last, with refs of the book
	Asked   Record    `json:"asked,omitzero"`    // what we last got a receipt for, in the target's words
	Doubt   Record    `json:"doubt,omitzero"`    // what a lost push asked for of which nobody can tell whether it landed: Asked is zero then
	Open    []Open    `json:"open,omitempty"`    // pushes without a receipt
	Unknown bool      `json:"unknown,omitempty"` // what it holds can't be told until a look
	Gone    bool      `json:"gone,omitempty"`    // it was there and is not any more
	Rev     int64     `json:"rev,omitempty"`     // of the last want made for it
	Stale   int       `json:"stale,omitempty"`   // pushes in a row that found something else than the decision saw
	Lost    *Open     `json:"lost,omitempty"`    // the push whose answer was lost, while Unknown
	Settles time.Time `json:"settles,omitzero"`  // while Unknown: only a look that began at or after this tells
	Adopt   bool      `json:"adopt,omitempty"`   // a person's change was taken over: the next want counts as held
	Digest  string    `json:"digest,omitempty"`  // of the last message about it alone; a pulled row that has it says nothing new
	Version string    `json:"version,omitempty"` // newest version heard
	Wrote   string    `json:"wrote,omitempty"`   // version our own last push made
	Heard   int64     `json:"heard,omitempty"`   // Seq of the last statement merged or receipt decided
	Told    int64     `json:"told,omitempty"`    // Seq at which the book's record was what we last got a receipt for
	Settled int64     `json:"settled,omitempty"` // only what was asked for at or after this Seq is ordered after our pushes
	AsOf    time.Time `json:"as_of,omitzero"`
}

// Open is a push that has no receipt yet.
type Open struct {
	Attempt int64  `json:"attempt"`
	Push    Push   `json:"push"`
	Told    Record `json:"told,omitzero"` // the book's record it was made from
	Seq     int64  `json:"seq,omitempty"` // at which the book's record was like that
}
