package scenario

import (
	"encoding/json"
	"fmt"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
)

// What a person does in a live Odoo, by business names. What is there already is
// taken as it is found, so that a scenario may run in a database that has its world.

// only returns the id of the one record a domain names; 0 where there is none.
func (l *Live) only(model, what string, domain ...any) (int, error) {
	var found []int
	if err := l.call(&found, model, "search", []any{domain}, map[string]any{"limit": 2}); err != nil {
		return 0, err
	}
	switch len(found) {
	case 0:
		return 0, nil
	case 1:
		return found[0], nil
	}
	return 0, fmt.Errorf("%s: there are several %s with %s", l, model, what)
}

// known is only, for what must be there.
func (l *Live) known(model, field, value string, domain ...any) (int, error) {
	what := fmt.Sprintf("%s %q", field, value)
	id, err := l.only(model, what, append(domain, []any{field, "=", value})...)
	if err == nil && id == 0 {
		err = fmt.Errorf("%s: there is no %s with %s", l, model, what)
	}
	return id, err
}

func (l *Live) create(model string, values, context map[string]any) error {
	return l.call(nil, model, "create", []any{values}, map[string]any{"context": context})
}

func (l *Live) write(model string, id int, values map[string]any) error {
	return l.call(nil, model, "write", []any{[]int{id}, values}, nil)
}

func plainNumber(what, text string) (json.Number, error) {
	d, err := crossdock.ParseDecimal(text)
	if err != nil {
		return "", fmt.Errorf("%s %q is no decimal number", what, text)
	}
	return json.Number(d.String()), nil
}

// AddWarehouse makes a warehouse unless there is one with this code.
func (l *Live) AddWarehouse(code, name string) error {
	id, err := l.only("stock.warehouse", "code "+code, []any{"code", "=", code})
	if err != nil || id != 0 {
		return err
	}
	return l.create("stock.warehouse", map[string]any{"code": code, "name": name}, nil)
}

// AddTax makes a percent sales tax unless there is one of this name; that one must
// then say the same.
func (l *Live) AddTax(name, percent string, included bool) error {
	amount, err := plainNumber("percent", percent)
	if err != nil {
		return err
	}
	id, err := l.only("account.tax", "name "+name, []any{"name", "=", name}, []any{"type_tax_use", "=", "sale"})
	if err != nil {
		return err
	}
	if id == 0 {
		values := map[string]any{"name": name, "amount": amount, "amount_type": "percent", "type_tax_use": "sale"}
		if l.version >= 18 {
			values["price_include_override"] = map[bool]string{true: "tax_included", false: "tax_excluded"}[included]
		} else {
			values["price_include"] = included
		}
		return l.create("account.tax", values, nil)
	}
	same, err := l.Match("account.tax", map[string]string{"id": fmt.Sprint(id), "amount": percent, "amount_type": "percent", "price_include": fmt.Sprint(included)})
	if err == nil && len(same) == 0 {
		err = fmt.Errorf("%s: the tax %q that is there is another one than %s percent, included: %v", l, name, percent, included)
	}
	return err
}

// AddProduct makes a product with one variant. One that has this SKU already gets
// the price and the taxes, and must be of the same kind.
func (l *Live) AddProduct(p odoo.Product) error {
	values, err := l.productValues(p)
	if err != nil {
		return err
	}
	id, err := l.only("product.product", "default_code "+p.SKU, []any{"default_code", "=", p.SKU})
	if err != nil {
		return err
	}
	kind := l.productKind(p.Kind == "service")
	if id == 0 {
		for f, v := range kind {
			values[f] = v
		}
		values["name"], values["default_code"] = p.Name, p.SKU
		return l.create("product.product", values, nil)
	}
	where := map[string]string{"id": fmt.Sprint(id)}
	for f, v := range kind {
		where[f] = fmt.Sprint(v)
	}
	same, err := l.Match("product.product", where)
	switch {
	case err != nil:
		return err
	case len(same) == 0:
		return fmt.Errorf("%s: the product %s that is there is of another kind: %v is wanted", l, p.SKU, kind)
	}
	return l.write("product.product", id, values)
}

// productKind says in the version's words whether stock is kept of a product.
func (l *Live) productKind(service bool) map[string]any {
	switch {
	case l.version >= 18 && service:
		return map[string]any{"type": "service"}
	case l.version >= 18:
		return map[string]any{"type": "consu", "is_storable": true}
	case service:
		return map[string]any{"detailed_type": "service"}
	}
	return map[string]any{"detailed_type": "product"}
}

func (l *Live) productValues(p odoo.Product) (map[string]any, error) {
	price, err := plainNumber("price", p.Price)
	if err != nil {
		return nil, err
	}
	values, taxes := map[string]any{"list_price": price}, []int{}
	for _, name := range p.Taxes {
		id, err := l.known("account.tax", "name", name, []any{"type_tax_use", "=", "sale"})
		if err != nil {
			return nil, err
		}
		taxes = append(taxes, id)
	}
	values["taxes_id"] = []any{[]any{6, 0, taxes}}
	if p.UoM != "" {
		if values["uom_id"], err = l.known("uom.uom", "name", p.UoM); err != nil {
			return nil, err
		}
	}
	if p.Barcode != "" {
		values["barcode"] = p.Barcode
	}
	if p.Policy != "" {
		values["invoice_policy"] = p.Policy
	}
	return values, nil
}

// SetStock makes the warehouse with this code hold count of the product, as an
// inventory count does: the field stock.quant.inventory_quantity_auto_apply in the
// context inventory_mode (Odoo 16 to 19).
func (l *Live) SetStock(sku, warehouse, count string) error {
	n, err := plainNumber("count", count)
	if err != nil {
		return err
	}
	product, err := l.known("product.product", "default_code", sku)
	if err != nil {
		return err
	}
	var at []struct {
		Stock []any `json:"lot_stock_id"`
	}
	if err := l.call(&at, "stock.warehouse", "search_read", []any{[]any{[]any{"code", "=", warehouse}}}, map[string]any{"fields": []string{"lot_stock_id"}}); err != nil {
		return err
	}
	if len(at) != 1 || len(at[0].Stock) == 0 {
		return fmt.Errorf("%s: there are %d warehouses with code %q, not one", l, len(at), warehouse)
	}
	return l.create("stock.quant", map[string]any{"product_id": product, "location_id": at[0].Stock[0], "inventory_quantity_auto_apply": n}, map[string]any{"inventory_mode": true})
}

// SetPrice changes a product's list price.
func (l *Live) SetPrice(sku, price string) error {
	n, err := plainNumber("price", price)
	if err != nil {
		return err
	}
	id, err := l.known("product.product", "default_code", sku)
	if err != nil {
		return err
	}
	return l.write("product.product", id, map[string]any{"list_price": n})
}

// order finds the one order with this client_order_ref, or by its own number.
func (l *Live) order(ref string) (int, error) {
	var found []int
	domain := []any{"|", []any{"client_order_ref", "=", ref}, []any{"name", "=", ref}}
	if err := l.call(&found, "sale.order", "search", []any{domain}, nil); err != nil {
		return 0, err
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%s: there are %d orders with reference %q, not one", l, len(found), ref)
	}
	return found[0], nil
}

// onOrder calls a method of sale.order on one order.
func (l *Live) onOrder(ref, method string, context map[string]any) error {
	id, err := l.order(ref)
	if err != nil {
		return err
	}
	return l.call(nil, "sale.order", method, []any{[]int{id}}, map[string]any{"context": context})
}

// ConfirmOrder presses Confirm on the order with this client_order_ref.
func (l *Live) ConfirmOrder(ref string) error { return l.onOrder(ref, "action_confirm", nil) }

// CancelOrder cancels the order and its open transfers, without the dialog that
// would ask whether to mail the customer.
func (l *Live) CancelOrder(ref string) error {
	return l.onOrder(ref, "action_cancel", map[string]any{"disable_cancel_warning": true})
}

// DeleteOrder deletes the order; Odoo refuses unless it is a draft or cancelled.
func (l *Live) DeleteOrder(ref string) error { return l.onOrder(ref, "unlink", nil) }

// EditLine changes the ordered quantity of the product on the order.
func (l *Live) EditLine(ref, sku, count string) error {
	n, err := plainNumber("count", count)
	if err != nil {
		return err
	}
	id, err := l.order(ref)
	if err != nil {
		return err
	}
	var lines []int
	domain := []any{[]any{"order_id", "=", id}, []any{"product_id.default_code", "=", sku}}
	if err := l.call(&lines, "sale.order.line", "search", []any{domain}, map[string]any{"limit": 1}); err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s: order %s has no line of %s", l, ref, sku)
	}
	return l.write("sale.order.line", lines[0], map[string]any{"product_uom_qty": n})
}

// ShipOrder validates the order's open transfers in full: what is not reserved is
// shipped too, and stock falls. tracking, when given, is written on them.
func (l *Live) ShipOrder(ref, tracking string) error {
	open, err := l.openTransfers(ref)
	if err != nil {
		return err
	}
	for _, picking := range open {
		if err := l.ship(picking, tracking, nil); err != nil {
			return err
		}
	}
	return nil
}

// ShipPart validates the order's first open transfer with these counts by SKU; what is
// left becomes a backorder.
func (l *Live) ShipPart(ref, tracking string, counts map[string]string) error {
	ids := map[int]json.Number{}
	for sku, text := range counts {
		n, err := plainNumber("count", text)
		if err != nil {
			return err
		}
		product, err := l.known("product.product", "default_code", sku)
		if err != nil {
			return err
		}
		ids[product] = n
	}
	open, err := l.openTransfers(ref)
	if err != nil {
		return err
	}
	return l.ship(open[0], tracking, ids)
}

// CancelTransfers cancels what of the order's transfers is open.
func (l *Live) CancelTransfers(ref string) error {
	open, err := l.openTransfers(ref)
	if err != nil {
		return err
	}
	return l.call(nil, "stock.picking", "action_cancel", []any{open}, nil)
}

// openTransfers returns those of an order, oldest first; there is one at least.
func (l *Live) openTransfers(ref string) (open []int, err error) {
	id, err := l.order(ref)
	if err != nil {
		return nil, err
	}
	domain := []any{[]any{"sale_id", "=", id}, []any{"state", "not in", []string{"done", "cancel"}}}
	if err := l.call(&open, "stock.picking", "search", []any{domain}, map[string]any{"order": "id"}); err != nil {
		return nil, err
	}
	if len(open) == 0 {
		return nil, fmt.Errorf("%s: order %s has no open transfer", l, ref)
	}
	return open, nil
}

// ship validates a transfer with the counts given by product, nil for all that is
// asked for; the rest becomes a backorder.
func (l *Live) ship(picking int, tracking string, counts map[int]json.Number) error {
	var moves []struct {
		ID      int         `json:"id"`
		Product int         `json:"product_id"`
		Count   json.Number `json:"product_uom_qty"`
	}
	domain := []any{[]any{"picking_id", "=", picking}, []any{"state", "not in", []string{"done", "cancel"}}}
	if err := l.call(&moves, "stock.move", "search_read", []any{domain}, map[string]any{"fields": []string{"product_id", "product_uom_qty"}, "load": ""}); err != nil {
		return err
	}
	for _, m := range moves {
		count, picked := m.Count, true
		if counts != nil {
			if count, picked = counts[m.Product]; !picked {
				count = "0"
			}
		}
		values := map[string]any{"quantity": count, "picked": picked}
		if l.version < 17 {
			values = map[string]any{"quantity_done": count}
		}
		if err := l.write("stock.move", m.ID, values); err != nil {
			return err
		}
	}
	kw := map[string]any{}
	if counts != nil {
		kw["context"] = map[string]any{"skip_sms": true, "skip_backorder": true, "picking_ids_not_to_backorder": []int{}}
	}
	var answer any
	if err := l.call(&answer, "stock.picking", "button_validate", []any{[]int{picking}}, kw); err != nil {
		return err
	}
	if answer != true {
		return fmt.Errorf("%s: transfer %d is not validated, Odoo asks %v", l, picking, answer)
	}
	if tracking == "" {
		return nil
	}
	return l.write("stock.picking", picking, map[string]any{"carrier_tracking_ref": tracking})
}
