package crossdock

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"sort"
	"strconv"
)

// Record is one thing as one side describes it: its kind, the version of its form
// and its fields by name, each one canonical JSON value. In the book and in
// statements the fields are those of the kind's form (Order, Party …); in a want
// they are the target's own words. A record keeps fields it does not know, so an
// older hub passes on what a newer one wrote.
type Record struct {
	Kind   Kind
	Form   int
	Fields map[string]json.RawMessage
}

// Form is a typed record: what Pack turns into a Record and Unpack reads.
type Form interface {
	FormOf() (Kind, int)
	Validate() error
}

// IsZero reports a record that says nothing.
func (r Record) IsZero() bool { return r.Kind == "" && len(r.Fields) == 0 }

// Pack writes a typed record as a Record. The forms of this package always
// marshal; an error means a defect in the form.
func Pack(f Form) (Record, error) {
	kind, form := f.FormOf()
	b, err := json.Marshal(f)
	if err != nil {
		return Record{}, Errorf(Internal, "can't write %s as JSON: %w", kind, err)
	}
	r := Record{Kind: kind, Form: form, Fields: map[string]json.RawMessage{}}
	if err := eachField(b, func(name string, value json.RawMessage) {
		if name != kindField && name != formField {
			r.Fields[name] = value[:len(value):len(value)]
		}
	}); err != nil {
		return Record{}, Errorf(Internal, "%s is no JSON object: %w", kind, err)
	}
	return r, nil
}

// Unpack reads r into a typed record of the same kind.
func (r Record) Unpack(f Form) error {
	kind, form := f.FormOf()
	if r.Kind != kind {
		return Errorf(Internal, "a record of kind %q was read as %q", r.Kind, kind)
	}
	if r.Form > form {
		return Errorf(Internal, "%s is written in form %d and this hub reads up to form %d: run a newer crossdock", kind, r.Form, form)
	}
	if err := json.Unmarshal(r.object(), f); err != nil {
		return At(r.wrongField(f), Errorf(Invalid, "%s: %w", kind, err))
	}
	return nil
}

// object writes the fields as one JSON object.
func (r Record) object() []byte {
	size := 2
	for name, value := range r.Fields {
		size += len(name) + len(value) + 8
	}
	b := append(make([]byte, 0, size), '{')
	for _, name := range r.Names() {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		if value := r.Fields[name]; len(value) > 0 {
			b = append(b, value...)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, '}')
}

// appendText appends a JSON string.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= 0x7f {
			text, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always marshals
			}
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// wrongField returns the first field that f can't read; "" when each by itself is good.
func (r Record) wrongField(f Form) string {
	for _, name := range r.Names() {
		b, err := json.Marshal(map[string]json.RawMessage{name: r.Fields[name]})
		if err != nil || json.Unmarshal(b, reflect.New(reflect.TypeOf(f).Elem()).Interface()) != nil {
			return name
		}
	}
	return ""
}

// Set puts one field, written as canonical JSON; null removes it. No field is
// called kind or form: a record says these beside its fields.
func (r *Record) Set(name string, value any) error {
	if name == kindField || name == formField {
		return Errorf(Internal, "field %s of %s: a record has that beside its fields", name, r.Kind)
	}
	b, err := json.Marshal(value)
	if err != nil {
		return Errorf(Internal, "field %s of %s: %w", name, r.Kind, err)
	}
	if bytes.Equal(b, []byte("null")) {
		delete(r.Fields, name)
		return nil
	}
	if r.Fields == nil {
		r.Fields = map[string]json.RawMessage{}
	}
	r.Fields[name] = b
	return nil
}

// Text returns a field that is a JSON string; any other is "".
func (r Record) Text(name string) string {
	var s string
	_ = json.Unmarshal(r.Fields[name], &s)
	return s
}

// Names returns the names of the fields r has, sorted. It is never nil: to
// Differs, and in what a statement says, nil means all fields, not none.
func (r Record) Names() Fields {
	names := slices.AppendSeq(make(Fields, 0, len(r.Fields)), maps.Keys(r.Fields))
	slices.Sort(names)
	return names
}

// Clone returns a record that shares no map with r.
func (r Record) Clone() Record {
	r.Fields = maps.Clone(r.Fields)
	return r
}

// Equal reports the same kind and the same fields with the same values.
func (r Record) Equal(o Record) bool {
	return r.Kind == o.Kind && maps.EqualFunc(r.Fields, o.Fields, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}

// Differs returns the names among which (all of both when nil) r and o do not
// hold the same value, sorted. A missing field differs from any value.
func (r Record) Differs(o Record, which Fields) Fields {
	if which == nil {
		all := maps.Clone(r.Fields)
		if all == nil {
			all = map[string]json.RawMessage{}
		}
		maps.Copy(all, o.Fields)
		which = slices.Sorted(maps.Keys(all))
	}
	var out Fields
	for _, name := range which {
		if !bytes.Equal(r.Fields[name], o.Fields[name]) {
			out = append(out, name)
		}
	}
	return out
}

// With returns r with the named fields taken from o; one that o lacks is removed.
func (r Record) With(o Record, which Fields) Record {
	out := r.Clone()
	if out.Fields == nil {
		out.Fields = map[string]json.RawMessage{}
	}
	if out.Kind == "" {
		out.Kind, out.Form = o.Kind, o.Form
	}
	for _, name := range which {
		if v, ok := o.Fields[name]; ok {
			out.Fields[name] = v
		} else {
			delete(out.Fields, name)
		}
	}
	return out
}

// Fields is a set of field names, sorted.
type Fields []string

// Has reports whether name is in the set.
func (f Fields) Has(name string) bool {
	i := sort.SearchStrings(f, name)
	return i < len(f) && f[i] == name
}

const (
	kindField = "kind"
	formField = "form"
)

// MarshalJSON writes one flat object: kind, form, then the fields in the order of their names.
func (r Record) MarshalJSON() ([]byte, error) {
	if r.IsZero() {
		return []byte("null"), nil
	}
	b := append(appendText([]byte(`{"kind":`), string(r.Kind)), `,"form":`...)
	b = strconv.AppendInt(b, int64(r.Form), 10)
	for _, name := range r.Names() {
		if name == kindField || name == formField {
			continue // written above; a reader would not know which of two to take
		}
		b = append(appendText(append(b, ','), name), ':')
		if v := r.Fields[name]; len(v) > 0 {
			b = append(b, v...)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Record) UnmarshalJSON(b []byte) error {
	*r = Record{}
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		return nil
	}
	r.Fields = map[string]json.RawMessage{}
	own := bytes.Clone(b)
	if err := eachField(own, func(name string, value json.RawMessage) { r.Fields[name] = value[:len(value):len(value)] }); err != nil {
		return err
	}
	kind, ok := r.Fields[kindField]
	if !ok {
		return Errorf(Invalid, "a record without its kind")
	}
	if err := json.Unmarshal(kind, &r.Kind); err != nil {
		return Errorf(Invalid, "the kind of a record is no text: %w", err)
	}
	if v, ok := r.Fields[formField]; ok {
		if err := json.Unmarshal(v, &r.Form); err != nil {
			return Errorf(Invalid, "form of %s is no number: %w", r.Kind, err)
		}
	}
	delete(r.Fields, kindField)
	delete(r.Fields, formField)
	return nil
}
