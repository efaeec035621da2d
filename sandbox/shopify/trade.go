package shopify

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock/sandbox"
)

// TradeConfig says what a planned trade is like. The counts of what is planted
// name orders that differ from each other, except Duplicates, which may fall on
// any order but an early cancellation. Their sum must not exceed Orders.
type TradeConfig struct {
	Seed     int64
	Orders   int
	First    int           // number of the first order; 0 is 1001
	Products []Product     // what is bought
	Over     time.Duration // how long the purchases take; 0 is 10 s
	Shipping string        // price of sending an order; "" is no shipping line
	Lines    int           // most lines of an order; 0 is 4
	// Locations send the goods: an order has one of them, every fourth of its lines
	// another. Each must stock every product. None leaves the choice to the shop.
	Locations []string

	Duplicates         int // orders whose orders/create comes two or three times, half of them at one instant
	Cancellations      int // orders cancelled some time after they were made
	EarlyCancellations int // orders whose cancellation arrives before their creation
	Edits              int // orders whose first line is edited afterwards
	Additions          int // orders a person adds a line to afterwards
	Removals           int // orders a person removes a line of afterwards
	UnknownSKUs        int // orders with a line of a SKU nobody knows
	Tests              int // test orders
	Discounts          int // orders with a 10 % code; these may be any of the others
}

// Event is one act of the plan. Server.Act carries it out.
type Event struct {
	After    time.Duration // since the trade began
	Act      string        // buy, cancel or edit
	Order    string
	Buy      Buy      // of a buy
	SKU      string   // of an edit
	Quantity int      // of an edit
	Faults   []string // ordered right before the act, for its webhooks
}

// Plan is a planned trade: its events in the order of time, and what is planted in it.
type Plan struct {
	Events []Event
	Orders []string // all, in the order they are made
	// Demand is how many units of each product are asked for at most, cancelled
	// orders included: a stock of as much is enough.
	Demand map[string]int
	// DemandAt is the same by product and location, "TEA@E", where Locations are
	// given. A line that is added afterwards counts at each: the shop chooses.
	DemandAt map[string]int

	Duplicated     []string
	Copies         int // webhooks that are repetitions
	Cancelled      []string
	CancelledEarly []string
	Edited         []string
	Added          map[string]string // order to the SKU that is added
	Removed        map[string]string // order to the SKU that is removed
	Unknown        map[string]string // order to its SKU nobody knows
	Tests          []string
	Discounted     []string
}

// Trade plans a trade. The same configuration gives the same plan.
func Trade(c TradeConfig) (Plan, error) {
	if len(c.Products) == 0 {
		return Plan{}, fmt.Errorf("a trade needs products")
	}
	apart := c.Cancellations + c.EarlyCancellations + c.Edits + c.Additions + c.Removals + c.UnknownSKUs + c.Tests
	if apart > c.Orders || c.Duplicates > c.Orders-c.EarlyCancellations || c.Discounts > c.Orders {
		return Plan{}, fmt.Errorf("%d orders are too few for what is planted in them (%d that differ, %d duplicated, %d discounted)",
			c.Orders, apart, c.Duplicates, c.Discounts)
	}
	if (c.Additions > 0 || c.Removals > 0) && len(c.Products) < 2 {
		return Plan{}, fmt.Errorf("one product is too few to add and remove lines")
	}
	if c.Lines <= 0 {
		c.Lines = 4
	}
	if c.Over <= 0 {
		c.Over = 10 * time.Second
	}
	if c.First == 0 {
		c.First = 1001
	}
	p := &planner{TradeConfig: c, rand: sandbox.Rand(c.Seed),
		Plan: Plan{Demand: map[string]int{}, DemandAt: map[string]int{}, Unknown: map[string]string{}, Added: map[string]string{}, Removed: map[string]string{}}}
	p.people = people(p.rand, max(1, c.Orders*2/3))
	p.plan()
	return p.Plan, nil
}

type planner struct {
	TradeConfig
	Plan
	rand   *rand.Rand
	people []Customer
}

func (p *planner) plan() {
	buys := make([]*Event, p.TradeConfig.Orders)
	for i := range buys {
		buys[i] = p.buy(i)
		p.Plan.Orders = append(p.Plan.Orders, buys[i].Order)
	}
	order := p.rand.Perm(len(buys))
	take := func(n int) []int { some := order[:n]; order = order[n:]; slices.Sort(some); return some }
	early := take(p.EarlyCancellations)
	var later []Event
	for _, i := range early {
		later = append(later, p.cancelEarly(buys[i]))
	}
	for _, i := range take(p.Cancellations) {
		p.Cancelled = append(p.Cancelled, buys[i].Order)
		later = append(later, Event{After: buys[i].After + p.soon(), Act: "cancel", Order: buys[i].Order})
	}
	for _, i := range take(p.UnknownSKUs) {
		sku := fmt.Sprintf("GHOST-%d", len(p.Unknown)+1)
		buys[i].Buy.Lines = append(buys[i].Buy.Lines, Line{SKU: sku, Title: "Discontinued item", Quantity: 1, Price: "7.50"})
		p.Unknown[buys[i].Order] = sku
	}
	for _, i := range take(p.TradeConfig.Tests) {
		buys[i].Buy.Test = true
		p.Plan.Tests = append(p.Plan.Tests, buys[i].Order)
	}
	for _, i := range take(p.Edits) {
		later = append(later, p.edit(buys[i]))
	}
	for _, i := range take(p.Additions) {
		later = append(later, p.add(buys[i]))
	}
	for _, i := range take(p.Removals) {
		later = append(later, p.remove(buys[i]))
	}
	p.duplicate(buys, early)
	discounted := p.rand.Perm(len(buys))[:p.Discounts]
	slices.Sort(discounted)
	for _, i := range discounted {
		buys[i].Buy.Discount = Discount{Code: "WELCOME10", Percent: "10"}
		p.Discounted = append(p.Discounted, buys[i].Order)
	}
	for _, b := range buys {
		p.Events = append(p.Events, *b)
		for _, l := range b.Buy.Lines {
			if slices.ContainsFunc(p.Products, func(known Product) bool { return known.SKU == l.SKU }) {
				p.asked(l, l.Quantity)
			}
		}
	}
	p.Events = append(p.Events, later...)
	slices.SortStableFunc(p.Events, func(a, b Event) int { return cmp.Compare(a.After, b.After) })
}

// buy plans purchase i of the trade: 1 to Lines lines of different products.
func (p *planner) buy(i int) *Event {
	n := p.TradeConfig.Orders
	e := &Event{Act: "buy", Order: fmt.Sprint(p.First + i)}
	e.After = time.Duration((float64(i) + p.rand.Float64()*0.9) / float64(n) * float64(p.Over))
	e.Buy = Buy{Order: e.Order, Customer: p.people[p.rand.IntN(len(p.people))], Shipping: Shipping{Price: p.TradeConfig.Shipping}}
	for _, at := range p.rand.Perm(len(p.Products))[:min(1+p.rand.IntN(p.Lines), len(p.Products))] {
		e.Buy.Lines = append(e.Buy.Lines, Line{SKU: p.Products[at].SKU, Quantity: 1 + p.rand.IntN(3)})
	}
	if len(p.Locations) > 0 {
		home := p.rand.IntN(len(p.Locations))
		for at := range e.Buy.Lines {
			from := home
			if p.rand.IntN(4) == 0 {
				from = p.rand.IntN(len(p.Locations))
			}
			e.Buy.Lines[at].Location = p.Locations[from]
		}
	}
	return e
}

// asked counts units of a line into the demand.
func (p *planner) asked(l Line, units int) {
	p.Demand[l.SKU] += units
	if l.Location != "" {
		p.DemandAt[l.SKU+"@"+l.Location] += units
	}
}

// add plans a line of a product the order does not have; an order of all products
// is bought without its last line.
func (p *planner) add(b *Event) Event {
	if len(b.Buy.Lines) == len(p.Products) {
		b.Buy.Lines = b.Buy.Lines[:len(b.Buy.Lines)-1]
	}
	at := slices.IndexFunc(p.Products, func(has Product) bool {
		return !slices.ContainsFunc(b.Buy.Lines, func(l Line) bool { return l.SKU == has.SKU })
	})
	sku, quantity := p.Products[at].SKU, 1+p.rand.IntN(3)
	p.Added[b.Order] = sku
	p.asked(Line{SKU: sku}, quantity)
	for _, code := range p.Locations {
		p.DemandAt[sku+"@"+code] += quantity
	}
	return Event{After: b.After + p.soon(), Act: "edit", Order: b.Order, SKU: sku, Quantity: quantity}
}

// remove plans that the order's last line goes; an order of one line gets another
// to be left with.
func (p *planner) remove(b *Event) Event {
	if len(b.Buy.Lines) == 1 {
		at := slices.IndexFunc(p.Products, func(has Product) bool { return has.SKU != b.Buy.Lines[0].SKU })
		b.Buy.Lines = append(b.Buy.Lines, Line{SKU: p.Products[at].SKU, Quantity: 1, Location: b.Buy.Lines[0].Location})
	}
	sku := b.Buy.Lines[len(b.Buy.Lines)-1].SKU
	p.Removed[b.Order] = sku
	return Event{After: b.After + p.soon(), Act: "edit", Order: b.Order, SKU: sku}
}

// cancelEarly delays a purchase's webhook and cancels before it leaves.
func (p *planner) cancelEarly(b *Event) Event {
	b.Faults = append(b.Faults, "delay next 1 after 900ms orders/create")
	p.CancelledEarly = append(p.CancelledEarly, b.Order)
	return Event{After: b.After + 300*time.Millisecond, Act: "cancel", Order: b.Order}
}

func (p *planner) edit(b *Event) Event {
	l := b.Buy.Lines[0]
	quantity := 1 + l.Quantity%4 // another quantity than l's
	p.Edited = append(p.Edited, b.Order)
	p.asked(l, max(0, quantity-l.Quantity))
	return Event{After: b.After + p.soon(), Act: "edit", Order: b.Order, SKU: l.SKU, Quantity: quantity}
}

// duplicate repeats webhooks: two or three times, every other one at one instant.
func (p *planner) duplicate(buys []*Event, early []int) {
	var may []int
	for i := range buys {
		if !slices.Contains(early, i) {
			may = append(may, i)
		}
	}
	p.rand.Shuffle(len(may), func(i, j int) { may[i], may[j] = may[j], may[i] })
	chosen := may[:p.Duplicates]
	slices.Sort(chosen)
	for n, i := range chosen {
		times := 2 + p.rand.IntN(2)
		fault := fmt.Sprintf("duplicate next 1 times %d orders/create", times)
		if n%2 == 1 {
			fault = fmt.Sprintf("duplicate next 1 times %d after %dms orders/create", times, 100+p.rand.IntN(900))
		}
		buys[i].Faults = append(buys[i].Faults, fault)
		p.Duplicated = append(p.Duplicated, buys[i].Order)
		p.Copies += times - 1
	}
}

// soon is the time from a purchase to what is done about it later.
func (p *planner) soon() time.Duration {
	return p.Over/10 + time.Duration(p.rand.Float64()*float64(p.Over)/5)
}

// people makes customers with different e-mail addresses.
func people(r *rand.Rand, n int) []Customer {
	firsts := []string{"Ada", "Ben", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Inés", "Jonas", "Kemi", "Liu"}
	lasts := []string{"Lee", "Novak", "O'Brien", "Petrov", "Quist", "Rossi", "Sørensen", "Tanaka", "Usman", "Vega", "Weiß", "Yilmaz"}
	places := []Address{
		{City: "Los Angeles", Zip: "90012", Province: "California", ProvinceCode: "CA"},
		{City: "Austin", Zip: "78701", Province: "Texas", ProvinceCode: "TX"},
		{City: "Portland", Zip: "97204", Province: "Oregon", ProvinceCode: "OR"},
		{City: "Albany", Zip: "12207", Province: "New York", ProvinceCode: "NY"},
	}
	streets := []string{"Orchard Way", "Mill Road", "Harbor Street", "Pine Avenue"}
	out := make([]Customer, n)
	for i := range out {
		c := Customer{First: firsts[r.IntN(len(firsts))], Last: lasts[r.IntN(len(lasts))], Phone: fmt.Sprintf("+1213555%04d", i%10000)}
		c.Email = fmt.Sprintf("%s.%d@example.org", strings.ToLower(firsts[i%len(firsts)][:2]), i+1)
		if r.IntN(4) == 0 {
			c.Company = c.Last + " Trading LLC"
		}
		c.Billing = places[r.IntN(len(places))]
		c.Billing.Address1 = fmt.Sprintf("%d %s", 1+r.IntN(990), streets[r.IntN(len(streets))])
		c.Billing.Country, c.Billing.CountryCode = "United States", "US"
		if r.IntN(5) == 0 {
			c.Shipping = c.Billing
			c.Shipping.Address1, c.Shipping.Address2 = fmt.Sprintf("%d Dock Street", 1+r.IntN(99)), "Unit 4"
		}
		out[i] = c
	}
	return out
}

// Act carries an event out: it orders the event's faults and lets the world act.
func (s *Server) Act(e Event) error {
	for _, fault := range e.Faults {
		if err := s.Order(fault); err != nil {
			return err
		}
	}
	switch e.Act {
	case "buy":
		_, err := s.Buy(e.Buy)
		return err
	case "cancel":
		return s.Cancel(e.Order, true)
	case "edit":
		return s.Edit(e.Order, e.SKU, e.Quantity)
	}
	return fmt.Errorf("event %q: the world knows buy, cancel and edit", e.Act)
}
