package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
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
	// oldest and newest are the major versions whose words this connector knows.
	oldest, newest = 16, 19
)

// client speaks Odoo's /jsonrpc: it signs in once, when first used, and again
// when Odoo does not know the session or the user any more.
type client struct {
	url, database, user, key string
	http                     *http.Client
	turn                     chan struct{} // holds one token: who signs in takes it
	uid                      atomic.Int64  // 0: not signed in
	version                  atomic.Int64  // major; 0: not asked yet
}

func newClient(url string, cfg Config, transport http.RoundTripper) *client {
	c := &client{url: url, database: cfg.Database, user: cfg.User, key: cfg.Key, turn: make(chan struct{}, 1)}
	c.http = &http.Client{
		Transport: transport,
		// A redirected POST becomes a GET: better to say that the address is wrong.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.turn <- struct{}{}
	return c
}

// forget makes the next call sign in again.
func (c *client) forget() { c.uid.Store(0); c.version.Store(0) }

// reads are the methods that change nothing: an answer of theirs that is lost
// leaves no doubt, so they never end as Ambiguous.
var reads = map[string]bool{
	"version": true, "authenticate": true, "context_get": true,
	"search_read": true, "read": true, "search": true, "get_external_id": true,
}

// call runs a method of a model and decodes its result into out (nil: dropped).
// A method that returns None leaves the result out: out stays as it is (recorded).
func (c *client) call(ctx context.Context, model, method string, args []any, kw map[string]any, out any) error {
	uid, err := c.login(ctx)
	if err != nil {
		return err
	}
	if args == nil {
		args = []any{}
	}
	err = c.execute(ctx, uid, model, method, args, kw, out)
	if !signedOut(err) {
		return err
	}
	// Nothing was done for a user Odoo did not let in, so once more is safe.
	c.uid.CompareAndSwap(uid, 0)
	if uid, err = c.login(ctx); err != nil {
		return err
	}
	return c.execute(ctx, uid, model, method, args, kw, out)
}

func (c *client) execute(ctx context.Context, uid int64, model, method string, args []any, kw map[string]any, out any) error {
	return c.send(ctx, request{
		model: model, what: model + "." + method, writes: !reads[method], service: "object", method: "execute_kw",
		args: []any{c.database, uid, c.key, model, method, args, kw},
	}, out)
}

// login returns the user's id; concurrent callers sign in once.
func (c *client) login(ctx context.Context) (int64, error) {
	if uid := c.uid.Load(); uid != 0 {
		return uid, nil
	}
	select {
	case <-c.turn:
	case <-ctx.Done():
		return 0, crossdock.Errorf(crossdock.Unavailable, "waiting to sign in to Odoo: %w", ctx.Err())
	}
	defer func() { c.turn <- struct{}{} }()
	if uid := c.uid.Load(); uid != 0 {
		return uid, nil
	}
	var answer json.RawMessage
	err := c.send(ctx, request{what: "authenticate", service: "common", method: "authenticate",
		args: []any{c.database, c.user, c.key, map[string]any{}}}, &answer)
	if err != nil {
		return 0, err
	}
	uid, err := strconv.ParseInt(string(answer), 10, 64)
	if err != nil || uid <= 0 {
		return 0, crossdock.Errorf(crossdock.Unauthorized, "Odoo does not accept user %q with the configured key in database %q: make a new API key and set it", c.user, c.database)
	}
	c.uid.Store(uid)
	return uid, nil
}

// major returns the major version of the server, asked once.
func (c *client) major(ctx context.Context) (int, error) {
	if v := c.version.Load(); v != 0 {
		return int(v), nil
	}
	var answer struct {
		Info []json.RawMessage `json:"server_version_info"`
		Text string            `json:"server_version"`
	}
	if err := c.send(ctx, request{what: "version", service: "common", method: "version", args: []any{}}, &answer); err != nil {
		return 0, err
	}
	v := 0
	if len(answer.Info) > 0 {
		// Odoo online says "saas~18" where others say 18.
		v, _ = strconv.Atoi(strings.TrimPrefix(strings.Trim(string(answer.Info[0]), `"`), "saas~"))
	}
	if v < oldest || v > newest {
		return 0, crossdock.Errorf(crossdock.Refused, "the server is Odoo %q; this connector speaks with %d to %d", answer.Text, oldest, newest)
	}
	c.version.Store(int64(v))
	return v, nil
}

type request struct {
	model   string
	what    string // for error texts: model.method
	writes  bool
	service string
	method  string
	args    []any
}

// send posts one request and decodes its result into out. Its errors are
// *crossdock.Error; see fault.go for what gets which code.
func (c *client) send(ctx context.Context, r request, out any) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "method": "call", "id": 1,
		"params": map[string]any{"service": r.service, "method": r.method, "args": r.args},
	})
	if err != nil {
		return crossdock.Errorf(crossdock.Internal, "can't write the arguments of %s: %w", r.what, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(crossdock.Unavailable, &cause{class: "transport", err: err}, "%s was not sent: the time for it was over", r.what)
	}
	w := new(wire)
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, w.trace()), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return crossdock.Errorf(crossdock.Invalid, "can't make a request to the configured url: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return w.fault(r, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	if err != nil {
		return lost(r, "the answer broke off", err)
	}
	if len(answer) > answerLimit {
		return lost(r, "the answer is larger than 64 MiB", nil)
	}
	if resp.StatusCode != http.StatusOK {
		return statusFault(r, resp)
	}
	return decode(r, answer, out)
}

// decode reads the JSON-RPC envelope. Numbers stay as they are written: results
// are decoded into json.RawMessage or json.Number, never into floats.
func decode(r request, answer []byte, out any) error {
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *rpcError       `json:"error"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return lost(r, "the answer is no JSON: is the url that of an Odoo server?", err)
	}
	if envelope.Error != nil {
		return envelope.Error.fault(r)
	}
	if out == nil || len(envelope.Result) == 0 {
		return nil
	}
	if err := json.Unmarshal(envelope.Result, out); err != nil {
		return lost(r, "the answer has an unexpected form", err)
	}
	return nil
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
