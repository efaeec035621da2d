package odoo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // load reads dates in the user's time zone
)

const indirectly = "Can not create Many-To-One records indirectly, import the field separately"

// cellError is a cell that cannot be converted.
type cellError struct {
	text     string
	moreinfo any
	bare     bool // the message has no field_name
}

func (c *cellError) Error() string { return c.text }

// values converts the cells of one record of m; parent is the label path of the
// one2many it sits in ("Order Lines"), "" for the record itself.
func (l *loading) values(m *model, d draft, number int, parent string) row {
	out, spellings := row{}, map[string]int{}
	for column := range d.cells {
		f, _, _ := strings.Cut(column, "/")
		spellings[f]++
	}
	for _, column := range sortedKeys(d.cells) {
		if column == "id" || column == ".id" {
			continue
		}
		f, sub, _ := strings.Cut(column, "/")
		if spellings[f] > 1 { // two columns of one reference are taken for a record to be made
			if spellings[f] < 100 {
				l.fail(m, d, number, f, &cellError{text: indirectly, bare: true})
			}
			spellings[f] = 100
			continue
		}
		v, given, err := l.convert(m, f, sub, d.cells[column], number, d, parent)
		if err != nil {
			l.fail(m, d, number, f, err)
			continue
		}
		if given {
			out[f] = v
		}
	}
	for _, f := range sortedKeys(d.lines) {
		lines, err := l.lines(m, f, d, number)
		if err != nil {
			l.fail(m, d, number, f, err)
			continue
		}
		out[f] = lines
	}
	return out
}

func (l *loading) fail(m *model, d draft, number int, f string, err *cellError) {
	label := m.meta[f].Label
	extra := message{"field": f, "message": strings.ReplaceAll(err.text, "%(field)s", label)}
	if !err.bare {
		extra["field_name"] = label
		if err.moreinfo != nil {
			extra["moreinfo"] = err.moreinfo
		}
	}
	l.messages = append(l.messages, l.note(d, number, "error", extra))
}

// lines converts a one2many; the first bad line fails the whole field, named
// "Order Lines/Product".
func (l *loading) lines(m *model, f string, d draft, number int) ([]any, *cellError) {
	meta := m.meta[f]
	other := l.e.model(meta.Relation)
	out := []any{}
	for _, sub := range d.lines[f] {
		line := loadedLine{vals: row{}}
		for _, column := range sortedKeys(sub.cells) {
			if column == "id" || column == ".id" {
				continue
			}
			g, rest, _ := strings.Cut(column, "/")
			v, given, err := l.convert(other, g, rest, sub.cells[column], number, d, meta.Label)
			if err != nil {
				err.text = strings.ReplaceAll(err.text, "%(field)s", "%(field)s/"+other.meta[g].Label)
				return nil, err
			}
			if given {
				line.vals[g] = v
			}
		}
		if err := l.lineIdentity(other, meta, sub, &line); err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

// lineIdentity finds the line a .id or id cell names; an unknown external id
// makes a new line that gets it.
func (l *loading) lineIdentity(m *model, meta Field, sub draft, line *loadedLine) *cellError {
	if cell := fmt.Sprint(sub.cells[".id"]); sub.cells[".id"] != nil && cell != "" {
		id, err := l.byDatabaseID(m.name, cell)
		if err != nil {
			return err
		}
		line.id = id
		return nil
	}
	if key, _ := sub.cells["id"].(string); key != "" {
		if d := l.e.externalID(key); d.exists() && l.e.rec(m.name, d.ref("res_id")).exists() {
			line.id = d.ref("res_id")
			return nil
		}
		line.key = key
	}
	return nil
}

// convert turns one cell into a stored value; given is false when the value of
// a computed field is dropped.
func (l *loading) convert(m *model, f, sub string, cell any, number int, d draft, parent string) (v any, given bool, err *cellError) {
	e, meta := l.e, m.meta[f]
	if m.ignored[f] {
		return nil, false, nil
	}
	if !m.stored[f] && !e.s.linked(meta) && !(m.name == "product.product" && e.model("product.template").stored[f]) {
		notSupported("loading field %s of %s", f, m.name)
	}
	text := strings.TrimSpace(cellText(cell))
	if cellText(cell) == "" {
		switch meta.Type {
		case "many2many":
			return links{set: true}, true, nil
		case "float", "monetary":
			return 0.0, true, nil
		case "boolean":
			return false, true, nil
		}
		return nil, true, nil
	}
	switch meta.Type {
	case "many2one":
		if sub != "" && sub != "id" && sub != ".id" {
			return nil, false, &cellError{text: indirectly, bare: true}
		}
		id, err := l.reference(meta, sub, cellText(cell), number, d, m, f, parent)
		return id, true, err
	case "many2many":
		var ids []int
		for _, part := range strings.Split(cellText(cell), ",") {
			id, err := l.reference(meta, sub, part, number, d, m, f, parent)
			if err != nil {
				return nil, false, err
			}
			ids = append(ids, id)
		}
		return links{set: true, add: ids}, true, nil
	case "float", "monetary":
		n, bad := strconv.ParseFloat(text, 64)
		if bad != nil {
			return nil, false, &cellError{text: fmt.Sprintf("'%s' does not seem to be a number for field '%%(field)s'", cellText(cell))}
		}
		return n, true, nil
	case "integer":
		n, bad := strconv.Atoi(text)
		if bad != nil {
			return nil, false, &cellError{text: fmt.Sprintf("'%s' does not seem to be an integer for field '%%(field)s'", cellText(cell))}
		}
		return n, true, nil
	case "boolean":
		switch strings.ToLower(text) {
		case "1", "true", "yes":
			return true, true, nil
		case "0", "false", "no":
			return false, true, nil
		}
		return nil, false, &cellError{text: fmt.Sprintf("Unknown value '%s' for boolean field '%%(field)s'", cellText(cell)), moreinfo: "Use '1' for yes and '0' for no"}
	case "datetime":
		return l.datetime(cellText(cell))
	case "date":
		if _, bad := time.Parse(dateLayout, text); bad != nil {
			return nil, false, &cellError{text: fmt.Sprintf("'%s' does not seem to be a valid date for field '%%(field)s'", cellText(cell)), moreinfo: "Use the format '2012-12-31'"}
		}
		return text, true, nil
	case "selection":
		for _, kv := range meta.Selection {
			if kv[0] == text || kv[1] == text {
				return kv[0], true, nil
			}
		}
		notSupported("loading the value %q into the selection %s of %s", text, f, m.name)
	case "html":
		return htmlText(cellText(cell)), true, nil
	}
	return cellText(cell), true, nil
}

func cellText(cell any) string {
	switch c := cell.(type) {
	case nil:
		return ""
	case string:
		return c
	case bool:
		if c {
			return "True"
		}
		return ""
	case float64:
		return string(pyFloat(c).text())
	}
	return fmt.Sprint(cell)
}

// datetime reads a cell in the context's time zone, or the user's.
func (l *loading) datetime(text string) (any, bool, *cellError) {
	zone, _ := l.e.ctx["tz"].(string)
	if zone == "" {
		zone = l.e.rec("res.users", l.e.uid).str("tz")
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		place = time.UTC
	}
	for _, layout := range []string{datetimeLayout, dateLayout} {
		if t, err := time.ParseInLocation(layout, text, place); err == nil {
			return t.UTC(), true, nil
		}
	}
	return nil, false, &cellError{text: fmt.Sprintf("'%s' does not seem to be a valid datetime for field '%%(field)s'", text), moreinfo: "Use the format '2012-12-31 23:59:59'"}
}

// reference finds the record a cell names: by database id (.id), external id
// (id) or name.
func (l *loading) reference(meta Field, sub, text string, number int, d draft, m *model, f, parent string) (int, *cellError) {
	if l.e.model(meta.Relation) == nil {
		notSupported("loading a reference to %s", meta.Relation)
	}
	switch sub {
	case ".id":
		return l.byDatabaseID(meta.Relation, text)
	case "id":
		l.flushKey(text)
		if x := l.e.externalID(text); x.exists() && x.str("model") == meta.Relation && l.e.rec(meta.Relation, x.ref("res_id")).exists() {
			return x.ref("res_id"), nil
		}
		return 0, &cellError{text: fmt.Sprintf("No matching record found for external id '%s' in field '%%(field)s'", text), moreinfo: l.possible("ir.model.data", meta.Relation)}
	}
	var found []int
	for _, id := range l.e.search(l.e.model(meta.Relation), nil, "") {
		if l.e.named(l.e.rec(meta.Relation, id), text, "=") {
			found = append(found, id)
		}
	}
	if len(found) == 0 {
		return 0, &cellError{text: fmt.Sprintf("No matching record found for name '%s' in field '%%(field)s'", text), moreinfo: l.possible(meta.Relation, "")}
	}
	if len(found) > 1 {
		label := m.meta[f].Label
		field := f
		if parent != "" {
			label, field = parent, l.parentField(parent)
		}
		l.messages = append(l.messages, l.note(d, number, "warning", message{
			"field": field, "message": fmt.Sprintf("Found multiple matches for value \"%s\" in field \"%s\" (%d matches)", text, label, len(found)),
		}))
	}
	return found[0], nil
}

func (l *loading) parentField(label string) string {
	for f, meta := range l.m.meta {
		if meta.Type == "one2many" && meta.Label == label && l.e.s.linked(meta) {
			return f
		}
	}
	return label
}

func (l *loading) byDatabaseID(model, text string) (int, *cellError) {
	id, err := strconv.Atoi(text)
	if err != nil {
		if !l.e.v.archivedReferences { // 16 asks the database, which gives up the transaction
			raise("psycopg2.errors.InFailedSqlTransaction", "current transaction is aborted, commands ignored until end of transaction block\n")
		}
		return 0, &cellError{text: fmt.Sprintf("Invalid database id '%s' for the field '%%(field)s'", text), moreinfo: l.possible("ir.model.data", model)}
	}
	r := l.e.rec(model, id)
	if !r.exists() || (!l.e.v.archivedReferences && r.m.stored["active"] && !r.flag("active")) {
		return 0, &cellError{text: fmt.Sprintf("No matching record found for database id '%s' in field '%%(field)s'", text), moreinfo: l.possible("ir.model.data", model)}
	}
	return id, nil
}

// possible is the action Odoo offers with a reference that is not found.
func (l *loading) possible(model, domainModel string) map[string]any {
	action := map[string]any{
		"name": "Possible Values", "type": "ir.actions.act_window", "target": "new",
		"view_mode": l.e.v.viewMode, "views": []any{[]any{false, "list"}, []any{false, "form"}},
		"context": map[string]any{"create": false}, "help": "See all possible values", "res_model": model,
	}
	if domainModel != "" {
		action["domain"] = []any{[]any{"model", "=", domainModel}}
	}
	return action
}
