package odoo

import (
	"slices"
	"time"
)

func pickingModels(models map[string]*model, v *version) {
	p := models["stock.picking"]
	p.fields(`name state origin partner_id picking_type_id location_id location_dest_id scheduled_date date_done
		date_deadline backorder_id sale_id carrier_tracking_ref priority company_id note move_type`)
	if _, ok := p.meta["date"]; ok {
		p.stored["date"] = true
	}
	p.order = "priority desc, scheduled_date, id desc"
	p.company = "company_id"
	p.search = []string{"name", "origin"}
	p.computed["picking_type_code"] = func(e *env, r rec) any { return r.follow("picking_type_id").get("code") }
	p.computed["carrier_id"] = func(e *env, r rec) any { return nil } // carriers are not modelled: none is set
	p.computed["return_ids"] = func(e *env, r rec) any { return nil } // returns are not modelled: there are none
	if p.meta["return_ids"].Type == "" {
		delete(p.computed, "return_ids")
	}
	p.computed["products_availability_state"] = func(e *env, r rec) any { state, _ := e.availability(r); return state }
	p.computed["products_availability"] = func(e *env, r rec) any { _, text := e.availability(r); return text }
	p.create = func(e *env, vals row) int { notSupported("creating stock.picking"); return 0 }
	p.write = writePicking
	p.unlink = func(e *env, ids []int) { notSupported("deleting stock.picking") }
	p.methods = map[string]method{
		"button_validate": validate,
		"action_cancel":   overPickings(func(e *env, r rec) { e.cancelPicking(r) }, true),
		"action_assign": overPickings(func(e *env, r rec) {
			for _, m := range openMoves(r) {
				if !e.v.pickedFlag || !m.flag("picked") { // what a person typed stays
					e.reserve(m)
				}
			}
			e.settle(r)
		}, true),
		"do_unreserve": overPickings(unreserve, none{}),
	}

	m := models["stock.move"]
	m.fields(`product_id product_uom_qty product_uom state picking_id location_id location_dest_id sale_line_id origin date
		company_id date_deadline sequence warehouse_id`)
	if v.hasMoveName {
		m.stored["name"] = true
	}
	m.order = "sequence, id"
	m.company = "company_id"
	m.display = moveName
	m.stored[v.moveDone] = true // written by a person, kept on the move's lines
	m.computed[v.moveDone] = func(e *env, r rec) any { return moved(r, "~quantity") }
	if v.pickedFlag {
		m.stored["picked"] = true
	} else {
		m.computed["reserved_availability"] = func(e *env, r rec) any { return moved(r, "~reserved") }
		m.computed["forecast_availability"] = func(e *env, r rec) any { return min(r.num("product_uom_qty"), e.forecast(r)) }
	}
	m.computed["product_qty"] = func(e *env, r rec) any { return r.num("product_uom_qty") } // moves are planned in the product's unit
	m.computed["reference"] = func(e *env, r rec) any { return r.follow("picking_id").get("name") }
	m.computed["bom_line_id"] = func(e *env, r rec) any { return nil } // kits are not modelled: there are none
	m.computed["procure_method"] = func(e *env, r rec) any { return "make_to_stock" }
	m.create = func(e *env, vals row) int { notSupported("creating stock.move"); return 0 }
	m.write = writeMove
	m.unlink = func(e *env, ids []int) { notSupported("deleting stock.move") }

	l := models["stock.move.line"]
	l.fields("move_id product_id location_id location_dest_id picking_id company_id lot_id")
	l.company = "company_id"
	l.order = "location_id, id"
	l.computed["product_uom_id"] = func(e *env, r rec) any { return r.follow("move_id").get("product_uom") }
	l.computed["state"] = func(e *env, r rec) any { return r.follow("move_id").get("state") }
	l.computed[v.moveLineDone] = func(e *env, r rec) any { return r.raw("~quantity") }
	if v.pickedFlag {
		l.computed[v.moveLineReserved] = l.computed[v.moveLineDone]
		l.computed["picked"] = func(e *env, r rec) any { return r.follow("move_id").get("picked") }
	} else {
		l.computed[v.moveLineReserved] = func(e *env, r rec) any { return r.raw("~reserved") }
	}
	l.create = func(e *env, vals row) int { notSupported("creating stock.move.line"); return 0 }
	l.write = func(e *env, ids []int, vals row) { notSupported("writing stock.move.line") }
	l.unlink = func(e *env, ids []int) { notSupported("deleting stock.move.line") }
}

// moveName is "S00025/WID-A: Stock>Customers".
func moveName(e *env, r rec) string {
	name := ""
	if o := r.follow("picking_id").str("origin"); o != "" {
		name = o + "/"
	}
	if code := r.follow("product_id").str("default_code"); code != "" {
		name += code + ": "
	}
	return name + r.follow("location_id").str("name") + ">" + r.follow("location_dest_id").str("name")
}

func overPickings(act func(e *env, r rec), answer any) method {
	return func(e *env, args []any, kw map[string]any) any {
		for _, r := range e.pickings(args, kw) {
			act(e, r)
		}
		return answer
	}
}

func (e *env) pickings(args []any, kw map[string]any) []rec {
	ids := toIDs(argument(args, 0, kw, "ids"))
	for _, id := range ids {
		if r := e.rec("stock.picking", id); !r.exists() {
			e.missingRecord("stock.picking", id)
		} else if !e.visible(r) {
			e.accessRule("stock.picking", "read", e.otherCompanyHint(r))
		}
	}
	return e.recs("stock.picking", ids)
}

func writePicking(e *env, ids []int, vals row) {
	for f := range vals {
		switch f {
		case "carrier_tracking_ref", "note", "origin", "priority", "scheduled_date", "partner_id":
		default:
			notSupported("writing field %s of stock.picking", f)
		}
	}
	e.writeRow(e.model("stock.picking"), ids, vals)
}

func openMoves(p rec) []rec {
	return slices.DeleteFunc(movesOf(p), func(m rec) bool { return !openMove(m) })
}

func movesOf(p rec) []rec {
	return p.e.recs("stock.move", slices.Clone(p.e.db.table("stock.move").having("picking_id", p.id)))
}

// availability is the transfer's "products availability": nothing once it is
// over, available when stock covers every open move, late otherwise. Expected
// receipts are not modelled.
func (e *env) availability(p rec) (state, text any) {
	moves := openMoves(p)
	if len(moves) == 0 {
		return nil, nil
	}
	for _, m := range moves {
		if e.forecast(m) < m.num("product_uom_qty")-0.000001 {
			return "late", "Not Available"
		}
	}
	return "available", "Available"
}

// forecast is what a move holds plus what is free at its source.
func (e *env) forecast(m rec) float64 {
	have := moved(m, "~reserved")
	if !storable(m.follow("product_id")) {
		return max(have, m.num("product_uom_qty"))
	}
	for _, id := range e.db.table("stock.quant").having("product_id", m.ref("product_id")) {
		if q := e.rec("stock.quant", id); e.childOf(q.follow("location_id"), m.ref("location_id")) {
			have += max(q.num("quantity")-q.num("reserved_quantity"), 0)
		}
	}
	return have
}

// settle sets a transfer's state from its moves: the most advanced open one decides.
func (e *env) settle(p rec) {
	if p.id == 0 {
		return
	}
	moves := movesOf(p)
	done, cancelled, ready := 0, 0, false
	for _, m := range moves {
		switch m.str("state") {
		case "done":
			done++
		case "cancel":
			cancelled++
		case "assigned", "partially_available":
			ready = true
		}
	}
	state := "confirmed"
	switch {
	case cancelled == len(moves):
		state = "cancel"
	case done+cancelled == len(moves):
		state = "done"
	case ready:
		state = "assigned"
	}
	if p.str("state") != state {
		p.set(row{"state": state})
	}
}

// free gives back n of a move's reservation, newest line first.
func (e *env) free(m rec, n float64) {
	lines := m.each("move_line_ids")
	slices.Reverse(lines)
	for _, l := range lines {
		if n <= 0 {
			return
		}
		take := min(n, l.num("~reserved"))
		if take > 0 {
			n -= take
			e.release(l, take)
		}
	}
}

func (e *env) dropLines(m rec) {
	e.free(m, moved(m, "~reserved"))
	for _, l := range m.each("move_line_ids") {
		e.unlinkRows(l.m, []int{l.id})
	}
}

// unreserve gives back reservations; a quantity a person typed stays.
func unreserve(e *env, p rec) {
	for _, m := range openMoves(p) {
		if e.v.pickedFlag && m.flag("picked") {
			continue
		}
		e.free(m, moved(m, "~reserved"))
		e.restate(m)
	}
	e.settle(p)
}

// cancelPicking cancels what is open in a transfer; the order moves too.
func (e *env) cancelPicking(p rec) {
	if p.str("state") == "done" {
		notSupported("cancelling a finished transfer")
	}
	for _, m := range openMoves(p) {
		e.dropLines(m)
		m.set(row{"state": "cancel"})
	}
	e.settle(p)
	if o := p.follow("sale_id"); o.id != 0 {
		o.touch()
	}
}

// moveDeadline passes a changed commitment date on to the open transfers.
func (e *env) moveDeadline(o rec, when any) {
	for _, p := range o.each("picking_ids") {
		if s := p.str("state"); s == "done" || s == "cancel" {
			continue
		}
		moves := openMoves(p)
		if e.v.deadlineMovesAll {
			p.set(row{"date_deadline": when})
			moves = movesOf(p)
		} else {
			p.quiet(row{"date_deadline": when})
		}
		for _, m := range moves {
			m.set(row{"date_deadline": when})
		}
	}
}

// writeMove takes the quantity a person types and, from 18 on, picked.
func writeMove(e *env, ids []int, vals row) {
	for f := range vals {
		if f != e.v.moveDone && f != "picked" {
			notSupported("writing field %s of stock.move", f)
		}
	}
	for _, id := range ids {
		m := e.rec("stock.move", id)
		if !openMove(m) {
			notSupported("writing a finished or cancelled stock.move")
		}
		if v, given := vals[e.v.moveDone]; given {
			e.typeQuantity(m, roundDigits(number(v), 2))
		}
		if v, given := vals["picked"]; given {
			m.set(row{"picked": v})
		}
		m.touch()
	}
}

// typeQuantity sets what a move will deliver. From 18 on this is the
// reservation itself: less frees stock, more reserves what there is.
func (e *env) typeQuantity(m rec, q float64) {
	have := moved(m, "~quantity")
	lines := m.each("move_line_ids")
	if !e.v.pickedFlag {
		if len(lines) == 0 {
			lines = []rec{e.newMoveLine(m, shelf{m.ref("location_id"), 0}, 0, 0)}
		}
		for i, l := range lines { // each gets what it has reserved, the last what is over
			typed := min(q, l.num("~reserved"))
			if i == len(lines)-1 {
				typed = q
			}
			l.set(row{"~quantity": typed})
			q = roundDigits(q-typed, 2)
		}
		return
	}
	if q < have {
		e.free(m, have-q)
	} else if q > have {
		demand := m.num("product_uom_qty")
		m.quiet(row{"product_uom_qty": q})
		e.reserve(m)
		m.quiet(row{"product_uom_qty": demand})
		if missing := q - moved(m, "~quantity"); missing > 0 {
			if lines = m.each("move_line_ids"); len(lines) == 0 {
				e.newMoveLine(m, shelf{m.ref("location_id"), 0}, 0, missing)
			} else {
				lines[0].set(row{"~quantity": lines[0].num("~quantity") + missing})
			}
		}
	}
	e.restate(m)
}

// at is the time a transfer is finished: whole seconds.
func (e *env) at() time.Time { return second(e.now) }
