package atp_test

import (
	"testing"

	"github.com/crossdockhq/crossdock/atp"
)

func TestOffer(t *testing.T) {
	for _, c := range []struct {
		name                   string
		free, committed, known string
		unseen, offer          string
	}{
		{"nothing is known", "0", "0", "0", "0", "0"},
		{"all is free", "3", "0", "0", "0", "3"},
		{"what the shop sold is promised: it is out of free already", "1", "2", "2", "0", "1"},
		{"the shop sold 2 in an order nobody has heard of", "3", "2", "0", "2", "1"},
		{"one order is known and another is not", "5", "5", "3", "2", "3"},
		{"an order is known before the shop's count is read again", "1", "0", "2", "0", "1"},
		{"more was sold unheard than is free", "1", "4", "0", "4", "0"},
		{"a count took away what was promised", "-2", "2", "2", "0", "0"},
		{"goods by weight are offered in whole units", "2.75", "0.5", "0", "0.5", "2"},
		{"less than one unit is none", "0.9", "0", "0", "0", "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			unseen := atp.Shown{Committed: number(t, c.committed), Known: number(t, c.known)}.Unseen()
			if !unseen.Equal(number(t, c.unseen)) {
				t.Errorf("unseen: %s, want %s", unseen, c.unseen)
			}
			if got := atp.Offer(number(t, c.free), unseen); !got.Equal(number(t, c.offer)) {
				t.Errorf("may be offered: %s, want %s", got, c.offer)
			}
		})
	}
}

func TestAhead(t *testing.T) {
	for _, c := range []struct{ name, committed, known, ahead string }{
		{"the shop was read after its order", "2", "2", "0"},
		{"the order came after the reading", "0", "2", "2"},
		{"the shop has sold more than is known", "5", "2", "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (atp.Shown{Committed: number(t, c.committed), Known: number(t, c.known)}).Ahead(); !got.Equal(number(t, c.ahead)) {
				t.Errorf("ahead: %s, want %s", got, c.ahead)
			}
		})
	}
}
