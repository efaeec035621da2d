package shopify

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

type location struct {
	id         uint64
	code, name string
	updated    time.Time
}

type product struct {
	sku, title          string
	price               decimal.Decimal
	tax                 []rate
	untracked           bool
	id, variantID       uint64
	itemID              uint64
	barcode             string
	created, itemUpdate time.Time
	updated             time.Time
}

// rate is a tax that applies to something.
type rate struct {
	title string
	rate  decimal.Decimal
}

type levelKey struct{ item, location uint64 }

// level is the stock of one item at one location. on_hand is available +
// committed; the stand-in knows no reserved, damaged, safety or quality stock.
type level struct {
	product              *product
	location             *location
	available, committed int
	inactive             bool
	created, updated     time.Time
}

func (l *level) onHand() int { return l.available + l.committed }

// gid of a level has the item in its query part (webhook inventory_levels/update).
func (l *level) gid() string {
	return fmt.Sprintf("gid://shopify/InventoryLevel/%d?inventory_item_id=%d", l.location.id, l.product.itemID)
}

func (l *level) quantity(name string) (int, bool) {
	switch name {
	case "available":
		return l.available, true
	case "committed":
		return l.committed, true
	case "on_hand":
		return l.onHand(), true
	case "reserved", "damaged", "safety_stock", "quality_control", "incoming":
		return 0, true
	}
	return 0, false
}

type customer struct {
	Customer
	id, addressID    uint64
	created, updated time.Time
}

type order struct {
	id           uint64
	number       int
	token        string
	confirmation string
	customer     *customer // nil for a guest
	email, phone string
	billing      *Address
	shipping     *Address
	lines        []*line
	carriage     []*carriage
	discounts    []discount
	transactions []*transaction
	refunds      []*refund
	note, po     string
	tags         []string
	test, edited bool
	created      time.Time
	updated      time.Time
	cancelled    time.Time // zero: not
	reason       string    // in capitals, as GraphQL writes it
	original     decimal.Decimal
	updates      []update
	parcels
}

// update is a change of an order: what updated_at became, and when the shop did it.
type update struct{ at, updated time.Time }

func (o *order) name() string { return fmt.Sprintf("#%d", o.number) }
func (o *order) gid() string  { return gid("Order", o.id) }

// sequence is the order's count in its shop, which starts below its number
// (webhook samples of 2026-07: number 234, order_number 1234).
func (o *order) sequence() int {
	if o.number > 1000 {
		return o.number - 1000
	}
	return o.number
}

// line is an order line. quantity counts what was ever ordered, current leaves
// out what an edit or a refund took away (schema 2026-07, LineItem).
type line struct {
	id                uint64
	sku, title        string
	product           *product // nil for an item the shop doesn't know
	location          *location
	quantity, current int
	unit              decimal.Decimal
	allocated         []allocation
	tax               []rate
}

// allocation is a discount's share that falls on a line, for its whole quantity.
type allocation struct {
	discount int // index of the order's discount
	amount   decimal.Decimal
}

// carriage is a shipping line.
type carriage struct {
	id          uint64
	title, code string
	price       decimal.Decimal
	tax         []rate
	refunded    bool
}

// discount is a discount application.
type discount struct {
	code, title string          // a code, or a title when a person gave it
	amount      decimal.Decimal // money off
	percent     decimal.Decimal // or a percentage, when not zero
	line        bool            // for chosen lines, each; otherwise across all
}

type transaction struct {
	id, parent uint64
	kind       string // as GraphQL writes it
	amount     decimal.Decimal
	at         time.Time
}

type refund struct {
	id          uint64
	at          time.Time
	lines       []refundLine
	restock     bool
	transaction *transaction
}

type refundLine struct {
	id            uint64
	line          *line
	quantity      int
	subtotal, tax decimal.Decimal
}

func (s *Server) location(code string) (*location, error) {
	for _, l := range s.locations {
		if l.code == code {
			return l, nil
		}
	}
	known := make([]string, 0, len(s.locations))
	for _, l := range s.locations {
		known = append(known, l.code)
	}
	return nil, fmt.Errorf("the shop has no location %q; it has %s", code, list(known))
}

func (s *Server) product(sku string) *product {
	for _, p := range s.products {
		if p.sku == sku {
			return p
		}
	}
	return nil
}

// order finds an order by its name, such as "1002", "#1002" or "order-1002".
func (s *Server) order(name string) (*order, error) {
	if number, err := strconv.Atoi(bare(name)); err == nil && s.byNumber[number] != nil {
		return s.byNumber[number], nil
	}
	return nil, fmt.Errorf("the shop has no order %q", name)
}

func bare(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "#"), "order-")
}

func list(known []string) string {
	if len(known) == 0 {
		return "none"
	}
	return strings.Join(known, ", ")
}
