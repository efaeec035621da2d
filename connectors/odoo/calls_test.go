package odoo_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// use is what one call of the object service names: a method of a model, and the
// fields it reads, writes, compares or sorts by ("order_line/name" of lines).
type use struct {
	Model, Method string
	Fields        []string
}

// calls holds what the connector's calls named, by model and method.
type calls map[string]map[string][]string

func (c calls) add(u use) {
	if c[u.Model] == nil {
		c[u.Model] = map[string][]string{}
	}
	all := append(append([]string{}, c[u.Model][u.Method]...), u.Fields...)
	slices.Sort(all)
	c[u.Model][u.Method] = slices.Compact(all)
}

// used are the calls of this run; listed is testdata/calls.json, by which the judge
// of the stand-in knows what the connector uses.
var (
	usedMu sync.Mutex
	used   = calls{}
	listed = sync.OnceValues(func() (calls, error) {
		b, err := os.ReadFile("testdata/calls.json")
		if err != nil {
			return nil, err
		}
		var c calls
		return c, json.Unmarshal(b, &c)
	})
)

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// unlisted notes a use and says what of it testdata/calls.json lacks.
func unlisted(u use) []string {
	usedMu.Lock()
	used.add(u)
	usedMu.Unlock()
	if updating() {
		return nil
	}
	all, err := listed()
	if err != nil {
		return []string{err.Error()}
	}
	known, ok := all[u.Model][u.Method]
	if !ok {
		return []string{fmt.Sprintf("the connector is not known to call %s.%s: run the tests with -update, and see that the recordings hold it", u.Model, u.Method)}
	}
	for _, f := range u.Fields {
		if !slices.Contains(known, f) {
			return []string{fmt.Sprintf("%s.%s is not known to use the field %s: run the tests with -update, and see that the recordings hold it", u.Model, u.Method, f)}
		}
	}
	return nil
}

// TestMain writes testdata/calls.json with -update, and after a whole run fails on
// what it lists and no test made the connector call.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" && flag.Lookup("test.list").Value.String() == ""
	if code == 0 && whole {
		code = settleCalls()
	}
	os.Exit(code)
}

func settleCalls() int {
	got, err := json.MarshalIndent(used, "", "  ")
	if err == nil && updating() {
		err = os.WriteFile("testdata/calls.json", append(got, '\n'), 0o600)
	} else if err == nil {
		var want []byte
		if want, err = os.ReadFile("testdata/calls.json"); err == nil && !bytes.Equal(bytes.TrimSpace(want), got) {
			err = fmt.Errorf("testdata/calls.json is not what the connector's tests made it call: run them with -update and look at the difference; they called\n%s", got)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// usedBy reads the arguments of execute_kw: database, user, key, model, method,
// arguments, keywords.
func usedBy(args []json.RawMessage) (use, error) {
	var u use
	var pos []json.RawMessage
	var kw map[string]json.RawMessage
	for i, v := range []any{&u.Model, &u.Method, &pos, &kw} {
		if err := json.Unmarshal(args[3+i], v); err != nil {
			return u, err
		}
	}
	list := func(n int) (names []string) {
		if n < len(pos) {
			_ = json.Unmarshal(pos[n], &names) // a write's values are no list
		}
		return names
	}
	switch u.Method {
	case "fields_get":
		u.Fields = list(0)
	case "read":
		u.Fields = list(1)
	case "search_read", "search":
		if u.Method == "search_read" {
			u.Fields = list(1)
		}
		var domain []any
		_ = json.Unmarshal(pos[0], &domain)
		for _, leaf := range domain {
			if l, ok := leaf.([]any); ok {
				u.Fields = append(u.Fields, strings.ReplaceAll(l[0].(string), ".", "/"))
			}
		}
		for by := range strings.SplitSeq(strings.Trim(string(kw["order"]), `"`), ",") {
			if f := strings.Fields(by); len(f) > 0 {
				u.Fields = append(u.Fields, f[0])
			}
		}
	case "load":
		for _, n := range list(0) {
			u.Fields = append(u.Fields, strings.TrimSuffix(n, "/.id"))
		}
	case "write":
		u.Fields = writtenFields(pos[1])
	case "action_cancel", "action_confirm", "context_get", "get_external_id": // name no field
	default:
		return u, fmt.Errorf("the method %s was never recorded", u.Method)
	}
	return u, nil
}

func writtenFields(v json.RawMessage) []string {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(v, &values)
	out := slices.Collect(maps.Keys(values))
	var lines [][]any
	_ = json.Unmarshal(values["order_line"], &lines)
	for _, l := range lines {
		if line, ok := l[2].(map[string]any); ok {
			for n := range line {
				out = append(out, "order_line/"+n)
			}
		}
	}
	return out
}
