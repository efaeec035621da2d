package odoo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
)

// TestVeilOfRecordedErrors: what is shown of every error text that real servers of
// 16, 18 and 19 gave. None of the names in them is.
func TestVeilOfRecordedErrors(t *testing.T) {
	var all []struct {
		Said  string `json:"said"`
		Shown string `json:"shown"`
	}
	readJSON(t, "veil.json", &all)
	if len(all) < 80 {
		t.Fatalf("only %d texts", len(all))
	}
	for i := range all {
		all[i].Shown = veil(all[i].Said, nil)
		for _, name := range []string{"Mitchell", "Admin ", "Integration", "Bot", "Widget", "Francisco", "Chicago", "Europe", "Hub ", "0400000000017", "WID-A", "hubrec", "127.0.0.1", "nodb"} {
			if strings.Contains(all[i].Shown, name) {
				t.Errorf("%q is shown: %s", name, all[i].Shown)
			}
		}
	}
	golden(t, "veil.json", indent(t, all))
}

// TestVeil: texts that no recording has, of modules and of people.
func TestVeil(t *testing.T) {
	pushed := pushedWords("load", []any{[]string{"id", "name", "type", "email", "street"}, [][]string{{"crossdock.party_1", "zoe quux", "contact", "zq@example.org", "12 elm row"}}})
	for _, c := range []struct{ said, shown string }{
		{"Ada Lee has exceeded the credit limit of 5000.00.", "… has exceeded the credit limit of …"},
		{"ada lee, orchard way 12, has exceeded the credit limit; ask müller", "… has exceeded the credit limit; ask …"},
		{"partner ada_lee (res.ada) of field 'ada lee' and model 'ada' is blocked", "partner … of field '…' and model '…' is blocked"},
		{"The VAT number [US123456] for partner [Ada O'Brien] does not seem to be valid.", "The VAT number … for partner … does not seem to be valid."},
		{"A customer with e-mail ada@example.org and phone +1 (555) 010-0100 is there already", "A customer with e-mail … and phone … is there already"},
		{"Der Kontakt 'ada lee' in Köln ist gesperrt", "… 'ada lee' in …"},
		{"customer zoe quux of elm row is blocked", "customer … of … is blocked"},
		{"Records: Zoe (id=57)", "Records: … (id=57)"},
		{"客户李雷已被冻结", "…"},
		{"\x00record\x01 Ada", "record …"},
		{"", ""},
	} {
		c.shown = strings.ReplaceAll(c.shown, "'ada lee'", "'…'")
		if got := veil(c.said, pushed); got != c.shown {
			t.Errorf("%q\n shows %q\n  want %q", c.said, got, c.shown)
		}
	}
	if long := veil(strings.Repeat("word ", 400), nil); len(long) > 410 {
		t.Errorf("%d bytes", len(long))
	}
}

// TestPushedWords: the words of a customer are known in every form he is written in,
// and ids and the hub's own words are none of them.
func TestPushedWords(t *testing.T) {
	got := pushedWords("write", []any{[]any{json.Number("7")}, map[string]any{"name": "Ada O'Brien", "type": "delivery", "country_id": json.Number("233"), "order_line": []any{[]any{0, 0, map[string]any{"name": "Green tea"}}}}})
	slices.Sort(got)
	if want := "ada brien green tea"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := pushedWords("search_read", []any{[]any{[]any{"ref", "in", []string{"x"}}}, []string{"name"}}); len(got) != 0 {
		t.Errorf("a read pushes %q", got)
	}
}

// TestRefusedPartnerLeavesNoMark: whatever a server says when it refuses a partner,
// his name, e-mail and telephone are not in the receipt.
func TestRefusedPartnerLeavesNoMark(t *testing.T) {
	marks := []string{"zyxwvu", "qqqjjj", "555010987"}
	values := map[string]string{"name": "Zyxwvu Marker", "email": "qqqjjj@example.org", "phone": "+1 555010987", "type": "contact", "ref": "crossdock.party_1", "is_company": "False", "street": "5 Zyxwvu Row"}
	want := crossdock.Record{Kind: partnerModel, Form: 1, Fields: map[string]json.RawMessage{}}
	for name, v := range values {
		want.Fields[name] = raw(v)
	}
	said := []string{
		"Zyxwvu Marker is blocked", "partner zyxwvu marker (qqqjjj@example.org) is blocked", "phone '+1 555010987' is no number", "value \"Zyxwvu Marker\" for field 'Zyxwvu Marker'",
		"Sorry, Zyxwvu Marker (id=5) doesn't have 'write' access to: - Contact (res.partner, Zyxwvu Marker)", "duplicate key\nDETAIL:  Key (email)=(qqqjjj@example.org) already exists.",
		"new row violates\nDETAIL:  Failing row contains (1, Zyxwvu Marker, qqqjjj@example.org, 555010987).", "ZYXWVU MARKER", "call 555010987", "zyxwvu_marker", "res.zyxwvu", "zyxwvu-marker's", "constraint 'zyxwvu'",
	}
	for _, text := range said {
		for _, class := range []string{"load", "odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "odoo.exceptions.AccessError", "odoo.exceptions.MissingError", "psycopg2.errors.UniqueViolation", "builtins.ValueError", "Zyxwvu Marker"} {
			conn := fake(t, func(w http.ResponseWriter, _, method string, args []json.RawMessage) {
				switch {
				case method == "read":
					fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":[]}`)
				case class == "load":
					fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":{"ids":false,"messages":[{"type":"error","record":0,"message":%s}]}}`, raw(text))
				default:
					fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"error":{"code":200,"message":"Odoo Server Error","data":{"name":%s,"message":%s}}}`, raw(class), raw(text))
				}
			})
			r := conn.Push(context.Background(), []crossdock.Push{{Of: crossdock.BookRef(crossdock.KindParty, "1"), Rev: 1, Want: want, Door: crossdock.DoorRefused}})[0]
			if r.Code == crossdock.OK || r.Text == "" {
				t.Fatalf("%s %q: %+v", class, text, r)
			}
			for _, mark := range marks {
				if strings.Contains(strings.ToLower(r.Text), mark) {
					t.Errorf("%s %q shows %s", class, text, r.Text)
				}
			}
		}
	}
}
