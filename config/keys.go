package config

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// key is one key of a mapping, for messages and for the schema.
type key struct {
	name     string
	doc      string
	required bool
}

var topKeys = []key{
	{"version", "Version of this form of file: 1.", true},
	{"listen", "Host and port where webhooks arrive, under /in/<connection>; left out: " + DefaultListen + ".", false},
	{"data", "Directory of the hub's socket and, with store sqlite, of journal and book, relative to this file; left out: " + DefaultData + ".", false},
	{"store", "Where journal and book are kept: sqlite, in the data directory, or {postgres: ADDRESS}, which several nodes may share; left out: sqlite.", false},
	{"companies", "The companies that sell, by key.", false},
	{"connections", "The outside systems, by name: small letters, digits and dashes.", true},
}

var companyKeys = []key{
	{"currency", "Currency the company keeps its books in (ISO 4217).", true},
	{"zone", "Time zone of its calendar (IANA), for instance Europe/Berlin.", true},
}

// connectionKeys are those every connection may have; the others are the fields
// of its connector.
var connectionKeys = []key{
	{"type", "Which connector speaks with the system.", true},
	{"company", "Key of the company that the orders from this connection belong to; needed where it owns orders.", false},
	{"sites", "Keys of the sites its orders ship from, first choice first; needed where it owns orders.", false},
	{"locations", "Which site each location of the system is, by the location's name or key; left out: the one with its code or name.", false},
	{"tell", "What it is told of by itself: cancellations has an order called off there that a person cancelled in the ERP.", false},
	{"takes", "Kinds of records the hub pushes to it; left out: what its type takes.", false},
	{"owns", "Kinds of records it is the system of record for; left out: what its type owns.", false},
	{"pull", "Time between two pulls of what changed, from 1s to 24h, or off; left out: 1m.", false},
	{"settles", "The longest time a transaction of the system may take to appear, from 1s to 1h; left out: that of its type.", false},
}

func names(keys []key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.name
	}
	return out
}

// keysOf returns the keys of a connection of type t.
func keysOf(t connector.Type) []key {
	out := slices.Clone(connectionKeys)
	for _, f := range t.Fields {
		out = append(out, key{f.Name, f.Doc, f.Required})
	}
	return out
}

// checkTypes reports a connector whose fields crossdock.yaml can't express: a
// defect of the program, not of a configuration.
func checkTypes(types []connector.Type) error {
	seen := map[string]bool{}
	for _, t := range types {
		if seen[t.Name] {
			return crossdock.Errorf(crossdock.Internal, "two connectors are called %s", t.Name)
		}
		seen[t.Name] = true
		taken := names(connectionKeys)
		for _, f := range t.Fields {
			if slices.Contains(taken, f.Name) {
				return crossdock.Errorf(crossdock.Internal, "connector %s has a field %s, which every connection has already or which is there twice", t.Name, f.Name)
			}
			taken = append(taken, f.Name)
			if _, err := shapeOf(f.Type); err != nil {
				return crossdock.Errorf(crossdock.Internal, "field %s of connector %s: %w", f.Name, t.Name, err)
			}
			if (f.Least == "") != (f.Most == "") || f.Form != "" && f.Form != domainForm {
				return crossdock.Errorf(crossdock.Internal, "field %s of connector %s has one bound and not the other, or a form %q nobody knows", f.Name, t.Name, f.Form)
			}
			if f.Identity && f.Type.Kind() != reflect.String {
				return crossdock.Errorf(crossdock.Internal, "field %s of connector %s tells two systems apart and is no text", f.Name, t.Name)
			}
			for _, bound := range []string{f.Least, f.Most} {
				if err := setText(reflect.New(f.Type).Elem(), bound); bound != "" && err != nil {
					return crossdock.Errorf(crossdock.Internal, "bound of field %s of connector %s: %w", f.Name, t.Name, err)
				}
			}
			if f.Default != "" {
				if err := setText(reflect.New(f.Type).Elem(), f.Default); err != nil {
					return crossdock.Errorf(crossdock.Internal, "default of field %s of connector %s: %w", f.Name, t.Name, err)
				}
			}
		}
	}
	return nil
}

// shape is how a field is written.
type shape int

const (
	textShape shape = iota
	boolShape
	intShape
	durationShape
	listShape // of texts
	mapShape  // of texts by text
)

// shapeOf tells how a field of a Go type is written.
func shapeOf(t reflect.Type) (shape, error) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return durationShape, nil
	case t.Kind() == reflect.String:
		return textShape, nil
	case t.Kind() == reflect.Bool:
		return boolShape, nil
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return intShape, nil
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return listShape, nil
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String:
		return mapShape, nil
	}
	return 0, fmt.Errorf("a value of Go type %s can't be written in crossdock.yaml", t)
}

// wants says in words what is expected of a shape.
func (s shape) wants() string {
	return [...]string{"text", "true or false", "a whole number", "a duration such as 60s or 5m", "a list such as [a, b]", "a mapping such as {a: b}"}[s]
}
