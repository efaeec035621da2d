package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/replay"
)

// traceCommand tells the story of one record.
type traceCommand struct {
	Record string `arg:"" help:"The record: order/1001, or as a system knows it, shop/order/gid://shopify/Order/1001."`
}

// Run implements trace.
func (c *traceCommand) Run(s *shell, g *globals) error {
	return s.ask(g, func(hub app.Asked) error {
		story, err := hub.Trace(s.ctx, c.Record)
		if err != nil {
			return err
		}
		if g.JSON {
			return s.json(story)
		}
		s.story(story)
		return nil
	})
}

// ask runs f with the hub of the configuration. It needs none of its secrets but,
// where no hub runs here, the address of a database.
func (s *shell) ask(g *globals, f func(app.Asked) error) error {
	cfg, err := s.load(g.Config, config.Lookup{})
	if err != nil {
		return err
	}
	hub, err := app.Ask(s.ctx, cfg, s.look)
	if err != nil {
		return err
	}
	defer func() { _ = hub.Close() }() // it was only read from
	return f(hub)
}

func (s *shell) story(st *replay.Story) {
	state := st.Record.Text("state")
	if state != "" {
		state = ": " + state
	}
	s.print("%s%s (revision %d)", st.Of.Short(), state, st.Rev)
	if o, err := replay.Order(st.Record); err == nil {
		s.order(o)
	}
	if len(st.Entries) > 0 {
		s.print("\nWhat happened")
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, e := range st.Entries {
			fmt.Fprintf(w, "  %d\t%s\t%s\t→ %s\n", e.Seq, clock(e.At), e.What, e.Effect)
		}
		_ = w.Flush()
	}
	if len(st.Systems) > 0 {
		s.print("\nWhat the systems hold")
		for _, h := range st.Systems {
			s.print("  %s %s%s", h.System, h.Key, holding(h))
		}
	}
	if st.Promise != nil {
		s.print("\nWhat is promised at %s", st.Promise.Site.Key)
		for _, line := range st.Promise.Lines {
			s.print("  %s × %s", line.Count, line.Item.Key)
		}
	}
	s.works("What is still to do", st.Work)
	for _, x := range st.Exceptions {
		if x.Open() {
			s.print("\nException %s\n  %s", x.ID, x.Text)
		}
	}
}

func (s *shell) order(o crossdock.Order) {
	for _, line := range o.Lines {
		s.print("  %s × %s  %s  %s", line.Quantity, line.SKU, line.Net().Round(), line.Title)
	}
	for _, c := range o.Charges {
		s.print("  %s  %s", c.Title, c.Net().Round())
	}
	if !o.Discount.IsZero() {
		s.print("  discount  −%s", o.Discount)
	}
	s.print("  total %s", o.Totals.Total)
	for _, f := range o.Findings {
		s.print("  %s: %s", f.Grade, f.Text)
	}
}

func holding(h replay.Holding) string {
	text := ""
	if state := h.Held.Text("state"); state != "" {
		text += ": " + state
	}
	switch {
	case h.Gone:
		text += " (deleted there)"
	case h.Open > 0:
		text += " (a push is on its way)"
	case h.Unknown:
		text += " (not known for certain: it is being looked up)"
	case h.Key == "":
		text += "(not there yet)"
	}
	return text
}

func (s *shell) works(title string, list []replay.Work) {
	if len(list) == 0 {
		return
	}
	s.print("\n%s", title)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, work := range list {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\tsince %s\t%s\n", work.System, work.Do, work.Of.Short(), work.State, clock(work.Since), work.Why)
	}
	_ = w.Flush()
}

// clock writes a time as people compare it with their own day.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
