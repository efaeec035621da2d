package odoo

import (
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
	c := connOf(Config{Company: 2})
	if got := string(raw(c.context(map[string]any{"tz": "UTC"}))); got != `{"context":{"allowed_company_ids":[2],"tz":"UTC"}}` {
		t.Error(got)
	}
	if got := string(raw(connOf(Config{}).context(nil))); got != `{"context":{}}` {
		t.Error(got)
	}
}
