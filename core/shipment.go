package core

import (
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// Delivery is what of one order has left, shipment by shipment.
type Delivery struct {
	Cause     crossdock.Ref `json:"cause"`
	Shipments []Delivered   `json:"shipments"`
}

// Delivered is one shipment of an order.
type Delivered struct {
	Of     crossdock.Ref         `json:"of"`
	Left   bool                  `json:"left,omitempty"`  // its goods are counted as gone: once, and for good
	Lines  []crossdock.Fulfilled `json:"lines,omitempty"` // of the order, with what this shipment sent of each
	Notice crossdock.Ref         `json:"notice,omitzero"` // the document that tells the channel
	Spare  []Promised            `json:"spare,omitempty"` // what left and no line of the order asked for
}

// DeliveryAt returns the address of what has left of an order.
func DeliveryAt(cause crossdock.Ref) Address { return Address{Deliveries, cause.Short()} }

// Address implements Row.
func (r *Delivery) Address() Address { return DeliveryAt(r.Cause) }

// left reports whether goods of an order have left.
func (l *layer) left(of crossdock.Ref) bool {
	d := get[Delivery](l, DeliveryAt(of))
	return d != nil && slices.ContainsFunc(d.Shipments, func(s Delivered) bool { return s.Left })
}

// shortAfter is how long an order may lack goods with no shipment on its way before
// it counts as short: the rest may come in a shipment we have not heard of yet.
const shortAfter = 5 * time.Minute

const shortTimer = "short"

// hearShipment takes in what the ERP says of goods of one of our orders that leave
// together. What becomes of its order is decided by deliver, whichever of the two
// comes first.
func (l *layer) hearShipment(h heardOf, of crossdock.Ref) {
	if l.isChannel(h.from) {
		l.say("nothing to do: what " + string(h.from) + " has sent it says with its order")
		return
	}
	var s crossdock.Shipment
	if err := h.Said.Unpack(&s); err != nil {
		h.Fault = crossdock.FaultOf(err)
		l.unusable(h, of)
		return
	}
	said, order, waits := l.shipmentOf(h, s)
	if waits != "" {
		if theirs, err := crossdock.ParseRef(waits); err == nil {
			l.awaitLink(h, theirs)
		}
		return
	}
	r := &Record{Of: of}
	if of.IsZero() {
		r.Of = l.fresh(h)
		l.link(h.Of, r.Of)
		l.drop(TimerAt(h.Of, unlinkedTimer(h.from)))
		l.settled("record", string(h.from)+"|"+h.Of.String(), "it can be used now")
		l.say("new " + r.Of.Short())
	} else {
		r = edit[Record](l, RecordAt(of))
		r.Of = of
	}
	l.about(r.Of, order)
	_, what, changed := l.merged(h, r.Of, said)
	if what == older || what == unordered {
		return
	}
	d := edit[Delivery](l, DeliveryAt(order))
	if i, known := d.find(r.Of); !known {
		d.Cause, d.Shipments = order, slices.Insert(slices.Clone(d.Shipments), i, Delivered{Of: r.Of})
		l.put(d)
	} else if d.Shipments[i].Left {
		changed = l.frozen(h, r, said, changed)
	}
	if changed = r.Body.Differs(said, changed); len(changed) == 0 {
		l.say("nothing to do: " + r.Of.Short() + " is known")
		return
	}
	l.write(r, r.Body.With(said, changed), changed, h.from)
	l.say(r.Of.Short() + " is " + r.Body.Text("state"))
}

// find returns where a shipment is, or would be.
func (r *Delivery) find(of crossdock.Ref) (int, bool) {
	return slices.BinarySearchFunc(r.Shipments, of, func(s Delivered, of crossdock.Ref) int { return s.Of.Compare(of) })
}

// shipmentOf gives a statement of a shipment the refs of the book. waits names the
// first of its records that the book does not know.
func (l *layer) shipmentOf(h heardOf, s crossdock.Shipment) (said crossdock.Record, order crossdock.Ref, waits string) {
	link := get[Link](l, LinkAt(s.Order))
	if link == nil {
		return said, order, s.Order.String()
	}
	said, order = h.Said.Clone(), link.To
	mustSet(&said, "order", order)
	if site := get[Link](l, LinkAt(s.Site)); site != nil {
		mustSet(&said, "site", site.To)
	} else {
		delete(said.Fields, "site") // a place that is none of our sites
	}
	moves := slices.Clone(s.Lines)
	for i := range moves {
		item := get[Link](l, LinkAt(moves[i].Item))
		if item == nil {
			return said, order, moves[i].Item.String()
		}
		moves[i].Item = item.To
	}
	mustSet(&said, "lines", moves)
	return said, order, ""
}

// frozen leaves out what can't change any more once the goods have left, and tells
// a person when somebody changed it all the same.
func (l *layer) frozen(h heardOf, r *Record, said crossdock.Record, changed crossdock.Fields) crossdock.Fields {
	fixed := crossdock.Fields{"lines", "order", "site", "state"}
	if moved := r.Body.Differs(said, slices.DeleteFunc(slices.Clone(fixed), func(n string) bool { return !changed.Has(n) })); len(moved) > 0 {
		l.raise(Exception{Check: "shipment", Code: crossdock.Conflict, Of: r.Of, System: h.from, Owner: ownerOperator,
			Text: r.Of.Short() + " was changed in " + string(h.from) + " (" + strings.Join(moved, ", ") + ") after its goods had left: what was told of it stands; tell the customer of the difference"}, r.Of.Short())
	}
	return slices.DeleteFunc(slices.Clone(changed), func(n string) bool { return fixed.Has(n) })
}

// noShipment takes in that a shipment was deleted: what has not left will not.
func (l *layer) noShipment(h heardOf, of crossdock.Ref) {
	r := edit[Record](l, RecordAt(of))
	var s crossdock.Shipment
	if r.Of.IsZero() || r.Body.Unpack(&s) != nil || s.State == crossdock.ShipmentDone || s.State == crossdock.ShipmentCancelled {
		l.say("nothing to do: " + of.Short() + " is over")
		return
	}
	body := r.Body.Clone()
	mustSet(&body, "state", crossdock.ShipmentCancelled)
	l.write(r, body, crossdock.Fields{"state"}, h.from)
	l.say(of.Short() + " is cancelled")
}

// deliver brings an order up to date with its shipments: each that is done is
// counted once, its goods leave the ledger and the channel is told. It does nothing
// before the ERP owns the order, and is asked again when it does.
func (l *layer) deliver(of crossdock.Ref) {
	r := edit[Record](l, RecordAt(of))
	var o crossdock.Order
	if r.Of.IsZero() || r.Body.Unpack(&o) != nil || open(o.State) {
		return
	}
	known := get[Delivery](l, DeliveryAt(of))
	if known == nil {
		return
	}
	d := &Delivery{Cause: known.Cause, Shipments: slices.Clone(known.Shipments)}
	moving := false // something is on its way yet
	for i := range d.Shipments {
		var s crossdock.Shipment
		if rec := get[Record](l, RecordAt(d.Shipments[i].Of)); rec == nil || rec.Body.Unpack(&s) != nil {
			continue
		}
		switch {
		case d.Shipments[i].Left:
			l.heardElsewhere(d.Shipments[i].Notice)
		case s.State == crossdock.ShipmentDone:
			l.leave(&o, d, i, s)
			l.put(d)
		case s.State != crossdock.ShipmentCancelled:
			moving = true
		}
	}
	l.progress(r, &o, d, moving)
}

// leave counts the goods of a shipment that are gone: line by line of the order, in
// their order.
func (l *layer) leave(o *crossdock.Order, d *Delivery, i int, s crossdock.Shipment) {
	now := Delivered{Of: d.Shipments[i].Of, Left: true}
	var gone []Promised
	for _, move := range s.Lines {
		count := move.Quantity.Count
		gone = plus(gone, move.Item, count)
		for _, line := range o.Lines {
			if line.Item != move.Item {
				continue
			}
			if n := least(count, line.Quantity.Count.Sub(d.sent(line.Key)).Sub(sentOf(now.Lines, line.Key))); n.IsPositive() {
				now.Lines = sends(now.Lines, line.Key, n)
				count = count.Sub(n)
			}
		}
		if count.IsPositive() {
			now.Spare = plus(now.Spare, move.Item, count)
		}
	}
	l.goodsLeft(d.Cause, gone)
	if c := o.Cancelled; c != nil && (c.By == o.Channel || c.By == "") {
		l.raise(Exception{Check: "late cancel", Code: crossdock.Refused, Of: d.Cause, System: o.Channel, Owner: ownerOperator, Value: o.Totals.Total,
			Text: d.Cause.Short() + " was cancelled in " + string(o.Channel) + " and its goods have left in " + now.Of.Short() + ": arrange a return, or tell the channel"}, d.Cause.Short())
	} else if len(now.Lines) > 0 {
		now.Notice = l.notice(o, d, now, s)
	}
	if len(now.Spare) > 0 {
		l.raise(Exception{Check: "shipment", Code: crossdock.Conflict, Of: now.Of, Owner: ownerOperator,
			Text: now.Of.Short() + " has " + countsOf(now.Spare) + " more than " + d.Cause.Short() + " asks for: agree on it with the customer"}, now.Of.Short())
	}
	d.Shipments[i] = now
	l.about(now.Of)
	l.say(now.Of.Short() + " has left for " + d.Cause.Short())
}

// sent returns how much of a line of the order has left.
func (r *Delivery) sent(line string) (sum crossdock.Decimal) {
	for _, s := range r.Shipments {
		sum = sum.Add(sentOf(s.Lines, line))
	}
	return sum
}

func sentOf(lines []crossdock.Fulfilled, line string) (sum crossdock.Decimal) {
	for _, f := range lines {
		if f.Line == line {
			sum = sum.Add(f.Count)
		}
	}
	return sum
}

func sends(lines []crossdock.Fulfilled, line string, n crossdock.Decimal) []crossdock.Fulfilled {
	for i := range lines {
		if lines[i].Line == line {
			lines[i].Count = lines[i].Count.Add(n)
			return lines
		}
	}
	return append(lines, crossdock.Fulfilled{Line: line, Count: n})
}

func plus(counts []Promised, item crossdock.Ref, n crossdock.Decimal) []Promised {
	for i := range counts {
		if counts[i].Item == item {
			counts[i].Count = counts[i].Count.Add(n)
			return counts
		}
	}
	return append(counts, Promised{Item: item, Count: n})
}

func countsOf(counts []Promised) string {
	var out []string
	for _, c := range counts {
		out = append(out, c.Count.String()+" of "+c.Item.Key)
	}
	return strings.Join(out, ", ")
}

// goodsLeft takes goods that have left out of what a cause is promised. What the stock's
// system had reserved for it leaves with them: free stays as it is until a reading
// shows fewer on hand and fewer reserved, and stays as it is then.
func (l *layer) goodsLeft(cause crossdock.Ref, gone []Promised) {
	p := get[Promise](l, PromiseAt(cause))
	if p == nil {
		return
	}
	c := *p
	c.Lines = nil
	for _, line := range p.Lines {
		n := crossdock.Decimal{}
		for _, g := range gone {
			if g.Item == line.Item {
				n = least(line.Count, g.Count)
			}
		}
		if n.IsPositive() {
			l.unpromise(p, line.Item, n)
		}
		if rest := line.Count.Sub(n); rest.IsPositive() {
			c.Lines = append(c.Lines, Promised{Item: line.Item, Count: rest})
		}
	}
	if len(c.Lines) == 0 {
		l.drop(PromiseAt(cause))
	} else {
		l.put(&c)
	}
}

// unpromise takes a count out of a balance that is gone: of what is still turning
// first, then of what is converted. What is converted leaves with what the reading
// shows as reserved. What is turning no reading shows as reserved, nor as gone: it
// counts as promised until one does.
func (l *layer) unpromise(p *Promise, item crossdock.Ref, n crossdock.Decimal) {
	b := edit[Balance](l, BalanceAt(item, p.Site))
	before := freeOf(b)
	rest := n
	if p.Converted > 0 {
		var turning []Turn
		for _, t := range b.Turning {
			if t.Cause == p.Cause {
				took := least(t.Count, rest)
				t.Count, rest = t.Count.Sub(took), rest.Sub(took)
				b.Leaving = append(b.Leaving[:len(b.Leaving):len(b.Leaving)], Turn{Cause: p.Cause, Count: took, Seq: l.seq})
				l.readAgain(item, p.Site)
				if t.Count.IsZero() {
					continue
				}
			}
			turning = append(turning, t)
		}
		b.Turning, b.Converted = turning, b.Converted.Sub(rest)
	}
	b.Promised = b.Promised.Sub(rest)
	l.put(b)
	if freeOf(b).GreaterThan(before) {
		l.wake(stockName(item, p.Site))
	}
}

// arrived takes what has left out of a balance once a reading shows that: one that
// was asked for when it was known to have left.
func (r *Balance) arrived(after int64) {
	var leaving []Turn
	for _, t := range r.Leaving {
		if t.Seq <= after {
			r.Promised = r.Promised.Sub(t.Count)
		} else {
			leaving = append(leaving, t)
		}
	}
	r.Leaving = leaving
}

// progress moves an order on by its shipments.
func (l *layer) progress(r *Record, o *crossdock.Order, d *Delivery, moving bool) {
	missing := l.missingOf(o, d)
	left := slices.ContainsFunc(d.Shipments, func(s Delivered) bool { return s.Left })
	was := o.State
	switch {
	case o.State == crossdock.OrderCancelled:
		l.drop(TimerAt(r.Of, shortTimer))
		return
	case left && len(missing) == 0 && (was == crossdock.OrderConfirmed || was == crossdock.OrderPicking):
		move(o, crossdock.OrderShipped)
		l.freed(l.release(r.Of)) // of what is wanted no more
		l.settled("short shipped", r.Of.Short(), "all of it has left")
	case was == crossdock.OrderConfirmed && (moving || left):
		move(o, crossdock.OrderPicking)
	}
	timer := get[Timer](l, TimerAt(r.Of, shortTimer))
	switch over := !moving && len(missing) > 0 && (o.State == crossdock.OrderPicking || o.State == crossdock.OrderConfirmed); {
	case !over:
		l.drop(TimerAt(r.Of, shortTimer))
		if moving {
			l.settled("short shipped", r.Of.Short(), "a shipment is on its way again")
		}
	case timer == nil && get[Promise](l, PromiseAt(r.Of)) != nil:
		l.put(&Timer{Of: r.Of, Name: shortTimer, Due: l.at.Add(shortAfter)})
	}
	if o.State != was {
		l.save(r, o)
		l.say(r.Of.Short() + " is " + string(o.State))
		l.retouch("", r.Of)
	}
}

// missingOf lists what of the goods of an order has not left, by item.
func (l *layer) missingOf(o *crossdock.Order, d *Delivery) (out []Promised) {
	for _, line := range o.Lines {
		var item crossdock.Item
		if rec := l.record(line.Item); rec == nil || rec.Body.Unpack(&item) != nil || !item.Stocked {
			continue
		}
		if n := line.Quantity.Count.Sub(d.sent(line.Key)); n.IsPositive() {
			out = plus(out, line.Item, n)
		}
	}
	return out
}

// short gives back what an order was promised and will not get: every shipment of
// it is done or cancelled, and no other came for a while.
func (l *layer) short(of crossdock.Ref) {
	r, d := l.record(of), get[Delivery](l, DeliveryAt(of))
	var o crossdock.Order
	if r == nil || d == nil || r.Body.Unpack(&o) != nil || o.State != crossdock.OrderPicking && o.State != crossdock.OrderConfirmed {
		return
	}
	for _, s := range d.Shipments {
		if rec := get[Record](l, RecordAt(s.Of)); !s.Left && rec != nil && rec.Body.Text("state") != string(crossdock.ShipmentCancelled) {
			return
		}
	}
	missing := l.missingOf(&o, d)
	if len(missing) == 0 {
		return
	}
	l.raise(Exception{Check: "short shipped", Code: crossdock.Conflict, Of: of, Owner: ownerOperator, Value: o.Totals.Total,
		Text: countsOf(missing) + " of " + of.Short() + " will not be shipped: every shipment of it is done or cancelled. Make another, or refund it in " + string(o.Channel) + " and tell the customer"}, of.Short())
	l.freed(l.release(of))
}
