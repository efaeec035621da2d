package checker

import (
	"slices"
	"strings"
	"time"
)

// order holds one purchase against its sale orders in Odoo.
func (c *check) order(o Order) {
	rows := c.of(o)
	open := slices.ContainsFunc(rows, func(s order) bool { return s.state != "cancel" })
	switch {
	case len(rows) > 1:
		c.wrong(o.Name(), "is %d sale orders in Odoo: %s", len(rows), names(rows))
	case o.Test && len(rows) > 0:
		c.wrong(o.Name(), "is a test order and stands in Odoo as %s", names(rows))
	case o.Test:
	case o.Cancelled:
		c.cancelled(o, rows, open)
	case o.did("cancel", "delete") && !o.unseen():
		if open {
			c.wrong(o.Name(), "was called off by a person in Odoo and stands there again as %s", names(rows))
		}
		c.must(o, "called off")
	case o.unseen() && !open:
		c.vanished(o)
	case o.Misstated || len(c.unknown(o)) > 0:
		c.unusable(o, rows, open)
	case len(rows) == 0:
		c.waiting(o)
		c.must(o, "stock")
	case rows[0].state == "cancel":
		c.wrong(o.Name(), "was cancelled in Odoo as %s, and nobody called it off", rows[0].name)
	case rows[0].state != "sale" && o.edited(): // it was a draft when it was edited to more than there is
		c.waiting(o)
		c.must(o, "stock")
		c.may(o, "amount")
	case rows[0].state != "sale":
		c.wrong(o.Name(), "was left in Odoo as %s", names(rows))
	case o.did("edit"):
		c.changedThere(o, rows[0])
	default:
		c.content(o, rows[0])
	}
}

// cancelled demands that an order that is cancelled in its shop is open nowhere, and
// that this came about soon after the hub was told.
func (c *check) cancelled(o Order, rows []order, open bool) {
	switch {
	case open:
		c.wrong(o.Name(), "is cancelled in its shop and open in Odoo as %s", names(rows))
		return
	case len(rows) == 0:
		return
	case o.early():
		c.wrong(o.Name(), "was cancelled before the hub heard anything else of it and was made in Odoo as %s", names(rows))
		return
	}
	told := o.toldCancelled()
	if told.IsZero() {
		return // it was looked up
	}
	by := c.by(told, quietForPush)
	s := rows[0]
	if s.made.After(by) { // to learn what became of a lost push it is sent again, and cancelled where that made it
		by = c.by(s.made, quietForPush)
	}
	switch {
	case s.confirmed.After(by):
		c.wrong(o.Name(), "was confirmed in Odoo at %s, although the hub had heard at %s that it is cancelled", clock(s.confirmed), clock(told))
	case s.written.After(by):
		c.wrong(o.Name(), "was open in Odoo until %s, although the hub had heard at %s that it is cancelled", clock(s.written), clock(told))
	}
}

// vanished is an order of which nobody can tell whether it was ever in Odoo: the hub
// may have taken its deletion for one, or make it again.
func (c *check) vanished(o Order) {
	either := []string{"called off"}
	switch {
	case o.Misstated:
		either = append(either, "totals")
	case len(c.unknown(o)) == 0 && c.short(o):
		either = append(either, "stock")
	}
	c.either(o, either...)
	c.items(o, false)
}

// unusable is an order that names what Odoo has no product for, or whose sums do not
// add up: it is not made before that is mended.
func (c *check) unusable(o Order, rows []order, open bool) {
	switch {
	case len(rows) > 0 && rows[0].state == "sale" && o.edited(): // it was usable before it was edited
		c.content(o, rows[0])
		return
	case len(rows) > 0 && o.edited():
		c.may(o, "amount")
	case o.Misstated && open:
		c.wrong(o.Name(), "states a total that its lines do not come to and was made in Odoo as %s", names(rows))
	case open:
		c.wrong(o.Name(), "has SKUs Odoo does not know (%s) and was made there as %s", strings.Join(c.unknown(o), ", "), names(rows))
	}
	if o.Misstated {
		c.must(o, "totals")
	}
	c.items(o, true)
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

// changedThere is an order a person changed in Odoo: another is to hear of it where
// it does not come to what the customer agreed to.
func (c *check) changedThere(o Order, s order) {
	if !s.costs(o.last()) {
		c.either(o, "changed there", "amount")
	}
	if o.edited() {
		c.may(o, "late change")
	}
}

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
		c.wrong(o.Name(), "is %v for %s in Odoo (%s), and the shop sold %v for %s", s.units, s.total, s.name, o.last().Units, o.last().Total)
		return
	case at == len(o.Contents)-1:
		if slices.ContainsFunc(o.Contents[:at], o.last().equal) { // it was edited back, after somebody was told of the edit
			c.may(o, "late change")
		}
		return
	}
	told := time.Time{}
	for _, t := range o.Told {
		if told.IsZero() && t.Updated >= o.last().Updated {
			told = t.At
		}
	}
	if !o.did("confirm") && !told.IsZero() && c.by(told, quietForPush).Before(s.confirmed) {
		c.wrong(o.Name(), "was confirmed in Odoo at %s with %v, although the hub had heard of %v at %s", clock(s.confirmed), s.units, o.last().Units, clock(told))
	}
	c.either(o, "late change", "confirmed there")
	if !s.costs(o.last()) {
		c.may(o, "amount")
	}
}

// waiting demands that an order that was not made could not have been served.
func (c *check) waiting(o Order) {
	if !c.short(o) {
		c.wrong(o.Name(), "was not made and confirmed in Odoo, although one of %v has all of %v free", o.Sites, o.last().Units)
	}
}

// short reports that no site has all of an order free.
func (c *check) short(o Order) bool {
	for _, site := range o.Sites {
		lacks := false
		for sku, n := range o.last().Units {
			lacks = lacks || c.stocked(sku) && c.odoo.free(sku, site).LessThan(number(n))
		}
		if !lacks {
			return false
		}
	}
	return true
}

func (c *check) stocked(sku string) bool {
	return slices.ContainsFunc(c.story.Items, func(i Item) bool { return i.SKU == sku && i.Stocked })
}
