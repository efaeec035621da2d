package crossdock

import "time"

// Shipment is goods of one order that leave one site together.
type Shipment struct {
	Order    Ref           `json:"order"`
	Site     Ref           `json:"site,omitzero"`
	State    ShipmentState `json:"state"`
	Lines    []Move        `json:"lines"`
	Carrier  string        `json:"carrier,omitempty"`
	Tracking []string      `json:"tracking,omitempty"`
	Shipped  time.Time     `json:"shipped,omitzero"` // when the goods left
	Kept     Kept          `json:"-"`
}

// Move is a quantity of one item, for one line of an order where there is one.
type Move struct {
	Item     Ref      `json:"item"`
	Line     string   `json:"line,omitempty"` // key of the order's line
	Quantity Quantity `json:"quantity"`
	Lot      string   `json:"lot,omitempty"`
	Kept     Kept     `json:"-"`
}

// ShipmentState is how far a shipment has come.
type ShipmentState string

// The states of a shipment.
const (
	ShipmentWaiting   ShipmentState = "waiting"  // goods are not all there
	ShipmentAssigned  ShipmentState = "assigned" // goods are reserved for it
	ShipmentDone      ShipmentState = "done"
	ShipmentCancelled ShipmentState = "cancelled"
)

// FormOf returns the kind and the version of the form.
func (Shipment) FormOf() (Kind, int) { return KindShipment, 1 }

// Validate reports the first thing a shipment can't be without.
func (s Shipment) Validate() error {
	if err := s.Order.Validate(); err != nil {
		return At("order", err)
	}
	return validMoves("lines", s.Lines)
}

type shipmentFields Shipment

// MarshalJSON writes the known fields and those kept.
func (s Shipment) MarshalJSON() ([]byte, error) { return writeKept(shipmentFields(s), s.Kept) }

// UnmarshalJSON reads a shipment and keeps the fields it does not know.
func (s *Shipment) UnmarshalJSON(b []byte) (err error) {
	*s = Shipment{}
	s.Kept, err = readKept(b, (*shipmentFields)(s))
	return err
}

// validMoves checks the moves of the field named place.
func validMoves(place string, moves []Move) error {
	for i, m := range moves {
		at := place + "[" + itoa(i) + "]."
		if err := m.Item.Validate(); err != nil {
			return At(at+"item", err)
		}
		if m.Quantity.Count.IsNegative() {
			return At(at+"quantity", Errorf(Invalid, "quantity %s is negative", m.Quantity))
		}
	}
	return nil
}

// Fulfilment is the text of the document that tells a channel what left. It is
// frozen when it is issued. The counts told before make it safe to send twice: the
// channel's own counts say whether it was heard.
type Fulfilment struct {
	Order    Ref         `json:"order"`
	Shipment Ref         `json:"shipment"`
	Site     Ref         `json:"site,omitzero"`
	Lines    []Fulfilled `json:"lines"`
	Carrier  string      `json:"carrier,omitempty"`
	Tracking []string    `json:"tracking,omitempty"`
	Kept     Kept        `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Fulfilment) FormOf() (Kind, int) { return KindFulfilment, 1 }

// Validate reports the first thing a fulfilment can't be without.
func (f Fulfilment) Validate() error {
	if err := f.Order.Validate(); err != nil {
		return At("order", err)
	}
	if len(f.Lines) == 0 {
		return At("lines", Errorf(Invalid, "a fulfilment has lines"))
	}
	for i, l := range f.Lines {
		if l.Line == "" || !l.Count.IsPositive() {
			return At("lines["+itoa(i)+"]", Errorf(Invalid, "%s of line %q is nothing that was sent", l.Count, l.Line))
		}
	}
	return nil
}

type fulfilmentFields Fulfilment

// MarshalJSON writes the known fields and those kept.
func (f Fulfilment) MarshalJSON() ([]byte, error) { return writeKept(fulfilmentFields(f), f.Kept) }

// UnmarshalJSON reads a fulfilment and keeps the fields it does not know.
func (f *Fulfilment) UnmarshalJSON(b []byte) (err error) {
	*f = Fulfilment{}
	f.Kept, err = readKept(b, (*fulfilmentFields)(f))
	return err
}

type moveFields Move

// MarshalJSON writes the known fields and those kept.
func (m Move) MarshalJSON() ([]byte, error) { return writeKept(moveFields(m), m.Kept) }

// UnmarshalJSON reads a move and keeps the fields it does not know.
func (m *Move) UnmarshalJSON(b []byte) (err error) {
	*m = Move{}
	m.Kept, err = readKept(b, (*moveFields)(m))
	return err
}
