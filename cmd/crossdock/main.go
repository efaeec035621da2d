// Command crossdock is the hub: it checks a configuration, runs it, and answers
// questions about what happened. This package only reads the command line; each
// command has a file of its own.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/crossdockhq/crossdock/bench"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	s := &shell{ctx: ctx, out: os.Stdout, err: os.Stderr, types: connectors(), look: config.System()}
	code := s.run(os.Args[1:])
	stop()
	os.Exit(code)
}

// cli is the command line. A command is a line here and a file of its own.
type cli struct {
	globals

	Demo       demoCommand       `cmd:"" help:"Show the hub at work with the systems around it, all on this machine."`
	Serve      serveCommand      `cmd:"" help:"Run the hub until it is told to end."`
	Check      checkCommand      `cmd:"" help:"Check the configuration and say what the hub will do with it."`
	Trace      traceCommand      `cmd:"" help:"Tell the story of one record over all systems."`
	Exceptions exceptionsCommand `cmd:"" help:"List what people have to act on; retry or drop it."`
	Work       workCommand       `cmd:"" help:"List what is still to be done in other systems, and why it is not yet."`
	Sandbox    sandboxCommand    `cmd:"" help:"Run stand-ins of the outside systems, to try a hub against."`
	Test       testCommand       `cmd:"" help:"Run scenarios (docs/concepts/scenarios.md)."`
	Bench      benchCommand      `cmd:"" help:"Measure the hub on this machine, beside floors."`
	Schema     schemaCommand     `cmd:"" help:"Print the JSON Schema of a kind of record, or of the configuration."`
	Version    versionCommand    `cmd:"" help:"Print which crossdock this is."`
}

// globals are the flags that every command has.
type globals struct {
	Config string `short:"c" default:"crossdock.yaml" placeholder:"FILE" help:"The configuration (${default})."`
	JSON   bool   `name:"json" help:"Answer with one JSON object, also about errors."`
}

const description = `Crossdock keeps a distributor's shops, Odoo and other systems agreeing: orders in, stock and states out.

Exit codes: 0 good, 1 a defect of crossdock, 2 wrong usage or configuration,
3 something around it is missing (a file, a port, a right), 4 differences were found.`

// shell is what a command is run in.
type shell struct {
	ctx      context.Context
	out, err io.Writer
	raw      io.Writer // standard output for programs: what is out without leaving anything out
	types    []connector.Type
	look     config.Lookup
	answered bool // the one JSON object was written
}

// run reads the arguments, runs the command they name, reports its error and
// returns the exit code.
func (s *shell) run(args []string) int {
	s.raw, s.out, s.err = s.out, plainWriter{s.out}, plainWriter{s.err}
	var c cli
	done := false
	k, err := kong.New(&c,
		kong.Name("crossdock"), kong.Description(description), kong.Writers(s.out, s.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Exit(func(int) { done = true }), // after --help; errors come back as such
		kong.Bind(s, &c.globals), kong.Vars{"benches": bench.Names()},
	)
	if err != nil {
		return s.fail(&globals{}, err)
	}
	line, err := k.Parse(args)
	if done {
		return exitGood
	}
	if err != nil {
		// The flags may not have been read as far as --json.
		return s.fail(&globals{JSON: slices.Contains(args, "--json")}, err)
	}
	return s.fail(&c.globals, line.Run())
}
