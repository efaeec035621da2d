package shopify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// bulkQuery parses and checks the document of a bulk operation and says what
// Shopify would not run (schema 2026-07, bulkOperationRunQuery; shopify.dev "bulk
// queries").
func bulkQuery(text string) (*ast.OperationDefinition, string) {
	doc, list := load(text)
	if len(list) > 0 {
		return nil, "Invalid bulk query: " + list[0].Message
	}
	op := doc.Operations[0]
	if len(doc.Operations) != 1 || op.Operation != ast.Query || len(op.VariableDefinitions) > 0 {
		return nil, "Bulk queries are a single query without variables."
	}
	root, one := op.SelectionSet[0].(*ast.Field)
	if len(op.SelectionSet) != 1 || !one {
		return nil, "Bulk queries must have a single top-level field."
	}
	if root.Name == "node" || root.Name == "nodes" {
		return nil, "Bulk queries cannot contain a top level `" + root.Name + "` field."
	}
	if name := unresolved(op.SelectionSet, map[*ast.FragmentDefinition]bool{}); name != "" {
		return nil, name + " is a field of Shopify " + Version + " that this stand-in does not answer"
	}
	switch count, depth := connections(op.SelectionSet); {
	case count == 0:
		return nil, "Bulk queries must contain at least one connection."
	case count > 5:
		return nil, fmt.Sprintf("Bulk queries cannot contain more than 5 connections, not %d.", count)
	case depth > 2:
		return nil, "Bulk queries cannot contain connections with a nesting depth greater than 2."
	}
	return op, ""
}

// connections counts the connections of a selection and how deep they are nested.
func connections(set ast.SelectionSet) (count, depth int) {
	for _, sel := range set {
		n, d := 0, 0
		switch sel := sel.(type) {
		case *ast.Field:
			n, d = connections(sel.SelectionSet)
			if strings.HasSuffix(sel.Definition.Type.Name(), "Connection") {
				n, d = n+1, d+1
			}
		case *ast.InlineFragment:
			n, d = connections(sel.SelectionSet)
		case *ast.FragmentSpread:
			n, d = connections(sel.Definition.SelectionSet)
		}
		count, depth = count+n, max(depth, d)
	}
	return count, depth
}

// bulkRun executes the document of a bulk operation: a connection is read to its
// end, whatever first says, and each of its nodes is a line; plain lists and
// objects stay within it.
type bulkRun struct {
	run
	lines  []pairs
	roots  int
	parent string // gid of the node that is being read
}

func (r *bulkRun) read(op *ast.OperationDefinition, root *object) error {
	whole, err := r.object(op.SelectionSet, root)
	if err != nil || len(whole) == 0 {
		return err // a connection at the top has written its lines itself
	}
	if line, ok := whole[0].value.(pairs); ok {
		r.lines, r.roots = slices.Insert(r.lines, 0, line), 1
	}
	return nil
}

// connection writes the nodes of a connection. A node's line stands before those
// of its own connections; __parentId names the nearest node above.
func (r *bulkRun) connection(f chosen, o *object) error {
	if err := r.allow(o.typ+"."+f.Name, f.Name); err != nil {
		return err
	}
	all, ok := o.fields[f.Name].(resolve)
	if !ok {
		return refused("INTERNAL_SERVER_ERROR", "the stand-in has no connection %s.%s", o.typ, f.Name)
	}
	args := f.ArgumentMap(r.vars)
	args[everything] = true
	value, err := all(args)
	if err != nil {
		return err
	}
	of, ok := value.(*object)
	if !ok {
		return refused("INTERNAL_SERVER_ERROR", "the stand-in has %T for %s.%s", value, o.typ, f.Name)
	}
	set, err := r.nodes(f, of.typ)
	if err != nil {
		return err
	}
	above := r.parent
	if id, ok := o.fields["id"].(string); ok {
		above = id
	}
	defer func(was string) { r.parent = was }(r.parent)
	for _, one := range items(of.fields["nodes"]) {
		if err := r.line(one, set, above); err != nil {
			return err
		}
	}
	return nil
}

func (r *bulkRun) line(one any, set ast.SelectionSet, above string) error {
	node, ok := one.(*object)
	if !ok {
		return refused("INTERNAL_SERVER_ERROR", "the stand-in has %T for a node", one)
	}
	if err := r.allow(node.typ, r.name()); err != nil {
		return err
	}
	place := len(r.lines)
	r.lines = append(r.lines, nil)
	r.parent, _ = node.fields["id"].(string)
	line, err := r.object(set, node)
	if err != nil {
		return err
	}
	if above != "" {
		line = append(line, pair{"__parentId", above})
	} else {
		r.roots++
	}
	r.lines[place] = line
	return nil
}

// nodes is what a connection's nodes are asked for, by nodes or by edges.
func (r *bulkRun) nodes(f chosen, typ string) (ast.SelectionSet, error) {
	var set ast.SelectionSet
	has, err := r.collect(f.sets, typ)
	if err != nil {
		return nil, err
	}
	for _, c := range has {
		switch c.Name {
		case "nodes":
			set = append(set, c.sets...)
		case "edges":
			inner, err := r.collect(c.sets, strings.TrimSuffix(typ, "Connection")+"Edge")
			if err != nil {
				return nil, err
			}
			for _, node := range inner {
				if node.Name == "node" {
					set = append(set, node.sets...)
				}
			}
		}
	}
	return set, nil
}
