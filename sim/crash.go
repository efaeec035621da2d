package sim

import (
	"context"
	"errors"

	"github.com/crossdockhq/crossdock/store"
)

// errCrash is what a write returns at which the hub's process ends.
var errCrash = errors.New("the hub was killed before it wrote")

// CrashAt ends the hub at its nth write from now on: that write and all after it
// are not on disk, whatever was sent before it has left. The step that wrote
// returns an error then; Crashed tells it from others, and Kill and Open go on.
func (w *World) CrashAt(n int) { w.crash = &crash{left: n} }

// Crashed reports whether the hub has come to the write it was to end at.
func (w *World) Crashed() bool { return w.crash != nil && w.crash.left <= 0 }

// crash counts the writes of a process that is to end.
type crash struct{ left int }

// brittle is a store whose process may end before a write.
type brittle struct {
	store.Store
	w *World
}

func (b brittle) Journal() store.Journal { return brittleJournal{b.Store.Journal(), b.w} }
func (b brittle) Book() store.Book       { return brittleBook{b.Store.Book(), b.w} }

type brittleJournal struct {
	store.Journal
	w *World
}

// File implements store.Journal.
func (j brittleJournal) File(ctx context.Context, f store.Filing) error {
	if j.w.dies() {
		return errCrash
	}
	return j.Journal.File(ctx, f)
}

type brittleBook struct {
	store.Book
	w *World
}

// Commit implements store.Book.
func (b brittleBook) Commit(ctx context.Context, c store.Commit) error {
	if b.w.dies() {
		return errCrash
	}
	return b.Book.Commit(ctx, c)
}

func (w *World) dies() bool {
	if w.crash == nil {
		return false
	}
	w.crash.left--
	return w.crash.left <= 0
}
