package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/crossdockhq/crossdock"
)

const (
	readersAtMost = 4
	busyFor       = 10_000 // milliseconds to wait for a lock; only a backup or a shell holds one
	walPages      = 1_000  // a checkpoint is due when the log holds so many pages (4 KB) not yet in the file
)

// file is one database file: connections that read and one that writes.
type file struct {
	path    string
	health  *health
	readers *sql.DB

	mu     sync.Mutex // held while writing and closing
	writer *writer    // nil: opened for reading only, or closed
	closed bool
	reads  sync.Map // SQL text → *sql.Stmt
}

// writer is the connection that writes, for use under file.mu.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	ready map[string]*sql.Stmt
}

// openFile opens the file at path and brings its tables up to date.
func openFile(h *health, path string, all []string, o Options) (_ *file, err error) {
	ctx := context.Background()
	f := &file{path: path, health: h}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.readers, err = connect(path, "ro", "query_only(1)", "cache_size(-16384)"); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f.readers.SetMaxOpenConns(readersAtMost)
	f.readers.SetMaxIdleConns(readersAtMost)
	if o.ReadOnly {
		return f, f.check(ctx, len(all))
	}
	level := "synchronous(FULL)"
	if o.Unsafe {
		level = "synchronous(OFF)"
	}
	// Checkpoints are run by write, which sees when they fail; SQLite's own would
	// hide a failed fsync.
	db, err := connect(path, "rw", "journal_mode(WAL)", level, "cache_size(-65536)", "wal_autocheckpoint(0)", "journal_size_limit(67108864)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f.writer = &writer{db: db, ready: map[string]*sql.Stmt{}}
	if f.writer.conn, err = db.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, h.judge(err))
	}
	return f, f.migrate(ctx, all)
}

func connect(path, mode string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyFor)}, pragmas...)}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return sql.Open("sqlite", u.String())
}

// write runs do in one transaction. When it returns nil, all of it is on disk;
// otherwise nothing is, except after ErrBroken, when nobody knows.
func (f *file) write(do func(*writer) error) error { return f.writeThen(do, func() {}) }

// writeThen is write, with what has to happen before the next transaction begins.
func (f *file) writeThen(do func(*writer) error, then func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.writable(); err != nil {
		return err
	}
	if err := f.health.ill(); err != nil {
		return err
	}
	if err := f.transact(do); err != nil {
		return f.health.judge(err)
	}
	then()
	return nil
}

func (f *file) writable() error {
	switch {
	case f.closed:
		return crossdock.Errorf(crossdock.Unavailable, "%s is closed", f.path)
	case f.writer == nil:
		return crossdock.Errorf(crossdock.Internal, "%s was opened for reading only", f.path)
	}
	return nil
}

// transact never gives its statements a context that can end: a write that has
// begun is told truthfully.
func (f *file) transact(do func(*writer) error) error {
	w := f.writer
	if err := w.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do(w)
	if err == nil {
		err = w.run("COMMIT")
	}
	if err != nil {
		_ = w.run("ROLLBACK") // fails where SQLite has rolled back by itself, and then it is done
	}
	return err
}

// tend moves what the log holds into the file when there is enough of it. Who
// calls it has told everybody that their writes are on disk, so its error concerns
// later writes only: a full disk is tried again, anything worse marks the store.
func (f *file) tend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writable() != nil || f.health.ill() != nil {
		return
	}
	pages, moved, err := f.writer.checkpoint("NOOP")
	if err == nil && pages-moved >= walPages {
		_, _, err = f.writer.checkpoint("PASSIVE")
	}
	_ = f.health.judge(err)
}

// checkpoint returns how many pages the log holds and how many of them the file
// has. Mode NOOP only asks.
func (w *writer) checkpoint(mode string) (pages, moved int, err error) {
	s, err := w.prepare("PRAGMA wal_checkpoint(" + mode + ")") //nolint:sqlclosecheck // it is kept until close
	if err != nil {
		return 0, 0, err
	}
	var busy int
	err = s.QueryRowContext(context.Background()).Scan(&busy, &pages, &moved)
	return pages, moved, err
}

// prepare returns a statement of the connection, made once.
func (w *writer) prepare(text string) (*sql.Stmt, error) {
	if s := w.ready[text]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	w.ready[text] = s
	return s, nil
}

// run runs a statement.
func (w *writer) run(text string, args ...any) error {
	s, err := w.prepare(text) //nolint:sqlclosecheck // it is kept until close
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), args...)
	return err
}

// get reads one row inside the transaction.
func (w *writer) get(text string, args []any, into ...any) error {
	s, err := w.prepare(text) //nolint:sqlclosecheck // it is kept until close
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background(), args...).Scan(into...)
}

// query reads rows with a statement prepared once, calling each for every row.
// in is a transaction of the readers, nil for none.
func (f *file) query(ctx context.Context, in *sql.Tx, each func(*sql.Rows) error, text string, args ...any) error {
	s, err := f.read(ctx, text)
	if err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	if in != nil {
		s = in.StmtContext(ctx, s) //nolint:sqlclosecheck // it ends with its transaction
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return fmt.Errorf("read %s: %w", f.path, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	return nil
}

// read returns a prepared statement of the readers.
func (f *file) read(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := f.reads.Load(text); ok {
		return s.(*sql.Stmt), nil //nolint:errcheck // nothing else is put in
	}
	s, err := f.readers.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if first, loaded := f.reads.LoadOrStore(text, s); loaded {
		return first.(*sql.Stmt), s.Close() //nolint:errcheck,sqlclosecheck // nothing else is put in; two came at once
	}
	return s, nil
}

// close ends the connections, the one that writes last, with the log moved into
// the file. A second close does nothing.
func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	var all []error
	if f.readers != nil {
		all = append(all, f.readers.Close())
	}
	if w := f.writer; w != nil {
		if w.conn != nil {
			if f.health.ill() == nil {
				_, _, err := w.checkpoint("TRUNCATE")
				all = append(all, f.health.judge(err))
			}
			for _, s := range w.ready {
				all = append(all, s.Close())
			}
			all = append(all, w.conn.Close())
		}
		all = append(all, w.db.Close())
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("close %s: %w", f.path, err)
	}
	return nil
}
