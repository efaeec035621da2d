package crossdock

import (
	"errors"
	"fmt"
)

// Code says what kind of trouble there is, and so what happens next. Only the
// core's handling of receipts, dispatch and desk switch on it.
type Code string

// The codes. OK is the empty one.
const (
	OK           Code = ""
	Throttled    Code = "throttled"    // too many calls: wait as long as the target says, then again
	Unavailable  Code = "unavailable"  // the target is away: wait with backoff, then again
	Ambiguous    Code = "ambiguous"    // sent, and no answer: it may or may not have happened
	NotYet       Code = "not_yet"      // something it refers to is not there yet: parked with a deadline
	Conflict     Code = "conflict"     // the target holds something else than the decision saw: look and decide again
	Invalid      Code = "invalid"      // the content is wrong: a person mends it
	Refused      Code = "refused"      // the target refuses: a person decides
	Unauthorized Code = "unauthorized" // credentials or rights: the connection pauses
	Internal     Code = "internal"     // our own defect: a person looks
	Gone         Code = "gone"         // the record is not in the target any more
)

// Waits reports whether the work is tried again by itself.
func (c Code) Waits() bool {
	return c == Throttled || c == Unavailable || c == NotYet || c == Conflict || c == Ambiguous
}

// Error is the one error of the hub: a code, a sentence for the person who reads
// it (what, where, what to do) and, where there is one, the place in the input.
type Error struct {
	Code    Code
	Text    string
	Place   string // file:line:column, a JSON path, a field: where in the input
	Subject string // the one value at fault, where many records may have it: country:US; see About
	Err     error  // what it came from; for the log, never for the page
}

// Error returns place and text. Text already holds the cause where Errorf made it.
func (e *Error) Error() string {
	s := e.Text
	if e.Place != "" {
		s = e.Place + ": " + s
	}
	return s
}

// Unwrap returns the error it came from.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error with a code; a trailing %w keeps the cause.
func Errorf(code Code, format string, a ...any) error {
	err := fmt.Errorf(format, a...)
	return &Error{Code: code, Text: err.Error(), Err: errors.Unwrap(err)}
}

// At returns err with a place in the input; where err has one already, the new
// one is put before it with a dot. An Error that something else was wrapped
// around keeps its code, and all the words around it stay in the text. An error
// without a code becomes Invalid.
func At(place string, err error) error {
	if err == nil || place == "" {
		return err
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // a wrapped one would lose the words around it
		c := *e
		if c.Place != "" {
			place += "." + c.Place
		}
		c.Place = place
		return &c
	}
	code := Invalid
	if e := (*Error)(nil); errors.As(err, &e) {
		code = e.Code
	}
	return &Error{Code: code, Text: err.Error(), Place: place, Err: err}
}

// About says that err is the fault of one value, which other records have too, and
// not of the record that showed it: an unmapped country or tax. However many records
// it keeps back, it is one exception.
func About(subject string, err error) error {
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Code: e.Code, Text: FaultOf(err).Text, Place: e.Place, Subject: subject, Err: err}
}

// SubjectOf returns the value that About named in err's chain, or "".
func SubjectOf(err error) string {
	for e := (*Error)(nil); errors.As(err, &e); err = e.Err {
		if e.Subject != "" {
			return e.Subject
		}
	}
	return ""
}

// CodeOf returns the code of the first Error in err's chain, Internal for an
// error without one, OK for nil.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
