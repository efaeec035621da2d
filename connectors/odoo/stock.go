package odoo

import (
	"strings"

	"github.com/crossdockhq/crossdock"
)

// countDigits bounds the decimals kept of a count. Odoo keeps two unless its
// setting "Product Unit of Measure" says more; sums of floats carry dust far
// behind them.
const countDigits = 6

// stockKey names one reading: a product at a warehouse.
func stockKey(product, warehouse string) string { return product + "@" + warehouse }

// translateStock reads one reading: the sums of quantity and reserved_quantity of
// a product's quants below a warehouse's stock location (lot_stock_id). What lies
// elsewhere below the warehouse, a quarantine for instance, can't be reserved by
// orders and does not count (recorded).
func translateStock(r row, m crossdock.Message, s crossdock.Statement) (crossdock.Statement, error) {
	f := &reader{row: r}
	product, warehouse := f.ref("product_id"), f.ref("warehouse_id")
	stock := crossdock.Stock{
		Item:     crossdock.Ref{System: m.From, Kind: crossdock.KindItem, Key: product},
		Site:     crossdock.Ref{System: m.From, Kind: crossdock.KindSite, Key: warehouse},
		OnHand:   crossdock.Quantity{Count: f.num("quantity", countDigits)},
		Reserved: crossdock.Quantity{Count: f.num("reserved_quantity", countDigits)},
	}
	if f.err != nil {
		return s, f.err
	}
	return pack(s, stock)
}

func splitStockKey(key string) (product, warehouse string, ok bool) {
	product, warehouse, ok = strings.Cut(key, "@")
	return product, warehouse, ok && product != "" && warehouse != ""
}
