package postgres_test

import (
	"testing"

	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store { return open(b, b.Name(), postgres.Options{}) })
}
