package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// object is a value of a GraphQL object type. A field's value is a scalar, nil,
// an *object, a []any of those, or a resolve for what depends on arguments or
// costs work.
type object struct {
	typ    string
	fields fields
}

type fields map[string]any

type arguments map[string]any

type resolve func(arguments) (any, error)

// lazy is a field without arguments that is worked out only when asked for.
func lazy(f func() any) resolve { return func(arguments) (any, error) { return f(), nil } }

// graphError is a top-level GraphQL error.
type graphError struct {
	message, code string
	path          []any
	extra         map[string]any // further extensions
}

func (e *graphError) Error() string { return e.message }

func refused(code, format string, args ...any) *graphError {
	return &graphError{message: fmt.Sprintf(format, args...), code: code}
}

func (e *graphError) json() map[string]any {
	ext := map[string]any{}
	for k, v := range e.extra {
		ext[k] = v
	}
	if e.code != "" {
		ext["code"] = e.code
	}
	out := map[string]any{"message": e.message, "extensions": ext}
	if len(e.path) > 0 {
		out["path"] = e.path
	}
	return out
}

// pairs is a JSON object whose members keep the order they were asked for in.
type pairs []pair

type pair struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (p pairs) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range p {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(marshal(m.name))
		out.WriteByte(':')
		out.Write(marshal(m.value))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// run executes one validated operation.
type run struct {
	vars   map[string]any
	cost   int // objects answered
	path   []any
	called []string // root fields
	allow  func(what, field string) error
	emit   func(chosen, *object) error // takes connections over in a bulk operation; nil otherwise
}

// chosen is one response key of a selection: the field and all its selections.
type chosen struct {
	*ast.Field
	sets ast.SelectionSet
}

// collect merges what a selection asks of a concrete type, in order, through
// fragments and under @skip and @include.
func (r *run) collect(set ast.SelectionSet, typ string) ([]chosen, error) {
	var out []chosen
	add := func(more []chosen) {
		for _, m := range more {
			at := slices.IndexFunc(out, func(c chosen) bool { return c.Alias == m.Alias })
			if at < 0 {
				out = append(out, m)
			} else {
				out[at].sets = append(slices.Clone(out[at].sets), m.sets...)
			}
		}
	}
	for _, sel := range set {
		var of ast.SelectionSet
		switch sel := sel.(type) {
		case *ast.Field:
			if r.wanted(sel.Directives) {
				add([]chosen{{sel, sel.SelectionSet}})
			}
			continue
		case *ast.InlineFragment:
			if r.wanted(sel.Directives) && is(typ, sel.TypeCondition) {
				of = sel.SelectionSet
			}
		case *ast.FragmentSpread:
			if r.wanted(sel.Directives) && is(typ, sel.Definition.TypeCondition) {
				of = sel.Definition.SelectionSet
			}
		}
		more, err := r.collect(of, typ)
		if err != nil {
			return nil, err
		}
		add(more)
	}
	return out, nil
}

func (r *run) wanted(directives ast.DirectiveList) bool {
	if d := directives.ForName("skip"); d != nil && d.ArgumentMap(r.vars)["if"] == true {
		return false
	}
	d := directives.ForName("include")
	return d == nil || d.ArgumentMap(r.vars)["if"] != false
}

// is tells whether a concrete type is of a type, interface or union.
func is(typ, condition string) bool {
	if condition == "" || typ == condition {
		return true
	}
	def := schema().Types[condition]
	return def != nil && slices.ContainsFunc(schema().GetPossibleTypes(def), func(d *ast.Definition) bool { return d.Name == typ })
}

// object answers a selection of an object.
func (r *run) object(set ast.SelectionSet, o *object) (pairs, error) {
	want, err := r.collect(set, o.typ)
	if err != nil {
		return nil, err
	}
	out := make(pairs, 0, len(want))
	for _, f := range want {
		r.path = append(r.path, f.Alias)
		if r.emit != nil && f.Definition != nil && strings.HasSuffix(f.Definition.Type.Name(), "Connection") {
			if err := r.emit(f, o); err != nil {
				return nil, r.at(err)
			}
			r.path = r.path[:len(r.path)-1]
			continue
		}
		value, err := r.field(f, o)
		if err != nil {
			return nil, r.at(err)
		}
		r.path = r.path[:len(r.path)-1]
		out = append(out, pair{f.Alias, value})
	}
	return out, nil
}

// name is the last field on the path.
func (r *run) name() string {
	for _, step := range slices.Backward(r.path) {
		if name, ok := step.(string); ok {
			return name
		}
	}
	return ""
}

// at gives an error the place it happened at.
func (r *run) at(err error) error {
	if e, ok := err.(*graphError); ok && e.path == nil { //nolint:errorlint // resolvers return it bare
		e.path = slices.Clone(r.path)
	}
	return err
}

func (r *run) field(f chosen, o *object) (any, error) {
	if f.Name == "__typename" {
		return o.typ, nil
	}
	if err := r.allow(o.typ+"."+f.Name, f.Name); err != nil {
		return nil, err
	}
	value, ok := o.fields[f.Name]
	if !ok {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not answer %s.%s", o.typ, f.Name)
	}
	if call, ok := value.(resolve); ok {
		var err error
		if value, err = call(f.ArgumentMap(r.vars)); err != nil {
			return nil, err
		}
	}
	return r.complete(f.Definition.Type, value, f.sets)
}

// complete checks a value against the schema's type and answers its selection.
func (r *run) complete(t *ast.Type, value any, set ast.SelectionSet) (any, error) {
	if o, ok := value.(*object); ok && o == nil {
		value = nil
	}
	if value == nil {
		if t.NonNull {
			return nil, refused("INTERNAL_SERVER_ERROR", "the stand-in has no value for a field of type %s", t)
		}
		return nil, nil
	}
	if t.Elem != nil {
		items, ok := value.([]any)
		if !ok {
			return nil, refused("INTERNAL_SERVER_ERROR", "the stand-in has %T for a list %s", value, t)
		}
		out := make([]any, 0, len(items))
		for i, item := range items {
			r.path = append(r.path, i)
			one, err := r.complete(t.Elem, item, set)
			if err != nil {
				return nil, r.at(err)
			}
			r.path = r.path[:len(r.path)-1]
			out = append(out, one)
		}
		return out, nil
	}
	def := schema().Types[t.NamedType]
	if def.IsLeafType() {
		return value, leaf(def, value)
	}
	o, ok := value.(*object)
	if !ok || !is(o.typ, t.NamedType) {
		return nil, refused("INTERNAL_SERVER_ERROR", "the stand-in has %T for %s", value, t)
	}
	if !free(o.typ) {
		r.cost++
	}
	if err := r.allow(o.typ, r.name()); err != nil {
		return nil, err
	}
	return r.object(set, o)
}

// leaf checks that a scalar or enum is what the schema says, so that the
// stand-in can't drift from it.
func leaf(def *ast.Definition, value any) error {
	ok := false
	switch v := value.(type) {
	case string:
		ok = !slices.Contains([]string{"Int", "Float", "Boolean"}, def.Name)
		if def.Kind == ast.Enum {
			ok = def.EnumValues.ForName(v) != nil
		}
	case int:
		ok = def.Name == "Int"
	case json.Number:
		ok = def.Name == "Float"
	case bool:
		ok = def.Name == "Boolean"
	}
	if !ok {
		return refused("INTERNAL_SERVER_ERROR", "the stand-in has %T %v for %s", value, value, def.Name)
	}
	return nil
}

// unresolved names a field of a selection that is valid and not answered by the
// stand-in, with its type; empty for none.
func unresolved(set ast.SelectionSet, seen map[*ast.FragmentDefinition]bool) string {
	for _, sel := range set {
		var of ast.SelectionSet
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			parent := sel.ObjectDefinition.Name
			if strings.HasPrefix(sel.Name, "__") || !known(parent, sel.Name) {
				return parent + "." + sel.Name
			}
			of = sel.SelectionSet
		case *ast.InlineFragment:
			of = sel.SelectionSet
		case *ast.FragmentSpread:
			if !seen[sel.Definition] {
				seen[sel.Definition] = true
				of = sel.Definition.SelectionSet
			}
		}
		if name := unresolved(of, seen); name != "" {
			return name
		}
	}
	return ""
}

// known tells whether the stand-in answers a field of a type. Connections and
// their edges are the same everywhere.
func known(typ, field string) bool {
	if has, ok := resolved[typ]; ok {
		return slices.Contains(strings.Fields(has), field)
	}
	switch {
	case strings.HasSuffix(typ, "Connection"):
		return field == "nodes" || field == "edges" || field == "pageInfo"
	case strings.HasSuffix(typ, "Edge"):
		return field == "node" || field == "cursor"
	}
	return false
}
