// Package odoo is a stand-in for a real Odoo server: stateful, strict, and
// speaking Odoo's own JSON-RPC (/jsonrpc) as versions 16, 18 and 19 do, and
// JSON-2 (/json/2) as 19 does. It
// knows the models an integration uses (orders, customers, products, stock,
// transfers, taxes) and is judged by recordings of real servers (judge_test.go).
// What it does not know it refuses with the error class
// crossdock.sandbox.NotSupported; it never guesses an answer.
package odoo

import (
	"fmt"
	"maps"
	"math/rand"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Config says which Odoo to stand in for.
type Config struct {
	Version  int    // 16, 18 or 19
	Database string // the only database there is
	User     string // login of the administrator (uid 2)
	Password string // its password; AddAPIKey adds keys that stand in for it
	Clock    func() time.Time
	// Seed feeds the microseconds of transaction starts when Clock gives whole
	// seconds: a real database always has them, and cursors depend on it.
	Seed int64
	// NoDelivery is an Odoo without its module for delivery (delivery on 16,
	// stock_delivery later): transfers have neither carrier nor tracking.
	NoDelivery bool
}

// Server is one Odoo database behind an http.Handler. All methods may be called
// at any time from any goroutine; each request is one transaction.
type Server struct {
	cfg Config
	v   *version

	mu      sync.Mutex
	db      *store
	models  map[string]*model
	others  map[string]bool // real models that are not modelled
	random  *rand.Rand
	began   time.Time // start of the last transaction
	earlier []time.Duration
	calls   map[string]int
	spoken  map[string]int // calls by protocol
	rejects map[string]int
	contend map[string]int
	apiKeys map[string]bool
}

// New returns a server that holds what a fresh Odoo holds: one company, its
// currency, countries, units of measure, a price list, the administrator. It
// has no warehouse: the first AddWarehouse makes the default one. New panics on
// a version other than 16, 18 and 19, and starts nothing.
func New(cfg Config) *Server {
	s := empty(cfg)
	if err := s.person(func(e *env) { e.freshDatabase() }); err != nil {
		panic(err) // a defect of the stand-in: nothing a caller said can be wrong yet
	}
	return s
}

// empty is a server whose tables are all empty.
func empty(cfg Config) *Server {
	v := versions[cfg.Version]
	if v == nil {
		panic("sandbox/odoo: Config.Version must be 16, 18 or 19")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &Server{
		cfg: cfg, v: v, db: newStore(), others: map[string]bool{},
		random: rand.New(rand.NewSource(cfg.Seed)),
		calls:  map[string]int{}, spoken: map[string]int{}, rejects: map[string]int{}, contend: map[string]int{}, apiKeys: map[string]bool{},
	}
	s.models = buildModels(v)
	if cfg.NoDelivery {
		s.models["stock.picking"].lack("carrier_id", "carrier_tracking_ref")
	}
	for _, name := range readRecordedFields()[v.serie[:2]].Others {
		s.others[name] = true
	}
	return s
}

// begin is the start of a new transaction: the clock, made strictly later than
// the transaction before it by microseconds.
func (s *Server) begin() time.Time {
	now := s.cfg.Clock().UTC().Truncate(time.Microsecond)
	if now.Nanosecond() == 0 {
		now = now.Add(time.Duration(1+s.random.Intn(1000)) * time.Microsecond)
	}
	if !now.After(s.began) && s.began.Sub(now) < time.Second {
		now = s.began.Add(time.Duration(1+s.random.Intn(20)) * time.Microsecond)
	}
	s.began = now
	if len(s.earlier) > 0 {
		now = now.Add(-s.earlier[0])
		s.earlier = s.earlier[1:]
	}
	return now
}

// bugName is the error class of a request the stand-in itself broke on; nothing
// of the request is kept.
const bugName = "crossdock.sandbox.Bug"

// run carries out one transaction as user uid and undoes it when do raises a
// fault or breaks.
func (s *Server) run(uid int, context map[string]any, do func(e *env)) (f *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mark, done := s.db.mark(), false
	defer func() {
		if r := recover(); r != nil {
			f = &fault{Name: bugName, Message: fmt.Sprintf("the Odoo stand-in broke on this request: %v\n%s", r, debug.Stack())}
		}
		if !done {
			s.db.rollback(mark)
		}
	}()
	f = caught(func() {
		e := &env{s: s, db: s.db, v: s.v, uid: uid, ctx: context, now: s.begin()}
		e.setCompanies()
		do(e)
	})
	if f == nil {
		s.db.commit()
		done = true
	}
	return f
}

// person acts as the administrator; a fault is returned as an error.
func (s *Server) person(do func(e *env)) error {
	if f := s.run(adminUser, map[string]any{}, do); f != nil {
		return f
	}
	return nil
}

const adminUser = 2

// setCompanies takes the companies from the context, or all of the user's with
// his default one first; an empty list behaves like none (multi recordings).
func (e *env) setCompanies() {
	user := e.db.table("res.users").rows[e.uid]
	own, _ := user["company_ids"].([]int)
	first, _ := user["company_id"].(int)
	e.companies = append([]int{first}, slices.DeleteFunc(slices.Clone(own), func(c int) bool { return c == first })...)
	asked := toIDs(e.ctx["allowed_company_ids"])
	if len(asked) == 0 {
		return
	}
	for _, c := range asked {
		if !slices.Contains(own, c) {
			refuse("AccessError", "Access to unauthorized or invalid companies.")
		}
	}
	e.companies, e.explicit = asked, true
}

// Calls counts the calls of the object service so far by "model.method",
// refused and failed ones included.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// Spoken counts the calls of models' methods so far by the protocol they came in:
// "jsonrpc" or "json2". What is refused before it reaches a model is not counted.
func (s *Server) Spoken() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.spoken)
}

// ResetCalls sets every count of Calls back to zero.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
}

// Reject makes the next times calls of the model's method fail with a UserError
// before anything is done; for load the answer is ids false and one error message.
func (s *Server) Reject(model, method string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejects[model+"."+method] += times
}

// Contend makes the next times loads of the model lose a race against another
// transaction: nothing is kept and the answer is HTTP 200 with ids false and
// "could not serialize access due to concurrent update" (race recordings).
func (s *Server) Contend(model string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contend[model] += times
}

// BeganEarlier makes the next transaction one that began that long before it
// commits: its write_date lies before rows that were visible already (Odoo 18
// recording: a create of 4.3 s). Calls add up: one per transaction, in order.
func (s *Server) BeganEarlier(before time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlier = append(s.earlier, before)
}

// AddAPIKey lets key stand in for the administrator's password on /jsonrpc, and
// be the bearer of /json/2, which takes keys only.
func (s *Server) AddAPIKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiKeys[key] = true
}

// RevokeAPIKey takes a key back; calls with it are refused with AccessDenied, on
// /json/2 with HTTP 401.
func (s *Server) RevokeAPIKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apiKeys, key)
}
