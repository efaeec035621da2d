package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crossdockhq/crossdock/store/postgres/cluster"
)

// shared is the one server of a test program. It ends with the program, whose end
// its guard sees. It keeps what it acknowledges, but does no work in the background,
// which with hundreds of schemas would take longer than the tests.
var shared = sync.OnceValues(func() (*cluster.Cluster, error) {
	return cluster.Start(context.Background(), "checkpoint_timeout=1d", "max_wal_size=4GB", "autovacuum=off")
})

// rounds counts how often the tests of a name have ended, for go test -count.
var rounds sync.Map // name → *atomic.Int64

// Database returns the address of a PostgreSQL database with a schema that belongs
// to name, until the test ends, on a throw-away server that all tests of a program
// share. Where the programs of PostgreSQL are missing the test is skipped, in CI it fails.
func Database(t testing.TB, name string) string {
	t.Helper()
	c, err := shared()
	switch {
	case errors.Is(err, cluster.ErrMissing) && os.Getenv("CI") != "true":
		t.Skip(cluster.ErrMissing)
	case err != nil:
		t.Fatal(err)
	}
	n, _ := rounds.LoadOrStore(name, new(atomic.Int64))
	round := n.(*atomic.Int64) //nolint:errcheck // nothing else is put in
	t.Cleanup(func() { round.Add(1) })
	return c.URL(fmt.Sprintf("t_%x", sha256.Sum256(fmt.Appendf(nil, "%d %s", round.Load(), name)))[:24])
}
