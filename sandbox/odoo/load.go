package odoo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Import by load, as recorded on 16, 18 and 19: cells are text, a column names
// a field or a path (order_line/product_id/.id), rows that fill line columns
// only continue the record above, and one bad record keeps the whole batch out.

// message is one entry of load's messages.
type message map[string]any

type span struct{ from, to int } // rows of one record, counted from 0

// draft is one record as extracted from the rows, before conversion.
type draft struct {
	cells map[string]any     // header column as written (a key may end in /id or /.id) -> cell
	lines map[string][]draft // one2many field -> its records
	rows  span
}

type loading struct {
	e        *env
	m        *model
	messages []message
	pending  []converted // converted, not stored yet
	ids      []int       // stored, in the order of the records
}

func (e *env) callLoad(m *model, args []any, kw map[string]any) any {
	columns := namesOf(argument(args, 0, kw, "fields"))
	rows, _ := argument(args, 1, kw, "data").([]any)
	paths := make([][]string, len(columns))
	for i, c := range columns {
		paths[i] = columnPath(c)
	}
	e.checkColumns(m, paths)
	drafts := extract(e.s, m, paths, rows)
	l := &loading{e: e, m: m}
	mark := e.db.mark()
	ids := l.loadAll(drafts)
	if e.s.contend[m.name] > 0 && len(drafts) > 0 {
		e.s.contend[m.name]--
		l.messages = []message{l.note(drafts[0], 0, "error", message{"message": "could not serialize access due to concurrent update\n"})}
	}
	failed := slices.ContainsFunc(l.messages, func(x message) bool { return x["type"] == "error" })
	if failed {
		e.db.rollback(mark)
		return map[string]any{"ids": false, "messages": l.messages, "nextrow": 0}
	}
	return map[string]any{"ids": append([]int{}, ids...), "messages": append([]message{}, l.messages...), "nextrow": 0}
}

// columnPath splits "order_line/product_id/.id", and "order_line/.id", into steps.
func columnPath(column string) []string {
	if column == ".id" || column == "id" {
		return []string{column}
	}
	return strings.Split(column, "/")
}

// checkColumns refuses a column that names no field: the whole call fails.
func (e *env) checkColumns(m *model, paths [][]string) {
	for _, path := range paths {
		at := m
		for i, f := range path {
			if f == "id" || f == ".id" {
				break
			}
			meta, real := at.meta[f]
			if !real {
				panic(e.v.unknownColumn(f))
			}
			if meta.Type != "one2many" {
				if i+1 < len(path) && path[i+1] != "id" && path[i+1] != ".id" && e.v.unknownColumn("").Name == "builtins.KeyError" {
					panic(e.v.unknownColumn(path[i+1])) // 16 does not find a reference's own fields
				}
				break
			}
			if at = e.model(meta.Relation); at == nil {
				notSupported("loading %s of %s", f, m.name)
			}
		}
	}
}

// extract groups rows into records.
func extract(s *Server, m *model, paths [][]string, rows []any) []draft {
	isLine := func(path []string) bool { return len(path) > 1 && m.meta[path[0]].Type == "one2many" }
	cell := func(r, c int) any {
		row, _ := rows[r].([]any)
		if c >= len(row) {
			raise("builtins.IndexError", "list index out of range")
		}
		if row[c] == nil || row[c] == false {
			return ""
		}
		return row[c]
	}
	continues := func(r int) bool {
		header, line := false, false
		for c, path := range paths {
			if cell(r, c) != "" {
				if isLine(path) {
					line = true
				} else {
					header = true
				}
			}
		}
		return line && !header
	}
	var out []draft
	for r := 0; r < len(rows); {
		end := r + 1
		for end < len(rows) && continues(end) {
			end++
		}
		d := draft{cells: map[string]any{}, lines: map[string][]draft{}, rows: span{r, end - 1}}
		nested := map[string][]int{}
		for c, path := range paths {
			if isLine(path) {
				nested[path[0]] = append(nested[path[0]], c)
			} else {
				d.cells[strings.Join(path, "/")] = cell(r, c)
			}
		}
		for f, cols := range nested {
			var subpaths [][]string
			var subrows []any
			for _, c := range cols {
				subpaths = append(subpaths, paths[c][1:])
			}
			for at := r; at < end; at++ {
				sub := make([]any, len(cols))
				filled := false
				for i, c := range cols {
					sub[i] = cell(at, c)
					filled = filled || sub[i] != ""
				}
				if filled {
					subrows = append(subrows, sub)
				}
			}
			d.lines[f] = extract(s, s.models[m.meta[f].Relation], subpaths, subrows)
		}
		out = append(out, d)
		r = end
	}
	return out
}

// converted is a record ready to be stored.
type converted struct {
	draft  draft
	number int
	key    string // external id
	id     int    // database id
	vals   row
}

// loadAll converts every record, then stores them; messages hold what failed.
// A reference to a record of the same batch stores what came before it first.
func (l *loading) loadAll(drafts []draft) []int {
	for i, d := range drafts {
		c := converted{draft: d, number: i}
		c.key, _ = d.cells["id"].(string)
		if dbid, given := d.cells[".id"]; given {
			c.id = l.databaseID(d, i, dbid)
		}
		c.vals = l.values(l.m, d, i, "")
		l.pending = append(l.pending, c)
	}
	l.flush()
	return l.ids
}

// flush stores the records that are converted and not stored yet.
func (l *loading) flush() {
	batch := l.pending
	l.pending = nil
	var failures []message
	for i, c := range batch {
		mark := l.e.db.mark()
		f := caught(func() { l.ids = append(l.ids, l.store(c)) })
		if f == nil {
			continue
		}
		l.e.db.rollback(mark)
		if f.Name == notSupportedName {
			panic(f)
		}
		if strings.HasPrefix(f.Name, "odoo.exceptions.") && f.missing == nil && i > 0 && len(failures) == 0 {
			// The batch was tried as a whole first: its first error is noted on the first record too.
			failures = append(failures, l.storeMessage(batch[0], f))
		}
		failures = append(failures, l.storeMessage(c, f))
	}
	l.messages = append(l.messages, failures...)
}

// flushKey stores the pending records when one of them has this external id.
func (l *loading) flushKey(key string) {
	if slices.ContainsFunc(l.pending, func(c converted) bool { return c.key == key }) {
		l.flush()
	}
}

func (l *loading) databaseID(d draft, number int, cell any) int {
	text := fmt.Sprint(cell)
	if text == "" {
		switch l.e.v.emptyID {
		case emptyIDMakesNew:
			return 0
		case emptyIDBreaksTransaction:
			raise("psycopg2.errors.InvalidTextRepresentation", "invalid input syntax for type integer: \"\"\nLINE 1: ...\".id FROM \"%s\" WHERE (\"%s\".\"id\" = '') AND (\"...\n                                                             ^\n",
				strings.ReplaceAll(l.m.name, ".", "_"), strings.ReplaceAll(l.m.name, ".", "_"))
		}
	}
	id, err := strconv.Atoi(text)
	if err != nil || !l.e.rec(l.m.name, id).exists() {
		l.messages = append(l.messages, l.note(d, number, "error", message{"field": ".id", "message": fmt.Sprintf("Unknown database identifier '%s'", text)}))
		return 0
	}
	return id
}

// store creates or updates one record under its external id.
func (l *loading) store(c converted) int {
	e, update := l.e, l.e.ctx["mode"] == "update"
	var known rec
	if c.key != "" {
		known = e.externalID(c.key)
	}
	switch {
	case known.id != 0 && known.exists() && e.rec(l.m.name, known.ref("res_id")).exists():
		id := known.ref("res_id")
		if update && known.flag("noupdate") {
			return id
		}
		e.mayWriteRecord(l.m, id)
		e.writeFrom(l.m, []int{id}, c.vals)
		return id
	case c.id != 0:
		e.mayWriteRecord(l.m, c.id)
		e.writeFrom(l.m, []int{c.id}, c.vals)
		return c.id
	case c.key == "" && update:
		panic(e.v.noKey())
	}
	id := e.createFrom(l.m, c.vals)
	if c.key != "" {
		e.setExternalID(c.key, l.m.name, id, truth(e.ctx["noupdate"]))
	}
	return id
}

func (e *env) mayWriteRecord(m *model, id int) {
	if r := e.rec(m.name, id); !e.visible(r) {
		e.accessRule(m.name, "write", e.otherCompanyHint(r))
	}
}

// note builds a message about one record.
func (l *loading) note(d draft, number int, kind string, extra message) message {
	x := message{"rows": map[string]int{"from": d.rows.from, "to": d.rows.to}, "type": kind, "record": number}
	for k, v := range extra {
		x[k] = v
	}
	return x
}

func (l *loading) storeMessage(c converted, f *fault) message {
	extra := message{"message": f.Message}
	switch {
	case f.missing != nil && f.missing.model == l.m.name:
		label := l.m.meta[f.missing.field].Label
		extra = message{"message": l.e.v.missingOnLoad(l.e.v.modelLabel(l.m.name), l.m.name, label, f.missing.field), "field": f.missing.field}
	case f.missing != nil:
		table := strings.ReplaceAll(f.missing.model, ".", "_")
		extra = message{"message": l.e.v.missingOnLinked(l.m.meta[f.missing.field].Label, f.missing.field, table)}
	case strings.HasPrefix(f.Name, "builtins."):
		extra["moreinfo"] = "Resolve other errors first"
	}
	return l.note(c.draft, c.number, "error", extra)
}

// rejectedLoad is load's answer to an ordered rejection.
func (e *env) rejectedLoad(text string) any {
	return map[string]any{"ids": false, "nextrow": 0, "messages": []message{{
		"rows": map[string]int{"from": 0, "to": 0}, "record": 0, "type": "error", "message": text,
	}}}
}
