package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock/sandbox/shopify"
)

// An edit is on disk and not yet decided when the confirmation of the order as it was
// is due. Whichever of the two comes first, no unit is sold twice (I6).
func TestEditOvertakesConfirmation(t *testing.T) {
	for name, delivered := range map[string]string{"before the attempt": "", "after the attempt": "dispatch odoo"} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			r, err := newRunner(ctx, 1, Plan{Orders: 1, Over: time.Minute}, t.TempDir())
			try(t, err)
			w := r.w
			defer func() { try(t, w.Close()) }()
			w.heard = nil
			try(t, w.Odoo.SetStock("C", "E", "3"))
			try(t, w.Odoo.SetStock("C", "W", "0"))
			try(t, w.Pass(ctx, w.Clock.Now().Add(11*time.Minute)))
			do := func(prefix string) bool {
				for _, work := range w.Works() {
					if strings.HasPrefix(work.Name, prefix) {
						did, err := w.Do(ctx, work)
						try(t, err)
						if did {
							return true
						}
					}
				}
				return false
			}
			buys := func(number string, count int) {
				_, err := w.Shops["shop"].Buy(shopify.Buy{Order: number, Customer: shopify.Ada(), Lines: []shopify.Line{{SKU: "C", Quantity: count}}})
				try(t, err)
			}
			confirmDue := func() bool {
				due, err := w.Store.Book().Due(ctx, "odoo", w.Clock.Now(), 50)
				try(t, err)
				for _, d := range due {
					if d.Want.Text("state") == "sale" {
						return true
					}
				}
				return false
			}
			buys("1001", 2)
			for n := 0; !confirmDue() && n < 100; n++ {
				for do("shop delivers") {
				}
				for do("desk") {
				}
				if !confirmDue() {
					do("dispatch odoo")
					w.Clock.Advance(time.Second)
				}
			}
			if !confirmDue() {
				t.Fatal("no confirmation is due")
			}
			if delivered != "" {
				do(delivered)
			}
			try(t, w.Shops["shop"].Edit("1001", "C", 5))
			w.Clock.Advance(3 * time.Second)
			do("shop delivers") // on disk, acknowledged, not decided
			do("dispatch odoo")
			buys("1002", 3)
			w.Clock.Advance(3 * time.Second)
			for do("shop delivers") {
			}
			try(t, w.Settle(ctx, 48*time.Hour))
			sold := 0.0
			for _, order := range w.Odoo.Rows("sale.order") {
				for _, line := range w.Odoo.Rows("sale.order.line") {
					if n, ok := line["product_uom_qty"].(float64); ok && order["state"] == "sale" && line["order_id"] == order["id"] {
						sold += n
					}
				}
			}
			if sold == 0 || sold > 3 {
				t.Errorf("3 C are on hand and %v are sold", sold)
			}
		})
	}
}
