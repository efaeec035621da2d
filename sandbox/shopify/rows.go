package shopify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock/sandbox"
)

// models are what Rows and Match speak of, with their fields in the order they
// are best read.
var models = map[string][]string{
	"order": {"key", "id", "name", "order_number", "email", "customer", "currency", "lines", "skus", "units",
		"subtotal_price", "total_discounts", "total_shipping_price", "total_tax", "total_price", "current_total_price",
		"total_outstanding", "financial_status", "fulfillment_status", "cancelled", "cancel_reason", "edited", "test", "created_at", "updated_at"},
	"inventory": {"key", "id", "sku", "location", "available", "committed", "on_hand", "updated_at"},
	"webhook":   {"key", "topic", "resource", "webhook_id", "event_id", "state", "tries", "status", "to", "made", "due"},

	"fulfillment":       {"key", "id", "order", "location", "status", "skus", "tracking", "company", "notified", "created_at", "updated_at"},
	"fulfillment_order": {"key", "id", "order", "location", "status", "total", "remaining", "updated_at"},
	"subscription":      {"key", "id", "topic", "uri", "name", "created_at"},
}

// Models lists the models and their fields.
func Models() map[string][]string {
	out := map[string][]string{}
	for name, has := range models {
		out[name] = slices.Clone(has)
	}
	return out
}

// Rows are all rows of a model: order (key 1002), inventory (key TEA@E), webhook
// (key is the delivery's ID), fulfillment (key 1002.1), fulfillment_order (key
// 1002/1) or subscription (made over the API; key is its topic). An unknown model
// has no rows; Match says so.
func (s *Server) Rows(model string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []map[string]any{}
	switch model {
	case "order":
		for _, o := range s.orders {
			out = append(out, s.orderRow(o))
		}
	case "inventory":
		for _, p := range s.products {
			for _, at := range s.locations {
				if l := s.levels[levelKey{p.itemID, at.id}]; l != nil {
					out = append(out, map[string]any{"key": p.sku + "@" + at.code, "id": l.gid(), "sku": p.sku, "location": at.code,
						"available": l.available, "committed": l.committed, "on_hand": l.onHand(), "updated_at": utc(l.updated)})
				}
			}
		}
	case "webhook":
		for _, h := range s.hooks {
			out = append(out, map[string]any{"key": h.id, "topic": h.topic, "resource": h.resource,
				"webhook_id": h.header.Get("X-Shopify-Webhook-Id"), "event_id": h.header.Get("X-Shopify-Event-Id"),
				"state": h.state, "tries": h.tries, "status": h.status, "to": h.to, "made": utc(h.made), "due": utc(h.due)})
		}
	case "fulfillment":
		for _, o := range s.orders {
			for _, f := range o.fulfilments {
				out = append(out, s.fulfilmentRow(f))
			}
		}
	case "fulfillment_order":
		for _, o := range s.orders {
			for i, f := range o.fulfilOrders {
				out = append(out, s.fulfilOrderRow(f, i))
			}
		}
	case "subscription":
		for _, one := range s.subscriptions {
			out = append(out, map[string]any{"key": strings.ToLower(one.topic), "id": gid("WebhookSubscription", one.id), "topic": one.topic,
				"uri": one.uri, "name": one.name, "created_at": utc(one.created)})
		}
	}
	return out
}

func (s *Server) orderRow(o *order) map[string]any {
	all := s.ordered(o)
	row := map[string]any{
		"key": strconv.Itoa(o.number), "id": o.gid(), "name": o.name(), "order_number": o.number, "email": o.email, "customer": "",
		"currency": s.Currency, "lines": len(o.lines), "subtotal_price": s.money(all.subtotal),
		"total_discounts": s.money(all.discounts), "total_shipping_price": s.money(all.shipping), "total_tax": s.money(all.tax),
		"total_price": s.money(all.total), "current_total_price": s.money(s.current(o).total),
		"total_outstanding": s.money(s.outstanding(o)), "financial_status": strings.ToLower(s.financial(o)),
		"fulfillment_status": strings.ToLower(o.fulfilled()),
		"cancelled":          !o.cancelled.IsZero(), "cancel_reason": strings.ToLower(o.reason), "edited": o.edited, "test": o.test,
		"created_at": utc(o.created), "updated_at": utc(o.updated),
	}
	if o.customer != nil {
		row["customer"] = gid("Customer", o.customer.id)
	}
	var skus []string
	units := 0
	for _, l := range o.lines {
		skus = append(skus, fmt.Sprintf("%s x%d", l.sku, l.current))
		units += l.current
	}
	row["skus"], row["units"] = strings.Join(skus, ", "), units
	return row
}

// Match are the rows of a model whose fields have the values given. Numbers
// compare as decimals, so 21.6 matches "21.60". An unknown model or field is an
// error that names the known ones.
func (s *Server) Match(model string, where map[string]string) ([]map[string]any, error) {
	has, ok := models[model]
	if !ok {
		known := []string{"order", "inventory", "webhook", "fulfillment", "fulfillment_order", "subscription"}
		return nil, fmt.Errorf("the shop has no model %q%s; it has %s", model, sandbox.Nearest(model, known), list(known))
	}
	for field := range where {
		if !slices.Contains(has, field) {
			return nil, fmt.Errorf("%s has no field %q%s; it has %s", model, field, sandbox.Nearest(field, has), list(has))
		}
	}
	out := []map[string]any{}
	for _, row := range s.Rows(model) {
		if !slices.ContainsFunc(has, func(field string) bool {
			want, asked := where[field]
			return asked && !equal(fmt.Sprint(row[field]), want)
		}) {
			out = append(out, row)
		}
	}
	return out, nil
}

func equal(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := decimal.NewFromString(a)
	y, err2 := decimal.NewFromString(b)
	return err1 == nil && err2 == nil && x.Equal(y)
}
