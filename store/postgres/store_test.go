package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/postgres/cluster"
	"github.com/crossdockhq/crossdock/store/storetest"
)

// server is the one of all tests here; each has a schema of its own.
var server *cluster.Cluster

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if server, err = cluster.Start(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			if os.Getenv("CI") == "true" {
				return 1
			}
		} else {
			defer func() {
				if err := server.Stop(); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}()
		}
		return m.Run()
	}())
}

// schema returns the address of the schema that belongs to a name.
func schema(t testing.TB, name string) string {
	t.Helper()
	if server == nil {
		t.Skip(cluster.ErrMissing)
	}
	return server.URL(fmt.Sprintf("t_%x", sha256.Sum256([]byte(name)))[:24])
}

func open(t testing.TB, name string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), schema(t, name), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T, dir string) store.Store { return open(t, dir, postgres.Options{}) })
}

func TestHard(t *testing.T) {
	storetest.Hard(t, func(t *testing.T, dir string) store.Store { return open(t, dir, postgres.Options{Unsafe: true}) })
}
