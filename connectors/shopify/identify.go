package shopify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock/connector"
)

// gidPrefix is what an order's global id starts with; digits up to 2^64-1 follow.
const gidPrefix = "gid://shopify/Order/"

// isGID reports an order's global id.
func isGID(s string) bool {
	tail, ok := strings.CutPrefix(s, gidPrefix)
	return ok && isNumber(tail)
}

// gidOf returns the global id of an order named by it or by its bare number, "" for anything else.
func gidOf(key string) string {
	switch {
	case isGID(key):
		return key
	case isNumber(key):
		return gidPrefix + key
	}
	return ""
}

func isNumber(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// identify returns key and version of the order a webhook speaks of, "" where
// they can't be had. The key is the body's admin_graphql_api_id; a body without
// one (orders/edited, orders/delete, one that breaks off) is known by the header,
// else by the number Shopify wrote, which is exact in deliveries: only its
// published samples have lost digits of it.
func identify(topic string, body []byte, header string) (key, at string) {
	found := scan(body, "admin_graphql_api_id", "updated_at", "id", "order_edit")
	if t, err := time.Parse(time.RFC3339, found["updated_at"]); err == nil {
		at = stamp(t)
	}
	if gid := found["admin_graphql_api_id"]; isGID(gid) {
		return gid, at
	}
	if isNumber(header) {
		return gidPrefix + header, at
	}
	switch topic {
	case topicDelete:
		return gidOf(found["id"]), at
	case topicEdited:
		return gidOf(scan([]byte(found["order_edit"]), "order_id")["order_id"]), at
	}
	return "", at
}

// scan reads the named members of a JSON object, where they are strings or
// numbers, and stops when it has them all; an object member is given whole. It
// never fails: of a body that is broken or too long it returns what stood before.
func scan(body []byte, names ...string) map[string]string {
	found := map[string]string{}
	dec := json.NewDecoder(bytes.NewReader(body[:min(len(body), connector.Limit)]))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return found
	}
	for len(found) < len(names) {
		name, err := dec.Token()
		if err != nil || name == json.Delim('}') {
			return found
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return found
		}
		key, _ := name.(string) // in an object Token gives a string or the end
		if _, has := found[key]; has || !slices.Contains(names, key) {
			continue
		}
		text := string(value)
		if text[0] == '"' && json.Unmarshal(value, &text) != nil {
			continue
		}
		found[key] = text
	}
	return found
}
