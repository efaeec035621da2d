package odoo

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// source says where the records of a kind are kept and which of their fields are read.
type source struct {
	model    string
	fields   []string
	domain   []any // always asked for, besides what changed
	archived bool  // archived records are read too
}

// sources of the kinds whose messages are plain rows. Stock is read by stocker.
var sources = map[crossdock.Kind]source{
	crossdock.KindSite: {model: "stock.warehouse", fields: []string{"active", "code", "company_id", "lot_stock_id", "name", "write_date"}, archived: true},
	crossdock.KindTax: {model: "account.tax", archived: true, domain: []any{[]any{"type_tax_use", "=", "sale"}},
		fields: []string{"active", "amount", "amount_type", "children_tax_ids", "company_id", "name", "price_include", "write_date"}},
	crossdock.KindItem: {model: "product.product", archived: true,
		fields: []string{"active", "barcode", "currency_id", "default_code", "list_price", "name", "type", "uom_id", "write_date"}},
	crossdock.KindOrder: {model: string(orderModel),
		fields: []string{"amount_tax", "amount_total", "amount_untaxed", "client_order_ref", "currency_id", "name", "origin", "state", "warehouse_id", "write_date"}},
	crossdock.KindShipment: {model: pickingModel, domain: forOrders,
		fields: []string{"date_done", "name", "picking_type_id", "sale_id", "state", "write_date"}},
	crossdock.KindParty: {model: string(partnerModel), archived: true,
		fields: []string{"city", "company_name", "country_code", "email", "is_company", "name", "parent_id", "phone", "ref", "state_id", "street", "street2", "type", "vat", "write_date", "zip"}},
}

// fieldsOf returns the fields of a kind under the names of the server's version.
func fieldsOf(k crossdock.Kind, major int) []string {
	f := sources[k].fields
	switch {
	case k == crossdock.KindItem && major < 17:
		f = append(f[:len(f):len(f)], "detailed_type")
	case k == crossdock.KindItem && major > 17:
		f = append(f[:len(f):len(f)], "is_storable")
	case k == crossdock.KindItem:
		f = append(f[:len(f):len(f)], "detailed_type") // 17: is_storable came with 18
	case k == crossdock.KindOrder && major > 16:
		f = append(f[:len(f):len(f)], "locked") // on 16 the state "done" says so
	}
	return f
}

// fields returns the fields of a kind that this database has.
func (c *Connector) fields(ctx context.Context, k crossdock.Kind) ([]string, error) {
	major, err := c.rpc.major(ctx)
	if err != nil {
		return nil, err
	}
	f := fieldsOf(k, major)
	if k == crossdock.KindShipment {
		more, err := c.carriers(ctx)
		return append(f[:len(f):len(f)], more...), err
	}
	return f, nil
}

// taxField is the name of a sale order line's taxes.
func taxField(major int) string {
	if major >= 19 {
		return "tax_ids"
	}
	return "tax_id"
}

// archivedToo makes a search see archived records.
var archivedToo = map[string]any{"active_test": false}

// searchRows runs search_read; more are further keyword arguments.
func (c *Connector) searchRows(ctx context.Context, model string, domain []any, fields []string, more map[string]any) ([]row, error) {
	kw := c.context(archivedToo)
	for k, v := range more {
		kw[k] = v
	}
	if domain == nil {
		domain = []any{}
	}
	var rows []row
	if err := c.rpc.call(ctx, model, "search_read", []any{domain, fields}, kw, &rows); err != nil {
		return nil, err
	}
	return rows, whole(requestOf(model, "search_read", nil), rows, fields)
}

// whole reports rows that lack what they were asked for. Odoo answers with every
// field it was asked for, false where it is empty, or with an error (recorded): a row
// without one was not made by Odoo, but for instance by a proxy before it, and may be
// whole the next time.
func whole(r request, rows []row, fields []string) error {
	for _, row := range rows {
		for _, name := range append([]string{"id"}, fields...) {
			if _, there := row[name]; !there {
				return lost(r, "a row lacks the field "+name+", as Odoo never answers: see what stands before it", nil)
			}
		}
	}
	return nil
}

// readRows reads records of a kind by key into a map. What Odoo does not have is
// not in the map: read leaves it out (recorded).
func (c *Connector) readRows(ctx context.Context, k crossdock.Kind, keys []string) (map[string]row, error) {
	fields, err := c.fields(ctx, k)
	if err != nil {
		return nil, err
	}
	return c.readFields(ctx, sources[k].model, keys, fields)
}

func (c *Connector) readFields(ctx context.Context, model string, keys, fields []string) (map[string]row, error) {
	out := map[string]row{}
	if len(keys) == 0 {
		return out, nil
	}
	n, err := ids(keys)
	if err != nil {
		return nil, err
	}
	var rows []row
	if err := c.rpc.call(ctx, model, "read", []any{n, fields}, c.context(nil), &rows); err != nil {
		return nil, err
	}
	if err := whole(requestOf(model, "read", nil), rows, fields); err != nil {
		return nil, err
	}
	for _, r := range rows {
		key, err := r.id("id")
		if err != nil {
			return nil, err
		}
		out[key] = r
	}
	return out, nil
}

// message makes a message of a row. From and Asked are the caller's.
func message(k crossdock.Kind, r row) (crossdock.Message, error) {
	key, err := r.id("id")
	if err != nil {
		return crossdock.Message{}, err
	}
	m := crossdock.Message{Kind: k, Key: key, Body: r.body()}
	m.Version, _ = r.text("write_date") // a row without one is told faulty by Translate
	return m, nil
}

// messages makes messages of rows and adds what Translate needs beside a row: the
// external id, where it is ours, and the code of a partner's state.
func (c *Connector) messages(ctx context.Context, k crossdock.Kind, rows []row) ([]crossdock.Message, error) {
	if k == crossdock.KindShipment {
		return c.shipments(ctx, rows)
	}
	external, err := c.externalIDs(ctx, k, rows)
	if err != nil {
		return nil, err
	}
	out := make([]crossdock.Message, 0, len(rows))
	for _, r := range rows {
		m, err := message(k, r)
		if err != nil {
			return nil, err
		}
		if id := external[m.Key]; id != "" {
			m.Meta = crossdock.Meta{metaExternal: id}
		}
		if k == crossdock.KindParty {
			if err := c.addRegion(ctx, r, &m); err != nil {
				return nil, err
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// mark is the field in which the hub writes its external id so that a record can
// be searched by it: users may not search ir.model.data (recorded).
func mark(k crossdock.Kind) string {
	switch k {
	case crossdock.KindOrder:
		return "origin"
	case crossdock.KindParty:
		return "ref"
	}
	return ""
}

// externalIDs returns the external ids of ours by key. A record duplicated by a
// person carries a copy of the mark but no external id, so Odoo is asked.
func (c *Connector) externalIDs(ctx context.Context, k crossdock.Kind, rows []row) (map[string]string, error) {
	field := mark(k)
	var marked []string
	for _, r := range rows {
		if field == "" {
			break
		}
		if s, err := r.text(field); err == nil && strings.HasPrefix(s, module) {
			if key, err := r.id("id"); err == nil {
				marked = append(marked, key)
			}
		}
	}
	if len(marked) == 0 {
		return nil, nil
	}
	return c.externalIDsOf(ctx, sources[k].model, marked)
}

// externalIDsOf returns the external ids of ours by key.
func (c *Connector) externalIDsOf(ctx context.Context, model string, keys []string) (map[string]string, error) {
	n, err := ids(keys)
	if err != nil {
		return nil, err
	}
	var got map[string]json.RawMessage
	if err := c.rpc.call(ctx, model, "get_external_id", []any{n}, c.context(nil), &got); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for key, v := range got {
		var id string
		if json.Unmarshal(v, &id) == nil && strings.HasPrefix(id, module) {
			out[key] = id
		}
	}
	return out, nil
}
