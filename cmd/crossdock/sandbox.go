package main

import (
	"maps"
	"slices"

	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/scenario"
)

// sandboxCommand runs stand-ins of the outside systems, and acts in them.
type sandboxCommand struct {
	Start runSandbox  `cmd:"" name:"run" default:"withargs" help:"Run a shop and an Odoo on this machine until told to end."`
	Act   actSandbox  `cmd:"" help:"Do something in a running sandbox, in the words of scenarios: shop buy TEA-GREEN 2 as order-1001."`
	Show  showSandbox `cmd:"" help:"Show what a system of a running sandbox holds: odoo sale.order client_order_ref=1001."`
	List  wordSandbox `cmd:"" name:"words" help:"List what can be done in a sandbox and in scenarios."`
}

type runSandbox struct {
	Dir     string `default:"crossdock-sandbox" help:"Where the hub's crossdock.yaml is written, if there is none (${default})."`
	Shop    string `default:"127.0.0.1:8302" help:"Address of the shop (${default})."`
	Odoo    string `default:"127.0.0.1:8301" help:"Address of Odoo (${default})."`
	Control string `default:"127.0.0.1:8303" help:"Address act and show speak to (${default})."`
	Hub     string `default:"127.0.0.1:8300" help:"Address of the hub, to which webhooks go (${default})."`
}

// Run implements sandbox run.
func (c *runSandbox) Run(s *shell, g *globals) error {
	return app.Sandbox(s.ctx, app.SandboxOptions{Types: s.types, Dir: c.Dir, Shop: c.Shop, Odoo: c.Odoo, Control: c.Control, Hub: c.Hub, Up: func(up app.SandboxUp) error {
		if g.JSON {
			return s.json(up)
		}
		for _, line := range up.How() {
			s.print("%s", line)
		}
		return nil
	}})
}

type actSandbox struct {
	Control string   `default:"127.0.0.1:8303" help:"Address of the sandbox's control (${default})."`
	Words   []string `arg:"" help:"Who does what: shop buy TEA-GREEN 2 as order-1001."`
}

// Run implements sandbox act.
func (c *actSandbox) Run(s *shell, g *globals) error {
	if _, err := app.InSandbox(s.ctx, c.Control, "act", c.Words); err != nil {
		return err
	}
	if g.JSON {
		return s.json(struct{}{})
	}
	s.print("Done.")
	return nil
}

type showSandbox struct {
	Control string   `default:"127.0.0.1:8303" help:"Address of the sandbox's control (${default})."`
	Words   []string `arg:"" help:"A system, a model, and what selects: odoo sale.order client_order_ref=1001."`
}

// Run implements sandbox show.
func (c *showSandbox) Run(s *shell, g *globals) error {
	rows, err := app.InSandbox(s.ctx, c.Control, "show", c.Words)
	if err != nil {
		return err
	}
	if g.JSON {
		return s.json(struct {
			Rows []map[string]any `json:"rows"`
		}{append([]map[string]any{}, rows...)})
	}
	s.print("%s", count(len(rows), "row"))
	for _, row := range rows {
		s.print("")
		for _, name := range slices.Sorted(maps.Keys(row)) {
			s.print("  %s: %v", name, row[name])
		}
	}
	return nil
}

type wordSandbox struct{}

// Run implements sandbox words.
func (c *wordSandbox) Run(s *shell, g *globals) error {
	if g.JSON {
		return s.json(struct {
			Words []string `json:"words"`
		}{scenario.Words()})
	}
	for _, w := range scenario.Words() {
		s.print("%s", w)
	}
	return nil
}
