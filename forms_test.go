package crossdock_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossdockhq/crossdock"
)

// Every constant of type Kind has a form, and no form a kind without a constant.
func TestEveryKindHasAForm(t *testing.T) {
	values := map[string][]string{}
	for _, file := range sourceFiles(t) {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					valuesOfType(t, values, map[string]bool{"Kind": true}, spec.(*ast.ValueSpec))
				}
			}
		}
	}
	if diff := cmp.Diff(values["Kind"], crossdock.KindNames()); diff != "" {
		t.Errorf("constants of type Kind against forms:\n%s", diff)
	}
}

// Forms hands out records that share nothing: what one caller reads into its
// record, no other sees.
func TestFormsAreNewEachTime(t *testing.T) {
	order := crossdock.Forms()[0].(*crossdock.Order)
	order.Number = "1001"
	if again := crossdock.Forms()[0].(*crossdock.Order); again.Number != "" {
		t.Errorf("a second caller got number %q", again.Number)
	}
}

// No field of a form is called kind or form: a record writes these beside them.
// No two names of one struct differ only in capitals, and all are lower case.
func TestNamesOfFields(t *testing.T) {
	for _, f := range crossdock.Forms() {
		eachStruct(reflect.TypeOf(f).Elem(), func(s reflect.Type) {
			for i := range s.NumField() {
				name, _, _ := strings.Cut(s.Field(i).Tag.Get("json"), ",")
				if name == "" || name == "kind" || name == "form" || name != strings.ToLower(name) {
					t.Errorf("%s.%s is called %q in JSON", s, s.Field(i).Name, name)
				}
			}
		})
	}
}

// eachStruct calls f for a form and every struct of ours it holds that is written
// as a JSON object.
func eachStruct(t reflect.Type, f func(reflect.Type)) {
	switch {
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice:
		eachStruct(t.Elem(), f)
	case isObject(t):
		f(t)
		for i := range t.NumField() {
			eachStruct(t.Field(i).Type, f)
		}
	}
}

func isText(t reflect.Type) bool {
	return t == reflect.TypeFor[crossdock.Money]() || t == reflect.TypeFor[crossdock.Quantity]() ||
		t == reflect.TypeFor[crossdock.Ref]() || t == reflect.TypeFor[crossdock.Record]()
}

// Whatever is in a record comes out of its form again: nothing the form knows is
// dropped, and nothing it doesn't know, wherever it stands.
func TestFormsDropNothing(t *testing.T) {
	for _, f := range crossdock.Forms() {
		kind, _ := f.FormOf()
		t.Run(string(kind), func(t *testing.T) {
			fill(t, reflect.ValueOf(f).Elem())
			first, err := crossdock.Pack(f)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := 0, reflect.TypeOf(f).Elem(); i < s.NumField(); i++ {
				name, _, _ := strings.Cut(s.Field(i).Tag.Get("json"), ",")
				if name != "-" && first.Fields[name] == nil {
					t.Errorf("Pack dropped %s", name)
				}
			}
			addUnknown(t, &first, reflect.TypeOf(f).Elem())
			again, err := crossdock.FormFor(kind)
			if err != nil {
				t.Fatal(err)
			}
			if err := first.Unpack(again); err != nil {
				t.Fatal(err)
			}
			second, err := crossdock.Pack(again)
			if err != nil {
				t.Fatal(err)
			}
			if !second.Equal(first) {
				t.Errorf("Unpack and Pack changed %s:\n%s", first.Differs(second, nil), cmp.Diff(text(t, first), text(t, second)))
			}
		})
	}
}

// addUnknown adds fields of a newer hub to a record and to every object of ours in
// it, however deep.
func addUnknown(t *testing.T, r *crossdock.Record, form reflect.Type) {
	t.Helper()
	fields, objects := withUnknown(t, r.Fields, form), map[string]any{}
	r.Fields = fields
	eachStruct(form, func(s reflect.Type) { objects[s.Name()] = nil })
	b, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), `"zz_later"`); n < len(objects) {
		t.Fatalf("only %d objects of %s have an unknown field, and it holds %d types: %s", n, form, len(objects), b)
	}
}

// withUnknown returns the fields of a struct of type s in the order in which it writes
// them, with unknown ones added to it and to what it holds.
func withUnknown(t *testing.T, fields map[string]json.RawMessage, s reflect.Type) map[string]json.RawMessage {
	t.Helper()
	out := maps.Clone(fields)
	for name, value := range map[string]string{"zz_later": `{"deep":[1,2],"text":"\u003c\u0026\u003e","n":9007199254740993}`, "Name": `"not the field name"`, "NUMBER": "7",
		"aa_later": "12345678901234567890.123456789012345678901"} {
		out[name] = json.RawMessage(value)
	}
	for i := range s.NumField() {
		f := s.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case fields[name] == nil:
		case f.Type.Kind() == reflect.Slice && isObject(f.Type.Elem()):
			var elements []json.RawMessage
			parse(t, fields[name], &elements)
			for i, e := range elements {
				elements[i] = objectWithUnknown(t, e, f.Type.Elem())
			}
			out[name] = compact(t, elements)
		case f.Type.Kind() == reflect.Pointer && isObject(f.Type.Elem()):
			out[name] = objectWithUnknown(t, fields[name], f.Type.Elem())
		case isObject(f.Type):
			out[name] = objectWithUnknown(t, fields[name], f.Type)
		}
	}
	return out
}

// objectWithUnknown does the same to an object in JSON: known fields first, in the
// order of the struct, then the others by name, which is the order in which it is
// written again.
func objectWithUnknown(t *testing.T, b json.RawMessage, s reflect.Type) json.RawMessage {
	t.Helper()
	fields := map[string]json.RawMessage{}
	parse(t, b, &fields)
	fields = withUnknown(t, fields, s)
	var parts []string
	write := func(name string) {
		if value, ok := fields[name]; ok {
			parts = append(parts, string(compact(t, name))+":"+string(value))
			delete(fields, name)
		}
	}
	for i := range s.NumField() {
		name, _, _ := strings.Cut(s.Field(i).Tag.Get("json"), ",")
		write(name)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		write(name)
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}

func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[crossdock.Order]().PkgPath() && !isText(t)
}

func parse(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func compact(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whatever is written as an object keeps what it doesn't know.
func TestWhoKeepsUnknownFields(t *testing.T) {
	for _, f := range crossdock.Forms() {
		eachStruct(reflect.TypeOf(f).Elem(), func(s reflect.Type) {
			if _, ok := s.FieldByName("Kept"); !ok {
				t.Errorf("%s drops the fields it does not know", s.Name())
			}
		})
	}
}

// A kept field named like a known one in other capitals is kept, and is not read
// as the known one.
func TestKeptIsNotRead(t *testing.T) {
	var p crossdock.Party
	if err := json.Unmarshal([]byte(`{"name":"Ada Lee","NAME":"someone else","Tax_ID":"1"}`), &p); err != nil {
		t.Fatal(err)
	}
	if p.Name != "Ada Lee" || p.TaxID != "" {
		t.Errorf("read name %q and tax id %q", p.Name, p.TaxID)
	}
	if len(p.Kept) != 2 {
		t.Errorf("kept %v", p.Kept)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
