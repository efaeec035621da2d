package shopify

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// shop is a stand-in under test with a clock the test moves.
type shop struct {
	*Server
	t   *testing.T
	now time.Time
}

// open makes a shop with TEA (10.00, 8 % tax, 3 at E), CUP (5.25, 8 %, 10 at E
// and 4 at W) and a hook at /hook.
func open(t *testing.T, change func(*Config)) *shop {
	t.Helper()
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, now: time.Date(2026, 11, 2, 18, 0, 0, 0, time.UTC)}
	c := Config{Shop: "tea.myshopify.com", Secret: "shpss_test_secret", Token: "shpat_test", Currency: "USD", Zone: zone,
		Clock: func() time.Time { return s.now }, Seed: 1, Hook: "/hook"}
	if change != nil {
		change(&c)
	}
	s.Server = New(c)
	tax := []Tax{{"CA State Tax", "0.08"}}
	for _, err := range []error{
		s.AddLocation("E", "East"), s.AddLocation("W", "West"),
		s.AddProduct(Product{SKU: "TEA", Title: "Green tea", Price: "10.00", Tax: tax}),
		s.AddProduct(Product{SKU: "CUP", Title: "Cup", Price: "5.25", Tax: tax}),
		s.Server.SetAvailable("TEA", "E", 3), s.Server.SetAvailable("CUP", "E", 10), s.Server.SetAvailable("CUP", "W", 4),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) buy(b Buy) string {
	s.t.Helper()
	id, err := s.Buy(b)
	s.must(err)
	return id
}

// post sends a GraphQL request as a client would and returns what came back.
func (s *shop) post(body any, header map[string]string) (*httptest.ResponseRecorder, map[string]any) {
	s.t.Helper()
	raw, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		s.must(err)
		raw = string(b)
	}
	r := httptest.NewRequest(http.MethodPost, "/admin/api/2026-07/graphql.json", strings.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Shopify-Access-Token", "shpat_test")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var out map[string]any
	decode := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	decode.UseNumber()
	if err := decode.Decode(&out); err != nil {
		s.t.Fatalf("the answer is not JSON: %v\n%s", err, w.Body)
	}
	return w, out
}

// ask runs a query that must succeed and returns its data.
func (s *shop) ask(query string, vars map[string]any) map[string]any {
	s.t.Helper()
	w, out := s.post(map[string]any{"query": query, "variables": vars}, nil)
	if w.Code != 200 || out["errors"] != nil {
		s.t.Fatalf("HTTP %d: %s", w.Code, w.Body)
	}
	return out["data"].(map[string]any)
}

// operation reads one of the hub's operations from testdata.
func operation(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".graphql")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// at walks into decoded JSON: at(v, "order", "lines", 0, "id").
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for i, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v: no object at %v but %v", path, path[:i], v)
			}
			if _, ok := m[step]; !ok {
				t.Fatalf("%v: no member %q in %v", path, step, m)
			}
			v = m[step]
		case int:
			l, ok := v.([]any)
			if !ok || step >= len(l) {
				t.Fatalf("%v: no element %d in %v", path, step, v)
			}
			v = l[step]
		}
	}
	return v
}

// same compares decoded JSON at a path with a value, numbers by their text.
func same(t *testing.T, v any, want any, path ...any) {
	t.Helper()
	got := at(t, v, path...)
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("%v is %s, want %s", path, a, b)
	}
}

// errorCode returns the code and message of the first top-level error.
func errorCode(t *testing.T, out map[string]any) (code, message string) {
	t.Helper()
	first := at(t, out, "errors", 0).(map[string]any)
	code, _ = first["extensions"].(map[string]any)["code"].(string)
	return code, first["message"].(string)
}

// decoded is a delivery's body.
func decoded(t *testing.T, d Delivery) map[string]any {
	t.Helper()
	var out map[string]any
	decode := json.NewDecoder(bytes.NewReader(d.Body))
	decode.UseNumber()
	if err := decode.Decode(&out); err != nil {
		t.Fatalf("the body of %s is not JSON: %v", d.Topic, err)
	}
	return out
}

// drain delivers everything due and returns it.
func (s *shop) drain(status int) []Delivery {
	s.t.Helper()
	due := s.Deliveries(s.now)
	for _, d := range due {
		s.must(s.Delivered(d.ID, status))
	}
	return due
}
