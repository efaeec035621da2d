package storetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

func allRows(h *house) {
	d := h.desk()
	f := filler{}
	var filled, empty []core.Row
	for _, table := range core.Tables {
		r, zero := core.NewRow(table), core.NewRow(table)
		if r == nil {
			h.Fatalf("core.NewRow knows no table %s", table)
		}
		f.value(reflect.ValueOf(r).Elem())
		if r.Address().Table != table {
			h.Fatalf("a row of table %s has the address %v", table, r.Address())
		}
		filled = append(filled, r)
		if zero.Address().Key != "" {
			empty = append(empty, zero)
		}
	}
	for _, all := range [][]core.Row{filled, empty} {
		d.commit(put(all...))
		h.restart()
		for _, r := range all {
			h.same(fmt.Sprintf("%T", r), r, h.load(r.Address())[0])
		}
	}
	for _, table := range core.Tables {
		n, err := h.s.Book().Count(h.Context(), table)
		h.must(err)
		rows, err := h.s.Book().Scan(h.Context(), table, "", "", 10)
		h.must(err)
		if n == 0 || int(n) != len(rows) {
			h.Errorf("table %s counts %d rows and scans %d", table, n, len(rows))
		}
	}
}

func want(system crossdock.System, key string, lane crossdock.Lane, due time.Time) *core.Want {
	return &core.Want{System: system, Of: order(key), Do: core.DoPush, Lane: lane, Due: due, State: core.WantDue, Since: noon}
}

func (h *house) due(system crossdock.System, now time.Time, limit int) (out []string) {
	h.Helper()
	got, err := h.s.Book().Due(h.Context(), system, now, limit)
	h.must(err)
	for _, w := range got {
		out = append(out, w.Of.Key)
	}
	return out
}

func dueOrder(h *house) {
	d := h.desk()
	d.commit(put(
		want("odoo", "bulk", crossdock.Bulk, noon.Add(-time.Hour)),
		want("odoo", "b", crossdock.Normal, noon),
		want("odoo", "a", crossdock.Normal, noon),
		want("odoo", "early", crossdock.Normal, noon.Add(-time.Nanosecond)),
		want("odoo", "urgent", crossdock.Urgent, noon),
		want("odoo", "later", crossdock.Urgent, noon.Add(time.Nanosecond)),
		want("odoo", "ever", crossdock.Normal, time.Time{}),
		want("shop", "other", crossdock.Urgent, noon)))
	h.same("due at noon", []string{"urgent", "ever", "early", "a", "b", "bulk"}, h.due("odoo", noon, 10))
	h.same("the first three", []string{"urgent", "ever", "early"}, h.due("odoo", noon, 3))
	h.same("none asked", 0, len(h.due("odoo", noon, 0)))
	h.same("a nanosecond later", []string{"urgent", "later", "ever"}, h.due("odoo", noon.Add(1), 3))
	h.same("of the shop", []string{"other"}, h.due("shop", noon.In(time.FixedZone("", 7200)), 10))
	h.restart()
	h.same("after a restart", []string{"urgent", "ever", "early", "a", "b", "bulk"}, h.due("odoo", noon, 10))
}

func dueStates(h *house) {
	d := h.desk()
	w := want("odoo", "1", crossdock.Normal, noon)
	for _, state := range []core.WantState{core.WantDue, core.WantOpen, core.WantDue, core.WantParked, core.WantDue, core.WantStopped, core.WantDue} {
		w.State = state
		d.commit(put(w))
		next, err := h.s.Book().Next(h.Context())
		h.must(err)
		if isDue := len(h.due("odoo", noon, 9)) == 1; isDue != (state == core.WantDue) || next.IsZero() == isDue {
			h.Errorf("state %s: due is %v and Next says %s", state, isDue, next)
		}
	}
	w.Due = noon.Add(time.Hour) // moved
	w.Lane = crossdock.Urgent
	d.commit(put(w))
	h.same("moved to a later time", 0, len(h.due("odoo", noon, 9)))
	h.same("then", []string{"1"}, h.due("odoo", noon.Add(time.Hour), 9))
	d.commit(drop(w))
	h.same("dropped", 0, len(h.due("odoo", noon.Add(time.Hour), 9)))
}

func timers(h *house) {
	d := h.desk()
	timer := func(key, name string, due time.Time) *core.Timer {
		return &core.Timer{Of: order(key), Name: name, Due: due}
	}
	get := func(now time.Time, limit int) (out []string) {
		got, err := h.s.Book().Timers(h.Context(), now, limit)
		h.must(err)
		for _, t := range got {
			out = append(out, t.Of.Key+" "+t.Name)
		}
		return out
	}
	d.commit(put(timer("2", "hold", noon), timer("1", "hold", noon), timer("3", "hold", noon.Add(-time.Hour)), timer("3", "stock", noon.Add(1)), want("odoo", "w", crossdock.Urgent, noon)))
	h.same("at noon", []string{"3 hold", "1 hold", "2 hold"}, get(noon, 10))
	h.same("the first", []string{"3 hold"}, get(noon, 1))
	d.commit(append(drop(timer("3", "hold", noon)), put(timer("1", "hold", noon.Add(time.Hour)))...))
	h.same("after one fired and one was moved", []string{"2 hold"}, get(noon, 10))
	h.same("later", []string{"2 hold", "3 stock", "1 hold"}, get(noon.Add(time.Hour), 10))
}

func next(h *house) {
	d := h.desk()
	see := func(what string, want time.Time) {
		h.Helper()
		got, err := h.s.Book().Next(h.Context())
		h.must(err)
		h.same(what, want, got)
	}
	w := want("odoo", "1", crossdock.Bulk, noon.Add(2))
	t := &core.Timer{Of: order("1"), Name: "hold", Due: noon.Add(1)}
	d.commit(put(w))
	see("a want", noon.Add(2))
	d.commit(put(t))
	see("an earlier timer", noon.Add(1))
	t.Due = noon.Add(3)
	d.commit(put(t))
	see("the timer moved", noon.Add(2))
	w.State = core.WantParked
	d.commit(put(w))
	see("the want parked", noon.Add(3))
	d.commit(drop(t))
	see("nothing left", time.Time{})
	d.commit(put(want("odoo", "2", crossdock.Bulk, time.Time{})))
	got, err := h.s.Book().Next(h.Context())
	h.must(err)
	if got.IsZero() || got.After(noon) {
		h.Errorf("a want due since ever makes Next %s", got)
	}
}

func scan(h *house) {
	d := h.desk()
	names := []string{"email:a", "email:b", "sku:%", "sku:A", "sku:B", "sku:B1", "sku:_", "sku:é", "sku;", "tax:x"}
	for _, n := range names {
		d.commit(put(&core.Name{Name: n, Of: []crossdock.Ref{order("1")}}))
	}
	get := func(prefix, after string, limit int) (out []string) {
		got, err := h.s.Book().Scan(h.Context(), core.Names, prefix, after, limit)
		h.must(err)
		for _, r := range got {
			out = append(out, r.Address().Key)
		}
		return out
	}
	h.same("everything", names, get("", "", 99))
	h.same("a prefix", names[2:8], get("sku:", "", 99))
	h.same("a page", names[3:5], get("sku:", "sku:%", 2))
	h.same("its next", names[5:7], get("sku:", "sku:B", 2))
	h.same("a prefix nobody has", 0, len(get("sku:C", "", 9)))
	h.same("a wildcard is a letter", []string{"sku:_"}, get("sku:_", "", 9))
}

func exceptions(h *house) {
	d := h.desk()
	exception := func(id string, opened time.Time, closed bool) *core.Exception {
		e := &core.Exception{ID: id, Check: "item", Code: crossdock.Invalid, Text: "unknown SKU", Owner: "sales", Opened: opened, Due: opened.Add(time.Hour), Count: 1}
		if closed {
			e.Closed = opened.Add(time.Minute)
		}
		return e
	}
	page := func(all bool, after *core.Exception, limit int) (out []string) {
		got, err := h.s.Book().Exceptions(h.Context(), all, after, limit)
		h.must(err)
		for _, e := range got {
			out = append(out, e.ID)
		}
		return out
	}
	get := func(all bool, limit int) []string { return page(all, nil, limit) }
	d.commit(put(exception("c", noon, false), exception("b", noon.Add(-1), false), exception("a", noon.Add(1), false), exception("old", noon.Add(-9), true)))
	h.same("open", []string{"b", "c", "a"}, get(false, 9))
	h.same("all", []string{"old", "b", "c", "a"}, get(true, 9))
	h.same("the oldest", []string{"b"}, get(false, 1))
	d.commit(put(exception("d", noon, false)))
	h.same("behind one, the next of its instant first", []string{"d", "a"}, page(false, exception("c", noon, false), 9))
	h.same("a page of those", []string{"d"}, page(false, exception("c", noon, false), 1))
	h.same("behind a closed one", []string{"b", "c", "d", "a"}, page(false, exception("old", noon.Add(-9), true), 9))
	h.same("behind one that is not there", []string{"d", "a"}, page(true, exception("cc", noon, false), 9))
	h.same("behind the last", 0, len(page(true, exception("a", noon.Add(1), false), 9)))
	d.commit(drop(exception("d", noon, false)))
	d.commit(put(exception("c", noon, true), exception("old", noon.Add(-9), false)))
	h.same("open then", []string{"old", "b", "a"}, get(false, 9))
	d.commit(drop(exception("old", noon, false)))
	h.same("all at the end", []string{"b", "c", "a"}, get(true, 9))
}
