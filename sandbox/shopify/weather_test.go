package shopify

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestEveryAnswerSaysItsVersion(t *testing.T) {
	w := serve(t, nil)
	for _, c := range []struct{ order, want string }{{"", "2026-07"}, {"serve 2026-10", "2026-10"}, {"serve 2026-07", "2026-07"}} {
		if c.order != "" {
			w.must(w.Order(c.order))
		}
		for _, token := range []string{"shpat_test", "other"} {
			w.token = token
			w.try("{ shop { id } }", "", nil)
			if got := w.header.Get("X-Shopify-API-Version"); got != c.want {
				t.Errorf("after %q, HTTP %d says %q", c.order, w.status, got)
			}
		}
		if w.send("GET", "/nowhere", "", ""); w.header.Get("X-Shopify-API-Version") != c.want {
			t.Errorf("after %q, HTTP %d has no version", c.order, w.status)
		}
	}
}

func TestRefusedRequestsHaveNoEffect(t *testing.T) {
	w := serve(t, nil)
	w.must(w.Order("refuse 429 2 after 5s"))
	w.must(w.Order("refuse 430"))
	w.must(w.Order("refuse 423"))
	w.must(w.Order("refuse 503"))
	for i, want := range []struct {
		status int
		after  string
	}{{429, "5.0"}, {429, "5.0"}, {430, ""}, {423, ""}, {503, ""}, {200, ""}} {
		key := fmt.Sprint("k", i)
		out := w.try(operation(t, "HubInventorySet"), "HubInventorySet", map[string]any{"key": key, "input": input(w.line("TEA", "E", 7, 3))})
		if w.status != want.status || w.header.Get("Retry-After") != want.after || (w.status != 200) != (out["errors"] != nil) {
			t.Errorf("request %d: HTTP %d, Retry-After %q, %v", i+1, w.status, w.header.Get("Retry-After"), out)
		}
		if moved := w.level("TEA@E") == "7/0/7"; moved != (want.status == 200) {
			t.Errorf("request %d: TEA@E is %s", i+1, w.level("TEA@E"))
		}
	}
	if w.Calls()["HTTP 429"] != 2 || w.Calls()["HTTP 423"] != 1 {
		t.Errorf("calls are %v", w.Calls())
	}
}

func TestADrainedBucketThrottlesUntilItFills(t *testing.T) {
	w := serve(t, nil)
	query := `{ locations(first: 200) { nodes { id } } }`
	w.must(w.Order("drain 50"))
	out := w.try(query, "", nil)
	if code, _ := errorCode(t, out); w.status != 200 || code != "THROTTLED" || out["data"] != nil {
		t.Fatalf("HTTP %d %v", w.status, out)
	}
	cost := at(t, out, "extensions", "cost")
	same(t, cost, 200, "requestedQueryCost")
	same(t, cost, nil, "actualQueryCost")
	same(t, cost, 50, "throttleStatus", "currentlyAvailable")
	w.now = w.now.Add(1499 * time.Millisecond)
	if out := w.try(query, "", nil); out["errors"] == nil {
		t.Error("let in too early")
	}
	w.now = w.now.Add(2 * time.Millisecond)
	if out := w.try(query, "", nil); out["errors"] != nil {
		t.Errorf("not let in after (asked − available) / restoreRate: %v", out)
	}
	w.must(w.Order("restore 10"))
	out = w.try("{ shop { id } }", "", nil)
	if rate := fmt.Sprint(at(t, out, "extensions", "cost", "throttleStatus", "restoreRate")); rate != "10.0" {
		t.Errorf("the rate is %s", rate)
	}
	if full := fmt.Sprint(at(t, out, "extensions", "cost", "throttleStatus", "maximumAvailable")); full != "200.0" {
		t.Errorf("the bucket is %s", full)
	}
}

func TestABusyKeyHasNoEffectAndIsTriedAgain(t *testing.T) {
	w := serve(t, nil)
	w.must(w.Order("busy"))
	in := input(w.line("TEA", "E", 7, 3))
	same(t, w.set("k", in), "IDEMPOTENCY_CONCURRENT_REQUEST", "data", "inventorySetQuantities", "userErrors", 0, "code")
	same(t, w.set("k", in), []any{}, "data", "inventorySetQuantities", "userErrors")
	if w.level("TEA@E") != "7/0/7" {
		t.Errorf("TEA@E is %s", w.level("TEA@E"))
	}
}

func TestAnOrderThatMakesNoSenseIsRefused(t *testing.T) {
	s := open(t, nil)
	for _, c := range []struct{ order, part string }{
		{"refuse", "which status"}, {"refuse 404", "none of"}, {"refuse 429 0", "no number"}, {"refuse 429 1 after x", "duration"}, {"refuse 429 1 then", "belong"},
		{"drain x", "points"}, {"drain -1", "points"}, {"restore", "points"}, {"restore 0", "points"}, {"serve", "version"}, {"serve next", "version"},
		{"lag", "duration"}, {"lag -1s", "duration"}, {"busy 0", "no number"}, {"busy x", "belong"}, {"bulk", "what"}, {"bulk lost", "lost"}, {"bulk takes", "duration"},
		{"bulk failed X", "none of"}, {"bulk canceled 1 TIMEOUT", "belong"}, {"unsubscribe orders", "topics"}, {"rotate", "secret"}, {"sign both", "sign old"},
		{"expire", "tokens"}, {"token", "revoke"}, {"scopes", "which"}, {"refus 429", `did you mean "refuse"`},
	} {
		if err := s.Order(c.order); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%q: %v, want %q", c.order, err, c.part)
		}
	}
	if w, _ := s.post(map[string]any{"query": "{ shop { id } }"}, nil); w.Code != 200 {
		t.Errorf("something was arranged all the same: %d", w.Code)
	}
	for _, line := range FaultWords() {
		if !strings.Contains(line, ": ") {
			t.Errorf("%q says no meaning", line)
		}
	}
}
