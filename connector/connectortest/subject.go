package connectortest

import (
	"net/http"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// System is the name of the connection that Exercise opens.
const System crossdock.System = "outside"

// Subject is a connector with the world outside it: what Exercise is given.
type Subject struct {
	Type connector.Type
	// World makes a new world outside, the same each time. t is for its own trouble:
	// what the connector does wrong is not said there.
	World func(t *testing.T) *World
}

// World is an outside system as its people see it. Its functions end the test where
// what they are told to do can't be done.
type World struct {
	Handler http.Handler // the system; Exercise serves it behind a Proxy
	// Open makes a connector to the system at a URL, with credentials that are good.
	Open func(url string, env connector.Env) (connector.Connector, error)
	// Now and Advance are the clock of the world and of the connector.
	Now     func() time.Time
	Advance func(time.Duration)
	// Credential takes the connector's credential back, or gives it back.
	Credential func(good bool)
	// Secrets are what the connector was given and nobody may read.
	Secrets []string
	// Records says of each kind that is pulled how people make and change it.
	Records map[crossdock.Kind]Records
	// Writes are the pushes of each kind that is taken.
	Writes []Write
	// Projections are canonical records to be projected, of each kind that is taken.
	Projections []Projection
	// Find are refs of records that are there and can be looked at.
	Find func() []crossdock.Ref
	// Webhooks is what the system sends; nil for one that sends nothing.
	Webhooks *Webhooks
}

// Records is how people make and change records of a kind.
type Records struct {
	Page  int                  // how many of them one page of a pull holds
	Make  func(n int) []string // makes n more and returns their keys
	Alter func(key string)     // changes one visibly
	// Delete takes one away; nil where nobody can, and Never says why.
	Delete func(key string)
	Never  string
}

// Write is one kind of push: making an order, confirming it, changing a customer.
type Write struct {
	Name string
	Kind crossdock.Kind
	// Push projects n new pushes of canonical records, each with one effect to come.
	Push func(n int) []crossdock.Push
	// Poison spoils a push so that the system refuses it, and it alone.
	Poison func(crossdock.Push) crossdock.Push
	// Effects counts what a push did in the world: 0 or 1 where all is well.
	Effects func(crossdock.Push) int
}

// Webhooks is what the system sends.
type Webhooks struct {
	Header string   // the one that holds the signature
	Bodies [][]byte // genuine bodies, JSON objects
	// Sign makes a genuine request of any body.
	Sign func(body []byte) *http.Request
}

// Projection is what Project is asked.
type Projection struct {
	Record crossdock.Record
	View   crossdock.View
	Known  connector.Known
}
