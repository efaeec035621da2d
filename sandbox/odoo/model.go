package odoo

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// method answers one remote call; args are the positional arguments.
type method func(e *env, args []any, kw map[string]any) any

// none is the answer of a method that returns Python's None: the JSON-RPC
// answer then has no result at all.
type none struct{}

// model is one Odoo model as far as the stand-in knows it. A field that is in
// meta and neither stored, computed nor linked is real but not modelled.
type model struct {
	name     string
	meta     map[string]Field
	stored   map[string]bool
	computed map[string]func(e *env, r rec) any
	ignored  map[string]bool // computed fields whose given value Odoo drops without a word
	order    string
	display  func(e *env, r rec) string
	search   []string // fields name_search looks at, after the display name
	company  string   // field with the record's company ("" when shared by all)
	required []string // NOT NULL columns, in the order the database names them
	defaults map[string]func(e *env) any

	create  func(e *env, vals row) int
	write   func(e *env, ids []int, vals row)
	unlink  func(e *env, ids []int)
	methods map[string]method
}

func (m *model) fields(names string) *model {
	for _, f := range strings.Fields(names) {
		m.stored[f] = true
	}
	return m
}

// lack takes fields away that a module brings which is not installed.
func (m *model) lack(names ...string) {
	m.meta = maps.Clone(m.meta)
	for _, f := range names {
		delete(m.meta, f)
		delete(m.stored, f)
		delete(m.computed, f)
	}
}

func newModel(name string, known map[string]map[string]Field) *model {
	meta := known[name]
	if meta == nil {
		meta = map[string]Field{}
	}
	return &model{
		name: name, meta: meta, order: "id",
		stored:   map[string]bool{"create_date": true, "write_date": true, "create_uid": true, "write_uid": true},
		computed: map[string]func(*env, rec) any{}, ignored: map[string]bool{},
		defaults: map[string]func(*env) any{}, methods: map[string]method{},
	}
}

// linked says whether a one2many can be answered from its other side.
func (s *Server) linked(f Field) bool {
	other := s.models[f.Relation]
	return f.Type == "one2many" && f.Inverse != "" && other != nil && other.stored[f.Inverse]
}

// readable says whether the stand-in can answer this field.
func (s *Server) readable(m *model, f string) bool {
	return f == "id" || f == "display_name" || m.stored[f] || m.computed[f] != nil || s.linked(m.meta[f])
}

// env is one request: who asks, in which context, and when its transaction began.
type env struct {
	s   *Server
	db  *store
	v   *version
	uid int
	ctx map[string]any
	now time.Time // start of the transaction, with microseconds: every write_date of it

	companies []int // allowed companies; the first one is current
	explicit  bool  // the context named them
}

func (e *env) company() int { return e.companies[0] }

// with returns the same request in a changed context.
func (e *env) with(key string, value any) *env {
	c := *e
	c.ctx = map[string]any{key: value}
	for k, v := range e.ctx {
		if k != key {
			c.ctx[k] = v
		}
	}
	return &c
}

// inCompany returns the same request with company as the current one.
func (e *env) inCompany(company int) *env {
	if company == 0 || e.companies[0] == company {
		return e
	}
	c := *e
	c.companies = append([]int{company}, slices.DeleteFunc(slices.Clone(e.companies), func(x int) bool { return x == company })...)
	return &c
}

func (e *env) model(name string) *model { return e.s.models[name] }

// rec is one record; the zero id is Odoo's empty record, which reads as empty.
type rec struct {
	e  *env
	m  *model
	id int
}

func (e *env) rec(model string, id int) rec { return rec{e, e.model(model), id} }

func (e *env) recs(model string, ids []int) []rec {
	out := make([]rec, len(ids))
	for i, id := range ids {
		out[i] = e.rec(model, id)
	}
	return out
}

func (r rec) exists() bool { _, ok := r.e.db.table(r.m.name).rows[r.id]; return r.id != 0 && ok }

// raw returns the stored value, of the current company where each has its own.
func (r rec) raw(f string) any {
	stored := r.e.db.table(r.m.name).rows[r.id]
	if r.m.meta[f].ByCompany {
		return stored[companyKey(f, r.e.company())]
	}
	return stored[f]
}

func companyKey(f string, company int) string { return f + "@" + strconv.Itoa(company) }

// get returns a field's value: stored, computed, or the other side of a many2one.
func (r rec) get(f string) any {
	switch {
	case f == "id":
		return r.id
	case r.id == 0:
		return nil
	case f == "display_name":
		return r.display()
	}
	if compute := r.m.computed[f]; compute != nil {
		return compute(r.e, r)
	}
	if r.m.stored[f] || strings.HasPrefix(f, "~") {
		return r.raw(f)
	}
	if meta := r.m.meta[f]; r.e.s.linked(meta) {
		return r.e.reverse(meta, r.id)
	}
	r.e.unknownOrUnmodelled(r.m, f, r.e.v.unknownField)
	return nil
}

// unknownOrUnmodelled raises Odoo's error for a field that does not exist, and
// the stand-in's own for one that does and is not modelled.
func (e *env) unknownOrUnmodelled(m *model, f string, text func(field, model string) string) {
	if _, real := m.meta[f]; real {
		notSupported("field %s of %s", f, m.name)
	}
	raise("builtins.ValueError", "%s", text(f, m.name))
}

// reverse lists the records whose many2one points at id, in their model's order.
func (e *env) reverse(f Field, id int) []int {
	other := e.model(f.Relation)
	var ids []int
	for _, x := range e.db.table(other.name).having(f.Inverse, id) {
		if other.stored["active"] && !e.rec(other.name, x).flag("active") {
			continue
		}
		ids = append(ids, x)
	}
	e.sort(other, ids, other.order)
	return ids
}

func (r rec) str(f string) string { s, _ := r.get(f).(string); return s }
func (r rec) flag(f string) bool  { b, _ := r.get(f).(bool); return b }
func (r rec) ref(f string) int    { i, _ := r.get(f).(int); return i }
func (r rec) ids(f string) []int  { l, _ := r.get(f).([]int); return l }
func (r rec) at(f string) time.Time {
	t, _ := r.get(f).(time.Time)
	return t
}

func (r rec) num(f string) float64 {
	switch v := r.get(f).(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}

// follow reads a many2one as a record.
func (r rec) follow(f string) rec { return r.e.rec(r.m.meta[f].Relation, r.ref(f)) }

// each reads a one2many or many2many as records.
func (r rec) each(f string) []rec { return r.e.recs(r.m.meta[f].Relation, r.ids(f)) }

func (r rec) display() string {
	if r.id == 0 {
		return ""
	}
	if r.m.display != nil {
		return r.m.display(r.e, r)
	}
	if r.m.stored["name"] || r.m.computed["name"] != nil {
		return r.str("name")
	}
	return r.m.name + "," + strconv.Itoa(r.id)
}

// set stores values without any of the model's rules and moves write_date.
func (r rec) set(vals row) {
	changes := row{"write_date": r.e.now, "write_uid": r.e.uid}
	for f, v := range vals {
		if r.m.meta[f].ByCompany {
			f = companyKey(f, r.e.company())
		}
		changes[f] = v
	}
	r.e.db.update(r.m.name, r.id, changes)
}

// quiet stores values that no person wrote: write_date stays.
func (r rec) quiet(vals row) { r.e.db.update(r.m.name, r.id, vals) }

func (r rec) touch() { r.set(row{}) }

// insert stores a new record as given.
func (e *env) insert(model string, vals row) int {
	m := e.model(model)
	stored := row{"create_date": e.now, "write_date": e.now, "create_uid": e.uid, "write_uid": e.uid}
	for f, v := range vals {
		if m.meta[f].ByCompany {
			f = companyKey(f, e.company())
		}
		stored[f] = v
	}
	if m.stored["active"] && stored["active"] == nil {
		stored["active"] = true
	}
	return e.db.insert(model, 0, stored)
}

// all lists a model's ids in id order, archived ones too.
func (e *env) all(model string) []int { return slices.Clone(e.db.table(model).ids) }

// first returns the first record (by the model's order) for which want holds; id 0 when none.
func (e *env) first(model string, want func(rec) bool) rec {
	ids := slices.DeleteFunc(e.all(model), func(id int) bool { return !want(e.rec(model, id)) })
	if len(ids) == 0 {
		return e.rec(model, 0)
	}
	e.sort(e.model(model), ids, e.model(model).order)
	return e.rec(model, ids[0])
}

// pyFloat is written to JSON as Python does: always with a decimal point.
type pyFloat float64

func (f pyFloat) text() []byte {
	if v := float64(f); v == math.Trunc(v) && math.Abs(v) < 1e16 {
		return strconv.AppendFloat(nil, v+0, 'f', 1, 64)
	}
	return strconv.AppendFloat(nil, float64(f), 'g', -1, 64)
}

// MarshalJSON writes 3 as 3.0.
func (f pyFloat) MarshalJSON() ([]byte, error) { return f.text(), nil }

const (
	datetimeLayout = "2006-01-02 15:04:05"
	dateLayout     = "2006-01-02"
)

// shown converts a stored value to what read answers: false for empty, a
// many2one as [id, name] (or as id when byID), floats with a decimal point.
func (e *env) shown(meta Field, v any, byID bool) any {
	switch meta.Type {
	case "many2one":
		id, _ := v.(int)
		if id == 0 {
			return false
		}
		if byID {
			return id
		}
		if e.model(meta.Relation) == nil {
			notSupported("the name of a %s", meta.Relation)
		}
		return []any{id, e.rec(meta.Relation, id).display()}
	case "one2many", "many2many":
		if ids, _ := v.([]int); ids != nil {
			return ids
		}
		return []int{}
	case "float", "monetary":
		switch n := v.(type) {
		case float64:
			return pyFloat(n)
		case int:
			return pyFloat(n)
		}
		return pyFloat(0)
	case "integer", "many2one_reference":
		if v == nil {
			return 0
		}
		return v
	case "boolean":
		return v == true
	case "datetime":
		if t, _ := v.(time.Time); !t.IsZero() {
			return t.Format(datetimeLayout)
		}
		return false
	}
	if v == nil {
		return false
	}
	return v
}
