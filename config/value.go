package config

import (
	"errors"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// value is one scalar of the file.
type value struct {
	node ast.Node
	at   position
	text string // what it stands for; the reference itself while open
	ref  string // the reference as written; "" for a value that is written out
	open bool   // the reference was left as it is

	hidden bool // it may not be repeated
}

// shown is how the value may be repeated in an error.
func (v value) shown() string {
	switch {
	case v.ref != "":
		return "the value of " + v.ref
	case v.hidden:
		return "what stands here"
	}
	return strconv.Quote(v.text)
}

// secrecy says how a value may be written.
type secrecy int

const (
	plain      secrecy = iota // written out, or a reference
	writtenOut                // no reference: the shape of the file depends on it
	secretOnly                // a reference: the file is copied and shown around
)

// scalar reads a text, number or truth value and looks up what it refers to.
// want says what is expected, for errors.
func (r *reader) scalar(n ast.Node, path, want string, how secrecy) (value, bool) {
	v := value{node: n, at: r.at(n)}
	v.hidden = r.file.hides(v.at)
	switch s := n.(type) {
	case *ast.StringNode:
		v.text = s.Value
	case *ast.LiteralNode:
		v.text = s.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		v.text = n.GetToken().Value
	default:
		r.wrongShape(n, path, want)
		return v, false
	}
	m := reference.FindStringSubmatch(v.text)
	switch {
	case m == nil && strings.Contains(v.text, "${"):
		r.wrong(v.at, path, "a reference is ${env:NAME} or ${file:/path} and stands alone, not within other text")
		return v, false
	case m == nil && how == secretOnly:
		r.wrong(v.at, path, "a secret is not written into this file, which is copied and shown around: "+
			"put it into an environment variable or a file and write ${env:NAME} or ${file:/path}")
		return v, false
	case m == nil:
		return v, true
	case how == writtenOut:
		r.wrong(v.at, path, "expected %s, found a reference: this is written out", want)
		return v, false
	}
	v.ref = v.text
	text, ok, err := r.env.resolve(m[1], m[2], r.dir())
	if err != nil {
		p := r.file.problem(v.at, path, err.Error())
		p.Code = crossdock.CodeOf(err)
		r.problems = append(r.problems, p)
		return v, false
	}
	if v.open = !ok; ok {
		v.text = text
	}
	return v, true
}

// isText reports a scalar that is text in the file, or came from a reference.
func (v value) isText() bool {
	switch v.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return true
	}
	return false
}

// words reads a text that is not empty.
func (r *reader) words(n ast.Node, path string, how secrecy) (value, bool) {
	v, ok := r.scalar(n, path, "text", how)
	switch {
	case !ok:
		return v, false
	case !v.isText():
		r.wrong(v.at, path, "expected text, found %s: put it in quotes", found(n))
		return v, false
	case strings.TrimSpace(v.text) == "":
		r.wrong(v.at, path, "the text is empty: write one, or leave the key out")
		return v, false
	}
	return v, true
}

// wordList reads a list of texts.
func (r *reader) wordList(n ast.Node, path string, how secrecy) ([]value, bool) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrongShape(n, path, listShape.wants())
		return nil, false
	}
	out, good := []value{}, true
	for i, e := range list.Values {
		v, ok := r.words(e, path+"["+strconv.Itoa(i)+"]", how)
		good = good && ok
		out = append(out, v)
	}
	return out, good
}

// duration reads a length of time from least to most; 0 where it is none.
func (r *reader) duration(v value, path string, least, most time.Duration) time.Duration {
	d, err := time.ParseDuration(v.text)
	if err != nil {
		if _, numeric := strconv.ParseFloat(v.text, 64); numeric == nil {
			r.wrong(v.at, path, "%s has no unit: write s, m or h behind it, such as 60s", v.shown())
		} else {
			r.wrong(v.at, path, "%s is no duration: write a number and its unit, such as 60s or 5m", v.shown())
		}
		return 0
	}
	if d < least || d > most {
		r.wrong(v.at, path, "%s is out of bounds: write %s to %s", v.shown(), plainly(least), plainly(most))
		return 0
	}
	return d
}

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// setText reads text into a field that is one scalar.
func setText(v reflect.Value, text string) error {
	s, err := shapeOf(v.Type())
	if err != nil {
		return err
	}
	switch s {
	case textShape:
		v.SetString(text)
		return nil
	case boolShape:
		if text != "true" && text != "false" {
			return errors.New("is not true or false")
		}
		v.SetBool(text == "true")
		return nil
	case intShape:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil || !wholeNumber.MatchString(text) {
			return errors.New("is no whole number that fits, in plain digits")
		}
		v.SetInt(n)
		return nil
	case durationShape:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("is no duration: write a number and its unit, such as 60s or 5m")
		}
		v.SetInt(int64(d))
		return nil
	}
	return errors.New("is no single value")
}

// plainly writes a duration without the parts that are 0.
func plainly(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if text == "" || text[len(text)-1] != 'm' && text[len(text)-1] != 'h' {
		return d.String()
	}
	if cut := strings.TrimSuffix(text, "h0m"); cut != text {
		return cut + "h"
	}
	return text
}

// within reports a number or duration that is not beyond the bounds of its field.
// checkTypes has seen that the bounds can be read.
func within(f connector.Field, v reflect.Value) bool {
	least, most := reflect.New(f.Type).Elem(), reflect.New(f.Type).Elem()
	if !v.CanInt() || f.Least == "" || setText(least, f.Least) != nil || setText(most, f.Most) != nil {
		return true
	}
	return least.Int() <= v.Int() && v.Int() <= most.Int()
}

// domainForm is the Form of a field that holds the name of a host.
const domainForm = "domain"

var domain = regexp.MustCompile(domainPattern)

// checkURL reports what is no address of a server, by words that go behind it.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "" || u.Hostname() == "":
		return errors.New("is no address: write it with https://, such as https://odoo.example.com")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("does not begin with https:// or http://")
	}
	return nil
}

// checkListen reports what is no host and port.
func checkListen(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("is no host and port: write them with a colon between, such as " + DefaultListen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || !wholeNumber.MatchString(port) {
		return errors.New("has no port from 0, which takes a free one, to 65535")
	}
	return nil
}
