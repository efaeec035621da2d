package shopify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// The vector: body and signature under testSecret (130 bytes), made outside this program.
const (
	vectorBody = `{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508","updated_at":"2026-11-23T07:44:09-05:00"}`
	vectorSum  = "nQse3CDUsB3t6d19p5PsSPePGnTNCrVqCPHUNiNuByM="
)

func sign(secret, body string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(body))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// webhook makes a signed request; headers override, "" takes one out.
func webhook(topic, body string, headers map[string]string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/in/shop", strings.NewReader(body))
	all := map[string]string{headerHmac: sign(testSecret, body), headerTopic: topic, headerShop: testShop, headerVersion: "2026-07", headerWebhook: "w-1"}
	maps.Copy(all, headers)
	for name, v := range all {
		if v != "" {
			r.Header.Set(name, v)
		}
	}
	return r
}

func TestReceiveTheVector(t *testing.T) {
	s := openShop(t, "")
	ms, answer, err := s.Receive(webhook("orders/updated", vectorBody, map[string]string{headerHmac: vectorSum, headerEvent: "e-1", headerFired: "2026-11-23T12:44:09.5Z"}))
	if err != nil || answer.Status != 200 || len(ms) != 1 {
		t.Fatalf("%d messages, answer %d, %v", len(ms), answer.Status, err)
	}
	m := ms[0]
	if m.From != "shop" || m.Kind != crossdock.KindOrder || m.Key != "gid://shopify/Order/820982911946154508" || m.Version != "2026-11-23T12:44:09Z" || m.Fault != nil || string(m.Body) != vectorBody {
		t.Errorf("message %+v", m)
	}
	want := crossdock.Meta{"shape": "webhook", "topic": "orders/updated", "webhook_id": "w-1", "event_id": "e-1", "triggered_at": "2026-11-23T12:44:09.5Z",
		"api_version": "2026-07", "shop": testShop, "size": "130", "digest": "8934a667d86204a93189ee5a1606561c01b9bb594169af43c83a9d180c4fd992"}
	if !maps.Equal(m.Meta, want) {
		t.Errorf("meta %v, want %v", m.Meta, want)
	}
}

func TestReceiveRefusesWhatIsNotGenuine(t *testing.T) {
	s := openShop(t, "")
	for _, c := range []struct {
		name, names string
		headers     map[string]string
	}{
		{"no signature", headerHmac, map[string]string{headerHmac: ""}},
		{"no topic", headerTopic, map[string]string{headerTopic: ""}},
		{"no shop", headerShop, map[string]string{headerShop: ""}},
		{"no version", headerVersion, map[string]string{headerVersion: ""}},
		{"no webhook id", headerWebhook, map[string]string{headerWebhook: ""}},
		{"all missing", headerTopic + ", " + headerShop, map[string]string{headerTopic: "", headerShop: ""}},
		{"signed with another secret", headerHmac, map[string]string{headerHmac: sign("another", vectorBody)}},
		{"signed with an empty secret", headerHmac, map[string]string{headerHmac: sign("", vectorBody)}},
		{"another body's signature", headerHmac, map[string]string{headerHmac: sign(testSecret, vectorBody+" ")}},
		{"half a signature", headerHmac, map[string]string{headerHmac: vectorSum[:20]}},
		{"no base64", headerHmac, map[string]string{headerHmac: "%%%"}},
		{"another shop", "other.myshopify.com", map[string]string{headerShop: "other.myshopify.com"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ms, _, err := s.Receive(webhook("orders/updated", vectorBody, c.headers))
			if len(ms) != 0 || crossdock.CodeOf(err) != crossdock.Unauthorized || !strings.Contains(err.Error(), c.names) {
				t.Fatalf("%d messages, %v", len(ms), err)
			}
			for _, never := range []string{testSecret, testPrevious, "820982911946154508"} {
				if strings.Contains(err.Error(), never) {
					t.Errorf("the error says %s", never)
				}
			}
		})
	}
}

func TestReceiveTakesThePreviousSecretOnlyWhereThereIsOne(t *testing.T) {
	s := openShop(t, "")
	if _, _, err := s.Receive(webhook("orders/updated", vectorBody, map[string]string{headerHmac: sign(testPrevious, vectorBody)})); err != nil {
		t.Error(err)
	}
	s.cfg.PreviousSecret = ""
	for _, secret := range []string{testPrevious, ""} {
		if _, _, err := s.Receive(webhook("orders/updated", vectorBody, map[string]string{headerHmac: sign(secret, vectorBody)})); crossdock.CodeOf(err) != crossdock.Unauthorized {
			t.Errorf("signed with %q: %v", secret, err)
		}
	}
}

func TestReceiveNamesTheOrder(t *testing.T) {
	s := openShop(t, "")
	gid := "gid://shopify/Order/"
	for _, c := range []struct{ name, topic, body, header, key, version string }{
		{"by the body, whatever the header", "orders/create", `{"id":1,"admin_graphql_api_id":"gid://shopify/Order/12"}`, "13", gid + "12", ""},
		{"by the body's own id, not a line's", "orders/create", `{"line_items":[{"admin_graphql_api_id":"gid://shopify/Order/77"}],"admin_graphql_api_id":"gid://shopify/Order/12","updated_at":"2026-11-23T00:30:00+02:00"}`, "", gid + "12", "2026-11-22T22:30:00Z"},
		{"by what stands before the break", "orders/create", `{"admin_graphql_api_id":"gid://shopify/Order/12","line_items":[{`, "", gid + "12", ""},
		{"by the header when the body is broken", "orders/create", `{"id":`, "18446744073709551615", gid + "18446744073709551615", ""},
		{"by the header when the id is of something else", "orders/create", `{"admin_graphql_api_id":"gid://shopify/Customer/12"}`, "13", gid + "13", ""},
		{"by no rounded number", "orders/create", `{"id":820982911946154500}`, "", "", ""},
		{"by no header that is no number", "orders/create", `[]`, "1/../2", "", ""},
		{"deleted, by the header", "orders/delete", `{"id":820982911946154508}`, "820982911946154509", gid + "820982911946154509", ""},
		{"deleted, by its number", "orders/delete", `{"id":820982911946154508}`, "", gid + "820982911946154508", ""},
		{"edited, by its number", "orders/edited", `{"order_edit":{"id":5,"app_id":null,"order_id":820982911946154508,"line_items":{"additions":[],"removals":[]}}}`, "", gid + "820982911946154508", ""},
		{"edited, a number in exponents", "orders/edited", `{"order_edit":{"order_id":8e17}}`, "", "", ""},
		{"a time that is none", "orders/updated", `{"admin_graphql_api_id":"gid://shopify/Order/12","updated_at":"yesterday"}`, "", gid + "12", ""},
		{"a name in escapes", "orders/updated", `{"\u0061dmin_graphql_api_id":"gid:\/\/shopify\/Order\/12"}`, "", gid + "12", ""},
		{"nothing", "orders/updated", "", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ms, answer, err := s.Receive(webhook(c.topic, c.body, map[string]string{headerOrder: c.header}))
			if err != nil || answer.Status != 200 || len(ms) != 1 {
				t.Fatalf("%d messages, answer %d, %v", len(ms), answer.Status, err)
			}
			if m := ms[0]; m.Key != c.key || m.Version != c.version || m.Kind != crossdock.KindOrder {
				t.Errorf("key %q version %q, want %q %q", m.Key, m.Version, c.key, c.version)
			}
		})
	}
}

func TestReceiveTakesOtherTopicsWithAFault(t *testing.T) {
	ms, answer, err := openShop(t, "").Receive(webhook("products/update", `{"id":1}`, nil))
	if err != nil || answer.Status != 200 {
		t.Fatal(answer, err)
	}
	if m := ms[0]; m.Kind != "" || m.Key != "" || m.Fault == nil || m.Fault.Code != crossdock.Invalid || !strings.Contains(m.Fault.Text, "topic not subscribed by this hub") {
		t.Errorf("message %+v", m)
	}
	if got := openShop(t, "").Translate(ms[0]); got != nil {
		t.Errorf("states %v", got)
	}
}

func TestReceiveKeepsToTheBounds(t *testing.T) {
	s := openShop(t, "")
	body := func(size int) string {
		head := `{"admin_graphql_api_id":"gid://shopify/Order/12","note":"`
		return head + strings.Repeat("x", size-len(head)-2) + `"}`
	}
	for _, c := range []struct {
		name   string
		size   int
		status int
		kept   bool
		fault  string
		key    string
	}{
		{"at the limit", connector.Limit, 200, true, "", "gid://shopify/Order/12"},
		{"over the limit", connector.Limit + 1, 200, true, "larger than 2097152", "gid://shopify/Order/12"},
		{"over the hard cap", connector.HardCap + 1, 413, false, "larger than 16777216", "gid://shopify/Order/13"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ms, answer, err := s.Receive(webhook("orders/updated", body(c.size), map[string]string{headerOrder: "13"}))
			if err != nil || len(ms) != 1 || answer.Status != c.status {
				t.Fatalf("%d messages, answer %d, %v", len(ms), answer.Status, err)
			}
			m := ms[0]
			if (m.Body != nil) != c.kept || m.Key != c.key || len(m.Meta["digest"]) != 64 {
				t.Errorf("kept %v, key %s", m.Body != nil, m.Key)
			}
			if (m.Fault == nil) != (c.fault == "") || m.Fault != nil && !strings.Contains(m.Fault.Text, c.fault) {
				t.Errorf("fault %+v", m.Fault)
			}
		})
	}
	if _, _, err := s.Receive(webhook("orders/updated", body(connector.HardCap+1), map[string]string{headerHmac: vectorSum})); crossdock.CodeOf(err) != crossdock.Unauthorized {
		t.Errorf("a large body with a wrong signature: %v", err)
	}
}

// FuzzReceive holds that no body, header or topic makes the key scan fail, and
// that a key is an order's id or nothing.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(vectorBody), "orders/updated", "12")
	f.Add([]byte(`{"order_edit":{"order_id":12}}`), "orders/edited", "")
	f.Add([]byte(`{"id":12}`), "orders/delete", "")
	f.Add(bytes.Repeat([]byte("["), 20000), "orders/create", "x")
	f.Fuzz(func(t *testing.T, body []byte, topic, header string) {
		key, at := identify(topic, body, header)
		if key != "" && !isGID(key) {
			t.Errorf("key %q", key)
		}
		if at != "" && len(at) != len("2026-11-23T12:44:09Z") {
			t.Errorf("version %q", at)
		}
	})
}

// Two shops of one app sign with one secret. A body that does not name the shop at
// whose door it came is not taken for that shop's: it may cause a look.
func TestSecretOfTwoShops(t *testing.T) {
	body := func(host string) string {
		return `{"admin_graphql_api_id":"gid://shopify/Order/12","currency":"USD","line_items":[],"order_status_url":"https://` + host + `/548380009/orders/1/authenticate?key=a"}`
	}
	for _, c := range []struct {
		name, host string
		shared     bool
		doubt      bool
	}{
		{"one shop, whatever the body names", "other.myshopify.com", false, false},
		{"of this shop", "Tea.myshopify.com", true, false},
		{"of the other", "other.myshopify.com", true, true},
		{"of a domain of one of them", "shop.example.org", true, true},
		{"of no domain", "", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openShop(t, "")
			s.shared = c.shared
			ms, answer, err := s.Receive(webhook("orders/create", body(c.host), nil))
			if err != nil || answer.Status != http.StatusOK || len(ms) != 1 {
				t.Fatalf("%d messages, answer %d, %v", len(ms), answer.Status, err)
			}
			got := s.Translate(ms[0])
			if looks := len(got) == 1 && got[0].Says != nil && len(got[0].Says) == 0 && got[0].Of.Key == gidPrefix+"12"; looks != c.doubt {
				t.Errorf("states %+v", got)
			}
		})
	}
}
