package connector

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"github.com/crossdockhq/crossdock"
)

// Bounds of a received body, in bytes. Up to Limit it is an ordinary message; up
// to HardCap it is kept, with a fault; beyond it only its digest and headers are,
// and beyond Endless nobody reads on.
const (
	Limit   = 2 << 20
	HardCap = 16 << 20
	Endless = 64 << 20
)

// Raw is a body as it was received.
type Raw struct {
	Body   []byte // nil beyond HardCap
	Size   int64
	Digest string // SHA-256, hex
}

// Over reports a body beyond HardCap.
func (r Raw) Over() bool { return r.Size > HardCap }

// ReadRaw reads a body once, feeding the raw bytes to the sums (HMACs), so that a
// body too large to keep can still be told genuine. Beyond Endless, and when the
// sender breaks off, it returns an error with code Invalid.
func ReadRaw(body io.Reader, sums ...hash.Hash) (Raw, error) {
	digest := sha256.New()
	var kept bytes.Buffer
	each := []io.Writer{digest, &capped{buf: &kept}}
	for _, h := range sums {
		each = append(each, h)
	}
	n, err := io.Copy(io.MultiWriter(each...), io.LimitReader(body, Endless+1))
	if err != nil {
		return Raw{}, crossdock.Errorf(crossdock.Invalid, "the body broke off after %d bytes: %w", n, err)
	}
	if n > Endless {
		return Raw{}, crossdock.Errorf(crossdock.Invalid, "the body is larger than %d bytes", Endless)
	}
	raw := Raw{Size: n, Digest: hex.EncodeToString(digest.Sum(nil))}
	if n <= HardCap {
		raw.Body = kept.Bytes()
	}
	return raw, nil
}

// capped keeps up to HardCap bytes and drops the rest.
type capped struct{ buf *bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if room := HardCap - c.buf.Len(); room > 0 {
		c.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
