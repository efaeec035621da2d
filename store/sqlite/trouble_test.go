package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	d := storetest.Begin(t, s.Book())
	d.Commit(1, nil)
	mustFile(t, s, 1)
	for _, book := range []bool{false, true} {
		if err := s.Pragma(book, "max_page_count = 20"); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	filed := int64(1)
	for i := uint64(2); i < 1000 && err == nil; i++ {
		if _, err = fileOne(t, s, i); err == nil {
			filed++
		}
	}
	if !errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrBroken) {
		t.Fatalf("filing into a full file: %v", err)
	}
	says(t, err, filepath.Join(dir, "journal.db"))
	if err := s.Book().Commit(t.Context(), d.Next(1, storetest.Thousand(0))); !errors.Is(err, store.ErrFull) {
		t.Fatalf("committing to a full file: %v", err)
	}
	if p, err := s.Book().Position(t.Context()); err != nil || !p.Equal(d.At) {
		t.Errorf("the position moved to %+v: %v", p, err)
	}
	for _, book := range []bool{false, true} {
		if err := s.Pragma(book, "max_page_count = 1000000"); err != nil {
			t.Fatal(err)
		}
	}
	a := mustFile(t, s, 1000)
	if a.Number != filed+1 {
		t.Errorf("the number after a full disk is %d, want %d", a.Number, filed+1)
	}
	d.Commit(1, storetest.Thousand(0))
}

// replaceLog puts the device at path in the place of the journal's open log, and
// returns how to put the log back.
func replaceLog(t *testing.T, dir, path string) (restore func()) {
	t.Helper()
	device, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	log := filepath.Join(dir, "journal.db-wal")
	kept := map[int]int{}
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != log {
			continue
		}
		fd := number(t, e.Name())
		kept[fd] = duplicate(t, fd)
		place(t, int(device.Fd()), fd)
	}
	if len(kept) == 0 {
		t.Fatalf("%s is not open", log)
	}
	return func() {
		for fd, copied := range kept {
			place(t, copied, fd)
			drop(t, copied)
		}
		kept = nil
	}
}

// emptyLog moves everything into the file, so that nothing has to be read from the log.
func emptyLog(t *testing.T, s *sqlite.Store) {
	t.Helper()
	if _, _, err := s.Checkpoint("TRUNCATE"); err != nil {
		t.Fatal(err)
	}
}

func TestNoSpaceLeftOnDevice(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	mustFile(t, s, 1)
	emptyLog(t, s)
	restore := replaceLog(t, dir, "/dev/full") // every write to it ends in ENOSPC
	for range 3 {
		if _, err := fileOne(t, s, 2); !errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrBroken) {
			t.Errorf("filing without space: %v", err)
		}
	}
	restore()
	if a := mustFile(t, s, 3); a.Number != 2 {
		t.Errorf("the number once there is space again is %d, want 2", a.Number)
	}
}

func TestFailedFlushEndsWriting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	mustFile(t, s, 1)
	d := storetest.Begin(t, s.Book())
	emptyLog(t, s)
	restore := replaceLog(t, dir, "/dev/null") // takes every write and refuses fsync
	if _, err := fileOne(t, s, 2); !errors.Is(err, store.ErrBroken) || errors.Is(err, store.ErrFull) {
		t.Fatalf("filing with a failing fsync: %v", err)
	} else {
		says(t, err, "(1034)") // SQLITE_IOERR_FSYNC
	}
	restore()
	if _, err := fileOne(t, s, 3); !errors.Is(err, store.ErrBroken) {
		t.Errorf("filing after a failed fsync: %v", err)
	}
	if err := s.Book().Commit(t.Context(), d.Next(1, nil)); !errors.Is(err, store.ErrBroken) {
		t.Errorf("committing after a failed fsync of the journal: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, sqlite.Options{}) // what starting again does
	if n, err := s.Journal().Last(t.Context(), crossdock.Normal); err != nil || n != 1 {
		t.Errorf("after a restart the lane ends at %d: %v", n, err)
	}
	mustFile(t, s, 4)
}

func TestDamagedFileEndsWriting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	for i := range uint64(200) {
		mustFile(t, s, i)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8 * 4096; i < len(b); i++ {
		b[i] = 0xa5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged, err := sqlite.Open(dir, sqlite.Options{})
	if err == nil {
		defer damaged.Close()
		_, err = fileOne(t, damaged, 1)
	}
	if err == nil || (damaged != nil && !errors.Is(err, store.ErrBroken)) {
		t.Fatalf("a damaged journal: %v", err)
	}
	says(t, err, path)
}

func TestWhatResultCodesMean(t *testing.T) {
	dir := t.TempDir()
	for code, want := range map[int]error{
		sqlite3.SQLITE_FULL:            store.ErrFull,
		sqlite3.SQLITE_IOERR_FSYNC:     store.ErrBroken,
		sqlite3.SQLITE_IOERR_DIR_FSYNC: store.ErrBroken,
		sqlite3.SQLITE_IOERR_WRITE:     store.ErrBroken, // the disk of the test has room
		sqlite3.SQLITE_IOERR_READ:      store.ErrBroken,
		sqlite3.SQLITE_CORRUPT:         store.ErrBroken,
		sqlite3.SQLITE_CORRUPT_INDEX:   store.ErrBroken,
		sqlite3.SQLITE_NOTADB:          store.ErrBroken,
		sqlite3.SQLITE_BUSY:            nil,
		sqlite3.SQLITE_IOERR_NOMEM:     nil,
		sqlite3.SQLITE_CONSTRAINT:      nil,
	} {
		if got := sqlite.Verdict(code, dir); !errors.Is(got, want) {
			t.Errorf("code %d means %v, want %v", code, got, want)
		}
	}
}

func TestChangedEntryBreaksTheChain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	d := storetest.Begin(t, s.Book())
	for range 30 {
		d.Commit(100, nil)
	}
	book := s.Book().(*sqlite.Book)
	for _, from := range []int64{0, 1, 2, 1500, 3000, 9999} {
		if err := book.VerifyChain(t.Context(), from); err != nil {
			t.Error(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE entry SET arrival = arrival + 1 WHERE seq = 2345"); err != nil {
		t.Fatal(err)
	}
	says(t, book.VerifyChain(t.Context(), 0), "2345", "book.db")
	if err := book.VerifyChain(t.Context(), 2346); err != nil {
		t.Errorf("after the entry: %v", err)
	}
	if _, err := db.Exec("DELETE FROM entry WHERE seq = 100"); err != nil {
		t.Fatal(err)
	}
	says(t, book.VerifyChain(t.Context(), 0), "entry 101")
}

func TestChangedArrivalIsFound(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	for i := range uint64(20) {
		mustFile(t, s, i)
	}
	j := s.Journal().(*sqlite.Journal)
	if done, err := j.VerifyDigests(t.Context(), crossdock.Normal, 0, 15); err != nil || done != 15 {
		t.Fatal(done, err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE arrival SET head = replace(head, 'shop', 'shoq') WHERE number = 17`); err != nil {
		t.Fatal(err)
	}
	done, err := j.VerifyDigests(t.Context(), crossdock.Normal, 15, 15)
	says(t, err, "arrival 17", "journal.db")
	if done != 16 {
		t.Errorf("it got to %d", done)
	}
}

func TestLongLogIsMovedIntoTheFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{Unsafe: true})
	most, random := 0, rand.NewChaCha8([32]byte{})
	body := make([]byte, 40_000)
	for range 300 {
		if _, err := random.Read(body); err != nil { // it does not compress
			t.Fatal(err)
		}
		a := &store.Arrival{Lane: crossdock.Bulk, Body: crossdock.Message{Body: body}}
		if err := s.Journal().File(t.Context(), store.Filing{Arrivals: []*store.Arrival{a}}); err != nil {
			t.Fatal(err)
		}
		pages, moved, err := s.Checkpoint("NOOP")
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, pages-moved)
	}
	if most == 0 || most > 1100 {
		t.Errorf("the log held up to %d pages that were not in the file", most)
	}
	log, err := os.Stat(filepath.Join(dir, "journal.db-wal"))
	if err != nil || log.Size() > 16<<20 {
		t.Errorf("the log grew to %d bytes: %v", log.Size(), err)
	}
}

func TestContextThatEndsWhileReading(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Book().Load(ctx, []core.Address{core.SetupAt}); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v", err)
	}
	if _, err := s.Journal().Read(ctx, crossdock.Normal, 0, 1); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "journal.db") {
		t.Errorf("read: %v", err)
	}
}
