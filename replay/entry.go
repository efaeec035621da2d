package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// Filed is one entry as it is kept, and what came of it. Its body may hold personal
// data: it is for people with access to the data directory.
type Filed struct {
	Seq     int64             `json:"seq"`
	At      time.Time         `json:"at"`
	Kind    string            `json:"kind"` // message, attempt, result, action, tick, setup
	Lane    crossdock.Lane    `json:"lane"`
	Arrival int64             `json:"arrival"`
	From    crossdock.System  `json:"from,omitempty"`
	Meta    map[string]string `json:"meta,omitempty"`  // of a message: its headers that are kept
	Fault   *crossdock.Fault  `json:"fault,omitempty"` // why a message can't be used
	Text    string            `json:"text,omitempty"`  // the body, where it is text; of what is no message, its JSON
	Size    int               `json:"size"`            // of the body, in bytes
	Digest  string            `json:"digest,omitempty"`
	Refs    []crossdock.Ref   `json:"refs"`
	Effect  string            `json:"effect"`
	Gone    bool              `json:"archived,omitempty"` // the body is not in the journal any more
}

// Entry returns the entry with a Seq; one there is not is Invalid.
func Entry(ctx context.Context, s store.Store, seq int64) (*Filed, error) {
	taken, err := s.Book().Entries(ctx, seq-1, 1)
	if err != nil {
		return nil, err
	}
	if len(taken) == 0 || taken[0].Seq != seq {
		return nil, crossdock.Errorf(crossdock.Invalid, "there is no entry %d: trace of a record lists the numbers of its entries", seq)
	}
	e := taken[0]
	f := &Filed{Seq: e.Seq, At: e.At, Kind: e.Kind, Lane: e.Lane, Arrival: e.Arrival, Refs: append([]crossdock.Ref{}, e.Refs...), Effect: e.Effect}
	a, err := s.Journal().Get(ctx, e.Lane, e.Arrival)
	if err != nil {
		return nil, err
	}
	if a == nil {
		f.Gone = true
		return f, nil
	}
	var body []byte
	if m, ok := a.Body.(crossdock.Message); ok {
		f.From, f.Meta, f.Fault, body = m.From, m.Meta, m.Fault, m.Body
	} else if body, err = json.MarshalIndent(a.Body, "", "  "); err != nil {
		return nil, err
	}
	f.Size = len(body)
	if utf8.Valid(body) {
		f.Text = string(body)
	}
	if sum := sha256.Sum256(body); f.Text == "" || f.From != "" {
		f.Digest = "sha256:" + hex.EncodeToString(sum[:])
	}
	return f, nil
}
