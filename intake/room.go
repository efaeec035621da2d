package intake

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/crossdockhq/crossdock/connector"
)

// Bounds of the bodies that are in memory at once, in bytes. Nobody knows whether a
// message is genuine before its last byte was read. Small ones have a room of their
// own, so that they never wait behind large ones.
const (
	smallBody   = 256 << 10 // an order of Shopify with 100 lines has about 200 kB
	smallRoom   = 32 << 20
	largeRoom   = 4 * connector.HardCap
	mostWaiting = 256 // requests; each is a connection and a goroutine
)

// patience is how long a request waits to be read; it lies below the time the
// server gives a request.
const patience = 30 * time.Second

// room bounds the memory that bodies take between the first byte and the filing.
// The zero room is ready for use.
type room struct {
	begin        sync.Once
	small, large *semaphore.Weighted
	waiting      atomic.Int64
}

// enter waits until the body of a request may be read. leave has to be called once
// the body is not needed any more. ok is false when there was no room in time, or
// when too many wait already.
func (m *room) enter(r *http.Request, wait time.Duration) (leave func(), ok bool) {
	m.begin.Do(func() {
		m.small, m.large = semaphore.NewWeighted(smallRoom), semaphore.NewWeighted(largeRoom)
	})
	takes, of := connector.Kept(r), m.large
	if takes <= smallBody {
		of = m.small
	}
	leave = func() { of.Release(takes) }
	if of.TryAcquire(takes) {
		return leave, true
	}
	defer m.waiting.Add(-1)
	if m.waiting.Add(1) > mostWaiting {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	return leave, of.Acquire(ctx, takes) == nil
}
