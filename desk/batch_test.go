package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

// faulty is a message of n rows that can't be used, about few records: each row
// decided counts one of their exceptions up, so what is done twice is seen.
func faulty(n, records int) crossdock.Message {
	rows := make([]connectortest.Row, n)
	for i := range rows {
		rows[i] = connectortest.Row{Kind: crossdock.KindItem, Key: fmt.Sprint(i % records), Fault: "unreadable"}
	}
	m := connectortest.Message("erp", rows...)
	m.Key = ""
	return m
}

// counted sums up how often exceptions were raised.
func (o *office) counted() (n int) {
	o.Helper()
	for _, x := range o.exceptions() {
		n += x.Count
	}
	return n
}

func TestLargeMessageIsTakenInSlicesBesideUrgentOnes(t *testing.T) {
	o := enter(t)
	o.file(crossdock.Urgent, connectortest.Setup)
	o.file(crossdock.Bulk, faulty(5_200, 10))
	o.file(crossdock.Bulk, connectortest.Message("erp", connectortest.Row{Kind: crossdock.KindItem, Key: "after", Fault: "unreadable"}))
	for n := int64(2); n < 8; n++ { // something urgent comes between any two steps
		o.file(crossdock.Urgent, crossdock.Action{By: "Ada", Do: "drop"})
		o.step()
		if p := o.position(); p.Lanes[crossdock.Urgent].Number != n {
			t.Errorf("urgent arrival %d is not decided by the step after it: %+v", n, p)
		}
		if n == 4 {
			o.restart() // in the middle of the slices
		}
	}
	o.rest()
	part := 0
	for _, e := range o.entries() {
		if e.Lane != crossdock.Bulk || e.Arrival != 1 {
			continue
		}
		if e.Part != part {
			t.Errorf("seq %d is part %d, want %d", e.Seq, e.Part, part)
		}
		part++
	}
	if part != 11 {
		t.Errorf("%d slices, want 11 of 500 statements", part)
	}
	if n := o.counted(); n != 5_201 {
		t.Errorf("%d statements had an effect, want 5201", n)
	}
	if p := o.position(); p.Lanes[crossdock.Bulk] != (store.Place{Number: 2}) {
		t.Errorf("lane bulk ends at %+v", p.Lanes[crossdock.Bulk])
	}
}

func (o *office) position() store.Position {
	o.Helper()
	p, err := o.s.Book().Position(o.Context())
	o.must(err)
	return p
}

func TestOrderInsideALaneIsKept(t *testing.T) {
	o := enter(t)
	o.file(crossdock.Urgent, connectortest.Setup)
	for i := range 700 {
		o.file([]crossdock.Lane{crossdock.Normal, crossdock.Bulk}[i%2], faulty(1+i%3, 5))
	}
	o.rest()
	last := map[crossdock.Lane]int64{}
	for _, e := range o.entries() {
		if e.Arrival != last[e.Lane]+1 {
			t.Fatalf("lane %s: %d came after %d", e.Lane, e.Arrival, last[e.Lane])
		}
		last[e.Lane] = e.Arrival
	}
	if last[crossdock.Normal] != 350 || last[crossdock.Bulk] != 350 {
		t.Errorf("taken: %v", last)
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	o := enter(t)
	o.file(crossdock.Urgent, connectortest.Setup)
	for _, jump := range []time.Duration{time.Hour, -3 * time.Hour, time.Minute, 4 * time.Hour} {
		o.at = o.at.Add(jump)
		o.file(crossdock.Normal, faulty(2, 1))
		o.rest()
	}
	all := o.entries() // which checks Seq and At
	if got := all[len(all)-1].At; !got.Equal(o.at) {
		t.Errorf("once the clock is ahead again the time is %s, want %s", got, o.at)
	}
}

// A defect of one connector, or of the core on one record, is an exception that
// names it; what stands beside it in the batch goes on.
func TestPanicsHoldNothingElseUp(t *testing.T) {
	o := enter(t)
	o.stocked("100")
	o.file(crossdock.Normal, bought(1), connectortest.Message("shop", connectortest.Row{Kind: crossdock.KindOrder, Key: "9", Fault: connectortest.Panics}), bought(2))
	o.rest()
	o.exception("the connector of shop failed", connectortest.Panics)

	o.erp.Projects = func(r crossdock.Record) {
		if strings.Contains(r.Text("name"), "c3") {
			panic("projection panics")
		}
	}
	o.file(crossdock.Normal, bought(3), bought(4))
	o.rest()
	x := o.exception("the connector of erp failed on party/shop-c3", "projection panics")
	if x.System != "erp" {
		t.Errorf("it is told of %q", x.System)
	}
	// A record merged into itself: the core refuses to follow the circle.
	o.plant(&core.Record{Of: crossdock.BookRef(crossdock.KindOrder, "5"), Into: crossdock.BookRef(crossdock.KindOrder, "5")},
		&core.Link{Of: crossdock.Ref{System: "shop", Kind: crossdock.KindOrder, Key: "5"}, To: crossdock.BookRef(crossdock.KindOrder, "5")})
	o.file(crossdock.Normal, bought(5), bought(6))
	o.rest()
	o.exception("the hub failed on entry", "merged in a circle")

	for n, want := range map[int]crossdock.OrderState{1: crossdock.OrderPromised, 2: crossdock.OrderPromised, 3: crossdock.OrderPromised, 4: crossdock.OrderPromised, 6: crossdock.OrderPromised} {
		if got := o.order(fmt.Sprint(n)).State; got != want {
			t.Errorf("order %d is %q, want %q", n, got, want)
		}
	}
	o.exceptionsAre(3)
}

// A message that names no record is filed, told and passed over; so is one whose
// decision can't be written down. What stands beside them goes on, also after a restart.
func TestWhatCannotBeWrittenHoldsNothingElseUp(t *testing.T) {
	o := enter(t)
	o.stocked("100")
	nameless := connectortest.Message("shop", connectortest.Row{Kind: crossdock.KindOrder, Key: "", Fault: "the order has no id"})
	nameless.Key = ""
	o.file(crossdock.Normal, bought(1), nameless, bought(2))
	o.rest()
	if x := o.exception("can't be used", "the order has no id"); !x.Of.IsZero() {
		t.Errorf("it names %s", x.Of)
	}
	o.conns["shop"] = spoiling{}
	o.restart()
	o.file(crossdock.Normal, bought(3), connectortest.Message("shop", connectortest.Row{Kind: crossdock.KindOrder, Key: "spoilt"}), bought(4))
	o.rest()
	o.exception("the hub failed on entry", "can't write")
	o.restart()
	o.rest()
	for n := 1; n <= 4; n++ {
		if got := o.order(fmt.Sprint(n)).State; got != crossdock.OrderPromised {
			t.Errorf("order %d is %q", n, got)
		}
	}
	o.exceptionsAre(2)
}

// spoiling is a connector that makes a record of what is no JSON.
type spoiling struct{ connectortest.Plain }

func (s spoiling) Translate(m crossdock.Message) []crossdock.Statement {
	out := s.Plain.Translate(m)
	for i := range out {
		if out[i].Of.Key == "spoilt" {
			out[i].Said = crossdock.Record{Kind: crossdock.KindItem, Form: 1, Fields: map[string]json.RawMessage{"name": json.RawMessage(`"half`)}}
			out[i].Of.Kind = crossdock.KindTax
			out[i].Said.Kind = crossdock.KindTax
		}
	}
	return out
}

func (o *office) exceptionsAre(n int) {
	o.Helper()
	if got := o.exceptions(); len(got) != n {
		o.Errorf("%d exceptions are open, want %d: %s", len(got), n, texts(got))
	}
}

// plant puts rows into the book behind the desk's back, and starts the desk anew.
func (o *office) plant(rows ...core.Row) {
	o.Helper()
	p, err := o.s.Book().Claim(o.Context())
	o.must(err)
	var changes []core.Change
	for _, r := range rows {
		changes = append(changes, core.Change{At: r.Address(), Row: r})
	}
	o.must(o.s.Book().Commit(o.Context(), store.Commit{From: p, To: p, Changes: changes}))
	o.restart()
}

func TestLoserOfTwoDesksWritesNothing(t *testing.T) {
	o := enter(t)
	o.stocked("10")
	other := o.another()
	if _, err := other.Step(t.Context()); err != nil { // it claims the book
		t.Fatal(err)
	}
	o.file(crossdock.Normal, bought(1))
	before := o.position()
	if did, err := o.desk.Step(t.Context()); did || !errors.Is(err, store.ErrStale) {
		t.Fatalf("the desk that lost the book did %v: %v", did, err)
	}
	if p := o.position(); !p.Equal(before) || o.order("1").State != "" {
		t.Errorf("it wrote: %+v", p)
	}
	if err := o.desk.Run(t.Context(), nil); !errors.Is(err, store.ErrStale) {
		t.Errorf("it goes on: %v", err)
	}
	for range 2 {
		if _, err := other.Step(t.Context()); err != nil {
			t.Errorf("the other desk: %v", err)
		}
	}
	if got := o.order("1").State; got != crossdock.OrderPromised {
		t.Errorf("the other desk left the order %q", got)
	}
}

// A batch ends in time: with a clock that a slow decision moves, after one entry.
func TestBatchEndsInTime(t *testing.T) {
	o := enter(t)
	o.stocked("100")
	for n := range 40 {
		o.file(crossdock.Normal, bought(n))
	}
	slow := 0
	o.desk = desk.New(o.s, o.conns, func() time.Time {
		slow++
		return o.at.Add(time.Duration(slow) * 10 * time.Millisecond) // every look at the clock costs 10 ms
	})
	before, steps := len(o.entries()), 0
	for o.step() {
		steps++
		now := len(o.entries())
		if took := now - before; took < 1 || took > 7 {
			t.Errorf("step %d took %d entries in 50 ms of 10 ms each", steps, took)
		}
		before = now
	}
	if steps < 6 {
		t.Errorf("%d steps", steps)
	}
	for n := range 40 {
		if got := o.order(fmt.Sprint(n)).State; got != crossdock.OrderPromised {
			t.Errorf("order %d is %q", n, got)
		}
	}
}

// A full disk is waited out: nothing of the batch is kept in memory either.
func TestFullDiskIsWaitedOut(t *testing.T) {
	o := enter(t)
	o.must(o.s.Close())
	s, err := sqlite.Open(o.dir, sqlite.Options{})
	o.must(err)
	o.s, o.desk = s, desk.New(counting{s, o}, o.conns, o.now)
	o.stocked("1")
	o.file(crossdock.Normal, bought(1), bought(2))
	restore := storetest.PutDevice(t, "/dev/full", storetest.EmptyLog(t, filepath.Join(o.dir, "book.db")))
	for range 3 {
		if did, err := o.desk.Step(t.Context()); did || !errors.Is(err, store.ErrFull) {
			t.Fatalf("with a full disk it did %v: %v", did, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- o.desk.Run(ctx, nil) }()
	select {
	case err := <-ended:
		t.Fatalf("Run ended on a full disk: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	restore()
	for o.order("2").State == "" && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	o.must(<-ended)
	got := []crossdock.OrderState{o.order("1").State, o.order("2").State}
	if want := []crossdock.OrderState{crossdock.OrderPromised, crossdock.OrderHeld}; !slices.Equal(got, want) {
		t.Errorf("with one TEA the orders are %q, want %q", got, want)
	}
}

// However full the other lanes are, and although every batch is cut by the clock
// after a few entries, none waits for long.
func TestNoLaneWaitsForLong(t *testing.T) {
	o := enter(t)
	o.file(crossdock.Urgent, connectortest.Setup)
	o.rest()
	for range 300 {
		o.file(crossdock.Urgent, faulty(1, 1))
		o.file(crossdock.Normal, faulty(1, 1))
		o.file(crossdock.Bulk, faulty(1, 1))
	}
	slow := 0
	o.desk = desk.New(o.s, o.conns, func() time.Time {
		slow++
		return o.at.Add(time.Duration(slow) * 60 * time.Millisecond) // every look at the clock costs more than a batch has
	})
	const steps = 60
	last, waited := o.position(), map[crossdock.Lane]int{}
	for n := range steps {
		o.step()
		now := o.position()
		for _, lane := range crossdock.Lanes {
			if waited[lane]++; now.Lanes[lane] != last.Lanes[lane] {
				waited[lane] = 0
			}
			if waited[lane] > 12 {
				t.Fatalf("after %d batches lane %s has waited for %d: %+v", n, lane, waited[lane], now.Lanes)
			}
		}
		last = now
	}
	urgent, normal, bulk := last.Lanes[crossdock.Urgent].Number-1, last.Lanes[crossdock.Normal].Number, last.Lanes[crossdock.Bulk].Number
	if urgent < 2*normal || normal < 2*bulk || bulk < 1 {
		t.Errorf("taken: %d urgent, %d normal, %d bulk; want about 8:3:1", urgent, normal, bulk)
	}
}

// A lane alone fills the batch: what the others leave is its own.
func TestLoneLaneFillsTheBatch(t *testing.T) {
	for _, lane := range crossdock.Lanes {
		o := enter(t)
		o.file(crossdock.Urgent, connectortest.Setup)
		o.rest()
		for range 200 {
			o.file(lane, faulty(1, 1))
		}
		before := len(o.entries())
		o.step()
		if took := len(o.entries()) - before; took != 200 {
			t.Errorf("a batch of lane %s alone took %d of 200", lane, took)
		}
	}
}
