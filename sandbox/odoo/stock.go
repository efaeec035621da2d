package odoo

import (
	"slices"
	"strconv"
	"time"
)

func stockModels(models map[string]*model, v *version) {
	l := models["stock.location"]
	l.fields("name location_id usage company_id active barcode")
	if _, ok := l.meta["scrap_location"]; ok {
		l.stored["scrap_location"] = true
	}
	l.order = "complete_name, id"
	l.company = "company_id"
	l.defaults = map[string]func(*env) any{"usage": fixed("internal"), "company_id": func(e *env) any { return e.company() }}
	l.computed["complete_name"] = func(e *env, r rec) any { return completeName(r) }
	l.computed["warehouse_id"] = func(e *env, r rec) any {
		return orNil(e.first("stock.warehouse", func(w rec) bool { return e.childOf(r, w.ref("view_location_id")) }).id)
	}
	l.display = func(e *env, r rec) string { return completeName(r) }
	l.write = func(e *env, ids []int, vals row) {
		for _, id := range ids {
			r := e.rec("stock.location", id)
			if vals["active"] == false && slices.ContainsFunc(e.recs("stock.quant", e.db.table("stock.quant").having("location_id", id)), func(q rec) bool { return !isZero(q.num("quantity")) }) {
				userError(v.locationInUse, r.display())
			}
		}
		e.writeRow(l, ids, vals)
	}

	w := models["stock.warehouse"]
	w.fields("name code company_id view_location_id lot_stock_id out_type_id in_type_id delivery_steps reception_steps sequence active partner_id")
	w.order = "sequence, id"
	w.company = "company_id"
	w.search = []string{"code"}
	w.create = func(e *env, vals row) int {
		name, _ := vals["name"].(string)
		code, _ := vals["code"].(string)
		company, _ := vals["company_id"].(int)
		if company == 0 {
			company = e.company()
		}
		return e.newWarehouse(company, code, name)
	}

	t := models["stock.picking.type"]
	t.fields("name code warehouse_id company_id default_location_src_id default_location_dest_id sequence_code sequence active")
	t.order = "sequence, id"
	t.company = "company_id"
	t.display = func(e *env, r rec) string {
		if w := r.follow("warehouse_id"); w.id != 0 {
			return w.str("name") + ": " + r.str("name")
		}
		return r.str("name")
	}

	b := models["stock.lot"]
	b.fields("name product_id company_id")
	b.order = "name, id"
	b.company = "company_id"
	b.create = func(e *env, vals row) int { notSupported("creating stock.lot"); return 0 }
	b.write = func(e *env, ids []int, vals row) { notSupported("writing stock.lot") }
	b.unlink = func(e *env, ids []int) { notSupported("deleting stock.lot") }

	q := models["stock.quant"]
	q.fields("product_id location_id quantity reserved_quantity inventory_quantity inventory_quantity_set in_date company_id lot_id")
	q.stored["inventory_quantity_auto_apply"] = true // written, never kept: it acts at once
	q.company = "company_id"
	q.computed["available_quantity"] = func(e *env, r rec) any { return r.num("quantity") - r.num("reserved_quantity") }
	q.computed["inventory_quantity_auto_apply"] = func(e *env, r rec) any { return r.num("quantity") }
	q.computed["warehouse_id"] = func(e *env, r rec) any { return r.follow("location_id").get("warehouse_id") }
	q.computed["inventory_date"] = func(e *env, r rec) any {
		if r.follow("location_id").str("usage") != "internal" {
			return nil
		}
		return strconv.Itoa(e.now.Year()) + "-12-31"
	}
	q.computed["product_uom_id"] = func(e *env, r rec) any { return r.follow("product_id").get("uom_id") }
	q.create, q.write, q.unlink = createQuant, writeQuant, func(e *env, ids []int) { notSupported("deleting stock.quant") }
	q.methods["action_apply_inventory"] = func(e *env, args []any, kw map[string]any) any {
		for _, id := range toIDs(argument(args, 0, kw, "ids")) {
			r := e.rec("stock.quant", id)
			if r.flag("inventory_quantity_set") || e.v.applyTwiceZeroes {
				e.applyInventory(r, r.num("inventory_quantity"))
			}
		}
		return none{}
	}
}

// completeName is "WH/Stock"; a view location stands alone.
func completeName(r rec) string {
	parent := r.follow("location_id")
	if parent.id == 0 || r.str("usage") == "view" {
		return r.str("name")
	}
	return completeName(parent) + "/" + r.str("name")
}

// quantityFields are a product's quantities in the context's place.
func quantityFields(p *model) {
	for f, pick := range map[string]func(quantities) float64{
		"qty_available":     func(q quantities) float64 { return q.onHand },
		"free_qty":          func(q quantities) float64 { return q.onHand - q.reserved },
		"virtual_available": func(q quantities) float64 { return q.onHand + q.incoming - q.outgoing },
		"incoming_qty":      func(q quantities) float64 { return q.incoming },
		"outgoing_qty":      func(q quantities) float64 { return q.outgoing },
	} {
		p.computed[f] = func(e *env, r rec) any { return roundDigits(pick(e.quantities(r)), 2) }
	}
}

type quantities struct{ onHand, reserved, incoming, outgoing float64 }

// quantities counts quants and open moves in the context's location, or its
// warehouse, or all warehouses of the allowed companies. The context key of the
// other version is ignored, as in Odoo.
func (e *env) quantities(product rec) quantities {
	var q quantities
	if !goods(product) {
		return q
	}
	roots := e.quantityRoots()
	inside := func(loc int) bool { return e.childOf(e.rec("stock.location", loc), roots) }
	for _, id := range e.db.table("stock.quant").having("product_id", product.id) {
		r := e.rec("stock.quant", id)
		if inside(r.ref("location_id")) {
			q.onHand += r.num("quantity")
			q.reserved += r.num("reserved_quantity")
		}
	}
	for _, id := range e.db.table("stock.move").having("product_id", product.id) {
		r := e.rec("stock.move", id)
		if !openMove(r) || r.str("state") == "draft" {
			continue
		}
		from, to := inside(r.ref("location_id")), inside(r.ref("location_dest_id"))
		switch {
		case from && !to:
			q.outgoing += r.num("product_uom_qty")
		case to && !from:
			q.incoming += r.num("product_uom_qty")
		}
	}
	return q
}

func (e *env) quantityRoots() []int {
	if loc := e.ctx["location"]; truth(loc) {
		return toIDs(loc)
	}
	warehouses := toIDs(e.ctx[e.v.warehouseContext])
	if len(warehouses) == 0 {
		for _, id := range e.all("stock.warehouse") {
			if w := e.rec("stock.warehouse", id); w.flag("active") && slices.Contains(e.companies, w.ref("company_id")) {
				warehouses = append(warehouses, id)
			}
		}
	}
	roots := []int{}
	for _, id := range warehouses {
		roots = append(roots, e.rec("stock.warehouse", id).ref("view_location_id"))
	}
	return roots
}

// createQuant sets stock: in inventory mode the quant of the place is found or
// made; inventory_quantity_auto_apply takes effect at once, inventory_quantity
// waits for action_apply_inventory. Outside it a new row is made as given.
func createQuant(e *env, vals row) int {
	productID, _ := vals["product_id"].(int)
	product := e.rec("product.product", productID)
	id, _ := vals["location_id"].(int)
	location := e.rec("stock.location", id)
	if location.str("usage") == "view" {
		refuse("ValidationError", "You cannot take products from or deliver products to a location of type \"view\" (%s).", location.str("name"))
	}
	if !storable(product) {
		refuse("ValidationError", "Quants cannot be created for consumables or services.")
	}
	inventory := e.ctx["inventory_mode"] == true
	auto, applies := vals["inventory_quantity_auto_apply"]
	_, counted := vals["inventory_quantity"]
	if inventory && (applies || counted) {
		r := e.quantAt(product.id, location.id)
		if applies {
			e.applyInventory(r, number(auto))
		} else {
			r.set(row{"inventory_quantity": number(vals["inventory_quantity"]), "inventory_quantity_set": true})
		}
		return r.id
	}
	r := e.newQuant(product.id, location.id, number(vals["quantity"]))
	if counted {
		r.set(row{"inventory_quantity": number(vals["inventory_quantity"]), "inventory_quantity_set": true})
	}
	return r.id
}

func writeQuant(e *env, ids []int, vals row) {
	for f := range vals {
		if f != "inventory_quantity" && f != "inventory_quantity_auto_apply" {
			notSupported("writing field %s of stock.quant", f)
		}
	}
	for _, id := range ids {
		r := e.rec("stock.quant", id)
		if v, given := vals["inventory_quantity"]; given {
			r.set(row{"inventory_quantity": number(v), "inventory_quantity_set": true})
		}
		if v, given := vals["inventory_quantity_auto_apply"]; given && e.ctx["inventory_mode"] == true {
			e.applyInventory(r, number(v))
		}
	}
}

// shelf is where goods lie: a location, and the lot they are of; 0 is none.
type shelf struct{ location, lot int }

// shelfOf returns that of a quant or of a move line.
func shelfOf(r rec) shelf { return shelf{r.ref("location_id"), r.ref("lot_id")} }

// quantAt finds or makes the quant of a product at a location, of no lot.
func (e *env) quantAt(product, location int) rec { return e.quantOn(product, shelf{location, 0}) }

// quantOn finds or makes the quant of a product on a shelf.
func (e *env) quantOn(product int, on shelf) rec {
	for _, id := range e.db.table("stock.quant").having("product_id", product) {
		if r := e.rec("stock.quant", id); shelfOf(r) == on {
			return r
		}
	}
	r := e.newQuant(product, on.location, 0)
	if on.lot != 0 {
		r.quiet(row{"lot_id": on.lot})
	}
	return r
}

func (e *env) newQuant(product, location int, quantity float64) rec {
	id := e.insert("stock.quant", row{
		"product_id": product, "location_id": location, "quantity": quantity, "reserved_quantity": 0.0,
		"inventory_quantity": 0.0, "inventory_quantity_set": false, "in_date": e.now,
		"company_id": e.rec("stock.location", location).get("company_id"),
	})
	return e.rec("stock.quant", id)
}

// applyInventory makes a quant hold quantity: the difference comes from or goes
// to the company's inventory adjustment location, reservations beyond it are
// taken away, and where the version does so, waiting moves are reserved.
func (e *env) applyInventory(r rec, quantity float64) {
	diff := quantity - r.num("quantity")
	changes := row{"quantity": quantity, "inventory_quantity": 0.0, "inventory_quantity_set": false}
	if diff > 0 && r.num("quantity") <= 0 {
		changes["in_date"] = e.now
	}
	r.set(changes)
	if isZero(diff) {
		return
	}
	if loss := e.inventoryLocation(r.ref("company_id")); loss != 0 {
		other := e.quantOn(r.ref("product_id"), shelf{loss, r.ref("lot_id")})
		other.set(row{"quantity": other.num("quantity") - diff})
	}
	e.takeBack(r)
	if diff > 0 && e.v.reservesByItself {
		for _, id := range slices.Clone(e.db.table("stock.move").having("product_id", r.ref("product_id"))) {
			if m := e.rec("stock.move", id); openMove(m) && m.str("state") != "draft" && e.childOf(e.rec("stock.location", r.ref("location_id")), m.ref("location_id")) {
				e.reserve(m)
				e.settle(m.follow("picking_id"))
			}
		}
	}
}

func (e *env) inventoryLocation(company int) int {
	return e.first("stock.location", func(l rec) bool { return l.str("usage") == "inventory" && l.ref("company_id") == company }).id
}

// takeBack removes reservations a quant can no longer keep: 18 and 19 begin
// with the newest order, 16 with the oldest.
func (e *env) takeBack(q rec) {
	over := q.num("reserved_quantity") - max(q.num("quantity"), 0)
	if over <= 0 {
		return
	}
	lines := slices.DeleteFunc(e.recs("stock.move.line", slices.Clone(e.db.table("stock.move.line").having("location_id", q.ref("location_id")))), func(l rec) bool {
		return l.ref("product_id") != q.ref("product_id") || l.ref("lot_id") != q.ref("lot_id") || l.num("~reserved") <= 0
	})
	if e.v.unreserveNewestFirst {
		slices.Reverse(lines)
	}
	for _, l := range lines {
		if over <= 0 {
			return
		}
		n := min(over, l.num("~reserved"))
		over -= n
		m := l.follow("move_id")
		e.release(l, n)
		e.restate(m)
		e.settle(m.follow("picking_id"))
	}
}

// release gives back n of a move line's reservation; an empty line goes away.
func (e *env) release(l rec, n float64) {
	if storable(l.follow("product_id")) {
		q := e.quantOn(l.ref("product_id"), shelfOf(l))
		q.set(row{"reserved_quantity": roundDigits(q.num("reserved_quantity")-n, 2)})
	}
	left := roundDigits(l.num("~reserved")-n, 2)
	changes := row{"~reserved": left}
	if e.v.pickedFlag {
		changes["~quantity"] = roundDigits(l.num("~quantity")-n, 2)
	}
	l.set(changes)
	if left <= 0 && l.num("~quantity") <= 0 {
		e.unlinkRows(l.m, []int{l.id})
	}
}

// reserve takes free stock below the move's source for what it still lacks,
// oldest stock first.
func (e *env) reserve(m rec) {
	need := m.num("product_uom_qty") - moved(m, "~reserved")
	if e.v.pickedFlag {
		need = m.num("product_uom_qty") - moved(m, "~quantity")
	}
	if need <= 0 {
		e.restate(m)
		return
	}
	product := m.follow("product_id")
	if !storable(product) || m.follow("location_id").str("usage") != "internal" {
		e.addToLine(m, shelf{m.ref("location_id"), 0}, need)
		e.restate(m)
		return
	}
	quants := e.recs("stock.quant", slices.Clone(e.db.table("stock.quant").having("product_id", product.id)))
	slices.SortStableFunc(quants, func(a, b rec) int { return a.at("in_date").Compare(b.at("in_date")) })
	for _, q := range quants {
		free := q.num("quantity") - q.num("reserved_quantity")
		if need <= 0 || free <= 0 || !e.childOf(q.follow("location_id"), m.ref("location_id")) {
			continue
		}
		n := min(free, need)
		need -= n
		q.set(row{"reserved_quantity": q.num("reserved_quantity") + n})
		e.addToLine(m, shelfOf(q), n)
	}
	e.restate(m)
}

func (e *env) addToLine(m rec, on shelf, n float64) {
	for _, l := range m.each("move_line_ids") {
		if shelfOf(l) == on {
			changes := row{"~reserved": l.num("~reserved") + n}
			if e.v.pickedFlag {
				changes["~quantity"] = l.num("~quantity") + n
			}
			l.set(changes)
			return
		}
	}
	typed := 0.0
	if e.v.pickedFlag {
		typed = n
	}
	e.newMoveLine(m, on, n, typed)
}

func (e *env) newMoveLine(m rec, on shelf, reserved, quantity float64) rec {
	return e.rec("stock.move.line", e.insert("stock.move.line", row{
		"move_id": m.id, "product_id": m.get("product_id"), "location_id": on.location, "lot_id": orNil(on.lot), "location_dest_id": m.get("location_dest_id"),
		"picking_id": m.get("picking_id"), "company_id": m.get("company_id"), "~reserved": reserved, "~quantity": quantity,
	}))
}

// moved sums a private quantity over a move's lines.
func moved(m rec, f string) float64 {
	sum := 0.0
	for _, l := range m.each("move_line_ids") {
		sum += l.num(f)
	}
	return roundDigits(sum, 2)
}

func openMove(m rec) bool { s := m.str("state"); return s != "done" && s != "cancel" }

// restate sets an open move's state from what it holds.
func (e *env) restate(m rec) {
	have := moved(m, "~reserved")
	if e.v.pickedFlag {
		have = moved(m, "~quantity")
	}
	state := "confirmed"
	switch {
	case have >= m.num("product_uom_qty")-0.000001:
		state = "assigned"
	case have > 0:
		state = "partially_available"
	}
	if m.str("state") != state {
		m.set(row{"state": state})
	}
}

// newWarehouse makes a warehouse with its locations and operation types.
func (e *env) newWarehouse(company int, code, name string) int {
	if code == "" {
		code = name[:min(5, len(name))]
	}
	view := e.insert("stock.location", row{"name": code, "usage": "view", "company_id": company})
	stock := e.insert("stock.location", row{"name": "Stock", "usage": "internal", "location_id": view, "company_id": company})
	in := e.insert("stock.picking.type", row{
		"name": "Receipts", "code": "incoming", "company_id": company, "sequence_code": "IN", "sequence": 1,
		"default_location_src_id": orNil(e.virtualLocation("supplier")), "default_location_dest_id": stock,
	})
	out := e.insert("stock.picking.type", row{
		"name": "Delivery Orders", "code": "outgoing", "company_id": company, "sequence_code": "OUT", "sequence": 2,
		"default_location_src_id": stock, "default_location_dest_id": orNil(e.virtualLocation("customer")),
	})
	id := e.insert("stock.warehouse", row{
		"name": name, "code": code, "company_id": company, "view_location_id": view, "lot_stock_id": stock,
		"in_type_id": in, "out_type_id": out, "delivery_steps": "ship_only", "reception_steps": "one_step", "sequence": 10,
	})
	for _, t := range []int{in, out} {
		e.rec("stock.picking.type", t).quiet(row{"warehouse_id": id})
	}
	return id
}

func (e *env) virtualLocation(usage string) int {
	return e.first("stock.location", func(l rec) bool { return l.str("usage") == usage }).id
}

// second is a datetime as stored by code that has no microseconds.
func second(t time.Time) time.Time { return t.Truncate(time.Second) }
