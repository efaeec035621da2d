package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/crossdockhq/crossdock/replay"
	"github.com/crossdockhq/crossdock/sim"
)

// written is a log that a test reads while the hub writes it.
type written struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// TestRefusedCustomerIsNamedNowhere: an Odoo that refuses a customer and says all it
// was given of him leaves his name, e-mail and telephone out of the exception, the
// receipt and the log (I9). A pull that fails with such a text is in the log.
func TestRefusedCustomerIsNamedNowhere(t *testing.T) {
	const name, email, phone = "Zyxwvu", "qqqjjj@example.com", "555-010-9876"
	log := new(written)
	var refusing sync.Once
	refused := make(chan struct{})
	r := newRigBehind(t, slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}), func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			body, err := io.ReadAll(q.Body)
			if err != nil {
				t.Error(err)
			}
			q.Body = io.NopCloser(bytes.NewReader(body))
			said := fmt.Sprintf("%s Smith <%s>, %s, is blocked: '%s' '%s'\nDETAIL:  Failing row contains (%s).", name, email, phone, name, email, phone)
			pull := false
			select {
			case <-refused:
				pull = bytes.Contains(body, []byte(`"stock.warehouse"`))
			default:
			}
			switch {
			case bytes.Contains(body, []byte(`"res.partner","load"`)):
				text, _ := json.Marshal(said)
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":{"ids":false,"messages":[{"type":"error","record":0,"message":%s}]}}`, text)
				refusing.Do(func() { close(refused) })
			case pull:
				text, _ := json.Marshal(said)
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"error":{"code":200,"message":"Odoo Server Error","data":{"name":"odoo.exceptions.UserError","message":%s}}}`, text)
			default:
				h.ServeHTTP(w, q)
			}
		})
	})
	body := bytes.ReplaceAll(sample(t), []byte(`"test": true`), []byte(`"test": false`))
	for old, with := range map[string]string{`"cancelled_at": "2021-12-31T19:00:00-05:00"`: `"cancelled_at": null`, `"cancel_reason": "customer"`: `"cancel_reason": null`, `"first_name": "John"`: `"first_name": "` + name + `"`, "john@example.com": email, "123-123-1234": phone} {
		body = bytes.ReplaceAll(body, []byte(old), []byte(with))
	}
	if !bytes.Contains(body, []byte(name)) || !bytes.Contains(body, []byte(email)) {
		t.Fatal("the sample does not hold the marks")
	}
	r.send("orders/create", body, sim.Secret)
	story := r.story("party/shop-115310627314723954", func(s *replay.Story) bool { return len(s.Exceptions) > 0 })
	told := ""
	for _, x := range story.Exceptions {
		told += x.Text + "\n"
	}
	for _, w := range story.Work {
		told += w.Why + "\n"
	}
	if !strings.Contains(told, "is blocked") {
		t.Fatalf("nobody is told why: %s", told)
	}
	r.story("party/shop-115310627314723954", func(*replay.Story) bool { return strings.Contains(log.String(), "is blocked") })
	for _, mark := range []string{name, "qqqjjj", "9876"} {
		if strings.Contains(strings.ToLower(told), strings.ToLower(mark)) {
			t.Errorf("%q is told: %s", mark, told)
		}
		if strings.Contains(strings.ToLower(log.String()), strings.ToLower(mark)) {
			t.Errorf("%q is in the log: %s", mark, log)
		}
	}
}
