package crossdock_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crossdockhq/crossdock"
)

func TestParseRef(t *testing.T) {
	for _, c := range []struct {
		in   string
		want crossdock.Ref
	}{
		{"", crossdock.Ref{}},
		{"book/order/1001", crossdock.BookRef(crossdock.KindOrder, "1001")},
		{"shop/order/gid://shopify/Order/9007199254740993", crossdock.Ref{System: "shop", Kind: "order", Key: "gid://shopify/Order/9007199254740993"}},
		{"odoo/party//", crossdock.Ref{System: "odoo", Kind: "party", Key: "/"}},
	} {
		got, err := crossdock.ParseRef(c.in)
		if err != nil || got != c.want || got.String() != c.in {
			t.Errorf("%q was read as %+v, %v", c.in, got, err)
		}
	}
	for _, in := range []string{"order", "book/order", "book/order/", "/order/1", "book//1", "//", "///"} {
		if got, err := crossdock.ParseRef(in); err == nil || crossdock.CodeOf(err) != crossdock.Invalid || !strings.Contains(err.Error(), "system/kind/key") {
			t.Errorf("%q was read as %+v, %v", in, got, err)
		}
	}
}

func refs() *rapid.Generator[crossdock.Ref] {
	return rapid.Custom(func(t *rapid.T) crossdock.Ref {
		return crossdock.Ref{
			System: crossdock.System(rapid.StringMatching(`[a-z][a-z0-9-]{0,5}`).Draw(t, "system")),
			Kind:   crossdock.Kind(rapid.SampledFrom(crossdock.KindNames()).Draw(t, "kind")),
			Key:    rapid.OneOf(rapid.StringMatching(`gid://shopify/[A-Z][a-z]+/[0-9]{1,20}`), rapid.StringN(1, 20, 40)).Draw(t, "key"),
		}
	})
}

func TestRefTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := refs().Draw(t, "ref")
		b, err := json.Marshal(map[crossdock.Ref]crossdock.Ref{r: r})
		if err != nil {
			t.Fatal(err)
		}
		var got map[crossdock.Ref]crossdock.Ref
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if got[r] != r {
			t.Fatalf("%q came back as %v", r, got)
		}
	})
}

// A ref that could not be read, or would be read as another, is not written.
func TestRefThatCouldNotBeReadIsNotWritten(t *testing.T) {
	for _, r := range []crossdock.Ref{
		{System: "shop"}, {Kind: "order"}, {Key: "1"}, {System: "shop", Kind: "order"},
		{System: "shop/eu", Kind: "order", Key: "1"}, {System: "shop", Kind: "order/line", Key: "1"},
	} {
		if b, err := r.MarshalText(); err == nil {
			t.Errorf("wrote %s", b)
		}
		if err := r.Validate(); crossdock.CodeOf(err) != crossdock.Invalid {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestRefsAreOrderedBySystemKindKey(t *testing.T) {
	want := []crossdock.Ref{
		{System: "shop", Kind: "order", Key: "1"},
		{System: "shop", Kind: "order", Key: "10"},
		{System: "shop", Kind: "order", Key: "2"},
		{System: "shop", Kind: "order-note", Key: "1"}, // '-' is before '/', but a kind is before a longer one
		{System: "shop", Kind: "party", Key: "1"},
		{System: "shop-eu", Kind: "order", Key: "1"},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, crossdock.Ref.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("sorted: %v", got)
	}
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"", "book/order/1001", "shop/order/gid://shopify/Order/1001", "a/b/", "//", "a/b/c\x00", "a/\xff/c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := crossdock.ParseRef(s)
		if err != nil {
			if crossdock.CodeOf(err) != crossdock.Invalid {
				t.Fatalf("%q: code %q", s, crossdock.CodeOf(err))
			}
			return
		}
		if r.String() != s {
			t.Fatalf("%q was read as %q", s, r)
		}
		if b, err := r.MarshalText(); err != nil || string(b) != s {
			t.Fatalf("%q was written as %q, %v", s, b, err)
		}
	})
}
