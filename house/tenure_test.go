package house_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/house"
	"github.com/crossdockhq/crossdock/store"
)

// node is a house that shares its store with others.
func node(s store.Store, owner string) *house.House {
	return house.New(house.Options{Store: s, Setup: setup("a"), Now: now, Log: slog.New(slog.DiscardHandler), Reconcile: time.Hour, Owner: owner,
		Connectors: map[crossdock.System]connector.Connector{"shop": connectortest.Plain{}, "erp": &connectortest.Target{Now: now}},
		Pull:       map[crossdock.System]time.Duration{"erp": time.Minute}})
}

// desk does steps of the desk until there is nothing to do, and tells how many did.
func desk(t *testing.T, h *house.House) (steps int) {
	t.Helper()
	for {
		did, err := h.Rooms()[0].Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !did {
			return steps
		}
		steps++
	}
}

func say(t *testing.T, h *house.House) {
	t.Helper()
	if _, err := h.File(t.Context(), crossdock.Action{By: "Ada", Do: "drop"}); err != nil {
		t.Fatal(err)
	}
}

// Of two houses over one store one decides; when it leaves, the other does.
func TestOneHouseDecides(t *testing.T) {
	s := begin(t)
	one, two := node(s, "one"), node(s, "two")
	say(t, one)
	if desk(t, one) == 0 {
		t.Fatal("the first house decides nothing")
	}
	say(t, two)
	if desk(t, two) != 0 {
		t.Fatal("both houses decide")
	}
	if desk(t, one) == 0 {
		t.Fatal("the first house does not see what the second filed")
	}
	if err := one.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	say(t, one)
	time.Sleep(1100 * time.Millisecond) // the second asks again after a second
	if desk(t, two) == 0 {
		t.Fatal("the second house does not take over")
	}
	if err := errors.Join(one.Leave(t.Context()), two.Leave(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// A house whose lease has passed on without its knowing decides in vain, writes
// nothing, does not end, and goes on when it gets the lease again.
func TestHouseWhoseLeaseHasPassedOn(t *testing.T) {
	s := begin(t)
	one := node(s, "one")
	say(t, one)
	desk(t, one)
	before, err := s.Book().Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	thief := func() store.Lease {
		if err := s.Leases().Vacate(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		l, err := s.Leases().Acquire(t.Context(), "desk", "two", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}()
	say(t, one)
	if desk(t, one) != 0 {
		t.Error("it decides under a lease that has passed on")
	}
	after, err := s.Book().Position(t.Context())
	if err != nil || !after.Equal(before) {
		t.Errorf("the book went from %+v to %+v: %v", before, after, err)
	}
	if err := s.Leases().Release(context.Background(), thief); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	if desk(t, one) == 0 {
		t.Error("it does not go on")
	}
}
