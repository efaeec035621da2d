package shopify

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// Tax is a tax rate that applies to a product or to shipping: "0.08" is 8 %.
type Tax struct{ Title, Rate string }

// Product is an item the shop sells: one product with one variant.
type Product struct {
	SKU, Title string
	Price      string // a unit's price, in the shop's currency
	Tax        []Tax
	Barcode    string
	Untracked  bool // the shop keeps no stock of it
}

// AddLocation adds a place stock is kept at. The code is how the stand-in's
// words name it; Shopify itself knows only id and name.
func (s *Server) AddLocation(code, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code == "" {
		return fmt.Errorf("a location needs a code")
	}
	if _, err := s.location(code); err == nil {
		return fmt.Errorf("the shop has a location %q already", code)
	}
	s.locations = append(s.locations, &location{id: s.id(), code: code, name: name, updated: s.now()})
	return nil
}

// AddProduct adds a product. It is stocked nowhere until SetAvailable.
func (s *Server) AddProduct(p Product) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.SKU == "" {
		return fmt.Errorf("a product needs a SKU")
	}
	if s.product(p.SKU) != nil {
		return fmt.Errorf("the shop sells a product %q already", p.SKU)
	}
	price, err := amount("price", p.Price)
	if err != nil {
		return fmt.Errorf("product %s: %w", p.SKU, err)
	}
	tax, err := rates(p.Tax)
	if err != nil {
		return fmt.Errorf("product %s: %w", p.SKU, err)
	}
	if p.Title == "" {
		p.Title = p.SKU
	}
	s.products = append(s.products, &product{sku: p.SKU, title: p.Title, price: s.round(price), tax: tax, untracked: p.Untracked,
		barcode: p.Barcode,
		id:      s.id(), variantID: s.id(), itemID: s.id(), created: s.now(), itemUpdate: s.now(), updated: s.now()})
	return nil
}

func rates(taxes []Tax) ([]rate, error) {
	var out []rate
	for _, t := range taxes {
		r, err := decimal.NewFromString(t.Rate)
		if err != nil || r.IsNegative() || r.GreaterThan(decimal.NewFromInt(1)) {
			return nil, fmt.Errorf("tax %q: rate %q is not a decimal from 0 to 1, such as 0.08", t.Title, t.Rate)
		}
		out = append(out, rate{title: t.Title, rate: r})
	}
	return out, nil
}

// SetAvailable is a person who sets a product's available quantity at a
// location. The first time it stocks the product there and tells nobody; a
// change later sends inventory_levels/update.
func (s *Server) SetAvailable(sku, code string, quantity int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.sold(sku)
	if err != nil {
		return err
	}
	at, err := s.location(code)
	if err != nil {
		return err
	}
	l := s.levels[levelKey{p.itemID, at.id}]
	if l == nil {
		s.stock(p, at).available = quantity
		return nil
	}
	if l.available != quantity {
		l.available = quantity
		s.levelChanged(l, s.uuid())
	}
	return nil
}

// SetPrice is a person who changes what a product costs. Orders keep their prices.
func (s *Server) SetPrice(sku, price string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.sold(sku)
	if err != nil {
		return err
	}
	d, err := amount("price", price)
	if err != nil {
		return fmt.Errorf("product %s: %w", sku, err)
	}
	p.price, p.updated = s.round(d), s.now()
	return nil
}

func (s *Server) sold(sku string) (*product, error) {
	if p := s.product(sku); p != nil {
		return p, nil
	}
	known := make([]string, 0, len(s.products))
	for _, p := range s.products {
		known = append(known, p.sku)
	}
	return nil, fmt.Errorf("the shop sells no product %q; it sells %s", sku, list(known))
}

// stock makes the level of a product at a location.
func (s *Server) stock(p *product, at *location) *level {
	l := &level{product: p, location: at, created: s.now(), updated: s.now()}
	s.levels[levelKey{p.itemID, at.id}] = l
	return l
}

// levelChanged stamps a level and tells whoever subscribed.
func (s *Server) levelChanged(l *level, event string) {
	l.updated, l.product.itemUpdate = s.now(), s.now()
	s.tell("inventory_levels/update", s.levelBody(l), "", event)
}

// changed stamps an order. Its updated_at never goes back.
func (s *Server) changed(o *order) {
	if now := s.now(); now.After(o.updated) {
		o.updated = now
	}
	o.updates = append(o.updates, update{s.Clock(), o.updated})
}

// Cancel cancels an order, as its customer would. Money received is refunded,
// an authorization is voided. With restock the goods become available again,
// otherwise they are gone. An order goods of which have left can't be cancelled
// before its fulfilments are. It sends orders/cancelled, orders/updated and, when
// stock came back, inventory_levels/update, all of one event.
func (s *Server) Cancel(name string, restock bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.order(name)
	if err != nil {
		return err
	}
	if !o.cancelled.IsZero() {
		return fmt.Errorf("order %s is cancelled already", o.name())
	}
	if sent, _ := o.shipped(); sent > 0 {
		return fmt.Errorf("goods of order %s have left; cancel its fulfilments first", o.name())
	}
	s.changed(o)
	o.cancelled, o.reason = o.updated, "CUSTOMER"
	back := s.release(o, restock)
	for _, l := range o.lines {
		s.unroute(o, l, l.current)
	}
	if o.received().IsPositive() {
		s.refundAll(o, restock)
	} else if held := o.moved("AUTHORIZATION"); held.IsPositive() {
		o.transactions = append(o.transactions,
			&transaction{id: s.id(), parent: o.transactions[0].id, kind: "VOID", amount: held, at: o.updated})
	}
	event := s.uuid()
	s.tell("orders/cancelled", s.orderBody(o), o.gid(), event)
	s.tell("orders/updated", s.orderBody(o), o.gid(), event)
	for _, l := range back {
		s.levelChanged(l, event)
	}
	return nil
}

// release takes an order's goods out of committed and returns the levels whose
// available changed.
func (s *Server) release(o *order, restock bool) []*level {
	var back []*level
	for _, l := range o.lines {
		at := s.committedAt(l)
		if at == nil || l.current == 0 {
			continue
		}
		at.committed -= l.current
		at.updated, at.product.itemUpdate = s.now(), s.now()
		if restock {
			at.available += l.current
			back = append(back, at)
		}
	}
	return unique(back)
}

func unique(levels []*level) []*level {
	var out []*level
	seen := map[*level]bool{}
	for _, l := range levels {
		if !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return out
}

// committedAt is the level an order line holds stock of, nil for none.
func (s *Server) committedAt(l *line) *level {
	if l.product == nil || l.location == nil {
		return nil
	}
	return s.levels[levelKey{l.product.itemID, l.location.id}]
}

// refundAll gives back everything received. What was current is refunded.
func (s *Server) refundAll(o *order, restock bool) {
	t := &transaction{id: s.id(), parent: o.transactions[0].id, kind: "REFUND", amount: o.received().Sub(o.refunded()), at: o.updated}
	r := &refund{id: s.id(), at: o.updated, restock: restock, transaction: t}
	for _, l := range o.lines {
		if l.current == 0 {
			continue
		}
		tax := decimal.Zero
		for i := range l.tax {
			tax = tax.Add(s.lineTax(l, l.current, i))
		}
		r.lines = append(r.lines, refundLine{id: s.id(), line: l, quantity: l.current,
			subtotal: l.goods(l.current).Sub(s.discount(l, l.current)), tax: tax})
		l.current = 0
	}
	for _, c := range o.carriage {
		c.refunded = true
	}
	o.refunds, o.transactions = append(o.refunds, r), append(o.transactions, t)
}

// Edit sets how many of a product an open order is for, as a person in the
// shop's admin would. Fewer lower the line's current quantity; more raise its
// quantity; a product the order doesn't have becomes a new line; units that have
// left stay. It sends orders/edited, orders/updated and inventory_levels/update,
// of one event.
func (s *Server) Edit(name, sku string, quantity int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.order(name)
	if err != nil {
		return err
	}
	if !o.cancelled.IsZero() {
		return fmt.Errorf("order %s is cancelled and can't be edited", o.name())
	}
	if quantity < 0 {
		return fmt.Errorf("order %s: %d %s can't be ordered", o.name(), quantity, sku)
	}
	var edited *line
	for _, l := range o.lines {
		if l.sku == sku {
			edited = l
		}
	}
	if edited == nil {
		if quantity == 0 {
			return fmt.Errorf("order %s has no line of %q to remove", o.name(), sku)
		}
		if _, err := s.sold(sku); err != nil {
			return err
		}
		if edited, err = s.newLine(Line{SKU: sku, Quantity: quantity}, nil); err != nil {
			return err
		}
		edited.quantity, edited.current = 0, 0
		o.lines = append(o.lines, edited)
	}
	more := quantity - edited.current
	if more == 0 {
		return nil
	}
	if sent := o.sent(edited); quantity < sent {
		return fmt.Errorf("order %s: %d %s have left, only lines not fulfilled can be edited", o.name(), sent, sku)
	}
	edited.grow(more, s)
	if more > 0 {
		s.route(o, edited, more)
	} else {
		s.unroute(o, edited, -more)
	}
	o.edited = true
	s.changed(o)
	event := s.uuid()
	if s.heard("orders/edited") {
		s.tell("orders/edited", s.editBody(o, edited, more), o.gid(), event)
	}
	s.tell("orders/updated", s.orderBody(o), o.gid(), event)
	if at := s.committedAt(edited); at != nil {
		at.available -= more
		at.committed += more
		s.levelChanged(at, event)
	}
	return nil
}

// grow changes a line's current quantity by more, which may be negative. A line
// that grows was ordered in a larger quantity; its discounts stay what they were.
func (l *line) grow(more int, s *Server) {
	if more > 0 && l.current+more > l.quantity {
		left := make([]allocation, len(l.allocated))
		for i, a := range l.allocated {
			left[i] = allocation{discount: a.discount, amount: s.share(a.amount, l, l.current)}
		}
		l.allocated, l.quantity = left, l.current+more
	}
	l.current += more
}

// Pay captures what a pending or authorized order still owes and sends
// orders/updated.
func (s *Server) Pay(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.order(name)
	if err != nil {
		return err
	}
	owed := s.current(o).total.Sub(o.received().Sub(o.refunded()))
	if !o.cancelled.IsZero() || !owed.IsPositive() {
		return fmt.Errorf("order %s owes nothing", o.name())
	}
	s.changed(o)
	t := &transaction{id: s.id(), kind: "SALE", amount: owed, at: o.updated}
	if len(o.transactions) > 0 {
		t.kind, t.parent = "CAPTURE", o.transactions[0].id
	}
	o.transactions = append(o.transactions, t)
	s.tell("orders/updated", s.orderBody(o), o.gid(), s.uuid())
	return nil
}

// zoned writes a time as webhooks do, with the shop's offset.
func (s *Server) zoned(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.In(s.Zone).Format(time.RFC3339)
}

// utc writes a time as GraphQL does.
func utc(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
