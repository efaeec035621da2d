package odoo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ask sends one JSON-2 request; body nil is a GET.
func (s *Server) ask(path, bearer, database string, body any) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		r = httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(text)))
	}
	if bearer != "" {
		r.Header.Set("Authorization", "bearer "+bearer)
	}
	if database != "" {
		r.Header.Set("X-Odoo-Database", database)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// named judges one call of a JSON-2 recording: status, kind of content and
// challenge as well as the answer, of which only the traceback is not compared.
func (j *judge) named(t *testing.T, i int, r recorded) verdict {
	t.Helper()
	v := verdict{recorded: r, index: i, model: "web", call: "version"}
	if path := strings.Split(strings.TrimPrefix(r.Path, "/json/2/"), "/"); len(path) == 2 {
		v.model, v.call = path[0], path[1]
	}
	asked := r.Request
	if named, ok := asked.(map[string]any); ok {
		asked = j.ids.askedNames(v.model, v.call, named)
	}
	v.asked = fmt.Sprint(asked)
	w := j.s.ask(r.Path, r.Bearer, r.Database, asked)
	ours, recorded := decoded(t, w.Body.String()), decoded(t, string(r.Response))
	if w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		ours = w.Body.String()
	}
	if answer, ok := ours.(map[string]any); ok {
		delete(answer, "debug")
		if answer["name"] == notSupportedName {
			v.outcome, v.detail = "not supported", fmt.Sprint(answer["message"])
			return v
		}
		if j.tamper != nil {
			j.tamper(v.model, v.call, answer)
		}
	}
	kind := resultKind(v.model, v.call)
	if r.Status != http.StatusOK {
		kind = ""
	}
	v.outcome = "matched"
	for _, d := range []string{
		j.ids.difference("", r.Status, w.Code, "status"),
		j.ids.difference("", r.Type, w.Header().Get("Content-Type"), "Content-Type"),
		j.ids.difference("", r.Challenge, w.Header().Get("WWW-Authenticate"), "WWW-Authenticate"),
		j.ids.difference(kind, recorded, ours, "answer"),
	} {
		if d != "" {
			v.outcome, v.detail = "differing", d
			break
		}
	}
	return v
}

// decoded reads JSON as the judge compares it; what is none stays text.
func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return text
	}
	return plain(v)
}

// askedNames puts our ids where a recorded JSON-2 request has recorded ones.
func (x *identity) askedNames(model, method string, named map[string]any) map[string]any {
	out := x.keywords(named)
	if v, ok := out["ids"]; ok {
		out["ids"] = x.idList(model, v)
	}
	for i, name := range signatures[method].params {
		if v, ok := out[name]; ok && i == 0 && signatures[method].model {
			out[name] = x.parameter(model, method, 0, []any{v})
		}
	}
	if rows, ok := out["data"].([]any); ok && method == "load" {
		out["data"] = x.cells(model, out["fields"].([]any), rows)
	}
	if vals, ok := out["vals"].(map[string]any); ok {
		out["vals"] = x.values(model, vals)
	}
	return out
}

// TestJudgeOfJSON2CanFail corrupts an answer, a status's text and a result.
func TestJudgeOfJSON2CanFail(t *testing.T) {
	for _, label := range []string{"load", "unknown method", "wrong key", "version"} {
		j, _ := newJudge(t, 19, "json2-19", "lab19")
		calls := readRecording(t, "json2-19.jsonl.gz")
		j.tamper = func(_, _ string, answer map[string]any) {
			for k := range answer {
				answer[k] = "corrupted"
			}
		}
		for _, v := range j.replay(t, calls, nil) {
			if v.Label == label && v.outcome != "differing" {
				t.Errorf("%s: a corrupted answer counts as %s", label, v.outcome)
			}
		}
	}
	j, _ := newJudge(t, 19, "json2-19", "lab19")
	calls := readRecording(t, "json2-19.jsonl.gz")
	for i := range calls {
		calls[i].Status++
	}
	for _, v := range j.replay(t, calls, nil) {
		if v.outcome != "differing" {
			t.Errorf("%s: another status counts as %s", v.Label, v.outcome)
		}
	}
}

// TestJSON2IsOf19 serves the new API where Odoo has it, and the old one everywhere.
func TestJSON2IsOf19(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		s := shop(t, version)
		s.AddAPIKey("k")
		want := map[bool]int{true: 200, false: 404}[version >= 19]
		if got := s.ask("/json/2/res.users/context_get", "k", "", map[string]any{}).Code; got != want {
			t.Errorf("/json/2: HTTP %d, want %d", got, want)
		}
		if got := s.ask("/web/version", "", "", nil).Code; got != want {
			t.Errorf("/web/version: HTTP %d, want %d", got, want)
		}
		newClient(t, s).must("res.users", "context_get", []any{}, nil)
		if spoken := s.Spoken(); spoken["jsonrpc"] != 1 || spoken["json2"] != map[bool]int{true: 1}[version >= 19] {
			t.Errorf("spoken: %v", spoken)
		}
	})
}

// TestJSON2Keys: a password is no key, and a key that is taken back is one no more.
func TestJSON2Keys(t *testing.T) {
	s := shop(t, 19)
	s.AddAPIKey("k")
	asked := map[string]any{"ids": []int{1}, "fields": []string{"name"}}
	if got := s.ask("/json/2/res.partner/read", "secret", "", asked); got.Code != 401 {
		t.Errorf("a password as bearer: HTTP %d", got.Code)
	}
	if got := s.ask("/json/2/res.partner/read", "k", "db", asked); got.Code != 200 {
		t.Errorf("a key: HTTP %d %s", got.Code, got.Body)
	}
	s.RevokeAPIKey("k")
	if got := s.ask("/json/2/res.partner/read", "k", "db", asked); got.Code != 401 {
		t.Errorf("a key taken back: HTTP %d", got.Code)
	}
}

// TestJSON2Arguments: what Python's binding refuses.
func TestJSON2Arguments(t *testing.T) {
	s := shop(t, 19)
	s.AddAPIKey("k")
	for _, c := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"sale.order/load", `{"fields":["id"]}`, 422, "missing a required argument: 'data'"},
		{"sale.order/write", `{"ids":[1]}`, 422, "missing a required argument: 'vals'"},
		{"sale.order/action_confirm", `{"ids":[],"state":"sale"}`, 422, "got an unexpected keyword argument 'state'"},
		{"res.partner/search", `{"domain":[],"ids":[]}`, 200, ""},
		{"res.partner/search_read", `{"domain":[["id","=",1]],"fields":["parent_id"],"load":""}`, 200, `[{"id":1,"parent_id":false}]`},
		{"res.partner/read", `{`, 400, "could not parse the body as json"},
		{"res.company/read", `{"ids":[1],"fields":["name"],"context":{"allowed_company_ids":[7]}}`, 403, "Access to unauthorized or invalid companies."},
		{"res.partner/create", `{"vals_list":{"name":"One"}}`, 200, "["},
		{"res.partner", `{}`, 404, "Did you mean POST"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/json/2/"+c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer k")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s %s: HTTP %d %s", c.path, c.body, w.Code, w.Body)
		}
	}
}
