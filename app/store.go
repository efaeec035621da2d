package app

import (
	"context"
	"errors"
	"os"

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
	if readOnly {
		return s, nil
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil { // for the socket
		return nil, errors.Join(crossdock.Errorf(crossdock.Unavailable, "make the data directory: %w", err), s.Close())
	}
	return s, nil
}
