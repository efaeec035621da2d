package sim

import (
	"fmt"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/sandbox"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
)

// StandIns are the systems around a hub, each behind a door where faults are ordered.
type StandIns struct {
	Odoo  *odoo.Server
	Shops map[crossdock.System]*shopify.Server
	Doors map[crossdock.System]*sandbox.Door
}

// OrderTopics are the webhooks a hub subscribes to.
var OrderTopics = []string{"orders/create", "orders/updated", "orders/cancelled"}

// Build makes the stand-ins of a configuration's connections and gives them what
// the land says. Each shop is <connection>.myshopify.com.
func (l Land) Build(cfg *config.Config, clock func() time.Time, seed int64) (*StandIns, error) {
	in := &StandIns{Shops: map[crossdock.System]*shopify.Server{}, Doors: map[crossdock.System]*sandbox.Door{}}
	for _, c := range cfg.Connections {
		var err error
		switch c.Type.Name {
		case "odoo":
			in.Odoo, err = l.Odoo.build(clock, seed)
			in.Doors[c.System] = sandbox.Wrap(in.Odoo, clock, seed)
		case "shopify":
			in.Shops[c.System], err = l.Shops[c.System].build(c.System, l.Odoo.Items, clock, seed)
			in.Doors[c.System] = sandbox.Wrap(in.Shops[c.System], clock, seed)
		default:
			err = fmt.Errorf("there is no stand-in for the type %q", c.Type.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("stand-in of %s: %w", c.System, err)
		}
	}
	return in, nil
}

func (o Odoo) build(clock func() time.Time, seed int64) (*odoo.Server, error) {
	version := o.Version
	if version == 0 {
		version = 18
	}
	s := odoo.New(odoo.Config{Version: version, Database: Database, User: User, Password: "of a person", Clock: clock, Seed: seed})
	s.AddAPIKey(Password)
	if o.Currency != "" {
		if err := s.RenameCompany("My Company", o.Currency); err != nil {
			return nil, err
		}
	}
	return s, o.furnish(s)
}

func (s Shop) build(system crossdock.System, items []Item, clock func() time.Time, seed int64) (*shopify.Server, error) {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	shop := shopify.New(shopify.Config{Shop: string(system) + ".myshopify.com", Secret: Secret, Token: Token, Currency: s.Currency, Zone: zone,
		TaxesIncluded: s.TaxesIncluded, Clock: clock, Seed: seed, Hook: "/in/" + string(system), Topics: OrderTopics})
	return shop, s.furnish(shop, items)
}
