package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"sync"
	"syscall"
)

// slab is a preallocated file that callers append to; those that come together
// share one write and one wait for the disk. Nothing that keeps a body on disk
// before it answers can do less.
type slab struct {
	file *os.File
	at   int64

	mu      sync.Mutex
	next    []byte
	waiting []chan error
	busy    bool
}

func newSlab(path string, size int64) (*slab, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		return nil, err
	}
	return &slab{file: f}, f.Sync()
}

// keep returns when the body is on disk.
func (s *slab) keep(body []byte) error {
	done := make(chan error, 1)
	s.mu.Lock()
	s.next, s.waiting = append(s.next, body...), append(s.waiting, done)
	lead := !s.busy
	s.busy = true
	s.mu.Unlock()
	if lead {
		s.lead()
	}
	return <-done
}

// lead writes what has gathered until nothing has.
func (s *slab) lead() {
	for {
		s.mu.Lock()
		body, waiting := s.next, s.waiting
		s.next, s.waiting = nil, nil
		if len(waiting) == 0 {
			s.busy = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		_, err := s.file.WriteAt(body, s.at)
		s.at += int64(len(body))
		if err == nil {
			err = syscall.Fdatasync(int(s.file.Fd()))
		}
		for _, done := range waiting {
			done <- err
		}
	}
}

// bare is the floor of accepting: the same request, the same checks, the slab.
func bare(secret string, s *slab) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readAll(r)
		sum := hmac.New(sha256.New, []byte(secret))
		sum.Write(body)
		want := base64.StdEncoding.EncodeToString(sum.Sum(nil))
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		case subtle.ConstantTimeCompare([]byte(want), []byte(r.Header.Get("X-Shopify-Hmac-Sha256"))) != 1:
			http.Error(w, "not signed", http.StatusUnauthorized)
		case !json.Valid(body):
			http.Error(w, "no JSON", http.StatusBadRequest)
		default:
			if err := s.keep(body); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	})
}
