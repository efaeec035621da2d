package core

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/crossdockhq/crossdock"
)

// judging collects what the checks of one order find and what they read.
type judging struct {
	findings []crossdock.Finding
	facts    map[string]string
}

func (j *judging) find(f *crossdock.Finding) {
	if f != nil {
		j.findings = append(j.findings, *f)
	}
}

func (j *judging) worst() crossdock.Grade {
	worst := crossdock.Grade("")
	for _, f := range j.findings {
		switch {
		case f.Grade == crossdock.Refuse:
			return crossdock.Refuse
		case f.Grade == crossdock.Hold:
			worst = crossdock.Hold
		}
	}
	return worst
}

// judge runs every check on an order, keeps all findings, and promises it where
// nothing holds it back.
func (l *layer) judge(r *Record, o *crossdock.Order) {
	for _, system := range l.setup.Takers(crossdock.KindOrder) {
		l.soon(ViewAt(system, r.Of))
	}
	if r.Judged > 0 {
		l.soon(JudgementAt(r.Of, r.Judged))
	}
	l.sitesSoon(o.Channel)
	freed, held := l.release(r.Of), o.State == crossdock.OrderHeld
	j := &judging{facts: map[string]string{"channel": string(o.Channel), "company": o.Company}}
	o.Findings, o.Site = nil, ""
	j.find(checkTest(o))
	if j.worst() == crossdock.Refuse { // a test order is judged no further: it must not raise exceptions
		j.find(checkTotals(o))
	} else {
		l.found(j, r, o, checkForm(o))
		l.found(j, r, o, checkTotals(o))
		l.checkCustomer(j, r, o)
		l.checkItems(j, r, o)
	}
	if j.worst() == "" {
		l.checkStock(j, r, o)
	}
	o.Findings = j.findings
	for _, check := range judged { // what stands again keeps its exception, and the time to answer it
		if !slices.ContainsFunc(j.findings, func(f crossdock.Finding) bool { return f.Check == check && f.Grade == crossdock.Hold }) {
			l.settled(check, r.Of.Short(), "it was judged again")
		}
	}
	switch j.worst() {
	case crossdock.Refuse:
		move(o, crossdock.OrderRefused)
	case crossdock.Hold:
		move(o, crossdock.OrderHeld)
	default:
		move(o, crossdock.OrderPromised)
		l.promised(r, o)
	}
	if held && o.State != crossdock.OrderHeld {
		l.outOfStockLists(r.Of, o)
	}
	l.keep(r, Judgement{Of: r.Of, Seq: l.seq, At: l.at, Findings: j.findings, Facts: j.facts, Setup: l.setup.Hash, Core: Version})
	l.save(r, o)
	l.say(r.Of.Short() + " is " + string(o.State))
	l.retouch("", r.Of)
	l.freed(freed)
	l.confirmedBefore(r.Of, o)
}

// confirmedBefore moves an order on that a person confirmed in the ERP while something
// held it back here: now that it is promised, what the ERP holds is what was sold.
func (l *layer) confirmedBefore(of crossdock.Ref, o *crossdock.Order) {
	if o.State != crossdock.OrderPromised {
		return
	}
	for _, system := range l.setup.Takers(crossdock.KindOrder) {
		if v := get[View](l, ViewAt(system, of)); v != nil && !v.Gone && !v.Unknown && len(v.Open) == 0 && stateOf(v.Held) == crossdock.OrderConfirmed {
			c := *v
			l.orderHeld(&c, c.Held)
			return
		}
	}
}

// keep writes a judgement, unless the last one came to the same by the same facts.
func (l *layer) keep(r *Record, j Judgement) {
	if r.Judged > 0 {
		if last := get[Judgement](l, JudgementAt(r.Of, r.Judged)); last != nil {
			same := *last
			same.Seq, same.At = j.Seq, j.At
			if reflect.DeepEqual(same, j) {
				return
			}
		}
	}
	l.put(&j)
	r.Judged = l.seq
	l.put(r)
}

// promised says which systems should hold an order, its customer and its addresses.
func (l *layer) promised(r *Record, o *crossdock.Order) {
	bill, ship := crossdock.UseBilling, crossdock.UseDelivery
	if o.BillTo != nil && o.ShipTo != nil && o.BillTo.Norm() == o.ShipTo.Norm() {
		bill, ship = crossdock.UseBoth, crossdock.UseBoth
	}
	o.BillToParty = l.partyFor(o.Customer, o.BillTo, bill)
	o.ShipToParty = l.partyFor(o.Customer, o.ShipTo, ship)
	l.wantIn(o.Customer)
	for _, p := range []crossdock.Ref{o.BillToParty, o.ShipToParty} {
		if p != o.Customer {
			l.wantIn(p)
		}
	}
	l.wantIn(r.Of)
}

// rejudge judges an order again that is not the ERP's yet, because something it
// was held for has changed.
func (l *layer) rejudge(of crossdock.Ref) {
	r := edit[Record](l, RecordAt(of))
	var o crossdock.Order
	if r.Of.IsZero() || r.Body.Unpack(&o) != nil {
		return
	}
	if o.State == crossdock.OrderHeld || o.State == crossdock.OrderReceived {
		l.about(of)
		l.judge(r, &o)
	}
}

func checkTest(o *crossdock.Order) *crossdock.Finding {
	if !o.Test {
		return nil
	}
	return &crossdock.Finding{Check: "test", Grade: crossdock.Refuse, Place: "test", Text: "a test order: it is never sent to the ERP"}
}

func checkForm(o *crossdock.Order) *crossdock.Finding {
	err := o.Validate()
	if err == nil {
		return nil
	}
	f := crossdock.FaultOf(err)
	return &crossdock.Finding{Check: "form", Grade: crossdock.Hold, Place: f.Place, Text: f.Text}
}

// checkTotals adds up what a channel states: lines − discounts must be its
// subtotal, and with charges and tax its total. A subtotal that disagrees alone
// is noted; a total that disagrees would be billed wrongly, so it holds the order.
func checkTotals(o *crossdock.Order) *crossdock.Finding {
	net, charges, tax := crossdock.Decimal{}, crossdock.Decimal{}, crossdock.Decimal{}
	for _, line := range o.Lines {
		net = net.Add(line.Net().Amount)
		for _, t := range line.Taxes {
			tax = tax.Add(t.Amount.Amount)
		}
	}
	for _, c := range o.Charges {
		charges = charges.Add(c.Net().Amount)
		for _, t := range c.Taxes {
			tax = tax.Add(t.Amount.Amount)
		}
	}
	net = net.Sub(o.Discount.Amount)
	total := net.Add(charges)
	if !o.TaxIncluded {
		total = total.Add(tax)
	}
	in := func(d crossdock.Decimal) string { return crossdock.Money{Amount: d, Currency: o.Currency}.String() }
	if o.Totals.Total.Currency != "" && !o.Totals.Total.Amount.Equal(total) {
		return &crossdock.Finding{Check: "totals", Grade: crossdock.Hold, Place: "totals.total",
			Text: fmt.Sprintf("lines after discounts %s, charges %s and tax %s make %s, but the channel states a total of %s", in(net), in(charges), in(tax), in(total), o.Totals.Total)}
	}
	if o.Totals.Subtotal.Currency != "" && !o.Totals.Subtotal.Amount.Equal(net) {
		return &crossdock.Finding{Check: "totals", Grade: crossdock.Note, Place: "totals.subtotal",
			Text: fmt.Sprintf("lines after discounts make %s, but the channel states a subtotal of %s; the total of %s agrees", in(net), o.Totals.Subtotal, o.Totals.Total)}
	}
	return nil
}

// goodName is what waits for a record to become one that can be used.
func goodName(of crossdock.Ref) string { return "good:" + of.Short() }

func (l *layer) checkCustomer(j *judging, r *Record, o *crossdock.Order) {
	var c *Record
	if link := get[Link](l, LinkAt(o.Customer)); link != nil { // it was not known when the order came
		o.Customer = link.To
	}
	waits := "link:" + o.Customer.String()
	if o.Customer.System == crossdock.BookSystem {
		c, waits = l.record(o.Customer), goodName(o.Customer)
	}
	if c != nil && validate(c.Body) == nil {
		j.facts["customer"] = c.Of.Short()
		o.Customer = c.Of
		return
	}
	if !o.Customer.IsZero() {
		l.await(waits, Waiting{Of: r.Of})
	}
	l.hold(j, r, o, crossdock.Finding{Check: "customer", Grade: crossdock.Hold, Place: "customer", Text: "the order names no customer that can be used"}, r.Of.Short())
}

// checkItems finds the item of every line by its SKU: exactly one, or the order
// waits. There is one exception for each unknown SKU, however many orders name it.
func (l *layer) checkItems(j *judging, r *Record, o *crossdock.Order) {
	conn, _ := l.setup.Connection(o.Channel)
	lines := slices.Clone(o.Lines)
	for i := range lines {
		line := &lines[i]
		place := fmt.Sprintf("lines[%d].sku", i)
		name := skuName(line.SKU)
		found := l.named(name)
		line.Item = crossdock.Ref{}
		l.soon(ExceptionAt(key("item", r.Of.Short()+"|"+line.Key)))
		switch {
		case line.Quantity.IsZero() && len(found) != 1:
			l.settled("item", r.Of.Short()+"|"+line.Key, "nothing of it is wanted any more")
		case line.SKU == "":
			l.hold(j, r, o, crossdock.Finding{Check: "item", Grade: crossdock.Hold, Place: place, Text: fmt.Sprintf("line %q of %s has no SKU: give its product one in %s", line.Title, r.Of.Short(), o.Channel)}, r.Of.Short()+"|"+line.Key)
		case len(found) == 0:
			l.hold(j, r, o, crossdock.Finding{Check: "item", Grade: crossdock.Hold, Place: place, Text: itemText(line.SKU, 0, o.Channel)}, name)
			l.await(name, Waiting{Of: r.Of})
		case len(found) > 1:
			l.hold(j, r, o, crossdock.Finding{Check: "item", Grade: crossdock.Hold, Place: place, Text: itemText(line.SKU, len(found), o.Channel)}, name)
			l.await(name, Waiting{Of: r.Of})
		default:
			l.settled("item", r.Of.Short()+"|"+line.Key, "the line has a SKU now")
			line.Item = found[0]
			l.soon(RecordAt(line.Item))
			for _, site := range conn.Sites {
				l.soon(BalanceAt(line.Item, crossdock.BookRef(crossdock.KindSite, site)))
			}
			j.facts[name] = found[0].Short()
		}
	}
	o.Lines = lines
}

// unneeded takes an order off the lists of those who wait for an item it named
// before and does not need any more. A SKU nobody waits for is no trouble.
func (l *layer) unneeded(of crossdock.Ref, before crossdock.Record, o *crossdock.Order) {
	var was crossdock.Order
	if before.Unpack(&was) != nil || was.State != crossdock.OrderHeld {
		return
	}
	waits := func(line crossdock.Line) bool {
		return o.State == crossdock.OrderHeld && slices.ContainsFunc(o.Lines, func(n crossdock.Line) bool {
			return n.Item.IsZero() && !n.Quantity.IsZero() && n.SKU == line.SKU && (n.SKU != "" || n.Key == line.Key)
		})
	}
	for _, line := range was.Lines {
		switch {
		case !line.Item.IsZero() || waits(line):
		case line.SKU == "":
			l.settled("item", of.Short()+"|"+line.Key, "the order does not need it any more")
		case l.unawait(skuName(line.SKU), Waiting{Of: of}):
			l.settled("item", skuName(line.SKU), "no order needs it any more")
		default:
			l.nameAnother(line.SKU, of)
		}
	}
	if o.State != crossdock.OrderHeld {
		l.outOfStockLists(of, &was)
	}
}

// nameAnother has the exception of a SKU that names an order which does not need it
// any more name the one that has waited longest.
func (l *layer) nameAnother(sku string, of crossdock.Ref) {
	old := get[Exception](l, ExceptionAt(key("item", skuName(sku))))
	who, ok := l.foremost(skuName(sku))
	if old == nil || !old.Open() || old.Of != of || !ok {
		return
	}
	r := l.record(who.Of)
	var o crossdock.Order
	if r == nil || r.Body.Unpack(&o) != nil {
		return
	}
	x := *old
	x.Of, x.System, x.Value, x.Place = who.Of, o.Channel, o.Totals.Total, ""
	if i := slices.IndexFunc(o.Lines, func(line crossdock.Line) bool { return line.SKU == sku }); i >= 0 {
		x.Place = fmt.Sprintf("lines[%d].sku", i)
	}
	x.Text = itemText(sku, len(l.named(skuName(sku))), o.Channel)
	l.put(&x)
	l.about(who.Of)
}

// itemText says what is wrong with a SKU that so many items have.
func itemText(sku string, have int, channel crossdock.System) string {
	if have == 0 {
		return fmt.Sprintf("no item has the SKU %q: create it in the ERP or correct it in %s", sku, channel)
	}
	return fmt.Sprintf("%d items have the SKU %q: leave it to one of them", have, sku)
}

// outOfStockLists takes an order off the lists of those who wait for stock.
func (l *layer) outOfStockLists(of crossdock.Ref, o *crossdock.Order) {
	conn, _ := l.setup.Connection(o.Channel)
	for _, line := range o.Lines {
		for _, site := range conn.Sites {
			if !line.Item.IsZero() {
				l.unawait(stockName(line.Item, crossdock.BookRef(crossdock.KindSite, site)), Waiting{Of: of})
			}
		}
	}
}

// checkStock chooses the first site of the channel that has all goods of an order
// and promises them there; an order that fits nowhere waits for stock.
func (l *layer) checkStock(j *judging, r *Record, o *crossdock.Order) {
	conn, _ := l.setup.Connection(o.Channel)
	if len(conn.Sites) == 0 {
		l.hold(j, r, o, crossdock.Finding{Check: "site", Grade: crossdock.Hold, Text: fmt.Sprintf("connection %s has no sites to ship from: list them in crossdock.yaml", o.Channel)}, r.Of.Short())
		return
	}
	needed, unknown := l.goods(o), l.unknownSites(conn)
	var short string
	for _, key := range conn.Sites {
		if slices.Contains(unknown, key) {
			continue
		}
		site := crossdock.BookRef(crossdock.KindSite, key)
		lack := l.lacking(j, site, needed)
		if lack == "" {
			o.Site = key
			l.promise(r.Of, site, needed)
			return
		}
		if short == "" {
			short = lack
		}
	}
	if len(unknown) > 0 {
		l.noSite(j, r, o, unknown)
	}
	if short == "" {
		return
	}
	l.hold(j, r, o, crossdock.Finding{Check: "stock", Grade: crossdock.Hold, Place: "lines", Text: "not enough stock at one site: " + short}, r.Of.Short())
	for _, key := range conn.Sites {
		for _, line := range needed {
			l.await(stockName(line.Item, crossdock.BookRef(crossdock.KindSite, key)), Waiting{Of: r.Of, Needs: line.Count})
		}
	}
}

// goods sums up what has to come out of stock for an order, by item, in the order of its lines.
func (l *layer) goods(o *crossdock.Order) []Promised {
	var out []Promised
	for _, line := range o.Lines {
		var item crossdock.Item
		if rec := l.record(line.Item); rec == nil || rec.Body.Unpack(&item) != nil || !item.Stocked || line.Quantity.IsZero() {
			continue
		}
		i := slices.IndexFunc(out, func(p Promised) bool { return p.Item == line.Item })
		if i < 0 {
			out = append(out, Promised{Item: line.Item, Count: line.Quantity.Count})
		} else {
			out[i].Count = out[i].Count.Add(line.Quantity.Count)
		}
	}
	return out
}

// lacking says what a site is short of, "" when it has everything.
func (l *layer) lacking(j *judging, site crossdock.Ref, needed []Promised) string {
	lack := ""
	for _, line := range needed {
		at, free := BalanceAt(line.Item, site), crossdock.Decimal{}
		if b := get[Balance](l, at); b != nil {
			free = freeOf(b)
		}
		j.facts["free "+at.Key] = free.String()
		if free.LessThan(line.Count) && lack == "" {
			lack = fmt.Sprintf("%s of %s are needed and %s are free at %s", line.Count, line.Item.Key, free, site.Key)
		}
	}
	return lack
}

// found adds the finding of a check about the order alone, if there is one.
func (l *layer) found(j *judging, r *Record, o *crossdock.Order, f *crossdock.Finding) {
	if f != nil && f.Grade == crossdock.Hold {
		l.hold(j, r, o, *f, r.Of.Short())
	} else {
		j.find(f)
	}
}

// hold adds a finding that holds an order and raises its exception.
func (l *layer) hold(j *judging, r *Record, o *crossdock.Order, f crossdock.Finding, subject string) {
	j.find(&f)
	x := Exception{Check: f.Check, Code: crossdock.Invalid, Text: f.Text, Place: f.Place, Of: r.Of, System: o.Channel, Owner: ownerOperator, Value: o.Totals.Total}
	switch f.Check {
	case "stock":
		x.Code = crossdock.NotYet
	case "totals":
		x.Owner = ownerFinance
	}
	l.raise(x, subject)
}
