package connectortest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// Fault is what happens to a request on its way.
type Fault string

// The faults. The first ones keep the request from the system; after the others it
// has done what it was asked to, and only the answer suffers.
const (
	faultThrottled Fault = "429 with Retry-After"
	faultBroken    Fault = "500, nothing done"
	faultHang      Fault = "no answer"
	faultReset     Fault = "reset before the system saw it"
	faultPage      Fault = "a page of HTML in place of the system"
	faultEcho      Fault = "500 that repeats the request"

	faultLost      Fault = "reset after the system did it"
	faultLate      Fault = "500 after the system did it"
	faultTruncated Fault = "the answer breaks off"
	faultStall     Fault = "the answer stops in the middle"
	faultLength    Fault = "the answer is longer than it says"
	faultHTML      Fault = "HTML in place of the answer"
)

// hangs reports a fault that ends only when the client goes away.
func (f Fault) hangs() bool { return f == faultHang || f == faultStall }

// retryAfter is what a throttled request is told to wait.
const retryAfter = 7 * time.Second

// proxy stands before the system and makes faults. It counts requests from 1 on.
type proxy struct {
	url     string
	next    http.Handler
	server  *httptest.Server
	release chan struct{} // closed: who hangs is let go

	mu     sync.Mutex
	count  int
	strike func(n int) Fault // "" lets it pass; nil: all pass
	struck int
	hung   func() // called when a request begins to hang; nil: nobody waits for that
	conns  map[net.Conn]http.ConnState
}

func newProxy(next http.Handler) *proxy {
	p := &proxy{next: next, release: make(chan struct{}), conns: map[net.Conn]http.ConnState{}}
	p.server = httptest.NewUnstartedServer(p)
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.server.Config.ConnState = func(c net.Conn, s http.ConnState) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conns[c] = s
		if s == http.StateClosed || s == http.StateHijacked {
			delete(p.conns, c)
		}
	}
	p.server.Start()
	p.url = p.server.URL
	return p
}

// arm counts anew and says what happens to the requests to come.
func (p *proxy) arm(strike func(n int) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count, p.struck, p.strike = 0, 0, strike
}

// disarm lets all pass and returns how many came and how many were struck since arm.
func (p *proxy) disarm() (came, struck int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	came, struck = p.count, p.struck
	p.count, p.struck, p.strike = 0, 0, nil
	return came, struck
}

// only strikes the nth request.
func only(n int, f Fault) func(int) Fault {
	return func(at int) Fault {
		if at == n {
			return f
		}
		return ""
	}
}

// every strikes all.
func every(f Fault) func(int) Fault { return func(int) Fault { return f } }

// active counts connections in the middle of a request.
func (p *proxy) active() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.conns {
		if s == http.StateActive {
			n++
		}
	}
	return n
}

// letGo ends what hangs.
func (p *proxy) letGo() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.release)
	p.release = make(chan struct{})
}

func (p *proxy) close() {
	p.letGo()
	p.server.CloseClientConnections()
	p.server.Close()
}

// fate says what becomes of the request that just came, and what lets it go when it hangs.
func (p *proxy) fate() (f Fault, release chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	if p.strike != nil {
		f = p.strike(p.count)
	}
	if f != "" {
		p.struck++
	}
	return f, p.release
}

const page = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the connector went away while it sent
	}
	f, release := p.fate()
	switch f {
	case "":
		a := p.ask(r, body)
		a.send(w, a.body)
	case faultThrottled:
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	case faultBroken:
		http.Error(w, "the system broke", http.StatusInternalServerError)
	case faultEcho:
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s %s\n%v\n%s", r.Method, r.URL, r.Header, body)
	case faultPage:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page)
	case faultHang:
		p.hang(r, release)
	case faultReset:
		reset(w)
	default:
		a := p.ask(r, body)
		p.spoil(w, a, f)
		if f == faultStall {
			p.hang(r, release)
		}
	}
}

// hang says nothing more until the client goes away or is let go.
func (p *proxy) hang(r *http.Request, release chan struct{}) {
	p.mu.Lock()
	hung := p.hung
	p.mu.Unlock()
	if hung != nil {
		hung()
	}
	select {
	case <-r.Context().Done():
	case <-release:
	}
	panic(http.ErrAbortHandler)
}

// whenHung has something called whenever a request begins to hang.
func (p *proxy) whenHung(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung = do
}

// spoil gives an answer in a way that nobody can read.
func (p *proxy) spoil(w http.ResponseWriter, a answer, f Fault) {
	switch f {
	case faultLost:
		reset(w)
	case faultLate:
		http.Error(w, "the worker died", http.StatusInternalServerError)
	case faultHTML:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page)
	case faultTruncated: // the length is that of the whole
		a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
		a.send(w, a.body[:len(a.body)/2])
		panic(http.ErrAbortHandler)
	case faultStall:
		a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
		a.send(w, a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush() // fails where the client is gone already
	case faultLength: // the length is that of a part, which is what the client reads
		a.header.Set("Content-Length", strconv.Itoa(len(a.body)/2))
		a.send(w, a.body[:len(a.body)/2])
	default:
		panic("no such fault: " + string(f))
	}
}

// answer is what the system said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask lets the system do what it is asked to, whether the client is still there or not.
func (p *proxy) ask(r *http.Request, body []byte) answer {
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	p.next.ServeHTTP(rec, again)
	return answer{rec.Code, rec.Header().Clone(), rec.Body.Bytes()}
}

func (a answer) send(w http.ResponseWriter, body []byte) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that went away is none of our business
}

// reset closes the connection as a machine does that was switched off.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails on a closed socket only
	}
	_ = conn.Close()
}
