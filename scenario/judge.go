package scenario

import (
	"slices"
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
)

// judgeExpectation reports what an expectation says that this world does not
// understand: it would hold because there is nothing like it.
func (m *mistakes) judgeExpectation(k *known, l line) {
	first := 0 // of who it is about
	if l.words[0] == "never" {
		first = 1
	}
	who, rest := l.words[first], l.words[first+1:]
	switch kind := k.types[who]; {
	case who == "hub" && first == 1:
		m.wrong(l, 0, 1, "never speaks of what a system holds, not of the hub")
	case who == "hub":
		m.judgeHub(k, l, rest)
	case kind == "":
		m.unknown(l, first, "connection", who, append(k.connections(), "hub"))
	case k.standIns == nil:
	case kind == "odoo":
		m.judgeModel(k, l, first+1, k.standIns.Odoo.Models(), k.standIns.Odoo.Fields, func(model, path string) ([]string, bool) { return k.standIns.Odoo.Field(model, path) })
	default:
		models := shopify.Models()
		var names []string
		for name := range models {
			names = append(names, name)
		}
		slices.Sort(names)
		m.judgeModel(k, l, first+1, names, func(model string) []string { return models[model] }, func(model, path string) ([]string, bool) {
			return nil, slices.Contains(models[model], path)
		})
	}
}

// judgeModel reads MODEL [KEY] [field=value …] [count=N field=value …] from word i on.
func (m *mistakes) judgeModel(k *known, l line, i int, models []string, fields func(string) []string, field func(model, path string) ([]string, bool)) {
	model := l.words[i]
	if !slices.Contains(models, model) {
		m.unknown(l, i, "model", model, models)
		return
	}
	for n, word := range l.words[i+1:] {
		at := i + 1 + n
		name, value, ok := strings.Cut(word, "=")
		switch {
		case !ok && n == 0: // a key
			continue
		case !ok:
			m.wrong(l, at, at, "%q is not field=value", word)
			continue
		case name == "count":
			m.count(l, at, value)
			continue
		}
		choices, ok := field(model, name)
		switch {
		case !ok:
			m.unknown(l, at, "field of "+model, name, fields(model))
		case len(choices) > 0 && value != "" && value != "false" && !slices.Contains(choices, value):
			m.unknown(l, at, name+" of "+model, value, choices)
		default:
			m.judgeName(k, l, at, name, value)
		}
	}
}

// judgeName reports an item or a site that the world has not and no step names.
func (m *mistakes) judgeName(k *known, l line, at int, field, value string) {
	switch {
	case slices.Contains([]string{"default_code", "product_id.default_code", "sku"}, field):
		if !slices.Contains(k.named, value) && value != "" && value != "false" {
			m.unknown(l, at, "item", value, k.named)
		}
	case field == "warehouse_id.code" || field == "location":
		if !slices.Contains(k.sites, value) {
			m.unknown(l, at, "site", value, k.sites)
		}
	}
}

func (m *mistakes) count(l line, at int, value string) {
	if n, err := strconv.Atoi(value); err != nil || n < 0 {
		m.wrong(l, at, at, "count=%s is no number", value)
	}
}

// judgeHub reads what is expected of the hub's own book.
func (m *mistakes) judgeHub(k *known, l line, rest []string) {
	switch what := rest[0]; {
	case what == "exceptions":
		m.judgeExceptions(l, rest[1:])
	case what == "shipments":
		m.judgeShipments(l, rest[1:])
	case (what == "reserved" || what == "free") && len(rest) == 3:
		item, site, ok := strings.Cut(rest[1], "@")
		if !ok {
			m.wrong(l, 2, 2, "%q is not SKU@SITE", rest[1])
			return
		}
		if !slices.Contains(k.items, item) {
			m.unknown(l, 2, "item", item, k.items)
		}
		if !slices.Contains(k.sites, site) {
			m.unknown(l, 2, "site", site, k.sites)
		}
		if _, err := crossdock.ParseDecimal(rest[2]); err != nil {
			m.wrong(l, 3, 3, "%q is no number", rest[2])
		}
	case what == "work" && len(rest) == 2 && rest[1] == "none":
	case what == "work":
		m.wrong(l, 1, len(l.words), "work can be expected to be none")
	case strings.Contains(what, "/"):
		m.judgeRecord(k, l, rest)
	default:
		m.near(l, 1, 1, crossdock.Nearest(what, []string{"exceptions", "free", "reserved", "shipments", "work"}), "the hub holds records (order/1001), exceptions, work, shipments and reserved or free SKU@SITE N, not \""+what+"\"")
	}
}

func (m *mistakes) judgeShipments(l line, rest []string) {
	keys, states := []string{"of", "state", "count"}, []string{}
	for _, s := range []crossdock.ShipmentState{crossdock.ShipmentWaiting, crossdock.ShipmentAssigned, crossdock.ShipmentDone, crossdock.ShipmentCancelled} {
		states = append(states, string(s))
	}
	for n, word := range rest {
		name, value, ok := strings.Cut(word, "=")
		switch at := 2 + n; {
		case !ok:
			m.wrong(l, at, at, "%q is not field=value: shipments have of, state and count", word)
		case !slices.Contains(keys, name):
			m.unknown(l, at, "field of shipments", name, keys)
		case name == "count":
			m.count(l, at, value)
		case name == "state" && !slices.Contains(states, value):
			m.unknown(l, at, "state of a shipment", value, states)
		case name == "of":
			m.kind(l, at, value)
		}
	}
}

func (m *mistakes) judgeExceptions(l line, rest []string) {
	if len(rest) == 1 && rest[0] == "none" {
		return
	}
	keys := []string{"check", "of", "text", "count"}
	for n, word := range rest {
		name, value, ok := strings.Cut(word, "=")
		switch at := 2 + n; {
		case !ok:
			m.wrong(l, at, at, "%q is not field=value: exceptions have check, of, text and count, or are none", word)
		case !slices.Contains(keys, name):
			m.unknown(l, at, "field of exceptions", name, keys)
		case name == "count":
			m.count(l, at, value)
		case name == "check" && !slices.Contains(core.Checks(), value):
			m.unknown(l, at, "check", value, core.Checks())
		case name == "of":
			m.kind(l, at, value)
		}
	}
}

// kind reports a reference whose kind nobody knows.
func (m *mistakes) kind(l line, at int, ref string) (crossdock.Kind, bool) {
	name, _, ok := strings.Cut(ref, "/")
	if ok && strings.Count(ref, "/") > 1 && !slices.Contains(crossdock.KindNames(), name) {
		return "", false // a system's own reference: system/kind/key
	}
	if !ok || !slices.Contains(crossdock.KindNames(), name) {
		m.unknown(l, at, "kind of record", name, crossdock.KindNames())
		return "", false
	}
	return crossdock.Kind(name), true
}

func (m *mistakes) judgeRecord(k *known, l line, rest []string) {
	kind, ok := m.kind(l, 1, rest[0])
	if !ok {
		return
	}
	_, key, _ := strings.Cut(rest[0], "/")
	switch {
	case kind == crossdock.KindItem && !slices.Contains(k.named, key):
		m.unknown(l, 1, "item", key, k.named)
	case kind == crossdock.KindSite && !slices.Contains(k.sites, key):
		m.unknown(l, 1, "site", key, k.sites)
	}
	if len(rest) == 2 && rest[1] == "none" {
		return
	}
	fields, err := fieldsOf(kind)
	if err != nil {
		m.wrong(l, 1, 1, "%s", err)
		return
	}
	for n, word := range rest[1:] {
		at := 2 + n
		name, value, ok := strings.Cut(word, "=")
		top, _, _ := strings.Cut(name, ".")
		switch {
		case !ok:
			m.wrong(l, at, at, "%q is not field=value", word)
		case name == "finding" && kind == crossdock.KindOrder:
			if !slices.Contains(core.Findings(), value) {
				m.unknown(l, at, "finding", value, core.Findings())
			}
		case !slices.Contains(fields, top):
			m.unknown(l, at, "field of "+string(kind), top, fields)
		case name == "state" && kind == crossdock.KindOrder && !slices.Contains(orderStates(), value):
			m.unknown(l, at, "state of an order", value, orderStates())
		}
	}
}
