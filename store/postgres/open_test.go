package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/postgres"
	"github.com/crossdockhq/crossdock/store/storetest"
)

func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func message(key string) *store.Arrival {
	return &store.Arrival{Lane: crossdock.Normal, At: time.Unix(1, 0), Body: crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: key, Body: []byte(`{}`)}}
}

func file(t testing.TB, s store.Store, keys ...string) error {
	t.Helper()
	f := store.Filing{}
	for _, k := range keys {
		f.Arrivals = append(f.Arrivals, message(k))
	}
	return s.Journal().File(context.WithoutCancel(t.Context()), f)
}

func filed(t testing.TB, s store.Store) (out []string) {
	t.Helper()
	got, err := s.Journal().Read(t.Context(), crossdock.Normal, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range got {
		if a.Number != int64(i+1) {
			t.Fatalf("place %d of the lane has number %d", i+1, a.Number)
		}
		out = append(out, a.Body.(crossdock.Message).Key)
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestServersThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		version                       int
		fsync, pages, commits, coding string
		reads                         bool
		o                             postgres.Options
		words                         string
	}{
		{150018, "on", "on", "on", "UTF8", false, postgres.Options{}, ""},
		{180001, "on", "on", "remote_apply", "UTF8", false, postgres.Options{}, ""},
		{140011, "on", "on", "on", "UTF8", false, postgres.Options{}, "PostgreSQL 14"},
		{150018, "off", "on", "on", "UTF8", false, postgres.Options{}, "fsync is off"},
		{150018, "on", "off", "on", "UTF8", false, postgres.Options{}, "full_page_writes is off"},
		{150018, "on", "on", "off", "UTF8", false, postgres.Options{}, "synchronous_commit is off"},
		{150018, "on", "on", "on", "SQL_ASCII", false, postgres.Options{}, "SQL_ASCII"},
		{150018, "on", "on", "on", "UTF8", true, postgres.Options{}, "standby"},
		{150018, "on", "on", "on", "UTF8", true, postgres.Options{ReadOnly: true}, ""},
		{150018, "off", "off", "off", "UTF8", false, postgres.Options{Unsafe: true}, ""},
	} {
		err := postgres.Refused(c.version, c.fsync, c.pages, c.commits, c.coding, c.reads, c.o)
		if c.words == "" {
			must(t, err)
		} else {
			says(t, err, c.words)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	url := storetest.Database(t, t.Name())
	db, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer db.Close(t.Context())
	_, err = db.Exec(t.Context(), "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
	must(t, err)
	for _, c := range []struct{ url, words string }{
		{url + "&synchronous_commit=off", "synchronous_commit is off"},
		{strings.Replace(url, "/crossdock?", "/ascii?", 1), "SQL_ASCII"},
		{strings.Replace(url, "/crossdock?", "/nowhere?", 1), `"nowhere" does not exist`},
		{url + "&default_transaction_read_only=on", "standby"},
		{"postgres:///crossdock?search_path=a,b", "name one schema"},
		{"postgres:///crossdock?search_path=pg_catalog", "name one schema"},
		{"postgres://ada:s3cret@host:port/x", "can't be read"},
	} {
		_, err := postgres.Open(t.Context(), c.url, postgres.Options{})
		says(t, err, c.words)
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the password is in %q", err)
		}
	}
}

func TestManyNodesStartAtOnce(t *testing.T) {
	var all sync.WaitGroup
	url := storetest.Database(t, t.Name())
	for range 8 {
		all.Go(func() {
			s, err := postgres.Open(context.Background(), url, postgres.Options{})
			if err == nil {
				err = errors.Join(file(t, s, "a"), s.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := filed(t, open(t, t.Name(), postgres.Options{})); len(got) != 8 {
		t.Errorf("%d arrivals", len(got))
	}
}

func TestNothingElseIsTouched(t *testing.T) {
	db, err := pgx.Connect(t.Context(), storetest.Database(t, t.Name()))
	must(t, err)
	defer db.Close(t.Context())
	_, err = db.Exec(t.Context(), "CREATE TABLE public.theirs (id int); INSERT INTO public.theirs VALUES (1)")
	must(t, err)
	outside := func() (n int) {
		must(t, db.QueryRow(t.Context(), "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname NOT LIKE 't\\_%' AND nspname NOT LIKE 'pg\\_toast%' AND nspname NOT LIKE 'pg\\_temp%'").Scan(&n))
		return n
	}
	before := outside()
	s := open(t, t.Name(), postgres.Options{})
	must(t, file(t, s, "a"))
	_, err = s.Book().Claim(t.Context())
	must(t, err)
	if after := outside(); after != before {
		t.Errorf("outside of the schema there were %d relations, and are %d", before, after)
	}
}

func TestReadOnly(t *testing.T) {
	_, err := postgres.Open(t.Context(), storetest.Database(t, t.Name()), postgres.Options{ReadOnly: true})
	says(t, err, "version 0", "start crossdock serve")
	hub := open(t, t.Name(), postgres.Options{})
	must(t, file(t, hub, "a"))
	reader := open(t, t.Name(), postgres.Options{ReadOnly: true})
	must(t, file(t, hub, "b"))
	if got := fmt.Sprint(filed(t, reader)); got != "[a b]" {
		t.Errorf("read are %s", got)
	}
	says(t, file(t, reader, "c"), "reading only")
	_, err = reader.Book().Claim(t.Context())
	says(t, err, "reading only")
	says(t, reader.Exec(t.Context(), "DELETE FROM arrival"), "read-only") // the server holds to it too
}

func TestNewerTablesAreRefused(t *testing.T) {
	s := open(t, t.Name(), postgres.Options{})
	must(t, s.Exec(t.Context(), "INSERT INTO step (number) VALUES (99)"))
	for _, o := range []postgres.Options{{}, {ReadOnly: true}} {
		_, err := postgres.Open(t.Context(), storetest.Database(t, t.Name()), o)
		says(t, err, "version 99", "newer crossdock")
	}
}

func TestVerdicts(t *testing.T) {
	for state, want := range map[string]error{
		"53100": store.ErrFull, "53200": store.ErrAway, "53300": store.ErrAway, "57P01": store.ErrAway, "57P03": store.ErrAway, "08006": store.ErrAway,
		"25006": store.ErrAway, "40P01": store.ErrAway, "58030": store.ErrBroken, "XX001": store.ErrBroken, "23505": nil, "42P01": nil, "": nil,
	} {
		if got := postgres.Verdict(state); !errors.Is(got, want) {
			t.Errorf("%s means %v, want %v", state, got, want)
		}
	}
}

// A server that says it is full files nothing, and what is small enough is filed.
func TestFull(t *testing.T) {
	s := open(t, t.Name(), postgres.Options{})
	d := storetest.Begin(t, s.Book())
	d.Commit(1, storetest.Thousand(0))
	must(t, s.Exec(t.Context(), `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`))
	for _, table := range []string{"arrival", "row"} {
		must(t, s.Exec(t.Context(), "CREATE TRIGGER full_disk BEFORE INSERT ON "+table+" FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"))
	}
	a := message("a")
	cursor := &store.Cursor{System: "odoo", Kind: crossdock.KindStock, Text: "1", At: time.Unix(1, 0)}
	if err := s.Journal().File(t.Context(), store.Filing{Arrivals: []*store.Arrival{a}, Cursor: cursor}); !errors.Is(err, store.ErrFull) || a.Number != 0 {
		t.Errorf("filed on a full disk: %v, number %d", err, a.Number)
	}
	if err := s.Book().Commit(t.Context(), d.Next(1, storetest.Thousand(0))); !errors.Is(err, store.ErrFull) {
		t.Errorf("committed on a full disk: %v", err)
	}
	must(t, s.Exec(t.Context(), "DROP FUNCTION full_disk CASCADE"))
	if got := filed(t, s); len(got) != 0 {
		t.Errorf("filed are %v", got)
	}
	must(t, file(t, s, "b"))
	d.Commit(1, storetest.Thousand(0))
}

func TestDrop(t *testing.T) {
	url := storetest.Database(t, t.Name())
	must(t, postgres.Drop(t.Context(), url)) // there is none
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	must(t, errors.Join(file(t, s, "a"), s.Close()))
	must(t, postgres.Drop(t.Context(), url))
	_, err = postgres.Open(t.Context(), url, postgres.Options{ReadOnly: true})
	says(t, err, "version 0")
}
