package shopify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// most is the largest input array and page (shopify.dev "limits").
const most = 250

// request is the body of a GraphQL request.
type request struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables"`
	OperationName string         `json:"operationName"`
}

// graphql answers one request: parse, validate, price, run. The caller holds the
// lock. Whatever is wrong with the query itself is answered with HTTP 200 and
// top-level errors, as Shopify does.
func (s *Server) graphql(w http.ResponseWriter, r *http.Request) {
	var req request
	decode := json.NewDecoder(r.Body)
	decode.UseNumber()
	if err := decode.Decode(&req); err != nil && !errors.Is(err, io.EOF) {
		s.calls["invalid"]++
		answer(w, http.StatusBadRequest, map[string]any{"errors": map[string]any{"query": "the body is not JSON: " + err.Error()}})
		return
	}
	if req.Query == "" {
		s.calls["invalid"]++
		answer(w, http.StatusBadRequest, map[string]any{"errors": map[string]any{"query": "Required parameter missing or invalid"}})
		return
	}
	op, vars, errs := prepare(req)
	if errs != nil {
		s.calls["invalid"]++
		answer(w, http.StatusOK, pairs{{"errors", errs}})
		return
	}
	asked := estimate(op, vars)
	if err := s.charge(asked); err != nil {
		s.calls["throttled"]++
		answer(w, http.StatusOK, pairs{{"errors", []any{err.json()}}, {"extensions", s.costBlock(asked, nil)}})
		return
	}
	run := &run{vars: vars, allow: s.allow}
	out, err := s.execute(run, op)
	spent := min(run.cost, asked)
	s.giveBack(asked - spent)
	block := s.costBlock(asked, spent)
	for _, name := range run.called {
		s.calls[name]++
	}
	if err != nil {
		var e *graphError
		if !errors.As(err, &e) {
			e = refused("INTERNAL_SERVER_ERROR", "%v", err)
		}
		answer(w, http.StatusOK, pairs{{"data", nil}, {"errors", []any{e.json()}}, {"extensions", block}})
		return
	}
	answer(w, http.StatusOK, pairs{{"data", out}, {"extensions", block}})
}

// execute runs an operation's root fields in order.
func (s *Server) execute(run *run, op *ast.OperationDefinition) (pairs, error) {
	root := &object{typ: "QueryRoot"}
	if op.Operation == ast.Mutation {
		root.typ = "Mutation"
	}
	want, err := run.collect(op.SelectionSet, root.typ)
	if err != nil {
		return nil, err
	}
	for _, f := range want {
		if err := checkIdempotency(f.Field, run.vars); err != nil {
			err.path = []any{f.Alias}
			return nil, err
		}
	}
	root.fields = s.queries()
	if op.Operation == ast.Mutation {
		run.cost = mutationCost * len(want)
		root.fields = s.mutations(want, run.vars)
	}
	for _, f := range want {
		run.called = append(run.called, f.Name)
	}
	return run.object(op.SelectionSet, root)
}

// prepare parses and validates a request and says what is wrong with it.
func prepare(req request) (*ast.OperationDefinition, map[string]any, []any) {
	doc, list := load(req.Query)
	if len(list) > 0 {
		return nil, nil, validationErrors(list)
	}
	op := doc.Operations.ForName(req.OperationName)
	if op == nil {
		return nil, nil, []any{refused("", "No operation named %q", req.OperationName).json()}
	}
	if len(doc.Operations) > 1 && req.OperationName == "" {
		return nil, nil, []any{refused("", "An operation name is required").json()}
	}
	vars, err := validator.VariableValues(schema(), op, req.Variables)
	if err != nil {
		return nil, nil, []any{variableError(err).json()}
	}
	if err := strictNumbers(op, vars); err != nil {
		return nil, nil, []any{err.json()}
	}
	if name := unresolved(op.SelectionSet, map[*ast.FragmentDefinition]bool{}); name != "" {
		return nil, nil, []any{refused("NOT_IN_STAND_IN",
			"%s is a field of Shopify %s that this stand-in does not answer", name, Version).json()}
	}
	if err := tooLong(op, vars); err != nil {
		return nil, nil, []any{err.json()}
	}
	return op, vars, nil
}

// loaded keeps documents that are valid by their text: clients send few different
// ones, and validating takes longer than answering.
var loaded sync.Map // string → *ast.QueryDocument

// load parses and validates a document.
func load(query string) (*ast.QueryDocument, gqlerror.List) {
	if doc, ok := loaded.Load(query); ok {
		return doc.(*ast.QueryDocument), nil //nolint:errcheck // only this function stores
	}
	doc, list := gqlparser.LoadQueryWithRules(schema(), query, nil)
	if len(list) > 0 {
		return nil, list
	}
	loaded.Store(query, doc)
	return doc, nil
}

// codes are Shopify's names for what can be wrong with a query, by the
// validator's rule.
var codes = map[string]string{
	"FieldsOnCorrectType": "undefinedField", "KnownArgumentNames": "argumentNotAccepted",
	"ProvidedRequiredArguments": "missingRequiredArguments", "ValuesOfCorrectType": "argumentLiteralsIncompatible",
	"KnownDirectives": "undefinedDirective", "KnownTypeNames": "undefinedType", "KnownFragmentNames": "useAndDefineFragment",
	"NoUnusedFragments": "useAndDefineFragment", "NoUndefinedVariables": "variableNotDefined",
	"NoUnusedVariables": "variableNotUsed", "ScalarLeafs": "selectionMismatch",
	"VariablesInAllowedPosition": "variableMismatch", "UniqueOperationNames": "uniquelyNamedOperations",
}

func validationErrors(list gqlerror.List) []any {
	out := []any{}
	for _, e := range list {
		one := refused(codes[e.Rule], "%s", e.Message).json()
		one["locations"] = e.Locations
		out = append(out, one)
	}
	return out
}

func variableError(err error) *graphError {
	var e *gqlerror.Error
	if errors.As(err, &e) {
		return refused("INVALID_VARIABLE", "%s of the request was provided invalid value: %s", e.Path, e.Message)
	}
	return refused("INVALID_VARIABLE", "%v", err)
}

// strictNumbers refuses text where an Int belongs, which the validator lets
// pass: Shopify takes no "3" for 3.
func strictNumbers(op *ast.OperationDefinition, vars map[string]any) *graphError {
	for _, v := range op.VariableDefinitions {
		if path, bad := textForNumber(v.Type, vars[v.Variable]); bad {
			return refused("INVALID_VARIABLE", "Variable $%s%s of type %s was provided invalid value: text is no number", v.Variable, path, v.Type)
		}
	}
	return nil
}

func textForNumber(t *ast.Type, value any) (path string, bad bool) {
	switch v := value.(type) {
	case string:
		return "", t.NamedType == "Int" || t.NamedType == "Float"
	case []any:
		for i, one := range v {
			if t.Elem == nil {
				break
			}
			if path, bad := textForNumber(t.Elem, one); bad {
				return fmt.Sprintf("[%d]%s", i, path), true
			}
		}
	case map[string]any:
		def := schema().Types[t.NamedType]
		for name, one := range v {
			if f := def.Fields.ForName(name); f != nil {
				if path, bad := textForNumber(f.Type, one); bad {
					return "." + name + path, true
				}
			}
		}
	}
	return "", false
}

// tooLong refuses input arrays of more than 250, in variables and in arguments.
func tooLong(op *ast.OperationDefinition, vars map[string]any) *graphError {
	for _, v := range op.VariableDefinitions {
		if n := longest(vars[v.Variable]); n > most {
			return refused("MAX_INPUT_SIZE_EXCEEDED", "The input array size of %d is greater than the maximum allowed of %d.", n, most)
		}
	}
	for _, sel := range op.SelectionSet {
		if f, ok := sel.(*ast.Field); ok {
			if n := longest(f.ArgumentMap(vars)); n > most {
				return refused("MAX_INPUT_SIZE_EXCEEDED", "The input array size of %d is greater than the maximum allowed of %d.", n, most)
			}
		}
	}
	return nil
}

func longest(value any) int {
	most := 0
	switch v := value.(type) {
	case []any:
		most = len(v)
		for _, one := range v {
			most = max(most, longest(one))
		}
	case map[string]any:
		for _, one := range v {
			most = max(most, longest(one))
		}
	default:
		if value != nil && reflect.TypeOf(value).Kind() == reflect.Slice {
			most = reflect.ValueOf(value).Len()
		}
	}
	return most
}

// mustKey are the mutations that take and require @idempotent from 2026-04
// (schema 2026-07, texts of the mutations).
var mustKey = []string{"inventorySetQuantities", "inventoryActivate"}

func checkIdempotency(f *ast.Field, vars map[string]any) *graphError {
	d := f.Directives.ForName("idempotent")
	switch must := slices.Contains(mustKey, f.Name); {
	case must && d == nil:
		return refused("BAD_REQUEST", "The @idempotent directive is required for this mutation but was not provided.")
	case !must && d != nil:
		return refused("BAD_REQUEST", "The @idempotent directive is not supported by %s.", f.Name)
	case must && blank(d.ArgumentMap(vars)["key"]):
		return refused("BAD_REQUEST", "The idempotency key can't be blank.")
	}
	return nil
}
