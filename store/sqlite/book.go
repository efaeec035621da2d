package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

// Book implements store.Book.
type Book struct {
	file   *file
	leases *leases
}

var _ store.Book = (*Book)(nil)

const positionText = "SELECT epoch, seq, at, lanes FROM position"

// Position implements store.Book.
func (b *Book) Position(ctx context.Context) (p store.Position, err error) {
	err = b.file.query(ctx, nil, func(r *sql.Rows) (err error) {
		p, err = readPosition(func(into ...any) error { return r.Scan(into...) })
		return err
	}, positionText)
	return p, err
}

func readPosition(scan func(...any) error) (p store.Position, err error) {
	var at string
	var lanes []byte
	if err := scan(&p.Epoch, &p.Seq, &at, &lanes); err != nil {
		return p, err
	}
	return p, written.ReadPosition(&p, at, lanes)
}

func (w *writer) position() (store.Position, error) {
	return readPosition(func(into ...any) error { return w.get(positionText, nil, into...) })
}

// Claim implements store.Book.
func (b *Book) Claim(ctx context.Context) (p store.Position, err error) {
	if err := ctx.Err(); err != nil {
		return p, fmt.Errorf("claim %s: %w", b.file.path, err)
	}
	err = b.file.write(func(w *writer) (err error) {
		if err := w.run("UPDATE position SET epoch = epoch + 1"); err != nil {
			return err
		}
		p, err = w.position()
		return err
	})
	if err != nil {
		return store.Position{}, fmt.Errorf("claim %s: %w", b.file.path, err)
	}
	return p, nil
}

// Incarnation implements store.Book.
func (b *Book) Incarnation(ctx context.Context) (n int64, err error) {
	err = b.file.query(ctx, nil, func(r *sql.Rows) error { return r.Scan(&n) }, "SELECT incarnation FROM position")
	return n, err
}

// Reincarnate implements store.Book.
func (b *Book) Reincarnate(ctx context.Context) (n int64, err error) {
	if err = ctx.Err(); err == nil {
		err = b.file.write(func(w *writer) error {
			if err := w.run("UPDATE position SET incarnation = incarnation + 1, epoch = epoch + 1"); err != nil {
				return err
			}
			return w.get("SELECT incarnation FROM position", nil, &n)
		})
	}
	if err != nil {
		return 0, fmt.Errorf("begin a new life of %s: %w", b.file.path, err)
	}
	return n, nil
}

// Commit implements store.Book. A context that ends before the transaction has
// begun leaves nothing on disk; after that the call returns what came of it.
func (b *Book) Commit(ctx context.Context, c store.Commit) error {
	err := ctx.Err()
	if err == nil {
		err = c.Validate()
	}
	var changes []written.Change
	if err == nil {
		changes, err = written.Changes(c.Changes)
	}
	if err == nil {
		err = b.leases.during(func() error {
			return b.file.write(func(w *writer) error { return commit(w, c, changes) })
		}, c.Under)
		b.file.tend()
	}
	if err != nil {
		return fmt.Errorf("commit to %s: %w", b.file.path, err)
	}
	return nil
}

func commit(w *writer, c store.Commit, changes []written.Change) error {
	now, err := w.position()
	if err != nil {
		return err
	}
	if !now.Equal(c.From) {
		return store.ErrStale
	}
	if err := putEntries(w, c.Entries); err != nil {
		return err
	}
	for _, ch := range changes {
		if err := putChange(w, ch); err != nil {
			return fmt.Errorf("row %s %s: %w", ch.At.Table, ch.At.Key, err)
		}
	}
	return putPosition(w, c.To)
}

func putPosition(w *writer, p store.Position) error {
	lanes, err := written.Lanes(p)
	if err != nil {
		return err
	}
	return w.run("UPDATE position SET epoch = ?, seq = ?, at = ?, lanes = ?", p.Epoch, p.Seq, written.Time(p.At), string(lanes))
}

// putEntries appends entries to the chain.
func putEntries(w *writer, entries []store.Taken) error {
	if len(entries) == 0 {
		return nil
	}
	var chain []byte
	if err := w.get("SELECT (SELECT chain FROM entry ORDER BY seq DESC LIMIT 1)", nil, &chain); err != nil {
		return err
	}
	for _, t := range entries {
		chain = store.Chain(chain, t)
		refs, err := written.Refs(t.Refs)
		if err != nil {
			return err
		}
		err = w.run("INSERT INTO entry (seq, at, lane, arrival, part, kind, refs, effect, digest, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			t.Seq, written.Time(t.At), string(t.Lane), t.Arrival, t.Part, t.Kind, string(refs), t.Effect, t.Digest, chain)
		for _, ref := range t.Refs {
			if err == nil {
				err = w.run("INSERT OR IGNORE INTO entry_ref (ref, seq) VALUES (?, ?)", ref.String(), t.Seq)
			}
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", t.Seq, err)
		}
	}
	return nil
}

func putChange(w *writer, c written.Change) error {
	tab, key, body := string(c.At.Table), c.At.Key, string(c.Body)
	switch {
	case c.Body == nil:
		return w.run("DELETE FROM row WHERE tab = ? AND key = ?", tab, key)
	case c.System != nil:
		return w.run("INSERT INTO row (tab, key, body, system, rank, due) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body, system = excluded.system, rank = excluded.rank, due = excluded.due",
			tab, key, body, c.System, c.Rank, c.Due)
	case c.Due != nil:
		return w.run("INSERT INTO row (tab, key, body, due) VALUES (?, ?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body, due = excluded.due",
			tab, key, body, c.Due)
	case c.Opened != nil:
		return w.run("INSERT INTO row (tab, key, body, opened, open) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body, opened = excluded.opened, open = excluded.open",
			tab, key, body, c.Opened, c.Open)
	default:
		return w.run("INSERT INTO row (tab, key, body) VALUES (?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body", tab, key, body)
	}
}

// VerifyChain recomputes the chain of the entries from Seq from on and reports the
// first that does not fit. from 0 or 1 checks it from its beginning.
func (b *Book) VerifyChain(ctx context.Context, from int64) error {
	var chain []byte
	err := b.file.query(ctx, nil, func(r *sql.Rows) error { return r.Scan(&chain) },
		"SELECT chain FROM entry WHERE seq < ? ORDER BY seq DESC LIMIT 1", from)
	if err == nil {
		err = written.VerifyChain(ctx, b, from, chain)
	}
	if err != nil {
		return fmt.Errorf("verify %s: %w", b.file.path, err)
	}
	return nil
}
