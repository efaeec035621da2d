package core

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// moves is the life of an order: from each state to those that may follow it.
// docs/concepts/order.md draws it.
var moves = map[crossdock.OrderState][]crossdock.OrderState{
	"":                       {crossdock.OrderReceived, crossdock.OrderCancelled},
	crossdock.OrderReceived:  {crossdock.OrderHeld, crossdock.OrderRefused, crossdock.OrderPromised, crossdock.OrderCancelled},
	crossdock.OrderHeld:      {crossdock.OrderHeld, crossdock.OrderRefused, crossdock.OrderPromised, crossdock.OrderCancelled},
	crossdock.OrderRefused:   {crossdock.OrderRefused, crossdock.OrderHeld, crossdock.OrderPromised, crossdock.OrderCancelled},
	crossdock.OrderPromised:  {crossdock.OrderPromised, crossdock.OrderHeld, crossdock.OrderRefused, crossdock.OrderConfirmed, crossdock.OrderCancelled},
	crossdock.OrderConfirmed: {crossdock.OrderPicking, crossdock.OrderShipped, crossdock.OrderClosed, crossdock.OrderCancelled},
	crossdock.OrderPicking:   {crossdock.OrderShipped, crossdock.OrderCancelled},
	crossdock.OrderShipped:   {crossdock.OrderClosed, crossdock.OrderReturned},
	crossdock.OrderClosed:    {crossdock.OrderReturned},
	crossdock.OrderCancelled: {crossdock.OrderCancelled},
	crossdock.OrderReturned:  {crossdock.OrderClosed},
}

// Moves returns the states that may follow each state of an order.
func Moves() map[crossdock.OrderState][]crossdock.OrderState { return moves }

// move changes the state of an order; a move the table lacks is a defect.
func move(o *crossdock.Order, to crossdock.OrderState) {
	if !slices.Contains(moves[o.State], to) {
		panic(crossdock.Errorf(crossdock.Internal, "an order can't go from %q to %q", o.State, to))
	}
	o.State = to
}

// open reports whether the ERP does not own the order yet: it may be judged again.
func open(s crossdock.OrderState) bool {
	switch s {
	case "", crossdock.OrderReceived, crossdock.OrderHeld, crossdock.OrderRefused, crossdock.OrderPromised:
		return true
	}
	return false
}

// isChannel reports whether a system sends orders, and does not take them.
func (l *layer) isChannel(system crossdock.System) bool {
	return !slices.Contains(l.setup.Takers(crossdock.KindOrder), system)
}

// refNames are the fields of the forms that refer to other records.
var refNames = []string{"customer", "parent", "order", "item", "site", "party"}

// ours replaces the refs of a system in a record by those of the book.
func (l *layer) ours(system crossdock.System, said crossdock.Record) crossdock.Record {
	out := said
	for _, name := range refNames {
		of, err := crossdock.ParseRef(said.Text(name))
		if err != nil || of.System != system {
			continue
		}
		if link := get[Link](l, LinkAt(of)); link != nil {
			if len(out.Fields) > 0 {
				out = out.Clone()
			}
			if err := out.Set(name, link.To); err != nil {
				panic(err)
			}
		}
	}
	return out
}

// hearOrder takes in what a channel, or the ERP, says of an order.
func (l *layer) hearOrder(h heardOf, of crossdock.Ref) {
	if !l.isChannel(h.from) {
		if of.IsZero() {
			l.say("nothing to do: " + h.Of.String() + " is no order of ours")
			return
		}
		l.hearERP(h, of)
		return
	}
	var r *Record
	if of.IsZero() {
		r = &Record{Of: l.fresh(h)}
		l.link(h.Of, r.Of)
		l.say("new " + r.Of.Short())
	} else {
		r = edit[Record](l, RecordAt(of))
	}
	l.about(r.Of, h.Of)
	said := l.ours(h.from, h.Said)
	_, _, changed := l.merged(h, r.Of, said)
	changed = sticky(r.Body, said, changed)
	if len(changed) == 0 {
		return
	}
	body := r.Body.With(said, changed)
	before := r.Body
	l.write(r, body, changed, h.from)
	var o crossdock.Order
	if err := body.Unpack(&o); err != nil {
		h.Fault = crossdock.FaultOf(err)
		l.unusable(h, r.Of)
		return
	}
	l.settled("record", string(h.from)+"|"+h.Of.String(), "it can be used now")
	conn, _ := l.setup.Connection(h.from)
	o.Channel, o.Company = h.from, conn.Company
	r.Company = o.Company
	l.numbered(r, h.from, o.Number)
	l.decideOrder(r, &o, before, changed)
	l.unneeded(r.Of, before, &o)
}

// sticky keeps a cancellation: it is taken from whatever statement says it, also
// one that is older or can't be ordered, and nothing takes it back (I4).
func sticky(have, said crossdock.Record, changed crossdock.Fields) crossdock.Fields {
	_, was := have.Fields["cancelled"]
	_, is := said.Fields["cancelled"]
	switch {
	case was && !is:
		return slices.DeleteFunc(slices.Clone(changed), func(n string) bool { return n == "cancelled" })
	case is && !was && !changed.Has("cancelled"):
		changed = append(slices.Clone(changed), "cancelled")
		slices.Sort(changed)
	}
	return changed
}

// decideOrder does with a new or changed order what its state asks for.
func (l *layer) decideOrder(r *Record, o *crossdock.Order, before crossdock.Record, changed crossdock.Fields) {
	switch {
	case o.State == crossdock.OrderCancelled:
		o.Findings = lasting(o)
		if changed.Has("cancelled") {
			l.settled("called off", r.Of.Short(), "it is cancelled in "+string(o.Channel)+" too")
		}
		l.save(r, o)
		l.say("nothing to do: " + r.Of.Short() + " is cancelled")
	case o.Cancelled != nil:
		l.cancel(r, o)
	case o.State == crossdock.OrderPromised && l.unsure(r.Of):
		keepItems(o, before)
		l.save(r, o)
		l.say(r.Of.Short() + " is judged again once it is known what became of the last push")
	case open(o.State):
		if o.State == "" {
			move(o, crossdock.OrderReceived)
		}
		l.judge(r, o)
	default:
		l.tooLate(r, o, before, changed)
	}
}

// cancel calls an order off: before it was made anywhere this is a tombstone,
// afterwards the systems that hold it are to hold it cancelled.
func (l *layer) cancel(r *Record, o *crossdock.Order) {
	o.Findings = lasting(o)
	if slices.Contains(moves[o.State], crossdock.OrderCancelled) && !l.left(r.Of) {
		move(o, crossdock.OrderCancelled)
		l.forgiven(r.Of, "the order is cancelled")
		l.say(r.Of.Short() + " is cancelled")
	} else {
		l.raise(Exception{Check: "late cancel", Code: crossdock.Refused, Of: r.Of, System: o.Channel, Owner: ownerOperator, Value: o.Totals.Total,
			Text: r.Of.Short() + " was cancelled in " + string(o.Channel) + " after it was " + string(o.State) + ": arrange a return, or tell the channel"}, r.Of.Short())
	}
	var freed *Promise
	if !l.mayHold(r.Of) {
		freed = l.release(r.Of)
	}
	l.save(r, o)
	l.retouch("", r.Of)
	l.freed(freed)
}

// vanished takes in that a channel does not have an order (any more). One the ERP does
// not own yet is called off, and where it was never heard of a tombstone is left: what
// comes late of it makes nothing (I4). One that is sold is for a person.
func (l *layer) vanished(h heardOf, of crossdock.Ref) {
	r := edit[Record](l, RecordAt(of))
	if of.IsZero() {
		r = &Record{Of: l.fresh(h)}
		l.link(h.Of, r.Of)
	}
	var o crossdock.Order
	if !r.Body.IsZero() && r.Body.Unpack(&o) != nil {
		l.gone(h.from, r.Of)
		return
	}
	if !open(o.State) && o.State != crossdock.OrderCancelled {
		l.gone(h.from, r.Of)
		return
	}
	l.about(r.Of, h.Of)
	v := l.view(h.from, r.Of)
	v.Key, v.Gone, v.Unknown, v.Digest, v.AsOf = h.Of.Key, true, false, "", l.at
	l.put(v)
	if o.State == crossdock.OrderCancelled {
		l.say("nothing to do: " + r.Of.Short() + " is cancelled")
		return
	}
	conn, _ := l.setup.Connection(h.from)
	before := r.Body
	o.Channel, o.Company, r.Company = h.from, conn.Company, conn.Company
	o.Cancelled = &crossdock.Cancellation{At: l.at.UTC(), Reason: "deleted in " + string(h.from), By: h.from}
	l.say(string(h.from) + " does not have " + r.Of.Short() + " any more")
	l.cancel(r, &o)
	l.unneeded(r.Of, before, &o)
}

// unsure reports that nobody knows what an ERP holds of an order: a push is on its
// way, or its answer was lost.
func (l *layer) unsure(of crossdock.Ref) bool {
	return l.heldAnywhere(of, func(v *View) bool { return v.Unknown || len(v.Open) > 0 })
}

// mayHold reports that an ERP has goods reserved for an order, or may have: they
// are not promised to another order before it has let go (I6).
func (l *layer) mayHold(of crossdock.Ref) bool {
	return l.unsure(of) || l.heldAnywhere(of, func(v *View) bool { return stateOf(v.Held) == crossdock.OrderConfirmed })
}

func (l *layer) heldAnywhere(of crossdock.Ref, is func(*View) bool) bool {
	return slices.ContainsFunc(l.setup.Takers(crossdock.KindOrder), func(system crossdock.System) bool {
		v := get[View](l, ViewAt(system, of))
		return v != nil && !v.Gone && is(v)
	})
}

// letGo does for an order what had to wait until it was known what an ERP holds of
// it: the goods of a cancelled one are given back, a changed one is judged again.
func (l *layer) letGo(of crossdock.Ref) {
	p := get[Promise](l, PromiseAt(of))
	r := edit[Record](l, RecordAt(of))
	var o crossdock.Order
	if p == nil || r.Of.IsZero() || r.Body.Unpack(&o) != nil {
		return
	}
	switch {
	case o.State == crossdock.OrderCancelled && !l.mayHold(of):
		l.freed(l.release(of))
	case o.State == crossdock.OrderPromised && !l.unsure(of) && changedSince(r, o.Channel, p.Seq):
		l.judge(r, &o)
	}
}

// changedSince reports that a system has changed a record after an entry.
func changedSince(r *Record, by crossdock.System, seq int64) bool {
	return slices.ContainsFunc(slices.Sorted(maps.Keys(r.Set)), func(name string) bool {
		s := r.Set[name]
		return s.System == by && s.Seq > seq
	})
}

// lasting returns the findings that stand in an order that is judged no more: those
// about what the channel said alone.
func lasting(o *crossdock.Order) (found []crossdock.Finding) {
	for _, f := range []*crossdock.Finding{checkTest(o), checkTotals(o)} {
		if f != nil {
			found = append(found, *f)
		}
	}
	return found
}

// judged lists the checks whose exceptions are about one order alone.
var judged = []string{"form", "totals", "customer", "stock", "site"}

// forgiven closes the exceptions about an order that mean nothing once it is cancelled.
func (l *layer) forgiven(of crossdock.Ref, why string) {
	for _, check := range append([]string{"set back", "confirmed there", "changed there", "amount", "late change"}, judged...) {
		l.settled(check, of.Short(), why)
	}
}

// tooLate tells a person about a change in the channel that came after the ERP
// took the order over.
func (l *layer) tooLate(r *Record, o *crossdock.Order, before crossdock.Record, changed crossdock.Fields) {
	keepItems(o, before)
	l.save(r, o)
	for _, system := range l.setup.Takers(crossdock.KindOrder) {
		if v := get[View](l, ViewAt(system, r.Of)); v != nil {
			if total, ok := totalOf(v.Held); ok && agree(total, o.Totals.Total) {
				l.settled("amount", r.Of.Short(), "the totals agree")
			}
		}
	}
	what := slices.DeleteFunc(slices.Clone(taken), func(name string) bool { return !changed.Has(name) })
	if len(what) == 0 {
		l.say("nothing to do: what changed is not the ERP's")
		return
	}
	l.lateChange(r.Of, o, what)
}

// taken lists the fields of an order that the ERP takes over with it.
var taken = crossdock.Fields{"bill_to", "charges", "currency", "customer", "discount", "lines", "ship_to"}

func (l *layer) lateChange(of crossdock.Ref, o *crossdock.Order, what []string) {
	l.raise(Exception{Check: "late change", Code: crossdock.Conflict, Of: of, System: o.Channel, Owner: ownerOperator, Value: o.Totals.Total,
		Text: of.Short() + " was changed in " + string(o.Channel) + " (" + strings.ReplaceAll(strings.Join(what, ", "), "_", "-") + ") after it was " + string(o.State) + ": change it in the ERP too, or cancel it and order anew"}, of.Short())
}

// overtaken tells a person when the ERP confirmed an order as it was before a
// change: one that came while the confirmation, or what was to be written before
// it, was on its way, or that a person's confirming forestalled.
func (l *layer) overtaken(v *View, r *Record, o *crossdock.Order) {
	what := slices.DeleteFunc(slices.Clone(taken), func(name string) bool { return r.Set[name].Seq <= v.Told })
	if len(what) > 0 {
		l.lateChange(r.Of, o, what)
	}
}

// keepItems gives the lines of a changed order the items its SKUs were found to be.
func keepItems(o *crossdock.Order, before crossdock.Record) {
	var was crossdock.Order
	if before.Unpack(&was) != nil {
		return
	}
	items := map[string]crossdock.Ref{}
	for _, line := range was.Lines {
		items[line.SKU] = line.Item
	}
	lines := slices.Clone(o.Lines)
	for i := range lines {
		if lines[i].Item.IsZero() {
			lines[i].Item = items[lines[i].SKU]
		}
	}
	o.Lines = lines
}

// save writes an order back into its record; fields the channel said stay as it said them.
func (l *layer) save(r *Record, o *crossdock.Order) {
	body, err := crossdock.Pack(*o)
	if err != nil {
		panic(err)
	}
	if !body.Equal(r.Body) {
		r.Body = body
		l.write(r, body, nil, crossdock.BookSystem)
	}
}

// hearERP takes in what the system that fulfils an order says of it.
func (l *layer) hearERP(h heardOf, of crossdock.Ref) {
	l.about(of, h.Of)
	if get[Link](l, LinkAt(h.Of)) == nil && h.Of.System != crossdock.BookSystem {
		l.link(h.Of, of)
	}
	had := l.view(h.from, of)
	before := had.Held
	said := l.ours(h.from, h.Said)
	v, _, changed := l.merged(h, of, said)
	l.numberedThere(v)
	if !v.Unknown {
		l.retouch(h.from, of)
	}
	if had.Lost == nil && had.Version != "" && had.Version < v.Version || changed.Has("totals") {
		l.ownDraft(v)
	}
	if len(changed) > 0 && !before.IsZero() {
		l.personChanged(v, before, changed)
	} else if !v.Unknown {
		l.orderHeld(v, before)
	}
	l.letGo(of)
}

// personChanged adopts what somebody did to our order in the ERP, or tells a person.
func (l *layer) personChanged(v *View, before crossdock.Record, changed crossdock.Fields) {
	was, is := stateOf(before), stateOf(v.Held)
	if changed.Has("state") {
		if was == crossdock.OrderCancelled {
			l.takenUp(v, is)
		} else if was == crossdock.OrderConfirmed && is != crossdock.OrderCancelled {
			l.adopted(v)
			l.raise(Exception{Check: "set back", Code: crossdock.Conflict, Of: v.Of, System: v.System, Owner: ownerOperator,
				Text: v.Of.Short() + " was set back to a quotation in " + string(v.System) + ": confirm it there again, or cancel it"}, v.Of.Short())
		} else {
			l.orderHeld(v, before)
		}
	}
	if changed.Has("totals") && !l.draft(v) {
		l.amountsChanged(v, before)
	}
}

// draft reports that an ERP holds an order as a draft, and the book owns it yet.
func (l *layer) draft(v *View) bool {
	var o crossdock.Order
	r := l.record(v.Of)
	return r != nil && r.Body.Unpack(&o) == nil && open(o.State) && !v.Unknown && !v.Gone && open(stateOf(v.Held))
}

// ownDraft has a draft that somebody changed in the ERP written anew before it is
// confirmed: until then the book owns what it says.
func (l *layer) ownDraft(v *View) {
	if !l.draft(v) || v.Asked.IsZero() && v.Doubt.IsZero() {
		return
	}
	v.Asked, v.Doubt = crossdock.Record{}, crossdock.Record{}
	l.put(v)
	l.touch(v.System, v.Of)
	l.say(v.Of.Short() + " was changed in " + string(v.System) + " before it was confirmed: it is written anew")
}

// takenUp tells a person that somebody took up again, in the ERP, an order that was
// cancelled there: the hub leaves it alone.
func (l *layer) takenUp(v *View, is crossdock.OrderState) {
	l.adopted(v)
	word := "set back to a quotation"
	if is == crossdock.OrderConfirmed {
		word = "confirmed"
	}
	l.raise(Exception{Check: "taken up", Code: crossdock.Conflict, Of: v.Of, System: v.System, Owner: ownerOperator,
		Text: v.Of.Short() + " is cancelled, but was " + word + " in " + string(v.System) + " by a person: cancel it there, or agree on it with the customer anew"}, v.Of.Short())
}

func stateOf(held crossdock.Record) crossdock.OrderState {
	return crossdock.OrderState(held.Text("state"))
}

// amountsChanged tells a person that somebody changed the amounts of an order in
// the ERP, unless they come to what the customer agreed to.
func (l *layer) amountsChanged(v *View, before crossdock.Record) {
	var o crossdock.Order
	if r := l.record(v.Of); r == nil || r.Body.Unpack(&o) != nil || o.State == crossdock.OrderCancelled {
		return // of one that is called off no amount is owed
	}
	if total, ok := totalOf(v.Held); ok && agree(total, o.Totals.Total) {
		l.settled("changed there", v.Of.Short(), "the totals agree")
		l.settled("amount", v.Of.Short(), "the totals agree")
		return
	}
	l.raise(Exception{Check: "changed there", Code: crossdock.Conflict, Of: v.Of, System: v.System, Owner: ownerOperator,
		Text: "the amounts of " + v.Of.Short() + " were changed in " + string(v.System) + " from " + stated(before) + " to " + stated(v.Held) + ": tell the customer, or set it right there"}, v.Of.Short())
}

// adopted makes the next want of a view count as held.
func (l *layer) adopted(v *View) {
	v.Adopt = true
	l.put(v)
	l.touch(v.System, v.Of)
}

// orderHeld moves an order on by what the ERP holds of it. What it holds may come
// as the answer to a push of ours: then, too, a person may have been there before.
func (l *layer) orderHeld(v *View, before crossdock.Record) {
	r := edit[Record](l, RecordAt(v.Of))
	var o crossdock.Order
	if r.Of.IsZero() || r.Body.Unpack(&o) != nil {
		return
	}
	was, is := stateOf(before), stateOf(v.Held)
	if is == crossdock.OrderCancelled && was != is && o.State != is {
		l.adopted(v)
		l.calledOff(v.System, v.Of, "was cancelled in "+string(v.System))
		return
	}
	l.checkHeldTotal(v.System, r, &o, v.Held)
	if is != crossdock.OrderConfirmed {
		return
	}
	l.settled("set back", v.Of.Short(), "it is confirmed again")
	switch {
	case o.State == crossdock.OrderPromised:
		move(&o, crossdock.OrderConfirmed)
		l.save(r, &o)
		l.convert(v.Of)
		l.overtaken(v, r, &o)
		l.settled("confirmed there", v.Of.Short(), "it is promised now")
		l.say(v.Of.Short() + " is confirmed in " + string(v.System))
	case was == is:
		return
	case open(o.State):
		l.raise(Exception{Check: "confirmed there", Code: crossdock.Conflict, Of: v.Of, System: v.System, Owner: ownerOperator, Value: o.Totals.Total,
			Text: v.Of.Short() + " was confirmed in " + string(v.System) + " although it is " + string(o.State) + " here: cancel it there, or mend what holds it back"}, v.Of.Short())
	}
	l.retouch("", v.Of)
}

// tolerance is by how much the total of an order in the ERP may differ from the
// channel's: versions of Odoo round taxes differently by a cent or two.
var tolerance = crossdock.Money{Amount: decimalOf("0.02")}

// checkHeldTotal compares the total the ERP computed with what the customer agreed to.
func (l *layer) checkHeldTotal(system crossdock.System, r *Record, o *crossdock.Order, held crossdock.Record) {
	total, ok := totalOf(held)
	if !ok || o.State == crossdock.OrderCancelled {
		return
	}
	if agree(total, o.Totals.Total) {
		l.settled("changed there", r.Of.Short(), "the totals agree")
		l.settled("amount", r.Of.Short(), "the totals agree")
		return
	}
	l.raise(Exception{Check: "amount", Code: crossdock.Conflict, Of: r.Of, System: system, Owner: ownerFinance, Value: o.Totals.Total,
		Text: r.Of.Short() + " comes to " + total.String() + " in " + string(system) + ", but the customer agreed to " + o.Totals.Total.String() + " in " + string(o.Channel) + ": compare taxes and discounts line by line"}, r.Of.Short())
}

// stated writes the total a system states of an order.
func stated(held crossdock.Record) string {
	total, ok := totalOf(held)
	if !ok {
		return "no total"
	}
	return total.String()
}

// totalOf returns the total a system states of an order it holds.
func totalOf(held crossdock.Record) (total crossdock.Money, ok bool) {
	var totals crossdock.Totals
	if json.Unmarshal(held.Fields["totals"], &totals) != nil || totals.Total.Currency == "" {
		return total, false
	}
	return totals.Total, true
}

// agree reports that two totals are the same, within the tolerance.
func agree(a, b crossdock.Money) bool {
	return a.Currency == b.Currency && a.Amount.Sub(b.Amount).Abs().LessThanOrEqual(tolerance.Amount)
}

// calledOff takes over that an order was cancelled or deleted where it is fulfilled.
func (l *layer) calledOff(system crossdock.System, of crossdock.Ref, what string) {
	r := edit[Record](l, RecordAt(of))
	var o crossdock.Order
	if r.Of.IsZero() || r.Body.Unpack(&o) != nil || o.State == crossdock.OrderCancelled {
		return
	}
	o.Cancelled = &crossdock.Cancellation{At: l.at.UTC(), Reason: what, By: system}
	channel, total, before := o.Channel, o.Totals.Total, r.Body
	l.cancel(r, &o)
	l.unneeded(of, before, &o)
	l.raise(Exception{Check: "called off", Code: crossdock.Conflict, Of: of, System: system, Owner: ownerOperator, Value: total,
		Text: of.Short() + " " + what + " by a person: it is not made again. Cancel it in " + string(channel) + " and tell the customer, or order it anew"}, of.Short())
	if o.State == crossdock.OrderCancelled {
		l.callOff(of, channel, of.Short()+" "+what)
	}
}
