package sqlite_test

import (
	"testing"

	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store { return open(b, b.TempDir(), sqlite.Options{}) })
}
