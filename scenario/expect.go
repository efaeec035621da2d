package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/atp"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/sim"
)

// holds checks one expectation; the error says what is there instead. An
// expectation that says nothing this world understands is an error too.
func holds(ctx context.Context, w *sim.World, x Expectation) error {
	if x.Who == "hub" {
		return hubHolds(ctx, w, x.Words)
	}
	model, where, want, count, err := selection(x.Words)
	if err != nil {
		return err
	}
	rows, err := match(w, x.Who, model, where, want)
	if err != nil {
		return err
	}
	if x.Never {
		if want == nil && count < 0 {
			if len(rows) > 0 {
				return fmt.Errorf("never, but there is %s", brief(rows))
			}
			return nil
		}
		return fmt.Errorf("a never line says what must not be there, without count")
	}
	if count >= 0 && len(rows) != count {
		return fmt.Errorf("there are %d: %s", len(rows), brief(rows))
	}
	if count < 0 && len(rows) == 0 {
		return fmt.Errorf("there is none")
	}
	for _, row := range rows {
		for _, f := range want {
			got, ok := row[f.name]
			if !ok {
				return fmt.Errorf("%s has no field %q", model, f.name)
			}
			if !same(text(got), f.value) {
				return fmt.Errorf("%s is %s", f.name, text(got))
			}
		}
	}
	return nil
}

type field struct{ name, value string }

// selection splits MODEL [KEY] [field=value …] [count=N field=value …]: what comes
// before count selects, what comes after must hold of all selected. With a key, or
// in a line without count, everything after it must hold.
func selection(words []string) (model string, where map[string]string, want []field, count int, err error) {
	model, where, count = words[0], map[string]string{}, -1
	selecting := true
	for i, word := range words[1:] {
		name, value, ok := strings.Cut(word, "=")
		switch {
		case !ok && i == 0:
			where["key"], selecting = word, false
		case !ok:
			return model, where, want, count, fmt.Errorf("%q is not field=value", word)
		case name == "count":
			if count, err = strconv.Atoi(value); err != nil {
				return model, where, want, count, fmt.Errorf("count=%s is no number", value)
			}
			selecting = false
		case selecting:
			where[name] = value
		default:
			want = append(want, field{name, value})
		}
	}
	return model, where, want, count, nil
}

// match returns the records of a system that where selects, with the fields that
// are compared.
func match(w *sim.World, who, model string, where map[string]string, want []field) ([]map[string]any, error) {
	system := crossdock.System(who)
	switch {
	case w.Shops[system] != nil:
		return w.Shops[system].Match(model, where)
	case w.IsERP(system):
		fields := make([]string, len(want))
		for i, f := range want {
			fields[i] = f.name
		}
		return w.ERP.Match(model, where, fields...)
	}
	return nil, fmt.Errorf("%s is no system of this world", who)
}

func brief(rows []map[string]any) string {
	var out []string
	for i, row := range rows {
		if i == 3 {
			out = append(out, "…")
			break
		}
		name, ok := row["name"]
		if !ok {
			name = row["display_name"]
		}
		var words []string
		for _, v := range []any{row["id"], name, row["state"]} {
			if v != nil && text(v) != "" {
				words = append(words, text(v))
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, ", ")
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(v)
}

// same compares as decimals where both are, else as text.
func same(got, want string) bool {
	a, errA := crossdock.ParseDecimal(got)
	b, errB := crossdock.ParseDecimal(want)
	if errA == nil && errB == nil {
		return a.Equal(b)
	}
	return got == want
}

// hubHolds checks what the hub's own book says.
func hubHolds(ctx context.Context, w *sim.World, words []string) error {
	switch {
	case words[0] == "exceptions":
		return exceptions(ctx, w, words[1:])
	case (words[0] == "reserved" || words[0] == "free") && len(words) == 3:
		return balance(ctx, w, words)
	case words[0] == "shipments":
		return shipments(ctx, w, words[1:])
	case words[0] == "work":
		return work(ctx, w, words[1:])
	case strings.Contains(words[0], "/"):
		return record(ctx, w, words[0], words[1:])
	}
	return fmt.Errorf("the hub holds records (order/1001), exceptions, work, shipments and reserved or free SKU@SITE, not %q", words[0])
}

func exceptions(ctx context.Context, w *sim.World, words []string) error {
	open, err := w.Store.Book().Exceptions(ctx, false, nil, 1000)
	if err != nil {
		return err
	}
	if len(words) == 1 && words[0] == "none" {
		words = []string{"count=0"}
	}
	where, count := map[string]string{}, -1
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		switch {
		case ok && name == "count":
			if count, err = strconv.Atoi(value); err != nil {
				return fmt.Errorf("count=%s is no number", value)
			}
		case ok && (name == "check" || name == "of" || name == "text"):
			where[name] = value
		default:
			return fmt.Errorf("exceptions have check, of, text and count, not %q", word)
		}
	}
	var found []string
	n := 0
	for _, x := range open {
		found = append(found, x.Check+": "+x.Text)
		if (where["check"] == "" || x.Check == where["check"]) && (where["of"] == "" || x.Of.Short() == where["of"]) && strings.Contains(x.Text, where["text"]) {
			n++
		}
	}
	if count >= 0 && n != count || count < 0 && n == 0 {
		return fmt.Errorf("there are %d of them; all open: %s", n, strings.Join(found, " | "))
	}
	return nil
}

// balance checks what is reserved (promised by us) or free of an item at a site:
// reserved SKU@SITE N, free SKU@SITE N.
func balance(ctx context.Context, w *sim.World, words []string) error {
	item, site, ok := strings.Cut(words[1], "@")
	if !ok {
		return fmt.Errorf("%q is not SKU@SITE", words[1])
	}
	at := core.BalanceAt(crossdock.BookRef(crossdock.KindItem, item), crossdock.BookRef(crossdock.KindSite, site))
	rows, err := w.Store.Book().Load(ctx, []core.Address{at})
	if err != nil {
		return err
	}
	got := "0"
	if b, ok := rows[0].(*core.Balance); ok {
		got = b.Promised.String()
		if words[0] == "free" {
			got = atp.Terms{OnHand: b.OnHand, Reserved: b.Reserved, Promised: b.Promised, Converted: b.Converted}.Free().String()
		}
	}
	if !same(got, words[2]) {
		return fmt.Errorf("%s are", got)
	}
	return nil
}

// shipments counts those of an order: of=order/1001 state=done count=1. Their keys
// are the ERP's, so they are not named.
func shipments(ctx context.Context, w *sim.World, words []string) error {
	where, count := map[string]string{}, -1
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		var err error
		switch {
		case ok && name == "count":
			if count, err = strconv.Atoi(value); err != nil {
				return fmt.Errorf("count=%s is no number", value)
			}
		case ok && (name == "of" || name == "state"):
			where[name] = value
		default:
			return fmt.Errorf("shipments have of, state and count, not %q", word)
		}
	}
	rows, err := w.Store.Book().Scan(ctx, core.Records, "", "", 10_000)
	if err != nil {
		return err
	}
	var found []string
	n := 0
	for _, row := range rows {
		r, ok := row.(*core.Record)
		if !ok || r.Of.Kind != crossdock.KindShipment {
			continue
		}
		var s crossdock.Shipment
		if err := r.Body.Unpack(&s); err != nil {
			return err
		}
		found = append(found, r.Of.Short()+" of "+s.Order.Short()+" is "+string(s.State))
		if (where["of"] == "" || s.Order.Short() == where["of"]) && (where["state"] == "" || string(s.State) == where["state"]) {
			n++
		}
	}
	if count >= 0 && n != count || count < 0 && n == 0 {
		return fmt.Errorf("there are %d of them; all: %s", n, strings.Join(found, " | "))
	}
	return nil
}

func work(ctx context.Context, w *sim.World, words []string) error {
	if len(words) != 1 || words[0] != "none" {
		return fmt.Errorf("work can be expected to be none")
	}
	rows, err := w.Store.Book().Scan(ctx, core.Wants, "", "", 10)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		return fmt.Errorf("there is %s", rows[0].Address().Key)
	}
	return nil
}

// record checks fields of one record of the book; a dotted name goes into a
// field, finding=CHECK says that a finding of this check is there.
func record(ctx context.Context, w *sim.World, ref string, words []string) error {
	of, err := crossdock.ParseRef(string(crossdock.BookSystem) + "/" + ref)
	if err != nil {
		return err
	}
	rows, err := w.Store.Book().Load(ctx, []core.Address{core.RecordAt(of)})
	if err != nil {
		return err
	}
	r, ok := rows[0].(*core.Record)
	if len(words) == 1 && words[0] == "none" {
		if ok {
			return fmt.Errorf("there is one")
		}
		return nil
	}
	if !ok {
		return fmt.Errorf("there is none")
	}
	for _, word := range words {
		name, want, ok := strings.Cut(word, "=")
		if !ok {
			return fmt.Errorf("%q is not field=value", word)
		}
		if name == "finding" {
			if err := finding(r.Body, want); err != nil {
				return err
			}
			continue
		}
		got, err := dig(r.Body.Fields, strings.Split(name, "."))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !same(got, want) {
			return fmt.Errorf("%s is %s", name, got)
		}
	}
	return nil
}

func finding(body crossdock.Record, check string) error {
	var o crossdock.Order
	if err := body.Unpack(&o); err != nil {
		return err
	}
	for _, f := range o.Findings {
		if f.Check == check {
			return nil
		}
	}
	return fmt.Errorf("the findings are %v", o.Findings)
}

// dig returns the text of a field, by its path; "" where it is not there.
func dig(fields map[string]json.RawMessage, path []string) (string, error) {
	raw, ok := fields[path[0]]
	if !ok {
		return "", nil
	}
	if len(path) > 1 {
		var below map[string]json.RawMessage
		if err := json.Unmarshal(raw, &below); err != nil {
			return "", fmt.Errorf("%s has no fields", path[0])
		}
		return dig(below, path[1:])
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, nil
	}
	return string(raw), nil
}

// Find returns the rows that words such as "sale.order client_order_ref=1001" select.
func Find(w *sim.World, who string, words []string) ([]map[string]any, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("which model of %s?", who)
	}
	model, where, want, _, err := selection(words)
	if err != nil {
		return nil, err
	}
	for _, f := range want {
		where[f.name] = f.value
	}
	return match(w, who, model, where, nil)
}
