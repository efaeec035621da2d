package desk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// office is a desk over a real store, with the real core and two connectors.
type office struct {
	*testing.T
	dir   string
	at    time.Time
	s     store.Store
	desk  *desk.Desk
	conns map[crossdock.System]connector.Connector
	erp   *connectortest.Target
	loads int // calls of Load since it was set to 0
	rows  int // and the rows they asked for
}

func enter(t *testing.T) *office {
	o := &office{T: t, dir: t.TempDir(), at: noon}
	o.erp = &connectortest.Target{Door: crossdock.DoorRefused, Now: o.now}
	o.conns = map[crossdock.System]connector.Connector{"shop": connectortest.Plain{}, "erp": o.erp}
	o.open()
	t.Cleanup(func() { o.must(o.s.Close()) })
	return o
}

func (o *office) now() time.Time { return o.at }

func (o *office) open() {
	s, err := sqlite.Open(o.dir, sqlite.Options{Unsafe: true})
	o.must(err)
	o.s = s
	o.desk = o.another()
}

// another makes a further desk over the same store.
func (o *office) another() *desk.Desk { return desk.New(counting{o.s, o}, o.conns, o.now) }

// restart is what a crash leaves: the store on disk, and a new desk.
func (o *office) restart() {
	o.Helper()
	o.must(o.s.Close())
	o.open()
}

// counting is the real store, with its loads counted.
type counting struct {
	store.Store
	o *office
}

type countingBook struct {
	store.Book
	o *office
}

func (c counting) Book() store.Book { return countingBook{c.Store.Book(), c.o} }

func (b countingBook) Load(ctx context.Context, at []core.Address) ([]core.Row, error) {
	b.o.loads++
	b.o.rows += len(at)
	return b.Book.Load(ctx, at)
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) file(lane crossdock.Lane, bodies ...crossdock.Body) {
	o.Helper()
	var f store.Filing
	for _, b := range bodies {
		f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: lane, At: o.at, Body: b})
	}
	o.must(o.s.Journal().File(o.Context(), f))
}

func (o *office) step() bool {
	o.Helper()
	did, err := o.desk.Step(o.Context())
	o.must(err)
	return did
}

// rest takes everything that waits.
func (o *office) rest() {
	o.Helper()
	for range 10_000 {
		if !o.step() {
			return
		}
	}
	o.Fatal("the desk never comes to rest")
}

func (o *office) entries() []store.Taken {
	o.Helper()
	got, err := o.s.Book().Entries(o.Context(), 0, 1<<30)
	o.must(err)
	for i, e := range got {
		if e.Seq != int64(i+1) {
			o.Fatalf("entry %d has seq %d", i+1, e.Seq)
		}
		if i > 0 && e.At.Before(got[i-1].At) {
			o.Fatalf("entry %d is at %s, the one before at %s", e.Seq, e.At, got[i-1].At)
		}
	}
	return got
}

func (o *office) exceptions() []*core.Exception {
	o.Helper()
	got, err := o.s.Book().Exceptions(o.Context(), false, 1000)
	o.must(err)
	return got
}

// exception fails unless exactly one is open whose text holds all words.
func (o *office) exception(words ...string) *core.Exception {
	o.Helper()
	var found []*core.Exception
	for _, x := range o.exceptions() {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(x.Text, w) }) {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		o.Fatalf("%d of %d exceptions say %q", len(found), len(o.exceptions()), words)
	}
	return found[0]
}

func (o *office) order(key string) crossdock.Order {
	o.Helper()
	rows, err := o.s.Book().Load(o.Context(), []core.Address{core.RecordAt(crossdock.BookRef(crossdock.KindOrder, key))})
	o.must(err)
	var out crossdock.Order
	if r, ok := rows[0].(*core.Record); ok {
		o.must(r.Body.Unpack(&out))
	}
	return out
}

// bought is the message of an order of one TEA with its customer.
func bought(n int) crossdock.Message {
	customer := fmt.Sprintf("c%d", n)
	return connectortest.Message("shop",
		connectortest.Row{Kind: crossdock.KindParty, Key: customer, Version: "1", Fields: map[string]any{"name": "Ada " + customer, "phone": "0"}},
		connectortest.Order(fmt.Sprintf("%d", n), "shop/party/"+customer, "TEA", "1", "5.00"))
}

// stocked opens the day: the configuration and so much TEA.
func (o *office) stocked(onHand string) {
	o.Helper()
	o.file(crossdock.Urgent, connectortest.Setup)
	for _, r := range connectortest.Goods(map[string]string{"TEA": onHand}) {
		m := connectortest.Message("erp", r)
		m.Asked = o.at
		o.file(crossdock.Normal, m)
	}
	o.rest()
}

func TestManyOrdersNeedFewLoads(t *testing.T) {
	o := enter(t)
	o.stocked("1000")
	var all []crossdock.Body
	for n := range 500 {
		all = append(all, bought(n))
	}
	o.file(crossdock.Normal, all...)
	o.restart()
	steps := 0
	for {
		o.loads, o.rows = 0, 0
		if !o.step() {
			break
		}
		steps++
		t.Logf("step %d: %d loads of %d rows", steps, o.loads, o.rows)
		if o.loads > 6 {
			t.Errorf("step %d: %d loads, want up to 6", steps, o.loads)
		}
	}
	if n := len(o.entries()); n != 4+500 || steps > 5 {
		t.Fatalf("%d entries after %d steps, want all in a few", n, steps)
	}
	if got := o.order("499").State; got != crossdock.OrderPromised {
		t.Errorf("the last order is %q", got)
	}
	if x := o.exceptions(); len(x) > 0 {
		t.Errorf("exceptions: %s", texts(x))
	}
}

// Stock for orders that were held before a restart: one entry judges all of them,
// and nothing of them is loaded yet.
func TestOneReadingOfStockFreesManyOrders(t *testing.T) {
	o := enter(t)
	o.stocked("0")
	var all []crossdock.Body
	for n := range 400 {
		all = append(all, bought(n))
	}
	o.file(crossdock.Normal, all...)
	o.rest()
	if got := o.order("7").State; got != crossdock.OrderHeld {
		t.Fatalf("without stock an order is %q", got)
	}
	o.restart()
	o.at = o.at.Add(time.Hour)
	m := connectortest.Message("erp", connectortest.Stock("TEA", "300", "2"))
	m.Asked, m.After = o.at, int64(len(o.entries()))
	o.file(crossdock.Normal, m)
	o.loads, o.rows = 0, 0
	o.rest()
	t.Logf("400 held orders: %d loads of %d rows", o.loads, o.rows)
	states := map[crossdock.OrderState]int{}
	for n := range 400 {
		states[o.order(fmt.Sprint(n)).State]++
	}
	if states[crossdock.OrderPromised] != 300 || states[crossdock.OrderHeld] != 100 {
		t.Errorf("orders are %v; exceptions: %s", states, texts(o.exceptions()))
	}
	if o.loads > 15 {
		t.Errorf("%d loads", o.loads)
	}
}

func texts(all []*core.Exception) string {
	seen := map[string]bool{}
	for _, x := range all {
		seen[x.Check+": "+x.Text] = true
		if len(seen) > 3 {
			break
		}
	}
	return fmt.Sprint(seen)
}
