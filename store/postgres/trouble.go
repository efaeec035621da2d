package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// verdict says what an SQLSTATE means for what was to be written: nil where it
// tells nothing of that. https://www.postgresql.org/docs/15/errcodes-appendix.html
func verdict(state string) error {
	switch state {
	case "53100": // disk_full
		return store.ErrFull
	case "25006", // read_only_sql_transaction: a standby, or a primary that was made one
		"25P03",          // idle_in_transaction_session_timeout: we were paused
		"40001", "40P01", // serialization_failure, deadlock_detected
		"55P03", "57014": // lock_not_available, query_canceled
		return store.ErrAway
	case "58030", "XX001", "XX002": // io_error, data_corrupted, index_corrupted
		return store.ErrBroken
	}
	switch state[:min(2, len(state))] {
	case "08", "53", "57": // connections, other resources (memory, connections), an operator's stop
		return store.ErrAway
	}
	return nil
}

// judge turns an error of the server or of the way to it into ErrFull, ErrAway or
// ErrBroken where it is one. lost tells that the connection is gone. An ErrBroken stays.
func (s *Store) judge(err error, lost bool) error {
	var answer *pgconn.PgError
	var dial *pgconn.ConnectError
	var meant error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrBroken):
		meant = store.ErrBroken
	case errors.Is(err, store.ErrStale), errors.Is(err, store.ErrAway), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &answer):
		meant = verdict(answer.Code)
	case crossdock.CodeOf(err) == crossdock.Invalid: // our own refusal, see fit
		return err
	case errors.As(err, &dial), isNet(err), lost:
		meant = store.ErrAway
	}
	if meant == nil {
		return err
	}
	if !errors.Is(err, meant) {
		err = fmt.Errorf("%w: %w", meant, err)
	}
	if meant == store.ErrBroken { //nolint:errorlint // it is set above
		s.broken.CompareAndSwap(nil, &err)
	}
	return err
}

func isNet(err error) bool {
	var n net.Error
	return errors.As(err, &n)
}

// ill returns why nothing may be written any more, nil while all is well.
func (s *Store) ill() error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// certain reports that a transaction whose COMMIT ended in err is not there: the
// server has said so itself, and lives on.
func certain(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Severity == "ERROR"
}

// with runs do on a connection of its own.
func (s *Store) with(ctx context.Context, do func(*pgx.Conn) error) error {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.judge(err, false)
	}
	defer c.Release()
	return s.judge(do(c.Conn()), c.Conn().IsClosed())
}

// write runs do on a connection of its own unless writing has ended, and rolls back
// what it leaves open.
func (s *Store) write(ctx context.Context, do func(*pgx.Conn) error) error {
	if s.o.ReadOnly {
		return crossdock.Errorf(crossdock.Internal, "it was opened for reading only")
	}
	if err := s.ill(); err != nil {
		return err
	}
	return s.with(ctx, func(c *pgx.Conn) error {
		err := do(c)
		if err != nil && !c.IsClosed() && c.PgConn().TxStatus() != 'I' {
			_, rollback := c.Exec(context.WithoutCancel(ctx), "ROLLBACK")
			err = errors.Join(err, rollback) // a connection that can't is closed by the pool
		}
		return err
	})
}

// send sends statements together, in one round trip, and returns their first error.
func send(ctx context.Context, c *pgx.Conn, b *pgx.Batch) error { return c.SendBatch(ctx, b).Close() }
