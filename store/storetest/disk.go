package storetest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// PutDevice makes every write to a file that this process has open go to a device
// (Linux only): /dev/full has no room, /dev/null takes everything and refuses
// fsync. It returns how to put the file back. Reads go to the device as well, so
// what the store needs must not be in the file: for SQLite's log, open the store
// anew before.
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
	kept := map[int]int{}
	for _, name := range names {
		if to, err := os.Readlink("/proc/self/fd/" + name); err != nil || to != file {
			continue
		}
		fd := 0
		for _, digit := range name {
			fd = fd*10 + int(digit-'0')
		}
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
