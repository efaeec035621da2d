package core

import (
	"fmt"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// market is the other half of the shop: what it has in stock, what it sells by
// itself, what it is told may be sold and what it is told was sent. And it is the
// warehouse: what really is there and what really left.
type market struct {
	*house
	shelves map[string]*shelf // by location
	sold    map[string]*sold  // by order number
	skus    map[string]string // inventory item → SKU
	names   map[string]string // location → name
	heard   []string          // fulfilments it made, by document
	writes  int               // levels that were set

	next    []func(crossdock.Push) crossdock.Receipt // how the next pushes are answered instead
	onHand  map[string]int                           // in the warehouse, by site
	picking int                                      // the last picking's number
}

// shelf is one level of TEA.
type shelf struct{ onHand, committed, available int }

// sold is an order of TEA as the shop keeps it.
type sold struct {
	location         string
	count, fulfilled int
	cancelled        bool
	version          int
	shipped, demand  int // in the warehouse
}

func backSetup(sites ...string) crossdock.Setup {
	s := setup
	s.Connections = []crossdock.Connection{setup.Connections[0], setup.Connections[1]}
	s.Connections[0].Owns = append([]crossdock.Kind{crossdock.KindShipment}, s.Connections[0].Owns...)
	s.Connections[1].Takes = []crossdock.Kind{crossdock.KindOffer, crossdock.KindDocument}
	s.Connections[1].Owns = []crossdock.Kind{crossdock.KindOrder}
	s.Connections[1].Sites = sites
	return s
}

// newMarket opens a house with a shop that is told what it may sell: TEA is there
// at each site, and the shop has read it.
func newMarket(t tb, counts ...int) *market {
	sites := []string{"E", "W"}[:len(counts)]
	m := bareMarket(t, backSetup(sites...), counts...)
	m.introduces()
	for _, site := range sites {
		m.looksAt("L-" + site)
	}
	m.works()
	return m
}

func bareMarket(t tb, s crossdock.Setup, counts ...int) *market {
	h := newHouseOf(t, s, fmt.Sprint(counts[0]))
	m := &market{house: h, shelves: map[string]*shelf{}, sold: map[string]*sold{}, skus: map[string]string{"inv-TEA": "TEA"}, names: map[string]string{}, onHand: map[string]int{}}
	h.market = m
	for i, n := range counts {
		site := []string{"E", "W"}[i]
		m.onHand[site] = n
		m.names["L-"+site] = "Site " + site
		m.shelves["L-"+site] = &shelf{onHand: n, available: n}
		m.reads(site)
	}
	return m
}

func shopRef(kind crossdock.Kind, key string) crossdock.Ref {
	return crossdock.Ref{System: "shop", Kind: kind, Key: key}
}

// introduces tells the shop's items and locations, as a pull does.
func (m *market) introduces() {
	for _, key := range sortedKeys(m.skus) {
		m.hears("shop", m.seq, m.at, m.found(shopRef(crossdock.KindItem, key)))
	}
	for _, key := range sortedKeys(m.names) {
		m.hears("shop", m.seq, m.at, m.found(shopRef(crossdock.KindSite, key)))
	}
}

func sortedKeys[V any](of map[string]V) []string {
	r := crossdock.Record{}
	for k := range of {
		_ = r.Set(k, true)
	}
	return r.Names()
}

// found answers a look.
func (m *market) found(of crossdock.Ref) crossdock.Statement {
	var form crossdock.Form
	st := crossdock.Statement{Of: of}
	switch of.Kind {
	case crossdock.KindItem:
		sku, ok := m.skus[of.Key]
		if !ok {
			return crossdock.Statement{Of: of, Gone: true}
		}
		form, st.Names = crossdock.Item{SKU: sku, Name: sku, Stocked: true, Active: true}, []string{skuName(sku)}
	case crossdock.KindSite:
		name, ok := m.names[of.Key]
		if !ok {
			return crossdock.Statement{Of: of, Gone: true}
		}
		form = crossdock.Site{Code: name, Name: name}
	default:
		item, location, _ := strings.Cut(of.Key, "@")
		s := m.shelves[location]
		if s == nil {
			return crossdock.Statement{Of: of, Gone: true}
		}
		form = crossdock.Stock{Item: shopRef(crossdock.KindItem, item), Site: shopRef(crossdock.KindSite, location), OnHand: units(s.onHand), Reserved: units(s.committed), Offered: units(s.available)}
	}
	body, err := crossdock.Pack(form)
	if err != nil {
		m.tb.Fatal(err)
	}
	st.Said = body
	if of.Kind == crossdock.KindStock {
		st.Says = crossdock.Fields{"item", "offered", "on_hand", "reserved", "site"}
	}
	return st
}

func units(n int) crossdock.Quantity { return count(fmt.Sprint(n)) }

func levelRef(location string) crossdock.Ref {
	return shopRef(crossdock.KindStock, "inv-TEA@"+location)
}

// looksAt is a look at one level that nobody asked for, as a pull is.
func (m *market) looksAt(location string) {
	m.hears("shop", m.seq, m.at, m.found(levelRef(location)))
}

// levelHook is a webhook that says what is available at a location.
func (m *market) levelHook(location string, available int) {
	st := m.found(levelRef(location))
	body := st.Said.Clone()
	mustSet(&body, "offered", units(available))
	st.Said, st.Says = body, crossdock.Fields{"item", "offered", "site"}
	m.hears("shop", -1, time.Time{}, st)
}

// saw is what a refused push saw: the level, or the order, as it is.
func (m *market) saw(msg crossdock.Message) []crossdock.Statement {
	if msg.Kind == crossdock.KindStock {
		return []crossdock.Statement{m.found(shopRef(msg.Kind, msg.Key))}
	}
	return m.orderSays(msg.Key)
}

// buy is a customer who buys TEA; the shop says no when it offers less. The webhook
// is another matter.
func (m *market) buy(number, location string, n int) bool {
	s := m.shelves[location]
	if s.available < n || m.sold[number] != nil {
		return false
	}
	s.available, s.committed = s.available-n, s.committed+n
	m.sold[number] = &sold{location: location, count: n, version: 1}
	return true
}

// cancels is a customer who calls an order off that is not sent yet: the shop puts
// it back on the shelf.
func (m *market) cancels(number string) bool {
	o := m.sold[number]
	if o == nil || o.cancelled || o.fulfilled > 0 {
		return false
	}
	s := m.shelves[o.location]
	s.available, s.committed = s.available+o.count, s.committed-o.count
	o.cancelled, o.version = true, o.version+1
	return true
}

// orderSays are the statements of an order as it is.
func (m *market) orderSays(number string) []crossdock.Statement {
	s := m.sold[number]
	o := order(number, fmt.Sprint(s.count))
	if s.fulfilled > 0 {
		o.Fulfilled = []crossdock.Fulfilled{{Line: "1", Count: decimalOf(fmt.Sprint(s.fulfilled))}}
	}
	if s.cancelled {
		o = cancelled(o)
	}
	out := m.shop.statements(o, second(s.version))
	out[1].Says = sorted(append(out[1].Says, "fulfilled"))
	m.shop.orders[number] = told{o, second(s.version)}
	return out
}

func (m *market) orderHook(number string) { m.hears("shop", -1, time.Time{}, m.orderSays(number)...) }

// answer is the shop's end of a push.
func (m *market) answer(p crossdock.Push) crossdock.Receipt {
	if len(m.next) > 0 {
		f := m.next[0]
		m.next = m.next[1:]
		return f(p)
	}
	return m.write(p)
}

func (m *market) write(p crossdock.Push) crossdock.Receipt {
	if p.Of.Kind == crossdock.KindDocument {
		return m.fulfil(p)
	}
	s := m.shelves[p.Want.Text("location")]
	if s == nil {
		return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Refused, Text: "the item is not stocked at the location"}
	}
	available, seen := number(p.Want, "available"), number(p.Want, "seen")
	switch lower := p.Want.Text("lower") != ""; {
	case lower: // by the difference: what was sold meanwhile stays sold
		s.available += available - seen
	case s.available != seen:
		return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Conflict, Text: fmt.Sprintf("it offers %d", s.available), Saw: []crossdock.Message{{Kind: crossdock.KindStock, Key: "inv-TEA@" + p.Want.Text("location")}}}
	default:
		s.available = available
	}
	s.onHand = s.available + s.committed
	m.writes++
	holds := words(crossdock.KindStock)
	holds.Form = 1
	mustSet(&holds, "offered", units(s.available))
	return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Holds: holds, Says: crossdock.Fields{"offered"}}
}

func number(r crossdock.Record, name string) (n int) {
	if _, err := fmt.Sscan(r.Text(name), &n); err != nil {
		panic(err)
	}
	return n
}

// fulfil carries out what a document tells, unless it was heard.
func (m *market) fulfil(p crossdock.Push) crossdock.Receipt {
	if p.Want.Text("type") == "cancellation" {
		o := m.sold[p.Want.Text("order")]
		if !o.cancelled {
			m.cancels(p.Want.Text("order"))
			m.heard = append(m.heard, p.Of.Key)
		}
		return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Key: "gone-" + p.Of.Key}
	}
	o := m.sold[p.Want.Text("order")]
	before, n := number(p.Want, "before"), number(p.Want, "count")
	switch {
	case o.fulfilled == before && !o.cancelled:
		s := m.shelves[o.location]
		s.onHand, s.committed = s.onHand-n, s.committed-n
		o.fulfilled, o.version = o.fulfilled+n, o.version+1
		m.heard = append(m.heard, p.Of.Key)
	case o.fulfilled != before+n:
		return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Conflict, Text: fmt.Sprintf("it counts %d as sent", o.fulfilled), Saw: []crossdock.Message{{Kind: crossdock.KindOrder, Key: p.Want.Text("order")}}}
	}
	return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Key: "ff-" + p.Of.Key}
}

// loses is a push that is carried out and not answered; vanishes one that is neither.
func (m *market) loses(p crossdock.Push) crossdock.Receipt {
	m.write(p)
	return m.vanishes(p)
}

func (m *market) vanishes(p crossdock.Push) crossdock.Receipt {
	return crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Ambiguous, Text: "connection reset"}
}

// projectOffer puts an offer into the shop's words: nothing where it shows that already.
func (h *house) projectOffer(p *Projected, body crossdock.Record) {
	var o crossdock.Offer
	if err := body.Unpack(&o); err != nil {
		h.tb.Fatal(err)
	}
	if o.Available.Equal(o.Seen) {
		return
	}
	location := ""
	if v := stored[View](h, ViewAt("shop", o.Site)); v != nil {
		location = v.Key
	}
	p.Want, p.Door = words("inventoryLevel", "location", location, "available", o.Available.String(), "seen", o.Seen.String(), "look", fmt.Sprint(o.Look)), crossdock.DoorRefused
	if o.Lower {
		p.Want.Fields["lower"] = mustJSON("yes")
	}
	if location == "" {
		p.Waits = []crossdock.Ref{o.Site}
	}
}

// projectDocument puts a document into the shop's words; one that was taken or
// refused asks for nothing.
func (h *house) projectDocument(t Touch) Projected {
	p := Projected{Touch: t, Door: crossdock.DoorFound}
	d := stored[Document](h, DocumentAt(t.Of))
	if d == nil || !d.State.Follows(crossdock.DocumentAcknowledged) {
		return p
	}
	if d.Type == docCancellation {
		p.Want = words("cancellation", "type", d.Type, "order", d.About.Key)
		return p
	}
	var f crossdock.Fulfilment
	if err := d.Text.Unpack(&f); err != nil {
		h.tb.Fatal(err)
	}
	if err := f.Validate(); err != nil {
		h.tb.Errorf("%s: %v", t.Of.Short(), err)
	}
	p.Want = words("fulfillment", "type", d.Type, "order", f.Order.Key, "before", f.Lines[0].Before.String(), "count", f.Lines[0].Count.String(), "tracking", strings.Join(f.Tracking, ","))
	return p
}

// reads is a reading of the warehouse's stock at a site, as it is.
func (m *market) reads(site string) { m.stockSays(site, m.level(site), m.seq) }

// level is what is there and reserved at a site.
func (m *market) level(site string) [2]int {
	reserved := 0
	for _, number := range sortedKeys(m.sold) {
		if o := m.order(number); o.Site == site && m.erpState(number) == "sale" {
			reserved += m.sold[number].count - m.sold[number].shipped
		}
	}
	return [2]int{m.onHand[site], reserved}
}

func (m *market) erpState(number string) string {
	if s := m.erp.sales[m.erp.external["order/"+number]]; s != nil {
		return s.state
	}
	return ""
}

func (m *market) stockSays(site string, level [2]int, after int64) {
	m.erp.levels["TEA@"+site] = [2]string{fmt.Sprint(level[0]), fmt.Sprint(level[1])}
	s := crossdock.Stock{Item: crossdock.Ref{System: "odoo", Kind: crossdock.KindItem, Key: "product-TEA"}, Site: crossdock.Ref{System: "odoo", Kind: crossdock.KindSite, Key: "wh-" + site}, OnHand: units(level[0]), Reserved: units(level[1])}
	body, err := crossdock.Pack(s)
	if err != nil {
		m.tb.Fatal(err)
	}
	m.hears("odoo", after, m.at, crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindStock, Key: "TEA@" + site}, Said: body})
}

// picking is a shipment as the ERP tells it.
func (m *market) pickingSays(id, order, state string, version int, moves ...crossdock.Move) crossdock.Statement {
	s := crossdock.Shipment{Order: crossdock.Ref{System: "odoo", Kind: crossdock.KindOrder, Key: m.erp.external["order/"+order]}, Site: crossdock.Ref{System: "odoo", Kind: crossdock.KindSite, Key: "wh-E"},
		State: crossdock.ShipmentState(state), Lines: moves}
	if state == "done" {
		s.Carrier, s.Tracking, s.Shipped = "UPS", []string{"Z" + id}, worldStart
	}
	body, err := crossdock.Pack(s)
	if err != nil {
		m.tb.Fatal(err)
	}
	return crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindShipment, Key: id}, Version: fmt.Sprintf("%06d", version), Said: body}
}

func (m *market) pulls(said ...crossdock.Statement) { m.hears("odoo", m.seq, m.at, said...) }

func tea(n int) crossdock.Move {
	return crossdock.Move{Item: crossdock.Ref{System: "odoo", Kind: crossdock.KindItem, Key: "product-TEA"}, Quantity: units(n)}
}

// shows checks what the shop offers at a location.
func (m *market) shows(location string, want int) {
	m.tb.Helper()
	if got := m.shelves[location].available; got != want {
		m.tb.Errorf("the shop offers %d at %s, want %d", got, location, want)
	}
}

// confirmed sells TEA at E in one order that the ERP has confirmed.
func (m *market) confirmed(number string, n int) {
	m.tb.Helper()
	if !m.buy(number, "L-E", n) {
		m.tb.Fatalf("the shop does not sell %d", n)
	}
	m.orderHook(number)
	m.settles()
	if m.erpState(number) != "sale" {
		m.tb.Fatalf("order %s is not confirmed", number)
	}
	m.reads("E")
	m.settles()
}

// document returns a document, a zero one where there is none.
func (m *market) document(number string) crossdock.Document {
	if d := stored[Document](m.house, DocumentAt(crossdock.BookRef(crossdock.KindDocument, number))); d != nil {
		return d.Document
	}
	return crossdock.Document{}
}
