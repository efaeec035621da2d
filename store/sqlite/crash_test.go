package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
	"github.com/crossdockhq/crossdock/store/storetest"
)

// victimDir tells the test binary to be the process that is killed.
const victimDir = "CROSSDOCK_TEST_VICTIM_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		fmt.Fprintln(os.Stderr, victim(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim files and commits until it is killed, and says what was acknowledged:
// "filed LANE NUMBER KEY" and "committed SEQ", a line each.
func victim(dir string) error {
	s, err := sqlite.Open(dir, sqlite.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	failed := make(chan error)
	for caller, lane := range []crossdock.Lane{crossdock.Urgent, crossdock.Normal, crossdock.Normal, crossdock.Bulk} {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d-%d", os.Getpid(), caller, i)
				a := &store.Arrival{Lane: lane, At: time.Unix(1, 0), Body: crossdock.Message{Key: key, Body: storetest.Text(uint64(i), 600)}}
				f := store.Filing{Arrivals: []*store.Arrival{a}}
				if lane == crossdock.Bulk {
					f.Cursor = &store.Cursor{System: "odoo", Kind: crossdock.KindStock, Text: key}
				}
				if err := s.Journal().File(ctx, f); err != nil {
					failed <- err
					return
				}
				fmt.Printf("filed %s %d %s\n", lane, a.Number, key) // one write: unbuffered
			}
		}()
	}
	go func() { failed <- commits(ctx, s.Book()) }()
	return <-failed
}

// commits puts, with every seq, a row of its own and one that always names the last.
func commits(ctx context.Context, b store.Book) error {
	at, err := b.Claim(ctx)
	if err != nil {
		return err
	}
	for {
		c := (&storetest.Desk{At: at}).Next(3, nil)
		for _, key := range []string{"last", fmt.Sprint(c.To.Seq)} {
			r := &core.Record{Of: crossdock.BookRef(crossdock.KindOrder, key), Seq: c.To.Seq}
			c.Changes = append(c.Changes, core.Change{At: r.Address(), Row: r})
		}
		if err := b.Commit(ctx, c); err != nil {
			return err
		}
		at = c.To
		fmt.Printf("committed %d\n", at.Seq)
	}
}

func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	filed := map[string]string{} // "LANE NUMBER" → key
	committed := int64(0)
	for range rounds {
		for _, line := range kill(t, dir, time.Duration(r.IntN(300)+5)*time.Millisecond) {
			var lane, key string
			var n int64
			if c, _ := fmt.Sscanf(line, "filed %s %d %s", &lane, &n, &key); c == 3 {
				filed[fmt.Sprint(lane, " ", n)] = key
			} else if c, _ := fmt.Sscanf(line, "committed %d", &n); c == 1 {
				committed = n
			} else {
				t.Fatalf("the victim said %q", line)
			}
		}
		afterKill(t, dir, filed, committed)
	}
	if len(filed) < 10*rounds || committed == 0 {
		t.Fatalf("only %d filings and seq %d were acknowledged in %d rounds", len(filed), committed, rounds)
	}
	t.Logf("%d kills (seed %d): %d filings and commits up to seq %d acknowledged, none lost", rounds, seed, len(filed), committed)
}

// kill runs the victim, kills it some time after its first word and returns the
// whole lines it said.
func kill(t *testing.T, dir string, after time.Duration) []string {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^$")
	c.Env = append(os.Environ(), victimDir+"="+dir)
	var trouble strings.Builder
	c.Stderr = &trouble
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(out)
	first, err := from.ReadString('\n')
	said := make(chan string)
	go func() {
		rest, _ := io.ReadAll(from)
		said <- string(rest)
	}()
	if err == nil {
		time.Sleep(after)
	}
	if err := c.Process.Kill(); err != nil {
		t.Error(err)
	}
	all := first + <-said
	if err := c.Wait(); err == nil || trouble.Len() > 0 {
		t.Fatalf("the victim ended by itself: %v %s", err, trouble.String())
	}
	whole := all[:strings.LastIndex(all, "\n")+1]
	return strings.Split(strings.TrimSuffix(whole, "\n"), "\n")
}

// afterKill opens what the victim left, first as a reader beside nobody.
func afterKill(t *testing.T, dir string, filed map[string]string, committed int64) {
	t.Helper()
	for _, o := range []sqlite.Options{{ReadOnly: true}, {}} {
		s, err := sqlite.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		bulk := lanesAfterKill(t, s, filed)
		c, err := s.Journal().Cursor(t.Context(), "odoo", crossdock.KindStock)
		if err != nil || c.Text != bulk {
			t.Errorf("I2: the cursor is at %q and the last row read is %q: %v", c.Text, bulk, err)
		}
		bookAfterKill(t, s.Book().(*sqlite.Book), committed)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// lanesAfterKill returns the key of the last arrival of lane bulk.
func lanesAfterKill(t *testing.T, s *sqlite.Store, filed map[string]string) (bulk string) {
	t.Helper()
	found := 0
	for _, lane := range crossdock.Lanes {
		all, err := s.Journal().Read(t.Context(), lane, 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range all {
			key := a.Body.(crossdock.Message).Key
			if a.Number != int64(i+1) {
				t.Fatalf("place %d of lane %s has number %d", i+1, lane, a.Number)
			}
			if want, ok := filed[fmt.Sprint(lane, " ", a.Number)]; ok {
				found++
				if key != want {
					t.Errorf("number %d of lane %s holds %s, acknowledged was %s", a.Number, lane, key, want)
				}
			}
			if lane == crossdock.Bulk {
				bulk = key
			}
		}
		if _, err := s.Journal().(*sqlite.Journal).VerifyDigests(t.Context(), lane, 0, 1<<30); err != nil {
			t.Error(err)
		}
	}
	if found != len(filed) {
		t.Errorf("I1: %d of %d acknowledged arrivals are there", found, len(filed))
	}
	return bulk
}

func bookAfterKill(t *testing.T, b *sqlite.Book, committed int64) {
	t.Helper()
	p, err := b.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.Seq < committed {
		t.Errorf("I1: the book is at seq %d, acknowledged was %d", p.Seq, committed)
	}
	if err := b.VerifyChain(t.Context(), 0); err != nil {
		t.Error(err)
	}
	entries, err := b.Entries(t.Context(), 0, 1<<30)
	if err != nil || int64(len(entries)) != p.Seq {
		t.Errorf("%d entries at seq %d: %v", len(entries), p.Seq, err)
	}
	n, err := b.Count(t.Context(), core.Records)
	if err != nil || p.Seq > 0 && n != p.Seq/3+1 {
		t.Errorf("%d rows at seq %d: %v", n, p.Seq, err)
	}
	if p.Seq == 0 {
		return
	}
	last := entries[len(entries)-1]
	rows, err := b.Load(t.Context(), []core.Address{core.RecordAt(crossdock.BookRef(crossdock.KindOrder, "last"))})
	if err != nil || rows[0] == nil {
		t.Fatalf("the row of the last commit is not there: %v", err)
	}
	if got := rows[0].(*core.Record).Seq; got != p.Seq || last.Seq != p.Seq || !last.At.Equal(p.At) || p.Lanes[last.Lane].Number != last.Arrival {
		t.Errorf("position %+v, last entry %+v and row of seq %d don't fit", p, last, got)
	}
}
