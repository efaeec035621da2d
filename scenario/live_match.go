package scenario

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// liveField is what fields_get says of a field.
type liveField struct {
	Type       string `json:"type"`
	Relation   string `json:"relation"`
	Searchable bool   `json:"searchable"`
	Stored     bool   `json:"store"`
}

// mostRows bounds how many records are compared one by one.
const mostRows = 5000

func (l *Live) fields(model string) (map[string]liveField, error) {
	l.mu.Lock()
	meta := l.meta[model]
	l.mu.Unlock()
	if meta != nil {
		return meta, nil
	}
	err := l.call(&meta, model, "fields_get", []any{[]string{}, []string{"type", "relation", "searchable", "store"}}, nil)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.meta[model] = meta
	l.mu.Unlock()
	return meta, nil
}

// Match returns the records of a model for which every field has the wanted value,
// archived ones included, in id order. Their rows hold these fields and those named
// besides, id, display_name, and state where the model keeps one: many2one as id (false
// when empty), one2many and many2many as []int, numbers as int or float64. Numbers
// compare as decimals, booleans as true and false, empty values as "" or "false", a
// many2one by its id or its display name, a list of records by any of its members.
// A path like order_id.client_order_ref is followed. A model or field that Odoo does
// not know is an error.
func (l *Live) Match(model string, where map[string]string, fields ...string) ([]map[string]any, error) {
	meta, err := l.fields(model)
	if err != nil {
		return nil, err
	}
	read := []string{"id", "display_name"}
	if meta["state"].Stored {
		read = append(read, "state")
	}
	for _, name := range fields {
		if _, ok := meta[name]; !ok {
			return nil, fmt.Errorf("%s: %s has no field %q", l, model, name)
		}
		read = append(read, name)
	}
	rows, err := l.matching(model, where, read)
	for _, row := range rows {
		for name, v := range row {
			row[name] = plainValue(meta[name], v)
		}
	}
	return rows, err
}

// condition is what one field must hold: a written value, or one of these records.
type condition struct {
	field string
	want  string
	among []int // of a path that goes on
	deep  bool
}

// matching returns the rows of Match as search_read gives them.
func (l *Live) matching(model string, where map[string]string, read []string) ([]map[string]any, error) {
	meta, err := l.fields(model)
	if err != nil {
		return nil, err
	}
	domain, conditions := []any{}, []condition{}
	for _, path := range slices.Sorted(maps.Keys(where)) {
		name, rest, deep := strings.Cut(path, ".")
		f, ok := meta[name]
		if !ok || deep && f.Relation == "" {
			return nil, fmt.Errorf("%s: %s has no field %q", l, model, path)
		}
		c := condition{field: name, want: where[path], deep: deep}
		switch {
		case deep:
			there, err := l.matching(f.Relation, map[string]string{rest: c.want}, []string{"id"})
			if err != nil {
				return nil, err
			}
			c.among = idsOf(there)
			if f.Searchable {
				domain = append(domain, []any{name, "in", c.among})
			}
		case f.Searchable && isWord(f, c.want):
			domain = append(domain, []any{name, "=", c.want})
		}
		conditions, read = append(conditions, c), append(read, name)
	}
	rows, err := l.rows(model, domain, read)
	if err != nil {
		return nil, err
	}
	if len(rows) > mostRows {
		return nil, fmt.Errorf("%s: there are more than %d records of %s to compare: select by a text field too", l, mostRows, model)
	}
	var out []map[string]any
rows:
	for _, row := range rows {
		for _, c := range conditions {
			if ok, err := l.holds(c, meta[c.field], row[c.field]); err != nil {
				return nil, err
			} else if !ok {
				continue rows
			}
		}
		out = append(out, row)
	}
	return out, nil
}

func idsOf(rows []map[string]any) []int {
	out := []int{}
	for _, row := range rows {
		if id, ok := wholeNumber(row["id"]); ok {
			out = append(out, id)
		}
	}
	return out
}

// wholeNumber reads an id out of an answer, digit by digit.
func wholeNumber(v any) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(n.String())
	return i, err == nil
}

// isWord reports a value that Odoo's own "=" compares as Match does.
func isWord(f liveField, want string) bool {
	return (f.Type == "char" || f.Type == "selection") && want != "" && want != "false" && !strings.Contains(want, ".")
}

func (l *Live) rows(model string, domain []any, fields []string) ([]map[string]any, error) {
	var rows []map[string]any
	err := l.call(&rows, model, "search_read", []any{domain}, map[string]any{
		"fields": fields, "order": "id", "limit": mostRows + 1, "context": map[string]any{"active_test": false, "bin_size": true},
	})
	return rows, err
}

// holds compares one field as search_read gave it.
func (l *Live) holds(c condition, f liveField, v any) (bool, error) {
	if f.Relation == "" {
		return sameValue(plainValue(f, v), c.want), nil
	}
	ids, _ := plainValue(f, v).([]int)
	if f.Type == "many2one" {
		ids = nil
		if id, ok := plainValue(f, v).(int); ok {
			ids = []int{id}
		}
	}
	switch {
	case c.deep:
		return slices.ContainsFunc(ids, func(id int) bool { return slices.Contains(c.among, id) }), nil
	case len(ids) == 0:
		return c.want == "" || c.want == "false", nil
	}
	if id, err := strconv.Atoi(c.want); err == nil && slices.Contains(ids, id) {
		return true, nil
	}
	if pair, ok := v.([]any); ok && f.Type == "many2one" {
		return len(pair) == 2 && pair[1] == c.want, nil
	}
	named, err := l.rows(f.Relation, []any{[]any{"id", "in", ids}}, []string{"display_name"})
	return slices.ContainsFunc(named, func(row map[string]any) bool { return row["display_name"] == c.want }), err
}

// plainValue makes of a value of search_read what Match returns.
func plainValue(f liveField, v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, ok := wholeNumber(v); ok && (f.Type == "integer" || f.Type == "many2one_reference") {
			return n
		}
		n, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return n
	case []any:
		if f.Type == "many2one" && len(v) == 2 {
			return plainValue(liveField{Type: "integer"}, v[0])
		}
		if f.Relation != "" {
			ids := make([]int, 0, len(v))
			for _, id := range v {
				if n, ok := wholeNumber(id); ok {
					ids = append(ids, n)
				}
			}
			return ids
		}
	case map[string]any: // a value with a form of its own, such as analytic_distribution
		if b, err := json.Marshal(v); err == nil {
			return string(b)
		}
	}
	return v
}

// sameValue compares a value with written text. Dust beyond six decimals in a
// number is no difference; texts are numbers only where both have a decimal point,
// so that a reference like 0017 stays text.
func sameValue(v any, want string) bool {
	got := fmt.Sprint(v)
	number := false
	switch v := v.(type) {
	case bool:
		return want == got || !v && want == ""
	case nil:
		return want == ""
	case float64:
		got, number = strconv.FormatFloat(v, 'f', 6, 64), true
	case int:
		number = true
	case string:
		number = strings.Contains(v, ".") && strings.Contains(want, ".")
	}
	if got == want || !number {
		return got == want
	}
	a, errA := crossdock.ParseDecimal(got)
	b, errB := crossdock.ParseDecimal(want)
	return errA == nil && errB == nil && a.Equal(b)
}
