// Package replay puts questions to the journal and the book: one record's story,
// the work that stands, what a person has to act on. It only reads.
package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// mostRead bounds what is read from the store at once.
const mostRead = 1000

// Story is all the hub knows of one record.
type Story struct {
	Of         crossdock.Ref     `json:"of"`
	Record     crossdock.Record  `json:"record"`
	Rev        int64             `json:"rev"`
	People     []Person          `json:"people"` // of an order or a party
	Entries    []Happening       `json:"entries"`
	Systems    []Holding         `json:"systems"`
	Work       []Work            `json:"work"`
	Exceptions []*core.Exception `json:"exceptions"`
	Judgement  *core.Judgement   `json:"judgement,omitempty"`
	Promise    *core.Promise     `json:"promise,omitempty"`
}

// Happening is one entry of a story.
type Happening struct {
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	What   string    `json:"what"` // who said or did what
	Effect string    `json:"effect"`
}

// Holding is what one system holds of the record.
type Holding struct {
	System  crossdock.System `json:"system"`
	Key     string           `json:"key,omitempty"`
	Held    crossdock.Record `json:"held"`
	AsOf    time.Time        `json:"as_of,omitzero"`
	Unknown bool             `json:"unknown,omitempty"`
	Gone    bool             `json:"gone,omitempty"`
	Open    int              `json:"open,omitempty"` // pushes without a receipt
}

// Work is one want, as people read it.
type Work struct {
	System  crossdock.System `json:"system"`
	Of      crossdock.Ref    `json:"of"`
	Number  string           `json:"number,omitempty"` // what people call the order, where that is not its key
	Do      core.Do          `json:"do"`
	State   core.WantState   `json:"state"`
	Due     time.Time        `json:"due,omitzero"`
	Since   time.Time        `json:"since"`
	Tries   int              `json:"tries,omitempty"`
	Waits   []crossdock.Ref  `json:"waits,omitempty"`
	Why     string           `json:"why,omitempty"`
	Subject string           `json:"subject,omitempty"` // the one value that keeps it back, maybe with others
	Want    crossdock.Record `json:"want,omitzero"`
}

// Trace tells the story of a record of the book. ref is a whole reference
// (book/order/1001), the short one people use (order/1001), a system's own, or the
// number of an order in any system; a number that several have is Invalid.
func Trace(ctx context.Context, s store.Store, ref string) (*Story, error) {
	of, err := find(ctx, s.Book(), ref)
	if err != nil {
		return nil, err
	}
	rows, err := s.Book().Load(ctx, []core.Address{core.RecordAt(of), core.PromiseAt(of)})
	if err != nil {
		return nil, err
	}
	story := &Story{Of: of}
	record, ok := rows[0].(*core.Record)
	if !ok {
		return nil, crossdock.Errorf(crossdock.Invalid, "the book has no %s", of.Short())
	}
	story.Record, story.Rev = record.Body, record.Rev
	story.Promise, _ = rows[1].(*core.Promise)
	if err := story.read(ctx, s); err != nil {
		return nil, err
	}
	return story, nil
}

func (st *Story) read(ctx context.Context, s store.Store) error {
	entries, err := s.Book().Trace(ctx, st.Of, mostRead)
	if err != nil {
		return err
	}
	for _, e := range entries {
		a, err := s.Journal().Get(ctx, e.Lane, e.Arrival)
		if err != nil {
			return err
		}
		st.Entries = append(st.Entries, Happening{Seq: e.Seq, At: e.At, Kind: e.Kind, What: what(a, st.Of), Effect: e.Effect})
	}
	if err := st.people(ctx, s.Book()); err != nil {
		return err
	}
	if err := st.held(ctx, s.Book()); err != nil {
		return err
	}
	if err := each(ctx, s.Book(), core.Judgements, st.Of.Short()+"|", func(row core.Row) {
		st.Judgement, _ = row.(*core.Judgement)
	}); err != nil {
		return err
	}
	about, err := Exceptions(ctx, s, Asked{All: true, Record: st.Of.Short()})
	st.Exceptions = about.Exceptions
	if err != nil {
		return err
	}
	return st.values(ctx, s.Book())
}

// values adds the exceptions of values that keep the record back among others.
func (st *Story) values(ctx context.Context, b store.Book) error {
	var at []core.Address
	for _, w := range st.Work {
		if w.Subject != "" {
			at = append(at, core.ValueExceptionsAt(w.System, w.Subject)...)
		}
	}
	rows, err := b.Load(ctx, at)
	for _, row := range rows {
		if x, ok := row.(*core.Exception); ok && x.Of != st.Of {
			st.Exceptions = append(st.Exceptions, x)
		}
	}
	return err
}

// held reads what the connected systems hold of the record, and what is to be done there.
func (st *Story) held(ctx context.Context, b store.Book) error {
	rows, err := b.Load(ctx, []core.Address{core.SetupAt})
	if err != nil {
		return err
	}
	setup, ok := rows[0].(*core.Setup)
	if !ok {
		return nil
	}
	var at []core.Address
	for _, c := range setup.Connections {
		at = append(at, core.ViewAt(c.System, st.Of), core.WantAt(c.System, core.DoPush, st.Of), core.WantAt(c.System, core.DoLook, st.Of))
	}
	if rows, err = b.Load(ctx, at); err != nil {
		return err
	}
	for _, row := range rows {
		switch r := row.(type) {
		case *core.View:
			st.Systems = append(st.Systems, Holding{System: r.System, Key: r.Key, Held: r.Held, AsOf: r.AsOf, Unknown: r.Unknown, Gone: r.Gone, Open: len(r.Open)})
		case *core.Want:
			st.Work = append(st.Work, workOf(r))
		}
	}
	return nil
}

func workOf(w *core.Want) Work {
	return Work{System: w.System, Of: w.Of, Do: w.Do, State: w.State, Due: w.Due, Since: w.Since, Tries: w.Tries, Waits: w.Waits, Why: w.Why, Subject: w.Subject, Want: w.Want}
}

// each calls f for every row of a table whose key begins with prefix.
func each(ctx context.Context, b store.Book, t core.Table, prefix string, f func(core.Row)) error {
	for after := ""; ; {
		rows, err := b.Scan(ctx, t, prefix, after, mostRead)
		if err != nil {
			return err
		}
		for _, row := range rows {
			f(row)
			after = row.Address().Key
		}
		if len(rows) < mostRead {
			return nil
		}
	}
}

// what says in a few words what an arrival was to a record.
func what(a *store.Arrival, of crossdock.Ref) string {
	if a == nil {
		return "(moved to the archive)"
	}
	switch b := a.Body.(type) {
	case crossdock.Message:
		how := b.Meta["topic"]
		if how == "" {
			how = "read"
		}
		return fmt.Sprintf("%s: %s %s", b.From, how, b.Key)
	case crossdock.Attempt:
		for _, p := range b.Pushes {
			if p.Of == of {
				return fmt.Sprintf("to %s: revision %d%s, %d in the batch", b.System, p.Rev, step(p.Want), len(b.Pushes))
			}
		}
		return fmt.Sprintf("to %s: a batch of %d", b.System, len(b.Pushes))
	case crossdock.Result:
		for _, r := range b.Receipts {
			if r.Of == of {
				return strings.TrimSpace(fmt.Sprintf("from %s: %s %s %s", b.System, answer(r.Code), r.Key, r.Text))
			}
		}
		return fmt.Sprintf("from %s: %d receipts", b.System, len(b.Receipts))
	case crossdock.Action:
		return b.By + ": " + b.Do
	case crossdock.Setup:
		return "configuration " + b.Hash
	}
	return ""
}

func step(want crossdock.Record) string {
	if state := want.Text("state"); state != "" {
		return " (" + state + ")"
	}
	return ""
}

func answer(c crossdock.Code) string {
	if c == crossdock.OK {
		return "done"
	}
	return string(c)
}

// List returns the work that stands, of one system or of all, the oldest first.
func List(ctx context.Context, s store.Store, system crossdock.System) ([]Work, error) {
	var out []Work
	err := each(ctx, s.Book(), core.Wants, "", func(row core.Row) {
		w, ok := row.(*core.Want)
		if !ok || system != "" && w.System != system {
			return
		}
		out = append(out, workOf(w))
	})
	if err != nil {
		return nil, err
	}
	var of []crossdock.Ref
	for _, w := range out {
		of = append(of, w.Of)
	}
	called, err := numbers(ctx, s.Book(), of)
	for i := range out {
		out[i].Number = called[out[i].Of.Short()]
	}
	slices.SortStableFunc(out, func(a, b Work) int { return a.Since.Compare(b.Since) })
	return out, err
}

// Order reads a record of the book as an order.
func Order(r crossdock.Record) (crossdock.Order, error) {
	var o crossdock.Order
	err := r.Unpack(&o)
	return o, err
}

// MarshalJSON writes lists as [] rather than null, which is what a program expects.
func (st Story) MarshalJSON() ([]byte, error) {
	type plain Story
	p := plain(st)
	if p.People == nil {
		p.People = []Person{}
	}
	if p.Entries == nil {
		p.Entries = []Happening{}
	}
	if p.Systems == nil {
		p.Systems = []Holding{}
	}
	if p.Work == nil {
		p.Work = []Work{}
	}
	if p.Exceptions == nil {
		p.Exceptions = []*core.Exception{}
	}
	return json.Marshal(p)
}
