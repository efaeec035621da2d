package odoo

import "testing"

// TestKnownFields checks the facts a connector relies on to tell versions apart.
func TestKnownFields(t *testing.T) {
	for _, x := range []struct {
		model, field string
		in           []int
	}{
		{"sale.order.line", "tax_id", []int{16, 18}},
		{"sale.order.line", "tax_ids", []int{19}},
		{"sale.order.line", "product_uom", []int{16, 18}},
		{"sale.order.line", "product_uom_id", []int{19}},
		{"sale.order", "locked", []int{18, 19}},
		{"product.template", "detailed_type", []int{16}},
		{"product.template", "is_storable", []int{18, 19}},
		{"stock.move", "quantity_done", []int{16}},
		{"stock.move", "quantity", []int{18, 19}},
		{"stock.quant", "inventory_quantity_auto_apply", []int{16, 18, 19}},
		{"res.partner", "mobile", []int{16, 18}},
		{"account.payment", "memo", []int{18, 19}},
	} {
		for _, version := range []int{16, 18, 19} {
			_, known := KnownFields(version)[x.model][x.field]
			want := false
			for _, v := range x.in {
				want = want || v == version
			}
			if known != want {
				t.Errorf("%s.%s in Odoo %d: %v, want %v", x.model, x.field, version, known, want)
			}
		}
	}
	for _, version := range []int{16, 18, 19} {
		fields := KnownFields(version)
		order := fields["sale.order"]
		if p := order["partner_id"]; p.Type != "many2one" || p.Relation != "res.partner" || !p.Required || p.Label != "Customer" {
			t.Errorf("Odoo %d: sale.order.partner_id is %+v", version, p)
		}
		if l := order["order_line"]; l.Relation != "sale.order.line" || l.Inverse != "order_id" {
			t.Errorf("Odoo %d: sale.order.order_line is %+v", version, l)
		}
		done := false
		for _, kv := range order["state"].Selection {
			done = done || kv[0] == "done"
		}
		if done != (version == 16) {
			t.Errorf("Odoo %d: state done is %v", version, done)
		}
		delete(fields, "sale.order")
		if KnownFields(version)["sale.order"] == nil {
			t.Errorf("Odoo %d: KnownFields hands out its own map", version)
		}
	}
}

// seenOnly are fields that recordings read and the recorded fields_get lack.
var seenOnly = map[string]string{"stock.move.bom_line_id": "the servers of the recordings stock-* had kits (mrp) installed, those of fields_get had not"}

// TestModelledFieldsExist checks that every field the stand-in models is one
// the real version has.
func TestModelledFieldsExist(t *testing.T) {
	everyVersion(t, func(t *testing.T, version int) {
		known := KnownFields(version)
		for name, m := range buildModels(versions[version]) {
			if known[name] == nil {
				continue // a wizard whose fields are not recorded
			}
			for f := range m.stored {
				if _, ok := known[name][f]; !ok && m.meta[f].Type == "" {
					t.Errorf("%s.%s is stored and does not exist in Odoo %d", name, f, version)
				}
			}
			for f := range m.computed {
				if _, ok := known[name][f]; !ok && seenOnly[name+"."+f] == "" {
					t.Errorf("%s.%s is computed and does not exist in Odoo %d", name, f, version)
				}
			}
		}
	})
}
