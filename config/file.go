package config

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// hidden stands where a secret, or what may be one, is not shown.
const hidden = "•••"

// position is a place in a file and how many characters stand there.
type position struct{ line, column, width int }

// file is a source that can be quoted without showing a secret.
type file struct {
	name   string
	src    string
	lines  []string
	masked map[int][]span  // by line, in order
	widths map[[2]int]int  // of tokens, by line and column
	names  map[string]bool // of all keys there are
}

// span is what is not shown of a line: columns from (inclusive) to (exclusive),
// counted in characters from 1. gone is left out, the rest is shown as hidden.
type span struct {
	from, to int
	gone     bool
}

// readable reports a source that the parser can be given: its time grows with the
// square of the nesting, and nobody writes such lines.
func (f *file) readable() bool {
	long := slices.ContainsFunc(f.lines, func(s string) bool { return len(s) > mostLine })
	return utf8.ValidString(f.src) && len(f.src) <= mostSource && !long
}

func newFile(name string, src []byte, types []connector.Type) *file {
	text := strings.ReplaceAll(strings.TrimPrefix(string(src), "\ufeff"), "\r\n", "\n")
	f := &file{name: name, src: text, lines: strings.Split(text, "\n"), masked: map[int][]span{}, widths: map[[2]int]int{}}
	if f.readable() {
		f.readTokens(types)
	}
	return f
}

// login is what an address with a user or password in it has.
var login = regexp.MustCompile(`//[^/\s]*@`)

// openSections are the keys at the top below which nothing is secret.
var openSections = map[string]bool{"version": true, "listen": true, "data": true, "companies": true}

// readTokens finds out what of each line may be shown. A value may be shown when
// it is a reference, when nothing around it is secret, or when its key is one that
// is known not to be secret: an unknown key may be a misspelt secret. One that
// runs over several lines may have swallowed a secret and is not shown.
func (f *file) readTokens(types []connector.Type) {
	open, secret := namesOf(types)
	f.names = open
	section, key := "", ""
	var within []token.Type // the brackets that are open
	for _, t := range lexer.Tokenize(f.src) {
		from := t.Position
		end := position{line: len(f.lines) + 1, column: 1}
		if t.Next != nil {
			end = position{line: t.Next.Position.Line, column: max(1, t.Next.Position.Column)}
		}
		f.widths[[2]int{from.Line, from.Column}] = f.width(from.Line, from.Column, end)
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			within = append(within, t.Type)
		case token.MappingEndType, token.SequenceEndType:
			within = within[:max(0, len(within)-1)]
		}
		switch {
		case isTrick(t), lacksColon(t, within):
			for n := range f.lines {
				f.maskUnread(n + 1)
			}
			return
		case t.Type == token.CommentType:
			f.mask(from.Line, from.Column, end, true)
		case isKey(t):
			key = t.Value
			if from.Column == 1 {
				section = key
			}
		case isScalar(t):
			shown := (open[key] || openSections[section]) && !secret[key] && !login.MatchString(t.Value) && !f.runsOn(from.Line, end)
			if !shown && !reference.MatchString(t.Value) {
				f.mask(from.Line, from.Column, end, false)
			}
		}
	}
}

// isKey reports a scalar before a colon.
func isKey(t *token.Token) bool {
	return isScalar(t) && t.Next != nil && t.Next.Type == token.MappingValueType
}

// isTrick reports what makes it impossible to tell from the tokens what is a key:
// signs that have no place in this file, and a key behind a colon or within a
// value, which lacks a comma or a new line before it.
func isTrick(t *token.Token) bool {
	if isScalar(t) && strings.Contains(t.Value, ": ") {
		return true
	}
	if isKey(t) && t.Prev != nil && t.Prev.Type == token.MappingValueType && t.Prev.Position.Line == t.Position.Line {
		return true
	}
	switch t.Type {
	case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType, token.MappingKeyType, token.DirectiveType, token.InvalidType:
		return true
	}
	return false
}

// lacksColon reports a scalar in the place of a key, within { }, that has no colon
// behind it: its text may be key and value in one.
func lacksColon(t *token.Token, within []token.Type) bool {
	if len(within) == 0 || within[len(within)-1] != token.MappingStartType || !isScalar(t) || isKey(t) || t.Prev == nil {
		return false
	}
	return t.Prev.Type == token.MappingStartType || t.Prev.Type == token.CollectEntryType
}

func isScalar(t *token.Token) bool {
	switch t.Type {
	case token.MappingValueType, token.MappingStartType, token.MappingEndType, token.MappingKeyType,
		token.SequenceEntryType, token.SequenceStartType, token.SequenceEndType, token.CollectEntryType,
		token.DocumentHeaderType, token.DocumentEndType, token.CommentType:
		return false
	}
	return true
}

// namesOf returns the keys whose values may be shown, and those of secrets.
func namesOf(types []connector.Type) (open, secret map[string]bool) {
	open, secret = map[string]bool{}, map[string]bool{}
	for _, k := range slices.Concat(topKeys, companyKeys, connectionKeys) {
		open[k.name] = true
	}
	for _, k := range storeKeys {
		open[k.name], secret[k.name] = true, true
	}
	secret["store"] = true // an address may stand here by mistake
	for _, t := range types {
		for _, f := range t.Fields {
			open[f.Name] = true
			if f.Secret {
				secret[f.Name] = true
			}
		}
	}
	return open, secret
}

// mask hides from a place to just before end, on each line between them.
func (f *file) mask(line, column int, end position, gone bool) {
	for n := line; n <= end.line && n <= len(f.lines); n++ {
		from, to := 1, utf8.RuneCountInString(f.lines[n-1])+1
		if n == line {
			from = max(1, column)
		}
		if n == end.line {
			to = min(to, end.column)
		}
		text := []rune(f.lines[n-1])
		for n != line && from < to && text[from-1] == ' ' {
			from++
		}
		for to > from && (text[to-2] == ' ' || text[to-2] == '\t') {
			to--
		}
		f.add(n, span{from, to, gone})
	}
}

// runsOn reports a token from a line to just before end that has text on another line.
func (f *file) runsOn(line int, end position) bool {
	for n := line + 1; n <= end.line && n <= len(f.lines); n++ {
		text := []rune(f.lines[n-1])
		if n == end.line {
			text = text[:min(len(text), end.column-1)]
		}
		if strings.TrimSpace(string(text)) != "" {
			return true
		}
	}
	return false
}

// hides reports whether what begins at a place is not shown.
func (f *file) hides(at position) bool {
	for _, s := range f.masked[at.line] {
		if s.from <= at.column && at.column < s.to {
			return true
		}
	}
	return false
}

// mayRepeat returns a key as an error may repeat it.
func (f *file) mayRepeat(key string, at position) string {
	if f.names[key] || !f.hides(at) && utf8.RuneCountInString(key) <= 60 {
		return key
	}
	return hidden
}

// keyWord is a word that stands before a colon.
var keyWord = regexp.MustCompile(`([A-Za-z0-9_-]+)["']?\s*:`)

// maskUnread hides of a line of which it is not known what is key and what is
// value: only the names of known keys, references and the signs between stay.
func (f *file) maskUnread(line int) {
	text := f.lines[line-1]
	shown := make([]bool, len(text))
	show := func(from, to int) {
		for i := from; i < to; i++ {
			shown[i] = true
		}
	}
	for i, c := range text {
		if strings.ContainsRune(" \t{}[],:\"'#&*!|>?%@", c) {
			show(i, i+utf8.RuneLen(c))
		}
	}
	for _, m := range keyWord.FindAllStringSubmatchIndex(text, -1) {
		if f.names[text[m[2]:m[3]]] {
			show(m[2], m[3])
		}
	}
	for _, m := range referenceWithin.FindAllStringIndex(text, -1) {
		show(m[0], m[1])
	}
	f.masked[line] = nil
	column := 0
	for i := range text {
		if column++; !shown[i] {
			f.add(line, span{column, column + 1, false})
		}
	}
}

// add adds a span to a line, as one with the span just before it.
func (f *file) add(line int, s span) {
	if s.from >= s.to {
		return
	}
	spans := f.masked[line]
	if n := len(spans) - 1; n >= 0 && spans[n].to >= s.from && spans[n].gone == s.gone {
		spans[n].to = max(spans[n].to, s.to)
		return
	}
	f.masked[line] = append(spans, s)
}

// width counts the characters from a place to just before end, on its line.
func (f *file) width(line, column int, end position) int {
	if line < 1 || line > len(f.lines) || column < 1 {
		return 1
	}
	text := []rune(f.lines[line-1])
	to := len(text)
	if end.line == line {
		to = min(to, end.column-1)
	}
	if column-1 >= to {
		return 1
	}
	return max(1, len([]rune(strings.TrimRight(string(text[column-1:to]), " \t"))))
}

// at returns the position of a token.
func (f *file) at(t *token.Token) position {
	p := position{line: max(1, t.Position.Line), column: max(1, t.Position.Column), width: 1}
	if w := f.widths[[2]int{p.line, p.column}]; w > 0 {
		p.width = w
	}
	return p
}

// problem makes an Invalid Problem at a place.
func (f *file) problem(at position, path, text string) Problem {
	p := Problem{File: f.name, Line: at.line, Column: at.column, Path: path, Text: text, Code: crossdock.Invalid}
	if at.line < 1 || at.line > len(f.lines) || strings.TrimSpace(f.lines[at.line-1]) == "" {
		return p
	}
	p.line, p.caret = f.quote(at)
	return p
}

// quote returns a line as it may be shown and what marks the place under it.
func (f *file) quote(at position) (line, caret string) {
	text := []rune(strings.ReplaceAll(f.lines[at.line-1], "\t", " "))
	var out []rune
	start, end := -1, -1
	place := func(column int) { // column is about to be written
		switch column {
		case at.column:
			start = len(out)
		case at.column + at.width:
			end = len(out)
		}
	}
	spans := f.masked[at.line]
	for column := 1; column <= len(text); {
		if len(spans) > 0 && spans[0].to <= column {
			spans = spans[1:]
			continue
		}
		if len(spans) == 0 || column < spans[0].from {
			place(column)
			out = append(out, text[column-1])
			column++
			continue
		}
		s := spans[0]
		for ; column < s.to; column++ {
			place(column)
			if column == s.from && !s.gone {
				out = append(out, []rune(hidden)...)
			}
		}
	}
	place(len(text) + 1)
	if start < 0 {
		start = len(out)
	}
	if end <= start {
		end = start + 1
	}
	if f.hides(at) {
		end = start + len([]rune(hidden))
	}
	return strings.TrimRight(string(out), " "), strings.Repeat(" ", start) + strings.Repeat("^", end-start)
}
