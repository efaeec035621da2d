package odoo

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// TestDefaults: what the tags say is what an empty field comes to.
func TestDefaults(t *testing.T) {
	c := Config{}.withDefaults()
	got := map[string]string{
		"shipping_product": c.Shipping, "discount_product": c.Discount, "batch": fmt.Sprint(c.Batch), "confirm_batch": fmt.Sprint(c.ConfirmBatch),
	}
	for _, f := range Type.Fields {
		if f.Default != "" && f.Name != "overlap" && got[f.Name] != f.Default {
			t.Errorf("%s: the tag says %q, the code %q", f.Name, f.Default, got[f.Name])
		}
		if f.Name == "overlap" {
			if d, err := time.ParseDuration(f.Default); err != nil || d != c.Overlap {
				t.Errorf("overlap: %q and %s", f.Default, c.Overlap)
			}
		}
		if f.Secret != (f.Name == "key") {
			t.Errorf("%s: secret %v", f.Name, f.Secret)
		}
	}
}

func TestConfig(t *testing.T) {
	good := Config{URL: "https://odoo.example.com", Database: "d", User: "u", Key: "k"}
	for name, change := range map[string]func(*Config){
		"url": func(c *Config) { c.URL = "odoo.example.com" }, "database": func(c *Config) { c.Database = "" }, "user": func(c *Config) { c.User = "" },
		"key": func(c *Config) { c.Key = "" }, "company_id": func(c *Config) { c.Company = -1 }, "batch": func(c *Config) { c.Batch = 5000 },
		"confirm_batch": func(c *Config) { c.ConfirmBatch = -1 }, "overlap": func(c *Config) { c.Overlap = -time.Second },
	} {
		bad := good
		change(&bad)
		cfg := Type.Config().(*Config)
		*cfg = bad
		_, err := Type.Open(cfg, connector.Env{System: "odoo"})
		if crossdock.CodeOf(err) != crossdock.Invalid || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := Type.Config().(*Config)
	*cfg = good
	if _, err := Type.Open(cfg, connector.Env{System: "odoo"}); err != nil {
		t.Error(err)
	}
}

// TestCompanyIsSent: a user without a scope works in his default company.
func TestCompanyIsSent(t *testing.T) {
	for _, c := range []struct {
		cfg   Config
		given map[string]any
		want  string
	}{
		{Config{Company: 2}, map[string]any{"tz": "UTC"}, `{"context":{"allowed_company_ids":[2],"tz":"UTC"}}`},
		{Config{}, nil, `{"context":{"allowed_company_ids":[7]}}`},
		{Config{Companies: map[string]string{"US1": "4", "EU1": "1"}}, nil, `{"context":{"allowed_company_ids":[1,4]}}`},
		{Config{Companies: map[string]string{"US1": "4", "EU1": "1"}}, inCompany(crossdock.Record{Fields: map[string]json.RawMessage{"company_id": raw("4")}}, nil), `{"context":{"allowed_company_ids":[4]}}`},
	} {
		scope := c.cfg.scope()
		if len(scope) == 0 {
			scope = []json.Number{"7"} // the user's own
		}
		if got := string(raw(scoped(connOf(c.cfg).context(c.given), scope))); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
