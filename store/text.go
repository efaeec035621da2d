package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

// Text is the body of an arrival as every store keeps it. Its bytes are what the
// digest covers, so they are the same in every store, and a book moved from one
// store to another keeps its chain.
type Text struct {
	Kind string // as in Taken: "message", "attempt", "result", "action", "tick", "setup"
	Head []byte // of a message: everything but its body, as JSON; else nil
	Body []byte // of a message: its body byte for byte; else the body as JSON
}

// head is a message without its body. Strings that are not UTF-8 (a header may
// be anything) are kept with U+FFFD in place of each wrong byte.
type head struct {
	From    crossdock.System `json:"from"`
	Kind    crossdock.Kind   `json:"kind"`
	Key     string           `json:"key,omitempty"`
	Version string           `json:"version,omitempty"`
	After   int64            `json:"after,omitempty"`
	Asked   time.Time        `json:"asked,omitzero"`
	Meta    crossdock.Meta   `json:"meta,omitempty"`
	Fault   *crossdock.Fault `json:"fault,omitempty"`
}

// WriteBody returns the text of a body. An empty body of a message is read back as nil.
func WriteBody(body crossdock.Body) (Text, error) {
	var t Text
	var err error
	switch b := body.(type) {
	case crossdock.Message:
		t = Text{Kind: "message", Body: b.Body}
		t.Head, err = writeJSON(head{b.From, b.Kind, b.Key, b.Version, b.After, b.Asked, b.Meta, b.Fault})
		return t, err
	case crossdock.Attempt:
		t.Kind = "attempt"
	case crossdock.Result:
		t.Kind = "result"
	case crossdock.Action:
		t.Kind = "action"
	case crossdock.Tick:
		t.Kind = "tick"
	case crossdock.Setup:
		t.Kind = "setup"
	default:
		return t, crossdock.Errorf(crossdock.Internal, "a %T can't be filed: only messages, attempts, results, actions, ticks and setups can, by value", body)
	}
	t.Body, err = writeJSON(body)
	return t, err
}

// ReadBody reads what WriteBody wrote. number is the arrival's: an attempt's ID.
func ReadBody(t Text, number int64) (crossdock.Body, error) {
	switch t.Kind {
	case "message":
		var h head
		if err := json.Unmarshal(t.Head, &h); err != nil {
			return nil, crossdock.Errorf(crossdock.Internal, "can't read the head of a message: %w", err)
		}
		m := crossdock.Message{From: h.From, Kind: h.Kind, Key: h.Key, Version: h.Version, After: h.After, Asked: h.Asked, Meta: h.Meta, Fault: h.Fault}
		if len(t.Body) > 0 {
			m.Body = t.Body
		}
		return m, nil
	case "attempt":
		a, err := readAs[crossdock.Attempt](t)
		a.ID = number
		return a, err
	case "result":
		return readAs[crossdock.Result](t)
	case "action":
		return readAs[crossdock.Action](t)
	case "tick":
		return readAs[crossdock.Tick](t)
	case "setup":
		return readAs[crossdock.Setup](t)
	}
	return nil, crossdock.Errorf(crossdock.Internal, "an arrival is of kind %q, which this hub does not know: run a newer crossdock", t.Kind)
}

func readAs[B crossdock.Body](t Text) (b B, err error) {
	if err := json.Unmarshal(t.Body, &b); err != nil {
		return b, crossdock.Errorf(crossdock.Internal, "can't read the body of an arrival of kind %s: %w", t.Kind, err)
	}
	return b, nil
}

// Digest returns SHA-256(salt ‖ kind ‖ head ‖ body): what the entry's chain covers
// instead of the body, so that erasing body and salt leaves the chain whole. Head
// is a JSON object, so the parts can't be mistaken for each other.
func (t Text) Digest(salt []byte) []byte {
	h := sha256.New()
	for _, part := range [][]byte{salt, []byte(t.Kind), t.Head, t.Body} {
		h.Write(part)
	}
	return h.Sum(nil)
}

// WriteRow returns a row as JSON.
func WriteRow(r core.Row) ([]byte, error) {
	b, err := writeJSON(r)
	if err != nil {
		at := r.Address()
		return nil, crossdock.Errorf(crossdock.Internal, "row %s %s: %w", at.Table, at.Key, err)
	}
	return b, nil
}

// ReadRow reads what WriteRow wrote.
func ReadRow(t core.Table, b []byte) (core.Row, error) {
	r := core.NewRow(t)
	if r == nil {
		return nil, crossdock.Errorf(crossdock.Internal, "the book has no table %q", t)
	}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, crossdock.Errorf(crossdock.Internal, "can't read a row of table %s: %w", t, err)
	}
	return r, nil
}

// writeJSON marshals without escaping <, > and &: fields of records are kept as
// they were given.
func writeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, crossdock.Errorf(crossdock.Internal, "can't write a %T as JSON: %w", v, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
