package crossdock

import "time"

// Payment is money that moved for an order or an invoice: positive from the
// customer, negative back to them. A gift card is a tender, never a discount.
type Payment struct {
	Order    Ref       `json:"order,omitzero"`
	Invoice  Ref       `json:"invoice,omitzero"`
	Party    Ref       `json:"party,omitzero"`
	Amount   Money     `json:"amount"`
	Gateway  string    `json:"gateway,omitempty"`
	Received time.Time `json:"received"`
	Settled  bool      `json:"settled,omitempty"` // the money moved, not just a reservation of it
	Kept     Kept      `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Payment) FormOf() (Kind, int) { return KindPayment, 1 }

// Validate reports the first thing a payment can't be without.
func (p Payment) Validate() error {
	if err := p.Amount.Validate(); err != nil {
		return At("amount", err)
	}
	if p.Received.IsZero() {
		return At("received", Errorf(Invalid, "a payment has the time it was received"))
	}
	return nil
}

type paymentFields Payment

// MarshalJSON writes the known fields and those kept.
func (p Payment) MarshalJSON() ([]byte, error) { return writeKept(paymentFields(p), p.Kept) }

// UnmarshalJSON reads a payment and keeps the fields it does not know.
func (p *Payment) UnmarshalJSON(b []byte) (err error) {
	*p = Payment{}
	p.Kept, err = readKept(b, (*paymentFields)(p))
	return err
}
