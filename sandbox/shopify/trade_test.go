package shopify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func tradeConfig() TradeConfig {
	return TradeConfig{Seed: 5, Orders: 200, Over: 20 * time.Second, Shipping: "4.90",
		Products:   []Product{{SKU: "A"}, {SKU: "B"}, {SKU: "C"}, {SKU: "D"}, {SKU: "E"}},
		Duplicates: 20, Cancellations: 10, EarlyCancellations: 4, Edits: 6, UnknownSKUs: 3, Tests: 2, Discounts: 9}
}

func TestATradeIsWhatWasAskedFor(t *testing.T) {
	p, err := Trade(tradeConfig())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Trade(tradeConfig())
	if fmt.Sprint(p) != fmt.Sprint(again) {
		t.Error("one seed, two trades")
	}
	for name, n := range map[string][2]int{
		"orders": {len(p.Orders), 200}, "duplicated": {len(p.Duplicated), 20}, "cancelled": {len(p.Cancelled), 10},
		"cancelled early": {len(p.CancelledEarly), 4}, "edited": {len(p.Edited), 6}, "unknown": {len(p.Unknown), 3},
		"tests": {len(p.Tests), 2}, "discounted": {len(p.Discounted), 9}, "events": {len(p.Events), 220},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s, want %d", n[0], name, n[1])
		}
	}
	buyers := map[string]int{}
	lines := map[int]bool{}
	for _, e := range p.Events {
		if e.Act == "buy" {
			buyers[e.Buy.Customer.Email]++
			lines[len(e.Buy.Lines)] = true
		}
	}
	if len(buyers) > 150 || len(buyers) < 60 {
		t.Errorf("%d customers bought", len(buyers))
	}
	for n := 1; n <= 4; n++ {
		if !lines[n] {
			t.Errorf("nobody bought %d lines", n)
		}
	}
}

// The trade is played at its own speed against a stand-in; what arrives is
// counted from the deliveries alone.
func TestATradeArrivesAsPlanned(t *testing.T) {
	c := tradeConfig()
	p, err := Trade(c)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, nil)
	for i := range c.Products {
		c.Products[i].Price = "3.00"
		s.must(s.AddProduct(c.Products[i]))
		s.must(s.SetAvailable(c.Products[i].SKU, "E", p.Demand[c.Products[i].SKU]))
	}
	began := s.now
	var arrived []Delivery
	next := 0
	for next < len(p.Events) || len(s.waiting) > 0 {
		s.now = began.Add(s.now.Sub(began) + 50*time.Millisecond)
		for next < len(p.Events) && p.Events[next].After <= s.now.Sub(began) {
			s.must(s.Act(p.Events[next]))
			next++
		}
		arrived = append(arrived, s.drain(200)...)
	}
	seen := map[string]map[string]int{} // order → topic → place of its first arrival
	creates := 0
	for i, d := range arrived {
		order := d.Header.Get("X-Shopify-Order-Id")
		if order == "" {
			continue
		}
		if d.Topic == "orders/create" {
			creates++
		}
		if seen[order] == nil {
			seen[order] = map[string]int{}
		}
		if _, ok := seen[order][d.Topic]; !ok {
			seen[order][d.Topic] = i
		}
	}
	if len(seen) != 200 || creates != 200+p.Copies {
		t.Errorf("%d orders arrived in %d creations, want 200 in %d", len(seen), creates, 200+p.Copies)
	}
	for order, at := range seen {
		cancelled, ok := at["orders/cancelled"]
		early := slices.Contains(p.CancelledEarly, order)
		if want := early || slices.Contains(p.Cancelled, order); ok != want || (ok && early != (cancelled < at["orders/create"])) {
			t.Errorf("order %s: cancelled %v, arrivals %v, planned early %v", order, ok, at, early)
		}
	}
	for order, sku := range p.Unknown {
		if r := s.row("order", order); !strings.Contains(fmt.Sprint(r["skus"]), sku) {
			t.Errorf("order %s holds %v, not %s", order, r["skus"], sku)
		}
	}
	for _, r := range s.Rows("inventory") {
		if r["available"].(int) < 0 {
			t.Errorf("the demand was more than planned: %v", r)
		}
	}
	for _, order := range p.Edited {
		if s.row("order", order)["edited"] != true {
			t.Errorf("order %s was not edited", order)
		}
	}
	if rows, _ := s.Match("order", map[string]string{"test": "true"}); len(rows) != 2 {
		t.Errorf("%d test orders", len(rows))
	}
}

func TestATradeThatCannotBeIsRefused(t *testing.T) {
	few := tradeConfig()
	few.Orders = 10
	if _, err := Trade(few); err == nil {
		t.Error("ten orders held more than ten plants")
	}
	if _, err := Trade(TradeConfig{Orders: 1}); err == nil {
		t.Error("a trade without products")
	}
	if err := open(t, nil).Act(Event{Act: "steal"}); err == nil {
		t.Error("the world stole")
	}
}

// A trade with all its options: up to eight lines, two locations, lines that are
// changed, added and removed. What the orders are for in the end is counted in
// the shop.
func TestATradeOverTwoPlacesWithChanges(t *testing.T) {
	c := TradeConfig{Seed: 7, Orders: 120, Over: 20 * time.Second, Lines: 8, Locations: []string{"E", "W"}, Edits: 10, Additions: 12, Removals: 14}
	for n := range 10 {
		c.Products = append(c.Products, Product{SKU: fmt.Sprintf("P%d", n), Price: "2.00"})
	}
	p, err := Trade(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Edited) != 10 || len(p.Added) != 12 || len(p.Removed) != 14 || len(p.Events) != 156 {
		t.Errorf("%d edited, %d added to, %d removed from, %d events", len(p.Edited), len(p.Added), len(p.Removed), len(p.Events))
	}
	s := open(t, func(c *Config) { c.Topics = []string{"orders/edited", "orders/updated"} })
	for _, one := range c.Products {
		s.must(s.AddProduct(one))
		for _, code := range c.Locations {
			s.must(s.SetAvailable(one.SKU, code, p.DemandAt[one.SKU+"@"+code]))
		}
	}
	lines, split := map[int]bool{}, 0
	for _, e := range p.Events {
		s.must(s.Act(e))
		if e.Act == "buy" {
			lines[len(e.Buy.Lines)] = true
		}
	}
	for _, o := range s.orders {
		if len(o.fulfilOrders) > 1 {
			split++
		}
	}
	if len(lines) != 8 || split < 30 || split > 100 {
		t.Errorf("%d different numbers of lines, %d orders from two places", len(lines), split)
	}
	for order, sku := range p.Removed {
		o, err := s.order(order)
		s.must(err)
		if at := slices.IndexFunc(o.lines, func(l *line) bool { return l.sku == sku }); o.lines[at].current != 0 || !o.edited {
			t.Errorf("%s is still for %d %s", order, o.lines[at].current, sku)
		}
	}
	for order, sku := range p.Added {
		o, err := s.order(order)
		s.must(err)
		if last := o.lines[len(o.lines)-1]; last.sku != sku || last.current == 0 || len(o.lines) < 2 {
			t.Errorf("%s was not added to %s", sku, order)
		}
	}
	for _, row := range s.Rows("inventory") {
		if row["available"].(int) < 0 {
			t.Errorf("a stock of as much as is asked for is too little: %v", row)
		}
	}
	edited := 0
	for _, d := range s.drain(200) {
		if d.Topic == "orders/edited" {
			edited++
		}
	}
	if edited != 36 {
		t.Errorf("orders/edited came %d times", edited)
	}
	if _, err := Trade(TradeConfig{Orders: 1, Products: c.Products[:1], Additions: 1}); err == nil {
		t.Error("a line of another product was added where there is one product")
	}
}

// The options leave the trade without them what it was.
func TestATradeWithoutOptionsIsWhatItWas(t *testing.T) {
	p, err := Trade(TradeConfig{Seed: 1, Orders: 3, Products: []Product{{SKU: "A"}, {SKU: "B"}, {SKU: "C"}, {SKU: "D"}, {SKU: "E"}}, Edits: 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range p.Events {
		got = append(got, e.Act, e.Order, e.SKU, fmt.Sprint(e.Quantity))
		for _, l := range e.Buy.Lines {
			got = append(got, fmt.Sprintf("%s%d%s", l.SKU, l.Quantity, l.Location))
		}
	}
	if s := strings.Join(got, " "); s != "buy 1001  0 C2 edit 1001 C 3 buy 1002  0 E3 D3 A2 B2 buy 1003  0 C2 E3 B3 A2" {
		t.Errorf("the plan is %s", s)
	}
}
