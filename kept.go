package crossdock

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Kept holds the fields a form does not know, by name. A form has it as its field
// Kept and writes two methods over writeKept and readKept; so what a newer hub added to a
// record survives a stay in an older one.
type Kept map[string]json.RawMessage

// writeKept marshals known (a struct without custom methods) and adds kept to the
// object, sorted by name. A name the struct itself has is not written twice.
func writeKept(known any, kept Kept) ([]byte, error) {
	b, err := json.Marshal(known)
	if err != nil || len(kept) == 0 {
		return b, err
	}
	names := namesOf(reflect.TypeOf(known))
	b = b[:len(b)-1]
	first := len(b) == 1
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if names[name] {
			continue
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, key...), ':'), kept[name]...)
	}
	return append(b, '}'), nil
}

// readKept unmarshals b into known (a pointer to a struct without custom methods)
// and returns the fields the struct has no name for.
func readKept(b []byte, known any) (Kept, error) {
	names := namesOf(reflect.TypeOf(known).Elem())
	kept := Kept{}
	if err := eachField(b, func(name string, value json.RawMessage) {
		if !names[name] {
			kept[name] = bytes.Clone(value)
		}
	}); err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return nil, json.Unmarshal(b, known)
	}
	if mistakable(kept, names) {
		all := map[string]json.RawMessage{}
		err := eachField(b, func(name string, value json.RawMessage) {
			if names[name] {
				all[name] = value
			}
		})
		if err != nil {
			return nil, err
		}
		if b, err = json.Marshal(all); err != nil {
			return nil, err
		}
	}
	return kept, json.Unmarshal(b, known)
}

// eachField calls f with each field of a JSON object, in their order; null has
// none. The values are parts of b. It is for what encoding/json has found to be
// valid, and reports what is no object by asking encoding/json.
func eachField(b []byte, f func(name string, value json.RawMessage)) error {
	p := fieldScanner{b: b}
	p.space()
	if p.i >= len(b) || b[p.i] != '{' {
		var all map[string]json.RawMessage
		return json.Unmarshal(b, &all)
	}
	for p.i++; ; {
		p.space()
		if p.i >= len(b) || b[p.i] != '"' {
			break
		}
		from := p.i
		p.text()
		name := string(b[min(from+1, len(b)):max(min(p.i-1, len(b)), from+1)])
		if strings.IndexByte(name, '\\') >= 0 || !utf8.ValidString(name) {
			if err := json.Unmarshal(b[from:p.i], &name); err != nil {
				return err
			}
		}
		p.space()
		p.i++ // the colon
		p.space()
		from = p.i
		p.value()
		if p.i > len(b) || from >= p.i {
			break
		}
		f(name, bytes.TrimRight(b[from:p.i], " \t\r\n"))
		p.space()
		if p.i < len(b) && b[p.i] == ',' {
			p.i++
		}
	}
	if p.i < len(b) && b[p.i] == '}' {
		return nil
	}
	var all map[string]json.RawMessage
	return json.Unmarshal(b, &all)
}

// fieldScanner walks over valid JSON.
type fieldScanner struct {
	b []byte
	i int
}

func (p *fieldScanner) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\t' || p.b[p.i] == '\r' || p.b[p.i] == '\n') {
		p.i++
	}
}

// text goes behind a string.
func (p *fieldScanner) text() {
	for p.i++; p.i < len(p.b); p.i++ {
		switch p.b[p.i] {
		case '\\':
			p.i++
		case '"':
			p.i++
			return
		}
	}
}

// value goes behind a value, which ends where the object goes on.
func (p *fieldScanner) value() {
	for depth := 0; p.i < len(p.b); {
		switch p.b[p.i] {
		case '"':
			p.text()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return
			}
		case ',':
			if depth == 0 {
				return
			}
		}
		p.i++
	}
}

// mistakable reports a kept name that encoding/json would read as a known one: it
// takes "Number" for the field "number". What is kept must not also be read.
func mistakable(kept Kept, names map[string]bool) bool {
	for name := range kept {
		for known := range names {
			if strings.EqualFold(name, known) {
				return true
			}
		}
	}
	return false
}

var known sync.Map // reflect.Type → map[string]bool

// namesOf returns the JSON names of a struct's fields.
func namesOf(t reflect.Type) map[string]bool {
	if got, ok := known.Load(t); ok {
		return got.(map[string]bool) //nolint:errcheck // only this function stores, and only these
	}
	names := map[string]bool{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names[name] = true
		}
	}
	known.Store(t, names)
	return names
}
