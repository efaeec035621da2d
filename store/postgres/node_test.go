package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/storetest"
)

// Three nodes file into one lane while a fourth reads it from where it is: it never
// sees a number before the one below it, and an open transaction beside ours, and
// one of our own node that writes nothing, hold nothing up.
func TestNodesFileIntoOneLane(t *testing.T) {
	reader := open(t, t.Name(), postgres.Options{})
	for _, text := range []string{"SELECT pg_current_xact_id()", "INSERT INTO open_attempt (number) VALUES (0)"} {
		end, err := reader.Begin(t.Context(), text)
		must(t, err)
		defer end()
	}
	const nodes, callers, each = 3, 4, 40
	var all sync.WaitGroup
	for n := range nodes {
		s := open(t, t.Name(), postgres.Options{})
		for c := range callers {
			all.Go(func() {
				for i := range each {
					if err := file(t, s, fmt.Sprintf("%d-%d-%d", n, c, i)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	var got []string
	for end := time.Now().Add(time.Minute); len(got) < nodes*callers*each && !t.Failed(); {
		page, err := reader.Journal().Read(t.Context(), crossdock.Normal, int64(len(got)), 1000)
		must(t, err)
		for _, a := range page {
			if got = append(got, a.Body.(crossdock.Message).Key); a.Number != int64(len(got)) {
				t.Fatalf("arrival %d is seen after %d", a.Number, len(got)-1)
			}
		}
		if time.Now().After(end) {
			t.Fatalf("only %d arrivals are seen", len(got))
		}
	}
	all.Wait()
	slices.Sort(got)
	if n := len(slices.Compact(got)); n != nodes*callers*each {
		t.Errorf("%d different arrivals", n)
	}
}

// The connection is cut before and after every message of a filing to the server.
// What is acknowledged is there once; what is not is not there.
func TestConnectionLostWhileFiling(t *testing.T) {
	lost := map[bool]int{}
	for try := 0; try < 2 || try < 12 && (lost[true] == 0 || lost[false] == 0); try++ { // which bytes are one message is the network's to say
		after := try%2 == 1
		for n, come := 1, true; come; n++ {
			name := fmt.Sprint(t.Name(), n, try)
			direct := open(t, name, postgres.Options{})
			p, url := through(t, name)
			s, err := postgres.Open(t.Context(), url, postgres.Options{})
			must(t, err)
			must(t, file(t, s, "first"))
			time.Sleep(25 * time.Millisecond) // its word to other nodes is out
			p.arm(n, after)
			a := message("second")
			cursor := &store.Cursor{System: "odoo", Kind: crossdock.KindStock, Text: "1", At: time.Unix(1, 0)}
			err = s.Journal().File(t.Context(), store.Filing{Arrivals: []*store.Arrival{a, message("third")}, Cursor: cursor})
			come = p.wasCut()
			want := "[first second third]"
			switch {
			case err == nil && a.Number != 2:
				t.Errorf("cut %d: it is told number %d", n, a.Number)
			case errors.Is(err, store.ErrAway):
				want = "[first]"
			case err != nil:
				t.Errorf("cut %d: %v", n, err)
			}
			if come {
				lost[err == nil]++
			}
			if got := fmt.Sprint(filed(t, direct)); got != want {
				t.Errorf("cut at message %d, after it %v: filed are %s, and File said %v", n, after, got, err)
			}
			must(t, file(t, s, "next")) // it goes on
			must(t, s.Close())
		}
	}
	if lost[true] == 0 || lost[false] == 0 {
		t.Errorf("cut, and filed all the same or not: %v; both have to happen", lost)
	}
}

func TestConnectionLostWhileCommitting(t *testing.T) {
	lost := map[bool]int{}
	for try := 0; try < 2 || try < 12 && (lost[true] == 0 || lost[false] == 0); try++ { // which bytes are one message is the network's to say
		after := try%2 == 1
		for n, come := 1, true; come; n++ {
			name := fmt.Sprint(t.Name(), n, try)
			direct := open(t, name, postgres.Options{})
			p, url := through(t, name)
			s, err := postgres.Open(t.Context(), url, postgres.Options{})
			must(t, err)
			d := storetest.Begin(t, s.Book())
			d.Commit(1, nil)
			time.Sleep(25 * time.Millisecond)
			p.arm(n, after)
			c := d.Next(n%2, storetest.Thousand(0)) // also without an entry
			err = s.Book().Commit(t.Context(), c)
			come = p.wasCut()
			at, rows := c.To, int64(200)
			if errors.Is(err, store.ErrAway) {
				at, rows = c.From, 0
			} else if err != nil {
				t.Errorf("cut %d: %v", n, err)
			}
			if come {
				lost[err == nil]++
			}
			is, err := direct.Book().Position(t.Context())
			must(t, err)
			count, err := direct.Book().Count(t.Context(), core.Records)
			must(t, err)
			if !is.Equal(at) || count != rows {
				t.Errorf("cut at message %d, after it %v: the book is at %+v with %d rows, want %+v with %d", n, after, is, count, at, rows)
			}
			d.At = is
			d.Commit(1, storetest.Thousand(0)) // it goes on
			must(t, direct.Book().(*postgres.Book).VerifyChain(t.Context(), 0))
			must(t, s.Close())
		}
	}
	if lost[true] == 0 || lost[false] == 0 {
		t.Errorf("cut, and committed all the same or not: %v; both have to happen", lost)
	}
}

// The server still works on the commit whose connection was lost: File waits until
// it has ended before it says what came of it.
func TestCommitThatIsStillUnderWay(t *testing.T) {
	direct := open(t, t.Name(), postgres.Options{})
	cursor := func(text string) *store.Cursor {
		return &store.Cursor{System: "odoo", Kind: crossdock.KindStock, Text: text, At: time.Unix(1, 0)}
	}
	must(t, direct.Journal().File(t.Context(), store.Filing{Cursor: cursor("1")}))
	end, err := direct.Begin(t.Context(), "SELECT FROM cursor FOR UPDATE") // it will wait here, its COMMIT sent
	must(t, err)
	end = sync.OnceFunc(end)
	defer end()
	p, url := through(t, t.Name())
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	defer s.Close()
	a := message("a")
	done := make(chan error, 1)
	go func() {
		done <- s.Journal().File(context.Background(), store.Filing{Arrivals: []*store.Arrival{a}, Cursor: cursor("2")})
	}()
	waiting(t, t.Name(), 1)
	p.away.Store(true) // what the driver sends after it, to have the statement cancelled, is lost too
	p.drop()
	time.Sleep(200 * time.Millisecond)
	p.away.Store(false)
	waiting(t, t.Name(), 2) // who asks what came of it waits for it
	select {
	case err := <-done:
		t.Fatalf("it is told %v while nobody can know", err)
	case <-time.After(300 * time.Millisecond):
	}
	end()
	if err := <-done; err != nil || a.Number != 1 {
		t.Errorf("it is told %v and number %d", err, a.Number)
	}
	if got := fmt.Sprint(filed(t, direct)); got != "[a]" {
		t.Errorf("filed are %s", got)
	}
}

// The connection is lost in a commit and not to be had again: the store says that it
// does not know, and is not written any more.
func TestNobodyCanTell(t *testing.T) {
	p, url := through(t, t.Name())
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	defer s.Close()
	s.Patience(300 * time.Millisecond)
	must(t, file(t, s, "first"))
	time.Sleep(tellAtMost)
	p.stay = true
	p.arm(2, true) // the first message locks, the second writes and commits
	if err := file(t, s, "second"); !errors.Is(err, store.ErrBroken) || errors.Is(err, store.ErrAway) {
		t.Errorf("a filing of which nobody knows ends in %v", err)
	}
	p.away.Store(false)
	if err := file(t, s, "third"); !errors.Is(err, store.ErrBroken) {
		t.Errorf("it is written on: %v", err)
	}
	again := open(t, t.Name(), postgres.Options{}) // the next start
	if got := fmt.Sprint(filed(t, again)); got != "[first second]" {
		t.Errorf("filed are %s", got)
	}
	must(t, file(t, again, "third"))
}

// waiting waits until so many statements wait for a lock in a schema.
func waiting(t *testing.T, name string, n int) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), storetest.Database(t, name))
	must(t, err)
	defer db.Close(t.Context())
	is := 0
	for range 1000 {
		must(t, db.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database()").Scan(&is))
		if is >= n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%d statements wait, want %d", is, n)
}

// A holder is paused after its lease was found good and before its write: who takes
// over waits until the write has ended, and sees it.
func TestTakeoverWaitsForTheWrite(t *testing.T) {
	one, two := open(t, t.Name(), postgres.Options{}), open(t, t.Name(), postgres.Options{})
	held, err := one.Leases().Acquire(t.Context(), "desk", "one", 200*time.Millisecond)
	must(t, err)
	end, err := two.Begin(t.Context(), "SELECT FROM lane FOR UPDATE")
	must(t, err)
	end = sync.OnceFunc(end)
	defer end()
	written := make(chan error, 1)
	go func() {
		written <- one.Journal().File(context.Background(), store.Filing{Arrivals: []*store.Arrival{message("a")}, Under: &held})
	}()
	waiting(t, t.Name(), 1)
	time.Sleep(300 * time.Millisecond) // the lease is over
	type taken struct {
		seen []string
		err  error
	}
	over := make(chan taken, 1)
	go func() {
		l, err := two.Leases().Acquire(context.Background(), "desk", "two", time.Hour)
		if err != nil || l.Epoch != held.Epoch+1 {
			over <- taken{nil, fmt.Errorf("%+v: %w", l, err)}
			return
		}
		over <- taken{filed(t, two), nil}
	}()
	waiting(t, t.Name(), 2)
	select {
	case got := <-over:
		t.Fatalf("the lease was taken over beside a write under it: %+v", got)
	case <-time.After(100 * time.Millisecond):
	}
	end()
	must(t, <-written)
	got := <-over
	must(t, got.err)
	if fmt.Sprint(got.seen) != "[a]" {
		t.Errorf("who took over sees %v", got.seen)
	}
	err = one.Journal().File(t.Context(), store.Filing{Arrivals: []*store.Arrival{message("b")}, Under: &held})
	if !errors.Is(err, store.ErrStale) {
		t.Errorf("a write after that ends in %v", err)
	}
}

// The server ends our connections at any moment while nodes file and commit.
func TestConnectionsEndedByTheServer(t *testing.T) {
	direct := open(t, t.Name(), postgres.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	told := map[string]bool{} // key → acknowledged
	refused := 0
	for n := range 2 {
		s := open(t, t.Name(), postgres.Options{})
		for c := range 4 {
			all.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					key := fmt.Sprintf("%d-%d-%d", n, c, i)
					err := file(t, s, key)
					if err != nil && !errors.Is(err, store.ErrAway) {
						t.Error(err)
					}
					mu.Lock()
					told[key] = err == nil
					if err != nil {
						refused++
					}
					mu.Unlock()
				}
			})
		}
	}
	var committed atomic.Int64
	all.Go(func() {
		s := open(t, t.Name(), postgres.Options{})
		d := storetest.Begin(t, s.Book())
		for ctx.Err() == nil {
			c := d.Next(3, storetest.Thousand(0)[:20])
			err := s.Book().Commit(context.Background(), c)
			if err == nil {
				d.At = c.To
				committed.Add(3)
			} else if !errors.Is(err, store.ErrAway) {
				t.Error(err)
				return
			}
		}
	})
	db, err := pgx.Connect(t.Context(), storetest.Database(t, t.Name()))
	must(t, err)
	defer db.Close(t.Context())
	ends := 0
	for ctx.Err() == nil {
		tag, err := db.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'crossdock' AND (query LIKE '%lane%' OR query LIKE '%COMMIT%' OR query LIKE '%INTO row%') ORDER BY random() LIMIT 1")
		must(t, err)
		ends += int(tag.RowsAffected())
		time.Sleep(5 * time.Millisecond)
	}
	all.Wait()
	count := map[string]int{}
	for _, key := range filed(t, direct) {
		count[key]++
	}
	for key, ok := range told {
		if want := map[bool]int{true: 1}[ok]; count[key] != want {
			t.Errorf("%s: acknowledged %v, %d times in the lane", key, ok, count[key])
		}
	}
	if len(count) > len(told) {
		t.Errorf("%d are filed of %d", len(count), len(told))
	}
	entries, err := direct.Book().Entries(t.Context(), 0, 1<<20)
	must(t, err)
	must(t, direct.Book().(*postgres.Book).VerifyChain(t.Context(), 0))
	if int64(len(entries)) != committed.Load() {
		t.Errorf("%d entries are in the book, %d were committed", len(entries), committed.Load())
	}
	if ends == 0 || refused == 0 || len(count) == 0 || committed.Load() == 0 {
		t.Errorf("%d connections were ended, %d filings refused, %d filed, %d committed: nothing was tried", ends, refused, len(count), committed.Load())
	}
	t.Logf("%d connections were ended, %d filings refused, %d filed, %d entries committed", ends, refused, len(count), committed.Load())
}

func TestNodesWakeEachOther(t *testing.T) {
	one, two := open(t, t.Name(), postgres.Options{}), open(t, t.Name(), postgres.Options{})
	stranger := open(t, t.Name()+" of others", postgres.Options{})
	woken := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- two.Listen(ctx, func() { woken <- struct{}{} }) }()
	<-woken // it listens
	must(t, file(t, stranger, "a"))
	must(t, file(t, two, "a")) // its own words are none
	select {
	case <-woken:
		t.Error("a node was woken by itself or by a stranger")
	case <-time.After(100 * time.Millisecond):
	}
	must(t, file(t, one, "b"))
	<-woken
	time.Sleep(tellAtMost)
	storetest.Begin(t, one.Book()).Commit(1, nil)
	<-woken
	cancel()
	must(t, <-ended)
}

const tellAtMost = 25 * time.Millisecond
