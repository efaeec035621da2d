package odoo

import "slices"

// cancelOrders cancels orders and their open transfers; where the version asks
// first, a confirmed order is answered with the wizard and nothing is done.
func cancelOrders(e *env, args []any, kw map[string]any) any {
	orders := e.orders(args, kw)
	for _, r := range orders {
		if e.v.lockedFlag && r.flag("locked") {
			userError("You cannot cancel a locked order. Please unlock it first.")
		}
	}
	for _, r := range orders {
		if e.v.cancelAsks && r.str("state") != "draft" && e.ctx["disable_cancel_warning"] != true {
			return cancelWizard(e, r)
		}
	}
	for _, r := range orders {
		for _, p := range r.each("picking_ids") {
			switch p.str("state") {
			case "done":
			case "cancel":
				p.touch()
			default:
				e.cancelPicking(p)
			}
		}
		setState(r, "cancel")
	}
	return true
}

func cancelWizard(e *env, r rec) any {
	context := map[string]any{
		"default_template_id": 23, "default_order_id": r.id, "mark_so_as_canceled": true,
		"default_email_layout_xmlid": "mail.mail_notification_layout_with_responsible_signature", "model_description": "Sales Order",
	}
	if !e.v.lockedFlag {
		context["default_use_template"] = true
	}
	return map[string]any{
		"name": "Cancel Sales Order", "view_mode": "form", "res_model": "sale.order.cancel", "view_id": 1,
		"type": "ir.actions.act_window", "target": "new", "context": context,
	}
}

func orderInvoiceStatus(e *env, r rec) any {
	if s := r.str("state"); s != "sale" && s != "done" {
		return "no"
	}
	var statuses []string
	for _, l := range r.each("order_line") {
		if l.get("display_type") == nil {
			statuses = append(statuses, l.str("invoice_status"))
		}
	}
	switch {
	case slices.Contains(statuses, "to invoice"):
		return "to invoice"
	case len(statuses) > 0 && !slices.ContainsFunc(statuses, func(s string) bool { return s != "invoiced" }):
		return "invoiced"
	case len(statuses) > 0 && !slices.ContainsFunc(statuses, func(s string) bool { return s != "invoiced" && s != "upselling" }):
		return "upselling"
	}
	return "no"
}

func deliveryStatus(e *env, r rec) any {
	done, open, cancelled := 0, 0, 0
	pickings := r.each("picking_ids")
	for _, p := range pickings {
		switch p.str("state") {
		case "done":
			done++
		case "cancel":
			cancelled++
		default:
			open++
		}
	}
	switch {
	case cancelled == len(pickings):
		return nil
	case open == 0:
		return "full"
	case done == 0:
		return "pending"
	}
	if slices.ContainsFunc(r.each("order_line"), func(l rec) bool { return l.num("qty_delivered") != 0 }) {
		return "partial"
	}
	return "started"
}
