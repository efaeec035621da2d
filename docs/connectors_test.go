package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
)

// door is one interface a connector may have.
type door struct {
	name string
	is   reflect.Type
}

// doors are all of them.
var doors = []door{
	{"Connector", reflect.TypeFor[connector.Connector]()},
	{"Translator", reflect.TypeFor[connector.Translator]()},
	{"Puller", reflect.TypeFor[connector.Puller]()},
	{"Lister", reflect.TypeFor[connector.Lister]()},
	{"Receiver", reflect.TypeFor[connector.Receiver]()},
	{"Finder", reflect.TypeFor[connector.Finder]()},
	{"Projector", reflect.TypeFor[connector.Projector]()},
	{"Pusher", reflect.TypeFor[connector.Pusher]()},
	{"Toucher", reflect.TypeFor[connector.Toucher]()},
}

// TestDoors takes the doors and what they are for out of the source, and who has
// them out of what each connector implements.
func TestDoors(t *testing.T) {
	has := map[string][]string{}
	for _, c := range types {
		conn, err := c.Open(example(c), connector.Env{System: crossdock.System(c.Name)})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range doors {
			if reflect.TypeOf(conn).Implements(d.is) {
				has[d.name] = append(has[d.name], c.Name)
			}
		}
	}
	said := interfaces(t)
	var b strings.Builder
	b.WriteString("| door | what it is for | who has it |\n|---|---|---|\n")
	for _, d := range doors {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.name, cell(said[d.name]), strings.Join(has[d.name], ", "))
		delete(said, d.name)
	}
	for _, other := range []string{"Known", "Validator"} { // what is handed to a door, and what configurations may be
		delete(said, other)
	}
	for name := range said {
		t.Errorf("the interface %s of package connector is neither drawn as a door nor known not to be one", name)
	}
	generated(t, "concepts/connectors.md", "the doors", b.String())
}

// interfaces returns the interfaces of package connector with what their comments say.
func interfaces(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, file := range []string{"../connector/connector.go", "../connector/define.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				s, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				if _, ok := s.Type.(*ast.InterfaceType); ok {
					text := strings.Join(strings.Fields(g.Doc.Text()), " ")
					first, _, _ := strings.Cut(text, ". ")
					first = strings.TrimSuffix(strings.TrimPrefix(first, s.Name.Name+" "), ".")
					out[s.Name.Name] = first + "."
				}
			}
		}
	}
	return out
}

func TestClauses(t *testing.T) {
	var b strings.Builder
	b.WriteString("| clause | what it says | for whom |\n|---|---|---|\n")
	for _, c := range connectortest.Clauses() {
		of := "every connector"
		if c.Door != "" {
			of = "`" + c.Door + "`"
			if !slices.ContainsFunc(doors, func(d door) bool { return d.name == c.Door }) {
				t.Errorf("the clause %q is about the door %q, which there is not", c.Name, c.Door)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, cell(c.Says), of)
	}
	generated(t, "concepts/connectors.md", "the clauses", b.String())
}
