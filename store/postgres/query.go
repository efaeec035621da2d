package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

// Load implements store.Book. One statement reads all, so the rows are of one moment.
func (b *Book) Load(ctx context.Context, at []core.Address) ([]core.Row, error) {
	out := make([]core.Row, len(at))
	if len(at) == 0 {
		return out, nil
	}
	where := make(map[core.Address][]int, len(at)) // one address may be asked for twice
	tabs, keys := make([]string, 0, len(at)), make([][]byte, 0, len(at))
	for i, a := range at {
		if where[a] == nil {
			tabs, keys = append(tabs, string(a.Table)), append(keys, []byte(a.Key))
		}
		where[a] = append(where[a], i)
	}
	err := b.s.query(ctx, func(r pgx.Rows) error {
		var tab string
		var key, body []byte
		if err := r.Scan(&tab, (*pgtype.DriverBytes)(&key), (*pgtype.DriverBytes)(&body)); err != nil {
			return err
		}
		a := core.Address{Table: core.Table(tab), Key: string(key)}
		row, err := store.ReadRow(a.Table, body)
		if err != nil {
			return fmt.Errorf("key %s: %w", key, err)
		}
		for _, i := range where[a] {
			out[i] = row
		}
		return nil
	}, "SELECT tab, key, body FROM unnest($1::text[], $2::bytea[]) AS asked (tab, key) JOIN row USING (tab, key)", tabs, keys)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// rows reads the bodies a statement returns as rows of one table.
func rows[R core.Row](ctx context.Context, b *Book, table core.Table, text string, args ...any) ([]R, error) {
	var out []R
	err := b.s.query(ctx, func(r pgx.Rows) error {
		var body []byte
		if err := r.Scan((*pgtype.DriverBytes)(&body)); err != nil {
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

// Due implements store.Book. Each rank is read by itself, in the order of its index.
func (b *Book) Due(ctx context.Context, system crossdock.System, now time.Time, limit int) ([]*core.Want, error) {
	return rows[*core.Want](ctx, b, core.Wants, `SELECT waiting.body FROM generate_series(0, $2::integer) AS ranks (n) CROSS JOIN LATERAL (
			SELECT rank, due, key, body FROM row WHERE system = $1 AND rank = n AND due <= $3 ORDER BY due, key LIMIT $4) AS waiting
		ORDER BY waiting.rank, waiting.due, waiting.key LIMIT $4`, string(system), written.LastRank(), written.Time(now), atLeast0(limit))
}

// Timers implements store.Book.
func (b *Book) Timers(ctx context.Context, now time.Time, limit int) ([]*core.Timer, error) {
	return rows[*core.Timer](ctx, b, core.Timers,
		"SELECT body FROM row WHERE tab = 'timer' AND due <= $1 ORDER BY due, key LIMIT $2", written.Time(now), atLeast0(limit))
}

// Next implements store.Book.
func (b *Book) Next(ctx context.Context) (next time.Time, err error) {
	err = b.s.query(ctx, func(r pgx.Rows) error {
		var due *string
		if err := r.Scan(&due); err != nil || due == nil {
			return err
		}
		at, err := written.ReadTime(*due)
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
	text, args := "SELECT body FROM row WHERE tab = $1 AND key >= $2 AND key > $3", []any{string(t), []byte(prefix), []byte(after), atLeast0(limit)}
	if end := written.Above(prefix); end != "" {
		text, args = text+" AND key < $5", append(args, []byte(end))
	}
	return rows[core.Row](ctx, b, t, text+" ORDER BY key LIMIT $4", args...)
}

// Exceptions implements store.Book.
func (b *Book) Exceptions(ctx context.Context, all bool, after *core.Exception, limit int) ([]*core.Exception, error) {
	which, args := "open", []any{atLeast0(limit)}
	if all {
		which = "opened IS NOT NULL"
	}
	if after != nil {
		which += " AND (opened, key) > ($2, $3)"
		args = append(args, written.Time(after.Opened), []byte(after.Address().Key))
	}
	return rows[*core.Exception](ctx, b, core.Exceptions, "SELECT body FROM row WHERE "+which+" ORDER BY opened, key LIMIT $1", args...)
}

const takenColumns = "seq, at, lane, arrival, part, kind, refs, effect, digest, chain"

// Trace implements store.Book.
func (b *Book) Trace(ctx context.Context, of crossdock.Ref, limit int) ([]store.Taken, error) {
	return b.taken(ctx, "SELECT "+takenColumns+" FROM entry_ref JOIN entry USING (seq) WHERE ref = $1 ORDER BY seq LIMIT $2", []byte(of.String()), atLeast0(limit))
}

// Entries implements store.Book.
func (b *Book) Entries(ctx context.Context, after int64, limit int) ([]store.Taken, error) {
	return b.taken(ctx, "SELECT "+takenColumns+" FROM entry WHERE seq > $1 ORDER BY seq LIMIT $2", after, atLeast0(limit))
}

func (b *Book) taken(ctx context.Context, text string, args ...any) ([]store.Taken, error) {
	var out []store.Taken
	err := b.s.query(ctx, func(r pgx.Rows) error {
		var t store.Taken
		var at, lane string
		var refs, effect []byte
		err := r.Scan(&t.Seq, &at, &lane, &t.Arrival, &t.Part, &t.Kind, &refs, &effect, &t.Digest, &t.Chain)
		if err != nil {
			return err
		}
		t.Lane, t.Effect = crossdock.Lane(lane), string(effect)
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
	err = b.s.query(ctx, func(r pgx.Rows) error { return r.Scan(&n) }, "SELECT count(*) FROM row WHERE tab = $1", string(t))
	return n, err
}
