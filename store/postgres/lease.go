package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// leases implements store.Leases: a row each, which expires by the server's clock.
type leases struct{ s *Store }

// Acquire implements store.Leases. Its update waits until every transaction that
// writes under the lease, and so has locked its row, has ended.
func (l leases) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (store.Lease, error) {
	got := store.Lease{Name: name, Owner: owner}
	err := l.s.write(ctx, func(c *pgx.Conn) error {
		asked := time.Now() // before the server reads its clock: ours ends first
		got.Until = asked.Add(ttl)
		err := c.QueryRow(ctx, `INSERT INTO lease AS l (name, owner, epoch, until) VALUES ($1, $2, 1, clock_timestamp() + $3::interval)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = l.epoch + 1, until = clock_timestamp() + $3::interval
			WHERE l.until <= clock_timestamp() RETURNING epoch`, name, owner, ttl).Scan(&got.Epoch)
		if errors.Is(err, pgx.ErrNoRows) {
			return crossdock.Errorf(crossdock.Unavailable, "lease %s: %w", name, store.ErrHeld)
		}
		if err == nil && time.Since(asked) >= ttl { // it had to wait longer than it is good for
			return crossdock.Errorf(crossdock.Unavailable, "lease %s took %s to acquire: %w", name, time.Since(asked), store.ErrHeld)
		}
		return err
	})
	if err != nil {
		return store.Lease{}, fmt.Errorf("acquire in %s: %w", l.s.place, err)
	}
	return got, nil
}

// Renew implements store.Leases.
func (l leases) Renew(ctx context.Context, of store.Lease, ttl time.Duration) (store.Lease, error) {
	err := l.s.write(ctx, func(c *pgx.Conn) error {
		until := time.Now().Add(ttl)
		tag, err := c.Exec(ctx, `UPDATE lease SET until = clock_timestamp() + $4::interval
			WHERE name = $1 AND owner = $2 AND epoch = $3 AND until > clock_timestamp()`, of.Name, of.Owner, of.Epoch, ttl)
		if err == nil && tag.RowsAffected() == 0 {
			return notHeld(of)
		}
		of.Until = until
		return err
	})
	if err != nil {
		return store.Lease{}, fmt.Errorf("renew in %s: %w", l.s.place, err)
	}
	return of, nil
}

// Release implements store.Leases.
func (l leases) Release(ctx context.Context, of store.Lease) error {
	err := l.s.write(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "UPDATE lease SET until = '-infinity' WHERE name = $1 AND owner = $2 AND epoch = $3", of.Name, of.Owner, of.Epoch)
		return err
	})
	if err != nil {
		return fmt.Errorf("release in %s: %w", l.s.place, err)
	}
	return nil
}

// Vacate implements store.Leases.
func (l leases) Vacate(ctx context.Context, owner string) error {
	err := l.s.write(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "UPDATE lease SET until = '-infinity' WHERE owner = $1", owner)
		return err
	})
	if err != nil {
		return fmt.Errorf("vacate in %s: %w", l.s.place, err)
	}
	return nil
}

func notHeld(of store.Lease) error {
	return crossdock.Errorf(crossdock.Conflict, "lease %s of %s, epoch %d, is not held any more: %w", of.Name, of.Owner, of.Epoch, store.ErrStale)
}

// lock queues the lock of leases into the transaction that writes under them. When
// the statements have run, held reports the first that is not held. From then to
// the end of the transaction nobody can take them over.
func lock(b *pgx.Batch, under []store.Lease) (held func() error) {
	found := make([]bool, len(under))
	for i, l := range under {
		b.Queue("SELECT FROM lease WHERE name = $1 AND owner = $2 AND epoch = $3 AND until > clock_timestamp() FOR SHARE", l.Name, l.Owner, l.Epoch).
			Query(func(rows pgx.Rows) error {
				found[i] = rows.Next()
				rows.Close()
				return rows.Err()
			})
	}
	return func() error {
		for i, l := range under {
			if !found[i] {
				return notHeld(l)
			}
		}
		return nil
	}
}
