package connector

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"

	"github.com/crossdockhq/crossdock"
)

// Bounds of a received body, in bytes. Up to Limit it is an ordinary message; up
// to HardCap it is kept, with a fault; beyond it only its digest and headers are,
// however long it is. A sender that goes on for ever is ended by the read deadline
// of the server.
const (
	Limit   = 2 << 20
	HardCap = 16 << 20
)

// Raw is a body as it was received.
type Raw struct {
	Body   []byte // nil beyond HardCap
	Size   int64
	Digest string // SHA-256, hex
}

// Over reports a body beyond HardCap.
func (r Raw) Over() bool { return r.Size > HardCap }

// Kept returns how many bytes of memory ReadRaw may take for the body of a request,
// by the length it states: HardCap where it states none.
func Kept(r *http.Request) int64 {
	if r.ContentLength < 0 || r.ContentLength > HardCap {
		return HardCap
	}
	return r.ContentLength
}

// ReadRaw reads the body of a request once, to its end, feeding the raw bytes to
// the sums (HMACs), so that a body too large to keep can still be told genuine. When
// the sender breaks off or is too slow it returns an error with code Invalid that
// wraps the reader's.
func ReadRaw(r *http.Request, sums ...hash.Hash) (Raw, error) {
	var body io.Reader = http.NoBody
	if r.Body != nil {
		body = r.Body
	}
	digest, kept := sha256.New(), &capped{most: int(Kept(r))}
	each := []io.Writer{digest, kept}
	for _, h := range sums {
		each = append(each, h)
	}
	buffer := make([]byte, 4<<10) // it is there before the first byte is
	if Kept(r) > Limit {
		buffer = make([]byte, 32<<10)
	}
	n, err := io.CopyBuffer(io.MultiWriter(each...), body, buffer)
	if err != nil {
		return Raw{}, crossdock.Errorf(crossdock.Invalid, "the body broke off after %d bytes: %w", n, err)
	}
	raw := Raw{Size: n, Digest: hex.EncodeToString(digest.Sum(nil))}
	if n <= HardCap {
		raw.Body = kept.body
	}
	return raw, nil
}

// capped keeps up to HardCap bytes; once there are more it keeps none. It grows with
// what was read, by doubling: a length that is only announced costs nothing.
type capped struct {
	most int // the length the sender announced, HardCap where it announced none
	body []byte
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	need := len(c.body) + len(p)
	switch {
	case c.over:
		return len(p), nil
	case need > HardCap:
		c.over, c.body = true, nil
		return len(p), nil
	case need > cap(c.body): // never beyond what is to come
		grown := make([]byte, len(c.body), max(need, min(2*cap(c.body), c.most)))
		copy(grown, c.body)
		c.body = grown
	}
	c.body = append(c.body, p...)
	return len(p), nil
}
