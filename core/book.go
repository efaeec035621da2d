package core

import (
	"strconv"

	"github.com/crossdockhq/crossdock"
)

func decimalText(n int64) string { return strconv.FormatInt(n, 10) }

// decimalOf reads a decimal constant of the program.
func decimalOf(s string) crossdock.Decimal {
	d, err := crossdock.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Book is the state a decision reads. It never changes under a decision.
type Book interface {
	// Row returns the row at an address, nil where there is none. known is false
	// when the row has not been loaded: the decision is then thrown away and made
	// again once every row it asked for has been loaded.
	// The row is shared: who changes it clones it first.
	Row(at Address) (row Row, known bool)
}

// Decision is what one entry makes of the book.
type Decision struct {
	Missing []Address       // not empty: nothing was decided, load these and decide again
	Changes []Change        // in the order they were made
	Touched []Touch         // views to be projected again
	Refs    []crossdock.Ref // the records the entry is about, for its trace
	Effect  string          // what came of it, or why nothing did
}

// Change puts a row, or drops the one at At when Row is nil.
type Change struct {
	At  Address
	Row Row
}

// Touch names one view: what a system holds of a record.
type Touch struct {
	System crossdock.System
	Of     crossdock.Ref
}

// Projected is what a connector's Project made of a touched view.
type Projected struct {
	Touch
	Want  crossdock.Record // zero: the system need not hold anything
	Waits []crossdock.Ref
	Door  crossdock.Door
	Err   error
}
