package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/sandbox"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
)

// odooVerbs are what is done in Odoo, each with how many words follow it at least
// and at most.
var odooVerbs = []struct {
	verb        string
	least, most int
	form        string // of the words that follow
}{
	{"set stock", 3, 3, "SKU SITE N"}, {"set price", 2, 2, "SKU AMOUNT"}, {"add item", 2, 2, "NEW AMOUNT"},
	{"confirm order", 1, 1, "NUMBER"}, {"cancel order", 1, 1, "NUMBER"}, {"delete order", 1, 1, "NUMBER"},
	{"edit order", 3, 3, "NUMBER SKU N"}, {"ship order", 1, 2, "NUMBER TRACKING"}, {"ship part", 3, 4, "NUMBER SKU N TRACKING"}, {"cancel transfer", 1, 1, "NUMBER"},
	{"revoke key", 0, 0, ""}, {"restore key", 0, 0, ""}, {"reject", 2, 2, "MODEL.METHOD TIMES"}, {"contend", 2, 2, "MODEL TIMES"},
}

// topics are those of Shopify's webhooks (Admin API 2026-07) that are about what a hub
// hears of. Another may be sent, to see what comes of it, unless it is nearly one of them.
var topics = []string{
	"orders/create", "orders/updated", "orders/cancelled", "orders/paid", "orders/fulfilled", "orders/partially_fulfilled", "orders/edited", "orders/delete",
	"refunds/create", "fulfillments/create", "fulfillments/update", "inventory_levels/connect", "inventory_levels/update", "inventory_levels/disconnect",
	"inventory_items/create", "inventory_items/update", "inventory_items/delete", "products/create", "products/update", "products/delete",
	"customers/create", "customers/update", "customers/delete", "customers/merge", "app/uninstalled", "bulk_operations/finish",
}

// verbsOf lists what can be done in a system of a type; "" stands for a person.
func verbsOf(kind string) []string {
	switch kind {
	case "shopify":
		return append(append([]string{"send", "buy", "cancel", "edit"}, firsts(shopify.FaultWords())...), doorVerbs()...)
	case "odoo":
		var out []string
		for _, v := range odooVerbs {
			out = append(out, v.verb)
		}
		return append(out, doorVerbs()...)
	case "hub":
		return []string{"kill"}
	}
	return []string{"retry", "drop"}
}

func doorVerbs() []string { return firsts(sandbox.Words()) }

func firsts(forms []string) []string {
	var out []string
	for _, form := range forms {
		out = append(out, firstWord(form))
	}
	return out
}

// verbIn returns the verb that words begin with, and how many words it has; 0 for
// one that nobody knows.
func verbIn(known, words []string) (verb string, length int) {
	for n := min(2, len(words)); n > 0; n-- {
		if verb = strings.Join(words[:n], " "); slices.Contains(known, verb) {
			return verb, n
		}
	}
	return strings.Join(words[:min(2, len(words))], " "), 0
}

// isVerb reports words that some system can do: who does them is the mistake then.
func isVerb(words []string) bool {
	_, shop := verbIn(verbsOf("shopify"), words)
	_, erp := verbIn(verbsOf("odoo"), words)
	return shop+erp > 0
}

// nearVerb returns the known verb that was most likely meant by the first of words.
func nearVerb(known, words []string) string {
	verb, _ := verbIn(known, words)
	if near := crossdock.Nearest(verb, known); near != "" {
		return near
	}
	if i := slices.IndexFunc(known, func(k string) bool { return strings.HasPrefix(k, words[0]+" ") }); i >= 0 {
		return known[i]
	}
	return crossdock.Nearest(words[0], known)
}

// said is what of words is repeated as the verb nobody knows: two, where the known
// verb that is near has two.
func said(near string, words []string) []string {
	return words[:min(len(words), 1+strings.Count(near, " "))]
}

// noVerb is the error of words that nobody can do who is of a kind.
func noVerb(who, kind string, words []string) error {
	known := verbsOf(kind)
	if near := nearVerb(known, words); near != "" {
		return fmt.Errorf("%s can't %q: did you mean %q?", who, strings.Join(said(near, words), " "), near)
	}
	return fmt.Errorf("%s can't %q; it can: %s", who, words[0], strings.Join(known, ", "))
}

// judgeStep reports what is wrong with who does what in a step.
func (m *mistakes) judgeStep(k *known, l line) {
	who, what := l.words[1], l.words[2:]
	if who == "settle" {
		if len(what) > 1 {
			m.wrong(l, 3, len(l.words), "settle is followed by a time limit, or by nothing")
		} else if len(what) == 1 {
			if d, err := time.ParseDuration(what[0]); err != nil || d <= 0 {
				m.wrong(l, 2, 2, "%q is no time limit: write it with its unit, such as 48h", what[0])
			}
		}
		return
	}
	kind, isSystem := k.types[who]
	if who == "hub" {
		kind, isSystem = "hub", true
	}
	if len(what) == 0 {
		m.wrong(l, 1, 1, "%s does what?", who)
		return
	}
	verbs := verbsOf(kind)
	verb, length := verbIn(verbs, what)
	switch {
	case length > 0:
		m.judgeWords(k, l, kind, verb, what[length:])
	case !isSystem && nearVerb(verbs, what) == "" && (crossdock.Nearest(who, append(k.connections(), "hub", "settle")) != "" || isVerb(what)):
		m.unknown(l, 1, "connection", who, append(k.connections(), "hub", "settle"))
	case !isSystem && nearVerb(verbs, what) == "":
		m.wrong(l, 2, 2, "a person can't %q, only: %s; and there is no connection %q, only: %s", what[0], strings.Join(verbs, ", "), who, strings.Join(append(k.connections(), "hub"), ", "))
	default:
		near := nearVerb(verbs, what)
		heard := said(near, what)
		p := fmt.Sprintf("%s can't %q", who, strings.Join(heard, " "))
		if near == "" {
			p += "; it can: " + strings.Join(verbs, ", ")
		}
		m.near(l, 2, 1+len(heard), near, p)
	}
}

// judgeWords reports what is wrong with the words that follow a verb.
func (m *mistakes) judgeWords(k *known, l line, kind, verb string, rest []string) {
	first := len(l.words) - len(rest) // of rest
	whole := func(err error) {
		if err != nil {
			m.wrong(l, 2, len(l.words), "%s", err)
		}
	}
	switch {
	case slices.Contains(doorVerbs(), verb) && (kind == "odoo" || kind == "shopify"):
		whole(new(sandbox.Door).Order(l.words[2:]...))
	case kind == "odoo":
		m.judgeOdoo(k, l, verb, rest)
	case kind == "shopify" && verb == "buy":
		_, err := purchase(rest)
		whole(err)
	case kind == "shopify" && verb == "send":
		if len(rest) < 2 {
			m.wrong(l, 2, len(l.words), "send what? send TOPIC FILE")
		} else if near := crossdock.Nearest(rest[0], topics); near != "" && !slices.Contains(topics, rest[0]) {
			m.near(l, first, first, near, fmt.Sprintf("there is no topic %q", rest[0]))
		} else if !slices.Contains(k.files, rest[1]) {
			m.unknown(l, first+1, "file", rest[1], slices.DeleteFunc(slices.Clone(k.files), func(f string) bool { return f == "steps" || f == "expect" || strings.HasSuffix(f, ".yaml") }))
		}
	case kind == "shopify" && verb == "cancel" && len(rest) != 1:
		m.wrong(l, 2, len(l.words), "cancel which? cancel order-1001")
	case kind == "shopify" && verb == "edit":
		if len(rest) != 3 {
			m.wrong(l, 2, len(l.words), "edit what? edit order-1001 SKU N")
		} else if _, err := strconv.Atoi(rest[2]); err != nil {
			m.wrong(l, first+2, first+2, "%q is no number of pieces", rest[2])
		}
	case kind == "shopify" && verb != "cancel":
		whole(new(shopify.Server).Order(l.words[2:]...))
	case kind == "" && verb == "retry" && len(rest) != 1:
		m.wrong(l, 2, len(l.words), "retry what? retry order/1001")
	case kind == "" && verb == "drop" && len(rest) == 0:
		m.wrong(l, 2, len(l.words), "drop what? drop 'item|sku:GHOST' a note")
	}
}

func (m *mistakes) judgeOdoo(k *known, l line, verb string, rest []string) {
	i := slices.IndexFunc(odooVerbs, func(v struct {
		verb        string
		least, most int
		form        string
	}) bool {
		return v.verb == verb
	})
	v := odooVerbs[i]
	if len(rest) < v.least || len(rest) > v.most {
		m.wrong(l, 2, len(l.words), "%s is followed by %d to %d words: %s", verb, v.least, v.most, v.form)
		return
	}
	first := len(l.words) - len(rest)
	for n, what := range strings.Fields(v.form) {
		if n == len(rest) {
			break
		}
		got := rest[n]
		switch what {
		case "SKU":
			if !slices.Contains(k.items, got) {
				m.unknown(l, first+n, "item", got, k.items)
			}
		case "SITE":
			if !slices.Contains(k.sites, got) {
				m.unknown(l, first+n, "site", got, k.sites)
			}
		case "N", "AMOUNT":
			if _, err := crossdock.ParseDecimal(got); err != nil {
				m.wrong(l, first+n, first+n, "%q is no number", got)
			}
		case "TIMES":
			if times, err := strconv.Atoi(got); err != nil || times < 1 {
				m.wrong(l, first+n, first+n, "%q is no number of times", got)
			}
		case "MODEL.METHOD":
			if !strings.Contains(got, ".") {
				m.wrong(l, first+n, first+n, "%q is no MODEL.METHOD", got)
			}
		}
	}
}
