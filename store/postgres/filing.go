package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

const (
	transactionMost = time.Minute      // one that takes longer is given up
	patience        = 30 * time.Second // to find out what came of a commit whose answer was lost
	pieceBytes      = 64 << 20         // of bodies in one statement; the protocol takes a gigabyte
)

// File implements store.Journal. Calls on one node that come together share one
// commit (see written.Queue); those of several nodes wait for each other at the rows
// of their lanes.
func (j *Journal) File(ctx context.Context, f store.Filing) error {
	if err := j.queue.File(ctx, f); err != nil {
		return fmt.Errorf("file arrivals in %s: %w", j.s.place, err)
	}
	return nil
}

// group is what is filed in one transaction.
type group struct {
	all   []*written.Filing
	lanes []string // that it locks, sorted
	under []store.Lease
	last  map[crossdock.Lane]int64 // number of the last arrival before it
}

func newGroup(all []*written.Filing) *group {
	g := &group{all: all}
	for _, f := range all {
		for _, row := range f.Rows {
			if !slices.Contains(g.lanes, string(row.Lane)) {
				g.lanes = append(g.lanes, string(row.Lane))
			}
		}
		if f.Under != nil && !slices.ContainsFunc(g.under, f.Under.Is) {
			g.under = append(g.under, *f.Under)
		}
	}
	if len(g.lanes) == 0 { // cursors only: by the lock it is known when a lost transaction has ended
		g.lanes = []string{string(crossdock.Bulk)}
	}
	slices.Sort(g.lanes) // so that no two wait for each other
	return g
}

// each calls f for every arrival with its number.
func (g *group) each(do func(f *written.Filing, i int, number int64)) {
	last := map[crossdock.Lane]int64{}
	for lane, n := range g.last {
		last[lane] = n
	}
	for _, f := range g.all {
		for i, row := range f.Rows {
			last[row.Lane]++
			do(f, i, last[row.Lane])
		}
	}
}

// commit writes filings in one transaction. It takes two round trips, and COMMIT
// goes out with the second, when the lanes are locked: so a transaction of which we
// lose sight either holds that lock or has ended.
func (j *Journal) commit(all []*written.Filing) error {
	ctx, cancel := context.WithTimeout(context.Background(), transactionMost)
	defer cancel()
	g := newGroup(all)
	open := false // COMMIT was sent and its answer was not understood
	err := j.s.write(ctx, func(c *pgx.Conn) error {
		if err := g.lock(ctx, c); err != nil {
			return err
		}
		err := send(ctx, c, g.batch())
		open = err != nil && !certain(err)
		return err
	})
	if open {
		err = j.s.settle(err, func(ctx context.Context, c *pgx.Conn) (bool, error) { return g.find(ctx, c) })
	}
	if err == nil {
		g.each(func(f *written.Filing, i int, number int64) { f.Filed(i, number) })
	}
	return err
}

// lock begins the transaction, holds its leases still, and locks its lanes.
func (g *group) lock(ctx context.Context, c *pgx.Conn) error {
	var b pgx.Batch
	b.Queue("BEGIN")
	held := lock(&b, g.under)
	g.lockLanes(&b)
	if err := send(ctx, c, &b); err != nil {
		return err
	}
	if err := held(); err != nil {
		return err
	}
	if len(g.last) == len(g.lanes) {
		return nil
	}
	var more pgx.Batch // a lane nobody has filed in
	more.Queue("INSERT INTO lane (lane, last) SELECT unnest($1::text[]), 0 ORDER BY 1 ON CONFLICT DO NOTHING", g.lanes)
	g.lockLanes(&more)
	return send(ctx, c, &more)
}

func (g *group) lockLanes(b *pgx.Batch) {
	b.Queue("SELECT lane, last FROM lane WHERE lane = ANY($1) ORDER BY lane FOR UPDATE", g.lanes).Query(func(rows pgx.Rows) error {
		g.last = map[crossdock.Lane]int64{}
		var lane string
		var n int64
		_, err := pgx.ForEachRow(rows, []any{&lane, &n}, func() error {
			g.last[crossdock.Lane(lane)] = n
			return nil
		})
		return err
	})
}

// columns are arrivals as the statement takes them.
type columns struct {
	lane, at, kind           []string
	number                   []int64
	head, body, salt, digest [][]byte
	packed                   []bool
	bytes                    int
}

// batch writes the arrivals, the ends of their lanes and the cursors, and commits.
func (g *group) batch() *pgx.Batch {
	var b pgx.Batch
	var opened, closed []int64
	c := &columns{}
	ends := map[crossdock.Lane]int64{}
	g.each(func(f *written.Filing, i int, number int64) {
		r := f.Rows[i]
		if c.bytes += len(r.Head) + len(r.Body); c.bytes > pieceBytes && len(c.lane) > 0 {
			c.queue(&b)
			c = &columns{bytes: len(r.Head) + len(r.Body)}
		}
		c.lane, c.number, c.at, c.kind = append(c.lane, string(r.Lane)), append(c.number, number), append(c.at, r.At), append(c.kind, r.Kind)
		c.head, c.body, c.packed = append(c.head, r.Head), append(c.body, r.Body), append(c.packed, r.Packed)
		c.salt, c.digest = append(c.salt, r.Salt), append(c.digest, r.Digest)
		ends[r.Lane] = number
		if r.Attempt {
			opened = append(opened, number)
		}
		if r.Closes != 0 {
			closed = append(closed, r.Closes)
		}
	})
	if len(c.lane) > 0 {
		c.queue(&b)
	}
	for _, lane := range g.lanes {
		if n, ok := ends[crossdock.Lane(lane)]; ok {
			b.Queue("UPDATE lane SET last = $2 WHERE lane = $1", lane, n)
		}
	}
	if len(opened) > 0 {
		b.Queue("INSERT INTO open_attempt (number) SELECT unnest($1::bigint[])", opened)
	}
	if len(closed) > 0 {
		b.Queue("DELETE FROM open_attempt WHERE number = ANY($1)", closed)
	}
	for _, f := range g.all {
		if f.Cursor != nil {
			b.Queue("INSERT INTO cursor (system, kind, text, at, whole) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (system, kind) DO UPDATE SET text = excluded.text, at = excluded.at, whole = excluded.whole",
				string(f.Cursor.System), string(f.Cursor.Kind), []byte(f.Cursor.Text), written.Time(f.Cursor.At), f.Cursor.Whole)
		}
	}
	b.Queue("COMMIT")
	return &b
}

func (c *columns) queue(b *pgx.Batch) {
	b.Queue(`INSERT INTO arrival (lane, number, at, kind, head, body, packed, salt, digest)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::boolean[], $8::bytea[], $9::bytea[])`,
		c.lane, c.number, c.at, c.kind, c.head, c.body, c.packed, c.salt, c.digest)
}

// find tells whether the group is in the journal, by the salt of its first arrival,
// which no other has: under the number it would have, once nobody writes in its lanes.
func (g *group) find(ctx context.Context, c *pgx.Conn) (there bool, err error) {
	lookFor := func(lane crossdock.Lane, number int64, salt []byte) error {
		var b pgx.Batch
		b.Queue("BEGIN")
		b.Queue("SELECT FROM lane WHERE lane = ANY($1) ORDER BY lane FOR UPDATE", g.lanes)
		b.Queue("SELECT salt FROM arrival WHERE lane = $1 AND number = $2", string(lane), number).Query(func(rows pgx.Rows) error {
			var is []byte
			_, err := pgx.ForEachRow(rows, []any{&is}, func() error {
				there = bytes.Equal(is, salt)
				return nil
			})
			return err
		})
		b.Queue("ROLLBACK")
		return send(ctx, c, &b)
	}
	first := true
	g.each(func(f *written.Filing, i int, number int64) {
		if first {
			first = false
			err = lookFor(f.Rows[i].Lane, number, f.Rows[i].Salt)
		}
	})
	if first { // only cursors: they may be moved again to where they are
		err = lookFor(crossdock.Lane(g.lanes[0]), 0, nil)
	}
	return there, err
}

// settle finds out what came of a transaction whose COMMIT was sent on a connection
// that was lost with why. find waits for it to end and tells whether it is there.
// The answer is nil, ErrAway, or ErrBroken when nobody can tell for long.
func (s *Store) settle(why error, find func(context.Context, *pgx.Conn) (bool, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	wait := 10 * time.Millisecond
	for {
		there := false
		err := s.with(ctx, func(c *pgx.Conn) (err error) {
			there, err = find(ctx, c)
			return err
		})
		switch {
		case err == nil && there:
			return nil
		case err == nil:
			return fmt.Errorf("%w: the connection was lost, and what was to be written is not there: %w", store.ErrAway, why)
		case errors.Is(err, store.ErrStale):
			return err
		}
		select {
		case <-ctx.Done():
			// Not wrapped: what led here may be ErrAway, which would be tried again.
			return s.judge(fmt.Errorf("%w: nobody can tell what came of a commit (%v) for %s: %v", store.ErrBroken, why, s.patience, err), false) //nolint:errorlint // see above
		case <-time.After(wait):
			wait = min(2*wait, time.Second)
		}
	}
}
