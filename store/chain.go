package store

import (
	"crypto/sha256"
	"encoding/json"

	"github.com/crossdockhq/crossdock"
)

// stamp is how the chain writes a time: UTC, always nine decimals.
const stamp = "2006-01-02T15:04:05.000000000Z"

// Chain returns the hash of an entry: SHA-256(chain of the entry before ‖ header
// as JSON ‖ digest of the arrival). The first entry follows 32 zero bytes, for
// which previous may be nil.
func Chain(previous []byte, t Taken) []byte {
	if previous == nil {
		previous = make([]byte, sha256.Size)
	}
	header, err := json.Marshal(struct {
		Seq     int64          `json:"seq"`
		At      string         `json:"at"`
		Lane    crossdock.Lane `json:"lane"`
		Arrival int64          `json:"arrival"`
		Part    int            `json:"part"`
		Kind    string         `json:"kind"`
	}{t.Seq, t.At.UTC().Format(stamp), t.Lane, t.Arrival, t.Part, t.Kind})
	if err != nil {
		panic(err) // numbers and strings always marshal
	}
	h := sha256.New()
	for _, part := range [][]byte{previous, header, t.Digest} {
		h.Write(part)
	}
	return h.Sum(nil)
}

// Equal compares all of two positions, times to the nanosecond. A lane of which
// nothing was taken is the same as none.
func (p Position) Equal(o Position) bool {
	if p.Epoch != o.Epoch || p.Seq != o.Seq || !p.At.Equal(o.At) {
		return false
	}
	for lane, place := range p.Lanes {
		if o.Lanes[lane] != place {
			return false
		}
	}
	for lane, place := range o.Lanes {
		if p.Lanes[lane] != place {
			return false
		}
	}
	return true
}

// Validate reports the first thing in a commit that breaks what a Book promises:
// every store asks it before it writes anything.
func (c Commit) Validate() error {
	if c.To.Epoch != c.From.Epoch {
		return crossdock.Errorf(crossdock.Internal, "a commit goes from epoch %d to %d: only Claim counts epochs", c.From.Epoch, c.To.Epoch)
	}
	if c.To.At.Before(c.From.At) {
		return crossdock.Errorf(crossdock.Internal, "a commit goes back from %s to %s", c.From.At.Format(stamp), c.To.At.Format(stamp))
	}
	seq, at := c.From.Seq, c.From.At
	for _, t := range c.Entries {
		if t.Seq <= seq || t.At.Before(at) {
			return crossdock.Errorf(crossdock.Internal, "entry %d at %s comes after entry %d at %s", t.Seq, t.At.Format(stamp), seq, at.Format(stamp))
		}
		seq, at = t.Seq, t.At
	}
	if c.To.Seq < seq || c.To.At.Before(at) {
		return crossdock.Errorf(crossdock.Internal, "a commit ends at %d (%s), before its last entry %d (%s)", c.To.Seq, c.To.At.Format(stamp), seq, at.Format(stamp))
	}
	for _, ch := range c.Changes {
		if ch.Row != nil && ch.Row.Address() != ch.At {
			return crossdock.Errorf(crossdock.Internal, "a row of %v is put at %v", ch.Row.Address(), ch.At)
		}
	}
	return nil
}
