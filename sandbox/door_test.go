package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ledger is a tiny stand-in: POST adds the body to what it holds.
type ledger struct {
	mu   sync.Mutex
	held []string
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.URL.Path == "/abort" {
		panic(http.ErrAbortHandler)
	}
	l.held = append(l.held, string(body))
	w.Header().Set("X-Held", fmt.Sprint(len(l.held)))
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, "took %s from %s", body, r.Host)
}

func (l *ledger) holds() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}

// way is one of the two ways to a door.
type way struct {
	name   string
	door   *Door
	ledger *ledger
	client *http.Client
	base   string
	now    func() time.Time     // of the door's clock
	elapse func(time.Duration)  // lets time pass for the door
	took   func() time.Duration // simulated time moved so far, or real time
}

func ways(t *testing.T, seed int64, timeout time.Duration) []way {
	t.Helper()
	real := way{name: "listener", ledger: &ledger{}, now: time.Now, elapse: time.Sleep}
	real.door = Wrap(real.ledger, time.Now, seed)
	server := httptest.NewServer(real.door)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	real.client, real.base = &http.Client{Transport: transport, Timeout: timeout}, server.URL
	began := time.Now()
	real.took = func() time.Duration { return time.Since(began) }

	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	began = at
	sim := way{name: "in process", ledger: &ledger{}, base: "http://127.0.0.1:8069"}
	clock := at
	sim.now = func() time.Time { return clock }
	sim.elapse = func(d time.Duration) { clock = clock.Add(d) }
	sim.took = func() time.Duration { return clock.Sub(at) }
	sim.door = Wrap(sim.ledger, sim.now, seed)
	sim.client = &http.Client{Transport: sim.door.RoundTripper(InProcess{Advance: sim.elapse, Timeout: timeout})}
	return []way{real, sim}
}

func (w way) post(path, body string) (int, string, error) {
	resp, err := w.client.Post(w.base+path, "text/plain", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestAnOrderedFaultMeansTheSameBothWays(t *testing.T) {
	for _, c := range []struct {
		order  string
		want   []any // what each of some requests gets: a status, "reset" or "timeout"
		held   int   // requests that had their effect
		struck string
	}{
		{"", []any{201, 201}, 2, ""},
		{"down", []any{503, 503}, 0, "down"},
		{"hang", []any{"timeout"}, 0, "hang"},
		{"lose-answers 2", []any{"reset", "reset", 201}, 3, "lose-answers"},
		{"lose-answers", []any{"reset", 201}, 2, "lose-answers"},
		{"throttle 2", []any{429, 429, 201}, 1, "throttle"},
		{"late-commit 1h 1", []any{"reset", 201}, 1, "late-commit"},
		{"errors 100%", []any{"5xx", "5xx"}, 0, "errors"},
		{"errors 0%", []any{201}, 1, ""},
		{"slow 20ms", []any{201}, 1, "slow"},
		{"slow 3s", []any{"timeout"}, 1, "slow"},
	} {
		for _, w := range ways(t, 1, 300*time.Millisecond) {
			t.Run(c.order+" "+w.name, func(t *testing.T) {
				if c.order != "" {
					if err := w.door.Order(c.order); err != nil {
						t.Fatal(err)
					}
				}
				for i, want := range c.want {
					code, _, err := w.post("/x", fmt.Sprint(i))
					got := any(code)
					var timeout net.Error
					switch {
					case errors.Is(err, syscall.ECONNRESET) && strings.Contains(err.Error(), "connection reset by peer"):
						got = "reset"
					case errors.Is(err, context.DeadlineExceeded) && errors.As(err, &timeout) && timeout.Timeout():
						got = "timeout"
					case err != nil:
						t.Fatalf("request %d: %v", i, err)
					case want == "5xx" && (code == 503 || code == 500):
						got = "5xx"
					}
					if got != want {
						t.Errorf("request %d: %v, want %v", i, got, want)
					}
				}
				if w.ledger.holds() != c.held {
					t.Errorf("the stand-in holds %d, want %d", w.ledger.holds(), c.held)
				}
				if c.struck != "" && w.door.Struck()[c.struck] == 0 {
					t.Errorf("no request was counted for %s: %v", c.struck, w.door.Struck())
				}
			})
		}
	}
}

func TestAnAnswerPassesUnchanged(t *testing.T) {
	for _, w := range ways(t, 1, time.Second) {
		code, body, err := w.post("/x", "hello")
		if err != nil || code != 201 || !strings.HasPrefix(body, "took hello from 127.0.0.1:") {
			t.Errorf("%s: %d %q %v", w.name, code, body, err)
		}
	}
}

func TestTimePassesWhileSlowAndHanging(t *testing.T) {
	w := ways(t, 1, 10*time.Second)[1]
	if err := w.door.Order("slow", "4s"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.post("/x", "a"); err != nil || w.took() != 4*time.Second {
		t.Errorf("slow 4s took %v, error %v", w.took(), err)
	}
	if err := w.door.Order("hang"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.post("/x", "a"); err == nil || w.took() != 14*time.Second {
		t.Errorf("a hang with a timeout of 10s took %v more, error %v", w.took()-4*time.Second, err)
	}
}

func TestALateCommitHasItsEffectOnceAndLater(t *testing.T) {
	for _, w := range ways(t, 1, time.Second) {
		if err := w.door.Order("late-commit 80ms 2"); err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{"a", "b"} {
			if _, _, err := w.post("/x", body); !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("%s: %v", w.name, err)
			}
		}
		if n := w.door.RunLate(w.now()); n != 0 || w.ledger.holds() != 0 {
			t.Errorf("%s: %d ran and %d are held before their time", w.name, n, w.ledger.holds())
		}
		next, ok := w.door.Next()
		if !ok || next.Before(w.now()) || w.door.Due(next.Add(time.Second)) != 2 {
			t.Errorf("%s: next is due %v (%v), now %v", w.name, next, ok, w.now())
		}
		w.elapse(200 * time.Millisecond)
		w.door.RunLate(w.now())
		w.door.RunLate(w.now())
		if w.ledger.holds() != 2 {
			t.Errorf("%s: %d effects, want 2: %v", w.name, w.ledger.holds(), w.ledger.held)
		}
		if _, ok := w.door.Next(); ok {
			t.Errorf("%s: a late commit still waits after both ran", w.name)
		}
	}
}

func TestALateCommitThatWasRunDoesNotRunByItselfAgain(t *testing.T) {
	w := ways(t, 1, time.Second)[0]
	if err := w.door.Order("late-commit 50ms"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.post("/x", "a"); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	if n := w.door.RunLate(w.now().Add(time.Hour)); n != 1 {
		t.Errorf("%d ran", n)
	}
	w.elapse(120 * time.Millisecond) // its own timer has fired
	if w.ledger.holds() != 1 {
		t.Errorf("%d effects of one request", w.ledger.holds())
	}
}

func TestErrorsStrikeASeededShareTheSameBothWays(t *testing.T) {
	run := func(w way) string {
		if err := w.door.Order("errors 30%"); err != nil {
			t.Fatal(err)
		}
		var seen bytes.Buffer
		for range 60 {
			code, _, err := w.post("/x", "a")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&seen, "%d ", code)
		}
		return seen.String()
	}
	both := ways(t, 7, time.Second)
	real, sim := run(both[0]), run(both[1])
	if real != sim {
		t.Errorf("one seed, two outcomes:\n%s\n%s", real, sim)
	}
	if n := strings.Count(sim, "50"); n < 8 || n > 30 {
		t.Errorf("%d of 60 requests failed at 30%%", n)
	}
	if other := run(ways(t, 8, time.Second)[1]); other == sim {
		t.Error("another seed struck the same requests")
	}
}

func TestOnlyNarrowsAFault(t *testing.T) {
	for _, w := range ways(t, 1, time.Second) {
		for _, order := range []string{"only POST /jsonrpc", "down"} {
			if err := w.door.Order(order); err != nil {
				t.Fatal(err)
			}
		}
		if code, _, _ := w.post("/jsonrpc", "a"); code != 503 {
			t.Errorf("%s: the path that was named answered %d", w.name, code)
		}
		if code, _, _ := w.post("/other", "a"); code != 201 {
			t.Errorf("%s: another path answered %d", w.name, code)
		}
		if resp, err := w.client.Get(w.base + "/jsonrpc"); err != nil || resp.StatusCode != 201 {
			t.Errorf("%s: another method: %v %v", w.name, resp, err)
		} else {
			resp.Body.Close()
		}
	}
}

func TestUpEndsEveryFault(t *testing.T) {
	for _, w := range ways(t, 1, time.Second) {
		for _, order := range []string{"errors 100%", "slow 900ms", "lose-answers 5", "throttle 5", "late-commit 1s 5", "hang", "down", "up"} {
			if err := w.door.Order(order); err != nil {
				t.Fatal(err)
			}
		}
		if code, _, err := w.post("/x", "a"); err != nil || code != 201 {
			t.Errorf("%s: after up %d %v", w.name, code, err)
		}
	}
}

func TestThrottleSaysWhenToComeBack(t *testing.T) {
	for _, w := range ways(t, 1, time.Second) {
		if err := w.door.Order("throttle 1 7s"); err != nil {
			t.Fatal(err)
		}
		resp, err := w.client.Get(w.base)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" {
			t.Errorf("%s: %d, Retry-After %q", w.name, resp.StatusCode, resp.Header.Get("Retry-After"))
		}
	}
}

func TestAHandlerThatBreaksItsConnectionBreaksItBothWays(t *testing.T) {
	for _, w := range ways(t, 1, time.Second) {
		if _, _, err := w.post("/abort", "a"); err == nil {
			t.Errorf("%s: an aborted request was answered", w.name)
		}
	}
}

func TestAnOrderThatMakesNoSenseIsRefused(t *testing.T) {
	for order, part := range map[string]string{
		"dwon":            `did you mean "down"?`,
		"lose-answer 2":   `did you mean "lose-answers"?`,
		"zzzzzzzzzz":      "the faults are down, up, hang",
		"":                "empty",
		"slow":            "a duration is missing",
		"slow 4":          "not a duration",
		"slow 4s 5":       "one word too many",
		"errors":          "takes a share",
		"errors 5":        "not a share",
		"errors 101%":     "not a share",
		"lose-answers 0":  "not a number of requests",
		"lose-answers x":  "not a number of requests",
		"late-commit 2":   "not a duration",
		"late-commit":     "a duration is missing",
		"throttle 1 2":    "not a duration",
		"down now":        "takes nothing after it",
		"only PSOT":       "neither a method",
		"only /a /b":      "neither a method",
		"only POST GET":   "neither a method",
		"lose-answers -1": "not a number of requests",
	} {
		d := Wrap(&ledger{}, time.Now, 1)
		err := d.Order(order)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: error %v, want one with %q", order, err, part)
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		if f := d.decide(r); f.kind != pass || f.slow != 0 {
			t.Errorf("%q was refused and still arranged %+v", order, f)
		}
	}
}

func TestWordsNameEveryFaultOrderKnows(t *testing.T) {
	if len(Words()) != len(words) {
		t.Fatal("words are missing")
	}
	for _, w := range words {
		d := Wrap(&ledger{}, time.Now, 1)
		example := map[string]string{"slow": "1s", "errors": "1%", "late-commit": "1s"}[w.word]
		if err := d.Order(w.word, example); err != nil {
			t.Errorf("a listed fault is not known: %v", err)
		}
	}
}

func TestRandRepeatsItself(t *testing.T) {
	a, b := Rand(3), Rand(3)
	for range 10 {
		if a.Uint64() != b.Uint64() {
			t.Fatal("one seed, two sequences")
		}
	}
	if got := Rand(1).Uint64(); got == Rand(2).Uint64() {
		t.Errorf("two seeds, one sequence: %d", got)
	}
}
