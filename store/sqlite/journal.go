package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

// Journal implements store.Journal.
type Journal struct {
	file   *file
	leases *leases
	queue  written.Queue
	last   map[crossdock.Lane]int64 // number of the last arrival; guarded by file.mu
}

var _ store.Journal = (*Journal)(nil)

func newJournal(f *file, l *leases, random io.Reader) *Journal {
	j := &Journal{file: f, leases: l}
	j.queue = written.Queue{
		Commit: j.commit, Tend: f.tend, Salts: &written.Salts{From: random},
		Hopeless: func(error) bool { return f.health.ill() != nil },
	}
	return j
}

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
		read += written.Weight(a)
		out = append(out, a)
		if read > written.MostRead {
			return errEnough
		}
		return nil
	}, text, args...)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

var errEnough = errors.New("enough was read")

func readArrival(r *sql.Rows) (a store.Arrival, err error) {
	var w written.Arrival
	var number int64
	if err := r.Scan(&w.Lane, &number, &w.At, &w.Kind, &w.Head, &w.Body, &w.Packed, &w.Digest); err != nil {
		return a, err
	}
	return w.Read(number)
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
		c.At, err = written.ReadTime(at)
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
		w := written.Arrival{Lane: lane}
		var number int64
		err := r.Scan(&number, &w.Kind, &w.Head, &w.Body, &w.Packed, &w.Salt, &w.Digest)
		if err == nil {
			err = w.Verify(number)
		}
		if err != nil {
			return err
		}
		done = number
		return nil
	}, "SELECT number, kind, head, body, packed, salt, digest FROM arrival WHERE lane = ? AND number > ? ORDER BY number LIMIT ?", string(lane), after, atLeast0(limit))
	return done, err
}

func atLeast0(n int) int { return max(n, 0) }
