package core

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// The property of the whole design: one record with one field stands in three
// systems that write it each in their own way; people change it, now here, now
// there; messages come late, answers are lost, writes land after we stopped
// waiting. In the end every system holds the last change, no change was lost on
// the way, and nobody pushed for ever. It is put to hear, opened, answered and
// unanswered, with the rule of TrueUp: there is work when what is wanted differs
// from what was asked for and the view is not unknown.

// trouble is what goes wrong in a world.
type trouble struct {
	late bool // every fourth message takes 1–4 s, every eighth webhook never comes
	form bool // two of the systems write a phone number in their own way
	lost bool // every sixth answer is lost; half of those writes land, up to 2 s later
}

const (
	longest   = 2 * time.Second         // the longest transaction of a system
	lostAfter = time.Second             // when dispatch stops waiting for an answer
	settling  = 2500 * time.Millisecond // more than longest: Connection.Settles
	storm     = 24                      // pushes of one seed: three changes need six, lost answers some more
)

// hub is what is put to the property: ours, or the literal contract.
type hub interface {
	statement(i int, s spoken)
	receipt(i int, attempt int64, r crossdock.Receipt)
	holds() crossdock.Record // the book's record
}

// target is one outside system. Its clock has seconds, as Odoo's write_date and
// Shopify's updated_at have.
type target struct {
	phone   string
	version string
	pulled  string // version and value a pull told last
	form    func(string) string
	edit    *change // the change of a person that stands there
}

type change struct {
	version string
	heard   time.Duration // when the hub took the first statement of it
}

const never = time.Duration(1 << 62)

func (t *target) record() crossdock.Record { return phoneRecord(t.phone) }

func phoneRecord(phone string) crossdock.Record {
	return crossdock.Record{Kind: crossdock.KindParty, Form: 1, Fields: map[string]json.RawMessage{"phone": json.RawMessage(`"` + phone + `"`)}}
}

// world plays one seed.
type world struct {
	trouble
	cursor   bool // pulls tell only what changed
	rand     *rand.Rand
	now      time.Duration
	agenda   agenda
	targets  []*target
	hub      hub
	seq      int64 // of the last entry taken
	pushes   int
	collided bool
	trace    func(format string, a ...any)
}

var worldStart = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

func (w *world) clock() time.Time { return worldStart.Add(w.now) }

func (w *world) in(d time.Duration, f func()) { w.agenda.add(w.now+d, f) }

func (w *world) between(a, b time.Duration) time.Duration {
	return a + time.Duration(w.rand.Int64N(int64(b-a)))
}

func (w *world) latency() time.Duration { return w.between(50*time.Millisecond, 450*time.Millisecond) }

func (w *world) arrival() time.Duration {
	if w.late && w.rand.IntN(4) == 0 {
		return w.between(time.Second, 4*time.Second)
	}
	return w.latency()
}

// write changes a target and lets its webhook go out.
func (w *world) write(i int, phone string) {
	t := w.targets[i]
	t.phone, t.version = t.form(phone), w.clock().Format(time.RFC3339)
	w.trace("%6.2f system %d holds %q", w.now.Seconds(), i, t.phone)
	said := spoken{said: t.record(), says: crossdock.Fields{"phone"}, version: t.version}
	if !w.late || w.rand.IntN(8) > 0 {
		w.in(w.arrival(), func() { w.hear(i, said) })
	}
}

// edit is a person at a target.
func (w *world) edit(i int, phone string) {
	w.write(i, phone)
	w.targets[i].edit = &change{version: w.targets[i].version, heard: never}
}

// land is a write of ours that left at a given time. One that overwrites a change
// nobody had told us of when it left is a collision: no merging can tell, only a
// door that compares before it sets.
func (w *world) land(i int, phone string, left time.Duration) {
	if e := w.targets[i].edit; e != nil && e.heard > left {
		w.collided = true
	}
	w.targets[i].edit = nil
	w.write(i, phone)
}

// read asks a target what it holds, as a look does.
func (w *world) read(i int) { w.ask(i, false) }

// pull reads by a cursor in every other seed: a row that has not changed since
// the last pull is not told again.
func (w *world) pull(i int) { w.ask(i, w.cursor) }

func (w *world) ask(i int, changed bool) {
	asked, after := w.clock(), w.seq
	w.in(w.latency()/2, func() {
		t := w.targets[i]
		said := spoken{said: t.record(), says: crossdock.Fields{"phone"}, version: t.version, asked: asked, after: after}
		if changed && t.pulled == t.version+t.phone {
			return
		}
		if changed {
			t.pulled = t.version + t.phone
		}
		w.in(w.arrival(), func() { w.hear(i, said) })
	})
}

func (w *world) hear(i int, s spoken) {
	w.seq++
	s.seq = w.seq
	if e := w.targets[i].edit; e != nil && e.heard == never && s.version == e.version && s.said.Equal(w.targets[i].record()) {
		e.heard = w.now
	}
	w.trace("%6.2f heard %d %s v%s asked %v after %d", w.now.Seconds(), i, s.said.Text("phone"), s.version, !s.asked.IsZero(), s.after)
	w.hub.statement(i, s)
}

// push sends what is wanted of a target; the attempt is an entry of its own.
func (w *world) push(i int, want crossdock.Record) (attempt int64) {
	w.pushes++
	w.seq++
	attempt = w.seq
	phone := want.Text("phone")
	w.trace("%6.2f push %d to %d: %s", w.now.Seconds(), attempt, i, phone)
	t, left := w.targets[i], w.now
	w.in(w.latency(), func() {
		if w.lost && w.rand.IntN(6) == 0 {
			if w.rand.IntN(2) == 0 {
				w.in(w.between(0, longest), func() { w.land(i, phone, left) })
			}
			w.in(lostAfter, func() {
				w.seq++
				w.trace("%6.2f answer of %d lost", w.now.Seconds(), attempt)
				w.hub.receipt(i, attempt, crossdock.Receipt{Code: crossdock.Ambiguous})
			})
			return
		}
		w.land(i, phone, left)
		answer := crossdock.Receipt{Holds: t.record(), Version: t.version}
		w.in(w.arrival(), func() {
			w.seq++
			w.trace("%6.2f receipt of %d", w.now.Seconds(), attempt)
			w.hub.receipt(i, attempt, answer)
		})
	})
	return attempt
}

// outcome says how a seed ended.
type outcome struct {
	lostEdits int  // changes of people the book never took over, or that don't stand in the end
	differ    int  // systems that do not hold what the book holds
	storm     bool // pushed without end
	collided  bool // a write of ours met a change we could not know of: changes may be lost
	pushes    int
}

func (o outcome) bad() bool { return o.lostEdits > 0 && !o.collided || o.differ > 0 || o.storm }

// play plays one seed to its end: three changes by people, 12–15 s apart, pulls
// all four seconds.
func play(seed uint64, t trouble, make func(*world) hub, trace func(string, ...any)) outcome {
	w := &world{trouble: t, cursor: seed%2 == 1, rand: rand.New(rand.NewPCG(seed, 7)), trace: trace}
	forms := []func(string) string{exact, exact, exact}
	if t.form {
		forms = []func(string) string{exact, unspaced, grouped}
	}
	for _, form := range forms {
		w.targets = append(w.targets, &target{phone: form("555 0100"), form: form})
	}
	w.hub = make(w)
	seen := map[string]bool{}
	at, last := time.Second, ""
	for k := range 3 {
		i, phone := w.rand.IntN(3), fmt.Sprintf("555 010%d", k+1)
		w.agenda.add(at, func() { w.edit(i, phone) })
		last = phone
		at += w.between(12*time.Second, 15*time.Second)
	}
	for p := 2 * time.Second; p < at+30*time.Second; p += 4 * time.Second {
		for i := range w.targets {
			w.agenda.add(p+w.between(0, time.Second), func() { w.pull(i) })
		}
	}
	for w.agenda.next(&w.now) && w.now < at+60*time.Second && w.pushes < 400 {
		seen[unspaced(w.hub.holds().Text("phone"))] = true
	}
	out := outcome{pushes: w.pushes, storm: w.pushes > storm, collided: w.collided}
	for k := range 3 {
		if !seen[fmt.Sprintf("555010%d", k+1)] {
			out.lostEdits++
		}
	}
	if unspaced(w.hub.holds().Text("phone")) != unspaced(last) {
		out.lostEdits++
	}
	for _, s := range w.targets {
		if unspaced(s.phone) != unspaced(w.hub.holds().Text("phone")) {
			out.differ++
		}
	}
	return out
}

func exact(s string) string    { return s }
func unspaced(s string) string { return strings.ReplaceAll(s, " ", "") }
func grouped(s string) string  { s = unspaced(s); return s[:1] + " " + s[1:] }

// merging is our hub for one record: the functions under test and nothing else.
type merging struct {
	*world
	book    crossdock.Record
	views   []*crossdock.View
	pending []bool // a want is open
	looking []bool // a look is open
	lookDue []time.Time
}

func newMerging(w *world) hub {
	m := &merging{world: w, book: phoneRecord("555 0100")}
	for _, t := range w.targets {
		m.views = append(m.views, &crossdock.View{Held: t.record(), Asked: m.book})
		m.pending, m.looking, m.lookDue = append(m.pending, false), append(m.looking, false), append(m.lookDue, time.Time{})
	}
	return m
}

func (m *merging) holds() crossdock.Record { return m.book }

func (m *merging) statement(i int, s spoken) {
	v := m.views[i]
	if !s.asked.IsZero() && m.looking[i] && !s.asked.Before(m.lookDue[i]) {
		m.looking[i] = false
	}
	switch what, changed := hear(v, s); what {
	case foreign:
		m.book = m.book.With(s.said, changed)
		v.Adopt = !m.pending[i] && v.Asked.Kind != ""
	case unordered:
		if len(v.Open) == 0 {
			m.look(i)
		}
	}
	m.trueUp()
}

func (m *merging) receipt(i int, attempt int64, r crossdock.Receipt) {
	v := m.views[i]
	open, ok := closed(v, attempt)
	if !ok {
		panic("a receipt without its push")
	}
	if r.Code == crossdock.Ambiguous {
		unanswered(v, open, m.seq, m.clock().Add(settling))
	} else {
		answered(v, open, r, m.seq)
		if v.Unknown {
			m.look(i)
		}
	}
	m.trueUp()
}

func (m *merging) look(i int) {
	due := m.views[i].Settles
	if due.Before(m.clock()) {
		due = m.clock()
	}
	if m.looking[i] && !m.lookDue[i].After(due) {
		return
	}
	m.looking[i], m.lookDue[i] = true, due
	m.in(due.Sub(m.clock()), func() { m.read(i) })
}

// trueUp is the rule of TrueUp for doors that can be looked up.
func (m *merging) trueUp() {
	for i, v := range m.views {
		if v.Adopt {
			v.Adopt, v.Asked = false, m.book
		}
		if v.Unknown {
			m.pending[i] = false
			if len(v.Open) == 0 {
				m.look(i)
			}
			continue
		}
		m.pending[i] = !m.book.Equal(v.Asked)
		if m.pending[i] && len(v.Open) == 0 {
			opened(v, m.push(i, m.book), crossdock.Push{Want: m.book, Door: crossdock.DoorFound}, m.book, m.seq)
		}
	}
}

// literal is the contract one writes first: a view holds what was pushed, every
// statement is merged, and work is what differs from what is held.
type literal struct {
	*world
	book  crossdock.Record
	views []*crossdock.View
}

func newLiteral(w *world) hub {
	l := &literal{world: w, book: phoneRecord("555 0100")}
	for _, t := range w.targets {
		l.views = append(l.views, &crossdock.View{Held: t.record()})
	}
	return l
}

func (l *literal) holds() crossdock.Record { return l.book }

func (l *literal) statement(i int, s spoken) {
	v := l.views[i]
	if s.version < v.Version {
		return
	}
	v.Version = s.version
	if changed := v.Held.Differs(s.said, s.says); changed != nil {
		v.Held, l.book = s.said, l.book.With(s.said, changed)
	}
	l.trueUp()
}

func (l *literal) receipt(i int, attempt int64, r crossdock.Receipt) {
	v := l.views[i]
	open, _ := closed(v, attempt)
	if r.Code == crossdock.Ambiguous {
		l.read(i)
	} else {
		v.Held = open.Push.Want
	}
	l.trueUp()
}

func (l *literal) trueUp() {
	for i, v := range l.views {
		if !v.Held.Equal(l.book) && len(v.Open) == 0 {
			opened(v, l.push(i, l.book), crossdock.Push{Want: l.book}, l.book, 0)
		}
	}
}

// agenda is a queue of things to happen, by time and then by the order of asking.
type agenda struct {
	heap []happening
	n    int
}

type happening struct {
	at time.Duration
	n  int
	f  func()
}

func (h happening) before(o happening) bool { return h.at < o.at || h.at == o.at && h.n < o.n }

func (a *agenda) add(at time.Duration, f func()) {
	a.n++
	h := append(a.heap, happening{at, a.n, f})
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
	a.heap = h
}

// next lets the first thing happen; false when there is none.
func (a *agenda) next(now *time.Duration) bool {
	if len(a.heap) == 0 {
		return false
	}
	h := a.heap
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], happening{}
	h = h[:last]
	for i := 0; ; {
		least := i
		for _, c := range []int{2*i + 1, 2*i + 2} {
			if c < len(h) && h[c].before(h[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	a.heap = h
	*now = first.at
	first.f()
	return true
}

func quiet(string, ...any) {}

func TestTrueUp(t *testing.T) {
	for _, c := range []struct {
		name  string
		t     trouble
		seeds uint64
	}{
		{"prompt and exact", trouble{}, 2000},
		{"late messages", trouble{late: true}, 4000},
		{"targets normalise", trouble{form: true}, 2000},
		{"lost answers", trouble{lost: true}, 4000},
		{"all three", trouble{late: true, form: true, lost: true}, 20000},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() {
				c.seeds /= 10
			}
			bad, pushes, collided := 0, 0, uint64(0)
			for seed := range c.seeds {
				out := play(seed, c.t, newMerging, quiet)
				pushes += out.pushes
				if out.collided {
					collided++
				}
				if out.bad() {
					if bad++; bad == 1 {
						t.Logf("seed %d: %+v", seed, out)
						play(seed, c.t, newMerging, t.Logf)
					}
				}
			}
			if bad > 0 {
				t.Errorf("%d of %d seeds lost a change, left systems that differ or pushed more than %d times", bad, c.seeds, storm)
			}
			if collided > c.seeds/500 {
				t.Errorf("%d of %d seeds were not judged for lost changes: the world collides too often", collided, c.seeds)
			}
			t.Logf("%d seeds, %.1f pushes each, %d collisions", c.seeds, float64(pushes)/float64(c.seeds), collided)
		})
	}
}

// The test can fail: the literal contract loses changes in it and, as soon as two
// systems write a number differently, never stops pushing.
func TestTrueUpFailsTheLiteralContract(t *testing.T) {
	lost, storms := 0, 0
	for seed := range uint64(500) {
		out := play(seed, trouble{late: true, lost: true}, newLiteral, quiet)
		if out.lostEdits > 0 && !out.collided || out.differ > 0 {
			lost++
		}
		if play(seed, trouble{form: true}, newLiteral, quiet).storm {
			storms++
		}
	}
	if lost == 0 {
		t.Error("the literal contract lost no change in 500 seeds: this test proves nothing")
	}
	if storms == 0 {
		t.Error("the literal contract never pushed without end in 500 seeds: this test proves nothing")
	}
	t.Logf("of 500 seeds the literal contract lost a change in %d and pushed without end in %d", lost, storms)
}
