package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/written"
)

// Journal implements store.Journal.
type Journal struct {
	s     *Store
	queue written.Queue
}

var _ store.Journal = (*Journal)(nil)

func newJournal(s *Store) *Journal {
	j := &Journal{s: s}
	j.queue = written.Queue{
		Commit: j.commit, Tend: s.tell, Salts: &written.Salts{From: s.o.Rand},
		Hopeless: func(err error) bool { return errors.Is(err, store.ErrAway) || s.ill() != nil },
	}
	return j
}

// query reads rows, calling each for every row.
func (s *Store) query(ctx context.Context, each func(pgx.Rows) error, text string, args ...any) error {
	err := s.with(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", s.place, err)
	}
	return nil
}

const arrivalColumns = "lane, number, at, kind, head, body, packed, digest"

// Read implements store.Journal. The server leaves out what comes after
// written.MostRead bytes of bodies as they are kept; the rest is counted here, as
// they are when expanded.
func (j *Journal) Read(ctx context.Context, lane crossdock.Lane, after int64, limit int) ([]store.Arrival, error) {
	return j.arrivals(ctx, "SELECT "+arrivalColumns+` FROM (
			SELECT *, coalesce(sum(octet_length(body)) OVER (ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
			FROM arrival WHERE lane = $1 AND number > $2 ORDER BY number LIMIT $3) AS page
		WHERE before <= $4 ORDER BY number`, string(lane), after, atLeast0(limit), written.MostRead)
}

// Get implements store.Journal.
func (j *Journal) Get(ctx context.Context, lane crossdock.Lane, number int64) (*store.Arrival, error) {
	got, err := j.arrivals(ctx, "SELECT "+arrivalColumns+" FROM arrival WHERE lane = $1 AND number = $2", string(lane), number)
	if err != nil || len(got) == 0 {
		return nil, err
	}
	return &got[0], nil
}

func (j *Journal) arrivals(ctx context.Context, text string, args ...any) ([]store.Arrival, error) {
	var out []store.Arrival
	read := 0
	err := j.s.query(ctx, func(r pgx.Rows) error {
		if read > written.MostRead {
			return errEnough
		}
		var w written.Arrival
		var lane string
		var number int64
		if err := r.Scan(&lane, &number, &w.At, &w.Kind, &w.Head, &w.Body, &w.Packed, &w.Digest); err != nil {
			return err
		}
		w.Lane = crossdock.Lane(lane)
		a, err := w.Read(number)
		if err != nil {
			return err
		}
		read += written.Weight(a)
		out = append(out, a)
		return nil
	}, text, args...)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

var errEnough = errors.New("enough was read")

// Last implements store.Journal.
func (j *Journal) Last(ctx context.Context, lane crossdock.Lane) (n int64, err error) {
	err = j.s.query(ctx, func(r pgx.Rows) error { return r.Scan(&n) }, "SELECT last FROM lane WHERE lane = $1", string(lane))
	return n, err
}

// Cursor implements store.Journal.
func (j *Journal) Cursor(ctx context.Context, system crossdock.System, kind crossdock.Kind) (store.Cursor, error) {
	c := store.Cursor{System: system, Kind: kind}
	err := j.s.query(ctx, func(r pgx.Rows) (err error) {
		var text []byte
		var at string
		if err := r.Scan(&text, &at, &c.Whole); err != nil {
			return err
		}
		c.Text = string(text)
		c.At, err = written.ReadTime(at)
		return err
	}, "SELECT text, at, whole FROM cursor WHERE system = $1 AND kind = $2", string(system), string(kind))
	return c, err
}

// Open implements store.Journal.
func (j *Journal) Open(ctx context.Context) ([]crossdock.Attempt, error) {
	got, err := j.arrivals(ctx, "SELECT "+arrivalColumns+" FROM arrival JOIN open_attempt USING (number) WHERE lane = $1 ORDER BY number", string(crossdock.Urgent))
	if err != nil {
		return nil, err
	}
	out := make([]crossdock.Attempt, 0, len(got))
	for _, a := range got {
		attempt, ok := a.Body.(crossdock.Attempt)
		if !ok {
			return nil, crossdock.Errorf(crossdock.Internal, "arrival %d of lane %s is in open_attempt of %s but is no attempt", a.Number, a.Lane, j.s.place)
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
	err := j.s.query(ctx, func(r pgx.Rows) error {
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
	}, "SELECT number, kind, head, body, packed, salt, digest FROM arrival WHERE lane = $1 AND number > $2 ORDER BY number LIMIT $3", string(lane), after, atLeast0(limit))
	return done, err
}

func atLeast0(n int) int { return max(n, 0) }
