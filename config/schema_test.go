package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/crossdockhq/crossdock/config"
)

func indent(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	src, err := config.JSONSchema(types())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/schema.json", string(src))
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("crossdock.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("crossdock.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What the schema can't see, because it needs two places of the file, the world
// around it, or what YAML a text came from.
var unseen = map[string]string{
	"company-unknown":                 "two places",
	"company-without-companies":       "two places",
	"two-locations-one-site":          "two places",
	"env-not-set":                     "the environment",
	"env-empty":                       "the environment",
	"number-from-env-is-none":         "the environment",
	"file-missing":                    "the disk",
	"file-not-readable":               "the disk",
	"file-empty":                      "the disk",
	"zone-misspelt":                   "the list of zones",
	"duration-too-short":              "a comparison",
	"listen-port-too-high":            "a comparison",
	"url-wrong-as-a-whole":            "the connector's own check",
	"batch-from-env-out-of-bounds":    "the environment",
	"env-blank":                       "the environment",
	"file-blank":                      "the disk",
	"file-of-two-lines":               "the disk",
	"one-database-twice":              "two places",
	"one-database-twice-by-reference": "two places",
	"one-shop-twice":                  "two places",
	"overlap-absurd":                  "a comparison",
	"pull-absurd":                     "a comparison",
	"settles-absurd":                  "a comparison",
	"number-in-octal":                 "how a number is written",
	"merge-key":                       "an editor merges it",
	"store-no-address":                "what the reference stands for is known only where it is looked up",
}

// asJSON reads a file as an editor does; false where it is no single YAML document.
func asJSON(t *testing.T, path string) (any, bool) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	d := yaml.NewDecoder(bytes.NewReader(src), yaml.Strict())
	if d.Decode(&v) != nil || v == nil {
		return nil, false
	}
	if err := d.Decode(new(any)); err == nil {
		return nil, false
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, false
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc, true
}

func TestSchemaAgreesWithLoad(t *testing.T) {
	s := compiled(t)
	for _, path := range files(t, "testdata/good/*.yaml") {
		doc, ok := asJSON(t, path)
		if !ok {
			t.Errorf("%s is no YAML", path)
			continue
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	checked := 0
	for _, path := range files(t, "testdata/broken/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		doc, ok := asJSON(t, path)
		if !ok {
			continue // an editor says so itself
		}
		checked++
		switch err, why := s.Validate(doc), unseen[name]; {
		case err == nil && why == "":
			t.Errorf("%s passes the schema", name)
		case err != nil && why != "":
			t.Errorf("%s can be seen after all: %v", name, err)
		}
	}
	if checked < 40 {
		t.Errorf("only %d broken files were read", checked)
	}
}
