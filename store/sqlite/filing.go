package sqlite

import (
	"context"
	"fmt"
	"sync"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// Calls of File that come together share one transaction and one wait for the
// disk. The first caller leads: it writes what has queued up, tells the others,
// and hands the lead to the first that came meanwhile. So nothing runs between
// calls, and a caller that is alone never waits for others.
const (
	groupMost  = 256      // filings in one transaction
	groupBytes = 16 << 20 // of bodies as they are written; a larger filing goes alone
)

// queue holds the filings that wait for the next transaction.
type queue struct {
	mu      sync.Mutex
	waiting []*waiter
	led     bool // somebody leads
}

// waiter is one call of File.
type waiter struct {
	ctx    context.Context
	filing store.Filing
	rows   []arrivalRow
	bytes  int
	lead   chan struct{} // closed when the call has to lead
	done   chan error    // holds the outcome once there is one
}

// arrivalRow is an arrival as it is written.
type arrivalRow struct {
	lane         crossdock.Lane
	at, kind     string
	head, body   []byte
	packed       bool
	salt, digest []byte
	attempt      bool  // it opens an attempt
	closes       int64 // it closes this one
}

// File implements store.Journal. A context that ends before the transaction has
// begun leaves nothing on disk; after that the call returns what came of it.
func (j *Journal) File(ctx context.Context, f store.Filing) error {
	if err := ctx.Err(); err != nil {
		return j.failed(err)
	}
	w := &waiter{ctx: ctx, filing: f, lead: make(chan struct{}), done: make(chan error, 1)}
	if err := j.write(w); err != nil {
		return j.failed(err)
	}
	q := &j.queue
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	if !q.led {
		q.led = true
		close(w.lead)
	}
	q.mu.Unlock()
	return j.failed(j.await(w))
}

func (j *Journal) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("file arrivals in %s: %w", j.file.path, err)
}

// await returns the outcome of w, having led a group when it was w's turn.
func (j *Journal) await(w *waiter) error {
	select {
	case err := <-w.done:
		return err
	case <-w.lead:
		return j.leadFrom(w)
	case <-w.ctx.Done():
	}
	if j.queue.leave(w) {
		return w.ctx.Err()
	}
	select { // it is being written, or was just handed the lead
	case err := <-w.done:
		return err
	case <-w.lead:
		return j.leadFrom(w)
	}
}

// leave takes w out of the queue; false when it is out already or leads.
func (q *queue) leave(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, o := range q.waiting {
		if o != w {
			continue
		}
		select {
		case <-w.lead:
			return false
		default:
		}
		q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
		return true
	}
	return false
}

// leadFrom writes one group, w first, and hands on the lead.
func (j *Journal) leadFrom(w *waiter) error {
	group := j.queue.next()
	j.commit(group)
	j.file.tend()
	j.queue.handOn()
	return <-w.done
}

// next takes the next group out of the queue.
func (q *queue) next() []*waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.waiting) && n < groupMost && (n == 0 || bytes+q.waiting[n].bytes <= groupBytes) {
		bytes += q.waiting[n].bytes
		n++
	}
	group := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return group
}

// handOn gives the lead to who waits first.
func (q *queue) handOn() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.led = len(q.waiting) > 0; q.led {
		close(q.waiting[0].lead)
	}
}

// commit writes a group and tells each of it what came of it. Where the group
// fails, each is tried alone: one too large for the disk doesn't fail the rest.
func (j *Journal) commit(group []*waiter) {
	alive := group[:0]
	for _, w := range group {
		if err := w.ctx.Err(); err != nil {
			w.done <- err
			continue
		}
		alive = append(alive, w)
	}
	if len(alive) == 0 {
		return
	}
	err := j.commitAll(alive)
	if err == nil || len(alive) == 1 || j.file.health.ill() != nil {
		for _, w := range alive {
			w.done <- err
		}
		return
	}
	for _, w := range alive {
		w.done <- j.commitAll([]*waiter{w})
	}
}

// commitAll writes filings in one transaction. Numbers count from the last ones on
// disk and are given out only once they are there too, so none is ever left out.
func (j *Journal) commitAll(group []*waiter) error {
	return j.file.writeThen(func(w *writer) error {
		last := map[crossdock.Lane]int64{}
		for lane, n := range j.last {
			last[lane] = n
		}
		for _, one := range group {
			for i, row := range one.rows {
				last[row.lane]++
				if err := row.put(w, last[row.lane]); err != nil {
					return fmt.Errorf("arrival %d of %d: %w", i+1, len(one.rows), err)
				}
			}
			if err := putCursor(w, one.filing.Cursor); err != nil {
				return err
			}
		}
		return nil
	}, func() {
		for _, one := range group {
			for i, row := range one.rows {
				j.last[row.lane]++
				one.filed(i, j.last[row.lane])
			}
		}
	})
}

// filed gives the i-th arrival of a call its number and digest.
func (w *waiter) filed(i int, number int64) {
	a := w.filing.Arrivals[i]
	a.Number, a.Digest = number, w.rows[i].digest
	if attempt, ok := a.Body.(crossdock.Attempt); ok {
		attempt.ID = number
		a.Body = attempt
	}
}

// write turns a filing into rows, outside any lock.
func (j *Journal) write(w *waiter) error {
	w.rows = make([]arrivalRow, 0, len(w.filing.Arrivals))
	for i, a := range w.filing.Arrivals {
		row, err := j.row(a)
		if err != nil {
			return fmt.Errorf("arrival %d of %d: %w", i+1, len(w.filing.Arrivals), err)
		}
		w.rows = append(w.rows, row)
		w.bytes += len(row.head) + len(row.body)
	}
	return nil
}

func (j *Journal) row(a *store.Arrival) (r arrivalRow, err error) {
	if a.Lane == "" {
		return r, crossdock.Errorf(crossdock.Internal, "it has no lane")
	}
	t, err := store.WriteBody(a.Body)
	if err != nil {
		return r, err
	}
	if len(t.Body)+len(t.Head) > bodyMost {
		return r, crossdock.Errorf(crossdock.Invalid, "a body of %d bytes is too large to be filed; the limit is %d", len(t.Body), bodyMost)
	}
	r = arrivalRow{lane: a.Lane, at: writeTime(a.At), kind: t.Kind, head: t.Head}
	switch b := a.Body.(type) {
	case crossdock.Attempt:
		r.attempt = true
	case crossdock.Result:
		r.closes = b.Attempt
	}
	if (r.attempt || r.kind == "result") && a.Lane != crossdock.Urgent {
		return r, crossdock.Errorf(crossdock.Internal, "an %s belongs in lane %s, not %s", r.kind, crossdock.Urgent, a.Lane)
	}
	if r.salt, err = j.salts.next(); err != nil {
		return r, err
	}
	r.digest = t.Digest(r.salt)
	r.body, r.packed = pack(t.Body)
	return r, nil
}

// put writes one arrival under its number.
func (r arrivalRow) put(w *writer, number int64) error {
	err := w.run("INSERT INTO arrival (lane, number, at, kind, head, body, packed, salt, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		string(r.lane), number, r.at, r.kind, textOrNull(r.head), r.body, r.packed, r.salt, r.digest)
	if err == nil && r.attempt {
		err = w.run("INSERT INTO open_attempt (number) VALUES (?)", number)
	}
	if err == nil && r.closes != 0 {
		err = w.run("DELETE FROM open_attempt WHERE number = ?", r.closes)
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
		string(c.System), string(c.Kind), c.Text, writeTime(c.At), c.Whole)
}
