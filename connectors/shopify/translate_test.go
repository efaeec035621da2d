package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
)

func heard(topic string, body []byte) crossdock.Message {
	key, at := identify(topic, body, "")
	return crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: key, Version: at, Body: body, Meta: crossdock.Meta{metaShape: shapeWebhook, metaTopic: topic}}
}

func looked(key string, body []byte) crossdock.Message {
	return crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: key, Body: body, Meta: crossdock.Meta{metaShape: shapeGraphQL}}
}

// unpack reads the last statement, which is the order's.
func unpack(t *testing.T, sts []crossdock.Statement) crossdock.Order {
	t.Helper()
	var o crossdock.Order
	st := sts[len(sts)-1]
	if st.Fault != nil {
		t.Fatalf("fault %+v", st.Fault)
	}
	if err := st.Said.Unpack(&o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTranslateShopifysOwnSample(t *testing.T) {
	body := readFile(t, "sample_order.json")
	s := openShop(t, "")
	for _, topic := range []string{"orders/create", "orders/updated", "orders/cancelled"} {
		got := s.Translate(heard(topic, body))
		golden(t, "sample_order.golden.json", got)
		o := unpack(t, got)
		if len(got) != 1 || got[0].Of.String() != "shop/order/gid://shopify/Order/820982911946154508" || got[0].Version != "2022-01-01T00:00:00Z" {
			t.Errorf("%s: %d statements, of %s, version %s", topic, len(got), got[0].Of, got[0].Version)
		}
		if o.Customer.Key != "gid://shopify/Customer/115310627314723954" { // of whom a test order says nothing
			t.Errorf("%s: the customer is %s", topic, o.Customer)
		}
		if o.Lines[0].Key != "gid://shopify/LineItem/487817672276298554" || len(o.Lines) != 5 {
			t.Errorf("%s: %d lines, the first %s", topic, len(o.Lines), o.Lines[0].Key)
		}
		if !o.Test || o.Cancelled == nil || o.Cancelled.Reason != "customer" {
			t.Errorf("%s: test %v, cancelled %v", topic, o.Test, o.Cancelled)
		}
		if b, _ := json.Marshal(o.Totals); string(b) != `{"subtotal":"404.95 USD","discount":"20.00 USD","charges":"10.00 USD","total":"404.95 USD"}` {
			t.Errorf("%s: totals %s", topic, b)
		}
		var sum crossdock.Money
		for _, l := range o.Lines {
			sum, _ = sum.Plus(l.Net())
		}
		if sum.String() != "414.95 USD" || o.Discount.String() != "20.00 USD" || o.Charges[0].Net().String() != "10.00 USD" {
			t.Errorf("%s: lines %s, discount %s, shipping %s", topic, sum, o.Discount, o.Charges[0].Net())
		}
	}
}

// TestBothShapesSayTheSame translates orders written once as a webhook and once
// as the answer to a look: every field of every statement is the same.
func TestBothShapesSayTheSame(t *testing.T) {
	s := openShop(t, "")
	for _, name := range []string{"account", "edited", "guest"} {
		t.Run(name, func(t *testing.T) {
			w := s.Translate(heard("orders/updated", readFile(t, "pair/"+name+".webhook.json")))
			g := s.Translate(looked("", readFile(t, "pair/"+name+".graphql.json")))
			if len(w) != 2 || len(g) != 2 {
				t.Fatalf("%d and %d statements", len(w), len(g))
			}
			for i := range w {
				for _, field := range w[i].Said.Differs(g[i].Said, nil) {
					t.Errorf("%s: the webhook says %s, the look %s", field, w[i].Said.Fields[field], g[i].Said.Fields[field])
				}
				if a, b := readable(t, w[i:i+1]), readable(t, g[i:i+1]); string(a) != string(b) {
					t.Errorf("statement %d differs:\n%s\n%s", i, a, b)
				}
			}
			golden(t, "pair/"+name+".golden.json", w)
		})
	}
}

func TestSaysIsSortedAndCoversWhatIsSaid(t *testing.T) {
	got := openShop(t, "").Translate(heard("orders/updated", readFile(t, "pair/account.webhook.json")))
	for _, st := range got {
		if !slices.IsSorted(st.Says) {
			t.Errorf("%s: Says is not sorted: %v", st.Of, st.Says)
		}
		for _, name := range st.Said.Names() {
			if !st.Says.Has(name) {
				t.Errorf("%s: %s is said and not in Says", st.Of, name)
			}
		}
	}
	if !got[1].Says.Has("note") || !got[1].Says.Has("cancelled") {
		t.Error("a note taken out could not be taken out of the book")
	}
}

// change sets one value of a JSON document by its path and returns the document.
func change(t *testing.T, body []byte, value any, path ...any) []byte {
	t.Helper()
	n, err := parse(body)
	if err != nil {
		t.Fatal(err)
	}
	at := n.value
	for i, step := range path {
		last := i == len(path)-1
		switch step := step.(type) {
		case string:
			m := at.(map[string]any)
			switch {
			case last && value == remove:
				delete(m, step)
			case last:
				m[step] = value
			}
			at = m[step]
		case int:
			if last {
				at.([]any)[step] = value
			}
			at = at.([]any)[step]
		}
	}
	b, err := json.Marshal(n.value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const remove = "\x00remove"

func TestFaultsNameTheirPlace(t *testing.T) {
	s := openShop(t, "")
	w, g := readFile(t, "pair/account.webhook.json"), readFile(t, "pair/account.graphql.json")
	for _, c := range []struct {
		shape string
		value any
		path  []any
		place string
	}{
		{shapeWebhook, remove, []any{"currency"}, "currency"},
		{shapeWebhook, "euro", []any{"currency"}, "currency"},
		{shapeWebhook, remove, []any{"admin_graphql_api_id"}, "admin_graphql_api_id"},
		{shapeWebhook, "gid://shopify/DraftOrder/1", []any{"admin_graphql_api_id"}, "admin_graphql_api_id"},
		{shapeWebhook, remove, []any{"name"}, "name"},
		{shapeWebhook, "the other day", []any{"created_at"}, "created_at"},
		{shapeWebhook, "now", []any{"cancelled_at"}, "cancelled_at"},
		{shapeWebhook, "ten", []any{"line_items", 2, "price_set", "shop_money", "amount"}, "line_items[2].price"},
		{shapeWebhook, "1e9", []any{"line_items", 0, "price_set", "shop_money", "amount"}, "line_items[0].price"},
		{shapeWebhook, "USD", []any{"line_items", 1, "price_set", "shop_money", "currency_code"}, "line_items[1].price"},
		{shapeWebhook, remove, []any{"line_items", 0, "admin_graphql_api_id"}, "line_items[0].admin_graphql_api_id"},
		{shapeWebhook, remove, []any{"line_items", 0, "quantity"}, "line_items[0].quantity"},
		{shapeWebhook, "two", []any{"line_items", 0, "current_quantity"}, "line_items[0].current_quantity"},
		{shapeWebhook, "a", []any{"line_items", 0, "discount_allocations", 1, "amount_set", "shop_money", "amount"}, "line_items[0].discount_allocations[1].amount"},
		{shapeWebhook, "a", []any{"line_items", 0, "tax_lines", 0, "rate"}, "line_items[0].tax_lines[0].rate"},
		{shapeWebhook, "", []any{"total_price_set", "shop_money", "amount"}, "total_price"},
		{shapeWebhook, remove, []any{"customer", "admin_graphql_api_id"}, "customer.admin_graphql_api_id"},
		{shapeWebhook, []any{}, []any{"line_items"}, "lines"},
		{shapeWebhook, json.Number("-1"), []any{"line_items", 1, "current_quantity"}, "lines[1].quantity"},
		{shapeGraphQL, nil, []any{"currencyCode"}, "currencyCode"},
		{shapeGraphQL, nil, []any{"id"}, "id"},
		{shapeGraphQL, "ten", []any{"lineItems", "nodes", 2, "originalUnitPriceSet", "shopMoney", "amount"}, "lineItems.nodes[2].originalUnitPriceSet"},
		{shapeGraphQL, nil, []any{"shippingLines", "nodes", 0, "originalPriceSet"}, "shippingLines.nodes[0].originalPriceSet"},
		{shapeGraphQL, nil, []any{"customer", "id"}, "customer.id"},
	} {
		t.Run(fmt.Sprint(c.shape, " ", c.path, " ", c.value), func(t *testing.T) {
			m := heard("orders/updated", w)
			if c.shape == shapeGraphQL {
				m = looked(m.Key, g)
			}
			m.Body = change(t, m.Body, c.value, c.path...)
			got := s.Translate(m)
			st := got[len(got)-1]
			if st.Fault == nil || st.Fault.Code != crossdock.Invalid || st.Fault.Place != c.place || st.Fault.Text == "" {
				t.Fatalf("fault %+v, want one at %s", st.Fault, c.place)
			}
			if st.Of.Key != "gid://shopify/Order/820982911946154508" || !st.Said.IsZero() {
				t.Errorf("of %s it says %v", st.Of, st.Said)
			}
		})
	}
}

func TestABodyThatIsNoJSONIsAFault(t *testing.T) {
	for _, body := range []string{"", "{", `{"a":1} x`, strings.Repeat("[", 20000), `"x"`, "null", `{"line_items":{}}`} {
		got := openShop(t, "").Translate(looked("gid://shopify/Order/1", []byte(body)))
		if len(got) != 1 || got[0].Fault == nil || got[0].Of.Key != "gid://shopify/Order/1" {
			t.Errorf("%.20q: %+v", body, got)
		}
	}
}

func TestTranslateThinMessages(t *testing.T) {
	s := openShop(t, "")
	of := "shop/order/gid://shopify/Order/12"
	for _, c := range []struct {
		name string
		m    crossdock.Message
		gone bool
	}{
		{"edited", heard("orders/edited", []byte(`{"order_edit":{"order_id":12}}`)), false},
		{"a topic about an order that is not the order", heard("orders/risk_assessment_changed", []byte(`{"admin_graphql_api_id":"gid://shopify/Order/12"}`)), false},
		{"a subscription to ids only", heard("orders/updated", []byte(`{"id":12,"admin_graphql_api_id":"gid://shopify/Order/12","updated_at":"2026-11-23T07:44:09-05:00"}`)), false},
		{"deleted", heard("orders/delete", []byte(`{"id":12}`)), false},
		{"the body of a creation under the topic of a deletion", heard("orders/delete", []byte(vectorBody12)), false},
		{"a body of which the shop is in doubt", doubtful(heard("orders/create", []byte(vectorBody12))), false},
		{"a look that found nothing", looked("gid://shopify/Order/12", gone), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.Translate(c.m)
			if len(got) != 1 || got[0].Of.String() != of || got[0].Gone != c.gone || got[0].Fault != nil || len(got[0].Fields()) != 0 || got[0].Version != "" {
				t.Fatalf("%+v", got)
			}
			if !c.gone && got[0].Says == nil {
				t.Error("Says is nil, which means all")
			}
		})
	}
	if got := s.Translate(heard("orders/delete", []byte(`{}`))); got[0].Fault == nil {
		t.Errorf("a deletion of nothing: %+v", got)
	}
	fault := &crossdock.Fault{Code: crossdock.Invalid, Text: "too deep"}
	m := heard("orders/updated", []byte(vectorBody))
	m.Fault = fault
	if got := s.Translate(m); len(got) != 1 || got[0].Fault != fault || got[0].Of.Key == "" {
		t.Errorf("a message with a fault: %+v", got)
	}
}

func TestWhoTheBuyerIs(t *testing.T) {
	ada, dock := &crossdock.Address{Name: "Ada Lee", Company: "Lee BV", City: "Utrecht"}, &crossdock.Address{Name: "Dock 4", Phone: "1"}
	for _, c := range []struct {
		name     string
		o        order
		key, who string
		names    []string
		city     string
	}{
		{"an account", order{customer: &customer{gid: "g", first: "Ada", last: "Lee", email: "Ada@X.org", phone: "+31 20"}, billing: ada, email: "b@x.org"}, "g", "Ada Lee", []string{"email:ada@x.org", "phone:3120"}, "Utrecht"},
		{"an account without a name", order{customer: &customer{gid: "g"}, shipping: dock, email: "B@x.org"}, "g", "Dock 4", []string{"email:b@x.org"}, ""},
		{"a guest by e-mail", order{email: "Bo.Li@Example.org", phone: "1"}, "guest-dea4f2770a7999ff", "bo.li", []string{"email:bo.li@example.org", "phone:1"}, ""},
		{"a guest by phone", order{phone: "+31 (20) 555"}, guest("3120555"), "+31 (20) 555", []string{"phone:3120555"}, ""},
		{"a guest by address, its phone no key", order{shipping: dock}, guest(dock.Norm()), "Dock 4", nil, ""},
		{"nobody", order{}, "", "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, p := c.o.buyer()
			if key != c.key || p.Name != c.who || p.Address.City != c.city || !slices.Equal(matching(p), c.names) {
				t.Errorf("key %s, party %+v, names %v", key, p, matching(p))
			}
		})
	}
}

// FuzzTranslate holds that no body makes Translate panic, that it gives the same
// statements twice, and that what it states can be read back.
func FuzzTranslate(f *testing.F) {
	for _, name := range []string{"sample_order.json", "pair/edited.webhook.json", "pair/guest.graphql.json"} {
		f.Add(readFile(f, name), strings.Contains(name, "graphql"))
	}
	f.Add([]byte(`{"admin_graphql_api_id":"gid://shopify/Order/1","currency":"USD","line_items":[{"quantity":0,"current_quantity":7,"price":9e9}]}`), false)
	s := openShop(f, "")
	f.Fuzz(func(t *testing.T, body []byte, graphql bool) {
		m := heard("orders/updated", body)
		if graphql {
			m = looked("gid://shopify/Order/1", body)
		}
		got := s.Translate(m)
		if len(got) == 0 || len(got) > 2 {
			t.Fatalf("%d statements", len(got))
		}
		if a, b := readable(t, got), readable(t, s.Translate(m)); string(a) != string(b) {
			t.Errorf("twice it says\n%s\n%s", a, b)
		}
		for _, st := range got {
			if st.Fault != nil || st.Gone || len(st.Says) == 0 {
				continue
			}
			forms := map[crossdock.Kind]crossdock.Form{crossdock.KindOrder: &crossdock.Order{}, crossdock.KindParty: &crossdock.Party{}}
			if err := st.Said.Unpack(forms[st.Of.Kind]); err != nil {
				t.Errorf("%s can't be read back: %v", st.Of, err)
			}
		}
	})
}

// TestPartsAddUp refunds one of three of several lines, whose discounts and taxes
// do not divide evenly, and holds the parts to the sums Shopify states.
func TestPartsAddUp(t *testing.T) {
	eur := func(amount string) crossdock.Money {
		m, err := crossdock.NewMoney(amount, "EUR")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	number := func(n int64) crossdock.Decimal { return eur("1").Times(eur(fmt.Sprint(n)).Amount).Amount }
	for _, c := range []struct {
		name                    string
		original, current       crossdock.Totals
		discounts, taxes, extra string // of the lines' parts, and what is left for the order
	}{
		{"rounded up twice", crossdock.Totals{Discount: eur("0.20")}, crossdock.Totals{Discount: eur("0.13"), Tax: eur("0.67")}, "0.07 0.06", "0.33 0.34", ""},
		{"off by more than rounding", crossdock.Totals{Discount: eur("0.20")}, crossdock.Totals{Discount: eur("0.50"), Tax: eur("9.00")}, "0.07 0.07", "0.33 0.33", ""},
		{"a discount on no line", crossdock.Totals{Discount: eur("1.20")}, crossdock.Totals{Discount: eur("0.94"), Tax: eur("0.66")}, "0.07 0.07", "0.33 0.33", "0.80 EUR"},
		{"sums that are not stated", crossdock.Totals{}, crossdock.Totals{}, "0.07 0.07", "0.33 0.33", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := line{gid: "1", quantity: number(3), current: number(2), price: eur("5"), discounts: []crossdock.Money{eur("0.10")},
				taxes: []crossdock.TaxAmount{{Title: "VAT", Amount: eur("0.50")}}}
			o := order{currency: "EUR", lines: []line{l, l}, original: c.original, current: c.current}
			got := o.form("shop", crossdock.Ref{})
			var discounts, taxes []string
			for _, l := range got.Lines {
				discounts = append(discounts, strings.TrimSuffix(l.Discount.String(), " EUR"))
				taxes = append(taxes, strings.TrimSuffix(l.Taxes[0].Amount.String(), " EUR"))
			}
			extra := ""
			if !got.Discount.IsZero() {
				extra = got.Discount.String()
			}
			if strings.Join(discounts, " ") != c.discounts || strings.Join(taxes, " ") != c.taxes || extra != c.extra {
				t.Errorf("discounts %v, taxes %v, of the order %q", discounts, taxes, extra)
			}
		})
	}
}

// TestChargeKeys: a number that went through a float names nothing, whatever its
// digits look like.
func TestChargeKeys(t *testing.T) {
	for _, c := range []struct{ order, charge, want string }{
		{`"id": 9007199254740995, "admin_graphql_api_id": "gid://shopify/Order/9007199254740995"`, `"id": 9007199254740997`, "9007199254740997"},
		{`"id": 820982911946154500, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"`, `"id": 271878346596884000`, ""},
		{`"id": 820982911946154500, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"`, `"id": 271878`, "271878"},
		{`"id": 1, "admin_graphql_api_id": "gid://shopify/Order/1"`, `"id": 2.71878346596884e+17`, ""},
		{`"id": 1, "admin_graphql_api_id": "gid://shopify/Order/1"`, `"id": null`, ""},
		{`"id": 2, "admin_graphql_api_id": "gid://shopify/Order/1"`, `"id": 271878346596884000, "admin_graphql_api_id": "gid://shopify/ShippingLine/271878346596884015"`, "271878346596884015"},
	} {
		n, err := parse([]byte(`{` + c.order + `, "shipping_lines": [{` + c.charge + `, "title": "Post", "price": "1.00"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if o, _ := webhookShape.order(n); o.charges[0].key != c.want {
			t.Errorf("%s in an order with %s: key %q, want %q", c.charge, c.order, o.charges[0].key, c.want)
		}
	}
}

// vectorBody12 is a whole order, as far as the connector can tell at first.
const vectorBody12 = `{"admin_graphql_api_id":"gid://shopify/Order/12","currency":"USD","line_items":[],"updated_at":"2026-11-23T07:44:09-05:00"}`

func doubtful(m crossdock.Message) crossdock.Message {
	m.Meta[metaDoubt] = "why"
	return m
}

// TestTestOrderInAnotherForm: what may be a test order is none that is sold.
func TestTestOrderInAnotherForm(t *testing.T) {
	body, s := readFile(t, "sample_order.json"), openShop(t, "")
	for _, form := range []string{`"true"`, `1`, `"yes"`} {
		odd := bytes.ReplaceAll(body, []byte(`"test": true`), []byte(`"test": `+form))
		if bytes.Equal(odd, body) {
			t.Fatal("the sample has no test")
		}
		got := s.Translate(heard("orders/create", odd))
		if f := got[len(got)-1].Fault; f == nil || f.Place != "test" {
			t.Errorf("test %s: %+v", form, f)
		}
	}
}
