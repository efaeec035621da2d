package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// reply is one prepared answer of the Admin API.
type reply struct {
	status int
	header map[string]string
	body   string
}

// replies serves them in turn and notes what was asked.
func replies(t *testing.T, all ...reply) (*Shop, *[]map[string]any) {
	t.Helper()
	var asked []map[string]any
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var q map[string]any
		if err := json.Unmarshal(b, &q); err != nil || r.Header.Get("X-Shopify-Access-Token") != testToken || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request %s, headers %v", b, r.Header)
		}
		asked = append(asked, q)
		if len(asked) > len(all) {
			t.Errorf("request %d was not expected", len(asked))
			return
		}
		a := all[len(asked)-1]
		for k, v := range a.header {
			w.Header().Set(k, v)
		}
		if a.status != 0 {
			w.WriteHeader(a.status)
		}
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(srv.Close)
	return openShop(t, srv.URL), &asked
}

func ref(key string) crossdock.Ref {
	return crossdock.Ref{System: "shop", Kind: crossdock.KindOrder, Key: key}
}

const throttled = `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":752,"actualQueryCost":null,"throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":2,"restoreRate":100.0}}}}`

func TestWhatAnErrorMeans(t *testing.T) {
	coded := func(code string) string {
		return `{"data":{"order":null},"errors":[{"message":"it says why","extensions":{"code":"` + code + `"}}]}`
	}
	for _, c := range []struct {
		name string
		a    reply
		code crossdock.Code
		says string
		wait time.Duration
	}{
		{"token", reply{401, nil, `{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}`}, crossdock.Unauthorized, "Invalid API key", 0},
		{"frozen", reply{402, nil, `{"errors":"Unavailable Shop"}`}, crossdock.Unauthorized, "frozen", 0},
		{"scope", reply{403, nil, ""}, crossdock.Unauthorized, "read_orders", 0},
		{"no shop", reply{404, nil, `{"errors":"Not Found"}`}, crossdock.Unauthorized, "correct shop or url", 0},
		{"locked", reply{423, nil, ""}, crossdock.Unauthorized, "locked", 0},
		{"security", reply{430, nil, ""}, crossdock.Unauthorized, "security", 0},
		{"too many", reply{429, map[string]string{"Retry-After": "2.0"}, ""}, crossdock.Throttled, "429", 2 * time.Second},
		{"too many, no hint", reply{429, nil, ""}, crossdock.Throttled, "429", time.Second},
		{"too many, for years", reply{429, map[string]string{"Retry-After": "1e12"}, ""}, crossdock.Throttled, "429", 2 * time.Minute},
		{"down", reply{503, map[string]string{"X-Request-Id": "r-17"}, "<html>"}, crossdock.Unavailable, "request r-17", 0},
		{"gateway", reply{504, nil, ""}, crossdock.Unavailable, "504", 0},
		{"not understood", reply{400, nil, ""}, crossdock.Internal, "400", 0},
		{"a status nobody knows", reply{418, nil, ""}, crossdock.Internal, "418", 0},
		{"a page instead of JSON", reply{200, nil, "<html>"}, crossdock.Unavailable, "no JSON", 0},
		{"nothing in it", reply{200, nil, `{}`}, crossdock.Unavailable, "neither data nor errors", 0},
		{"bucket empty", reply{200, nil, throttled}, crossdock.Throttled, "THROTTLED", 7500 * time.Millisecond},
		{"bucket empty, no cost block", reply{200, nil, coded("THROTTLED")}, crossdock.Throttled, "THROTTLED", time.Second},
		{"denied", reply{200, nil, coded("ACCESS_DENIED")}, crossdock.Unauthorized, "it says why", 0},
		{"denied beside data", reply{200, nil, `{"data":{"order":{"id":"gid://shopify/Order/12","email":null}},"errors":[{"message":"email","extensions":{"code":"ACCESS_DENIED"}}]}`}, crossdock.Unauthorized, "ACCESS_DENIED", 0},
		{"their fault", reply{200, nil, coded("INTERNAL_SERVER_ERROR")}, crossdock.Unavailable, "it says why", 0},
		{"too dear", reply{200, nil, coded("MAX_COST_EXCEEDED")}, crossdock.Internal, "MAX_COST_EXCEEDED", 0},
		{"a field that is gone", reply{200, nil, `{"errors":[{"message":"Field 'poNumber' doesn't exist on type 'Order'","extensions":{"code":"undefinedField"}}]}`}, crossdock.Internal, "poNumber", 0},
		{"an error in words", reply{200, nil, `{"errors":"what?"}`}, crossdock.Internal, "what?", 0},
		{"another order", reply{200, nil, `{"data":{"order":{"id":"gid://shopify/Order/13"}}}`}, crossdock.Internal, "Order/13", 0},
		{"more shipping lines than asked for", reply{200, nil, `{"data":{"order":{"id":"gid://shopify/Order/12","shippingLines":{"pageInfo":{"hasNextPage":true}}}}}`}, crossdock.Internal, "shipping lines", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := replies(t, c.a)
			got, err := s.Find(context.Background(), []crossdock.Ref{ref("12")})
			if len(got) != 0 || crossdock.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%d messages, code %q, %v; want code %q and %q", len(got), crossdock.CodeOf(err), err, c.code, c.says)
			}
			if strings.Contains(err.Error(), testToken) {
				t.Error("the error says the token")
			}
			var w interface{ After() time.Duration }
			if found := errors.As(err, &w); found != (c.wait != 0) || found && w.After() != c.wait {
				t.Errorf("wait %v, want %v", w, c.wait)
			}
		})
	}
}

func TestNoAnswerIsUnavailable(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	url := srv.URL
	srv.Close()
	s := openShop(t, url)
	if err := s.Ping(context.Background()); crossdock.CodeOf(err) != crossdock.Unavailable {
		t.Errorf("nobody listens: %v", err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Find(done, []crossdock.Ref{ref("12")}); crossdock.CodeOf(err) != crossdock.Unavailable {
		t.Errorf("called off: %v", err)
	}
}

func TestTheTokenFollowsNoRedirect(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s, _ := replies(t, reply{status, map[string]string{"Location": other.URL}, ""})
		if err := s.Ping(context.Background()); crossdock.CodeOf(err) != crossdock.Unauthorized || !strings.Contains(err.Error(), "moved") {
			t.Errorf("%d: %v", status, err)
		}
	}
	if elsewhere != 0 {
		t.Errorf("%d requests went where the redirect leads", elsewhere)
	}
}

func TestPing(t *testing.T) {
	s, asked := replies(t, reply{body: `{"data":{"shop":{"id":"gid://shopify/Shop/1"}}}`}, reply{body: `{"data":{"shop":null}}`})
	if err := s.Ping(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Ping(context.Background()); crossdock.CodeOf(err) != crossdock.Unavailable {
		t.Errorf("no shop: %v", err)
	}
	if q := (*asked)[0]["query"]; !strings.Contains(q.(string), "shop { id }") {
		t.Errorf("asked %v", q)
	}
}

// page makes an answer with lines; after "" it is the first page of an order.
func page(updated, next string, lines ...string) reply {
	for i, id := range lines {
		lines[i] = `{"id":"` + id + `"}`
	}
	return reply{header: map[string]string{"X-Shopify-API-Version": "2026-10"}, body: fmt.Sprintf(
		`{"data":{"order":{"name":"<#1>","id":"gid://shopify/Order/12","updatedAt":%q,"shippingLines":{"pageInfo":{"hasNextPage":false},"nodes":[]},"lineItems":{"pageInfo":{"hasNextPage":%v,"endCursor":%q},"nodes":[%s]}}}}`,
		updated, next != "", next, strings.Join(lines, ","))}
}

func TestFindReadsAllLinesAsOfOneMoment(t *testing.T) {
	early, late := "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"
	s, asked := replies(t, page(early, "c1", "a", "b"), page(late, "", "c"), // changed in between: again
		page(late, "c1", "a", "b"), page(late, "c2", "c"), page(late, "", "d"))
	got, err := s.Find(context.Background(), []crossdock.Ref{ref("12")})
	if err != nil {
		t.Fatal(err)
	}
	m := got[0]
	if want := `{"id":"gid://shopify/Order/12","lineItems":{"nodes":[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}]},"name":"<#1>","shippingLines":{"nodes":[]},"updatedAt":"2026-11-23T12:00:01Z"}`; string(m.Body) != want {
		t.Errorf("body %s", m.Body)
	}
	if m.Key != "gid://shopify/Order/12" || m.Version != late || m.From != "shop" || m.Kind != crossdock.KindOrder || m.Meta["api_version"] != "2026-10" || m.Meta["shape"] != "graphql" || m.Asked.IsZero() {
		t.Errorf("message %+v", m)
	}
	if v := (*asked)[4]["variables"].(map[string]any); v["after"] != "c2" || v["id"] != m.Key {
		t.Errorf("asked for %v", v)
	}
}

func TestFindGivesUpOnAnOrderThatKeepsChanging(t *testing.T) {
	var all []reply
	for i := range maxTries {
		all = append(all, page(fmt.Sprintf("2026-11-23T12:00:0%dZ", i), "c1", "a"), page("2026-11-23T12:00:09Z", "", "b"))
	}
	s, _ := replies(t, all...)
	if _, err := s.Find(context.Background(), []crossdock.Ref{ref("12")}); crossdock.CodeOf(err) != crossdock.Unavailable || !strings.Contains(err.Error(), "changed") {
		t.Error(err)
	}
}

func TestFindAnswersEveryRef(t *testing.T) {
	none := reply{body: `{"data":{"order":null}}`}
	s, asked := replies(t, page("2026-11-23T12:00:00Z", "", "a"), none)
	refs := []crossdock.Ref{ref("gid://shopify/Order/12"), crossdock.BookRef(crossdock.KindOrder, "1001"), {System: "shop", Kind: crossdock.KindParty, Key: "1"}, ref("#1001"), ref("18446744073709551615")}
	got, err := s.Find(context.Background(), refs)
	if err != nil || len(got) != len(refs) {
		t.Fatalf("%d messages, %v", len(got), err)
	}
	for i, fault := range []bool{false, true, true, true, false} {
		if (got[i].Fault != nil) != fault {
			t.Errorf("%s: fault %+v", refs[i], got[i].Fault)
		}
		sts := s.Translate(got[i])
		if len(sts) != 1 {
			t.Fatalf("%s: %d statements", refs[i], len(sts))
		}
		if wantGone := i == 4; sts[0].Gone != wantGone {
			t.Errorf("%s: gone is %v", refs[i], sts[0].Gone)
		}
	}
	if v := (*asked)[1]["variables"].(map[string]any); v["id"] != "gid://shopify/Order/18446744073709551615" {
		t.Errorf("asked for %v", v)
	}
}
