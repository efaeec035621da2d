package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File   string         `json:"file"`
	Line   int            `json:"line"`   // from 1
	Column int            `json:"column"` // from 1, in characters
	Path   string         `json:"path,omitempty"`
	Text   string         `json:"text"` // what is wrong, and what was expected
	Near   string         `json:"near,omitempty"`
	Code   crossdock.Code `json:"code"`

	line  string // as it may be shown
	caret string // what stands under it
}

// Place returns file:line:column.
func (p Problem) Place() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Error returns place, path and text, then the line with a caret under it.
// Nothing in it was a secret.
func (p Problem) Error() string {
	s := p.Place() + ": "
	if p.Path != "" {
		s += p.Path + ": "
	}
	s += p.Text
	if p.Near != "" {
		s += fmt.Sprintf(": did you mean %q?", p.Near)
	}
	if p.line == "" {
		return s
	}
	return fmt.Sprintf("%s\n%5d | %s\n      | %s", s, p.Line, p.line, p.caret)
}

// Problems are all that is wrong with a configuration, by place.
type Problems []Problem

// Error returns all of them, one below the other.
func (p Problems) Error() string {
	text := make([]string, len(p))
	for i := range p {
		text[i] = p[i].Error()
	}
	return strings.Join(text, "\n")
}

// Code returns Unavailable where only the surroundings are wrong (a variable that
// is not set, a file that can't be read), and otherwise Invalid.
func (p Problems) Code() crossdock.Code {
	for i := range p {
		if p[i].Code != crossdock.Unavailable {
			return crossdock.Invalid
		}
	}
	return crossdock.Unavailable
}

// Unwrap returns the Error of the hub for the first of them, with the code of all.
func (p Problems) Unwrap() error {
	if len(p) == 0 {
		return nil
	}
	return &crossdock.Error{Code: p.Code(), Text: p[0].Text, Place: p[0].Place()}
}

func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
	return p
}

// Mark gives a problem the line it is about and a caret of width characters under
// its column. It is for texts that hold no secret, which a configuration may.
func Mark(p Problem, source string, width int) Problem {
	pad := make([]rune, 0, p.Column)
	for _, c := range []rune(source)[:min(p.Column-1, len([]rune(source)))] {
		if c != '\t' {
			c = ' '
		}
		pad = append(pad, c)
	}
	p.line, p.caret = source, string(pad)+strings.Repeat("^", max(1, width))
	return p
}
