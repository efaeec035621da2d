package odoo

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// visible applies the record rules: the companies of the request, and for a
// salesman with own documents only, the orders that are his or nobody's.
func (e *env) visible(r rec) bool {
	if f := r.m.company; f != "" {
		if c := r.ref(f); c != 0 && !slices.Contains(e.companies, c) {
			return false
		}
	}
	if r.m.name == "res.company" && !slices.Contains(e.companies, r.id) {
		return false
	}
	if r.m.name == "sale.order" && e.ownDocumentsOnly() {
		if owner := r.ref("user_id"); owner != 0 && owner != e.uid {
			return false
		}
	}
	return true
}

func (e *env) ownDocumentsOnly() bool { return e.rec("res.users", e.uid).raw("~salesman") == true }

// search finds the visible records a domain selects, sorted, unlimited.
func (e *env) search(m *model, domain []any, order string) []int {
	cond := e.parseDomain(m, domain)
	hideArchived := m.stored["active"] && e.ctx["active_test"] != false && !cond.mentions("active")
	var ids []int
	for _, id := range e.candidates(m, cond) {
		r := e.rec(m.name, id)
		if hideArchived && !r.flag("active") {
			continue
		}
		if e.visible(r) && cond.holds(e, r) {
			ids = append(ids, id)
		}
	}
	if order == "" {
		order = m.order
	}
	e.sort(m, ids, order)
	return ids
}

func (e *env) page(ids []int, offset, limit int) []int {
	ids = ids[min(offset, len(ids)):]
	if limit > 0 {
		ids = ids[:min(limit, len(ids))]
	}
	return ids
}

// sort orders ids like PostgreSQL: empty values last ascending, first descending;
// a many2one sorts by its own model's order.
func (e *env) sort(m *model, ids []int, order string) {
	if order == "id" || len(ids) < 2 {
		if order == "id" {
			slices.Sort(ids)
		}
		return
	}
	compare := e.comparison(m, order, 0)
	slices.SortStableFunc(ids, func(a, b int) int { return compare(e.rec(m.name, a), e.rec(m.name, b)) })
}

func (e *env) comparison(m *model, order string, depth int) func(a, b rec) int {
	type key struct {
		field string
		down  bool
		sub   func(a, b rec) int
	}
	var keys []key
	for _, part := range strings.Split(order, ",") {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 {
			notSupported("the order %q", order)
		}
		k := key{field: words[0], down: len(words) == 2 && strings.EqualFold(words[1], "desc")}
		if !e.s.readable(m, k.field) {
			e.unknownOrUnmodelled(m, k.field, e.v.unknownField)
		}
		if meta := m.meta[k.field]; meta.Type == "many2one" && e.model(meta.Relation) != nil && depth < 2 {
			k.sub = e.comparison(e.model(meta.Relation), e.model(meta.Relation).order, depth+1)
		}
		keys = append(keys, k)
	}
	return func(a, b rec) int {
		for _, k := range keys {
			var c int
			if k.sub != nil {
				ra, rb := a.follow(k.field), b.follow(k.field)
				switch {
				case ra.id == rb.id:
					continue
				case ra.id == 0:
					c = 1
				case rb.id == 0:
					c = -1
				default:
					c = k.sub(ra, rb)
				}
			} else {
				c = compareValues(a.get(k.field), b.get(k.field))
			}
			if k.down {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(a.id, b.id)
	}
}

// compareValues puts nil after everything.
func compareValues(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	switch x := a.(type) {
	case string:
		y, _ := b.(string)
		return cmp.Or(cmp.Compare(strings.ToLower(x), strings.ToLower(y)), cmp.Compare(x, y))
	case time.Time:
		y, _ := b.(time.Time)
		return x.Compare(y)
	case bool:
		y, _ := b.(bool)
		if x == y {
			return 0
		}
		if y {
			return -1
		}
		return 1
	}
	return cmp.Compare(number(a), number(b))
}

// read answers the fields of records that exist; missing ids are left out.
func (e *env) read(m *model, ids []int, fields []string, byID bool) []map[string]any {
	if len(fields) == 0 {
		notSupported("reading every field of %s; name the fields", m.name)
	}
	for _, f := range fields {
		if !e.s.readable(m, f) {
			e.unknownOrUnmodelled(m, f, e.v.unknownField)
		}
		e.fieldAllowed(m, f)
	}
	out := make([]map[string]any, 0, len(ids))
	for _, id := range ids {
		r := e.rec(m.name, id)
		if !r.exists() {
			continue
		}
		if !e.visible(r) {
			e.accessRule(m.name, "read", e.otherCompanyHint(r))
		}
		values := map[string]any{"id": id}
		for _, f := range fields {
			if f == "id" {
				continue
			}
			values[f] = e.shown(e.metaOf(m, f), r.get(f), byID)
		}
		out = append(out, values)
	}
	return out
}

func (e *env) metaOf(m *model, f string) Field {
	if f == "display_name" {
		return Field{Type: "char"}
	}
	return m.meta[f]
}

// otherCompanyHint is the last paragraph of 18's and 19's access error when only
// the company is in the way.
func (e *env) otherCompanyHint(r rec) string {
	c := r.ref(cmp.Or(r.m.company, "id"))
	user := e.rec("res.users", e.uid)
	if r.m.company == "" || c == 0 || slices.Contains(e.companies, c) || !slices.Contains(user.ids("company_ids"), c) {
		return ""
	}
	return "\n\nThis seems to be a multi-company issue, you might be able to access the record by switching to the company: " + e.rec("res.company", c).str("name") + "."
}

// invoicingFields need the invoicing right, which a salesman alone lacks.
var invoicingFields = map[string]bool{"credit": true, "credit_limit": true, "debit": true, "total_invoiced": true, "use_partner_credit_limit": true}

func (e *env) fieldAllowed(m *model, f string) {
	if m.name == "res.partner" && invoicingFields[f] && e.ownDocumentsOnly() {
		refuse("AccessError", "%s", e.v.fieldRights(f, e.v.modelLabel(m.name), m.name, e.uid))
	}
}

// create makes one record from a client's values and returns its id.
func (e *env) create(model string, vals map[string]any) int {
	m := e.model(model)
	return e.createFrom(m, e.coerce(m, vals, e.v.unknownFieldCreate))
}

func (e *env) createFrom(m *model, vals row) int {
	switch {
	case e.ownDocumentsOnly() && m.name == "ir.model.data":
		e.accessModel("create", "Model Data", m.name, e.v.accessRightsGroup)
	case e.ownDocumentsOnly() && m.name == "stock.quant":
		e.accessModel("create", "Quants", m.name, "Inventory/User")
	}
	if m.create != nil {
		return m.create(e, vals)
	}
	return e.createRow(m, vals)
}

// createRow stores coerced values: defaults, mandatory columns, links, lines.
func (e *env) createRow(m *model, vals row) int {
	for f, d := range m.defaults {
		if _, given := vals[f]; !given {
			vals[f] = d(e)
		}
	}
	stored, lines := row{}, row{}
	for f, v := range vals {
		switch v := v.(type) {
		case links:
			stored[f] = e.linksOn(m.meta[f], nil, v)
		case []any:
			lines[f] = v
		default:
			if e.s.linked(m.meta[f]) && v == false {
				continue
			}
			stored[f] = v
		}
	}
	for _, f := range m.required {
		if stored[f] == nil {
			e.missingValue(m.name, f)
		}
	}
	id := e.insert(m.name, stored)
	for _, f := range sortedKeys(lines) {
		e.applyLines(m.meta[f], id, commands(lines[f]))
	}
	return id
}

// loadedLine is a line as load brings it: values already coerced.
type loadedLine struct {
	id   int    // an existing line to write, or 0
	key  string // its external id, or ""
	vals row
}

// applyLines carries out one2many commands on the record id.
func (e *env) applyLines(meta Field, id int, cmds []any) {
	m := e.model(meta.Relation)
	for _, c := range cmds {
		if l, ok := c.(loadedLine); ok {
			e.applyLoaded(m, meta.Inverse, id, l)
			continue
		}
		cmd, _ := c.([]any)
		op, line := command(cmd)
		switch op {
		case 0:
			vals := commandValues(cmd)
			given := e.coerce(m, vals, e.v.unknownFieldCreate)
			given[meta.Inverse] = id
			e.createFrom(m, given)
		case 1:
			vals := commandValues(cmd)
			e.write(m.name, []int{line}, vals)
		case 2:
			e.unlink(m.name, []int{line})
		case 4:
		case 5:
			e.unlink(m.name, slices.Clone(e.db.table(m.name).having(meta.Inverse, id)))
		default:
			notSupported("one2many command %v", c)
		}
	}
}

func (e *env) applyLoaded(m *model, inverse string, id int, l loadedLine) {
	if l.id != 0 {
		e.writeFrom(m, []int{l.id}, l.vals)
		return
	}
	l.vals[inverse] = id
	line := e.createFrom(m, l.vals)
	if l.key != "" {
		e.setExternalID(l.key, m.name, line, truth(e.ctx["noupdate"]))
	}
}

func (e *env) write(model string, ids []int, vals map[string]any) {
	m := e.model(model)
	for _, id := range ids {
		r := e.rec(model, id)
		if !r.exists() {
			e.missingRecord(model, id)
		}
		if !e.visible(r) {
			e.accessRule(model, "read", e.otherCompanyHint(r)) // the order is read before it is written
		}
	}
	e.writeFrom(m, ids, e.coerce(m, vals, e.v.unknownFieldCreate))
}

func (e *env) writeFrom(m *model, ids []int, vals row) {
	if m.write != nil {
		m.write(e, ids, vals)
		return
	}
	e.writeRow(m, ids, vals)
}

// writeRow stores coerced values on each record.
func (e *env) writeRow(m *model, ids []int, vals row) {
	for _, id := range ids {
		r := e.rec(m.name, id)
		stored, lines := row{}, row{}
		for f, v := range vals {
			switch v := v.(type) {
			case links:
				stored[f] = e.linksOn(m.meta[f], r.ids(f), v)
			case []any:
				lines[f] = v
			default:
				if !e.s.linked(m.meta[f]) {
					stored[f] = v
				}
			}
		}
		for _, f := range m.required {
			if v, given := stored[f]; given && v == nil {
				e.missingValue(m.name, f)
			}
		}
		if len(stored) > 0 || len(lines) == 0 {
			r.set(stored)
		}
		for _, f := range sortedKeys(lines) {
			e.applyLines(m.meta[f], id, commands(lines[f]))
		}
	}
}

func (e *env) unlink(model string, ids []int) {
	m := e.model(model)
	for _, id := range ids {
		if !e.rec(model, id).exists() {
			e.missingRecord(model, id)
		}
	}
	if m.unlink != nil {
		m.unlink(e, ids)
		return
	}
	e.unlinkRows(m, ids)
}

// unlinkRows removes records and, as Odoo does, their external ids.
func (e *env) unlinkRows(m *model, ids []int) {
	for _, id := range ids {
		e.db.remove(m.name, id)
		for _, x := range slices.Clone(e.db.table("ir.model.data").having("res_id", id)) {
			if d := e.rec("ir.model.data", x); d.str("model") == m.name {
				e.dropExternalID(d)
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// commands reads the value of an x2many field that was found to be a list before.
func commands(v any) []any {
	list, _ := v.([]any)
	return list
}
