// Package odoo is the connector to Odoo 16, 17, 18 and 19, over JSON-2 where the server
// has it and takes the key, else over JSON-RPC: customers
// and their addresses, products, stock, warehouses, taxes, sale orders and their transfers.
//
// What Odoo does and answers is taken from recordings of our own Odoo 16.0, 18.0
// and 19.0 (community) servers; comments that say "recorded" mean those. Trimmed
// copies are in testdata.
//
// Orders and customers are made with load and an external id
// (crossdock.order_<key>, crossdock.party_<key>): of two concurrent or repeated
// loads only one makes a record (recorded with dropped connections: always one).
package odoo

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Type is the connector "odoo". A real Odoo was seen to commit 16 s after its
// client had gone, so what it holds is certain only after Settles.
var Type = connector.Define("odoo", "Orders and customers in; products, stock, taxes, states and shipments out, over Odoo's JSON-2 (19) or JSON-RPC (16 to 19)",
	connector.Options{
		Takes:   []crossdock.Kind{crossdock.KindParty, crossdock.KindOrder},
		Owns:    []crossdock.Kind{crossdock.KindItem, crossdock.KindStock, crossdock.KindSite, crossdock.KindTax, crossdock.KindShipment},
		Settles: 60 * time.Second,
	}, open)

// Config is one connection to one database of an Odoo server.
type Config struct {
	URL          string            `yaml:"url" required:"true" identity:"true" example:"https://odoo.example.com" doc:"Address of the Odoo server, without a path such as /web"`
	Database     string            `yaml:"database" required:"true" identity:"true" example:"production" doc:"Name of the database"`
	User         string            `yaml:"user" required:"true" example:"hub@example.com" doc:"Login of a user of the hub's own, with an e-mail address; rights: Sales / All Documents, Inventory / User, Invoicing / Billing, Contact Creation"`
	Key          string            `yaml:"key" required:"true" secret:"true" doc:"API key of that user (Preferences, Account Security); Odoo lets keys live three months at most"`
	Company      int               `yaml:"company_id" least:"1" most:"2147483647" example:"1" doc:"Database id of the company; left out: the user's default company"`
	Companies    map[string]string `yaml:"companies" example:"{US1: 1, EU1: 4}" doc:"Where the connection serves several companies, in place of company_id: each company of the hub to its database id in Odoo. An order is made in the company of its shop's connection"`
	Taxes        map[string]string `yaml:"taxes" example:"{\"State Tax 8%\": \"8% Sales\"}" doc:"A channel's tax (its title and rate, its title, or its rate) to the name of the sales tax in Odoo; left out, the tax of the same name is taken"`
	Shipping     string            `yaml:"shipping_product" default:"SHIPPING" doc:"Internal reference of the service product that shipping and fees are booked on"`
	Discount     string            `yaml:"discount_product" default:"DISCOUNT" doc:"Internal reference of the service product that discounts are booked on where a percentage can't say them exactly"`
	Pricelists   map[string]string `yaml:"pricelists" example:"{EUR: \"Web EUR\"}" doc:"Currency to the name of the price list that makes an order be in it; needed for every currency that is not the company's"`
	Batch        int               `yaml:"batch" default:"50" least:"1" most:"1000" doc:"Orders made in one call"`
	ConfirmBatch int               `yaml:"confirm_batch" default:"25" least:"1" most:"1000" doc:"Orders confirmed in one call; confirming one costs Odoo about 0.1 s"`
	Overlap      time.Duration     `yaml:"overlap" default:"60s" least:"0s" most:"24h" doc:"How far a pull reads back, because Odoo dates a change by the start of its transaction"`
}

const (
	defaultBatch        = 50
	defaultConfirmBatch = 25
	defaultOverlap      = 60 * time.Second
)

// Validate reports the first thing that can't work.
func (c *Config) Validate() error {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return crossdock.At("url", crossdock.Errorf(crossdock.Invalid, "%q is no address of an Odoo server: write for instance https://odoo.example.com", c.URL))
	}
	for _, f := range []struct{ name, value string }{{"database", c.Database}, {"user", c.User}, {"key", c.Key}} {
		if f.value == "" {
			return crossdock.At(f.name, crossdock.Errorf(crossdock.Invalid, "%s is empty", f.name))
		}
	}
	switch {
	case c.Batch < 0 || c.Batch > 1000:
		return crossdock.At("batch", crossdock.Errorf(crossdock.Invalid, "%d orders in one call: write 1 to 1000", c.Batch))
	case c.ConfirmBatch < 0 || c.ConfirmBatch > 1000:
		return crossdock.At("confirm_batch", crossdock.Errorf(crossdock.Invalid, "%d orders in one call: write 1 to 1000", c.ConfirmBatch))
	case c.Overlap < 0 || c.Overlap > 24*time.Hour:
		return crossdock.At("overlap", crossdock.Errorf(crossdock.Invalid, "%s: write a time up to 24h", c.Overlap))
	}
	return c.checkCompanies()
}

// withDefaults fills what was left out.
func (c Config) withDefaults() Config {
	set := func(s *string, to string) {
		if *s == "" {
			*s = to
		}
	}
	set(&c.Shipping, "SHIPPING")
	set(&c.Discount, "DISCOUNT")
	if c.Batch == 0 {
		c.Batch = defaultBatch
	}
	if c.ConfirmBatch == 0 {
		c.ConfirmBatch = defaultConfirmBatch
	}
	if c.Overlap == 0 {
		c.Overlap = defaultOverlap
	}
	return c
}

// Connector is one connection to Odoo. It is safe for use by several goroutines.
type Connector struct {
	cfg    Config
	system crossdock.System
	now    func() time.Time
	rpc    *client

	mu    sync.Mutex
	found lookups // countries, states, price lists: read once, kept for the connection's life
}

var (
	_ connector.Connector  = (*Connector)(nil)
	_ connector.Translator = (*Connector)(nil)
	_ connector.Puller     = (*Connector)(nil)
	_ connector.Lister     = (*Connector)(nil)
	_ connector.Projector  = (*Connector)(nil)
	_ connector.Pusher     = (*Connector)(nil)
	_ connector.Finder     = (*Connector)(nil)
	_ connector.Toucher    = (*Connector)(nil)
	_ connector.Validator  = (*Config)(nil)
)

func open(cfg Config, env connector.Env) (connector.Connector, error) {
	cfg = cfg.withDefaults()
	now := env.Now
	if now == nil {
		now = time.Now
	}
	return &Connector{
		cfg: cfg, system: env.System, now: now,
		rpc: newClient(strings.TrimRight(cfg.URL, "/"), cfg, env.Transport),
	}, nil
}

// Ping signs in anew and asks who we are, so that a revoked key or a version this
// connector does not speak shows.
func (c *Connector) Ping(ctx context.Context) error {
	c.rpc.forget()
	if _, err := c.rpc.major(ctx); err != nil {
		return err
	}
	return c.rpc.call(ctx, "res.users", "context_get", nil, c.context(nil), nil)
}

// context returns the keyword arguments that hold what a call adds to Odoo's
// context; the companies are added to every call, see client.call.
func (c *Connector) context(add map[string]any) map[string]any {
	ctx := map[string]any{}
	for k, v := range add {
		ctx[k] = v
	}
	return map[string]any{"context": ctx}
}
