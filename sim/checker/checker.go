// Package checker judges a simulated run from outside: by what the world did and
// sent, and by what the stand-ins hold in the end. It shares no code with the hub,
// so that it can't agree with the hub's mistakes. What the hub says of itself, its
// open exceptions, excuses nothing: it is judged too.
package checker

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Holds is what a stand-in holds, model by model: a sandbox/odoo.Server or a
// sandbox/shopify.Server.
type Holds interface {
	Rows(model string) []map[string]any
}

// Story is what happened outside of the hub, told by those who did it.
type Story struct {
	Orders []Order
	Items  []Item
	Stock  []Count // as they were set, in the order of time
	Away   []Span  // when Odoo was in trouble or the hub was not running
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

// Span is a time from one instant to another.
type Span struct{ From, To time.Time }

// Order is one purchase and what people did about it afterwards.
type Order struct {
	Shop, Number string
	Email        string   // of who bought
	Sites        []string // warehouses it may ship from
	Test         bool
	Guest        bool      // bought without an account
	Misstated    bool      // what the shop sent of it states a total its lines do not come to
	Cancelled    bool      // in the shop
	Contents     []Content // as bought, then after each edit in the shop
	Told         []Told    // webhooks about it the hub answered with 2xx, in their order
	People       []Act     // what people did with it in Odoo
}

// Name tells an order from those of other shops with the same number.
func (o Order) Name() string { return o.Shop + "/" + o.Number }

// Content is what an order is for, by the shop's own reckoning.
type Content struct {
	Updated string         // the shop's time of it
	Units   map[string]int // by SKU, none of them 0
	Total   string         // a decimal
}

func (c Content) equal(d Content) bool { return maps.Equal(c.Units, d.Units) && c.Total == d.Total }

// Told is one webhook that reached the hub.
type Told struct {
	At        time.Time
	Updated   string // the shop's time of the order in it
	Cancelled bool   // it says the order is cancelled
}

// Act is what a person did with an order in Odoo: confirm, cancel, delete, edit the
// quantity of a line of a confirmed one, or edit the draft, which leaves no trace.
type Act struct {
	At time.Time
	Do string
	// Unseen is set on the deletion of an order the hub may never have been told
	// of: Odoo had made it, and the answer was lost. Deleting it takes its external
	// id away, so nothing in Odoo says that it ever was.
	Unseen bool
}

// Exception is one the hub has open in the end. Order is the order's Name, "" for
// an exception about something else.
type Exception struct{ Check, Order, Text string }

// Wrong is one thing that must not be.
type Wrong struct {
	Order string // the name of the order concerned, "" for none
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

// Confirmed reports whether a person confirmed it in Odoo.
func (o Order) Confirmed() bool { return o.did("confirm") }

// unseen reports that a person deleted it before the hub can be known to have heard of it.
func (o Order) unseen() bool {
	return slices.ContainsFunc(o.People, func(a Act) bool { return a.Unseen })
}

func (o Order) last() Content { return o.Contents[len(o.Contents)-1] }

func (o Order) edited() bool { return len(o.Contents) > 1 }

// early reports an order whose cancellation reached the hub before anything else did.
func (o Order) early() bool { return o.Cancelled && len(o.Told) > 0 && o.Told[0].Cancelled }

// toldCancelled is when the hub was first told that it is cancelled; zero: never.
func (o Order) toldCancelled() time.Time {
	for _, t := range o.Told {
		if t.Cancelled {
			return t.At
		}
	}
	return time.Time{}
}

type check struct {
	story  Story
	odoo   sold
	wrongs []Wrong
	due    []due
}

// Check returns everything that is wrong in the end of a run, by what the world
// did and what the stand-ins hold alone.
func Check(odoo Holds, shops map[string]Holds, s Story) []Wrong {
	c := judged(odoo, s)
	c.strangers()
	c.partners(odoo)
	c.products(odoo)
	c.oversold()
	c.reserved()
	for _, name := range slices.Sorted(maps.Keys(shops)) {
		c.webhooks(name, shops[name])
	}
	return c.wrongs
}

// judged holds every order of the story against Odoo, and collects the exceptions
// that follow from what became of it.
func judged(odoo Holds, s Story) *check {
	c := &check{story: s, odoo: read(odoo)}
	for _, o := range s.Orders {
		c.order(o)
	}
	return c
}

func (c *check) wrong(order, format string, a ...any) {
	c.wrongs = append(c.wrongs, Wrong{order, fmt.Sprintf(format, a...)})
}

// After a quiet stretch of this length, in which Odoo is well and the hub runs, what
// the hub was told has reached Odoo: the longest wait between two tries, which
// trouble before may have left behind, is 6 minutes.
const quietForPush = 7 * time.Minute

// After this one it has read what changed in Odoo: it pulls every 5 minutes.
const quietForPull = 12 * time.Minute

// by returns the end of the first quiet stretch that begins at t or later.
func (c *check) by(t time.Time, quiet time.Duration) time.Time {
	away := slices.Clone(c.story.Away)
	slices.SortFunc(away, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range away {
		if s.To.After(t) && s.From.Before(t.Add(quiet)) {
			t = s.To
		}
	}
	return t.Add(quiet)
}

func clock(t time.Time) string { return t.Format("15:04:05") }
