package odoo

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// Rows returns every record of a model, archived ones included, in id order, as
// plain copies: many2one as id (false when empty), one2many and many2many as
// []int, datetimes as "YYYY-MM-DD HH:MM:SS", numbers as float64. It holds every
// field the stand-in models and returns nil for a model it does not know.
func (s *Server) Rows(model string) []map[string]any {
	m := s.models[model]
	if m == nil {
		return nil
	}
	var out []map[string]any
	err := s.person(func(e *env) {
		e = e.with("active_test", false)
		for _, id := range e.all(model) {
			out = append(out, e.plainRow(e.rec(model, id)))
		}
	})
	if err != nil {
		panic(err) // a defect of the stand-in: reading refuses nothing
	}
	return out
}

func (e *env) plainRow(r rec) map[string]any {
	values := map[string]any{"id": r.id, "display_name": r.display()}
	for f, meta := range r.m.meta {
		if f == "id" || f == "display_name" || !e.s.readable(r.m, f) {
			continue
		}
		var v any
		if refused := caught(func() { v = e.shown(meta, r.get(f), true) }); refused != nil {
			if refused.Name == notSupportedName {
				continue // the field cannot be answered in this state of the world
			}
			panic(refused)
		}
		values[f] = plainValue(v)
	}
	return values
}

func plainValue(v any) any {
	switch v := v.(type) {
	case pyFloat:
		return float64(v)
	case []int:
		return append([]int{}, v...)
	}
	return v
}

// Match returns the records of a model for which every field has the wanted
// value, in id order. Numbers compare as decimals, booleans as true and false,
// empty values as "" or "false", a many2one by its id or its display name, a
// list of records by any of its members. A path like order_id.client_order_ref
// is followed. A model or field the stand-in does not know is an error, and so is
// one of fields that it does not know; every row holds all those it knows.
func (s *Server) Match(model string, where map[string]string, fields ...string) ([]map[string]any, error) {
	if s.models[model] == nil {
		return nil, fmt.Errorf("odoo stand-in: model %q is not known", model)
	}
	var out []map[string]any
	err := s.person(func(e *env) {
		e = e.with("active_test", false)
		for _, path := range append(sortedKeys(where), fields...) {
			e.checkPath(e.model(model), path)
		}
	records:
		for _, id := range e.all(model) {
			r := e.rec(model, id)
			for path, want := range where {
				if !e.holds(r, strings.Split(path, "."), want) {
					continue records
				}
			}
			out = append(out, e.plainRow(r))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("odoo stand-in: matching %s: %w", model, err)
	}
	return out, nil
}

func (e *env) checkPath(m *model, path string) {
	for i, f := range strings.Split(path, ".") {
		if i > 0 && m == nil {
			notSupported("the path %s", path)
		}
		if !e.s.readable(m, f) {
			e.unknownOrUnmodelled(m, f, e.v.unknownField)
		}
		m = e.model(m.meta[f].Relation)
	}
}

func (e *env) holds(r rec, path []string, want string) bool {
	f := path[0]
	meta := e.metaOf(r.m, f)
	if meta.Relation == "" {
		return len(path) == 1 && sameText(plainValue(e.shown(meta, r.get(f), true)), want)
	}
	others := r.ids(f)
	if meta.Type == "many2one" {
		if others = nil; r.ref(f) != 0 {
			others = []int{r.ref(f)}
		}
	}
	if len(others) == 0 {
		return len(path) == 1 && (want == "" || want == "false")
	}
	for _, id := range others {
		x := e.rec(meta.Relation, id)
		if len(path) > 1 {
			if e.holds(x, path[1:], want) {
				return true
			}
		} else if want == fmt.Sprint(id) || want == x.display() {
			return true
		}
	}
	return false
}

// sameText compares an Odoo value with written text; dust beyond six decimals
// in a number is not a difference.
func sameText(v any, want string) bool {
	switch v := v.(type) {
	case bool:
		return want == fmt.Sprint(v) || (!v && want == "")
	case float64, int:
		a, okA := new(big.Rat).SetString(strings.TrimSpace(fmt.Sprintf("%.6f", number(v))))
		b, okB := new(big.Rat).SetString(want)
		if okA && okB {
			return a.Cmp(b) == 0
		}
		return false
	case string:
		a, okA := decimal(v)
		b, okB := decimal(want)
		return v == want || (okA && okB && a.Cmp(b) == 0)
	}
	return fmt.Sprint(v) == want
}

// decimal reads plain decimals only: references like "0017" stay text.
func decimal(s string) (*big.Rat, bool) {
	if !strings.Contains(s, ".") || strings.ContainsAny(s, "eE/_") {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// Models lists the models that Match knows, sorted.
func (s *Server) Models() []string { return slices.Sorted(maps.Keys(s.models)) }

// Fields lists the fields of a model that Match knows, sorted.
func (s *Server) Fields(model string) []string {
	m := s.models[model]
	if m == nil {
		return nil
	}
	return slices.Sorted(func(yield func(string) bool) {
		for f := range m.meta {
			if s.readable(m, f) && !yield(f) {
				return
			}
		}
	})
}

// Field describes a field by its path from a model, such as order_id.state: ok is
// false where Match does not know it. Of a selection, choices are its keys.
func (s *Server) Field(model, path string) (choices []string, ok bool) {
	m := s.models[model]
	for f := range strings.SplitSeq(path, ".") {
		if m == nil || !s.readable(m, f) {
			return nil, false
		}
		meta := m.meta[f]
		choices = nil
		for _, c := range meta.Selection {
			choices = append(choices, c[0])
		}
		m = s.models[meta.Relation]
	}
	return choices, true
}
