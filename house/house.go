// Package house assembles the rooms of one hub over one store: the same house is
// run by goroutines in app and step by step, on a simulated clock, in sim and
// scenario.
package house

import (
	"context"
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
}

// House is a hub's rooms. It starts nothing by itself.
type House struct {
	Receive    *intake.Receive
	Desk       *desk.Desk
	Dispatches []*dispatch.Dispatch
	Pulls      []*intake.Pull
	Reconciles []*reconcile.Reconcile

	o     Options
	rooms []Room
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
	h.Desk = desk.New(o.Store, o.Connectors, o.Now)
	var committed []chan struct{}
	var after []Room
	for _, c := range o.Setup.Connections {
		conn := o.Connectors[c.System]
		if puller, ok := conn.(connector.Puller); ok && o.Pull[c.System] > 0 {
			p := intake.NewPull(o.Store, c.System, puller, intake.PullOptions{Now: o.Now, Every: o.Pull[c.System], Log: o.Log, Filed: filed})
			h.Pulls = append(h.Pulls, p)
			after = append(after, Room{"pull " + string(c.System), p.Step, nil})
		}
		// Also one that neither pushes nor finds has a dispatch: it says that it can't do what is wanted.
		d := dispatch.New(o.Store, c.System, conn, o.Now)
		h.Dispatches = append(h.Dispatches, d)
		wake := make(chan struct{}, 1)
		committed = append(committed, wake)
		after = append(after, Room{"dispatch " + string(c.System), func(ctx context.Context) (bool, error) {
			did, err := d.Step(ctx)
			if did {
				ring(deskWake)
			}
			return did, err
		}, wake})
		_, pushes := conn.(connector.Pusher)
		finder, finds := conn.(connector.Finder)
		if finds && pushes && o.Reconcile > 0 {
			r := reconcile.New(o.Store, c.System, finder, reconcile.Options{Kinds: []crossdock.Kind{crossdock.KindOrder}, Every: o.Reconcile, Now: o.Now, Log: o.Log, Filed: filed})
			h.Reconciles = append(h.Reconciles, r)
			after = append(after, Room{"reconcile " + string(c.System), r.Step, nil})
		}
	}
	h.rooms = append([]Room{{"desk", func(ctx context.Context) (bool, error) {
		did, err := h.Desk.Step(ctx)
		if did {
			for _, wake := range committed {
				ring(wake)
			}
		}
		return did, err
	}, deskWake}}, after...)
	return h
}

func ring(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// Rooms returns every room that does work by steps, in a fixed order.
func (h *House) Rooms() []Room { return h.rooms }

// File puts something a person or the hub itself says into the urgent lane.
func (h *House) File(ctx context.Context, body crossdock.Body) (*store.Arrival, error) {
	a := &store.Arrival{Lane: crossdock.Urgent, At: h.o.Now(), Body: body}
	if err := h.o.Store.Journal().File(ctx, store.Filing{Arrivals: []*store.Arrival{a}}); err != nil {
		return nil, err
	}
	ring(h.rooms[0].Wake)
	return a, nil
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

// Due returns the earliest time at which something will be to do by itself, zero
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
