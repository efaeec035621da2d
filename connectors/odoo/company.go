package odoo

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/crossdockhq/crossdock"
)

// Every call says in which companies it is made (allowed_company_ids): Odoo then
// shows and touches nothing of any other (recorded: a search leaves it out, a read
// or a write of it is an AccessError). What is of one company (an order, with its
// warehouse, taxes and price list) is made and changed in that company alone.

// scope returns the configured companies' ids, none where the user's own is meant.
func (c Config) scope() []json.Number {
	if c.Company != 0 {
		return []json.Number{json.Number(raw(c.Company))}
	}
	var out []json.Number
	for _, key := range slices.Sorted(maps.Keys(c.Companies)) {
		if id := json.Number(c.Companies[key]); !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// companyKey returns the hub's key of an Odoo company, "" for one that is not mapped.
func (c Config) companyKey(id string) string {
	for _, key := range slices.Sorted(maps.Keys(c.Companies)) {
		if c.Companies[key] == id {
			return key
		}
	}
	return ""
}

// checkCompanies reports the first company that can't be meant.
func (c Config) checkCompanies() error {
	if c.Company < 0 {
		return crossdock.At("company_id", crossdock.Errorf(crossdock.Invalid, "%d is no database id of a company", c.Company))
	}
	if c.Company != 0 && len(c.Companies) > 0 {
		return crossdock.At("company_id", crossdock.Errorf(crossdock.Invalid, "there are company_id and companies: write one of them"))
	}
	of := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(c.Companies)) {
		id := c.Companies[key]
		if _, ok := keyOf(json.RawMessage(id)); !ok {
			return crossdock.At("companies", crossdock.Errorf(crossdock.Invalid, "%s: %q is no database id of a company", key, id))
		}
		if other := of[id]; other != "" {
			return crossdock.At("companies", crossdock.Errorf(crossdock.Invalid, "%s and %s are both company %s: give each its own", other, key, id))
		}
		of[id] = key
	}
	return nil
}

// companyOf returns the id of the Odoo company an order of the hub's company is
// made in, "" where the connection has only one.
func (c Config) companyOf(key string) (string, error) {
	if len(c.Companies) == 0 {
		return "", nil
	}
	if id := c.Companies[key]; id != "" {
		return id, nil
	}
	return "", crossdock.At("company", crossdock.About("company:"+key, crossdock.Errorf(crossdock.Invalid, "no company in Odoo is known for %q: add it to companies, or give the shop's connection a company that is there", key)))
}

// withCompany adds whose a warehouse or a tax is, where the connection serves
// several companies.
func (c Config) withCompany(s crossdock.Statement, m crossdock.Message) crossdock.Statement {
	if len(c.Companies) == 0 || m.Kind != crossdock.KindSite && m.Kind != crossdock.KindTax || s.Said.IsZero() {
		return s
	}
	r, err := readRow(m.Body)
	if err != nil {
		return faulty(s, err)
	}
	id, err := r.id("company_id")
	if err != nil {
		return faulty(s, err)
	}
	if key := c.companyKey(id); key != "" {
		s.Said.Fields["company"] = raw(key)
	}
	return s
}

// scoped returns the arguments by name with the companies in their context; a call
// that says its company itself keeps it.
func scoped(kw map[string]any, companies []json.Number) map[string]any {
	out := maps.Clone(kw)
	if out == nil {
		out = map[string]any{}
	}
	with := map[string]any{"allowed_company_ids": companies}
	if given, ok := out["context"].(map[string]any); ok {
		maps.Copy(with, given)
	}
	out["context"] = with
	return out
}

// inCompany returns a context for what is done to an order: its company alone.
func inCompany(want crossdock.Record, add map[string]any) map[string]any {
	id := want.Text("company_id")
	if id == "" {
		return add
	}
	out := map[string]any{"allowed_company_ids": []json.Number{json.Number(id)}}
	maps.Copy(out, add)
	return out
}

// ours reports a record of the book (a tax, a site) that an order's company may use.
func (w *orderWriter) ours(of crossdock.Ref) bool {
	if w.company == "" {
		return true
	}
	r, known := w.known.Record(of)
	return !known || r.Text("company") == w.order.Company
}

// sameCompany fails an order that is to ship from another company's warehouse: Odoo
// refuses it ("Incompatible companies on records", recorded).
func (w *orderWriter) sameCompany(site crossdock.Ref) {
	if r, known := w.known.Record(site); known && !w.ours(site) {
		w.fail("site", crossdock.Errorf(crossdock.Invalid, "the warehouse %s is of company %q and order %s of %q: mend sites of the shop's connection in crossdock.yaml",
			site.Key, r.Text("company"), w.order.Number, w.order.Company))
	}
}

// byCompany parts the places of a batch by the company of their orders.
func (p *pushing) byCompany(idx []int) [][]int {
	var ids []string
	parts := map[string][]int{}
	for _, i := range idx {
		id := p.batch[i].Want.Text("company_id")
		if _, seen := parts[id]; !seen {
			ids = append(ids, id)
		}
		parts[id] = append(parts[id], i)
	}
	out := make([][]int, 0, len(ids))
	for _, id := range ids {
		out = append(out, parts[id])
	}
	return out
}
