package written

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// Refs writes the records an entry is about as a JSON list.
func Refs(refs []crossdock.Ref) ([]byte, error) {
	if refs == nil {
		refs = []crossdock.Ref{}
	}
	return json.Marshal(refs)
}

// ReadTaken completes an entry with the columns that are not kept as they are.
func ReadTaken(t *store.Taken, at string, refs []byte) (err error) {
	if t.At, err = ReadTime(at); err != nil {
		return err
	}
	if err := json.Unmarshal(refs, &t.Refs); err != nil {
		return fmt.Errorf("refs of entry %d: %w", t.Seq, err)
	}
	return nil
}

// Lanes writes how far the lanes were taken, as JSON.
func Lanes(p store.Position) ([]byte, error) {
	if p.Lanes == nil {
		p.Lanes = map[crossdock.Lane]store.Place{}
	}
	return json.Marshal(p.Lanes)
}

// ReadPosition completes a position with the columns that are not kept as they are.
func ReadPosition(p *store.Position, at string, lanes []byte) (err error) {
	if p.At, err = ReadTime(at); err != nil {
		return err
	}
	if err := json.Unmarshal(lanes, &p.Lanes); err != nil {
		return fmt.Errorf("the lanes of the position: %w", err)
	}
	return nil
}

const verifyAtOnce = 1000

// VerifyChain recomputes the chain of a book's entries from Seq from on, chain
// being that of the entry before, and reports the first that does not fit.
func VerifyChain(ctx context.Context, b store.Book, from int64, chain []byte) error {
	for after := from - 1; ; {
		some, err := b.Entries(ctx, after, verifyAtOnce)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, t := range some {
			chain = store.Chain(chain, t)
			if !bytes.Equal(chain, t.Chain) {
				return crossdock.Errorf(crossdock.Internal, "the chain breaks at entry %d: the entry, or one before it, is not what was committed", t.Seq)
			}
			after = t.Seq
		}
	}
}
