package sqlite

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/crossdockhq/crossdock/store"
)

// health is what both files of a store share: once one of them did not keep what
// was written, neither is written again.
type health struct {
	dir    string
	broken atomic.Pointer[error]
}

// ill returns why nothing may be written any more, nil while all is well.
func (h *health) ill() error {
	if err := h.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// judge turns an error of a write into ErrFull or ErrBroken where it is one. An
// ErrBroken stays. SQLite's result codes: https://sqlite.org/rescode.html
func (h *health) judge(err error) error {
	var e *sqlite.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		return full(err)
	}
	meant := verdict(e.Code(), h.dir)
	if meant == nil {
		return err
	}
	err = fmt.Errorf("%w: %w", meant, err)
	if errors.Is(err, store.ErrBroken) {
		h.broken.CompareAndSwap(nil, &err)
	}
	return err
}

// verdict says what a result code of SQLite means for what is on disk. SQLite
// itself turns ENOSPC of a write into SQLITE_FULL; other files it has to grow say
// only that writing failed, and then the file system is asked.
func verdict(code int, dir string) error {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return store.ErrFull
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return store.ErrBroken
	case sqlite3.SQLITE_IOERR:
	default:
		return nil
	}
	switch code {
	case sqlite3.SQLITE_IOERR_NOMEM, sqlite3.SQLITE_IOERR_BLOCKED, sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_IOERR_UNLOCK, sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK:
		return nil // nothing was written
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMMAP:
		if noRoom(dir) {
			return store.ErrFull
		}
	}
	return store.ErrBroken
}

// noRoom reports a file system with less left than SQLite takes at a time.
func noRoom(dir string) bool {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return false
	}
	const least = 64 << 10
	return float64(fs.Bavail)*float64(fs.Bsize) < least // their types differ between systems
}

// full adds ErrFull to the file system's own way of saying it.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}
