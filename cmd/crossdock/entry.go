package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/config"
)

// entry shows one entry as it was filed, and what came of it.
func (s *shell) entry(g *globals, seq int64) error {
	return s.ask(g, func(_ *config.Config, hub app.Asked) error {
		f, err := hub.Entry(s.ctx, seq)
		if err != nil {
			return err
		}
		if g.JSON {
			return s.json(f)
		}
		s.print("entry %d: %s, %s", f.Seq, f.Kind, clock(f.At))
		w := s.table()
		if f.From != "" {
			w.row("  from\t%s", f.From)
		}
		for _, name := range slices.Sorted(maps.Keys(f.Meta)) {
			w.row("  %s\t%s", name, f.Meta[name])
		}
		if f.Fault != nil {
			w.row("  fault\t%s %s", f.Fault.Place, f.Fault.Text)
		}
		for _, of := range f.Refs {
			w.row("  about\t%s", of.Short())
		}
		w.row("  effect\t%s", f.Effect)
		w.row("  body\t%s %s", count(f.Size, "byte"), f.Digest)
		w.end()
		switch {
		case f.Gone:
			s.print("\nThe body has moved to the archive.")
		case f.Text == "" && f.Size > 0:
			s.print("\nThe body is no text.")
		case f.Size > 0:
			s.print("")
			for line := range strings.Lines(f.Text) { // each of them set in: none can be taken for one of ours
				s.print("  | %s", strings.TrimRight(line, "\r\n"))
			}
		}
		return nil
	})
}
