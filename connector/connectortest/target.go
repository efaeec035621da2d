package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Fate is what becomes of one write.
type Fate int

// The fates. Every one but Answered leaves the hub without an answer.
const (
	Answered Fate = iota
	Landed        // it takes effect, its answer is lost
	Never         // it is lost on its way
	Late          // it takes effect LateBy after its answer was given up
)

// LateBy is the longest transaction of a Target.
const LateBy = 40 * time.Second

// Target is an outside system that takes parties and orders. It lives outside the
// hub: a test that kills a hub keeps its Target. Its door says how a second send
// ends: behind DoorRefused it knows each push by record and revision and a maker's
// name by record, and does neither twice; behind DoorFound it does whatever it is told.
type Target struct {
	Plain
	Door crossdock.Door
	Now  func() time.Time
	// Fate says what becomes of a write; nil: all are answered.
	Fate func(crossdock.Push) Fate
	// Done lists what took effect, in order: "make party/7", "set party/7 phone=5",
	// "order/1001 confirmed".
	Done []string
	// Projects is called before every projection; nil: nothing is.
	Projects func(crossdock.Record)

	holds   []*holding
	changes []Row // what a pull reads; the cursor is a place in it
	clock   int   // counts effects: the versions of the target
	known   map[string]bool
	late    []lateWrite
}

type holding struct {
	key    string
	of     crossdock.Ref // of the book, as its maker named it
	kind   crossdock.Kind
	fields map[string]any
	lines  []crossdock.Line // of an order
	at     int              // version
}

type lateWrite struct {
	due  time.Time
	push crossdock.Push
}

// Add puts records of the target's own into it, as people do. Their versions are
// the target's to say, and so is what is reserved of stock.
func (t *Target) Add(rows ...Row) {
	for _, r := range rows {
		if old, ok := t.last(r.Kind, r.Key); ok && r.Kind == crossdock.KindStock {
			r = r.with("reserved", old.Fields["reserved"])
		}
		t.clock++
		r.Version = version(t.clock)
		t.changes = append(t.changes, r)
	}
}

func version(n int) string { return fmt.Sprintf("%09d", n) }

// last returns a record as it is now.
func (t *Target) last(kind crossdock.Kind, key string) (Row, bool) {
	for _, r := range slices.Backward(t.changes) {
		if r.Kind == kind && r.Key == key {
			return r, true
		}
	}
	return Row{}, false
}

// with returns the row with another value in one field.
func (r Row) with(name string, value any) Row {
	fields := maps.Clone(r.Fields)
	fields[name] = value
	r.Fields = fields
	return r
}

// reserve takes the goods of an order out of what is free, or, with sign -1, gives
// them back.
func (t *Target) reserve(h *holding, sign int64) {
	for _, line := range h.lines {
		r, ok := t.last(crossdock.KindStock, line.SKU+"@1")
		if !ok {
			continue
		}
		was, err := strconv.ParseInt(fmt.Sprint(r.Fields["reserved"]), 10, 64)
		if err != nil {
			panic(err) // goods of a test are counted in pieces
		}
		t.Add(r) // as it is, to be a change of its own
		t.changes[len(t.changes)-1] = t.changes[len(t.changes)-1].with("reserved", strconv.FormatInt(was+sign*line.Quantity.Count.IntPart(), 10))
	}
}

// Kinds implements connector.Puller.
func (t *Target) Kinds() []crossdock.Kind { return []crossdock.Kind{"all"} }

const pageSize = 3

// Pull implements connector.Puller: records that changed after a place in the list
// of changes, as they are now.
func (t *Target) Pull(_ context.Context, _ crossdock.Kind, after connector.Cursor) (connector.Page, error) {
	from, _ := strconv.Atoi(string(after))
	to := min(from+pageSize, len(t.changes))
	p := connector.Page{Next: connector.Cursor(strconv.Itoa(to)), More: to < len(t.changes)}
	for _, r := range t.changes[from:to] {
		r, _ = t.last(r.Kind, r.Key)
		p.Messages = append(p.Messages, crossdock.Message{Kind: r.Kind, Key: r.Key, Version: r.Version, Body: Body(r)})
	}
	return p, nil
}

// Project implements connector.Projector.
func (t *Target) Project(r crossdock.Record, v crossdock.View, known connector.Known) (connector.Wanted, error) {
	if t.Projects != nil {
		t.Projects(r)
	}
	if r.Kind == crossdock.KindParty {
		want := crossdock.Record{Kind: r.Kind, Form: 1}
		return connector.Wanted{Record: want.With(r, crossdock.Fields{"name", "phone"}), Door: t.Door}, nil
	}
	var o crossdock.Order
	if err := r.Unpack(&o); err != nil {
		return connector.Wanted{}, err
	}
	made := v.Key != "" || !v.Asked.IsZero()
	switch {
	case o.State == crossdock.OrderCancelled && !made:
		return connector.Wanted{}, nil
	case o.State == crossdock.OrderCancelled:
		return state("cancelled"), nil
	case made:
		return state("confirmed"), nil
	}
	customer := known.Key(o.Customer)
	if customer == "" {
		return connector.Wanted{Waits: []crossdock.Ref{o.Customer}}, nil
	}
	w := state("draft")
	w.Door = t.Door
	return w, errors.Join(w.Record.Set("customer", customer), w.Record.Set("lines", o.Lines))
}

func state(to string) connector.Wanted {
	w := connector.Wanted{Record: crossdock.Record{Kind: crossdock.KindOrder, Form: 1}, Door: crossdock.DoorFound}
	if err := w.Record.Set("state", to); err != nil {
		panic(err) // a string is JSON
	}
	return w
}

var errLost = errors.New("connection reset by peer")

// Push implements connector.Pusher.
func (t *Target) Push(_ context.Context, batch []crossdock.Push) []crossdock.Receipt {
	out := make([]crossdock.Receipt, len(batch))
	for i, p := range batch {
		out[i] = crossdock.Receipt{Of: p.Of, Rev: p.Rev}
		h, err := t.send(p)
		if err != nil {
			out[i].Code, out[i].Text = crossdock.Ambiguous, err.Error()
			continue
		}
		row := h.row()
		out[i].Key, out[i].Version = h.key, row.Version
		out[i].Holds = row.statement("").Said
	}
	return out
}

func (t *Target) send(p crossdock.Push) (*holding, error) {
	fate := Answered
	if t.Fate != nil {
		fate = t.Fate(p)
	}
	switch fate {
	case Landed:
		t.land(p)
		return nil, errLost
	case Never:
		return nil, errLost
	case Late:
		t.late = append(t.late, lateWrite{t.Now().Add(LateBy), p})
		return nil, errLost
	}
	return t.land(p), nil
}

// NextLate returns when the next late write lands, zero when none is on its way.
func (t *Target) NextLate() (next time.Time) {
	for _, l := range t.late {
		if next.IsZero() || l.due.Before(next) {
			next = l.due
		}
	}
	return next
}

// RunLate lets land what is due.
func (t *Target) RunLate() (did bool) {
	var rest []lateWrite
	for _, l := range t.late {
		if l.due.After(t.Now()) {
			rest = append(rest, l)
			continue
		}
		t.land(l.push)
		did = true
	}
	t.late = rest
	return did
}

// land lets a write take effect.
func (t *Target) land(p crossdock.Push) *holding {
	id := fmt.Sprintf("%s %d", p.Of, p.Rev)
	h := t.held(p)
	if h != nil && p.Door == crossdock.DoorRefused && t.known[id] {
		return h
	}
	if t.known == nil {
		t.known = map[string]bool{}
	}
	t.known[id] = true
	if h == nil {
		h = &holding{key: strconv.Itoa(len(t.holds) + 1), of: p.Of, kind: p.Of.Kind, fields: map[string]any{}}
		t.holds = append(t.holds, h)
		t.done(h, p, "make "+p.Of.Short())
		return h
	}
	to := p.Want.Text("state")
	switch {
	case to == "" && p.Key != "":
		t.done(h, p, "set "+p.Of.Short()+" phone="+p.Want.Text("phone"))
	case to != "" && to != "draft" && to != h.fields["state"]: // who confirms reads the state first
		t.done(h, p, p.Of.Short()+" "+to)
	}
	return h
}

// held finds what a push is about: by key, or, where a second record of one name
// is refused, by that name.
func (t *Target) held(p crossdock.Push) *holding {
	for _, h := range t.holds {
		if h.kind == p.Of.Kind && (p.Key != "" && h.key == p.Key || p.Key == "" && p.Door == crossdock.DoorRefused && h.of == p.Of) {
			return h
		}
	}
	return nil
}

func (t *Target) done(h *holding, p crossdock.Push, what string) {
	was := h.fields["state"]
	for name, value := range p.Want.Fields {
		switch name { // in the target's words: what it says of an order is its state
		case "customer":
		case "lines":
			must(json.Unmarshal(value, &h.lines))
		default:
			var v any
			must(json.Unmarshal(value, &v))
			h.fields[name] = v
		}
	}
	switch is := h.fields["state"]; {
	case is == "confirmed" && was != is:
		t.reserve(h, 1)
	case was == "confirmed" && was != is:
		t.reserve(h, -1)
	}
	t.clock++
	h.at = t.clock
	t.Done = append(t.Done, what)
	t.changes = append(t.changes, h.row())
}

func must(err error) {
	if err != nil {
		panic(err) // a want is JSON
	}
}

func (h *holding) row() Row {
	fields := map[string]any{}
	for name, value := range h.fields {
		fields[name] = value
	}
	r := Row{Kind: h.kind, Key: h.key, Version: version(h.at), Fields: fields}
	if h.of.Key != "" {
		r.Names = []string{"of:" + h.of.Short()}
	}
	for name := range fields {
		r.Says = append(r.Says, name)
	}
	slices.Sort(r.Says)
	return r
}

// Find implements connector.Finder: by key, or by the name its maker gave it.
func (t *Target) Find(_ context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	var out []crossdock.Message
	for _, ref := range refs {
		r := Row{Kind: ref.Kind, Key: ref.Key, Gone: true}
		m := crossdock.Message{Kind: ref.Kind, Key: ref.Key}
		for _, h := range t.holds {
			if h.of == ref || ref.System != crossdock.BookSystem && h.kind == ref.Kind && h.key == ref.Key {
				r = h.row()
			}
		}
		for _, own := range t.changes { // what people put there, as it is now
			if own.Kind == ref.Kind && own.Key == ref.Key && ref.System != crossdock.BookSystem {
				r = own
			}
		}
		if r.Gone && ref.System == crossdock.BookSystem {
			m.Meta = crossdock.Meta{"book": "yes"}
		}
		m.Key, m.Version, m.Body = r.Key, r.Version, Body(r)
		out = append(out, m)
	}
	return out, nil
}

// Translate implements connector.Translator.
func (t *Target) Translate(m crossdock.Message) []crossdock.Statement {
	out := t.Plain.Translate(m)
	for i := range out {
		if m.Meta["book"] != "" {
			out[i].Of.System = crossdock.BookSystem
		}
	}
	return out
}

// Held tells what stands in the target, a line for each record, sorted:
// "party/7 name=Ada phone=5".
func (t *Target) Held() []string {
	var out []string
	for _, h := range t.holds {
		line := h.of.Short()
		for _, name := range h.row().Says {
			line += fmt.Sprintf(" %s=%v", name, h.fields[name])
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

var (
	_ connector.Puller = (*Target)(nil)
	_ connector.Pusher = (*Target)(nil)
	_ connector.Finder = (*Target)(nil)
)
