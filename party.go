package crossdock

import "strings"

// Party is a customer, a contact of one, or one of its addresses (then Parent
// names whose it is).
type Party struct {
	Name    string   `json:"name"`              // of the person, or of the company
	Company string   `json:"company,omitempty"` // the company a person buys for
	IsFirm  bool     `json:"is_firm,omitempty"` // a company, not a person
	Email   string   `json:"email,omitempty"`
	Phone   string   `json:"phone,omitempty"`
	TaxID   string   `json:"tax_id,omitempty"`
	Address Address  `json:"address,omitzero"`
	Parent  Ref      `json:"parent,omitzero"` // set for an address of another party
	Role    PartUse  `json:"role,omitempty"`  // what an address is used for
	Tags    []string `json:"tags,omitempty"`
	Kept    Kept     `json:"-"`
}

// PartUse says what a party with a parent is used for.
type PartUse string

// The uses of an address.
const (
	UseBilling  PartUse = "billing"
	UseDelivery PartUse = "delivery"
	UseBoth     PartUse = "both"
)

// Address is a postal address as a label needs it. Country is ISO 3166-1 alpha-2;
// Region is the code within the country ("KY").
type Address struct {
	Name    string `json:"name,omitempty"`
	Company string `json:"company,omitempty"`
	Street  string `json:"street,omitempty"`
	Street2 string `json:"street2,omitempty"`
	City    string `json:"city,omitempty"`
	Zip     string `json:"zip,omitempty"`
	Region  string `json:"region,omitempty"`
	Country string `json:"country,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Kept    Kept   `json:"-"`
}

// IsZero reports an address that says nothing.
func (a Address) IsZero() bool {
	return len(a.Kept) == 0 && a.Name+a.Company+a.Street+a.Street2+a.City+a.Zip+a.Region+a.Country+a.Phone == ""
}

// Norm returns the address as one line that two spellings of the same place share:
// lower case, single spaces. It is what a key is made of, not what is printed.
func (a Address) Norm() string {
	part := []string{a.Name, a.Company, a.Street, a.Street2, a.City, a.Zip, a.Region, a.Country, a.Phone}
	for i, s := range part {
		part[i] = strings.Join(strings.Fields(strings.ToLower(s)), " ")
	}
	return strings.Join(part, "|")
}

// FormOf returns the kind and the version of the form.
func (Party) FormOf() (Kind, int) { return KindParty, 1 }

// Validate reports the first thing a party can't be without.
func (p Party) Validate() error {
	if strings.TrimSpace(p.Name) == "" {
		return At("name", Errorf(Invalid, "a party has a name"))
	}
	if c := p.Address.Country; c != "" && !isCapitals(c, 2) {
		return At("address.country", Errorf(Invalid, "country %q is not two capital letters (ISO 3166-1)", c))
	}
	return nil
}

type partyFields Party

// MarshalJSON writes the known fields and those kept.
func (p Party) MarshalJSON() ([]byte, error) { return writeKept(partyFields(p), p.Kept) }

// UnmarshalJSON reads a party and keeps the fields it does not know.
func (p *Party) UnmarshalJSON(b []byte) (err error) {
	*p = Party{}
	p.Kept, err = readKept(b, (*partyFields)(p))
	return err
}

type addressFields Address

// MarshalJSON writes the known fields and those kept.
func (a Address) MarshalJSON() ([]byte, error) { return writeKept(addressFields(a), a.Kept) }

// UnmarshalJSON reads an address and keeps the fields it does not know.
func (a *Address) UnmarshalJSON(b []byte) (err error) {
	*a = Address{}
	a.Kept, err = readKept(b, (*addressFields)(a))
	return err
}
