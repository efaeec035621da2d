package connectortest

import (
	"time"

	"github.com/crossdockhq/crossdock"
)

// Setup is the configuration of the small world outside: "shop" owns orders and "erp"
// takes them, with their customers, and owns what they are made of.
var Setup = crossdock.Setup{Hash: "h1", Connections: []crossdock.Connection{
	{System: "shop", Connector: "plain", Owns: []crossdock.Kind{crossdock.KindOrder}, Sites: []string{"E"}},
	{System: "erp", Connector: "plain", Takes: []crossdock.Kind{crossdock.KindParty, crossdock.KindOrder}, Owns: []crossdock.Kind{crossdock.KindItem, crossdock.KindSite, crossdock.KindStock}, Settles: time.Minute},
}}

// Message is what a system says of rows without being asked; it is about the last one.
func Message(from crossdock.System, rows ...Row) crossdock.Message {
	last := rows[len(rows)-1]
	return crossdock.Message{From: from, Kind: last.Kind, Key: last.Key, Version: last.Version, Body: Body(rows...)}
}
