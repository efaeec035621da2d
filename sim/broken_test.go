package sim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	odooconn "github.com/crossdockhq/crossdock/connectors/odoo"
	shopifyconn "github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/sim/checker"
)

// TestTheSimulationNamesABrokenHub gives the hub a connector with one fault and
// demands that the checker finds something wrong within the seeds of a usual run.
func TestTheSimulationNamesABrokenHub(t *testing.T) {
	for _, c := range []struct {
		name string
		want string
		from int64 // the seed to begin with: one that has named it before
		odoo func(*odooconn.Connector) connector.Connector
		shop func(*shopifyconn.Shop) connector.Connector
	}{
		{name: "it never hears that an order was deleted", want: "no exception tells a person of it: called off", from: 4, odoo: func(c *odooconn.Connector) connector.Connector { return &unheard{c} }},
		{name: "it reads stock once", want: "was not made and confirmed in Odoo", from: 2, odoo: func(c *odooconn.Connector) connector.Connector { return &once{c} }},
		{name: "it does not cancel and says that it did", want: "is cancelled in its shop and open in Odoo", from: 1, odoo: func(c *odooconn.Connector) connector.Connector { return &idle{c} }},
		{name: "it makes an order anew under another key", want: "sale orders in Odoo", from: 21, odoo: func(c *odooconn.Connector) connector.Connector {
			return &anew{Connector: c, sent: map[crossdock.Ref]int{}}
		}},
		{name: "it takes what it heard last for the newest", want: "nobody planted a cause", from: 12, shop: func(s *shopifyconn.Shop) connector.Connector { return &last{Shop: s} }},
		{name: "it takes a cancellation from a look alone", want: "although the hub had heard at", from: 1, shop: func(s *shopifyconn.Shop) connector.Connector { return &slow{s} }},
		{name: "it acknowledges what it does not keep", want: "was not made and confirmed in Odoo", from: 1, shop: func(s *shopifyconn.Shop) connector.Connector { return &leaky{Shop: s} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := Usual
			p.Wrap = func(conn connector.Connector) connector.Connector {
				switch conn := conn.(type) {
				case *odooconn.Connector:
					if c.odoo != nil {
						return c.odoo(conn)
					}
				case *shopifyconn.Shop:
					if c.shop != nil {
						return c.shop(conn)
					}
				}
				return conn
			}
			for n := range int64(50) {
				r, err := Run(t.Context(), (c.from-1+n)%50+1, p)
				if err != nil {
					t.Fatal(err)
				}
				if i := slices.IndexFunc(r.Wrong, func(w checker.Wrong) bool { return strings.Contains(w.String(), c.want) }); i >= 0 {
					t.Logf("seed %d: %s", r.Seed, r.Wrong[i])
					return
				}
			}
			t.Errorf("in 50 seeds nothing is said of %q", c.want)
		})
	}
}

// unheard leaves out that something is not in Odoo any more.
type unheard struct{ *odooconn.Connector }

func (c *unheard) Translate(m crossdock.Message) (out []crossdock.Statement) {
	for _, s := range c.Connector.Translate(m) {
		if s.Gone = false; s.Said.Kind != "" || s.Fault != nil {
			out = append(out, s)
		}
	}
	return out
}

// once pulls stock once.
type once struct{ *odooconn.Connector }

func (c *once) Pull(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
	if k == crossdock.KindStock && after != "" {
		return connector.Page{Next: after}, nil
	}
	return c.Connector.Pull(ctx, k, after)
}

// idle answers for Odoo that an order is cancelled.
type idle struct{ *odooconn.Connector }

func (c *idle) Push(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt {
	var out []crossdock.Receipt
	for _, p := range batch {
		if p.Want.Text("state") != "cancel" {
			out = append(out, c.Connector.Push(ctx, []crossdock.Push{p})...)
			continue
		}
		holds := crossdock.Record{Kind: crossdock.KindOrder, Form: 1}
		if err := holds.Set("state", crossdock.OrderCancelled); err != nil {
			panic(err)
		}
		out = append(out, crossdock.Receipt{Of: p.Of, Rev: p.Rev, Key: p.Key, Holds: holds})
	}
	return out
}

// anew gives an order that is sent again another external id.
type anew struct {
	*odooconn.Connector
	sent map[crossdock.Ref]int
}

func (c *anew) Push(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt {
	var out []crossdock.Receipt
	for _, p := range batch {
		of := p.Of
		if of.Kind == crossdock.KindOrder && p.Key == "" {
			if c.sent[of]++; c.sent[of] > 1 {
				p.Of.Key += fmt.Sprintf("-%d", c.sent[of])
			}
		}
		r := c.Connector.Push(ctx, []crossdock.Push{p})[0]
		r.Of = of
		out = append(out, r)
	}
	return out
}

// last gives everything it hears a version of its own, each above the one before.
type last struct {
	*shopifyconn.Shop
	heard int
}

func (c *last) Translate(m crossdock.Message) []crossdock.Statement {
	out := c.Shop.Translate(m)
	for i := range out {
		c.heard++
		out[i].Version = fmt.Sprintf("3000-%09d", c.heard)
	}
	return out
}

// slow only names an order of which a webhook says that it is cancelled.
type slow struct{ *shopifyconn.Shop }

func (c *slow) Translate(m crossdock.Message) []crossdock.Statement {
	out := c.Shop.Translate(m)
	for i, s := range out {
		if _, cancelled := s.Said.Fields["cancelled"]; cancelled && m.Asked.IsZero() {
			out[i] = crossdock.Statement{Of: s.Of, Version: s.Version, Says: crossdock.Fields{}}
		}
	}
	return out
}

// leaky drops every fifth webhook and answers that it was filed.
type leaky struct {
	*shopifyconn.Shop
	heard int
}

func (c *leaky) Receive(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
	messages, answer, err := c.Shop.Receive(r)
	if c.heard++; c.heard%5 == 0 {
		messages = nil
	}
	return messages, answer, err
}
