package config_test

import (
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
)

var update = flag.Bool("update", false, "write the goldens anew")

type shopConfig struct {
	Shop   string `yaml:"shop" required:"true" identity:"true" form:"domain" doc:"Domain of the shop." example:"example.myshopify.com"`
	URL    string `yaml:"api_url" doc:"Address of the Admin API, when it is another."`
	Token  string `yaml:"token" required:"true" secret:"true" doc:"Access token."`
	Secret string `yaml:"secret" required:"true" secret:"true" doc:"Secret the webhooks are signed with."`
	Old    string `yaml:"old_secret" secret:"true" doc:"The secret before this one."`
}

type odooConfig struct {
	URL      string            `yaml:"url" required:"true" identity:"true" doc:"Address of the Odoo server." example:"https://odoo.example.com"`
	Database string            `yaml:"database" required:"true" identity:"true" doc:"Name of the database."`
	User     string            `yaml:"user" required:"true" doc:"Login of the hub's user."`
	Key      string            `yaml:"key" required:"true" secret:"true" doc:"API key of that user."`
	Batch    int               `yaml:"batch" default:"50" least:"1" most:"1000" doc:"Orders in one call."`
	Strict   bool              `yaml:"strict" doc:"Refuse what could be guessed."`
	Overlap  time.Duration     `yaml:"overlap" default:"60s" least:"0s" most:"24h" doc:"How far a pull reads back."`
	Tags     []string          `yaml:"tags" doc:"Tags of new customers."`
	Taxes    map[string]string `yaml:"taxes" doc:"Taxes by the channel's name."`
}

func (c *odooConfig) Validate() error {
	if strings.HasSuffix(c.URL, "/web") {
		return crossdock.At("url", crossdock.Errorf(crossdock.Invalid, "%s is a page, not the server (and the key is %s)", c.URL, c.Key))
	}
	return nil
}

// seen is a connector that shows the configuration it was opened with.
type seen[C any] struct {
	connector.Connector
	cfg C
	env connector.Env
}

func types() []connector.Type {
	return []connector.Type{
		connector.Define("shopify", "Orders in from a shop.", connector.Options{
			Takes: []crossdock.Kind{"stock"}, Owns: []crossdock.Kind{"order"}, Settles: 10 * time.Second,
		}, func(c shopConfig, env connector.Env) (connector.Connector, error) {
			return seen[shopConfig]{cfg: c, env: env}, nil
		}),
		connector.Define("odoo", "Orders out to Odoo.", connector.Options{
			Takes: []crossdock.Kind{"party", "order"}, Owns: []crossdock.Kind{"item", "stock", "site", "tax"}, Settles: time.Minute,
		}, func(c odooConfig, env connector.Env) (connector.Connector, error) {
			return seen[odooConfig]{cfg: c, env: env}, nil
		}),
	}
}

// around is the environment of the tests. Every secret in it, and every secret in
// a broken file, holds the word hunter2.
func around() config.Lookup {
	env := map[string]string{
		"SHOPIFY_TOKEN": "shpat-hunter2", "ODOO_KEY": "key-hunter2", "ODOO_URL": "http://127.0.0.1:8069", "EMPTY": "", "BLANK": "  ",
		"LISTEN": "127.0.0.1:0", "NONE": "0", "DATA": "/var/lib/crossdock", "BATCH": "7", "STRICT": "true", "OVERLAP": "5s",
		"DATABASE_URL": "postgres://ada:hunter2@db/crossdock",
	}
	files := map[string]string{"hook": "hook-hunter2\n", "/run/secrets/hook": "hook-hunter2", "empty": "\n", "database": "prod\r\n", "two-lines": "hook-hunter2\nhook-hunter2\n", "blank": "  \n"}
	return config.Lookup{
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		File: func(path string) ([]byte, error) {
			rel, err := filepath.Rel(filepath.Join("testdata", "good"), path)
			if err != nil || strings.HasPrefix(rel, "..") {
				rel, err = filepath.Rel(filepath.Join("testdata", "broken"), path)
			}
			if err != nil || strings.HasPrefix(rel, "..") {
				rel = path
			}
			if rel == "locked" {
				return nil, fmt.Errorf("open %s: %w", path, fs.ErrPermission)
			}
			v, ok := files[filepath.ToSlash(rel)]
			if !ok {
				return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
			}
			return []byte(v), nil
		},
	}
}

func load(t *testing.T, path string, env config.Lookup) (*config.Config, error) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return config.Load(filepath.ToSlash(path), src, types(), env)
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil || len(out) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	return out
}

// Each broken file is called after its fault; beside it stands what is said.
func TestBrokenFiles(t *testing.T) {
	quoted := regexp.MustCompile(`^testdata/broken/[a-z0-9-]+\.yaml:[0-9]+:[0-9]+: `)
	for _, path := range files(t, "testdata/broken/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			c, err := load(t, path, around())
			if err == nil {
				t.Fatalf("it was accepted: %v", c)
			}
			got := err.Error() + "\n"
			if !quoted.MatchString(got) {
				t.Errorf("the error does not begin with its place: %s", got)
			}
			if strings.Contains(got, "hunter2") || strings.Contains(got, "12345678") {
				t.Errorf("a secret is shown: %s", got)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".golden", got)
		})
	}
}

// Without looking anything up, a file that only lacks its surroundings is good,
// and every other broken file is still broken. (A connector's own check of the
// whole needs all of it.)
func TestBrokenFilesWithoutSecrets(t *testing.T) {
	surroundings := map[string]bool{"env-not-set": true, "env-empty": true, "file-missing": true, "file-not-readable": true, "file-empty": true, "number-from-env-is-none": true,
		"file-of-two-lines": true, "file-blank": true, "env-blank": true, "batch-from-env-out-of-bounds": true, "store-no-address": true}
	for _, path := range files(t, "testdata/broken/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		_, bare := load(t, path, config.Lookup{})
		if surroundings[name] != (bare == nil) {
			t.Errorf("%s: %v", name, bare)
		}
		_, err := load(t, path, around())
		want := crossdock.Invalid
		if surroundings[name] && name != "number-from-env-is-none" && name != "batch-from-env-out-of-bounds" && name != "store-no-address" {
			want = crossdock.Unavailable
		}
		if got := crossdock.CodeOf(err); got != want {
			t.Errorf("%s has code %s, want %s", name, got, want)
		}
	}
}

func TestEveryGoldenHasItsFile(t *testing.T) {
	for _, path := range files(t, "testdata/broken/*.golden") {
		if _, err := os.Stat(strings.TrimSuffix(path, ".golden") + ".yaml"); err != nil {
			t.Error(err)
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", path, diff)
	}
}

func TestFullFile(t *testing.T) {
	c, err := load(t, "testdata/good/full.yaml", around())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/good/full.json", indent(t, c))
	odoo, _ := c.Connection("odoo")
	open, err := odoo.Open(connector.Env{})
	if err != nil {
		t.Fatal(err)
	}
	want := odooConfig{
		URL: "http://127.0.0.1:8069", Database: "prod", User: "hub@example.com", Key: "key-hunter2", Batch: 20, Strict: true,
		Overlap: 30 * time.Second, Tags: []string{"web", "2026"}, Taxes: map[string]string{"State Tax 8%": "8% Sales", "VAT": "19 %"},
	}
	got := open.(seen[odooConfig])
	if diff := cmp.Diff(want, got.cfg); diff != "" {
		t.Error(diff)
	}
	if got.env.System != "odoo" {
		t.Errorf("the connector was opened as %q", got.env.System)
	}
	shop, _ := c.Connection("shop")
	if open, err = shop.Open(connector.Env{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shopConfig{Shop: "example.myshopify.com", Token: "shpat-hunter2", Secret: "hook-hunter2"}, open.(seen[shopConfig]).cfg); diff != "" {
		t.Error(diff)
	}
	if got.env.Shared {
		t.Error("no other connection has its secrets, and it is told one has")
	}
	if _, ok := c.Connection("crm"); ok {
		t.Error("there is a connection nobody wrote")
	}
}

func TestDefaults(t *testing.T) {
	for _, path := range []string{"testdata/good/small.yaml", "testdata/good/windows.yaml"} {
		c, err := load(t, path, around())
		if err != nil {
			t.Fatal(err)
		}
		n := c.Connections[0]
		if c.Listen != "127.0.0.1:8300" || c.Data != filepath.FromSlash("testdata/good/crossdock-data") || n.Pull != time.Minute || n.Settles != 10*time.Second {
			t.Errorf("%s: %v", path, c)
		}
		if diff := cmp.Diff([]crossdock.Kind{"stock"}, n.Takes); diff != "" {
			t.Error(diff)
		}
	}
}

func TestStore(t *testing.T) {
	embedded, err := load(t, "testdata/good/small.yaml", around())
	if err != nil {
		t.Fatal(err)
	}
	if address, err := embedded.Store.Address(around()); embedded.Store.Postgres() || address != "" || err != nil {
		t.Errorf("without store it is %s at %q: %v", embedded.Store, address, err)
	}
	for _, env := range []config.Lookup{around(), {}} { // looked up at once, or when it is asked for
		c, err := load(t, "testdata/good/postgres.yaml", env)
		if err != nil {
			t.Fatal(err)
		}
		address, err := c.Store.Address(around())
		if err != nil || !c.Store.Postgres() || address != "postgres://ada:hunter2@db/crossdock" {
			t.Errorf("the store is %s at %q: %v", c.Store, address, err)
		}
		for _, shown := range []string{fmt.Sprintf("%v %+v %#v", c, c, c), fmt.Sprint(c.Store)} {
			if strings.Contains(shown, "hunter2") || !strings.Contains(shown, "postgres") {
				t.Errorf("shown is %s", shown)
			}
		}
	}
}

func TestReferences(t *testing.T) {
	c, err := load(t, "testdata/good/references.yaml", around())
	if err != nil {
		t.Fatal(err)
	}
	open, err := c.Connections[0].Open(connector.Env{})
	if err != nil {
		t.Fatal(err)
	}
	got := open.(seen[odooConfig]).cfg
	want := odooConfig{URL: "https://odoo.example.com", Database: "prod", User: "hub@example.com", Key: "key-hunter2",
		Batch: 7, Strict: true, Overlap: 5 * time.Second, Tags: []string{"127.0.0.1:0"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Listen != "127.0.0.1:0" || c.Data != "/var/lib/crossdock" {
		t.Errorf("listen %s, data %s", c.Listen, c.Data)
	}

	bare, err := load(t, "testdata/good/references.yaml", config.Lookup{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"batch", "database", "key", "overlap", "strict", "tags"}, bare.Connections[0].Unresolved()); diff != "" {
		t.Error(diff)
	}
	golden(t, "testdata/good/references.json", indent(t, bare))
}

// However a configuration is printed, no secret is in it.
func TestSecretsAreNotPrinted(t *testing.T) {
	c, err := load(t, "testdata/good/full.yaml", around())
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", c, "value", *c, "connection", c.Connections[0])
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "value", *c, "connection", c.Connections[0])
	for _, v := range []any{c, *c, c.Connections, c.Connections[0], &c.Connections[0], c.Setup(), struct{ C config.Config }{*c}, map[string]any{"c": c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
		log.WriteString(indent(t, v))
	}
	if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), fmt.Sprintf("%x", "hunter2")) {
		t.Error("a secret was printed")
	}
	if !strings.Contains(log.String(), "•••") || !strings.Contains(log.String(), "example.myshopify.com") {
		t.Error("what may be printed is not there")
	}
}

func TestSetup(t *testing.T) {
	c, err := load(t, "testdata/good/full.yaml", around())
	if err != nil {
		t.Fatal(err)
	}
	s := c.Setup()
	golden(t, "testdata/good/full.setup.json", indent(t, s))
	if len(s.Hash) != 64 || s.Hash != c.Setup().Hash {
		t.Errorf("hash %q", s.Hash)
	}

	src, err := os.ReadFile("testdata/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct {
		name, old, new string
		same           bool
	}{
		{"a comment", "# three months at most", "# soon", true},
		{"where data is", "./crossdock-data", "/var/lib/crossdock", true},
		{"the order of kinds", "[party, order]", "[order, party]", true},
		{"the order of companies", "companies:\n  US1: { currency: USD, zone: America/Los_Angeles }\n", "companies:\n", false},
		{"another secret", "ODOO_KEY", "SHOPIFY_TOKEN", true},
		{"the order of sites", "[W, E]", "[E, W]", false},
		{"what it takes", "[party, order]", "[party]", false},
		{"settles", "2m", "3m", false},
		{"a zone", "Europe/Berlin", "Europe/Paris", false},
	} {
		other := strings.Replace(string(src), change.old, change.new, 1)
		if other == string(src) {
			t.Fatalf("%s: nothing was changed", change.name)
		}
		other = strings.Replace(other, "company: US1", "company: EU1", 1)
		base := strings.Replace(string(src), "company: US1", "company: EU1", 1)
		a, err := config.Load("a.yaml", []byte(base), types(), around())
		if err != nil {
			t.Fatal(err)
		}
		b, err := config.Load("b.yaml", []byte(other), types(), around())
		if err != nil {
			t.Fatal(err)
		}
		if (a.Setup().Hash == b.Setup().Hash) != change.same {
			t.Errorf("%s: the same hash is %v", change.name, !change.same)
		}
	}
}

// Wrong puts an error of a connector at its place in the file, without secrets.
func TestWrong(t *testing.T) {
	c, err := load(t, "testdata/good/full.yaml", around())
	if err != nil {
		t.Fatal(err)
	}
	odoo, _ := c.Connection("odoo")
	got := c.Wrong(odoo, crossdock.At("batch", crossdock.Errorf(crossdock.Invalid, "too many with key-hunter2"))).Error() + "\n" +
		c.Wrong(odoo, crossdock.At("overlapping", crossdock.Errorf(crossdock.Invalid, "too long"))).Error() + "\n" +
		c.Wrong(odoo, fs.ErrInvalid).Error() + "\n"
	golden(t, "testdata/good/full.wrong.golden", got)
}

// A connector whose fields the file can't express is a defect and said as one.
func TestTypesThatCannotBeWritten(t *testing.T) {
	type clash struct {
		Company string `yaml:"company" doc:"x"`
	}
	type odd struct {
		When time.Time `yaml:"when" doc:"x"`
	}
	type bad struct {
		Batch int `yaml:"batch" default:"many" doc:"x"`
	}
	for want, list := range map[string][]connector.Type{
		"field company, which every connection has already": {define[clash]("a")},
		"Go type time.Time can't be written":                {define[odd]("a")},
		"default of field batch of connector a":             {define[bad]("a")},
		"two connectors are called a":                       {define[struct{}]("a"), define[struct{}]("a")},
	} {
		_, err := config.Load("x.yaml", []byte("version: 1\n"), list, around())
		if err == nil || !strings.Contains(err.Error(), want) || crossdock.CodeOf(err) != crossdock.Internal {
			t.Errorf("got %v, want %q", err, want)
		}
		if _, err := config.JSONSchema(list); crossdock.CodeOf(err) != crossdock.Internal {
			t.Errorf("the schema: %v", err)
		}
	}
}

func define[C any](name string) connector.Type {
	return connector.Define(name, "x", connector.Options{}, func(C, connector.Env) (connector.Connector, error) { return nil, nil })
}

// Two shops of one app have its client secret in common, and both are told.
func TestSharedSecret(t *testing.T) {
	const src = `version: 1
companies: { US1: { currency: USD, zone: America/New_York } }
connections:
  a: { type: shopify, company: US1, sites: [E], shop: a.myshopify.com, token: "${env:SHOPIFY_TOKEN}", secret: "${env:ODOO_KEY}" }
  b: { type: shopify, company: US1, sites: [E], shop: b.myshopify.com, token: "${env:DATA}", secret: "${file:hook}" }
  c: { type: shopify, company: US1, sites: [E], shop: c.myshopify.com, token: "${env:LISTEN}", secret: "${env:ODOO_KEY}" }
`
	c, err := config.Load("testdata/good/x.yaml", []byte(src), types(), around())
	if err != nil {
		t.Fatal(err)
	}
	for i, shared := range []bool{true, false, true} {
		open, err := c.Connections[i].Open(connector.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if got := open.(seen[shopConfig]).env.Shared; got != shared {
			t.Errorf("connection %s: shared is %v", c.Connections[i].System, got)
		}
	}
}
