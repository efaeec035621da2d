package written

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

// Queue holds the filings that wait for the next transaction of a journal.
type Queue struct {
	// Commit writes filings in one transaction, all or nothing, and calls Filed for
	// each of their arrivals once they are on disk.
	Commit func(group []*Filing) error
	// Hopeless tells that after this error no filing needs to be tried alone.
	Hopeless func(error) bool
	// Tend is called when all of a group have been told what came of them.
	Tend  func()
	Salts *Salts

	mu      sync.Mutex
	waiting []*Filing
	led     bool // somebody leads
}

// Filing is one call of File: what is filed, and its arrivals in columns.
type Filing struct {
	store.Filing
	Rows []Arrival

	ctx   context.Context
	bytes int
	lead  chan struct{} // closed when the call has to lead
	done  chan error    // holds the outcome once there is one
}

// File puts a filing in line and returns what came of it. A context that ends
// before the transaction has begun leaves nothing on disk; after that the call
// returns what came of it.
func (q *Queue) File(ctx context.Context, f store.Filing) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &Filing{ctx: ctx, Filing: f, lead: make(chan struct{}), done: make(chan error, 1)}
	if err := w.write(q.Salts); err != nil {
		return err
	}
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	if !q.led {
		q.led = true
		close(w.lead)
	}
	q.mu.Unlock()
	return q.await(w)
}

// write turns a filing into rows, outside any lock.
func (w *Filing) write(salts *Salts) error {
	w.Rows = make([]Arrival, 0, len(w.Arrivals))
	for i, a := range w.Arrivals {
		row, err := newArrival(a, salts)
		if err != nil {
			return fmt.Errorf("arrival %d of %d: %w", i+1, len(w.Arrivals), err)
		}
		w.Rows = append(w.Rows, row)
		w.bytes += len(row.Head) + len(row.Body)
	}
	return nil
}

// Filed gives the i-th arrival of a call its number and digest.
func (w *Filing) Filed(i int, number int64) {
	a := w.Arrivals[i]
	a.Number, a.Digest = number, w.Rows[i].Digest
	if attempt, ok := a.Body.(crossdock.Attempt); ok {
		attempt.ID = number
		a.Body = attempt
	}
}

// await returns the outcome of w, having led a group when it was w's turn.
func (q *Queue) await(w *Filing) error {
	select {
	case err := <-w.done:
		return err
	case <-w.lead:
		return q.leadFrom(w)
	case <-w.ctx.Done():
	}
	if q.leave(w) {
		return w.ctx.Err()
	}
	select { // it is being written, or was just handed the lead
	case err := <-w.done:
		return err
	case <-w.lead:
		return q.leadFrom(w)
	}
}

// leave takes w out of the queue; false when it is out already or leads.
func (q *Queue) leave(w *Filing) bool {
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
func (q *Queue) leadFrom(w *Filing) error {
	q.commit(q.next())
	q.Tend()
	q.handOn()
	return <-w.done
}

// next takes the next group out of the queue.
func (q *Queue) next() []*Filing {
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
func (q *Queue) handOn() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.led = len(q.waiting) > 0; q.led {
		close(q.waiting[0].lead)
	}
}

// commit writes a group and tells each of it what came of it. Where the group
// fails, each is tried alone: one too large for the disk doesn't fail the rest.
func (q *Queue) commit(group []*Filing) {
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
	err := q.Commit(alive)
	if err == nil || len(alive) == 1 || q.Hopeless(err) {
		for _, w := range alive {
			w.done <- err
		}
		return
	}
	for _, w := range alive {
		w.done <- q.Commit([]*Filing{w})
	}
}

// Waiting returns how many calls wait for the next transaction, and whether one leads.
func (q *Queue) Waiting() (int, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting), q.led
}
