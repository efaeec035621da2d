package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

// Book implements store.Book.
type Book struct{ s *Store }

var _ store.Book = (*Book)(nil)

const positionColumns = "epoch, seq, at, lanes"

func readPosition(r pgx.Row, more ...any) (p store.Position, err error) {
	var at string
	var lanes []byte
	if err := r.Scan(append([]any{&p.Epoch, &p.Seq, &at, &lanes}, more...)...); err != nil {
		return p, err
	}
	return p, written.ReadPosition(&p, at, lanes)
}

// Position implements store.Book.
func (b *Book) Position(ctx context.Context) (p store.Position, err error) {
	err = b.s.query(ctx, func(r pgx.Rows) (err error) {
		p, err = readPosition(r)
		return err
	}, "SELECT "+positionColumns+" FROM position")
	return p, err
}

// Claim implements store.Book.
func (b *Book) Claim(ctx context.Context) (p store.Position, err error) {
	err = b.s.write(ctx, func(c *pgx.Conn) (err error) {
		p, err = readPosition(c.QueryRow(ctx, "UPDATE position SET epoch = epoch + 1 RETURNING "+positionColumns))
		return err
	})
	if err != nil {
		return store.Position{}, fmt.Errorf("claim %s: %w", b.s.place, err)
	}
	return p, nil
}

// Incarnation implements store.Book.
func (b *Book) Incarnation(ctx context.Context) (n int64, err error) {
	err = b.s.query(ctx, func(r pgx.Rows) error { return r.Scan(&n) }, "SELECT incarnation FROM position")
	return n, err
}

// Reincarnate implements store.Book. Leases of the life before are over too.
func (b *Book) Reincarnate(ctx context.Context) (n int64, err error) {
	err = b.s.write(ctx, func(c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE lease SET until = '-infinity'"); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "UPDATE position SET incarnation = incarnation + 1, epoch = epoch + 1 RETURNING incarnation").Scan(&n)
		})
	})
	if err != nil {
		return 0, fmt.Errorf("begin a new life of %s: %w", b.s.place, err)
	}
	return n, nil
}

// Commit implements store.Book. A context that ends before the transaction has
// begun leaves nothing; after that the call returns what came of it.
func (b *Book) Commit(ctx context.Context, c store.Commit) error {
	err := ctx.Err()
	if err == nil {
		err = c.Validate()
	}
	w := &commit{Commit: c, token: []byte(rand.Text())}
	if err == nil {
		w.changes, err = written.Changes(c.Changes)
	}
	if err == nil {
		err = b.commit(w)
	}
	if err != nil {
		return fmt.Errorf("commit to %s: %w", b.s.place, err)
	}
	b.s.tell()
	return nil
}

// commit is a store.Commit on its way.
type commit struct {
	store.Commit
	changes []written.Change
	token   []byte // of its own; the position keeps that of the last commit
	before  []byte // the token of the commit before
	last    []byte // chain of its last entry; nil without entries
}

// commit takes two round trips, and COMMIT goes out with the second, when the row of
// the position is locked: see Journal.commit.
func (b *Book) commit(w *commit) error {
	ctx, cancel := context.WithTimeout(context.Background(), transactionMost)
	defer cancel()
	open := false
	err := b.s.write(ctx, func(c *pgx.Conn) error {
		chain, err := w.lock(ctx, c)
		if err != nil {
			return err
		}
		batch, err := w.batch(chain)
		if err != nil {
			return err
		}
		err = send(ctx, c, batch)
		open = err != nil && !certain(err)
		return err
	})
	if open {
		err = b.s.settle(err, w.find)
	}
	return err
}

// lock begins the transaction, holds its lease still, locks the position, compares
// it, and returns the chain of the last entry.
func (w *commit) lock(ctx context.Context, c *pgx.Conn) (chain []byte, err error) {
	var b pgx.Batch
	var now store.Position
	b.Queue("BEGIN")
	var under []store.Lease
	if w.Under != nil {
		under = append(under, *w.Under)
	}
	held := lock(&b, under)
	b.Queue("SELECT " + positionColumns + ", token FROM position FOR UPDATE").QueryRow(func(r pgx.Row) (err error) {
		now, err = readPosition(r, &w.before)
		return err
	})
	b.Queue("SELECT chain FROM entry ORDER BY seq DESC LIMIT 1").QueryRow(func(r pgx.Row) error {
		err := r.Scan(&chain)
		if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
		return err
	})
	if err := send(ctx, c, &b); err != nil {
		return nil, err
	}
	if err := held(); err != nil {
		return nil, err
	}
	if !now.Equal(w.From) {
		return nil, store.ErrStale
	}
	return chain, nil
}

// batch writes everything and commits.
func (w *commit) batch(chain []byte) (*pgx.Batch, error) {
	var b pgx.Batch
	if err := w.putEntries(&b, chain); err != nil {
		return nil, err
	}
	w.putChanges(&b)
	lanes, err := written.Lanes(w.To)
	if err != nil {
		return nil, err
	}
	b.Queue("UPDATE position SET epoch = $1, seq = $2, at = $3, lanes = $4, token = $5", w.To.Epoch, w.To.Seq, written.Time(w.To.At), lanes, w.token)
	b.Queue("COMMIT")
	return &b, nil
}

// putEntries appends the entries to the chain.
func (w *commit) putEntries(b *pgx.Batch, chain []byte) error {
	n := len(w.Entries)
	if n == 0 {
		return nil
	}
	seq, arrival, part := make([]int64, n), make([]int64, n), make([]int32, n)
	at, lane, kind := make([]string, n), make([]string, n), make([]string, n)
	refs, effect, digest, chains := make([][]byte, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)
	var about [][]byte
	var by []int64
	for i, t := range w.Entries {
		var err error
		if refs[i], err = written.Refs(t.Refs); err != nil {
			return fmt.Errorf("entry %d: %w", t.Seq, err)
		}
		chain = store.Chain(chain, t)
		seq[i], at[i], lane[i], arrival[i], part[i] = t.Seq, written.Time(t.At), string(t.Lane), t.Arrival, int32(t.Part)
		kind[i], effect[i], digest[i], chains[i] = t.Kind, []byte(t.Effect), t.Digest, chain
		for _, ref := range t.Refs {
			about, by = append(about, []byte(ref.String())), append(by, t.Seq)
		}
	}
	w.last = chain
	b.Queue(`INSERT INTO entry (seq, at, lane, arrival, part, kind, refs, effect, digest, chain)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::integer[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[])`,
		seq, at, lane, arrival, part, kind, refs, effect, digest, chains)
	if len(about) > 0 {
		b.Queue("INSERT INTO entry_ref (ref, seq) SELECT * FROM unnest($1::bytea[], $2::bigint[]) ON CONFLICT DO NOTHING", about, by)
	}
	return nil
}

// putChanges puts and drops rows, each kind of it in one statement.
func (w *commit) putChanges(b *pgx.Batch) {
	var tab, goneTab []string
	var key, body, goneKey [][]byte
	var system, due, opened []*string
	var rank []*int32
	var open []*bool
	for _, c := range w.changes {
		if c.Body == nil {
			goneTab, goneKey = append(goneTab, string(c.At.Table)), append(goneKey, []byte(c.At.Key))
			continue
		}
		tab, key, body = append(tab, string(c.At.Table)), append(key, []byte(c.At.Key)), append(body, c.Body)
		system, rank, due = append(system, c.System), append(rank, c.Rank), append(due, c.Due)
		opened, open = append(opened, c.Opened), append(open, c.Open)
	}
	if len(goneTab) > 0 {
		b.Queue("DELETE FROM row USING unnest($1::text[], $2::bytea[]) AS gone (tab, key) WHERE row.tab = gone.tab AND row.key = gone.key", goneTab, goneKey)
	}
	if len(tab) > 0 {
		b.Queue(`INSERT INTO row (tab, key, body, system, rank, due, opened, open)
			SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::boolean[])
			ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body, system = excluded.system, rank = excluded.rank, due = excluded.due, opened = excluded.opened, open = excluded.open`,
			tab, key, body, system, rank, due, opened, open)
	}
}

// find tells whether the commit is in the book, once nobody else writes there: by
// its token, or, where the book has moved on since, by its last entry.
func (w *commit) find(ctx context.Context, c *pgx.Conn) (there bool, err error) {
	var b pgx.Batch
	var token []byte
	b.Queue("BEGIN")
	b.Queue("SELECT token FROM position FOR UPDATE").QueryRow(func(r pgx.Row) error { return r.Scan(&token) })
	b.Queue("SELECT FROM entry WHERE seq = $1 AND chain = $2", w.To.Seq, w.last).Query(func(rows pgx.Rows) error {
		there = rows.Next()
		rows.Close()
		return rows.Err()
	})
	b.Queue("ROLLBACK")
	if err := send(ctx, c, &b); err != nil {
		return false, err
	}
	switch {
	case there, bytes.Equal(token, w.token):
		return true, nil
	case !bytes.Equal(token, w.before):
		return false, store.ErrStale
	}
	return false, nil
}

// VerifyChain recomputes the chain of the entries from Seq from on and reports the
// first that does not fit. from 0 or 1 checks it from its beginning.
func (b *Book) VerifyChain(ctx context.Context, from int64) error {
	var chain []byte
	err := b.s.query(ctx, func(r pgx.Rows) error { return r.Scan(&chain) },
		"SELECT chain FROM entry WHERE seq < $1 ORDER BY seq DESC LIMIT 1", from)
	if err == nil {
		err = written.VerifyChain(ctx, b, from, chain)
	}
	if err != nil {
		return fmt.Errorf("verify %s: %w", b.s.place, err)
	}
	return nil
}
