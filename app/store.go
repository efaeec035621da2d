package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

// openStore opens the store of a configuration. The address of a database is looked
// up in env where the configuration was read without secrets.
func openStore(ctx context.Context, cfg *config.Config, env config.Lookup, readOnly bool) (store.Store, error) {
	if !cfg.Store.Postgres() {
		s, err := sqlite.Open(cfg.Data, sqlite.Options{ReadOnly: readOnly})
		if err != nil {
			return nil, crossdock.Errorf(crossdock.Unavailable, "open the data directory: %w", err)
		}
		return s, nil
	}
	address, err := cfg.Store.Address(env)
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "the address of the database (store.postgres in %s): %w", cfg.Name, err)
	}
	s, err := postgres.Open(ctx, address, postgres.Options{ReadOnly: readOnly})
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "open the store (store.postgres in %s): %w", cfg.Name, err)
	}
	return s, nil
}

// ownerFile names, in the data directory, the last start of the hub there.
const ownerFile = "owner"

// enter makes this hub the one of its data directory and returns by which name it
// holds its leases. A hub in SQLite has locked the directory already. In PostgreSQL
// the lock proves that the start before has ended, which may have been by force: its
// leases are free.
func (h *Hub) enter(ctx context.Context) (owner string, err error) {
	owner = ownerName()
	if !h.cfg.Store.Postgres() {
		return owner, nil
	}
	defer func() {
		if err != nil {
			err = crossdock.Errorf(crossdock.Unavailable, "enter the data directory %s: %w", h.cfg.Data, err)
		}
	}()
	if err := os.MkdirAll(h.cfg.Data, 0o700); err != nil {
		return "", err
	}
	if h.lock, err = sqlite.Lock(h.cfg.Data); err != nil {
		return "", err
	}
	path := filepath.Join(h.cfg.Data, ownerFile)
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if len(before) > 0 {
		if err := h.store.Leases().Vacate(ctx, string(before)); err != nil {
			return "", err
		}
	}
	return owner, os.WriteFile(path, []byte(owner), 0o600)
}

// ownerName names this start of this hub among the nodes that share a store.
func ownerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "node"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text())
}
