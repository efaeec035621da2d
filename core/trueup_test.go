package core

import (
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// deciding puts the same property to Decide and TrueUp as they are: a party in
// three systems that all take parties, on the house of the other tests.
type deciding struct {
	*world
	*house
	looking map[crossdock.System]bool // a look is on its way
}

var threeSystems = []crossdock.System{"crm", "odoo", "shop"}

var ada = crossdock.BookRef(crossdock.KindParty, "crm-ada")

func newDeciding(t tb) func(*world) hub {
	return func(w *world) hub {
		d := &deciding{world: w, house: &house{tb: t, rows: map[Address][]byte{}, bulk: true}, looking: map[crossdock.System]bool{}}
		d.want = d.partner
		s := crossdock.Setup{Hash: "three"}
		for _, system := range threeSystems {
			s.Connections = append(s.Connections, crossdock.Connection{System: system, Takes: []crossdock.Kind{crossdock.KindParty}, Settles: settling})
		}
		d.entry(s)
		d.decided("set up", func(b Book) Decision {
			return run(b, 1, d.clock(), func(l *layer) {
				body := phoneRecord("555 0100")
				if err := body.Set("name", "Ada Lee"); err != nil {
					panic(err)
				}
				l.put(&Record{Of: ada, Body: body, Seq: 1})
				for i, system := range threeSystems {
					l.put(&Link{Of: crossdock.Ref{System: system, Kind: crossdock.KindParty, Key: "ada"}, To: ada})
					l.put(&View{crossdock.View{System: system, Of: ada, Key: "ada", Held: w.targets[i].record(), Asked: words("partner", "phone", "555 0100")}})
				}
			})
		})
		return d
	}
}

func (d *deciding) partner(t Touch) (Projected, bool) {
	r := stored[Record](d.house, RecordAt(t.Of))
	return Projected{Touch: t, Want: words("partner", "phone", r.Body.Text("phone")), Door: crossdock.DoorFound}, true
}

func (d *deciding) holds() crossdock.Record { return stored[Record](d.house, RecordAt(ada)).Body }

// entry takes one entry under the world's clock and number, and does what is due.
func (d *deciding) entry(body crossdock.Body, said ...Said) {
	d.house.at, d.house.seq = d.clock(), max(d.world.seq, 1)-1
	d.take(body, said...)
}

func (d *deciding) statement(i int, s spoken) {
	system := threeSystems[i]
	if !s.asked.IsZero() {
		d.looking[system] = false
	}
	m := crossdock.Message{From: system, Kind: crossdock.KindParty, Key: "ada", Version: s.version, After: s.after, Asked: s.asked}
	d.entry(m, Said{Message: m, Statements: []crossdock.Statement{{Of: crossdock.Ref{System: system, Kind: crossdock.KindParty, Key: "ada"}, Version: s.version, Said: s.said, Says: s.says}}})
	d.dispatch()
}

func (d *deciding) receipt(i int, attempt int64, r crossdock.Receipt) {
	r.Of, r.Key = ada, "ada"
	d.entry(crossdock.Result{Attempt: attempt, System: threeSystems[i], Receipts: []crossdock.Receipt{r}})
	d.dispatch()
}

// dispatch pushes and looks at what is due, and comes back for what is due later.
func (d *deciding) dispatch() {
	for i, system := range threeSystems {
		if w := stored[Want](d.house, WantAt(system, DoPush, ada)); w != nil && w.State == WantDue && d.isDue(w.Due) {
			id := d.push(i, w.Want)
			d.entry(crossdock.Attempt{ID: id, System: system, Pushes: []crossdock.Push{{Of: ada, Rev: w.Rev, Want: w.Want, Key: w.Key, Door: w.Door}}})
		}
		if w := stored[Want](d.house, WantAt(system, DoLook, ada)); w != nil && !d.looking[system] && d.isDue(w.Due) {
			d.looking[system] = true
			d.read(i)
		}
	}
}

func (d *deciding) isDue(at time.Time) bool {
	if at.After(d.clock()) {
		d.in(at.Sub(d.clock()), d.dispatch)
		return false
	}
	return true
}

func (d *deciding) push(i int, want crossdock.Record) int64 { return d.world.push(i, want) }

func TestDecideTruesUp(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		all := trouble{late: true, form: true, lost: true}
		if out := play(seed, all, newDeciding(t), quiet); out.bad() {
			t.Errorf("seed %d: %+v", seed, out)
			play(seed, all, newDeciding(t), t.Logf)
			return
		}
	}
}

// What can't be projected for a while and then can, to the same end as before, goes on.
func TestStoppedWorkGoesOnAsItWas(t *testing.T) {
	h := newHouse(t, "3")
	fails := false
	h.want = func(touch Touch) (Projected, bool) {
		p, ok := h.project(touch)
		if fails && touch.Of.Kind == crossdock.KindOrder {
			return Projected{Touch: touch, Err: crossdock.Errorf(crossdock.Invalid, "no tax of this name")}, true
		}
		return p, ok
	}
	h.shop.webhook(order("1001", "2"), 0)
	h.step() // the customer; the draft is due
	fails = true
	h.shop.webhook(order("1001", "1"), 1)
	h.exceptions("project|odoo|order/1001")
	fails = false
	h.shop.webhook(order("1001", "2"), 2)
	h.exceptions()
	h.works()
	h.is("1001", crossdock.OrderConfirmed)
}
