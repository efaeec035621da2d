package shopify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock/sandbox"
)

// A set whose answer is lost has happened; sent again with its key it answers
// as if it had not been lost, over a socket and in process.
func TestALostAnswerIsHealedByTheKey(t *testing.T) {
	for _, inProcess := range []bool{true, false} {
		s := open(t, nil)
		door := sandbox.Wrap(s, s.Clock, 1)
		client, base := &http.Client{Transport: door.RoundTripper(sandbox.InProcess{Advance: func(d time.Duration) { s.now = s.now.Add(d) }})}, "http://tea.myshopify.com"
		if !inProcess {
			server := httptest.NewServer(door)
			defer server.Close()
			client, base = server.Client(), server.URL
		}
		set := func() (string, error) {
			b, _ := json.Marshal(map[string]any{"query": operation(t, "HubInventorySet"), "operationName": "HubInventorySet",
				"variables": map[string]any{"key": "k", "input": input(s.line("TEA", "E", 7, 3))}})
			r, _ := http.NewRequest("POST", base+"/admin/api/2026-07/graphql.json", bytes.NewReader(b))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Shopify-Access-Token", "shpat_test")
			resp, err := client.Do(r)
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			return string(text), err
		}
		s.must(door.Order("lose-answers 1"))
		if _, err := set(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("in process %v: %v", inProcess, err)
		}
		if s.level("TEA@E") != "7/0/7" {
			t.Errorf("in process %v: the set did not happen: %s", inProcess, s.level("TEA@E"))
		}
		if text, err := set(); err != nil || !strings.Contains(text, `"delta":4`) || strings.Contains(text, "STALE") {
			t.Errorf("in process %v: sent again: %v %s", inProcess, err, text)
		}
		if s.level("TEA@E") != "7/0/7" || s.Calls()["inventorySetQuantities"] != 2 {
			t.Errorf("in process %v: %s, calls %v", inProcess, s.level("TEA@E"), s.Calls())
		}
	}
}

// One seed and one clock give the same ids, headers and bodies.
func TestAWorldRepeatsItself(t *testing.T) {
	play := func(seed int64) string {
		s := open(t, func(c *Config) { c.Seed = seed })
		s.must(s.Order("reorder next 3"))
		s.buy(rich("1"))
		s.must(s.Cancel("1", true))
		var all strings.Builder
		for _, d := range s.drain(200) {
			fmt.Fprint(&all, d.ID, d.Header, string(d.Body))
		}
		return all.String()
	}
	if first, again := play(1), play(1); first != again {
		t.Error("one seed, two worlds")
	}
	if play(1) == play(2) {
		t.Error("two seeds, one world")
	}
}

// The hub's dearest operations stay under the cap; their price is part of the
// stand-in's contract.
func TestTheHubsOperationsAreAffordable(t *testing.T) {
	for _, c := range []struct {
		file, name string
		vars       map[string]any
		most       int
	}{
		{"HubOrderRead", "", map[string]any{"id": "gid://shopify/Order/1"}, 1000},
		{"HubOrderLines", "", map[string]any{"id": "gid://shopify/Order/1"}, 1000},
		{"HubOrdersChangedSince", "", map[string]any{"q": ""}, 60},
		{"HubInventoryRead", "HubInventoryByLocation", map[string]any{"locationId": "gid://shopify/Location/1"}, 400},
		{"HubLocations", "HubLocations", nil, 250},
	} {
		op, vars, errs := prepare(request{Query: operation(t, c.file), OperationName: c.name, Variables: c.vars})
		if errs != nil {
			t.Errorf("%s: %v", c.file, errs)
			continue
		}
		if n := estimate(op, vars); n > c.most || n < 10 {
			t.Errorf("%s asks %d, at most %d was meant", c.file, n, c.most)
		} else {
			t.Logf("%s %s asks %d", c.file, c.name, n)
		}
	}
}
