package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/reconcile"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// cabinet is a system of items that people change, and that can be looked at.
type cabinet struct {
	connectortest.Shop
	trip  func() error
	calls []int // how many refs each look asked for
	asked []crossdock.Ref
}

func (c *cabinet) Find(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	c.calls, c.asked = append(c.calls, len(refs)), append(c.asked, refs...)
	if c.trip != nil {
		if err := c.trip(); err != nil {
			return nil, err
		}
	}
	return c.Shop.Find(ctx, refs)
}

func item(key, name, version string) connectortest.Row {
	return connectortest.Row{Kind: crossdock.KindItem, Key: key, Version: version, Names: []string{"sku:" + key}, Fields: map[string]any{"sku": key, "name": name, "active": true}}
}

type audit struct {
	*testing.T
	at   time.Time
	s    store.Store
	c    *cabinet
	r    *reconcile.Reconcile
	n    int64 // arrivals of lane bulk heard of
	told int
}

// enter opens a book that knows n items of the cabinet.
func enter(t *testing.T, n int) *audit {
	s, err := sqlite.Open(t.TempDir(), sqlite.Options{Unsafe: true})
	a := &audit{T: t, at: noon, s: s, c: &cabinet{}}
	a.must(err)
	t.Cleanup(func() { a.must(s.Close()) })
	var f store.Filing
	for i := range n {
		f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: crossdock.Normal, At: a.at, Body: a.c.Say("erp", item(fmt.Sprintf("i%03d", i), "first", "1"))})
	}
	a.must(s.Journal().File(t.Context(), f))
	a.decide()
	a.r = a.room(crossdock.KindItem)
	return a
}

func (a *audit) room(kinds ...crossdock.Kind) *reconcile.Reconcile {
	return reconcile.New(a.s, "erp", a.c, reconcile.Options{Kinds: kinds, Every: time.Hour, Now: func() time.Time { return a.at }, Log: slog.New(slog.DiscardHandler), Filed: func() { a.told++ }})
}

func (a *audit) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

func (a *audit) decide() {
	a.Helper()
	d := desk.New(a.s, map[crossdock.System]connector.Connector{"erp": a.c}, func() time.Time { return a.at })
	for {
		did, err := d.Step(a.Context())
		a.must(err)
		if !did {
			return
		}
	}
}

// round waits for the next round, and works until nothing is done.
func (a *audit) round() {
	a.Helper()
	a.step()
	a.at = a.r.Next()
	for a.step() {
	}
}

func (a *audit) step() bool {
	a.Helper()
	did, err := a.r.Step(a.Context())
	a.must(err)
	return did
}

// filed returns the keys filed since it was asked last.
func (a *audit) filed() (keys []string) {
	a.Helper()
	all, err := a.s.Journal().Read(a.Context(), crossdock.Bulk, a.n, 1000)
	a.must(err)
	for _, r := range all {
		m := r.Body.(crossdock.Message)
		if m.From != "erp" || !m.Asked.Equal(r.At) || m.After == 0 {
			a.Errorf("filed without who and when: %+v", m)
		}
		keys = append(keys, m.Key)
		a.n = r.Number
	}
	return keys
}

func TestWhatDiffersIsFiledOnce(t *testing.T) {
	a := enter(t, 250)
	a.round()
	if got := a.filed(); len(got) > 0 || a.told > 0 {
		t.Errorf("nothing has changed and filed were %v", got)
	}
	if !slices.Equal(a.c.calls, []int{100, 100, 50}) {
		t.Errorf("looked at %v", a.c.calls)
	}
	a.c.Say("erp", item("i007", "second", "2"))                                                        // a person changes one, nobody tells us
	a.c.Say("erp", connectortest.Row{Kind: crossdock.KindItem, Key: "i120", Gone: true, Version: "3"}) // and deletes another
	a.c.Say("erp", item("i249", "first", "2"))                                                         // and saves a third as it was
	a.round()
	if got := a.filed(); !slices.Equal(got, []string{"i007", "i120", "i249"}) || a.told != 3 {
		t.Errorf("filed %v, told %d times", got, a.told)
	}
	a.decide()
	rows, err := a.s.Book().Load(t.Context(), []core.Address{core.RecordAt(crossdock.BookRef(crossdock.KindItem, "i007")), core.ViewAt("erp", crossdock.BookRef(crossdock.KindItem, "i120"))})
	a.must(err)
	if r, ok := rows[0].(*core.Record); !ok || r.Body.Text("name") != "second" {
		t.Errorf("the changed one is %+v", rows[0])
	}
	if v, ok := rows[1].(*core.View); !ok || !v.Gone {
		t.Errorf("the deleted one is %+v", rows[1])
	}
	for range 2 {
		a.round()
		if got := a.filed(); len(got) > 0 {
			t.Errorf("filed again: %v", got)
		}
	}
}

func TestFirstRoundComesSoonAndTheOthersByTheInterval(t *testing.T) {
	a := enter(t, 3)
	if a.step() || len(a.c.calls) > 0 || !a.r.Next().Equal(noon.Add(time.Minute)) {
		t.Fatalf("looked at %v at the start; next %s", a.c.calls, a.r.Next())
	}
	a.round()
	if len(a.c.calls) == 0 || a.r.Next().Sub(a.at) != time.Hour {
		t.Errorf("the first round looked at %v; the next is in %s", a.c.calls, a.r.Next().Sub(a.at))
	}
}

func TestSystemThatIsAway(t *testing.T) {
	for name, trip := range map[string]func() error{
		"away":                 func() error { return crossdock.Errorf(crossdock.Unavailable, "no route") },
		"the connector panics": func() error { panic("defect") },
	} {
		t.Run(name, func(t *testing.T) {
			a := enter(t, 150)
			a.c.Say("erp", item("i140", "second", "2"))
			a.step()
			a.at = a.r.Next()
			if !a.step() {
				t.Fatal("no first page")
			}
			a.c.trip, a.c.calls = trip, nil
			for range 1800 {
				if a.step() {
					t.Fatal("did something")
				}
				a.at = a.at.Add(time.Second)
			}
			if n := len(a.c.calls); n < 5 || n > 20 {
				t.Errorf("asked %d times in half an hour", n)
			}
			a.c.trip, a.c.calls = nil, nil
			a.at = a.at.Add(5 * time.Minute)
			for a.step() {
			}
			if got := a.filed(); !slices.Equal(got, []string{"i140"}) || !slices.Equal(a.c.calls, []int{50}) {
				t.Errorf("it went on with %v and filed %v", a.c.calls, got)
			}
		})
	}
}

// An order that is closed or cancelled is compared no more.
func TestOnlyOrdersInMotion(t *testing.T) {
	a := enter(t, 0)
	p, err := a.s.Book().Claim(t.Context())
	a.must(err)
	var changes []core.Change
	put := func(r core.Row) { changes = append(changes, core.Change{At: r.Address(), Row: r}) }
	for _, state := range []crossdock.OrderState{crossdock.OrderPromised, crossdock.OrderConfirmed, crossdock.OrderShipped, crossdock.OrderClosed, crossdock.OrderCancelled} {
		of := crossdock.BookRef(crossdock.KindOrder, string(state))
		r := &core.Record{Of: of, At: a.at, Body: crossdock.Record{Kind: crossdock.KindOrder, Form: 1}}
		a.must(r.Body.Set("state", state))
		put(r)
		key := "k-" + string(state)
		put(&core.View{View: crossdock.View{System: "erp", Of: of, Key: key}})
		put(&core.Link{Of: crossdock.Ref{System: "erp", Kind: crossdock.KindOrder, Key: key}, To: of})
	}
	unmade := crossdock.BookRef(crossdock.KindOrder, "unmade")
	put(&core.Record{Of: unmade, Body: crossdock.Record{Kind: crossdock.KindOrder, Form: 1}})
	put(&core.View{View: crossdock.View{System: "erp", Of: unmade}})
	to := p
	to.Seq = 1
	a.must(a.s.Book().Commit(t.Context(), store.Commit{From: p, To: to, Changes: changes}))
	a.r = a.room(crossdock.KindOrder)
	a.round()
	if got := a.filed(); !slices.Equal(got, []string{"k-confirmed", "k-promised", "k-shipped"}) {
		t.Errorf("found gone, as nothing is there: %v", got)
	}
}

// A shipment that left, or was called off, is compared no more.
func TestOnlyShipmentsInMotion(t *testing.T) {
	a := enter(t, 0)
	p, err := a.s.Book().Claim(t.Context())
	a.must(err)
	var changes []core.Change
	put := func(r core.Row) { changes = append(changes, core.Change{At: r.Address(), Row: r}) }
	for _, state := range []crossdock.ShipmentState{crossdock.ShipmentWaiting, crossdock.ShipmentAssigned, crossdock.ShipmentDone, crossdock.ShipmentCancelled} {
		of := crossdock.BookRef(crossdock.KindShipment, string(state))
		r := &core.Record{Of: of, At: a.at, Body: crossdock.Record{Kind: crossdock.KindShipment, Form: 1}}
		a.must(r.Body.Set("state", state))
		put(r)
		key := "k-" + string(state)
		put(&core.View{View: crossdock.View{System: "erp", Of: of, Key: key}})
		put(&core.Link{Of: crossdock.Ref{System: "erp", Kind: crossdock.KindShipment, Key: key}, To: of})
	}
	to := p
	to.Seq = 1
	a.must(a.s.Book().Commit(t.Context(), store.Commit{From: p, To: to, Changes: changes}))
	a.r = a.room(crossdock.KindShipment)
	a.round()
	if got := a.filed(); !slices.Equal(got, []string{"k-assigned", "k-waiting"}) {
		t.Errorf("found gone, as nothing is there: %v", got)
	}
}

// However many orders a hub has made, a round reads those of late and a small part
// of the others; all have their turn, also over restarts.
func TestOldRecordsHaveTheirTurn(t *testing.T) {
	a := enter(t, 0)
	p, err := a.s.Book().Claim(t.Context())
	a.must(err)
	var changes []core.Change
	put := func(r core.Row) { changes = append(changes, core.Change{At: r.Address(), Row: r}) }
	days := map[string]int{} // by key in the target: the age of the order
	for i := range 600 {
		age := []int{1, 10, 100}[i%3]
		of := crossdock.BookRef(crossdock.KindOrder, fmt.Sprint(i))
		r := &core.Record{Of: of, At: a.at.Add(-time.Duration(age) * 24 * time.Hour), Body: crossdock.Record{Kind: crossdock.KindOrder, Form: 1}}
		a.must(r.Body.Set("state", crossdock.OrderConfirmed))
		put(r)
		put(&core.View{View: crossdock.View{System: "erp", Of: of, Key: of.Key}})
		days[of.Key] = age
	}
	to := p
	to.Seq = 1
	a.must(a.s.Book().Commit(t.Context(), store.Commit{From: p, To: to, Changes: changes}))
	a.r = a.room(crossdock.KindOrder)
	begun, seen := a.at, map[int]map[string]int{1: {}, 10: {}, 100: {}}
	for n := range 24 { // an hour apart: a day
		if n == 11 {
			a.r = a.room(crossdock.KindOrder)
		}
		a.at = begun.Add(time.Duration(n) * time.Hour)
		a.c.asked = nil
		a.round()
		if len(a.c.asked) > 200+40 {
			t.Errorf("round %d reads %d of 600", n, len(a.c.asked))
		}
		for _, of := range a.c.asked {
			seen[days[of.Key]][of.Key]++
		}
	}
	if len(seen[1]) != 200 || len(seen[10]) < 190 || len(seen[100]) > 40 || len(seen[100]) == 0 {
		t.Errorf("in a day were read %d of 200 of yesterday, %d of last week, %d of long ago", len(seen[1]), len(seen[10]), len(seen[100]))
	}
}
