package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	odooconn "github.com/crossdockhq/crossdock/connectors/odoo"
	shopifyconn "github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim/checker"
)

// Plan says how much happens in a run; the seed says what.
type Plan struct {
	Orders  int           // purchases in each shop
	Over    time.Duration // how long the trade takes
	Faults  int           // troubles of Odoo and its network
	Crashes int           // ends of the hub
	// Wrap, if not nil, is called with every connector the hub is given: a test of the
	// simulation itself puts a broken one in its place.
	Wrap func(connector.Connector) connector.Connector
}

// Usual is what a run is like where nothing else is said.
var Usual = Plan{Orders: 9, Over: 40 * time.Minute, Faults: 5, Crashes: 3}

// event is something that happens in the world at its time.
type event struct {
	at   time.Time
	name string
	do   func() error
}

// begin is when every run begins: a Monday.
var begin = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// shopKeys are the shops of a run; the second sells at prices that contain tax
// and may ship from one site only.
var shopKeys = []crossdock.System{"shop", "shop2"}

const yamlTemplate = `version: 1
companies:
  US1: { currency: USD, zone: America/Los_Angeles }
connections:
  odoo:
    type: odoo
    url: http://odoo.invalid
    database: sandbox
    user: hub@example.org
    key: "${env:ODOO_KEY}"
    pull: 5m
    taxes: { "CA State Tax 8%": "Tax 8%", "VAT 20%": "VAT 20% incl" }
  shop: { type: shopify, company: US1, sites: [E, W], shop: shop.myshopify.com, token: "${env:SHOPIFY_TOKEN}", secret: "${env:SHOPIFY_SECRET}" }
  shop2: { type: shopify, company: US1, sites: [W], shop: shop2.myshopify.com, token: "${env:SHOPIFY_TOKEN}", secret: "${env:SHOPIFY_SECRET}" }
`

// landOf draws the land of a seed: A and B are plenty, C and D are scarce, so that
// orders compete for their last units; SVC is no goods.
func landOf(r *rand.Rand) Land {
	few := func(most int) string { return fmt.Sprint(1 + r.IntN(most)) }
	all := []string{"A", "B", "C", "D", "SVC"}
	return Land{
		Odoo: Odoo{
			Version: []int{16, 18, 19}[r.IntN(3)], Currency: "USD",
			Warehouses: []Named{{"E", "East"}, {"W", "West"}},
			Taxes:      []Tax{{"Tax 8%", "8", false}, {"VAT 20% incl", "20", true}},
			Items: []Item{{SKU: "A", Name: "Anchor", Price: "30.00"}, {SKU: "B", Name: "Bolt", Price: "0.35"}, {SKU: "C", Name: "Chain", Price: "19.99"},
				{SKU: "D", Name: "Drum", Price: "7.77"}, {SKU: "SVC", Name: "Gift wrapping", Price: "3.00", Service: true},
				{SKU: "SHIPPING", Name: "Shipping", Price: "0.00", Service: true}, {SKU: "DISCOUNT", Name: "Discount", Price: "0.00", Service: true}},
			Stock: map[string]map[string]string{"A": {"E": "500", "W": "500"}, "B": {"W": "500"}, "C": {"E": few(9)}, "D": {"E": few(6), "W": few(6)}},
		},
		Shops: map[crossdock.System]Shop{
			"shop":  {Currency: "USD", Zone: "America/Los_Angeles", Locations: []Named{{"E", "East"}}, Items: all, Taxes: []ShopTax{{"CA State Tax", "0.08"}}},
			"shop2": {Currency: "USD", Zone: "Europe/Berlin", TaxesIncluded: true, Locations: []Named{{"W", "West"}}, Items: all, Taxes: []ShopTax{{"VAT", "0.2"}}},
		},
	}
}

// configOf reads the configuration every run has.
func configOf() (*config.Config, error) {
	return config.Load("crossdock.yaml", []byte(yamlTemplate), []connector.Type{odooconn.Type, shopifyconn.Type}, Secrets())
}

// twins is how many orders of the second shop have the number of one of the first.
const twins = 2

// plan fills the runner's events.
func (r *runner) plan(p Plan) error {
	r.reorders = r.chance(50)
	first := 1001
	for _, name := range shopKeys {
		if err := r.planShop(p, name, first, r.rand.Int64()); err != nil {
			return err
		}
		first += max(0, p.Orders-twins)
	}
	r.planStock(p)
	if r.chance(60) {
		r.planSilence(p)
	}
	for range p.Faults {
		r.planTrouble(p)
	}
	for range p.Crashes {
		r.planCrash(p)
	}
	return nil
}

func (r *runner) some(d time.Duration) time.Duration { return time.Duration(r.rand.Int64N(int64(d))) }

func (r *runner) chance(percent int) bool { return r.rand.IntN(100) < percent }

func (r *runner) at(d time.Duration, name string, do func() error) {
	r.events = append(r.events, event{begin.Add(d), name, do})
}

// planShop plans the purchases of one shop and what becomes of each.
func (r *runner) planShop(p Plan, name crossdock.System, first int, seed int64) error {
	var products []shopify.Product
	for _, i := range r.land.Odoo.Items[:5] {
		products = append(products, shopify.Product{SKU: i.SKU})
	}
	trade, err := shopify.Trade(shopify.TradeConfig{Seed: seed, Orders: p.Orders, First: first, Products: products, Over: p.Over, Shipping: "4.90", Discounts: p.Orders / 3})
	if err != nil {
		return err
	}
	for i, e := range trade.Events {
		if name != shopKeys[0] && i < twins { // nobody buys in both shops under one number
			e.Buy.Customer.Email = fmt.Sprintf("twin%d@example.org", i)
		}
		r.planOrder(name, e)
	}
	return nil
}

// newOrder begins the story of a purchase.
func (r *runner) newOrder(shop crossdock.System, b shopify.Buy) *checker.Order {
	conn, _ := r.config.Connection(shop)
	o := &checker.Order{Shop: string(shop), Number: b.Order, Email: b.Customer.Email, Sites: conn.Sites, Test: b.Test}
	if o.Email == "" {
		o.Email = shopify.Ada().Email
	}
	r.orders[o.Name()] = o
	r.names = append(r.names, o.Name())
	return o
}

// planOrder plants what happens to one purchase.
func (r *runner) planOrder(name crossdock.System, e shopify.Event) {
	o := r.newOrder(name, e.Buy)
	e.Buy.Guest = r.chance(20)
	o.Guest = e.Buy.Guest
	switch n := r.rand.IntN(100); {
	case n < 7:
		e.Buy.Test, o.Test = true, true
	case n < 14:
		e.Buy.Lines = append(e.Buy.Lines, shopify.Line{SKU: "GHOST", Quantity: 1, Price: "7.50"})
	case n < 21:
		e.Buy.Lines = append(e.Buy.Lines, shopify.Line{SKU: "LATER", Quantity: 1 + r.rand.IntN(2), Price: "2.25"})
	case n < 26:
		o.Misstated = true
	}
	cancels := r.chance(25)
	e.Faults = r.late("orders/create", 40)
	if cancels && !r.reorders && r.chance(30) {
		e.Faults = []string{"lose next 1 orders/create"} // the cancellation is the first the hub hears
	}
	r.at(e.After, "buy "+o.Name(), func() error { return r.inShop(o, e) })
	for r.chance(25) && !o.Misstated { // a look would say what the shop really asks for
		r.planEdit(o, e)
	}
	if cancels {
		cancel := shopify.Event{Act: "cancel", Order: o.Number, Faults: r.late("orders/cancelled", 30)}
		if !r.reorders && r.chance(30) {
			cancel.Faults = []string{"lose next 1 orders/updated"}
		}
		r.at(e.After+r.soon(), "cancel "+o.Name(), func() error { return r.inShop(o, cancel) })
	}
	if r.chance(35) {
		r.planPerson(o, e)
	}
}

// late plants, with this many chances in a hundred, that webhooks of a topic come
// several times, late, or in another order. A webhook that is held back to be
// reordered could be one that is to be lost: a run has one of both.
func (r *runner) late(topic string, percent int) []string {
	if !r.chance(percent) {
		return nil
	}
	switch n := r.rand.IntN(8); {
	case n < 3:
		return []string{fmt.Sprintf("duplicate next 1 times %d after %dms %s", 2+r.rand.IntN(3), r.rand.IntN(3)*r.rand.IntN(120_000), topic)}
	case n < 6 || !r.reorders:
		return []string{fmt.Sprintf("delay next 1 after %s %s", time.Second+r.some(10*time.Minute), topic)}
	}
	return []string{"reorder next 2"}
}

// soon is a time from a purchase to what is done about it: often seconds, while
// the hub is at it, else up to a quarter of an hour.
func (r *runner) soon() time.Duration {
	if r.chance(50) {
		return r.some(8 * time.Second)
	}
	return r.some(15 * time.Minute)
}

func (r *runner) planEdit(o *checker.Order, e shopify.Event) {
	l := e.Buy.Lines[r.rand.IntN(len(e.Buy.Lines))]
	edit := shopify.Event{Act: "edit", Order: o.Number, SKU: l.SKU, Quantity: 1 + r.rand.IntN(4), Faults: r.late("orders/updated", 30)}
	switch n := r.rand.IntN(10); {
	case n == 0:
		edit.SKU = "A"
	case n == 1 && len(e.Buy.Lines) > 1 && l.SKU != e.Buy.Lines[0].SKU:
		edit.Quantity = 0
	}
	r.at(e.After+r.soon(), fmt.Sprintf("edit %s %s to %d", o.Name(), edit.SKU, edit.Quantity), func() error { return r.inShop(o, edit) })
}

// planPerson plans what somebody does with an order in Odoo, if it is there by then.
func (r *runner) planPerson(o *checker.Order, e shopify.Event) {
	acts := [][]string{{"cancel"}, {"confirm"}, {"cancel", "delete"}, {"delete"}, {"delete", "delete"}, {"confirm", "cancel"}, {"edit"}, {"edit", "cancel"}}[r.rand.IntN(8)]
	after := e.After + r.soon()
	for _, act := range acts {
		r.at(after, act+" "+o.Name()+" in Odoo", func() error { return r.inOdoo(act, o) })
		after += r.some(3 * time.Minute)
	}
}

// planStock lets goods come in and break, and a product be made that was missing.
func (r *runner) planStock(p Plan) {
	for range 3 {
		sku, site := []string{"C", "D"}[r.rand.IntN(2)], []string{"E", "W"}[r.rand.IntN(2)]
		more := 1 + r.rand.IntN(4)
		r.at(r.some(p.Over), fmt.Sprintf("%d %s come in at %s", more, sku, site), func() error { return r.stock(sku, site, more) })
	}
	for range 2 {
		sku, site := []string{"C", "D"}[r.rand.IntN(2)], []string{"E", "W"}[r.rand.IntN(2)]
		less := 1 + r.rand.IntN(9)
		r.at(r.some(p.Over), fmt.Sprintf("%d %s break at %s", less, sku, site), func() error { return r.stock(sku, site, -less) })
	}
	if r.chance(70) {
		r.at(r.some(p.Over), "LATER is made", func() error { return r.makeItem("LATER") })
		r.at(r.some(p.Over+10*time.Minute), "LATER comes in", func() error { return r.stock("LATER", "W", 1+r.rand.IntN(4)) })
	}
}

// planSilence plans that a shop sends webhooks and answers no look for half an hour.
// Some of its orders are edited twice in one second by then, which only a look can
// put in order, and then cancelled, which needs no look.
func (r *runner) planSilence(p Plan) {
	const lasts = 30 * time.Minute
	who := shopKeys[r.rand.IntN(len(shopKeys))]
	from := r.some(p.Over)
	r.at(from, string(who)+" is silent", func() error { return r.trouble(who, "down") })
	r.at(from+lasts, string(who)+" up", func() error { return r.trouble(who, "up") })
	for n := range 3 {
		number := fmt.Sprint(9001 + n)
		e := shopify.Event{Act: "buy", Order: number, Buy: shopify.Buy{Order: number, Customer: shopify.Ada(), Lines: []shopify.Line{{SKU: "A", Quantity: 1}}}}
		o := r.newOrder(who, e.Buy)
		after := from + r.some(10*time.Minute)
		r.at(after, "buy "+o.Name(), func() error { return r.inShop(o, e) })
		after += r.soon()
		r.at(after, "edit "+o.Name()+" twice", func() error {
			for _, quantity := range []int{2, 3} {
				if err := r.inShop(o, shopify.Event{Act: "edit", Order: number, SKU: "A", Quantity: quantity}); err != nil {
					return err
				}
			}
			return nil
		})
		after += time.Second + r.soon()
		r.at(after, "cancel "+o.Name(), func() error { return r.inShop(o, shopify.Event{Act: "cancel", Order: number}) })
	}
}

// planTrouble plans a trouble with Odoo or a shop, and its end.
func (r *runner) planTrouble(p Plan) {
	who := crossdock.System("odoo")
	if r.chance(20) {
		who = shopKeys[r.rand.IntN(len(shopKeys))]
	}
	from, lasts := r.some(p.Over+5*time.Minute), time.Second+r.some(8*time.Minute)
	words := []string{
		"down", fmt.Sprintf("errors %d%%", 5+r.rand.IntN(60)), fmt.Sprintf("slow %ds", 1+r.rand.IntN(9)), "hang",
		fmt.Sprintf("lose-answers %d", 1+r.rand.IntN(9)), fmt.Sprintf("late-commit %ds %d", 1+r.rand.IntN(16), 1+r.rand.IntN(6)),
		fmt.Sprintf("throttle %d %ds", 1+r.rand.IntN(9), 1+r.rand.IntN(40)),
		fmt.Sprintf("lose-answers %d", 1+r.rand.IntN(30)), fmt.Sprintf("late-commit 16s %d", 1+r.rand.IntN(20)),
	}
	word := words[r.rand.IntN(len(words))]
	if word == "hang" || word == "down" && r.chance(50) {
		lasts = r.some(3 * time.Minute)
	}
	r.at(from, string(who)+" "+word, func() error { return r.trouble(who, word) })
	r.at(from+lasts, string(who)+" up", func() error { return r.trouble(who, "up") })
	if r.chance(30) {
		model := []string{"sale.order", "res.partner"}[r.rand.IntN(2)]
		n := 1 + r.rand.IntN(3)
		refuse := r.chance(40)
		r.at(r.some(p.Over), fmt.Sprintf("Odoo refuses %d loads of %s (%v)", n, model, refuse), func() error {
			if refuse {
				r.w.Odoo.Reject(model, "load", n)
			} else {
				r.w.Odoo.Contend(model, n)
			}
			return nil
		})
	}
}

// planCrash plans an end of the hub: between two steps, at a write within one, or
// for a while.
func (r *runner) planCrash(p Plan) {
	at := r.some(p.Over + 10*time.Minute)
	switch r.rand.IntN(4) {
	case 0:
		r.at(at, "the hub is killed", func() error { return r.kill(0) })
	case 1:
		r.at(at, "the hub is killed and stays away", func() error { return r.kill(r.some(5 * time.Minute)) })
	default:
		n := 1 + r.rand.IntN(12)
		r.at(at, fmt.Sprintf("the hub is to be killed at its write %d", n), func() error {
			if r.w.House != nil {
				r.w.CrashAt(n)
			}
			return nil
		})
	}
}
