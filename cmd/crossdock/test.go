package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/scenario"
)

// testCommand runs scenarios.
type testCommand struct {
	Path    []string `arg:"" help:"Scenario files, or folders of them."`
	Permute bool     `help:"Also every order and repetition of the messages of one instant."`
	Kill    bool     `help:"Also with the hub killed after each entry in turn."`
}

// Run implements test.
func (c *testCommand) Run(s *shell, g *globals) error {
	files, err := scenarioFiles(c.Path)
	if err != nil {
		return err
	}
	var results []scenario.Result
	failed := 0
	for _, file := range files {
		sc, err := scenario.Load(file, s.types)
		if err != nil {
			return err
		}
		res, err := scenario.Run(s.ctx, sc, scenario.Options{Permute: c.Permute, Kill: c.Kill})
		if err != nil {
			return err
		}
		results = append(results, res)
		if len(res.Failures) > 0 {
			failed++
		}
		if !g.JSON {
			s.result(res)
		}
	}
	if g.JSON {
		if err := s.json(struct {
			Scenarios []scenario.Result `json:"scenarios"`
			Failed    int               `json:"failed"`
		}{results, failed}); err != nil {
			return err
		}
	} else {
		s.print("%d passed, %d failed", len(results)-failed, failed)
	}
	if failed > 0 {
		return crossdock.Errorf(crossdock.Conflict, "%s: not what was expected", count(failed, "scenario"))
	}
	return nil
}

func (s *shell) result(res scenario.Result) {
	word := "ok  "
	if len(res.Failures) > 0 {
		word = "FAIL"
	}
	s.print("%s %s (%s, %s)", word, res.Name, count(res.Runs, "run"), res.Took.Round(time.Millisecond))
	for _, f := range res.Failures {
		s.print("     %s: %s\n       %s", f.Run, f.Line, f.Text)
	}
}

func scenarioFiles(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		before := len(out)
		err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(p, ".txtar") {
				out = append(out, p)
			}
			return err
		})
		if err != nil {
			return nil, crossdock.Errorf(crossdock.Unavailable, "find scenarios: %w", err)
		}
		if len(out) == before {
			return nil, crossdock.Errorf(crossdock.Invalid, "%s holds no scenario (*.txtar)", path)
		}
	}
	return out, nil
}
