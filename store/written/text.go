// Package written is how every store writes what it keeps: times, bodies and rows,
// the columns that rows are searched by, and the queue in which filings share one
// commit. Two stores that hold the same hold the same bytes.
package written

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// stamp is UTC with nine decimals: nothing is lost.
const stamp = "2006-01-02T15:04:05.000000000Z"

// Time writes a time as text, so that text order is time order. It returns "" for
// the zero time, which sorts before every other.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stamp)
}

// ReadTime reads what Time wrote.
func ReadTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(stamp, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("a time is written wrongly: %w", err)
	}
	return t, nil
}

const (
	packAbove = 256       // bytes: below it compressing gains nothing
	bodyMost  = 512 << 20 // bytes: SQLite and PostgreSQL take a row of about a billion
)

// coder compresses and expands without goroutines of its own; it is made once,
// because its tables are large.
var coder = sync.OnceValue(func() (c struct {
	*zstd.Encoder
	*zstd.Decoder
}) {
	var err error
	if c.Encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest)); err == nil {
		c.Decoder, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(2*bodyMost))
	}
	if err != nil {
		panic(err) // the options are constants
	}
	return c
})

// Pack compresses b where that makes it shorter.
func Pack(b []byte) (_ []byte, packed bool) {
	if len(b) <= packAbove {
		return b, false
	}
	small := coder().EncodeAll(b, make([]byte, 0, len(b)/2))
	if len(small) >= len(b) {
		return b, false
	}
	return small, true
}

// Unpack expands what Pack compressed.
func Unpack(b []byte) ([]byte, error) {
	out, err := coder().DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("can't expand its body: %w", err)
	}
	return out, nil
}

// Salts hands out random bytes, one caller at a time.
type Salts struct {
	mu   sync.Mutex
	From io.Reader
}

const saltLength = 16

// next returns a salt of its own for one arrival.
func (s *Salts) next() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, saltLength)
	if _, err := io.ReadFull(s.From, b); err != nil {
		return nil, fmt.Errorf("read random bytes for a salt: %w", err)
	}
	return b, nil
}
