package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// shipped has an order of 3 TEA of which one has left, and the fulfilment is due.
func shipped(t *testing.T) *market {
	m := newMarket(t, 9)
	m.confirmed("1001", 3)
	m.pulls(m.pickingSays("300", "1001", "done", 1, tea(1)), m.pickingSays("301", "1001", "waiting", 1, tea(2)))
	return m
}

// The answer to a fulfilment is lost: it is sent again once it has settled, and
// finds what it did.
func TestDocumentWithALostAnswer(t *testing.T) {
	for name, lost := range map[string]func(*market) func(crossdock.Push) crossdock.Receipt{
		"carried out": func(m *market) func(crossdock.Push) crossdock.Receipt { return m.loses },
		"not":         func(m *market) func(crossdock.Push) crossdock.Receipt { return m.vanishes },
	} {
		t.Run(name, func(t *testing.T) {
			m := shipped(t)
			sent := func() (n int) {
				for _, p := range m.pushed {
					if p.Of.Kind == crossdock.KindDocument {
						n++
					}
				}
				return n
			}
			m.next = append(m.next, lost(m))
			m.works()
			if d := m.document("fulfilment-300"); d.State != crossdock.DocumentSent {
				t.Errorf("it is %s", d.State)
			}
			m.passes(time.Minute - time.Second)
			m.works()
			if sent() != 1 {
				t.Errorf("it was sent %d times before it settled", sent())
			}
			m.passes(time.Second)
			m.works()
			if d := m.document("fulfilment-300"); d.State != crossdock.DocumentAcknowledged || m.sold["1001"].fulfilled != 1 || len(m.heard) != 1 {
				t.Errorf("it is %s, the shop made %v and counts %d", d.State, m.heard, m.sold["1001"].fulfilled)
			}
			m.settles()
			m.exceptions()
			m.atRest()
		})
	}
}

func TestDocumentRefused(t *testing.T) {
	m := shipped(t)
	m.next = append(m.next, func(p crossdock.Push) crossdock.Receipt {
		return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Refused, Text: "the fulfilment order is on hold"}
	})
	m.settles()
	if d := m.document("fulfilment-300"); d.State != crossdock.DocumentRefused {
		t.Errorf("it is %s", d.State)
	}
	m.exceptions("document|document/fulfilment-300")
	m.pulls(m.pickingSays("301", "1001", "done", 2, tea(2))) // what was refused was not told
	m.settles()
	if d := m.document("fulfilment-301"); d.State != crossdock.DocumentAcknowledged || m.sold["1001"].fulfilled != 2 {
		t.Errorf("the second is %s, the shop counts %d", d.State, m.sold["1001"].fulfilled)
	}
	m.take(crossdock.Action{By: "ada", Do: "retry", With: map[string]string{"exception": "document|document/fulfilment-300"}})
	m.settles()
	if d := m.document("fulfilment-300.2"); d.State != crossdock.DocumentAcknowledged || m.sold["1001"].fulfilled != 3 {
		t.Errorf("issued anew it is %s, the shop counts %d", d.State, m.sold["1001"].fulfilled)
	}
	m.exceptions()
	m.take(crossdock.Action{By: "ada", Do: "retry", Of: crossdock.BookRef(crossdock.KindDocument, "fulfilment-300.2")})
	m.settles()
	if len(m.heard) != 2 {
		t.Errorf("the shop made %v", m.heard)
	}
	m.atRest()
}

// A person marked the order as sent in the shop: nothing is left to tell.
func TestDocumentWhosePersonWasFaster(t *testing.T) {
	m := shipped(t)
	m.sold["1001"].fulfilled, m.sold["1001"].version = 3, 5
	m.settles()
	if d := m.document("fulfilment-300"); d.State != crossdock.DocumentAcknowledged {
		t.Errorf("it is %s", d.State)
	}
	m.exceptions()
	m.pulls(m.pickingSays("301", "1001", "done", 2, tea(2)))
	m.settles()
	if d := m.document("fulfilment-301"); d.State != crossdock.DocumentAcknowledged || len(m.heard) != 0 {
		t.Errorf("the second is %s, the shop made %v", d.State, m.heard)
	}
	m.atRest()
}

// The shop counts otherwise for good: a person is told, and it is not sent all the time.
func TestDocumentThatDoesNotFit(t *testing.T) {
	m := shipped(t)
	m.settles()
	m.sold["1001"].fulfilled, m.sold["1001"].version = 2, 5 // somebody sent one more by hand
	m.pulls(m.pickingSays("301", "1001", "done", 2, tea(2)))
	m.settles()
	m.exceptions("conflict|shop|document/fulfilment-301")
	if n := len(m.pushed); n > 40 {
		t.Errorf("%d pushes", n)
	}
	m.sold["1001"].fulfilled, m.sold["1001"].version = 3, 6
	m.orderHook("1001")
	m.settles()
	m.exceptions()
	m.atRest()
}

// What the channel says is not told twice when a rate limit or an outage comes between.
func TestDocumentWhileTheShopIsAway(t *testing.T) {
	m := shipped(t)
	for range 3 {
		m.next = append(m.next, func(p crossdock.Push) crossdock.Receipt {
			return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Unavailable, Text: "503"}
		})
	}
	m.settles()
	if fmt.Sprint(m.heard) != "[fulfilment-300]" {
		t.Errorf("the shop made %v", m.heard)
	}
	m.exceptions()
}

// A person cancels in the ERP what is left of an order: what has left can't be called off.
func TestCancellationIsNotToldOfWhatHasLeft(t *testing.T) {
	s := backSetup("E")
	s.Connections[1].Tell = []string{"cancellations"}
	m := bareMarket(t, s, 5)
	m.introduces()
	m.looksAt("L-E")
	m.confirmed("1001", 3)
	m.pulls(m.pickingSays("300", "1001", "done", 1, tea(1)), m.pickingSays("301", "1001", "cancelled", 1, tea(2)))
	m.erp.person("1001", func(s *sale) { s.state = "cancel" })
	m.settles()
	m.exceptions("called off|order/1001", "late cancel|order/1001")
	if m.sold["1001"].cancelled || m.sold["1001"].fulfilled != 1 {
		t.Errorf("the shop holds it as %+v", *m.sold["1001"])
	}
}

// A person cancels our order in the ERP: the channel is told where it is wanted.
func TestCancellationIsTold(t *testing.T) {
	for _, c := range []struct {
		name string
		tell []string
		open []string
		told bool
	}{
		{"not by itself", nil, []string{"called off|order/1001"}, false},
		{"where the configuration says so", []string{"cancellations"}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := backSetup("E")
			s.Connections[1].Tell = c.tell
			m := bareMarket(t, s, 5)
			m.introduces()
			m.looksAt("L-E")
			m.confirmed("1001", 2)
			m.erp.person("1001", func(s *sale) { s.state = "cancel" })
			m.settles()
			m.exceptions(c.open...)
			if told := m.sold["1001"].cancelled; told != c.told {
				t.Errorf("the shop holds it as cancelled: %v", told)
			}
			m.orderHook("1001")
			m.reads("E")
			m.settles()
			m.is("1001", crossdock.OrderCancelled)
			if c.told {
				m.shows("L-E", 5)
			} else {
				m.shows("L-E", 3) // sold there, and not shipped: not offered again before it is called off
			}
			m.atRest()
		})
	}
}
