package storetest

import (
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// EmptyLog moves the log of a SQLite file, of which a store may have connections
// open, into the file and returns the log's path.
func EmptyLog(t testing.TB, file string) string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err == nil {
		_, err = db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
		t.Cleanup(func() { _ = db.Close() }) // not now: the last one that closes a log removes it
	}
	if err != nil {
		t.Fatal(err)
	}
	return file + "-wal"
}

// PutDevice makes every write to a file that this process has open go to a device
// (Linux only): /dev/full has no room, /dev/null takes everything and refuses
// fsync. It returns how to put the file back. Reads go to the device as well, so
// what the store needs must not be in the file: for SQLite's log, see EmptyLog.
func PutDevice(t testing.TB, device, file string) (restore func()) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := os.OpenFile(device, os.O_RDWR, 0)
	must(err)
	defer func() { must(d.Close()) }()
	file, err = filepath.EvalSymlinks(file)
	must(err)
	dir, err := os.Open("/proc/self/fd")
	must(err)
	names, err := dir.Readdirnames(-1)
	must(err)
	must(dir.Close())
	var open []int // found first: a copy made below may get the number of what was listed and closed
	for _, name := range names {
		if to, err := os.Readlink("/proc/self/fd/" + name); err == nil && to == file {
			fd, err := strconv.Atoi(name)
			must(err)
			open = append(open, fd)
		}
	}
	kept := map[int]int{}
	for _, fd := range open {
		kept[fd], err = syscall.Dup(fd)
		must(err)
		must(syscall.Dup3(int(d.Fd()), fd, syscall.O_CLOEXEC))
	}
	if len(kept) == 0 {
		t.Fatalf("%s is not open", file)
	}
	return func() {
		t.Helper()
		for fd, copied := range kept {
			must(syscall.Dup3(copied, fd, syscall.O_CLOEXEC))
			must(syscall.Close(copied))
		}
		kept = nil
	}
}
