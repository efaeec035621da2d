package postgres

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"

	"github.com/jackc/pgx/v5"

	"github.com/crossdockhq/crossdock"
)

// The steps that make the tables, numbered from 0001. A step is never changed once
// it was released: a new one is added. Table step counts those done.
//
//go:embed migrations
var migrations embed.FS

var steps = readSteps()

// readSteps reads the embedded steps in the order of their names.
func readSteps() []string {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var out []string
	for i, name := range names {
		if base := path.Base(name); base[:4] != fmt.Sprintf("%04d", i+1) {
			panic("migration " + name + " is out of number")
		}
		b, err := fs.ReadFile(migrations, name)
		if err != nil {
			panic(err) // it is in the binary
		}
		out = append(out, string(b))
	}
	return out
}

// migrate does the steps that are missing, all in one transaction. Nodes that start
// together come one after the other.
func (s *Store) migrate(ctx context.Context) error {
	return s.with(ctx, func(c *pgx.Conn) error {
		n, err := s.version(ctx, c)
		if err != nil {
			return err
		}
		if n < len(steps) && !s.o.ReadOnly {
			if err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error { return s.migrateIn(ctx, tx) }); err != nil {
				return fmt.Errorf("make the tables: %w", err)
			}
			if n, err = s.version(ctx, c); err != nil {
				return err
			}
		}
		switch {
		case n > len(steps):
			return crossdock.Errorf(crossdock.Invalid, "it has version %d of its tables and this crossdock knows up to %d: run the newer crossdock that wrote it", n, len(steps))
		case n < len(steps):
			return crossdock.Errorf(crossdock.Invalid, "it has version %d of its tables and this crossdock reads version %d: start crossdock serve once, it brings the tables up to date", n, len(steps))
		}
		return nil
	})
}

func (s *Store) migrateIn(ctx context.Context, tx pgx.Tx) error {
	h := fnv.New64a()
	h.Write([]byte("crossdock " + s.schema)) // advisory locks belong to the whole database
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64())); err != nil {
		return err
	}
	var there bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", s.schema).Scan(&there); err != nil {
		return err
	}
	if !there { // asked first: CREATE … IF NOT EXISTS needs the right to create even where it exists
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{s.schema}.Sanitize()); err != nil {
			return err
		}
	}
	n, err := s.version(ctx, tx)
	if err != nil {
		return err
	}
	if n == 0 {
		if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS step (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"); err != nil {
			return err
		}
	}
	for ; n < len(steps); n++ {
		if _, err := tx.Exec(ctx, steps[n]); err != nil {
			return fmt.Errorf("step %d: %w", n+1, err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO step (number) VALUES ($1)", n+1); err != nil {
			return err
		}
	}
	return nil
}

// version returns how many steps the schema has had, 0 where there is none.
func (s *Store) version(ctx context.Context, c interface {
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}) (n int, err error) {
	var there bool
	err = c.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", pgx.Identifier{s.schema, "step"}.Sanitize()).Scan(&there)
	if err == nil && there {
		err = c.QueryRow(ctx, "SELECT coalesce(max(number), 0) FROM step").Scan(&n)
	}
	return n, err
}
