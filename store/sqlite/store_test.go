package sqlite_test

import (
	"testing"

	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T, dir string) store.Store {
		s, err := sqlite.Open(dir, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestHard(t *testing.T) {
	storetest.Hard(t, func(t *testing.T, dir string) store.Store {
		s, err := sqlite.Open(dir, sqlite.Options{Unsafe: true}) // a killed hub loses nothing the system was given
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
