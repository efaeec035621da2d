package odoo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// judge replays one recording against a server that begins in its fixture.
type judge struct {
	s      *Server
	ids    *identity
	tamper func(model, method string, answer map[string]any) // a test's way to corrupt our answers
}

// verdict is what became of one recorded call.
type verdict struct {
	recorded
	index         int
	model, call   string
	outcome       string // matched, differing, not supported
	detail, asked string
}

// replay runs a recording in order.
func (j *judge) replay(t *testing.T, calls []recorded, steps []step) []verdict {
	t.Helper()
	var out []verdict
	done := map[int]bool{}
	before := j.writeDates()
	for i, r := range calls {
		for n, st := range steps {
			if !done[n] && ((st.Before != "" && st.Before == r.Label) || (st.Before == "" && st.At == i)) {
				done[n] = true
				j.perform(t, st)
				before = j.writeDates()
			}
		}
		if r.Path != "" {
			out = append(out, j.named(t, i, r))
			continue
		}
		if r.Service == "" {
			after := j.writeDates()
			out = append(out, j.moves(i, r, before, after))
			before = after
			continue
		}
		out = append(out, j.one(t, i, r))
	}
	for n, st := range steps {
		if !done[n] {
			t.Fatalf("no call has the label %q of step %d", st.Before, n)
		}
	}
	return out
}

// writeDates are the write_date of every record, by model and our id.
func (j *judge) writeDates() map[string]map[int]any {
	out := map[string]map[int]any{}
	for _, model := range []string{"sale.order", "sale.order.line", "stock.picking", "stock.move"} {
		out[model] = map[int]any{}
		for id, r := range j.s.db.table(model).rows {
			out[model][id] = r["write_date"]
		}
	}
	return out
}

// moves judges which records the calls since the last such line have moved.
func (j *judge) moves(i int, r recorded, before, after map[string]map[int]any) verdict {
	v := verdict{recorded: r, index: i, model: "write_date", call: "moved", outcome: "matched"}
	check := func(records map[string][]int, moved bool) {
		for _, model := range sortedKeys(records) {
			for _, id := range records[model] {
				ours, known := j.ids.there[model][id]
				if !known || before[model][ours] == nil || after[model][ours] == nil {
					continue
				}
				if (before[model][ours] != after[model][ours]) != moved {
					v.outcome = "differing"
					v.detail += fmt.Sprintf("%s %d moved: recorded %v, ours %v; ", model, id, moved, !moved)
				}
			}
		}
	}
	check(r.Moved, true)
	check(r.Same, false)
	for model, recorded := range r.New {
		var ours []int
		for id := range after[model] {
			if _, old := before[model][id]; !old {
				ours = append(ours, id)
			}
		}
		slices.Sort(ours)
		if len(ours) != len(recorded) {
			v.outcome = "differing"
			v.detail += fmt.Sprintf("%s: recorded %d new, ours %d; ", model, len(recorded), len(ours))
			continue
		}
		for n, id := range recorded {
			if !j.ids.same(model, id, ours[n]) {
				v.outcome = "differing"
				v.detail += fmt.Sprintf("%s %d is not our %d; ", model, id, ours[n])
			}
		}
	}
	return v
}

func (j *judge) one(t *testing.T, i int, r recorded) verdict {
	t.Helper()
	v := verdict{recorded: r, index: i, model: r.Service, call: r.Method}
	args := r.Args
	if r.Service == "object" {
		v.model, v.call = r.Args[3].(string), r.Args[4].(string)
		args = j.translate(v.model, v.call, r.Args)
		if strings.Contains(string(r.Result), "could not serialize access") {
			j.s.Contend(v.model, 1) // the recorded call lost a race
		}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "call", "id": i, "params": map[string]any{"service": r.Service, "method": r.Method, "args": args}})
	if err != nil {
		t.Fatal(err)
	}
	v.asked = string(body)
	w := httptest.NewRecorder()
	j.s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/jsonrpc", strings.NewReader(v.asked)))
	var answer map[string]any
	dec := json.NewDecoder(w.Body)
	dec.UseNumber()
	if err := dec.Decode(&answer); err != nil {
		t.Fatalf("HTTP %d: %v", w.Code, err)
	}
	plain(answer)
	if j.tamper != nil {
		j.tamper(v.model, v.call, answer)
	}
	v.outcome, v.detail = j.judgeAnswer(v, answer)
	return v
}

func (j *judge) judgeAnswer(v verdict, answer map[string]any) (outcome, detail string) {
	ours, _ := answer["error"].(map[string]any)
	if ours != nil {
		what := ours["data"].(map[string]any)
		if what["name"] == notSupportedName {
			return "not supported", fmt.Sprint(what["message"])
		}
		if v.Error == nil {
			return "differing", fmt.Sprintf("recorded an answer %s, ours the error %v: %v", short(string(v.Result)), what["name"], what["message"])
		}
		recorded := map[string]any{"code": v.Error.Code, "name": v.Error.Name, "message": v.Error.Message, "arguments": v.Error.Arguments}
		mine := map[string]any{"code": ours["code"], "name": what["name"], "message": what["message"], "arguments": what["arguments"]}
		if d := j.ids.difference("", plain(recorded), mine, "error"); d != "" {
			return "differing", d
		}
		return "matched", ""
	}
	if v.Error != nil {
		return "differing", fmt.Sprintf("recorded the error %s: %s, ours the answer %s", v.Error.Name, v.Error.Message, short(answer["result"]))
	}
	mine, has := answer["result"]
	if (v.Result == nil) == has {
		return "differing", fmt.Sprintf("recorded a result: %v, ours: %v", v.Result != nil, has)
	}
	if !has {
		return "matched", ""
	}
	var recorded any
	dec := json.NewDecoder(strings.NewReader(string(v.Result)))
	dec.UseNumber()
	if err := dec.Decode(&recorded); err != nil {
		return "differing", err.Error()
	}
	if d := j.ids.difference(resultKind(v.model, v.call), plain(recorded), mine, "result"); d != "" {
		return "differing", d
	}
	return "matched", ""
}

// resultKind says which numbers of an answer are ids.
func resultKind(model, method string) string {
	switch method {
	case "search", "create", "authenticate":
		if model == "common" {
			model = "res.users"
		}
		return "id:" + model
	case "read", "search_read":
		return "rows:" + model
	case "load":
		return "load:" + model
	case "get_external_id":
		return "keys:" + model
	case "name_search":
		return "pairs:" + model
	case "address_get":
		return "id:res.partner"
	}
	return ""
}

// translate puts our ids where the recorded request has recorded ones.
func (j *judge) translate(model, method string, args []any) []any {
	x := j.ids
	out := append([]any{}, args...)
	out[1] = x.ours("res.users", args[1].(int))
	if len(args) > 5 {
		params, _ := args[5].([]any)
		params = append([]any{}, params...)
		for i := range params {
			params[i] = x.parameter(model, method, i, params)
		}
		out[5] = params
	}
	if len(args) > 6 {
		if kw, ok := args[6].(map[string]any); ok {
			out[6] = x.keywords(kw)
		}
	}
	return out
}

func (x *identity) parameter(model, method string, i int, params []any) any {
	p := params[i]
	switch method {
	case "search", "search_read", "search_count":
		if i == 0 {
			return x.domain(model, p)
		}
	case "create":
		if list, ok := p.([]any); ok {
			out := []any{}
			for _, v := range list {
				out = append(out, x.values(model, v.(map[string]any)))
			}
			return out
		}
		return x.values(model, p.(map[string]any))
	case "load":
		if i == 1 {
			return x.cells(model, params[0].([]any), p.([]any))
		}
	default:
		if i == 0 {
			return x.idList(model, p)
		}
		if v, ok := p.(map[string]any); ok && method == "write" {
			return x.values(model, v)
		}
	}
	return p
}

func (x *identity) idList(model string, v any) any {
	switch v := v.(type) {
	case int:
		return x.ours(model, v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = x.idList(model, v[i])
		}
		return out
	}
	return v
}

func (x *identity) keywords(kw map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range kw {
		switch k {
		case "context":
			context := map[string]any{}
			for key, value := range v.(map[string]any) {
				switch key {
				case "warehouse_id", "warehouse":
					value = x.idList("stock.warehouse", value)
				case "location":
					value = x.idList("stock.location", value)
				case "button_validate_picking_ids", "picking_ids_not_to_backorder":
					value = x.idList("stock.picking", value)
				}
				context[key] = value
			}
			out[k] = context
		default:
			out[k] = v
		}
	}
	return out
}

func (x *identity) domain(model string, v any) any {
	list, _ := v.([]any)
	out := []any{}
	for _, item := range list {
		leaf, ok := item.([]any)
		if !ok || len(leaf) != 3 {
			out = append(out, item)
			continue
		}
		at, target := model, ""
		for _, f := range strings.Split(leaf[0].(string), ".") {
			if f == "id" {
				target = at
				break
			}
			at = x.fields[at][f].Relation
			target = at
		}
		value := leaf[2]
		if target != "" {
			value = x.idList(target, value)
		}
		out = append(out, []any{leaf[0], leaf[1], value})
	}
	return out
}

func (x *identity) values(model string, vals map[string]any) map[string]any {
	out := map[string]any{}
	for f, v := range vals {
		meta := x.fields[model][f]
		switch {
		case meta.Type == "many2one":
			v = x.idList(meta.Relation, v)
		case meta.Relation != "":
			v = x.commandList(meta.Relation, v)
		case f == "res_id" && model == "ir.model.data":
			target, ok := vals["model"].(string)
			if !ok {
				target = "sale.order" // the recordings claim external ids for orders only
			}
			v = x.idList(target, v)
		}
		out[f] = v
	}
	return out
}

func (x *identity) commandList(model string, v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	out := []any{}
	for _, c := range list {
		cmd, ok := c.([]any)
		if !ok {
			out = append(out, x.idList(model, c))
			continue
		}
		cmd = append([]any{}, cmd...)
		if op, _ := cmd[0].(int); op != 0 && len(cmd) > 1 {
			cmd[1] = x.idList(model, cmd[1])
		}
		if len(cmd) > 2 {
			if vals, ok := cmd[2].(map[string]any); ok {
				cmd[2] = x.values(model, vals)
			} else {
				cmd[2] = x.idList(model, cmd[2])
			}
		}
		out = append(out, cmd)
	}
	return out
}

// cells translates the database ids in load's rows ("44", or "9,10").
func (x *identity) cells(model string, columns, rows []any) []any {
	out := make([]any, len(rows))
	for i, r := range rows {
		cells := append([]any{}, r.([]any)...)
		for c := range cells {
			name := columns[min(c, len(columns)-1)].(string)
			target, isID := model, strings.HasSuffix(name, ".id")
			for _, f := range strings.Split(strings.TrimSuffix(strings.TrimSuffix(name, ".id"), "/"), "/") {
				if f != "" {
					target = x.fields[target][f].Relation
				}
			}
			if !isID || c >= len(columns) {
				continue
			}
			switch v := cells[c].(type) {
			case int:
				cells[c] = x.ours(target, v)
			case string:
				parts := strings.Split(v, ",")
				for p, text := range parts {
					if id, err := strconv.Atoi(text); err == nil {
						parts[p] = fmt.Sprint(x.ours(target, id))
					}
				}
				cells[c] = strings.Join(parts, ",")
			}
		}
		out[i] = cells
	}
	return out
}
