package main

import (
	"log/slog"

	"github.com/crossdockhq/crossdock/app"
)

// serveCommand runs the hub until it is told to end.
type serveCommand struct {
	Verbose bool `short:"v" help:"Log what is done, not only what goes wrong."`
}

// Run implements serve. The log goes to standard error, as JSON with --json.
func (c *serveCommand) Run(s *shell, g *globals) error {
	cfg, err := s.load(g.Config, s.look)
	if err != nil {
		return err
	}
	hub, err := app.Open(s.ctx, cfg, s.log(g, c.Verbose))
	if err != nil {
		return err
	}
	return hub.Run(s.ctx)
}

// log makes the one logger of a command.
func (s *shell) log(g *globals, verbose bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		o.Level = slog.LevelDebug
	}
	if g.JSON {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}
