package dispatch_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/dispatch"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

func TestLooks(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	y.doubted()
	p, err := y.s.Book().Position(t.Context())
	y.must(err)
	y.step(true)
	for range 3 {
		y.step(false) // its answer is on disk, undecided: one look
	}
	all, err := y.s.Journal().Read(t.Context(), crossdock.Urgent, 0, 100)
	y.must(err)
	m, ok := all[len(all)-2].Body.(crossdock.Message)
	if !ok || m.From != "erp" || !m.Asked.Equal(y.at) || m.After != p.Seq || m.Key != "1" {
		t.Errorf("filed: %+v, want one asked at %s after %d", all[len(all)-2].Body, y.at, p.Seq)
	}
	if r := y.result(); len(r.Receipts) != 1 || !r.Receipts[0].Look || r.Receipts[0].Code != crossdock.OK {
		t.Errorf("filed: %+v, want a word that it was answered", r)
	}
	y.finish()
	y.done("make party/shop-ada", "make order/1001", "order/1001 confirmed")
}

// A look that fails is filed too, is tried again or told to a person, and never
// turns into a loop.
func TestLooksThatFail(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*erp)
		code crossdock.Code
	}{
		{"away", func(e *erp) { e.findE = crossdock.Errorf(crossdock.Unavailable, "no route") }, crossdock.Unavailable},
		{"no answer at all", func(e *erp) { e.find = func([]crossdock.Message) []crossdock.Message { return nil } }, crossdock.Internal},
		{"the connector panics", func(e *erp) { e.find = func([]crossdock.Message) []crossdock.Message { panic("defect") } }, crossdock.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := enter(t, sqlite.Options{Unsafe: true})
			y.doubted()
			c.set(y.erp)
			y.step(true)
			r := y.result()
			if len(r.Receipts) != 1 || !r.Receipts[0].Look || r.Receipts[0].Code != c.code || r.Receipts[0].Of != crossdock.BookRef("party", "shop-ada") {
				t.Errorf("filed: %+v", r)
			}
			y.decide()
			y.step(false)
			xs, err := y.s.Book().Exceptions(t.Context(), false, nil, 10)
			y.must(err)
			if told := len(xs) == 1 && xs[0].Check == "look"; told != (c.code == crossdock.Internal) {
				t.Errorf("exceptions: %+v", xs)
			}
			y.erp.find, y.erp.findE = nil, nil
			if c.code == crossdock.Internal {
				return
			}
			y.finish()
			y.done(all...)
		})
	}
}

// A look whose answers never speak of its record is asked for less and less, and
// in the end a person is told.
func TestLooksInVain(t *testing.T) {
	for name, answer := range map[string]func(crossdock.Message) crossdock.Message{
		"of another record": func(m crossdock.Message) crossdock.Message {
			return connectortest.Message("erp", connectortest.Row{Kind: m.Kind, Key: "other", Version: "1", Fields: map[string]any{"name": "Bob"}})
		},
		"of nothing": func(m crossdock.Message) crossdock.Message { m.Body = []byte("[]"); return m },
		"of another record under its key": func(m crossdock.Message) crossdock.Message {
			m.Body = connectortest.Body(connectortest.Row{Kind: m.Kind, Key: "other", Version: "1", Fields: map[string]any{"name": "Bob"}})
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			y := enter(t, sqlite.Options{Unsafe: true})
			y.doubted()
			looks := 0
			y.erp.find = func(all []crossdock.Message) []crossdock.Message {
				looks++
				for i := range all {
					all[i] = answer(all[i])
				}
				return all
			}
			for range 10 { // the clock stands still
				_, err := y.d.Step(t.Context())
				y.must(err)
				y.decide()
			}
			if looks != 1 {
				t.Errorf("%d looks in no time", looks)
			}
			for range 3600 {
				y.at = y.at.Add(time.Second)
				_, err := y.d.Step(t.Context())
				y.must(err)
				y.decide()
			}
			if looks < 3 || looks > 8 {
				t.Errorf("%d looks in an hour", looks)
			}
			xs, err := y.s.Book().Exceptions(t.Context(), false, nil, 10)
			y.must(err)
			if len(xs) != 1 || xs[0].Check != "look" {
				t.Errorf("exceptions: %+v", xs)
			}
		})
	}
}

// A look at a system that can't be asked for one record is told to a person.
func TestLookAtASystemThatCannotBeAsked(t *testing.T) {
	y := enter(t, sqlite.Options{Unsafe: true})
	m := connectortest.Message("shop", connectortest.Row{Kind: crossdock.KindOrder, Key: "7", Version: "1"})
	m.Fault = &crossdock.Fault{Code: crossdock.Invalid, Text: "breaks off"}
	y.file(crossdock.Urgent, m)
	y.decide()
	y.d = dispatch.New(y.s, "shop", connectortest.Plain{}, y.now)
	y.step(true)
	y.decide()
	y.step(false)
	xs, err := y.s.Book().Exceptions(t.Context(), false, nil, 10)
	y.must(err)
	if !slices.ContainsFunc(xs, func(x *core.Exception) bool {
		return x.Check == "look" && strings.Contains(x.Text, "can't be asked")
	}) {
		t.Errorf("exceptions: %+v", xs)
	}
	rows, err := y.s.Book().Scan(t.Context(), core.Wants, "shop|", "", 10)
	y.must(err)
	for _, r := range rows {
		if w, ok := r.(*core.Want); !ok || w.State != core.WantStopped {
			t.Errorf("it is still due: %+v", r)
		}
	}
}
