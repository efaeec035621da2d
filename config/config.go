// Package config reads crossdock.yaml: which companies there are, which outside
// systems are connected and in which role. It is strict: a key it does not know,
// a key that is there twice, a value of another type are errors, and all of them
// are reported at once, each with its place, its line and what was expected.
// What the keys of a connection are is not written here: it comes from the fields
// of its connector.Type.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Defaults of keys that may be left out.
const (
	DefaultName   = "crossdock.yaml"
	DefaultListen = "127.0.0.1:8300"
	DefaultData   = "crossdock-data"
	DefaultPull   = time.Minute
)

// Config is what one crossdock.yaml says, checked and complete. It holds secrets;
// printed, as text or as JSON, it shows none of them.
type Config struct {
	Name        string // the file it was read from
	Listen      string // host:port where webhooks arrive, under /in/<connection>
	Data        string // directory of the hub's socket and, in SQLite, of journal and book; relative to the working directory
	Store       Store  // of journal and book
	Companies   []crossdock.Company
	Connections []Connection // by name

	file *file
}

// Connection is one outside system: its role, and the settings of its connector.
type Connection struct {
	System  crossdock.System
	Type    connector.Type
	Company string           // key of the company its orders belong to; "" where there is none
	Sites   []string         // sites its orders ship from, first choice first
	Takes   []crossdock.Kind // sorted
	Owns    []crossdock.Kind // sorted
	Pull    time.Duration    // between two pulls; 0: it is not pulled
	Settles time.Duration

	Locations map[string]string // name or key of a location → key of the site it is
	Tell      []string          // sorted

	settings any                 // what Type.Config made; secrets in plain text
	refs     map[string]string   // references that were left as they are written, by field
	secrets  []string            // what must not show up in an error
	shared   bool                // another connection of the type has one of the secrets
	places   map[string]position // of the fields, and of the connection itself under ""
}

// Load reads the source of a crossdock.yaml; name is the path it was read from.
// types are the connectors there are. Whatever is wrong with the source is
// returned together, as Problems. Another error is a defect of a connector's Type.
func Load(name string, src []byte, types []connector.Type, env Lookup) (*Config, error) {
	if err := checkTypes(types); err != nil {
		return nil, err
	}
	r := &reader{file: newFile(name, src, types), types: types, env: env}
	c := r.config()
	if r.defect != nil {
		return nil, r.defect
	}
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	return c, nil
}

// Connection returns the connection named system.
func (c *Config) Connection(system crossdock.System) (Connection, bool) {
	i := slices.IndexFunc(c.Connections, func(n Connection) bool { return n.System == system })
	if i < 0 {
		return Connection{}, false
	}
	return c.Connections[i], true
}

// Setup returns what the core decides by. It holds no secret. Companies and
// connections are sorted by name, kinds by name; sites keep their order, which
// means something. Hash is the SHA-256, in hex, of its JSON with an empty hash:
// two configurations that make the core decide alike have the same.
func (c *Config) Setup() crossdock.Setup {
	s := crossdock.Setup{Companies: slices.Clone(c.Companies), Connections: []crossdock.Connection{}}
	for _, n := range c.Connections {
		s.Connections = append(s.Connections, crossdock.Connection{
			System: n.System, Connector: n.Type.Name,
			Takes: slices.Clone(n.Takes), Owns: slices.Clone(n.Owns),
			Company: n.Company, Sites: slices.Clone(n.Sites), Settles: n.Settles,
			Locations: maps.Clone(n.Locations), Tell: slices.Clone(n.Tell),
		})
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic("config: a Setup can't be written as JSON: " + err.Error()) // it is texts, lists and a duration
	}
	sum := sha256.Sum256(b)
	s.Hash = hex.EncodeToString(sum[:])
	return s
}

// Open makes the connector of n. It starts nothing and sends nothing. Name, clock
// and transport are in env; its System and Shared are set here.
func (n Connection) Open(env connector.Env) (connector.Connector, error) {
	env.System, env.Shared = n.System, n.shared
	return n.Type.Open(n.settings, env)
}

// Unresolved names the fields whose ${env:…} or ${file:…} was not looked up,
// sorted. Such a connection can be described, not opened.
func (n Connection) Unresolved() []string { return slices.Sorted(maps.Keys(n.refs)) }

// Wrong turns an error of Open, or each that it joins, into a Problem at the
// connection, or at the field that the error names as its place. No secret of the
// connection is in its text.
func (c *Config) Wrong(n Connection, err error) Problems {
	var out Problems
	for _, one := range each(err) {
		out = append(out, n.wrong(c.file, one))
	}
	return out
}

func (n Connection) wrong(f *file, err error) Problem {
	fault := crossdock.FaultOf(err)
	text, path := fault.Text, "connections."+string(n.System)
	at, ok := n.places[fault.Place]
	switch {
	case ok && fault.Place != "":
		path += "." + fault.Place
	case fault.Place != "":
		at, text = n.places[""], fault.Place+": "+text
	}
	for _, secret := range n.secrets {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return f.problem(at, path, text)
}
