package crossdock

// Return is goods on their way back (RMA), and what became of them.
type Return struct {
	Number   string      `json:"number"`
	Order    Ref         `json:"order"`
	State    ReturnState `json:"state"`
	Lines    []Move      `json:"lines"`
	Sellable []Move      `json:"sellable,omitempty"` // what inspection found good to sell again
	Reason   string      `json:"reason,omitempty"`
	Kept     Kept        `json:"-"`
}

// ReturnState is how far a return has come.
type ReturnState string

// The states of a return. Goods can be sold again only once inspected.
const (
	ReturnAnnounced ReturnState = "announced"
	ReturnReceived  ReturnState = "received"
	ReturnInspected ReturnState = "inspected"
	ReturnCancelled ReturnState = "cancelled"
)

// FormOf returns the kind and the version of the form.
func (Return) FormOf() (Kind, int) { return KindReturn, 1 }

// Validate reports the first thing a return can't be without.
func (r Return) Validate() error {
	if err := r.Order.Validate(); err != nil {
		return At("order", err)
	}
	if err := validMoves("sellable", r.Sellable); err != nil {
		return err
	}
	return validMoves("lines", r.Lines)
}

type returnFields Return

// MarshalJSON writes the known fields and those kept.
func (r Return) MarshalJSON() ([]byte, error) { return writeKept(returnFields(r), r.Kept) }

// UnmarshalJSON reads a return and keeps the fields it does not know.
func (r *Return) UnmarshalJSON(b []byte) (err error) {
	*r = Return{}
	r.Kept, err = readKept(b, (*returnFields)(r))
	return err
}
