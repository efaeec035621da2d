package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crossdockhq/crossdock/config"
)

// Someone writes the secret into the file in plain text and makes slips
// elsewhere: whatever is then said, it is not the secret. Slips that turn the
// secret itself into a key are left out: a key is repeated in the error.
func TestNoSlipShowsASecret(t *testing.T) {
	var sources []string
	for _, path := range []string{"testdata/good/small.yaml", "testdata/good/full.yaml"} {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, string(src))
	}
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SampledFrom(sources).Draw(t, "source")
		secret := rapid.SampledFrom([]string{"hunter2", `"hunter2"`, `'hunter2'`, "hunter2 hunter2", `"x\"hunter2"`, "x:hunter2", "https://u:hunter2@h"}).Draw(t, "secret")
		for _, ref := range []string{`"${env:SHOPIFY_TOKEN}"`, "${env:SHOPIFY_TOKEN}"} {
			src = strings.Replace(src, ref, secret, 1)
		}
		for range rapid.IntRange(0, 4).Draw(t, "slips") {
			at := rapid.IntRange(0, len(src)).Draw(t, "at")
			if i := strings.Index(src, "hunter2"); i >= 0 && at > i-3 && at < i+25 {
				continue
			}
			if rapid.Bool().Draw(t, "insert") {
				src = src[:at] + rapid.SampledFrom(strings.Split(`{ } [ ] , ' " # & * ! | > - % @ x`, " ")).Draw(t, "what") + src[at:]
			} else if at < len(src) && src[at] != '\n' && src[at] < 0x80 {
				src = src[:at] + src[at+1:]
			}
		}
		if _, err := config.Load("x.yaml", []byte(src), types(), around()); err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("%s\n\n%s", err, src)
		}
	})
}

// What is too large to be read is refused, and not quoted.
func TestBounds(t *testing.T) {
	for want, src := range map[string]string{
		"x.yaml:1:1: the file is larger than 131072 bytes": strings.Repeat("a: hunter2\n", 20000),
		"x.yaml:2:1: the line is longer than 4096 bytes":   "version: 1\ntoken: " + strings.Repeat("hunter2", 1000),
		"x.yaml:2:1: the file is not text in UTF-8":        "version: 1\ntoken: \xffhunter2",
	} {
		if _, err := config.Load("x.yaml", []byte(src), types(), around()); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Whatever is in the file, Load answers, and quotes a place that exists.
func FuzzLoad(f *testing.F) {
	paths, err := os.ReadDir("testdata/broken")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		src, err := os.ReadFile("testdata/broken/" + p.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 2048 {
			return // the parser's time grows with the square
		}
		c, err := config.Load("x.yaml", src, types(), around())
		if err == nil {
			if c.Setup().Hash == "" || len(c.Connections) == 0 {
				t.Fatalf("an empty configuration: %v", c)
			}
			return
		}
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("no problems: %v", err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Text == "" || p.Code == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}
