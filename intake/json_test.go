package intake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/intake"
)

func TestCheckJSON(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ name, body, place, text string }{
		{"an order", `{"id":1,"lines":[{"sku":"TEA"},{"sku":"MUG"}]}`, "", ""},
		{"any value", ` "x" `, "", ""},
		{"every kind of value", `[0,-1.5e+3,"\u00e9\n",true,false,null,{},[]]`, "", ""},
		{"one key in two objects", `{"a":{"b":1},"c":{"b":1}}`, "", ""},
		{"64 levels", nested(64), "", ""},
		{"65 levels", nested(65), strings.Repeat("[0]", 64) + " (byte 64)", "nested deeper than 64 levels"},
		{"nothing", ``, "$ (byte 0)", "breaks off"},
		{"only space", " \n", "$ (byte 2)", "breaks off"},
		{"half an order", `{"id":1,"lines":[{"sku":"TE`, "$.lines[0].sku (byte 27)", "breaks off"},
		{"no value after a key", `{"id":`, "$.id (byte 6)", "breaks off"},
		{"a key twice", `{"id":1,"total":"1.00","id":2}`, "$ (byte 27)", `"id" is there twice`},
		{"a key twice further in", `{"lines":[{"sku":"TEA"},{"sku":"TEA","price":1,"sku":"MUG"}]}`, "$.lines[1] (byte ", `"sku" is there twice`},
		{"a key twice, once escaped", `{"id":1,"\u0069d":2}`, "$ (byte ", `"id" is there twice`},
		{"the 30th key twice", manyKeys(30, "k0"), "$ (byte ", `"k0" is there twice`},
		{"something after it", `{"id":1} {}`, "$ (byte 9)", "something follows"},
		{"no UTF-8", "{\"note\":\"caf\xe9\"}", "$.note (byte 8)", "no UTF-8"},
		{"no UTF-8 in a key", "{\"caf\xe9\":1}", "$ (byte 1)", "no UTF-8"},
		{"a line break in a string", "[\"a\nb\"]", "$[0] (byte 3)", "control character"},
		{"an unknown escape", `["\x"]`, "$[0] (byte 3)", "escape"},
		{"half an escape", `["\u12"]`, "$[0] (byte 6)", "hexadecimal"},
		{"a comma too many", `[1,]`, "$[1] (byte 3)", "a value is"},
		{"no quotes", `{id:1}`, "$ (byte 1)", "quotes"},
		{"a zero too many", `[01]`, "$ (byte 2)", "comma"},
		{"a form, no JSON", `id=1&total=2`, "$ (byte 0)", "a value is"},
		{"over the limit", `"` + strings.Repeat("x", connector.Limit) + `"`, "", "2097154 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := intake.CheckJSON([]byte(c.body))
			switch {
			case c.text == "" && f != nil:
				t.Errorf("%s: %s", f.Place, f.Text)
			case c.text != "" && f == nil:
				t.Error("nothing was found")
			case f != nil && (!strings.Contains(f.Text, c.text) || !strings.Contains(f.Place, c.place)):
				t.Errorf("%s: %s; want %s: %s", f.Place, f.Text, c.place, c.text)
			}
		})
	}
}

// manyKeys is an object of n keys and one more.
func manyKeys(n int, more string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	return b.String() + `"` + more + `":0}`
}

// What a sender could do to the hub's memory with a body within the limit, and
// with one beyond it.
func TestCheckJSONIsCheap(t *testing.T) {
	keys := func(key func(int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < connector.Limit-16; i++ {
			fmt.Fprintf(&b, `,"%s":0`, key(i))
		}
		return "{" + b.String()[1:] + "}"
	}
	for _, c := range []struct{ name, body string }{
		{"a large body of lists", strings.Repeat("[", 15<<20)},
		{"lists within the limit", strings.Repeat("[", connector.Limit)},
		{"many small lists", "[" + strings.Repeat("[[]],", connector.Limit/5-2) + "0]"},
		{"one key again and again", keys(func(int) string { return "k" })},
		{"as many keys as fit", keys(func(i int) string { return fmt.Sprintf("%x", i) })},
		{"long keys in each other", nestedKeys(64, 30_000)},
		{"a long string of escapes", `"` + strings.Repeat(`\u0041`, connector.Limit/6-2) + `"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body)
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := spent(t)
			f := intake.CheckJSON(body)
			took := spent(t) - start
			runtime.ReadMemStats(&after)
			made := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes: %d KB made, %s: %v", len(body), made>>10, took, f)
			if f != nil && len(f.Place)+len(f.Text) > 500 {
				t.Errorf("place and text have %d bytes", len(f.Place)+len(f.Text))
			}
			if made > 48<<20 {
				t.Errorf("%d KB were made", made>>10)
			}
			if most := 200 * time.Millisecond; took > most*slow {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// spent returns the CPU time of this process: others may keep the machine busy.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// nestedKeys is n objects in each other, each under a long key, with a fault inside.
func nestedKeys(n, long int) string {
	return strings.Repeat(`{"`+strings.Repeat("x", long)+`":`, n) + "!"
}

// FuzzCheckJSON holds CheckJSON against encoding/json and a search for duplicate
// keys that knows nothing of places and limits.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"a":2}`, `{"a":[{"b":"\ud800"},{"\u0062":0,"b":1}]}`, `[1.5e-3,-0,"é"]`, "\"\xff\"", `[01]`, `1 2`, `nul`, `"\u00"`, `{"":{"":{}}}`, manyKeys(40, "k39"), strings.Repeat("[", 70) + strings.Repeat("]", 70)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 4096 {
			return
		}
		got := intake.CheckJSON(body)
		want := naive(body)
		if (got == nil) != (want == "") {
			t.Fatalf("%q: got %v, want %q", body, got, want)
		}
		if got != nil && (got.Text == "" || !strings.HasPrefix(got.Place, "$")) {
			t.Fatalf("%q: %+v names no place", body, got)
		}
	})
}

func naive(body []byte) string {
	if !json.Valid(body) {
		return "no JSON"
	}
	if !utf8.Valid(body) {
		return "no UTF-8"
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var open []map[string]bool // nil for a list
	var isKey []bool
	for {
		t, err := dec.Token()
		if err == io.EOF {
			return ""
		}
		if err != nil {
			return err.Error()
		}
		top := len(open) - 1
		if d, ok := t.(json.Delim); ok && (d == '}' || d == ']') {
			open, isKey = open[:top], isKey[:top]
			continue
		}
		if top >= 0 && open[top] != nil {
			if isKey[top] {
				if open[top][t.(string)] {
					return "twice"
				}
				open[top][t.(string)] = true
				isKey[top] = false
				continue
			}
			isKey[top] = true
		}
		switch t {
		case json.Delim('{'):
			open, isKey = append(open, map[string]bool{}), append(isKey, true)
		case json.Delim('['):
			open, isKey = append(open, nil), append(isKey, false)
		}
		if len(open) > 64 {
			return "deep"
		}
	}
}
