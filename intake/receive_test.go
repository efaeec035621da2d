package intake_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/intake"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

const (
	secret = "hush"
	shop   = "tea.myshopify.com"
	gid    = "gid://shopify/Order/820982911946154508"
)

// readTimeout is how long a request may take to arrive.
const readTimeout = time.Minute

// gate is the door of a hub with one shop, over HTTP, and the store behind it.
type gate struct {
	*testing.T
	dir    string
	s      store.Store
	in     *intake.Receive
	url    string
	conns  map[crossdock.System]connector.Connector
	broken []error
	mu     sync.Mutex
	events []string // "filed", "answered", "told"
}

func build(t *testing.T, o sqlite.Options) *gate {
	g := &gate{T: t, dir: t.TempDir()}
	c, err := shopify.Type.Open(&shopify.Config{Shop: shop, Token: "t", Secret: secret}, connector.Env{System: "shop", Now: now})
	g.must(err)
	g.conns = map[crossdock.System]connector.Connector{"shop": c}
	g.open(o)
	t.Cleanup(func() { g.must(g.s.Close()) })
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.in.ServeHTTP(&watched{w, g}, r)
	}))
	web.Config.ReadTimeout = readTimeout
	web.Start()
	t.Cleanup(web.Close)
	g.url = web.URL
	return g
}

func (g *gate) open(o sqlite.Options) {
	s, err := sqlite.Open(g.dir, o)
	g.must(err)
	g.s = s
	g.in = &intake.Receive{Journal: noting{s.Journal(), g}, Connectors: g.conns, Now: now, Log: slog.New(slog.DiscardHandler),
		Filed: func() { g.note("told") }, Broken: func(err error) { g.broken = append(g.broken, err) }}
}

func (g *gate) note(event string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, event)
}

func (g *gate) must(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

// noting is the real journal, noting when something is on disk.
type noting struct {
	store.Journal
	g *gate
}

func (n noting) File(ctx context.Context, f store.Filing) error {
	err := n.Journal.File(ctx, f)
	if err == nil {
		n.g.note("filed")
	}
	return err
}

// watched is a real answer, noting when it leaves.
type watched struct {
	http.ResponseWriter
	g *gate
}

func (w *watched) WriteHeader(status int) {
	w.g.note("answered")
	w.ResponseWriter.WriteHeader(status)
}

// post sends a webhook as Shopify does; headers override, "" takes one out.
func (g *gate) post(body []byte, headers ...string) answer {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), http.MethodPost, g.url+"/in/shop", bytes.NewReader(body))
	g.must(err)
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write(body)
	r.Header.Set("X-Shopify-Hmac-Sha256", base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	for _, h := range []string{"Topic:orders/updated", "Shop-Domain:" + shop, "API-Version:2026-07", "Webhook-Id:w-1"} {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Set("X-Shopify-"+name, value)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	return g.do(r)
}

func (g *gate) do(r *http.Request) answer {
	g.Helper()
	got, err := http.DefaultClient.Do(r)
	g.must(err)
	_, err = io.Copy(io.Discard, got.Body)
	g.must(err)
	g.must(got.Body.Close())
	return answer{got.StatusCode, got.Header}
}

func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// answer is what the sender of a message is told.
type answer struct {
	StatusCode int
	Header     http.Header
}

func (g *gate) filed() []crossdock.Message {
	g.Helper()
	all, err := g.s.Journal().Read(g.Context(), crossdock.Urgent, 0, 1000)
	g.must(err)
	var out []crossdock.Message
	for _, a := range all {
		out = append(out, a.Body.(crossdock.Message))
	}
	return out
}

// decide has the desk take everything, and returns the open exceptions and looks.
func (g *gate) decide() (xs []*core.Exception, looks []string) {
	g.Helper()
	d := desk.New(g.s, g.conns, now)
	for {
		did, err := d.Step(g.Context())
		g.must(err)
		if !did {
			break
		}
	}
	xs, err := g.s.Book().Exceptions(g.Context(), false, nil, 100)
	g.must(err)
	due, err := g.s.Book().Due(g.Context(), "shop", noon, 100)
	g.must(err)
	for _, w := range due {
		looks = append(looks, string(w.Do)+" "+w.Record.String())
	}
	return xs, looks
}

func TestWhatIsNotGenuineIsRefused(t *testing.T) {
	good := []byte(`{"admin_graphql_api_id":"` + gid + `"}`)
	g := build(t, sqlite.Options{Unsafe: true})
	for _, c := range []struct {
		name    string
		headers []string
	}{
		{"unsigned", []string{"X-Shopify-Hmac-Sha256:"}},
		{"signed with another secret", []string{"X-Shopify-Hmac-Sha256:nQse3CDUsB3t6d19p5PsSPePGnTNCrVqCPHUNiNuByM="}},
		{"of another shop", []string{"X-Shopify-Shop-Domain:other.myshopify.com"}},
		{"without a topic", []string{"X-Shopify-Topic:"}},
	} {
		before := g.in.Counts.Unsigned.Load()
		if got := g.post(good, c.headers...).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("%s: %d", c.name, got)
		}
		if g.in.Counts.Unsigned.Load() != before+1 {
			t.Errorf("%s was not counted", c.name)
		}
	}
	if n := len(g.filed()); n != 0 {
		t.Errorf("%d messages were filed", n)
	}
}

func TestWrongDoorIsNamed(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	g.conns["erp"] = nil
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/in/shop", http.StatusMethodNotAllowed},
		{http.MethodPut, "/in/shop", http.StatusMethodNotAllowed},
		{http.MethodPost, "/in/nobody", http.StatusNotFound},
		{http.MethodPost, "/in/erp", http.StatusNotFound},
		{http.MethodPost, "/in/", http.StatusNotFound},
		{http.MethodPost, "/in/shop/", http.StatusNotFound},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, g.url+c.path, strings.NewReader("{}"))
		g.must(err)
		got := g.do(r)
		if got.StatusCode != c.want || c.want == http.StatusMethodNotAllowed && got.Header.Get("Allow") != http.MethodPost {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, got.StatusCode, got.Header.Get("Allow"))
		}
	}
	if n := len(g.filed()); n != 0 || g.in.Counts.Refused.Load() != 6 {
		t.Errorf("%d messages were filed, %d counted as refused", n, g.in.Counts.Refused.Load())
	}
}

// Genuine and not to be used: kept, acknowledged, told to a person, and looked up.
func TestFaultyBodiesAreKeptAndLookedUp(t *testing.T) {
	byBody := `{"admin_graphql_api_id":"` + gid + `","updated_at":"2026-11-02T10:00:00Z"`
	header := "X-Shopify-Order-Id:820982911946154508"
	large := []byte(byBody + `,"note":"` + strings.Repeat("x", connector.Limit) + `"}`)
	for _, c := range []struct {
		name   string
		body   []byte
		header string
		reason string
		place  string
	}{
		{"over the limit, named by the body", large, "", "larger than 2097152", ""},
		{"over the limit, named by the header", []byte("[" + strings.Repeat(" ", connector.Limit)), header, "larger than 2097152", ""},
		{"too deep", []byte(byBody + `,"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}"), "", "nested deeper than 64", "$.a[0]"},
		{"too deep, lists only", []byte(strings.Repeat("[", 1<<20)), header, "nested deeper than 64", "$[0]"},
		{"breaks off", []byte(byBody + `,"line_items":[{"sku":"TE`), "", "breaks off", "$.line_items[0].sku (byte "},
		{"no JSON at all", []byte(`order=1001`), header, "no JSON", "$ (byte 0)"},
		{"a key twice", []byte(byBody + `,"total":"1.00","total":"2.00"}`), "", `"total" is there twice`, "$ (byte "},
		{"a key twice inside", []byte(byBody + `,"line_items":[{"sku":"A","sku":"B"}]}`), "", `"sku" is there twice`, "$.line_items[0] (byte "},
		{"something after it", []byte(byBody + "}{}"), "", "something follows", "$ (byte "},
		{"empty", nil, header, "breaks off", "$ (byte 0)"},
		{"no UTF-8", []byte(byBody + ",\"note\":\"caf\xe9\"}"), "", "no UTF-8", "$.note (byte "},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := build(t, sqlite.Options{Unsafe: true})
			if got := g.post(c.body, c.header).StatusCode; got != http.StatusOK {
				t.Fatalf("answered %d", got)
			}
			filed := g.filed()
			if len(filed) != 1 || !bytes.Equal(filed[0].Body, c.body) {
				t.Fatalf("%d messages were filed", len(filed))
			}
			if f := filed[0].Fault; f == nil || !strings.Contains(f.Text, c.reason) || !strings.HasPrefix(f.Place, c.place) {
				t.Errorf("fault %+v", f)
			}
			if n := g.in.Counts.Faulty.Load(); n != 1 {
				t.Errorf("%d are counted as faulty", n)
			}
			xs, looks := g.decide()
			if len(xs) != 1 || !strings.Contains(xs[0].Text, c.reason) || !strings.HasPrefix(xs[0].Place, c.place) || xs[0].Owner == "" {
				t.Errorf("exceptions %+v", xs)
			}
			if want := []string{"look shop/order/" + gid}; !slices.Equal(looks, want) {
				t.Errorf("looks %q, want %q", looks, want)
			}
		})
	}
}

func TestBeyondTheHardCap(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	body := bytes.Repeat([]byte(`{"a":1},`), connector.HardCap/8+1)
	if got := g.post(body, "X-Shopify-Order-Id:820982911946154508").StatusCode; got != http.StatusRequestEntityTooLarge {
		t.Fatalf("answered %d", got)
	}
	filed := g.filed()
	if len(filed) != 1 || filed[0].Body != nil || filed[0].Fault == nil {
		t.Fatalf("%d messages were filed", len(filed))
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(body))
	if m := filed[0].Meta; m["digest"] != sum || m["size"] != fmt.Sprint(len(body)) || m["webhook_id"] != "w-1" {
		t.Errorf("kept of it: %v, want digest %s", m, sum)
	}
	if xs, looks := g.decide(); len(xs) != 1 || len(looks) != 1 || looks[0] != "look shop/order/"+gid {
		t.Errorf("exceptions %+v, looks %q", xs, looks)
	}
	// At the cap it is still kept whole.
	if got := g.post(bytes.Repeat([]byte("["), connector.HardCap)).StatusCode; got != http.StatusOK {
		t.Errorf("a body of the cap's size: %d", got)
	}
	if filed := g.filed(); len(filed) != 2 || len(filed[1].Body) != connector.HardCap {
		t.Errorf("%d messages were filed", len(filed))
	}
}

// I1: the answer leaves after the message is on disk, never before.
func TestAnswerLeavesAfterFiling(t *testing.T) {
	g := build(t, sqlite.Options{})
	for i := range 5 {
		if got := g.post(fmt.Appendf(nil, `{"admin_graphql_api_id":"gid://shopify/Order/%d"}`, i)).StatusCode; got != http.StatusOK {
			t.Fatalf("answered %d", got)
		}
	}
	if want := slices.Repeat([]string{"filed", "told", "answered"}, 5); !slices.Equal(g.events, want) {
		t.Errorf("it happened in the order %q", g.events)
	}
	g.must(g.s.Close())
	g.open(sqlite.Options{})
	if n := len(g.filed()); n != 5 {
		t.Errorf("%d messages are on disk", n)
	}
}

func TestFullDiskRefusesUntilThereIsRoom(t *testing.T) {
	g := build(t, sqlite.Options{})
	body := []byte(`{"admin_graphql_api_id":"` + gid + `"}`)
	restore := storetest.PutDevice(t, "/dev/full", storetest.EmptyLog(t, filepath.Join(g.dir, "journal.db")))
	g.events = nil
	for range 3 {
		got := g.post(body)
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("with a full disk: %d, Retry-After %q", got.StatusCode, got.Header.Get("Retry-After"))
		}
	}
	if slices.Contains(g.events, "filed") || slices.Contains(g.events, "told") || len(g.broken) > 0 {
		t.Errorf("with a full disk: %q, %v", g.events, g.broken)
	}
	restore()
	if got := g.post(body).StatusCode; got != http.StatusOK {
		t.Errorf("with room again: %d", got)
	}
	if n := len(g.filed()); n != 1 {
		t.Errorf("%d messages were filed, want 1", n)
	}
}

func TestFailedFlushTellsTheProcessToStop(t *testing.T) {
	g := build(t, sqlite.Options{})
	body := []byte(`{"admin_graphql_api_id":"` + gid + `"}`)
	g.post(body)
	g.must(g.s.Close())
	g.open(sqlite.Options{})
	restore := storetest.PutDevice(t, "/dev/null", filepath.Join(g.dir, "journal.db-wal"))
	defer restore()
	if got := g.post(body).StatusCode; got/100 == 2 {
		t.Errorf("acknowledged with %d", got)
	}
	if len(g.broken) != 1 || !errors.Is(g.broken[0], store.ErrBroken) {
		t.Errorf("the process was told %v", g.broken)
	}
}
