package crossdock

import "time"

// Purchase is goods ordered from a supplier: dated supply.
type Purchase struct {
	Number   string    `json:"number"`
	Supplier Ref       `json:"supplier"`
	Site     Ref       `json:"site,omitzero"`
	Lines    []Move    `json:"lines"` // still to come
	Expected time.Time `json:"expected,omitzero"`
	Open     bool      `json:"open,omitempty"` // goods are still to come
	Kept     Kept      `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Purchase) FormOf() (Kind, int) { return KindPurchase, 1 }

// Validate reports the first thing a purchase can't be without.
func (p Purchase) Validate() error {
	if p.Number == "" {
		return At("number", Errorf(Invalid, "a purchase has a number"))
	}
	return validMoves("lines", p.Lines)
}

type purchaseFields Purchase

// MarshalJSON writes the known fields and those kept.
func (p Purchase) MarshalJSON() ([]byte, error) { return writeKept(purchaseFields(p), p.Kept) }

// UnmarshalJSON reads a purchase and keeps the fields it does not know.
func (p *Purchase) UnmarshalJSON(b []byte) (err error) {
	*p = Purchase{}
	p.Kept, err = readKept(b, (*purchaseFields)(p))
	return err
}
