package main

import (
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/replay"
)

// traceCommand tells the story of one record.
type traceCommand struct {
	Entry  int64  `placeholder:"SEQ" help:"Show one entry as it was filed, headers and body, and what came of it."`
	Record string `arg:"" optional:"" help:"The record: an order's number (1001, S00042), order/1001, or as a system knows it, shop/order/gid://shopify/Order/1001."`
}

// Run implements trace.
func (c *traceCommand) Run(s *shell, g *globals) error {
	if (c.Entry > 0) == (c.Record != "") {
		return crossdock.Errorf(crossdock.Invalid, "say what to trace: a record such as order/1001, or --entry SEQ")
	}
	if c.Entry > 0 {
		return s.entry(g, c.Entry)
	}
	if err := knownRecord(c.Record); err != nil {
		return err
	}
	return s.ask(g, func(_ *config.Config, hub app.Asked) error {
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

// knownRecord reports what is no reference to a record: a number, order/1001, or
// SYSTEM/KIND/KEY.
func knownRecord(ref string) error {
	if ref != "" && !strings.Contains(ref, "/") && !slices.Contains(crossdock.KindNames(), ref) {
		return nil
	}
	whole := ref
	if strings.Count(ref, "/") == 1 {
		whole = string(crossdock.BookSystem) + "/" + ref
	}
	of, err := crossdock.ParseRef(whole)
	if err != nil {
		return crossdock.Errorf(crossdock.Invalid, "%q names no record: write for instance order/1001, or shop/order/gid://shopify/Order/1001", ref)
	}
	if !slices.Contains(crossdock.KindNames(), string(of.Kind)) {
		return crossdock.Errorf(crossdock.Invalid, "%s: %s", ref, unknownWord("kind of record", string(of.Kind), crossdock.KindNames()))
	}
	return nil
}

// ask runs f with the hub of the configuration. It needs none of its secrets but,
// where no hub runs here, the address of a database.
func (s *shell) ask(g *globals, f func(*config.Config, app.Asked) error) error {
	cfg, err := s.load(g.Config, config.Lookup{})
	if err != nil {
		return err
	}
	hub, err := app.Ask(s.ctx, cfg, s.look)
	if err != nil {
		return err
	}
	defer func() { _ = hub.Close() }() // it was only read from
	return f(cfg, hub)
}

func (s *shell) story(st *replay.Story) {
	state := st.Record.Text("state")
	if state != "" {
		state = ": " + state
	}
	called := ""
	if n := st.Record.Text("number"); st.Of.Kind == crossdock.KindOrder && n != st.Of.Key {
		called = n
	}
	s.print("%s%s (revision %d)", numberedRef(st.Of, called), state, st.Rev)
	if o, err := replay.Order(st.Record); err == nil && st.Of.Kind == crossdock.KindOrder {
		s.order(o)
	}
	s.people(st.People)
	if len(st.Entries) > 0 {
		s.print("\nWhat happened")
		w := s.table()
		for _, e := range st.Entries {
			w.row("  %d\t%s\t%s\t→ %s", e.Seq, clock(e.At), short(e.What), e.Effect)
		}
		w.end()
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
			s.print("\nException %s\n  %s", x.ID, short(x.Text))
		}
	}
}

// people prints names and addresses: the command line is for people who may see
// them, with access to the data directory.
func (s *shell) people(list []replay.Person) {
	if len(list) == 0 {
		return
	}
	s.print("\nWho it is about")
	w := s.table()
	for _, p := range list {
		as, of := p.As, ""
		if p.Party.Role != "" && (p.As == "itself" || p.As == "address") {
			as += " (" + string(p.Party.Role) + ")"
		}
		if !p.Of.IsZero() {
			of = p.Of.Short()
		}
		w.row("  %s\t%s\t%s", as, commas(p.Party.Name, p.Party.Company, p.Party.Email, p.Party.Phone, taxID(p.Party.TaxID)), of)
		if text := addressText(p.Party); text != "" {
			w.row("  \t%s", text)
		}
	}
	w.end()
}

func taxID(id string) string {
	if id == "" {
		return ""
	}
	return "tax id " + id
}

// addressText writes an address on one line; the name on it only where it is another.
func addressText(p crossdock.Party) string {
	a := p.Address
	if a.Name == p.Name {
		a.Name = ""
	}
	if a.Company == p.Company {
		a.Company = ""
	}
	if a.Phone == p.Phone {
		a.Phone = ""
	}
	return commas(a.Name, a.Company, a.Street, a.Street2, a.City, strings.TrimSpace(a.Region+" "+a.Zip), a.Country, a.Phone)
}

func commas(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
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
	w := s.table()
	for _, work := range list {
		w.row("  %s\t%s\t%s\t%s\tsince %s\t%s", work.System, work.Do, numberedRef(work.Of, work.Number), work.State, clock(work.Since), short(work.Why))
	}
	w.end()
}

// numberedRef writes a record of the book, with what people call it where that is not
// its key.
func numberedRef(of crossdock.Ref, number string) string {
	if number == "" {
		return of.Short()
	}
	return of.Short() + " (" + number + ")"
}

// clock writes a time as people compare it with their own day.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
