package intake

import (
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock/connector"
)

// Bounds of the bodies that are in memory at once, in bytes. Nobody knows whether a
// message is genuine before its last byte was read. Small ones have a room of their
// own, so that they never wait behind large ones.
const (
	smallBody = 256 << 10 // an order of Shopify with 100 lines has about 200 kB
	smallRoom = 32 << 20  // of bytes that were read; what is announced and not sent takes none
	largeRoom = 4 * connector.HardCap
)

// How long a body waits for room before one that comes too slowly has to leave it,
// and how slowly that is. A body that nobody waits for may take as long as the server
// gives a request.
const (
	smallPatience = time.Second
	patience      = 10 * time.Second // of large ones
	tooSlow       = 64 << 10         // bytes a second, over the last second or longer
	longest       = time.Minute      // in waiting, for room
)

// room bounds the memory that bodies take between the first byte and the filing.
// The zero room is ready for use.
type room struct {
	begin        sync.Once
	small, large *pool
}

// enter lets the body of a request into the room: from now on its bytes are counted,
// or, of a large one or one of unknown length, reserved before the first is read. What
// has to wait for room is not read, so that its sender waits too. leave has to be
// called once the body is not needed any more. An error is a body for which there was
// no room in time; it is a timeout.
func (m *room) enter(w http.ResponseWriter, r *http.Request, wait time.Duration) (leave func(), err error) {
	m.begin.Do(func() { m.small, m.large = newPool(smallRoom), newPool(largeRoom) })
	in := &reading{ReadCloser: r.Body, answer: http.NewResponseController(w), of: m.large, patience: wait, fast: time.Now()}
	takes := connector.Kept(r)
	if takes <= smallBody {
		in.of, in.counts, in.patience = m.small, true, min(wait, smallPatience)
	} else if err := in.of.take(in, takes); err != nil {
		return nil, err
	}
	in.fast = time.Now()
	if r.Body != nil {
		r.Body = in
	}
	return func() { in.of.leave(in) }, nil
}

// reading is a body that is being read.
type reading struct {
	io.ReadCloser
	answer   *http.ResponseController
	of       *pool
	counts   bool // each byte takes room when it was read; else all have it already
	patience time.Duration

	// Under the pool's lock.
	holds int64
	fast  time.Time // when it began, or when it was last seen to be fast enough
	since int64     // bytes read after that
	ended bool
}

// Read implements io.Reader. It waits where there is no room for what it has read.
func (b *reading) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		if e := b.of.progress(b, int64(n)); e != nil {
			return 0, e
		}
	}
	if b.of.hasEnded(b) {
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}

// pool is a number of bytes that bodies share. Those that wait for some are served in
// the order of their coming.
type pool struct {
	mu      sync.Mutex
	free    int64
	in      map[*reading]bool // that hold some
	waiting []*reading
	freed   chan struct{} // closed when something changes, and made anew
}

func newPool(size int64) *pool {
	return &pool{free: size, in: map[*reading]bool{}, freed: make(chan struct{})}
}

// progress notes bytes of a body and takes room for them where they have none yet.
func (p *pool) progress(b *reading, n int64) error {
	p.mu.Lock()
	b.since += n
	b.isSlow(time.Now())
	p.mu.Unlock()
	if !b.counts {
		return nil
	}
	return p.take(b, n)
}

// rate is how many bytes a second have come of a body lately.
func (b *reading) rate(now time.Time) float64 {
	return float64(b.since) / max(now.Sub(b.fast).Seconds(), 0.001)
}

// isSlow reports a body that has come too slowly for a second or longer. One that was
// fast enough until now is measured anew from now on.
func (b *reading) isSlow(now time.Time) bool {
	switch {
	case now.Sub(b.fast) < time.Second:
		return false
	case b.rate(now) < tooSlow:
		return true
	}
	b.fast, b.since = now, 0
	return false
}

// take takes n bytes for b, and waits for them where they are not free. When all that
// hold some wait for more, the first of them gets it in spite: it must come to its end.
func (p *pool) take(b *reading, n int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	began := time.Now()
	p.waiting = append(p.waiting, b)
	defer func() {
		p.waiting = slices.DeleteFunc(p.waiting, func(w *reading) bool { return w == b })
		p.changed()
	}()
	for {
		first, now := p.waiting[0] == b, time.Now()
		switch {
		case b.ended || now.Sub(began) > longest:
			return os.ErrDeadlineExceeded
		case first && (p.free >= n || p.stuck()):
			p.free -= n
			b.holds += n
			p.in[b] = true
			b.fast = b.fast.Add(now.Sub(began)) // it did not come slowly while it waited
			return nil
		case first && now.Sub(began) >= b.patience:
			p.endSlowest(now)
		}
		freed := p.freed
		p.mu.Unlock()
		select {
		case <-freed:
		case <-time.After(min(b.patience, 100*time.Millisecond)):
		}
		p.mu.Lock()
	}
}

// stuck reports that every body that holds room waits for more.
func (p *pool) stuck() bool {
	for b := range p.in {
		if !slices.Contains(p.waiting, b) {
			return false
		}
	}
	return true
}

// endSlowest ends the slowest of the bodies that come too slowly: its sender is told
// that it was late, and its connection is closed.
func (p *pool) endSlowest(now time.Time) {
	var slowest *reading
	for b := range p.in {
		if b.ended || slices.Contains(p.waiting, b) || !b.isSlow(now) {
			continue
		}
		if slowest == nil || b.rate(now) < slowest.rate(now) {
			slowest = b
		}
	}
	if slowest != nil {
		slowest.ended = true
		_ = slowest.answer.SetReadDeadline(time.Unix(1, 0)) // where it can't be set, its next byte ends it
	}
}

func (p *pool) hasEnded(b *reading) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return b.ended
}

// leave gives back what b holds.
func (p *pool) leave(b *reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free += b.holds
	b.holds = 0
	delete(p.in, b)
	p.changed()
}

func (p *pool) changed() {
	close(p.freed)
	p.freed = make(chan struct{})
}
