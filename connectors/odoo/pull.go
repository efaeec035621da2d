package odoo

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// pageSize is how many rows one call reads: 1,000 products with six fields took a
// recorded Odoo 152 ms.
const pageSize = 500

// Kinds implements connector.Puller.
func (c *Connector) Kinds() []crossdock.Kind {
	return []crossdock.Kind{crossdock.KindSite, crossdock.KindTax, crossdock.KindItem, crossdock.KindStock, crossdock.KindOrder, crossdock.KindShipment}
}

// place is a pull's cursor. A pass reads the rows written at or after From in the
// order of their ids, so that a row changed meanwhile is never jumped over: it
// stays in the set, and where it enters behind the page it was written after the
// pass began, which the next pass reads.
//
// High is the newest write_date Odoo showed as the pass began. Odoo dates a change
// by the start of its transaction and shows it at the end, so the next pass starts
// Overlap before High. Once High has stood for longer than the overlap, by our own
// clock, everything up to it has appeared, and the next pass starts behind it.
type place struct {
	From  string    `json:"from,omitempty"`
	Last  int64     `json:"last,omitempty"`  // id of the last row read in this pass
	High  string    `json:"high,omitempty"`  //
	Since time.Time `json:"since,omitzero"`  // when High was first seen
	Begun time.Time `json:"begun,omitzero"`  // when this pass began; zero between passes
	Moves bool      `json:"moves,omitempty"` // stock: the pass has come to the moves
}

func readPlace(after connector.Cursor) (place, error) {
	var p place
	if after == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(after), &p); err != nil {
		return p, crossdock.Errorf(crossdock.Internal, "the cursor %q is none of this connector's: pull from the beginning", clip([]byte(after)))
	}
	return p, nil
}

func (p place) cursor() connector.Cursor { return connector.Cursor(raw(p)) }

// since returns the domain of what changed.
func (p place) since() []any {
	if p.From == "" {
		return nil
	}
	return []any{[]any{"write_date", ">=", p.From}}
}

// begin starts a pass, newest being the newest write_date of all there is.
func (p place) begin(newest string, now time.Time) place {
	if newest > p.High {
		p.High, p.Since = newest, now
	}
	p.Begun, p.Last, p.Moves = now, 0, false
	return p
}

// end returns where the next pass starts.
func (p place) end(overlap time.Duration) place {
	next := place{From: p.From, High: p.High, Since: p.Since}
	high, err := time.Parse(stamp, p.High)
	if err != nil {
		return next // nothing was ever written
	}
	if p.Begun.Sub(p.Since) > overlap+time.Second {
		next.From = high.Add(time.Second).Format(stamp)
	} else {
		next.From = high.Add(-overlap).Format(stamp)
	}
	return next
}

// Pull implements connector.Puller. Every message is one row as Odoo returned it
// with its keys sorted; stock is a reading made of rows, see stocker.
//
// The first pull of orders and of shipments reads only those of orders the hub made:
// others mean nothing to it. Later ones read every one that changed, because a person
// may have taken the hub's mark away.
func (c *Connector) Pull(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
	p, err := readPlace(after)
	if err != nil {
		return connector.Page{}, err
	}
	if k == crossdock.KindStock {
		return c.pullStock(ctx, p)
	}
	src, ok := sources[k]
	if !ok || k == crossdock.KindParty {
		return connector.Page{}, crossdock.Errorf(crossdock.Internal, "the kind %q is not pulled from Odoo", k)
	}
	fields, err := c.fields(ctx, k)
	if err != nil {
		return connector.Page{}, err
	}
	if p.Begun.IsZero() {
		newest, err := c.newest(ctx, src.model, append(p.since(), src.domain...))
		if err != nil {
			return connector.Page{}, err
		}
		if newest == "" {
			return connector.Page{Next: p.cursor()}, nil
		}
		p = p.begin(newest, c.now())
	}
	domain := append(p.since(), src.domain...)
	if k == crossdock.KindOrder && p.From == "" {
		domain = append(domain, []any{"origin", "=like", module + "%"})
	}
	if k == crossdock.KindShipment && p.From == "" {
		domain = append(domain, forOurs)
	}
	rows, err := c.pageRows(ctx, src.model, domain, fields, p.Last, nil)
	if err != nil {
		return connector.Page{}, err
	}
	told := rows
	if k == crossdock.KindShipment {
		if told, err = c.ours(ctx, slices.Clone(rows)); err != nil {
			return connector.Page{}, err
		}
	}
	out, err := c.messages(ctx, k, told)
	if err != nil {
		return connector.Page{}, err
	}
	if len(rows) < pageSize {
		return connector.Page{Messages: out, Next: p.end(c.cfg.Overlap).cursor()}, nil
	}
	if p.Last, err = lastID(rows); err != nil {
		return connector.Page{}, err
	}
	return connector.Page{Messages: out, Next: p.cursor(), More: true}, nil
}

// newest returns the newest write_date of what a domain names, "" for nothing.
func (c *Connector) newest(ctx context.Context, model string, domain []any) (string, error) {
	rows, err := c.searchRows(ctx, model, domain, []string{"write_date"}, map[string]any{"order": "write_date desc", "limit": 1})
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].text("write_date")
}

// pageRows reads the next rows of a domain by id.
func (c *Connector) pageRows(ctx context.Context, model string, domain []any, fields []string, last int64, more map[string]any) ([]row, error) {
	kw := map[string]any{"order": "id", "limit": pageSize}
	for k, v := range more {
		kw[k] = v
	}
	return c.searchRows(ctx, model, append(domain[:len(domain):len(domain)], []any{"id", ">", last}), fields, kw)
}

func lastID(rows []row) (int64, error) {
	key, err := rows[len(rows)-1].id("id")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(key, 10, 64)
}

// Keys implements connector.Lister for every kind that is pulled. A reading of
// stock may be listed more than once.
func (c *Connector) Keys(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.KeyPage, error) {
	p, err := readPlace(after)
	if err != nil {
		return connector.KeyPage{}, err
	}
	if k == crossdock.KindStock {
		return c.stockKeys(ctx, p)
	}
	src, ok := sources[k]
	if !ok {
		return connector.KeyPage{}, crossdock.Errorf(crossdock.Internal, "the kind %q is not listed from Odoo", k)
	}
	var found []int64
	const many = 5000
	kw := c.context(archivedToo)
	kw["order"], kw["limit"] = "id", many
	domain := append(src.domain[:len(src.domain):len(src.domain)], []any{"id", ">", p.Last})
	if k == crossdock.KindShipment {
		domain = append(domain, forOurs)
	}
	if err := c.rpc.call(ctx, src.model, "search", []any{domain}, kw, &found); err != nil {
		return connector.KeyPage{}, err
	}
	page := connector.KeyPage{More: len(found) == many}
	for _, id := range found {
		page.Keys = append(page.Keys, strconv.FormatInt(id, 10))
		p.Last = id
	}
	if page.More {
		page.Next = p.cursor()
	}
	return page, nil
}
