package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/replay"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim"
)

// DemoOptions say what is shown.
type DemoOptions struct {
	Types   []connector.Type
	Orders  int
	Seed    int64
	Started time.Time     // when the program was started
	Say     func(string)  // progress, a line each
	Limit   time.Duration // of the day, until all is at rest
	Store   string        // sqlite or postgres; "": sqlite
	// Database is the address of a PostgreSQL database that lends the demo a schema; "":
	// with store postgres a throw-away server is started.
	Database string
	Log      *slog.Logger
	// Shown is called with what the systems hold in the end. When it returns, the
	// hub and the systems around it end too.
	Shown func(ctx context.Context, s *DemoSummary) error
}

// Demo is a hub at work with the systems around it, all on loopback: production
// engine and store, stand-ins that speak the real protocols.
type Demo struct {
	o    DemoOptions
	dir  string
	cfg  *config.Config
	in   *sim.StandIns
	lent lent
	plan shopify.Plan
	hub  *Hub

	firstOrder time.Time
	done       int // webhooks' events acted out
}

const (
	demoShop = crossdock.System("shop")
	demoOdoo = crossdock.System("odoo")
)

// NewDemo prepares a demo in a temporary directory; Close removes it.
func NewDemo(o DemoOptions) (_ *Demo, err error) {
	d := &Demo{o: o}
	if d.dir, err = os.MkdirTemp("", "crossdock-demo-"); err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "make a temporary directory: %w", err)
	}
	return d, nil
}

// Close removes everything the demo has made.
func (d *Demo) Close() error { return errors.Join(d.lent.giveBack(), os.RemoveAll(d.dir)) }

// demoConfig is the crossdock.yaml of the demo; the address is that of the stand-ins.
const demoConfig = `version: 1
listen: 127.0.0.1:0
data: %s
store: %s
companies:
  US1: { currency: USD, zone: America/Los_Angeles }
connections:
  shop: { type: shopify, company: US1, sites: [E, W], shop: shop.myshopify.com, url: %q, token: "${env:SHOPIFY_TOKEN}", secret: "${env:SHOPIFY_SECRET}" }
  odoo:
    type: odoo
    url: %q
    database: sandbox
    user: hub@example.org
    key: "${env:ODOO_KEY}"
    pull: 5s
    taxes: { "CA State Tax 8%%": "Tax 8%%" }
`

// Config returns the path of the demo's crossdock.yaml, by which the command line
// can ask its hub.
func (d *Demo) Config() string { return filepath.Join(d.dir, config.DefaultName) }

// Run shows the whole day: trade begins, Odoo goes away and comes back, and
// everything comes to rest.
func (d *Demo) Run(ctx context.Context) error {
	if err := d.build(ctx); err != nil {
		return err
	}
	group, inside := errgroup.WithContext(ctx)
	stop := make(chan struct{})
	running, end := context.WithCancel(inside)
	group.Go(func() error { return d.hub.Run(running) })
	group.Go(func() error {
		return d.in.Shops[demoShop].Deliver(running, &http.Client{Timeout: 5 * time.Second}, "http://"+d.hub.Address())
	})
	group.Go(func() error { return d.watch(running, stop) })
	group.Go(func() error {
		defer end()
		s, err := d.show(running)
		close(stop)
		if err != nil {
			return err
		}
		return d.o.Shown(running, s)
	})
	return group.Wait()
}

// show acts the day out and sums up what the systems hold at its end.
func (d *Demo) show(ctx context.Context) (*DemoSummary, error) {
	limited, cancel := context.WithTimeout(ctx, d.o.Limit)
	defer cancel()
	if err := d.day(limited); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, crossdock.Errorf(crossdock.Conflict, "the demo did not come to rest within %s%s", d.o.Limit, d.waitsFor(ctx, time.Time{}))
		}
		return nil, err
	}
	return d.summary(ctx)
}

// build makes the stand-ins, opens their doors on loopback, and opens the hub.
func (d *Demo) build(ctx context.Context) error {
	land, products := demoLand()
	var err error
	if d.plan, err = shopify.Trade(shopify.TradeConfig{
		Seed: d.o.Seed, Orders: d.o.Orders, Products: products, Over: 10 * time.Second, Shipping: "6.95",
		Duplicates: d.o.Orders / 10, Cancellations: d.o.Orders / 20, EarlyCancellations: d.o.Orders / 50, UnknownSKUs: 2, Tests: 2, Discounts: d.o.Orders / 10,
	}); err != nil {
		return err
	}
	stockFor(&land, d.plan.Demand)
	doors := map[crossdock.System]net.Listener{}
	for _, system := range []crossdock.System{demoShop, demoOdoo} {
		if doors[system], err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return crossdock.Errorf(crossdock.Unavailable, "listen on loopback: %w", err)
		}
	}
	at := func(system crossdock.System) string { return "http://" + doors[system].Addr().String() }
	kept, err := d.keep(ctx)
	if err != nil {
		return err
	}
	source := fmt.Sprintf(demoConfig, filepath.Join(d.dir, "data"), kept, at(demoShop), at(demoOdoo))
	secrets := sim.Secrets()
	secrets.File = os.ReadFile
	if d.cfg, err = config.Load("demo", []byte(source), d.o.Types, secrets); err != nil {
		return err
	}
	if _, err := writeNew(d.Config(), source); err != nil {
		return err
	}
	if d.in, err = land.Build(d.cfg, time.Now, d.o.Seed); err != nil {
		return err
	}
	for system, l := range doors {
		s := &http.Server{Handler: d.in.Doors[system], ReadHeaderTimeout: 5 * time.Second}
		go func() { _ = s.Serve(l) }() // ends with the program
	}
	d.hub, err = Open(context.Background(), d.cfg, d.o.Log)
	return err
}

// demoLand is what the demo's company sells, and where it is kept.
func demoLand() (sim.Land, []shopify.Product) {
	land := sim.Land{Odoo: sim.Odoo{
		Currency:   "USD",
		Warehouses: []sim.Named{{Code: "E", Name: "East"}, {Code: "W", Name: "West"}},
		Taxes:      []sim.Tax{{Name: "Tax 8%", Percent: "8"}},
		Stock:      map[string]map[string]string{},
	}}
	shop := sim.Shop{Currency: "USD", Zone: "America/Los_Angeles", Locations: []sim.Named{{Code: "E", Name: "East"}}, Taxes: []sim.ShopTax{{Title: "CA State Tax", Rate: "0.08"}}, Available: map[string]int{}}
	var products []shopify.Product
	for _, p := range []struct{ sku, name, price string }{
		{"TEA-GREEN", "Green tea, 250 g", "12.50"}, {"TEA-BLACK", "Black tea, 250 g", "10.90"}, {"TEA-WHITE", "White tea, 100 g", "19.95"}, {"POT-CLAY", "Clay pot", "34.00"},
		{"POT-GLASS", "Glass pot", "27.49"}, {"CUP-4", "Four cups", "22.00"}, {"FILTER-100", "100 paper filters", "4.25"}, {"SPOON", "Measuring spoon", "3.99"},
	} {
		land.Odoo.Items = append(land.Odoo.Items, sim.Item{SKU: p.sku, Name: p.name, Price: p.price})
		products = append(products, shopify.Product{SKU: p.sku, Title: p.name, Price: p.price, Tax: []shopify.Tax{{Title: "CA State Tax", Rate: "0.08"}}})
		shop.Items = append(shop.Items, p.sku)
	}
	for _, s := range []string{"SHIPPING", "DISCOUNT"} {
		land.Odoo.Items = append(land.Odoo.Items, sim.Item{SKU: s, Name: s, Price: "0", Service: true})
	}
	land.Shops = map[crossdock.System]sim.Shop{demoShop: shop}
	return land, products
}

// stockFor puts as much into the two warehouses as the trade may ask for: nine
// tenths in the first, so that orders compete for it, and the whole in the second.
func stockFor(land *sim.Land, demand map[string]int) {
	shop := land.Shops[demoShop]
	for sku, n := range demand {
		land.Odoo.Stock[sku] = map[string]string{"E": fmt.Sprint(n * 9 / 10), "W": fmt.Sprint(n)}
		shop.Available[sku+"@E"] = 2 * n
	}
}

// day acts the trade out, with Odoo away in the middle of it, and waits until all
// of it has been dealt with.
func (d *Demo) day(ctx context.Context) error {
	if err := d.until(ctx, "what Odoo sells and has in stock", d.knowsStock); err != nil {
		return err
	}
	d.say("Crossdock knows what Odoo sells. %d orders are coming in; Odoo will go away for 3 seconds in between.", len(d.plan.Orders))
	began := time.Now()
	away, back := 4*time.Second, 7*time.Second
	for _, e := range d.plan.Events {
		if err := d.wait(ctx, began.Add(e.After), began, &away, &back); err != nil {
			return err
		}
		if err := d.in.Shops[demoShop].Act(e); err != nil {
			return err
		}
		d.done++
	}
	if err := d.wait(ctx, began.Add(back), began, &away, &back); err != nil {
		return err
	}
	d.say("All %d orders were placed. Waiting until everything has come to rest.", len(d.plan.Orders))
	return d.until(ctx, "everything to come to rest", d.atRest)
}

// wait lets time pass to t; Odoo goes away and comes back when its time has come.
func (d *Demo) wait(ctx context.Context, t, began time.Time, away, back *time.Duration) error {
	for {
		now := time.Since(began)
		order := func(at *time.Duration, word, what string) error {
			if *at <= 0 || now < *at {
				return nil
			}
			*at = -1
			d.say("%s", what)
			return d.in.Doors[demoOdoo].Order(word)
		}
		if err := order(away, "down", "Odoo goes away."); err != nil {
			return err
		}
		if err := order(back, "up", "Odoo is back."); err != nil {
			return err
		}
		left := time.Until(t)
		if left <= 0 {
			return nil
		}
		if err := sleep(ctx, min(left, 50*time.Millisecond)); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// until waits for something to become true.
func (d *Demo) until(ctx context.Context, what string, is func(context.Context) (bool, error)) error {
	for {
		ok, err := is(ctx)
		if ok || err != nil {
			return err
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
	}
}

// knowsStock reports whether the first pull has been decided.
func (d *Demo) knowsStock(ctx context.Context) (bool, error) {
	cursor, err := d.hub.store.Journal().Cursor(ctx, demoOdoo, crossdock.KindStock)
	if err != nil || cursor.At.IsZero() {
		return false, err
	}
	return d.decided(ctx)
}

// decided reports whether the desk has taken everything that was filed.
func (d *Demo) decided(ctx context.Context) (bool, error) {
	pos, err := d.hub.store.Book().Position(ctx)
	if err != nil {
		return false, err
	}
	for _, lane := range crossdock.Lanes {
		last, err := d.hub.store.Journal().Last(ctx, lane)
		if err != nil || pos.Lanes[lane].Number < last {
			return false, err
		}
	}
	return true, nil
}

// atRest reports whether every webhook was delivered and decided and nothing is
// left to do outside.
func (d *Demo) atRest(ctx context.Context) (bool, error) {
	if _, waiting := d.in.Shops[demoShop].Next(); waiting {
		return false, nil
	}
	if ok, err := d.decided(ctx); !ok || err != nil {
		return false, err
	}
	work, err := replay.List(ctx, d.hub.store, "")
	soon := time.Now().Add(time.Minute)
	return !slices.ContainsFunc(work, func(w replay.Work) bool { return w.Do == core.DoPush || w.Due.Before(soon) }), err
}

// watch tells how far things are, once a second, and notes the first order in Odoo.
func (d *Demo) watch(ctx context.Context, stop <-chan struct{}) error {
	began := time.Now()
	for tick := 1; ; tick++ {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return nil
		case <-time.After(50 * time.Millisecond):
		}
		confirmed := len(confirmedOrders(d.in.Odoo))
		if confirmed > 0 && d.firstOrder.IsZero() {
			d.firstOrder = time.Now()
		}
		if tick%20 == 0 {
			d.say("%4.0f s   placed in the shop %3d   confirmed in Odoo %3d%s", time.Since(began).Seconds(), len(d.in.Shops[demoShop].Rows("order")), confirmed, d.waitsFor(ctx, began))
		}
	}
}

// waitsFor names the first thing that is still to do, once the trade is long over.
func (d *Demo) waitsFor(ctx context.Context, began time.Time) string {
	if time.Since(began) < 20*time.Second {
		return ""
	}
	work, err := replay.List(ctx, d.hub.store, "")
	if err != nil || len(work) == 0 {
		return ""
	}
	w := work[0]
	return fmt.Sprintf("   still to do: %d, the oldest: %s %s in %s, %s since %s %s", len(work), w.Do, w.Of.Short(), w.System, w.State, w.Since.UTC().Format(time.TimeOnly), w.Why)
}

func (d *Demo) say(format string, a ...any) { d.o.Say(fmt.Sprintf(format, a...)) }
