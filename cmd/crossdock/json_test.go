package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock/app"
)

var keyWord = regexp.MustCompile("`([a-z_]+)`")

// documented reads the keys of each command that docs/json.md promises: those that
// are always there, and those that may be.
func documented(t *testing.T) (always, maybe map[string][]string) {
	t.Helper()
	src, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	always, maybe = map[string][]string{}, map[string][]string{}
	for line := range strings.Lines(string(src)) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[2], "`") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[1]), "`")
		keys := regexp.MustCompile(`\([^)]*\)`).ReplaceAllString(cells[2], "")
		sure, rest, _ := strings.Cut(keys, ";")
		for _, m := range keyWord.FindAllStringSubmatch(sure, -1) {
			always[name] = append(always[name], m[1])
		}
		for _, m := range keyWord.FindAllStringSubmatch(rest, -1) {
			maybe[name] = append(maybe[name], m[1])
		}
		maybe[name] = append(maybe[name], "")
	}
	if len(maybe) < 14 {
		t.Fatalf("only %d commands are documented", len(maybe))
	}
	return always, maybe
}

// sandboxUp runs a sandbox on free ports until the test ends and returns the address
// of its control.
func sandboxUp(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	up, done := make(chan app.SandboxUp, 1), make(chan error, 1)
	go func() {
		done <- app.Sandbox(ctx, app.SandboxOptions{Types: connectors(), Dir: t.TempDir(), Shop: "127.0.0.1:0", Odoo: "127.0.0.1:0", Control: "127.0.0.1:0", Hub: "127.0.0.1:1",
			Up: func(u app.SandboxUp) error { up <- u; return nil }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	select {
	case u := <-up:
		for _, line := range []string{"act --control ", "show --control "} {
			if how := strings.Join(u.How(), "\n"); !strings.Contains(how, "crossdock sandbox "+line+strings.TrimPrefix(u.Control, "http://")) {
				t.Errorf("the commands are not whole: %s", how)
			}
		}
		return strings.TrimPrefix(u.Control, "http://")
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return ""
}

// TestJSONAnswers runs every command but demo and serve with --json: standard output
// is one object with the keys that docs/json.md says.
func TestJSONAnswers(t *testing.T) {
	always, maybe := documented(t)
	hub, control := stoppedHub(t, 3), sandboxUp(t)
	for _, c := range []struct {
		command string // as docs/json.md names it
		args    string
	}{
		{"check", "check --no-secrets"},
		{"trace", "trace order/1001"},
		{"exceptions list", "exceptions"},
		{"exceptions retry", "exceptions retry order/0001"},
		{"exceptions drop", "exceptions drop stock|order/0000 --note x"},
		{"work", "work"},
		{"sandbox act", "sandbox act --control " + control + " shop buy TEA-GREEN 1 as order-1"},
		{"sandbox show", "sandbox show --control " + control + " shop order 1"},
		{"sandbox show", "sandbox show --control " + control + " odoo sale.order client_order_ref=1"},
		{"sandbox words", "sandbox words"},
		{"test", "test ../../scenarios/unknown-sku.txtar"},
		{"test", "test " + differing(t)}, // it ends with 4, and has answered
		{"schema", "schema order"},
		{"version", "version"},
		{"an error", "trace order/9999"},
		{"an error", "exceptions retry nobody"},
		{"an error", "check nowhere.yaml"},
		{"an error", "nonsense"},
	} {
		out, _ := hub(append([]string{"--json"}, strings.Fields(c.args)...)...)
		d := json.NewDecoder(strings.NewReader(out))
		var got map[string]json.RawMessage
		if err := d.Decode(&got); err != nil {
			t.Errorf("%s: %v: %s", c.args, err, out)
			continue
		}
		if _, err := d.Token(); err != io.EOF {
			t.Errorf("%s answers with more than one value: %s", c.args, out)
		}
		if c.command == "schema" {
			continue
		}
		if _, ok := maybe[c.command]; !ok {
			t.Errorf("docs/json.md does not speak of %q", c.command)
		}
		for _, key := range always[c.command] {
			if _, ok := got[key]; !ok {
				t.Errorf("%s has no key %q, which docs/json.md promises: %s", c.args, key, out)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(got)) {
			if !slices.Contains(always[c.command], key) && !slices.Contains(maybe[c.command], key) {
				t.Errorf("%s has the key %q, of which docs/json.md says nothing", c.args, key)
			}
		}
	}
}

// TestSandboxWords: what nobody can do is refused with the nearest word.
func TestSandboxWords(t *testing.T) {
	run, control := stoppedHub(t, 1), sandboxUp(t)
	for words, says := range map[string]string{
		"shop buyy TEA-GREEN 1 as order-1": `did you mean "buy"?`,
		"odoo dwon":                        `did you mean "down"?`,
		"odoo set stok TEA-GREEN E 1":      `did you mean "set stock"?`,
		"shpo buy TEA-GREEN 1 as order-1":  `did you mean "shop"?`,
		"shop loose next":                  `did you mean "lose"?`,
	} {
		out, code := run(append([]string{"sandbox", "act", "--control", control}, strings.Fields(words)...)...)
		if code != exitInput || !strings.Contains(out, says) {
			t.Errorf("%s: exit %d: %s", words, code, out)
		}
	}
}

// differing writes a scenario that does not hold.
func differing(t *testing.T) string {
	t.Helper()
	world, err := filepath.Abs("../../scenarios/fixtures")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(world, filepath.Join(dir, "fixtures")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "differs.txtar")
	text := "It expects too much.\n-- crossdock.yaml --\nuse: fixtures/two-shops\n-- steps --\n10:00 shop buy TEA 1 as order-1\n10:01 settle\n-- expect --\nhub order/1 state=held\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestJSONSandboxRun: the one object says where the doors are.
func TestJSONSandboxRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	var side bytes.Buffer
	s := &shell{ctx: ctx, out: w, err: &side, types: connectors()}
	done := make(chan int, 1)
	go func() {
		done <- s.run([]string{"--json", "sandbox", "run", "--dir", t.TempDir(), "--shop", "127.0.0.1:0", "--odoo", "127.0.0.1:0", "--control", "127.0.0.1:0"})
	}()
	var got map[string]any
	if err := json.NewDecoder(r).Decode(&got); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }() // the line end
	always, _ := documented(t)
	for _, key := range always["sandbox run"] {
		if _, ok := got[key]; !ok {
			t.Errorf("it has no key %q: %v", key, got)
		}
	}
	stop()
	if code := <-done; code != exitGood {
		t.Errorf("exit %d: %s", code, side.String())
	}
}
