package shopify

import (
	"fmt"
	"slices"
	"time"
)

// parcels are the fulfilments and fulfilment orders of an order.
type parcels struct {
	fulfilOrders []*fulfilOrder // as they were made
	fulfilments  []*fulfilment  // as they were made
}

// fulfilOrder is a FulfillmentOrder: what one location still has to send of an
// order. Status is OPEN, IN_PROGRESS (part was sent; Shopify documents no rule
// for it), CLOSED (all was sent) or CANCELLED.
type fulfilOrder struct {
	id               uint64
	order            *order
	location         *location
	lines            []*fulfilLine
	status           string
	created, updated time.Time
}

// fulfilLine is a FulfillmentOrderLineItem. total counts what the location is to
// send and has sent; remaining what it has not sent.
type fulfilLine struct {
	id               uint64
	line             *line
	total, remaining int
}

func (f *fulfilOrder) gid() string { return gid("FulfillmentOrder", f.id) }

func (f *fulfilOrder) open() bool { return f.status == "OPEN" || f.status == "IN_PROGRESS" }

func (f *fulfilOrder) counts() (total, remaining int) {
	for _, l := range f.lines {
		total, remaining = total+l.total, remaining+l.remaining
	}
	return total, remaining
}

// settle derives the status of a fulfilment order whose quantities changed.
func (f *fulfilOrder) settle(now time.Time) {
	f.updated = now
	switch total, remaining := f.counts(); {
	case remaining == 0 && total == 0:
		f.status = "CANCELLED"
	case remaining == 0:
		f.status = "CLOSED"
	case remaining < total:
		f.status = "IN_PROGRESS"
	default:
		f.status = "OPEN"
	}
}

// fulfilment is goods that left one location: a Fulfillment, SUCCESS or CANCELLED.
type fulfilment struct {
	id               uint64
	order            *order
	location         *location
	sequence         int // within the order, from 1
	lines            []fulfilmentLine
	tracking         []tracking
	notified         bool // the customer was told
	cancelled        bool
	created, updated time.Time
}

type fulfilmentLine struct {
	id       uint64
	of       *fulfilLine
	from     *fulfilOrder
	quantity int
}

type tracking struct{ company, number, url string }

func (f *fulfilment) gid() string { return gid("Fulfillment", f.id) }

// name is the order's with a number (webhook sample fulfillments/create: #9999.1).
func (f *fulfilment) name() string { return fmt.Sprintf("%s.%d", f.order.name(), f.sequence) }

func (f *fulfilment) status() string {
	if f.cancelled {
		return "CANCELLED"
	}
	return "SUCCESS"
}

// later gives an id to what follows from an order: fulfilments, bulk operations,
// subscriptions. They are counted apart from Server.id, so that a world in which
// none of them is asked for keeps its ids; all are odd and above 2^54.
func (s *Server) later() uint64 {
	s.lastLater += 2
	return s.lastLater
}

// route gives units of a line to the location that sends them: to its open
// fulfilment order, or to a new one. Goods without stock go with the rest of the
// order, or from the shop's first location; a shop without locations sends nothing.
func (s *Server) route(o *order, l *line, units int) {
	at := s.sender(o, l)
	if at == nil || units == 0 {
		return
	}
	into := slices.IndexFunc(o.fulfilOrders, func(f *fulfilOrder) bool { return f.open() && f.location == at })
	if into < 0 {
		into = len(o.fulfilOrders)
		o.fulfilOrders = append(o.fulfilOrders, &fulfilOrder{id: s.later(), order: o, location: at, created: s.now()})
		s.fulfilOrdersByID[s.lastLater] = o.fulfilOrders[into]
	}
	f := o.fulfilOrders[into]
	of := slices.IndexFunc(f.lines, func(has *fulfilLine) bool { return has.line == l })
	if of < 0 {
		of = len(f.lines)
		f.lines = append(f.lines, &fulfilLine{id: s.later(), line: l})
	}
	f.lines[of].total += units
	f.lines[of].remaining += units
	f.settle(s.now())
}

func (s *Server) sender(o *order, l *line) *location {
	if l.location != nil {
		return l.location
	}
	for _, other := range o.lines {
		if other.location != nil {
			return other.location
		}
	}
	if len(s.locations) > 0 {
		return s.locations[0]
	}
	return nil
}

// unroute takes units of a line that are no longer wanted out of the open
// fulfilment orders, the newest first.
func (s *Server) unroute(o *order, l *line, units int) {
	for _, f := range slices.Backward(o.fulfilOrders) {
		for _, has := range f.lines {
			if less := min(units, has.remaining); has.line == l && f.open() && less > 0 {
				has.total, has.remaining, units = has.total-less, has.remaining-less, units-less
				f.settle(s.now())
			}
		}
	}
}

// sent is how many units of a line have left in fulfilments that stand.
func (o *order) sent(l *line) int {
	n := 0
	for _, f := range o.fulfilments {
		for _, part := range f.lines {
			if part.of.line == l && !f.cancelled {
				n += part.quantity
			}
		}
	}
	return n
}

// shipped is how many units of an order have left, of how many that are wanted.
func (o *order) shipped() (sent, wanted int) {
	for _, l := range o.lines {
		sent, wanted = sent+o.sent(l), wanted+l.current
	}
	return sent, wanted
}

// fulfilled is the displayed status of an order's fulfilment.
func (o *order) fulfilled() string {
	switch sent, wanted := o.shipped(); {
	case sent == 0:
		return "UNFULFILLED"
	case sent < wanted:
		return "PARTIALLY_FULFILLED"
	}
	return "FULFILLED"
}

// fulfilledShort is fulfillment_status of webhooks: null, partial or fulfilled.
func fulfilledShort(sent, wanted int) any {
	switch {
	case sent == 0:
		return nil
	case sent < wanted:
		return "partial"
	}
	return "fulfilled"
}
