// Package sqlite keeps journal and book in one directory on one node: two SQLite
// files in WAL mode with synchronous FULL, each with one connection that writes
// and a few that read. It starts no goroutine of its own.
package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// Options say how a directory is opened. The zero value is for a hub that serves.
type Options struct {
	// ReadOnly opens the directory of a running or stopped hub without writing to
	// it; several may do so beside the one hub that writes.
	ReadOnly bool
	// Unsafe never waits for the disk, so a power cut may lose or damage
	// everything. It is for simulation and tests only.
	Unsafe bool
	// Rand is where salts come from; nil: crypto/rand. A seeded simulation gives
	// its own, so that digests repeat.
	Rand io.Reader
}

// Store is a journal and a book in one directory.
type Store struct {
	dir     string
	mu      sync.Mutex // held while closing
	lock    *os.File   // nil for a reader
	journal *Journal
	book    *Book
	leases  *leases
}

// Open opens the store in dir, making directory (0700), files (0600) and tables
// where they are missing. A second hub that wants to write is refused, and so is a
// directory a newer crossdock has written.
func Open(dir string, o Options) (_ *Store, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	s := &Store{dir: dir, leases: &leases{last: map[string]store.Lease{}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if err := s.enter(o); err != nil {
		return nil, err
	}
	h := &health{dir: dir}
	journal, err := openFile(h, filepath.Join(dir, journalFile), journalSteps, o)
	if err != nil {
		return nil, err
	}
	s.journal = newJournal(journal, s.leases, o.Rand)
	book, err := openFile(h, filepath.Join(dir, bookFile), bookSteps, o)
	if err != nil {
		return nil, err
	}
	s.book = &Book{file: book, leases: s.leases}
	return s, s.journal.count(context.Background())
}

// The files of a store.
const (
	journalFile = "journal.db"
	bookFile    = "book.db"
	lockFile    = "lock"
)

// enter makes the directory ready and, for who writes, takes its lock.
func (s *Store) enter(o Options) error {
	if o.ReadOnly {
		if _, err := os.Stat(filepath.Join(s.dir, journalFile)); err != nil {
			return crossdock.Errorf(crossdock.Invalid, "there is no hub in %s to read: %w", s.dir, err)
		}
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the store: %w", full(err))
	}
	is, err := os.Stat(s.dir)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if is.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(s.dir, 0o700); err != nil {
			return fmt.Errorf("the directory of the store is open to others; run chmod 700 %s: %w", s.dir, err)
		}
	}
	if s.lock, err = take(filepath.Join(s.dir, lockFile)); err != nil {
		return err
	}
	return makeFiles(s.dir, journalFile, bookFile)
}

// makeFiles makes files that are missing, empty and for their owner only: SQLite
// gives its -wal and -shm files the rights of the database. An existing one is not
// opened, because closing it would drop the locks SQLite holds on it in this process.
func makeFiles(dir string, names ...string) error {
	made := false
	for _, name := range names {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return fmt.Errorf("make the files of the store: %w", full(err))
		}
		made = true
	}
	if !made {
		return nil
	}
	for _, d := range []string{dir, filepath.Dir(dir)} { // the names have to outlast a power cut too
		if err := flush(d); err != nil {
			return fmt.Errorf("make the files of the store: %w", err)
		}
	}
	return nil
}

func flush(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Dir returns the directory of the store.
func (s *Store) Dir() string { return s.dir }

// Journal implements store.Store.
func (s *Store) Journal() store.Journal { return s.journal }

// Book implements store.Store. The value is a *Book.
func (s *Store) Book() store.Book { return s.book }

// Leases implements store.Store. They are those of this process.
func (s *Store) Leases() store.Leases { return s.leases }

// Close ends all connections, after what is being written is on disk, and frees
// the directory. A second Close does nothing. What is called after it fails.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	if s.journal != nil {
		all = append(all, s.journal.file.close())
	}
	if s.book != nil {
		all = append(all, s.book.file.close())
	}
	if s.lock != nil {
		all = append(all, release(s.lock))
		s.lock = nil
	}
	return errors.Join(all...)
}

var _ store.Store = (*Store)(nil)
