package shopify

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// term reads one term of a search, field:value with a comparison, and says what
// it lets through.
type term[T any] func(whole, compare, value string) (func(T) bool, error)

// terms are what a kind of thing can be searched by.
type terms[T any] map[string]term[T]

// search reads Shopify's search syntax as far as a pull needs it: terms joined
// by blanks or AND, each field:value with :> :>= :< :<= for times and ids. What
// it doesn't know is an error; Shopify itself would ignore an unknown field with
// a warning, and the caller would get everything. kind names what is searched.
func search[T any](query any, kind string, known terms[T]) (func(T) bool, error) {
	text, _ := query.(string)
	parts, err := splitSearch(text)
	if err != nil {
		return nil, err
	}
	var all []func(T) bool
	for _, part := range parts {
		if part == "AND" {
			continue
		}
		field, value, ok := strings.Cut(part, ":")
		if !ok || strings.ContainsAny(part[:1], "-(") || field == "OR" || field == "NOT" {
			return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search %s by %q", kind, part)
		}
		read := known[field]
		if read == nil {
			return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search %s by %q", kind, field)
		}
		compare := "="
		for _, c := range []string{">=", "<=", ">", "<"} {
			if rest, ok := strings.CutPrefix(value, c); ok {
				compare, value = c, rest
				break
			}
		}
		one, err := read(part, compare, value)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return func(of T) bool {
		for _, one := range all {
			if !one(of) {
				return false
			}
		}
		return true
	}, nil
}

// splitSearch cuts a search at blanks outside quotes and drops the quotes.
func splitSearch(text string) ([]string, error) {
	var parts []string
	var part strings.Builder
	quote := rune(0)
	for _, c := range text + " " {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == 0 && c == ' ':
			if part.Len() > 0 {
				parts = append(parts, part.String())
			}
			part.Reset()
		default:
			part.WriteRune(c)
		}
	}
	if quote != 0 {
		return nil, refused("BAD_REQUEST", "the search %q has an open quote", text)
	}
	return parts, nil
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

// byTime compares a time, written as 2026-11-23T07:30:00Z or as a day.
func byTime[T any](of func(T) time.Time) term[T] {
	return func(whole, compare, value string) (func(T) bool, error) {
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			if at, err = time.Parse("2006-01-02", value); err != nil {
				return nil, refused("BAD_REQUEST", "%q: %q is no time such as 2026-11-23T07:30:00Z", whole, value)
			}
		}
		return func(one T) bool { return holds(compare, of(one).Compare(at)) }, nil
	}
}

// byNumber compares a number, such as the digits of an id.
func byNumber[T any](of func(T) uint64) term[T] {
	return func(_, compare, value string) (func(T) bool, error) {
		id, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return nil, refused("BAD_REQUEST", "%q is no id to search for", value)
		}
		return func(one T) bool { return holds(compare, cmp.Compare(of(one), id)) }, nil
	}
}

// byText compares a word, whatever its case.
func byText[T any](of func(T) string) term[T] {
	return func(whole, compare, value string) (func(T) bool, error) {
		if compare != "=" {
			return nil, refused("BAD_REQUEST", "%s can't be compared with %s", strings.SplitN(whole, ":", 2)[0], compare)
		}
		return func(one T) bool { return strings.EqualFold(of(one), value) }, nil
	}
}

// orderTerms are what orders are searched by. indexed tells when the search
// index believes an order was updated.
func orderTerms(indexed func(*order) time.Time) terms[*order] {
	made := byTime(func(o *order) time.Time { return o.created })
	return terms[*order]{
		"updated_at": byTime(indexed), "created_at": made, "processed_at": made,
		"id":    byNumber(func(o *order) uint64 { return o.id }),
		"email": byText(func(o *order) string { return o.email }),
		"test":  byText(func(o *order) string { return fmt.Sprint(o.test) }),
		"name": func(whole, compare, value string) (func(*order) bool, error) {
			return byText(func(o *order) string { return fmt.Sprint(o.number) })(whole, compare, bare(value))
		},
		"fulfillment_status": byText(func(o *order) string { return statusWord(o.fulfilled()) }),
		"status": func(whole, compare, value string) (func(*order) bool, error) {
			if compare != "=" {
				return nil, refused("BAD_REQUEST", "status can't be compared with %s", compare)
			}
			return byStatus(value)
		},
	}
}

// statusWord is how searches name an order's fulfilment: unfulfilled, partial, shipped
// (schema 2026-07, QueryRoot.orders, query).
func statusWord(display string) string {
	switch display {
	case "FULFILLED":
		return "shipped"
	case "PARTIALLY_FULFILLED":
		return "partial"
	}
	return "unfulfilled"
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
