package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// Journal implements store.Journal.
type Journal struct {
	file  *file
	salts salts
	queue queue
	last  map[crossdock.Lane]int64 // number of the last arrival; guarded by file.mu
}

var _ store.Journal = (*Journal)(nil)

// count finds out where each lane ends.
func (j *Journal) count(ctx context.Context) error {
	j.last = map[crossdock.Lane]int64{}
	return j.file.query(ctx, nil, func(r *sql.Rows) error {
		var lane crossdock.Lane
		var n int64
		err := r.Scan(&lane, &n)
		j.last[lane] = n
		return err
	}, "SELECT lane, max(number) FROM arrival GROUP BY lane")
}

const arrivalColumns = "lane, number, at, kind, head, body, packed, digest"

// Read implements store.Journal.
func (j *Journal) Read(ctx context.Context, lane crossdock.Lane, after int64, limit int) ([]store.Arrival, error) {
	return j.arrivals(ctx, "SELECT "+arrivalColumns+" FROM arrival WHERE lane = ? AND number > ? ORDER BY number LIMIT ?", string(lane), after, atLeast0(limit))
}

// Get implements store.Journal.
func (j *Journal) Get(ctx context.Context, lane crossdock.Lane, number int64) (*store.Arrival, error) {
	got, err := j.arrivals(ctx, "SELECT "+arrivalColumns+" FROM arrival WHERE lane = ? AND number = ?", string(lane), number)
	if err != nil || len(got) == 0 {
		return nil, err
	}
	return &got[0], nil
}

func (j *Journal) arrivals(ctx context.Context, text string, args ...any) ([]store.Arrival, error) {
	var out []store.Arrival
	read := 0
	err := j.file.query(ctx, nil, func(r *sql.Rows) error {
		a, err := readArrival(r)
		if err != nil {
			return err
		}
		if m, ok := a.Body.(crossdock.Message); ok {
			read += len(m.Body)
		}
		out = append(out, a)
		if read > mostRead {
			return errEnough
		}
		return nil
	}, text, args...)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// mostRead is how many bytes of bodies one read returns before it stops: a few
// hundred large messages in a lane must not fill the memory.
const mostRead = 32 << 20

var errEnough = errors.New("enough was read")

func readArrival(r *sql.Rows) (a store.Arrival, err error) {
	var at string
	var packed bool
	var t store.Text
	if err := r.Scan(&a.Lane, &a.Number, &at, &t.Kind, &t.Head, &t.Body, &packed, &a.Digest); err != nil {
		return a, err
	}
	if a.At, err = readTime(at); err != nil {
		return a, err
	}
	if packed {
		if t.Body, err = unpack(t.Body); err != nil {
			return a, fmt.Errorf("arrival %d of lane %s: %w", a.Number, a.Lane, err)
		}
	}
	a.Body, err = store.ReadBody(t, a.Number)
	return a, err
}

// Last implements store.Journal.
func (j *Journal) Last(ctx context.Context, lane crossdock.Lane) (n int64, err error) {
	err = j.file.query(ctx, nil, func(r *sql.Rows) error { return r.Scan(&n) },
		"SELECT ifnull(max(number), 0) FROM arrival WHERE lane = ?", string(lane))
	return n, err
}

// Cursor implements store.Journal.
func (j *Journal) Cursor(ctx context.Context, system crossdock.System, kind crossdock.Kind) (store.Cursor, error) {
	c := store.Cursor{System: system, Kind: kind}
	err := j.file.query(ctx, nil, func(r *sql.Rows) error {
		var at string
		if err := r.Scan(&c.Text, &at, &c.Whole); err != nil {
			return err
		}
		var err error
		c.At, err = readTime(at)
		return err
	}, "SELECT text, at, whole FROM cursor WHERE system = ? AND kind = ?", string(system), string(kind))
	return c, err
}

// Open implements store.Journal.
func (j *Journal) Open(ctx context.Context) ([]crossdock.Attempt, error) {
	got, err := j.arrivals(ctx, "SELECT "+arrivalColumns+" FROM arrival JOIN open_attempt USING (number) WHERE lane = ? ORDER BY number", string(crossdock.Urgent))
	if err != nil {
		return nil, err
	}
	out := make([]crossdock.Attempt, 0, len(got))
	for _, a := range got {
		attempt, ok := a.Body.(crossdock.Attempt)
		if !ok {
			return nil, crossdock.Errorf(crossdock.Internal, "arrival %d of lane %s is in open_attempt of %s but is no attempt", a.Number, a.Lane, j.file.path)
		}
		out = append(out, attempt)
	}
	return out, nil
}

// VerifyDigests reads up to limit arrivals of a lane above after and reports the
// first whose body is not what its digest was made of. It returns the number of
// the last one it read.
func (j *Journal) VerifyDigests(ctx context.Context, lane crossdock.Lane, after int64, limit int) (int64, error) {
	done := after
	err := j.file.query(ctx, nil, func(r *sql.Rows) error {
		var t store.Text
		var number int64
		var packed bool
		var salt, digest []byte
		err := r.Scan(&number, &t.Kind, &t.Head, &t.Body, &packed, &salt, &digest)
		if err == nil && packed {
			t.Body, err = unpack(t.Body)
		}
		if err == nil && string(t.Digest(salt)) != string(digest) {
			err = errors.New("its body is not what its digest was made of")
		}
		if err != nil {
			return fmt.Errorf("arrival %d of lane %s: %w", number, lane, err)
		}
		done = number
		return nil
	}, "SELECT number, kind, head, body, packed, salt, digest FROM arrival WHERE lane = ? AND number > ? ORDER BY number LIMIT ?", string(lane), after, atLeast0(limit))
	return done, err
}

func atLeast0(n int) int { return max(n, 0) }
