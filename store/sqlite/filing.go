package sqlite

import (
	"context"
	"fmt"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

// File implements store.Journal. Calls that come together share one commit; see
// written.Queue.
func (j *Journal) File(ctx context.Context, f store.Filing) error {
	if err := j.queue.File(ctx, f); err != nil {
		return fmt.Errorf("file arrivals in %s: %w", j.file.path, err)
	}
	return nil
}

// commit writes filings in one transaction. Numbers count from the last ones on
// disk and are given out only once they are there too, so none is ever left out.
func (j *Journal) commit(group []*written.Filing) error {
	var under []*store.Lease
	for _, one := range group {
		under = append(under, one.Under)
	}
	return j.leases.during(func() error { return j.commitUnder(group) }, under...)
}

func (j *Journal) commitUnder(group []*written.Filing) error {
	return j.file.writeThen(func(w *writer) error {
		last := map[crossdock.Lane]int64{}
		for lane, n := range j.last {
			last[lane] = n
		}
		for _, one := range group {
			for i, row := range one.Rows {
				last[row.Lane]++
				if err := putArrival(w, row, last[row.Lane]); err != nil {
					return fmt.Errorf("arrival %d of %d: %w", i+1, len(one.Rows), err)
				}
			}
			if err := putCursor(w, one.Cursor); err != nil {
				return err
			}
		}
		return nil
	}, func() {
		for _, one := range group {
			for i, row := range one.Rows {
				j.last[row.Lane]++
				one.Filed(i, j.last[row.Lane])
			}
		}
	})
}

// putArrival writes one arrival under its number.
func putArrival(w *writer, r written.Arrival, number int64) error {
	err := w.run("INSERT INTO arrival (lane, number, at, kind, head, body, packed, salt, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		string(r.Lane), number, r.At, r.Kind, textOrNull(r.Head), r.Body, r.Packed, r.Salt, r.Digest)
	if err == nil && r.Attempt {
		err = w.run("INSERT INTO open_attempt (number) VALUES (?)", number)
	}
	if err == nil && r.Closes != 0 {
		err = w.run("DELETE FROM open_attempt WHERE number = ?", r.Closes)
	}
	return err
}

// textOrNull keeps JSON readable in a shell: bytes would be a blob.
func textOrNull(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

func putCursor(w *writer, c *store.Cursor) error {
	if c == nil {
		return nil
	}
	return w.run("INSERT INTO cursor (system, kind, text, at, whole) VALUES (?, ?, ?, ?, ?) ON CONFLICT (system, kind) DO UPDATE SET text = excluded.text, at = excluded.at, whole = excluded.whole",
		string(c.System), string(c.Kind), c.Text, written.Time(c.At), c.Whole)
}
