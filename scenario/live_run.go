package scenario

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/sim"
)

// live makes a world's options those of a run against a live Odoo.
func (s *Scenario) live(ctx context.Context, opts *sim.Options, o Options) error {
	l, err := o.Live(ctx)
	if err != nil {
		return err
	}
	if err := s.fits(l); err != nil {
		return err
	}
	opts.ERP = l
	opts.Config, err = s.configFor(l)
	return err
}

// configFor is the scenario's configuration with its Odoo connections pointed at a
// live database.
func (s *Scenario) configFor(l *Live) (*config.Config, error) {
	all, err := tree(s.source)
	if err != nil {
		return nil, err
	}
	at := map[string]any{}
	for _, c := range s.Config.Connections {
		if c.Type.Name == "odoo" {
			at[string(c.System)] = l.settings()
		}
	}
	src, err := yaml.Marshal(merge(all, map[string]any{"connections": at}))
	if err != nil {
		return nil, err
	}
	secrets := sim.Secrets()
	known := secrets.Env
	secrets.Env = func(name string) (string, bool) {
		if name == "ODOO_KEY" {
			return l.key, true
		}
		return known(name)
	}
	return config.Load(s.origin, src, s.types, secrets)
}

// orderNumber finds the numbers of the orders a scenario makes or speaks of.
var orderNumber = regexp.MustCompile(`^(?:order-|order/|client_order_ref=)(.+)$`)

// fits reports a database in which the scenario can't show anything: one that sells
// in another currency, or where an order of one of its numbers is left from a run
// before.
func (s *Scenario) fits(l *Live) error {
	if cur := s.Land.Odoo.Currency; cur != "" {
		sells, err := l.Match("res.users", map[string]string{"login": l.user, "company_id.currency_id": cur})
		if err != nil {
			return err
		}
		if len(sells) == 0 {
			return crossdock.Errorf(crossdock.Unavailable, "%s: the company of user %s does not sell in %s, as the scenario's does: use a database whose company does", l, l.user, cur)
		}
	}
	numbers := map[string]bool{}
	note := func(words []string) {
		for _, word := range words {
			if m := orderNumber.FindStringSubmatch(word); m != nil {
				numbers[m[1]] = true
			}
		}
	}
	for _, st := range s.Steps {
		note(st.Words)
	}
	for _, x := range s.Expect {
		note(x.Words)
	}
	for _, number := range slices.Sorted(maps.Keys(numbers)) {
		there, err := l.Match("sale.order", map[string]string{"client_order_ref": number})
		if err != nil {
			return fmt.Errorf("is there an order %s already: %w", number, err)
		}
		if len(there) > 0 {
			return crossdock.Errorf(crossdock.Unavailable, "%s already has an order %s: use a fresh scratch database", l, number)
		}
	}
	return nil
}
