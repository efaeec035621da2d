// Package shopify is a stand-in for one Shopify shop: the Admin GraphQL API and
// the webhooks of version 2026-07 over real HTTP, with a world behind them in
// which people buy, cancel, edit and ship. It keeps state, checks every query against
// Shopify's own schema and refuses what Shopify refuses. It shares no code with
// the connector.
//
// Facts come from the Admin GraphQL schema 2026-07, the webhook schemas and
// samples of 2026-07 and shopify.dev. Where Shopify publishes nothing, the
// comment at that place says what was chosen.
package shopify

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock/sandbox"
)

// Version is the API version the stand-in serves, whatever version is asked for
// (Shopify answers an unsupported version with a supported one and says so in
// X-Shopify-API-Version). The order `serve VERSION` lets it claim another.
const Version = "2026-07"

// Config describes the shop.
type Config struct {
	Shop          string         // domain, such as "tea.myshopify.com"
	Secret        string         // of the app; webhooks are signed with it
	Token         string         // the access token requests must carry
	Currency      string         // ISO 4217; shop and presentment currency; "" is USD
	Zone          *time.Location // of the shop; webhook times have its offset; nil is UTC
	TaxesIncluded bool           // prices contain tax
	Clock         func() time.Time
	Seed          int64
	Hook          string // where webhooks of Topics go: a path, or an absolute URL
	Country       string // ISO 3166 code of the shop's locations; "" is US
	Client        string // the app's client id for /admin/oauth/access_token; "" means "client"

	// Topics are the webhook topics the app's own configuration subscribes to; nil
	// means those of orders made, updated and cancelled and of stock. More can be
	// subscribed to over the API, in addition.
	Topics []string
	// Scopes are what Token and the tokens of /admin/oauth/access_token may do;
	// nil means everything.
	Scopes []string
	// Retries are the waits before each further try of a delivery that failed;
	// nil means 8 tries over 4 hours. Shopify publishes the number and the sum,
	// not the steps.
	Retries []time.Duration
	// Restore is how many cost points the API gives back a second; the bucket
	// holds 20 times as many. 0 means 100, the Standard plan.
	Restore int
}

// Server is the shop. It is an http.Handler for the Admin API and safe for
// several goroutines. It starts none.
type Server struct {
	Config

	mu         sync.Mutex
	rand       *rand.Rand
	lastID     uint64
	lastNumber int
	requests   int
	calls      map[string]int

	locations []*location
	products  []*product
	levels    map[levelKey]*level
	customers []*customer
	orders    []*order // as they were made
	byNumber  map[int]*order
	idempotent
	bucket
	outbox
	keys
	bulks
	weather

	// What follows from orders and what is asked for over the API draws its ids and
	// its chance apart, so that a world without it is what it always was.
	lastLater        uint64
	side             *rand.Rand
	fulfilOrdersByID map[uint64]*fulfilOrder
	fulfilmentsByID  map[uint64]*fulfilment
	subscriptions    []*subscription
}

// New returns a shop without products, locations or orders.
func New(c Config) *Server {
	if c.Currency == "" {
		c.Currency = "USD"
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Retries == nil {
		c.Retries = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute,
			15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour}
	}
	if c.Topics == nil {
		c.Topics = presetTopics()
	}
	if c.Country == "" {
		c.Country = "US"
	}
	if c.Client == "" {
		c.Client = "client"
	}
	if c.Restore == 0 {
		c.Restore = 100
	}
	s := &Server{Config: c, rand: sandbox.Rand(c.Seed), calls: map[string]int{}, levels: map[levelKey]*level{}, byNumber: map[int]*order{}}
	s.lastID = 1<<53 + 1
	s.lastNumber = 1000
	s.outbox.byID = map[string]*hook{}
	s.lastLater, s.side = 1<<54+1, sandbox.Rand(c.Seed^0x5eed)
	s.fulfilOrdersByID, s.fulfilmentsByID = map[uint64]*fulfilOrder{}, map[uint64]*fulfilment{}
	s.access, s.refresh = map[string]*grant{}, map[string]*grant{}
	s.takes, s.served = 3*time.Second, Version
	s.idempotent.kept = map[string]kept{}
	s.bucket.level, s.bucket.at = float64(20*c.Restore), c.Clock()
	return s
}

var endpoint = regexp.MustCompile(`^/admin/api/[^/]+/graphql\.json$`)

// ServeHTTP answers the Admin API, /admin/oauth/access_token and, at /bulk/, the
// results of bulk operations.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.requests++
	w.Header().Set("X-Request-Id", fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(s.Seed), s.requests))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Shopify-API-Version", s.served)
	switch {
	case strings.HasPrefix(r.URL.Path, "/bulk/"):
		w.Header().Del("X-Shopify-API-Version")
		s.bulkFile(w, r)
	case s.storm(w):
	case r.URL.Path == "/admin/oauth/access_token" && r.Method == http.MethodPost:
		s.token(w, r)
	case !endpoint.MatchString(r.URL.Path) || r.Method != http.MethodPost:
		answer(w, http.StatusNotFound, map[string]any{"errors": "Not Found"})
	case !s.mayEnter(r.Header.Get("X-Shopify-Access-Token")):
		s.calls["unauthorized"]++
		answer(w, http.StatusUnauthorized, map[string]any{
			"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"})
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		// Shopify takes application/graphql too; the stand-in takes JSON only.
		answer(w, http.StatusUnsupportedMediaType, map[string]any{"errors": "Content-Type must be application/json"})
	default:
		s.base = baseOf(r)
		s.graphql(w, r)
	}
}

// baseOf is the address a client used, for URLs of our own.
func baseOf(r *http.Request) string {
	switch {
	case r.URL.Scheme != "":
		return r.URL.Scheme + "://" + r.Host
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_, _ = w.Write(marshal(v)) // a client that went away is not an error of ours
}

// marshal writes JSON as Shopify does, without escaping <, > and &.
func marshal(v any) []byte {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("shopify stand-in: an answer can't be written: %v", err))
	}
	return []byte(strings.TrimSuffix(out.String(), "\n"))
}

// Calls counts what clients asked for: the root fields of the operations that
// ran ("order", "inventorySetQuantities", …), and "unauthorized", "invalid" and
// "throttled" for requests that were refused.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.calls))
	for name, n := range s.calls {
		out[name] = n
	}
	return out
}

// id gives a new numeric id. All are odd and above 2^53, so that a client that
// reads one as a float reads another (Shopify's ids are 64 bit).
func (s *Server) id() uint64 {
	s.lastID += 2
	return s.lastID
}

// uuid gives a new seeded id in the shape of a UUID of version 4.
func (s *Server) uuid() string {
	hi, lo := s.rand.Uint64(), s.rand.Uint64()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(0xc<<60) | 0x8<<60
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}

// now is the shop's time, in seconds as Shopify keeps it.
func (s *Server) now() time.Time { return s.Clock().UTC().Truncate(time.Second) }

func gid(kind string, id uint64) string { return fmt.Sprintf("gid://shopify/%s/%d", kind, id) }
