package crossdock_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/crossdockhq/crossdock"
)

func TestPlacesOfErrors(t *testing.T) {
	inner := crossdock.Errorf(crossdock.Refused, "too much: %w", fs.ErrPermission)
	for _, c := range []struct {
		name string
		err  error
		want string
		code crossdock.Code
	}{
		{"no error", crossdock.At("lines[0]", nil), "", crossdock.OK},
		{"one place", crossdock.At("lines[0]", inner), "lines[0]: too much: permission denied", crossdock.Refused},
		{"outer before inner", crossdock.At("order", crossdock.At("lines[0]", inner)), "order.lines[0]: too much: permission denied", crossdock.Refused},
		{"no place", crossdock.At("", inner), "too much: permission denied", crossdock.Refused},
		{"no code", crossdock.At("file", fs.ErrExist), "file: file already exists", crossdock.Invalid},
		{"words around it stay", crossdock.At("batch", fmt.Errorf("third row: %w", crossdock.At("lines[0]", inner))),
			"batch: third row: lines[0]: too much: permission denied", crossdock.Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if c.err != nil {
				got = c.err.Error()
			}
			if got != c.want || crossdock.CodeOf(c.err) != c.code {
				t.Errorf("got %q (%s), want %q (%s)", got, crossdock.CodeOf(c.err), c.want, c.code)
			}
		})
	}
	if !errors.Is(crossdock.At("a", crossdock.At("b", inner)), fs.ErrPermission) {
		t.Error("the cause is lost")
	}
	if inner.Error() != "too much: permission denied" {
		t.Error("At changed the error it was given")
	}
}

func TestCodes(t *testing.T) {
	for _, c := range []crossdock.Code{crossdock.Throttled, crossdock.Unavailable, crossdock.NotYet, crossdock.Conflict, crossdock.Ambiguous} {
		if !c.Waits() {
			t.Errorf("%s does not wait", c)
		}
	}
	for _, c := range []crossdock.Code{crossdock.OK, crossdock.Invalid, crossdock.Refused, crossdock.Unauthorized, crossdock.Internal, crossdock.Gone} {
		if c.Waits() {
			t.Errorf("%q waits", c)
		}
	}
	if got := crossdock.CodeOf(fs.ErrExist); got != crossdock.Internal {
		t.Errorf("an error without a code has code %q", got)
	}
}

func TestFaultOf(t *testing.T) {
	if crossdock.FaultOf(nil) != nil {
		t.Error("no error has a fault")
	}
	placed := crossdock.At("lines[2]", crossdock.Errorf(crossdock.Invalid, "no such item"))
	for _, c := range []struct {
		name string
		err  error
		want crossdock.Fault
	}{
		{"with place", placed, crossdock.Fault{Code: crossdock.Invalid, Text: "no such item", Place: "lines[2]"}},
		{"wrapped", fmt.Errorf("order 7: %w", placed), crossdock.Fault{Code: crossdock.Invalid, Text: "order 7: lines[2]: no such item"}},
		{"no code", fs.ErrExist, crossdock.Fault{Code: crossdock.Internal, Text: "file already exists"}},
	} {
		if got := crossdock.FaultOf(c.err); *got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, *got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"shopify", "odoo", "portal", "mail", "token", "USD"}
	for word, want := range map[string]string{
		"shopfy": "shopify", "Shopify": "shopify", "hsopify": "shopify", "shopifyy": "shopify",
		"odo": "odoo", "UDS": "USD", "tokne": "token",
		"": "", "x": "", "salesforce": "", "zzzz": "",
	} {
		if got := crossdock.Nearest(word, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
	if got := crossdock.Nearest("bat", []string{"cat", "rat"}); got != "cat" {
		t.Errorf("of two equally near ones %q was taken", got)
	}
}
