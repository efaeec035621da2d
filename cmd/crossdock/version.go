package main

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// versionCommand says which crossdock this is.
type versionCommand struct{}

// build is the answer of version --json.
type build struct {
	Version    string   `json:"version"` // "(devel)" when it was not built from a release
	Commit     string   `json:"commit,omitempty"`
	Committed  string   `json:"committed,omitempty"` // RFC 3339
	Modified   bool     `json:"modified,omitempty"`  // the tree had changes that are in no commit
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	Connectors []string `json:"connectors"`
}

// Run implements version.
func (versionCommand) Run(s *shell, g *globals) error {
	b := s.build()
	if g.JSON {
		return s.json(b)
	}
	parts := []string{"crossdock", b.Version}
	if b.Commit != "" {
		parts = append(parts, "commit "+b.Commit[:min(12, len(b.Commit))])
	}
	if b.Modified {
		parts = append(parts, "with changes")
	}
	s.print("%s", strings.Join(append(parts, b.Go, b.Platform), " "))
	return nil
}

// build reads what the go command wrote into the binary.
func (s *shell) build() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Connectors: []string{}}
	for _, t := range s.types {
		b.Connectors = append(b.Connectors, t.Name)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, set := range info.Settings {
		switch set.Key {
		case "vcs.revision":
			b.Commit = set.Value
		case "vcs.time":
			b.Committed = set.Value
		case "vcs.modified":
			b.Modified = set.Value == "true"
		}
	}
	return b
}
