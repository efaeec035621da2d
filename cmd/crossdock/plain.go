package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"
)

// Much of what is printed was written by strangers: a buyer's name, a SKU, an answer
// of another system. On a terminal a control character in it is a command (clear the
// screen, set the title, jump back over what stands there), and a line break forges a
// line of ours. So nothing passes plainWriter that a terminal would obey, and no value
// passes print and table that would begin a line. --json goes past both: a program
// gets the values as they are, escaped as JSON escapes them.

// plainWriter leaves out what a terminal would obey. Line breaks and tabs pass.
type plainWriter struct{ to io.Writer }

// Write implements io.Writer. It expects whole runes, as fmt and tabwriter write them.
func (w plainWriter) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.to, strings.Map(visible, string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// visible maps what a terminal obeys to nothing: control characters of both sets
// (ISO 6429 C0 and C1), and those of Unicode that turn the direction of writing or
// take no room. What is no UTF-8 becomes U+FFFD: a bare byte 0x9b is a command too.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\u200c' || r == '\u200d': // the last two join letters in Persian and in emoji
		return r
	case r == utf8.RuneError:
		return utf8.RuneError
	case r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r):
		return -1
	}
	return r
}

// oneLine returns a value as it may stand in a line: its breaks and tabs are spaces.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', '\t', '\v', '\f', '\u0085', '\u2028', '\u2029':
			return ' '
		}
		return visible(r)
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// mostShown is how many characters of a value lists show; --json has all of it.
const mostShown = 300

// short returns the beginning of a value that is too long for a list.
func short(s string) string {
	s = oneLine(s)
	n := 0
	for i := range s {
		if n++; n > mostShown {
			return s[:i] + "…"
		}
	}
	return s
}

// value prints as what it holds does, on one line.
type value struct{ of any }

// Format implements fmt.Formatter.
func (v value) Format(to fmt.State, verb rune) {
	_, _ = io.WriteString(to, oneLine(fmt.Sprintf(fmt.FormatString(to, verb), v.of))) // it writes to memory
}

// values makes every value print on one line.
func values(a []any) {
	for i := range a {
		a[i] = value{a[i]}
	}
}

// print writes a line to standard output. The line breaks of format stand, those of
// the values don't.
func (s *shell) print(format string, a ...any) {
	values(a)
	fmt.Fprintf(s.out, format+"\n", a...)
}

// table writes rows whose cells, parted by tabs in the format, stand below each other.
type table struct{ w *tabwriter.Writer }

func (s *shell) table() table { return table{tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)} }

func (t table) row(format string, a ...any) {
	values(a)
	fmt.Fprintf(t.w, format+"\n", a...)
}

// end writes the rows. As with print, a broken pipe has nobody to tell.
func (t table) end() { _ = t.w.Flush() }
