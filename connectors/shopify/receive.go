package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Headers of a webhook (shopify.dev "Verify deliveries"; those that must be there
// as in @shopify/shopify-api 15.0.0 webhooks/validate).
const (
	headerHmac    = "X-Shopify-Hmac-Sha256"
	headerTopic   = "X-Shopify-Topic"
	headerShop    = "X-Shopify-Shop-Domain"
	headerVersion = "X-Shopify-API-Version"
	headerWebhook = "X-Shopify-Webhook-Id"
	headerEvent   = "X-Shopify-Event-Id"
	headerFired   = "X-Shopify-Triggered-At"
	headerOrder   = "X-Shopify-Order-Id"
)

var mustHave = []string{headerHmac, headerTopic, headerShop, headerVersion, headerWebhook}

// Names in a message's Meta. Only the body of a webhook is signed: what stands
// here beside shape, size and digest may cause a look and nothing more.
const (
	metaShape   = "shape" // shapeWebhook or shapeGraphQL: how Body is written
	metaTopic   = "topic"
	metaWebhook = "webhook_id" // one delivery, the same on its retries
	metaEvent   = "event_id"   // one act in the shop; several webhooks share it
	metaFired   = "triggered_at"
	metaVersion = "api_version" // the one Shopify used, whatever was asked for
	metaShop    = "shop"
	metaSize    = "size"
	metaDigest  = "digest"
	metaDoubt   = "doubt" // why the body is not taken for this shop's

	shapeWebhook = "webhook"
	shapeGraphQL = "graphql"
)

// Receive takes a webhook: HMAC-SHA256 of the raw body under the client secret,
// base64, compared in constant time; the secret before the last rotation is good
// too. A topic that is no order's is taken with a Fault, because a sender that
// gets errors stops sending. Above connector.HardCap the answer is 413 and the
// message holds size and digest; everything else that is genuine is answered 200.
func (s *Shop) Receive(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
	if err := s.complete(r.Header); err != nil {
		return nil, connector.Answer{}, err
	}
	raw, err := s.genuine(r)
	if err != nil {
		return nil, connector.Answer{}, err
	}
	if shop := r.Header.Get(headerShop); !strings.EqualFold(shop, s.cfg.Shop) {
		return nil, connector.Answer{}, crossdock.Errorf(crossdock.Unauthorized,
			"the webhook is of shop %.100q and this connection is to %s: correct the address of the subscription or the shop in the configuration", shop, s.cfg.Shop)
	}
	m := s.message(r.Header, raw)
	if raw.Over() {
		return []crossdock.Message{m}, connector.Answer{Status: http.StatusRequestEntityTooLarge}, nil
	}
	return []crossdock.Message{m}, connector.Answer{Status: http.StatusOK}, nil
}

func (s *Shop) complete(h http.Header) error {
	var missing []string
	for _, name := range mustHave {
		if h.Get(name) == "" {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return crossdock.Errorf(crossdock.Unauthorized, "a webhook of Shopify has the header %s and this request does not", strings.Join(missing, ", "))
	}
	return nil
}

// genuine reads the body and checks its signature.
func (s *Shop) genuine(r *http.Request) (connector.Raw, error) {
	sums := []hash.Hash{hmac.New(sha256.New, []byte(s.cfg.Secret))}
	if s.cfg.PreviousSecret != "" {
		sums = append(sums, hmac.New(sha256.New, []byte(s.cfg.PreviousSecret)))
	}
	raw, err := connector.ReadRaw(r, sums...)
	if err != nil {
		return connector.Raw{}, err
	}
	said, err := base64.StdEncoding.DecodeString(r.Header.Get(headerHmac))
	if err != nil {
		return connector.Raw{}, crossdock.Errorf(crossdock.Unauthorized, "the header %s is no base64", headerHmac)
	}
	ok := false
	for _, sum := range sums {
		ok = hmac.Equal(said, sum.Sum(nil)) || ok
	}
	if !ok {
		return connector.Raw{}, crossdock.Errorf(crossdock.Unauthorized,
			"the header %s does not fit the body under the client secret of the app; a webhook made by hand in the shop's settings is signed with another one", headerHmac)
	}
	return raw, nil
}

// message makes the message of a genuine webhook.
func (s *Shop) message(h http.Header, raw connector.Raw) crossdock.Message {
	m := crossdock.Message{From: s.system, Kind: crossdock.KindOrder, Body: raw.Body, Meta: crossdock.Meta{
		metaShape: shapeWebhook, metaShop: s.cfg.Shop, metaSize: strconv.FormatInt(raw.Size, 10), metaDigest: raw.Digest,
	}}
	for name, header := range map[string]string{metaTopic: headerTopic, metaWebhook: headerWebhook, metaEvent: headerEvent, metaFired: headerFired, metaVersion: headerVersion} {
		if v := h.Get(header); v != "" {
			m.Meta[name] = v
		}
	}
	topic := h.Get(headerTopic)
	if !strings.HasPrefix(topic, "orders/") {
		m.Kind = ""
		m.Fault = &crossdock.Fault{Code: crossdock.Invalid, Text: "topic not subscribed by this hub: " + strconv.Quote(topic)}
		return m
	}
	m.Key, m.Version = identify(topic, raw.Body, h.Get(headerOrder))
	if s.shared && !s.isHere(raw.Body) {
		m.Meta[metaDoubt] = "its secret is another shop's too, and the body does not say that it is of this one"
	}
	switch {
	case raw.Over():
		m.Fault = tooLarge(raw.Size, connector.HardCap)
	case raw.Size > connector.Limit:
		m.Fault = tooLarge(raw.Size, connector.Limit)
	}
	return m
}

// isHere reports that the signed body names this shop: order_status_url leads to its
// domain, or to one of its own (webhook schema orders/updated 2026-07), which can't be
// told from another shop's.
func (s *Shop) isHere(body []byte) bool {
	u, err := url.Parse(scan(body, "order_status_url")["order_status_url"])
	return err == nil && strings.EqualFold(u.Host, s.cfg.Shop)
}

func tooLarge(size, most int64) *crossdock.Fault {
	return &crossdock.Fault{Code: crossdock.Invalid, Text: "the body of " + strconv.FormatInt(size, 10) + " bytes is larger than " + strconv.FormatInt(most, 10)}
}
