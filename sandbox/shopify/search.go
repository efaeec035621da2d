package shopify

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseSearch reads Shopify's search syntax as far as order pulls need it: terms
// joined by blanks or AND, each field:value with :> :>= :< :<= for times and
// ids. What it doesn't know is an error; Shopify itself would ignore an unknown
// field with a warning, and the caller would get all orders.
func parseSearch(text string) (func(*order) bool, error) {
	terms, err := splitSearch(text)
	if err != nil {
		return nil, err
	}
	var all []func(*order) bool
	for _, term := range terms {
		if term == "AND" {
			continue
		}
		one, err := parseTerm(term)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return func(o *order) bool {
		for _, one := range all {
			if !one(o) {
				return false
			}
		}
		return true
	}, nil
}

// splitSearch cuts a search at blanks outside quotes and drops the quotes.
func splitSearch(text string) ([]string, error) {
	var terms []string
	var term strings.Builder
	quote := rune(0)
	for _, c := range text + " " {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == 0 && c == ' ':
			if term.Len() > 0 {
				terms = append(terms, term.String())
			}
			term.Reset()
		default:
			term.WriteRune(c)
		}
	}
	if quote != 0 {
		return nil, refused("BAD_REQUEST", "the search %q has an open quote", text)
	}
	return terms, nil
}

func parseTerm(term string) (func(*order) bool, error) {
	field, value, ok := strings.Cut(term, ":")
	if !ok || strings.ContainsAny(term[:1], "-(") || field == "OR" || field == "NOT" {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search orders by %q", term)
	}
	compare := "="
	for _, c := range []string{">=", "<=", ">", "<"} {
		if rest, ok := strings.CutPrefix(value, c); ok {
			compare, value = c, rest
			break
		}
	}
	switch field {
	case "updated_at":
		return byTime(term, compare, value, func(o *order) time.Time { return o.updated })
	case "created_at", "processed_at":
		return byTime(term, compare, value, func(o *order) time.Time { return o.created })
	case "id":
		id, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return nil, refused("BAD_REQUEST", "%q is no id to search for", value)
		}
		return func(o *order) bool { return holds(compare, cmp.Compare(o.id, id)) }, nil
	}
	if compare != "=" {
		return nil, refused("BAD_REQUEST", "%s can't be compared with %s", field, compare)
	}
	switch field {
	case "name":
		return func(o *order) bool { return fmt.Sprint(o.number) == bare(value) }, nil
	case "email":
		return func(o *order) bool { return strings.EqualFold(o.email, value) }, nil
	case "test":
		return func(o *order) bool { return fmt.Sprint(o.test) == value }, nil
	case "status":
		return byStatus(value)
	}
	return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search orders by %q", field)
}

// byStatus: open leaves cancelled orders out; closed means archived, which nobody
// does in this world (a cancelled order is not closed by itself, webhook samples
// of 2026-07).
func byStatus(value string) (func(*order) bool, error) {
	switch value {
	case "any", "not_closed":
		return func(*order) bool { return true }, nil
	case "closed":
		return func(*order) bool { return false }, nil
	case "open":
		return func(o *order) bool { return o.cancelled.IsZero() }, nil
	case "cancelled":
		return func(o *order) bool { return !o.cancelled.IsZero() }, nil
	}
	return nil, refused("BAD_REQUEST", "%q is none of the statuses open, closed, cancelled, not_closed, any", value)
}

func byTime(term, compare, value string, of func(*order) time.Time) (func(*order) bool, error) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		if at, err = time.Parse("2006-01-02", value); err != nil {
			return nil, refused("BAD_REQUEST", "%q: %q is no time such as 2026-11-23T07:30:00Z", term, value)
		}
	}
	return func(o *order) bool { return holds(compare, of(o).Compare(at)) }, nil
}

// holds tells whether a comparison holds, given the sign of left − right.
func holds(compare string, sign int) bool {
	switch compare {
	case ">":
		return sign > 0
	case ">=":
		return sign >= 0
	case "<":
		return sign < 0
	case "<=":
		return sign <= 0
	}
	return sign == 0
}
