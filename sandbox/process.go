package sandbox

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// InProcess says how time passes for requests that go to a door without a
// socket.
type InProcess struct {
	// Advance moves simulated time on. Nil waits in real time.
	Advance func(time.Duration)
	// Timeout is how long the caller waits for an answer; 0 means 30 s. Simulated
	// requests are timed by it and never by the request's context, whose deadline
	// is in real time.
	Timeout time.Duration
}

// RoundTripper returns a transport that hands requests straight to the door's
// handler, in the caller's goroutine, with the faults the door was ordered to
// play. A lost answer and a late commit return a *net.OpError "connection reset
// by peer"; a hang, or an answer slower than the timeout, returns a timeout
// error that is context.DeadlineExceeded, after time has moved by the timeout.
// Late commits stay queued until RunLate.
func (d *Door) RoundTripper(p InProcess) http.RoundTripper {
	if p.Timeout <= 0 {
		p.Timeout = 30 * time.Second
	}
	return &inProcess{door: d, InProcess: p}
}

type inProcess struct {
	door *Door
	InProcess
}

// RoundTrip implements http.RoundTripper.
func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in, err := hold(r)
	if r.Body != nil {
		_ = r.Body.Close() // a RoundTripper must close it; what was read is held
	}
	if err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	d, f := p.door, p.door.decide(r)
	switch f.kind {
	case swallow:
		return nil, p.pass(r.Context(), p.Timeout+1)
	case refuse:
		if err := p.pass(r.Context(), f.slow); err != nil {
			return nil, err
		}
		return refusal(f).response(r), nil
	case lost:
		d.run(in.request(context.WithoutCancel(r.Context())))
		return nil, connectionReset()
	case later:
		d.queue(in, f.wait)
		return nil, connectionReset()
	}
	a := d.run(in.request(r.Context()))
	if a.aborted {
		return nil, connectionReset()
	}
	if err := p.pass(r.Context(), f.slow); err != nil {
		return nil, err
	}
	return a.response(r), nil
}

// pass lets time pass. A wait longer than the timeout ends at the timeout, with
// its error.
func (p *inProcess) pass(ctx context.Context, wait time.Duration) error {
	over := wait > p.Timeout
	if over {
		wait = p.Timeout
	}
	switch {
	case wait <= 0:
	case p.Advance != nil:
		p.Advance(wait)
	case !pause(ctx, wait):
		return ctx.Err()
	}
	if over {
		return timedOut{}
	}
	return nil
}

// timedOut is the error of a request that was not answered in time. Like
// net/http's own it is a timeout and context.DeadlineExceeded.
type timedOut struct{}

func (timedOut) Error() string        { return "context deadline exceeded (no answer within the timeout)" }
func (timedOut) Timeout() bool        { return true }
func (timedOut) Temporary() bool      { return true }
func (timedOut) Is(target error) bool { return target == context.DeadlineExceeded }

var _ net.Error = timedOut{}

func connectionReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// response makes a client's response of a kept answer.
func (a *answer) response(r *http.Request) *http.Response {
	return &http.Response{
		Status:     strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        a.sent,
		Body:          io.NopCloser(bytes.NewReader(a.body.Bytes())),
		ContentLength: int64(a.body.Len()),
		Request:       r,
	}
}
