package crossdock

import (
	"cmp"
	"fmt"
	"strings"
)

// System names a connection ("shop", "odoo") or the hub's own book.
type System string

// BookSystem is the system name of the hub's own records.
const BookSystem System = "book"

// Kind names a kind of record in the singular, lower case.
type Kind string

// The kinds of records. A kind is data: a new one needs a form (see Forms) and
// whatever rules the core has for it, and no change to stores or connectors.
const (
	KindOrder    Kind = "order"
	KindParty    Kind = "party"
	KindItem     Kind = "item"
	KindStock    Kind = "stock"
	KindOffer    Kind = "offer"
	KindSite     Kind = "site"
	KindTax      Kind = "tax"
	KindShipment Kind = "shipment"
	KindInvoice  Kind = "invoice"
	KindPayment  Kind = "payment"
	KindReturn   Kind = "return"
	KindPurchase Kind = "purchase"
	KindDocument Kind = "document"

	KindFulfilment Kind = "fulfilment" // the text of a document
)

// Ref names one record of one system, for instance shop/order/gid://shopify/Order/1001
// or book/order/1001. Keys are opaque strings: a number above 2^53 never passes
// through a float.
type Ref struct {
	System System
	Kind   Kind
	Key    string
}

// BookRef names a record of the book.
func BookRef(kind Kind, key string) Ref { return Ref{System: BookSystem, Kind: kind, Key: key} }

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// String returns system/kind/key; the key may hold further slashes.
func (r Ref) String() string {
	if r.IsZero() {
		return ""
	}
	return string(r.System) + "/" + string(r.Kind) + "/" + r.Key
}

// Short returns kind/key, the way people name a record of the book ("order/1001").
func (r Ref) Short() string { return string(r.Kind) + "/" + r.Key }

// ParseRef reads what String wrote.
func ParseRef(s string) (Ref, error) {
	if s == "" {
		return Ref{}, nil
	}
	part := strings.SplitN(s, "/", 3)
	if len(part) != 3 || part[0] == "" || part[1] == "" || part[2] == "" {
		return Ref{}, Errorf(Invalid, "%q is no reference: write system/kind/key, for instance book/order/1001", s)
	}
	return Ref{System(part[0]), Kind(part[1]), part[2]}, nil
}

// MarshalText writes String, so that a Ref is a JSON string and can be a map key.
// A ref that UnmarshalText would refuse, or read as another, is refused here already.
func (r Ref) MarshalText() ([]byte, error) {
	if r.IsZero() {
		return nil, nil
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (r *Ref) UnmarshalText(b []byte) error {
	got, err := ParseRef(string(b))
	if err != nil {
		return err
	}
	*r = got
	return nil
}

// Compare orders refs by system, kind and key, bytewise.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(cmp.Compare(r.System, o.System), cmp.Compare(r.Kind, o.Kind), cmp.Compare(r.Key, o.Key))
}

// Validate reports what is missing from a ref that must name a record, and a
// slash where only the key may hold one.
func (r Ref) Validate() error {
	if strings.Contains(string(r.System)+string(r.Kind), "/") {
		return Errorf(Invalid, "reference %q has a slash in its system or kind: only a key may hold one", r)
	}
	if r.System == "" || r.Kind == "" || r.Key == "" {
		return Errorf(Invalid, "reference %q names no record: system, kind and key are needed", fmt.Sprintf("%s/%s/%s", r.System, r.Kind, r.Key))
	}
	return nil
}
