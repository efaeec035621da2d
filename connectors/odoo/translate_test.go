package odoo

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// statementText is a statement as goldens show it.
type statementText struct {
	Of      crossdock.Ref    `json:"of"`
	Version string           `json:"version,omitempty"`
	At      time.Time        `json:"at,omitzero"`
	Said    crossdock.Record `json:"said,omitzero"`
	Says    crossdock.Fields `json:"says,omitempty"`
	Gone    bool             `json:"gone,omitempty"`
	Names   []string         `json:"names,omitempty"`
	Fault   *crossdock.Fault `json:"fault,omitempty"`
}

type rowCase struct {
	Name    string          `json:"name"`
	Kind    crossdock.Kind  `json:"kind"`
	Key     string          `json:"key"`
	Version string          `json:"version"`
	Meta    crossdock.Meta  `json:"meta"`
	Body    json.RawMessage `json:"body"`
}

func (c rowCase) message() crossdock.Message {
	return crossdock.Message{From: "odoo", Kind: c.Kind, Key: c.Key, Version: c.Version, Meta: c.Meta, Body: c.Body}
}

func TestTranslate(t *testing.T) {
	var cases []rowCase
	readJSON(t, "rows.json", &cases)
	got := map[string]statementText{}
	conn := connOf(Config{})
	for _, c := range cases {
		m := c.message()
		said := conn.Translate(m)
		again := conn.Translate(c.message())
		if len(said) != 1 || string(raw(said)) != string(raw(again)) {
			t.Fatalf("%s: %d statements, or other ones the second time", c.Name, len(said))
		}
		s := said[0]
		if s.Fault != nil && (len(s.Names) > 0 || !s.Said.IsZero()) {
			t.Errorf("%s: a faulty statement says something: %+v", c.Name, s)
		}
		got[c.Name] = statementText{s.Of, s.Version, s.At, s.Said, s.Says, s.Gone, s.Names, s.Fault}
	}
	golden(t, "statements.json", indent(t, got))
	if said := conn.Translate(crossdock.Message{From: "odoo", Kind: crossdock.KindItem, Fault: &crossdock.Fault{Text: "too large"}}); said != nil {
		t.Errorf("a message intake found fault with is translated: %v", said)
	}
}

// FuzzTranslate: whatever a row holds, there is one statement, it is about the
// record the message names, and it is usable or says why not.
func FuzzTranslate(f *testing.F) {
	var cases []rowCase
	readJSON(&testing.T{}, "rows.json", &cases)
	for _, c := range cases {
		f.Add(string(c.Kind), c.Key, []byte(c.Body))
	}
	conn := connOf(Config{})
	f.Fuzz(func(t *testing.T, kind, key string, body []byte) {
		said := conn.Translate(crossdock.Message{From: "odoo", Kind: crossdock.Kind(kind), Key: key, Body: body})
		if len(said) != 1 {
			t.Fatalf("%d statements", len(said))
		}
		s := said[0]
		if s.Of != (crossdock.Ref{System: "odoo", Kind: crossdock.Kind(kind), Key: key}) {
			t.Fatalf("about %s", s.Of)
		}
		if s.Fault == nil && !s.Gone && s.Said.IsZero() {
			t.Fatal("it says nothing and not why")
		}
	})
}
