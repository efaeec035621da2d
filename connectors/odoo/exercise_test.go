package odoo_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/connectors/odoo"
	sandbox "github.com/crossdockhq/crossdock/sandbox/odoo"
)

// TestConformance holds the connector against what a connector is: over JSON-RPC
// with Odoo 18, over JSON-2 with 19.
func TestConformance(t *testing.T) {
	for _, version := range []int{18, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			connectortest.Exercise(t, connectortest.Subject{Type: odoo.Type, World: func(t *testing.T) *connectortest.World { return outside(t, version) }})
		})
	}
}

// hubKey is the API key the connector is given; people use the password.
const hubKey = "c2b9e1f0-the-hubs-own-api-key"

// people act in an Odoo, and know what they made.
type people struct {
	*flow
	n     int
	skus  map[string]string // of a reading of stock or an item, by its key
	refs  map[string]string // client_order_ref of an order, by its key
	buyer crossdock.Ref
}

// fullPage is how many rows one page of a pull holds.
const fullPage = 500

// outside is a stand-in of a version with people who act in it.
func outside(t *testing.T, version int) *connectortest.World {
	t.Helper()
	var clock atomic.Pointer[time.Time]
	begin := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	clock.Store(&begin)
	now := func() time.Time { return *clock.Load() }
	s := standIn(t, version, now)
	s.AddAPIKey(hubKey)
	checked := strict(t, version, s)
	h := httptest.NewServer(checked)
	t.Cleanup(h.Close)
	p := &people{flow: start(t, server{version: version, url: h.URL, database: "hub", user: "hub@example.com", password: "secret", stand: s}), skus: map[string]string{}, refs: map[string]string{}}
	p.buyer = p.customer()
	first := p.drafts("first", 1, p.buyer)[0]
	w := &connectortest.World{
		Handler: checked, Secrets: []string{hubKey}, Now: now,
		Open: func(url string, env connector.Env) (connector.Connector, error) {
			return odoo.Type.Open(&odoo.Config{URL: url, Database: "hub", User: "hub@example.com", Key: hubKey, Shipping: "SHIP"}, env)
		},
		Advance: func(by time.Duration) {
			at := now().Add(by)
			clock.Store(&at)
		},
		Credential: func(good bool) {
			if good {
				s.AddAPIKey(hubKey)
			} else {
				s.RevokeAPIKey(hubKey)
			}
		},
		Records: map[crossdock.Kind]connectortest.Records{
			crossdock.KindSite: p.sites(), crossdock.KindTax: p.taxes(), crossdock.KindItem: p.items(), crossdock.KindStock: p.stocks(), crossdock.KindOrder: p.orders(), crossdock.KindShipment: p.shipments(),
		},
		Writes: p.writes(),
		Find: func() []crossdock.Ref {
			tea, site := p.keys[p.item("TEA")], p.keys[p.names["site:E"][0]]
			of := func(k crossdock.Kind, key string) crossdock.Ref {
				return crossdock.Ref{System: connectortest.System, Kind: k, Key: key}
			}
			return []crossdock.Ref{
				of(crossdock.KindItem, tea), of(crossdock.KindSite, site), of(crossdock.KindStock, tea+"@"+site), of(crossdock.KindTax, p.keys[p.names["tax:Tax 8%"][0]]),
				of(crossdock.KindParty, p.keys[p.buyer]), of(crossdock.KindOrder, p.view(first).Key), p.buyer, first,
				of(crossdock.KindShipment, p.shipments().Make(1)[0]),
			}
		},
	}
	w.Projections = []connectortest.Projection{
		p.projection(crossdock.BookRef(crossdock.KindParty, "new"), ada("5")), p.projection(p.buyer, ada("6")),
		p.projection(crossdock.BookRef(crossdock.KindOrder, "new"), p.order("new", p.buyer)), p.projection(first, p.order(first.Key, p.buyer)),
	}
	return w
}

func ada(phone string) crossdock.Party {
	return crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Phone: phone, Address: crossdock.Address{Street: "1 Main St", City: "Lexington", Zip: "40502", Country: "US", Region: "KY"}}
}

func (p *people) projection(of crossdock.Ref, form crossdock.Form) connectortest.Projection {
	r, err := crossdock.Pack(form)
	p.did(err)
	return connectortest.Projection{Record: r, View: *p.view(of), Known: p}
}

func (p *people) did(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// matching returns the ids of the records of a model whose field has a value.
func (p *people) matching(model, field, value string) []string {
	p.t.Helper()
	rows, err := p.s.stand.Match(model, map[string]string{field: value})
	p.did(err)
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = fmt.Sprint(r["id"])
	}
	return out
}

// made makes n records by business name and returns their ids.
func (p *people) made(n int, model, field string, make1 func(name string) error) (keys []string) {
	p.t.Helper()
	from := p.n
	for range n {
		p.n++
		p.did(make1(fmt.Sprintf("N%05d", p.n)))
	}
	rows, err := p.s.stand.Match(model, nil)
	p.did(err)
	ids := map[string]string{}
	for _, r := range rows {
		ids[fmt.Sprint(r[field])] = fmt.Sprint(r["id"])
	}
	for i := from + 1; i <= p.n; i++ {
		name := fmt.Sprintf("N%05d", i)
		keys = append(keys, ids[name])
		p.skus[ids[name]] = name
	}
	return keys
}

// by hand returns what a person does to a record through Odoo's own pages.
func (p *people) byHand(model, method string, values ...any) func(string) {
	return func(key string) {
		p.rpc(model, method, append([]any{[]any{json.Number(key)}}, values...), nil)
	}
}

func (p *people) sites() connectortest.Records {
	return connectortest.Records{Page: fullPage,
		Make: func(n int) []string {
			return p.made(n, "stock.warehouse", "code", func(name string) error { return p.s.stand.AddWarehouse(name, name) })
		},
		Alter: p.byHand("stock.warehouse", "write", map[string]any{"name": "Another name"}),
		Never: "a warehouse that was used is archived",
	}
}

func (p *people) taxes() connectortest.Records {
	return connectortest.Records{Page: fullPage,
		Make: func(n int) []string {
			return p.made(n, "account.tax", "name", func(name string) error { return p.s.stand.AddTax(name, "7", false) })
		},
		Alter:  p.byHand("account.tax", "write", map[string]any{"amount": 9}),
		Delete: p.byHand("account.tax", "unlink"),
	}
}

func (p *people) newProduct(name string) error {
	return p.s.stand.AddProduct(sandbox.Product{SKU: name, Name: name, Price: "1"})
}

func (p *people) items() connectortest.Records {
	return connectortest.Records{Page: fullPage,
		Make:   func(n int) []string { return p.made(n, "product.product", "default_code", p.newProduct) },
		Alter:  func(key string) { p.n++; p.did(p.s.stand.SetPrice(p.skus[key], fmt.Sprint(p.n))) },
		Delete: p.byHand("product.product", "unlink"),
	}
}

func (p *people) stocks() connectortest.Records {
	site := p.keys[p.names["site:E"][0]]
	return connectortest.Records{Page: fullPage,
		Make: func(n int) (keys []string) {
			for _, id := range p.items().Make(n) {
				p.did(p.s.stand.SetStock(p.skus[id], "E", "4"))
				keys = append(keys, id+"@"+site)
				p.skus[id+"@"+site] = p.skus[id]
			}
			return keys
		},
		Alter: func(key string) { p.n++; p.did(p.s.stand.SetStock(p.skus[key], "E", fmt.Sprint(p.n))) },
		Never: "a reading whose goods are gone reads zero",
	}
}

func (p *people) orders() connectortest.Records {
	return connectortest.Records{Page: fullPage,
		Make: func(n int) (keys []string) {
			p.n++
			for _, of := range p.drafts(fmt.Sprintf("many%d-", p.n), n, p.buyer) {
				key := p.view(of).Key
				keys = append(keys, key)
				p.refs[key] = of.Key
			}
			return keys
		},
		Alter:  func(key string) { p.n++; p.did(p.s.stand.EditPrice(p.refs[key], "TEA", fmt.Sprint(p.n))) },
		Delete: p.byHand("sale.order", "unlink"),
	}
}

// shipments are the transfers to the customer that Odoo makes of confirmed orders.
func (p *people) shipments() connectortest.Records {
	return connectortest.Records{Page: fullPage,
		Make: func(n int) (keys []string) {
			for _, order := range p.orders().Make(n) {
				p.did(p.s.stand.ConfirmOrder(p.refs[order]))
				keys = append(keys, p.matching("stock.picking", "sale_id.client_order_ref", p.refs[order])...)
			}
			return keys
		},
		Alter: func(key string) {
			p.n++
			p.byHand("stock.picking", "write", map[string]any{"carrier_tracking_ref": fmt.Sprintf("1Z%d", p.n)})(key)
		},
		Never: "a transfer of a confirmed order is cancelled, not deleted",
	}
}

// writes are the pushes the connector knows.
func (p *people) writes() []connectortest.Write {
	nobody := func(field string) func(crossdock.Push) crossdock.Push {
		return func(b crossdock.Push) crossdock.Push {
			b.Want = b.Want.Clone()
			b.Want.Fields[field] = json.RawMessage(`"99999999"`)
			return b
		}
	}
	gone := func(b crossdock.Push) crossdock.Push {
		b.Key = "99999999"
		return b
	}
	ordersIn := func(state string) func(crossdock.Push) int {
		return func(b crossdock.Push) int {
			rows, err := p.s.stand.Match("sale.order", map[string]string{"client_order_ref": b.Of.Key, "state": state})
			p.did(err)
			return len(rows)
		}
	}
	return []connectortest.Write{
		{Name: "making a customer", Kind: crossdock.KindParty, Poison: nobody("parent_id"), Push: p.many(crossdock.KindParty, p.newParty),
			Effects: func(b crossdock.Push) int { return len(p.matching("res.partner", "ref", b.Want.Text("ref"))) }},
		{Name: "changing a customer", Kind: crossdock.KindParty, Poison: gone, Push: p.many(crossdock.KindParty, p.changedParty),
			Effects: func(b crossdock.Push) int { return len(p.matching("res.partner", "phone", b.Want.Text("phone"))) }},
		{Name: "making an order", Kind: crossdock.KindOrder, Poison: nobody("partner_id"), Push: p.many(crossdock.KindOrder, p.newOrder),
			Effects: func(b crossdock.Push) int { return len(p.matching("sale.order", "client_order_ref", b.Of.Key)) }},
		{Name: "confirming an order", Kind: crossdock.KindOrder, Poison: gone, Push: p.many(crossdock.KindOrder, p.next(crossdock.OrderPromised)),
			Effects: func(b crossdock.Push) int {
				if ordersIn("sale")(b) == 0 {
					return 0
				}
				return len(p.matching("stock.picking", "sale_id.client_order_ref", b.Of.Key))
			}},
		{Name: "cancelling an order", Kind: crossdock.KindOrder, Poison: gone, Push: p.many(crossdock.KindOrder, p.next(crossdock.OrderCancelled)), Effects: ordersIn("cancel")},
	}
}

// many makes n pushes of new records.
func (p *people) many(k crossdock.Kind, one func(of crossdock.Ref) crossdock.Form) func(int) []crossdock.Push {
	return func(n int) (out []crossdock.Push) {
		p.t.Helper()
		for range n {
			p.n++
			of := crossdock.BookRef(k, fmt.Sprintf("X%d-%s", p.n, p.run))
			w := p.want(of, one(of))
			if len(w.Waits) > 0 || w.Record.IsZero() {
				p.t.Fatalf("%s: wanted %+v", of, w)
			}
			out = append(out, crossdock.Push{Of: of, Rev: 2, Want: w.Record, Key: p.view(of).Key, Door: w.Door})
		}
		return out
	}
}

func (p *people) newParty(crossdock.Ref) crossdock.Form { return ada("5") }

func (p *people) changedParty(of crossdock.Ref) crossdock.Form {
	p.true(of, ada("5"))
	return ada(fmt.Sprintf("+1555%06d", p.n))
}

func (p *people) newOrder(of crossdock.Ref) crossdock.Form { return p.order(of.Key, p.buyer) }

// next makes the draft of an order and returns what comes after it.
func (p *people) next(state crossdock.OrderState) func(crossdock.Ref) crossdock.Form {
	return func(of crossdock.Ref) crossdock.Form {
		o := p.order(of.Key, p.buyer)
		w := p.want(of, o)
		if r := p.flow.push(crossdock.Push{Of: of, Rev: 1, Want: w.Record, Door: w.Door})[0]; r.Code != crossdock.OK {
			p.t.Fatalf("%s: %s %s", of, r.Code, r.Text)
		}
		o.State = state
		return o
	}
}
