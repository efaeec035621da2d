// Package house assembles the rooms of one hub over one store: the same house is
// run by goroutines in app and step by step, on a simulated clock, in sim and
// scenario.
package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/desk"
	"github.com/crossdockhq/crossdock/dispatch"
	"github.com/crossdockhq/crossdock/intake"
	"github.com/crossdockhq/crossdock/reconcile"
	"github.com/crossdockhq/crossdock/store"
)

// Options are what a house is built of.
type Options struct {
	Store      store.Store
	Setup      crossdock.Setup
	Connectors map[crossdock.System]connector.Connector
	Pull       map[crossdock.System]time.Duration // how often each connection is pulled; 0: never
	Reconcile  time.Duration                      // how often orders in motion are compared; 0: never
	Now        func() time.Time
	Log        *slog.Logger
	Broken     func(error) // called when the disk did not keep what was written
	// Owner is by which name the rooms hold their leases, one for each start of a hub;
	// "": the house has its store for itself and asks for none.
	Owner string
}

// House is a hub's rooms. It starts nothing by itself.
type House struct {
	Receive    *intake.Receive
	Desk       *desk.Desk
	Dispatches []*dispatch.Dispatch
	Pulls      []*intake.Pull
	Reconciles []*reconcile.Reconcile

	o       Options
	rooms   []Room
	tenures []*tenure
}

// Room is one unit of work of the house.
type Room struct {
	Name string
	Step func(context.Context) (did bool, err error)
	Wake chan struct{} // a word that there may be work; it never blocks the one who says it
}

// New builds a house. Connections are taken in the order of the setup.
func New(o Options) *House {
	h := &House{o: o}
	deskWake := make(chan struct{}, 1)
	filed := func() { ring(deskWake) }
	h.Receive = &intake.Receive{Journal: o.Store.Journal(), Connectors: o.Connectors, Now: o.Now, Log: o.Log, Filed: filed, Broken: o.Broken}
	var committed []chan struct{}
	h.add("desk", deskTerm, deskWake, func(s store.Store) step {
		h.Desk = desk.New(s, o.Connectors, o.Now)
		work := h.Desk
		return func(ctx context.Context) (bool, error) {
			did, err := work.Step(ctx)
			if did {
				for _, wake := range committed {
					ring(wake)
				}
			}
			return did, err
		}
	})
	for _, c := range o.Setup.Connections {
		committed = append(committed, h.connection(c.System, filed))
	}
	return h
}

// connection adds the rooms of one connection and returns the wake of its dispatch.
// Also one that neither pushes nor finds has a dispatch: it says that it can't do
// what is wanted.
func (h *House) connection(system crossdock.System, filed func()) (wake chan struct{}) {
	o, conn := h.o, h.o.Connectors[system]
	if puller, ok := conn.(connector.Puller); ok && o.Pull[system] > 0 {
		at := len(h.Pulls)
		h.Pulls = append(h.Pulls, nil)
		h.add("pull "+string(system), roomTerm, nil, func(s store.Store) step {
			h.Pulls[at] = intake.NewPull(s, system, puller, intake.PullOptions{Now: o.Now, Every: o.Pull[system], Log: o.Log, Filed: filed})
			return h.Pulls[at].Step
		})
	}
	wake = make(chan struct{}, 1)
	at := len(h.Dispatches)
	h.Dispatches = append(h.Dispatches, nil)
	h.add("dispatch "+string(system), roomTerm, wake, func(s store.Store) step {
		d := dispatch.New(s, system, conn, o.Now)
		h.Dispatches[at] = d
		return func(ctx context.Context) (bool, error) {
			did, err := d.Step(ctx)
			if did {
				filed()
			}
			return did, err
		}
	})
	_, pushes := conn.(connector.Pusher)
	finder, finds := conn.(connector.Finder)
	if finds && pushes && o.Reconcile > 0 {
		at := len(h.Reconciles)
		h.Reconciles = append(h.Reconciles, nil)
		h.add("reconcile "+string(system), roomTerm, nil, func(s store.Store) step {
			h.Reconciles[at] = reconcile.New(s, system, finder, reconcile.Options{Kinds: []crossdock.Kind{crossdock.KindOrder, crossdock.KindShipment}, Every: o.Reconcile, Now: o.Now, Log: o.Log, Filed: filed})
			return h.Reconciles[at].Step
		})
	}
	return wake
}

// add adds a room that begin makes over a store, under a lease where the house has
// an owner.
func (h *House) add(name string, term time.Duration, wake chan struct{}, begin func(store.Store) step) {
	work := begin(h.o.Store)
	if h.o.Owner != "" {
		t := &tenure{leases: h.o.Store.Leases(), store: h.o.Store, name: name, owner: h.o.Owner, term: term, begin: begin, log: h.o.Log}
		h.tenures = append(h.tenures, t)
		work = t.Step
	}
	h.rooms = append(h.rooms, Room{name, work, wake})
}

// Leave gives the leases back, once the rooms work no more.
func (h *House) Leave(ctx context.Context) error {
	var all []error
	for _, t := range h.tenures {
		all = append(all, t.end(ctx))
	}
	return errors.Join(all...)
}

func ring(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// Wake tells every room that there may be work: another node has written.
func (h *House) Wake() {
	for _, r := range h.rooms {
		if r.Wake != nil {
			ring(r.Wake)
		}
	}
}

// Rooms returns every room that does work by steps, in a fixed order.
func (h *House) Rooms() []Room { return h.rooms }

// File puts something a person or the hub itself says into the urgent lane.
func (h *House) File(ctx context.Context, body crossdock.Body) (*store.Arrival, error) {
	all, err := h.file(ctx, body)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// FileAll is File for several bodies: all of them or, with an error, none.
func (h *House) FileAll(ctx context.Context, bodies []crossdock.Body) error {
	_, err := h.file(ctx, bodies...)
	return err
}

func (h *House) file(ctx context.Context, bodies ...crossdock.Body) ([]*store.Arrival, error) {
	var f store.Filing
	for _, body := range bodies {
		f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: crossdock.Urgent, At: h.o.Now(), Body: body})
	}
	if err := h.o.Store.Journal().File(ctx, f); err != nil {
		return nil, err
	}
	ring(h.rooms[0].Wake)
	return f.Arrivals, nil
}

// Open files the configuration when the book decides, or is about to decide, by
// another one. It is called once, before the rooms work.
func (h *House) Open(ctx context.Context) error {
	hash, err := h.configured(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	if hash == h.o.Setup.Hash {
		return nil
	}
	_, err = h.File(ctx, h.o.Setup)
	return err
}

// configured returns the hash of the configuration filed last, "" for none: it may
// still wait for the desk when a hub ended soon after it began.
func (h *House) configured(ctx context.Context) (hash string, err error) {
	rows, err := h.o.Store.Book().Load(ctx, []core.Address{core.SetupAt})
	if err != nil {
		return "", err
	}
	if s, ok := rows[0].(*core.Setup); ok {
		hash = s.Hash
	}
	pos, err := h.o.Store.Book().Position(ctx)
	if err != nil {
		return "", err
	}
	for after := pos.Lanes[crossdock.Urgent].Number; ; {
		const page = 200
		waiting, err := h.o.Store.Journal().Read(ctx, crossdock.Urgent, after, page)
		if err != nil {
			return "", err
		}
		for _, a := range waiting {
			if s, ok := a.Body.(crossdock.Setup); ok {
				hash = s.Hash
			}
			after = a.Number
		}
		if len(waiting) < page {
			return hash, nil
		}
	}
}

// Due is for a house without leases. It returns the earliest time at which something will be to do by itself, zero
// when nothing will: wants and timers of the book, rounds of pulls and
// reconciliations, connections that are held back.
func (h *House) Due(ctx context.Context) (time.Time, error) {
	next, err := h.o.Store.Book().Next(ctx)
	if err != nil {
		return time.Time{}, err
	}
	earlier := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, p := range h.Pulls {
		earlier(p.Next())
	}
	for _, r := range h.Reconciles {
		earlier(r.Next())
	}
	for _, d := range h.Dispatches {
		if t := d.Paused(); t.After(h.o.Now()) {
			earlier(t)
		}
	}
	return next, nil
}
