package crossdock_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
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
	case t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[crossdock.Order]().PkgPath() && !isText(t):
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

// addUnknown adds fields of a newer hub to a record and, where a struct within
// keeps them, to each element of that field too.
func addUnknown(t *testing.T, r *crossdock.Record, form reflect.Type) {
	t.Helper()
	set := func(name string, value any) {
		if err := r.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	set("zz_later", map[string]any{"deep": []int{1, 2}, "text": "<&>"})
	set("Name", "not the field name")
	set("NUMBER", 7)
	set("aa_later", json.Number("12345678901234567890.123456789012345678901"))
	for i := range form.NumField() {
		f := form.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type.Kind() != reflect.Slice || f.Type.Elem().Kind() != reflect.Struct {
			continue
		}
		if _, keeps := f.Type.Elem().FieldByName("Kept"); !keeps {
			continue
		}
		var elements []map[string]json.RawMessage
		if err := json.Unmarshal(r.Fields[name], &elements); err != nil {
			t.Fatal(err)
		}
		for _, e := range elements {
			e["zz_later"] = json.RawMessage(`{"n":9007199254740993}`)
		}
		b, err := json.Marshal(elements)
		if err != nil {
			t.Fatal(err)
		}
		r.Fields[name] = reordered(t, b, f.Type)
	}
}

// reordered writes elements in the order in which their type writes them: known
// fields first, kept ones after, each kept value as it was.
func reordered(t *testing.T, b []byte, slice reflect.Type) json.RawMessage {
	t.Helper()
	v := reflect.New(slice)
	if err := json.Unmarshal(b, v.Interface()); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v.Interface())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(out), "9007199254740993") != 2 {
		t.Errorf("unknown fields in %s were dropped: %s", slice, out)
	}
	return out
}

// Only these nested forms keep what they don't know; the list is here so that it
// is changed on purpose.
func TestWhoKeepsUnknownFields(t *testing.T) {
	var keeps []string
	for _, f := range crossdock.Forms() {
		eachStruct(reflect.TypeOf(f).Elem(), func(s reflect.Type) {
			if _, ok := s.FieldByName("Kept"); ok && !slices.Contains(keeps, s.Name()) {
				keeps = append(keeps, s.Name())
			}
		})
	}
	want := []string{"Order", "Line", "Charge", "Party", "Item", "Stock", "Offer", "Site", "Tax", "Shipment", "Invoice", "Payment", "Return", "Purchase", "Document", "Fulfilment"}
	if diff := cmp.Diff(want, keeps); diff != "" {
		t.Error(diff)
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
