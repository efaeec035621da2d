package shopify

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"
)

// entry is one item of a connection. Keys order the items and are unique; a
// cursor is the key, so that a page goes on where it ended although items moved.
type entry struct {
	key  string
	make func() *object
}

// connection pages items that are sorted by key. typ is the node's type.
func connection(typ string, a arguments, items []entry) (any, error) {
	if a["reverse"] == true {
		items = slices.Clone(items)
		slices.Reverse(items)
	}
	from, to, err := window(a, items)
	if err != nil {
		return nil, err
	}
	page := items[from:to]
	nodes, edges := []any{}, []any{}
	for _, e := range page {
		node := e.make()
		nodes = append(nodes, node)
		edges = append(edges, &object{typ: typ + "Edge", fields: fields{"node": node, "cursor": cursor(e.key)}})
	}
	ends := fields{"hasNextPage": to < len(items), "hasPreviousPage": from > 0, "startCursor": nil, "endCursor": nil}
	if len(page) > 0 {
		ends["startCursor"], ends["endCursor"] = cursor(page[0].key), cursor(page[len(page)-1].key)
	}
	return &object{typ: typ + "Connection", fields: fields{
		"nodes": nodes, "edges": edges, "pageInfo": &object{typ: "PageInfo", fields: ends}}}, nil
}

// window finds the page in items that are already in the order asked for.
func window(a arguments, items []entry) (from, to int, err error) {
	size, backwards, err := pageSize(a)
	if err != nil {
		return 0, 0, err
	}
	from, to = 0, len(items)
	down := a["reverse"] == true
	for _, bound := range []string{"after", "before"} {
		text, ok := a[bound].(string)
		if !ok {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !strings.HasPrefix(string(key), "k:") {
			return 0, 0, refused("INVALID_CURSOR", "Invalid cursor for current pagination sort: %q", text)
		}
		at := slices.IndexFunc(items, func(e entry) bool {
			c := strings.Compare(e.key, string(key[2:]))
			if down {
				c = -c
			}
			return c > 0 || (c == 0 && bound == "before")
		})
		if at < 0 {
			at = len(items)
		}
		if bound == "after" {
			from = at
		} else {
			to = max(from, at)
		}
	}
	if to-from > size {
		if backwards {
			from = to - size
		} else {
			to = from + size
		}
	}
	return from, to, nil
}

// everything is the argument a bulk operation reads a connection to its end with.
const everything = "everything"

// pageSize reads first or last, of which exactly one must be there, from 1 to 250.
func pageSize(a arguments) (size int, backwards bool, err error) {
	if a[everything] == true {
		return math.MaxInt, false, nil
	}
	first, hasFirst := whole(a["first"])
	last, hasLast := whole(a["last"])
	switch {
	case hasFirst && hasLast:
		return 0, false, refused("BAD_REQUEST", "providing both first and last is not supported")
	case !hasFirst && !hasLast:
		return 0, false, refused("BAD_REQUEST", "you must provide one of first or last")
	}
	size = first
	if hasLast {
		size = last
	}
	if size < 1 || size > most {
		return 0, false, refused("BAD_REQUEST", "first and last must be from 1 to %d, not %d", most, size)
	}
	return size, hasLast, nil
}

func cursor(key string) string { return base64.StdEncoding.EncodeToString([]byte("k:" + key)) }
