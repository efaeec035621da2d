package crossdock

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Patterns of the text forms, as they are written. Money and Ref may be empty
// texts, where a record has none.
const (
	decimalPattern  = `^-?[0-9]+(\.[0-9]+)?$`
	moneyPattern    = `^(-?[0-9]+(\.[0-9]+)? [A-Z]{3})?$`
	quantityPattern = `^-?[0-9]+(\.[0-9]+)?( [^ ].*)?$`
	refPattern      = `^([^/]+/[^/]+/.+)?$`
)

// words are the types that are one JSON text, number or other value of their own
// form instead of an object of their fields.
var words = map[reflect.Type]map[string]any{
	reflect.TypeFor[Decimal](): {
		"type": "string", "pattern": decimalPattern, "description": "An exact decimal number, as text.",
	},
	reflect.TypeFor[Money]():    {"type": "string", "pattern": moneyPattern, "examples": []string{"12.50 USD"}},
	reflect.TypeFor[Quantity](): {"type": "string", "pattern": quantityPattern, "examples": []string{"2", "1.5 kg"}},
	reflect.TypeFor[Ref]():      {"type": "string", "pattern": refPattern, "examples": []string{"book/order/1001"}},
	reflect.TypeFor[Record]():   {"type": []string{"object", "null"}},
	reflect.TypeFor[time.Time](): {
		"type": "string", "format": "date-time", "description": "A point in time (RFC 3339).", "examples": []string{"2026-11-02T10:00:00Z"},
	},
}

// Schema returns the JSON Schema (draft 2020-12) of a record of kind as Record
// writes it: kind, form and the fields. Fields it doesn't name are allowed,
// because a record keeps those. A kind that does not exist is Invalid.
func Schema(kind Kind) ([]byte, error) {
	form, err := FormFor(kind)
	if err != nil {
		return nil, err
	}
	_, version := form.FormOf()
	s := schema{defs: map[string]any{}}
	t := reflect.TypeOf(form).Elem()
	out := s.object(t)
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = string(kind)
	properties := out["properties"].(map[string]any) //nolint:errcheck // object makes it
	properties[kindField] = map[string]any{"const": string(kind)}
	properties[formField] = map[string]any{
		"type": "integer", "minimum": 0, "maximum": version,
		"description": "Version of the form.",
	}
	out["required"] = append([]string{kindField}, out["required"].([]string)...) //nolint:errcheck // object makes it
	out["$defs"] = s.defs
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, Errorf(Internal, "can't write the schema of %s: %w", kind, err)
	}
	return append(b, '\n'), nil
}

// schema collects the definitions that fields refer to.
type schema struct{ defs map[string]any }

// object describes a struct by its json tags. A field is required when it is
// always written.
func (s schema) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		always := options == ""
		if always {
			required = append(required, name)
		}
		p := s.of(f.Type, always)
		if text := formWords[t.Name()+"."+name]; text != "" {
			p["description"] = text
		}
		properties[name] = p
	}
	out := map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": true}
	if text := formWords[t.Name()]; text != "" {
		out["description"] = text
	}
	return out
}

// of describes the type of a field; orNull is set where a nil slice is written.
func (s schema) of(t reflect.Type, orNull bool) map[string]any {
	if _, ok := words[t]; ok {
		return s.ref(t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem(), false)
	case reflect.Slice:
		kind := any("array")
		if orNull {
			kind = []string{"array", "null"}
		}
		return map[string]any{"type": kind, "items": s.of(t.Elem(), false)}
	case reflect.Struct:
		return s.ref(t)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.String:
		p := map[string]any{"type": "string"}
		if values := formValues[t.Name()]; values != nil {
			p["enum"] = values
		}
		return p
	}
	panic("crossdock: a form has a field of type " + t.String() + ", which schema.go can't describe")
}

// ref points to the definition of t, and makes it the first time.
func (s schema) ref(t reflect.Type) map[string]any {
	if _, ok := s.defs[t.Name()]; !ok {
		s.defs[t.Name()] = nil // made below; a type within itself ends here
		def := map[string]any{}
		if word, ok := words[t]; ok {
			for k, v := range word {
				def[k] = v
			}
			if text := formWords[t.Name()]; text != "" {
				def["description"] = text
			}
		} else {
			def = s.object(t)
		}
		s.defs[t.Name()] = def
	}
	return map[string]any{"$ref": "#/$defs/" + t.Name()}
}
