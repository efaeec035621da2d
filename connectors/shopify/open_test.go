package shopify

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	testSecret   = "shpss_test_secret"
	testPrevious = "shpss_previous_secret"
	testToken    = "shpat_test_token"
	testShop     = "tea.myshopify.com"
)

// openShop opens the connector the way the hub does, through its Type.
func openShop(t testing.TB, url string) *Shop {
	t.Helper()
	cfg := Type.Config()
	*cfg.(*Config) = Config{Shop: testShop, URL: url, Token: testToken, Secret: testSecret, PreviousSecret: testPrevious}
	c, err := Type.Open(cfg, connector.Env{System: "shop", Now: func() time.Time { return time.Date(2026, 11, 23, 12, 50, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Shop)
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// golden compares statements with the file, or writes it with -update.
func golden(t *testing.T, name string, got []crossdock.Statement) {
	t.Helper()
	text := readable(t, got)
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := readFile(t, name); !bytes.Equal(text, want) {
		t.Errorf("statements differ from testdata/%s (write it anew with -update)\n got: %s\nwant: %s", name, text, want)
	}
}

func readable(t *testing.T, got []crossdock.Statement) []byte {
	t.Helper()
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	good := Config{Shop: testShop, Token: testToken, Secret: testSecret}
	for _, c := range []struct {
		name, place string
		change      func(*Config)
	}{
		{"as it should be", "", func(*Config) {}},
		{"a sandbox", "", func(c *Config) { c.URL = "http://127.0.0.1:8091" }},
		{"another version", "", func(c *Config) { c.Version = "2026-10" }},
		{"no shop", "shop", func(c *Config) { c.Shop = "" }},
		{"a shop with scheme", "shop", func(c *Config) { c.Shop = "https://tea.myshopify.com" }},
		{"a shop without its ending", "shop", func(c *Config) { c.Shop = "tea" }},
		{"no token", "token", func(c *Config) { c.Token = "" }},
		{"a token with a line end", "token", func(c *Config) { c.Token += "\n" }},
		{"no secret", "secret", func(c *Config) { c.Secret = "" }},
		{"a month that is no version", "version", func(c *Config) { c.Version = "2026-08" }},
		{"an address without a scheme", "url", func(c *Config) { c.URL = "127.0.0.1:8091" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			err := cfg.Validate()
			if c.place == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var f *crossdock.Error
			if !errors.As(err, &f) || f.Place != c.place || f.Code != crossdock.Invalid {
				t.Errorf("error %v, want one of code invalid at %s", err, c.place)
			}
			if _, err := Type.Open(&cfg, connector.Env{}); err == nil {
				t.Error("Open took it")
			}
		})
	}
}

func TestDefaultVersionIsTheOneDocumented(t *testing.T) {
	for _, f := range Type.Fields {
		if f.Name == "version" && f.Default != DefaultVersion {
			t.Errorf("the tag says %s and the code %s", f.Default, DefaultVersion)
		}
		if secret := f.Name == "token" || f.Name == "secret" || f.Name == "previous_secret"; f.Secret != secret {
			t.Errorf("field %s: secret is %v", f.Name, f.Secret)
		}
	}
	if got, want := openShop(t, "").api.endpoint, "https://tea.myshopify.com/admin/api/2026-07/graphql.json"; got != want {
		t.Errorf("asks %s, want %s", got, want)
	}
}
