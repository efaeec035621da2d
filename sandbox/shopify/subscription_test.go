package shopify

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func (w *wire) hooks(name string, vars map[string]any) map[string]any {
	w.t.Helper()
	return w.do(operation(w.t, "HubWebhooks"), name, vars)
}

// subscribeTo makes a subscription and returns its problem and its gid.
func (w *wire) subscribeTo(topic string, sub map[string]any) (problem, id string) {
	w.t.Helper()
	data := w.hooks("HubWebhookCreate", map[string]any{"topic": topic, "sub": sub})
	if problem = problemOf(w.t, data, "webhookSubscriptionCreate"); problem != "" {
		return problem, ""
	}
	return "", at(w.t, data, "webhookSubscriptionCreate", "webhookSubscription", "id").(string)
}

func none(c *Config) { c.Topics = []string{} }

func TestOnlySubscriptionsAreDelivered(t *testing.T) {
	w := serve(t, none)
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	if due := w.drain(200); len(due) != 0 {
		t.Fatalf("nobody subscribed and %v came", toldOf(due))
	}
	w.subscribeTo("ORDERS_CREATE", map[string]any{"uri": "https://hub.example.com/in/a", "name": "hub-orders"})
	w.subscribeTo("ORDERS_CREATE", map[string]any{"uri": "http://127.0.0.1:9/in/b", "includeFields": []any{"id", "admin_graphql_api_id", "updated_at"}})
	w.subscribeTo("ORDERS_CREATE", map[string]any{"uri": "https://hub.example.com/in/c", "filter": "test:true"})
	w.buy(Buy{Order: "2", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	due := w.drain(200)
	if len(due) != 2 {
		t.Fatalf("two subscriptions that want it, and %d deliveries", len(due))
	}
	if due[0].Path != "https://hub.example.com/in/a" || due[0].Header.Get("X-Shopify-Name") != "hub-orders" || due[1].Path != "http://127.0.0.1:9/in/b" {
		t.Errorf("they go to %s (%s) and %s", due[0].Path, due[0].Header.Get("X-Shopify-Name"), due[1].Path)
	}
	if due[0].Webhook == due[1].Webhook || due[0].Header.Get("X-Shopify-Event-Id") != due[1].Header.Get("X-Shopify-Event-Id") {
		t.Error("two deliveries have two webhook ids and one event id")
	}
	if len(decoded(t, due[1])) != 3 || due[1].Header.Get("X-Shopify-Hmac-Sha256") != Sign("shpss_test_secret", due[1].Body) {
		t.Errorf("of three fields came %s", due[1].Body)
	}
	w.buy(Buy{Order: "3", Test: true, Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	if n := len(w.drain(200)); n != 3 {
		t.Errorf("a test order came %d times", n)
	}
}

func TestTheAppsOwnConfigurationIsNotListedAndStays(t *testing.T) {
	w := serve(t, nil)
	if all := at(t, w.hooks("HubWebhooks", nil), "webhookSubscriptions", "nodes").([]any); len(all) != 0 {
		t.Errorf("listed are %v", all)
	}
	w.subscribeTo("ORDERS_CREATE", map[string]any{"uri": "https://hub.example.com/in"})
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	if got := topics(w.drain(200)); got != "orders/create orders/create inventory_levels/update" {
		t.Errorf("came %s", got)
	}
}

func TestAnAddressShopifyWouldRefuse(t *testing.T) {
	w := serve(t, none)
	if problem, _ := w.subscribeTo("ORDERS_UPDATED", map[string]any{"uri": "https://hub.example.com/in"}); problem != "" {
		t.Fatal(problem)
	}
	for _, c := range []struct {
		name string
		sub  map[string]any
		part string
	}{
		{"none", map[string]any{}, "blank"},
		{"http", map[string]any{"uri": "http://hub.example.com/in"}, "http:// is not supported"},
		{"another protocol", map[string]any{"uri": "ftp://hub.example.com/in"}, "ftp:// is not supported"},
		{"no host", map[string]any{"uri": "https:///in"}, "invalid"},
		{"no address", map[string]any{"uri": "hub"}, "invalid"},
		{"a password", map[string]any{"uri": "https://a:b@hub.example.com/in"}, "invalid"},
		{"taken", map[string]any{"uri": "https://hub.example.com/in"}, "already been taken"},
		{"a long name", map[string]any{"uri": "https://hub.example.com/2", "name": strings.Repeat("x", 51)}, "50"},
		{"a bad name", map[string]any{"uri": "https://hub.example.com/2", "name": "my hub"}, "50"},
	} {
		if problem, _ := w.subscribeTo("ORDERS_UPDATED", c.sub); !strings.Contains(problem, c.part) {
			t.Errorf("%s: %q, want %q", c.name, problem, c.part)
		}
	}
	for _, sub := range []map[string]any{{"uri": "arn:aws:events:x"}, {"uri": "pubsub://a:b"}, {"uri": "https://h/2", "format": "XML"}, {"uri": "https://h/2", "filter": "total_price:>5"}} {
		out := w.try(operation(t, "HubWebhooks"), "HubWebhookCreate", map[string]any{"topic": "ORDERS_UPDATED", "sub": sub})
		if code, _ := errorCode(t, out); code != "NOT_IN_STAND_IN" {
			t.Errorf("%v: %v", sub, out)
		}
	}
	if out := w.try(operation(t, "HubWebhooks"), "HubWebhookCreate", map[string]any{"topic": "ORDERS_SHIPPED", "sub": map[string]any{}}); out["errors"] == nil {
		t.Error("a topic Shopify doesn't have was subscribed to")
	}
	if all := at(t, w.hooks("HubWebhooks", nil), "webhookSubscriptions", "nodes").([]any); len(all) != 1 {
		t.Errorf("%d subscriptions", len(all))
	}
}

func TestASubscriptionIsListedMovedAndDeleted(t *testing.T) {
	w := serve(t, none)
	_, id := w.subscribeTo("ORDERS_UPDATED", map[string]any{"uri": "https://hub.example.com/old"})
	w.subscribeTo("ORDERS_CREATE", map[string]any{"uri": "https://hub.example.com/old"})
	list := w.hooks("HubWebhooks", map[string]any{"topics": []any{"ORDERS_UPDATED"}})
	same(t, list, id, "webhookSubscriptions", "nodes", 0, "id")
	same(t, list, "2026-07", "webhookSubscriptions", "nodes", 0, "apiVersion", "handle")
	if n := len(at(t, list, "webhookSubscriptions", "nodes").([]any)); n != 1 {
		t.Errorf("%d subscriptions of one topic", n)
	}
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	w.must(w.Edit("1", "TEA", 2))
	w.drain(500)
	same(t, w.hooks("HubWebhookUpdate", map[string]any{"id": id, "sub": map[string]any{"uri": "https://hub.example.com/new"}}),
		"https://hub.example.com/new", "webhookSubscriptionUpdate", "webhookSubscription", "uri")
	same(t, w.hooks("HubWebhookUpdate", map[string]any{"id": id, "sub": map[string]any{"name": "hub"}}), []any{}, "webhookSubscriptionUpdate", "userErrors")
	w.must(w.Edit("1", "TEA", 1))
	w.now = w.now.Add(time.Minute)
	var to []string
	for _, d := range w.drain(200) {
		to = append(to, fmt.Sprint(d.Topic, " ", d.Path, " ", d.Try))
	}
	if got := strings.Join(to, ", "); got != "orders/updated https://hub.example.com/new 1, orders/create https://hub.example.com/old 2, orders/updated https://hub.example.com/old 2" {
		t.Errorf("after a move: %s", got)
	}
	same(t, w.hooks("HubWebhookDelete", map[string]any{"id": id}), id, "webhookSubscriptionDelete", "deletedWebhookSubscriptionId")
	for _, name := range []string{"HubWebhookDelete", "HubWebhookUpdate"} {
		for mutation, data := range w.hooks(name, map[string]any{"id": id, "sub": map[string]any{}}) {
			if p := problemOf(t, map[string]any{mutation: data}, mutation); !strings.Contains(p, "not exist") {
				t.Errorf("%s of what is gone: %q", name, p)
			}
		}
	}
	w.must(w.Edit("1", "TEA", 3))
	if due := w.drain(200); len(due) != 0 {
		t.Errorf("nobody subscribes and %v came", toldOf(due))
	}
	w.must(w.Order("unsubscribe orders/create"))
	if rows := w.Rows("subscription"); len(rows) != 0 {
		t.Errorf("an outage left %v", rows)
	}
}

// A subscription made over the API ends with a delivery that failed nine times,
// the first and eight retries over four hours; the app's own does not.
func TestASubscriptionEndsWhenNobodyAnswersForFourHours(t *testing.T) {
	for _, own := range []bool{false, true} {
		w := serve(t, func(c *Config) {
			if c.Topics = []string{}; own {
				c.Topics = []string{"orders/create"}
			}
		})
		if !own {
			w.subscribeTo("ORDERS_CREATE", map[string]any{"uri": "https://hub.example.com/in"})
		}
		w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
		began, tries, was := w.now, 0, ""
		for {
			due, ok := w.Next()
			if !ok {
				break
			}
			w.now = due
			if tries == 3 {
				w.buy(Buy{Order: "2", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
				if !own { // this one is lost with the subscription
					was = fmt.Sprint(len(w.Rows("subscription")))
				}
			}
			d := w.Deliveries(w.now)[0]
			if w.must(w.Delivered(d.ID, 503)); d.Header.Get("X-Shopify-Order-Id") == "1" {
				tries++
			}
		}
		if took := w.now.Sub(began); tries != 9 || took < 3*time.Hour+30*time.Minute || took > 4*time.Hour+30*time.Minute {
			t.Errorf("own %v: %d tries over %v", own, tries, took)
		}
		w.buy(Buy{Order: "3", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
		if n := len(w.drain(200)); (n == 1) != own {
			t.Errorf("own %v: afterwards %d came", own, n)
		}
		if !own && (was != "1" || len(w.Rows("subscription")) != 0) {
			t.Errorf("there were %s subscriptions, and are %v", was, w.Rows("subscription"))
		}
		lost, err := w.Match("webhook", map[string]string{"state": "lost"})
		if w.must(err); (len(lost) == 1) == own {
			t.Errorf("own %v: lost are %v", own, lost)
		}
	}
}

// Deliveries that do not differ are dropped when only chosen fields are sent.
func TestAFieldThatNeverChangesHidesWhatChanged(t *testing.T) {
	w := serve(t, none)
	w.subscribeTo("ORDERS_UPDATED", map[string]any{"uri": "https://h/a", "includeFields": []any{"id"}})
	w.subscribeTo("ORDERS_UPDATED", map[string]any{"uri": "https://h/b", "includeFields": []any{"id", "updated_at"}})
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	for n := 2; n < 5; n++ {
		w.now = w.now.Add(time.Second)
		w.must(w.Edit("1", "TEA", n))
	}
	got := map[string]int{}
	for _, d := range w.drain(200) {
		got[d.Path]++
	}
	if got["https://h/a"] != 1 || got["https://h/b"] != 3 {
		t.Errorf("came %v", got)
	}
}

// Deliver posts to the address of the subscription itself.
func TestASubscriptionsAddressIsDeliveredTo(t *testing.T) {
	w := serve(t, none)
	heard := make(chan string, 1)
	hub := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.URL.Path }))
	defer hub.Close()
	w.subscribeTo("ORDERS_CREATE", map[string]any{"uri": hub.URL + "/in/shop"})
	w.buy(Buy{Order: "1", Lines: []Line{{SKU: "TEA", Quantity: 1}}})
	r, err := w.Deliveries(w.now)[0].Request(t.Context(), "http://elsewhere")
	w.must(err)
	resp, err := hub.Client().Do(r)
	w.must(err)
	resp.Body.Close()
	if got := <-heard; got != "/in/shop" {
		t.Errorf("delivered to %s", got)
	}
}
