package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
	"github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/house"
	"github.com/crossdockhq/crossdock/sandbox"
	shop "github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"
)

const source = `version: 1
listen: 127.0.0.1:0
data: %q
companies:
  US1: { currency: USD, zone: America/Los_Angeles }
connections:
  shop: { type: shopify, company: US1, sites: [E], shop: shop.myshopify.com, token: "${env:SHOPIFY_TOKEN}", secret: "${env:SHOPIFY_SECRET}" }
  odoo: { type: odoo, url: "http://odoo.invalid", database: sandbox, user: hub@example.org, key: "${env:ODOO_KEY}", pull: 1h, taxes: { "CA State Tax 8%%": "Tax 8%%" } }
`

// items is how many different things the measured company sells.
const items = 200

// world is a hub on a real disk, with the stand-ins reached in process.
type world struct {
	*sim.StandIns
	store store.Store
	house *house.House
	conns map[crossdock.System]connector.Connector
}

func newWorld(ctx context.Context, dir string) (_ *world, err error) {
	types := []connector.Type{odoo.Type, shopify.Type}
	cfg, err := config.Load("bench", []byte(fmt.Sprintf(source, filepath.Join(dir, "data"))), types, sim.Secrets())
	if err != nil {
		return nil, err
	}
	w := &world{conns: map[crossdock.System]connector.Connector{}}
	if w.StandIns, err = land().Build(cfg, time.Now, 1); err != nil {
		return nil, err
	}
	if w.store, err = sqlite.Open(cfg.Data, sqlite.Options{}); err != nil {
		return nil, err
	}
	pull := map[crossdock.System]time.Duration{}
	for _, c := range cfg.Connections {
		conn, err := c.Open(connector.Env{Now: time.Now, Transport: w.Doors[c.System].RoundTripper(sandbox.InProcess{Advance: time.Sleep, Timeout: time.Minute})})
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.conns[c.System], pull[c.System] = conn, c.Pull
	}
	w.house = house.New(house.Options{Store: w.store, Setup: cfg.Setup(), Connectors: w.conns, Pull: pull, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err := w.house.Open(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) close() error { return w.store.Close() }

// land sells items of which there is enough for everybody.
func land() sim.Land {
	l := sim.Land{Odoo: sim.Odoo{Currency: "USD", Warehouses: []sim.Named{{Code: "E", Name: "East"}}, Taxes: []sim.Tax{{Name: "Tax 8%", Percent: "8"}}, Stock: map[string]map[string]string{}}}
	s := sim.Shop{Currency: "USD", Zone: "America/Los_Angeles", Locations: []sim.Named{{Code: "E", Name: "East"}}, Taxes: []sim.ShopTax{{Title: "CA State Tax", Rate: "0.08"}}, Available: map[string]int{}}
	for i := range items {
		sku := fmt.Sprintf("SKU-%03d", i)
		l.Odoo.Items = append(l.Odoo.Items, sim.Item{SKU: sku, Name: "Thing " + sku, Price: fmt.Sprintf("%d.50", i+1)})
		l.Odoo.Stock[sku] = map[string]string{"E": "10000000"}
		s.Items = append(s.Items, sku)
		s.Available[sku+"@E"] = 10_000_000
	}
	for _, sku := range []string{"SHIPPING", "DISCOUNT"} {
		l.Odoo.Items = append(l.Odoo.Items, sim.Item{SKU: sku, Name: sku, Price: "0", Service: true})
	}
	l.Shops = map[crossdock.System]sim.Shop{"shop": s}
	return l
}

// learn lets the hub pull what Odoo sells and has, and decide it.
func (w *world) learn(ctx context.Context) error {
	for {
		busy := false
		for _, room := range w.house.Rooms() {
			for {
				did, err := room.Step(ctx)
				if err != nil {
					return err
				}
				if !did {
					break
				}
				busy = true
			}
		}
		if !busy {
			return nil
		}
	}
}

// buy has n orders of some lines placed in the shop, and returns their webhooks.
func (w *world) buy(ctx context.Context, n, lines int) ([]*http.Request, error) {
	var out []*http.Request
	s := w.Shops["shop"]
	for i := range n {
		b := shop.Buy{Shipping: shop.Shipping{Title: "Standard", Price: "6.95"}, Customer: shop.Ada()}
		b.Customer.Email = fmt.Sprintf("customer-%d@example.org", i)
		b.Customer.Billing.Address1 = fmt.Sprintf("%d Orchard Way", i+1)
		for j := range lines {
			b.Lines = append(b.Lines, shop.Line{SKU: fmt.Sprintf("SKU-%03d", (i*7+j*31)%items), Quantity: 1 + j%3})
		}
		if _, err := s.Buy(b); err != nil {
			return nil, err
		}
		for _, d := range s.Deliveries(time.Now().Add(time.Hour)) {
			if d.Topic == "orders/create" {
				r, err := d.Request(ctx, "http://hub")
				if err != nil {
					return nil, err
				}
				out = append(out, r)
			}
			if err := s.Delivered(d.ID, http.StatusOK); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
