package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Bounds of a configuration and of one of its lines, in bytes.
const (
	mostSource = 128 << 10
	mostLine   = 4 << 10
)

// reader goes through a file once and collects what is wrong with it.
type reader struct {
	file     *file
	types    []connector.Type
	env      Lookup
	problems Problems
	defect   error
}

// entry is one key of a mapping and its value.
type entry struct {
	key   string
	name  string   // the key as it may be repeated
	at    position // of the key
	value ast.Node
}

func (r *reader) wrong(at position, path, format string, a ...any) {
	r.problems = append(r.problems, r.file.problem(at, path, fmt.Sprintf(format, a...)))
}

// wrongNear is wrong for a word that is not among known: it names the nearest, or
// else all of them.
func (r *reader) wrongNear(at position, path, word, text string, known []string) {
	p := r.file.problem(at, path, text)
	if p.Near = crossdock.Nearest(word, known); p.Near == "" && len(known) > 0 && len(known) <= 30 {
		p.Text += "; there are: " + strings.Join(known, ", ")
	}
	r.problems = append(r.problems, p)
}

// body parses the file and returns its one document.
func (r *reader) body() (ast.Node, bool) {
	start := position{line: 1, column: 1, width: 1}
	switch {
	case len(r.file.src) > mostSource:
		r.problems = append(r.problems, Problem{File: r.file.name, Line: 1, Column: 1, Code: crossdock.Invalid,
			Text: fmt.Sprintf("the file is larger than %d bytes", mostSource)})
		return nil, false
	case !r.file.readable():
		at, text := start, "the file is not text in UTF-8"
		for i, line := range r.file.lines {
			if long := len(line) > mostLine; long || !utf8.ValidString(line) {
				if at.line = i + 1; long {
					text = fmt.Sprintf("the line is longer than %d bytes", mostLine)
				}
				break
			}
		}
		// The line is not quoted: it has not been told what of it may be shown.
		r.problems = append(r.problems, Problem{File: r.file.name, Line: at.line, Column: 1, Code: crossdock.Invalid, Text: text})
		return nil, false
	}
	doc, err := parser.ParseBytes([]byte(r.file.src), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	var bodies []ast.Node
	for _, d := range doc.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		r.wrong(start, "", "the file says nothing: it needs at least version and connections")
		return nil, false
	case len(bodies) > 1:
		r.wrong(r.at(bodies[1]), "", "a second document begins here; there is one in a file")
		return nil, false
	}
	return bodies[0], true
}

// syntax reports what the parser stumbled over. What it repeats of the file, in
// double quotes, is cut off.
func (r *reader) syntax(err error) {
	at, text := position{line: 1, column: 1, width: 1}, err.Error()
	if e, ok := err.(yaml.Error); ok { //nolint:errorlint // the parser returns it bare
		text = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position.Line <= len(r.file.lines) {
			at = r.file.at(t)
		}
	}
	text, _, _ = strings.Cut(text, `"`)
	text = strings.TrimRight(text, ": ")
	r.file.maskUnread(at.line)
	text = "this is no YAML: " + strings.ReplaceAll(text, "'\t'", "tab")
	if at.line <= len(r.file.lines) && strings.Contains(r.file.lines[at.line-1], "${") {
		text += `; within { } and [ ] a reference stands in quotes: "${env:NAME}"`
	}
	r.wrong(at, "", "%s", text)
}

// at returns the place of a node: that of its first key, where it is a mapping.
func (r *reader) at(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return r.at(m.Values[0].Key)
	}
	return r.file.at(n.GetToken())
}

// entries reads a mapping with the given keys. A key that is unknown, there twice
// or missing is reported, missing ones at place.
func (r *reader) entries(n ast.Node, path string, keys []key, place position) []entry {
	all, ok := r.mapping(n, path)
	if !ok {
		return nil
	}
	return r.knownOnly(all, path, keys, place)
}

// knownOnly reports unknown and missing keys, and returns the known ones.
func (r *reader) knownOnly(all []entry, path string, keys []key, place position) []entry {
	known := names(keys)
	there := map[string]bool{}
	for _, e := range all {
		there[e.key] = true
		if !slices.Contains(known, e.key) {
			r.wrongNear(e.at, path, e.key, "unknown key "+strconv.Quote(e.name), known)
			there[crossdock.Nearest(e.key, known)] = true // misspelt, not missing
		}
	}
	for _, k := range keys {
		if k.required && !there[k.name] {
			r.wrong(place, path, "the key %s is missing: %s", k.name, k.doc)
		}
	}
	return slices.DeleteFunc(all, func(e entry) bool { return !slices.Contains(known, e.key) })
}

// mapping reads the keys of a mapping, each once.
func (r *reader) mapping(n ast.Node, path string) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.wrongShape(n, path, "a mapping such as {key: value}")
		return nil, false
	}
	var out []entry
	first := map[string]position{}
	for _, v := range values {
		at := r.at(v.Key)
		name, ok := keyText(v.Key)
		if !ok {
			r.wrong(at, path, "a key is a plain word here")
			continue
		}
		if before, twice := first[name]; twice {
			r.wrong(at, path, "the key %s is there twice; the first is in line %d", r.file.mayRepeat(name, at), before.line)
			continue
		}
		first[name] = at
		out = append(out, entry{name, r.file.mayRepeat(name, at), at, v.Value})
	}
	return out, true
}

// keyText returns a key as it is written; merge keys, lists and the like are none.
func keyText(k ast.MapKeyNode) (string, bool) {
	switch n := k.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode, *ast.NullNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// wrongShape says that n is not what was wanted, and what it is.
func (r *reader) wrongShape(n ast.Node, path, want string) {
	at := r.at(n)
	switch n.(type) {
	case *ast.NullNode:
		r.wrong(at, path, "there is no value: write %s, or leave the key out", want)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.wrong(at, path, "anchors, aliases and tags are not read here: write %s", want)
	default:
		r.wrong(at, path, "expected %s, found %s", want, found(n))
	}
}

// found names what a node is.
func found(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return n.GetToken().Value
	}
	return "text"
}

// dir is where relative paths in the file start.
func (r *reader) dir() string { return filepath.Dir(r.file.name) }
