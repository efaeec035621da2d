package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

// stoppedHub makes the data directory of a hub with many exceptions, all of one
// instant, and returns a function that runs the command line over it.
func stoppedHub(t *testing.T, many int, more ...core.Row) func(args ...string) (out string, exit int) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "crossdock.yaml")
	if err := os.WriteFile(file, []byte("version: 1\ndata: data\nconnections:\n  books: {type: ledger, url: \"https://books.example.com\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(filepath.Join(dir, "data"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.Book().Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	commit := store.Commit{From: at, To: at}
	commit.To.At = opened
	body, err := crossdock.Pack(crossdock.Item{SKU: "x", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	record := &core.Record{Of: crossdock.BookRef(crossdock.KindOrder, "1001"), Rev: 1, Body: body}
	commit.Changes = append(commit.Changes, core.Change{At: record.Address(), Row: record})
	for i := range many {
		x := &core.Exception{ID: fmt.Sprintf("stock|order/%04d", i), Check: "stock", Code: crossdock.Invalid, Text: "none left", Owner: "operator",
			Of: crossdock.BookRef(crossdock.KindOrder, fmt.Sprintf("%04d", i)), Opened: opened, Due: opened, Count: 1}
		if i == many-1 {
			x.ID, x.Check, x.System, x.Of = "credentials|books", "credentials", "books", crossdock.Ref{}
		}
		commit.Changes = append(commit.Changes, core.Change{At: x.Address(), Row: x})
	}
	for _, row := range more {
		commit.Changes = append(commit.Changes, core.Change{At: row.Address(), Row: row})
	}
	if err := s.Book().Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) (string, int) {
		var out, side bytes.Buffer
		sh := &shell{ctx: t.Context(), out: &out, err: &side, types: append(testTypes(), connectors()...), look: config.Lookup{}}
		code := sh.run(append([]string{"-c", file}, args...))
		if slices.Contains(args, "--json") {
			return out.String(), code
		}
		return out.String() + side.String(), code
	}
}

// TestEveryExceptionIsReached: however many there are, each is on a page, and can be
// retried and dropped.
func TestEveryExceptionIsReached(t *testing.T) {
	run := stoppedHub(t, 2300)
	seen := map[string]bool{}
	for after, pages := "", 0; ; pages++ {
		if pages > 5 {
			t.Fatal("the pages don't end")
		}
		args := []string{"exceptions", "--json", "--limit", "1000"}
		if after != "" {
			args = append(args, "--after", after)
		}
		out, code := run(args...)
		var page struct {
			Exceptions []core.Exception `json:"exceptions"`
			More       *int             `json:"more"`
		}
		if err := json.Unmarshal([]byte(out), &page); err != nil || code != exitGood || page.More == nil {
			t.Fatalf("exit %d: %s (%v)", code, out, err)
		}
		for _, x := range page.Exceptions {
			seen[x.ID] = true
			after = x.ID
		}
		if want := 2300 - len(seen); *page.More != want {
			t.Fatalf("after %d it says %d more", len(seen), *page.More)
		}
		if *page.More == 0 {
			break
		}
	}
	if len(seen) != 2300 {
		t.Errorf("%d exceptions were seen", len(seen))
	}
	for _, c := range []struct {
		args string
		exit int
		says string
	}{
		{"exceptions", 0, "2200 more; the next page: the same with --after 'stock|order/0098'"},
		{"exceptions --limit 2 --after stock|order/2297", 0, "stock|order/2298"},
		{"exceptions --check credentials", 0, "credentials|books"},
		{"exceptions --system books", 0, "credentials|books"},
		{"exceptions --record order/2298", 0, "stock|order/2298"},
		{"exceptions --record order/9999", 0, "There are no such exceptions."},
		{"exceptions --check stok", 2, `there is no check "stok": did you mean "stock"?`},
		{"exceptions --system boks", 2, `there is no connection "boks": did you mean "books"?`},
		{"exceptions --after nobody", 2, `there is no exception "nobody"`},
		{"exceptions --limit 0", 2, "--limit 0: write 1 to 100000"},
		{"exceptions retry stock|order/2298", 0, "Filed: retry stock|order/2298"},
		{"exceptions retry order/2297", 0, "Filed: retry stock|order/2297"},
		{"exceptions drop stock|order/2296 --note x", 0, "Filed: drop stock|order/2296"},
		{"exceptions drop order/2296 --note x", 2, `there is no open exception "order/2296"`},
		{"exceptions retry --check stock", 0, "Filed: retry of 2299 exceptions"},
		{"exceptions retry --system books", 0, "1 exception left as they are"},
		{"exceptions drop --check credentials --note x", 0, "Filed: drop credentials|books"},
		{"exceptions drop --check pull --note x", 2, "no open exception is like this"},
		{"exceptions --record ordr/1", 2, `did you mean "order"?`},
		{"trace order/9999", 2, "the book has no order/9999"},
		{"trace books/order/9999", 2, "the book knows no books/order/9999"},
		{"exceptions retry nobody", 2, `there is no open exception "nobody"`},
		{"exceptions retry", 2, "say which to retry"},
		{"exceptions retry stock|order/2298 --check stock", 2, "say which to retry"},
		{"work --connection boks", 2, `did you mean "books"?`},
	} {
		out, code := run(strings.Fields(c.args)...)
		if code != c.exit || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit %d, want %d and %q in:\n%s", c.args, code, c.exit, c.says, out[max(0, len(out)-400):])
		}
	}
}
