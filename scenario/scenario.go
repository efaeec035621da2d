// Package scenario reads and runs scenarios: one .txtar file that holds a world,
// what happens in it, and what must hold. docs/concepts/scenarios.md is the
// format's description for its users.
package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// Load reads a scenario. types are the connectors there are. All that is wrong with
// its words is returned together, as config.Problems with file, line and column.
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
	m := &mistakes{path: filepath.ToSlash(path)}
	complete := m.lacks(s, src)
	if err := s.world(path, types); err != nil {
		err = m.use(s, src, path, err)
		var problems config.Problems
		if !errors.As(err, &problems) {
			return nil, err
		}
		if !slices.EqualFunc(problems, m.problems, func(a, b config.Problem) bool { return a == b }) {
			m.problems = append(m.problems, problems...)
		}
		s.Config = nil
	}
	steps, expect := linesOf(s.Files["steps"], above(src, "steps")), linesOf(s.Files["expect"], above(src, "expect"))
	s.Steps, s.Expect = m.steps(steps), m.expectations(expect)
	if len(expect) == 0 && s.Files["expect"] != nil {
		m.wrong(line{at: above(src, "expect"), source: "-- expect --", places: []place{{1, 12}}}, 0, 0, "a scenario expects something")
	}
	if s.Config != nil && complete {
		if err := s.judge(m, steps, expect); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(m.problems) > 0 {
		slices.SortStableFunc(m.problems, func(a, b config.Problem) int {
			return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
		})
		return nil, m.problems
	}
	return s, nil
}

// judge holds the words of a scenario against what its world knows.
func (s *Scenario) judge(m *mistakes, steps, expect []line) error {
	k, err := s.knownOf(steps)
	if err != nil {
		return err
	}
	for _, l := range steps {
		if len(l.words) > 1 {
			m.judgeStep(k, l)
		}
	}
	for _, l := range expect {
		if n := len(l.words); n > 2 || n == 2 && l.words[0] != "never" {
			m.judgeExpectation(k, l)
		}
	}
	return nil
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

// word is a word of a line, or a quoted text with spaces in it.
var word = regexp.MustCompile(`"[^"]*"|[^\s"]+(?:"[^"]*")?`)

// steps reads the lines of steps; time does not go back from one to the next.
func (m *mistakes) steps(lines []line) []Step {
	var out []Step
	now, before := time.Duration(0), line{}
	for _, l := range lines {
		if len(l.words) < 2 {
			m.wrong(l, 0, 0, "a step has a time, who acts, and what")
			continue
		}
		st := Step{Line: l.at, Who: l.words[1], Words: l.words[2:]}
		var err error
		if after, ok := strings.CutPrefix(l.words[0], "+"); ok {
			if st.After, err = time.ParseDuration(after); err != nil || st.After < 0 {
				err = fmt.Errorf("%q is no time after the step before: write it with its unit, such as +30s", l.words[0])
			}
			if now == 0 {
				now = firstAt(nil)
			}
			now += max(0, st.After)
		} else if st.At, err = timeOfDay(l.words[0]); err == nil && st.At < now {
			err = fmt.Errorf("%s is before line %d, which is at %s: steps are written in the order they happen", l.words[0], before.at, clock(now))
		} else if err == nil {
			now = st.At
		}
		if err != nil {
			m.wrong(l, 0, 0, "%s", err)
		}
		before = l
		out = append(out, st)
	}
	return out
}

// clock writes a time of day.
func clock(d time.Duration) string { return day.Add(d).Format("15:04:05") }

func timeOfDay(s string) (time.Duration, error) {
	for _, layout := range []string{"15:04:05", "15:04", "15:04:05.000"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)), nil
		}
	}
	return 0, fmt.Errorf("%q is no time of day (10:04 or 10:04:05) and no duration (+30s)", s)
}

// expectations reads the lines of expect.
func (m *mistakes) expectations(lines []line) []Expectation {
	var out []Expectation
	for _, l := range lines {
		x, w := Expectation{Line: l.at}, l.words
		if w[0] == "never" {
			x.Never, w = true, w[1:]
		}
		if len(w) < 2 {
			m.wrong(l, 0, len(l.words), "an expectation has a system and what it holds")
			continue
		}
		x.Who, x.Words = w[0], w[1:]
		out = append(out, x)
	}
	return out
}
