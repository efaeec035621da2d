package connectortest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// The depot is a small outside system over real HTTP: it has items, takes customers
// (a second one of the same name is refused) and orders (a second one is made), and
// sends signed webhooks. Exercise itself is tested with it.

const (
	depotKey    = "depot-key-5d41402abc"
	depotSecret = "depot-webhook-7d793037"
	depotPage   = 3
	depotHeader = "Depot-Signature"
)

// depotServer is the system.
type depotServer struct {
	mu      sync.Mutex
	revoked bool
	clock   int
	rows    []depotRow // by the order of their last change
	now     time.Time
}

type depotRow struct {
	Row
	at int
	of string // the hub's name of it
}

func (d *depotServer) put(of string, r Row) Row {
	d.clock++
	r.Version = version(d.clock)
	if of != "" {
		r.Names = []string{"of:" + of}
	}
	d.rows = slices.DeleteFunc(d.rows, func(o depotRow) bool { return o.Kind == r.Kind && o.Key == r.Key })
	d.rows = append(d.rows, depotRow{r, d.clock, of})
	return r
}

// depotPages is what the depot answers to a pull.
type depotPages struct {
	Rows []Row    `json:"rows"`
	Keys []string `json:"keys"`
	Next string   `json:"next"`
	More bool     `json:"more"`
	High int      `json:"high"` // the newest change there is
}

// depotWrite is what the depot is told to make.
type depotWrite struct {
	Of     string                     `json:"of"`
	Kind   crossdock.Kind             `json:"kind"`
	Fields map[string]json.RawMessage `json:"fields"`
}

func (d *depotServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.revoked || r.Header.Get("Authorization") != "Bearer "+depotKey {
		http.Error(w, `{"error":"who are you?"}`, http.StatusUnauthorized)
		return
	}
	kind, after := crossdock.Kind(r.FormValue("kind")), r.FormValue("after")
	switch r.URL.Path {
	case "/ping":
		fmt.Fprint(w, `{"well":true}`)
	case "/rows":
		answerJSON(w, d.changed(kind, after))
	case "/keys":
		answerJSON(w, d.keys(kind, after))
	case "/row":
		answerJSON(w, d.row(kind, r.FormValue("key"), r.FormValue("of")))
	case "/make":
		d.make(w, r)
	default:
		http.NotFound(w, r)
	}
}

func answerJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	must(err)
	_, _ = w.Write(b) // a client that went away is none of our business
}

func (d *depotServer) changed(kind crossdock.Kind, after string) depotPages {
	from, _ := strconv.Atoi(after) // "" is 0
	p := depotPages{Next: after, High: d.clock}
	for _, r := range d.rows {
		switch {
		case r.Kind != kind || r.at <= from:
		case len(p.Rows) == depotPage:
			p.More = true
			return p
		default:
			p.Rows, p.Next = append(p.Rows, r.Row), strconv.Itoa(r.at)
		}
	}
	return p
}

func (d *depotServer) keys(kind crossdock.Kind, after string) depotPages {
	var all []string
	for _, r := range d.rows {
		if r.Kind == kind && r.Key > after {
			all = append(all, r.Key)
		}
	}
	slices.Sort(all)
	p := depotPages{Keys: all[:min(len(all), depotPage)], More: len(all) > depotPage}
	if len(p.Keys) > 0 {
		p.Next = p.Keys[len(p.Keys)-1]
	}
	return p
}

func (d *depotServer) row(kind crossdock.Kind, key, of string) Row {
	for _, r := range d.rows {
		if r.Kind == kind && (key != "" && r.Key == key || of != "" && r.of == of) {
			return r.Row
		}
	}
	return Row{Kind: kind, Key: key, Gone: true}
}

func (d *depotServer) make(w http.ResponseWriter, r *http.Request) {
	var in depotWrite
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	fields := map[string]any{}
	for name, v := range in.Fields {
		fields[name] = v
	}
	if string(in.Fields["number"]) == `""` || string(in.Fields["name"]) == `""` {
		http.Error(w, `{"error":"it has no name"}`, http.StatusUnprocessableEntity)
		return
	}
	if was := d.row(in.Kind, "", in.Of); in.Kind == crossdock.KindParty && !was.Gone {
		answerJSON(w, was)
		return
	}
	answerJSON(w, d.put(in.Of, Row{Kind: in.Kind, Key: fmt.Sprintf("%s-%04d", in.Kind, d.clock+1), Fields: fields}))
}

func (d *depotServer) locked(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
}

func (d *depotServer) item(key, name string) {
	d.put("", Row{Kind: crossdock.KindItem, Key: key, Fields: map[string]any{"sku": key, "name": name}})
}

// depotType is the type of the depot's connector.
var depotType = connector.Define("depot", "A small system to test the tests of connectors with.",
	connector.Options{Takes: []crossdock.Kind{crossdock.KindParty, crossdock.KindOrder}, Settles: time.Second}, openDepot)

// depotWorld is a depot with two items and a customer in it.
func depotWorld(*testing.T) *World {
	d := &depotServer{now: time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)}
	made := 0
	item := func() string {
		made++
		key := fmt.Sprintf("I%04d", made)
		d.item(key, "item "+key)
		return key
	}
	item()
	item()
	d.put("party/ada", Row{Kind: crossdock.KindParty, Key: "party-0000", Fields: map[string]any{"name": "Ada"}})
	w := &World{
		Handler: d, Secrets: []string{depotKey, depotSecret},
		Open: func(url string, env connector.Env) (connector.Connector, error) {
			return depotType.Open(&depotConfig{URL: url, Key: depotKey, Secret: depotSecret}, env)
		},
		Now:        func() (now time.Time) { d.locked(func() { now = d.now }); return now },
		Advance:    func(by time.Duration) { d.locked(func() { d.now = d.now.Add(by) }) },
		Credential: func(good bool) { d.locked(func() { d.revoked = !good }) },
		Find: func() []crossdock.Ref {
			return []crossdock.Ref{{System: System, Kind: crossdock.KindItem, Key: "I0001"}, crossdock.BookRef(crossdock.KindParty, "ada")}
		},
		Webhooks: &Webhooks{Header: depotHeader, Bodies: [][]byte{Body(Row{Kind: crossdock.KindItem, Key: "I0001", Version: "1", Fields: map[string]any{"name": "one"}})}, Sign: signDepot},
	}
	w.Records = map[crossdock.Kind]Records{crossdock.KindItem: {
		Page: depotPage,
		Make: func(n int) (keys []string) {
			d.locked(func() {
				for range n {
					keys = append(keys, item())
				}
			})
			return keys
		},
		Alter: func(key string) { d.locked(func() { d.item(key, fmt.Sprintf("changed at %d", d.clock)) }) },
		Delete: func(key string) {
			d.locked(func() { d.rows = slices.DeleteFunc(d.rows, func(r depotRow) bool { return r.Key == key }) })
		},
	}}
	for _, kind := range depotType.Takes {
		w.Writes = append(w.Writes, d.write(kind))
	}
	party, order := depotForms("p"), depotForms("o")
	w.Projections = []Projection{{Record: party[crossdock.KindParty], View: crossdock.View{System: System, Of: crossdock.BookRef(crossdock.KindParty, "p")}},
		{Record: order[crossdock.KindOrder], View: crossdock.View{System: System, Of: crossdock.BookRef(crossdock.KindOrder, "o")}}}
	return w
}

// depotForms are canonical records of a key.
func depotForms(key string) map[crossdock.Kind]crossdock.Record {
	party, err := crossdock.Pack(crossdock.Party{Name: "Ada " + key, Phone: "5"})
	must(err)
	order, err := crossdock.Pack(crossdock.Order{Number: key, Currency: "EUR"})
	must(err)
	return map[crossdock.Kind]crossdock.Record{crossdock.KindParty: party, crossdock.KindOrder: order}
}

func (d *depotServer) write(kind crossdock.Kind) Write {
	made := 0
	name := map[crossdock.Kind]string{crossdock.KindParty: "name", crossdock.KindOrder: "number"}[kind]
	return Write{
		Name: "making a " + string(kind), Kind: kind,
		Push: func(n int) (out []crossdock.Push) {
			for range n {
				made++
				of := crossdock.BookRef(kind, fmt.Sprintf("x%d", made))
				want, err := (&Depot{}).Project(depotForms(of.Key)[kind], crossdock.View{System: System, Of: of}, nil)
				must(err)
				out = append(out, crossdock.Push{Of: of, Rev: 1, Want: want.Record, Door: want.Door})
			}
			return out
		},
		Poison: func(p crossdock.Push) crossdock.Push {
			p.Want = p.Want.Clone()
			must(p.Want.Set(name, ""))
			return p
		},
		Effects: func(p crossdock.Push) (n int) {
			d.locked(func() {
				for _, r := range d.rows {
					if r.of == p.Of.Short() {
						n++
					}
				}
			})
			return n
		},
	}
}

func depotSignature(body []byte) string {
	mac := hmac.New(sha256.New, []byte(depotSecret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func signDepot(body []byte) *http.Request {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://hub.example/in/outside", strings.NewReader(string(body)))
	must(err)
	r.Header.Set(depotHeader, depotSignature(body))
	return r
}
