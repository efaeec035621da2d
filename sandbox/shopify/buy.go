package shopify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Address is a postal address as Shopify keeps it.
type Address struct {
	First, Last, Company   string
	Address1, Address2     string
	City, Zip              string
	Province, ProvinceCode string
	Country, CountryCode   string
	Phone                  string
}

// Customer is who buys. The e-mail address says whether the shop knows them.
type Customer struct {
	First, Last, Email, Phone, Company string
	Billing, Shipping                  Address // an empty shipping address is the billing address
}

// Line is one line of a purchase.
type Line struct {
	SKU      string
	Quantity int
	Price    string // a unit's price; "" is the product's
	Title    string // "" is the product's, or the SKU
	Discount string // money a person took off this line
	Location string // code of the location that will send it; "" is the purchase's
}

// Shipping is how an order is sent. A price of "" and no title is no shipping line.
type Shipping struct {
	Title, Code, Price string
	Tax                []Tax
}

// Discount is taken off all lines: an amount of money, or a percentage such as "10".
type Discount struct{ Code, Amount, Percent string }

// Buy is a purchase.
type Buy struct {
	Order    string   // its number, such as "1002"; "" is the next one
	Customer Customer // zero is Ada Lee of Los Angeles
	Guest    bool     // the customer buys without an account: the order names no customer
	Lines    []Line
	Shipping Shipping
	Discount Discount
	Location string // code of the location that will send it; "" is the first that has enough
	Payment  string // "paid" (also ""), "authorized" or "pending"
	Note, PO string
	Tags     []string
	Test     bool
}

// Ada is who buys when nobody is named.
func Ada() Customer {
	return Customer{First: "Ada", Last: "Lee", Email: "ada@example.org", Phone: "+12135550142", Billing: Address{
		First: "Ada", Last: "Lee", Address1: "12 Orchard Way", City: "Los Angeles", Zip: "90012", Phone: "+12135550142",
		Province: "California", ProvinceCode: "CA", Country: "United States", CountryCode: "US"}}
}

// Buy makes an order and returns its gid, whose tail is the order's number. Its
// goods move from available to committed, below zero when the shop sold more
// than it has. A SKU the shop doesn't sell becomes a line without a product. It
// sends orders/create and, for each level that changed, inventory_levels/update,
// all of one event.
func (s *Server) Buy(b Buy) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.newOrder(b)
	if err != nil {
		return "", fmt.Errorf("buying order %q: %w", b.Order, err)
	}
	s.lastNumber = max(s.lastNumber, o.number)
	s.orders, s.byNumber[o.number] = append(s.orders, o), o
	o.updates = []update{{s.Clock(), o.updated}}
	for _, l := range o.lines {
		s.route(o, l, l.quantity)
	}
	event := s.uuid()
	s.tell("orders/create", s.orderBody(o), o.gid(), event)
	var touched []*level
	for _, l := range o.lines {
		if at := s.committedAt(l); at != nil {
			at.available -= l.quantity
			at.committed += l.quantity
			touched = append(touched, at)
		}
	}
	for _, at := range unique(touched) {
		s.levelChanged(at, event)
	}
	return o.gid(), nil
}

func (s *Server) newOrder(b Buy) (*order, error) {
	number, err := s.number(b.Order)
	if err != nil {
		return nil, err
	}
	if len(b.Lines) == 0 {
		return nil, fmt.Errorf("nothing is bought")
	}
	now := s.now()
	o := &order{id: uint64(number), number: number, created: now, updated: now, test: b.Test, note: b.Note, po: b.PO,
		tags: b.Tags, token: strings.ReplaceAll(s.uuid(), "-", ""), confirmation: strings.ToUpper(s.uuid()[:9])}
	var at *location
	if b.Location != "" {
		if at, err = s.location(b.Location); err != nil {
			return nil, err
		}
	}
	for _, want := range b.Lines {
		from := at
		if want.Location != "" {
			if from, err = s.location(want.Location); err != nil {
				return nil, err
			}
		}
		l, err := s.newLine(want, from)
		if err != nil {
			return nil, err
		}
		if err := s.takeOff(o, l, want.Discount); err != nil {
			return nil, err
		}
		o.lines = append(o.lines, l)
	}
	if err := s.discountAll(o, b.Discount); err != nil {
		return nil, err
	}
	if err := s.ship(o, b.Shipping); err != nil {
		return nil, err
	}
	o.original = s.ordered(o).total
	if err := s.pay(o, b.Payment); err != nil {
		return nil, err
	}
	s.sell(o, b)
	return o, nil
}

// number is the order's number, which must be free.
func (s *Server) number(name string) (int, error) {
	if name == "" {
		return s.lastNumber + 1, nil
	}
	n, err := strconv.Atoi(bare(name))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("an order is named by its number, such as 1002")
	}
	if s.byNumber[n] != nil {
		return 0, fmt.Errorf("the shop has it already")
	}
	return n, nil
}

// newLine makes a line and finds where its goods are: at the location given, or
// at the first that has enough, or at the first that stocks it at all.
func (s *Server) newLine(want Line, at *location) (*line, error) {
	if want.Quantity < 1 {
		return nil, fmt.Errorf("%d %q can't be bought", want.Quantity, want.SKU)
	}
	l := &line{id: s.id(), sku: want.SKU, title: want.Title, product: s.product(want.SKU), quantity: want.Quantity, current: want.Quantity}
	if l.product != nil {
		l.unit, l.tax = l.product.price, l.product.tax
		if l.title == "" {
			l.title = l.product.title
		}
		if !l.product.untracked {
			l.location = s.source(l.product, want.Quantity, at)
		}
	} else if l.title == "" {
		l.title = want.SKU
	}
	if want.Price != "" {
		price, err := amount("price", want.Price)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", want.SKU, err)
		}
		l.unit = s.round(price)
	}
	return l, nil
}

func (s *Server) source(p *product, quantity int, at *location) *location {
	var first *location
	for _, place := range s.locations {
		l := s.levels[levelKey{p.itemID, place.id}]
		if l == nil || l.inactive || (at != nil && place != at) {
			continue
		}
		if l.available >= quantity {
			return place
		}
		if first == nil {
			first = place
		}
	}
	return first
}

// takeOff gives a line a discount of its own.
func (s *Server) takeOff(o *order, l *line, text string) error {
	off, err := amount("discount", text)
	if err != nil {
		return fmt.Errorf("%s: %w", l.sku, err)
	}
	off = s.round(off)
	if off.IsZero() {
		return nil
	}
	if off.GreaterThan(l.goods(l.quantity)) {
		return fmt.Errorf("%s: a discount of %s is more than the line's %s", l.sku, off, l.goods(l.quantity))
	}
	l.allocated = append(l.allocated, allocation{discount: len(o.discounts), amount: off})
	o.discounts = append(o.discounts, discount{title: "Price adjusted", amount: off, line: true})
	return nil
}

// discountAll spreads an order's discount over its lines by what they cost; the
// last line that costs anything takes what rounding leaves.
func (s *Server) discountAll(o *order, d Discount) error {
	off, err := amount("discount", d.Amount)
	if err != nil {
		return err
	}
	percent, err := amount("percentage", d.Percent)
	if err != nil {
		return err
	}
	if off.IsZero() == percent.IsZero() {
		if off.IsZero() {
			return nil
		}
		return fmt.Errorf("a discount is an amount or a percentage, not both")
	}
	base := s.ordered(o).subtotal
	if percent.IsPositive() {
		off = base.Mul(percent).Div(decimal.NewFromInt(100))
	}
	if off = s.round(off); off.GreaterThan(base) {
		return fmt.Errorf("a discount of %s is more than the goods' %s", off, base)
	}
	s.spread(o, off, base)
	o.discounts = append(o.discounts, discount{code: d.Code, title: d.Code, amount: off, percent: percent})
	return nil
}

func (s *Server) spread(o *order, off, base decimal.Decimal) {
	left, rest := off, base
	for _, l := range o.lines {
		net := l.goods(l.quantity).Sub(s.discount(l, l.quantity))
		if net.IsZero() {
			continue
		}
		part := s.round(left.Mul(net).Div(rest))
		l.allocated = append(l.allocated, allocation{discount: len(o.discounts), amount: part})
		left, rest = left.Sub(part), rest.Sub(net)
	}
}

func (s *Server) ship(o *order, by Shipping) error {
	if by.Price == "" && by.Title == "" {
		return nil
	}
	price, err := amount("shipping", by.Price)
	if err != nil {
		return err
	}
	tax, err := rates(by.Tax)
	if err != nil {
		return fmt.Errorf("shipping: %w", err)
	}
	if by.Title == "" {
		by.Title = "Standard"
	}
	if by.Code == "" {
		by.Code = by.Title
	}
	o.carriage = []*carriage{{id: s.id(), title: by.Title, code: by.Code, price: s.round(price), tax: tax}}
	return nil
}

func (s *Server) pay(o *order, how string) error {
	kind := map[string]string{"": "SALE", "paid": "SALE", "authorized": "AUTHORIZATION"}[how]
	if kind == "" && how != "pending" {
		return fmt.Errorf("payment %q is none of paid, authorized, pending", how)
	}
	if kind != "" && o.original.IsPositive() {
		o.transactions = []*transaction{{id: s.id(), kind: kind, amount: o.original, at: o.created}}
	}
	return nil
}

// sell says who bought.
func (s *Server) sell(o *order, b Buy) {
	who := b.Customer
	if who == (Customer{}) {
		who = Ada()
	}
	o.email, o.phone = who.Email, who.Phone
	if who.Billing != (Address{}) {
		o.billing = who.address(who.Billing)
	}
	o.shipping = o.billing
	if who.Shipping != (Address{}) {
		o.shipping = who.address(who.Shipping)
	}
	if !b.Guest && who.Email != "" {
		o.customer = s.known(who)
	}
}

// address fills what an address doesn't say from the customer.
func (c Customer) address(a Address) *Address {
	if a.First == "" && a.Last == "" {
		a.First, a.Last = c.First, c.Last
	}
	if a.Company == "" {
		a.Company = c.Company
	}
	if a.Phone == "" {
		a.Phone = c.Phone
	}
	return &a
}

// known finds a customer by e-mail or makes one; what they say now is kept.
func (s *Server) known(who Customer) *customer {
	at := slices.IndexFunc(s.customers, func(c *customer) bool { return strings.EqualFold(c.Email, who.Email) })
	if at < 0 {
		s.customers = append(s.customers, &customer{id: s.id(), addressID: s.id(), created: s.now()})
		at = len(s.customers) - 1
	}
	c := s.customers[at]
	if c.Customer != who {
		c.Customer, c.updated = who, s.now()
	}
	return c
}
