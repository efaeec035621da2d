package core

import (
	"github.com/crossdockhq/crossdock"
)

// What an entry is going to read hangs on what it has just read: shipment, order,
// promise, item, offer. The rows of the whole way are asked for ahead, so that a few
// rounds to the store load all of them.

// ahead asks for the rows that follow from statements whose links are known.
func (l *layer) ahead(heard []heardOf) {
	for _, h := range heard {
		switch h.Of.Kind {
		case crossdock.KindShipment:
			if link := get[Link](l, linkOf(h, "order")); link != nil {
				l.aheadOrder(link.To)
			}
		case crossdock.KindStock:
			item, site := get[Link](l, linkOf(h, "item")), get[Link](l, linkOf(h, "site"))
			if item == nil {
				continue
			}
			l.soon(RecordAt(item.To))
			if site != nil && l.setup.Owns(h.from, crossdock.KindStock) {
				l.soon(BalanceAt(item.To, site.To))
			}
			l.aheadItem(item.To)
		case crossdock.KindOrder:
			if link := get[Link](l, LinkAt(h.Of)); link != nil {
				l.aheadOrder(link.To)
			}
			l.aheadLines(h)
		}
	}
}

// aheadLines asks for what is offered of the items a channel's order names.
func (l *layer) aheadLines(h heardOf) {
	var o crossdock.Order
	if !l.offersTo(h.from) || h.Said.Unpack(&o) != nil {
		return
	}
	l.soon(OpeningAt(crossdock.BookRef(crossdock.KindOrder, bookKey(h))), PromiseAt(crossdock.BookRef(crossdock.KindOrder, bookKey(h))))
	for _, line := range o.Lines {
		if items := l.named(skuName(line.SKU)); len(items) == 1 {
			l.aheadItem(items[0])
		}
	}
}

// aheadOrder asks for what hangs on an order of the book.
func (l *layer) aheadOrder(of crossdock.Ref) {
	l.soon(DeliveryAt(of), PromiseAt(of), OpeningAt(of), TimerAt(of, shortTimer))
	for _, system := range l.setup.Takers(of.Kind) {
		l.soon(ViewAt(system, of))
	}
	r := get[Record](l, RecordAt(of))
	var o crossdock.Order
	if r == nil || r.Body.Unpack(&o) != nil {
		return
	}
	for _, line := range o.Lines {
		if !line.Item.IsZero() {
			l.soon(RecordAt(line.Item))
			l.aheadItem(line.Item)
		}
	}
	if d := get[Delivery](l, DeliveryAt(of)); d != nil {
		for _, s := range d.Shipments {
			l.soon(RecordAt(s.Of))
			if !s.Notice.IsZero() {
				l.soon(DocumentAt(s.Notice), ViewAt(o.Channel, s.Notice))
			}
		}
	}
}

// aheadItem asks for what the channels offer of an item from the sites they ship
// from: a site that is short holds the others back.
func (l *layer) aheadItem(item crossdock.Ref) {
	for _, channel := range l.setup.Takers(crossdock.KindOffer) {
		l.soon(TallyAt(channel, item))
		conn, _ := l.setup.Connection(channel)
		for _, key := range conn.Sites {
			site := crossdock.BookRef(crossdock.KindSite, key)
			of := offerRef(item, site, channel)
			l.soon(BalanceAt(item, site), AwaitAt(stockName(item, site)), RecordAt(of), ViewAt(channel, of), WantAt(channel, DoLook, of), WantAt(channel, DoPush, of))
		}
	}
}

// aheadAnswers asks for what hangs on the documents and offers of a result.
func (l *layer) aheadAnswers(r crossdock.Result) {
	for _, c := range r.Receipts {
		switch c.Of.Kind {
		case crossdock.KindOrder:
			l.aheadOrder(c.Of)
		case crossdock.KindOffer:
			l.aheadItem(offeredItem(c.Of))
			l.soon(RecordAt(offeredItem(c.Of)), ExceptionAt(key("conflict", string(r.System)+"|"+c.Of.Short())))
		case crossdock.KindDocument:
			l.soon(ExceptionAt(key("conflict", string(r.System)+"|"+c.Of.Short())), ExceptionAt(key("document", c.Of.Short())))
			d := get[Document](l, DocumentAt(c.Of))
			var f crossdock.Fulfilment
			if d != nil && d.Text.Unpack(&f) == nil {
				l.aheadOrder(f.Order)
			}
		}
	}
}

// linkOf returns the address of the link of a record that a statement refers to.
func linkOf(h heardOf, name string) Address {
	of, _ := crossdock.ParseRef(h.Said.Text(name))
	return LinkAt(of)
}
