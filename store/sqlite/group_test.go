package sqlite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

// call is one call of File that is under way.
type call struct {
	arrival *store.Arrival
	cancel  context.CancelFunc
	done    chan error
}

// queue begins a call of File and waits until it leads or waits in the queue.
func queue(t *testing.T, s *sqlite.Store, body []byte, waiting int) *call {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &call{&store.Arrival{Lane: crossdock.Normal, Body: crossdock.Message{Body: body}}, cancel, make(chan error, 1)}
	go func() { c.done <- s.Journal().File(ctx, store.Filing{Arrivals: []*store.Arrival{c.arrival}}) }()
	for range 5000 {
		if n, led := s.Waiting(); n == waiting && led {
			return c
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("the call did not queue up as number %d", waiting)
	return nil
}

func TestCallsThatComeTogether(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	mustFile(t, s, 1)
	if err := s.Pragma(false, "max_page_count = 60"); err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 1<<20)
	if _, err := rand.NewChaCha8([32]byte{}).Read(large); err != nil {
		t.Fatal(err)
	}

	release := s.Hold()
	leader := queue(t, s, []byte("leader"), 0)
	leader.cancel() // too late: its group is being written
	var others []*call
	for i := range 10 {
		body := []byte("small")
		if i == 4 {
			body = large // too large for what the file may grow to
		}
		others = append(others, queue(t, s, body, i+1))
	}
	for _, i := range []int{0, 7} { // in time: nothing of them is written yet
		others[i].cancel()
		if err := <-others[i].done; !errors.Is(err, context.Canceled) {
			t.Fatalf("a call that was cancelled in the queue ended with %v", err)
		}
	}
	release()
	if err := <-leader.done; err != nil || leader.arrival.Number != 2 {
		t.Errorf("a call cancelled while it was being written is told %v and number %d, and it is on disk", err, leader.arrival.Number)
	}
	want := int64(3)
	for i, c := range others {
		switch {
		case i == 0 || i == 7:
		case i == 4:
			if err := <-c.done; !errors.Is(err, store.ErrFull) || c.arrival.Number != 0 {
				t.Errorf("the large one ended with %v and number %d", err, c.arrival.Number)
			}
		default:
			if err := <-c.done; err != nil || c.arrival.Number != want {
				t.Errorf("call %d got number %d, want %d: %v", i, c.arrival.Number, want, err)
			}
			want++
		}
	}
	if n, led := s.Waiting(); n != 0 || led {
		t.Errorf("%d calls are left in the queue, led %v", n, led)
	}
	if last, err := s.Journal().Last(t.Context(), crossdock.Normal); err != nil || last != want-1 {
		t.Errorf("the lane ends at %d, want %d: %v", last, want-1, err)
	}
}

func TestCallsThatComeTogetherShareOneCommit(t *testing.T) {
	s := open(t, t.TempDir(), sqlite.Options{})
	mustFile(t, s, 1)
	pages := func() int {
		n, _, err := s.Checkpoint("NOOP")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := pages()
	release := s.Hold()
	var all []*call
	for i := range 300 { // more than one transaction takes
		all = append(all, queue(t, s, []byte("small"), i))
	}
	release()
	for _, c := range all {
		if err := <-c.done; err != nil {
			t.Error(err)
		}
	}
	// Every commit writes at least a page of the table and one of its index.
	if got := pages() - before; got >= 100 {
		t.Errorf("300 calls wrote %d pages, so they were not written in the three commits they could share", got)
	} else {
		t.Logf("300 calls wrote %d pages", got)
	}
}
