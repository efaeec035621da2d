package shopify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/connectors/shopify"
	standin "github.com/crossdockhq/crossdock/sandbox/shopify"
)

// TestConformance holds the connector against what a connector is.
func TestConformance(t *testing.T) {
	connectortest.Exercise(t, connectortest.Subject{Type: shopify.Type, World: outside})
}

const (
	conformToken  = "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"
	conformSecret = "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"
	conformShop   = "tea.myshopify.com"
)

// merchant is who acts in the shop.
type merchant struct {
	*testing.T
	shop   *standin.Server
	number map[string]string // of an order, by its key
	n      int
}

func (m *merchant) did(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *merchant) order(words string) { m.did(m.shop.Order(strings.Fields(words)...)) }

// outside is a shop with an order of two lines and one of sixty in it.
func outside(t *testing.T) *connectortest.World {
	t.Helper()
	var clock atomic.Pointer[time.Time]
	begin := time.Date(2026, 11, 2, 18, 0, 0, 0, time.UTC)
	clock.Store(&begin)
	now := func() time.Time { return *clock.Load() }
	shop := standin.New(standin.Config{Shop: conformShop, Secret: conformSecret, Token: conformToken, Clock: now, Seed: 1, Hook: "/in/outside", Restore: 100_000})
	m := &merchant{T: t, shop: shop, number: map[string]string{}}
	m.did(shop.AddLocation("E", "East"))
	for _, sku := range []string{"TEA", "POT"} {
		m.did(shop.AddProduct(standin.Product{SKU: sku, Price: "10.00", Tax: []standin.Tax{{Title: "VAT", Rate: "0.19"}}}))
		m.did(shop.SetAvailable(sku, "E", 100_000))
	}
	many := make([]standin.Line, 60)
	for i := range many {
		many[i] = standin.Line{SKU: fmt.Sprintf("X%02d", i), Quantity: i + 1, Price: "1.01"}
	}
	small := m.buy(standin.Buy{Lines: []standin.Line{{SKU: "TEA", Quantity: 3, Discount: "1.00"}, {SKU: "POT", Quantity: 2}}, Shipping: standin.Shipping{Title: "Standard", Price: "4.50"}, Note: "Ring twice"})
	long := m.buy(standin.Buy{Lines: many, Guest: true})
	return &connectortest.World{
		Handler: shop, Secrets: []string{conformToken, conformSecret}, Now: now,
		Open: func(url string, env connector.Env) (connector.Connector, error) {
			return shopify.Type.Open(&shopify.Config{Shop: conformShop, URL: url, Token: conformToken, Secret: conformSecret}, env)
		},
		Advance: func(by time.Duration) {
			at := now().Add(by)
			clock.Store(&at)
		},
		Credential: func(good bool) { m.order(map[bool]string{true: "token restore", false: "token revoke"}[good]) },
		Find: func() []crossdock.Ref {
			return []crossdock.Ref{
				{System: connectortest.System, Kind: crossdock.KindOrder, Key: small},
				{System: connectortest.System, Kind: crossdock.KindOrder, Key: long},
			}
		},
		Records:  map[crossdock.Kind]connectortest.Records{crossdock.KindOrder: m.orders()},
		Webhooks: m.webhooks(now()),
	}
}

func (m *merchant) buy(b standin.Buy) string {
	m.Helper()
	key, err := m.shop.Buy(b)
	m.did(err)
	return key
}

// orders are what people do to orders, for a connector that pulls them.
func (m *merchant) orders() connectortest.Records {
	return connectortest.Records{Page: 50,
		Make: func(n int) (keys []string) {
			for range n {
				m.n++
				number := fmt.Sprint(2000 + m.n)
				key := m.buy(standin.Buy{Order: number, Lines: []standin.Line{{SKU: "TEA", Quantity: 1000}}})
				keys = append(keys, key)
				m.number[key] = number
			}
			return keys
		},
		Alter: func(key string) { m.n++; m.did(m.shop.Edit(m.number[key], "TEA", 1000-m.n)) },
		Never: "a test of the stand-in's people has no way to delete an order",
	}
}

// webhooks are what the shop sent of its two orders, and how it signs.
func (m *merchant) webhooks(now time.Time) *connectortest.Webhooks {
	hooks := &connectortest.Webhooks{Header: "X-Shopify-Hmac-Sha256"}
	var like http.Header
	for _, d := range m.shop.Deliveries(now) {
		if d.Topic == "orders/create" {
			hooks.Bodies, like = append(hooks.Bodies, d.Body), d.Header
		}
		m.did(m.shop.Delivered(d.ID, http.StatusOK))
	}
	hooks.Sign = func(body []byte) *http.Request {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://hub.example/in/outside", strings.NewReader(string(body)))
		m.did(err)
		r.Header = like.Clone()
		r.Header.Del("X-Shopify-Order-Id") // else every body would be about the last order
		r.Header.Set(hooks.Header, standin.Sign(conformSecret, body))
		var named struct {
			Key string `json:"admin_graphql_api_id"`
		}
		if json.Unmarshal(body, &named) == nil && named.Key != "" {
			r.Header.Set("X-Shopify-Order-Id", named.Key[strings.LastIndexByte(named.Key, '/')+1:])
		}
		return r
	}
	return hooks
}
