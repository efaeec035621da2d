package odoo

import (
	"encoding/json"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// odd are values a careless client might send anywhere.
var odd = []any{nil, false, true, "", "x", "1", 0, -1, 999999999, 1.5, []any{}, []any{1}, []any{[]any{}}, []any{[]any{0, 0}}, map[string]any{}, map[string]any{"name": "x"}}

// mutate replaces one value somewhere inside v; n counts down to it.
func mutate(v any, n *int, with any) any {
	*n--
	if *n == 0 {
		return with
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = mutate(v[i], n, with)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, k := range sortedKeys(v) {
			out[k] = mutate(v[k], n, with)
		}
		return out
	}
	return v
}

func size(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			n += size(x)
		}
	case map[string]any:
		for _, x := range v {
			n += size(x)
		}
	}
	return n
}

// TestOddArguments sends every recorded request with odd values in it: whatever
// Odoo would say, the stand-in itself does not break, and a refused request
// leaves its tables consistent enough to answer the next.
func TestOddArguments(t *testing.T) {
	random := rand.New(rand.NewSource(3))
	for _, rec := range recordings {
		j, _ := newJudge(t, rec.version, rec.name, rec.database)
		for i, r := range readRecording(t, rec.name+".jsonl.gz") {
			if r.Service != "object" || size(any(r.Args)) > 400 {
				continue
			}
			for range 3 {
				params := any(r.Args[5:])
				n := 1 + random.Intn(size(params))
				changed, ok := mutate(params, &n, odd[random.Intn(len(odd))]).([]any)
				if !ok {
					continue
				}
				args := append(append([]any{}, r.Args[:5]...), changed...)
				body, err := json.Marshal(map[string]any{"id": i, "params": map[string]any{"service": "object", "method": "execute_kw", "args": args}})
				if err != nil {
					t.Fatal(err)
				}
				w := httptest.NewRecorder()
				j.s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/jsonrpc", strings.NewReader(string(body))))
				if text := w.Body.String(); strings.Contains(text, bugName) {
					t.Errorf("%s call %d: %.300s\n%.1500s", rec.name, i, body, text[strings.Index(text, "broke on"):])
				}
			}
		}
	}
}

// TestOddJSON2 does the same by name.
func TestOddJSON2(t *testing.T) {
	random := rand.New(rand.NewSource(5))
	j, _ := newJudge(t, 19, "json2-19", "lab19")
	for _, r := range readRecording(t, "json2-19.jsonl.gz") {
		for range 20 {
			n := 1 + random.Intn(size(r.Request))
			w := j.s.ask(r.Path, "(key)", "", mutate(r.Request, &n, odd[random.Intn(len(odd))]))
			if text := w.Body.String(); strings.Contains(text, bugName) {
				t.Errorf("%s %s: %.1500s", r.Path, r.Label, text[strings.Index(text, "broke on"):])
			}
		}
	}
}
