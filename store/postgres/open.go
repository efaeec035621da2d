// Package postgres keeps journal and book in one schema of a PostgreSQL database
// (15 or later), which several nodes share. Every node files and reads; of desks,
// dispatches and pulls the one works that holds the lease. It passes the same suite
// as store/sqlite.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// Options say how a database is opened. The zero value is for a hub that serves.
type Options struct {
	// ReadOnly writes nothing; it reads from a standby too.
	ReadOnly bool
	// Unsafe does not wait for the disk and takes a server that does not, so a power
	// cut may lose or damage everything. It is for simulation and tests only.
	Unsafe bool
	// Rand is where salts come from; nil: crypto/rand.
	Rand io.Reader
}

// DefaultSchema is used where the URL names no search_path.
const DefaultSchema = "crossdock"

// Store is a journal and a book in one schema.
type Store struct {
	pool    *pgxpool.Pool
	schema  string
	place   string // host, database and schema, for messages; no secret
	o       Options
	journal *Journal
	book    *Book
	broken  atomic.Pointer[error] // the ErrBroken that ended writing
	told    atomic.Int64          // when another node was told last, in nanoseconds since 1970
	self    string                // tells our own words to other nodes apart

	patience time.Duration // to find out what came of a commit whose answer was lost
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Listener = (*Store)(nil)
)

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Open opens the store that a URL names, making its schema and tables where they
// are missing; several nodes may do so at once. The URL is libpq's
// (https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING); with
// search_path=NAME the schema is NAME. Nothing outside the schema is touched.
// Refused are a server older than 15, one that does not keep what it has
// acknowledged (fsync or synchronous_commit off), a database that is not in UTF8,
// and tables a newer crossdock has made.
func Open(ctx context.Context, url string, o Options) (_ *Store, err error) {
	cfg, err := configure(url, o)
	if err != nil {
		return nil, err
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	c := cfg.ConnConfig
	s := &Store{o: o, schema: c.RuntimeParams["search_path"], self: rand.Text(), patience: patience}
	s.place = fmt.Sprintf("schema %s of database %s at %s", s.schema, c.Database, c.Host)
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open %s: %w", s.place, err)
	}
	s.journal, s.book = newJournal(s), &Book{s: s}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", s.place, err), s.Close())
	}
	return s, nil
}

// configure reads the URL and says what every connection is told.
func configure(url string, o Options) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url) // its error hides the password
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Invalid, "the address of the database can't be read: %w", err)
	}
	set := cfg.ConnConfig.RuntimeParams
	schema := set["search_path"]
	if schema == "" {
		schema = DefaultSchema
	}
	if !schemaName.MatchString(schema) || strings.HasPrefix(schema, "pg_") {
		return nil, crossdock.Errorf(crossdock.Invalid, "search_path %q in the address of the database: name one schema of small letters, digits and _", schema)
	}
	for name, value := range map[string]string{
		"search_path":                   schema,
		"default_transaction_isolation": "read committed",
		// A node that was paused or cut off in a transaction holds the others up no longer.
		"idle_in_transaction_session_timeout": "15000",
		"tcp_keepalives_idle":                 "10",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "3",
		// Every look-up is by index, also before the first ANALYZE.
		"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off",
		"plan_cache_mode": "force_generic_plan", "jit": "off",
	} {
		set[name] = value
	}
	if set["application_name"] == "" {
		set["application_name"] = "crossdock"
	}
	if o.ReadOnly {
		set["default_transaction_read_only"] = "on"
	}
	if o.Unsafe {
		set["synchronous_commit"] = "off"
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	cfg.ConnConfig.StatementCacheCapacity = 128
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error { return fit(ctx, c, o) }
	return cfg, nil
}

// oldest is the server_version_num of the oldest PostgreSQL that is supported.
const oldest = 150000

// server is what a server says of itself.
type server struct {
	version                         int
	fsync, pages, commits, encoding string
	reads                           bool // a standby, or told to refuse writing
}

// fit refuses a server that does not keep what it is given. Every connection is
// asked: the server may have been restarted with other settings, or be another one.
func fit(ctx context.Context, c *pgx.Conn, o Options) error {
	var s server
	err := c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('fsync'), current_setting('full_page_writes'),
		current_setting('synchronous_commit'), current_setting('server_encoding'), pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean`).
		Scan(&s.version, &s.fsync, &s.pages, &s.commits, &s.encoding, &s.reads)
	if err != nil {
		return err
	}
	return s.refused(o)
}

// refused says why a server is not taken, nil where it is.
func (s server) refused(o Options) error {
	switch {
	case s.version < oldest:
		return crossdock.Errorf(crossdock.Invalid, "the server is PostgreSQL %d and this crossdock needs 15 or later: upgrade it", s.version/10000)
	case s.encoding != "UTF8":
		return crossdock.Errorf(crossdock.Invalid, "the database is in %s: make one in UTF8 (createdb -E UTF8 -T template0)", s.encoding)
	case o.ReadOnly:
		return nil
	case s.reads:
		return fmt.Errorf("%w: the server is a standby or only reads, name the one that writes (with several hosts add target_session_attrs=read-write)", store.ErrAway)
	case o.Unsafe:
		return nil
	}
	for _, is := range []struct{ name, value string }{{"fsync", s.fsync}, {"full_page_writes", s.pages}, {"synchronous_commit", s.commits}} {
		if is.value == "off" {
			return crossdock.Errorf(crossdock.Invalid, "%s is off on the server, so it acknowledges what a power cut loses: set it on (ALTER SYSTEM, or ALTER ROLE or DATABASE … SET)", is.name)
		}
	}
	return nil
}

// Drop removes the schema that a URL names, and all that is in it, for good. Where
// there is none it does nothing.
func Drop(ctx context.Context, url string) error {
	cfg, err := configure(url, Options{})
	if err != nil {
		return err
	}
	c, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return fmt.Errorf("drop schema %s: %w", cfg.ConnConfig.RuntimeParams["search_path"], err)
	}
	_, err = c.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{cfg.ConnConfig.RuntimeParams["search_path"]}.Sanitize()+" CASCADE")
	return errors.Join(err, c.Close(ctx))
}

// Place names the server, database and schema; it holds no secret.
func (s *Store) Place() string { return s.place }

// Journal implements store.Store.
func (s *Store) Journal() store.Journal { return s.journal }

// Book implements store.Store. The value is a *Book.
func (s *Store) Book() store.Book { return s.book }

// Leases implements store.Store.
func (s *Store) Leases() store.Leases { return leases{s} }

// Close ends all connections, after what is being written is done. A second Close
// does nothing. What is called after it fails.
func (s *Store) Close() error {
	if s != nil && s.pool != nil {
		s.pool.Close()
	}
	return nil
}
