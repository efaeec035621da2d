package crossdock_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/crossdockhq/crossdock"

// house is the source tree as the checks of arch_test.go see it.
type house struct {
	packages map[string][]source // shipped files, by the package's path below the module
	folders  []string
	fset     *token.FileSet
}

// source is one shipped Go file, whatever platform it is built for.
type source struct {
	path   string
	lines  int
	fset   *token.FileSet
	syntax *ast.File
}

// readHouse reads the tree itself rather than asking the go command: it sees
// files of every platform, needs no module downloaded, and because the test
// opens each folder, go test does not answer from its cache after a file came.
func readHouse(t *testing.T, tree fs.FS) house {
	t.Helper()
	h := house{packages: map[string][]source{}, fset: token.NewFileSet()}
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if notOurs(tree, p) {
				return fs.SkipDir
			}
			h.folders = append(h.folders, p)
			return nil
		}
		if path.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		s, err := readSource(h.fset, tree, p)
		if err != nil {
			return err
		}
		if !s.standsAlone() {
			h.packages[path.Dir(p)] = append(h.packages[path.Dir(p)], s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// notOurs reports whether dir holds no code of this module, by the go
// command's own rules and because front-end packages may lie about.
func notOurs(tree fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return err == nil
}

func readSource(fset *token.FileSet, tree fs.FS, p string) (source, error) {
	text, err := fs.ReadFile(tree, p)
	if err != nil {
		return source{}, err
	}
	syntax, err := parser.ParseFile(fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	return source{path: p, lines: bytes.Count(text, []byte("\n")), fset: fset, syntax: syntax}, nil
}

// standsAlone reports whether the file is a program of its own that is never
// part of its folder's package ("//go:build ignore").
func (s source) standsAlone() bool {
	for _, group := range s.syntax.Comments {
		for _, c := range group.List {
			if c.Pos() > s.syntax.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			expr, err := constraint.Parse(c.Text)
			if err == nil && expr.String() == "ignore" {
				return true
			}
		}
	}
	return false
}

func (h house) names() []string {
	var names []string
	for name := range h.packages {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (s source) imports() []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has accepted it
		}
		paths = append(paths, p)
	}
	return paths
}

// impurities reports what in this file reads a clock, waits, or reaches the
// machine, the network or chance.
func (s source) impurities() (found []string) {
	for _, imp := range s.imports() {
		if slices.ContainsFunc(impureImports, func(p string) bool { return within(imp, p) }) {
			found = append(found, fmt.Sprintf("%s: pure code may not import %s", s.path, imp))
		}
	}
	clocks := s.importNames("time")
	if slices.Contains(clocks, ".") {
		found = append(found, s.path+": pure code may not dot-import time, its calls could not be seen")
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(clocks, x.Name) && slices.Contains(impureTime, sel.Sel.Name) {
			found = append(found, fmt.Sprintf("%s: pure code may not use time.%s; take the time as an argument", s.fset.Position(sel.Pos()), sel.Sel.Name))
		}
		return true
	})
	return found
}

// importNames gives the names under which the file knows the standard package
// imp, "." for a dot import.
func (s source) importNames(imp string) (names []string) {
	for _, spec := range s.syntax.Imports {
		if spec.Path.Value != strconv.Quote(imp) {
			continue
		}
		if spec.Name == nil {
			names = append(names, path.Base(imp))
		} else {
			names = append(names, spec.Name.Name)
		}
	}
	return names
}

// translatesOrProjects reports whether the file's name says that it translates
// or projects: translate.go, order_project.go, translate_order.go.
func (s source) translatesOrProjects() bool {
	words := strings.Split(strings.TrimSuffix(path.Base(s.path), ".go"), "_")
	return slices.Contains(words, "translate") || slices.Contains(words, "project")
}

func (s source) methods() []string {
	var names []string
	for _, d := range s.syntax.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

func (s source) exportedTypes() []string {
	var names []string
	for _, d := range s.syntax.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() {
				names = append(names, ts.Name.Name)
			}
		}
	}
	return names
}

// ours gives an import's path below the module, "." for the root, and whether
// it is one of our packages at all.
func ours(imp string) (string, bool) {
	if imp == module {
		return ".", true
	}
	return strings.CutPrefix(imp, module+"/")
}

// thirdParty reports whether an import is neither ours nor the standard
// library's, whose paths have no dot in their first element.
func thirdParty(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return strings.Contains(first, ".")
}

// within reports whether name matches one of the patterns, separated by
// spaces; "x/..." is x and everything below it.
func within(name, patterns string) bool {
	return slices.ContainsFunc(strings.Fields(patterns), func(p string) bool {
		if base, deep := strings.CutSuffix(p, "/..."); deep {
			return name == base || strings.HasPrefix(name, base+"/")
		}
		return name == p
	})
}
