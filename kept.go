package crossdock

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Kept holds the fields a form does not know, by name. A form embeds it and
// writes two methods over writeKept and readKept; so what a newer hub added to a
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
	if err := json.Unmarshal(b, known); err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	names := namesOf(reflect.TypeOf(known).Elem())
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return names[name] })
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

var known sync.Map // reflect.Type → map[string]bool

// namesOf returns the JSON names of a struct's fields.
func namesOf(t reflect.Type) map[string]bool {
	if got, ok := known.Load(t); ok {
		return got.(map[string]bool) //nolint:forcetypeassert // only this function stores
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
