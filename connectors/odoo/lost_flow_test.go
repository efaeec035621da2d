package odoo_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connectors/odoo"
)

// lossy stands before a server, hands every request on, and drops the connection
// in place of the answer to the methods it is told to lose, once each.
type lossy struct {
	url  string
	lose atomic.Value // string: the method
}

func (l *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	ask, err := http.NewRequest(r.Method, l.url+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	ask.Header = r.Header
	resp, err := http.DefaultClient.Do(ask)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	method, _ := l.lose.Load().(string)
	if err != nil || method != "" && (strings.Contains(string(body), `"`+method+`"`) || strings.HasSuffix(r.URL.Path, "/"+method)) {
		l.lose.Store("")
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(resp.StatusCode)
	w.Write(answer)
}

// TestLostAnswersHaveOneEffect: Odoo did it and we never heard.
func TestLostAnswersHaveOneEffect(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		ctx := context.Background()
		customer := f.customer()
		between := &lossy{url: f.s.url}
		h := httptest.NewServer(between)
		t.Cleanup(h.Close)
		s := f.s
		s.url = h.URL
		f.conn = connect(t, s, func(*odoo.Config) {}, time.Now)
		of, number := f.ref("lost")
		o := f.order(number, customer)

		w := f.want(of, o)
		push := crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door}
		between.lose.Store("load")
		if got := f.push(push)[0]; got.Code != crossdock.Ambiguous {
			t.Fatalf("a load without answer: %+v", got)
		}
		f.view(of).Unknown, f.view(of).Lost = true, &crossdock.Open{Push: push}
		o.Lines[0].Quantity.Count = dec("1") // changed meanwhile
		again := f.want(of, o)
		if !again.Record.Equal(push.Want) || again.Door != crossdock.DoorRefused {
			t.Fatalf("wanted after a lost load: %+v", again)
		}
		if got := f.push(push)[0]; got.Code != crossdock.OK || f.count(of) != 1 {
			t.Fatalf("the same load again: %+v", got)
		}
		f.view(of).Unknown, f.view(of).Lost = false, nil

		w = f.want(of, o)
		push = crossdock.Push{Of: of, Rev: 2, Want: w.Record, Key: f.view(of).Key, Door: w.Door}
		between.lose.Store("write")
		if got := f.push(push)[0]; got.Code != crossdock.Ambiguous {
			t.Fatalf("a write without answer: %+v", got)
		}
		if got := f.push(push)[0]; got.Code != crossdock.OK || !strings.Contains(string(got.Holds.Fields["totals"]), `"subtotal":"10.00 USD"`) {
			t.Fatalf("the same write again: %+v", got)
		}

		w = f.want(of, o)
		push = crossdock.Push{Of: of, Rev: 3, Want: w.Record, Key: f.view(of).Key, Door: w.Door}
		between.lose.Store("action_confirm")
		if got := f.push(push)[0]; got.Code != crossdock.Ambiguous {
			t.Fatalf("a confirmation without answer: %+v", got)
		}
		found, err := f.conn.Find(ctx, []crossdock.Ref{of})
		if err != nil || f.conn.Translate(found[0])[0].Said.Text("state") != "confirmed" {
			t.Fatalf("%v %v", found, err)
		}
		if got := f.push(push)[0]; got.Code != crossdock.OK || got.Holds.Text("state") != "confirmed" {
			t.Fatalf("the same confirmation again: %+v", got)
		}
		if moves := f.search("stock.picking", []any{"sale_id", "=", f.id(of)}); len(moves) != 1 {
			t.Fatalf("%d transfers", len(moves))
		}

		// The write came through, the read after it did not.
		other, number := f.ref("unread")
		w = f.want(other, f.order(number, customer))
		push = crossdock.Push{Of: other, Rev: 1, Want: w.Record, Door: w.Door}
		between.lose.Store("read")
		if got := f.push(push)[0]; got.Code != crossdock.Ambiguous || got.Key == "" {
			t.Fatalf("a load that could not be read back: %+v", got)
		}
	})
}

// TestTwoMakeTheSameOrder: two hubs, or one that was thought dead, load one order at once.
func TestTwoMakeTheSameOrder(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		customer := f.customer()
		of, number := f.ref("both")
		w := f.want(of, f.order(number, customer))
		push := crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door}
		got := make(chan crossdock.Receipt, 2)
		for range 2 {
			conn := connect(t, f.s, func(*odoo.Config) {}, time.Now)
			go func() { got <- conn.Push(context.Background(), []crossdock.Push{push})[0] }()
		}
		for range 2 {
			if r := <-got; r.Code != crossdock.OK && r.Code != crossdock.Unavailable {
				t.Errorf("%+v", r)
			}
		}
		if r := f.push(push)[0]; r.Code != crossdock.OK || f.count(of) != 1 {
			t.Errorf("%d orders: %+v", f.count(of), r)
		}
	})
}

// TestLostPartyWrite: Odoo does not refuse a second write, so a look says what
// became of the first, and the flow ends with what the shop said last.
func TestLostPartyWrite(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		between := &lossy{url: f.s.url}
		h := httptest.NewServer(between)
		t.Cleanup(h.Close)
		s := f.s
		s.url = h.URL
		f.conn = connect(t, s, func(*odoo.Config) {}, time.Now)
		of := crossdock.BookRef(crossdock.KindParty, "L1-"+f.run)
		p := crossdock.Party{Name: "Ada Lee", Email: "ada@example.org"}
		if w := f.want(of, p); w.Door != crossdock.DoorRefused {
			t.Fatalf("a partner is made by %q", w.Door)
		}
		f.true(of, p)

		p.Email = "lee@example.org"
		w := f.want(of, p)
		if w.Door != crossdock.DoorFound {
			t.Fatalf("a partner is changed by %q", w.Door)
		}
		between.lose.Store("write")
		push := crossdock.Push{Of: of, Rev: 2, Want: w.Record, Key: f.view(of).Key, Door: w.Door}
		if got := f.push(push)[0]; got.Code != crossdock.Ambiguous {
			t.Fatalf("a write without answer: %+v", got)
		}
		v := f.view(of)
		v.Unknown, v.Lost = true, &crossdock.Open{Push: push}
		found, err := f.conn.Find(context.Background(), []crossdock.Ref{{System: "odoo", Kind: crossdock.KindParty, Key: v.Key}})
		if err != nil {
			t.Fatal(err)
		}
		found[0].From = "odoo"
		st := f.conn.Translate(found[0])[0]
		if st.Said.Text("email") != "lee@example.org" || !slices.Contains(st.Names, "of:"+of.Short()) {
			t.Fatalf("the look: %+v", st)
		}
		v.Unknown, v.Lost, v.Held = false, nil, v.Held.With(st.Said, st.Says)
		p.Phone = "+15550100" // said meanwhile
		if steps := f.true(of, p); steps != 1 || v.Held.Text("email") != "lee@example.org" || v.Held.Text("phone") != "+15550100" {
			t.Fatalf("%d steps to %v", steps, v.Held)
		}
	})
}
