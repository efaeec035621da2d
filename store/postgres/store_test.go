package postgres_test

import (
	"context"
	"testing"

	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/storetest"
)

func open(t testing.TB, name string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), storetest.Database(t, name), o)
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
