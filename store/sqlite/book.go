package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Book implements store.Book.
type Book struct{ file *file }

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
	var at, lanes string
	if err := scan(&p.Epoch, &p.Seq, &at, &lanes); err != nil {
		return p, err
	}
	if p.At, err = readTime(at); err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(lanes), &p.Lanes); err != nil {
		return p, fmt.Errorf("the lanes of the position: %w", err)
	}
	return p, nil
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

// Commit implements store.Book. A context that ends before the transaction has
// begun leaves nothing on disk; after that the call returns what came of it.
func (b *Book) Commit(ctx context.Context, c store.Commit) error {
	err := ctx.Err()
	if err == nil {
		err = c.Validate()
	}
	var changes []change
	if err == nil {
		changes, err = write(c.Changes)
	}
	if err == nil {
		err = b.file.write(func(w *writer) error { return commit(w, c, changes) })
		b.file.tend()
	}
	if err != nil {
		return fmt.Errorf("commit to %s: %w", b.file.path, err)
	}
	return nil
}

func commit(w *writer, c store.Commit, changes []change) error {
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
		if err := ch.put(w); err != nil {
			return fmt.Errorf("row %s %s: %w", ch.at.Table, ch.at.Key, err)
		}
	}
	return putPosition(w, c.To)
}

func putPosition(w *writer, p store.Position) error {
	if p.Lanes == nil {
		p.Lanes = map[crossdock.Lane]store.Place{}
	}
	lanes, err := json.Marshal(p.Lanes)
	if err != nil {
		return err
	}
	return w.run("UPDATE position SET epoch = ?, seq = ?, at = ?, lanes = ?", p.Epoch, p.Seq, writeTime(p.At), string(lanes))
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
		if t.Refs == nil {
			t.Refs = []crossdock.Ref{}
		}
		refs, err := json.Marshal(t.Refs)
		if err != nil {
			return err
		}
		err = w.run("INSERT INTO entry (seq, at, lane, arrival, part, kind, refs, effect, digest, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			t.Seq, writeTime(t.At), string(t.Lane), t.Arrival, t.Part, t.Kind, string(refs), t.Effect, t.Digest, chain)
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

// change is a core.Change as it is written: body is nil where a row is dropped.
type change struct {
	at   core.Address
	row  core.Row
	body []byte
}

// write turns changes into JSON outside the transaction. Of several changes of one
// address only the last is kept.
func write(all []core.Change) ([]change, error) {
	last := make(map[core.Address]int, len(all))
	for i, c := range all {
		last[c.At] = i
	}
	out := make([]change, 0, len(last))
	for i, c := range all {
		if last[c.At] != i {
			continue
		}
		ch := change{at: c.At, row: c.Row}
		if core.NewRow(c.At.Table) == nil {
			return nil, crossdock.Errorf(crossdock.Internal, "the book has no table %q", c.At.Table)
		}
		if c.Row != nil {
			var err error
			if ch.body, err = store.WriteRow(c.Row); err != nil {
				return nil, err
			}
		}
		out = append(out, ch)
	}
	return out, nil
}

func (c change) put(w *writer) error {
	tab, key := string(c.at.Table), c.at.Key
	switch row := c.row.(type) {
	case nil:
		return w.run("DELETE FROM row WHERE tab = ? AND key = ?", tab, key)
	case *core.Want:
		var rank, due any
		if row.State == core.WantDue {
			rank, due = rankOf(row.Lane), writeTime(row.Due)
		}
		return w.run("INSERT INTO row (tab, key, body, system, rank, due) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body, system = excluded.system, rank = excluded.rank, due = excluded.due",
			tab, key, string(c.body), string(row.System), rank, due)
	case *core.Timer:
		return w.run("INSERT INTO row (tab, key, body, due) VALUES (?, ?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body, due = excluded.due",
			tab, key, string(c.body), writeTime(row.Due))
	case *core.Exception:
		return w.run("INSERT INTO row (tab, key, body, opened, open) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body, opened = excluded.opened, open = excluded.open",
			tab, key, string(c.body), writeTime(row.Opened), row.Open())
	default:
		return w.run("INSERT INTO row (tab, key, body) VALUES (?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body", tab, key, string(c.body))
	}
}

// rankOf returns the place of a lane among the lanes, the most urgent first; one
// that is not among them comes last.
func rankOf(lane crossdock.Lane) int {
	if i := slices.Index(crossdock.Lanes, lane); i >= 0 {
		return i
	}
	return len(crossdock.Lanes)
}

// VerifyChain recomputes the chain of the entries from Seq from on and reports the
// first that does not fit. from 0 or 1 checks it from its beginning.
func (b *Book) VerifyChain(ctx context.Context, from int64) error {
	var chain []byte
	err := b.file.query(ctx, nil, func(r *sql.Rows) error { return r.Scan(&chain) },
		"SELECT chain FROM entry WHERE seq < ? ORDER BY seq DESC LIMIT 1", from)
	for after := from - 1; err == nil; {
		var some []store.Taken
		if some, err = b.Entries(ctx, after, verifyAtOnce); err != nil || len(some) == 0 {
			return err
		}
		for _, t := range some {
			chain = store.Chain(chain, t)
			if !bytes.Equal(chain, t.Chain) {
				return crossdock.Errorf(crossdock.Internal, "the chain of %s breaks at entry %d: the entry, or one before it, is not what was committed", b.file.path, t.Seq)
			}
			after = t.Seq
		}
	}
	return err
}

const verifyAtOnce = 1000
