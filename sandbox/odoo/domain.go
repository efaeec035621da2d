package odoo

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// condition is a parsed domain: a leaf, or an operator over parts.
type condition struct {
	op    byte // '&', '|', '!', 0 for a leaf, 't' for an empty domain
	parts []condition
	path  []string
	test  string
	value any
}

// parseDomain reads Odoo's prefix notation; missing operators mean and.
func (e *env) parseDomain(m *model, domain []any) condition {
	var stack []condition
	pop := func() condition {
		if len(stack) == 0 {
			raise("builtins.ValueError", "Domain is malformed: %s", pyRepr(domain))
		}
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		return c
	}
	for i := len(domain) - 1; i >= 0; i-- {
		switch item := domain[i].(type) {
		case string:
			switch item {
			case "&", "|":
				a := pop()
				stack = append(stack, condition{op: item[0], parts: []condition{a, pop()}})
			case "!":
				stack = append(stack, condition{op: '!', parts: []condition{pop()}})
			default:
				raise("builtins.ValueError", "Invalid leaf %s", pyRepr(item))
			}
		case []any:
			stack = append(stack, e.leaf(m, item))
		default:
			notSupported("%s in a domain", pyRepr(item))
		}
	}
	if len(stack) == 0 {
		return condition{op: 't'}
	}
	all := condition{op: '&'}
	for len(stack) > 0 {
		all.parts = append(all.parts, pop())
	}
	return all
}

var leafTests = []string{"=", "!=", "<>", "==", ">", ">=", "<", "<=", "in", "not in", "like", "not like", "ilike", "not ilike", "=like", "=ilike", "child_of"}

func (e *env) leaf(m *model, item []any) condition {
	if len(item) != 3 {
		raise("builtins.ValueError", "Invalid leaf %s", pyRepr(item))
	}
	field, ok := item[0].(string)
	test, _ := item[1].(string)
	if !ok { // (1, '=', 1) and its like
		a, okA := item[0].(int)
		b, okB := item[2].(int)
		if okA && okB && a == b && test == "=" {
			return condition{op: 't'}
		}
		notSupported("the domain leaf %s", pyRepr(item))
	}
	test = strings.ToLower(test)
	if !slices.Contains(leafTests, test) {
		notSupported("the domain operator %s", pyRepr(item[1]))
	}
	c := condition{path: strings.Split(field, "."), test: test, value: item[2]}
	at := m
	for i, f := range c.path {
		if !e.s.readable(at, f) {
			if _, real := at.meta[f]; real {
				notSupported("searching %s of %s", f, at.name)
			}
			leaf := strings.Replace(strings.Replace(pyRepr(item), "[", "(", 1), "]", ")", 1)
			raise("builtins.ValueError", "%s", e.v.unknownLeaf(at.name, f, leaf))
		}
		if i < len(c.path)-1 {
			next := e.model(at.meta[f].Relation)
			if next == nil {
				notSupported("searching through %s of %s", f, at.name)
			}
			at = next
		}
	}
	if t := e.metaOf(at, c.path[len(c.path)-1]); t.Type == "datetime" {
		c.value = e.datetimeValue(item[2])
	}
	return c
}

// datetimeValue reads the right side of a datetime comparison; here, unlike in
// write, a fraction of a second is taken (recording "cursor > micro string").
func (e *env) datetimeValue(v any) any {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999999", dateLayout} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	notSupported("the datetime %q in a domain", s)
	return nil
}

func (c condition) mentions(f string) bool {
	if len(c.path) > 0 && c.path[0] == f {
		return true
	}
	return slices.ContainsFunc(c.parts, func(p condition) bool { return p.mentions(f) })
}

// candidates narrows a search by an indexed leaf that must hold.
func (e *env) candidates(m *model, c condition) []int {
	t := e.db.table(m.name)
	leaves := c.parts
	if c.op != '&' {
		leaves = []condition{c}
	}
	for _, l := range leaves {
		if l.op != 0 || len(l.path) != 1 || (l.test != "=" && l.test != "in") {
			continue
		}
		keys, ok := intKeys(l.value)
		if !ok {
			continue
		}
		if f := l.path[0]; f == "id" {
			slices.Sort(keys)
			return slices.DeleteFunc(slices.Compact(keys), func(id int) bool { return !e.rec(m.name, id).exists() })
		} else if m.meta[f].Type == "many2one" && m.stored[f] && m.computed[f] == nil && !m.meta[f].ByCompany {
			var ids []int
			for _, k := range keys {
				ids = append(ids, t.having(f, k)...)
			}
			slices.Sort(ids)
			return slices.Compact(ids)
		}
	}
	return slices.Clone(t.ids)
}

func intKeys(v any) ([]int, bool) {
	switch v := v.(type) {
	case int:
		return []int{v}, true
	case []any:
		keys := []int{}
		for _, x := range v {
			k, ok := x.(int)
			if !ok {
				return nil, false
			}
			keys = append(keys, k)
		}
		return keys, true
	}
	return nil, false
}

func (c condition) holds(e *env, r rec) bool {
	switch c.op {
	case 't':
		return true
	case '&':
		for _, p := range c.parts {
			if !p.holds(e, r) {
				return false
			}
		}
		return true
	case '|':
		return c.parts[0].holds(e, r) || c.parts[1].holds(e, r)
	case '!':
		return !c.parts[0].holds(e, r)
	}
	return c.reaches(e, r, c.path)
}

// reaches walks the path; through a one2many or many2many one match is enough.
func (c condition) reaches(e *env, r rec, path []string) bool {
	meta := e.metaOf(r.m, path[0])
	if len(path) == 1 {
		return c.matches(e, r, path[0], meta)
	}
	if meta.Type == "many2one" {
		next := r.follow(path[0])
		return next.id != 0 && c.reaches(e, next, path[1:])
	}
	return slices.ContainsFunc(r.each(path[0]), func(x rec) bool { return c.reaches(e, x, path[1:]) })
}

func (c condition) matches(e *env, r rec, f string, meta Field) bool {
	switch meta.Type {
	case "many2one", "one2many", "many2many":
		return c.matchesRelation(e, r, f, meta)
	}
	v := r.get(f)
	if t, ok := v.(time.Time); ok && e.v.wholeSeconds {
		v = t.Truncate(time.Second)
	}
	want := c.value
	if t, ok := want.(time.Time); ok && e.v.wholeSeconds {
		want = t.Truncate(time.Second)
	}
	if f == "id" && c.test == "child_of" {
		return e.childOf(r, want)
	}
	switch c.test {
	case "=", "==":
		return sameValue(v, want)
	case "!=", "<>":
		return !sameValue(v, want)
	case "in", "not in":
		list, _ := want.([]any)
		found := slices.ContainsFunc(list, func(x any) bool { return sameValue(v, x) })
		return found == (c.test == "in")
	case ">", ">=", "<", "<=":
		return compareTest(c.test, v, want)
	}
	s, _ := v.(string)
	return textTest(c.test, s, want)
}

func compareTest(test string, v, want any) bool {
	if v == nil || want == nil || want == false {
		return false
	}
	if _, text := v.(string); text {
		if _, ok := want.(string); !ok {
			return false
		}
	}
	c := compareValues(v, want)
	switch test {
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	}
	return c <= 0
}

// sameValue is Odoo's "=": False means empty, and an unset boolean is False.
func sameValue(v, want any) bool {
	empty := v == nil || v == false || v == ""
	if want == nil || want == false {
		return empty
	}
	switch x := want.(type) {
	case string:
		s, ok := v.(string)
		return ok && s == x
	case bool:
		return truth(v) == x
	case time.Time:
		t, ok := v.(time.Time)
		return ok && t.Equal(x)
	}
	switch v.(type) {
	case int, float64:
		return number(v) == number(want)
	}
	return false
}

func textTest(test, s string, want any) bool {
	pattern, ok := want.(string)
	if !ok {
		return false
	}
	negated := strings.HasPrefix(test, "not ")
	test = strings.TrimPrefix(test, "not ")
	expr := likeExpression(pattern)
	if test == "like" || test == "ilike" {
		expr = ".*" + expr + ".*"
	}
	flags := "(?s)"
	if strings.Contains(test, "ilike") {
		flags = "(?si)"
	}
	return regexp.MustCompile(flags+"^"+expr+"$").MatchString(s) != negated
}

// likeExpression turns a LIKE pattern (%, _, backslash) into a regular expression.
func likeExpression(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			i++
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		case p[i] == '%':
			b.WriteString(".*")
		case p[i] == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	return b.String()
}

// matchesRelation compares by id, or by name when the value is text.
func (c condition) matchesRelation(e *env, r rec, f string, meta Field) bool {
	var ids []int
	if meta.Type == "many2one" {
		if id := r.ref(f); id != 0 {
			ids = []int{id}
		}
	} else {
		ids = r.ids(f)
	}
	negated := c.test == "!=" || c.test == "<>" || strings.HasPrefix(c.test, "not ")
	if text, ok := c.value.(string); ok {
		test := strings.TrimPrefix(c.test, "not ")
		found := slices.ContainsFunc(ids, func(id int) bool {
			name := e.rec(meta.Relation, id).display()
			if test == "=" || test == "!=" {
				return name == text
			}
			return textTest(test, name, text)
		})
		return found != negated
	}
	if c.test == "child_of" {
		return slices.ContainsFunc(ids, func(id int) bool { return e.childOf(e.rec(meta.Relation, id), c.value) })
	}
	if c.value == nil || c.value == false {
		return (len(ids) == 0) != negated
	}
	var wanted []int
	list, isList := c.value.([]any)
	if !isList {
		list = []any{c.value}
	}
	emptyWanted := false
	for _, x := range list {
		if id, ok := x.(int); ok {
			wanted = append(wanted, id)
		} else if x == false || x == nil {
			emptyWanted = true
		}
	}
	if slices.Contains([]string{">", ">=", "<", "<="}, c.test) {
		return len(ids) == 1 && compareTest(c.test, ids[0], c.value)
	}
	found := slices.ContainsFunc(ids, func(id int) bool { return slices.Contains(wanted, id) }) || (emptyWanted && len(ids) == 0)
	return found != negated
}

// childOf says whether r is one of roots or below one of them.
func (e *env) childOf(r rec, roots any) bool {
	parent := map[string]string{"res.partner": "parent_id", "stock.location": "location_id", "product.category": "parent_id"}[r.m.name]
	if parent == "" {
		notSupported("child_of on %s", r.m.name)
	}
	ids := toIDs(roots)
	for steps := 0; r.id != 0 && steps < 100; steps++ {
		if slices.Contains(ids, r.id) {
			return true
		}
		r = r.follow(parent)
	}
	return false
}
