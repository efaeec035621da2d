package odoo

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// coerce turns values as a client sends them (JSON) into stored ones, refusing
// what Odoo refuses. One2many commands are left as they are.
func (e *env) coerce(m *model, vals map[string]any, unknown func(field, model string) string) row {
	out := row{}
	for f, v := range vals {
		meta, real := m.meta[f]
		if !real {
			raise("builtins.ValueError", "%s", unknown(f, m.name))
		}
		if m.ignored[f] {
			continue
		}
		owner := m.name
		if !m.stored[f] && !e.s.linked(meta) {
			if m.name == "product.product" && e.model("product.template").stored[f] {
				owner = "product.template"
			} else {
				notSupported("writing field %s of %s", f, m.name)
			}
		}
		out[f] = e.value(owner, f, meta, v)
	}
	return out
}

func (e *env) value(model, f string, meta Field, v any) any {
	switch meta.Type {
	case "many2one":
		return e.reference(model, f, meta, v)
	case "many2many":
		return e.commands(model, f, meta, v)
	case "one2many":
		return v
	case "float", "monetary":
		return number(v)
	case "integer", "many2one_reference":
		return int(number(v))
	case "boolean":
		return truth(v)
	case "datetime":
		return parseDatetime(v)
	case "date":
		if t, ok := parseDatetime(v).(time.Time); ok {
			return t.Format(dateLayout)
		}
		return nil
	case "selection":
		s, _ := v.(string)
		if s == "" {
			return nil
		}
		if !slices.ContainsFunc(meta.Selection, func(kv [2]string) bool { return kv[0] == s }) {
			raise("builtins.ValueError", "Wrong value for %s.%s: '%s'", model, f, s)
		}
		return s
	case "html":
		s, _ := v.(string)
		return htmlText(s)
	}
	if v == nil || v == false {
		return nil
	}
	if s, ok := v.(string); ok {
		if s == "" && meta.Type != "char" {
			return nil
		}
		return s
	}
	return fmt.Sprint(v)
}

// htmlText wraps plain text in a paragraph, as Odoo's sanitiser does.
func htmlText(s string) any {
	switch {
	case s == "":
		return nil
	case strings.HasPrefix(s, "<p") || strings.HasPrefix(s, "<div"):
		return s
	}
	return "<p>" + s + "</p>"
}

// reference reads a many2one. Text clears the field without a word (Odoo 18
// recording, "write m2o name str"); an id that does not exist is refused.
func (e *env) reference(model, f string, meta Field, v any) any {
	id, ok := v.(int)
	if !ok || id == 0 {
		return nil
	}
	if e.model(meta.Relation) == nil {
		notSupported("a reference to %s", meta.Relation)
	}
	if e.rec(meta.Relation, id).exists() {
		return id
	}
	if meta.Relation == "product.product" || meta.Relation == "res.partner" {
		e.missingRecord(meta.Relation, id)
	}
	refuse("ValidationError", "The operation cannot be completed: another model requires the record being deleted. If possible, archive it instead.\n\nModel: %s (%s)\nConstraint: %s_%s_fkey\n",
		e.v.modelLabel(model), model, strings.ReplaceAll(model, ".", "_"), f)
	return nil
}

// links is a many2many to be written: the ids to set, or to add and drop.
type links struct {
	set       bool
	add, drop []int
	create    []map[string]any
}

func (e *env) commands(model, f string, meta Field, v any) any {
	var l links
	list, ok := v.([]any)
	if !ok {
		return links{set: true}
	}
	for _, c := range list {
		if id, ok := c.(int); ok { // a plain list of ids
			l.set, l.add = true, append(l.add, id)
			continue
		}
		cmd, _ := c.([]any)
		op, id := command(cmd)
		switch op {
		case 0:
			l.create = append(l.create, commandValues(cmd))
		case 3:
			l.drop = append(l.drop, id)
		case 4:
			l.add = append(l.add, id)
		case 5:
			l.set, l.add = true, nil
		case 6:
			if len(cmd) < 3 {
				notSupported("command %v on %s of %s", c, f, model)
			}
			l.set, l.add = true, toIDs(cmd[2])
		default:
			notSupported("command %v on %s of %s", c, f, model)
		}
	}
	return l
}

func command(cmd []any) (op, id int) {
	if len(cmd) == 0 {
		return -1, 0
	}
	op, ok := cmd[0].(int)
	if !ok {
		return -1, 0
	}
	if len(cmd) > 1 {
		id, _ = cmd[1].(int)
	}
	return op, id
}

// commandValues are the values of a command that creates or writes.
func commandValues(cmd []any) map[string]any {
	if len(cmd) > 2 {
		if vals, ok := cmd[2].(map[string]any); ok {
			return vals
		}
	}
	notSupported("the command %s without values", pyRepr(cmd))
	return nil
}

// linksOn applies a many2many write to the ids held before.
func (e *env) linksOn(meta Field, before []int, l links) []int {
	ids := slices.Clone(before)
	if l.set {
		ids = nil
	}
	for _, vals := range l.create {
		ids = append(ids, e.create(meta.Relation, vals))
	}
	for _, id := range l.add {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	ids = slices.DeleteFunc(ids, func(id int) bool { return slices.Contains(l.drop, id) })
	if other := e.model(meta.Relation); other != nil {
		e.sort(other, ids, other.order)
	}
	return ids
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int:
		return v != 0
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	case []int:
		return len(v) > 0
	}
	return true
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case string:
		var f float64
		if _, err := fmt.Sscanf(v, "%g", &f); err != nil {
			raise("builtins.ValueError", "could not convert string to float: %s", pyRepr(v))
		}
		return f
	}
	return 0
}

func toIDs(v any) []int {
	switch v := v.(type) {
	case int:
		return []int{v}
	case []int:
		return v
	case []any:
		ids := make([]int, 0, len(v))
		for _, x := range v {
			id, ok := x.(int)
			if !ok {
				notSupported("%s in a list of ids", pyRepr(x))
			}
			ids = append(ids, id)
		}
		return ids
	}
	return nil
}

var fraction = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\..+)$`)

// parseDatetime reads "YYYY-MM-DD HH:MM:SS" or a date; any other form is
// Python's ValueError (recordings "write datetime ISO Z", "write datetime micro").
func parseDatetime(v any) any {
	s, ok := v.(string)
	if !ok || s == "" {
		return nil
	}
	for _, layout := range []string{datetimeLayout, dateLayout} {
		if t, err := time.Parse(layout, s); err == nil && len(s) == len(layout) {
			return t
		}
	}
	if rest := fraction.FindStringSubmatch(s); rest != nil {
		raise("builtins.ValueError", "unconverted data remains: %s", rest[1])
	}
	raise("builtins.ValueError", "time data '%s' does not match format '%%Y-%%m-%%d %%H:%%M:%%S'", s)
	return nil
}

// roundTo rounds half away from zero to a multiple of step, as Odoo's
// float_round does: a value a hair below the half counts as the half.
func roundTo(v, step float64) float64 {
	if step == 0 || v == 0 {
		return v
	}
	n := v / step
	inverse := math.Round(1 / step)
	if step < 1 { // dividing by the inverse keeps decimals exact
		n = v * inverse
	}
	eps := math.Exp2(math.Log2(math.Abs(n)) - 52)
	if n < 0 {
		eps = -eps
	}
	n = math.Trunc(n + eps + math.Copysign(0.5, n))
	if step < 1 {
		return n / inverse
	}
	return n * step
}

func roundDigits(v float64, digits int) float64 {
	if digits < 0 {
		return v
	}
	return roundTo(v, math.Pow(10, -float64(digits)))
}

func isZero(v float64) bool { return math.Abs(v) < 0.000001 }
