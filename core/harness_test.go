package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// mostRounds is how often one entry may be decided again because rows were not
// loaded: every round is a round trip of the desk to its store.
const mostRounds = 7

// tb is what *testing.T and *rapid.T have in common here.
type tb interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// house is the way of an entry in memory: a book whose rows are JSON as in a
// store and are missing until they are loaded, the true up after every entry, an
// ERP named odoo and a shop named shop that answer.
type house struct {
	tb     tb
	rows   map[Address][]byte
	seq    int64
	at     time.Time
	erp    *erp
	shop   *shop
	market *market  // the shop's stock and what it was told, where a test has it
	rounds int      // most rounds an entry took
	effect []string // of every entry
	pushed []crossdock.Push
	want   func(Touch) (Projected, bool) // the projector
	again  int                           // so many times every entry is decided again and must come out the same
	bulk   bool                          // a thousand entries: invariants are checked when the test says so
}

var setup = crossdock.Setup{Hash: "h1", Companies: []crossdock.Company{{Key: "US", Currency: "USD", Zone: "America/New_York"}}, Connections: []crossdock.Connection{
	{System: "odoo", Connector: "odoo", Takes: []crossdock.Kind{crossdock.KindParty, crossdock.KindOrder}, Owns: []crossdock.Kind{crossdock.KindItem, crossdock.KindStock, crossdock.KindSite, crossdock.KindTax}, Settles: time.Minute},
	{System: "shop", Connector: "shopify", Company: "US", Sites: []string{"E"}, Settles: time.Minute},
}}

// newHouse opens a house that knows the sites E and W and the item TEA, of which
// there are so many at E.
func newHouse(t tb, tea string) *house { return newHouseOf(t, setup, tea) }

func newHouseOf(t tb, setup crossdock.Setup, tea string) *house {
	h := &house{tb: t, rows: map[Address][]byte{}, at: worldStart}
	h.erp, h.shop = &erp{house: h, sales: map[string]*sale{}, external: map[string]string{}, levels: map[string][2]string{}}, &shop{house: h, orders: map[string]told{}}
	h.want = h.project
	h.take(setup)
	h.erp.says(site("E"), site("W"), item("TEA"))
	h.erp.stock("TEA", tea, "0")
	return h
}

// loading is what one entry sees of the book: rows are missing until they are
// loaded, and a row it was shown must be unchanged at the end.
type loading struct {
	house *house
	rows  map[Address]Row
}

func (b *loading) Row(at Address) (Row, bool) {
	row, known := b.rows[at]
	return row, known
}

func (b *loading) load(at []Address) {
	for _, a := range at {
		if _, again := b.rows[a]; again {
			b.house.tb.Fatalf("%v was asked for although it is loaded", a)
		}
		raw, there := b.house.rows[a]
		if !there {
			b.rows[a] = nil
			continue
		}
		row := NewRow(a.Table)
		if err := json.Unmarshal(raw, row); err != nil {
			b.house.tb.Fatalf("row %v: %v", a, err)
		}
		b.rows[a] = row
	}
}

// fresh returns the same rows, read from the store anew: every map in them is another.
func (b *loading) fresh() *loading {
	f := &loading{house: b.house, rows: map[Address]Row{}}
	for a := range b.rows {
		f.load([]Address{a})
	}
	return f
}

func (b *loading) unchanged() {
	for a, row := range b.rows {
		if row == nil {
			continue
		}
		if now := mustJSON(row); !bytes.Equal(now, b.house.rows[a]) {
			b.house.tb.Errorf("a decision changed row %v of the book itself:\nfrom %s\nto   %s", a, b.house.rows[a], now)
		}
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// rounds decides until nothing is missing, and applies the decision.
func (h *house) decided(what string, decide func(Book) Decision) Decision {
	b := &loading{house: h, rows: map[Address]Row{}}
	b.load([]Address{SetupAt}) // the desk has it always
	var asked [][]Address
	for round := 1; ; round++ {
		d := decide(b)
		asked = append(asked, d.Missing)
		if d.Missing == nil {
			b.unchanged()
			for range h.again {
				if d2 := decide(b.fresh()); !reflect.DeepEqual(d, d2) {
					h.tb.Fatalf("%s was decided in two ways:\n%s\n%s", what, mustJSON(d), mustJSON(d2))
				}
			}
			h.apply(d)
			h.rounds = max(h.rounds, round-1)
			if round-1 > mostRounds {
				h.tb.Errorf("%s took %d rounds to the store, at most %d are allowed: %v", what, round-1, mostRounds, asked)
			}
			return d
		}
		if round > 100 {
			h.tb.Fatalf("%s never has what it needs: %v", what, d.Missing)
		}
		b.load(compact(d.Missing))
	}
}

func compact(at []Address) []Address {
	var out []Address
	for _, a := range at {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func (h *house) apply(d Decision) {
	for _, c := range d.Changes {
		if c.Row == nil {
			delete(h.rows, c.At)
		} else {
			if c.Row.Address() != c.At {
				h.tb.Errorf("row %v was put at %v", c.Row.Address(), c.At)
			}
			h.rows[c.At] = mustJSON(c.Row)
		}
	}
}

// take is one entry: decided, then every view it touched is trued up.
func (h *house) take(body crossdock.Body, said ...Said) Decision {
	h.seq++
	e := crossdock.Entry{Seq: h.seq, At: h.at, Lane: crossdock.Normal, Arrival: h.seq, Last: true, Body: body}
	d := h.decided(fmt.Sprintf("entry %d (%T)", h.seq, body), func(b Book) Decision { return Decide(b, e, said) })
	h.effect = append(h.effect, d.Effect)
	if d.Effect == "" {
		h.tb.Errorf("entry %d has no effect and does not say why (I7)", h.seq)
	}
	h.trueUp(d.Touched)
	if !h.bulk {
		h.invariants()
	}
	return d
}

func (h *house) trueUp(touched []Touch) {
	for range 10 {
		if len(touched) == 0 {
			return
		}
		var projected []Projected
		for _, t := range touched {
			if p, ok := h.want(t); ok {
				projected = append(projected, p)
			}
		}
		touched = h.decided("true up", func(b Book) Decision { return TrueUp(b, h.seq, h.at, projected) }).Touched
	}
	h.tb.Fatal("true up touches views without end")
}

// get reads a row of the book, nil where there is none.
func stored[T any, P interface {
	*T
	Row
}](h *house, at Address) *T {
	raw, ok := h.rows[at]
	if !ok {
		return nil
	}
	v := new(T)
	if err := json.Unmarshal(raw, v); err != nil {
		h.tb.Fatalf("row %v: %v", at, err)
	}
	return v
}

// all returns the rows of a table, by their keys.
func all[T any, P interface {
	*T
	Row
}](h *house, table Table) []*T {
	var keys []string
	for a := range h.rows {
		if a.Table == table {
			keys = append(keys, a.Key)
		}
	}
	slices.Sort(keys)
	var out []*T
	for _, k := range keys {
		out = append(out, stored[T, P](h, Address{table, k}))
	}
	return out
}

// invariants holds the ledger to its promises rows after every entry.
func (h *house) invariants() {
	promised := map[Address]crossdock.Decimal{}
	converted := map[Address]crossdock.Decimal{}
	for _, p := range all[Promise](h, Promises) {
		for _, line := range p.Lines {
			at := BalanceAt(line.Item, p.Site)
			promised[at] = promised[at].Add(line.Count)
			if p.Converted > 0 {
				converted[at] = converted[at].Add(line.Count)
			}
		}
		for _, line := range p.Lines { // what this entry promised was free (I6)
			if b := stored[Balance](h, BalanceAt(line.Item, p.Site)); p.Seq == h.seq && freeOf(b).IsNegative() {
				h.tb.Errorf("entry %d promised %s of %s to %s: now %s are free", h.seq, line.Count, line.Item.Short(), p.Cause.Short(), freeOf(b))
			}
		}
		v := stored[View](h, ViewAt("odoo", p.Cause))
		mayHold := v != nil && !v.Gone && (v.Unknown || len(v.Open) > 0 || stateOf(v.Held) == crossdock.OrderConfirmed)
		o := h.order(p.Cause.Key)
		if o.State != crossdock.OrderPromised && o.State != crossdock.OrderConfirmed && o.State != crossdock.OrderPicking && !(o.State == crossdock.OrderCancelled && mayHold) {
			h.tb.Errorf("%s is %s and yet promised goods", p.Cause.Short(), o.State)
		}
	}
	for _, b := range all[Balance](h, Balances) {
		for _, gone := range b.Leaving {
			promised[b.Address()] = promised[b.Address()].Add(gone.Count)
		}
		if !b.Promised.Equal(promised[b.Address()]) {
			h.tb.Errorf("balance %v says %s are promised, its promises add up to %s", b.Address(), b.Promised, promised[b.Address()])
		}
		turned := b.Converted
		for _, turn := range b.Turning {
			turned = turned.Add(turn.Count)
		}
		if !turned.Equal(converted[b.Address()]) {
			h.tb.Errorf("balance %v: converted and turning are %s, its converted promises add up to %s", b.Address(), turned, converted[b.Address()])
		}
	}
	for _, w := range all[Want](h, Wants) {
		if w.State == WantParked && (w.Deadline.IsZero() || len(w.Waits) == 0) {
			h.tb.Errorf("want %v is parked without a deadline or without saying for what (I7)", w.Address())
		}
		if v := stored[View](h, ViewAt(w.System, w.Of)); w.Do == DoPush && v != nil && v.Gone {
			h.tb.Errorf("want %v is to make again what a person deleted (I5)", w.Address())
		}
	}
}

// order returns an order of the book.
func (h *house) order(key string) crossdock.Order {
	h.tb.Helper()
	r := stored[Record](h, RecordAt(crossdock.BookRef(crossdock.KindOrder, key)))
	var o crossdock.Order
	if r == nil {
		return o
	}
	if err := r.Body.Unpack(&o); err != nil {
		h.tb.Fatal(err)
	}
	return o
}

// open returns the open exceptions as "check about", sorted.
func (h *house) open() []string {
	var out []string
	for _, x := range all[Exception](h, Exceptions) {
		if x.Open() {
			out = append(out, x.ID)
		}
	}
	return out
}

// is checks the state of an order.
func (h *house) is(key string, want crossdock.OrderState) {
	h.tb.Helper()
	if got := h.order(key).State; got != want {
		h.tb.Errorf("order %s is %q, want %q; findings %v", key, got, want, h.order(key).Findings)
	}
}

// exceptions checks which exceptions are open.
func (h *house) exceptions(want ...string) {
	h.tb.Helper()
	if got := h.open(); !slices.Equal(got, want) {
		h.tb.Errorf("open exceptions %q, want %q", got, want)
	}
}

// ledger checks the balance of TEA at E: on hand, reserved, promised, converted, free.
func (h *house) ledger(want string) {
	h.tb.Helper()
	b := stored[Balance](h, BalanceAt(crossdock.BookRef(crossdock.KindItem, "TEA"), crossdock.BookRef(crossdock.KindSite, "E")))
	if b == nil {
		b = &Balance{}
	}
	got := fmt.Sprintf("on hand %s, reserved %s, promised %s, converted %s, free %s", b.OnHand, b.Reserved, b.Promised, b.Converted, freeOf(b))
	if got != want {
		h.tb.Errorf("ledger: %s\n        want: %s", got, want)
	}
}

// sale checks in which state the ERP holds an order, "" where it holds none.
func (h *house) sale(key, want string) {
	h.tb.Helper()
	got := ""
	if s := h.erp.sales[h.erp.external["order/"+key]]; s != nil {
		got = s.state
	}
	if got != want {
		h.tb.Errorf("the ERP holds order %s as %q, want %q", key, got, want)
	}
}

// finding checks that judging an order found this, in this grade.
func (h *house) finding(key, check string, grade crossdock.Grade) {
	h.tb.Helper()
	for _, f := range h.order(key).Findings {
		if f.Check == check && f.Grade == grade {
			return
		}
	}
	h.tb.Errorf("order %s has the findings %v, want one of %s with grade %s", key, h.order(key).Findings, check, grade)
}

// works does what is due in the ERP and in the shop until nothing is due.
func (h *house) works() {
	h.tb.Helper()
	for range 50 {
		if !h.step() {
			return
		}
	}
	h.tb.Fatal("there is always something to do")
}

// step takes what is due now: one batch of pushes, and every look.
func (h *house) step() bool {
	pushes, looks := h.due()
	h.push(pushes)
	for _, w := range looks {
		h.look(w)
	}
	return len(pushes)+len(looks) > 0
}

func (h *house) due() (pushes, looks []*Want) {
	for _, w := range all[Want](h, Wants) {
		if w.State != WantDue || w.Due.After(h.at) {
			continue
		}
		if w.Do == DoPush {
			pushes = append(pushes, w)
		} else {
			looks = append(looks, w)
		}
	}
	return pushes, looks
}

// attempt files that wants are about to be pushed.
func (h *house) attempt(wants []*Want) crossdock.Attempt {
	a := crossdock.Attempt{ID: h.seq + 1, System: wants[0].System}
	for _, w := range wants {
		a.Pushes = append(a.Pushes, crossdock.Push{Of: w.Of, Rev: w.Rev, Want: w.Want, Key: w.Key, Door: w.Door, Version: w.Version, Held: w.Held})
	}
	h.take(a)
	h.pushed = append(h.pushed, a.Pushes...)
	return a
}

// push makes an attempt in each system and files what it answers.
func (h *house) push(wants []*Want) {
	for _, system := range []crossdock.System{"odoo", "shop"} {
		var theirs []*Want
		for _, w := range wants {
			if w.System == system {
				theirs = append(theirs, w)
			}
		}
		if len(theirs) > 0 {
			h.answered(h.attempt(theirs))
		}
	}
}

// answered files what a system answers to an attempt, with what it saw.
func (h *house) answered(a crossdock.Attempt) {
	r := crossdock.Result{Attempt: a.ID, System: a.System}
	var said []Said
	for _, p := range a.Pushes {
		answer := h.erp.answer
		if a.System == "shop" {
			answer = h.market.answer
		}
		c := answer(p)
		for i := range c.Saw {
			c.Saw[i].From, c.Saw[i].Asked, c.Saw[i].After = a.System, h.at, h.seq
			said = append(said, Said{Message: c.Saw[i], Statements: h.market.saw(c.Saw[i])})
		}
		r.Receipts = append(r.Receipts, c)
	}
	h.take(r, said...)
}

// pushes counts what was sent to the ERP for an order.
func (h *house) pushes(key string) (n int) {
	for _, p := range h.pushed {
		if p.Of == crossdock.BookRef(crossdock.KindOrder, key) {
			n++
		}
	}
	return n
}

func (h *house) look(w *Want) {
	after := h.seq
	switch w.System {
	case "odoo":
		h.erp.looked(w, after)
	case "shop":
		h.shop.looked(w, after)
	}
}

// hears takes one message with its statements; after < 0 means that it came unasked.
func (h *house) hears(from crossdock.System, after int64, asked time.Time, said ...crossdock.Statement) Decision {
	m := crossdock.Message{From: from, After: max(after, 0), Body: []byte(fmt.Sprint(said))}
	if after >= 0 {
		m.Asked = asked
	}
	if len(said) > 0 {
		last := said[len(said)-1]
		m.Kind, m.Key, m.Version = last.Of.Kind, last.Of.Key, last.Version
	}
	return h.take(m, Said{Message: m, Statements: said})
}

// passes lets time go by.
func (h *house) passes(d time.Duration) { h.at = h.at.Add(d) }

// ticks files the timers that are due, if there are any.
func (h *house) ticks() bool {
	var t crossdock.Tick
	for _, timer := range all[Timer](h, Timers) {
		if !timer.Due.After(h.at) {
			t.Timers = append(t.Timers, crossdock.TimerName{Of: timer.Of, Name: timer.Name})
		}
	}
	if len(t.Timers) > 0 {
		h.take(t)
	}
	return len(t.Timers) > 0
}

// project is a small projector: a party is written at once, an order as a draft
// that is confirmed in a second step, and called off where it was made.
func (h *house) project(t Touch) (Projected, bool) {
	v, r := stored[View](h, ViewAt(t.System, t.Of)), stored[Record](h, RecordAt(t.Of))
	if t.Of.Kind == crossdock.KindDocument {
		return h.projectDocument(t), v != nil
	}
	if v == nil || r == nil {
		return Projected{}, false
	}
	p := Projected{Touch: t}
	switch t.Of.Kind {
	case crossdock.KindParty:
		p.Want, p.Door = words("res.partner", "name", r.Body.Text("name"), "email", r.Body.Text("email")), crossdock.DoorRefused
		var party crossdock.Party
		if r.Body.Unpack(&party) == nil && !party.Parent.IsZero() {
			p.Waits = h.keyless(party.Parent)
		}
	case crossdock.KindOrder:
		h.projectOrder(&p, v, h.order(t.Of.Key))
	case crossdock.KindOffer:
		h.projectOffer(&p, r.Body)
	}
	return p, true
}

func (h *house) projectOrder(p *Projected, v *View, o crossdock.Order) {
	confirm := words("sale.order", "state", "sale")
	switch o.State {
	case crossdock.OrderPromised:
		var lines []string
		for _, line := range o.Lines {
			lines = append(lines, line.Item.Key+" "+line.Quantity.String()+" at "+line.Price.String())
		}
		draft := words("sale.order", "state", "draft", "lines", strings.Join(lines, ", "), "total", o.Totals.Total.String())
		p.Want, p.Door = draft, crossdock.DoorRefused
		if v.Asked.Equal(draft) || v.Asked.Text("state") == "sale" {
			p.Want, p.Door = confirm, crossdock.DoorFound
		}
		p.Waits = h.keyless(o.Customer, o.BillToParty, o.ShipToParty)
	case crossdock.OrderConfirmed, crossdock.OrderPicking, crossdock.OrderShipped, crossdock.OrderClosed:
		p.Want, p.Door = confirm, crossdock.DoorFound
	case crossdock.OrderCancelled:
		if v.Key != "" {
			p.Want, p.Door = words("sale.order", "state", "cancel"), crossdock.DoorFound
		}
	}
}

func words(kind crossdock.Kind, pairs ...string) crossdock.Record {
	r := crossdock.Record{Kind: kind, Fields: map[string]json.RawMessage{}}
	for i := 0; i < len(pairs); i += 2 {
		r.Fields[pairs[i]] = mustJSON(pairs[i+1])
	}
	return r
}

// keyless returns those records that have no key in the ERP yet.
func (h *house) keyless(refs ...crossdock.Ref) (waits []crossdock.Ref) {
	for _, of := range refs {
		v := stored[View](h, ViewAt("odoo", of))
		if (v == nil || v.Key == "") && !slices.Contains(waits, of) {
			waits = append(waits, of)
		}
	}
	return waits
}
