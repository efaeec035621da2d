package main

import (
	"fmt"
	"os/user"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/replay"
)

// exceptionsCommand lists what people have to act on, and acts.
type exceptionsCommand struct {
	List  listExceptions  `cmd:"" default:"withargs" help:"List the open exceptions, the oldest first."`
	Retry retryExceptions `cmd:"" help:"Try again what an exception holds back."`
	Drop  dropExceptions  `cmd:"" help:"Close an exception that needs nothing more, with a reason."`
}

// whichExceptions selects by what is known of an exception.
type whichExceptions struct {
	Check  string `help:"Only those of this check, the first word of an ID."`
	System string `help:"Only those about this connection."`
	Record string `help:"Only those about this record: order/1001."`
}

func (w whichExceptions) none() bool { return w == whichExceptions{} }

// asked turns the flags into a question; a check or connection that nobody has is
// wrong input, not an empty answer.
func (w whichExceptions) asked(cfg *config.Config) (replay.Asked, error) {
	a := replay.Asked{Check: w.Check, System: crossdock.System(w.System), Record: w.Record}
	if w.Check != "" && !slices.Contains(core.Checks(), w.Check) {
		return a, crossdock.Errorf(crossdock.Invalid, "--check: %s", unknownWord("check", w.Check, core.Checks()))
	}
	if w.Record != "" {
		if err := knownRecord(w.Record); err != nil {
			return a, err
		}
	}
	return a, knownConnection(cfg, "--system", w.System)
}

type listExceptions struct {
	whichExceptions
	All   bool   `help:"The closed ones too."`
	Limit int    `default:"100" help:"How many at most (${default})."`
	After string `placeholder:"ID" help:"Only those behind this one: the next page."`
}

// Run implements exceptions.
func (c *listExceptions) Run(s *shell, g *globals) error {
	if c.Limit < 1 || c.Limit > 100000 {
		return crossdock.Errorf(crossdock.Invalid, "--limit %d: write 1 to 100000", c.Limit)
	}
	return s.ask(g, func(cfg *config.Config, hub app.Asked) error {
		which, err := c.asked(cfg)
		if err != nil {
			return err
		}
		which.All, which.Limit, which.After = c.All, c.Limit, c.After
		list, err := hub.Exceptions(s.ctx, which)
		if err != nil {
			return err
		}
		door, running, err := hub.Door(s.ctx)
		if err != nil {
			return err
		}
		if g.JSON {
			answer := struct {
				replay.Listed
				Door *app.DoorCounts `json:"door,omitempty"` // since the hub started; left out when it does not run
			}{Listed: list}
			if running {
				answer.Door = &door
			}
			return s.json(answer)
		}
		s.exceptions(list, !c.none())
		if door.Unsigned > 0 {
			s.print("\n%s refused at the door since the hub started, not signed by their connection's secret: has it been rotated?", count(int(door.Unsigned), "message"))
		}
		return nil
	})
}

// exceptions prints a page; selected says that flags left some out.
func (s *shell) exceptions(list replay.Listed, selected bool) {
	if len(list.Exceptions) == 0 && selected {
		s.print("There are no such exceptions.")
	} else if len(list.Exceptions) == 0 {
		s.print("There are no exceptions.")
	}
	for _, x := range list.Exceptions {
		s.exception(x, list.Numbers[x.Of.Short()])
	}
	if list.More > 0 {
		s.print("\n%d more; the next page: the same with --after '%s'", list.More, list.Exceptions[len(list.Exceptions)-1].ID)
	}
}

func (s *shell) exception(x *core.Exception, number string) {
	s.print("%s  %s", clock(x.Opened), x.ID)
	s.print("    %s", short(x.Text))
	about := "for the " + x.Owner
	if !x.Of.IsZero() {
		about = numberedRef(x.Of, number) + ", " + about
	}
	if x.Count > 1 {
		about += fmt.Sprintf(", came up %d times", x.Count)
	}
	if x.Place != "" {
		about += ", at " + x.Place
	}
	if !x.Open() {
		about += ", closed " + clock(x.Closed) + ": " + x.Why
	}
	s.print("    %s", about)
}

type retryExceptions struct {
	whichExceptions
	ID string `arg:"" optional:"" help:"The exception, as list names it, or a record such as order/1001; left out: all that the flags select."`
}

// Run implements exceptions retry.
func (c *retryExceptions) Run(s *shell, g *globals) error {
	return s.act(g, c.ID, c.whichExceptions, crossdock.Action{Do: "retry"})
}

type dropExceptions struct {
	whichExceptions
	ID   string `arg:"" optional:"" help:"The exception, as list names it; left out: all that the flags select."`
	Note string `required:"" help:"Why nothing more is needed; kept for good."`
}

// Run implements exceptions drop.
func (c *dropExceptions) Run(s *shell, g *globals) error {
	return s.act(g, c.ID, c.whichExceptions, crossdock.Action{Do: "drop", Note: c.Note})
}

// act files what somebody decided about open exceptions: one, or all that the flags
// select. One that is not there is wrong input: better told than filed.
func (s *shell) act(g *globals, id string, which whichExceptions, a crossdock.Action) error {
	if (id == "") == which.none() {
		return crossdock.Errorf(crossdock.Invalid, "say which to %s: an ID, or flags such as --check stock, and not both", a.Do)
	}
	return s.ask(g, func(cfg *config.Config, hub app.Asked) error {
		asked, err := which.asked(cfg)
		if err != nil {
			return err
		}
		list, err := s.chosen(hub, id, asked, a.Do)
		if err != nil {
			return err
		}
		answer := acted{Filed: []crossdock.Action{}}
		seen := map[crossdock.Ref]bool{}
		for _, x := range list {
			if a.Do == "retry" && id == "" && x.Subject == "" && (x.Of.IsZero() || seen[x.Of]) {
				answer.Skipped++ // it names no record to try again, or one that is tried already
				continue
			}
			seen[x.Of] = true
			one := a
			one.By, one.With = who(), map[string]string{"exception": x.ID}
			answer.Filed = append(answer.Filed, one)
		}
		if err := hub.Act(s.ctx, answer.Filed); err != nil {
			return err
		}
		if g.JSON {
			return s.json(answer)
		}
		s.filed(answer, a.Do)
		return nil
	})
}

// acted is the answer of retry and drop with --json.
type acted struct {
	Filed   []crossdock.Action `json:"filed"`
	Skipped int                `json:"skipped"` // retry: they name no record, or one that another names too
}

func (s *shell) filed(answer acted, do string) {
	if len(answer.Filed) == 1 {
		s.print("Filed: %s %s, by %s.", do, answer.Filed[0].With["exception"], answer.Filed[0].By)
	} else {
		s.print("Filed: %s of %s, by %s.", do, count(len(answer.Filed), "exception"), who())
	}
	if answer.Skipped > 0 {
		s.print("%s left as they are: they name no record, or one that is tried again already.", count(answer.Skipped, "exception"))
	}
}

// chosen returns the open exceptions with an ID, for retry also those of a record,
// or those that asked selects; there is at least one.
func (s *shell) chosen(hub app.Asked, id string, asked replay.Asked, do string) ([]*core.Exception, error) {
	if id == "" {
		list, err := hub.Exceptions(s.ctx, asked)
		if err == nil && len(list.Exceptions) == 0 {
			err = crossdock.Errorf(crossdock.Invalid, "no open exception is like this: crossdock exceptions lists them")
		}
		return list.Exceptions, err
	}
	list, err := hub.Exceptions(s.ctx, replay.Asked{ID: id})
	if err == nil && len(list.Exceptions) == 0 {
		list, err = s.printed(hub, id)
	}
	if err == nil && len(list.Exceptions) == 0 && do == "retry" {
		list, err = hub.Exceptions(s.ctx, replay.Asked{Record: id, Limit: 1}) // one is enough: the record is tried again
	}
	if err == nil && len(list.Exceptions) == 0 {
		err = crossdock.Errorf(crossdock.Invalid, "there is no open exception %q: crossdock exceptions lists them", id)
	}
	return list.Exceptions, err
}

// printed returns the exceptions whose ID is printed like this: what a terminal would
// obey is left out of one that holds a stranger's words.
func (s *shell) printed(hub app.Asked, id string) (replay.Listed, error) {
	list, err := hub.Exceptions(s.ctx, replay.Asked{})
	list.Exceptions = slices.DeleteFunc(list.Exceptions, func(x *core.Exception) bool { return oneLine(x.ID) != id })
	return list, err
}

// knownConnection reports a flag that names a connection the configuration lacks.
func knownConnection(cfg *config.Config, flag, name string) error {
	if _, ok := cfg.Connection(crossdock.System(name)); ok || name == "" {
		return nil
	}
	var known []string
	for _, c := range cfg.Connections {
		known = append(known, string(c.System))
	}
	return crossdock.Errorf(crossdock.Invalid, "%s: %s", flag, unknownWord("connection", name, known))
}

// unknownWord says that there is no such word, and the nearest or all there are.
func unknownWord(what, word string, known []string) string {
	text := fmt.Sprintf("there is no %s %q", what, word)
	if near := crossdock.Nearest(word, known); near != "" {
		return text + fmt.Sprintf(": did you mean %q?", near)
	}
	return text + "; there are: " + strings.Join(known, ", ")
}

// who is the person at the command line, by the name the machine knows.
func who() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
