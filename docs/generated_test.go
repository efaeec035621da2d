package docs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
	"github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/scenario"
)

var update = flag.Bool("update", false, "write the generated sections of the pages anew")

// types are the connectors that have a page; TestConnectorPages sees that none lacks one.
var types = []connector.Type{odoo.Type, shopify.Type}

// generated holds the section name of a page against want. The section stands
// between two comments, which stay.
func generated(t *testing.T, page, name, want string) {
	t.Helper()
	src, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end of "+name+" -->\n"
	head, rest, ok := strings.Cut(string(src), begin)
	have, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no section between %q and %q", page, begin, end)
	}
	want = "\n" + strings.TrimSpace(want) + "\n\n"
	if have == want {
		return
	}
	if !*update {
		t.Fatalf("the section %q of docs/%s is stale: run go test ./docs -update; it should be\n%s", name, page, want)
	}
	if err := os.WriteFile(page, []byte(head+begin+want+end+tail), 0o644); err != nil { //nolint:gosec // a page of the repository
		t.Fatal(err)
	}
}

// inOrder are the states as a life passes through them. It names every state of
// the table, or TestOrderMoves fails.
var inOrder = []crossdock.OrderState{
	"", crossdock.OrderReceived, crossdock.OrderHeld, crossdock.OrderRefused, crossdock.OrderPromised, crossdock.OrderConfirmed,
	crossdock.OrderPicking, crossdock.OrderShipped, crossdock.OrderClosed, crossdock.OrderReturned, crossdock.OrderCancelled,
}

func TestOrderMoves(t *testing.T) {
	moves := core.Moves()
	var again []string
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, from := range inOrder {
		for _, to := range inOrder {
			switch {
			case !slices.Contains(moves[from], to):
			case from == to:
				again = append(again, "`"+string(from)+"`")
			case from == "":
				fmt.Fprintf(&b, "    [*] --> %s\n", to)
			default:
				fmt.Fprintf(&b, "    %s --> %s\n", from, to)
			}
		}
	}
	for _, from := range slices.Sorted(maps.Keys(moves)) {
		for _, s := range append([]crossdock.OrderState{from}, moves[from]...) {
			if !slices.Contains(inOrder, s) {
				t.Errorf("the state %q is not among those this test draws: add it", s)
			}
		}
	}
	fmt.Fprintf(&b, "```\n\nMay be decided again and stay what it is: %s.\n", strings.Join(again, ", "))
	generated(t, "concepts/order.md", "the states of an order", b.String())
}

func TestScenarioWords(t *testing.T) {
	generated(t, "concepts/scenarios.md", "the words of steps", "```\n"+strings.Join(scenario.Words(), "\n")+"\n```\n")
}

func TestConnectorPages(t *testing.T) {
	dirs, err := fs.ReadDir(os.DirFS("../connectors"), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if d.IsDir() && !slices.ContainsFunc(types, func(c connector.Type) bool { return c.Name == d.Name() }) {
			t.Errorf("connectors/%s has no page: add its Type to types in this file and write docs/connectors/%s.md", d.Name(), d.Name())
		}
	}
	for _, c := range types {
		t.Run(c.Name, func(t *testing.T) {
			generated(t, "connectors/"+c.Name+".md", "what it does", role(t, c))
			generated(t, "connectors/"+c.Name+".md", "settings", settings(c))
		})
	}
}

// role says what a connector takes, owns and can do, from its type and from what
// an opened one implements. Opening sends nothing.
func role(t *testing.T, c connector.Type) string {
	t.Helper()
	conn, err := c.Open(example(c), connector.Env{System: crossdock.System(c.Name)})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	row := func(what, text string) { fmt.Fprintf(&b, "| %s | %s |\n", what, text) }
	fmt.Fprintf(&b, "%s.\n\n| | |\n|---|---|\n", strings.TrimSuffix(c.Doc, "."))
	row("`type:` in crossdock.yaml", "`"+c.Name+"`")
	if _, ok := conn.(connector.Receiver); ok {
		row("receives", "what the system posts to `/in/<connection>`")
	}
	if p, ok := conn.(connector.Puller); ok {
		row("is pulled", kinds(p.Kinds()))
	}
	if _, ok := conn.(connector.Finder); ok {
		row("is looked at", "single records, when the hub has to know what is there now")
	}
	if _, ok := conn.(connector.Pusher); ok {
		row("is written to (`takes:`)", kinds(c.Takes))
	}
	row("is the system of record for (`owns:`)", kinds(c.Owns))
	row("a transaction appears within (`settles:`)", c.Settles.String())
	return b.String()
}

func kinds(list []crossdock.Kind) string {
	words := make([]string, len(list))
	for i, k := range list {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

// example fills the required settings of a connector so that it can be opened.
func example(c connector.Type) any {
	cfg := c.Config()
	v := reflect.ValueOf(cfg).Elem()
	for _, f := range c.Fields {
		if f.Required {
			text := f.Example
			if text == "" {
				text = "x"
			}
			v.Field(f.Index).SetString(text)
		}
	}
	return cfg
}

func settings(c connector.Type) string {
	var b strings.Builder
	b.WriteString("| key | meaning | left out |\n|---|---|---|\n")
	for _, f := range c.Fields {
		doc := strings.TrimSuffix(f.Doc, ".") + "."
		if f.Secret {
			doc += " A secret: written as `${env:NAME}` or `${file:PATH}`, never shown."
		} else if f.Example != "" && !strings.Contains(f.Example, "${") {
			doc += " Example: `" + f.Example + "`."
		}
		if f.Least != "" {
			doc += " From " + f.Least + " to " + f.Most + "."
		}
		left := "nothing"
		switch {
		case f.Required:
			left = "**needed**"
		case f.Default != "":
			left = "`" + f.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, cell(doc), left)
	}
	return b.String()
}

// cell makes of a text one that stands in a Markdown table as it is.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(text)
}

// check is one kind of exception as the core's source has it.
type check struct {
	name   string
	owners map[string]bool
	holds  bool // raised by judging an order
}

// TestExceptions reads the checks and their owners out of the core's source, and
// sees that the runbook has a section for each, in the table's order.
func TestExceptions(t *testing.T) {
	checks := checksOfCore(t)
	var b strings.Builder
	b.WriteString("| check | holds the order back | for the |\n|---|---|---|\n")
	var sections []string
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		c := checks[name]
		holds := ""
		if c.holds {
			holds = "yes"
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", name, strings.ReplaceAll(name, " ", "-"), holds, strings.Join(slices.Sorted(maps.Keys(c.owners)), ", "))
		sections = append(sections, name)
	}
	generated(t, "runbooks/exceptions.md", "the checks", b.String())
	src, err := os.ReadFile("runbooks/exceptions.md")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for line := range strings.Lines(string(src)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "### "); ok {
			have = append(have, name)
		}
	}
	if !slices.Equal(have, sections) {
		t.Errorf("the runbook has the sections %q; the core raises %q", have, sections)
	}
}

// checksOfCore collects every Exception and every holding Finding that is written
// in the source of the package core.
func checksOfCore(t *testing.T) map[string]*check {
	t.Helper()
	files, err := fs.Glob(os.DirFS("../core"), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	owner, special := map[string]string{}, map[string]string{}
	var literals []map[string]ast.Expr
	var holding []bool
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), "../core/"+name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if strings.HasPrefix(n.Names[0].Name, "owner") {
					owner[n.Names[0].Name] = text(n.Values[0])
				}
			case *ast.CaseClause:
				specialOwner(n, special)
			case *ast.CompositeLit:
				if kind := typeName(n); kind == "Exception" || kind == "Finding" {
					literals, holding = append(literals, members(n)), append(holding, kind == "Finding")
				}
			}
			return true
		})
	}
	out, found := map[string]*check{}, map[string]bool{}
	defer func() {
		if have := slices.Sorted(maps.Keys(found)); !slices.Equal(have, core.Findings()) {
			t.Errorf("core.Findings says %q; the core finds %q", core.Findings(), have)
		}
		if have := slices.Sorted(maps.Keys(out)); !slices.Equal(have, core.Checks()) {
			t.Errorf("core.Checks says %q; the core raises %q", core.Checks(), have)
		}
	}()
	for i, m := range literals {
		if holding[i] && text(m["Check"]) != "" {
			found[text(m["Check"])] = true
		}
		name := text(m["Check"])
		if grade, ok := m["Grade"].(*ast.SelectorExpr); name == "" || holding[i] && (!ok || grade.Sel.Name != "Hold") {
			continue
		}
		if out[name] == nil {
			out[name] = &check{name: name, owners: map[string]bool{}, holds: holding[i]}
		}
		by := "ownerOperator" // what hold gives unless it says otherwise
		if special[name] != "" && holding[i] {
			by = special[name]
		} else if id, ok := m["Owner"].(*ast.Ident); ok {
			by = id.Name
		} else if !holding[i] {
			t.Errorf("the exception %q has no owner that this test can read", name)
		}
		out[name].owners[owner[by]] = true
	}
	if len(out) < 10 {
		t.Fatalf("only %d checks were found in the core's source", len(out))
	}
	return out
}

// specialOwner notes the owner that a case of hold gives to a check.
func specialOwner(c *ast.CaseClause, special map[string]string) {
	for _, stmt := range c.Body {
		a, ok := stmt.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != 1 {
			continue
		}
		sel, ok := a.Lhs[0].(*ast.SelectorExpr)
		id, isName := a.Rhs[0].(*ast.Ident)
		if !ok || !isName || sel.Sel.Name != "Owner" {
			continue
		}
		for _, x := range c.List {
			special[text(x)] = id.Name
		}
	}
}

func typeName(n *ast.CompositeLit) string {
	switch x := n.Type.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

func members(n *ast.CompositeLit) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	for _, e := range n.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				out[id.Name] = kv.Value
			}
		}
	}
	return out
}

// text returns a string literal's value, "" for anything else.
func text(x ast.Expr) string {
	l, ok := x.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(l.Value)
	return s
}

// TestConfigurationKeys takes the keys out of the schema that crossdock prints.
func TestConfigurationKeys(t *testing.T) {
	src, err := config.JSONSchema(types)
	if err != nil {
		t.Fatal(err)
	}
	var top mapping
	if err := json.Unmarshal(src, &top); err != nil {
		t.Fatal(err)
	}
	generated(t, "configuration.md", "the top", top.table(nil))
	generated(t, "configuration.md", "companies", top.Properties["companies"].Each.table(nil))
	odooKeys := top.Defs["connection_odoo"]
	own := map[string]bool{}
	for _, f := range odoo.Type.Fields {
		own[f.Name] = true
	}
	generated(t, "configuration.md", "connections", odooKeys.table(own))
}

// mapping is the part of a JSON Schema that the page shows.
type mapping struct {
	Doc        string             `json:"description"`
	Properties map[string]mapping `json:"properties"`
	Required   []string           `json:"required"`
	Each       *mapping           `json:"additionalProperties"`
	Defs       map[string]mapping `json:"$defs"`
}

// UnmarshalJSON reads the schemas true and false as empty ones.
func (m *mapping) UnmarshalJSON(b []byte) error {
	type plain mapping
	if b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, (*plain)(m))
}

// table lists the keys, the needed ones first, without some.
func (m mapping) table(without map[string]bool) string {
	needed := func(name string) bool { return slices.Contains(m.Required, name) }
	names := slices.Sorted(maps.Keys(m.Properties))
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case needed(a) == needed(b):
			return 0
		case needed(a):
			return -1
		}
		return 1
	})
	var b strings.Builder
	b.WriteString("| key | meaning | |\n|---|---|---|\n")
	for _, name := range names {
		if without[name] {
			continue
		}
		mark := ""
		if needed(name) {
			mark = "**needed**"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, cell(m.Properties[name].Doc), mark)
	}
	return b.String()
}
