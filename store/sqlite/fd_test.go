package sqlite_test

import (
	"strconv"
	"syscall"
	"testing"
)

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func duplicate(t *testing.T, fd int) int {
	t.Helper()
	n, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// place makes the number at mean the file of.
func place(t *testing.T, of, at int) {
	t.Helper()
	if err := syscall.Dup3(of, at, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
}

func drop(t *testing.T, fd int) {
	t.Helper()
	if err := syscall.Close(fd); err != nil {
		t.Fatal(err)
	}
}
