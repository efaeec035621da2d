package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// rich is a purchase with everything a body can hold.
func rich(number string) Buy {
	return Buy{Order: number, Lines: []Line{{SKU: "TEA", Quantity: 3, Discount: "1.00"}, {SKU: "CUP", Quantity: 1}, {SKU: "GHOST", Quantity: 2, Price: "1.99"}},
		Discount: Discount{Code: "WELCOME10", Percent: "10"}, Shipping: Shipping{Price: "4.50", Tax: []Tax{{"CA State Tax", "0.08"}}},
		Note: "ring <twice> & wait", PO: "PO-1", Tags: []string{"a", "b"}}
}

func published(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/schema/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func valid(t *testing.T, schema *jsonschema.Schema, body []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%v\n%s", err, body)
	}
}

func TestBodiesAreValidByShopifysSchemas(t *testing.T) {
	orders, levels := published(t, "order"), published(t, "inventory_level")
	for _, payment := range []string{"authorized", "pending"} {
		s := open(t, nil)
		b := rich("1002")
		b.Payment = payment
		s.buy(b)
		s.must(s.Edit("1002", "CUP", 3))
		s.must(s.Cancel("1002", true))
		topics := map[string]int{}
		for _, d := range s.drain(200) {
			topics[d.Topic]++
			if d.Topic == "inventory_levels/update" {
				valid(t, levels, d.Body)
			} else {
				valid(t, orders, d.Body)
			}
		}
		if topics["orders/create"] != 1 || topics["orders/updated"] != 2 || topics["orders/cancelled"] != 1 || topics["inventory_levels/update"] < 4 {
			t.Errorf("%s: topics were %v", payment, topics)
		}
	}
}

// The published schema was made from a sample without refunds and allows none;
// the rest of a refunded order must be valid all the same.
func TestARefundedBodyIsValidButForItsRefund(t *testing.T) {
	s := open(t, nil)
	s.buy(rich("1"))
	s.must(s.Cancel("1", true))
	for _, d := range s.drain(200) {
		if d.Topic != "orders/cancelled" {
			continue
		}
		b := decoded(t, d)
		same(t, b, "refunded", "financial_status")
		same(t, b, 3, "refunds", 0, "refund_line_items", 0, "quantity")
		same(t, b, "cancel", "refunds", 0, "refund_line_items", 0, "restock_type")
		same(t, b, at(t, b, "total_price"), "refunds", 0, "transactions", 0, "amount")
		if _, ok := at(t, b, "refunds", 0, "refund_line_items", 0, "subtotal").(json.Number); !ok {
			t.Error("a refund line's subtotal is a JSON number in Shopify")
		}
		b["refunds"] = []any{}
		raw, err := json.Marshal(b)
		s.must(err)
		valid(t, published(t, "order"), raw)
	}
}

func TestBodiesHaveEveryFieldOfShopifysSample(t *testing.T) {
	s := open(t, nil)
	s.buy(rich("1002"))
	for _, d := range s.drain(200) {
		name := map[string]string{"orders/create": "order", "inventory_levels/update": "inventory_level"}[d.Topic]
		raw, err := os.ReadFile("testdata/sample/" + name + ".json")
		s.must(err)
		var sample any
		s.must(json.Unmarshal(raw, &sample))
		fieldsOf(t, d.Topic, sample, decoded(t, d))
	}
}

// fieldsOf checks that got has all members of the sample, at every depth.
func fieldsOf(t *testing.T, path string, sample, got any) {
	t.Helper()
	switch sample := sample.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is %v, an object in the sample", path, got)
			return
		}
		for name, v := range sample {
			if _, ok := m[name]; !ok {
				t.Errorf("%s has no %s", path, name)
				continue
			}
			fieldsOf(t, path+"."+name, v, m[name])
		}
	case []any:
		l, ok := got.([]any)
		if ok && len(sample) > 0 && len(l) > 0 {
			fieldsOf(t, path+"[]", sample[0], l[0])
		} else if !ok {
			t.Errorf("%s is no list", path)
		}
	}
}

func TestABodySaysWhatHappened(t *testing.T) {
	s := open(t, nil)
	s.buy(rich("1002"))
	b := decoded(t, s.drain(200)[0])
	same(t, b, 1002, "id")
	same(t, b, "gid://shopify/Order/1002", "admin_graphql_api_id")
	same(t, b, "#1002", "name")
	same(t, b, "2026-11-02T10:00:00-08:00", "created_at")
	same(t, b, "a, b", "tags")
	same(t, b, false, "line_items", 2, "product_exists")
	same(t, b, nil, "line_items", 2, "variant_id")
	same(t, b, "1.00", "line_items", 0, "total_discount")
	same(t, b, 1, "line_items", 0, "discount_allocations", 1, "discount_application_index")
	same(t, b, "ada@example.org", "customer", "email")
	id := at(t, b, "line_items", 0, "id").(json.Number).String()
	if len(id) < 16 || at(t, b, "line_items", 0, "admin_graphql_api_id") != "gid://shopify/LineItem/"+id {
		t.Errorf("the line's id is %s", id)
	}
	if n, _ := at(t, b, "line_items", 0, "id").(json.Number).Float64(); fmt.Sprintf("%.0f", n) == id {
		t.Errorf("the id %s survives a float", id)
	}
	if !bytes.Contains(s.hooks[0].body, []byte("ring <twice> & wait")) {
		t.Error("the body escapes what Shopify doesn't")
	}
}

func TestHeadersAndSignature(t *testing.T) {
	if got := Sign("shpss_test_secret", []byte(`{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508","updated_at":"2026-11-23T07:44:09-05:00"}`)); got != "nQse3CDUsB3t6d19p5PsSPePGnTNCrVqCPHUNiNuByM=" {
		t.Errorf("the test vector signs as %s", got)
	}
	s := open(t, nil)
	s.buy(Buy{Order: "1002", Lines: []Line{{SKU: "TEA", Quantity: 1}, {SKU: "CUP", Quantity: 1}}})
	due := s.drain(200)
	if len(due) != 3 || due[0].Topic != "orders/create" {
		t.Fatalf("%d deliveries", len(due))
	}
	h := due[0].Header
	for name, want := range map[string]string{"X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": "tea.myshopify.com",
		"X-Shopify-API-Version": "2026-07", "X-Shopify-Order-Id": "1002", "X-Shopify-Triggered-At": "2026-11-02T18:00:00Z",
		"X-Shopify-Hmac-Sha256": Sign("shpss_test_secret", due[0].Body), "Content-Type": "application/json"} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	for _, d := range due[1:] {
		if d.Header.Get("X-Shopify-Event-Id") != h.Get("X-Shopify-Event-Id") {
			t.Error("webhooks of one action have different event ids")
		}
		if d.Webhook == due[0].Webhook || d.Webhook == "" {
			t.Error("two webhooks share a webhook id")
		}
		if d.Header.Get("X-Shopify-Order-Id") != "" {
			t.Error("an inventory webhook names an order")
		}
	}
}

func TestAFailedDeliveryIsRetriedWithTheBodyOfOldForFourHours(t *testing.T) {
	s := open(t, func(c *Config) { c.Topics = []string{"orders/create", "orders/updated"} })
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	first := s.Deliveries(s.now)[0]
	began := s.now
	for try := 1; ; try++ {
		due := s.Deliveries(s.now)
		if len(due) != 1 || due[0].Try != try || !bytes.Equal(due[0].Body, first.Body) || due[0].Webhook != first.Webhook {
			t.Fatalf("try %d: %+v", try, due)
		}
		s.must(s.Delivered(due[0].ID, []int{503, 0, 301}[try%3]))
		if try == 1 {
			s.must(s.Edit("1", "CUP", 2)) // the retry still says 1
			s.drain(200)
		}
		next, ok := s.Next()
		if !ok {
			if try != 9 || s.now.Sub(began) != 4*time.Hour {
				t.Errorf("gave up after %d tries and %v", try, s.now.Sub(began))
			}
			break
		}
		if len(s.Deliveries(s.now)) != 0 {
			t.Fatalf("try %d is due at once", try+1)
		}
		s.now = next
	}
	rows, err := s.Match("webhook", map[string]string{"topic": "orders/create", "state": "failed", "tries": "9"})
	if err != nil || len(rows) != 1 {
		t.Errorf("%v %v", rows, err)
	}
	if err := s.Delivered(first.ID, 200); err == nil {
		t.Error("a delivery that was given up was delivered")
	}
	if err := s.Delivered("d99", 200); err == nil {
		t.Error("a delivery there never was was delivered")
	}
}

func topics(due []Delivery) string {
	var out []string
	for _, d := range due {
		out = append(out, d.Topic)
	}
	return strings.Join(out, " ")
}

func TestWebhookFaults(t *testing.T) {
	s := open(t, func(c *Config) { c.Topics = []string{"orders/create", "orders/updated", "orders/cancelled"} })
	buy := func(n string) { s.buy(Buy{Order: n, Lines: []Line{{SKU: "CUP", Quantity: 1}}}) }

	s.must(s.Order("lose", "next"))
	buy("1")
	buy("2")
	if due := s.drain(200); len(due) != 1 || due[0].Header.Get("X-Shopify-Order-Id") != "2" {
		t.Errorf("after a lost one: %v", topics(due))
	}
	if rows, _ := s.Match("webhook", map[string]string{"state": "lost"}); len(rows) != 1 {
		t.Errorf("lost: %v", rows)
	}

	s.must(s.Order("duplicate next 1 times 3 orders/cancelled"))
	s.must(s.Cancel("1", true))
	due := s.drain(200)
	if topics(due) != "orders/cancelled orders/cancelled orders/cancelled orders/updated" {
		t.Errorf("thrice: %s", topics(due))
	}
	if due[0].Webhook != due[2].Webhook || due[0].ID == due[2].ID || !bytes.Equal(due[0].Body, due[2].Body) {
		t.Error("repetitions differ in webhook id or body, or share a delivery")
	}

	s.must(s.Order("duplicate next after 30s"))
	buy("3")
	if now := s.drain(200); len(now) != 1 {
		t.Errorf("apart: %s at once", topics(now))
	}
	s.now = s.now.Add(30 * time.Second)
	if later := s.drain(200); len(later) != 1 || later[0].Header.Get("X-Shopify-Order-Id") != "3" {
		t.Errorf("apart: %s later", topics(later))
	}

	s.must(s.Order("delay next after 10s orders/create"))
	buy("4")
	s.must(s.Cancel("4", true))
	if got := topics(s.drain(200)); got != "orders/cancelled orders/updated" {
		t.Errorf("delayed: %s", got)
	}
	s.now = s.now.Add(10 * time.Second)
	late := s.drain(200)
	if topics(late) != "orders/create" {
		t.Fatalf("delayed: %s", topics(late))
	}
	same(t, decoded(t, late[0]), nil, "cancelled_at") // as it was when it was made

	s.must(s.Order("reorder next 3"))
	for _, n := range []string{"5", "6", "7"} {
		if due := s.Deliveries(s.now); len(due) != 0 {
			t.Errorf("%s left before %s came", topics(due), n)
		}
		buy(n)
	}
	var ids []string
	for _, d := range s.drain(200) {
		ids = append(ids, d.Header.Get("X-Shopify-Order-Id"))
	}
	if len(ids) != 3 || slices.IsSorted(ids) {
		t.Errorf("reordered: %v", ids)
	}

	s.must(s.Order("reorder next 2"))
	buy("8")
	s.now = s.now.Add(time.Minute)
	if due := s.drain(200); len(due) != 1 {
		t.Errorf("a webhook waits for ever for another: %v", due)
	}
}

func TestAWebhookFaultThatMakesNoSenseIsRefused(t *testing.T) {
	s := open(t, nil)
	for order, part := range map[string]string{
		"loose next": `did you mean "lose"?`, "": "lose, duplicate, delay, reorder", "lose": "followed by next", "lose all": "followed by next",
		"lose next 0": "too few", "lose next orders/creat": `did you mean "orders/create"?`, "lose next times 2": "doesn't belong",
		"duplicate next times 1": "number of times", "duplicate next after x": "not a duration", "delay next": "by how much",
		"reorder next 1": "too few", "lose next 1 2": "doesn't belong", "delay next orders/create orders/create": "doesn't belong",
	} {
		if err := s.Order(order); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: error %v, want one with %q", order, err, part)
		}
	}
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	if len(s.Deliveries(s.now)) != 2 {
		t.Error("a refused order had an effect")
	}
}

func TestSendPostsABodyWordForWord(t *testing.T) {
	s := open(t, nil)
	body := []byte("{ \"id\": 820982911946154500,\n\"admin_graphql_api_id\":\"gid://shopify/Order/820982911946154508\"}")
	s.must(s.Send("orders/create", body, map[string]string{"event": "e-1", "X-Shopify-Test": "true", "triggered": ""}))
	s.must(s.Send("orders/create", []byte("not JSON"), map[string]string{"signature": "bad"}))
	due := s.drain(200)
	if len(due) != 2 || !bytes.Equal(due[0].Body, body) || due[0].Header.Get("X-Shopify-Hmac-Sha256") != Sign("shpss_test_secret", body) {
		t.Fatalf("%+v", due)
	}
	h := due[0].Header
	if h.Get("X-Shopify-Event-Id") != "e-1" || h.Get("X-Shopify-Order-Id") != "820982911946154508" || h.Get("X-Shopify-Test") != "true" || h.Values("X-Shopify-Triggered-At") != nil {
		t.Errorf("headers are %v", h)
	}
	if due[1].Header.Get("X-Shopify-Hmac-Sha256") != "bad" {
		t.Error("a signature that was given is not sent")
	}
	if err := s.Send("orders/create", body, map[string]string{"evnt": "e"}); err == nil {
		t.Error("an unknown header was taken")
	}
	if len(s.Rows("order")) != 0 {
		t.Error("a sent body made an order")
	}
}

func TestDeliverOverRealHTTP(t *testing.T) {
	s := open(t, func(c *Config) { c.Retries = []time.Duration{time.Millisecond} })
	s.Config.Clock = time.Now
	var mu sync.Mutex
	seen := map[string]int{}
	done := make(chan struct{})
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/hook" || r.Header.Get("X-Shopify-Hmac-Sha256") != Sign("shpss_test_secret", b) {
			t.Errorf("%s %v", r.URL.Path, r.Header)
		}
		seen[r.Header.Get("X-Shopify-Topic")]++
		if seen[r.Header.Get("X-Shopify-Topic")] == 1 {
			w.WriteHeader(503) // the first of each topic is sent again
		} else if seen["orders/create"] == 3 && seen["inventory_levels/update"] == 2 {
			close(done)
		}
	}))
	defer hub.Close()
	s.must(s.Order("duplicate next 1 orders/create"))
	s.buy(Buy{Order: "1", Lines: []Line{{SKU: "CUP", Quantity: 1}}})
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	ended := make(chan error)
	go func() { ended <- s.Deliver(ctx, hub.Client(), hub.URL) }()
	select {
	case <-done:
	case <-ctx.Done():
		t.Errorf("after 5 s: %v", seen)
	}
	for {
		if rows, _ := s.Match("webhook", map[string]string{"state": "delivered"}); len(rows) == 3 || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	s.must(<-ended)
	if _, ok := s.Next(); ok {
		t.Error("something is still to be delivered")
	}
}

func TestARequestGoesToTheHook(t *testing.T) {
	for _, c := range [][3]string{{"/in/shop", "http://127.0.0.1:1/", "http://127.0.0.1:1/in/shop"}, {"http://hub:2/x", "", "http://hub:2/x"}} {
		r, err := Delivery{Path: c[0], Header: http.Header{"A": {"b"}}, Body: []byte("x")}.Request(context.Background(), c[1])
		if err != nil || r.URL.String() != c[2] || r.Method != "POST" || r.Header.Get("A") != "b" || r.ContentLength != 1 {
			t.Errorf("%v: %v %v", c, r, err)
		}
	}
}
