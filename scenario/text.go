package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
)

// line is a line of steps or expect that says something, with its place.
type line struct {
	at     int // in the whole file, from 1
	within int // in its section, from 1
	source string
	words  []string
	places []place // of the words
}

// place is where a word stands: from which column, and how wide it is, in characters.
type place struct{ column, width int }

// linesOf splits a section of a scenario into the lines that say something. before
// is the number of the line above its first.
func linesOf(section []byte, before int) []line {
	var out []line
	for i, source := range strings.Split(string(section), "\n") {
		source = strings.TrimSuffix(source, "\r")
		l := line{at: before + i + 1, within: i + 1, source: source}
		said := source
		if strings.HasPrefix(strings.TrimSpace(said), "#") {
			continue
		}
		if end := strings.Index(said, " #"); end >= 0 {
			said = said[:end]
		}
		for _, at := range word.FindAllStringIndex(said, -1) {
			l.words = append(l.words, strings.ReplaceAll(said[at[0]:at[1]], `"`, ""))
			l.places = append(l.places, place{utf8.RuneCountInString(said[:at[0]]) + 1, utf8.RuneCountInString(said[at[0]:at[1]])})
		}
		if len(l.words) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// span is the place of the words from one to another.
func (l line) span(from, to int) place {
	to = min(to, len(l.places)-1)
	from = min(from, to)
	end := l.places[to]
	return place{l.places[from].column, end.column + end.width - l.places[from].column}
}

// above returns the number of the line that begins a section of a txtar file.
func above(src []byte, section string) int {
	for i, l := range strings.Split(string(src), "\n") {
		if strings.TrimSpace(l) == "-- "+section+" --" {
			return i + 1
		}
	}
	return 0
}

// mistakes collects what is wrong with a scenario.
type mistakes struct {
	path     string
	problems config.Problems
}

// wrong adds a mistake in words from to to of a line.
func (m *mistakes) wrong(l line, from, to int, format string, a ...any) {
	m.near(l, from, to, "", fmt.Sprintf(format, a...))
}

func (m *mistakes) near(l line, from, to int, near, text string) {
	p := l.span(from, to)
	m.problems = append(m.problems, config.Mark(config.Problem{File: m.path, Line: l.at, Column: p.column, Text: text, Near: near, Code: crossdock.Invalid}, l.source, p.width))
}

// lacks reports the files every scenario has that are not there, and the file that
// may be meant. It returns whether all are there.
func (m *mistakes) lacks(s *Scenario, src []byte) bool {
	needed, complete := []string{"crossdock.yaml", "steps", "expect"}, true
	var others []string
	for name := range s.Files {
		if !slices.Contains(needed, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for _, name := range needed {
		if s.Files[name] != nil {
			continue
		}
		complete = false
		l, text := line{at: 1, places: []place{{1, 1}}}, "it lacks the file "+name+", which every scenario has"
		if near := crossdock.Nearest(name, others); near != "" {
			source := "-- " + near + " --"
			l = line{at: above(src, near), source: source, places: []place{{4, len([]rune(near))}}}
			m.near(l, 0, 0, name, text+", and has a file "+near)
			continue
		}
		m.near(l, 0, 0, "", text)
	}
	return complete
}

// use makes of an error about the world a scenario uses one with the place of the line
// that names it. Any other error it returns.
func (m *mistakes) use(s *Scenario, src []byte, path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, l := range linesOf(s.Files["crossdock.yaml"], above(src, "crossdock.yaml")) {
		if l.words[0] != "use:" || len(l.words) < 2 {
			continue
		}
		use := filepath.Join(filepath.Dir(path), l.words[1])
		var there []string
		if dirs, err := os.ReadDir(filepath.Dir(use)); err == nil {
			for _, d := range dirs {
				if d.IsDir() {
					there = append(there, d.Name())
				}
			}
		}
		m.near(l, 1, 1, crossdock.Nearest(filepath.Base(use), there), fmt.Sprintf("there is no world %s: a folder beside this file with crossdock.yaml and land.yaml", l.words[1]))
		m.problems[len(m.problems)-1].Code = crossdock.Unavailable // it is no mistake in the words
		return m.problems
	}
	return err
}

// unknown adds a word that is not among known: it names the nearest, or all of them.
func (m *mistakes) unknown(l line, i int, what, word string, known []string) {
	text := fmt.Sprintf("there is no %s %q", what, word)
	near := crossdock.Nearest(word, known)
	if near == "" && len(known) > 0 && len(known) <= 40 {
		text += "; there are: " + strings.Join(known, ", ")
	}
	m.near(l, i, i, near, text)
}
