package main

import (
	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/app"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/replay"
)

// workCommand lists what is still to be done outside.
type workCommand struct {
	Connection string `help:"Only the work of this connection."`
}

// Run implements work.
func (c *workCommand) Run(s *shell, g *globals) error {
	return s.ask(g, func(cfg *config.Config, hub app.Asked) error {
		if err := knownConnection(cfg, "--connection", c.Connection); err != nil {
			return err
		}
		list, err := hub.Work(s.ctx, crossdock.System(c.Connection))
		if err != nil {
			return err
		}
		if g.JSON {
			return s.json(struct {
				Work []replay.Work `json:"work"`
			}{append([]replay.Work{}, list...)})
		}
		if len(list) == 0 {
			s.print("Nothing is to be done.")
		}
		s.works(count(len(list), "thing")+" to do", list)
		return nil
	})
}
