package odoo

import (
	"encoding/json"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

const partnerModel crossdock.Kind = "res.partner"

// partnerFields are the fields of a partner the hub writes, in the order of its
// load columns. A want that lacks one says nothing about it: what people in Odoo
// entered there stays.
var partnerFields = []string{
	"name", "is_company", "parent_id", "type", "ref", "company_name", "email", "phone", "vat",
	"street", "street2", "city", "zip", "country_code", "state_code",
}

// partyWant returns a party in Odoo's words. Every value is text; parent_id is the
// partner's id, country_code and state_code are resolved when it is pushed. A tax
// number belongs to the customer, not to his addresses: Odoo copies it down itself.
func partyWant(p crossdock.Party, of crossdock.Ref, known connector.Known) (crossdock.Record, []crossdock.Ref) {
	var waits []crossdock.Ref
	a := p.Address
	v := map[string]string{
		"name": p.Name, "is_company": "False", "type": partnerType(p), "ref": externalID(of),
		"company_name": or(p.Company, a.Company), "email": p.Email, "phone": or(p.Phone, a.Phone), "vat": p.TaxID,
		"street": a.Street, "street2": a.Street2, "city": a.City, "zip": a.Zip,
		"country_code": a.Country, "state_code": a.Region,
	}
	if p.IsFirm {
		v["is_company"], v["company_name"] = "True", ""
	}
	if !p.Parent.IsZero() {
		v["vat"] = ""
		if v["parent_id"] = known.Key(p.Parent); v["parent_id"] == "" {
			waits = append(waits, p.Parent)
		}
	}
	want := crossdock.Record{Kind: partnerModel, Form: 1, Fields: map[string]json.RawMessage{}}
	for _, name := range partnerFields {
		if v[name] != "" {
			want.Fields[name] = raw(v[name])
		}
	}
	return want, waits
}

// partnerType returns what an address is used for in Odoo. An address of type
// contact would be overwritten with its parent's, so one that has both uses, or
// none, is "other".
func partnerType(p crossdock.Party) string {
	switch {
	case p.Role == crossdock.UseBilling:
		return "invoice"
	case p.Role == crossdock.UseDelivery:
		return "delivery"
	case p.Role == crossdock.UseBoth:
		return "other"
	case !p.Parent.IsZero() && !p.Address.IsZero():
		return "other"
	}
	return "contact"
}

func or(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// projectParty: make the partner by load, change it by write. Odoo refuses a second
// load with the same external id. It does not refuse a second write: one that is
// late would overwrite a newer one, so only a look says what became of it.
func projectParty(p crossdock.Party, v crossdock.View, known connector.Known) connector.Wanted {
	if v.Gone {
		return connector.Wanted{}
	}
	if again, ok := sentAlready(v); ok {
		return connector.Wanted{Record: again, Door: crossdock.DoorRefused}
	}
	want, waits := partyWant(p, v.Of, known)
	if v.Key == "" {
		return connector.Wanted{Record: want, Waits: waits, Door: crossdock.DoorRefused}
	}
	return connector.Wanted{Record: partyChange(want, v), Waits: waits, Door: crossdock.DoorFound}
}

// partySays are the fields a partner's row speaks of.
var partySays = crossdock.Fields{"address", "company", "email", "is_firm", "name", "phone", "tax_id"}

// translateParty reads a res.partner.
func translateParty(r row, m crossdock.Message, s crossdock.Statement) (crossdock.Statement, error) {
	f := &reader{row: r}
	p := crossdock.Party{
		Name: f.str("name"), Company: f.str("company_name"), IsFirm: f.bool("is_company"),
		Email: f.str("email"), Phone: f.str("phone"), TaxID: f.str("vat"),
		Address: crossdock.Address{
			Street: f.str("street"), Street2: f.str("street2"), City: f.str("city"), Zip: f.str("zip"),
			Country: f.str("country_code"), Region: m.Meta[metaRegion],
		},
	}
	if f.err != nil {
		return s, f.err
	}
	s, err := pack(s, p)
	s.Says = partySays
	return s, err
}
