// Package docs_test keeps the documentation true: what can be generated is, the
// configurations and scenarios quoted are run, and no link is dead.
package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/scenario"
)

// pages lists every Markdown file of the repository, relative to this folder.
func pages(t *testing.T) []string {
	t.Helper()
	out := []string{"../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md"}
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".md") {
			out = append(out, p)
		}
		return err
	})
	if err != nil || len(out) < 10 {
		t.Fatalf("%d pages, %v", len(out), err)
	}
	return out
}

func read(t *testing.T, page string) string {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// quoted returns the fenced block that follows a comment <!-- tested: NAME -->.
func quoted(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, page), "<!-- tested: "+name+" -->")
	if !ok {
		t.Fatalf("%s has no block marked %q", page, name)
	}
	_, rest, _ = strings.Cut(rest, "```")
	_, rest, _ = strings.Cut(rest, "\n")
	block, _, ok := strings.Cut(rest, "\n```")
	if !ok || block == "" {
		t.Fatalf("%s: the block %q is not closed", page, name)
	}
	return block + "\n"
}

// TestFirstConfiguration reads the README's crossdock.yaml as serve does.
func TestFirstConfiguration(t *testing.T) {
	look := config.Lookup{
		Env:  func(string) (string, bool) { return "secret", true },
		File: func(string) ([]byte, error) { return []byte("secret"), nil },
	}
	cfg, err := config.Load("crossdock.yaml", []byte(quoted(t, "../README.md", "crossdock.yaml")), types, look)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Connections) != 2 || len(cfg.Companies) != 1 {
		t.Errorf("it has %d connections and %d companies", len(cfg.Connections), len(cfg.Companies))
	}
}

// TestScenarioExample runs the scenario that the page about scenarios shows.
func TestScenarioExample(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "fixtures"), os.DirFS("../scenarios/fixtures")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "example.txtar")
	if err := os.WriteFile(path, []byte(quoted(t, "concepts/scenarios.md", "a scenario")), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Load(path, types)
	if err != nil {
		t.Fatal(err)
	}
	res, err := scenario.Run(context.Background(), s, scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range res.Failures {
		t.Errorf("%s: %s", f.Line, f.Text)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows every relative link to its file and its heading.
func TestLinks(t *testing.T) {
	followed := 0
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			target := filepath.Join(filepath.Dir(page), to)
			if to == "" {
				target = page
			}
			followed++
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
			} else if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s: %s has no heading #%s", page, target, anchor)
			}
		}
	}
	if followed < 30 {
		t.Errorf("only %d links were followed", followed)
	}
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9 _-]`)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(src string) []string {
	var out []string
	for line := range strings.Lines(src) {
		if heading := strings.TrimLeft(line, "#"); heading != line && strings.HasPrefix(heading, " ") {
			h := notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			out = append(out, strings.ReplaceAll(h, " ", "-"))
		}
	}
	return out
}

// command is what somebody may type: crossdock after a prompt, or within backticks.
var command = regexp.MustCompile("(?m)(?:^\\$ |`)crossdock ([^|>#`\n]+)")

// typed splits a quoted command line into the command's name and its words,
// without the flags that every command has.
func typed(line string) (name, words []string) {
	words = slices.DeleteFunc(strings.Fields(line), func(w string) bool { return w == "--json" })
	if len(words) > 2 && words[0] == "-c" {
		words = words[2:]
	}
	name = words[:1]
	if len(words) > 1 && (words[0] == "exceptions" || words[0] == "sandbox") && !strings.HasPrefix(words[1], "-") {
		name = words[:2]
	}
	return name, words
}

// build makes the program once for all tests.
func build(t *testing.T) string {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var built = sync.OnceValues(func() (string, error) {
	program := filepath.Join(folder, "crossdock")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", program, "../cmd/crossdock").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
})

// folder is where the program is built.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "crossdock-docs-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder) // what stays is a file in the temporary directory
	os.Exit(code)
}

// TestCommands holds every quoted command line against the help of the program:
// the command exists and has the flags.
func TestCommands(t *testing.T) {
	program := build(t)
	help := map[string]string{}
	seen := 0
	for _, page := range pages(t) {
		for _, m := range command.FindAllStringSubmatch(read(t, page), -1) {
			seen++
			name, words := typed(m[1])
			key := strings.Join(name, " ")
			if help[key] == "" {
				out, err := exec.CommandContext(t.Context(), program, append(slices.Clone(name), "--help")...).CombinedOutput()
				if err != nil {
					t.Errorf("%s: there is no command %q: %s", page, key, out)
					continue
				}
				help[key] = string(out)
			}
			for _, w := range words {
				if flag, _, _ := strings.Cut(w, "="); strings.HasPrefix(flag, "-") && !strings.Contains(help[key], flag) {
					t.Errorf("%s: crossdock %s has no flag %s", page, key, flag)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d quoted commands were found", seen)
	}
}

// TestCheck runs check on the README's configuration; its answer is the one that
// is quoted.
func TestCheck(t *testing.T) {
	program := build(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "crossdock.yaml"), []byte(quoted(t, "../README.md", "crossdock.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "check")
	var stderr bytes.Buffer
	c.Dir, c.Stderr, c.Env = dir, &stderr, append(os.Environ(), "SHOPIFY_TOKEN=t", "SHOPIFY_SECRET=s", "ODOO_KEY=k")
	out, err := c.Output()
	if err != nil {
		t.Fatalf("check: %v\n%s", err, stderr.String())
	}
	if want := quoted(t, "../README.md", "the answer of check"); string(out) != want {
		t.Errorf("check answers\n%s\nand the README says\n%s", out, want)
	}
}
