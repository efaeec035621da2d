package sandbox

import (
	"context"
	"slices"
	"time"
)

// lateCommit is a request whose connection was reset before its effect.
type lateCommit struct {
	request held
	due     time.Time
}

// queue keeps a request for later.
func (d *Door) queue(in held, wait time.Duration) *lateCommit {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &lateCommit{request: in, due: d.clock().Add(wait)}
	d.waiting = append(d.waiting, c)
	return c
}

// commit runs one queued request unless it has run already.
func (d *Door) commit(c *lateCommit) bool {
	d.mu.Lock()
	at := slices.Index(d.waiting, c)
	if at >= 0 {
		d.waiting = slices.Delete(d.waiting, at, at+1)
	}
	d.mu.Unlock()
	if at < 0 {
		return false
	}
	d.run(c.request.request(context.WithoutCancel(c.request.from.Context())))
	return true
}

// Due tells how many late commits are due at now.
func (d *Door) Due(now time.Time) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, c := range d.waiting {
		if !c.due.After(now) {
			n++
		}
	}
	return n
}

// Next tells when the next late commit is due; ok is false when none waits.
func (d *Door) Next() (due time.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.waiting {
		if !ok || c.due.Before(due) {
			due, ok = c.due, true
		}
	}
	return due, ok
}

// RunLate runs the late commits due at now, earliest first, equal ones in the
// order they came, and tells how many it ran. Commits of real connections also
// run by themselves when their time has passed; each runs once.
func (d *Door) RunLate(now time.Time) int {
	d.mu.Lock()
	var due []*lateCommit
	for _, c := range d.waiting {
		if !c.due.After(now) {
			due = append(due, c)
		}
	}
	d.mu.Unlock()
	slices.SortStableFunc(due, func(a, b *lateCommit) int { return a.due.Compare(b.due) })
	n := 0
	for _, c := range due {
		if d.commit(c) {
			n++
		}
	}
	return n
}
