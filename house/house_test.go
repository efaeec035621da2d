package house_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/house"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

func setup(hash string) crossdock.Setup {
	return crossdock.Setup{Hash: hash, Connections: []crossdock.Connection{
		{System: "shop", Connector: "plain", Owns: []crossdock.Kind{crossdock.KindOrder}},
		{System: "erp", Connector: "plain", Takes: []crossdock.Kind{crossdock.KindOrder}},
	}}
}

func build(s store.Store, hash string) *house.House {
	return house.New(house.Options{Store: s, Setup: setup(hash), Now: now, Log: slog.New(slog.DiscardHandler), Reconcile: time.Hour,
		Connectors: map[crossdock.System]connector.Connector{"shop": connectortest.Plain{}, "erp": &connectortest.Target{Now: now}},
		Pull:       map[crossdock.System]time.Duration{"erp": time.Minute}})
}

func begin(t *testing.T) store.Store {
	s, err := sqlite.Open(t.TempDir(), sqlite.Options{Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Each start opens a house by a configuration; a hub may end before its desk has
// decided anything.
func TestConfigurationIsFiledWhenItChanged(t *testing.T) {
	s := begin(t)
	filed := int64(0)
	for i, c := range []struct {
		hash   string
		files  bool
		decide bool
	}{
		{"a", true, false},
		{"a", false, true}, // the first still waits
		{"a", false, true},
		{"b", true, true},
		{"c", true, false},
		{"b", true, true}, // c waits and would be in force
		{"b", false, true},
	} {
		h := build(s, c.hash)
		if err := h.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, err := s.Journal().Last(t.Context(), crossdock.Urgent)
		if err != nil || (n > filed) != c.files {
			t.Errorf("start %d with %s: %d arrivals after %d: %v", i, c.hash, n, filed, err)
		}
		filed = n
		if !c.decide {
			continue
		}
		for did := true; did; {
			if did, err = h.Desk.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := s.Book().Load(t.Context(), []core.Address{core.SetupAt})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := rows[0].(*core.Setup); !ok || got.Hash != c.hash {
			t.Errorf("start %d: %+v is in force, want %s", i, rows[0], c.hash)
		}
	}
}

// A room there is for what is done with each connection, in the order of the configuration.
func TestRooms(t *testing.T) {
	h := build(begin(t), "a")
	var names []string
	for _, r := range h.Rooms() {
		names = append(names, r.Name)
	}
	want := []string{"desk", "dispatch shop", "pull erp", "dispatch erp", "reconcile erp"}
	if len(names) != len(want) {
		t.Fatalf("rooms %q, want %q", names, want)
	}
	for i := range want {
		if names[i] != want[i] {
			t.Errorf("rooms %q, want %q", names, want)
		}
	}
	if err := h.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-h.Rooms()[0].Wake:
	default:
		t.Error("the desk was not told that something was filed")
	}
	if due, err := h.Due(t.Context()); err != nil || due.After(noon) {
		t.Errorf("a round of pulling is due, and Due says %s: %v", due, err)
	}
}
