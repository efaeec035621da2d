package sqlite

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// stamp is how times are written: UTC with nine decimals, so that text order is
// time order and nothing is lost.
const stamp = "2006-01-02T15:04:05.000000000Z"

// writeTime returns "" for the zero time, which sorts before every other.
func writeTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stamp)
}

func readTime(s string) (time.Time, error) {
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
	bodyMost  = 512 << 20 // bytes: SQLite takes a row of up to a billion
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

// pack compresses b where that makes it shorter.
func pack(b []byte) (_ []byte, packed bool) {
	if len(b) <= packAbove {
		return b, false
	}
	small := coder().EncodeAll(b, make([]byte, 0, len(b)/2))
	if len(small) >= len(b) {
		return b, false
	}
	return small, true
}

func unpack(b []byte) ([]byte, error) {
	out, err := coder().DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("can't expand its body: %w", err)
	}
	return out, nil
}

// salts hands out random bytes, one caller at a time.
type salts struct {
	mu   sync.Mutex
	from io.Reader
}

const saltLength = 16

func (s *salts) next() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, saltLength)
	if _, err := io.ReadFull(s.from, b); err != nil {
		return nil, fmt.Errorf("read random bytes for a salt: %w", err)
	}
	return b, nil
}
