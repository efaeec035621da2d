package main

import (
	"fmt"
	"os/user"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/core"
)

// exceptionsCommand lists what people have to act on, and acts.
type exceptionsCommand struct {
	List  listExceptions  `cmd:"" default:"withargs" help:"List the open exceptions, the oldest first."`
	Retry retryExceptions `cmd:"" help:"Try again what an exception holds back."`
	Drop  dropExceptions  `cmd:"" help:"Close an exception that needs nothing more, with a reason."`
}

type listExceptions struct {
	All bool `help:"The closed ones too."`
}

// Run implements exceptions.
func (c *listExceptions) Run(s *shell, g *globals) error {
	return s.ask(g, func(hub app.Asked) error {
		list, err := hub.Exceptions(s.ctx, c.All)
		if err != nil {
			return err
		}
		door, running, err := hub.Door(s.ctx)
		if err != nil {
			return err
		}
		if g.JSON {
			answer := struct {
				Exceptions []*core.Exception `json:"exceptions"`
				Door       *app.DoorCounts   `json:"door,omitempty"` // since the hub started; left out when it does not run
			}{Exceptions: append([]*core.Exception{}, list...)}
			if running {
				answer.Door = &door
			}
			return s.json(answer)
		}
		if len(list) == 0 {
			s.print("There are no exceptions.")
		}
		for _, x := range list {
			s.exception(x)
		}
		if door.Unsigned > 0 {
			s.print("\n%s refused at the door since the hub started, not signed by their connection's secret: has it been rotated?", count(int(door.Unsigned), "message"))
		}
		return nil
	})
}

func (s *shell) exception(x *core.Exception) {
	s.print("%s  %s", clock(x.Opened), x.ID)
	s.print("    %s", x.Text)
	about := "for the " + x.Owner
	if !x.Of.IsZero() {
		about = x.Of.Short() + ", " + about
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
	ID string `arg:"" help:"The exception, as list names it, or a record such as order/1001."`
}

// Run implements exceptions retry.
func (c *retryExceptions) Run(s *shell, g *globals) error {
	return s.act(g, c.ID, crossdock.Action{Do: "retry"})
}

type dropExceptions struct {
	ID   string `arg:"" help:"The exception, as list names it."`
	Note string `required:"" help:"Why nothing more is needed; kept for good."`
}

// Run implements exceptions drop.
func (c *dropExceptions) Run(s *shell, g *globals) error {
	return s.act(g, c.ID, crossdock.Action{Do: "drop", Note: c.Note})
}

// act files what somebody decided about an open exception. An exception that is
// not there is wrong input: better told than filed.
func (s *shell) act(g *globals, id string, a crossdock.Action) error {
	return s.ask(g, func(hub app.Asked) error {
		list, err := hub.Exceptions(s.ctx, false)
		if err != nil {
			return err
		}
		found := false
		for _, x := range list {
			if x.ID == id || a.Do == "retry" && x.Of.Short() == id {
				found, id = true, x.ID
			}
		}
		if !found {
			return crossdock.Errorf(crossdock.Invalid, "there is no open exception %q: crossdock exceptions lists them", id)
		}
		a.By, a.With = who(), map[string]string{"exception": id}
		if err := hub.Act(s.ctx, a); err != nil {
			return err
		}
		if g.JSON {
			return s.json(a)
		}
		s.print("Filed: %s %s, by %s.", a.Do, id, a.By)
		return nil
	})
}

// who is the person at the command line, by the name the machine knows.
func who() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
