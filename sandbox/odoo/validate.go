package odoo

import "slices"

// validate is button_validate: transfers are finished with what was typed, or,
// where nothing was, with what is reserved (16 asks first). What is left over
// asks for a backorder unless the context says skip_backorder, and then becomes
// one unless picking_ids_not_to_backorder names the transfer. An action
// dictionary as answer means that nothing was done.
func validate(e *env, args []any, kw map[string]any) any {
	pickings := e.pickings(args, kw)
	for _, p := range pickings {
		if s := p.str("state"); s == "done" || s == "cancel" {
			notSupported("validating a transfer in state %s", s)
		}
		if allDone(p, 0) && !slices.ContainsFunc(openMoves(p), func(m rec) bool { return moved(m, "~reserved") != 0 }) {
			if e.v.nothingToValidate == "" {
				notSupported("validating a transfer with nothing reserved and nothing typed")
			}
			userError("%s", e.v.nothingToValidate)
		}
		if e.v.immediateTransfer && e.ctx["skip_immediate"] != true && allDone(p, 0) {
			return e.transferWizard("Immediate Transfer?", "stock.immediate.transfer", 859, pickings)
		}
	}
	if e.ctx["skip_backorder"] != true {
		for _, p := range pickings {
			if e.leavesRest(p) {
				return e.transferWizard("Create Backorder?", "stock.backorder.confirmation", e.v.backorderView, pickings)
			}
		}
	}
	without := toIDs(e.ctx["picking_ids_not_to_backorder"])
	for _, p := range pickings {
		e.finish(p, !slices.Contains(without, p.id))
	}
	return true
}

func (e *env) transferWizard(name, model string, view int, pickings []rec) any {
	context := map[string]any{}
	for k, v := range e.ctx {
		context[k] = v
	}
	ids, links := []int{}, []any{}
	for _, p := range pickings {
		ids = append(ids, p.id)
		links = append(links, []any{4, p.id})
	}
	context["button_validate_picking_ids"], context["default_pick_ids"], context["default_show_transfers"] = ids, links, len(ids) > 1
	return map[string]any{
		"name": name, "type": "ir.actions.act_window", "view_mode": "form", "res_model": model,
		"views": []any{[]any{view, "form"}}, "view_id": view, "target": "new", "context": context,
	}
}

// allDone says whether every open move has typed exactly n.
func allDone(p rec, n float64) bool {
	return !slices.ContainsFunc(openMoves(p), func(m rec) bool { return moved(m, "~quantity") != n })
}

// toDeliver is what each open move will deliver when the transfer is finished now.
func (e *env) toDeliver(p rec) map[int]float64 {
	moves := openMoves(p)
	picked := e.v.pickedFlag && slices.ContainsFunc(moves, func(m rec) bool { return m.flag("picked") })
	typed := slices.ContainsFunc(moves, func(m rec) bool { return moved(m, "~quantity") != 0 })
	out := map[int]float64{}
	for _, m := range moves {
		switch {
		case picked && !m.flag("picked"):
		case !e.v.pickedFlag && !typed:
			out[m.id] = moved(m, "~reserved")
		default:
			out[m.id] = moved(m, "~quantity")
		}
	}
	return out
}

func (e *env) leavesRest(p rec) bool {
	deliver := e.toDeliver(p)
	return slices.ContainsFunc(openMoves(p), func(m rec) bool { return deliver[m.id] < m.num("product_uom_qty") })
}

// finish moves the goods of one transfer.
func (e *env) finish(p rec, backorder bool) {
	deliver := e.toDeliver(p)
	moves := openMoves(p)
	if !slices.ContainsFunc(moves, func(m rec) bool { return deliver[m.id] > 0 }) {
		notSupported("validating a transfer with nothing reserved and nothing typed")
	}
	var rest rec
	for _, m := range moves {
		left := roundDigits(m.num("product_uom_qty")-deliver[m.id], 2)
		if left > 0 && backorder && rest.id == 0 {
			rest = e.backorderOf(p)
		}
		switch {
		case deliver[m.id] <= 0 && backorder:
			e.dropLines(m)
			m.set(row{"picking_id": rest.id, "picked": false})
			continue
		case deliver[m.id] <= 0:
			e.dropLines(m)
			m.set(row{"state": "cancel"})
			continue
		case left > 0:
			e.splitRest(m, rest, left)
		}
		e.finishMove(m, deliver[m.id])
	}
	p.set(row{"date_done": e.at()})
	e.settle(p)
	if rest.id != 0 {
		for _, m := range openMoves(rest) {
			e.reserve(m)
		}
		e.settle(rest)
	}
	if o := p.follow("sale_id"); o.id != 0 {
		o.touch()
	}
}

func (e *env) backorderOf(p rec) rec {
	vals := row{"backorder_id": p.id, "state": "confirmed"}
	for _, f := range []string{"origin", "partner_id", "picking_type_id", "location_id", "location_dest_id", "scheduled_date", "sale_id", "company_id", "priority", "move_type", "date_deadline"} {
		vals[f] = p.get(f)
	}
	vals["date"] = second(e.now)
	return e.newPicking(vals)
}

// splitRest makes a move of what is left over, in the backorder or, without
// one, cancelled in the transfer itself.
func (e *env) splitRest(m, rest rec, left float64) {
	vals := row{"product_uom_qty": left, "state": "confirmed", "picked": false, "picking_id": m.get("picking_id")}
	for _, f := range []string{"product_id", "product_uom", "location_id", "location_dest_id", "sale_line_id", "origin", "date", "company_id", "sequence", "date_deadline"} {
		vals[f] = m.get(f)
	}
	if e.v.hasMoveName {
		vals["name"] = m.get("name")
	}
	if rest.id != 0 {
		vals["picking_id"] = rest.id
	} else {
		vals["state"] = "cancel"
	}
	e.insert("stock.move", vals)
	m.set(row{"product_uom_qty": roundDigits(m.num("product_uom_qty")-left, 2)})
}

// finishMove takes the goods from their places, reserved or not, puts them at
// the destination and counts them as delivered on the order line.
func (e *env) finishMove(m rec, done float64) {
	take := map[shelf]float64{}
	var places []shelf
	rest := done
	for _, l := range m.each("move_line_ids") {
		n := min(rest, max(l.num("~reserved"), l.num("~quantity")))
		if on := shelfOf(l); take[on] == 0 {
			places = append(places, on)
		}
		take[shelfOf(l)] += n
		rest -= n
	}
	if len(places) == 0 {
		places = []shelf{{m.ref("location_id"), 0}}
	}
	take[places[0]] += rest
	e.dropLines(m)
	for _, place := range places {
		if take[place] == 0 {
			continue
		}
		e.newMoveLine(m, place, 0, take[place])
		if storable(m.follow("product_id")) {
			from, to := e.quantOn(m.ref("product_id"), place), e.quantOn(m.ref("product_id"), shelf{m.ref("location_dest_id"), place.lot})
			from.set(row{"quantity": roundDigits(from.num("quantity")-take[place], 2)})
			to.set(row{"quantity": roundDigits(to.num("quantity")+take[place], 2)})
			e.takeBack(from)
		}
	}
	changes := row{"state": "done", "date": e.at()}
	if e.v.pickedFlag {
		changes["picked"] = true
	}
	if e.v.doneIsDemand {
		changes["product_uom_qty"] = done
	}
	m.set(changes)
	if l := m.follow("sale_line_id"); l.id != 0 {
		factor := ratio(l.follow(e.v.lineUoM)) / ratio(m.follow("product_id").follow("uom_id"))
		l.set(row{"qty_delivered": roundDigits(l.num("qty_delivered")+done/factor, 2)})
	}
}

// The backorder wizard: create it with the transfers, then process it.
func backorderModel(m *model) {
	m.meta["pick_ids"] = Field{Type: "many2many", Relation: "stock.picking"}
	m.meta["backorder_confirmation_line_ids"] = Field{Type: "char"}
	m.fields("pick_ids")
	m.ignored["backorder_confirmation_line_ids"] = true
	process := func(backorder bool) method {
		return func(e *env, args []any, kw map[string]any) any {
			for _, id := range toIDs(argument(args, 0, kw, "ids")) {
				for _, p := range e.rec(m.name, id).each("pick_ids") {
					e.finish(p, backorder)
				}
			}
			return true
		}
	}
	m.methods["process"] = process(true)
	m.methods["process_cancel_backorder"] = process(false)
}
