package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
)

// checkCommand reads the configuration, opens every connector of it without
// sending anything, and says what the hub would do.
type checkCommand struct {
	File      string `arg:"" optional:"" help:"The configuration, in place of --config."`
	NoSecrets bool   `help:"Leave $${env:…} and $${file:…} as they are: for a machine that has no secrets."`
}

// Run implements check.
func (c *checkCommand) Run(s *shell, g *globals) error {
	name := g.Config
	if c.File != "" {
		name = c.File
	}
	look := s.look
	if c.NoSecrets {
		look = config.Lookup{}
	}
	cfg, err := s.load(name, look)
	if err != nil {
		return err
	}
	roles, err := rolesOf(cfg)
	if err != nil {
		return err
	}
	if g.JSON {
		return s.json(checked{OK: true, Hash: cfg.Setup().Hash, Config: cfg, Roles: roles})
	}
	s.summary(cfg, roles)
	return nil
}

// checked is the answer of check --json.
type checked struct {
	OK     bool           `json:"ok"`
	Hash   string         `json:"hash"` // of what the core decides by
	Config *config.Config `json:"config"`
	Roles  []role         `json:"roles"`
}

// role is what the hub does with one connection.
type role struct {
	System     crossdock.System `json:"system"`
	Receives   string           `json:"receives,omitempty"` // where its webhooks arrive
	Pulls      []crossdock.Kind `json:"pulls,omitempty"`
	Pushes     []crossdock.Kind `json:"pushes,omitempty"`
	Unresolved []string         `json:"unresolved,omitempty"` // then the three above are not known
}

// load reads a configuration. A file that is not there or can't be read is
// Unavailable.
func (s *shell) load(name string, look config.Lookup) (*config.Config, error) {
	src, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, crossdock.Errorf(crossdock.Unavailable, "there is no file %s: write it, or name another with --config FILE", name)
	case err != nil:
		return nil, crossdock.Errorf(crossdock.Unavailable, "the configuration can't be read: %w", err)
	}
	return config.Load(name, src, s.types, look)
}

// rolesOf opens each connection whose references were looked up and sees which
// doors its connector has. What Open refuses is a problem of the configuration.
func rolesOf(cfg *config.Config) ([]role, error) {
	var out []role
	var problems config.Problems
	for _, n := range cfg.Connections {
		r := role{System: n.System, Unresolved: n.Unresolved()}
		if len(r.Unresolved) > 0 {
			out = append(out, r)
			continue
		}
		c, err := n.Open(connector.Env{Now: time.Now})
		if err != nil {
			problems = append(problems, cfg.Wrong(n, err)...)
			continue
		}
		if _, ok := c.(connector.Receiver); ok {
			r.Receives = "http://" + cfg.Listen + "/in/" + string(n.System)
		}
		if p, ok := c.(connector.Puller); ok && n.Pull > 0 {
			r.Pulls = p.Kinds()
		}
		if _, ok := c.(connector.Pusher); ok {
			r.Pushes = n.Takes
		}
		out = append(out, r)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}

// summary says in a few lines what the hub will do.
func (s *shell) summary(cfg *config.Config, roles []role) {
	s.print("%s is good: %s, %s.", cfg.Name, count(len(cfg.Connections), "connection"), count(len(cfg.Companies), "company"))
	for i, n := range cfg.Connections {
		s.print("\n%s (%s): %s", n.System, n.Type.Name, n.Type.Doc)
		w := s.table()
		line := func(what, text string) {
			if text != "" {
				w.row("  %s\t%s", what, text)
			}
		}
		r := roles[i]
		line("receives at", r.Receives)
		if len(r.Pulls) > 0 {
			line("pulls", kindText(r.Pulls)+", every "+n.PullText())
		}
		line("pushes", kindText(r.Pushes))
		line("owns", kindText(n.Owns))
		line("orders are of", n.Company)
		line("and ship from", strings.Join(n.Sites, ", else "))
		line("settles in", n.Settles.String())
		line("not looked up", strings.Join(r.Unresolved, ", "))
		w.end()
	}
	if cfg.Store.Postgres() {
		s.print("\nJournal and book are kept in PostgreSQL, the socket in %s.", cfg.Data)
	} else {
		s.print("\nJournal and book are kept in %s.", cfg.Data)
	}
}

func kindText(kinds []crossdock.Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(slices.Compact(words), ", ")
}
