package scenario_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
	"github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/scenario"
)

var types = []connector.Type{odoo.Type, shopify.Type}

// TestScenarios runs every scenario of the project: they are its specification. On
// the Odoo the scenario names (18, so JSON-RPC) in all variants, and as written on 19,
// which the hub speaks JSON-2 with.
func TestScenarios(t *testing.T) {
	for _, file := range files(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Load(file, types)
			if err != nil {
				t.Fatal(err)
			}
			res, err := scenario.Run(t.Context(), s, scenario.Options{Permute: true, Kill: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range res.Failures {
				t.Errorf("%s: %s: %s", f.Run, f.Line, f.Text)
			}
			t.Logf("%d runs", res.Runs)
		})
	}
}

func files(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios found", err)
	}
	return files
}

func TestScenariosOnJSON2(t *testing.T) {
	for _, file := range files(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Load(file, types)
			if err != nil {
				t.Fatal(err)
			}
			s.Land.Odoo.Version = 19
			res, err := scenario.Run(t.Context(), s, scenario.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range res.Failures {
				t.Errorf("%s: %s: %s", f.Run, f.Line, f.Text)
			}
			if res.Spoken["json2"] == 0 || res.Spoken["jsonrpc"] != 0 {
				t.Errorf("the hub was to speak JSON-2, and spoke %v", res.Spoken)
			}
		})
	}
}
