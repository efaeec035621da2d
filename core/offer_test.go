package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// The shop's own order moves available to committed there by itself: the look finds
// nothing to do.
func TestOfferAfterAnOrderOfTheShop(t *testing.T) {
	m := newMarket(t, 3)
	m.shows("L-E", 3)
	m.confirmed("1001", 2)
	m.shows("L-E", 1)
	if m.writes != 0 {
		t.Errorf("the shop was written %d times", m.writes)
	}
	if all := strings.Join(m.effect, "\n"); !strings.Contains(all, "nothing to do: shop offers 1 of TEA at E, which is what it may") {
		t.Errorf("no entry says why nothing is to do:\n%s", all)
	}
	m.exceptions()
	m.atRest()
}

// Goods come in: the offer is raised, on a look, and only where the shop still shows
// what was seen.
func TestOfferAfterAReceipt(t *testing.T) {
	m := newMarket(t, 3)
	m.confirmed("1001", 2)
	m.onHand["E"] = 15
	m.reads("E")
	m.works()
	m.shows("L-E", 1) // the look waits, so that many changes make one
	m.settles()
	m.shows("L-E", 13)
	if m.writes != 1 {
		t.Errorf("the shop was written %d times", m.writes)
	}
	o := m.offer("TEA@E@shop")
	if o.Look == 0 || o.Lower {
		t.Errorf("the offer is %+v", o)
	}
	m.atRest()
}

func (m *market) offer(key string) (o crossdock.Offer) {
	m.tb.Helper()
	r := stored[Record](m.house, RecordAt(crossdock.BookRef(crossdock.KindOffer, key)))
	if r == nil {
		m.tb.Fatalf("there is no offer %s", key)
	}
	if err := r.Body.Unpack(&o); err != nil {
		m.tb.Fatal(err)
	}
	return o
}

// What the shop has sold in orders nobody has heard of is not offered again.
func TestOfferKeepsRoomForWhatIsUnseen(t *testing.T) {
	for _, c := range []struct {
		name          string
		onHand        int
		heard, unseen int
		offers        int
	}{
		{"all is heard", 15, 2, 0, 13},
		{"one order is not", 15, 2, 3, 10},
		{"more was sold unheard than there is", 4, 1, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMarket(t, 5)
			m.confirmed("1001", c.heard)
			if c.unseen > 0 && !m.buy("1002", "L-E", c.unseen) {
				t.Fatal("the shop does not sell it")
			}
			m.onHand["E"] = c.onHand
			m.reads("E")
			m.settles()
			m.shows("L-E", c.offers)
			if o := m.offer("TEA@E@shop"); o.Unseen.String() != fmt.Sprint(c.unseen) {
				t.Errorf("unseen are %s, want %d", o.Unseen, c.unseen)
			}
			if c.unseen > 0 {
				m.orderHook("1002")
				m.settles()
				m.reads("E")
				m.settles()
			}
			m.shows("L-E", c.offers) // what was unseen is promised now
			m.atRest()
		})
	}
}

// What is sold elsewhere takes an offer down at once, before other work.
func TestOfferGoesDownFirst(t *testing.T) {
	m := newMarket(t, 5)
	m.stockSays("E", [2]int{5, 4}, m.seq) // somebody else reserved 4
	_, looks := m.due()
	if len(looks) != 1 || looks[0].Lane != crossdock.Urgent || looks[0].Of.Key != "TEA@E@shop" {
		t.Fatalf("due are %d looks, want an urgent one at the offer", len(looks))
	}
	m.works()
	m.shows("L-E", 1)
	m.buy("1001", "L-E", 1)
	m.orderHook("1001")
	if w := stored[Want](m.house, WantAt("shop", DoLook, crossdock.BookRef(crossdock.KindOffer, "TEA@E@shop"))); w == nil || w.Lane == crossdock.Urgent || !w.Due.Equal(m.at.Add(offerDelay)) {
		t.Errorf("after an order of its own the shop is looked at %+v", w)
	}
}

// A level that went away and came back: the same write again is another write.
func TestOfferOfALevelThatCameBack(t *testing.T) {
	m := newMarket(t, 3)
	m.onHand["E"] = 9
	m.reads("E")
	m.settles()
	m.shows("L-E", 9)
	m.shelves["L-E"].available = 3 // somebody set it back there, to what it was
	m.looksAt("L-E")
	m.settles()
	m.shows("L-E", 9)
	if m.writes != 2 {
		t.Errorf("the shop was written %d times", m.writes)
	}
	m.atRest()
}

// The answer to a write is lost: it is never simply sent again, for the level may
// have come back to what was seen by sales. A look after it settled tells.
func TestOfferWithALostAnswer(t *testing.T) {
	for name, lost := range map[string]func(*market) func(crossdock.Push) crossdock.Receipt{
		"carried out": func(m *market) func(crossdock.Push) crossdock.Receipt { return m.loses },
		"not":         func(m *market) func(crossdock.Push) crossdock.Receipt { return m.vanishes },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t, 3)
			m.onHand["E"] = 5
			m.reads("E")
			m.next = append(m.next, lost(m))
			m.passes(offerDelay)
			m.works()
			if m.shelves["L-E"].available == 5 {
				m.buy("1001", "L-E", 2) // back at 3
			}
			m.passes(20 * time.Second)
			m.works()
			before := m.writes
			m.settles()
			if name == "carried out" {
				m.shows("L-E", 3)
				if m.writes != before {
					t.Error("the lost write was sent again")
				}
				m.orderHook("1001")
				m.settles()
				m.shows("L-E", 3)
			} else {
				m.shows("L-E", 5)
			}
			m.atRest()
		})
	}
}

// Others keep changing the level between look and write: after three rounds it is
// lowered by the difference, and never raised.
func TestOfferThatOthersKeepChanging(t *testing.T) {
	for _, c := range []struct {
		name     string
		onHand   int
		rounds   int
		want     int
		writes   int
		conflict bool
	}{
		{"lower, changed once", 6, 1, 5, 1, false},
		{"lower, changed all the time", 6, 9, 3, 1, false},
		{"raise, changed once", 20, 1, 19, 1, false},
		{"raise, changed all the time", 20, 9, 7, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMarket(t, 10)
			m.onHand["E"] = c.onHand
			m.reads("E")
			for i := range c.rounds {
				m.next = append(m.next, func(p crossdock.Push) crossdock.Receipt {
					if p.Want.Text("lower") == "" {
						m.buy(fmt.Sprint(2001+i), "L-E", 1) // just before the write arrives
					}
					return m.write(p)
				})
			}
			for range 8 {
				m.passes(offerDelay)
				m.works()
			}
			m.shows("L-E", c.want)
			if m.writes != c.writes {
				t.Errorf("the shop was written %d times, want %d", m.writes, c.writes)
			}
			if c.conflict {
				m.exceptions("conflict|shop|offer/TEA@E@shop")
				m.next = nil
				m.passes(offerRest)
				m.settles()
				m.shows("L-E", 17)
			}
			m.exceptions()
		})
	}
}

// One pool at two sites: what was sold unheard may be promised at either.
func TestOfferOfTwoSites(t *testing.T) {
	m := newMarket(t, 5, 5)
	m.buy("1001", "L-W", 2) // the hub promises it at E, its first choice
	m.orderHook("1001")
	m.settles()
	m.shows("L-E", 3)
	m.shows("L-W", 5)
	m.buy("1002", "L-W", 1)
	m.onHand["E"] = 15
	m.reads("E")
	m.settles()
	m.shows("L-E", 13) // the other site has gone down by itself
	m.shows("L-W", 4)
	m.looksAt("L-W")
	m.settles()
	m.shows("L-E", 12) // sold unheard: each site leaves room for it
	m.shows("L-W", 4)
	m.orderHook("1002")
	m.settles()
	m.shows("L-E", 12)
	m.shows("L-W", 5)
	m.atRest()
}

// The goods of an order that is held are not offered again: the shop has sold them.
func TestOfferLeavesOutWhatAHeldOrderTook(t *testing.T) {
	m := newMarket(t, 3, 3)
	m.shelves["L-E"].available, m.shelves["L-E"].onHand = 4, 4
	m.buy("1001", "L-E", 4)
	m.orderHook("1001")
	m.is("1001", crossdock.OrderHeld)
	m.settles()
	m.shows("L-E", 0)
	m.shows("L-W", 0)
	m.cancels("1001")
	m.orderHook("1001")
	m.settles()
	m.shows("L-E", 3)
	m.shows("L-W", 3)
}

// A webhook knows only what is available: it is looked at, unless that is known.
func TestOfferedWebhook(t *testing.T) {
	m := newMarket(t, 3)
	m.levelHook("L-E", 3)
	m.atRest()
	m.shelves["L-E"].available = 7 // somebody changed it there
	m.levelHook("L-E", 7)
	m.settles()
	m.shows("L-E", 3)
	m.levelHook("L-E", 7) // late
	m.settles()
	m.shows("L-E", 3)
	m.atRest()
}

// An answer that was overtaken by a later one changes nothing.
func TestLevelsAreOrdered(t *testing.T) {
	m := newMarket(t, 5)
	early := m.seq
	old := m.found(levelRef("L-E"))
	m.buy("1001", "L-E", 2)
	m.looksAt("L-E")
	m.hears("shop", early-1, m.at, old)
	m.settles()
	m.shows("L-E", 3)
	if o := m.tally("TEA"); o.Levels[0].Committed.String() != "2" {
		t.Errorf("committed are %s", o.Levels[0].Committed)
	}
}

func (m *market) tally(item string) *Tally {
	m.tb.Helper()
	t := stored[Tally](m.house, TallyAt("shop", crossdock.BookRef(crossdock.KindItem, item)))
	if t == nil {
		m.tb.Fatalf("there is no tally of %s", item)
	}
	return t
}

// The shop's items and locations are found to be ours whichever is told first.
func TestOfferInAnyOrderOfIntroduction(t *testing.T) {
	permute(4, func(order []int) {
		m := bareMarket(t, backSetup("E"), 3)
		m.shelves["L-E"] = &shelf{onHand: 9, available: 9}
		steps := []func(){
			func() { m.hears("shop", m.seq, m.at, m.found(shopRef(crossdock.KindItem, "inv-TEA"))) },
			func() { m.hears("shop", m.seq, m.at, m.found(shopRef(crossdock.KindSite, "L-E"))) },
			func() { m.looksAt("L-E") },
			func() { m.works() },
		}
		for _, i := range order {
			steps[i]()
		}
		m.settles()
		m.shows("L-E", 3)
		m.exceptions()
		m.atRest()
		if n := len(all[Record](m.house, Records)); n != 4 { // two sites, an item, its offer
			t.Errorf("in the order %v the book has %d records, want 4", order, n)
		}
	})
}

// A SKU of the shop that no item has: nothing is offered until one has it.
func TestOfferOfASKUThatAppearsLater(t *testing.T) {
	m := bareMarket(t, backSetup("E"), 3)
	m.skus["inv-TEA"] = "TEE"
	m.introduces()
	m.looksAt("L-E")
	m.settles()
	if len(all[Tally](m.house, Tallies)) != 0 {
		t.Error("a level of an unknown item was counted")
	}
	m.exceptions()
	m.skus["inv-TEA"] = "TEA" // corrected in the shop
	m.introduces()
	m.onHand["E"] = 2
	m.reads("E")
	m.settles()
	m.shows("L-E", 2)
	m.skus["inv-TEA"] = "CUP" // it is something else now, which comes later
	m.introduces()
	m.settles()
	m.onHand["E"] = 1
	m.reads("E")
	m.settles()
	m.shows("L-E", 2)
	m.erp.says(item("CUP"))
	m.settles()
	cup := m.tally("CUP")
	if len(cup.Levels) != 1 || len(m.tally("TEA").Levels) != 0 {
		t.Errorf("CUP has the levels %v", cup.Levels)
	}
	m.exceptions()
}

// A location that is none of our sites is one exception, and its sales still count.
func TestOfferAtALocationNobodyMapped(t *testing.T) {
	m := bareMarket(t, backSetup("E"), 8)
	m.names["L-P"], m.names["L-Q"] = "Pop-up store", "Pop-up store"
	m.shelves["L-P"] = &shelf{onHand: 5, available: 5}
	m.introduces()
	m.introduces()
	m.looksAt("L-P")
	m.looksAt("L-E")
	m.buy("1001", "L-P", 2)
	m.looksAt("L-P")
	m.exceptions("location|shop|L-P", "location|shop|L-Q")
	m.settles()
	m.shows("L-P", 3)
	m.onHand["E"] = 10
	m.reads("E")
	m.settles()
	m.shows("L-E", 8) // 2 were sold there, and may be promised here
	s := backSetup("E", "W")
	s.Hash = "h2"
	s.Connections[1].Locations = map[string]string{"Pop-up store": "W", "L-Q": "X"}
	m.take(s)
	m.settles()
	m.exceptions("location|shop|L-Q")
	m.stockSays("W", [2]int{4, 0}, m.seq)
	m.settles()
	m.shows("L-P", 2) // 4 − 2 sold unheard
	m.shows("L-E", 8)
	if n := len(m.tally("TEA").Levels); n != 2 {
		t.Errorf("the tally has %d levels, want 2", n)
	}
}

// Two things of the shop with one SKU: only one is told how many there are.
func TestOfferOfASKUThatIsThereTwice(t *testing.T) {
	m := newMarket(t, 3)
	m.skus["inv-TEA2"] = "TEA"
	m.introduces()
	m.exceptions("twice|shop/item/inv-TEA2")
	m.skus["inv-TEA2"] = "TEA-2"
	m.introduces()
	m.settles()
	m.exceptions("twice|shop/item/inv-TEA2") // stands until it is one of its own
	m.erp.says(item("TEA-2"))
	m.settles()
	m.exceptions()
}

// A level, or an item, that the shop has no more.
func TestOfferOfALevelThatIsGone(t *testing.T) {
	m := newMarket(t, 3)
	m.buy("1001", "L-E", 1)
	delete(m.shelves, "L-E")
	m.looksAt("L-E")
	m.onHand["E"] = 7
	m.reads("E")
	m.settles()
	m.exceptions()
	m.atRest()
	m.shelves["L-E"] = &shelf{onHand: 3, available: 3}
	m.looksAt("L-E")
	m.settles()
	m.shows("L-E", 7)
	m.hears("shop", m.seq, m.at, crossdock.Statement{Of: shopRef(crossdock.KindItem, "inv-TEA"), Gone: true})
	m.settles()
	m.exceptions()
}

// What Odoo does not keep in stock, or has never been read, is left as the shop has it.
func TestOfferOfWhatIsNotCounted(t *testing.T) {
	m := bareMarket(t, backSetup("E"), 3)
	m.skus = map[string]string{"inv-TEA": "GIFT"}
	gift := item("GIFT")
	gift.Stocked = false
	m.erp.says(gift)
	m.introduces()
	m.looksAt("L-E")
	m.settles()
	m.shows("L-E", 3)
	if m.writes != 0 {
		t.Error("the shop was told how many there are of what is not counted")
	}
	m.atRest()
}

// A unit that left, and that the shop counts as sent without having told so, must
// not stand for one that was sold unheard.
func TestOfferWhileTheShopIsAheadOfItsOrder(t *testing.T) {
	m := newMarket(t, 9)
	m.confirmed("1001", 3)
	m.next = append(m.next, m.loses) // the fulfilment is carried out and not answered
	m.pulls(m.pickingSays("300", "1001", "done", 1, tea(2)), m.pickingSays("301", "1001", "waiting", 1, tea(1)))
	m.step()
	m.onHand["E"], m.sold["1001"].shipped = 7, 2
	m.reads("E")
	m.buy("1002", "L-E", 2)
	m.looksAt("L-E")
	m.passes(offerDelay)
	m.works()
	m.shows("L-E", 4) // 7 there, 1 promised, 2 sold unheard
	m.orderHook("1002")
	m.settles()
	m.shows("L-E", 4)
}

// What a count took away from one site may have to be sent from the other.
func TestOfferLeavesRoomForWhatAnotherSiteLacks(t *testing.T) {
	m := newMarket(t, 5, 5)
	m.confirmed("1001", 4)
	m.onHand["E"] = 1 // damaged
	m.reads("E")
	m.settles()
	m.shows("L-E", 0)
	m.shows("L-W", 2)
	m.onHand["E"] = 4
	m.reads("E")
	m.settles()
	m.shows("L-E", 0)
	m.shows("L-W", 5)
	m.atRest()
}

// A shop that is not told what it may sell has no say in what there is.
func TestStockOfAShopThatTakesNoOffers(t *testing.T) {
	s := backSetup("E")
	s.Connections[1].Takes = nil
	m := bareMarket(t, s, 3)
	m.introduces()
	m.shelves["L-E"].available, m.shelves["L-E"].onHand = 90, 90
	m.looksAt("L-E")
	m.levelHook("L-E", 80)
	m.ledger("on hand 3, reserved 0, promised 0, converted 0, free 3")
	m.confirmed("1001", 2)
	m.pulls(m.pickingSays("300", "1001", "done", 1, tea(2)))
	m.settles()
	m.is("1001", crossdock.OrderShipped)
	m.shows("L-E", 88)
	if m.writes+len(m.heard)+len(all[Document](m.house, Documents)) != 0 {
		t.Error("the shop was told something")
	}
	m.exceptions()
}

// The same book and the same entry give the same decision, shop, shipments and all.
func TestOffersAreDecidedAlike(t *testing.T) {
	m := newMarket(t, 5, 5)
	m.again = 10
	m.buy("1001", "L-W", 4)
	m.orderHook("1001")
	m.settles()
	m.reads("E")
	m.buy("1002", "L-E", 1)
	m.looksAt("L-W")
	m.pulls(m.pickingSays("300", "1001", "done", 1, tea(1)), m.pickingSays("301", "1001", "cancelled", 1, tea(3)))
	m.settles()
	m.passes(shortAfter)
	m.ticks()
	m.settles()
	m.exceptions("short shipped|order/1001")
}
