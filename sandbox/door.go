// Package sandbox holds what the stand-ins for outside systems share: a Door
// around a stand-in's handler that plays the faults a real system and a real
// network have, ordered in the words of the scenario format.
//
// A Door serves real HTTP (it is an http.Handler) and in-process HTTP (see
// Door.RoundTripper). Both ask the same function what becomes of a request, so
// a fault means the same in a demonstration over sockets and in a simulation on
// a simulated clock.
package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Door stands before a stand-in and plays the faults ordered with Order. With
// nothing ordered every request passes. A Door may be used by several
// goroutines; the handler behind it must allow the same.
type Door struct {
	handler http.Handler
	clock   func() time.Time

	mu       sync.Mutex
	rand     *rand.Rand
	down     bool
	hang     bool
	slow     time.Duration
	errors   float64 // share of requests answered with an error, 0 to 1
	lose     int     // answers still to lose
	late     int     // requests still to commit late
	lateBy   time.Duration
	throttle int           // requests still to answer with 429
	after    time.Duration // Retry-After of those
	method   string        // only requests of this method are touched; empty: all
	path     string        // only requests whose path begins so; empty: all
	waiting  []*lateCommit // in the order they were asked for
	struck   map[string]int
}

// Wrap puts a door before h. The clock is read when a late commit is queued;
// the seed decides which requests an `errors P%` order strikes.
func Wrap(h http.Handler, clock func() time.Time, seed int64) *Door {
	return &Door{handler: h, clock: clock, rand: Rand(seed), struck: map[string]int{}}
}

// Rand returns a random source that gives the same numbers for the same seed on
// every machine (PCG of math/rand/v2). It is not safe for several goroutines.
func Rand(seed int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0x9e3779b97f4a7c15))
}

// Struck tells how many requests each fault has hit so far, by the word that
// ordered it.
func (d *Door) Struck() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make(map[string]int, len(d.struck))
	for word, n := range d.struck {
		out[word] = n
	}
	return out
}

// fate is what becomes of one request. Exactly one of the kinds below.
type fate struct {
	kind   kind
	status int           // of an answer that is given instead of the handler's
	wait   time.Duration // Retry-After of a throttled request, delay of a late commit
	slow   time.Duration // delay of the answer
}

type kind int

const (
	pass    kind = iota // the handler runs, its answer is given
	refuse              // the handler does not run, status is answered
	swallow             // the handler does not run, no answer is ever given
	lost                // the handler runs, the connection is reset
	later               // the connection is reset, the handler runs after wait
)

// decide says what becomes of a request and uses up counted orders. It is the
// only place that does so, for real and for in-process requests alike.
func (d *Door) decide(r *http.Request) fate {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.concerns(r) {
		return fate{kind: pass}
	}
	f := fate{kind: pass, slow: d.slow}
	switch {
	case d.down:
		f.kind, f.status = refuse, http.StatusServiceUnavailable
		d.struck["down"]++
	case d.hang:
		f.kind = swallow
		d.struck["hang"]++
	case d.throttle > 0:
		d.throttle--
		f.kind, f.status, f.wait = refuse, http.StatusTooManyRequests, d.after
		d.struck["throttle"]++
	case d.errors > 0 && d.rand.Float64() < d.errors:
		f.kind, f.status = refuse, http.StatusServiceUnavailable
		if d.rand.IntN(2) == 0 {
			f.status = http.StatusInternalServerError
		}
		d.struck["errors"]++
	case d.lose > 0:
		d.lose--
		f.kind = lost
		d.struck["lose-answers"]++
	case d.late > 0:
		d.late--
		f.kind, f.wait = later, d.lateBy
		d.struck["late-commit"]++
	}
	if f.slow > 0 {
		d.struck["slow"]++
	}
	return f
}

// ServeHTTP plays the ordered faults on a real connection. Resets are real: the
// socket is closed with a zero linger, so the client reads "connection reset by
// peer". A hung request ends when its client goes away.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := hold(r)
	if err != nil {
		http.Error(w, "the request's body could not be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	f := d.decide(r)
	switch f.kind {
	case swallow:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case refuse:
		if pause(r.Context(), f.slow) {
			refusal(f).writeTo(w)
		}
	case lost:
		d.run(in.request(context.WithoutCancel(r.Context())))
		reset(w)
	case later:
		commit := d.queue(in, f.wait)
		time.AfterFunc(f.wait, func() { d.commit(commit) })
		reset(w)
	default:
		a := d.run(in.request(r.Context()))
		if a.aborted {
			panic(http.ErrAbortHandler)
		}
		if pause(r.Context(), f.slow) {
			a.writeTo(w)
		}
	}
}

// pause waits in real time and tells whether the client is still there.
func pause(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// reset closes the client's connection with a TCP reset and no answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has no connection to take; the stream is reset
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only on a closed socket, which is what we want
	}
	_ = conn.Close()
}

// held is a request whose body is in memory, so that it can be run after its
// connection is gone.
type held struct {
	from *http.Request
	body []byte
}

func hold(r *http.Request) (held, error) {
	if r.Body == nil {
		return held{from: r}, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return held{}, fmt.Errorf("reading the body of %s %s: %w", r.Method, r.URL.Path, err)
	}
	return held{from: r, body: body}, nil
}

// request makes a server-side request of what was held.
func (h held) request(ctx context.Context) *http.Request {
	r := h.from.Clone(ctx)
	r.Body = io.NopCloser(bytes.NewReader(h.body))
	r.ContentLength = int64(len(h.body))
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.RequestURI = r.URL.RequestURI()
	if r.RemoteAddr == "" {
		r.RemoteAddr = "127.0.0.1:1"
	}
	return r
}

// answer is what a handler wrote, kept in memory. It is an http.ResponseWriter.
type answer struct {
	status  int
	header  http.Header
	sent    http.Header // the header as it was when the status was written
	body    bytes.Buffer
	aborted bool // the handler broke the connection itself
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) writeTo(w http.ResponseWriter) {
	for name, values := range a.sent {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // a client that went away is not an error of ours
}

// run calls the handler and keeps its answer. A handler that aborts its
// connection with http.ErrAbortHandler gives an aborted answer; other panics
// pass through.
func (d *Door) run(r *http.Request) (a *answer) {
	a = &answer{header: http.Header{}}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // the exact value is the contract of net/http
			a.aborted = true
		} else if p != nil {
			panic(p)
		}
	}()
	d.handler.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return a
}

// refusal is the answer of a request that never reached the handler.
func refusal(f fate) *answer {
	a := &answer{header: http.Header{}}
	a.header.Set("Content-Type", "text/plain; charset=utf-8")
	if f.status == http.StatusTooManyRequests {
		a.header.Set("Retry-After", strconv.Itoa(int((f.wait+time.Second-1)/time.Second)))
	}
	a.WriteHeader(f.status)
	fmt.Fprintf(a, "%d %s\n", f.status, http.StatusText(f.status))
	return a
}
