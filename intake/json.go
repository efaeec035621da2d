package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// mostDeep is how deep objects and lists may nest: Shopify's deepest order is 8.
const mostDeep = 64

// CheckJSON reports the first reason why a genuine body must not be translated:
// larger than connector.Limit, no JSON, nested too deep, or an object with a key
// twice (two readers would take two different values from it). nil: none.
func CheckJSON(body []byte) *crossdock.Fault {
	if len(body) > connector.Limit {
		return &crossdock.Fault{Code: crossdock.Invalid, Text: fmt.Sprintf("the body has %d bytes; up to %d are translated", len(body), connector.Limit)}
	}
	c := &jsonCheck{dec: json.NewDecoder(bytes.NewReader(body))}
	c.dec.UseNumber()
	if f := c.value("$", 0); f != nil {
		return f
	}
	if _, err := c.dec.Token(); err != io.EOF {
		return c.fault("$", "something follows the JSON value")
	}
	return nil
}

type jsonCheck struct{ dec *json.Decoder }

func (c *jsonCheck) fault(path, text string) *crossdock.Fault {
	return &crossdock.Fault{Code: crossdock.Invalid, Text: text, Place: path + " (byte " + strconv.FormatInt(c.dec.InputOffset(), 10) + ")"}
}

func (c *jsonCheck) value(path string, depth int) *crossdock.Fault {
	if depth > mostDeep {
		return c.fault("$", fmt.Sprintf("nested deeper than %d levels", mostDeep))
	}
	t, err := c.dec.Token()
	if err != nil {
		return c.fault(path, "no JSON: "+reason(err))
	}
	switch t {
	case json.Delim('{'):
		return c.object(path, depth)
	case json.Delim('['):
		for i := 0; c.dec.More(); i++ {
			if f := c.value(path+"["+strconv.Itoa(i)+"]", depth+1); f != nil {
				return f
			}
		}
	default:
		return nil
	}
	if _, err := c.dec.Token(); err != nil {
		return c.fault(path, "no JSON: "+reason(err))
	}
	return nil
}

func (c *jsonCheck) object(path string, depth int) *crossdock.Fault {
	seen := map[string]bool{}
	for c.dec.More() {
		t, err := c.dec.Token()
		if err != nil {
			return c.fault(path, "no JSON: "+reason(err))
		}
		name, ok := t.(string)
		if !ok {
			return c.fault(path, "no JSON: a key is no string")
		}
		if seen[name] {
			return c.fault(path, fmt.Sprintf("the key %q is there twice", name))
		}
		seen[name] = true
		if f := c.value(path+"."+name, depth+1); f != nil {
			return f
		}
	}
	if _, err := c.dec.Token(); err != nil {
		return c.fault(path, "no JSON: "+reason(err))
	}
	return nil
}

func reason(err error) string {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return "it breaks off"
	}
	return err.Error()
}
