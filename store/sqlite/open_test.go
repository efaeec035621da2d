package sqlite_test

import (
	"database/sql"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

func fileOne(t testing.TB, s *sqlite.Store, seed uint64) (*store.Arrival, error) {
	t.Helper()
	a := &store.Arrival{Lane: crossdock.Normal, At: time.Unix(1, 0), Body: storetest.Message(seed)}
	return a, s.Journal().File(t.Context(), store.Filing{Arrivals: []*store.Arrival{a}})
}

func mustFile(t testing.TB, s *sqlite.Store, seed uint64) *store.Arrival {
	t.Helper()
	a, err := fileOne(t, s, seed)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func TestSecondHubIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlite.Options{})
	_, err := sqlite.Open(dir, sqlite.Options{})
	says(t, err, dir, "another crossdock")
	if crossdock.CodeOf(err) != crossdock.Unavailable {
		t.Errorf("its code is %q", crossdock.CodeOf(err))
	}
	mustFile(t, s, 1) // the first is not disturbed
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, sqlite.Options{})
}

func TestOnlyTheOwnerMayRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "hub")
	s := open(t, dir, sqlite.Options{})
	mustFile(t, s, 1)
	storetest.Begin(t, s.Book()).Commit(1, nil)
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		is, err := d.Info()
		if err == nil && is.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, is.Mode())
		}
		seen++
		return err
	})
	if err != nil || seen < 8 { // the directory, lock, and two files with -wal and -shm
		t.Fatalf("%d names seen: %v", seen, err)
	}
	wide := t.TempDir()
	if err := os.Chmod(wide, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, wide, sqlite.Options{})
	if is, err := os.Stat(wide); err != nil || is.Mode().Perm() != 0o700 {
		t.Errorf("a directory that was open to others is %v now: %v", is.Mode(), err)
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	_, err := sqlite.Open(dir, sqlite.Options{ReadOnly: true})
	says(t, err, "no hub", dir)
	hub := open(t, dir, sqlite.Options{})
	d := storetest.Begin(t, hub.Book())
	d.Commit(1, storetest.Thousand(0))
	mustFile(t, hub, 1)

	check := func(what string, r *sqlite.Store, arrivals int64) {
		t.Helper()
		n, err := r.Journal().Last(t.Context(), crossdock.Normal)
		if err != nil || n != arrivals {
			t.Errorf("%s: %d arrivals, want %d: %v", what, n, arrivals, err)
		}
		p, err := r.Book().Position(t.Context())
		if err != nil || !p.Equal(d.At) {
			t.Errorf("%s: position %+v, want %+v: %v", what, p, d.At, err)
		}
		_, err = fileOne(t, r, 2)
		says(t, err, "reading only")
		_, err = r.Book().Claim(t.Context())
		says(t, err, "reading only")
	}
	beside := open(t, dir, sqlite.Options{ReadOnly: true})
	check("beside a running hub", beside, 1)
	mustFile(t, hub, 2)
	check("after the hub went on", beside, 2)
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	if err := hub.Close(); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	stopped := open(t, dir, sqlite.Options{ReadOnly: true})
	check("of a stopped hub", stopped, 2)
	open(t, dir, sqlite.Options{}) // a reader doesn't keep a hub from starting
	if len(before) != 3 {
		t.Errorf("a stopped hub leaves %v", before)
	}
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		out = append(out, d.Name())
	}
	return out
}

func TestNewerTablesAreRefused(t *testing.T) {
	for _, version := range []struct {
		n     string
		words string
	}{{"99", "newer crossdock"}, {"0", "start crossdock serve"}} {
		dir := t.TempDir()
		if err := open(t, dir, sqlite.Options{}).Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", filepath.Join(dir, "book.db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("PRAGMA user_version = " + version.n); err != nil {
			t.Fatal(err)
		}
		db.Close()
		_, err = sqlite.Open(dir, sqlite.Options{ReadOnly: true})
		says(t, err, "book.db", "version "+version.n, version.words)
		if version.n == "99" {
			_, err = sqlite.Open(dir, sqlite.Options{})
			says(t, err, "book.db", "version 99", "newer crossdock")
			_, err = sqlite.Open(dir, sqlite.Options{}) // and the lock was given back
			says(t, err, "version 99")
		}
	}
}

func TestSeededSaltsRepeat(t *testing.T) {
	digest := func(seed byte) string {
		s := open(t, t.TempDir(), sqlite.Options{Unsafe: true, Rand: rand.NewChaCha8([32]byte{seed})})
		mustFile(t, s, 1)
		return string(mustFile(t, s, 2).Digest)
	}
	if first, again := digest(1), digest(1); first != again || first == digest(2) {
		t.Error("digests don't follow the seed")
	}
}

func TestDirectoryWithOddName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20é;&=")
	s := open(t, dir, sqlite.Options{})
	mustFile(t, s, 1)
	if got := strings.Join(names(t, dir), " "); !strings.HasPrefix(got, "book.db") || !strings.Contains(got, "journal.db-wal") {
		t.Errorf("the directory holds %s", got)
	}
}
