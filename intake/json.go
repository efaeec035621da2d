package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// mostDeep is how deep objects and lists may nest: Shopify's deepest order is 8.
const mostDeep = 64

// longPath is how much of the way to a fault is told, in bytes.
const longPath = 300

// CheckJSON reports the first reason why a genuine body must not be translated:
// larger than connector.Limit, no JSON (RFC 8259, so also no UTF-8), nested too
// deep, or an object with a key twice (two readers would take two different values
// from it). nil: none. Its time and memory grow with the body alone, whatever is
// in it: anybody a sender trusts can send this.
func CheckJSON(body []byte) *crossdock.Fault {
	if len(body) > connector.Limit {
		return &crossdock.Fault{Code: crossdock.Invalid, Text: fmt.Sprintf("the body has %d bytes; up to %d are translated", len(body), connector.Limit)}
	}
	c := &jsonCheck{text: string(body)}
	w := c.document()
	if w == nil {
		return nil
	}
	slices.Reverse(w.path)
	path := strings.Join(w.path, "")
	if len(path) > longPath {
		path = strings.ToValidUTF8(path[:longPath/2]+"…"+path[len(path)-longPath/2:], "")
	}
	return &crossdock.Fault{Code: crossdock.Invalid, Text: w.text, Place: "$" + path + " (byte " + strconv.Itoa(c.at) + ")"}
}

// jsonCheck reads one document; at is the byte it has come to.
type jsonCheck struct {
	text string
	at   int
}

// wrong is what is wrong at the byte the check has come to. Only then a path is
// made, on the way out.
type wrong struct {
	text string
	path []string // from the inside out
}

func (c *jsonCheck) no(text string) *wrong {
	if c.at >= len(c.text) {
		text = "it breaks off"
	}
	return &wrong{text: "no JSON: " + text}
}

func (w *wrong) in(step string) *wrong {
	w.path = append(w.path, step)
	return w
}

func (c *jsonCheck) document() *wrong {
	c.space()
	if w := c.value(0); w != nil {
		return w
	}
	c.space()
	if c.at < len(c.text) {
		return &wrong{text: "something follows the JSON value"}
	}
	return nil
}

func (c *jsonCheck) space() {
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

// next returns the next byte that is no space, 0 at the end.
func (c *jsonCheck) next() byte {
	c.space()
	if c.at < len(c.text) {
		return c.text[c.at]
	}
	return 0
}

// value reads a value inside of depth lists and objects.
func (c *jsonCheck) value(depth int) *wrong {
	b := c.next()
	if (b == '[' || b == '{') && depth == mostDeep {
		return &wrong{text: fmt.Sprintf("nested deeper than %d levels", mostDeep)}
	}
	switch b {
	case '{':
		return c.object(depth)
	case '[':
		return c.list(depth)
	case '"':
		_, w := c.quoted()
		return w
	case 't':
		return c.word("true")
	case 'f':
		return c.word("false")
	case 'n':
		return c.word("null")
	}
	return c.number()
}

func (c *jsonCheck) list(depth int) *wrong {
	c.at++
	if c.next() == ']' {
		c.at++
		return nil
	}
	for i := 0; ; i++ {
		w := c.value(depth + 1)
		if w != nil {
			return w.in("[" + strconv.Itoa(i) + "]")
		}
		switch c.next() {
		case ',':
			c.at++
		case ']':
			c.at++
			return nil
		default:
			return c.no("a list goes on with a comma or ends with ]")
		}
	}
}

func (c *jsonCheck) object(depth int) *wrong {
	c.at++
	if c.next() == '}' {
		c.at++
		return nil
	}
	var seen keys
	for {
		if c.next() != '"' {
			return c.no("a key stands in quotes")
		}
		key, w := c.quoted()
		if w != nil {
			return w
		}
		if !seen.add(key) {
			return &wrong{text: fmt.Sprintf("the key %q is there twice", short(key))}
		}
		if c.next() != ':' {
			return c.no("a colon follows a key")
		}
		c.at++
		if w := c.value(depth + 1); w != nil {
			return w.in("." + short(key))
		}
		switch c.next() {
		case ',':
			c.at++
		case '}':
			c.at++
			return nil
		default:
			return c.no("an object goes on with a comma or ends with }")
		}
	}
}

// quoted reads a string and returns what it says.
func (c *jsonCheck) quoted() (string, *wrong) {
	start, escaped := c.at, false
	for c.at++; c.at < len(c.text); c.at++ {
		switch b := c.text[c.at]; {
		case b == '"':
			c.at++
			said := c.text[start+1 : c.at-1]
			if !utf8.ValidString(said) {
				c.at = start
				return "", &wrong{text: "no JSON: the string is no UTF-8"}
			}
			if escaped {
				_ = json.Unmarshal([]byte(c.text[start:c.at]), &said) // its escapes were read already
			}
			return said, nil
		case b < ' ':
			return "", c.no("a control character stands in a string unescaped")
		case b == '\\':
			escaped = true
			if w := c.escape(); w != nil {
				return "", w
			}
		}
	}
	return "", c.no("")
}

// escape reads all of an escape but its last byte.
func (c *jsonCheck) escape() *wrong {
	c.at++
	if c.at == len(c.text) || strings.IndexByte(`"\/bfnrtu`, c.text[c.at]) < 0 {
		return c.no("a string has an escape nobody knows")
	}
	if c.text[c.at] != 'u' {
		return nil
	}
	for range 4 {
		c.at++
		if c.at == len(c.text) || strings.IndexByte("0123456789abcdefABCDEF", c.text[c.at]) < 0 {
			return c.no(`four hexadecimal digits follow \u`)
		}
	}
	return nil
}

func (c *jsonCheck) word(word string) *wrong {
	if !strings.HasPrefix(c.text[c.at:], word) {
		return c.no("a value is a string in quotes, a number, a list, an object, true, false or null")
	}
	c.at += len(word)
	return nil
}

func (c *jsonCheck) number() *wrong {
	c.skip("-")
	switch {
	case c.skip("0"):
	case !c.digits():
		return c.no("a value is a string in quotes, a number, a list, an object, true, false or null")
	}
	if c.skip(".") && !c.digits() {
		return c.no("digits follow the point of a number")
	}
	if c.skip("eE") {
		c.skip("+-")
		if !c.digits() {
			return c.no("digits follow the e of a number")
		}
	}
	return nil
}

// skip reads one byte if it is one of these.
func (c *jsonCheck) skip(any string) bool {
	if c.at < len(c.text) && strings.IndexByte(any, c.text[c.at]) >= 0 {
		c.at++
		return true
	}
	return false
}

// digits reads one digit or more.
func (c *jsonCheck) digits() bool {
	start := c.at
	for c.at < len(c.text) && c.text[c.at] >= '0' && c.text[c.at] <= '9' {
		c.at++
	}
	return c.at > start
}

// keys are the keys of one object: compared one by one while they are few.
type keys struct {
	few  []string
	many map[string]struct{}
}

const fewKeys = 24

// add reports whether the key is new.
func (k *keys) add(key string) bool {
	if k.many == nil {
		if slices.Contains(k.few, key) {
			return false
		}
		if k.few = append(k.few, key); len(k.few) > fewKeys {
			k.many = make(map[string]struct{}, 4*fewKeys)
			for _, key := range k.few {
				k.many[key] = struct{}{}
			}
		}
		return true
	}
	before := len(k.many)
	k.many[key] = struct{}{}
	return len(k.many) > before
}

// short keeps a key from filling a page.
func short(key string) string {
	const most = 60
	if len(key) <= most {
		return key
	}
	return strings.ToValidUTF8(key[:most], "") + "…"
}
