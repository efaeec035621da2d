package intake_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

// spaces is a body of nothing but spaces that costs its sender no memory; it stops
// before its last byte until it is let go on.
type spaces struct {
	left   int64
	goesOn <-chan struct{}
}

func (s *spaces) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if s.left == 1 && s.goesOn != nil {
		<-s.goesOn
	}
	n := min(int64(len(p)), max(s.left-1, 1))
	for i := range p[:n] {
		p[i] = ' '
	}
	s.left -= n
	return int(n), nil
}

// large is a request with a body of so many spaces, wrongly signed unless it says how.
func (g *gate) large(size int64, goesOn <-chan struct{}, signed string) *http.Request {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), http.MethodPost, g.url+"/in/shop", &spaces{size, goesOn})
	g.must(err)
	r.ContentLength = size
	for name, value := range map[string]string{"Hmac-Sha256": signed, "Topic": "orders/updated", "Shop-Domain": shop, "API-Version": "2026-07", "Webhook-Id": "w-1", "Order-Id": "820982911946154508"} {
		r.Header.Set("X-Shopify-"+name, value)
	}
	return r
}

// heap returns how much memory is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below
}

// Many large messages at once that nobody signed: they are read a few at a time,
// and what is small and genuine does not wait for them.
func TestLargeBodiesAreReadAFewAtATime(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	const many, size = 30, 15 << 20
	g.in.Patience = time.Minute // none of them is slow by its own fault
	before := heap()
	goesOn := make(chan struct{})
	var sent sync.WaitGroup
	answers := make([]int, many)
	for i := range many {
		r := g.large(size, goesOn, "eA==")
		if i%3 == 0 {
			r.ContentLength = -1 // chunked
		}
		sent.Go(func() {
			got, err := http.DefaultClient.Do(r)
			if err == nil {
				answers[i] = got.StatusCode
				err = got.Body.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	most := int64(0)
	for n := range 10 {
		began := time.Now()
		if got := g.post(fmt.Appendf(nil, `{"admin_graphql_api_id":"gid://shopify/Order/%d"}`, n)).StatusCode; got != http.StatusOK {
			t.Errorf("a small one: %d", got)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("a small one took %s", took)
		}
		most = max(most, heap()-before)
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("at most %d MiB in use", most>>20)
	if most > 120<<20 {
		t.Errorf("%d MiB are in use for %d messages of %d MiB", most>>20, many, size>>20)
	}
	close(goesOn)
	sent.Wait()
	for i, got := range answers {
		if got != http.StatusUnauthorized {
			t.Errorf("message %d was answered %d", i, got)
		}
	}
	if n := len(g.filed()); n != 10 {
		t.Errorf("%d messages were filed", n)
	}
}

// Large bodies that stop coming: they give way to one that comes, and nobody is told
// to come again later.
func TestSlowBodiesGiveWay(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	g.in.Patience = 50 * time.Millisecond
	goesOn := make(chan struct{})
	var sent sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for range 6 {
		r := g.large(connector.HardCap, goesOn, "eA==")
		sent.Go(func() {
			got, err := (&http.Client{Transport: &http.Transport{}}).Do(r)
			if err != nil { // its connection was closed
				return
			}
			mu.Lock()
			answers[got.StatusCode]++
			mu.Unlock()
			if err := got.Body.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	began := time.Now()
	body := []byte(`{"admin_graphql_api_id":"` + gid + `","note":"` + strings.Repeat("x", 3<<20) + `"}`)
	if got := g.post(body).StatusCode; got != http.StatusOK {
		t.Errorf("a large one that comes at once: %d", got)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	close(goesOn)
	sent.Wait()
	for status := range answers {
		if status != http.StatusUnauthorized && status != http.StatusRequestTimeout {
			t.Errorf("answers: %v", answers)
		}
	}
	if n := g.in.Counts.Refused.Load(); n == 0 || n > 4 {
		t.Errorf("%d of the slow ones had to leave; one to three are enough", n)
	}
}

// dribble opens many connections whose bodies begin and do not go on.
func (g *gate) dribble(many, announced, sent int) {
	g.Helper()
	head := fmt.Sprintf("POST /in/shop HTTP/1.1\r\nHost: hub\r\nX-Shopify-Hmac-Sha256: eA==\r\nX-Shopify-Topic: orders/updated\r\nX-Shopify-Shop-Domain: %s"+
		"\r\nX-Shopify-API-Version: 2026-07\r\nX-Shopify-Webhook-Id: w\r\nContent-Length: %d\r\n\r\n%s", shop, announced, strings.Repeat(" ", sent))
	for range many {
		conn, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
		g.must(err)
		g.Cleanup(func() { _ = conn.Close() })
		g.must(conn.SetWriteDeadline(time.Now().Add(time.Second))) // it is not read for ever
		_, _ = io.WriteString(conn, head)
	}
}

// What is announced and not sent takes no room, and none has to leave.
func TestAnnouncedBodiesTakeNoRoom(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	before := heap()
	g.dribble(300, 250<<10, 1)
	began := time.Now()
	if got := g.post([]byte(`{"admin_graphql_api_id":"` + gid + `"}`)).StatusCode; got != http.StatusOK {
		t.Errorf("a small one: %d", got)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if n := g.in.Counts.Refused.Load(); n != 0 {
		t.Errorf("%d had to leave", n)
	}
	if most := heap() - before; most > 30<<20 {
		t.Errorf("%d MiB are in use", most>>20)
	}
}

// More small bodies that stop half-way than there is room for: genuine ones pass.
func TestSmallBodiesThatStopGiveWay(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	before := heap()
	g.dribble(200, 250<<10, 240<<10)
	for n := range 5 {
		began := time.Now()
		if got := g.post(fmt.Appendf(nil, `{"admin_graphql_api_id":"gid://shopify/Order/%d"}`, n)).StatusCode; got != http.StatusOK {
			t.Errorf("a small one: %d", got)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
	}
	most := heap() - before
	t.Logf("%d MiB are in use, %d had to leave", most>>20, g.in.Counts.Refused.Load())
	if most > 90<<20 {
		t.Errorf("%d MiB are in use", most>>20)
	}
}

// However long a genuine body is, its digest is kept.
func TestFarBeyondTheHardCap(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	const size = 70 << 20
	sum, digest := hmac.New(sha256.New, []byte(secret)), sha256.New()
	_, err := io.Copy(io.MultiWriter(sum, digest), &spaces{left: size})
	g.must(err)
	if got := g.do(g.large(size, nil, base64.StdEncoding.EncodeToString(sum.Sum(nil)))); got.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d", got.StatusCode)
	}
	filed := g.filed()
	if len(filed) != 1 || filed[0].Body != nil || filed[0].Meta["digest"] != fmt.Sprintf("%x", digest.Sum(nil)) || filed[0].Meta["size"] != fmt.Sprint(size) {
		t.Fatalf("%d messages were filed", len(filed))
	}
	if xs, looks := g.decide(); len(xs) != 1 || len(looks) != 1 || looks[0] != "look shop/order/"+gid {
		t.Errorf("exceptions %+v, looks %q", xs, looks)
	}
}

// A body that does not come to its end is not known to be genuine: nothing is kept
// of it, and its sender is told what was wrong.
func TestBodyWithoutEndIsNotFiled(t *testing.T) {
	const head = "POST /in/shop HTTP/1.1\r\nHost: hub\r\nX-Shopify-Hmac-Sha256: eA==\r\nX-Shopify-Topic: orders/updated\r\nX-Shopify-Shop-Domain: " + shop +
		"\r\nX-Shopify-API-Version: 2026-07\r\nX-Shopify-Webhook-Id: w\r\n"
	for _, c := range []struct {
		name, sent string
		close      bool
		want       string
	}{
		{"breaks off", "Content-Length: 1000\r\n\r\n{\"id\":1", true, "400"},
		{"breaks off in a chunk", "Transfer-Encoding: chunked\r\n\r\n64\r\n{\"id\":1", true, "400"},
		{"no chunk", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", true, "400"},
		{"goes on for ever", "Content-Length: 1000\r\n\r\n{\"id\":1", false, "408"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := build(t, sqlite.Options{Unsafe: true})
			web := httptest.NewUnstartedServer(g.in)
			web.Config.ReadTimeout = 300 * time.Millisecond
			web.Start()
			defer web.Close()
			conn, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
			g.must(err)
			defer conn.Close()
			_, err = io.WriteString(conn, head+c.sent)
			g.must(err)
			if c.close {
				g.must(conn.(*net.TCPConn).CloseWrite())
			}
			got, err := io.ReadAll(conn)
			g.must(err)
			if !strings.HasPrefix(string(got), "HTTP/1.1 "+c.want+" ") {
				t.Errorf("answered %.80q", got)
			}
			if n := len(g.filed()); n != 0 || g.in.Counts.Refused.Load() != 1 {
				t.Errorf("%d messages were filed, %d counted as refused", n, g.in.Counts.Refused.Load())
			}
		})
	}
}

// What a connector fails at is its defect, not the sender's.
func TestConnectorThatFailsToReceive(t *testing.T) {
	g := build(t, sqlite.Options{Unsafe: true})
	g.conns["shop"] = failing{}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/in/shop", bytes.NewReader([]byte("{}")))
	g.must(err)
	if got := g.do(r).StatusCode; got != http.StatusInternalServerError || len(g.filed()) != 0 {
		t.Errorf("answered %d", got)
	}
}

// failing is a receiver with a defect.
type failing struct{ connectortest.Plain }

func (failing) Receive(*http.Request) ([]crossdock.Message, connector.Answer, error) {
	return nil, connector.Answer{}, crossdock.Errorf(crossdock.Internal, "a defect")
}
