package crossdock_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crossdockhq/crossdock"
)

func record(t testing.TB, fields map[string]any) crossdock.Record {
	t.Helper()
	r := crossdock.Record{Kind: crossdock.KindParty, Form: 1}
	for name, v := range fields {
		if err := r.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestPackUnpack(t *testing.T) {
	p := crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Address: crossdock.Address{City: "Fürth", Country: "DE"}}
	r, err := crossdock.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != crossdock.KindParty || r.Form != 1 || r.Text("email") != "ada@example.org" {
		t.Errorf("packed as %s", text(t, r))
	}
	var got crossdock.Party
	if err := r.Unpack(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnpackRefuses(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		code           crossdock.Code
	}{
		{"another kind", `{"kind":"order","form":1}`, `a record of kind "order" was read as "party"`, crossdock.Internal},
		{"a newer form", `{"kind":"party","form":2,"name":"Ada"}`, "party is written in form 2 and this hub reads up to form 1: run a newer crossdock", crossdock.Internal},
		{"a wrong type", `{"kind":"party","form":1,"name":7}`, "name: party: json: cannot unmarshal number", crossdock.Invalid},
		{"a wrong ref", `{"kind":"party","form":1,"name":"Ada","parent":"P7"}`, `parent: party: "P7" is no reference`, crossdock.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r crossdock.Record
			if err := json.Unmarshal([]byte(c.in), &r); err != nil {
				t.Fatal(err)
			}
			err := r.Unpack(&crossdock.Party{})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || crossdock.CodeOf(err) != c.code {
				t.Errorf("got %v (%s)", err, crossdock.CodeOf(err))
			}
		})
	}
}

// A form of an older version, and one written before versions, is read.
func TestOlderFormIsRead(t *testing.T) {
	var r crossdock.Record
	if err := json.Unmarshal([]byte(`{"kind":"party","name":"Ada"}`), &r); err != nil {
		t.Fatal(err)
	}
	var p crossdock.Party
	if err := r.Unpack(&p); err != nil || p.Name != "Ada" || r.Form != 0 {
		t.Errorf("got %+v, form %d, %v", p, r.Form, err)
	}
}

func TestRecordJSONRefuses(t *testing.T) {
	for in, want := range map[string]string{
		`{"name":"Ada"}`:              "a record without its kind",
		`{"kind":7}`:                  "the kind of a record is no text",
		`{"kind":"party","form":"a"}`: "form of party is no number",
		`[]`:                          "cannot unmarshal array",
		`"party"`:                     "cannot unmarshal string",
	} {
		var r crossdock.Record
		if err := json.Unmarshal([]byte(in), &r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", in, err)
		}
	}
}

func TestSet(t *testing.T) {
	r := record(t, map[string]any{"name": "Ada", "note": "x"})
	if err := r.Set("note", nil); err != nil || r.Fields["note"] != nil {
		t.Errorf("null left %s, %v", r.Fields["note"], err)
	}
	for _, name := range []string{"kind", "form"} {
		if err := r.Set(name, "x"); err == nil {
			t.Errorf("a field may be called %s", name)
		}
	}
	if err := r.Set("bad", func() {}); crossdock.CodeOf(err) != crossdock.Internal {
		t.Errorf("a function as a value: %v", err)
	}
	if got := r.Text("missing") + record(t, map[string]any{"n": 7}).Text("n"); got != "" {
		t.Errorf("text of no text: %q", got)
	}
}

// A form that was read from a whole record's JSON has its kind and form among
// what it keeps; packed again the record says them once.
func TestKindIsWrittenOnce(t *testing.T) {
	var p crossdock.Party
	if err := json.Unmarshal([]byte(`{"kind":"party","form":1,"name":"Ada"}`), &p); err != nil {
		t.Fatal(err)
	}
	r, err := crossdock.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil || string(b) != `{"kind":"party","form":1,"address":null,"name":"Ada"}` && string(b) != `{"kind":"party","form":1,"name":"Ada"}` {
		t.Errorf("wrote %s, %v", b, err)
	}
}

func fieldMaps() *rapid.Generator[map[string]any] {
	values := rapid.OneOf(
		rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(),
		rapid.SliceOfN(rapid.String(), 0, 3).AsAny(),
		rapid.MapOfN(rapid.StringMatching(`[a-z<&]{1,3}`), rapid.Int(), 0, 3).AsAny(),
	)
	return rapid.MapOfN(rapid.StringMatching(`[a-z_<]{1,4}`), values, 0, 6)
}

func drawRecord(t *rapid.T, label string) crossdock.Record {
	r := crossdock.Record{Kind: crossdock.KindParty, Form: 1}
	for name, v := range fieldMaps().Draw(t, label) {
		if name == "kind" || name == "form" {
			continue
		}
		if err := r.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestRecordJSONRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t, "record")
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var got crossdock.Record
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(r) || got.Form != r.Form {
			t.Fatalf("%s came back as %+v", b, got)
		}
		if again, err := json.Marshal(got); err != nil || string(again) != string(b) {
			t.Fatalf("%s, then %s, %v", b, again, err)
		}
	})
}

// Differs and With belong together: what differs, taken over, leaves no
// difference; and nothing else is touched.
func TestDiffersAndWith(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawRecord(t, "a"), drawRecord(t, "b")
		before := a.Clone()
		all := a.Differs(b, nil)
		if !slices.IsSorted(all) || a.Equal(b) != (len(all) == 0) {
			t.Fatalf("differs in %v, equal %v", all, a.Equal(b))
		}
		if got := a.With(b, all); !got.Equal(b) {
			t.Fatalf("%v taken over leaves %v", all, got.Differs(b, nil))
		}
		names := b.Names()
		some := names[:rapid.IntRange(0, len(names)).Draw(t, "some")]
		got := a.With(b, some)
		if left := got.Differs(b, some); len(left) != 0 {
			t.Fatalf("%v were not taken over", left)
		}
		for _, name := range got.Differs(a, nil) {
			if !some.Has(name) {
				t.Fatalf("%s was changed, only %v were named", name, some)
			}
		}
		if !a.Equal(before) {
			t.Fatal("With changed the record it was called on")
		}
	})
}

func TestWithOnNothing(t *testing.T) {
	b := record(t, map[string]any{"name": "Ada", "note": "x"})
	got := crossdock.Record{}.With(b, crossdock.Fields{"name"})
	if got.Kind != crossdock.KindParty || got.Form != 1 || len(got.Fields) != 1 {
		t.Errorf("got %s", text(t, got))
	}
	if got := b.With(crossdock.Record{}, crossdock.Fields{"note"}); got.Fields["note"] != nil || got.Text("name") != "Ada" {
		t.Errorf("a field the other lacks stays: %s", text(t, got))
	}
	if !(crossdock.Record{}).IsZero() || b.IsZero() {
		t.Error("IsZero is wrong")
	}
	if b, err := json.Marshal(crossdock.Record{}); err != nil || string(b) != "null" {
		t.Errorf("the zero record is %s, %v", b, err)
	}
}

func TestEqualLooksAtTheKind(t *testing.T) {
	a, b := record(t, map[string]any{"name": "Ada"}), record(t, map[string]any{"name": "Ada"})
	b.Kind = crossdock.KindItem
	if a.Equal(b) || len(a.Differs(b, nil)) != 0 {
		t.Error("a party equals an item")
	}
}

func FuzzRecordJSON(f *testing.F) {
	for _, s := range []string{
		`null`, `{"kind":"party","form":1,"name":"Ada"}`, `{"kind":"order","lines":[{"key":"1","new":1e99}],"lines":[]}`,
		`{"kind":"","a":"\u2028<&>"}`, `{"kind":"tax","rate":1e999999999}`, `{"form":1}`, `{"kind":"party", "a" : { "b" :1 } }`,
		`{"kind":"document","text":{"kind":"order","form":9}}`, `{"kind":"order","KIND":"party","Form":"x"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var r crossdock.Record
		if json.Unmarshal(in, &r) != nil {
			return
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%q can be read and not written: %v", in, err)
		}
		var again crossdock.Record
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatalf("%q was written as %q, which can't be read: %v", in, b, err)
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != string(b) {
			t.Fatalf("%q, then %q, %v", b, twice, err)
		}
		form, err := crossdock.FormFor(r.Kind)
		if err != nil || r.Unpack(form) != nil {
			return
		}
		packed, err := crossdock.Pack(form)
		if err != nil {
			t.Fatalf("%q was read as %+v, which can't be packed: %v", in, form, err)
		}
		second, _ := crossdock.FormFor(r.Kind)
		if err := packed.Unpack(second); err != nil {
			t.Fatalf("%s was packed and can't be read: %v", text(t, packed), err)
		}
		if diff := cmp.Diff(form, second, cmp.Comparer(func(a, b json.RawMessage) bool { return true })); diff != "" {
			t.Fatal(diff)
		}
	})
}
