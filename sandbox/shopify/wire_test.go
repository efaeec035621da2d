package shopify

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// wire is a plain HTTP client at a socket of a shop.
type wire struct {
	*shop
	client *http.Client
	base   string
	token  string
	header http.Header // of the last answer
	status int
}

// serve opens a shop at a socket.
func serve(t *testing.T, change func(*Config)) *wire {
	t.Helper()
	s := open(t, change)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &wire{shop: s, client: server.Client(), base: server.URL, token: "shpat_test"}
}

// send makes one request and returns the body of its answer.
func (w *wire) send(method, path, kind, body string) []byte {
	w.t.Helper()
	r, err := http.NewRequest(method, w.base+path, bytes.NewReader([]byte(body)))
	w.must(err)
	r.Header.Set("Content-Type", kind)
	if w.token != "" {
		r.Header.Set("X-Shopify-Access-Token", w.token)
	}
	resp, err := w.client.Do(r)
	w.must(err)
	defer resp.Body.Close()
	w.status, w.header = resp.StatusCode, resp.Header
	raw, err := io.ReadAll(resp.Body)
	w.must(err)
	return raw
}

// try runs an operation and returns the whole answer, whatever it is.
func (w *wire) try(query, name string, vars map[string]any) map[string]any {
	w.t.Helper()
	b, err := json.Marshal(map[string]any{"query": query, "operationName": name, "variables": vars})
	w.must(err)
	return decodeJSON(w.t, w.send(http.MethodPost, "/admin/api/2026-07/graphql.json", "application/json", string(b)))
}

// do runs an operation that must be answered and returns its data.
func (w *wire) do(query, name string, vars map[string]any) map[string]any {
	w.t.Helper()
	out := w.try(query, name, vars)
	if w.status != 200 || out["errors"] != nil {
		w.t.Fatalf("HTTP %d: %v", w.status, out)
	}
	return out["data"].(map[string]any)
}

func decodeJSON(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var out map[string]any
	decode := json.NewDecoder(bytes.NewReader(raw))
	decode.UseNumber()
	if err := decode.Decode(&out); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, raw)
	}
	return out
}

// toldOf are the topics of deliveries, in order.
func toldOf(due []Delivery) []string {
	out := []string{}
	for _, d := range due {
		out = append(out, d.Topic)
	}
	return out
}

// problemOf is the message of a mutation's first user error, "" for none.
func problemOf(t *testing.T, data map[string]any, mutation string) string {
	t.Helper()
	all := at(t, data, mutation, "userErrors").([]any)
	if len(all) == 0 {
		return ""
	}
	return at(t, all[0], "message").(string)
}
