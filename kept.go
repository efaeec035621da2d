package crossdock

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
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
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	names := namesOf(reflect.TypeOf(known).Elem())
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(name string, _ json.RawMessage) bool { return names[name] })
	if len(kept) == 0 {
		return nil, json.Unmarshal(b, known)
	}
	if mistakable(kept, names) {
		maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return !names[name] })
		var err error
		if b, err = json.Marshal(all); err != nil {
			return nil, err
		}
	}
	return kept, json.Unmarshal(b, known)
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
