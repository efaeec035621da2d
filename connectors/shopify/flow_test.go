package shopify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/shopify"
	standin "github.com/crossdockhq/crossdock/sandbox/shopify"
)

// hub is what these tests use of the connector.
type hub interface {
	connector.Receiver
	connector.Finder
}

// house is the connector beside a stand-in for the shop, over real HTTP.
type house struct {
	*testing.T
	shop *standin.Server
	hub  hub
	now  time.Time
}

func build(t *testing.T, change func(*standin.Config, *shopify.Config)) *house {
	t.Helper()
	h := &house{T: t, now: time.Date(2026, 11, 2, 18, 0, 0, 0, time.UTC)}
	theirs := standin.Config{Shop: "tea.myshopify.com", Secret: "shpss_1", Token: "shpat_1", Zone: time.FixedZone("PST", -8*60*60), Clock: func() time.Time { return h.now }, Seed: 1, Hook: "/in/shop",
		Topics: []string{"orders/create", "orders/updated", "orders/cancelled"}}
	ours := shopify.Config{Shop: theirs.Shop, Secret: theirs.Secret, Token: theirs.Token}
	if change != nil {
		change(&theirs, &ours)
	}
	h.shop = standin.New(theirs)
	srv := httptest.NewServer(h.shop)
	t.Cleanup(srv.Close)
	ours.URL = srv.URL
	cfg := shopify.Type.Config()
	*cfg.(*shopify.Config) = ours
	c, err := shopify.Type.Open(cfg, connector.Env{System: "shop", Now: func() time.Time { return h.now }})
	if err != nil {
		t.Fatal(err)
	}
	h.hub = c.(hub)
	h.must(h.shop.AddLocation("E", "East"))
	vat := []standin.Tax{{Title: "VAT", Rate: "0.19"}, {Title: "City", Rate: "0.0725"}}
	for _, p := range []standin.Product{{SKU: "TEA", Price: "10.00", Tax: vat}, {SKU: "POT", Title: "Pot", Price: "33.33", Tax: vat[:1]}, {SKU: "LEAF", Price: "0.99"}} {
		h.must(h.shop.AddProduct(p))
		h.must(h.shop.SetAvailable(p.SKU, "E", 1000))
	}
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) buy(b standin.Buy) string {
	h.Helper()
	gid, err := h.shop.Buy(b)
	h.must(err)
	return gid
}

// hear takes in all webhooks that are due and returns the statements of the last,
// by topic.
func (h *house) hear() map[string][]crossdock.Statement {
	h.Helper()
	out := map[string][]crossdock.Statement{}
	for _, d := range h.shop.Deliveries(h.now) {
		r, err := d.Request(context.Background(), "http://hub.example")
		h.must(err)
		ms, answer, err := h.hub.Receive(r)
		h.must(err)
		h.must(h.shop.Delivered(d.ID, answer.Status))
		out[d.Topic] = h.hub.Translate(ms[0])
	}
	return out
}

func (h *house) look(gid string) []crossdock.Statement {
	h.Helper()
	ms, err := h.hub.Find(context.Background(), []crossdock.Ref{{System: "shop", Kind: crossdock.KindOrder, Key: gid}})
	h.must(err)
	return h.hub.Translate(ms[0])
}

// agree holds what a webhook said against a look at the same state.
func (h *house) agree(gid string, heard []crossdock.Statement) crossdock.Order {
	h.Helper()
	found := h.look(gid)
	want := 2
	if test := string(found[len(found)-1].Said.Fields["test"]) == "true"; test {
		want = 1 // it says nothing of its customer
	}
	if len(found) != want || len(heard) != want {
		h.Fatalf("%d statements heard, %d found", len(heard), len(found))
	}
	for i := range found {
		a, err := json.Marshal(heard[i])
		h.must(err)
		b, err := json.Marshal(found[i])
		h.must(err)
		if string(a) != string(b) || found[i].Fault != nil {
			h.Errorf("the webhook says\n%s\nthe look\n%s", a, b)
		}
	}
	var o crossdock.Order
	h.must(found[len(found)-1].Said.Unpack(&o))
	h.addsUp(o)
	return o
}

// addsUp computes an order's sums from its lines and holds them against those the shop states.
func (h *house) addsUp(o crossdock.Order) {
	h.Helper()
	var net, charges, tax crossdock.Money
	plus := func(sum *crossdock.Money, m crossdock.Money) {
		got, err := sum.Plus(m)
		h.must(err)
		*sum = got
	}
	for _, l := range o.Lines {
		plus(&net, l.Net())
		for _, t := range l.Taxes {
			plus(&tax, t.Amount)
		}
	}
	for _, c := range o.Charges {
		plus(&charges, c.Net())
		for _, t := range c.Taxes {
			plus(&tax, t.Amount)
		}
	}
	plus(&net, o.Discount.Negative())
	total := net
	plus(&total, charges)
	if !o.TaxIncluded {
		plus(&total, tax)
	}
	for _, c := range []struct {
		name         string
		made, stated crossdock.Money
	}{{"subtotal", net, o.Totals.Subtotal}, {"charges", charges, o.Totals.Charges}, {"tax", tax, o.Totals.Tax}, {"total", total, o.Totals.Total}} {
		if !c.made.Equal(c.stated) {
			h.Errorf("%s: the lines make %s, the shop states %s", c.name, c.made, c.stated)
		}
	}
}

func purchases() map[string]standin.Buy {
	lines := []standin.Line{{SKU: "TEA", Quantity: 3, Discount: "1.00"}, {SKU: "POT", Quantity: 2}, {SKU: "LEAF", Quantity: 7, Title: "Leaf <1st flush>"}, {SKU: "UNKNOWN", Quantity: 1, Price: "5.55"}}
	ship := standin.Shipping{Title: "Standard", Price: "4.50", Tax: []standin.Tax{{Title: "VAT", Rate: "0.19"}}}
	firm := standin.Ada()
	firm.Company, firm.Email, firm.Shipping = "Lee BV", "Ada@Example.org", standin.Address{First: "Dock", Last: "4", Address1: "Havenweg 9", City: "Rotterdam", Zip: "3011", Country: "Netherlands", CountryCode: "NL"}
	many := make([]standin.Line, 60)
	for i := range many {
		many[i] = standin.Line{SKU: fmt.Sprintf("X%02d", i), Quantity: i + 1, Price: "1.01"}
	}
	return map[string]standin.Buy{
		"plain":           {Lines: lines[:1]},
		"all of it":       {Lines: lines, Shipping: ship, Customer: firm, Note: "Ring twice\nplease", PO: "PO-7", Discount: standin.Discount{Code: "TEN", Percent: "10"}},
		"a guest":         {Lines: lines[1:], Guest: true, Payment: "pending"},
		"a test order":    {Lines: lines[:1], Test: true},
		"many lines":      {Lines: many, Discount: standin.Discount{Amount: "100.00"}},
		"not yet charged": {Lines: lines, Payment: "authorized", Shipping: ship},
	}
}

func TestAWebhookSaysWhatALookFinds(t *testing.T) {
	for _, included := range []bool{false, true} {
		for name, b := range purchases() {
			t.Run(fmt.Sprintf("%s, tax included %v", name, included), func(t *testing.T) {
				h := build(t, func(c *standin.Config, _ *shopify.Config) { c.TaxesIncluded, c.Currency = included, "EUR" })
				gid := h.buy(b)
				o := h.agree(gid, h.hear()["orders/create"])
				if len(o.Lines) != len(b.Lines) || o.TaxIncluded != included || o.Test != b.Test || o.Note != b.Note || o.PurchaseCode != b.PO || o.Cancelled != nil {
					t.Errorf("order %+v", o)
				}
				h.now = h.now.Add(time.Minute)
				if name != "many lines" { // an edit: one TEA or POT fewer, then a new line
					h.must(h.shop.Edit("1001", b.Lines[0].SKU, b.Lines[0].Quantity-1))
					edited := h.agree(gid, h.hear()["orders/updated"])
					if got, want := edited.Lines[0].Quantity.String(), fmt.Sprint(b.Lines[0].Quantity-1); got != want {
						t.Errorf("after the edit %s are wanted, not %s", got, want)
					}
					h.now = h.now.Add(time.Minute)
					h.must(h.shop.Edit("1001", "LEAF", 20))
					h.agree(gid, h.hear()["orders/updated"])
				}
				h.now = h.now.Add(time.Minute)
				h.must(h.shop.Cancel("1001", true))
				heard := h.hear()
				end := h.agree(gid, heard["orders/cancelled"])
				if end.Cancelled == nil || !end.Cancelled.At.Equal(h.now) || end.Cancelled.Reason != "customer" {
					t.Errorf("cancelled %+v", end.Cancelled)
				}
				h.agree(gid, heard["orders/updated"])
			})
		}
	}
}

func TestALookPagesLinesAndFindsWhatIsGone(t *testing.T) {
	h := build(t, nil)
	gid := h.buy(purchases()["many lines"])
	before := h.shop.Calls()["order"]
	sts := h.look(gid)
	if got := h.shop.Calls()["order"] - before; got != 3 {
		t.Errorf("60 lines took %d reads", got)
	}
	var o crossdock.Order
	h.must(sts[1].Said.Unpack(&o))
	if len(o.Lines) != 60 || o.Lines[59].SKU != "X59" {
		t.Errorf("%d lines", len(o.Lines))
	}
	if got := h.look("gid://shopify/Order/999999"); len(got) != 1 || !got[0].Gone {
		t.Errorf("an order the shop doesn't have: %+v", got)
	}
	c, ok := h.hub.(connector.Connector)
	if !ok || c.Ping(context.Background()) != nil {
		t.Error("no answer to a ping")
	}
}

func TestTheShopRefusesAndTheConnectorSaysSo(t *testing.T) {
	h := build(t, func(_ *standin.Config, c *shopify.Config) { c.Token = "shpat_old" })
	gid := h.buy(standin.Buy{Lines: []standin.Line{{SKU: "TEA", Quantity: 1}}})
	if _, err := h.hub.Find(context.Background(), []crossdock.Ref{{System: "shop", Kind: crossdock.KindOrder, Key: gid}}); crossdock.CodeOf(err) != crossdock.Unauthorized {
		t.Errorf("an old token: %v", err)
	}
	h = build(t, func(c *standin.Config, _ *shopify.Config) { c.Restore = 40 })
	gid = h.buy(standin.Buy{Lines: []standin.Line{{SKU: "TEA", Quantity: 1}}})
	var err error
	for range 100 {
		if _, err = h.hub.Find(context.Background(), []crossdock.Ref{{System: "shop", Kind: crossdock.KindOrder, Key: gid}}); err != nil {
			break
		}
	}
	if crossdock.CodeOf(err) != crossdock.Throttled {
		t.Fatalf("an empty bucket: %v", err)
	}
	var w interface{ After() time.Duration }
	if !errors.As(err, &w) {
		t.Fatalf("no wait in %v", err)
	}
	h.now = h.now.Add(w.After())
	if got := h.look(gid); got[len(got)-1].Fault != nil {
		t.Error("after the wait the shop still does not answer")
	}
}

func TestWebhooksOfAnotherSecretAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		ours shopify.Config
		good bool
	}{
		"the secret":          {shopify.Config{Secret: "shpss_1"}, true},
		"the previous secret": {shopify.Config{Secret: "shpss_2", PreviousSecret: "shpss_1"}, true},
		"another secret":      {shopify.Config{Secret: "shpss_2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, func(_ *standin.Config, ours *shopify.Config) {
				ours.Secret, ours.PreviousSecret = c.ours.Secret, c.ours.PreviousSecret
			})
			h.buy(standin.Buy{Lines: []standin.Line{{SKU: "TEA", Quantity: 1}}})
			r, err := h.shop.Deliveries(h.now)[0].Request(context.Background(), "http://hub.example")
			h.must(err)
			_, answer, err := h.hub.Receive(r)
			if c.good && (err != nil || answer.Status != http.StatusOK) {
				t.Error(answer, err)
			}
			if !c.good && (crossdock.CodeOf(err) != crossdock.Unauthorized || strings.Contains(err.Error(), "shpss")) {
				t.Error(err)
			}
		})
	}
}
