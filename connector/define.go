package connector

import (
	"fmt"
	"reflect"
	"time"

	"github.com/crossdockhq/crossdock"
)

// Type is one kind of connector: the one truth for the YAML, its schema, the
// documentation, forms and masking.
type Type struct {
	Name    string           // as written in crossdock.yaml
	Doc     string           // one line
	Takes   []crossdock.Kind // kinds the hub pushes to it
	Owns    []crossdock.Kind // kinds it is the system of record for, unless configured otherwise
	Settles time.Duration    // the longest a transaction of the system may take to appear
	Fields  []Field          // of its configuration
	// Config returns a pointer to a new configuration with its defaults.
	Config func() any
	// Open makes a connector of a configuration that Config made. It starts nothing
	// and sends nothing.
	Open func(cfg any, env Env) (Connector, error)
}

// Field describes one field of a connector's configuration, from its struct tags:
// yaml (name), doc, default, required:"true", secret:"true", identity:"true",
// example, form, least, most.
type Field struct {
	Name     string
	Doc      string
	Default  string
	Example  string
	Required bool
	Secret   bool
	// Identity marks the fields that say together which system it is: two connections
	// that agree in all of them are connected to one and the same.
	Identity bool
	Form     string // "domain": the name of a host, with a dot; "": any text
	Least    string // of a number or duration; "": any
	Most     string
	Type     reflect.Type
	Index    int
}

// Options are what Define is told besides the configuration.
type Options struct {
	Takes   []crossdock.Kind
	Owns    []crossdock.Kind
	Settles time.Duration
}

// Validator is implemented by configurations that can be wrong in a way their tags
// don't tell. It returns all that is wrong, joined, each with the field as its place
// (crossdock.At). It may be asked before every field was read: what it says of such
// a field is not used.
type Validator interface{ Validate() error }

// Define makes a Type of a configuration struct C. It panics on a struct that
// does not say for each field its yaml name and doc: a defect of the program.
func Define[C any](name, doc string, o Options, open func(C, Env) (Connector, error)) Type {
	fields := fieldsOf(reflect.TypeFor[C]())
	return Type{
		Name: name, Doc: doc, Takes: o.Takes, Owns: o.Owns, Settles: o.Settles, Fields: fields,
		Config: func() any { return new(C) },
		Open: func(cfg any, env Env) (Connector, error) {
			c, ok := cfg.(*C)
			if !ok {
				return nil, crossdock.Errorf(crossdock.Internal, "connector %s was given a configuration of type %T", name, cfg)
			}
			if v, ok := any(c).(Validator); ok {
				if err := v.Validate(); err != nil {
					return nil, err
				}
			}
			return open(*c, env)
		},
	}
}

func fieldsOf(t reflect.Type) []Field {
	var out []Field
	for i := range t.NumField() {
		f := t.Field(i)
		name, doc := f.Tag.Get("yaml"), f.Tag.Get("doc")
		if name == "" || doc == "" {
			panic(fmt.Sprintf("connector: field %s of %s needs the tags yaml and doc", f.Name, t))
		}
		out = append(out, Field{
			Name: name, Doc: doc, Default: f.Tag.Get("default"), Example: f.Tag.Get("example"),
			Required: f.Tag.Get("required") == "true", Secret: f.Tag.Get("secret") == "true", Identity: f.Tag.Get("identity") == "true",
			Form: f.Tag.Get("form"), Least: f.Tag.Get("least"), Most: f.Tag.Get("most"),
			Type: f.Type, Index: i,
		})
	}
	return out
}
