package crossdock

import "strings"

// Quantity is an exact count in a unit of measure ("2 Units", "1.5 kg"). Its text
// form, in JSON too, is the number, a space and the unit (without space around
// it); no unit means pieces as the item counts them. The zero Quantity is the neutral element of Plus.
type Quantity struct {
	Count Decimal
	Unit  string
}

// ParseQuantity reads "2" or "2 Case of 12".
func ParseQuantity(s string) (Quantity, error) {
	count, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	d, err := ParseDecimal(count)
	if err != nil {
		return Quantity{}, err
	}
	return Quantity{d, strings.TrimSpace(unit)}, nil
}

// Plus adds two counts of one unit; adding cases to pieces is an error.
func (q Quantity) Plus(o Quantity) (Quantity, error) {
	switch {
	case q.Unit == "" && q.Count.IsZero():
		return o, nil
	case o.Unit == "" && o.Count.IsZero():
		return q, nil
	case q.Unit != o.Unit:
		return Quantity{}, Errorf(Invalid, "can't add %s to %s: convert one of them first", o, q)
	}
	return Quantity{q.Count.Add(o.Count), q.Unit}, nil
}

// Minus subtracts o, under the rule of Plus.
func (q Quantity) Minus(o Quantity) (Quantity, error) { return q.Plus(o.Negative()) }

// Negative returns the count with its sign turned.
func (q Quantity) Negative() Quantity { return Quantity{q.Count.Neg(), q.Unit} }

// IsZero reports a count of nothing, in whatever unit.
func (q Quantity) IsZero() bool { return q.Count.IsZero() }

// Equal reports the same count of the same unit.
func (q Quantity) Equal(o Quantity) bool {
	return q.Count.Equal(o.Count) && (q.Unit == o.Unit || q.Count.IsZero())
}

// String writes the number without idle zeros, then the unit.
func (q Quantity) String() string {
	if q.Unit == "" {
		return plain(q.Count, 0)
	}
	return plain(q.Count, 0) + " " + q.Unit
}

// MarshalText writes String. A count that UnmarshalText would refuse is refused
// here already.
func (q Quantity) MarshalText() ([]byte, error) {
	if err := checkDecimal(q.Count); err != nil {
		return nil, err
	}
	return []byte(q.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (q *Quantity) UnmarshalText(b []byte) error {
	got, err := ParseQuantity(string(b))
	if err != nil {
		return err
	}
	*q = got
	return nil
}
