package crossdock

import (
	"encoding/json"
	"time"
)

// Order is what a customer asked for in one channel. Everything down to Cancelled
// is the channel's to say; State, Findings and Site are the book's own.
// In a statement Customer and Line.Item are refs of the source; in the book they
// are refs of the book.
type Order struct {
	Number       string        `json:"number"`                 // what people call it in the channel: "1001"
	Channel      System        `json:"channel,omitempty"`      // the connection it came from
	Company      string        `json:"company,omitempty"`      // the company that sells
	Placed       time.Time     `json:"placed"`                 // when the customer ordered
	Currency     string        `json:"currency"`               // of every amount in the order
	Customer     Ref           `json:"customer"`               // sold-to
	BillTo       *Address      `json:"bill_to,omitempty"`      // nil: the customer's own address
	ShipTo       *Address      `json:"ship_to,omitempty"`      // nil: the customer's own address
	BillToParty  Ref           `json:"bill_to_party,omitzero"` // the book's party that stands for BillTo
	ShipToParty  Ref           `json:"ship_to_party,omitzero"` // the book's party that stands for ShipTo
	Lines        []Line        `json:"lines"`                  //
	Charges      []Charge      `json:"charges,omitempty"`      // shipping and fees
	Discount     Money         `json:"discount,omitzero"`      // of the whole order, not yet on a line; positive
	TaxIncluded  bool          `json:"tax_included,omitempty"` // line prices contain tax
	Totals       Totals        `json:"totals"`                 // as the channel states them
	PurchaseCode string        `json:"purchase_code,omitempty"`
	Note         string        `json:"note,omitempty"`
	Test         bool          `json:"test,omitempty"`
	Fulfilled    []Fulfilled   `json:"fulfilled,omitempty"` // what the channel counts as sent, by line
	Cancelled    *Cancellation `json:"cancelled,omitempty"`
	State        OrderState    `json:"state,omitempty"`
	Site         string        `json:"site,omitempty"` // key of the site it ships from
	Findings     []Finding     `json:"findings,omitempty"`
	Kept         Kept          `json:"-"`
}

// Line is one position of an order. Amounts are in the order's currency.
type Line struct {
	Key      string      `json:"key"`                // the channel's key of the line
	SKU      string      `json:"sku"`                // what the channel calls the item
	Item     Ref         `json:"item,omitzero"`      // the book's item
	Title    string      `json:"title,omitempty"`    //
	Quantity Quantity    `json:"quantity"`           // still wanted: without what was refunded or removed
	Price    Money       `json:"price"`              // of one unit before discounts
	Discount Money       `json:"discount,omitzero"`  // of the whole line; positive
	Taxes    []TaxAmount `json:"taxes,omitempty"`    //
	Ships    bool        `json:"ships,omitempty"`    // goods, not a service
	GiftCard bool        `json:"giftcard,omitempty"` // sold as a liability
	Kept     Kept        `json:"-"`
}

// Fulfilled says how much of a line of an order was sent, in the line's unit.
type Fulfilled struct {
	Line   string  `json:"line"` // key of the order's line
	Count  Decimal `json:"count"`
	Before Decimal `json:"before,omitzero"` // in a notice: how much had been told before it
	Kept   Kept    `json:"-"`
}

type fulfilledFields Fulfilled

// MarshalJSON writes the known fields and those kept.
func (f Fulfilled) MarshalJSON() ([]byte, error) { return writeKept(fulfilledFields(f), f.Kept) }

// UnmarshalJSON reads a count, holds it to the bounds of ParseDecimal, and keeps the
// fields it does not know.
func (f *Fulfilled) UnmarshalJSON(b []byte) (err error) {
	*f = Fulfilled{}
	if f.Kept, err = readKept(b, (*fulfilledFields)(f)); err != nil {
		return err
	}
	if err := checkDecimal(f.Count); err != nil {
		return At("count", err)
	}
	return At("before", checkDecimal(f.Before))
}

// Charge is shipping or another fee of an order.
type Charge struct {
	Key      string      `json:"key,omitempty"`
	Code     string      `json:"code,omitempty"`
	Title    string      `json:"title"`
	Price    Money       `json:"price"`
	Discount Money       `json:"discount,omitzero"`
	Taxes    []TaxAmount `json:"taxes,omitempty"`
	Kept     Kept        `json:"-"`
}

// TaxAmount is one tax as the channel computed it. Rate is a share: 0.08 is 8 %.
type TaxAmount struct {
	Title  string  `json:"title"`
	Rate   Decimal `json:"rate"`
	Amount Money   `json:"amount"`
	Kept   Kept    `json:"-"`
}

type taxAmountFields TaxAmount

// MarshalJSON writes the known fields and those kept.
func (t TaxAmount) MarshalJSON() ([]byte, error) { return writeKept(taxAmountFields(t), t.Kept) }

// UnmarshalJSON reads a tax's amount and keeps the fields it does not know. It holds
// the rate to the bounds of ParseDecimal, which a JSON number with an exponent would
// escape.
func (t *TaxAmount) UnmarshalJSON(b []byte) (err error) {
	*t = TaxAmount{}
	if t.Kept, err = readKept(b, (*taxAmountFields)(t)); err != nil {
		return err
	}
	return At("rate", checkDecimal(t.Rate))
}

// Totals are the sums a channel states; they are checked, never trusted.
type Totals struct {
	Subtotal Money `json:"subtotal,omitzero"` // lines after discounts
	Discount Money `json:"discount,omitzero"` // all discounts; positive
	Charges  Money `json:"charges,omitzero"`  // shipping and fees after discounts
	Tax      Money `json:"tax,omitzero"`
	Total    Money `json:"total,omitzero"` // what the customer owes
	Kept     Kept  `json:"-"`
}

// Cancellation says that an order was called off, and when by the channel's clock.
type Cancellation struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	By     System    `json:"by,omitempty"` // the system it was called off in
	Kept   Kept      `json:"-"`
}

// OrderState is how far an order has come in the book.
type OrderState string

// The states of an order; the allowed moves are one table in core/order.go.
const (
	OrderReceived  OrderState = "received"
	OrderHeld      OrderState = "held"      // something must be mended or released first
	OrderRefused   OrderState = "refused"   // never to be fulfilled, for instance a test order
	OrderPromised  OrderState = "promised"  // judged good, stock reserved
	OrderConfirmed OrderState = "confirmed" // the sale order is confirmed in the ERP
	OrderPicking   OrderState = "picking"
	OrderShipped   OrderState = "shipped"
	OrderClosed    OrderState = "closed"
	OrderCancelled OrderState = "cancelled"
	OrderReturned  OrderState = "returned"
)

// Finding is one result of judging a record, with its numbers in the text.
type Finding struct {
	Check string `json:"check"`           // which check: "item", "stock", "totals", "test"
	Grade Grade  `json:"grade"`           //
	Text  string `json:"text"`            // a sentence with the numbers
	Place string `json:"place,omitempty"` // where in the record
	Kept  Kept   `json:"-"`
}

// Grade says what a finding does to the record.
type Grade string

// The grades, mildest first. A passed check leaves no finding in the record.
const (
	Note   Grade = "note"   // to be known, nothing is held back
	Hold   Grade = "hold"   // the record waits
	Refuse Grade = "refuse" // the record ends here
)

// FormOf returns the kind and the version of the form.
func (Order) FormOf() (Kind, int) { return KindOrder, 1 }

// Validate reports the first thing an order can't be without.
func (o Order) Validate() error {
	if o.Number == "" {
		return At("number", Errorf(Invalid, "an order has a number"))
	}
	if err := (Money{Currency: o.Currency}).Validate(); err != nil {
		return At("currency", err)
	}
	if o.Placed.IsZero() {
		return At("placed", Errorf(Invalid, "an order has a time it was placed at"))
	}
	if len(o.Lines) == 0 {
		return At("lines", Errorf(Invalid, "an order has lines"))
	}
	seen := map[string]bool{}
	for i, l := range o.Lines {
		place := "lines[" + itoa(i) + "]"
		if l.Key == "" || seen[l.Key] {
			return At(place, Errorf(Invalid, "a line has a key of its own; %q is empty or there twice", l.Key))
		}
		seen[l.Key] = true
		if err := l.validate(o.Currency); err != nil {
			return At(place, err)
		}
	}
	for i, c := range o.Charges {
		if err := inCurrency(o.Currency, amountsOf(c.Taxes, c.Price, c.Discount)...); err != nil {
			return At("charges["+itoa(i)+"]", err)
		}
	}
	if err := inCurrency(o.Currency, o.Discount); err != nil {
		return At("discount", err)
	}
	return At("totals", inCurrency(o.Currency, o.Totals.Subtotal, o.Totals.Discount, o.Totals.Charges, o.Totals.Tax, o.Totals.Total))
}

func (l Line) validate(currency string) error {
	if l.Quantity.Count.IsNegative() {
		return At("quantity", Errorf(Invalid, "quantity %s is negative", l.Quantity))
	}
	if l.Discount.Amount.IsNegative() {
		return At("discount", Errorf(Invalid, "discount %s is negative: a surcharge is a charge", l.Discount))
	}
	return inCurrency(currency, amountsOf(l.Taxes, l.Price, l.Discount)...)
}

// amountsOf returns amounts and those of the taxes.
func amountsOf(taxes []TaxAmount, amounts ...Money) []Money {
	for _, t := range taxes {
		amounts = append(amounts, t.Amount)
	}
	return amounts
}

// Net returns quantity × price − discount, exactly, in the order's currency.
func (l Line) Net() Money {
	net := l.Price.Times(l.Quantity.Count)
	return Money{net.Amount.Sub(l.Discount.Amount), l.Price.Currency}
}

// Net returns price − discount.
func (c Charge) Net() Money { return Money{c.Price.Amount.Sub(c.Discount.Amount), c.Price.Currency} }

// inCurrency reports the first amount in another currency than the record's. Only
// the zero Money may be without one.
func inCurrency(currency string, amounts ...Money) error {
	for _, m := range amounts {
		if m.Currency != currency && (m.Currency != "" || !m.IsZero()) {
			return Errorf(Invalid, "%s is not in %s, the currency of the record", m, currency)
		}
	}
	return nil
}

type orderFields Order

// MarshalJSON writes the known fields and those kept.
func (o Order) MarshalJSON() ([]byte, error) { return writeKept(orderFields(o), o.Kept) }

// UnmarshalJSON reads an order and keeps the fields it does not know.
func (o *Order) UnmarshalJSON(b []byte) (err error) {
	*o = Order{}
	o.Kept, err = readKept(b, (*orderFields)(o))
	return err
}

type lineFields Line

// MarshalJSON writes the known fields and those kept.
func (l Line) MarshalJSON() ([]byte, error) { return writeKept(lineFields(l), l.Kept) }

// UnmarshalJSON reads a line and keeps the fields it does not know.
func (l *Line) UnmarshalJSON(b []byte) (err error) {
	*l = Line{}
	l.Kept, err = readKept(b, (*lineFields)(l))
	return err
}

type chargeFields Charge

// MarshalJSON writes the known fields and those kept.
func (c Charge) MarshalJSON() ([]byte, error) { return writeKept(chargeFields(c), c.Kept) }

// UnmarshalJSON reads a charge and keeps the fields it does not know.
func (c *Charge) UnmarshalJSON(b []byte) (err error) {
	*c = Charge{}
	c.Kept, err = readKept(b, (*chargeFields)(c))
	return err
}

type totalsFields Totals

// MarshalJSON writes the known fields and those kept.
func (t Totals) MarshalJSON() ([]byte, error) { return writeKept(totalsFields(t), t.Kept) }

// UnmarshalJSON reads the sums and keeps the fields it does not know.
func (t *Totals) UnmarshalJSON(b []byte) (err error) {
	*t = Totals{}
	t.Kept, err = readKept(b, (*totalsFields)(t))
	return err
}

type cancellationFields Cancellation

// MarshalJSON writes the known fields and those kept.
func (c Cancellation) MarshalJSON() ([]byte, error) { return writeKept(cancellationFields(c), c.Kept) }

// UnmarshalJSON reads a cancellation and keeps the fields it does not know.
func (c *Cancellation) UnmarshalJSON(b []byte) (err error) {
	*c = Cancellation{}
	c.Kept, err = readKept(b, (*cancellationFields)(c))
	return err
}

type findingFields Finding

// MarshalJSON writes the known fields and those kept.
func (f Finding) MarshalJSON() ([]byte, error) { return writeKept(findingFields(f), f.Kept) }

// UnmarshalJSON reads a finding and keeps the fields it does not know.
func (f *Finding) UnmarshalJSON(b []byte) (err error) {
	*f = Finding{}
	f.Kept, err = readKept(b, (*findingFields)(f))
	return err
}

var (
	_ Form             = Order{}
	_ json.Unmarshaler = (*Order)(nil)
)
