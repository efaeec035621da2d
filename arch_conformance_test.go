package crossdock_test

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/token"
	"slices"
	"strings"
)

const (
	connectorPackage = module + "/connector"
	exercisePackage  = module + "/connector/connectortest"
)

// conformanceBreaches sees that no connector can be listed that does not pass the
// conformance suite: a connector's Type is made by Define and in no other way, and
// where Define is called, a test of that package exercises what it makes.
func conformanceBreaches(h house) (found []string) {
	for _, pkg := range h.names() {
		if pkg == "connector" {
			continue
		}
		exercised := h.exercised(pkg)
		for _, s := range h.packages[pkg] {
			names := s.importNames(connectorPackage)
			if len(names) == 0 {
				continue
			}
			vars := map[*ast.CallExpr]bool{}
			for _, v := range s.definedBy(names, vars) {
				if !slices.Contains(exercised, v.Name) {
					found = append(found, fmt.Sprintf("%s: no test of this package exercises %s: write one that calls connectortest.Exercise with it as the subject's Type", s.fset.Position(v.Pos()), v.Name))
				}
			}
			found = append(found, s.madeByHand(names, vars)...)
		}
	}
	return found
}

// definedBy returns the variables of the package that Define makes, and notes those calls.
func (s source) definedBy(names []string, seen map[*ast.CallExpr]bool) (out []*ast.Ident) {
	for _, d := range s.syntax.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for i, value := range v.Values {
				if call, ok := value.(*ast.CallExpr); ok && called(call, names, "Define") && len(v.Names) == len(v.Values) {
					seen[call] = true
					out = append(out, v.Names[i])
				}
			}
		}
	}
	return out
}

// madeByHand reports other calls of Define, and every Type that is made without it;
// an empty one stands for none.
func (s source) madeByHand(names []string, seen map[*ast.CallExpr]bool) (found []string) {
	isType := func(x ast.Expr) bool { return x != nil && named(x, names, "Type") }
	say := func(n ast.Node, text string) {
		found = append(found, fmt.Sprintf("%s: %s", s.fset.Position(n.Pos()), text))
	}
	const byHand = "a connector's Type is made by Define only"
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if called(n, names, "Define") && !seen[n] {
				say(n, "Define is called for a variable of the package, which a test can name")
			}
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 && isType(n.Args[0]) {
				say(n, byHand)
			}
		case *ast.CompositeLit:
			if isType(n.Type) && len(n.Elts) > 0 {
				say(n, byHand)
			}
			if list, ok := n.Type.(*ast.ArrayType); ok && isType(list.Elt) {
				for _, e := range n.Elts {
					if _, literal := e.(*ast.CompositeLit); literal {
						say(e, byHand)
					}
				}
			}
		case *ast.ValueSpec:
			if isType(n.Type) && len(n.Values) == 0 {
				say(n.Type, byHand)
			}
		}
		return true
	})
	return found
}

// exercised returns the names of the variables that tests of a package exercise.
func (h house) exercised(pkg string) (out []string) {
	for _, s := range h.tests[pkg] {
		if s.bound() {
			continue
		}
		names := s.importNames(exercisePackage)
		if module+"/"+pkg == exercisePackage { // its own test
			names = append(names, ".")
		}
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") || f.Recv != nil {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && called(call, names, "Exercise") && len(call.Args) == 2 {
					out = append(out, subjectType(call.Args[1], s.importNames(module+"/"+pkg))...)
				}
				return true
			})
		}
	}
	return out
}

// bound reports a file that only some builds have.
func (s source) bound() bool {
	for _, group := range s.syntax.Comments {
		for _, c := range group.List {
			if c.Pos() < s.syntax.Package && constraint.IsGoBuild(c.Text) {
				return true
			}
		}
	}
	return false
}

// subjectType reads the name of the variable that a subject's Type is: of the
// test's own package, or of the one it tests.
func subjectType(subject ast.Expr, tested []string) (out []string) {
	lit, ok := subject.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); !ok || key.Name != "Type" {
			continue
		}
		switch v := kv.Value.(type) {
		case *ast.Ident:
			out = append(out, v.Name)
		case *ast.SelectorExpr:
			if x, ok := v.X.(*ast.Ident); ok && slices.Contains(tested, x.Name) {
				out = append(out, v.Sel.Name)
			}
		}
	}
	return out
}

// called reports a call of a package's function under one of the package's names.
func called(call *ast.CallExpr, names []string, function string) bool {
	fun := call.Fun
	switch f := fun.(type) { // Define[Config](…)
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	return named(fun, names, function)
}

// named reports what a package declares under a name, "." being a dot import.
func named(x ast.Expr, names []string, what string) bool {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		id, ok := x.X.(*ast.Ident)
		return ok && slices.Contains(names, id.Name) && x.Sel.Name == what
	case *ast.Ident:
		return slices.Contains(names, ".") && x.Name == what
	}
	return false
}
