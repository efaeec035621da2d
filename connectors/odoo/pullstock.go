package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// stocker reads stock. Odoo keeps it in quants (a product at a location, perhaps
// of a lot) and deletes those that come to nothing, so a reading is made anew: who
// changed is asked for, then all quants of these products are summed.
type stocker struct {
	c     *Connector
	sites map[string]string // lot_stock_id → warehouse
	below map[string]string // location below a lot_stock_id → warehouse
	lots  []json.Number     // the lot_stock_ids
}

// noNames makes many2one fields come as ids: the name of a product costs Odoo a
// query, and stock needs none.
var noNames = map[string]any{"load": ""}

func (c *Connector) stocker(ctx context.Context) (*stocker, error) {
	rows, err := c.searchRows(ctx, "stock.warehouse", []any{[]any{"active", "=", true}}, []string{"lot_stock_id"}, nil)
	if err != nil {
		return nil, err
	}
	s := &stocker{c: c, sites: map[string]string{}, below: map[string]string{}}
	for _, r := range rows {
		f := &reader{row: r}
		lot, site := f.ref("lot_stock_id"), f.ref("id")
		if f.err != nil {
			return nil, f.err
		}
		s.sites[lot] = site
		s.lots = append(s.lots, json.Number(lot))
	}
	if len(s.lots) == 0 {
		return s, nil
	}
	places, err := c.searchRows(ctx, "stock.location", []any{[]any{"id", "child_of", s.lots}}, []string{"location_id"}, noNames)
	if err != nil {
		return nil, err
	}
	parent := map[string]string{}
	for _, r := range places {
		f := &reader{row: r}
		parent[f.ref("id")] = f.ref("location_id")
		if f.err != nil {
			return nil, f.err
		}
	}
	for id := range parent {
		s.below[id] = s.siteOf(id, parent)
	}
	return s, nil
}

// siteOf climbs from a location to the first stock location above it.
func (s *stocker) siteOf(id string, parent map[string]string) string {
	for range len(parent) + 1 { // a circle ends here too
		if site, ok := s.sites[id]; ok {
			return site
		}
		id = parent[id]
	}
	return ""
}

// at is the domain of a location field below any stock location.
func (s *stocker) at(field string) []any { return []any{field, "child_of", s.lots} }

func (s *stocker) quants(p place) []any { return append(p.since(), s.at("location_id")) }

// moves is the domain of finished moves into or out of stock. They tell of
// products whose last quant was deleted.
func (s *stocker) moves(p place) []any {
	return append(p.since(), []any{"state", "=", "done"}, "|", s.at("location_id"), s.at("location_dest_id"))
}

// clock returns the newest write_date of quants and finished moves: the version of
// a reading that is made after asking for it. The quants' own dates can't be it:
// a sum falls back to an older date when its newest quant is deleted.
func (s *stocker) clock(ctx context.Context, p place) (string, error) {
	quants, err := s.c.newest(ctx, "stock.quant", s.quants(p))
	if err != nil {
		return "", err
	}
	moves, err := s.c.newest(ctx, "stock.move", s.moves(p))
	return max(quants, moves), err
}

// pullStock reads a page of quants, then, in every pass but the first, of moves,
// and returns a reading of each product at each warehouse they speak of.
func (c *Connector) pullStock(ctx context.Context, p place) (connector.Page, error) {
	s, err := c.stocker(ctx)
	if err != nil || len(s.lots) == 0 {
		return connector.Page{Next: p.cursor()}, err
	}
	if p.Begun.IsZero() {
		newest, err := s.clock(ctx, p)
		if err != nil {
			return connector.Page{}, err
		}
		if newest == "" {
			return connector.Page{Next: p.cursor()}, nil
		}
		p = p.begin(newest, c.now())
	}
	model, domain, fields := "stock.quant", s.quants(p), []string{"location_id", "product_id"}
	if p.Moves {
		model, domain, fields = "stock.move", s.moves(p), append(fields, "location_dest_id")
	}
	rows, err := c.pageRows(ctx, model, domain, fields, p.Last, noNames)
	if err != nil {
		return connector.Page{}, err
	}
	out, err := s.readings(ctx, rows, p.High)
	if err != nil {
		return connector.Page{}, err
	}
	switch {
	case len(rows) == pageSize:
		p.Last, err = lastID(rows)
		return connector.Page{Messages: out, Next: p.cursor(), More: true}, err
	case !p.Moves && p.From != "":
		p.Moves, p.Last = true, 0
		return connector.Page{Messages: out, Next: p.cursor(), More: true}, nil
	}
	return connector.Page{Messages: out, Next: p.end(c.cfg.Overlap).cursor()}, nil
}

// readings returns a reading of each product and warehouse that rows of quants or
// moves name, sorted by key.
func (s *stocker) readings(ctx context.Context, rows []row, version string) ([]crossdock.Message, error) {
	pairs := map[string]bool{}
	for _, r := range rows {
		f := &reader{row: r}
		product, places := f.ref("product_id"), []string{f.ref("location_id")}
		if _, moved := r["location_dest_id"]; moved {
			places = append(places, f.ref("location_dest_id"))
		}
		if f.err != nil {
			return nil, f.err
		}
		for _, at := range places {
			if site := s.below[at]; site != "" {
				pairs[stockKey(product, site)] = true
			}
		}
	}
	return s.read(ctx, slices.Sorted(maps.Keys(pairs)), version)
}

// read sums the quants of each pair; one that has none reads zero.
func (s *stocker) read(ctx context.Context, pairs []string, version string) ([]crossdock.Message, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	sums, err := s.sum(ctx, pairs)
	if err != nil {
		return nil, err
	}
	out := make([]crossdock.Message, 0, len(pairs))
	for _, pair := range pairs {
		product, site, _ := splitStockKey(pair)
		sum := sums[pair]
		out = append(out, crossdock.Message{
			Kind: crossdock.KindStock, Key: pair, Version: max(version, sum.version),
			Body: row{
				"product_id": json.RawMessage(product), "warehouse_id": json.RawMessage(site),
				"quantity": json.RawMessage(sum.quantity.String()), "reserved_quantity": json.RawMessage(sum.reserved.String()),
			}.body(),
		})
	}
	return out, nil
}

// sum is what the quants of one pair add up to.
type sum struct {
	quantity, reserved decimal.Decimal
	version            string
}

func (s *stocker) sum(ctx context.Context, pairs []string) (map[string]sum, error) {
	wanted, products := map[string]bool{}, map[string]bool{}
	for _, pair := range pairs {
		product, _, _ := splitStockKey(pair)
		wanted[pair], products[product] = true, true
	}
	n, err := ids(slices.Sorted(maps.Keys(products)))
	if err != nil {
		return nil, err
	}
	rows, err := s.c.searchRows(ctx, "stock.quant", []any{[]any{"product_id", "in", n}, s.at("location_id")},
		[]string{"location_id", "product_id", "quantity", "reserved_quantity", "write_date"}, noNames)
	if err != nil {
		return nil, err
	}
	out := map[string]sum{}
	for _, r := range rows {
		f := &reader{row: r}
		pair := stockKey(f.ref("product_id"), s.below[f.ref("location_id")])
		quantity, reserved, at := f.num("quantity", countDigits), f.num("reserved_quantity", countDigits), f.str("write_date")
		if f.err != nil {
			return nil, f.err
		}
		if wanted[pair] {
			was := out[pair]
			out[pair] = sum{was.quantity.Add(quantity), was.reserved.Add(reserved), max(was.version, at)}
		}
	}
	return out, nil
}

func (c *Connector) stockKeys(ctx context.Context, p place) (connector.KeyPage, error) {
	s, err := c.stocker(ctx)
	if err != nil || len(s.lots) == 0 {
		return connector.KeyPage{}, err
	}
	rows, err := c.pageRows(ctx, "stock.quant", s.quants(place{}), []string{"location_id", "product_id"}, p.Last, noNames)
	if err != nil {
		return connector.KeyPage{}, err
	}
	keys := map[string]bool{}
	for _, r := range rows {
		f := &reader{row: r}
		product, site := f.ref("product_id"), s.below[f.ref("location_id")]
		if f.err != nil {
			return connector.KeyPage{}, f.err
		}
		if site != "" {
			keys[stockKey(product, site)] = true
		}
	}
	page := connector.KeyPage{Keys: slices.Sorted(maps.Keys(keys)), More: len(rows) == pageSize}
	if page.More {
		p.Last, err = lastID(rows)
		page.Next = p.cursor()
	}
	return page, err
}
