package odoo

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fixture is the state a recording began in, read off its own answers: the
// laboratory's records as far as they are needed, with their recorded ids.
type fixture struct {
	Rows   map[string]map[string]map[string]any `json:"rows"`  // model -> id -> stored values
	Clock  string                               `json:"clock"` // when the recording began
	Last   map[string]int                       `json:"last"`  // the highest id in use, where rows do not say
	Filler []struct {                           // records of which only the number and dates matter
		Model string         `json:"model"`
		IDs   []int          `json:"ids"`
		Row   map[string]any `json:"row"`
	} `json:"filler"`
	Steps []step `json:"steps"`
}

// step is something a person did beside the recording, before the call with this label.
type step struct {
	Before string `json:"before"`
	At     int    `json:"at"`    // or before the call at this place, counted from 0
	Call   []any  `json:"call"`  // a call that was made and whose answer was lost: model, method, arguments, keywords
	Write  []any  `json:"write"` // model, id, values as stored
	// Order makes a sale order with lines of the recorded ids; Confirm confirms
	// it, its transfers and moves taking the recorded ids.
	Order   int              `json:"order"`
	Vals    map[string]any   `json:"vals"`
	Lines   []map[string]any `json:"lines"`
	LineIDs []int            `json:"line_ids"`
	Confirm bool             `json:"confirm"`
	Picking []int            `json:"picking"`
	Moves   []int            `json:"moves"`
	Done    bool             `json:"done"`
}

// recorded is one call and what the real server answered.
type recorded struct {
	Label   string          `json:"label"`
	Service string          `json:"service"`
	Method  string          `json:"method"`
	Args    []any           `json:"args"`
	Result  json.RawMessage `json:"result"`
	Error   *recordedError  `json:"error"`

	// A line of a JSON-2 recording has a path in place of service and method: what
	// was asked, the key and the database in its header, and the whole answer.
	Path      string          `json:"path"`
	Bearer    string          `json:"bearer"`
	Database  string          `json:"database"`
	Request   any             `json:"request"`
	Status    int             `json:"status"`
	Type      string          `json:"type"`
	Challenge string          `json:"challenge"`
	Response  json.RawMessage `json:"response"`

	// A line of a person recording that is no call: which records' write_date
	// the calls before moved, which stayed, and which records are new.
	Moved map[string][]int `json:"moved"`
	Same  map[string][]int `json:"same"`
	New   map[string][]int `json:"new"`
}

type recordedError struct {
	Code      int    `json:"code"`
	Name      string `json:"name"`
	Message   string `json:"message"`
	Arguments []any  `json:"arguments"`
}

func readRecording(t *testing.T, name string) []recorded {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out []recorded
	lines := bufio.NewScanner(zr)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.UseNumber()
		var r recorded
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r.Args, _ = plain(any(r.Args)).([]any)
		r.Request = plain(r.Request)
		out = append(out, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

func readFixture(t *testing.T, name string) fixture {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&f); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

// stored turns a fixture's JSON values into stored ones.
func stored(m *model, vals map[string]any) row {
	out := row{}
	for f, v := range vals {
		meta := m.meta[f]
		v = plain(v)
		switch {
		case v == nil || (v == false && meta.Type != "boolean" && !strings.HasPrefix(f, "~")):
			v = nil
		case meta.Type == "many2many":
			v = toIDs(v)
		case meta.Type == "datetime":
			v, _ = time.Parse("2006-01-02 15:04:05.999999", v.(string))
		case meta.Type == "float" || meta.Type == "monetary":
			v = number(v)
		}
		if meta.ByCompany {
			f = companyKey(f, 1)
		}
		out[f] = v
	}
	return out
}

// seeded is a server that begins in the fixture's state.
func seeded(t *testing.T, version int, database string, f fixture) *Server {
	t.Helper()
	now, err := time.Parse(time.RFC3339, f.Clock)
	if err != nil {
		t.Fatal(err)
	}
	s := empty(Config{Version: version, Database: database, User: "admin", Password: "admin", Seed: 7, Clock: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	s.AddAPIKey("(key)")
	born := time.Date(2026, 11, 23, 6, 0, 0, 123000, time.UTC)
	put := func(model string, id int, vals map[string]any) {
		m := s.models[model]
		if m == nil {
			t.Fatalf("the fixture has rows of %s, which is not modelled", model)
		}
		r := row{"create_date": born, "write_date": born, "create_uid": 2, "write_uid": 2}
		if m.stored["active"] {
			r["active"] = true
		}
		for k, v := range stored(m, vals) {
			r[k] = v
		}
		s.db.insert(model, id, r)
		if model == "ir.model.data" {
			s.db.external[r["module"].(string)+"."+r["name"].(string)] = id
		}
	}
	for model, rows := range f.Rows {
		for id, vals := range rows {
			n, err := strconv.Atoi(id)
			if err != nil {
				t.Fatal(err)
			}
			put(model, n, vals)
		}
	}
	for _, fill := range f.Filler {
		for _, id := range fill.IDs {
			put(fill.Model, id, fill.Row)
		}
	}
	for model, last := range f.Last {
		tab := s.db.table(model)
		tab.last = max(tab.last, last)
	}
	s.db.commit()
	s.db.counters["sale.order"] = f.Last["sale.order"]
	return s
}

// perform carries out a step as the administrator.
func (j *judge) perform(t *testing.T, st step) {
	t.Helper()
	err := j.s.person(func(e *env) {
		if st.Write != nil {
			model, id := st.Write[0].(string), plain(st.Write[1]).(int)
			e.rec(model, j.ids.ours(model, id)).set(stored(e.model(model), st.Write[2].(map[string]any)))
			return
		}
		if st.Call != nil {
			return // made below, as a transaction of its own
		}
		vals := j.ids.values("sale.order", plain(any(st.Vals)).(map[string]any))
		order := e.create("sale.order", vals)
		j.ids.bind("sale.order", st.Order, order)
		for i, l := range st.Lines {
			given := j.ids.values("sale.order.line", plain(any(l)).(map[string]any))
			given["order_id"] = order
			j.ids.bind("sale.order.line", st.LineIDs[i], e.create("sale.order.line", given))
		}
		r := e.rec("sale.order", order)
		if !st.Confirm {
			return
		}
		confirmOrder(e, r)
		pickings := slices.Clone(e.db.table("stock.picking").having("sale_id", order))
		for i, id := range st.Picking {
			j.ids.bind("stock.picking", id, pickings[i])
		}
		var moves []int
		for _, p := range pickings {
			moves = append(moves, e.db.table("stock.move").having("picking_id", p)...)
		}
		for i, id := range st.Moves {
			j.ids.bind("stock.move", id, moves[i])
		}
	})
	if err != nil {
		t.Fatalf("step before %q: %v", st.Before, err)
	}
	if st.Call != nil {
		call := plain(any(st.Call)).([]any)
		if _, f := j.s.call(adminUser, call[0].(string), call[1].(string), call[2].([]any), call[3].(map[string]any)); f != nil {
			t.Fatalf("step at %d: %v", st.At, f)
		}
	}
}
