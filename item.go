package crossdock

import "strconv"

func itoa(i int) string { return strconv.Itoa(i) }

// Item is something that is sold: goods that are kept in stock, goods that are
// not, or a service.
type Item struct {
	SKU     string `json:"sku,omitempty"`
	Barcode string `json:"barcode,omitempty"` // GTIN where there is one
	Name    string `json:"name"`
	Unit    string `json:"unit,omitempty"` // the unit it is counted in
	Stocked bool   `json:"stocked,omitempty"`
	Price   Money  `json:"price,omitzero"` // list price of one unit
	Active  bool   `json:"active"`
	Kept    Kept   `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Item) FormOf() (Kind, int) { return KindItem, 1 }

// Validate reports the first thing an item can't be without.
func (i Item) Validate() error {
	if i.Name == "" {
		return At("name", Errorf(Invalid, "an item has a name"))
	}
	return nil
}

type itemFields Item

// MarshalJSON writes the known fields and those kept.
func (i Item) MarshalJSON() ([]byte, error) { return writeKept(itemFields(i), i.Kept) }

// UnmarshalJSON reads an item and keeps the fields it does not know.
func (i *Item) UnmarshalJSON(b []byte) (err error) {
	*i = Item{}
	i.Kept, err = readKept(b, (*itemFields)(i))
	return err
}

// Stock is what one system says of one item at one site, in the item's unit.
type Stock struct {
	Item     Ref      `json:"item"`
	Site     Ref      `json:"site"`
	OnHand   Quantity `json:"on_hand"`
	Reserved Quantity `json:"reserved"`         // of what is on hand, by that system
	Offered  Quantity `json:"offered,omitzero"` // what a channel still sells of it
	Kept     Kept     `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Stock) FormOf() (Kind, int) { return KindStock, 1 }

// Validate reports the first thing a reading of stock can't be without.
func (s Stock) Validate() error {
	if err := s.Item.Validate(); err != nil {
		return At("item", err)
	}
	return At("site", s.Site.Validate())
}

type stockFields Stock

// MarshalJSON writes the known fields and those kept.
func (s Stock) MarshalJSON() ([]byte, error) { return writeKept(stockFields(s), s.Kept) }

// UnmarshalJSON reads a reading of stock and keeps the fields it does not know.
func (s *Stock) UnmarshalJSON(b []byte) (err error) {
	*s = Stock{}
	s.Kept, err = readKept(b, (*stockFields)(s))
	return err
}

// Offer is what one channel may still sell of an item from a site, in the item's
// unit: written there only where the channel still offers what was Seen.
type Offer struct {
	Channel   System   `json:"channel"`
	Item      Ref      `json:"item"`
	Site      Ref      `json:"site"`
	Available Quantity `json:"available"`       // what it is to offer
	Seen      Quantity `json:"seen"`            // what it offered when that was decided
	Look      int64    `json:"look,omitempty"`  // Seq of the statement that showed what was seen
	Lower     bool     `json:"lower,omitempty"` // others kept changing it: write it whatever it offers now, for it is less than was seen
	Unseen    Quantity `json:"unseen,omitzero"` // sold there in orders the hub has not heard of yet
	Kept      Kept     `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Offer) FormOf() (Kind, int) { return KindOffer, 1 }

// Validate reports the first thing an offer can't be without.
func (o Offer) Validate() error {
	if o.Channel == "" {
		return At("channel", Errorf(Invalid, "an offer is made in a channel"))
	}
	if err := o.Item.Validate(); err != nil {
		return At("item", err)
	}
	if err := o.Site.Validate(); err != nil {
		return At("site", err)
	}
	if o.Available.Count.IsNegative() {
		return At("available", Errorf(Invalid, "%s can't be offered", o.Available))
	}
	return nil
}

type offerFields Offer

// MarshalJSON writes the known fields and those kept.
func (o Offer) MarshalJSON() ([]byte, error) { return writeKept(offerFields(o), o.Kept) }

// UnmarshalJSON reads an offer and keeps the fields it does not know.
func (o *Offer) UnmarshalJSON(b []byte) (err error) {
	*o = Offer{}
	o.Kept, err = readKept(b, (*offerFields)(o))
	return err
}

// Site is a place goods ship from: a warehouse, a 3PL, a drop-ship supplier.
type Site struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Company string `json:"company,omitempty"`
	Kept    Kept   `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Site) FormOf() (Kind, int) { return KindSite, 1 }

// Validate reports the first thing a site can't be without.
func (s Site) Validate() error {
	if s.Code == "" {
		return At("code", Errorf(Invalid, "a site has a code"))
	}
	return nil
}

type siteFields Site

// MarshalJSON writes the known fields and those kept.
func (s Site) MarshalJSON() ([]byte, error) { return writeKept(siteFields(s), s.Kept) }

// UnmarshalJSON reads a site and keeps the fields it does not know.
func (s *Site) UnmarshalJSON(b []byte) (err error) {
	*s = Site{}
	s.Kept, err = readKept(b, (*siteFields)(s))
	return err
}

// Tax is a tax as the ERP defines it. Rate is a share: 0.08 is 8 %; a fixed
// amount per unit has rate 0 and Fixed.
type Tax struct {
	Name     string  `json:"name"`
	Rate     Decimal `json:"rate"`
	Fixed    Decimal `json:"fixed,omitzero"`
	Included bool    `json:"included,omitempty"` // prices contain it
	Company  string  `json:"company,omitempty"`
	Kept     Kept    `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Tax) FormOf() (Kind, int) { return KindTax, 1 }

// Validate reports the first thing a tax can't be without.
func (t Tax) Validate() error {
	if t.Name == "" {
		return At("name", Errorf(Invalid, "a tax has a name"))
	}
	return nil
}

type taxFields Tax

// MarshalJSON writes the known fields and those kept.
func (t Tax) MarshalJSON() ([]byte, error) { return writeKept(taxFields(t), t.Kept) }

// UnmarshalJSON reads a tax and keeps the fields it does not know.
func (t *Tax) UnmarshalJSON(b []byte) (err error) {
	*t = Tax{}
	if t.Kept, err = readKept(b, (*taxFields)(t)); err != nil {
		return err
	}
	if err := checkDecimal(t.Rate); err != nil {
		return At("rate", err)
	}
	return At("fixed", checkDecimal(t.Fixed))
}
