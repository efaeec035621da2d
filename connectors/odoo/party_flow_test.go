package odoo_test

import (
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
)

// partner is a customer whom the hub made, and what a person or a test reads of him.
type partner struct {
	*flow
	of crossdock.Ref
	p  crossdock.Party
}

func (f *flow) partner(key string) *partner {
	x := &partner{flow: f, of: crossdock.BookRef(crossdock.KindParty, key+"-"+f.run), p: crossdock.Party{
		Name: "Ada Lee", Email: "ada@example.org", Phone: "+15550100", TaxID: "US123456", Company: "Lee & Co",
		Address: crossdock.Address{Street: "1 Main St", Street2: "Floor 2", City: "Lexington", Zip: "40502", Country: "US", Region: "KY"},
	}}
	f.true(x.of, x.p)
	return x
}

func (x *partner) person(values map[string]any) {
	x.t.Helper()
	x.rpc("res.partner", "write", []any{[]any{x.id(x.of)}, values}, nil)
}

// row reads fields of the partner as they stand in Odoo, as JSON text.
func (x *partner) row(fields ...string) string {
	x.t.Helper()
	return string(x.rpc("res.partner", "read", []any{[]any{x.id(x.of)}, fields}, map[string]any{"load": ""}))
}

func (x *partner) send() crossdock.Receipt {
	x.t.Helper()
	w := x.want(x.of, x.p)
	return x.push(crossdock.Push{Of: x.of, Rev: 7, Want: w.Record, Key: x.view(x.of).Key, Door: w.Door})[0]
}

// TestPartyThatChangedSinceTheDecision: who is not as the decision saw him is not
// written to, whether he was to be changed or to be made.
func TestPartyThatChangedSinceTheDecision(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		x := f.partner("S1")
		x.person(map[string]any{"street": "7 High St"})
		x.p.Address.Street, x.p.Email = "2 Side St", "lee@example.org"
		before := x.row("street", "email", "write_date")
		r := x.send()
		if r.Code != crossdock.Conflict || !strings.Contains(r.Text, "street") || strings.Contains(r.Text, "High") {
			t.Fatalf("changed by a person: %+v", r)
		}
		if got := x.row("street", "email", "write_date"); got != before {
			t.Fatalf("a partner the decision did not see was written to: %s, was %s", got, before)
		}
		var held crossdock.Party // push has booked what was seen
		if err := x.view(x.of).Held.Unpack(&held); err != nil || held.Address.Street != "7 High St" || held.Address.Region != "KY" {
			t.Fatalf("%v %+v", err, held)
		}
		if r := x.send(); r.Code != crossdock.OK || !strings.Contains(x.row("street", "email"), "2 Side St") {
			t.Fatalf("decided again with what was seen: %+v", r)
		}

		// A partner of ours whom the book does not know: load writes nothing, and nor do we.
		known, held2 := x.view(x.of).Key, x.row("street", "email", "write_date")
		delete(f.views, x.of)
		x.p.Address.Street = "3 New St"
		r = x.send()
		if r.Code != crossdock.Conflict || len(r.Saw) != 1 || r.Saw[0].Key != known {
			t.Fatalf("one the book does not know: %+v", r)
		}
		if got := x.row("street", "email", "write_date"); got != held2 {
			t.Fatalf("load met a partner and he was written to: %s, was %s", got, held2)
		}

		// Who already is as wanted is no conflict, whoever made him so.
		x.person(map[string]any{"street": "3 New St"})
		if r := x.send(); r.Code != crossdock.OK {
			t.Fatalf("as wanted already: %+v", r)
		}
	})
}

// TestEmptiedFields: what the hub had filled and does not want any more is emptied;
// what people filled stays, also where the hub wants the same.
func TestEmptiedFields(t *testing.T) {
	each(t, func(t *testing.T, f *flow) {
		x := f.partner("E1")
		x.p.Address.Street2, x.p.Phone, x.p.TaxID = "", "", ""
		if steps := f.true(x.of, x.p); steps != 1 {
			t.Fatalf("%d steps", steps)
		}
		if got := x.row("street2", "phone", "vat", "street"); !sameFields(got, `"street2":false`, `"phone":false`, `"vat":false`, `"street":"1 Main St"`) {
			t.Fatalf("after the shop emptied them: %s", got)
		}
		if steps := f.true(x.of, x.p); steps != 0 {
			t.Fatalf("an emptied field is work again: %d steps", steps)
		}

		x.p.Name, x.p.Company, x.p.IsFirm = "Lee & Co", "", true
		f.true(x.of, x.p)
		if got := x.row("name", "is_company", "company_name"); !sameFields(got, `"name":"Lee & Co"`, `"is_company":true`, `"company_name":false`) {
			t.Fatalf("a person who is a firm now: %s", got)
		}

		x.person(map[string]any{"street2": "Gate 4", "vat": "US999999"})
		x.p.Email = "lee@example.org"
		f.true(x.of, x.p)
		// The book takes over what people entered, and asks for it with the rest.
		x.p.Address.Street2, x.p.TaxID = "Gate 4", "US999999"
		f.true(x.of, x.p)
		x.p.Address.Street2, x.p.TaxID = "", ""
		f.true(x.of, x.p)
		if got := x.row("street2", "vat"); !sameFields(got, `"street2":"Gate 4"`, `"vat":"US999999"`) {
			t.Fatalf("a person's: %s", got)
		}

		x.p.Address = crossdock.Address{Street: "1 Main St"}
		f.true(x.of, x.p)
		if got := x.row("city", "zip", "country_id", "state_id", "street", "street2"); !sameFields(got, `"city":false`, `"zip":false`, `"country_id":false`, `"state_id":false`, `"street":"1 Main St"`, `"street2":"Gate 4"`) {
			t.Fatalf("an address of which a street is left: %s", got)
		}
	})
}

// sameFields reports whether a row holds all the fields, whatever its spaces.
func sameFields(row string, fields ...string) bool {
	row = strings.ReplaceAll(row, `": `, `":`)
	for _, f := range fields {
		if !strings.Contains(row, f) {
			return false
		}
	}
	return true
}
