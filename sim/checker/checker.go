// Package checker judges a simulated run from outside: by what the world did and
// sent, and by what the stand-ins hold in the end. It shares no code with the hub,
// so that it can't agree with the hub's mistakes.
package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Holds is what a stand-in holds, model by model: a sandbox/odoo.Server or a
// sandbox/shopify.Server.
type Holds interface {
	Rows(model string) []map[string]any
}

// Story is what happened outside of the hub, told by those who did it.
type Story struct {
	Orders     []Order
	Items      []Item
	Stock      []Count // as they were set, in the order of time
	Exceptions []Exception
}

// Item is a product the world made in Odoo; a SKU without one is unknown there.
type Item struct {
	SKU     string
	Stocked bool
}

// Count is stock that somebody set in Odoo.
type Count struct {
	At        time.Time
	SKU, Site string
	OnHand    string // a decimal
}

// Order is one purchase and what people did about it afterwards.
type Order struct {
	Shop, Number string
	Sites        []string // warehouses it may ship from
	Test         bool
	Cancelled    bool      // in the shop
	Contents     []Content // as bought, then after each edit in the shop
	Told         []Told    // webhooks about it the hub answered with 2xx, in their order
	People       []Act     // what people did with it in Odoo
}

// Content is what an order is for, by the shop's own reckoning.
type Content struct {
	Updated string         // the shop's time of it
	Units   map[string]int // by SKU, none of them 0
	Total   string         // a decimal
}

// Told is one webhook that reached the hub.
type Told struct {
	At        time.Time
	Updated   string // the shop's time of the order in it
	Cancelled bool   // it says the order is cancelled
}

// Act is what a person did with an order in Odoo: confirm, cancel, delete, or edit
// the quantity of a line of a confirmed one.
type Act struct {
	At time.Time
	Do string
}

// Exception is one the hub has open in the end.
type Exception struct{ Check, Order, Text string }

// Wrong is one thing that must not be.
type Wrong struct {
	Order string // the number of the order concerned, "" for none
	Text  string
}

func (w Wrong) String() string {
	if w.Order == "" {
		return w.Text
	}
	return "order " + w.Order + ": " + w.Text
}

// did reports whether a person did one of these with the order in Odoo.
func (o Order) did(acts ...string) bool {
	return slices.ContainsFunc(o.People, func(a Act) bool { return slices.Contains(acts, a.Do) })
}

func (o Order) last() Content { return o.Contents[len(o.Contents)-1] }

// early reports an order whose cancellation reached the hub before anything else did.
func (o Order) early() bool { return o.Cancelled && len(o.Told) > 0 && o.Told[0].Cancelled }

type check struct {
	story  Story
	odoo   sold
	wrongs []Wrong
}

// Check returns everything that is wrong in the end of a run.
func Check(odoo Holds, shops map[string]Holds, s Story) []Wrong {
	c := &check{story: s, odoo: read(odoo)}
	for _, o := range s.Orders {
		c.order(o)
	}
	c.strangers()
	c.partners(odoo)
	c.products(odoo)
	c.oversold()
	c.reserved()
	c.exceptions()
	names := []string{}
	for name := range shops {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c.webhooks(name, shops[name])
	}
	return c.wrongs
}

func (c *check) wrong(order, format string, a ...any) {
	c.wrongs = append(c.wrongs, Wrong{order, fmt.Sprintf(format, a...)})
}

// order holds one purchase against its sale orders in Odoo.
func (c *check) order(o Order) {
	rows := c.odoo.byRef[o.Number]
	open := 0
	for _, s := range rows {
		if s.state != "cancel" {
			open++
		}
	}
	switch {
	case len(rows) > 1:
		c.wrong(o.Number, "is %d sale orders in Odoo: %s", len(rows), names(rows))
	case o.Test && len(rows) > 0:
		c.wrong(o.Number, "is a test order and stands in Odoo as %s", names(rows))
	case o.early() && len(rows) > 0:
		c.wrong(o.Number, "was cancelled before the hub heard anything else of it and was made in Odoo as %s", names(rows))
	case o.Cancelled && open > 0:
		c.wrong(o.Number, "is cancelled in its shop and open in Odoo as %s", names(rows))
	case o.did("cancel", "delete") && open > 0:
		c.wrong(o.Number, "was called off by a person in Odoo and stands there again as %s", names(rows))
	case o.Test || o.Cancelled || o.did("cancel", "delete"):
	case len(c.unknown(o)) > 0 && open > 0 && len(o.Contents) == 1:
		c.wrong(o.Number, "has SKUs Odoo does not know (%s) and was made there as %s", strings.Join(c.unknown(o), ", "), names(rows))
	case len(c.unknown(o)) > 0 && open == 0:
		c.named(o, "item")
	case len(rows) == 0:
		c.waiting(o)
	case rows[0].state == "cancel":
		c.wrong(o.Number, "was cancelled in Odoo as %s, and nobody called it off", rows[0].name)
	case rows[0].state != "sale" && len(c.unknown(o)) > 0:
		c.named(o, "item") // it was a draft when it was edited
	case rows[0].state != "sale" && len(o.Contents) > 1:
		c.waiting(o) // it was a draft when it was edited to more than there is
	case rows[0].state != "sale":
		c.wrong(o.Number, "was left in Odoo as %s", names(rows))
	case o.did("edit"):
		c.changedThere(o, rows[0])
	default:
		c.content(o, rows[0])
	}
}

// changedThere demands that a person is told of what another changed in Odoo.
func (c *check) changedThere(o Order, s order) {
	if !s.costs(o.last()) && !slices.ContainsFunc(c.story.Exceptions, func(x Exception) bool {
		return (x.Check == "changed there" || x.Check == "amount") && x.Order == o.Number
	}) {
		c.wrong(o.Number, "was changed by a person in Odoo to %v for %s, and no exception says so", s.units, s.total)
	}
}

// unknown returns the SKUs of an order that Odoo has no product for.
func (c *check) unknown(o Order) []string {
	var out []string
	for sku := range o.last().Units {
		if !slices.ContainsFunc(c.story.Items, func(i Item) bool { return i.SKU == sku }) {
			out = append(out, sku)
		}
	}
	slices.Sort(out)
	return out
}

// named demands an exception that tells a person why an order was not made.
func (c *check) named(o Order, kind string) {
	for _, x := range c.story.Exceptions {
		if x.Check != kind {
			continue
		}
		if x.Order == o.Number || kind == "item" && slices.ContainsFunc(c.unknown(o), func(sku string) bool { return strings.Contains(x.Text, sku) }) {
			return
		}
	}
	c.wrong(o.Number, "is not made in Odoo and no exception about its %s says why", kind)
}

// grace is how long after an edit was told the hub may still confirm what was
// ordered before: requests that are on their way, and the hub's own rest.
const grace = 10 * time.Minute

// content holds the lines and the total of a sale order against its purchase.
func (c *check) content(o Order, s order) {
	at := -1
	for i, want := range o.Contents {
		if s.equals(want) {
			at = i
		}
	}
	switch {
	case at < 0:
		c.wrong(o.Number, "is %v for %s in Odoo (%s), and the shop sold %v for %s", s.units, s.total, s.name, o.last().Units, o.last().Total)
		return
	case at == len(o.Contents)-1:
		return
	}
	told := time.Time{}
	for _, t := range o.Told {
		if told.IsZero() && t.Updated >= o.last().Updated {
			told = t.At
		}
	}
	if !o.did("confirm") && !told.IsZero() && told.Add(grace).Before(s.confirmed) {
		c.wrong(o.Number, "was confirmed in Odoo at %s with %v, although the hub had heard of %v at %s", clock(s.confirmed), s.units, o.last().Units, clock(told))
	}
	if !slices.ContainsFunc(c.story.Exceptions, func(x Exception) bool { return x.Check == "late change" && x.Order == o.Number }) {
		c.wrong(o.Number, "was edited in the shop to %v, Odoo has %v, and no exception says so", o.last().Units, s.units)
	}
}

func clock(t time.Time) string { return t.Format("15:04:05") }

// waiting demands that an order that was not made could not have been served.
func (c *check) waiting(o Order) {
	for _, site := range o.Sites {
		lacks := false
		for sku, n := range o.last().Units {
			if c.stocked(sku) && c.odoo.free(sku, site).LessThan(number(n)) {
				lacks = true
			}
		}
		if !lacks {
			c.wrong(o.Number, "was not made and confirmed in Odoo, although %s has all of %v free", site, o.last().Units)
			return
		}
	}
	c.named(o, "stock")
}

func (c *check) stocked(sku string) bool {
	return slices.ContainsFunc(c.story.Items, func(i Item) bool { return i.SKU == sku && i.Stocked })
}

// exceptions demands that each open exception has a cause that was planted.
func (c *check) exceptions() {
	for _, x := range c.story.Exceptions {
		if !c.planted(x) {
			c.wrong(x.Order, "nobody planted a cause for the exception %q: %s", x.Check, x.Text)
		}
	}
}

func (c *check) planted(x Exception) bool {
	if x.Check == "item" { // one for each SKU, named by whichever order came last
		return slices.ContainsFunc(c.story.Orders, func(o Order) bool {
			return slices.ContainsFunc(o.Contents, func(n Content) bool {
				return slices.ContainsFunc(c.unknown(Order{Contents: []Content{n}}), func(sku string) bool { return strings.Contains(x.Text, sku) })
			})
		})
	}
	i := slices.IndexFunc(c.story.Orders, func(o Order) bool { return o.Number == x.Order })
	if i < 0 {
		return false
	}
	o := c.story.Orders[i]
	switch x.Check {
	case "stock":
		rows := c.odoo.byRef[o.Number]
		return !o.Cancelled && !o.Test && (len(rows) == 0 || len(o.Contents) > 1 && rows[0].state == "draft")
	case "called off":
		return o.did("cancel", "delete")
	case "late change":
		return len(o.Contents) > 1
	case "changed there", "amount": // "amount" is what "late change" tells as well, in money
		rows := c.odoo.byRef[o.Number]
		return (o.did("edit") || x.Check == "amount" && len(o.Contents) > 1) && len(rows) == 1 && !rows[0].costs(o.last())
	}
	return false
}
