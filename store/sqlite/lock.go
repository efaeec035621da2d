package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/crossdockhq/crossdock"
)

// Lock locks the directory of a hub for this process, in the way Open does, for a hub
// that keeps its store elsewhere. Closing what it returns frees it.
func Lock(dir string) (io.Closer, error) { return take(filepath.Join(dir, lockFile)) }

// take locks the file at path for this process; the lock ends with the process,
// however it ends. The file holds the process number, for the message only.
func take(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the store: %w", full(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := io.ReadAll(io.LimitReader(f, 20)) // without it the message only says less
		if err := errors.Join(err, f.Close()); !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		process := ""
		if pid := strings.TrimSpace(string(who)); pid != "" {
			process = " (process " + pid + ")"
		}
		return nil, crossdock.Errorf(crossdock.Unavailable, "another crossdock%s already works in %s: stop it first, or use another directory", process, filepath.Dir(path))
	}
	pid := strconv.Itoa(os.Getpid()) + "\n"
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(pid), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the store: %w", full(err)), f.Close())
	}
	return f, nil
}

// release gives the lock back. The file stays: removing it would let two hubs lock
// two files of one name.
func release(f *os.File) error { return f.Close() }
