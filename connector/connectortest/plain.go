// Package connectortest holds a small world outside for tests of the hub's rooms:
// connectors whose messages are statements written as JSON, a shop and a target
// that keep their state outside the hub and count what was done to them.
package connectortest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Row is one statement as a Plain connector's messages write it.
type Row struct {
	Kind    crossdock.Kind   `json:"kind"`
	Key     string           `json:"key"`
	Version string           `json:"version,omitempty"`
	Gone    bool             `json:"gone,omitempty"`
	Fault   string           `json:"fault,omitempty"`
	Names   []string         `json:"names,omitempty"`
	Fields  map[string]any   `json:"fields,omitempty"`
	Says    crossdock.Fields `json:"says,omitempty"`
}

// Body writes rows as the body of a message, a row a line.
func Body(rows ...Row) []byte {
	var b strings.Builder
	b.WriteByte('[')
	for i, r := range rows {
		if i > 0 {
			b.WriteString(",\n")
		}
		line, err := json.Marshal(r)
		if err != nil {
			panic(err) // rows of a test are JSON
		}
		b.Write(line)
	}
	b.WriteByte(']')
	return []byte(b.String())
}

// Plain is the smallest connector: it translates messages that Body wrote, and
// receives them by HTTP with kind and key of the record in the headers Kind and
// Key. It believes everybody.
type Plain struct{}

// Panics is a fault text at which Translate panics, as a defective connector would.
const Panics = "translate panics"

// Ping implements connector.Connector.
func (Plain) Ping(context.Context) error { return nil }

// Translate implements connector.Translator.
func (Plain) Translate(m crossdock.Message) []crossdock.Statement {
	var rows []Row
	if err := json.Unmarshal(m.Body, &rows); err != nil {
		return []crossdock.Statement{{Of: crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}, Fault: crossdock.FaultOf(err)}}
	}
	out := make([]crossdock.Statement, len(rows))
	for i, r := range rows {
		if r.Fault == Panics {
			panic(r.Fault)
		}
		out[i] = r.statement(m.From)
	}
	return out
}

func (r Row) statement(from crossdock.System) crossdock.Statement {
	s := crossdock.Statement{Of: crossdock.Ref{System: from, Kind: r.Kind, Key: r.Key}, Version: r.Version, Gone: r.Gone, Names: r.Names, Says: r.Says}
	if r.Fault != "" {
		s.Fault = &crossdock.Fault{Code: crossdock.Invalid, Text: r.Fault}
		return s
	}
	s.Said = crossdock.Record{Kind: r.Kind, Form: 1}
	for name, value := range r.Fields {
		if err := s.Said.Set(name, value); err != nil {
			s.Fault = crossdock.FaultOf(err)
		}
	}
	return s
}

// Receive implements connector.Receiver.
func (Plain) Receive(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
	raw, err := connector.ReadRaw(r)
	if err != nil {
		return nil, connector.Answer{}, err
	}
	return []crossdock.Message{{Kind: crossdock.Kind(r.Header.Get("Kind")), Key: r.Header.Get("Key"), Body: raw.Body}}, connector.Answer{Status: http.StatusOK}, nil
}

// Shop is a channel that remembers what it said last of each record, and answers looks.
type Shop struct {
	Plain
	said map[crossdock.Ref]Row // by kind and key; System is empty
}

// Say returns the message with which the shop tells of rows, the last one being
// what the message is about. Ended orders and such are rows like any other.
func (s *Shop) Say(from crossdock.System, rows ...Row) crossdock.Message {
	if s.said == nil {
		s.said = map[crossdock.Ref]Row{}
	}
	for _, r := range rows {
		s.said[crossdock.Ref{Kind: r.Kind, Key: r.Key}] = r
	}
	last := rows[len(rows)-1]
	return crossdock.Message{From: from, Kind: last.Kind, Key: last.Key, Version: last.Version, Body: Body(rows...)}
}

// Find implements connector.Finder.
func (s *Shop) Find(_ context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	var out []crossdock.Message
	for _, ref := range refs {
		r, ok := s.said[crossdock.Ref{Kind: ref.Kind, Key: ref.Key}]
		if !ok {
			r = Row{Kind: ref.Kind, Key: ref.Key, Gone: true}
		}
		out = append(out, crossdock.Message{Kind: ref.Kind, Key: ref.Key, Version: r.Version, Body: Body(r)})
	}
	return out, nil
}

// Order returns a row of an order of one line, placed at noon: quantity of sku at 5 EUR.
func Order(number, customer, sku, quantity, total string) Row {
	return Row{Kind: crossdock.KindOrder, Key: number, Version: "1", Fields: map[string]any{
		"number": number, "placed": "2026-11-02T12:00:00Z", "currency": "EUR", "customer": customer,
		"lines":  []map[string]any{{"key": "1", "sku": sku, "quantity": quantity, "price": "5.00 EUR", "ships": true}},
		"totals": map[string]any{"total": total + " EUR"},
	}}
}

// Cancelled returns a row that calls an order off, which it otherwise leaves as it was.
func (r Row) Cancelled(version string) Row {
	r.Version = version
	fields := map[string]any{"cancelled": map[string]any{"at": "2026-11-02T13:00:00Z", "reason": "customer"}}
	for name, value := range r.Fields {
		fields[name] = value
	}
	r.Fields = fields
	return r
}

// Goods returns rows of a site E and of items with their stock there.
func Goods(onHand map[string]string) []Row {
	rows := []Row{{Kind: crossdock.KindSite, Key: "1", Version: "1", Fields: map[string]any{"code": "E", "name": "East"}}}
	var skus []string
	for sku := range onHand {
		skus = append(skus, sku)
	}
	slices.Sort(skus)
	for _, sku := range skus {
		rows = append(rows, Row{Kind: crossdock.KindItem, Key: sku, Version: "1", Names: []string{"sku:" + sku}, Fields: map[string]any{"sku": sku, "name": sku, "stocked": true, "active": true}})
	}
	for _, sku := range skus {
		rows = append(rows, Stock(sku, onHand[sku], "1"))
	}
	return rows
}

// Stock returns a reading of an item at site E.
func Stock(sku, onHand, version string) Row {
	return Row{Kind: crossdock.KindStock, Key: sku + "@1", Version: version, Fields: map[string]any{
		"item": "erp/item/" + sku, "site": "erp/site/1", "on_hand": onHand, "reserved": "0"}}
}

var (
	_ connector.Receiver = Plain{}
	_ connector.Finder   = (*Shop)(nil)
)
