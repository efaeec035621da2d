package shopify

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// subscription is a webhook subscription made over the API. Those of
// Config.Topics belong to the app's own configuration: they are not listed and
// never deleted (schema 2026-07, QueryRoot.webhookSubscriptions).
type subscription struct {
	id               uint64
	topic            string // as the schema's enum writes it
	uri, name        string
	filter           string
	include          []string
	created, updated time.Time
	last             map[string]string // by resource: the body last sent, when only some fields are sent
}

// enumTopic writes a topic as the schema does: orders/create is ORDERS_CREATE.
func enumTopic(topic string) string { return strings.ToUpper(strings.ReplaceAll(topic, "/", "_")) }

// preset tells whether the app's configuration subscribes to a topic.
func (s *Server) preset(topic string) bool { return slices.Contains(s.Topics, topic) }

// heard tells whether anybody subscribes to a topic.
func (s *Server) heard(topic string) bool {
	return s.preset(topic) || slices.ContainsFunc(s.subscriptions, func(one *subscription) bool { return one.topic == enumTopic(topic) })
}

// tell queues a webhook for each subscription to its topic.
func (s *Server) tell(topic string, b body, resource, event string) {
	set := map[string]string{"event": event}
	if s.preset(topic) {
		s.queue(topic, marshal(b), resource, set)
	}
	for _, one := range s.subscriptions {
		if one.topic != enumTopic(topic) || !one.wants(b) {
			continue
		}
		raw := marshal(one.cut(b))
		// Deliveries that do not differ from the last one of their resource are
		// dropped as duplicates (shopify.dev "best practices for webhooks").
		if len(one.include) > 0 {
			if one.last[resource] == string(raw) {
				continue
			}
			one.last[resource] = string(raw)
		}
		s.put(s.newHook(topic, raw, resource, set, one))
	}
}

// cut keeps the fields a subscription includes; all when it names none.
func (one *subscription) cut(b body) body {
	if len(one.include) == 0 {
		return b
	}
	out := body{}
	for _, name := range one.include {
		if v, ok := b[name]; ok {
			out[name] = v
		}
	}
	return out
}

// wants plays the subscription's filter, terms field:value joined by blanks or AND.
func (one *subscription) wants(b body) bool {
	parts, _ := filterTerms(one.filter) // it was checked when the subscription was made
	for _, p := range parts {
		if fmt.Sprint(b[p[0]]) != p[1] {
			return false
		}
	}
	return true
}

func filterTerms(filter string) ([][2]string, error) {
	words, err := splitSearch(filter)
	if err != nil {
		return nil, err
	}
	var out [][2]string
	for _, w := range words {
		field, value, ok := strings.Cut(w, ":")
		switch {
		case w == "AND":
		case !ok || strings.ContainsAny(value, "<>*") || strings.ContainsAny(w[:1], "-("):
			return nil, refused("NOT_IN_STAND_IN", "the stand-in filters webhooks by field:value only, not by %q", w)
		default:
			out = append(out, [2]string{field, value})
		}
	}
	return out, nil
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`)

// read takes over what an input says and returns what is wrong with it: a message
// and its field.
func (one *subscription) read(input map[string]any) (problem, field string, err error) {
	if f, ok := input["format"].(string); ok && f != "JSON" {
		return "", "", refused("NOT_IN_STAND_IN", "the stand-in sends webhooks as JSON only, not %s", f)
	}
	for _, name := range []string{"uri", "callbackUrl"} {
		if uri, ok := input[name].(string); ok {
			one.uri = uri
		}
	}
	if name, ok := input["name"].(string); ok {
		if one.name = name; !nameForm.MatchString(name) {
			return "Name must be at most 50 of A-Z, a-z, 0-9, - and _", "name", nil
		}
	}
	if filter, ok := input["filter"].(string); ok {
		if _, err := filterTerms(filter); err != nil {
			return "", "", err
		}
		one.filter = filter
	}
	if input["includeFields"] != nil {
		one.include = nil
		for _, f := range items(input["includeFields"]) {
			one.include = append(one.include, fmt.Sprint(f))
		}
	}
	problem, err = checkAddress(one.uri)
	return problem, "callbackUrl", err
}

// checkAddress says what is wrong with where webhooks should go. Shopify takes
// https only; the stand-in takes http too when the hub runs on this machine.
func checkAddress(uri string) (problem string, err error) {
	if strings.HasPrefix(uri, "pubsub://") || strings.HasPrefix(uri, "arn:") {
		return "", refused("NOT_IN_STAND_IN", "the stand-in sends webhooks over HTTP only")
	}
	u, err := url.Parse(uri)
	switch {
	case uri == "":
		return "Address can't be blank", nil
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return "Address is invalid", nil //nolint:nilerr // an address that can't be read is the client's, and a user error
	case u.Scheme == "https", u.Scheme == "http" && local(u.Hostname()):
		return "", nil
	}
	return "Address protocol " + u.Scheme + ":// is not supported", nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// taken tells whether another subscription says the same.
func (s *Server) taken(one *subscription) bool {
	return slices.ContainsFunc(s.subscriptions, func(other *subscription) bool {
		return other != one && other.id != one.id && other.topic == one.topic && other.uri == one.uri && other.filter == one.filter
	})
}

func (s *Server) subscribe(a arguments) (*object, error) {
	const typ = "WebhookSubscriptionCreatePayload"
	input, _ := a["webhookSubscription"].(map[string]any)
	one := &subscription{topic: fmt.Sprint(a["topic"]), created: s.now(), updated: s.now(), last: map[string]string{}}
	problem, field, err := one.read(input)
	switch {
	case err != nil:
		return nil, err
	case problem != "":
		return told(typ, "webhookSubscription", problem, "webhookSubscription", field), nil
	case s.taken(one):
		return told(typ, "webhookSubscription", "Address for this topic has already been taken", "webhookSubscription", "callbackUrl"), nil
	case !s.granted(topicScopes[strings.SplitN(one.topic, "_", 2)[0]]):
		return told(typ, "webhookSubscription", "You cannot create a webhook subscription with the specified topic", "webhookSubscription", "topic"), nil
	}
	one.id = s.later()
	s.subscriptions = append(s.subscriptions, one)
	return &object{typ: typ, fields: fields{"webhookSubscription": s.subscriptionObject(one), "userErrors": []any{}}}, nil
}

// resubscribe is webhookSubscriptionUpdate. What is on its way goes where the
// subscription was when it was triggered (changelog "updates to webhook retry mechanism").
func (s *Server) resubscribe(a arguments) (*object, error) {
	const typ = "WebhookSubscriptionUpdatePayload"
	id, err := parseGID("WebhookSubscription", a["id"])
	if err != nil {
		return nil, err
	}
	has := s.subscription(id)
	if has == nil {
		return told(typ, "webhookSubscription", "Webhook subscription does not exist", "id"), nil
	}
	next := *has
	input, _ := a["webhookSubscription"].(map[string]any)
	problem, field, err := next.read(input)
	switch {
	case err != nil:
		return nil, err
	case problem != "":
		return told(typ, "webhookSubscription", problem, "webhookSubscription", field), nil
	case s.taken(&next):
		return told(typ, "webhookSubscription", "Address for this topic has already been taken", "webhookSubscription", "callbackUrl"), nil
	}
	next.updated = s.now()
	*has = next
	return &object{typ: typ, fields: fields{"webhookSubscription": s.subscriptionObject(has), "userErrors": []any{}}}, nil
}

// unsubscribe is webhookSubscriptionDelete. What is on its way still comes.
func (s *Server) unsubscribe(a arguments) (*object, error) {
	const typ = "WebhookSubscriptionDeletePayload"
	id, err := parseGID("WebhookSubscription", a["id"])
	if err != nil {
		return nil, err
	}
	has := s.subscription(id)
	if has == nil {
		return told(typ, "deletedWebhookSubscriptionId", "Webhook subscription does not exist", "id"), nil
	}
	s.forget(has)
	return &object{typ: typ, fields: fields{"deletedWebhookSubscriptionId": a["id"], "userErrors": []any{}}}, nil
}

func (s *Server) forget(one *subscription) {
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(other *subscription) bool { return other == one })
}

func (s *Server) subscription(id uint64) *subscription {
	at := slices.IndexFunc(s.subscriptions, func(one *subscription) bool { return one.id == id })
	if at < 0 {
		return nil
	}
	return s.subscriptions[at]
}

func (s *Server) subscriptionObject(one *subscription) *object {
	if one == nil {
		return nil
	}
	return &object{typ: "WebhookSubscription", fields: fields{
		"id": gid("WebhookSubscription", one.id), "legacyResourceId": fmt.Sprint(one.id), "topic": one.topic, "uri": one.uri,
		"callbackUrl": one.uri, "format": "JSON", "filter": text(one.filter), "includeFields": texts(one.include),
		"metafieldNamespaces": []any{}, "name": text(one.name), "apiVersion": apiVersion(Version, true),
		"createdAt": utc(one.created), "updatedAt": utc(one.updated)}}
}

func (s *Server) querySubscriptions(a arguments) (any, error) {
	if text, _ := a["query"].(string); text != "" {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not search webhook subscriptions; narrow them by topics or uri")
	}
	topics := items(a["topics"])
	var found []entry
	for _, one := range s.subscriptions {
		if topics != nil && !slices.Contains(topics, any(one.topic)) {
			continue
		}
		if uri := cmpOr(a["uri"], a["callbackUrl"]); uri != nil && uri != one.uri {
			continue
		}
		found = append(found, entry{fmt.Sprintf("%s/%020d", stamp(one.created), one.id), func() *object { return s.subscriptionObject(one) }})
	}
	slices.SortFunc(found, byKey)
	return connection("WebhookSubscription", a, found)
}

// cmpOr is the first value that is there.
func cmpOr(values ...any) any {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}
