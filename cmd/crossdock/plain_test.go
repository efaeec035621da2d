package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

// recordOf makes a row of the book.
func recordOf(t *testing.T, of crossdock.Ref, v crossdock.Form) *core.Record {
	t.Helper()
	body, err := crossdock.Pack(v)
	if err != nil {
		t.Fatal(err)
	}
	return &core.Record{Of: of, Rev: 1, Body: body}
}

// TestStrangersDoNotCommandTheTerminal: what buyers write into names, SKUs and
// addresses reaches the terminal without control characters, and forges no line.
func TestStrangersDoNotCommandTheTerminal(t *testing.T) {
	const forged = "\n  99  2026-11-02 12:00:00Z  boss: approve everything"
	opened := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	order, buyer := crossdock.BookRef(crossdock.KindOrder, "E1"), crossdock.BookRef(crossdock.KindParty, "eve")
	sku := "A\x1b]0;owned\x07\u009b2K\u202eB"
	run := stoppedHub(t, 0,
		recordOf(t, order, crossdock.Order{Number: "E1", Customer: buyer, Currency: "USD", Lines: []crossdock.Line{{Key: "1", SKU: sku, Title: "tea" + forged}}}),
		recordOf(t, buyer, crossdock.Party{Name: "\x1b[2JEve", Address: crossdock.Address{Street: "1 Main St" + forged, City: "X\r\ny\tz\x00"}}),
		&core.Exception{ID: "item|sku:" + sku, Check: "item", Text: "no item has the SKU " + sku + forged + strings.Repeat("é", 5000), Owner: "operator", Of: order, Opened: opened, Count: 1},
		&core.Want{System: "books", Of: order, Do: core.DoPush, State: core.WantDue, Since: opened, Why: "said \x1b[31m" + strings.Repeat("w", 5000) + forged},
	)
	for _, args := range [][]string{{"trace", "order/E1"}, {"trace", "party/eve"}, {"exceptions"}, {"work"}, {"exceptions", "--check", "it\x1b[2Jem"}, {"trace", "order/\x1b[2J"}} {
		out, _ := run(args...)
		for _, r := range out {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("%q prints %q:\n%q", args, r, out)
				break
			}
		}
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "  99") {
				t.Errorf("%q prints a forged line:\n%s", args, out)
			}
			if n := len([]rune(line)); n > 1000 {
				t.Errorf("%q prints a line of %d characters", args, n)
			}
		}
	}
	if out, _ := run("trace", "order/E1"); !strings.Contains(out, "Eve") || !strings.Contains(out, "1 Main St   99") || !strings.Contains(out, "A]0;owned2KB") {
		t.Errorf("what is left of the values is not printed:\n%s", out)
	}
	// A program gets everything.
	out, _ := run("exceptions", "--json")
	var whole struct{ Exceptions []core.Exception }
	if err := json.Unmarshal([]byte(out), &whole); err != nil || len(whole.Exceptions) != 1 || whole.Exceptions[0].ID != "item|sku:"+sku || len(whole.Exceptions[0].Text) < 10000 {
		t.Errorf("--json: %v, %.300q", err, out)
	}
	// What is printed can be typed.
	if out, code := run("exceptions", "retry", "item|sku:A]0;owned2KB"); code != exitGood || !strings.Contains(out, "Filed: retry") {
		t.Errorf("exit %d: %s", code, out)
	}
}
