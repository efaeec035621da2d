package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

const pickingModel = "stock.picking"

// What a shipment's message has besides the fields of its transfer: the warehouse it
// leaves from, its moves and, once it is done, their lines.
const (
	shipmentSite  = "warehouse_id"
	shipmentMoves = "moves"
	shipmentLines = "move_lines"
)

// ofDelivery are the fields of a transfer that Odoo has with its module for delivery
// (delivery on 16, stock_delivery later) and lacks without it.
var ofDelivery = []string{"carrier_id", "carrier_tracking_ref"}

// forOrders is the domain of transfers to customers that belong to a sale order.
// Receipts, returns and the steps inside a warehouse are of another type.
var forOrders = []any{[]any{"picking_type_id.code", "=", "outgoing"}, []any{"sale_id", "!=", false}}

// forOurs is the domain of those whose order the hub has marked.
var forOurs = []any{"sale_id.origin", "=like", module + "%"}

// carriers returns which fields of delivery this database has. It is asked once.
func (c *Connector) carriers(ctx context.Context) ([]string, error) {
	return cached(c, func(l *lookups) ([]string, bool) { return l.delivery, l.delivery != nil },
		func() (func(*lookups), error) {
			var there map[string]json.RawMessage
			if err := c.rpc.call(ctx, pickingModel, "fields_get", []any{ofDelivery, []string{"type"}}, c.context(nil), &there); err != nil {
				return nil, err
			}
			has := []string{}
			for _, name := range ofDelivery {
				if there[name] != nil {
					has = append(has, name)
				}
			}
			return func(l *lookups) { l.delivery = has }, nil
		})
}

// warehouses returns the warehouse of each type of transfer, by id; a type that is not
// known yet makes all be read again.
func (c *Connector) warehouses(ctx context.Context, types []string) (map[string]string, error) {
	return cached(c, func(l *lookups) (map[string]string, bool) {
		return l.warehouses, !slices.ContainsFunc(types, func(t string) bool { _, known := l.warehouses[t]; return !known })
	}, func() (func(*lookups), error) {
		rows, err := c.searchRows(ctx, "stock.picking.type", nil, []string{"warehouse_id"}, noNames)
		if err != nil {
			return nil, err
		}
		of := map[string]string{}
		for _, t := range types {
			of[t] = "" // one the user may not see
		}
		for _, r := range rows {
			f := &reader{row: r}
			of[f.ref("id")] = f.ref("warehouse_id")
			if f.err != nil {
				return nil, f.err
			}
		}
		return func(l *lookups) { l.warehouses = of }, nil
	})
}

// ours keeps the transfers of orders the hub has made, by their external ids: a person
// who duplicates an order copies the hub's mark, and one may take it away.
func (c *Connector) ours(ctx context.Context, rows []row) ([]row, error) {
	orders := map[string]bool{}
	for _, r := range rows {
		key, err := r.id("sale_id")
		if err != nil {
			return nil, err
		}
		if key != "" {
			orders[key] = true
		}
	}
	if len(orders) == 0 {
		return nil, nil
	}
	of, err := c.externalIDsOf(ctx, string(orderModel), slices.Sorted(maps.Keys(orders)))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r row) bool {
		key, err := r.id("sale_id")
		return err != nil || of[key] == ""
	}), nil
}

// shipments makes a message of each transfer: its row with the warehouse, the moves
// and, where it is done, the lines of the moves.
func (c *Connector) shipments(ctx context.Context, rows []row) ([]crossdock.Message, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var all, done, types []string
	for _, r := range rows {
		f := &reader{row: r}
		key, kind := f.ref("id"), f.ref("picking_type_id")
		if all, types = append(all, key), append(types, kind); f.str("state") == "done" {
			done = append(done, key)
		}
		if f.err != nil {
			return nil, f.err
		}
	}
	sites, err := c.warehouses(ctx, types)
	if err != nil {
		return nil, err
	}
	moves, err := c.partsOf(ctx, "stock.move", all, []string{"picking_id", "product_id", "product_qty", "product_uom", "product_uom_qty", "state"}, noNames)
	if err != nil {
		return nil, err
	}
	major, err := c.rpc.major(ctx)
	if err != nil {
		return nil, err
	}
	fields := []string{"lot_id", "move_id", "picking_id", "product_id", "quantity_product_uom"}
	if major < 17 {
		fields = []string{"lot_id", "move_id", "picking_id", "product_id", "product_uom_id", "qty_done"}
	}
	lines, err := c.partsOf(ctx, "stock.move.line", done, fields, nil) // with the names of the lots
	if err != nil {
		return nil, err
	}
	out := make([]crossdock.Message, 0, len(rows))
	for i, r := range rows {
		r = maps.Clone(r)
		r[shipmentSite], r[shipmentMoves] = raw(false), raw(moves[all[i]])
		if site := sites[types[i]]; site != "" {
			r[shipmentSite] = json.RawMessage(site)
		}
		if slices.Contains(done, all[i]) {
			r[shipmentLines] = raw(lines[all[i]])
		}
		m, err := message(crossdock.KindShipment, r)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// partsOf reads what transfers consist of, by the transfer's key. Each has a list, if
// an empty one.
func (c *Connector) partsOf(ctx context.Context, model string, of, fields []string, more map[string]any) (map[string][]row, error) {
	out := map[string][]row{}
	if len(of) == 0 {
		return out, nil
	}
	n, err := ids(of)
	if err != nil {
		return nil, err
	}
	kw := map[string]any{"order": "id"}
	maps.Copy(kw, more)
	rows, err := c.searchRows(ctx, model, []any{[]any{"picking_id", "in", n}}, fields, kw)
	if err != nil {
		return nil, err
	}
	for _, key := range of {
		out[key] = []row{}
	}
	for _, r := range rows {
		key, err := r.id("picking_id")
		if err != nil {
			return nil, err
		}
		out[key] = append(out[key], r)
	}
	return out, nil
}

// shipmentState reads the state of a transfer in the book's words. "assigned" is also
// said where only a part is reserved (recorded).
func shipmentState(state string) (crossdock.ShipmentState, bool) {
	switch state {
	case "draft", "waiting", "confirmed":
		return crossdock.ShipmentWaiting, true
	case "assigned":
		return crossdock.ShipmentAssigned, true
	case "done":
		return crossdock.ShipmentDone, true
	case "cancel":
		return crossdock.ShipmentCancelled, true
	}
	return "", false
}

// translateShipment reads a transfer: what it delivered, by lot, once it is done; what
// is asked of it before.
func translateShipment(r row, m crossdock.Message, s crossdock.Statement) (crossdock.Statement, error) {
	f := &reader{row: r}
	order, site, state := f.ref("sale_id"), f.ref(shipmentSite), f.str("state")
	if f.err != nil {
		return s, f.err
	}
	if order == "" {
		return s, crossdock.At("sale_id", crossdock.Errorf(crossdock.Invalid, "the transfer belongs to no sale order"))
	}
	in, ok := shipmentState(state)
	if !ok {
		return s, crossdock.At("state", crossdock.Errorf(crossdock.Invalid, "%q is no state of a transfer that this connector knows", state))
	}
	out := crossdock.Shipment{Order: crossdock.Ref{System: m.From, Kind: crossdock.KindOrder, Key: order}, State: in}
	if site != "" {
		out.Site = crossdock.Ref{System: m.From, Kind: crossdock.KindSite, Key: site}
	}
	var err error
	if out.Lines, err = readMoves(r, m.From, in); err != nil {
		return s, err
	}
	if in == crossdock.ShipmentDone {
		if out.Shipped, err = r.date("date_done"); err != nil {
			return s, err
		}
	}
	s.Says = crossdock.Fields{"lines", "order", "shipped", "site", "state"}
	if r["carrier_id"] != nil {
		out.Carrier, s.Says = f.name("carrier_id"), append(s.Says, "carrier")
	}
	if r["carrier_tracking_ref"] != nil {
		s.Says = append(s.Says, "tracking")
		for code := range strings.SplitSeq(f.str("carrier_tracking_ref"), ",") {
			if code = strings.TrimSpace(code); code != "" {
				out.Tracking = append(out.Tracking, code)
			}
		}
	}
	if f.err != nil {
		return s, f.err
	}
	slices.Sort(s.Says)
	return pack(s, out)
}

// date reads a date and time; false is none.
func (r row) date(name string) (time.Time, error) {
	text, err := r.text(name)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(stamp, text)
	if err != nil {
		return t, crossdock.At(name, crossdock.Errorf(crossdock.Invalid, "%s is no date and time of Odoo", clip(raw(text))))
	}
	return t, nil
}

// rows reads a list of rows that this connector put into a message.
func (r row) rows(name string) (out []row, err error) {
	v, err := r.get(name)
	if err == nil && json.Unmarshal(v, &out) != nil {
		err = crossdock.At(name, crossdock.Errorf(crossdock.Invalid, "%s is no list of rows", clip(v)))
	}
	return out, err
}

// readMoves returns what a transfer delivered, or what is asked of it: without what
// was taken out of it, unless all of it was.
func readMoves(r row, from crossdock.System, in crossdock.ShipmentState) ([]crossdock.Move, error) {
	moves, err := r.rows(shipmentMoves)
	if err != nil {
		return nil, err
	}
	if in == crossdock.ShipmentDone {
		return doneMoves(r, from, moves)
	}
	out := []crossdock.Move{}
	for _, move := range moves {
		f := &reader{row: move}
		item, count, state := f.ref("product_id"), f.num("product_qty", countDigits), f.str("state")
		if f.err != nil {
			return nil, crossdock.At(shipmentMoves, f.err)
		}
		if state != "cancel" || in == crossdock.ShipmentCancelled {
			out = addMove(out, crossdock.Move{Item: itemOf(from, item), Quantity: crossdock.Quantity{Count: count}})
		}
	}
	return out, nil
}

func itemOf(from crossdock.System, product string) crossdock.Ref {
	return crossdock.Ref{System: from, Kind: crossdock.KindItem, Key: product}
}

// addMove adds a quantity to that of the same item and lot: a transfer has a line for
// each place the goods were taken from.
func addMove(moves []crossdock.Move, m crossdock.Move) []crossdock.Move {
	if m.Quantity.Count.IsZero() {
		return moves
	}
	for i := range moves {
		if moves[i].Item == m.Item && moves[i].Lot == m.Lot {
			moves[i].Quantity.Count = moves[i].Quantity.Count.Add(m.Quantity.Count)
			return moves
		}
	}
	return append(moves, m)
}

// doneMoves reads what left, from the lines of the moves.
func doneMoves(r row, from crossdock.System, moves []row) ([]crossdock.Move, error) {
	lines, err := r.rows(shipmentLines)
	if err != nil {
		return nil, err
	}
	of := map[string]row{}
	for _, m := range moves {
		key, err := m.id("id")
		if err != nil {
			return nil, crossdock.At(shipmentMoves, err)
		}
		of[key] = m
	}
	out := []crossdock.Move{}
	for _, line := range lines {
		f := &reader{row: line}
		item, move := f.ref("product_id"), f.ref("move_id")
		lot := ""
		if lotID := f.ref("lot_id"); lotID != "" {
			lot = f.name("lot_id")
		}
		if f.err != nil {
			return nil, crossdock.At(shipmentLines, f.err)
		}
		count, err := doneCount(line, of[move])
		if err != nil {
			return nil, crossdock.At(shipmentLines, err)
		}
		out = addMove(out, crossdock.Move{Item: itemOf(from, item), Quantity: crossdock.Quantity{Count: count}, Lot: lot})
	}
	return out, nil
}

// doneCount returns what a line delivered in the item's own unit. From 17 on Odoo says
// that itself (quantity_product_uom); before, a line counts in a unit of its own, and
// how many of the item's make up one is what the move says of its demand (product_qty
// of product_uom_qty), where both count in the same unit.
func doneCount(line, move row) (crossdock.Decimal, error) {
	if line["quantity_product_uom"] != nil {
		return line.number("quantity_product_uom", countDigits)
	}
	l, m := &reader{row: line}, &reader{row: move}
	done, unit := l.num("qty_done", countDigits), l.ref("product_uom_id")
	asked, own, other := m.num("product_uom_qty", countDigits), m.num("product_qty", countDigits), m.ref("product_uom")
	switch {
	case l.err != nil:
		return done, l.err
	case done.IsZero():
		return done, nil
	case m.err != nil:
		return done, crossdock.At("move_id", m.err)
	case unit == other && asked.Equal(own) && asked.IsPositive():
		return done, nil
	case unit == other && asked.IsPositive():
		return done.Mul(own).DivRound(asked, countDigits), nil
	}
	return done, crossdock.At("product_uom_id", crossdock.Errorf(crossdock.Invalid, "the line counts in another unit (%s) than its move (%s), and nothing says how many of the product's that is: deliver in the product's own unit", unit, other))
}
