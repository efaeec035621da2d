package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Store is where journal and book are kept.
type Store struct {
	postgres string // the address, with its password; "" where it was not looked up
	ref      string // the reference the address is written as; "": in the data directory
	dir      string // where relative paths start
}

// storeKeys are those of store, where it is a mapping.
var storeKeys = []key{
	{"postgres", "Address of a PostgreSQL database (15 or later), as a reference: postgres://USER:PASSWORD@HOST/DATABASE; its search_path names the schema.", true},
}

// Postgres reports a store in PostgreSQL; else it is SQLite in the data directory.
func (s Store) Postgres() bool { return s.ref != "" }

// Address returns the address of the PostgreSQL database, looked up in env where the
// configuration was read without. It holds a password.
func (s Store) Address(env Lookup) (string, error) {
	if s.postgres != "" || s.ref == "" {
		return s.postgres, nil
	}
	m := reference.FindStringSubmatch(s.ref)
	address, _, err := env.resolve(m[1], m[2], s.dir)
	return address, err
}

// String names the kind of store. It shows no address.
func (s Store) String() string {
	if s.Postgres() {
		return "postgres"
	}
	return "sqlite"
}

// store reads where journal and book are kept: sqlite, or a mapping with postgres.
func (r *reader) store(e entry) (s Store) {
	const want = "sqlite, or a mapping with postgres, such as {postgres: \"${env:DATABASE_URL}\"}"
	s.dir = r.dir()
	if _, ok := e.value.(*ast.StringNode); ok {
		if v, ok := r.words(e.value, e.key, writtenOut); ok && v.text != "sqlite" {
			r.wrong(v.at, e.key, "expected %s", want)
		}
		return s
	}
	if _, ok := e.value.(ast.MapNode); !ok {
		r.wrongShape(e.value, e.key, want)
		return s
	}
	for _, f := range r.entries(e.value, e.key, storeKeys, e.at) {
		path := e.key + "." + f.key
		v, ok := r.words(f.value, path, secretOnly)
		if !ok {
			continue
		}
		s.ref = v.ref
		if v.open {
			continue
		}
		if s.postgres = v.text; !strings.HasPrefix(v.text, "postgres://") && !strings.HasPrefix(v.text, "postgresql://") {
			r.wrong(v.at, path, "%s is no address of a PostgreSQL database: it begins with postgres://", v.shown())
		}
	}
	return s
}

// GoString is String: a %#v shows no address either.
func (s Store) GoString() string { return s.String() }
