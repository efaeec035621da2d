package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/crossdockhq/crossdock"
)

const (
	// callTimeout bounds a call whose context has no deadline. A hot row kept a
	// recorded write waiting for 16 s before Odoo gave up.
	callTimeout = 60 * time.Second
	// answerLimit bounds what is read of one answer, in bytes.
	answerLimit = 64 << 20
)

// client speaks with one database of an Odoo server in whichever dialect it found
// out when it signed in: when first used, and again when Odoo does not know the
// session or the user any more.
type client struct {
	url, database, user, key string
	companies                []json.Number // the configured scope; none: the user's own company
	http                     *http.Client
	turn                     chan struct{}           // holds one token: who signs in takes it
	in                       atomic.Pointer[session] // nil: not signed in
}

// dialect carries calls of models' methods in one of Odoo's protocols.
type dialect interface {
	// run calls a method and returns its result as Odoo wrote it; a method that
	// returns None has none. Its errors are *crossdock.Error, see fault.go.
	run(ctx context.Context, r request) (json.RawMessage, error)
}

// request is one call of a model's method: the arguments by position, as
// execute_kw takes them, and those by name, the context among them.
type request struct {
	model, method string
	what          string // for error texts: model.method
	writes        bool
	args          []any
	kw            map[string]any
}

func newClient(url string, cfg Config, transport http.RoundTripper) *client {
	c := &client{url: url, database: cfg.Database, user: cfg.User, key: cfg.Key, companies: cfg.scope(), turn: make(chan struct{}, 1)}
	c.http = &http.Client{
		Transport: transport,
		// A redirected POST becomes a GET: better to say that the address is wrong.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.turn <- struct{}{}
	return c
}

// forget makes the next call sign in again.
func (c *client) forget() { c.in.Store(nil) }

// reads are the methods that change nothing: an answer of theirs that is lost
// leaves no doubt, so they never end as Ambiguous.
var reads = map[string]bool{
	"version": true, "authenticate": true, "context_get": true,
	"search_read": true, "read": true, "search": true, "get_external_id": true,
}

// call runs a method of a model in the scope of the connection's companies and
// decodes its result into out (nil: dropped). A method that returns None has no
// result: out stays as it is (recorded).
func (c *client) call(ctx context.Context, model, method string, args []any, kw map[string]any, out any) error {
	s, err := c.session(ctx)
	if err != nil {
		return err
	}
	r := requestOf(model, method, args)
	r.kw = scoped(kw, s.companies)
	result, err := s.run(ctx, r)
	if signedOut(err) {
		// Nothing was done for a user Odoo did not let in, so once more is safe.
		c.in.CompareAndSwap(s, nil)
		if s, err = c.session(ctx); err != nil {
			return err
		}
		result, err = s.run(ctx, r)
	}
	if err != nil {
		return err
	}
	return r.into(result, out)
}

func requestOf(model, method string, args []any) request {
	if args == nil {
		args = []any{}
	}
	return request{model: model, method: method, what: model + "." + method, writes: !reads[method], args: args, kw: map[string]any{}}
}

// into decodes a result. Numbers stay as they are written: results are decoded into
// json.RawMessage or json.Number, never into floats.
func (r request) into(result json.RawMessage, out any) error {
	if out == nil || len(result) == 0 {
		return nil
	}
	if err := json.Unmarshal(result, out); err != nil {
		return lost(r, "the answer has an unexpected form", err)
	}
	return nil
}

// reply is an HTTP answer that came whole.
type reply struct {
	*http.Response
	body []byte
}

// post sends one HTTP request and reads its answer, whatever its status; body nil
// is a GET. What did not come whole is an error.
func (c *client) post(ctx context.Context, r request, path string, header http.Header, body any) (reply, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	method, content := http.MethodGet, []byte(nil)
	if body != nil {
		var err error
		method = http.MethodPost
		header.Set("Content-Type", "application/json")
		if content, err = json.Marshal(body); err != nil {
			return reply{}, crossdock.Errorf(crossdock.Internal, "can't write the arguments of %s: %w", r.what, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return reply{}, fail(crossdock.Unavailable, &cause{class: "transport", err: err}, "%s was not sent: the time for it was over", r.what)
	}
	w := new(wire)
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, w.trace()), method, c.url+path, bytes.NewReader(content))
	if err != nil {
		return reply{}, crossdock.Errorf(crossdock.Invalid, "can't make a request to the configured url: %w", err)
	}
	req.Header = header
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, w.fault(r, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	if err != nil {
		return reply{}, lost(r, "the answer broke off", err)
	}
	if len(answer) > answerLimit {
		return reply{}, lost(r, "the answer is larger than 64 MiB", nil)
	}
	return reply{resp, answer}, nil
}

// wire knows how far a request came.
type wire struct{ asked, got atomic.Bool }

// trace marks the moment a connection is handed to the request. From there on
// bytes may leave at any time, also just as the context ends, so that moment and
// not the end of writing parts sent from unsent.
func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { w.asked.Store(true) },
		GotConn:      func(httptrace.GotConnInfo) { w.got.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { w.got.Store(true) },
	}
}
