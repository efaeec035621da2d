package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/store"
)

// The exit codes. They are part of what scripts rely on.
const (
	exitGood        = 0
	exitDefect      = 1 // of crossdock itself
	exitInput       = 2 // wrong usage, a wrong configuration, wrong content
	exitEnvironment = 3 // a file, a port, a right, a system that is not there
	exitDifferences = 4 // the work was done and found differences
)

// exitCode is the one place that turns an error into an exit code.
func exitCode(err error) int {
	var usage *kong.ParseError
	var coded *crossdock.Error
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &usage):
		return exitInput
	case errors.As(err, &coded) && coded.Code != crossdock.Internal:
		return exitOf(coded.Code)
	case isSurroundings(err), errors.Is(err, store.ErrBroken), errors.Is(err, store.ErrFull), errors.Is(err, store.ErrAway):
		return exitEnvironment
	}
	return exitDefect
}

// exitOf turns a code into an exit code. A command that found differences returns
// an error with code Conflict.
func exitOf(code crossdock.Code) int {
	switch code {
	case crossdock.OK:
		return exitGood
	case crossdock.Invalid, crossdock.Refused:
		return exitInput
	case crossdock.Unavailable, crossdock.Throttled, crossdock.Unauthorized, crossdock.Ambiguous, crossdock.NotYet, crossdock.Gone:
		return exitEnvironment
	case crossdock.Conflict:
		return exitDifferences
	}
	return exitDefect
}

// isSurroundings reports an error of the operating system or the network.
func isSurroundings(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	var number syscall.Errno
	var netErr *net.OpError
	return errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &number) || errors.As(err, &netErr) ||
		errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// failure is what is printed about an error with --json.
type failure struct {
	Error    crossdock.Fault `json:"error"`
	Exit     int             `json:"exit"`
	Problems config.Problems `json:"problems,omitempty"`
}

// fail reports an error, if there is one, and returns the exit code.
func (s *shell) fail(g *globals, err error) int {
	code := exitCode(err)
	if err == nil {
		return code
	}
	var usage *kong.ParseError
	var problems config.Problems
	isUsage, isConfig := errors.As(err, &usage), errors.As(err, &problems)
	if g.JSON && !s.answered {
		f := failure{Error: *crossdock.FaultOf(err), Exit: code, Problems: problems}
		switch {
		case isUsage:
			f.Error.Code = crossdock.Invalid
		case isConfig:
			f.Error.Text = problems[0].Text
			f.Error.Place = problems[0].Place()
		case code == exitEnvironment && f.Error.Code == crossdock.Internal:
			f.Error.Code = crossdock.Unavailable
		}
		_ = s.json(f) // there is nobody left to tell
		return code
	}
	switch {
	case isConfig:
		fmt.Fprintf(s.err, "%s\n\n%s\n", err, count(len(problems), "problem"))
	case isUsage:
		fmt.Fprintf(s.err, "crossdock: %s\nRun crossdock --help, or crossdock COMMAND --help.\n", err)
	default:
		fmt.Fprintf(s.err, "crossdock: %s\n", err)
	}
	return code
}

// json writes v to standard output, one object. A command does it once; an error
// after that is told on standard error.
func (s *shell) json(v any) error {
	s.answered = true
	e := json.NewEncoder(s.raw)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// count writes "1 problem", "2 problems".
func count(n int, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case word[len(word)-1] == 'y':
		return fmt.Sprintf("%d %sies", n, word[:len(word)-1])
	}
	return fmt.Sprintf("%d %ss", n, word)
}
