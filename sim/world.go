package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/house"
	"github.com/crossdockhq/crossdock/sandbox"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

// Secrets of the stand-ins; a configuration names them as ${env:…}.
const (
	Secret   = "sandbox-secret"
	Token    = "sandbox-token"
	User     = "hub@example.org"
	Password = "sandbox-key"
	Database = "sandbox"
)

// Secrets resolves what a world's configuration may refer to, and nothing else.
func Secrets() config.Lookup {
	known := map[string]string{"SHOPIFY_TOKEN": Token, "SHOPIFY_SECRET": Secret, "ODOO_KEY": Password}
	return config.Lookup{
		Env:  func(name string) (string, bool) { v, ok := known[name]; return v, ok },
		File: func(path string) ([]byte, error) { return nil, fmt.Errorf("a sandbox reads no files: %s", path) },
	}
}

// Options are what a world is made of.
type Options struct {
	Config    *config.Config
	Land      Land
	Seed      int64
	Start     time.Time
	Dir       string        // of the hub's store
	Reconcile time.Duration // 0: every 15 minutes
	Log       *slog.Logger  // nil: none
	// ERP replaces the Odoo stand-in by a running scratch database. nil: the stand-in.
	ERP ERP
	// Wrap is called with every connector before the hub is given it; what it returns
	// takes its place. nil: it stays.
	Wrap func(connector.Connector) connector.Connector
}

// World is a hub and the systems around it.
type World struct {
	*StandIns
	Clock Clock
	ERP   ERP // nil where no connection is an Odoo
	Store store.Store
	House *house.House
	After func(context.Context) error // called after everything that was done; nil: nothing is

	o     Options
	conns map[crossdock.System]connector.Connector
	rand  *rand.Rand
	crash *crash // nil: none is to come
	// heard is called instead of Deliver where it is set.
	heard func(context.Context, *shopify.Server, shopify.Delivery) error
}

// New makes a world and opens its hub; the hub has not yet done a step.
func New(ctx context.Context, o Options) (*World, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Reconcile == 0 {
		o.Reconcile = 15 * time.Minute
	}
	w := &World{o: o, rand: sandbox.Rand(o.Seed)}
	w.Clock.at = o.Start
	var err error
	if w.StandIns, err = o.Land.Build(o.Config, w.Clock.Now, o.Seed); err != nil {
		return nil, err
	}
	switch {
	case o.ERP != nil:
		if err := w.goLive(); err != nil {
			return nil, err
		}
	case w.Odoo != nil:
		w.ERP = w.Odoo
	}
	if err := w.Open(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// goLive puts the running database where the stand-in was, behind the same doors.
func (w *World) goLive() error {
	w.ERP, w.Odoo = w.o.ERP, nil
	for _, c := range w.o.Config.Connections {
		if w.IsERP(c.System) {
			w.Doors[c.System] = sandbox.Wrap(w.ERP, w.Clock.Now, w.o.Seed)
		}
	}
	return w.o.Land.Odoo.furnish(w.ERP)
}

// patience of the simulated hub's calls.
const patience = 60 * time.Second

// Around returns a world without a hub: the systems alone, for a hub that runs
// elsewhere.
func Around(cfg *config.Config, in *StandIns) *World {
	return &World{StandIns: in, ERP: in.Odoo, o: Options{Config: cfg}}
}

// Open opens the hub's store and builds its rooms: at first, and after Kill.
func (w *World) Open(ctx context.Context) error {
	s, err := sqlite.Open(w.o.Dir, sqlite.Options{Unsafe: true, Rand: seeded{w.rand}})
	if err != nil {
		return err
	}
	w.Store, w.crash = brittle{s, w}, nil
	w.conns = map[crossdock.System]connector.Connector{}
	pull := map[crossdock.System]time.Duration{}
	for _, c := range w.o.Config.Connections {
		env := connector.Env{Now: w.Clock.Now}
		if d := w.Doors[c.System]; d != nil {
			env.Transport = d.RoundTripper(sandbox.InProcess{Advance: w.Clock.Advance, Timeout: patience})
		}
		conn, err := c.Open(env)
		if err != nil {
			return fmt.Errorf("open %s: %w", c.System, errors.Join(err, s.Close()))
		}
		if w.o.Wrap != nil {
			conn = w.o.Wrap(conn)
		}
		w.conns[c.System], pull[c.System] = conn, c.Pull
	}
	w.House = house.New(house.Options{Store: w.Store, Setup: w.o.Config.Setup(), Connectors: w.conns, Pull: pull, Reconcile: w.o.Reconcile, Now: w.Clock.Now, Log: w.o.Log})
	return w.House.Open(ctx)
}

// seeded makes a reader of a seeded source, for salts that repeat.
type seeded struct{ r *rand.Rand }

func (s seeded) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.r.Uint32())
	}
	return len(p), nil
}

// Kill ends the hub as a crash does: nothing is told to end, what is not on disk
// is gone. Until Open starts it again, webhooks get no answer.
func (w *World) Kill() error {
	s := w.Store
	w.House, w.Store = nil, nil
	return s.Close()
}

// Close ends the world.
func (w *World) Close() error {
	if w.Store == nil {
		return nil
	}
	return w.Store.Close()
}

// Deliver hands one webhook to the hub and tells the shop how it was answered.
func (w *World) Deliver(ctx context.Context, shop *shopify.Server, d shopify.Delivery) error {
	if w.House == nil {
		return shop.Delivered(d.ID, 0)
	}
	r, err := d.Request(ctx, "http://hub")
	if err != nil {
		return err
	}
	answer := httptest.NewRecorder()
	w.House.Receive.ServeHTTP(answer, r)
	return shop.Delivered(d.ID, answer.Code)
}

func (w *World) deliver(ctx context.Context, shop *shopify.Server, d shopify.Delivery) error {
	if w.heard != nil {
		return w.heard(ctx, shop, d)
	}
	return w.Deliver(ctx, shop, d)
}

// shopNames returns the shops in a fixed order.
func (w *World) shopNames() []crossdock.System {
	var names []crossdock.System
	for name := range w.Shops {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Work is one thing that can happen now.
type Work struct {
	Name string
	Do   func(context.Context) (did bool, err error)
}

// Works returns everything that can happen at this instant, in a fixed order:
// the rooms of the hub, the webhooks that are due, the effects that come late.
func (w *World) Works() []Work {
	var out []Work
	if w.House != nil {
		for _, room := range w.House.Rooms() {
			out = append(out, Work{room.Name, room.Step})
		}
	}
	for _, name := range w.shopNames() {
		shop := w.Shops[name]
		for i, d := range shop.Deliveries(w.Clock.Now()) {
			out = append(out, Work{string(name) + " delivers " + strconv.Itoa(i) + " " + d.Topic, func(ctx context.Context) (bool, error) { return true, w.deliver(ctx, shop, d) }})
		}
	}
	for _, c := range w.o.Config.Connections {
		if d := w.Doors[c.System]; d != nil && d.Due(w.Clock.Now()) > 0 {
			out = append(out, Work{string(c.System) + " commits late", func(context.Context) (bool, error) { return d.RunLate(w.Clock.Now()) > 0, nil }})
		}
	}
	return out
}

// Do does one thing that can happen now. The hub may be another one afterwards.
func (w *World) Do(ctx context.Context, work Work) (did bool, err error) {
	did, err = work.Do(ctx)
	if err == nil && did && w.After != nil {
		err = w.After(ctx)
	}
	if err != nil {
		return did, fmt.Errorf("%s: %w", work.Name, err)
	}
	return did, nil
}

// IsERP reports whether a connection is the Odoo side of the world.
func (w *World) IsERP(system crossdock.System) bool {
	c, ok := w.o.Config.Connection(system)
	return ok && c.Type.Name == "odoo"
}

// Quiesce does everything that can be done at this instant, until nothing is left.
func (w *World) Quiesce(ctx context.Context) (did bool, err error) {
	for range 100_000 {
		any, house := false, w.House
		for _, work := range w.Works() {
			d, err := w.Do(ctx, work)
			if err != nil {
				return did, err
			}
			any = any || d
			if w.House != house {
				break // it was killed: what could be done is the work of another hub now
			}
		}
		if !any {
			return did, nil
		}
		did = true
	}
	return did, errors.New("the hub does not come to rest at one instant: something is done over and over")
}

// Next returns when something will happen by itself: what was told and is on its
// way, and the rounds of pulls and reconciliations.
func (w *World) Next(ctx context.Context) (onItsWay, round time.Time, err error) {
	if w.House != nil {
		if onItsWay, round, err = w.nextInHub(ctx); err != nil {
			return onItsWay, round, err
		}
	}
	for _, shop := range w.Shops {
		if t, ok := shop.Next(); ok {
			earlier(&onItsWay, t)
		}
	}
	for _, d := range w.Doors {
		if t, ok := d.Next(); ok {
			earlier(&onItsWay, t)
		}
	}
	return onItsWay, round, nil
}

// nextInHub is Next of the hub alone.
func (w *World) nextInHub(ctx context.Context) (onItsWay, round time.Time, err error) {
	next, err := w.Store.Book().Next(ctx)
	if err != nil {
		return onItsWay, round, err
	}
	now, resumes := w.Clock.Now(), time.Time{}
	for _, d := range w.House.Dispatches {
		if t := d.Paused(); t.After(now) {
			earlier(&resumes, t)
		}
	}
	if !next.IsZero() && !next.After(now) && !resumes.IsZero() {
		next = resumes // what is due was not done now, because its connection is held back
	}
	earlier(&onItsWay, next)
	for _, p := range w.House.Pulls {
		earlier(&round, p.Next())
	}
	for _, r := range w.House.Reconciles {
		earlier(&round, r.Next())
	}
	return onItsWay, round, nil
}

// earlier moves t to u where that is earlier; a zero time is none.
func earlier(t *time.Time, u time.Time) {
	if !u.IsZero() && (t.IsZero() || u.Before(*t)) {
		*t = u
	}
}

// farOff is how far ahead work may lie to be waited for by Settle: the patience of
// parked work and of deadlines lies beyond it.
const farOff = 12 * time.Hour

// Settle lets time pass until nothing is due any more and a round of every pull
// and reconciliation has found nothing new. limit bounds how much time that may take.
func (w *World) Settle(ctx context.Context, limit time.Duration) error {
	end := w.Clock.Now().Add(limit)
	quietSince := w.Clock.Now()
	for {
		before, err := w.Store.Book().Position(ctx)
		if err != nil {
			return err
		}
		if _, err := w.Quiesce(ctx); err != nil {
			return err
		}
		after, err := w.Store.Book().Position(ctx)
		if err != nil {
			return err
		}
		now := w.Clock.Now()
		if after.Seq != before.Seq {
			quietSince = now
		}
		next, round, err := w.Next(ctx)
		if err != nil {
			return err
		}
		busy := !next.IsZero() && next.Before(now.Add(farOff))
		switch {
		case busy && (round.IsZero() || !next.After(round)):
		case !round.IsZero() && (busy || !round.After(quietSince.Add(w.o.Reconcile+time.Minute))):
			next = round
		default:
			return nil
		}
		if next.After(end) {
			return fmt.Errorf("not settled after %s: %w", limit, ErrUnsettled)
		}
		if !next.After(now) {
			next = now.Add(time.Millisecond)
		}
		w.Clock.To(next)
	}
}

// ErrUnsettled means that work was still due when the time given was over.
var ErrUnsettled = errors.New("something is still due")

// Pass lets time pass to t, doing what becomes due on the way.
func (w *World) Pass(ctx context.Context, t time.Time) error {
	for {
		if _, err := w.Quiesce(ctx); err != nil {
			return err
		}
		next, round, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || !round.IsZero() && round.Before(next) {
			next = round
		}
		if next.IsZero() || next.After(t) {
			w.Clock.To(t)
			return nil
		}
		if !next.After(w.Clock.Now()) {
			next = w.Clock.Now().Add(time.Millisecond)
		}
		w.Clock.To(next)
	}
}

var (
	_ io.Reader    = seeded{}
	_ http.Handler = (*odoo.Server)(nil)
)
