package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/crossdockhq/crossdock"
)

const (
	maxTries = 3   // to read an order that changes while it is read
	maxPages = 200 // of lines; Shopify's orders have at most some hundred lines
)

// gone is the body of a message about an order the shop doesn't have.
var gone = []byte(`{"gone":true}`)

// Find reads orders as they are now, one request each and one more for every 25
// lines beyond the first 25. A ref's key is the order's global id or its bare
// number. Any other ref is answered with a message that has a Fault: the shop
// knows nothing by the hub's own keys. An error is about the connection; then
// nothing was found.
func (s *Shop) Find(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	out := make([]crossdock.Message, 0, len(refs))
	for _, ref := range refs {
		m, err := s.look(ctx, ref)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (s *Shop) look(ctx context.Context, ref crossdock.Ref) (crossdock.Message, error) {
	m := crossdock.Message{From: s.system, Kind: ref.Kind, Key: ref.Key, Asked: s.now(), Meta: crossdock.Meta{metaShape: shapeGraphQL, metaShop: s.cfg.Shop}}
	gid := gidOf(ref.Key)
	if ref.Kind != crossdock.KindOrder || ref.System == crossdock.BookSystem || gid == "" {
		m.Fault = &crossdock.Fault{Code: crossdock.Invalid, Text: fmt.Sprintf("%s names no order of the shop: its key is %s and a number", ref, gidPrefix)}
		return m, nil
	}
	m.Key = gid
	for range maxTries {
		m.Asked = s.now()
		got, same, err := s.read(ctx, gid)
		switch {
		case err != nil:
			return m, err
		case !same:
			continue
		}
		return m, fill(&m, got)
	}
	return m, crossdock.Errorf(crossdock.Unavailable, "order %s changed each of the %d times it was read", gid, maxTries)
}

// fill puts what was read into the message: canonical JSON (members sorted by
// name), so that two looks at the same order are the same bytes.
func fill(m *crossdock.Message, got answer) error {
	if got.version != "" {
		m.Meta[metaVersion] = got.version
	}
	if got.data.isNull() {
		m.Body = gone
		return nil
	}
	if t, err := time.Parse(time.RFC3339, got.data.at("updatedAt").text()); err == nil {
		m.Version = stamp(t)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(got.data.value); err != nil {
		return crossdock.Errorf(crossdock.Internal, "can't write order %s as JSON: %w", m.Key, err)
	}
	m.Body = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return nil
}

// read reads an order with all its lines; its data is null when the shop doesn't
// have it. It reports false when the order changed between two pages.
func (s *Shop) read(ctx context.Context, gid string) (answer, bool, error) {
	got, err := s.api.ask(ctx, orderQuery, map[string]any{"id": gid})
	if err != nil {
		return answer{}, false, err
	}
	got.data = node{value: got.data.at("order").value}
	order, ok := got.data.value.(map[string]any)
	if !ok {
		return got, true, nil
	}
	switch {
	case got.data.at("id").text() != gid:
		return answer{}, false, crossdock.Errorf(crossdock.Internal, "asked for order %s the shop answered %.100q", gid, got.data.at("id").text())
	case got.data.at("shippingLines").at("pageInfo").at("hasNextPage").isTrue():
		return answer{}, false, crossdock.Errorf(crossdock.Internal, "order %s has more shipping lines than the connector reads", gid)
	}
	if shipping, ok := order["shippingLines"].(map[string]any); ok {
		delete(shipping, "pageInfo")
	}
	lines, same, err := s.lines(ctx, got.data)
	if err != nil || !same {
		return answer{}, false, err
	}
	order["lineItems"] = map[string]any{"nodes": lines}
	return got, true, nil
}

// lines returns all lines of an order, those on its first page included.
func (s *Shop) lines(ctx context.Context, order node) ([]any, bool, error) {
	page := order.at("lineItems")
	all := []any{}
	for range maxPages {
		nodes, _ := page.at("nodes").value.([]any)
		all = append(all, nodes...)
		if !page.at("pageInfo").at("hasNextPage").isTrue() {
			return all, true, nil
		}
		got, err := s.api.ask(ctx, linesQuery, map[string]any{"id": order.at("id").text(), "after": page.at("pageInfo").at("endCursor").text()})
		if err != nil {
			return nil, false, err
		}
		next := got.data.at("order")
		if next.at("updatedAt").text() != order.at("updatedAt").text() {
			return nil, false, nil
		}
		page = next.at("lineItems")
	}
	return nil, false, crossdock.Errorf(crossdock.Internal, "order %s has more lines than %d pages hold", order.at("id").text(), maxPages)
}
