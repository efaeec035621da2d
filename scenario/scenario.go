// Package scenario reads and runs scenarios: one .txtar file that holds a world,
// what happens in it, and what must hold. docs/concepts/scenarios.md is the
// format's description for its users.
package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"golang.org/x/tools/txtar"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/sim"
)

// Scenario is one file, read.
type Scenario struct {
	Name   string
	Shows  string // the sentence that says what is shown
	Config *config.Config
	Land   sim.Land
	Steps  []Step
	Expect []Expectation
	Files  map[string][]byte

	origin string // where the configuration came from, for its errors
	source []byte // the configuration as YAML, the fixture's included
	types  []connector.Type
}

// Step is one line of steps.
type Step struct {
	Line  int
	At    time.Duration // of the day
	After time.Duration // instead of At: since the step before
	Who   string
	Words []string
}

// Expectation is one line of expect.
type Expectation struct {
	Line  int
	Never bool
	Who   string
	Words []string
}

// day is when scenarios happen, and begins their clock: a Monday.
var day = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// Load reads a scenario. types are the connectors there are. Errors name file and line.
func Load(path string, types []connector.Type) (*Scenario, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "read the scenario: %w", err)
	}
	ar := txtar.Parse(src)
	s := &Scenario{Name: strings.TrimSuffix(filepath.Base(path), ".txtar"), Shows: strings.TrimSpace(string(ar.Comment)), Files: map[string][]byte{}}
	for _, f := range ar.Files {
		if _, twice := s.Files[f.Name]; twice {
			return nil, fmt.Errorf("%s: file %s is there twice", path, f.Name)
		}
		s.Files[f.Name] = f.Data
	}
	for _, need := range []string{"crossdock.yaml", "steps", "expect"} {
		if s.Files[need] == nil {
			return nil, fmt.Errorf("%s: a scenario has a file %s", path, need)
		}
	}
	if err := s.world(path, types); err != nil {
		return nil, err
	}
	if s.Steps, err = parseSteps(s.Files["steps"]); err != nil {
		return nil, fmt.Errorf("%s: steps: %w", path, err)
	}
	if s.Expect, err = parseExpect(s.Files["expect"]); err != nil {
		return nil, fmt.Errorf("%s: expect: %w", path, err)
	}
	return s, nil
}

// world reads configuration and land: those of the scenario over those of the
// fixture it uses.
func (s *Scenario) world(path string, types []connector.Type) error {
	own, err := tree(s.Files["crossdock.yaml"])
	if err != nil {
		return fmt.Errorf("%s: crossdock.yaml: %w", path, err)
	}
	land, err := tree(s.Files["land.yaml"])
	if err != nil {
		return fmt.Errorf("%s: land.yaml: %w", path, err)
	}
	name := path + ": crossdock.yaml"
	if use, ok := own["use"].(string); ok {
		delete(own, "use")
		dir := filepath.Join(filepath.Dir(path), use)
		name += " over " + use
		if own, err = over(filepath.Join(dir, "crossdock.yaml"), own); err != nil {
			return err
		}
		if land, err = over(filepath.Join(dir, "land.yaml"), land); err != nil {
			return err
		}
	}
	src, err := yaml.Marshal(own)
	if err != nil {
		return err
	}
	s.origin, s.source, s.types = name, src, types
	if s.Config, err = config.Load(name, src, types, sim.Secrets()); err != nil {
		return err
	}
	if src, err = yaml.Marshal(land); err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(src, &s.Land, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: land.yaml: %w", path, err)
	}
	return nil
}

func tree(src []byte) (map[string]any, error) {
	out := map[string]any{}
	if len(src) == 0 {
		return out, nil
	}
	err := yaml.Unmarshal(src, &out)
	return out, err
}

// over reads a YAML file and puts own over it, key by key.
func over(path string, own map[string]any) (map[string]any, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "read the world a scenario uses: %w", err)
	}
	base, err := tree(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return merge(base, own), nil
}

func merge(base, own map[string]any) map[string]any {
	for key, v := range own {
		below, isMap := v.(map[string]any)
		if have, both := base[key].(map[string]any); isMap && both {
			base[key] = merge(have, below)
		} else {
			base[key] = v
		}
	}
	return base
}

// word splits a line: words, and quoted texts with spaces in them.
var word = regexp.MustCompile(`"[^"]*"|[^\s"]+(?:"[^"]*")?`)

func words(line string) []string {
	if i := strings.Index(line, " #"); i >= 0 {
		line = line[:i]
	}
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return nil
	}
	out := word.FindAllString(line, -1)
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], `"`, "")
	}
	return out
}

func parseSteps(src []byte) ([]Step, error) {
	var out []Step
	for i, line := range strings.Split(string(src), "\n") {
		w := words(line)
		if len(w) == 0 {
			continue
		}
		st := Step{Line: i + 1}
		if len(w) < 2 {
			return nil, fmt.Errorf("line %d: a step has a time, who acts, and what", i+1)
		}
		var err error
		if after, ok := strings.CutPrefix(w[0], "+"); ok {
			st.After, err = time.ParseDuration(after)
		} else {
			st.At, err = timeOfDay(w[0])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		st.Who, st.Words = w[1], w[2:]
		out = append(out, st)
	}
	return out, nil
}

func timeOfDay(s string) (time.Duration, error) {
	for _, layout := range []string{"15:04:05", "15:04", "15:04:05.000"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)), nil
		}
	}
	return 0, fmt.Errorf("%q is no time of day (10:04 or 10:04:05) and no duration (+30s)", s)
}

func parseExpect(src []byte) ([]Expectation, error) {
	var out []Expectation
	for i, line := range strings.Split(string(src), "\n") {
		w := words(line)
		if len(w) == 0 {
			continue
		}
		x := Expectation{Line: i + 1}
		if w[0] == "never" {
			x.Never, w = true, w[1:]
		}
		if len(w) < 2 {
			return nil, fmt.Errorf("line %d: an expectation has a system and what it holds", i+1)
		}
		x.Who, x.Words = w[0], w[1:]
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("a scenario expects something")
	}
	return out, nil
}
