package store

import (
	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

// The rows of the book that rooms other than the desk read. They are the core's
// words; a room that only reads need not know the core.
type (
	// Address names one row of the book.
	Address = core.Address
	// Row is one row of the book.
	Row = core.Row
	// Record is a record of the book.
	Record = core.Record
	// View is what the book knows of a record in a system.
	View = core.View
	// Want is work to be done in one system.
	Want = core.Want
)

// What a want can ask for.
const (
	DoPush = core.DoPush
	DoLook = core.DoLook
)

// Views is the table of views.
const Views = core.Views

// RecordAt returns the address of a record of the book.
func RecordAt(of crossdock.Ref) Address { return core.RecordAt(of) }

// ViewAt returns the address of a view.
func ViewAt(system crossdock.System, of crossdock.Ref) Address { return core.ViewAt(system, of) }
