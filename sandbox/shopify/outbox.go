package shopify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Topics are the webhook topics the stand-in sends to whoever subscribes.
func Topics() []string {
	return append(presetTopics(), "orders/edited", "orders/fulfilled", "orders/partially_fulfilled", "fulfillments/create",
		"fulfillments/update", "bulk_operations/finish")
}

// presetTopics are those the app's configuration subscribes to when
// Config.Topics is nil.
func presetTopics() []string {
	return []string{"orders/create", "orders/updated", "orders/cancelled", "inventory_levels/update"}
}

// number writes a decimal as a JSON number.
type number = json.Number

// outbox holds the webhooks that wait to be delivered and what became of the rest.
type outbox struct {
	hooks    []*hook // all there ever were
	waiting  []*hook // those that are not ended
	byID     map[string]*hook
	sequence int
	faults   []webhookFault
}

// hook is one delivery: a webhook, or a repetition of it.
type hook struct {
	id       string // of this delivery in the outbox
	order    int    // deliveries due at one time leave in this order
	topic    string
	header   http.Header
	body     []byte
	resource string // gid the webhook is about, "" for none
	made     time.Time
	due      time.Time
	state    string // waiting, delivered, failed (tries used up) or lost
	tries    int
	status   int // of the last try; 0 means no answer
	to       string
	of       *subscription // nil: of the app's own configuration
}

// Delivery is a webhook that is due. Header and Body are the outbox's own and
// must not be changed; Request copies the header.
type Delivery struct {
	ID      string // names it to Delivered; a repetition has an ID of its own
	Topic   string
	Try     int // 1 is the first
	Due     time.Time
	Path    string // where it goes: Config.Hook, or the URL a subscription named
	Header  http.Header
	Body    []byte
	Webhook string // X-Shopify-Webhook-Id, the same on repetitions and retries
}

// Request makes the delivery's HTTP request. base is the hub's address, such as
// http://127.0.0.1:8080; an absolute Path needs none.
func (d Delivery) Request(ctx context.Context, base string) (*http.Request, error) {
	url := d.Path
	if !strings.Contains(url, "://") {
		url = strings.TrimSuffix(base, "/") + "/" + strings.TrimPrefix(d.Path, "/")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Body))
	if err != nil {
		return nil, fmt.Errorf("webhook %s to %q: %w", d.Topic, url, err)
	}
	r.Header = d.Header.Clone()
	return r, nil
}

// Sign is the signature of a body: base64 of its HMAC-SHA256 with the app's
// client secret (header X-Shopify-Hmac-Sha256, shopify.dev "verify deliveries").
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// short are the names Send's headers may have besides full ones.
var short = map[string]string{
	"event": "X-Shopify-Event-Id", "webhook": "X-Shopify-Webhook-Id", "triggered": "X-Shopify-Triggered-At",
	"signature": "X-Shopify-Hmac-Sha256", "order": "X-Shopify-Order-Id", "shop": "X-Shopify-Shop-Domain",
	"version": "X-Shopify-API-Version", "topic": "X-Shopify-Topic", "name": "X-Shopify-Name",
}

// Send posts a body word for word, signed, as a webhook of the topic given. The
// headers may set any header by its name, or by event, webhook, triggered,
// signature, order, shop, version, topic or name; an empty value leaves the
// header out. It changes nothing in the shop.
func (s *Server) Send(topic string, body []byte, headers map[string]string) error {
	for name := range headers {
		if short[name] == "" && !strings.Contains(name, "-") {
			return fmt.Errorf("%q is no header of a webhook", name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var about struct {
		GID string `json:"admin_graphql_api_id"`
	}
	_ = json.Unmarshal(body, &about) // a body that isn't JSON is sent all the same, without an order id
	s.queue(topic, bytes.Clone(body), about.GID, headers)
	return nil
}

// queue puts a webhook of the app's own configuration.
func (s *Server) queue(topic string, body []byte, resource string, set map[string]string) {
	s.put(s.newHook(topic, body, resource, set, nil))
}

// newHook makes a webhook of a subscription; nil is the app's own configuration.
func (s *Server) newHook(topic string, body []byte, resource string, set map[string]string, of *subscription) *hook {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Shopify-Captain-Hook")
	h.Set("X-Shopify-Topic", topic)
	h.Set("X-Shopify-Shop-Domain", s.Shop)
	h.Set("X-Shopify-API-Version", Version)
	h.Set("X-Shopify-Webhook-Id", s.uuid())
	h.Set("X-Shopify-Event-Id", s.uuid())
	h.Set("X-Shopify-Triggered-At", s.Clock().UTC().Format(time.RFC3339Nano))
	h.Set("X-Shopify-Hmac-Sha256", Sign(s.signing(), body))
	if of != nil && of.name != "" {
		h.Set("X-Shopify-Name", of.name)
	}
	if id, ok := strings.CutPrefix(resource, "gid://shopify/Order/"); ok {
		h.Set("X-Shopify-Order-Id", id)
	}
	for name, value := range set {
		if full := short[name]; full != "" {
			name = full
		}
		h.Del(name)
		if value != "" {
			h.Set(name, value)
		}
	}
	made := s.Clock()
	to := s.Hook
	if of != nil {
		to = of.uri
	}
	return &hook{topic: topic, header: h, body: body, resource: resource, made: made, due: made, state: "waiting", to: to, of: of}
}

// put adds a delivery and plays the fault ordered for it, if any.
func (s *Server) put(h *hook) {
	f := s.takeFault(h.topic)
	for n := range 1 + f.copies {
		one := *h
		s.sequence++
		one.id, one.order = fmt.Sprintf("d%d", s.sequence), s.sequence
		one.header = h.header.Clone()
		s.hooks, s.byID[one.id] = append(s.hooks, &one), &one
		if f.word == "lose" {
			one.state = "lost"
			continue
		}
		s.waiting = append(s.waiting, &one)
		switch f.word {
		case "duplicate":
			one.due = h.made.Add(time.Duration(n) * f.apart)
		case "delay":
			one.due = h.made.Add(f.apart)
		case "reorder":
			s.holdBack(&one, f.group)
		}
	}
}

// Deliveries are the webhooks due at now, in the order they leave. A delivery
// stays due until Delivered says what became of it.
func (s *Server) Deliveries(now time.Time) []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	var due []*hook
	for _, h := range s.waiting {
		if !h.due.After(now) {
			due = append(due, h)
		}
	}
	slices.SortStableFunc(due, func(a, b *hook) int {
		if c := a.due.Compare(b.due); c != 0 {
			return c
		}
		return a.order - b.order
	})
	out := make([]Delivery, 0, len(due))
	for _, h := range due {
		out = append(out, Delivery{ID: h.id, Topic: h.topic, Try: h.tries + 1, Due: h.due, Path: h.to,
			Header: h.header, Body: h.body, Webhook: h.header.Get("X-Shopify-Webhook-Id")})
	}
	return out
}

// Delivered says how a delivery was answered; status 0 means not at all. A 2xx
// ends it. Anything else, redirects too, is tried again with the body of old
// after the next wait of Config.Retries; then it is given up, and with it the
// subscription, unless it is of the app's own configuration.
func (s *Server) Delivered(id string, status int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.byID[id]
	if h == nil {
		return fmt.Errorf("there is no delivery %q", id)
	}
	if h.state != "waiting" {
		return fmt.Errorf("delivery %s is %s already", id, h.state)
	}
	h.tries++
	h.status = status
	switch {
	case status >= 200 && status < 300:
		h.state = "delivered"
	case h.tries > len(s.Retries):
		h.state = "failed"
		s.giveUp(h.of)
	default:
		h.due = s.Clock().Add(s.Retries[h.tries-1])
		return nil
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(w *hook) bool { return w == h })
	return nil
}

// giveUp deletes a subscription made over the API whose delivery failed to the
// last try, with all that waits for it (shopify.dev "best practices for webhooks").
func (s *Server) giveUp(of *subscription) {
	if of == nil {
		return
	}
	s.forget(of)
	s.waiting = slices.DeleteFunc(s.waiting, func(w *hook) bool {
		if w.of == of && w.state == "waiting" {
			w.state = "lost"
		}
		return w.of == of
	})
}

// Next tells when the next delivery is due; ok is false when none waits.
func (s *Server) Next() (due time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.waiting {
		if !ok || h.due.Before(due) {
			due, ok = h.due, true
		}
	}
	if ends, will := s.nextBulk(); will && (!ok || ends.Before(due)) {
		return ends, true
	}
	return due, ok
}

// Deliver sends what is due over real HTTP until ctx ends, which is no error.
// What is due at once leaves at once, up to eight at a time, so repetitions of
// one webhook race as they do in life. Answers are waited for 5 s, as Shopify does.
func (s *Server) Deliver(ctx context.Context, client *http.Client, base string) error {
	for {
		for batch := s.Deliveries(s.Clock()); len(batch) > 0; {
			n := min(8, len(batch))
			if err := s.send(ctx, client, base, batch[:n]); err != nil {
				return err
			}
			batch = batch[n:]
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) send(ctx context.Context, client *http.Client, base string, batch []Delivery) error {
	var wait sync.WaitGroup
	errs := make([]error, len(batch))
	for i, d := range batch {
		wait.Go(func() {
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			r, err := d.Request(limited, base)
			if err != nil {
				errs[i] = err
				return
			}
			status := 0
			if resp, err := client.Do(r); err == nil {
				status = resp.StatusCode
				_ = resp.Body.Close() // only the status counts
			} else if ctx.Err() != nil {
				return // we were told to stop; the delivery stays due
			}
			errs[i] = s.Delivered(d.ID, status)
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
