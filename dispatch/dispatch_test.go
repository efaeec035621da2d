package dispatch_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/dispatch"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// yard is a dispatch between a real store, with a desk that decides when told to,
// and a target.
type yard struct {
	*testing.T
	dir  string
	at   time.Time
	s    store.Store
	desk *desk.Desk
	d    *dispatch.Dispatch
	erp  *erp
}

// erp is the target, with what a test wants to see or do around its doors.
type erp struct {
	*connectortest.Target
	before func([]crossdock.Push)                        // before a push takes effect
	after  func([]crossdock.Receipt) []crossdock.Receipt // what becomes of its receipts
	find   func([]crossdock.Message) []crossdock.Message // what becomes of answers to looks
	findE  error
}

func (e *erp) Push(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt {
	if e.before != nil {
		e.before(batch)
	}
	out := e.Target.Push(ctx, batch)
	if e.after != nil {
		out = e.after(out)
	}
	return out
}

func (e *erp) Find(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	out, err := e.Target.Find(ctx, refs)
	if e.find != nil {
		out = e.find(out)
	}
	if e.findE != nil {
		return out, e.findE
	}
	return out, err
}

// enter opens a hub whose book wants one party in the target.
func enter(t *testing.T, o sqlite.Options) *yard {
	y := &yard{T: t, dir: t.TempDir(), at: noon}
	y.erp = &erp{Target: &connectortest.Target{Door: crossdock.DoorRefused, Now: y.now}}
	y.open(o)
	t.Cleanup(func() { y.must(y.s.Close()) })
	y.file(crossdock.Urgent, connectortest.Setup)
	for _, r := range connectortest.Goods(map[string]string{"TEA": "9"}) {
		m := connectortest.Message("erp", r)
		m.Asked = y.at
		y.file(crossdock.Normal, m)
	}
	y.file(crossdock.Normal, connectortest.Message("shop",
		connectortest.Row{Kind: crossdock.KindParty, Key: "ada", Version: "1", Fields: map[string]any{"name": "Ada", "phone": "0"}},
		connectortest.Order("1001", "shop/party/ada", "TEA", "1", "5.00")))
	y.decide()
	return y
}

func (y *yard) now() time.Time { return y.at }

func (y *yard) open(o sqlite.Options) {
	y.Helper()
	s, err := sqlite.Open(y.dir, o)
	y.must(err)
	y.s = s
	y.desk = desk.New(s, map[crossdock.System]connector.Connector{"shop": connectortest.Plain{}, "erp": y.erp}, y.now)
	y.d = dispatch.New(s, "erp", y.erp, y.now)
}

// restart is what a crash leaves.
func (y *yard) restart() {
	y.Helper()
	y.must(y.s.Close())
	y.open(sqlite.Options{Unsafe: true})
}

func (y *yard) must(err error) {
	y.Helper()
	if err != nil {
		y.Fatal(err)
	}
}

func (y *yard) file(lane crossdock.Lane, body crossdock.Body) {
	y.Helper()
	y.must(y.s.Journal().File(y.Context(), store.Filing{Arrivals: []*store.Arrival{{Lane: lane, At: y.at, Body: body}}}))
}

func (y *yard) decide() {
	y.Helper()
	for {
		did, err := y.desk.Step(y.Context())
		y.must(err)
		if !did {
			return
		}
	}
}

// step does one step of the dispatch and fails unless it did something, or nothing.
func (y *yard) step(want bool) {
	y.Helper()
	did, err := y.d.Step(y.Context())
	y.must(err)
	if did != want {
		y.Fatalf("dispatch did something: %v, want %v", did, want)
	}
}

// noted files an attempt and has the desk note it: the next step sends it.
func (y *yard) noted() {
	y.Helper()
	y.step(true)
	y.decide()
}

func (y *yard) done(want ...string) {
	y.Helper()
	if !slices.Equal(y.erp.Done, want) {
		y.Fatalf("what took effect: %q, want %q", y.erp.Done, want)
	}
}

func (y *yard) attempts() []crossdock.Attempt {
	y.Helper()
	open, err := y.s.Journal().Open(y.Context())
	y.must(err)
	return open
}

// result returns the last result on disk.
func (y *yard) result() crossdock.Result {
	y.Helper()
	all, err := y.s.Journal().Read(y.Context(), crossdock.Urgent, 0, 1000)
	y.must(err)
	for _, a := range slices.Backward(all) {
		if r, ok := a.Body.(crossdock.Result); ok {
			return r
		}
	}
	y.Fatal("no result is on disk")
	return crossdock.Result{}
}

// finish lets time pass until nothing is due within the hour.
func (y *yard) finish() {
	y.Helper()
	for range 200 {
		y.decide()
		if did, err := y.d.Step(y.Context()); err != nil || did {
			y.must(err)
			continue
		}
		y.decide()
		next, err := y.s.Book().Next(y.Context())
		y.must(err)
		if next.IsZero() || next.After(y.at.Add(time.Hour)) {
			return
		}
		y.at = y.at.Add(time.Second)
		if next.After(y.at) {
			y.at = next
		}
	}
	y.Fatal("work never ends")
}

var all = []string{"make party/shop-ada", "make order/1001", "order/1001 confirmed"}

func TestAttemptIsOnDiskBeforeThePush(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	pushed := 0
	y.erp.before = func(batch []crossdock.Push) {
		pushed++
		open := y.attempts()
		if len(open) != 1 || open[0].System != "erp" || len(open[0].Pushes) != len(batch) || open[0].Pushes[0].Of != batch[0].Of || open[0].Pushes[0].Rev != batch[0].Rev {
			t.Errorf("push %d is sent and on disk is %+v", pushed, open)
		}
	}
	y.finish()
	y.done(all...)
	if pushed != 3 || len(y.attempts()) != 0 {
		t.Errorf("%d pushes, open at the end: %+v", pushed, y.attempts())
	}
}

// Nothing leaves before the core has noted the attempt, and what it wants differently
// by then does not leave at all: a message filed before the attempt is decided by what
// stands in the target, not by what may be on its way there (I6).
func TestNothingIsSentThatIsWantedDifferentlyByNow(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	y.erp.Door = crossdock.DoorFound
	y.finish()
	y.erp.Done = nil
	y.retouch()
	y.step(true)
	for range 3 {
		y.step(false) // the desk has not heard of it
	}
	y.done()
	y.decide()
	y.step(true)
	y.done("set party/shop-ada phone=1")
	y.finish()

	y.erp.Done = nil
	y.retouchTo("2")
	y.file(crossdock.Urgent, shopSays("3"))
	y.step(true) // what was read from the book before the message in front of it was decided
	y.decide()
	y.step(true)
	y.done()
	if r := y.result(); len(r.Receipts) != 0 || len(y.attempts()) != 0 {
		t.Errorf("filed: %+v, open: %+v", r, y.attempts())
	}
	y.finish()
	y.done("set party/shop-ada phone=3")
}

func TestNothingIsSentTwiceWhileItsResultIsUndecided(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	y.noted()
	y.step(true)
	for range 5 {
		y.step(false) // the desk has not heard of it
		y.at = y.at.Add(time.Hour)
	}
	y.done("make party/shop-ada")
	y.finish()
	y.done(all...)
}

// A crash at each point of a push.
func TestRecovery(t *testing.T) {
	t.Run("before the attempt is on disk", func(t *testing.T) {
		y := enter(t, sqlite.Options{Unsafe: true})
		y.restart()
		y.finish()
		y.done(all...)
	})
	t.Run("after the attempt, before the push", func(t *testing.T) {
		y := enter(t, sqlite.Options{Unsafe: true})
		due, err := y.s.Book().Due(t.Context(), "erp", y.at, 10)
		y.must(err)
		w := due[0]
		y.file(crossdock.Urgent, crossdock.Attempt{System: "erp", Pushes: []crossdock.Push{{Of: w.Of, Rev: w.Rev, Want: w.Want, Door: w.Door}}})
		y.file(crossdock.Urgent, crossdock.Attempt{System: "another", Pushes: []crossdock.Push{{Of: w.Of, Rev: w.Rev}}})
		y.restart()
		y.step(false)
		if r := y.result(); r.Attempt == 0 || len(r.Receipts) != 1 || r.Receipts[0].Code != crossdock.Ambiguous || r.Receipts[0].Of != w.Of || r.Receipts[0].Rev != w.Rev {
			t.Errorf("what is filed of it: %+v", r)
		}
		if open := y.attempts(); len(open) != 1 || open[0].System != "another" {
			t.Errorf("open: %+v", open)
		}
		y.step(false) // nothing is pushed before the desk has heard of it
		y.done()
		y.finish()
		y.done(all...)
	})
	t.Run("after the push, before the result", func(t *testing.T) {
		y := enter(t, sqlite.Options{Unsafe: true})
		func() {
			defer func() { _ = recover() }()
			d := dispatch.New(dying{y.s}, "erp", y.erp, y.now)
			_, err := d.Step(t.Context())
			y.must(err)
			y.decide()
			_, _ = d.Step(t.Context())
			t.Error("it lived on")
		}()
		y.done("make party/shop-ada")
		y.restart()
		y.finish()
		y.done(all...)
	})
	t.Run("after the result, before it is decided", func(t *testing.T) {
		y := enter(t, sqlite.Options{Unsafe: true})
		y.noted()
		y.step(true)
		y.restart()
		y.step(false)
		y.finish()
		y.done(all...)
	})
}

// dying is the real store; the hub that files a result to it dies before.
type dying struct{ store.Store }

type dyingJournal struct{ store.Journal }

func (d dying) Journal() store.Journal { return dyingJournal{d.Store.Journal()} }

func (d dyingJournal) File(ctx context.Context, f store.Filing) error {
	if _, ok := f.Arrivals[0].Body.(crossdock.Result); ok {
		panic("killed")
	}
	return d.Journal.File(ctx, f)
}

// Whatever a connector returns instead of its receipts leaves open what happened.
func TestReceiptsThatDoNotCome(t *testing.T) {
	for name, after := range map[string]func([]crossdock.Receipt) []crossdock.Receipt{
		"none": func([]crossdock.Receipt) []crossdock.Receipt { return nil },
		"of another": func([]crossdock.Receipt) []crossdock.Receipt {
			return []crossdock.Receipt{{Of: crossdock.BookRef("order", "x"), Key: "9"}}
		},
		"the push panics":      func([]crossdock.Receipt) []crossdock.Receipt { panic("defect") },
		"says it is ambiguous": func(r []crossdock.Receipt) []crossdock.Receipt { r[0].Code = crossdock.Ambiguous; return r },
	} {
		t.Run(name, func(t *testing.T) {
			y := enter(t, sqlite.Options{Unsafe: true})
			y.erp.after = after
			y.noted()
			y.step(true)
			r := y.result()
			if len(r.Receipts) != 1 || r.Receipts[0].Code != crossdock.Ambiguous || r.Receipts[0].Of != crossdock.BookRef("party", "shop-ada") || r.Receipts[0].Rev != 1 {
				t.Errorf("filed: %+v", r)
			}
			if len(y.attempts()) != 0 {
				t.Errorf("open: %+v", y.attempts())
			}
			y.erp.after = nil
			y.finish()
			y.done(all...)
		})
	}
}

func TestConnectionThatIsAwayIsLeftAlone(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	calls, asks := 0, time.Duration(0)
	y.erp.before = func([]crossdock.Push) { calls++ }
	y.erp.Fate = func(crossdock.Push) connectortest.Fate { return connectortest.Never }
	y.erp.after = func(r []crossdock.Receipt) []crossdock.Receipt {
		r[0].Code, r[0].After = crossdock.Unavailable, asks
		return r
	}
	var gaps []time.Duration
	last := y.at
	for range 1800 {
		before := calls
		y.decide()
		_, err := y.d.Step(t.Context())
		y.must(err)
		if calls > before {
			gaps = append(gaps, y.at.Sub(last))
			last = y.at
		}
		y.at = y.at.Add(time.Second)
	}
	if calls < 5 || calls > 20 {
		t.Errorf("%d calls in half an hour, after %s", calls, gaps)
	}
	if !slices.IsSorted(gaps[:5]) {
		t.Errorf("the pauses don't grow: %s", gaps)
	}
	asks = 20 * time.Minute
	for before := calls; calls == before; y.at = y.at.Add(time.Second) {
		y.decide()
		_, err := y.d.Step(t.Context())
		y.must(err)
	}
	if p := y.d.Paused(); p.Before(y.at.Add(asks - 2*time.Second)) {
		t.Errorf("it asked to wait until %s and is paused until %s", y.at.Add(asks), p)
	}
	y.erp.Fate, y.erp.after = nil, nil
	y.at = y.at.Add(asks)
	y.finish()
	y.done(all...)
}

// doubted makes the book doubt what the target holds of its party, so that it
// looks once the target has settled.
func (y *yard) doubted() {
	y.Helper()
	y.erp.Door = crossdock.DoorFound
	y.decide()
	y.erp.Fate = func(crossdock.Push) connectortest.Fate { return connectortest.Landed }
	y.retouch()
	y.noted()
	y.step(true)
	y.erp.Fate = nil
	y.decide()
	y.at = y.at.Add(2 * time.Minute)
}

// retouch has the party projected anew, since its door is another.
func (y *yard) retouch() { y.Helper(); y.retouchTo("1") }

// retouchTo has the shop say another number of the party's telephone.
func (y *yard) retouchTo(phone string) {
	y.Helper()
	y.file(crossdock.Normal, shopSays(phone))
	y.decide()
}

func shopSays(phone string) crossdock.Message {
	return connectortest.Message("shop", connectortest.Row{Kind: crossdock.KindParty, Key: "ada", Version: phone + "1", Fields: map[string]any{"name": "Ada", "phone": phone}})
}

// An answer that was waited for is filed although the hub is asked to end.
func TestEndDuringAPush(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	ctx, end := context.WithCancel(t.Context())
	y.erp.before = func([]crossdock.Push) { end() }
	y.noted()
	_, err := y.d.Step(ctx)
	y.must(err)
	if r := y.result(); len(r.Receipts) != 1 || r.Receipts[0].Code != crossdock.OK || len(y.attempts()) != 0 {
		t.Errorf("filed: %+v, open: %+v", r, y.attempts())
	}
	y.must(y.d.Run(ctx, nil))
	y.erp.before = nil
	y.finish()
	y.done(all...)
}

// With a full disk nothing is pushed; what was pushed as it ran full is not lost.
func TestFullDisk(t *testing.T) {
	y := enter(t, sqlite.Options{})
	y.noted()
	y.step(true)
	y.decide()
	log := y.emptyLog()
	restore := storetest.PutDevice(t, "/dev/full", log)
	for range 3 {
		if _, err := y.d.Step(t.Context()); !errors.Is(err, store.ErrFull) {
			t.Fatalf("with a full disk: %v", err)
		}
	}
	restore()
	y.done("make party/shop-ada")

	y.noted()
	y.emptyLog()
	y.erp.before = func([]crossdock.Push) {
		y.emptyLog() // the attempt is on disk: nothing has to be read from the log
		restore = storetest.PutDevice(t, "/dev/full", log)
	}
	if _, err := y.d.Step(t.Context()); !errors.Is(err, store.ErrFull) {
		t.Fatalf("with a disk that ran full: %v", err)
	}
	y.erp.before = nil
	for range 3 {
		if _, err := y.d.Step(t.Context()); !errors.Is(err, store.ErrFull) {
			t.Fatalf("with a full disk: %v", err)
		}
	}
	y.done("make party/shop-ada", "make order/1001")
	restore()
	y.step(false)
	if r := y.result(); len(r.Receipts) != 1 || r.Receipts[0].Code != crossdock.OK || r.Receipts[0].Key == "" || len(y.attempts()) != 0 {
		t.Errorf("filed: %+v, open: %+v; want what came back", r, y.attempts())
	}
	y.finish()
	y.done(all...)
}

// emptyLog moves the journal's log into its file and returns the log's path.
func (y *yard) emptyLog() string { return storetest.EmptyLog(y, filepath.Join(y.dir, "journal.db")) }

func TestNothingOfAnotherSystemIsDone(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	y.d = dispatch.New(y.s, "shop", connectortest.Plain{}, y.now)
	y.step(false)
	rows, err := y.s.Book().Scan(t.Context(), core.Wants, "erp|", "", 10)
	y.must(err)
	if len(rows) == 0 || !strings.HasPrefix(rows[0].Address().Key, "erp|") {
		t.Errorf("wants: %v", rows)
	}
}
