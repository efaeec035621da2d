package shopify

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// node is one value of a JSON document and its place in it ("line_items[2].price").
// Numbers keep their digits: ids pass 2^53. What is not there is a node too, and
// reads as nothing, because Shopify adds and leaves out fields at will.
type node struct {
	value any
	place string
}

// parse reads one JSON document and nothing after it.
func parse(body []byte) (node, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var n node
	if err := dec.Decode(&n.value); err != nil {
		return node{}, crossdock.Errorf(crossdock.Invalid, "the body is no JSON: %w", err)
	}
	if dec.More() {
		return node{}, crossdock.Errorf(crossdock.Invalid, "the body goes on after its JSON document")
	}
	return n, nil
}

// at returns a member of an object.
func (n node) at(name string) node {
	place := name
	if n.place != "" {
		place = n.place + "." + name
	}
	members, _ := n.value.(map[string]any)
	return node{members[name], place}
}

// path returns a member by the names that lead to it, with dots between.
func (n node) path(names string) node {
	for name := range strings.SplitSeq(names, ".") {
		n = n.at(name)
	}
	return n
}

// has reports whether an object has a member, be it null.
func (n node) has(name string) bool {
	members, _ := n.value.(map[string]any)
	_, ok := members[name]
	return ok
}

// items returns the elements of a list.
func (n node) items() []node {
	list, _ := n.value.([]any)
	out := make([]node, len(list))
	for i, v := range list {
		out[i] = node{v, n.place + "[" + strconv.Itoa(i) + "]"}
	}
	return out
}

// text returns a string, or a number as it is written; anything else is "".
func (n node) text() string {
	switch v := n.value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func (n node) isTrue() bool { return n.value == true }
func (n node) isNull() bool { return n.value == nil }

// reader reads what can be wrong and keeps the first thing that is.
type reader struct {
	currency string // of the shop; amounts are in it
	err      error
}

// flag reads true or false; left out is false. Anything else, "true" as a text for
// instance, is a fault: a test order must not pass for one that is none.
func (r *reader) flag(n node) bool {
	is, ok := n.value.(bool)
	if !ok && !n.isNull() {
		r.fail(n, "it is neither true nor false")
	}
	return is
}

func (r *reader) fail(n node, format string, a ...any) {
	if r.err == nil {
		r.err = crossdock.At(n.place, crossdock.Errorf(crossdock.Invalid, format, a...))
	}
}

// money reads an amount in the shop's currency. A missing one is the zero Money.
// The place of a fault is that of the plain amount where the shape has one.
func (r *reader) money(amount, currency, place node) crossdock.Money {
	if amount.isNull() {
		return crossdock.Money{}
	}
	in := currency.text()
	if in == "" {
		in = r.currency
	}
	m, err := crossdock.NewMoney(amount.text(), in)
	switch {
	case err != nil:
		r.fail(place, "%s", crossdock.FaultOf(err).Text)
	case in != r.currency:
		r.fail(place, "%s is not in the shop's currency %s", m, r.currency)
	default:
		return m
	}
	return crossdock.Money{}
}

// decimal reads a plain number; a missing one is zero.
func (r *reader) decimal(n node) crossdock.Decimal {
	if n.isNull() {
		return crossdock.Decimal{}
	}
	d, err := crossdock.ParseDecimal(n.text())
	if err != nil {
		r.fail(n, "%s", crossdock.FaultOf(err).Text)
	}
	return d
}

// moment reads a time and gives it in UTC; a missing one is the zero time.
func (r *reader) moment(n node) time.Time {
	if n.isNull() {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, n.text())
	if err != nil {
		r.fail(n, "this is no time as RFC 3339 writes it, for instance 2026-11-23T07:44:09-05:00")
		return time.Time{}
	}
	return t.UTC()
}

// stamp writes a time so that stamps sort bytewise as times do: UTC, whole
// seconds, as Shopify's DateTime has them.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
