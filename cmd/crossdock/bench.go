package main

import (
	"os"
	"path/filepath"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/bench"
)

// benchCommand measures the hub on this machine.
type benchCommand struct {
	Names []string `arg:"" optional:"" name:"name" help:"What to measure (all): ${benches}."`
	Dir   string   `type:"existingdir" placeholder:"DIR" help:"Where to write: a directory on the disk that is measured (the system's temporary directory)."`
}

// Run implements bench.
func (c *benchCommand) Run(s *shell, g *globals) error {
	all, err := bench.Named(c.Names...)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.Dir, "crossdock-bench-")
	if err != nil {
		return crossdock.Errorf(crossdock.Unavailable, "make a temporary directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory; there is nothing else to do
	figures := []bench.Figure{}
	missed := 0
	for _, b := range all {
		where := filepath.Join(dir, b.Name)
		if err := os.Mkdir(where, 0o700); err != nil {
			return crossdock.Errorf(crossdock.Unavailable, "make a temporary directory: %w", err)
		}
		f, err := b.Run(s.ctx, bench.Options{Dir: where, Say: func(format string, a ...any) {
			if !g.JSON {
				s.print("  "+format, a...)
			}
		}})
		if err != nil {
			return crossdock.At(b.Name, err)
		}
		f.Name = b.Name
		figures = append(figures, f)
		if !f.Met() {
			missed++
		}
		if !g.JSON {
			s.print("%-14s %-8s %9.0f/s  floor %9.0f/s  ratio %.2f  %7.1f µs CPU  p99 %6.2f ms  n %d", f.Name, f.Store, f.Second, f.Floor, f.Ratio, f.CPU, f.P99, f.N)
		}
	}
	if g.JSON {
		if err := s.json(figures); err != nil {
			return err
		}
	}
	if missed > 0 {
		return crossdock.Errorf(crossdock.Conflict, "%d of %d figures are not what they have to be on an idle machine", missed, len(all))
	}
	return nil
}
