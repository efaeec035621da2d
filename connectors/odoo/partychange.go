package odoo

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/crossdockhq/crossdock"
)

// What a want that changes a partner says beside the partner's fields. A want that
// makes one has none of it: its decision saw nothing.
const (
	wantSaw   = "saw"   // what the decision saw there, by field of the partner
	wantWrite = "write" // the fields whose value is another than was asked for last
	wantEmpty = "empty" // the fields to be emptied: their value was the hub's and is not wanted any more
	wantOurs  = "ours"  // the fields whose value is the hub's and not a person's
)

// partyChange adds to the want of a partner that is there how it differs from what
// was asked for last. Where it does not, it is what was asked for last: what was
// seen meanwhile is no reason to write.
//
// After a lost push nobody can tell whether Asked is what was asked for last. It is
// empty then, everything is wanted anew, and Doubt tells what may be the hub's.
func partyChange(want crossdock.Record, v crossdock.View) crossdock.Record {
	if v.Asked.Kind == partnerModel && samePartner(want, v.Asked) {
		return v.Asked
	}
	last := v.Asked
	before := oursIn(last)
	if last.IsZero() {
		last = v.Doubt
		before = append(oursIn(last), listIn(last, wantEmpty)...)
	}
	seen := partnerText(v.Held)
	var write, empty, ours []string
	for _, name := range partnerFields {
		has, asked := want.Text(name), v.Asked.Text(name)
		switch {
		case has == "" && slices.Contains(before, name):
			empty = append(empty, name)
		case has == "":
		case has == asked:
			if slices.Contains(before, name) {
				ours = append(ours, name)
			}
		default:
			write = append(write, name)
			// A value that people entered, and that is wanted because they did, stays theirs.
			if s, told := seen[name]; !told || !sameText(name, s, has) || slices.Contains(before, name) && last.Text(name) == has {
				ours = append(ours, name)
			}
		}
	}
	want = want.Clone()
	want.Fields[wantSaw] = raw(seen)
	for name, list := range map[string][]string{wantWrite: write, wantEmpty: empty, wantOurs: ours} {
		want.Fields[name] = raw(append([]string{}, list...))
	}
	return want
}

// samePartner compares two wants of a partner without what the decisions saw.
func samePartner(a, b crossdock.Record) bool {
	return !slices.ContainsFunc(partnerFields, func(name string) bool { return a.Text(name) != b.Text(name) })
}

// oursIn returns the fields whose value is the hub's by a want that was sent: of one
// that made the partner all that have a value.
func oursIn(want crossdock.Record) []string {
	if _, change := want.Fields[wantOurs]; change {
		return listIn(want, wantOurs)
	}
	var out []string
	for _, name := range partnerFields {
		if want.Text(name) != "" {
			out = append(out, name)
		}
	}
	return out
}

// listIn returns a list of field names in a want.
func listIn(want crossdock.Record, name string) []string {
	var out []string
	_ = json.Unmarshal(want.Fields[name], &out) // none where it has none
	return out
}

// partnerText returns what a partner holds, by field of the partner. Of parent and
// type nothing is said.
func partnerText(held crossdock.Record) map[string]string {
	var p crossdock.Party
	if held.IsZero() || held.Unpack(&p) != nil {
		return nil
	}
	a := p.Address
	firm := "False"
	if p.IsFirm {
		firm = "True"
	}
	return map[string]string{
		"name": p.Name, "is_company": firm, "company_name": p.Company, "email": p.Email, "phone": p.Phone, "vat": p.TaxID,
		"street": a.Street, "street2": a.Street2, "city": a.City, "zip": a.Zip, "country_code": a.Country, "state_code": a.Region,
	}
}

// unseen returns the fields in which a partner is not what the decision of a want
// saw. To the decision that made him, none of them was there.
func unseen(want, held crossdock.Record) []string {
	var saw map[string]string
	_ = json.Unmarshal(want.Fields[wantSaw], &saw) // a want that has none saw nothing
	has := partnerText(held)
	var out []string
	for _, name := range partnerFields {
		if saw[name] != has[name] {
			out = append(out, name)
		}
	}
	return out
}

// sameText compares what stands in Odoo with what is wanted. Odoo formats telephone
// and tax numbers in its own way.
func sameText(name, has, want string) bool {
	if name != "phone" && name != "vat" {
		return has == want
	}
	return bare(has) == bare(want)
}

// bare leaves the letters, digits and the plus of a number.
func bare(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '+' || unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToUpper(c)
		}
		return -1
	}, s)
}
