package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

// loadAtOnce is how many keys one statement looks up. The driver compares every
// parameter with every other, so more at once is not faster.
const loadAtOnce = 64

var loadText = "SELECT key, body FROM row WHERE tab = ? AND key IN (?" + strings.Repeat(", ?", loadAtOnce-1) + ")"

// Load implements store.Book. The rows are of one moment.
func (b *Book) Load(ctx context.Context, at []core.Address) ([]core.Row, error) {
	out := make([]core.Row, len(at))
	if len(at) == 0 {
		return out, nil
	}
	where := map[core.Address][]int{} // one address may be asked for twice
	keys := map[core.Table][]string{}
	for i, a := range at {
		if where[a] == nil {
			keys[a.Table] = append(keys[a.Table], a.Key)
		}
		where[a] = append(where[a], i)
	}
	// Made ready before a connection is taken: to wait for a second one while
	// holding one could last for ever.
	if _, err := b.file.read(ctx, loadText); err != nil { //nolint:sqlclosecheck // it is kept until close
		return nil, fmt.Errorf("read %s: %w", b.file.path, err)
	}
	tx, err := b.file.readers.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.file.path, err)
	}
	defer tx.Rollback()
	for _, table := range core.Tables {
		of := keys[table]
		for len(of) > 0 {
			n := min(loadAtOnce, len(of))
			err := b.load(ctx, tx, table, of[:n], func(key string, row core.Row) {
				for _, i := range where[core.Address{Table: table, Key: key}] {
					out[i] = row
				}
			})
			if err != nil {
				return nil, err
			}
			of = of[n:]
		}
	}
	return out, nil
}

// load reads up to loadAtOnce rows of one table.
func (b *Book) load(ctx context.Context, tx *sql.Tx, table core.Table, keys []string, each func(string, core.Row)) error {
	args := make([]any, loadAtOnce+1)
	args[0] = string(table)
	for i := range loadAtOnce {
		args[i+1] = keys[min(i, len(keys)-1)]
	}
	var key string
	var body sql.RawBytes
	return b.file.query(ctx, tx, func(r *sql.Rows) error {
		if err := r.Scan(&key, &body); err != nil {
			return err
		}
		row, err := store.ReadRow(table, body)
		if err != nil {
			return fmt.Errorf("key %s: %w", key, err)
		}
		each(key, row)
		return nil
	}, loadText, args...)
}

// rows reads the bodies a statement returns as rows of one table.
func rows[R core.Row](ctx context.Context, b *Book, table core.Table, text string, args ...any) ([]R, error) {
	var out []R
	var body sql.RawBytes
	err := b.file.query(ctx, nil, func(r *sql.Rows) error {
		if err := r.Scan(&body); err != nil {
			return err
		}
		row, err := store.ReadRow(table, body)
		if err != nil {
			return err
		}
		out = append(out, row.(R)) //nolint:errcheck // NewRow makes one type for each table
		return nil
	}, text, args...)
	return out, err
}

// Due implements store.Book.
func (b *Book) Due(ctx context.Context, system crossdock.System, now time.Time, limit int) ([]*core.Want, error) {
	var out []*core.Want
	for rank := 0; rank <= written.LastRank() && len(out) < limit; rank++ {
		some, err := rows[*core.Want](ctx, b, core.Wants,
			"SELECT body FROM row WHERE system = ? AND rank = ? AND due <= ? ORDER BY due, key LIMIT ?",
			string(system), rank, written.Time(now), limit-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// Timers implements store.Book.
func (b *Book) Timers(ctx context.Context, now time.Time, limit int) ([]*core.Timer, error) {
	return rows[*core.Timer](ctx, b, core.Timers,
		"SELECT body FROM row WHERE tab = 'timer' AND due <= ? ORDER BY due, key LIMIT ?", written.Time(now), atLeast0(limit))
}

// Next implements store.Book.
func (b *Book) Next(ctx context.Context) (next time.Time, err error) {
	err = b.file.query(ctx, nil, func(r *sql.Rows) error {
		var due sql.NullString
		if err := r.Scan(&due); err != nil || !due.Valid {
			return err
		}
		at, err := written.ReadTime(due.String)
		if at.IsZero() {
			at = at.Add(1) // due since ever; zero would say that nothing is
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
		return err
	}, "SELECT min(due) FROM row WHERE tab = 'want' AND due IS NOT NULL UNION ALL SELECT min(due) FROM row WHERE tab = 'timer' AND due IS NOT NULL")
	return next, err
}

// Scan implements store.Book.
func (b *Book) Scan(ctx context.Context, t core.Table, prefix, after string, limit int) ([]core.Row, error) {
	text, args := "SELECT body FROM row WHERE tab = ? AND key >= ? AND key > ?", []any{string(t), prefix, after}
	if end := written.Above(prefix); end != "" {
		text, args = text+" AND key < ?", append(args, end)
	}
	return rows[core.Row](ctx, b, t, text+" ORDER BY key LIMIT ?", append(args, atLeast0(limit))...)
}

// Exceptions implements store.Book.
func (b *Book) Exceptions(ctx context.Context, all bool, after *core.Exception, limit int) ([]*core.Exception, error) {
	which, args := "open = 1", []any{}
	if all {
		which = "opened IS NOT NULL"
	}
	if after != nil {
		which += " AND (opened, key) > (?, ?)"
		args = append(args, written.Time(after.Opened), after.Address().Key)
	}
	return rows[*core.Exception](ctx, b, core.Exceptions,
		"SELECT body FROM row WHERE "+which+" AND opened IS NOT NULL ORDER BY opened, key LIMIT ?", append(args, atLeast0(limit))...)
}

const takenColumns = "seq, at, lane, arrival, part, kind, refs, effect, digest, chain"

// Trace implements store.Book.
func (b *Book) Trace(ctx context.Context, of crossdock.Ref, limit int) ([]store.Taken, error) {
	return b.taken(ctx, "SELECT "+takenColumns+" FROM entry_ref JOIN entry USING (seq) WHERE ref = ? ORDER BY seq LIMIT ?", of.String(), atLeast0(limit))
}

// Entries implements store.Book.
func (b *Book) Entries(ctx context.Context, after int64, limit int) ([]store.Taken, error) {
	return b.taken(ctx, "SELECT "+takenColumns+" FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", after, atLeast0(limit))
}

func (b *Book) taken(ctx context.Context, text string, args ...any) ([]store.Taken, error) {
	var out []store.Taken
	err := b.file.query(ctx, nil, func(r *sql.Rows) error {
		var t store.Taken
		var at string
		var refs []byte
		err := r.Scan(&t.Seq, &at, &t.Lane, &t.Arrival, &t.Part, &t.Kind, &refs, &t.Effect, &t.Digest, &t.Chain)
		if err != nil {
			return err
		}
		if err := written.ReadTaken(&t, at, refs); err != nil {
			return err
		}
		out = append(out, t)
		return nil
	}, text, args...)
	return out, err
}

// Count implements store.Book.
func (b *Book) Count(ctx context.Context, t core.Table) (n int64, err error) {
	err = b.file.query(ctx, nil, func(r *sql.Rows) error { return r.Scan(&n) }, "SELECT count(*) FROM row WHERE tab = ?", string(t))
	return n, err
}
