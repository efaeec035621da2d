package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/crossdockhq/crossdock"
)

// The steps that make the tables, numbered from 0001. A step is never changed once
// it was released: a new one is added. SQLite's user_version counts those done and
// is part of the step's transaction.
//
//go:embed migrations
var migrations embed.FS

var (
	journalSteps = steps("migrations/journal")
	bookSteps    = steps("migrations/book")
)

// steps reads the embedded steps in the order of their names.
func steps(dir string) []string {
	names, err := fs.Glob(migrations, path.Join(dir, "*.sql"))
	if err != nil {
		panic(err) // the pattern is a constant
	}
	out := make([]string, 0, len(names))
	for i, name := range names {
		if base := path.Base(name); base[:4] != fmt.Sprintf("%04d", i+1) {
			panic("migration " + name + " is out of number")
		}
		b, err := fs.ReadFile(migrations, name)
		if err != nil {
			panic(err) // it is in the binary
		}
		out = append(out, string(b))
	}
	return out
}

// version returns how many steps the file has had.
func (f *file) version(ctx context.Context) (n int, err error) {
	if err := f.readers.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n); err != nil {
		return 0, fmt.Errorf("read the version of %s: %w", f.path, err)
	}
	return n, nil
}

// check refuses a file this hub can't read.
func (f *file) check(ctx context.Context, known int) error {
	n, err := f.version(ctx)
	switch {
	case err != nil:
		return err
	case n > known:
		return crossdock.Errorf(crossdock.Invalid, "%s has version %d of its tables and this crossdock knows up to %d: run the newer crossdock that wrote it", f.path, n, known)
	case n < known:
		return crossdock.Errorf(crossdock.Invalid, "%s has version %d of its tables and this crossdock reads version %d: start crossdock serve once, it brings the tables up to date", f.path, n, known)
	}
	return nil
}

// migrate does the steps that are missing, each in one transaction with its number.
func (f *file) migrate(ctx context.Context, all []string) error {
	n, err := f.version(ctx)
	if err != nil {
		return err
	}
	for ; n < len(all); n++ {
		err := f.write(func(w *writer) error {
			for _, text := range []string{all[n], fmt.Sprintf("PRAGMA user_version = %d", n+1)} {
				if _, err := w.conn.ExecContext(ctx, text); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("step %d of the tables of %s: %w", n+1, f.path, err)
		}
	}
	return f.check(ctx, len(all))
}
