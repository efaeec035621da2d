package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/postgres/cluster"
)

// lent is the PostgreSQL of a demo: a throw-away server, or a schema of somebody's
// database.
type lent struct {
	server  *cluster.Cluster
	address string // of a schema that is dropped in the end; "": none
}

// keep makes ready where the demo keeps its store and returns what crossdock.yaml
// says of it.
func (d *Demo) keep(ctx context.Context) (string, error) {
	switch {
	case d.o.Store == "" || d.o.Store == "sqlite":
		return "sqlite", nil
	case d.o.Store != "postgres":
		return "", crossdock.Errorf(crossdock.Invalid, "--store %s: a demo keeps its store in sqlite or postgres", d.o.Store)
	}
	var address string
	if d.o.Database != "" {
		u, err := url.Parse(d.o.Database)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return "", crossdock.Errorf(crossdock.Invalid, "--database is no address of a PostgreSQL database: it begins with postgres://") // not repeated: it may hold a password
		}
		q := u.Query()
		q.Set("search_path", "crossdock_demo_"+strings.ToLower(rand.Text()))
		u.RawQuery = q.Encode()
		address, d.lent.address = u.String(), u.String()
	} else {
		var err error
		d.lent.server, err = cluster.Start(ctx)
		if errors.Is(err, cluster.ErrMissing) {
			return "", crossdock.Errorf(crossdock.Unavailable, "%w; or name a database with --database", err)
		}
		if err != nil {
			return "", err
		}
		address = d.lent.server.URL("")
	}
	path := filepath.Join(d.dir, "database")
	if err := os.WriteFile(path, []byte(address), 0o600); err != nil {
		return "", crossdock.Errorf(crossdock.Unavailable, "write the address of the database: %w", err)
	}
	return fmt.Sprintf("{ postgres: %q }", "${file:"+path+"}"), nil
}

// giveBack ends the server, or drops the schema.
func (l *lent) giveBack() error {
	if l.server != nil {
		return l.server.Stop()
	}
	if l.address == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return postgres.Drop(ctx, l.address)
}
