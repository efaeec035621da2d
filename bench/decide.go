package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

const decideN = 6000

// decide measures the desk alone: orders wait in the journal, and are translated,
// decided, projected and committed. The floor writes the very rows of its commits,
// in the same batches, with plain batched SQL into a file of the same kind.
func decide(ctx context.Context, o Options) (f Figure, err error) {
	w, err := newWorld(ctx, filepath.Join(o.Dir, "decide"))
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.learn(ctx); err != nil {
		return f, err
	}
	orders, err := w.buy(ctx, decideN, 5)
	if err != nil {
		return f, err
	}
	for _, r := range orders {
		answer := httptest.NewRecorder()
		w.house.Receive.ServeHTTP(answer, r)
		if answer.Code != 200 {
			return f, fmt.Errorf("a webhook was answered %d: %s", answer.Code, answer.Body)
		}
	}
	notes := &notes{Store: w.store}
	d := desk.New(notes, w.conns, time.Now)
	r := begin()
	for did := true; did; {
		if did, err = d.Step(ctx); err != nil {
			return f, err
		}
	}
	f = r.figure(len(orders))
	if err := promised(ctx, w.store.Book(), len(orders)); err != nil {
		return f, err
	}
	floor, err := notes.replay(ctx, o, len(orders))
	if err != nil {
		return f, fmt.Errorf("the floor: %w", err)
	}
	f = f.beside(floor)
	f.Store, f.Asked = "sqlite", 0.4
	return f, nil
}

// promised reports orders that were not decided as they should have been.
func promised(ctx context.Context, b store.Book, want int) error {
	n, after := 0, ""
	for {
		rows, err := b.Scan(ctx, core.Records, string(crossdock.KindOrder)+"/", after, 1000)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if r, ok := row.(*core.Record); ok {
				after = r.Address().Key
				if r.Body.Text("state") == string(crossdock.OrderPromised) {
					n++
				}
			}
		}
		if len(rows) == 0 {
			break
		}
	}
	if n != want {
		return fmt.Errorf("%d of %d orders are promised", n, want)
	}
	return nil
}

// notes is a store that remembers what the desk has committed. Rows never change, so
// to remember them costs the measured desk nothing.
type notes struct {
	store.Store
	commits []store.Commit
}

// noted is one row as a table has it.
type noted struct {
	table, key string
	body       []byte // nil: dropped
}

type notedBook struct {
	store.Book
	n *notes
}

// Book implements store.Store.
func (n *notes) Book() store.Book { return notedBook{n.Store.Book(), n} }

// Commit notes and commits.
func (b notedBook) Commit(ctx context.Context, c store.Commit) error {
	b.n.commits = append(b.n.commits, c)
	return b.Book.Commit(ctx, c)
}

// rowsOf returns the rows of a commit.
func rowsOf(c store.Commit) (out []noted, err error) {
	for _, e := range c.Entries {
		out = append(out, noted{"entry", fmt.Sprint(e.Seq), []byte(e.Effect)})
		for _, of := range e.Refs {
			out = append(out, noted{"entry_ref", fmt.Sprint(of, " ", e.Seq), nil})
		}
	}
	changes, err := written.Changes(c.Changes)
	for _, ch := range changes {
		out = append(out, noted{string(ch.At.Table), ch.At.Key, ch.Body})
	}
	return out, err
}

// replay writes what was noted with plain batched SQL.
func (n *notes) replay(ctx context.Context, o Options, orders int) (f Figure, err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(o.Dir, "decide-floor.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE row (tab TEXT, key TEXT, body BLOB, PRIMARY KEY (tab, key)) WITHOUT ROWID"); err != nil {
		return f, err
	}
	batches, total := make([][]noted, len(n.commits)), 0
	for i, c := range n.commits {
		if batches[i], err = rowsOf(c); err != nil {
			return f, err
		}
		total += len(batches[i])
	}
	o.Say("decide: %d rows in %d commits", total, len(batches))
	r := begin()
	for _, rows := range batches {
		if err := batch(ctx, db, rows); err != nil {
			return f, err
		}
	}
	return r.figure(orders), nil
}

// batch writes rows in one transaction, a hundred in a statement.
func batch(ctx context.Context, db *sql.DB, rows []noted) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for len(rows) > 0 {
		some := rows[:min(len(rows), 100)]
		rows = rows[len(some):]
		args := make([]any, 0, 3*len(some))
		for _, r := range some {
			args = append(args, r.table, r.key, string(r.body))
		}
		text := "INSERT INTO row VALUES " + strings.TrimSuffix(strings.Repeat("(?,?,?),", len(some)), ",") + " ON CONFLICT DO UPDATE SET body = excluded.body"
		if _, err := tx.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
