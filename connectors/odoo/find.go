package odoo

import (
	"context"
	"slices"

	"github.com/crossdockhq/crossdock"
)

// Find implements connector.Finder. Every message has Meta["ref"], what was asked
// for, as Ref.String. A ref of the book (an order or a party) is searched by the
// hub's mark in the field origin or ref and then checked against the external id,
// because a person who duplicates an order copies the mark.
func (c *Connector) Find(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	found := map[crossdock.Ref]crossdock.Message{}
	for _, k := range kindsOf(refs) {
		var keys []string
		var books []crossdock.Ref
		for _, r := range refs {
			switch {
			case r.Kind == k && r.System == crossdock.BookSystem:
				books = append(books, r)
			case r.Kind == k:
				keys = append(keys, r.Key)
			}
		}
		if err := c.findKeys(ctx, k, keys, found); err != nil {
			return nil, err
		}
		if err := c.findBook(ctx, k, books, found); err != nil {
			return nil, err
		}
	}
	out := make([]crossdock.Message, 0, len(refs))
	for _, r := range refs {
		m, ok := found[at(r)]
		if !ok {
			m = crossdock.Message{Kind: r.Kind, Body: goneBody}
			if r.System != crossdock.BookSystem {
				m.Key = r.Key
			}
		}
		meta := crossdock.Meta{metaRef: r.String()}
		for k, v := range m.Meta {
			meta[k] = v
		}
		m.Meta = meta
		out = append(out, m)
	}
	return out, nil
}

// at is where a found message is kept: the systems name of a key is ours to give.
func at(r crossdock.Ref) crossdock.Ref {
	if r.System != crossdock.BookSystem {
		r.System = ""
	}
	return r
}

func kindsOf(refs []crossdock.Ref) []crossdock.Kind {
	var out []crossdock.Kind
	for _, r := range refs {
		if !slices.Contains(out, r.Kind) {
			out = append(out, r.Kind)
		}
	}
	return out
}

func (c *Connector) findKeys(ctx context.Context, k crossdock.Kind, keys []string, found map[crossdock.Ref]crossdock.Message) error {
	if len(keys) == 0 {
		return nil
	}
	if k == crossdock.KindStock {
		return c.findStock(ctx, keys, found)
	}
	if _, ok := sources[k]; !ok {
		return crossdock.Errorf(crossdock.Internal, "the kind %q is not looked up in Odoo", k)
	}
	rows, err := c.readRows(ctx, k, keys)
	if err != nil {
		return err
	}
	var there []row
	for _, key := range keys {
		if r, ok := rows[key]; ok && (k != crossdock.KindShipment || !isNull(r["sale_id"])) { // a transfer outlives its order
			there = append(there, r)
			delete(rows, key)
		}
	}
	all, err := c.messages(ctx, k, there)
	if err != nil {
		return err
	}
	for _, m := range all {
		found[crossdock.Ref{Kind: k, Key: m.Key}] = m
	}
	return nil
}

// findStock reads readings anew. A product without quants reads zero; a warehouse
// that is not there (any more) is gone.
func (c *Connector) findStock(ctx context.Context, keys []string, found map[crossdock.Ref]crossdock.Message) error {
	s, err := c.stocker(ctx)
	if err != nil || len(s.lots) == 0 {
		return err
	}
	there := map[string]bool{}
	for _, site := range s.sites {
		there[site] = true
	}
	var pairs []string
	for _, key := range keys {
		_, site, ok := splitStockKey(key)
		if !ok {
			return crossdock.Errorf(crossdock.Internal, "%q names no reading of stock: product@warehouse is expected", key)
		}
		if there[site] {
			pairs = append(pairs, key)
		}
	}
	version, err := s.clock(ctx, place{})
	if err != nil {
		return err
	}
	all, err := s.read(ctx, pairs, version)
	if err != nil {
		return err
	}
	for _, m := range all {
		found[crossdock.Ref{Kind: crossdock.KindStock, Key: m.Key}] = m
	}
	return nil
}

func (c *Connector) findBook(ctx context.Context, k crossdock.Kind, refs []crossdock.Ref, found map[crossdock.Ref]crossdock.Message) error {
	if len(refs) == 0 {
		return nil
	}
	field := mark(k)
	if field == "" {
		return crossdock.Errorf(crossdock.Internal, "the kind %q has no key of the book in Odoo", k)
	}
	major, err := c.rpc.major(ctx)
	if err != nil {
		return err
	}
	marks := make([]string, 0, len(refs))
	for _, r := range refs {
		marks = append(marks, externalID(r))
	}
	rows, err := c.searchRows(ctx, sources[k].model, []any{[]any{field, "in", marks}}, fieldsOf(k, major), map[string]any{"order": "id"})
	if err != nil {
		return err
	}
	all, err := c.messages(ctx, k, rows)
	if err != nil {
		return err
	}
	for _, m := range all {
		if of, ok := parseExternalID(m.Meta[metaExternal]); ok {
			found[of] = m
		}
	}
	return nil
}
