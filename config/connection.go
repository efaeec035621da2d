package config

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

var connectionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Bounds of pull and settles keep a slip of the pen (pull: 1ms) from flooding a
// system, or from having it wait for days.
const (
	leastPull    = time.Second
	mostPull     = 24 * time.Hour
	leastSettles = time.Second
	mostSettles  = time.Hour
)

func (r *reader) connections(e entry, companies []crossdock.Company) []Connection {
	all, ok := r.mapping(e.value, e.key)
	if ok && len(all) == 0 {
		r.wrong(e.at, e.key, "there is no connection: a hub needs at least one")
	}
	var out []Connection
	for _, one := range all {
		path := e.key + "." + one.name
		switch {
		case one.key == string(crossdock.BookSystem):
			r.wrong(one.at, path, "%q is the name of the hub's own records: take another", one.key)
		case !connectionName.MatchString(one.key):
			r.wrong(one.at, path, "the name of a connection is up to 40 small letters, digits and dashes, a letter first")
		}
		c := r.connection(one, path, companies)
		r.another(c, path, out)
		for i := range out {
			if out[i].Type.Name == c.Type.Name && slices.ContainsFunc(c.secrets, func(s string) bool { return slices.Contains(out[i].secrets, s) }) {
				out[i].shared, c.shared = true, true
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Connection) int { return strings.Compare(string(a.System), string(b.System)) })
	return out
}

// connection reads one connection: first of which type it is, then the rest.
func (r *reader) connection(e entry, path string, companies []crossdock.Company) Connection {
	c := Connection{System: crossdock.System(e.key), Pull: DefaultPull, refs: map[string]string{}, places: map[string]position{"": e.at}}
	all, ok := r.mapping(e.value, path)
	if !ok {
		return c
	}
	t, ok := r.connectorType(all, e, path)
	if !ok {
		// Which other keys it may have is not known; those every connection has are read,
		// and of the others whether they are a secret and what they refer to.
		c.Type.Takes = kinds()
		r.role(&c, all, path, companies)
		r.untyped(all, path)
		return c
	}
	c.Type, c.Takes, c.Owns, c.Settles = t, sortedKinds(t.Takes), sortedKinds(t.Owns), t.Settles
	keys := keysOf(t)
	if bringsOrders(t, all) {
		// An order without company or sites could never be judged.
		for i := range keys {
			keys[i].required = keys[i].required || keys[i].name == "company" || keys[i].name == "sites"
		}
	}
	all = r.knownOnly(all, path, keys, e.at)
	r.role(&c, all, path, companies)
	read := r.settings(&c, all, path)
	if v, ok := c.settings.(connector.Validator); ok {
		for _, err := range each(v.Validate()) {
			if place := crossdock.FaultOf(err).Place; slices.Contains(read, place) || place == "" && len(read) == len(c.Type.Fields) {
				r.problems = append(r.problems, c.wrong(r.file, err))
			}
		}
	}
	return c
}

// untyped checks the settings of a connection whose type is not known: what is a secret
// in any type is none here that may be written out, and what a reference names is there.
func (r *reader) untyped(all []entry, path string) {
	for _, e := range all {
		if e.key == "type" || slices.ContainsFunc(connectionKeys, func(k key) bool { return k.name == e.key }) {
			continue
		}
		how := plain
		for _, t := range r.types {
			if slices.ContainsFunc(t.Fields, func(f connector.Field) bool { return f.Name == e.key && f.Secret }) {
				how = secretOnly
			}
		}
		if _, ok := e.value.(*ast.StringNode); ok {
			r.words(e.value, path+"."+e.key, how)
		}
	}
}

// bringsOrders reports a connection whose orders the hub takes: it is their system
// of record.
func bringsOrders(t connector.Type, all []entry) bool {
	i := slices.IndexFunc(all, func(e entry) bool { return e.key == "owns" })
	if i < 0 {
		return slices.Contains(t.Owns, crossdock.KindOrder)
	}
	list, ok := all[i].value.(*ast.SequenceNode)
	return ok && slices.ContainsFunc(list.Values, func(n ast.Node) bool {
		s, ok := n.(*ast.StringNode)
		return ok && s.Value == string(crossdock.KindOrder)
	})
}

// each returns the errors that err joins.
func each(err error) []error {
	switch e := err.(type) { //nolint:errorlint // what is wrapped above a join belongs to its text
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return []error{err}
}

// another reports a connection to a system that one of those before it is
// connected to already: each order would be taken, or made, twice.
func (r *reader) another(c Connection, path string, before []Connection) {
	mine := c.identity()
	i := slices.IndexFunc(before, func(b Connection) bool { return b.Type.Name == c.Type.Name && mine != "" && b.identity() == mine })
	if i < 0 {
		return
	}
	for _, f := range c.Type.Fields {
		if f.Identity {
			r.wrong(c.places[f.Name], path+"."+f.Name, "this is the system that %s is connected to already, in line %d: one system has one connection, or each order would be there twice",
				before[i].System, before[i].places[f.Name].line)
			return
		}
	}
}

// identity says which system n is connected to; "" where that is not known.
func (n Connection) identity() string {
	var parts []string
	for _, f := range n.Type.Fields {
		if !f.Identity {
			continue
		}
		text := strings.ToLower(strings.TrimSpace(reflect.ValueOf(n.settings).Elem().Field(f.Index).String()))
		if isURL(f) {
			text = strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(text, "https://"), "http://"), "/")
		}
		if text == "" {
			return ""
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n")
}

// connectorType finds the type among the keys of a connection.
func (r *reader) connectorType(all []entry, e entry, path string) (connector.Type, bool) {
	known := make([]string, len(r.types))
	for i, t := range r.types {
		known[i] = t.Name
	}
	slices.Sort(known)
	i := slices.IndexFunc(all, func(e entry) bool { return e.key == "type" })
	if i < 0 {
		r.wrong(e.at, path, "the key type is missing: %s There are: %s", connectionKeys[0].doc, strings.Join(known, ", "))
		return connector.Type{}, false
	}
	v, ok := r.words(all[i].value, path+".type", writtenOut)
	if !ok {
		return connector.Type{}, false
	}
	i = slices.IndexFunc(r.types, func(t connector.Type) bool { return t.Name == v.text })
	if i < 0 {
		r.wrongNear(v.at, path+".type", v.text, "there is no connector of type "+v.shown(), known)
		return connector.Type{}, false
	}
	return r.types[i], true
}

// role reads the keys that every connection has.
func (r *reader) role(c *Connection, all []entry, path string, companies []crossdock.Company) {
	for _, e := range all {
		at := path + "." + e.key
		switch e.key {
		case "company":
			c.Company = r.company(e, at, companies)
		case "sites":
			c.Sites = r.sites(e, at)
			if list, ok := e.value.(*ast.SequenceNode); ok && len(list.Values) == 0 {
				r.wrong(r.at(e.value), at, "the list is empty: name at least one site")
			}
		case "locations":
			c.Locations = r.locations(e, at)
		case "tell":
			c.Tell = r.tell(e, at)
		case "takes":
			c.Takes = r.kindList(e, at, c.Type.Takes, "is nothing that "+c.Type.Name+" takes")
		case "owns":
			c.Owns = r.kindList(e, at, kinds(), "is no kind of record")
		case "pull":
			if v, ok := r.scalar(e.value, at, "a duration such as 1m, or off", writtenOut); ok {
				if c.Pull = 0; v.text != "off" {
					c.Pull = r.duration(v, at, leastPull, mostPull)
				}
			}
		case "settles":
			if v, ok := r.scalar(e.value, at, durationShape.wants(), writtenOut); ok {
				c.Settles = r.duration(v, at, leastSettles, mostSettles)
			}
		}
	}
}

func (r *reader) company(e entry, path string, companies []crossdock.Company) string {
	v, ok := r.words(e.value, path, writtenOut)
	if !ok {
		return ""
	}
	known := make([]string, len(companies))
	for i, c := range companies {
		known[i] = c.Key
	}
	if !slices.Contains(known, v.text) {
		r.wrongNear(v.at, path, v.text, "there is no company "+v.shown()+" under companies", known)
	}
	return v.text
}

func (r *reader) sites(e entry, path string) []string {
	list, _ := r.wordList(e.value, path, writtenOut)
	var out []string
	for i, v := range list {
		if v.text != "" && slices.Contains(out, v.text) {
			r.wrong(v.at, path+"["+strconv.Itoa(i)+"]", "the site %s is there twice", v.text)
		}
		out = append(out, v.text)
	}
	return out
}

// kindList reads kinds of records, each of which must be among known.
func (r *reader) kindList(e entry, path string, known []crossdock.Kind, otherwise string) []crossdock.Kind {
	list, ok := r.wordList(e.value, path, writtenOut)
	if !ok {
		return nil
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	out := []crossdock.Kind{}
	for i, v := range list {
		at := path + "[" + strconv.Itoa(i) + "]"
		kind := crossdock.Kind(v.text)
		switch {
		case !slices.Contains(known, kind):
			r.wrongNear(v.at, at, v.text, v.shown()+" "+otherwise, words)
		case slices.Contains(out, kind):
			r.wrong(v.at, at, "the kind %s is there twice", kind)
		}
		out = append(out, kind)
	}
	return sortedKinds(out)
}

// settings reads the fields of the connector into what its Type makes. It returns
// the fields of which is known what they are: all but those that are missing, wrong
// or not looked up.
func (r *reader) settings(c *Connection, all []entry, path string) (read []string) {
	c.settings = c.Type.Config()
	target := reflect.ValueOf(c.settings).Elem()
	for _, f := range c.Type.Fields {
		v := target.Field(f.Index)
		i := slices.IndexFunc(all, func(e entry) bool { return e.key == f.Name })
		if i < 0 {
			if f.Default != "" {
				if err := setText(v, f.Default); err != nil && r.defect == nil {
					r.defect = crossdock.Errorf(crossdock.Internal, "default of field %s of connector %s: %w", f.Name, c.Type.Name, err)
				}
			}
			if !f.Required {
				read = append(read, f.Name)
			}
			continue
		}
		c.places[f.Name] = r.at(all[i].value)
		before := len(r.problems)
		r.setting(c, f, v, all[i], path+"."+f.Name)
		if len(r.problems) == before && c.refs[f.Name] == "" {
			read = append(read, f.Name)
		}
	}
	return read
}

// setting reads one field.
func (r *reader) setting(c *Connection, f connector.Field, v reflect.Value, e entry, path string) {
	s, err := shapeOf(f.Type)
	if err != nil {
		return // Load has refused such a type
	}
	how := plain
	if f.Secret {
		how = secretOnly
	}
	note := func(got value) {
		if got.open {
			c.refs[f.Name] = got.ref
		}
		if f.Secret && !got.open && got.text != "" {
			c.secrets = append(c.secrets, got.text)
		}
	}
	switch s {
	case listShape:
		list, ok := r.wordList(e.value, path, how)
		if !ok {
			return
		}
		out := reflect.MakeSlice(f.Type, len(list), len(list))
		for i, got := range list {
			note(got)
			out.Index(i).SetString(got.text)
		}
		v.Set(out)
	case mapShape:
		all, _ := r.mapping(e.value, path)
		out := reflect.MakeMap(f.Type)
		for _, one := range all {
			if got, ok := r.words(one.value, path+"."+one.name, how); ok {
				note(got)
				out.SetMapIndex(reflect.ValueOf(one.key).Convert(f.Type.Key()), reflect.ValueOf(got.text).Convert(f.Type.Elem()))
			}
		}
		v.Set(out)
	case textShape:
		got, ok := r.words(e.value, path, how)
		if !ok {
			return
		}
		note(got)
		v.SetString(got.text)
		if isURL(f) && !got.open {
			if login.MatchString(got.text) {
				r.wrong(got.at, path, "an address holds no user and no password: those have keys of their own")
			} else if err := checkURL(got.text); err != nil {
				r.wrong(got.at, path, "%s %s", got.shown(), err)
			}
		}
		if f.Form == domainForm && !got.open && !domain.MatchString(got.text) {
			r.wrong(got.at, path, "%s is no domain: write all of it, in small letters and without https://, such as %s", got.shown(), f.Example)
		}
	default:
		got, ok := r.scalar(e.value, path, s.wants(), how)
		if !ok {
			return
		}
		if note(got); got.open {
			return
		}
		if err := setText(v, got.text); err != nil || got.ref == "" && got.isText() && s != durationShape {
			r.wrong(got.at, path, "expected %s, and %s is not", s.wants(), got.shown())
		} else if !within(f, v) {
			r.wrong(got.at, path, "%s is out of bounds: write %s to %s", got.shown(), f.Least, f.Most)
		}
	}
}

// isURL reports a field that holds the address of a server, by its name.
func isURL(f connector.Field) bool { return f.Name == "url" || strings.HasSuffix(f.Name, "_url") }

func kinds() []crossdock.Kind {
	var out []crossdock.Kind
	for _, name := range crossdock.KindNames() {
		out = append(out, crossdock.Kind(name))
	}
	return out
}

func sortedKinds(list []crossdock.Kind) []crossdock.Kind {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}
