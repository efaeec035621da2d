package crossdock_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"
)

// impureCalls lists, besides impureImports, what a function may not use that
// Translate or Project come to.
var impureCalls = append([]string{"context"}, impureImports...)

// callBreaches goes from every Translate and Project of a connector through all
// functions and variables of ours that it can come to by static calls, in whatever
// file or package, and reports what reads a clock, waits, or reaches the machine, the
// network or chance. A function that is only named counts as called, and a method
// called through an interface is any method of that name in the package.
func callBreaches(h house) (found []string) {
	g := &calls{house: h, packages: map[string]*types.Package{}, nodes: map[types.Object]declared{},
		info: types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}}
	var roots []types.Object
	for _, pkg := range h.names() {
		if !within(pkg, "connectors/...") {
			continue
		}
		g.check(pkg)
		for _, s := range h.packages[pkg] {
			for _, d := range s.syntax.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && (f.Name.Name == "Translate" || f.Name.Name == "Project") {
					roots = append(roots, g.info.Defs[f.Name])
				}
			}
		}
	}
	for _, root := range roots {
		found = append(found, g.walk(root)...)
	}
	return found
}

// calls knows which function names which, over all packages it was asked about.
type calls struct {
	house
	packages map[string]*types.Package
	nodes    map[types.Object]declared
	info     types.Info
	seen     map[types.Object]bool
}

// declared is a function or a variable of a package with its text.
type declared struct {
	in   source
	pkg  string
	text ast.Node
}

// Import implements types.Importer: ours from their source, others empty. What can't
// be resolved for want of them is no function of ours.
func (g *calls) Import(imp string) (*types.Package, error) {
	if to, own := ours(imp); own && len(g.house.packages[to]) > 0 {
		return g.check(to), nil
	}
	if g.packages[imp] == nil {
		p := types.NewPackage(imp, packageName(imp))
		p.MarkComplete()
		g.packages[imp] = p
	}
	return g.packages[imp], nil
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// packageName guesses the name of a package from its path.
func packageName(imp string) string {
	if base := path.Base(imp); !majorVersion.MatchString(base) {
		return base
	}
	return path.Base(path.Dir(imp))
}

// check reads one of our packages.
func (g *calls) check(pkg string) *types.Package {
	imp := path.Join(module, pkg)
	if p := g.packages[imp]; p != nil {
		return p
	}
	g.packages[imp] = types.NewPackage(imp, path.Base(imp)) // a circle ends here
	var files []*ast.File
	for _, s := range g.house.packages[pkg] {
		files = append(files, s.syntax)
	}
	cfg := types.Config{Importer: g, Error: func(error) {}} // what others declare is not known
	p, _ := cfg.Check(imp, g.fset, files, &g.info)
	g.packages[imp] = p
	for _, s := range g.house.packages[pkg] {
		for _, d := range s.syntax.Decls {
			g.declare(pkg, s, d)
		}
	}
	return p
}

func (g *calls) declare(pkg string, s source, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		g.nodes[g.info.Defs[d.Name]] = declared{s, pkg, d}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
				for _, name := range v.Names {
					g.nodes[g.info.Defs[name]] = declared{s, pkg, v}
				}
			}
		}
	}
}

// walk reports what is impure in anything that can be come to from root.
func (g *calls) walk(root types.Object) (found []string) {
	g.seen = map[types.Object]bool{}
	var visit func(o types.Object, way string)
	visit = func(o types.Object, way string) {
		if f, ok := o.(*types.Func); ok {
			o = f.Origin()
		}
		n, ok := g.nodes[o]
		if !ok || g.seen[o] {
			return
		}
		g.seen[o] = true
		way = strings.TrimPrefix(way+" → "+o.Name(), " → ")
		for _, what := range n.in.impureUses(n.text, g.info.Uses) {
			found = append(found, fmt.Sprintf("%s (%s must be pure)", what, way))
		}
		ast.Inspect(n.text, func(x ast.Node) bool {
			switch x := x.(type) {
			case *ast.SelectorExpr:
				if g.info.Uses[x.Sel] == nil && !x.Sel.IsExported() { // of a value whose type could not be told
					g.named(n.pkg, x.Sel.Name, func(o types.Object) { visit(o, way) })
				}
			case *ast.Ident:
				use := g.info.Uses[x]
				if f, ok := use.(*types.Func); ok && abstract(f) {
					g.named(n.pkg, f.Name(), func(o types.Object) { visit(o, way) })
				}
				if use != nil {
					visit(use, way)
				}
			}
			return true
		})
	}
	visit(root, "")
	return found
}

// named calls do with every method of a package that has a name.
func (g *calls) named(pkg, name string, do func(types.Object)) {
	for _, s := range g.house.packages[pkg] {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == name {
				do(g.info.Defs[f.Name])
			}
		}
	}
}

// abstract reports whether a method is an interface's.
func abstract(f *types.Func) bool {
	recv := f.Signature().Recv()
	return recv != nil && types.IsInterface(recv.Type())
}

// impureUses reports what a piece of the file names of packages that pure code may
// not use.
func (s source) impureUses(text ast.Node, uses map[*ast.Ident]types.Object) (found []string) {
	for _, spec := range s.syntax.Imports {
		if imp := strings.Trim(spec.Path.Value, `"`); spec.Name != nil && spec.Name.Name == "." && (imp == "time" || impure(imp)) {
			found = append(found, fmt.Sprintf("%s: pure code may not dot-import %s, its calls could not be seen", s.path, imp))
		}
	}
	ast.Inspect(text, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		p, ok := uses[x].(*types.PkgName)
		if !ok {
			return true
		}
		imp := p.Imported().Path()
		if impure(imp) || imp == "time" && slices.Contains(impureTime, sel.Sel.Name) {
			found = append(found, fmt.Sprintf("%s: pure code may not use %s.%s", s.fset.Position(sel.Pos()), imp, sel.Sel.Name))
		}
		return true
	})
	return found
}

func impure(imp string) bool {
	return slices.ContainsFunc(impureCalls, func(p string) bool { return within(imp, p) })
}
