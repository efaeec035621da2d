package odoo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// TestLookupsForgetWhatAProxySaid: what answers in Odoo's place for some seconds is
// not kept for the connection's life.
func TestLookupsForgetWhatAProxySaid(t *testing.T) {
	said, asked := "", 0
	c := fake(t, func(w http.ResponseWriter, model, _ string, _ []json.RawMessage) {
		if model == "res.country" {
			asked++
		}
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":%s}`, said)
	})
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	c.now = func() time.Time { return now }
	for _, odd := range []string{`[{}]`, `[{"id":1}]`, `[]`, `[{"id":1,"code":false}]`, `[{"code":"US"}]`} {
		said = odd
		if id, err := c.country(t.Context(), "US"); crossdock.CodeOf(err) != crossdock.Unavailable {
			t.Errorf("%s: %q %v, want it to be tried again", odd, id, err)
		}
	}
	said = `[{"id":233,"code":"US"}]`
	if id, err := c.country(t.Context(), "US"); id != "233" || err != nil {
		t.Fatalf("Odoo is back: %q %v", id, err)
	}

	// Read anew for a name that is not there, at most once a minute; and kept.
	asked = 0
	for range 3 {
		if _, err := c.country(t.Context(), "XK"); crossdock.CodeOf(err) != crossdock.Invalid || crossdock.SubjectOf(err) != "country:XK" {
			t.Fatalf("%q: %v", crossdock.SubjectOf(err), err)
		}
	}
	said = `[{"id":233,"code":"US"},{"id":9,"code":"XK"}]`
	now = now.Add(lookAnew)
	if id, err := c.country(t.Context(), "XK"); id != "9" || err != nil || asked != 1 {
		t.Errorf("a person added it: %q %v after %d calls", id, err, asked)
	}
	if _, err := c.country(t.Context(), "US"); err != nil || asked != 1 {
		t.Errorf("%v after %d calls", err, asked)
	}

	// A state that is not there leaves the cell empty, until it is there.
	said = `[]`
	if id, err := c.state(t.Context(), "233", "KY"); id != "" || err != nil {
		t.Errorf("%q %v", id, err)
	}
	said, now = `[{"id":26,"code":"KY"}]`, now.Add(lookAnew)
	if id, err := c.state(t.Context(), "233", "KY"); id != "26" || err != nil {
		t.Errorf("%q %v", id, err)
	}
	for _, odd := range []string{`[{}]`, `[{"id":26}]`, `[]`} {
		said = odd
		if err := c.addRegion(t.Context(), row{"state_id": json.RawMessage(`[26,"Kentucky"]`)}, new(crossdock.Message)); crossdock.CodeOf(err) != crossdock.Unavailable {
			t.Errorf("region, %s: %v", odd, err)
		}
		if _, err := c.companyCurrency(t.Context(), "1"); err == nil {
			t.Errorf("currency, %s: no error", odd)
		}
	}
	said = `[{"id":1,"currency_id":[1,"USD"],"company_id":[1,"C"]}]`
	if in, err := c.companyCurrency(t.Context(), "1"); in != "USD" || err != nil {
		t.Errorf("%q %v", in, err)
	}
}
