package storetest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	building "github.com/crossdockhq/crossdock/house"
	"github.com/crossdockhq/crossdock/store"
)

// hub is a whole hub over the store, on a simulated clock, between a shop and a
// target that live on when it is killed.
type hub struct {
	*testing.T
	open  func(*testing.T, string) store.Store
	dir   string
	cut   moment
	n     int // durable steps so far
	s     store.Store
	house *building.House
	now   time.Time
	shop  *connectortest.Shop
	erp   *connectortest.Target
}

// moment is when a hub ends: before or after its durable step of a number, from 1;
// never for 0. come tells that it came to that.
type moment struct {
	at    int
	after bool
	come  *bool
}

func (m moment) String() string {
	switch {
	case m.at == 0:
		return "without a crash"
	case m.after:
		return fmt.Sprintf("crash after step %d", m.at)
	}
	return fmt.Sprintf("crash before step %d", m.at)
}

var hardSetup = crossdock.Setup{Hash: "hard", Connections: []crossdock.Connection{
	{System: "shop", Connector: "plain", Owns: []crossdock.Kind{crossdock.KindOrder}, Sites: []string{"E"}},
	{System: "erp", Connector: "plain", Takes: []crossdock.Kind{crossdock.KindParty, crossdock.KindOrder}, Owns: []crossdock.Kind{crossdock.KindItem, crossdock.KindSite, crossdock.KindStock}, Settles: time.Minute},
}}

func enterHub(t *testing.T, open func(*testing.T, string) store.Store, cut moment) *hub {
	h := &hub{T: t, open: open, dir: t.TempDir(), cut: cut, now: noon, shop: &connectortest.Shop{}}
	h.erp = &connectortest.Target{Door: crossdock.DoorRefused, Now: func() time.Time { return h.now }}
	return h
}

func (h *hub) leave() { h.must(h.s.Close()) }

func (h *hub) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// opened starts the day: the hub knows its configuration and the target's goods.
func (h *hub) opened(goods map[string]string) {
	h.erp.Add(connectortest.Goods(goods)...)
	h.start()
	h.pass(time.Second)
}

// start opens the store and builds the house; it is itself killed and begun anew
// where the moment is so.
func (h *hub) start() {
	h.s = h.open(h.T, h.dir)
	h.house = building.New(building.Options{
		Store: cutStore{h.s, h}, Setup: hardSetup,
		Connectors: map[crossdock.System]connector.Connector{"shop": h.shop, "erp": h.erp},
		Pull:       map[crossdock.System]time.Duration{"erp": 4 * time.Minute},
		Now:        func() time.Time { return h.now }, Log: slog.New(slog.DiscardHandler),
	})
	h.alive(func() { h.must(h.house.Open(h.Context())) })
}

// restart ends the hub without a word and starts another over what is on disk.
func (h *hub) restart() {
	h.must(h.s.Close())
	h.start()
}

// alive does something that may kill the hub, and starts another where it did.
func (h *hub) alive(do func()) (survived bool) {
	defer func() {
		if r := recover(); r == errKilled { //nolint:errorlint // the exact value
			survived = false
			h.restart()
		} else if r != nil {
			panic(r)
		}
	}()
	do()
	return true
}

// cutStore is the real store, which ends the hub at its moment.
type cutStore struct {
	store.Store
	h *hub
}

type cutJournal struct {
	store.Journal
	h *hub
}

type cutBook struct {
	store.Book
	h *hub
}

func (c cutStore) Journal() store.Journal { return cutJournal{c.Store.Journal(), c.h} }
func (c cutStore) Book() store.Book       { return cutBook{c.Store.Book(), c.h} }

func (c cutJournal) File(ctx context.Context, f store.Filing) error {
	return c.h.durable(func() error { return c.Journal.File(ctx, f) })
}

func (c cutBook) Commit(ctx context.Context, commit store.Commit) error {
	return c.h.durable(func() error { return c.Book.Commit(ctx, commit) })
}

func (h *hub) durable(do func() error) error {
	h.n++
	killed := h.n == h.cut.at
	if killed {
		*h.cut.come = true
	}
	if killed && !h.cut.after {
		panic(errKilled)
	}
	err := do()
	if killed {
		panic(errKilled)
	}
	return err
}

// file puts something into a lane and returns its number.
func (h *hub) file(lane crossdock.Lane, body crossdock.Body) int64 {
	h.Helper()
	a := &store.Arrival{Lane: lane, At: h.now, Body: body}
	h.must(h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{a}}))
	return a.Number
}

func (h *hub) position() store.Position {
	h.Helper()
	p, err := h.s.Book().Position(h.Context())
	h.must(err)
	return p
}

// deliver has the shop tell the hub of rows until it answers with 2xx.
func (h *hub) deliver(rows ...connectortest.Row) {
	h.Helper()
	m := h.shop.Say("shop", rows...)
	for range 3 {
		answer := httptest.NewRecorder()
		ok := h.alive(func() {
			r := httptest.NewRequestWithContext(h.Context(), http.MethodPost, "/in/shop", bytes.NewReader(m.Body))
			r.Header.Set("Kind", string(m.Kind))
			r.Header.Set("Key", m.Key)
			h.house.Receive.ServeHTTP(answer, r)
		})
		if ok && answer.Code == http.StatusOK {
			return
		}
	}
	h.Fatal("the hub never takes the message")
}

// step does one unit of the first room that has work.
func (h *hub) step() (did bool) {
	h.Helper()
	for i := range h.house.Rooms() {
		survived := h.alive(func() {
			room := h.house.Rooms()[i]
			var err error
			if did, err = room.Step(h.Context()); err != nil {
				h.Fatalf("%s: %v", room.Name, err)
			}
		})
		if did || !survived {
			return true
		}
	}
	return h.erp.RunLate()
}

// pass lets time pass, doing what becomes due on the way.
func (h *hub) pass(d time.Duration) {
	h.Helper()
	for end := h.now.Add(d); ; {
		for n := 0; h.step(); n++ {
			if n > 10_000 {
				h.Fatal("the hub does not come to rest")
			}
		}
		next, err := h.house.Due(h.Context())
		h.must(err)
		if late := h.erp.NextLate(); !late.IsZero() && (next.IsZero() || late.Before(next)) {
			next = late
		}
		if h.now.Equal(end) {
			return
		}
		if next.IsZero() || next.After(end) {
			next = end
		}
		if !next.After(h.now) {
			next = h.now.Add(time.Millisecond)
		}
		h.now = next
	}
}

// comeToRest lets time pass, and then as much as an ambiguous push takes to settle
// and a reservation to be read again, in which nobody is killed any more.
func (h *hub) comeToRest(d time.Duration) {
	h.Helper()
	h.pass(d)
	h.cut = moment{}
	h.pass(15 * time.Minute)
}
