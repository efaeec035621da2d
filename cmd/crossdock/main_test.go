package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/store/postgres/cluster"
)

// The scripts run the command line itself, with two connectors that speak with
// nobody in place of those the binary has.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"crossdock": func() {
			s := &shell{ctx: context.Background(), out: os.Stdout, err: os.Stderr, types: testTypes(), look: config.System()}
			os.Exit(s.run(os.Args[1:]))
		},
		// The binary as it is shipped.
		"crossdock-shipped": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			s := &shell{ctx: ctx, out: os.Stdout, err: os.Stderr, types: connectors(), look: config.System()}
			os.Exit(s.run(os.Args[1:]))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Condition: func(what string) (bool, error) {
			if what != "postgres" { // the programs of the server are on this machine
				return false, fmt.Errorf("there is no condition %s", what)
			}
			return cluster.Installed() == nil, nil
		}})
}

type bellConfig struct {
	Place  string        `yaml:"place" required:"true" doc:"Where the bell hangs."`
	Secret string        `yaml:"secret" required:"true" secret:"true" doc:"What callers sign with."`
	Every  time.Duration `yaml:"every" default:"1s" doc:"Time between two strokes."`
}

type ledgerConfig struct {
	URL string `yaml:"url" required:"true" doc:"Address of the ledger."`
	Key string `yaml:"key" secret:"true" doc:"Key to it."`
}

func testTypes() []connector.Type {
	return []connector.Type{
		connector.Define("bell", "Rings when an order comes in.", connector.Options{Owns: []crossdock.Kind{"order"}},
			func(c bellConfig, _ connector.Env) (connector.Connector, error) {
				if c.Place == "the sea" {
					return nil, crossdock.At("place", crossdock.Errorf(crossdock.Invalid, "no bell hangs there (signed %s)", c.Secret))
				}
				return bell{}, nil
			}),
		connector.Define("ledger", "Keeps what was sold.", connector.Options{
			Takes: []crossdock.Kind{"order", "party"}, Owns: []crossdock.Kind{"item"}, Settles: time.Minute,
		}, func(ledgerConfig, connector.Env) (connector.Connector, error) { return ledger{}, nil }),
	}
}

// bell receives.
type bell struct{}

func (bell) Ping(context.Context) error                        { return nil }
func (bell) Translate(crossdock.Message) []crossdock.Statement { return nil }
func (bell) Receive(*http.Request) ([]crossdock.Message, connector.Answer, error) {
	return nil, connector.Answer{Status: http.StatusOK}, nil
}

// ledger is pulled and pushed.
type ledger struct{ bell }

func (ledger) Receive()                {} // not a Receiver: another signature
func (ledger) Kinds() []crossdock.Kind { return []crossdock.Kind{"item", "order"} }
func (ledger) Pull(context.Context, crossdock.Kind, connector.Cursor) (connector.Page, error) {
	return connector.Page{}, nil
}
func (ledger) Project(crossdock.Record, crossdock.View, connector.Known) (connector.Wanted, error) {
	return connector.Wanted{}, nil
}
func (ledger) Push(context.Context, []crossdock.Push) []crossdock.Receipt { return nil }

// The shipped list of connectors is one that configurations and schemas can use.
func TestConnectors(t *testing.T) {
	if _, err := config.JSONSchema(connectors()); err != nil {
		t.Error(err)
	}
}

func TestExitCodes(t *testing.T) {
	_, inUse := listenTwice(t)
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing wrong", nil, 0},
		{"usage", &kong.ParseError{}, 2},
		{"wrong content", crossdock.Errorf(crossdock.Invalid, "x"), 2},
		{"a wrapped code", fmt.Errorf("order 7: %w", crossdock.Errorf(crossdock.Refused, "x")), 2},
		{"a wrong configuration", config.Problems{{Code: crossdock.Invalid}}, 2},
		{"a variable that is not set", config.Problems{{Code: crossdock.Unavailable}}, 3},
		{"both", config.Problems{{Code: crossdock.Unavailable}, {Code: crossdock.Invalid}}, 2},
		{"no such file", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, 3},
		{"no permission", fmt.Errorf("book: %w", fs.ErrPermission), 3},
		{"port in use", inUse, 3},
		{"disk full", fmt.Errorf("journal: %w", syscall.ENOSPC), 3},
		{"a system that is away", crossdock.Errorf(crossdock.Unavailable, "x"), 3},
		{"no rights there", crossdock.Errorf(crossdock.Unauthorized, "x"), 3},
		{"differences", crossdock.Errorf(crossdock.Conflict, "x"), 4},
		{"a defect", crossdock.Errorf(crossdock.Internal, "x"), 1},
		{"an error nobody coded", io.ErrUnexpectedEOF, 1},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.name, got, c.want)
		}
	}
}

// listenTwice returns the error of a port that is taken.
func listenTwice(t *testing.T) (net.Listener, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	again, err := net.Listen("tcp", l.Addr().String())
	if err == nil {
		again.Close()
		t.Fatal("a port was taken twice")
	}
	return l, err
}
