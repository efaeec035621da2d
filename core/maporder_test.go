package core

import (
	"go/ast"
	"go/types"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// The order of a map is chance. What decides goes through none: it sorts the keys,
// or keeps a list.
func TestNothingGoesThroughAMap(t *testing.T) {
	t.Parallel()
	loaded, err := packages.Load(&packages.Config{Context: t.Context(), Mode: packages.NeedName | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedFiles}, ".", "../atp")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Error(e)
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				r, ok := n.(*ast.RangeStmt)
				if !ok {
					return true
				}
				seen++
				_, isMap := p.TypesInfo.TypeOf(r.X).Underlying().(*types.Map)
				if isMap || strings.HasPrefix(types.ExprString(r.X), "maps.") {
					t.Errorf("%s goes through a map: sort its keys", p.Fset.Position(r.Pos()))
				}
				return true
			})
		}
	}
	if len(loaded) != 2 || seen < 50 {
		t.Errorf("%d packages with %d loops were read", len(loaded), seen)
	}
}
