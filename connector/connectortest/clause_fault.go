package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// The clauses about a system that does not answer as it should.

func subject(x *trial) {
	st := x.stages[0]
	if p, ok := st.conn.(connector.Puller); ok {
		for _, k := range p.Kinds() {
			r := st.w.Records[k]
			switch {
			case r.Make == nil || r.Alter == nil || r.Page < 1:
				x.wrong("%s is pulled, and the world does not say how people make and alter one, and how many a page holds", k)
			case r.Delete == nil && r.Never == "":
				x.wrong("%s is pulled, and the world says neither how one is deleted nor why that never is", k)
			}
		}
	}
	if _, ok := st.conn.(connector.Finder); ok && len(st.there()) == 0 && len(st.w.Writes) == 0 {
		x.wrong("it is a Finder, and there is nothing to find in the world")
	}
	if _, ok := st.conn.(connector.Receiver); ok && (st.w.Webhooks == nil || len(st.w.Webhooks.Bodies) == 0) {
		x.wrong("it is a Receiver, and the world sends nothing")
	}
	_, pushes := st.conn.(connector.Pusher)
	for _, k := range x.s.Type.Takes {
		written := slices.ContainsFunc(st.w.Writes, func(w Write) bool { return w.Kind == k })
		projected := slices.ContainsFunc(st.w.Projections, func(p Projection) bool { return p.Record.Kind == k })
		if !pushes || !written || !projected {
			x.wrong("%s is taken, and the connector has no such door, or the world no push or no projection of one", k)
		}
	}
	if pushes && len(x.s.Type.Takes) == 0 {
		x.wrong("it is a Pusher, and its type takes nothing")
	}
	if len(st.w.Secrets) == 0 {
		x.wrong("the world does not say which secrets the connector was given")
	}
}

func ping(x *trial) {
	st := x.stages[0]
	ctx, cancel := st.ctx()
	defer cancel()
	if err := st.conn.Ping(ctx); err != nil {
		x.wrong("Ping of a system that is well: %v", err)
	}
	st.w.Credential(false)
	if err := st.conn.Ping(ctx); crossdock.CodeOf(err) != crossdock.Unauthorized {
		x.wrong("Ping with a credential that was taken back: %s", told(err))
	}
	st.w.Credential(true)
	if err := st.conn.Ping(ctx); err != nil {
		x.wrong("Ping once the credential is good again: %v", err)
	}
}

func told(err error) string {
	if err == nil {
		return "no error"
	}
	return fmt.Sprintf("code %q (%v)", crossdock.CodeOf(err), err)
}

// soon is how long a call may go on after its context was cancelled.
const soon = 2 * time.Second

func cancelled(x *trial) {
	st := x.stages[0]
	for _, c := range st.calls() {
		st.ends(c.name, func(ctx context.Context) { _ = c.do(ctx) })
	}
	x.writes(func(st *stage, w Write) {
		batch := w.Push(2)
		st.ends("Push, "+w.Name, func(ctx context.Context) { st.push(ctx, batch) })
	})
}

// ends lets a system hang, cancels the call and waits for its end.
func (st *stage) ends(name string, do func(context.Context)) {
	st.p.arm(every(faultHang))
	defer st.p.disarm()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hangs, done := make(chan struct{}, 1), make(chan struct{})
	st.p.whenHung(func() {
		select {
		case hangs <- struct{}{}:
		default: // the first one is enough
		}
	})
	defer st.p.whenHung(nil)
	go func() {
		defer close(done)
		do(ctx)
	}()
	select {
	case <-done:
		st.wrong("%s ends, and the system has not answered", name)
		return
	case <-hangs:
		cancel()
	case <-time.After(patience):
		st.wrong("%s asks the system nothing in %s", name, patience)
		cancel()
	}
	select {
	case <-done:
	case <-time.After(soon):
		st.wrong("%s goes on %s after its context was cancelled", name, soon)
		st.p.letGo()
		<-done
	}
}

func throttled(x *trial) {
	st := x.stages[0]
	ctx, cancel := st.ctx()
	defer cancel()
	for _, c := range st.calls() {
		st.p.arm(every(faultThrottled))
		err := c.do(ctx)
		st.p.disarm()
		var asks interface{ After() time.Duration }
		switch {
		case crossdock.CodeOf(err) != crossdock.Throttled:
			x.wrong("%s at a 429: %s", c.name, told(err))
		case !errors.As(err, &asks) || asks.After() != retryAfter:
			x.wrong("%s at a 429 with Retry-After: no error in the chain says by its method After that it is %s", c.name, retryAfter)
		}
	}
	x.writes(func(st *stage, w Write) {
		batch := w.Push(2)
		st.p.arm(every(faultThrottled))
		got := st.push(ctx, batch)
		st.p.disarm()
		for i, r := range got {
			if r != nil && (r.Code != crossdock.Throttled || r.After != retryAfter) {
				x.wrong("%s at a 429 with Retry-After %s: code %q, after %s (%s)", w.Name, retryAfter, r.Code, r.After, r.Text)
			}
			if n := w.Effects(batch[i]); n != 0 {
				x.wrong("%s: throttled, and %d effects", w.Name, n)
			}
		}
	})
}

func away(x *trial) {
	st := x.stages[0]
	unread := []Fault{faultBroken, faultReset, faultHang, faultPage, faultTruncated, faultLength, faultStall}
	for _, c := range st.calls() {
		for _, f := range unread {
			if err := st.struck(f, c.do); crossdock.CodeOf(err) != crossdock.Unavailable {
				x.wrong("%s, %s: %s", c.name, f, told(err))
			}
		}
	}
	x.writes(func(st *stage, w Write) {
		unsent(st, w)
		st.warm(w)
		for _, f := range unread[:4] {
			for n := 1; n <= requests; n++ {
				batch := w.Push(2)
				var got []*crossdock.Receipt
				st.p.arm(only(n, f))
				st.within(f, func(ctx context.Context) { got = st.push(ctx, batch) })
				if _, struck := st.p.disarm(); struck == 0 {
					break
				}
				for i, r := range got {
					st.afterTrouble(w, batch[i], r, fmt.Sprintf("%s at request %d", f, n))
				}
			}
		}
	})
}

// requests bounds how many requests of one call are struck, one at a time.
const requests = 12

// struck does something while every request meets a fault.
func (st *stage) struck(f Fault, do func(context.Context) error) (err error) {
	st.p.arm(every(f))
	defer st.p.disarm()
	st.within(f, func(ctx context.Context) { err = do(ctx) })
	return err
}

// within runs a call whose context ends soon after the system began to hang.
func (st *stage) within(f Fault, do func(context.Context)) {
	long, end := st.ctx()
	defer end()
	ctx, cancel := context.WithCancelCause(long)
	defer cancel(nil)
	if f.hangs() {
		st.p.whenHung(func() {
			time.AfterFunc(2*time.Millisecond, func() { cancel(context.DeadlineExceeded) })
		})
		defer st.p.whenHung(nil)
	}
	do(ctx)
}

// unsent holds a connector to a system that is not there: nothing can have left.
func unsent(st *stage, w Write) {
	batch := w.Push(2)
	dead := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}}
	c, err := st.w.Open(st.p.url, connector.Env{System: System, Transport: dead, Now: st.w.Now})
	st.need(err, "opening a connector to a system that is away")
	ctx, cancel := st.ctx()
	defer cancel()
	for i, r := range (&stage{trial: st.trial, conn: c}).push(ctx, batch) {
		if r != nil && r.Code != crossdock.Unavailable {
			st.wrong("%s to a system that refuses the connection: code %q (%s), and nothing can have left", w.Name, r.Code, r.Text)
		}
		if n := w.Effects(batch[i]); n != 0 {
			st.wrong("%s to a system that refuses the connection: %d effects", w.Name, n)
		}
	}
}

// warm lets one push through, so that what is asked for once has been asked for.
func (st *stage) warm(w Write) {
	ctx, cancel := st.ctx()
	defer cancel()
	st.push(ctx, w.Push(1))
}

// afterTrouble holds one receipt against what is in the world.
func (st *stage) afterTrouble(w Write, p crossdock.Push, r *crossdock.Receipt, when string) {
	effects := w.Effects(p)
	if effects > 1 {
		st.wrong("%s, %s: %d effects of one push", w.Name, when, effects)
	}
	if r == nil {
		return
	}
	switch r.Code {
	case crossdock.OK:
		if effects != 1 {
			st.wrong("%s, %s: the receipt is OK, and there are %d effects", w.Name, when, effects)
		}
	case crossdock.Ambiguous:
	case crossdock.Unavailable:
		if effects != 0 {
			st.wrong("%s, %s: the receipt is Unavailable (%s), and there is an effect", w.Name, when, r.Text)
		}
	default:
		st.wrong("%s, %s: code %q (%s)", w.Name, when, r.Code, r.Text)
	}
}

func credential(x *trial) {
	st := x.stages[0]
	ctx, cancel := st.ctx()
	defer cancel()
	for _, c := range st.calls() {
		if c.name == "Ping" { // the clause "ping"
			continue
		}
		for n := 1; n <= requests; n++ {
			st.p.arm(st.expires(n))
			err := c.do(ctx)
			came, _ := st.p.disarm()
			st.w.Credential(true)
			if came < n {
				break
			}
			if crossdock.CodeOf(err) != crossdock.Unauthorized {
				x.wrong("%s with a credential that expires before request %d: %s", c.name, n, told(err))
			}
		}
	}
	x.writes(func(st *stage, w Write) {
		batch := w.Push(2)
		st.w.Credential(false)
		for i, r := range st.push(ctx, batch) {
			if r != nil && r.Code != crossdock.Unauthorized {
				x.wrong("%s with an expired credential: code %q (%s)", w.Name, r.Code, r.Text)
			}
			if n := w.Effects(batch[i]); n != 0 {
				x.wrong("%s with an expired credential: %d effects", w.Name, n)
			}
		}
	})
}

// expires lets the credential expire before the nth request.
func (st *stage) expires(n int) func(int) Fault {
	return func(at int) Fault {
		if at == n {
			st.w.Credential(false)
		}
		return ""
	}
}

// heard collects what a connector says where a person may read it.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) say(what string) { fmt.Fprintln(h, what) }

func (h *heard) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// errorOf writes an error with all it wraps, as a log would.
func (h *heard) errorOf(err error) {
	for ; err != nil; err = errors.Unwrap(err) {
		h.say(err.Error())
		h.say(fmt.Sprintf("%+v", err))
	}
}

func (h *heard) message(m crossdock.Message) { h.say(fmt.Sprintf("%+v %s", m, m.Body)) }

func secret(x *trial) {
	said := &heard{}
	logger, out := slog.Default(), log.Writer()
	slog.SetDefault(slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.SetOutput(said)
	defer func() {
		slog.SetDefault(logger)
		log.SetOutput(out)
	}()
	faults := func(i int) []Fault { return append(leaks(i), faultEcho) }
	st := x.stages[0]
	ctx, cancel := st.ctx()
	defer cancel()
	for i, c := range st.calls() {
		for _, f := range faults(i) {
			said.errorOf(st.struck(f, c.do))
		}
		st.w.Credential(false)
		said.errorOf(c.do(ctx))
		st.w.Credential(true)
	}
	if hooks := st.w.Webhooks; hooks != nil {
		if rec, ok := st.conn.(connector.Receiver); ok {
			for _, h := range []string{"", "bm8=", hooks.Header} {
				r := hooks.Sign(hooks.Bodies[0])
				r.Header.Set(hooks.Header, h)
				_, _, err := rec.Receive(r)
				said.errorOf(err)
			}
		}
	}
	if isTranslator(st.conn) {
		for _, m := range st.messages() {
			said.message(m)
		}
	}
	x.writes(func(st *stage, w Write) {
		for _, f := range faults(1) {
			batch := w.Push(1)
			st.p.arm(every(f))
			st.within(f, func(ctx context.Context) {
				for _, r := range st.push(ctx, batch) {
					if r != nil {
						said.say(r.Text)
					}
				}
			})
			st.p.disarm()
		}
		st.w.Credential(false)
		for _, r := range st.push(ctx, w.Push(1)) {
			if r != nil {
				said.say(r.Text)
			}
		}
	})
	text := said.text()
	if text == "" {
		x.wrong("nothing at all was said of the faults")
	}
	for _, s := range x.stages[0].w.Secrets {
		if at := strings.Index(text, s); at >= 0 {
			x.wrong("a secret can be read: …%s…", strings.ReplaceAll(text[max(0, at-120):at], "\n", " ")+"SECRET")
		}
	}
}

func leak(x *trial) {
	st := x.stages[0]
	st.transport.CloseIdleConnections()
	before := settled(0)
	for i, c := range st.calls() {
		for _, f := range leaks(i) {
			_ = st.struck(f, c.do)
		}
	}
	_, pushes := st.conn.(connector.Pusher)
	for i, w := range st.w.Writes {
		for _, f := range leaks(i) {
			if !pushes {
				break
			}
			batch := w.Push(2)
			st.p.arm(every(f))
			st.within(f, func(ctx context.Context) { st.push(ctx, batch) })
			st.p.disarm()
		}
	}
	for end := time.Now().Add(3 * time.Second); st.p.active() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if n := st.p.active(); n > 0 {
		x.wrong("%d connections are in use after every call has ended", n)
	}
	st.transport.CloseIdleConnections()
	if after := settled(before); after > before {
		x.wrong("%d goroutines were there before the calls and %d after them", before, after)
	}
}

// leaks are the faults after which something may stay; the slow one is tried once.
func leaks(i int) []Fault {
	out := []Fault{"", faultThrottled, faultBroken, faultPage, faultTruncated, faultReset}
	if i == 0 {
		out = append(out, faultHang, faultStall)
	}
	return out
}

// settled counts goroutines once they are as few as wanted, or stay as many.
func settled(want int) int {
	now, still := runtime.NumGoroutine(), time.Now()
	for {
		time.Sleep(2 * time.Millisecond)
		n := runtime.NumGoroutine()
		if n != now {
			now, still = n, time.Now()
		}
		if quiet := time.Since(still); now <= want || quiet > 300*time.Millisecond || want == 0 && quiet > 30*time.Millisecond {
			return now
		}
	}
}

// bodyOf returns the bytes of a request and leaves them there.
func bodyOf(r *http.Request) []byte {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err) // it is a buffer
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return b
}
