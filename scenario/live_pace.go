package scenario

import (
	"context"
	"sync"
	"time"
)

// reading are the methods that change nothing in Odoo.
var reading = map[string]bool{
	"search": true, "search_count": true, "search_read": true, "read": true, "name_search": true,
	"fields_get": true, "get_external_id": true, "context_get": true,
}

// pace keeps apart what a live Odoo would date alike. The clock of a scenario runs
// through minutes while a real Odoo's stands in one second, and Odoo shows the
// dates of changes in whole seconds. A hub that by its clock waited for minutes
// after a date is right to take it that nothing more will be dated so. So a change
// that comes after the hub has looked waits until the last change is a second old.
type pace struct {
	mu   sync.Mutex
	seen bool // the hub has looked since the last change
	last time.Time
}

// saw says that the hub looks.
func (p *pace) saw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = true
}

// changed says that a change is done.
func (p *pace) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.last = false, time.Now()
}

// wait returns when the next change may be made.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	left := time.Second - time.Since(p.last)
	if !p.seen || left <= 0 {
		p.mu.Unlock()
		return ctx.Err()
	}
	p.mu.Unlock()
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
