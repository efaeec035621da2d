package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// order is a sale order as Odoo holds it.
type order struct {
	id               int
	name, ref, state string
	site             string
	total            decimal.Decimal
	email            string         // of the customer
	made, written    time.Time      // create_date, write_date
	confirmed        time.Time      // date_order, which Odoo sets when it confirms
	units            map[string]int // goods and services, by SKU
	fraction         bool           // a quantity is no whole number
}

// sold is Odoo's side of the trade.
type sold struct {
	orders   []order
	onHand   map[place]decimal.Decimal
	reserved map[place]decimal.Decimal
	promised map[place]decimal.Decimal // on confirmed sale orders
}

// place is a product at a warehouse.
type place struct{ sku, site string }

// extras are the products that shipping and discounts are booked on.
var extras = []string{"SHIPPING", "DISCOUNT"}

// read reads what Odoo holds. A value of another type than Odoo 18 gives it is a
// defect of the stand-in and panics.
func read(odoo Holds) sold {
	s := sold{onHand: map[place]decimal.Decimal{}, reserved: map[place]decimal.Decimal{}, promised: map[place]decimal.Decimal{}}
	skus := map[int]string{}
	for _, r := range odoo.Rows("product.product") {
		skus[id(r["id"])] = text(r["default_code"])
	}
	sites, lots := map[int]string{}, map[int]string{}
	for _, r := range odoo.Rows("stock.warehouse") {
		sites[id(r["id"])] = text(r["code"])
		lots[id(r["lot_stock_id"])] = text(r["code"])
	}
	mails := map[int]string{}
	for _, r := range odoo.Rows("res.partner") {
		mails[id(r["id"])] = strings.ToLower(text(r["email"]))
	}
	lines := map[int][]map[string]any{}
	for _, r := range odoo.Rows("sale.order.line") {
		lines[id(r["order_id"])] = append(lines[id(r["order_id"])], r)
	}
	for _, r := range odoo.Rows("sale.order") {
		o := order{id: id(r["id"]), name: text(r["name"]), ref: text(r["client_order_ref"]), state: state(text(r["state"])),
			site: sites[id(r["warehouse_id"])], total: amount(r["amount_total"]), units: map[string]int{}}
		o.email = mails[id(r["partner_id"])]
		for at, field := range map[*time.Time]string{&o.made: "create_date", &o.written: "write_date", &o.confirmed: "date_order"} {
			*at, _ = time.Parse(time.DateTime, text(r[field])) // an empty date is false
		}
		for _, l := range lines[o.id] {
			sku, n := skus[id(l["product_id"])], amount(l["product_uom_qty"])
			if slices.Contains(extras, sku) || n.IsZero() {
				continue
			}
			o.fraction = o.fraction || !n.IsInteger()
			o.units[sku] += int(n.IntPart())
			if o.state == "sale" {
				at := place{sku, o.site}
				s.promised[at] = s.promised[at].Add(n)
			}
		}
		s.orders = append(s.orders, o)
	}
	for _, r := range odoo.Rows("stock.quant") {
		if site, ok := lots[id(r["location_id"])]; ok {
			at := place{skus[id(r["product_id"])], site}
			s.onHand[at] = s.onHand[at].Add(amount(r["quantity"]))
			s.reserved[at] = s.reserved[at].Add(amount(r["reserved_quantity"]))
		}
	}
	return s
}

// state tells Odoo's states as three: on 16 a locked order is "done", and a
// quotation that was mailed is "sent".
func state(s string) string {
	switch s {
	case "done":
		return "sale"
	case "sent":
		return "draft"
	}
	return s
}

func (s sold) free(sku, site string) decimal.Decimal {
	return s.onHand[place{sku, site}].Sub(s.promised[place{sku, site}])
}

// tolerance is by how much Odoo's total may differ from the shop's: its versions
// round taxes differently by a cent or two.
var tolerance = decimal.New(2, -2)

func (o order) equals(c Content) bool {
	if o.fraction || len(o.units) != len(c.Units) {
		return false
	}
	for sku, n := range c.Units {
		if o.units[sku] != n {
			return false
		}
	}
	return o.costs(c)
}

func (o order) costs(c Content) bool {
	return o.total.Sub(amount(c.Total)).Abs().LessThanOrEqual(tolerance)
}

func names(orders []order) string {
	var out []string
	for _, o := range orders {
		out = append(out, fmt.Sprintf("%s (%s)", o.name, o.state))
	}
	return strings.Join(out, ", ")
}

// of returns the sale orders of a purchase. Two shops may give the same number to
// orders of different customers.
func (c *check) of(o Order) []order {
	var out []order
	for _, s := range c.odoo.orders {
		if w, ok := c.purchase(s); ok && w.Name() == o.Name() {
			out = append(out, s)
		}
	}
	return out
}

// purchase finds what a sale order was made for.
func (c *check) purchase(s order) (Order, bool) {
	for _, o := range c.story.Orders {
		if o.Number == s.ref && strings.EqualFold(o.Email, s.email) {
			return o, true
		}
	}
	return Order{}, false
}

// strangers finds sale orders of purchases nobody made.
func (c *check) strangers() {
	for _, s := range c.odoo.orders {
		if _, ok := c.purchase(s); !ok {
			c.wrong("", "sale order %s stands in Odoo for the reference %q of %q, a purchase nobody made", s.name, s.ref, s.email)
		}
	}
}

// partners finds more customers of one e-mail address than bought by it: of each shop
// one with an account and one guest.
func (c *check) partners(odoo Holds) {
	bought := map[string]map[string]bool{}
	for _, o := range c.story.Orders {
		mail := strings.ToLower(o.Email)
		if bought[mail] == nil {
			bought[mail] = map[string]bool{}
		}
		bought[mail][fmt.Sprint(o.Shop, o.Guest)] = !o.Test || bought[mail][fmt.Sprint(o.Shop, o.Guest)]
	}
	seen := map[string]string{}
	for _, r := range odoo.Rows("res.partner") {
		mail := strings.ToLower(text(r["email"]))
		if mail == "" || id(r["parent_id"]) != 0 {
			continue
		}
		seen[mail] = strings.TrimPrefix(seen[mail]+", "+fmt.Sprint(r["id"]), ", ")
		who := 0
		for _, real := range bought[mail] {
			if real {
				who++
			}
		}
		if n := strings.Count(seen[mail], ",") + 1; n > max(who, 1) {
			c.wrong("", "customers %s in Odoo are all %s, by which %d bought", seen[mail], mail, who)
		}
	}
}

// products finds products nobody in the world made.
func (c *check) products(odoo Holds) {
	seen := map[string]bool{}
	for _, r := range odoo.Rows("product.product") {
		sku := text(r["default_code"])
		if seen[sku] || !slices.ContainsFunc(c.story.Items, func(i Item) bool { return i.SKU == sku }) {
			c.wrong("", "product %v (SKU %q) in Odoo was made by nobody in the world", r["id"], sku)
		}
		seen[sku] = true
	}
}

// oversold goes through the orders that are confirmed in the end, in the order of
// their confirmation: they must never have been more than there was by what the hub
// could know when it promised them. That may have been as early as it heard of them:
// what breaks afterwards was sold before.
func (c *check) oversold() {
	orders := slices.Clone(c.odoo.orders)
	slices.SortStableFunc(orders, func(a, b order) int { return a.confirmed.Compare(b.confirmed) })
	sum := map[place]decimal.Decimal{}
	for _, o := range orders {
		if o.state != "sale" {
			continue
		}
		for _, sku := range sorted(o.units) {
			if !c.stocked(sku) {
				continue
			}
			at := place{sku, o.site}
			sum[at] = sum[at].Add(number(o.units[sku]))
			if there := c.mostAt(at, c.heard(o), o.confirmed); sum[at].GreaterThan(there) {
				c.wrong("", "%s of %s were sold at %s when %s (%s) was confirmed at %s, and there were %s", sum[at], sku, o.site, o.name, o.ref, clock(o.confirmed), there)
			}
		}
	}
}

// heard is when the hub was first told of a sale order's purchase, or when that was
// confirmed, where it was never told.
func (c *check) heard(s order) time.Time {
	if o, ok := c.purchase(s); ok && len(o.Told) > 0 && o.Told[0].At.Before(s.confirmed) {
		return o.Told[0].At
	}
	return s.confirmed
}

// mostAt returns the most that the hub may have taken for what is on hand when it
// promised something between two instants: any count until then that it had not
// surely followed by a later one when that time began.
func (c *check) mostAt(at place, from, to time.Time) decimal.Decimal {
	most := decimal.Zero
	for _, n := range c.story.Stock {
		if n.SKU != at.sku || n.Site != at.site || n.At.Truncate(time.Second).After(to) {
			continue
		}
		if c.by(n.At, quietForPull).Before(from) {
			most = amount(n.OnHand)
		} else {
			most = decimal.Max(most, amount(n.OnHand))
		}
	}
	return most
}

// left returns what people left on hand, and the least there ever was since the first count.
func (c *check) left(at place) (last, least decimal.Decimal) {
	first := true
	for _, n := range c.story.Stock {
		if n.SKU != at.sku || n.Site != at.site {
			continue
		}
		last = amount(n.OnHand)
		if first || last.LessThan(least) {
			first, least = false, last
		}
	}
	return last, least
}

// reserved compares Odoo's stock with the orders and the counts that make it up.
// Where there was less for a while than was sold, Odoo may not have reserved all.
func (c *check) reserved() {
	places := map[place]bool{}
	for _, m := range []map[place]decimal.Decimal{c.odoo.onHand, c.odoo.reserved, c.odoo.promised} {
		for at := range m {
			places[at] = places[at] || c.stocked(at.sku)
		}
	}
	for _, i := range c.story.Items {
		for _, at := range placesOf(places, i.SKU) {
			last, least := c.left(at)
			want, is := c.odoo.promised[at], c.odoo.reserved[at]
			if is.GreaterThan(want) || is.LessThan(decimal.Min(want, least)) {
				c.wrong("", "Odoo has %s of %s reserved at %s, and its confirmed orders are for %s", is, at.sku, at.site, want)
			}
			if is := c.odoo.onHand[at]; !last.Equal(is) {
				c.wrong("", "Odoo has %s of %s on hand at %s, and people left %s there", is, at.sku, at.site, last)
			}
		}
	}
}

func placesOf(all map[place]bool, sku string) []place {
	var out []place
	for at, stocked := range all {
		if stocked && at.sku == sku {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, func(a, b place) int { return strings.Compare(a.site, b.site) })
	return out
}

// webhooks demands that whatever a shop sent was acknowledged in the end.
func (c *check) webhooks(shop string, holds Holds) {
	for _, r := range holds.Rows("webhook") {
		status, _ := r["status"].(int)
		if r["state"] == "lost" {
			continue
		}
		if r["state"] != "delivered" || status < 200 || status > 299 {
			c.wrong("", "webhook %v of %s (%v) is %v, answered %v", r["key"], shop, r["topic"], r["state"], r["status"])
		}
	}
}

func sorted(m map[string]int) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func number(n int) decimal.Decimal { return decimal.NewFromInt(int64(n)) }

// id reads a key or a many2one, 0 where it is empty.
func id(v any) int {
	n, _ := v.(int)
	return n
}

func text(v any) string {
	s, _ := v.(string) // an empty text is false in Odoo
	return s
}

// amount reads a number of a row, or a decimal the world tells as text.
func amount(v any) decimal.Decimal {
	switch v := v.(type) {
	case float64:
		return decimal.NewFromFloat(v).Round(6)
	case int:
		return number(v)
	case string:
		return decimal.RequireFromString(v)
	}
	panic(fmt.Sprintf("%v (%T) is no number", v, v))
}
