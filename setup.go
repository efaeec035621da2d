package crossdock

import (
	"slices"
	"time"
)

// Setup is the configuration the core decides by, filed whenever it changes. It
// holds no secret: connections are known by name and role only.
type Setup struct {
	Hash        string       `json:"hash"`
	Companies   []Company    `json:"companies,omitempty"`
	Connections []Connection `json:"connections"`
}

// Company sells in one currency and keeps one calendar.
type Company struct {
	Key      string `json:"key"`
	Currency string `json:"currency"`
	Zone     string `json:"zone"` // IANA, for instance Europe/Berlin
}

// Connection is one outside system in its role.
type Connection struct {
	System    System        `json:"system"`
	Connector string        `json:"connector"`         // "odoo", "shopify"
	Takes     []Kind        `json:"takes,omitempty"`   // kinds the hub pushes to it
	Owns      []Kind        `json:"owns,omitempty"`    // kinds it is the system of record for
	Company   string        `json:"company,omitempty"` // of the orders that come from it
	Sites     []string      `json:"sites,omitempty"`   // keys of the sites its orders ship from, first choice first
	Settles   time.Duration `json:"settles,omitempty"` // the target's longest transaction

	Locations map[string]string `json:"locations,omitempty"` // name or key of a location of the system → key of the site it is
	Tell      []string          `json:"tell,omitempty"`      // what it is told of by itself; see TellCancellations
}

// TellCancellations has the hub call an order off in its channel when a person
// cancelled or deleted it in the ERP.
const TellCancellations = "cancellations"

// Tells lists what a connection may be told of by itself.
var Tells = []string{TellCancellations}

// Tells reports whether the connection is told of what.
func (c Connection) Tells(what string) bool { return slices.Contains(c.Tell, what) }

// Connection returns the connection named system.
func (s Setup) Connection(system System) (Connection, bool) {
	for _, c := range s.Connections {
		if c.System == system {
			return c, true
		}
	}
	return Connection{}, false
}

// Takers returns the systems that are pushed records of kind, in their order.
func (s Setup) Takers(kind Kind) []System {
	var out []System
	for _, c := range s.Connections {
		for _, k := range c.Takes {
			if k == kind {
				out = append(out, c.System)
			}
		}
	}
	return out
}

// Owns reports whether system is the system of record for kind.
func (s Setup) Owns(system System, kind Kind) bool {
	c, _ := s.Connection(system)
	for _, k := range c.Owns {
		if k == kind {
			return true
		}
	}
	return false
}
