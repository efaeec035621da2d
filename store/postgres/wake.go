package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	tellAtMost = 20 * time.Millisecond // between two words to the other nodes
	tellWithin = time.Second
)

// tell wakes the other nodes after something was written. It is no part of the
// transaction: a NOTIFY in it would make all of the server's notifying commits wait
// for each other. A word that is lost or left out is made up for by looking.
func (s *Store) tell() {
	now, last := time.Now().UnixNano(), s.told.Load()
	if s.o.ReadOnly || now-last < int64(tellAtMost) || !s.told.CompareAndSwap(last, now) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
	defer cancel()
	_ = s.with(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SELECT pg_notify($1, $2)", s.channel(), s.self)
		return err
	})
}

// channel is that of this schema: channels belong to the whole database.
func (s *Store) channel() string { return "crossdock_" + s.schema }

// Listen implements store.Listener. It takes a connection for itself.
func (s *Store) Listen(ctx context.Context, wake func()) error {
	for ctx.Err() == nil {
		_ = s.listen(ctx, wake) // the rooms meet the same trouble and say so; here it is tried again
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (s *Store) listen(ctx context.Context, wake func()) error {
	c, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }() // it has nothing to lose
	if _, err := c.Exec(ctx, "LISTEN "+pgx.Identifier{s.channel()}.Sanitize()); err != nil {
		return err
	}
	wake() // of what was written before
	for {
		word, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if word.Payload != s.self {
			wake()
		}
	}
}
