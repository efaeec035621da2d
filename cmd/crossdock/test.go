package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/scenario"
)

// testCommand runs scenarios.
type testCommand struct {
	Path    []string `arg:"" help:"Scenario files, or folders of them."`
	Permute bool     `help:"Also every order and repetition of the messages of one instant."`
	Kill    bool     `help:"Also with the hub killed after each entry in turn."`
	Odoo    string   `placeholder:"URL" help:"Play against a running scratch database of Odoo (16 to 19) instead of the stand-in: http://USER:KEY@127.0.0.1:8069/DATABASE, better given as '$${env:NAME}' or '$${file:PATH}', because every user of the machine can read a command line. It is written to and deleted from; its name has scratch or test in it, and the scenario's order numbers are unused."`
	Remote  bool     `help:"Let --odoo be a server that is not on this machine."`
}

// options are how the scenarios are run. A database is good for one run of a
// scenario, because its orders stay.
func (c *testCommand) options(look config.Lookup) (scenario.Options, error) {
	o := scenario.Options{Permute: c.Permute, Kill: c.Kill}
	if c.Odoo == "" {
		return o, nil
	}
	if c.Permute || c.Kill {
		return o, crossdock.Errorf(crossdock.Invalid, "--permute and --kill run a scenario many times, and the database of --odoo is good for one: leave them out")
	}
	address, err := look.Resolve(c.Odoo)
	if err != nil {
		return o, fmt.Errorf("--odoo: %w", err)
	}
	o.Live = func(ctx context.Context) (*scenario.Live, error) {
		return scenario.OpenLive(ctx, address, scenario.LiveOptions{Remote: c.Remote})
	}
	return o, nil
}

// Run implements test.
func (c *testCommand) Run(s *shell, g *globals) error {
	files, err := scenarioFiles(c.Path)
	if err != nil {
		return err
	}
	options, err := c.options(s.look)
	if err != nil {
		return err
	}
	scenarios, err := s.scenarios(files)
	if err != nil {
		return err
	}
	results := []scenario.Result{}
	failed := 0
	for _, sc := range scenarios {
		res, err := scenario.Run(s.ctx, sc, options)
		if err != nil {
			return unreadable(err)
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

// scenarios reads all files before one is run; what is wrong with their words is
// told of all of them at once.
func (s *shell) scenarios(files []string) ([]*scenario.Scenario, error) {
	var out []*scenario.Scenario
	var wrong config.Problems
	for _, file := range files {
		sc, err := scenario.Load(file, s.types)
		var problems config.Problems
		switch {
		case errors.As(err, &problems):
			wrong = append(wrong, problems...)
		case err != nil:
			return nil, unreadable(err)
		}
		out = append(out, sc)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return out, nil
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

// unreadable makes an error of a scenario's words one of its writer.
func unreadable(err error) error {
	var coded *crossdock.Error
	var problems config.Problems
	if errors.As(err, &coded) || errors.As(err, &problems) || isSurroundings(err) {
		return err
	}
	return crossdock.Errorf(crossdock.Invalid, "%w", err)
}
