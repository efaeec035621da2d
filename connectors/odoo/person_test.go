package odoo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
)

// rpc does what a person does in Odoo itself, over the same door but without the connector.
func (f *flow) rpc(model, method string, args []any, kw map[string]any) json.RawMessage {
	f.t.Helper()
	if kw == nil {
		kw = map[string]any{}
	}
	user, password := f.s.user, f.s.password
	if f.s.stand == nil {
		user, password = "admin", "admin"
	}
	var uid, out json.RawMessage
	post(f.t, f.s.url, &uid, "common", "authenticate", f.s.database, user, password, map[string]any{})
	post(f.t, f.s.url, &out, "object", "execute_kw", f.s.database, uid, password, model, method, args, kw)
	return out
}

func post(t *testing.T, url string, out *json.RawMessage, service, method string, args ...any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "call", "id": 1, "params": map[string]any{"service": service, "method": method, "args": args}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, url+"/jsonrpc", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Person", "yes")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Data struct{ Name, Message string } `json:"data"`
		} `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	if a.Error != nil {
		t.Fatalf("%s %v: %s: %s", method, args, a.Error.Data.Name, a.Error.Data.Message)
	}
	*out = a.Result
}

func (f *flow) search(model string, domain ...any) []int {
	f.t.Helper()
	var out []int
	if domain == nil {
		domain = []any{}
	}
	if err := json.Unmarshal(f.rpc(model, "search", []any{domain}, map[string]any{"order": "id"}), &out); err != nil {
		f.t.Fatal(err)
	}
	return out
}

func (f *flow) id(of crossdock.Ref) json.Number { return json.Number(f.view(of).Key) }

func (f *flow) confirm(of crossdock.Ref) {
	f.rpc("sale.order", "action_confirm", []any{[]any{f.id(of)}}, nil)
}

func (f *flow) cancel(of crossdock.Ref) {
	f.rpc("sale.order", "action_cancel", []any{[]any{f.id(of)}}, map[string]any{"context": map[string]any{"disable_cancel_warning": true}})
}

func (f *flow) remove(of crossdock.Ref) {
	f.rpc("sale.order", "unlink", []any{[]any{f.id(of)}}, nil)
}

// setStock types a count at a warehouse.
func (f *flow) setStock(sku, site string, count int) {
	f.t.Helper()
	if f.s.stand != nil {
		if err := f.s.stand.SetStock(sku, site, fmt.Sprint(count)); err != nil {
			f.t.Fatal(err)
		}
		return
	}
	at := f.search("stock.warehouse", []any{"code", "=", site})
	var rows []struct {
		Lot []any `json:"lot_stock_id"`
	}
	if err := json.Unmarshal(f.rpc("stock.warehouse", "read", []any{at, []string{"lot_stock_id"}}, nil), &rows); err != nil {
		f.t.Fatal(err)
	}
	f.rpc("stock.quant", "create", []any{map[string]any{"product_id": json.Number(f.keys[f.item(sku)]), "location_id": rows[0].Lot[0], "inventory_quantity_auto_apply": count}},
		map[string]any{"context": map[string]any{"inventory_mode": true}})
}

// known are the recorded fields_get answers of what this connector uses.
type knownField struct {
	Type     string `json:"type"`
	Relation string `json:"relation"`
	Store    bool   `json:"store"`
}

func recordedFields(t *testing.T) map[string]map[string]map[string]knownField {
	t.Helper()
	b, err := os.ReadFile("testdata/fields.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string]map[string]knownField
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// strict fails a test whose connector names a model, a method or a field that the
// recorded fields_get of the version does not have, or that testdata/calls.json does
// not list. Calls of the test itself go past it.
func strict(t *testing.T, version int, next http.Handler) http.Handler {
	fields := recordedFields(t)[fmt.Sprint(version)]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if r.Header.Get("X-Person") == "" {
			var q struct {
				Params struct {
					Service string            `json:"service"`
					Args    []json.RawMessage `json:"args"`
				} `json:"params"`
			}
			q.Params.Service, q.Params.Args = named(r.URL.Path, body)
			if err := json.Unmarshal(body, &q); err != nil && r.Method == http.MethodPost {
				t.Error(err)
			}
			if q.Params.Service == "object" {
				complaints := breaches(fields, q.Params.Args)
				if u, err := usedBy(q.Params.Args); err == nil {
					complaints = append(complaints, unlisted(u)...)
				}
				for _, complaint := range complaints {
					t.Errorf("Odoo %d: %s", version, complaint)
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// positions say which arguments of a JSON-2 call stand where in one of execute_kw.
var positions = map[string][]string{"fields_get": {"allfields", "attributes"}, "read": {"ids", "fields"}, "search_read": {"domain", "fields"}, "search": {"domain"}, "load": {"fields", "data"}, "write": {"ids", "vals"}}

// named turns a JSON-2 call into the arguments of execute_kw.
func named(path string, body []byte) (service string, args []json.RawMessage) {
	part := strings.Split(path, "/")
	var kw map[string]json.RawMessage
	if len(part) != 5 || json.Unmarshal(body, &kw) != nil {
		return "", nil
	}
	pos := []json.RawMessage{}
	for _, name := range positions[part[4]] {
		pos = append(pos, kw[name])
	}
	for _, v := range []any{"db", 2, "key", part[3], part[4], pos, kw} {
		b, err := json.Marshal(v)
		if err != nil {
			return "", nil
		}
		args = append(args, b)
	}
	return "object", args
}

// breaches checks one execute_kw call: its model and its fields against the recorded
// fields_get.
func breaches(fields map[string]map[string]knownField, args []json.RawMessage) (out []string) {
	u, err := usedBy(args)
	if err != nil {
		return []string{err.Error()}
	}
	if u.Method != "context_get" { // asks for no record
		if fields[u.Model] == nil {
			return []string{"the model " + u.Model + " was never recorded"}
		}
		for _, path := range u.Fields {
			if p := unknownPath(fields, u.Model, path); p != "" {
				out = append(out, u.Model+"."+u.Method+": "+p)
			}
		}
	}
	return out
}

// TestStrictnessBites: the check of names finds what no version has, and what
// another version has.
func TestStrictnessBites(t *testing.T) {
	fields := recordedFields(t)
	call := func(model, method string, args ...any) []json.RawMessage {
		var out []json.RawMessage
		for _, v := range []any{"db", 2, "key", model, method, args, map[string]any{}} {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b)
		}
		return out
	}
	for _, c := range []struct {
		version string
		call    []json.RawMessage
		bad     int
	}{
		{"18", call("sale.order", "read", []int{1}, []string{"name", "locked"}), 0},
		{"16", call("sale.order", "read", []int{1}, []string{"name", "locked"}), 1},
		{"18", call("sale.order", "load", []string{"id", "partner_id/.id", "order_line/tax_id/.id"}, [][]string{}), 0},
		{"19", call("sale.order", "load", []string{"id", "partner_id/.id", "order_line/tax_id/.id"}, [][]string{}), 1},
		{"18", call("sale.order", "write", []int{1}, map[string]any{"nope": 1, "order_line": []any{[]any{0, 0, map[string]any{"tax_ids": 1}}}}), 2},
		{"18", call("stock.quant", "search_read", []any{[]any{"site", "=", 1}}, []string{"quantity"}), 1},
		{"18", call("sale.order", "action_lock", []int{1}), 1},
		{"18", call("crm.lead", "read", []int{1}, []string{"name"}), 1},
	} {
		if got := breaches(fields[c.version], c.call); len(got) != c.bad {
			t.Errorf("%s %s: %q, want %d complaints", c.version, c.call[3:6], got, c.bad)
		}
	}
}

// unknownPath says what of a path "order_line/product_id" a model lacks.
func unknownPath(fields map[string]map[string]knownField, model, path string) string {
	for _, name := range strings.Split(path, "/") {
		if name == "id" {
			continue
		}
		f, ok := fields[model][name]
		if !ok {
			return "no field " + name + " in " + model + " (" + path + ")"
		}
		model = f.Relation
	}
	return ""
}
