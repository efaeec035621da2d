package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Hard drives the rooms of a hub over the store through what is hardest to keep
// right: a crash after and before every single durable step. A crash here ends the
// hub without a word and opens the store again, so a store that need not outlast a
// power cut in a test may be opened in its fastest way. With -short most of the
// moments and some of the cases are left out.
func Hard(t *testing.T, open func(t *testing.T, dir string) store.Store) {
	t.Run("a want that goes from 0 to 5 and back ends at 0 whatever became of the 5", func(t *testing.T) {
		nth := 0
		for _, door := range []crossdock.Door{crossdock.DoorRefused, crossdock.DoorFound} {
			for fate, name := range []string{connectortest.Landed: "landed", connectortest.Never: "never sent", connectortest.Late: "landed late"} {
				if name == "" {
					continue
				}
				for _, back := range []time.Duration{0, 10 * time.Second, 3 * time.Minute} {
					if nth++; testing.Short() && nth%3 != 0 {
						continue
					}
					c := there{door, connectortest.Fate(fate), back, nth}
					t.Run(fmt.Sprintf("%s, %s, back after %s", door, name, back), func(t *testing.T) {
						t.Parallel()
						thereAndBack(t, open, c)
					})
				}
			}
		}
	})
	t.Run("100,000 rows in one arrival keep nothing urgent waiting", func(t *testing.T) {
		t.Parallel()
		hundredThousand(t, open)
	})
	for _, door := range []crossdock.Door{crossdock.DoorRefused, crossdock.DoorFound} {
		t.Run("a crash between any two commits changes nothing in the end, door "+string(door), func(t *testing.T) {
			t.Parallel()
			orderFlow(t, open, door)
		})
	}
}

// there is what becomes of the push of 5, and how much later 0 is wanted again.
type there struct {
	door crossdock.Door
	fate connectortest.Fate
	back time.Duration
	nth  int // of these cases
}

// cuts are the moments at which a hub is ended: before and after the durable steps
// first, first+step, …
type cuts struct{ first, step int }

// play calls play without a crash, then with one at each moment, as long as it
// comes to it.
func (c cuts) play(t *testing.T, play func(moment)) {
	play(moment{})
	if testing.Short() {
		c.step *= 15
	}
	for _, after := range []bool{false, true} {
		for n := c.first; !t.Failed(); n += c.step {
			m := moment{at: n, after: after, come: new(bool)}
			play(m)
			if !*m.come {
				break
			}
		}
	}
}

func thereAndBack(t *testing.T, open func(*testing.T, string) store.Store, c there) {
	moments := 0
	cuts{1 + c.nth%3, 3}.play(t, func(m moment) { // the cases share the moments out
		moments++
		h := enterHub(t, open, moment{})
		defer h.leave()
		h.erp.Door = c.door
		sent := false
		h.erp.Fate = func(p crossdock.Push) connectortest.Fate {
			if sent || p.Want.Text("phone") != "5" {
				return connectortest.Answered
			}
			sent = true
			return c.fate
		}
		h.opened(map[string]string{"TEA": "3"})
		customer := func(phone, version string) connectortest.Row {
			return connectortest.Row{Kind: crossdock.KindParty, Key: "ada", Version: version, Fields: map[string]any{"name": "Ada", "phone": phone}}
		}
		h.deliver(customer("0", "1"), connectortest.Order("1001", "shop/party/ada", "TEA", "1", "5.00"))
		h.pass(time.Second)
		h.cut, h.n = m, 0 // the way up to here is walked with crashes by the order flow
		h.deliver(customer("5", "2"))
		for range 100 {
			if sent {
				break
			}
			if !h.step() {
				h.pass(2 * time.Second)
			}
		}
		if !sent {
			t.Fatalf("%s: 5 was never pushed", m)
		}
		h.pass(c.back)
		h.deliver(customer("0", "3"))
		h.comeToRest(5 * time.Minute)
		if want := []string{"order/1001 state=confirmed", "party/shop-ada name=Ada phone=0"}; !slices.Equal(h.erp.Held(), want) {
			t.Errorf("%s: the target holds %q after %q", m, h.erp.Held(), h.erp.Done)
		}
		h.nothingLeft(m)
	})
	t.Logf("%d moments", moments)
}

func orderFlow(t *testing.T, open func(*testing.T, string) store.Store, door crossdock.Door) {
	var held, done []string
	moments := 0
	cuts{1, 1}.play(t, func(m moment) {
		moments++
		h := enterHub(t, open, m)
		defer h.leave()
		h.erp.Door = door
		h.opened(map[string]string{"TEA": "3", "MUG": "1"})
		buy := func(number, sku, quantity, total string) connectortest.Row {
			customer := connectortest.Row{Kind: crossdock.KindParty, Key: "c" + number, Version: "1", Fields: map[string]any{"name": "Ada " + number, "phone": number}}
			order := connectortest.Order(number, "shop/party/c"+number, sku, quantity, total)
			h.deliver(customer, order)
			return order
		}
		buy("1001", "TEA", "2", "10.00")
		order := buy("1002", "MUG", "1", "5.00")
		buy("1003", "TEA", "5", "25.00") // more than there is: it waits
		h.pass(5 * time.Minute)
		h.deliver(order.Cancelled("2"))
		h.erp.Add(connectortest.Stock("TEA", "10", "2"))
		h.comeToRest(10 * time.Minute)
		h.nothingLeft(m)
		effects := slices.Sorted(slices.Values(h.erp.Done))
		if m.at == 0 {
			held, done = h.erp.Held(), effects
			if want := []string{"order/1001 state=confirmed", "order/1002 state=cancelled", "order/1003 state=confirmed",
				"party/shop-c1001 name=Ada 1001 phone=1001", "party/shop-c1002 name=Ada 1002 phone=1002", "party/shop-c1003 name=Ada 1003 phone=1003"}; !slices.Equal(held, want) {
				t.Fatalf("without a crash the target holds %q", held)
			}
		}
		if !slices.Equal(h.erp.Held(), held) {
			t.Errorf("%s: the target holds %q, without a crash %q", m, h.erp.Held(), held)
		}
		if !slices.Equal(effects, done) {
			t.Errorf("%s: what was done to the target is %q, without a crash %q", m, effects, done)
		}
	})
	t.Logf("%d moments, %d effects", moments, len(done))
}

// hundredThousand counts effects by what they leave: every row that is decided
// raises one of 100 exceptions once more.
func hundredThousand(t *testing.T, open func(*testing.T, string) store.Store) {
	const records, slice = 100, 500
	rows := 100_000
	if testing.Short() {
		rows = 10_000
	}
	h := enterHub(t, open, moment{})
	defer h.leave()
	h.opened(nil)
	all := make([]connectortest.Row, rows)
	for i := range all {
		all[i] = connectortest.Row{Kind: crossdock.KindItem, Key: fmt.Sprint(i % records), Fault: "unreadable"}
	}
	large := h.file(crossdock.Bulk, crossdock.Message{From: "erp", Kind: crossdock.KindItem, Body: connectortest.Body(all...)})
	r := rand.New(rand.NewPCG(1, 2))
	for crashes := 0; h.position().Lanes[crossdock.Bulk].Number < large; {
		n := h.file(crossdock.Urgent, crossdock.Action{By: "Ada", Do: "drop"})
		for range 2 {
			_, err := h.house.Desk.Step(t.Context())
			h.must(err)
		}
		if p := h.position(); p.Lanes[crossdock.Urgent].Number < n {
			t.Fatalf("urgent arrival %d is not decided two steps later, at %+v", n, p)
		}
		if crashes < 3 && r.IntN(20) == 0 {
			crashes++
			h.restart()
		}
	}
	h.pass(time.Second)
	xs, err := h.s.Book().Exceptions(t.Context(), false, rows)
	h.must(err)
	count := 0
	for _, x := range xs {
		count += x.Count
	}
	if len(xs) != records || count != rows {
		t.Errorf("%d rows about %d records were decided, want %d about %d", count, len(xs), rows, records)
	}
	part := 0
	for after := int64(0); ; {
		page, err := h.s.Book().Entries(t.Context(), after, 1000)
		h.must(err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.Seq != after+1 {
				t.Fatalf("entry %d comes after %d", e.Seq, after)
			}
			after = e.Seq
			if e.Lane == crossdock.Bulk && e.Arrival == large {
				if e.Part != part {
					t.Errorf("entry %d is part %d, want %d", e.Seq, e.Part, part)
				}
				part++
			}
		}
	}
	if part != rows/slice {
		t.Errorf("%d slices, want %d", part, rows/slice)
	}
}

// nothingLeft fails when work, an attempt or an exception is open at the end.
func (h *hub) nothingLeft(m moment) {
	h.Helper()
	wants, err := h.s.Book().Scan(h.Context(), core.Wants, "", "", 10)
	h.must(err)
	for _, w := range wants {
		h.Errorf("%s: there is still work: %+v", m, w)
	}
	attempts, err := h.s.Journal().Open(h.Context())
	h.must(err)
	if len(attempts) > 0 {
		h.Errorf("%s: %d attempts are open", m, len(attempts))
	}
	xs, err := h.s.Book().Exceptions(h.Context(), false, 10)
	h.must(err)
	for _, x := range xs {
		h.Errorf("%s: exception %s: %s", m, x.Check, x.Text)
	}
}

var errKilled = errors.New("the hub was killed")
