package shopify

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

const (
	mutationCost = 10
	costCap      = 1000 // of one query on any plan
)

// bucket is the leaky bucket of cost points. The caller holds the server's lock.
type bucket struct {
	level float64 // points left at `at`
	at    time.Time
}

func (s *Server) size() float64 { return float64(20 * s.Restore) }

func (s *Server) refill() {
	now := s.Clock()
	if gone := now.Sub(s.bucket.at); gone > 0 {
		s.bucket.level = math.Min(s.size(), s.bucket.level+gone.Seconds()*float64(s.Restore))
		s.bucket.at = now
	}
}

// charge takes what a query asks for, or says why it may not run.
func (s *Server) charge(asked int) *graphError {
	s.refill()
	if asked > costCap {
		e := refused("MAX_COST_EXCEEDED", "Query cost is %d, which exceeds the single query max cost limit (%d).", asked, costCap)
		e.extra = map[string]any{"cost": asked, "maxCost": costCap}
		return e
	}
	if float64(asked) > s.bucket.level {
		return refused("THROTTLED", "Throttled")
	}
	s.bucket.level -= float64(asked)
	return nil
}

func (s *Server) giveBack(points int) {
	s.bucket.level = math.Min(s.size(), s.bucket.level+float64(points))
}

// costBlock is extensions.cost. spent is nil when nothing ran.
func (s *Server) costBlock(asked int, spent any) map[string]any {
	return map[string]any{"cost": pairs{
		{"requestedQueryCost", asked}, {"actualQueryCost", spent},
		{"throttleStatus", pairs{
			{"maximumAvailable", number(fmt.Sprintf("%.1f", s.size()))},
			{"currentlyAvailable", int(s.bucket.level)},
			{"restoreRate", number(fmt.Sprintf("%.1f", float64(s.Restore)))},
		}},
	}}
}

// estimate is what a query asks for, by what is published: a scalar is 0, an
// object 1, an interface its dearest branch, a mutation 10, a list or connection
// as many objects as it may hold. Shopify's own figures for large pages are
// lower by a rule it does not publish; this one is never too low.
func estimate(op *ast.OperationDefinition, vars map[string]any) int {
	if op.Operation == ast.Mutation {
		n := 0
		for _, sel := range op.SelectionSet {
			if f, ok := sel.(*ast.Field); ok {
				n += mutationCost + setCost(f.SelectionSet, vars)
			}
		}
		return n
	}
	return setCost(op.SelectionSet, vars)
}

// setCost prices a selection: what every branch has, and the dearest of the
// branches by type.
func setCost(set ast.SelectionSet, vars map[string]any) int {
	common, branch := 0, map[string]int{}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			common += fieldCost(sel, vars)
		case *ast.InlineFragment:
			branch[sel.TypeCondition] += setCost(sel.SelectionSet, vars)
		case *ast.FragmentSpread:
			branch[sel.Definition.TypeCondition] += setCost(sel.Definition.SelectionSet, vars)
		}
	}
	dearest := 0
	for _, n := range branch {
		dearest = max(dearest, n)
	}
	return common + dearest
}

func fieldCost(f *ast.Field, vars map[string]any) int {
	if f.Definition == nil || len(f.SelectionSet) == 0 {
		return 0
	}
	inner := setCost(f.SelectionSet, vars)
	typ := f.Definition.Type.Name()
	switch {
	case strings.HasSuffix(typ, "Edge"), typ == "PageInfo":
		return inner
	case f.ObjectDefinition != nil && strings.HasSuffix(f.ObjectDefinition.Name, "Connection"), f.Name == "node" && inEdge(f):
		return 1 + inner
	}
	args := f.ArgumentMap(vars)
	if strings.HasSuffix(typ, "Connection") || f.Definition.Type.Elem != nil {
		n := 1
		for _, name := range []string{"first", "last"} {
			if given, ok := whole(args[name]); ok {
				n = given
			}
		}
		if ids := longest(args["ids"]); ids > 0 {
			n = ids
		}
		if strings.HasSuffix(typ, "Connection") {
			return n * inner
		}
		return n * (1 + inner)
	}
	return 1 + inner
}

func inEdge(f *ast.Field) bool {
	return f.ObjectDefinition != nil && strings.HasSuffix(f.ObjectDefinition.Name, "Edge")
}

// free are the types that cost nothing themselves: their nodes do.
func free(typ string) bool {
	return typ == "PageInfo" || strings.HasSuffix(typ, "Connection") || strings.HasSuffix(typ, "Edge") ||
		slices.Contains([]string{"QueryRoot", "Mutation"}, typ)
}

// whole reads an Int argument.
func whole(value any) (int, bool) {
	if value == nil {
		return 0, false
	}
	n, err := strconv.Atoi(fmt.Sprint(value))
	return n, err == nil
}

func blank(value any) bool {
	text, _ := value.(string)
	return strings.TrimSpace(text) == ""
}
