package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sim/checker"
)

// DemoSummary is what the systems around the hub hold in the end. Every count but
// OrdersIn is read off the stand-ins; Exceptions are those people would see.
type DemoSummary struct {
	OrdersIn            int     `json:"orders_in"`
	OrdersConfirmed     int     `json:"orders_confirmed"`
	OrdersCancelled     int     `json:"orders_cancelled"`
	Exceptions          int     `json:"exceptions"`
	OdooDuplicates      int     `json:"odoo_duplicates"`
	OversoldUnits       int     `json:"oversold_units"`
	StockDifferences    int     `json:"stock_differences"`
	OdooCallsPerOrder   float64 `json:"odoo_calls_per_order"`
	SecondsToFirstOrder float64 `json:"seconds_to_first_order"`
	Seconds             float64 `json:"seconds"`

	Tests   int      `json:"-"` // orders in that are test orders, and so kept out of Odoo
	Planted []string `json:"-"` // the exceptions, each with the plant it comes from
	Wrong   []string `json:"-"` // what must not be; empty when all is well
}

func confirmedOrders(o *odoo.Server) []map[string]any {
	return slices.DeleteFunc(o.Rows("sale.order"), func(row map[string]any) bool { return row["state"] != "sale" })
}

// summary counts what the stand-ins hold and has the checker, which knows nothing
// of the hub, judge it.
func (d *Demo) summary(ctx context.Context) (*DemoSummary, error) {
	shop := d.in.Shops[demoShop]
	s := &DemoSummary{OrdersIn: len(d.plan.Orders), OrdersConfirmed: len(confirmedOrders(d.in.Odoo))}
	live := map[string]int{}
	all := map[string]int{}
	for _, row := range d.in.Odoo.Rows("sale.order") {
		ref := fmt.Sprint(row["client_order_ref"])
		all[ref]++
		if row["state"] != "cancel" {
			live[ref]++
		}
	}
	for _, n := range all {
		s.OdooDuplicates += n - 1
	}
	for _, row := range shop.Rows("order") {
		switch {
		case row["cancelled"] == true && live[fmt.Sprint(row["key"])] == 0:
			s.OrdersCancelled++
		case row["test"] == true:
			s.Tests++
		}
	}
	s.OversoldUnits, s.StockDifferences = d.stock()
	calls := 0
	for _, n := range d.in.Odoo.Calls() {
		calls += n
	}
	s.OdooCallsPerOrder = float64(int(100*float64(calls)/float64(s.OrdersIn)+0.5)) / 100
	open, err := d.hub.store.Book().Exceptions(ctx, false, nil, 1000)
	if err != nil {
		return nil, err
	}
	d.exceptions(open, s)
	story := d.told()
	var listed []checker.Exception
	for _, x := range open {
		listed = append(listed, checker.Exception{Check: x.Check, Order: string(demoShop) + "/" + x.Of.Key, Text: x.Text})
	}
	wrong := checker.Check(d.in.Odoo, map[string]checker.Holds{string(demoShop): shop}, story)
	for _, w := range append(wrong, checker.Exceptions(d.in.Odoo, story, listed)...) {
		s.Wrong = append(s.Wrong, w.String())
	}
	if all := s.OrdersConfirmed + s.OrdersCancelled + s.Tests + s.Exceptions; all != s.OrdersIn {
		s.Wrong = append(s.Wrong, fmt.Sprintf("%d orders came in, and %d are confirmed, cancelled, held by an exception or tests", s.OrdersIn, all))
	}
	s.SecondsToFirstOrder, s.Seconds = seconds(d.firstOrder.Sub(d.o.Started)), seconds(time.Since(d.o.Started))
	return s, nil
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()/10) / 100 }

// stock compares, per item and warehouse, what confirmed orders need with what
// Odoo has on hand and has reserved.
func (d *Demo) stock() (oversold, differences int) {
	type place struct{ product, warehouse any }
	needed, onHand, reserved := map[place]float64{}, map[place]float64{}, map[place]float64{}
	at := map[any]any{} // order → warehouse
	for _, row := range confirmedOrders(d.in.Odoo) {
		at[row["id"]] = row["warehouse_id"]
	}
	goods := map[any]bool{}
	for _, row := range d.in.Odoo.Rows("product.product") {
		goods[row["id"]] = row["is_storable"] == true
	}
	for _, row := range d.in.Odoo.Rows("sale.order.line") {
		if w, ok := at[row["order_id"]]; ok && goods[row["product_id"]] {
			needed[place{row["product_id"], w}] += number(row["product_uom_qty"])
		}
	}
	stock := map[any]any{} // location → warehouse
	for _, row := range d.in.Odoo.Rows("stock.warehouse") {
		stock[row["lot_stock_id"]] = row["id"]
	}
	for _, row := range d.in.Odoo.Rows("stock.quant") {
		if w, ok := stock[row["location_id"]]; ok {
			onHand[place{row["product_id"], w}] += number(row["quantity"])
			reserved[place{row["product_id"], w}] += number(row["reserved_quantity"])
		}
	}
	for p, n := range needed {
		if over := n - onHand[p]; over > 0 {
			oversold += int(over)
		}
		if reserved[p] != n {
			differences++
		}
	}
	for p, n := range reserved {
		if n != 0 && needed[p] == 0 {
			differences++
		}
	}
	return oversold, differences
}

func number(v any) float64 {
	d, err := crossdock.ParseDecimal(fmt.Sprint(v))
	if err != nil {
		return 0
	}
	return d.InexactFloat64()
}

// exceptions holds the hub's open exceptions against those that were planted.
func (d *Demo) exceptions(open []*core.Exception, s *DemoSummary) {
	s.Exceptions = len(open)
	left := maps.Clone(d.plan.Unknown)
	for _, x := range open {
		planted := ""
		for order, sku := range left {
			if strings.HasSuffix(x.ID, "|sku:"+sku) {
				planted = fmt.Sprintf("order %s asks for %s, which nobody sells: %s", order, sku, x.Text)
				delete(left, order)
			}
		}
		if planted == "" {
			s.Wrong = append(s.Wrong, "an exception that was not planted: "+x.Text)
		} else {
			s.Planted = append(s.Planted, planted)
		}
	}
	for order, sku := range left {
		s.Wrong = append(s.Wrong, fmt.Sprintf("order %s asks for %s, which nobody sells, and there is no exception", order, sku))
	}
	slices.Sort(s.Planted)
}

// told is what happened outside, as the checker wants to be told it.
func (d *Demo) told() checker.Story {
	story := checker.Story{}
	land, _ := demoLand()
	stockFor(&land, d.plan.Demand)
	for _, i := range land.Odoo.Items {
		story.Items = append(story.Items, checker.Item{SKU: i.SKU, Stocked: !i.Service})
		for site, n := range land.Odoo.Stock[i.SKU] {
			story.Stock = append(story.Stock, checker.Count{At: d.o.Started, SKU: i.SKU, Site: site, OnHand: n})
		}
	}
	cancelled := map[string]bool{}
	for _, row := range d.in.Shops[demoShop].Rows("order") {
		cancelled[fmt.Sprint(row["key"])] = row["cancelled"] == true
	}
	for _, row := range d.in.Shops[demoShop].Rows("order") {
		number := fmt.Sprint(row["key"])
		units := map[string]int{}
		for _, e := range d.plan.Events {
			if e.Act == "buy" && e.Order == number {
				for _, line := range e.Buy.Lines {
					units[line.SKU] += line.Quantity
				}
			}
		}
		story.Orders = append(story.Orders, checker.Order{
			Shop: string(demoShop), Number: number, Email: fmt.Sprint(row["email"]), Sites: []string{"E", "W"}, Test: row["test"] == true, Cancelled: cancelled[number],
			Contents: []checker.Content{{Units: units, Total: fmt.Sprint(row["total_price"])}},
		})
	}
	return story
}
