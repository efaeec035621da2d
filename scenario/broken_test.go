package scenario_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/scenario"
)

var update = flag.Bool("update", false, "write the goldens anew")

// TestBrokenScenarios: each mistake is told with its place, all of them at once.
func TestBrokenScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no broken scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			_, err := scenario.Load(file, types)
			var problems config.Problems
			if !errors.As(err, &problems) || crossdock.CodeOf(err) != crossdock.Invalid {
				t.Fatalf("it was taken, or refused without a place: %v", err)
			}
			path, got := strings.TrimSuffix(file, ".txtar")+".golden", err.Error()+"\n"
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
		})
	}
}

// TestKnownWords: what this world knows may be there no times.
func TestKnownWords(t *testing.T) {
	s, err := scenario.Load("testdata/good/known-words.txtar", types)
	if err != nil {
		t.Fatal(err)
	}
	res, err := scenario.Run(t.Context(), s, scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range res.Failures {
		t.Errorf("%s: %s", f.Line, f.Text)
	}
}

// TestScenariosAreKnown: every word of the project's scenarios is.
func TestScenariosAreKnown(t *testing.T) {
	files, err := filepath.Glob("../scenarios/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, err := scenario.Load(file, types); err != nil {
			t.Error(err)
		}
	}
}
