package config

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

const (
	referencePattern = `^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}]+)\}$`
	durationPattern  = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	urlPattern       = `^https?://[^/@]+(/.*)?$`
	domainPattern    = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`
)

// JSONSchema returns the JSON Schema (draft 2020-12) of crossdock.yaml with the
// given connectors, for editors. It knows the shape of the file; what depends on
// two places at once, such as the company of a connection, only Load checks. An
// error is a defect of a connector's Type.
func JSONSchema(types []connector.Type) ([]byte, error) {
	if err := checkTypes(types); err != nil {
		return nil, err
	}
	defs, choice, typeNames := object{"reference": object{
		"type": "string", "pattern": referencePattern,
		"description": "A value kept elsewhere: ${env:NAME} or ${file:/path}.",
	}}, []object{}, []string{}
	for _, t := range types {
		name := "connection_" + t.Name
		defs[name] = connectionSchema(t)
		typeNames = append(typeNames, t.Name)
		choice = append(choice, object{
			"if":   object{"properties": object{"type": object{"const": t.Name}}, "required": []string{"type"}},
			"then": object{"$ref": "#/$defs/" + name},
		})
	}
	connection := object{
		"type":       "object",
		"properties": object{"type": object{"enum": typeNames, "description": connectionKeys[0].doc}},
		"required":   []string{"type"},
	}
	if len(choice) > 0 {
		connection["allOf"] = choice
	}
	values := object{
		"version": object{"const": 1},
		"listen":  orReference(object{"type": "string", "pattern": `^[^ ]*:[0-9]{1,5}$`, "default": DefaultListen}),
		"data":    orReference(object{"type": "string", "pattern": `\S`, "default": DefaultData}),
		"store": object{"oneOf": []object{
			{"const": "sqlite"}, mapping(storeKeys, object{"postgres": object{"$ref": "#/$defs/reference"}}),
		}, "default": "sqlite"},
		"companies": object{
			"type": "object", "propertyNames": object{"pattern": companyName.String()},
			"additionalProperties": mapping(companyKeys, object{
				"currency": object{"enum": currencies},
				"zone":     object{"type": "string", "pattern": `^[A-Z][A-Za-z0-9_+/-]*$`, "examples": []string{"Europe/Berlin"}},
			}),
		},
		"connections": object{
			"type": "object", "minProperties": 1,
			"propertyNames":        object{"pattern": connectionName.String(), "not": object{"const": "book"}},
			"additionalProperties": connection,
		},
	}
	s := mapping(topKeys, values)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = DefaultName
	s["$defs"] = defs
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

type object = map[string]any

// mapping describes a mapping with exactly these keys.
func mapping(keys []key, values object) object {
	properties, required := object{}, []string{}
	for _, k := range keys {
		p := values[k.name].(object) //nolint:errcheck // every key has a value beside it
		p["description"] = k.doc
		properties[k.name] = p
		if k.required {
			required = append(required, k.name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func connectionSchema(t connector.Type) object {
	takes := make([]string, len(t.Takes))
	for i, k := range t.Takes {
		takes[i] = string(k)
	}
	all := []string{}
	for _, k := range kinds() {
		all = append(all, string(k))
	}
	sites := listOf(object{"type": "string", "pattern": `\S`}, true)
	sites["minItems"] = 1
	values := object{
		"type":      object{"const": t.Name},
		"company":   object{"type": "string", "pattern": companyName.String()},
		"sites":     sites,
		"locations": object{"type": "object", "additionalProperties": object{"type": "string", "pattern": `\S`}},
		"tell":      listOf(object{"enum": crossdock.Tells}, true),

		"takes":   kindsSchema(takes),
		"owns":    kindsSchema(all),
		"pull":    object{"type": "string", "pattern": "^off$|" + durationPattern, "default": "1m"},
		"settles": object{"type": "string", "pattern": durationPattern, "default": t.Settles.String()},
	}
	for _, f := range t.Fields {
		values[f.Name] = fieldSchema(f)
	}
	out := mapping(keysOf(t), values)
	out["description"] = t.Doc
	// Without owns, the type says what it owns; the absent key then satisfies "if".
	orders := object{"properties": object{"owns": object{"contains": object{"const": crossdock.KindOrder}}}}
	if !slices.Contains(t.Owns, crossdock.KindOrder) {
		orders["required"] = []string{"owns"}
	}
	out["if"], out["then"] = orders, object{"required": []string{"company", "sites"}}
	return out
}

func kindsSchema(kinds []string) object {
	if len(kinds) == 0 {
		return object{"type": "array", "maxItems": 0}
	}
	return listOf(object{"enum": kinds}, true)
}

func listOf(items object, unique bool) object {
	out := object{"type": "array", "items": items}
	if unique {
		out["uniqueItems"] = true
	}
	return out
}

// fieldSchema describes the value of a connector's field.
func fieldSchema(f connector.Field) object {
	one := func(o object) object {
		if f.Secret {
			return object{"$ref": "#/$defs/reference"}
		}
		return orReference(o)
	}
	text := object{"type": "string", "pattern": `\S`}
	if isURL(f) {
		text["pattern"] = urlPattern
	}
	if f.Form == domainForm {
		text["pattern"] = domainPattern
	}
	s, err := shapeOf(f.Type)
	if err != nil {
		return object{} // checkTypes has refused such a type
	}
	var out object
	switch s {
	case textShape:
		out = one(text)
	case boolShape:
		out = one(object{"type": "boolean"})
	case intShape:
		number := object{"type": "integer"}
		if f.Least != "" {
			number["minimum"], number["maximum"] = json.Number(f.Least), json.Number(f.Most)
		}
		out = one(number)
	case durationShape:
		out = one(object{"type": "string", "pattern": durationPattern})
	case listShape:
		out = listOf(one(text), false)
	case mapShape:
		out = object{"type": "object", "additionalProperties": one(text)}
	}
	if v, ok := defaultOf(f, s); ok {
		out["default"] = v
	}
	if f.Example != "" && s == textShape {
		out["examples"] = []string{f.Example}
	}
	return out
}

// defaultOf returns a default as the JSON value it is.
func defaultOf(f connector.Field, s shape) (any, bool) {
	switch {
	case f.Default == "" || f.Secret:
		return nil, false
	case s == boolShape:
		return f.Default == "true", true
	case s == intShape:
		n, err := strconv.ParseInt(f.Default, 10, 64)
		return n, err == nil
	}
	return f.Default, true
}

// orReference allows a reference in the place of a value. Text with ${ in it that
// is no reference is refused, as Load does.
func orReference(o object) object {
	if o["type"] == "string" {
		o = maps.Clone(o)
		o["not"] = object{"pattern": regexp.QuoteMeta("${")}
	}
	return object{"anyOf": []any{o, object{"$ref": "#/$defs/reference"}}}
}
