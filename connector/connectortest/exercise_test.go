package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// TestDepot shows that a connector can keep every clause.
func TestDepot(t *testing.T) {
	Exercise(t, Subject{Type: depotType, World: depotWorld})
}

// bent is the depot's connector with one thing wrong: a door that is not nil is
// used in place of the good one.
type bent struct {
	*Depot
	ping      func(context.Context) error
	translate func(crossdock.Message) []crossdock.Statement
	pull      func(context.Context, crossdock.Kind, connector.Cursor) (connector.Page, error)
	keys      func(context.Context, crossdock.Kind, connector.Cursor) (connector.KeyPage, error)
	find      func(context.Context, []crossdock.Ref) ([]crossdock.Message, error)
	receive   func(*http.Request) ([]crossdock.Message, connector.Answer, error)
	project   func(crossdock.Record, crossdock.View, connector.Known) (connector.Wanted, error)
	push      func(context.Context, []crossdock.Push) []crossdock.Receipt
}

func (b *bent) Ping(ctx context.Context) error {
	if b.ping != nil {
		return b.ping(ctx)
	}
	return b.Depot.Ping(ctx)
}

func (b *bent) Translate(m crossdock.Message) []crossdock.Statement {
	if b.translate != nil {
		return b.translate(m)
	}
	return b.Depot.Translate(m)
}

func (b *bent) Pull(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
	if b.pull != nil {
		return b.pull(ctx, k, after)
	}
	return b.Depot.Pull(ctx, k, after)
}

func (b *bent) Keys(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.KeyPage, error) {
	if b.keys != nil {
		return b.keys(ctx, k, after)
	}
	return b.Depot.Keys(ctx, k, after)
}

func (b *bent) Find(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	if b.find != nil {
		return b.find(ctx, refs)
	}
	return b.Depot.Find(ctx, refs)
}

func (b *bent) Receive(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
	if b.receive != nil {
		return b.receive(r)
	}
	return b.Depot.Receive(r)
}

func (b *bent) Project(r crossdock.Record, v crossdock.View, k connector.Known) (connector.Wanted, error) {
	if b.project != nil {
		return b.project(r, v, k)
	}
	return b.Depot.Project(r, v, k)
}

func (b *bent) Push(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt {
	if b.push != nil {
		return b.push(ctx, batch)
	}
	return b.Depot.Push(ctx, batch)
}

// receiptsBut pushes well and then changes the receipts.
func receiptsBut(b *bent, change func(batch []crossdock.Push, out []crossdock.Receipt)) {
	b.push = func(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt {
		out := b.Depot.Push(ctx, batch)
		change(batch, out)
		return out
	}
}

// faults bends the depot's connector, each so that the clause of that name fails.
var faults = map[string]func(t *testing.T, b *bent){
	"ping": func(_ *testing.T, b *bent) { // it does not mind an expired credential
		b.ping = func(ctx context.Context) error {
			err := b.Depot.Ping(ctx)
			if crossdock.CodeOf(err) == crossdock.Unauthorized {
				return nil
			}
			return err
		}
	},
	"cancel": func(_ *testing.T, b *bent) { // it goes on after its context was cancelled
		b.ping = func(ctx context.Context) error {
			err := b.Depot.Ping(ctx)
			if errors.Is(context.Cause(ctx), context.Canceled) {
				time.Sleep(soon + 200*time.Millisecond)
			}
			return err
		}
	},
	"throttled": func(_ *testing.T, b *bent) { // it does not say how long to wait
		b.find = func(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
			out, err := b.Depot.Find(ctx, refs)
			if crossdock.CodeOf(err) == crossdock.Throttled {
				err = crossdock.Errorf(crossdock.Throttled, "too many requests")
			}
			return out, err
		}
	},
	"away": func(_ *testing.T, b *bent) { // it doubts where nothing can have left
		receiptsBut(b, func(_ []crossdock.Push, out []crossdock.Receipt) {
			for i := range out {
				if out[i].Code == crossdock.Unavailable {
					out[i].Code = crossdock.Ambiguous
				}
			}
		})
	},
	"credential": func(_ *testing.T, b *bent) { // it takes an expired credential for a system that is away
		b.keys = func(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.KeyPage, error) {
			out, err := b.Depot.Keys(ctx, k, after)
			if crossdock.CodeOf(err) == crossdock.Unauthorized {
				err = crossdock.Errorf(crossdock.Unavailable, "the depot does not answer")
			}
			return out, err
		}
	},
	"secret": func(_ *testing.T, b *bent) { // it says which key was refused
		b.pull = func(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
			out, err := b.Depot.Pull(ctx, k, after)
			if err != nil {
				err = crossdock.Errorf(crossdock.CodeOf(err), "pulling with %s: %w", b.cfg.Key, err)
			}
			return out, err
		}
	},
	"leak": func(t *testing.T, b *bent) { // it leaves somebody waiting
		end := make(chan struct{})
		t.Cleanup(func() { close(end) })
		b.find = func(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
			go func() { <-end }()
			return b.Depot.Find(ctx, refs)
		}
	},
	"pure": func(_ *testing.T, b *bent) { // it writes into the message
		b.translate = func(m crossdock.Message) []crossdock.Statement {
			if m.Meta != nil {
				m.Meta["translated"] = "yes"
			}
			return b.Depot.Translate(m)
		}
	},
	"total": func(_ *testing.T, b *bent) { // it knows one body less
		b.translate = func(m crossdock.Message) []crossdock.Statement {
			if string(m.Body) == "0" {
				panic("a number")
			}
			return b.Depot.Translate(m)
		}
	},
	"one each": func(_ *testing.T, b *bent) { // it says it twice
		b.translate = func(m crossdock.Message) []crossdock.Statement {
			out := b.Depot.Translate(m)
			return append(out, out...)
		}
	},
	"any order": func(_ *testing.T, b *bent) { // it remembers what it has heard
		heard, last := map[string]bool{}, ""
		b.translate = func(m crossdock.Message) []crossdock.Statement {
			out, this := b.Depot.Translate(m), m.Meta["door"]+string(m.Body)
			if heard[this] && last != this {
				out[0].Names = append(out[0].Names, "heard before")
			}
			heard[this], last = true, this
			return out
		}
	},
	"unknown fields": func(_ *testing.T, b *bent) { // it wants to know them all
		b.translate = func(m crossdock.Message) []crossdock.Statement {
			out := b.Depot.Translate(m)
			if bytes.Contains(m.Body, []byte(stranger)) {
				out[0].Said, out[0].Fault = crossdock.Record{}, &crossdock.Fault{Code: crossdock.Invalid, Text: "an unknown member"}
			}
			return out
		}
	},
	"zero cursor": func(_ *testing.T, b *bent) { // it looks ahead by one and forgets that one
		b.pull = func(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
			out, err := b.Depot.Pull(ctx, k, after)
			if len(out.Messages) == depotPage && !out.More {
				out.Messages = out.Messages[:depotPage-1]
			}
			return out, err
		}
	},
	"resume": func(_ *testing.T, b *bent) { // its cursors are places in its memory
		given := map[connector.Cursor]bool{"": true}
		b.pull = func(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
			if !given[after] {
				return connector.Page{Next: after}, nil
			}
			out, err := b.Depot.Pull(ctx, k, after)
			given[out.Next] = true
			return out, err
		}
	},
	"paging": func(_ *testing.T, b *bent) { // it reads what was there as it began and goes on from what is there as it ends
		within, mark := false, 0
		b.pull = func(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
			got, err := b.rows(ctx, k, after)
			if !within {
				mark = got.High
			}
			within = got.More
			got.Rows = slices.DeleteFunc(got.Rows, func(r Row) bool { return r.Version > version(mark) })
			return got.page(), err
		}
	},
	"keys": func(_ *testing.T, b *bent) { // it lists what it ever saw
		ever := map[string]bool{}
		b.keys = func(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.KeyPage, error) {
			out, err := b.Depot.Keys(ctx, k, after)
			for _, key := range out.Keys {
				ever[key] = true
			}
			out.Keys = nil
			for key := range ever {
				out.Keys = append(out.Keys, key)
			}
			return out, err
		}
	},
	"find": func(_ *testing.T, b *bent) { // it answers what it found
		b.find = func(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
			out, err := b.Depot.Find(ctx, refs)
			return slices.DeleteFunc(out, func(m crossdock.Message) bool { return b.Depot.Translate(m)[0].Gone }), err
		}
	},
	"genuine": func(_ *testing.T, b *bent) { // it tidies up
		b.receive = func(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
			ms, answer, err := b.Depot.Receive(r)
			for i := range ms {
				if len(ms[i].Body) < connector.Limit {
					ms[i].Body = bytes.TrimSpace(ms[i].Body)
				}
			}
			return ms, answer, err
		}
	},
	"signature": func(_ *testing.T, b *bent) { // it believes who does not sign
		b.receive = func(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
			if r.Header.Get(depotHeader) == "" {
				r.Header.Set(depotHeader, depotSignature(bodyOf(r)))
			}
			return b.Depot.Receive(r)
		}
	},
	"bounds": func(_ *testing.T, b *bent) { // it takes what is too large
		b.receive = func(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
			ms, answer, err := b.Depot.Receive(r)
			for i := range ms {
				ms[i].Fault = nil
			}
			return ms, answer, err
		}
	},
	"project": func(_ *testing.T, b *bent) { // it counts
		n := 0
		b.project = func(r crossdock.Record, v crossdock.View, k connector.Known) (connector.Wanted, error) {
			w, err := b.Depot.Project(r, v, k)
			n++
			return w, errors.Join(err, w.Record.Set("n", n))
		}
	},
	"receipts": func(_ *testing.T, b *bent) { // it answers the last one first
		receiptsBut(b, func(_ []crossdock.Push, out []crossdock.Receipt) { slices.Reverse(out) })
	},
	"poison": func(_ *testing.T, b *bent) { // it gives up at a bad one
		receiptsBut(b, func(_ []crossdock.Push, out []crossdock.Receipt) {
			for i := 1; i < len(out); i++ {
				if out[i-1].Code == crossdock.Invalid {
					out[i].Code = crossdock.Invalid
				}
			}
		})
	},
	"second send": func(_ *testing.T, b *bent) { // it calls a second send a failure
		sent := map[string]bool{}
		receiptsBut(b, func(batch []crossdock.Push, out []crossdock.Receipt) {
			for i, p := range batch {
				if id := fmt.Sprint(p.Of, p.Rev); sent[id] {
					out[i].Code = crossdock.Refused
				} else if out[i].Code == crossdock.OK {
					sent[id] = true
				}
			}
		})
	},
	"answer lost": func(_ *testing.T, b *bent) { // it says that nothing happened
		receiptsBut(b, func(_ []crossdock.Push, out []crossdock.Receipt) {
			for i := range out {
				if out[i].Code == crossdock.Ambiguous {
					out[i].Code = crossdock.Unavailable
				}
			}
		})
	},
	"expired within": func(_ *testing.T, b *bent) { // it blames the whole batch
		receiptsBut(b, func(_ []crossdock.Push, out []crossdock.Receipt) {
			if slices.ContainsFunc(out, func(r crossdock.Receipt) bool { return r.Code == crossdock.Unauthorized }) {
				for i := range out {
					out[i].Code = crossdock.Unauthorized
				}
			}
		})
	},
}

// broken is the depot with a connector that is bent.
func broken(t *testing.T, bend func(*testing.T, *bent)) Subject {
	return Subject{Type: depotType, World: func(*testing.T) *World {
		w := depotWorld(t)
		open := w.Open
		w.Open = func(url string, env connector.Env) (connector.Connector, error) {
			c, err := open(url, env)
			d, ok := c.(*Depot)
			if !ok {
				return nil, fmt.Errorf("the depot's connector is a %T: %w", c, err)
			}
			b := &bent{Depot: d}
			bend(t, b)
			return b, nil
		}
		return w
	}}
}

// TestEveryClauseCanFail holds a connector that is wrong in one thing against every
// clause: the one that is about it fails, and no other.
func TestEveryClauseCanFail(t *testing.T) {
	subjects := map[string]Subject{"subject": {World: depotWorld, Type: depotType}}
	s := subjects["subject"]
	s.Type.Takes = append(slices.Clone(s.Type.Takes), crossdock.KindInvoice) // nobody shows how one is pushed
	subjects["subject"] = s
	for name, bend := range faults {
		subjects[name] = broken(t, bend)
	}
	// What counts goroutines or hears the whole log is alone.
	alone := []string{"leak", "secret"}
	failed := map[string][]string{}
	var mu sync.Mutex
	try := func(c Clause, name string) {
		problems, has := c.test(t, subjects[name])
		mu.Lock()
		defer mu.Unlock()
		if !has {
			t.Errorf("the depot has not the door %s", c.Door)
		}
		if len(problems) > 0 {
			failed[name] = append(failed[name], c.Name)
			if c.Name != name {
				t.Errorf("the connector that is wrong in %q fails %q:\n%s", name, c.Name, strings.Join(problems, "\n"))
			}
		}
	}
	for _, c := range clauses {
		if _, ok := subjects[c.Name]; !ok {
			t.Errorf("no connector shows that the clause %q can fail", c.Name)
		}
		if slices.Contains(alone, c.Name) {
			for name := range subjects {
				try(c, name)
			}
			continue
		}
		var each sync.WaitGroup
		for name := range subjects {
			each.Go(func() { try(c, name) })
		}
		each.Wait()
	}
	for name := range subjects {
		if !reflect.DeepEqual(failed[name], []string{name}) {
			t.Errorf("the connector that is wrong in %q fails %q", name, failed[name])
		}
	}
}

// TestDoorsThatAreNotThere: a clause about a door the connector has not is not held.
func TestDoorsThatAreNotThere(t *testing.T) {
	type small struct{ connector.Connector }
	s := Subject{Type: depotType, World: func(t *testing.T) *World {
		w := depotWorld(t)
		open := w.Open
		w.Open = func(url string, env connector.Env) (connector.Connector, error) {
			c, err := open(url, env)
			return small{c}, err
		}
		return w
	}}
	for _, c := range clauses {
		problems, has := c.test(t, s)
		switch {
		case has != (c.Door == ""):
			t.Errorf("%s: a connector without doors is held against it: %v", c.Name, has)
		case c.Name == "subject" && len(problems) != 2:
			t.Errorf("a type that takes orders and customers, and a connector that pushes none: %q", problems)
		case c.Name != "subject" && len(problems) > 0:
			t.Errorf("%s: %q", c.Name, problems)
		}
	}
}
