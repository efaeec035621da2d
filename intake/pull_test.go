package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/intake"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

// shelf is a system of items that can be pulled, three a page, by their place in
// the order they were changed in.
type shelf struct {
	connectortest.Plain
	rows  []connectortest.Row
	trip  func() error // before a page is read; nil: nothing is
	pages int
}

func (s *shelf) Kinds() []crossdock.Kind { return []crossdock.Kind{crossdock.KindItem} }

func (s *shelf) Pull(_ context.Context, _ crossdock.Kind, after connector.Cursor) (connector.Page, error) {
	s.pages++
	if s.trip != nil {
		if err := s.trip(); err != nil {
			return connector.Page{}, err
		}
	}
	from, _ := strconv.Atoi(string(after))
	to := min(from+3, len(s.rows))
	p := connector.Page{Next: connector.Cursor(strconv.Itoa(to)), More: to < len(s.rows)}
	for _, r := range s.rows[from:to] {
		p.Messages = append(p.Messages, crossdock.Message{Kind: r.Kind, Key: r.Key, Body: connectortest.Body(r)})
	}
	return p, nil
}

func item(key, name string) connectortest.Row {
	return connectortest.Row{Kind: crossdock.KindItem, Key: key, Names: []string{"sku:" + key}, Fields: map[string]any{"sku": key, "name": name, "active": true}}
}

// well is a pull over a real store.
type well struct {
	*testing.T
	dir   string
	at    time.Time
	shelf *shelf
	s     store.Store
	pull  *intake.Pull
	told  int
}

func dig(t *testing.T, o sqlite.Options, rows int) *well {
	w := &well{T: t, dir: t.TempDir(), at: noon, shelf: &shelf{}}
	for i := range rows {
		w.shelf.rows = append(w.shelf.rows, item(fmt.Sprint(i), "first"))
	}
	w.open(o)
	t.Cleanup(func() { w.must(w.s.Close()) })
	return w
}

func (w *well) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *well) now() time.Time { return w.at }

func (w *well) open(o sqlite.Options) {
	w.Helper()
	s, err := sqlite.Open(w.dir, o)
	w.must(err)
	w.s = s
	w.over(s)
}

func (w *well) over(s store.Store) {
	w.pull = intake.NewPull(s, "erp", w.shelf, intake.PullOptions{Now: w.now, Every: time.Minute, Log: slog.New(slog.DiscardHandler), Filed: func() { w.told++ }})
}

// round pulls everything there is.
func (w *well) round() {
	w.Helper()
	for n := w.pull.Rounds(); w.pull.Rounds() == n; {
		_, err := w.pull.Step(w.Context())
		w.must(err)
	}
	w.at = w.at.Add(time.Hour)
}

func (w *well) decide() {
	w.Helper()
	d := desk.New(w.s, map[crossdock.System]connector.Connector{"erp": w.shelf}, w.now)
	for {
		did, err := d.Step(w.Context())
		w.must(err)
		if !did {
			return
		}
	}
}

// filed returns the keys of all rows on disk, in their order.
func (w *well) filed() (keys []string) {
	w.Helper()
	return append(w.filedIn(crossdock.Bulk), w.filedIn(crossdock.Normal)...)
}

func (w *well) filedIn(lane crossdock.Lane) (keys []string) {
	w.Helper()
	all, err := w.s.Journal().Read(w.Context(), lane, 0, 1000)
	w.must(err)
	for _, a := range all {
		m := a.Body.(crossdock.Message)
		if m.From != "erp" || m.Asked.IsZero() {
			w.Errorf("filed without who and when: %+v", m)
		}
		keys = append(keys, m.Key)
	}
	return keys
}

func (w *well) cursor() string {
	w.Helper()
	c, err := w.s.Journal().Cursor(w.Context(), "erp", crossdock.KindItem)
	w.must(err)
	return c.Text
}

func numbers(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

func TestPullFilesPageAfterPage(t *testing.T) {
	w := dig(t, sqlite.Options{Unsafe: true}, 8)
	for i, want := range []string{"3", "6", "8"} {
		did, err := w.pull.Step(t.Context())
		w.must(err)
		if n := min(3*(i+1), 8); !did || w.cursor() != want || !slices.Equal(w.filed(), numbers(0, n)) {
			t.Errorf("after page %d: did %v, cursor %s, filed %v", i+1, did, w.cursor(), w.filed())
		}
	}
	if did, err := w.pull.Step(t.Context()); did || err != nil || w.pull.Rounds() != 1 || !w.pull.Next().Equal(noon.Add(time.Minute)) {
		t.Errorf("after the last: did %v, %v, %d rounds, next %s", did, err, w.pull.Rounds(), w.pull.Next())
	}
	if did, _ := w.pull.Step(t.Context()); did || w.shelf.pages != 3 {
		t.Errorf("between rounds: did %v, %d pages read", did, w.shelf.pages)
	}
}

// A first load is bulk to its last page, also over a restart in the middle of it;
// what changed later is not.
func TestFirstLoadIsBulk(t *testing.T) {
	w := dig(t, sqlite.Options{Unsafe: true}, 8)
	w.must(second(w.pull.Step(t.Context())))
	w.must(w.s.Close())
	w.open(sqlite.Options{Unsafe: true})
	w.round()
	if got := w.filedIn(crossdock.Bulk); !slices.Equal(got, numbers(0, 8)) {
		t.Errorf("the first load filed %v into lane bulk", got)
	}
	w.shelf.rows = append(w.shelf.rows, item("8", "without a version"))
	w.round()
	if got := w.filedIn(crossdock.Bulk); !slices.Equal(got, numbers(0, 9)) {
		t.Errorf("what can't be put in order was filed beside what waits: bulk has %v", got)
	}
	w.decide()
	for i := range 4 { // more than a page
		w.shelf.rows = append(w.shelf.rows, item(fmt.Sprint(i), "second"))
	}
	w.round()
	if got := w.filedIn(crossdock.Normal); !slices.Equal(got, numbers(0, 4)) || len(w.filedIn(crossdock.Bulk)) != 9 {
		t.Errorf("what changed was filed into lane normal as %v, into bulk %v", got, w.filedIn(crossdock.Bulk))
	}
}

func TestUnchangedRowsAreNotFiled(t *testing.T) {
	w := dig(t, sqlite.Options{Unsafe: true}, 4)
	w.round()
	w.decide()
	told := w.told
	w.shelf.rows = append(w.shelf.rows, item("1", "first"), item("2", "second"), item("9", "new"))
	w.round()
	if got, want := w.filed(), append(numbers(0, 4), "2", "9"); !slices.Equal(got, want) {
		t.Errorf("filed %v, want %v", got, want)
	}
	if w.cursor() != "7" {
		t.Errorf("the cursor stands at %s", w.cursor())
	}
	w.decide()
	w.shelf.rows = append(w.shelf.rows, item("9", "new"))
	before := w.told
	w.round()
	if w.told != before || w.told == told || w.cursor() != "8" {
		t.Errorf("told %d times of a page without news; cursor %s", w.told-before, w.cursor())
	}
}

// A row that goes back to what the book knows while the change still waits in its
// lane has to be filed, or the book would end with the change.
func TestRowThatGoesBackBeforeTheDeskHeardOfIt(t *testing.T) {
	w := dig(t, sqlite.Options{Unsafe: true}, 1)
	w.round()
	w.decide()
	w.shelf.rows = append(w.shelf.rows, item("0", "second"))
	w.round()
	w.shelf.rows = append(w.shelf.rows, item("0", "first"))
	w.round()
	w.decide()
	rows, err := w.s.Book().Load(t.Context(), []store.Address{store.RecordAt(crossdock.BookRef(crossdock.KindItem, "0"))})
	w.must(err)
	if r, ok := rows[0].(*store.Record); !ok || r.Body.Text("name") != "first" {
		t.Errorf("the book holds %+v", rows[0])
	}
}

func TestSystemThatIsAwayIsAskedLessOften(t *testing.T) {
	for name, trip := range map[string]func() error{
		"away":                  func() error { return crossdock.Errorf(crossdock.Unavailable, "no route") },
		"refuses":               func() error { return crossdock.Errorf(crossdock.Unauthorized, "key expired") },
		"an error without code": func() error { return errors.New("odd") },
		"the connector panics":  func() error { panic("defect") },
	} {
		t.Run(name, func(t *testing.T) {
			w := dig(t, sqlite.Options{Unsafe: true}, 5)
			w.must(second(w.pull.Step(t.Context())))
			w.shelf.trip, w.shelf.pages = trip, 0
			for range 1800 {
				if did, err := w.pull.Step(t.Context()); did || err != nil {
					t.Fatalf("did %v: %v", did, err)
				}
				w.at = w.at.Add(time.Second)
			}
			if w.shelf.pages < 5 || w.shelf.pages > 20 {
				t.Errorf("asked %d times in half an hour", w.shelf.pages)
			}
			if w.cursor() != "3" {
				t.Errorf("the cursor stands at %s", w.cursor())
			}
			w.shelf.trip = nil
			w.at = w.at.Add(5 * time.Minute)
			w.round()
			if got := w.filed(); !slices.Equal(got, numbers(0, 5)) {
				t.Errorf("filed %v", got)
			}
		})
	}
}

func second(_ bool, err error) error { return err }

// A crash at any page repeats at most that page, and skips none (I2).
func TestCrashBetweenPages(t *testing.T) {
	for n := 1; n <= 4; n++ {
		for _, after := range []bool{false, true} {
			w := dig(t, sqlite.Options{Unsafe: true}, 10)
			w.over(dying{w.s, &n2{at: n, after: after}})
			func() {
				defer func() { _ = recover() }()
				for range 10 {
					_, err := w.pull.Step(t.Context())
					w.must(err)
				}
			}()
			w.must(w.s.Close())
			w.open(sqlite.Options{Unsafe: true})
			if got := len(w.filed()); strconv.Itoa(got) != w.cursor() && !(got == 0 && w.cursor() == "") {
				t.Errorf("crash %d, %v: %d rows are on disk and the cursor stands at %q", n, after, got, w.cursor())
			}
			w.round()
			if got := w.filed(); !slices.Equal(got, numbers(0, 10)) {
				t.Errorf("crash %d, %v: filed %v", n, after, got)
			}
		}
	}
}

// dying is the real store under a hub that dies at its n-th filing of a page.
type dying struct {
	store.Store
	n *n2
}

type n2 struct {
	n, at int
	after bool
}

type dyingJournal struct {
	store.Journal
	n *n2
}

func (d dying) Journal() store.Journal { return dyingJournal{d.Store.Journal(), d.n} }

func (d dyingJournal) File(ctx context.Context, f store.Filing) error {
	if f.Cursor == nil {
		return d.Journal.File(ctx, f)
	}
	d.n.n++
	if d.n.n == d.n.at && !d.n.after {
		panic("killed")
	}
	err := d.Journal.File(ctx, f)
	if d.n.n == d.n.at {
		panic("killed")
	}
	return err
}

func TestPullWaitsOutAFullDisk(t *testing.T) {
	w := dig(t, sqlite.Options{}, 5)
	w.must(w.s.Close())
	w.open(sqlite.Options{})
	restore := storetest.PutDevice(t, "/dev/full", filepath.Join(w.dir, "journal.db-wal"))
	for range 3 {
		if did, err := w.pull.Step(t.Context()); did || !errors.Is(err, store.ErrFull) {
			t.Fatalf("with a full disk: did %v: %v", did, err)
		}
	}
	restore()
	w.round()
	if got := w.filed(); !slices.Equal(got, numbers(0, 5)) || w.cursor() != "5" {
		t.Errorf("filed %v, cursor %s", got, w.cursor())
	}
}
