package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// fake2 is a server of 19 that lets the key in as bearer and answers calls as told.
// It fails the test when it is spoken with in JSON-RPC, but for its version.
func fake2(t *testing.T, answer func(w http.ResponseWriter, model, method string, named map[string]json.RawMessage)) *Connector {
	t.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Path == "/jsonrpc" {
			if !strings.Contains(string(body), `"version"`) {
				t.Errorf("asked over JSON-RPC: %s", body)
			}
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":{"server_version":"19.0","server_version_info":[19,0,0,"final",0,""]}}`)
			return
		}
		if r.Method != http.MethodPost || r.Header.Get("Authorization") != "bearer topsecretkey" || r.Header.Get("X-Odoo-Database") != "db" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", r.Method, r.URL.Path, r.Header)
		}
		var named map[string]json.RawMessage
		if err := json.Unmarshal(body, &named); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		path := strings.Split(r.URL.Path, "/")
		switch strings.Join(path[3:], ".") {
		case "res.users.context_get":
			fmt.Fprint(w, `{"lang":"en_US","tz":"Europe/Brussels","uid":2}`)
		case "res.users.read":
			fmt.Fprint(w, `[{"id":2,"login":"hub","company_id":[1,"C"]}]`)
		default:
			answer(w, path[3], path[4], named)
		}
	}))
	t.Cleanup(h.Close)
	return to(t, h.URL, http.DefaultTransport)
}

// TestRecordedJSON2Errors replays refusals of a real 19: the codes are those of the
// same exceptions in JSON-RPC.
func TestRecordedJSON2Errors(t *testing.T) {
	var cases []struct {
		Name, Model, Method, Type, Body string
		Status                          int
		Code                            crossdock.Code
	}
	readJSON(t, "json2.json", &cases)
	if len(cases) < 12 {
		t.Fatalf("only %d recordings", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			conn := fake2(t, func(w http.ResponseWriter, _, _ string, _ map[string]json.RawMessage) {
				w.Header().Set("Content-Type", c.Type)
				w.WriteHeader(c.Status)
				fmt.Fprint(w, c.Body)
			})
			s, err := conn.rpc.session(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			err = bodyFaultOf(s, c.Model, c.Method)
			var e *crossdock.Error
			if !errors.As(err, &e) || e.Code != c.Code || e.Text == "" {
				t.Fatalf("code %q, want %q: %v", crossdock.CodeOf(err), c.Code, err)
			}
			if strings.Contains(e.Text, "topsecretkey") || strings.Contains(e.Text, "<html") || len(e.Text) > 700 {
				t.Errorf("not for people: %s", e.Text)
			}
		})
	}
}

// bodyFaultOf runs a call whose arguments don't matter, past the names they have.
func bodyFaultOf(s *session, model, method string) error {
	r := requestOf(model, method, nil)
	d := s.dialect.(json2)
	answer, err := d.c.post(context.Background(), r, "/json/2/"+model+"/"+method, http.Header{
		"Authorization": {"bearer " + d.c.key}, "X-Odoo-Database": {d.c.database},
	}, map[string]any{})
	if err != nil {
		return err
	}
	return bodyFault(r, answer)
}

// TestOneTableOfFaults: what an exception means does not depend on the dialect.
func TestOneTableOfFaults(t *testing.T) {
	var cases []struct {
		Name, Model, Method string
		Answer              struct {
			Error struct {
				Code int             `json:"code"`
				Data json.RawMessage `json:"data"`
			} `json:"error"`
		}
		Code crossdock.Code
	}
	readJSON(t, "answers.json", &cases)
	compared := 0
	for _, c := range cases {
		var named struct{ Name string }
		if json.Unmarshal(c.Answer.Error.Data, &named) != nil || named.Name == "" || c.Answer.Error.Code == 100 {
			continue
		}
		compared++
		r := requestOf(c.Model, c.Method, nil)
		got := bodyFault(r, reply{&http.Response{StatusCode: 500}, c.Answer.Error.Data})
		if crossdock.CodeOf(got) != c.Code {
			t.Errorf("%s: %q in JSON-2, %q in JSON-RPC: %v", c.Name, crossdock.CodeOf(got), c.Code, got)
		}
	}
	if compared < 25 {
		t.Errorf("only %d compared", compared)
	}
}

// TestStatusesBeforeOdoo: an answer that names no exception comes from a proxy.
func TestStatusesBeforeOdoo(t *testing.T) {
	for _, c := range []struct {
		status      int
		body        string
		write, read crossdock.Code
		after       time.Duration
	}{
		{429, "", crossdock.Throttled, crossdock.Throttled, 7 * time.Second},
		{503, "<html>away</html>", crossdock.Unavailable, crossdock.Unavailable, 7 * time.Second},
		{502, "<html>bad gateway</html>", crossdock.Ambiguous, crossdock.Unavailable, 7 * time.Second},
		{504, `{"error":"upstream"}`, crossdock.Ambiguous, crossdock.Unavailable, 7 * time.Second},
		{500, "", crossdock.Ambiguous, crossdock.Unavailable, 7 * time.Second},
		{401, "<html>sign in</html>", crossdock.Unauthorized, crossdock.Unauthorized, 7 * time.Second},
		{302, "", crossdock.Unauthorized, crossdock.Unauthorized, 7 * time.Second},
		{413, "", crossdock.Refused, crossdock.Refused, 7 * time.Second},
		{200, "<html>sign in</html>", crossdock.Ambiguous, crossdock.Unavailable, 0},
	} {
		conn := fake2(t, func(w http.ResponseWriter, _, _ string, _ map[string]json.RawMessage) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		for method, want := range map[string]crossdock.Code{"write": c.write, "read": c.read} {
			err := conn.rpc.call(context.Background(), "sale.order", method, nil, nil, nil)
			if crossdock.CodeOf(err) != want || afterOf(err) != c.after {
				t.Errorf("%d, %s: %q after %s, want %q after %s: %v", c.status, method, crossdock.CodeOf(err), afterOf(err), want, c.after, err)
			}
		}
	}
}

func TestLostJSON2Answers(t *testing.T) {
	gate := make(chan struct{})
	for name, answer := range map[string]func(w http.ResponseWriter){
		"reset":          func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"half an answer": func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); fmt.Fprint(w, "[") },
		"hang":           func(http.ResponseWriter) { <-gate },
	} {
		conn := fake2(t, func(w http.ResponseWriter, _, _ string, _ map[string]json.RawMessage) { answer(w) })
		if _, err := conn.rpc.session(context.Background()); err != nil {
			t.Error(err)
		}
		for method, want := range map[string]crossdock.Code{"write": crossdock.Ambiguous, "read": crossdock.Unavailable} {
			if err := conn.rpc.call(deadline(t, 200*time.Millisecond), "sale.order", method, nil, nil, nil); crossdock.CodeOf(err) != want {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	close(gate) // before the servers are closed, which wait for their answers
}

// TestNamedArguments: what goes by position in JSON-RPC has its name here.
func TestNamedArguments(t *testing.T) {
	var got string
	conn := fake2(t, func(w http.ResponseWriter, model, method string, named map[string]json.RawMessage) {
		got = model + "." + method + string(raw(named))
		fmt.Fprint(w, "null")
	})
	for _, c := range []struct {
		method string
		args   []any
		kw     map[string]any
		want   string
	}{
		{"search_read", []any{[]any{}, []string{"name"}}, map[string]any{"limit": 1, "context": map[string]any{"tz": "UTC"}}, `m.search_read{"context":{"allowed_company_ids":[1],"tz":"UTC"},"domain":[],"fields":["name"],"limit":1}`},
		{"write", []any{[]int{3}, map[string]any{"name": "x"}}, nil, `m.write{"context":{"allowed_company_ids":[1]},"ids":[3],"vals":{"name":"x"}}`},
		{"load", []any{[]string{"id"}, [][]string{{"a.b"}}}, nil, `m.load{"context":{"allowed_company_ids":[1]},"data":[["a.b"]],"fields":["id"]}`},
		{"action_confirm", []any{[]int{3}}, nil, `m.action_confirm{"context":{"allowed_company_ids":[1]},"ids":[3]}`},
	} {
		answer := json.RawMessage("untouched")
		if err := conn.rpc.call(context.Background(), "m", c.method, c.args, c.kw, &answer); err != nil || got != c.want || string(answer) != "untouched" {
			t.Errorf("%v: asked %s, want %s; answer %s", err, got, c.want, answer)
		}
	}
	for _, c := range [][]any{{"unlink", 1}, {"read", 1, 2, 3}} {
		if err := conn.rpc.call(context.Background(), "m", c[0].(string), c[1:], nil, nil); crossdock.CodeOf(err) != crossdock.Internal {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// TestDialectIsChosen by what the server says of itself and of the key.
func TestDialectIsChosen(t *testing.T) {
	const (
		page = "<!DOCTYPE html>\n<title>404 Not Found</title>"
		no   = `{"name":"werkzeug.exceptions.Unauthorized","message":"Invalid apikey","arguments":["Invalid apikey",401],"context":{}}`
	)
	type replies map[string]struct { // path → answer
		status int
		body   string
	}
	version := func(v int) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"server_version_info":[%d,0]}}`, v)
	}
	for _, c := range []struct {
		name   string
		login  string
		rpc    [3]string // answers to version, authenticate and res.users.read; "" is HTTP 404
		others replies
		want   string // the dialect, or the code of the error
		asked  []string
	}{
		{"18", "hub", [3]string{version(18), `{"result":2}`, self}, nil, "jsonrpc", []string{"version", "authenticate", "read"}},
		{"19 with a key", "hub", [3]string{version(19)}, replies{
			"/json/2/res.users/context_get": {200, `{"uid":2}`}, "/json/2/res.users/read": {200, `[{"id":2,"login":"hub","company_id":[1,"C"]}]`},
		}, "json2", []string{"version", "/json/2/res.users/context_get", "/json/2/res.users/read"}},
		{"19 with a password", "hub", [3]string{version(19), `{"result":2}`, self}, replies{"/json/2/res.users/context_get": {401, no}}, "jsonrpc",
			[]string{"version", "/json/2/res.users/context_get", "authenticate", "read"}},
		{"19 without JSON-2", "hub", [3]string{version(19), `{"result":2}`, self}, replies{"/json/2/res.users/context_get": {404, page}}, "jsonrpc",
			[]string{"version", "/json/2/res.users/context_get", "authenticate", "read"}},
		{"19 with a bad key", "hub", [3]string{version(19), `{"result":false}`}, replies{"/json/2/res.users/context_get": {401, no}}, string(crossdock.Unauthorized),
			[]string{"version", "/json/2/res.users/context_get", "authenticate"}},
		{"19 without JSON-RPC", "hub", [3]string{}, replies{
			"/web/version":                  {200, `{"version_info":[19,0,0,"final",0,""],"version":"19.0"}`},
			"/json/2/res.users/context_get": {200, `{"uid":2}`}, "/json/2/res.users/read": {200, `[{"id":2,"login":"hub","company_id":[1,"C"]}]`},
		}, "json2", []string{"version", "/web/version", "/json/2/res.users/context_get", "/json/2/res.users/read"}},
		{"the key of somebody else", "hub", [3]string{version(19)}, replies{
			"/json/2/res.users/context_get": {200, `{"uid":2}`}, "/json/2/res.users/read": {200, `[{"id":2,"login":"admin","company_id":[1,"C"]}]`},
		}, string(crossdock.Unauthorized), nil},
		{"19 away", "hub", [3]string{version(19)}, replies{"/json/2/res.users/context_get": {503, ""}}, string(crossdock.Unavailable), []string{"version", "/json/2/res.users/context_get"}},
		{"no Odoo", "hub", [3]string{}, nil, string(crossdock.Unauthorized), []string{"version", "/web/version"}},
		{"20", "hub", [3]string{}, replies{"/web/version": {200, `{"version_info":[20,0],"version":"20.0"}`}}, string(crossdock.Refused), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.URL.Path != "/jsonrpc" {
					asked = append(asked, r.URL.Path)
					if a, ok := c.others[r.URL.Path]; ok {
						w.WriteHeader(a.status)
						fmt.Fprint(w, a.body)
						return
					}
					http.NotFound(w, r)
					return
				}
				for i, method := range []string{"version", "authenticate", "read"} {
					if strings.Contains(string(body), `"`+method+`"`) {
						if asked = append(asked, method); c.rpc[i] == "" {
							http.NotFound(w, r)
							return
						}
						fmt.Fprint(w, c.rpc[i])
						return
					}
				}
			}))
			defer h.Close()
			s, err := to(t, h.URL, nil).rpc.session(context.Background())
			got := string(crossdock.CodeOf(err))
			if err == nil {
				got = map[bool]string{true: "json2", false: "jsonrpc"}[s.dialect == dialect(json2{s.client()})]
			}
			if got != c.want || c.asked != nil && !slices.Equal(asked, c.asked) {
				t.Errorf("%s, want %s; asked %q, want %q: %v", got, c.want, asked, c.asked, err)
			}
		})
	}
}

func (s *session) client() *client {
	if d, ok := s.dialect.(json2); ok {
		return d.c
	}
	return nil
}

// TestJSON2SignsInAgain where the key is refused in between, once.
func TestJSON2SignsInAgain(t *testing.T) {
	var refused, done atomic.Int64
	conn := fake2(t, func(w http.ResponseWriter, _, _ string, _ map[string]json.RawMessage) {
		if refused.Add(1) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"name":"werkzeug.exceptions.Unauthorized","message":"Invalid apikey","arguments":["Invalid apikey",401],"context":{}}`)
			return
		}
		done.Add(1)
		fmt.Fprint(w, "true")
	})
	if err := conn.rpc.call(context.Background(), "sale.order", "write", nil, nil, nil); err != nil || done.Load() != 1 {
		t.Errorf("%v, done %d times", err, done.Load())
	}
}
