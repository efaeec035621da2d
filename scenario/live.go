package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/sim"
)

// Live is the Odoo side of a scenario when it is a running scratch database: what
// a person does there is done over Odoo's external API (/jsonrpc, Odoo 16 to 19),
// and ServeHTTP hands the hub's own calls, JSON-2 too, on to the same server. It shares no code
// with the connector it helps to judge.
//
// A scenario writes and deletes, so Live opens only a database that is named by its
// caller and whose name says what it is for.
type Live struct {
	ctx                 context.Context // of the run; ends the calls of a person's acts, which have none of their own
	root                *url.URL
	database, user, key string
	uid, version        int
	http                *http.Client
	proxy               *httputil.ReverseProxy

	mu    sync.Mutex
	meta  map[string]map[string]liveField // of each model, once asked
	calls map[string]int
	pace  pace
}

var _ sim.ERP = (*Live)(nil)

// LiveOptions say which database is used, and as whom. What the address says need
// not be said here; what is said here counts.
type LiveOptions struct {
	Database, User, Key string
	// Fresh makes a database that no scenario has used and returns its name, in
	// place of Database. nil: the database is used as it is.
	Fresh func(context.Context) (database string, err error)
	// Remote allows a server that is not on this machine.
	Remote bool
}

// liveTimeout bounds one call; making a company's first sale order took a fresh
// Odoo 18 some seconds.
const liveTimeout = 2 * time.Minute

// OpenLive signs in to a scratch database. address is that of the server, and may
// say all that the options say: http://USER:KEY@127.0.0.1:8069/DATABASE. The name
// of the database has "scratch" or "test" in it.
func OpenLive(ctx context.Context, address string, o LiveOptions) (*Live, error) {
	l := &Live{ctx: ctx, http: &http.Client{Timeout: liveTimeout}, meta: map[string]map[string]liveField{}, calls: map[string]int{}}
	if err := l.place(address, o); err != nil {
		return nil, err
	}
	if o.Fresh != nil {
		name, err := o.Fresh(ctx)
		if err != nil {
			return nil, fmt.Errorf("a fresh database in %s: %w", l.root.Host, err)
		}
		l.database = name
	}
	switch {
	case l.database == "":
		return nil, crossdock.Errorf(crossdock.Invalid, "which database? Write http://USER:KEY@%s/DATABASE: a scenario writes and deletes, so none is chosen for you", l.root.Host)
	case !strings.Contains(l.database, "scratch") && !strings.Contains(l.database, "test"):
		return nil, crossdock.Errorf(crossdock.Invalid, `a scenario writes and deletes: the database %q is not touched, because its name has neither "scratch" nor "test" in it`, l.database)
	case l.user == "" || l.key == "":
		return nil, crossdock.Errorf(crossdock.Invalid, "as whom? Write http://USER:KEY@%s/%s, with the key or the password of an administrator", l.root.Host, l.database)
	}
	l.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(l.root) },
		// The hub must see what the network did: a connection that broke, with its doubt.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	return l, l.signIn()
}

func (l *Live) place(address string, o LiveOptions) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return crossdock.Errorf(crossdock.Invalid, "that is no address of an Odoo: write http://USER:KEY@127.0.0.1:8069/DATABASE") // it may hold a key
	}
	l.database, l.user = or(o.Database, strings.Trim(u.Path, "/")), or(o.User, u.User.Username())
	l.key = o.Key
	if key, ok := u.User.Password(); ok && l.key == "" {
		l.key = key
	}
	l.root = &url.URL{Scheme: u.Scheme, Host: u.Host}
	ip := net.ParseIP(u.Hostname())
	if here := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(); !here && !o.Remote {
		return crossdock.Errorf(crossdock.Invalid, "%s is not on this machine: a scenario writes and deletes, so a server elsewhere is used only where that is asked for", u.Host)
	}
	return nil
}

func or(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func (l *Live) signIn() error {
	var version struct {
		Info []any `json:"server_version_info"`
	}
	if err := l.rpc("common", "version", []any{}, &version); err != nil {
		return err
	}
	if len(version.Info) > 0 {
		_, _ = fmt.Sscan(strings.TrimPrefix(fmt.Sprint(version.Info[0]), "saas~"), &l.version) // 0 is refused below
	}
	if l.version < 16 || l.version > 19 {
		return crossdock.Errorf(crossdock.Refused, "%s says it is version %v; scenarios know Odoo 16 to 19", l, version.Info)
	}
	var uid any
	if err := l.rpc("common", "authenticate", []any{l.database, l.user, l.key, map[string]any{}}, &uid); err != nil {
		return err
	}
	id, ok := wholeNumber(uid)
	if !ok || id <= 0 {
		return crossdock.Errorf(crossdock.Unauthorized, "%s does not let user %q in with the key given", l, l.user)
	}
	l.uid = id
	return nil
}

// String names the database for messages.
func (l *Live) String() string { return l.root.Host + "/" + l.database }

// settings are those of the hub's connection to the database, over what a
// scenario's configuration says; the key is named as a secret.
func (l *Live) settings() map[string]any {
	return map[string]any{"url": l.root.String(), "database": l.database, "user": l.user, "key": "${env:ODOO_KEY}"}
}

// ServeHTTP hands a request on to the server and counts it. A request that breaks
// on the way aborts the handler.
func (l *Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	model, method, ok := called(r.URL.Path, body)
	if ok {
		l.mu.Lock()
		l.calls[model+"."+method]++
		l.mu.Unlock()
	}
	switch {
	case method == "search_read":
		l.pace.saw()
	case ok && !reading[method]:
		if l.pace.wait(r.Context()) != nil {
			panic(http.ErrAbortHandler)
		}
		defer l.pace.changed()
	}
	l.proxy.ServeHTTP(w, r)
}

// called reads which method of which model a request calls; ok is false where it
// calls none.
func called(path string, body []byte) (model, method string, ok bool) {
	if named, json2 := strings.CutPrefix(path, "/json/2/"); json2 {
		return strings.Cut(named, "/")
	}
	var call struct {
		Params struct {
			Service string            `json:"service"`
			Args    []json.RawMessage `json:"args"`
		} `json:"params"`
	}
	if json.Unmarshal(body, &call) != nil || call.Params.Service != "object" || len(call.Params.Args) < 5 {
		return "", "", false
	}
	ok = json.Unmarshal(call.Params.Args[3], &model) == nil && json.Unmarshal(call.Params.Args[4], &method) == nil
	return model, method, ok
}

// Calls counts the calls of the object service that ServeHTTP handed on so far, by
// "model.method". What Live itself asks is not among them.
func (l *Live) Calls() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.calls)
}

// call runs a method of a model as the administrator and decodes its result into
// out (nil: dropped).
func (l *Live) call(out any, model, method string, args []any, kw map[string]any) error {
	if kw == nil {
		kw = map[string]any{}
	}
	if !reading[method] {
		if err := l.pace.wait(l.ctx); err != nil {
			return err
		}
		defer l.pace.changed()
	}
	if err := l.rpc("object", "execute_kw", []any{l.database, l.uid, l.key, model, method, args, kw}, out); err != nil {
		return fmt.Errorf("%s.%s: %w", model, method, err)
	}
	return nil
}

func (l *Live) rpc(service, method string, args []any, out any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "call", "id": 1,
		"params": map[string]any{"service": service, "method": method, "args": args}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(l.ctx, http.MethodPost, l.root.String()+"/jsonrpc", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.http.Do(req)
	if err != nil {
		return crossdock.Errorf(crossdock.Unavailable, "%s: %w", l, err)
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string `json:"message"`
			Data    struct {
				Name    string `json:"name"`
				Message string `json:"message"`
			} `json:"data"`
		} `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return crossdock.Errorf(crossdock.Unavailable, "%s answers HTTP %d and no JSON: is that an Odoo? (%w)", l, resp.StatusCode, err)
	}
	if e := answer.Error; e != nil {
		return crossdock.Errorf(crossdock.Refused, "%s: %s: %s", l, or(e.Data.Name, e.Message), e.Data.Message)
	}
	if out == nil || len(answer.Result) == 0 { // a method that returns None has no result
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(answer.Result))
	d.UseNumber() // an id never passes through a float
	return d.Decode(out)
}
