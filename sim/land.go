// Package sim runs a whole hub and the systems around it in one process, on a
// simulated clock, one step at a time. The same seed gives the same run.
package sim

import (
	"fmt"
	"net/http"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
)

// Land is what there is outside before anything happens: warehouses, items and
// stock in Odoo, and what each shop sells.
type Land struct {
	Odoo  Odoo                      `yaml:"odoo"`
	Shops map[crossdock.System]Shop `yaml:"shops"`
}

// Odoo is what a fresh Odoo is given.
type Odoo struct {
	Version    int                          `yaml:"version"` // 16, 18 or 19; 0 is 18
	Currency   string                       `yaml:"currency"`
	Warehouses []Named                      `yaml:"warehouses"`
	Taxes      []Tax                        `yaml:"taxes"`
	Items      []Item                       `yaml:"items"`
	Stock      map[string]map[string]string `yaml:"stock"` // SKU → warehouse → count
}

// Named is a code with a name.
type Named struct {
	Code string `yaml:"code"`
	Name string `yaml:"name"`
}

// Tax is a sales tax of Odoo; Percent is a decimal number.
type Tax struct {
	Name     string `yaml:"name"`
	Percent  string `yaml:"percent"`
	Included bool   `yaml:"included"`
}

// Item is a product of Odoo, and of every shop that lists it.
type Item struct {
	SKU     string   `yaml:"sku"`
	Name    string   `yaml:"name"`
	Price   string   `yaml:"price"`
	Service bool     `yaml:"service"`
	Taxes   []string `yaml:"taxes"` // names
}

// Shop is one Shopify shop.
type Shop struct {
	Currency      string         `yaml:"currency"`
	Zone          string         `yaml:"zone"`
	TaxesIncluded bool           `yaml:"taxes_included"`
	Locations     []Named        `yaml:"locations"`
	Items         []string       `yaml:"items"` // SKUs it sells
	Taxes         []ShopTax      `yaml:"taxes"` // on everything it sells
	Available     map[string]int `yaml:"available"`
}

// ShopTax is a tax as a shop shows it; Rate is a share.
type ShopTax struct {
	Title string `yaml:"title"`
	Rate  string `yaml:"rate"`
}

// ERP is the Odoo side of a world: the stand-in, or a running scratch database. As
// a handler it answers the hub; Calls counts what it was asked so, by
// "model.method". The other methods are what a person does there and sees.
type ERP interface {
	http.Handler
	Calls() map[string]int
	AddWarehouse(code, name string) error
	AddTax(name, percent string, included bool) error
	AddProduct(p odoo.Product) error
	SetStock(sku, warehouse, count string) error
	SetPrice(sku, price string) error
	ConfirmOrder(ref string) error
	CancelOrder(ref string) error
	DeleteOrder(ref string) error
	EditLine(ref, sku, count string) error
	ShipOrder(ref, tracking string) error
	ShipPart(ref, tracking string, counts map[string]string) error
	CancelTransfers(ref string) error
	Match(model string, where map[string]string, fields ...string) ([]map[string]any, error)
}

var _ ERP = (*odoo.Server)(nil)

// furnish gives an Odoo what the land says.
func (o Odoo) furnish(erp ERP) error {
	for _, w := range o.Warehouses {
		if err := erp.AddWarehouse(w.Code, w.Name); err != nil {
			return fmt.Errorf("warehouse %s: %w", w.Code, err)
		}
	}
	for _, t := range o.Taxes {
		if err := erp.AddTax(t.Name, t.Percent, t.Included); err != nil {
			return fmt.Errorf("tax %s: %w", t.Name, err)
		}
	}
	for _, i := range o.Items {
		kind := "goods"
		if i.Service {
			kind = "service"
		}
		if err := erp.AddProduct(odoo.Product{SKU: i.SKU, Name: i.Name, Price: i.Price, Kind: kind, Taxes: i.Taxes}); err != nil {
			return fmt.Errorf("item %s: %w", i.SKU, err)
		}
		for _, w := range o.Warehouses {
			if count, ok := o.Stock[i.SKU][w.Code]; ok {
				if err := erp.SetStock(i.SKU, w.Code, count); err != nil {
					return fmt.Errorf("stock of %s at %s: %w", i.SKU, w.Code, err)
				}
			}
		}
	}
	return nil
}

// furnish gives a shop what the land says.
func (s Shop) furnish(shop *shopify.Server, items []Item) error {
	for _, at := range s.Locations {
		if err := shop.AddLocation(at.Code, at.Name); err != nil {
			return err
		}
	}
	var taxes []shopify.Tax
	for _, t := range s.Taxes {
		taxes = append(taxes, shopify.Tax{Title: t.Title, Rate: t.Rate})
	}
	for _, sku := range s.Items {
		for _, i := range items {
			if i.SKU != sku {
				continue
			}
			if err := shop.AddProduct(shopify.Product{SKU: sku, Title: i.Name, Price: i.Price, Tax: taxes, Untracked: i.Service}); err != nil {
				return err
			}
			for _, at := range s.Locations {
				if count, ok := s.Available[sku+"@"+at.Code]; ok {
					if err := shop.SetAvailable(sku, at.Code, count); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// Clock is a clock that moves only when it is told to.
type Clock struct{ at time.Time }

// Now returns the simulated time.
func (c *Clock) Now() time.Time { return c.at }

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) { c.at = c.at.Add(d) }

// To moves the clock to t, never back.
func (c *Clock) To(t time.Time) {
	if t.After(c.at) {
		c.at = t
	}
}
