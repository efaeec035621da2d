package odoo

import (
	"fmt"
	"slices"
)

// ship makes the order's transfers ask for what one of its lines orders: an open
// move is raised or lowered, a new line gets a move, and so does a line whose
// transfer is finished.
func (e *env) ship(o, l rec) {
	product := l.follow("product_id")
	if l.get("display_type") != nil || !goods(product) {
		return
	}
	factor := ratio(l.follow(e.v.lineUoM)) / ratio(product.follow("uom_id"))
	diff := roundDigits(l.num("product_uom_qty")*factor-e.planned(l), 2)
	switch {
	case diff > 0:
		e.plan(o, l, diff)
	case diff < 0:
		e.lower(l, -diff)
	}
}

// planned is what moves of a line already ask for or have delivered.
func (e *env) planned(l rec) float64 {
	sum := 0.0
	for _, id := range e.db.table("stock.move").having("sale_line_id", l.id) {
		switch m := e.rec("stock.move", id); m.str("state") {
		case "cancel":
		case "done":
			sum += moved(m, "~quantity")
		default:
			sum += m.num("product_uom_qty")
		}
	}
	return sum
}

func (e *env) plan(o, l rec, n float64) {
	warehouse := o.follow("warehouse_id")
	if warehouse.id == 0 {
		company := o.follow("company_id")
		if e.first("stock.warehouse", func(w rec) bool { return w.ref("company_id") == company.id }).id != 0 {
			notSupported("confirming an order without a warehouse in a company that has one")
		}
		text := fmt.Sprintf("Please create a warehouse for company %s.", company.str("name"))
		panic(&fault{Name: "odoo.exceptions.RedirectWarning", Message: text + "\n391\nGo to Warehouses\nNone", Arguments: []any{text, 391, "Go to Warehouses", nil}})
	}
	source := warehouse.ref("lot_stock_id")
	for _, id := range slices.Clone(e.db.table("stock.move").having("sale_line_id", l.id)) {
		m := e.rec("stock.move", id)
		if openMove(m) && m.ref("location_id") == source && m.ref("product_id") == l.ref("product_id") {
			m.set(row{"product_uom_qty": m.num("product_uom_qty") + n})
			e.reserve(m)
			e.settle(m.follow("picking_id"))
			if e.v.raisedMovesPicking {
				m.follow("picking_id").touch()
			}
			return
		}
	}
	p := e.openPicking(o, source)
	vals := row{
		"product_id": l.get("product_id"), "product_uom_qty": n, "product_uom": l.follow("product_id").get("uom_id"),
		"state": "confirmed", "picking_id": p.id, "location_id": source, "location_dest_id": p.get("location_dest_id"),
		"sale_line_id": l.id, "origin": p.get("origin"), "date": p.get("scheduled_date"), "company_id": o.get("company_id"), "warehouse_id": warehouse.id,
		"picked": false, "sequence": 10, "date_deadline": p.get("date_deadline"),
	}
	if e.v.hasMoveName {
		vals["name"] = l.follow("product_id").display() // seen on an Odoo 18: the product's name, not the line's
	}
	e.reserve(e.rec("stock.move", e.insert("stock.move", vals)))
	e.settle(p)
}

// openPicking is the order's open transfer from that place, made when there is none.
func (e *env) openPicking(o rec, source int) rec {
	for _, id := range e.db.table("stock.picking").having("sale_id", o.id) {
		p := e.rec("stock.picking", id)
		if s := p.str("state"); s != "done" && s != "cancel" && p.ref("location_id") == source && p.ref("backorder_id") == 0 {
			return p
		}
	}
	origin := o.str("name")
	if ref := o.str("client_order_ref"); ref != "" && e.v.originNamesReference {
		origin += " - " + ref
	}
	when := o.at("commitment_date")
	if when.IsZero() {
		when = o.at("date_order")
	}
	kind := o.follow("warehouse_id").follow("out_type_id")
	return e.newPicking(row{
		"state": "confirmed", "origin": origin, "partner_id": o.get("partner_shipping_id"), "picking_type_id": kind.id,
		"location_id": source, "location_dest_id": e.virtualLocation("customer"), "scheduled_date": when, "sale_id": o.id,
		"company_id": o.get("company_id"), "priority": "0", "move_type": "direct", "date_deadline": when, "date": second(e.now),
	})
}

func (e *env) newPicking(vals row) rec {
	kind := e.rec("stock.picking.type", vals["picking_type_id"].(int)) //nolint:errcheck // every caller gives an id
	prefix := kind.follow("warehouse_id").str("code") + "/" + kind.str("sequence_code") + "/"
	vals["name"] = fmt.Sprintf("%s%05d", prefix, e.db.next("stock.picking "+prefix))
	return e.rec("stock.picking", e.insert("stock.picking", vals))
}

// lower takes demand back from a line's open moves; a move left with none is cancelled.
func (e *env) lower(l rec, n float64) {
	ids := slices.Clone(e.db.table("stock.move").having("sale_line_id", l.id))
	slices.Reverse(ids)
	for _, id := range ids {
		m := e.rec("stock.move", id)
		if !openMove(m) || n <= 0 {
			continue
		}
		take := min(n, m.num("product_uom_qty"))
		n -= take
		left := roundDigits(m.num("product_uom_qty")-take, 2)
		e.free(m, moved(m, "~reserved")-left)
		m.set(row{"product_uom_qty": left})
		if left <= 0 {
			e.dropLines(m)
			m.set(row{"state": "cancel"})
		} else {
			e.restate(m)
		}
		e.settle(m.follow("picking_id"))
	}
}
