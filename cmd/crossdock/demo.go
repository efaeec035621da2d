package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/app"
)

// started is when the program began: the demo measures from here.
var started = time.Now()

// demoCommand shows the hub at work.
type demoCommand struct {
	Once     bool   `help:"End when the trade is over, instead of waiting to be looked at."`
	Orders   int    `default:"200" help:"How many orders are placed (${default})."`
	Seed     int64  `default:"1" help:"Another seed is another trade (${default})."`
	Store    string `default:"sqlite" help:"Where journal and book are kept: sqlite, or postgres, for which a throw-away server is started (${default})."`
	Database string `env:"CROSSDOCK_DEMO_DATABASE" placeholder:"URL" help:"With --store postgres: use this database, in a schema that is dropped in the end."`
}

// Run implements demo. It ends well only if nothing is lost, doubled, oversold or
// left different.
func (c *demoCommand) Run(s *shell, g *globals) (err error) {
	if c.Orders < 50 || c.Orders > 5000 {
		return crossdock.Errorf(crossdock.Invalid, "--orders %d: a demo has 50 to 5000 orders", c.Orders)
	}
	say := func(line string) { s.print("%s", line) }
	if g.JSON {
		say = func(line string) { fmt.Fprintln(s.err, line) }
	}
	var demo *app.Demo
	demo, err = app.NewDemo(app.DemoOptions{
		Types: s.types, Orders: c.Orders, Seed: c.Seed, Store: c.Store, Database: c.Database, Started: started, Say: say, Limit: 3 * time.Minute, Log: slog.New(slog.DiscardHandler),
		Shown: func(ctx context.Context, sum *app.DemoSummary) error { return c.shown(ctx, s, g, demo, sum) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, demo.Close()) }()
	return demo.Run(s.ctx)
}

// shown prints what the systems hold; without --once the hub can then be asked
// until the demo is ended.
func (c *demoCommand) shown(ctx context.Context, s *shell, g *globals, demo *app.Demo, sum *app.DemoSummary) error {
	if g.JSON {
		if err := s.json(sum); err != nil {
			return err
		}
	} else {
		s.demo(sum)
	}
	if len(sum.Wrong) > 0 {
		return crossdock.Errorf(crossdock.Conflict, "%s:\n  %s", count(len(sum.Wrong), "thing")+" must not be", strings.Join(sum.Wrong, "\n  "))
	}
	if c.Once {
		return nil
	}
	ask := "crossdock -c " + demo.Config()
	fmt.Fprintf(s.err, "\nThe hub still runs. Ask it from another shell, and end it here with Ctrl-C:\n  %s trace order/1001\n  %s exceptions\n  %s work\n", ask, ask, ask)
	<-ctx.Done()
	return nil
}

func (s *shell) demo(sum *app.DemoSummary) {
	s.print("")
	w := s.table()
	for _, row := range []struct {
		what string
		n    any
	}{
		{"orders in", sum.OrdersIn}, {"= confirmed in Odoo, once each", sum.OrdersConfirmed}, {"+ cancelled", sum.OrdersCancelled},
		{"+ test orders, kept out of Odoo", sum.Tests}, {"+ exceptions, each holding one order", sum.Exceptions},
		{"duplicates in Odoo", sum.OdooDuplicates}, {"oversold units", sum.OversoldUnits}, {"stock differences", sum.StockDifferences},
		{"Odoo calls per order, polling included", sum.OdooCallsPerOrder}, {"seconds to the first order in Odoo", sum.SecondsToFirstOrder}, {"seconds", sum.Seconds},
	} {
		w.row("  %s\t%v", row.what, row.n)
	}
	w.end()
	for _, p := range sum.Planted {
		s.print("\nplanted: %s", p)
	}
}
