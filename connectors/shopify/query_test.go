package shopify

import (
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// adminSchema is Shopify's Admin GraphQL schema 2026-07; its licence is in the
// NOTICE beside it.
const adminSchema = "../../sandbox/shopify/admin_2026-07.graphql.gz"

func TestQueriesAreValidAgainstShopifysSchema(t *testing.T) {
	f, err := os.Open(adminSchema)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: adminSchema, Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	valid := func(document string) error {
		_, err := gqlparser.LoadQueryWithRules(schema, document, nil)
		if len(err) == 0 {
			return nil
		}
		return err
	}
	for name, document := range map[string]string{"ping": pingQuery, "order": orderQuery, "lines": linesQuery} {
		if err := valid(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		doc, _ := gqlparser.LoadQueryWithRules(schema, document, nil)
		if doc == nil || len(doc.Operations) != 1 {
			t.Errorf("%s: not one operation", name)
			continue
		}
		for _, f := range deprecated(doc) {
			t.Errorf("%s: %s is deprecated", name, f)
		}
	}
	// The check itself can fail.
	if valid(strings.Replace(orderQuery, "poNumber", "purchaseOrder", 1)) == nil || valid(orderPart) == nil {
		t.Error("a field the schema does not have, or a fragment that is missing, is taken as valid")
	}
}

// deprecated lists the fields a document asks for that Shopify will take away.
func deprecated(doc *ast.QueryDocument) (found []string) {
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if sel.Definition != nil && sel.Definition.Directives.ForName("deprecated") != nil {
					found = append(found, sel.Name)
				}
				walk(sel.SelectionSet)
			case *ast.InlineFragment:
				walk(sel.SelectionSet)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		walk(f.SelectionSet)
	}
	return found
}
