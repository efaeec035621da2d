package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Exec runs a statement in the schema of the store, on a connection of its own.
func (s *Store) Exec(ctx context.Context, text string, args ...any) error {
	return s.with(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, text, args...)
		return err
	})
}

// Begin opens a transaction in the schema of the store, runs a statement in it, and
// returns how to end it.
func (s *Store) Begin(ctx context.Context, text string) (end func(), err error) {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range []string{"BEGIN", "SET LOCAL idle_in_transaction_session_timeout = 0", text} {
		if _, err := c.Exec(ctx, t); err != nil {
			c.Release()
			return nil, err
		}
	}
	return func() {
		_, _ = c.Exec(ctx, "ROLLBACK") // the tests see what is left locked
		c.Release()
	}, nil
}

// Patience sets how long it is tried to find out what came of a commit.
func (s *Store) Patience(d time.Duration) { s.patience = d }

// Verdict is what an SQLSTATE means.
var Verdict = verdict

// Refused says why a server with these settings is not taken.
func Refused(version int, fsync, pages, commits, encoding string, reads bool, o Options) error {
	return server{version, fsync, pages, commits, encoding, reads}.refused(o)
}
