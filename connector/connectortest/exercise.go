package connectortest

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Clause is one sentence of what a connector is.
type Clause struct {
	Name string
	Says string
	Door string // the door it is about; "" for all connectors
	has  func(connector.Connector) bool
	hold func(*trial)
}

// Clauses lists what Exercise demands.
func Clauses() []Clause { return clauses }

var clauses = []Clause{
	{"subject", "The test of a connector gives a world for each of its doors: records of every kind it pulls, pushes of every kind it takes.", "", everyone, subject},
	{"ping", "Ping answers, and says Unauthorized once the credential is no good any more.", "", everyone, ping},
	{"cancel", "A call whose context is cancelled ends soon.", "", everyone, cancelled},
	{"throttled", "A 429 is Throttled, with the time the system asked to wait, and no push has an effect.", "", everyone, throttled},
	{"away", "A system that is away, hangs, resets or is a page of HTML is Unavailable; a push is Ambiguous instead where something may have left, never where nothing can have.", "", everyone, away},
	{"credential", "With an expired credential every call is Unauthorized.", "", everyone, credential},
	{"secret", "No secret is in an error, a receipt, a message or the log.", "", everyone, secret},
	{"leak", "Nothing stays behind: no goroutine, no connection that is in use.", "", everyone, leak},

	{"pure", "Translate says the same of the same message, and leaves the message alone.", "Translator", isTranslator, pure},
	{"total", "Translate takes any body: it never panics, and what can't be used is a Fault that names its record.", "Translator", isTranslator, total},
	{"one each", "A message gives one statement per record, of the system it came from.", "Translator", isTranslator, oneEach},
	{"any order", "Messages that come twice or in another order are translated as they were the first time.", "Translator", isTranslator, anyOrder},
	{"unknown fields", "A member nobody knows changes no statement.", "Translator", isTranslator, unknownFields},

	{"zero cursor", "A pull from the zero cursor gives everything, also where the last page is exactly full, and ends.", "Puller", isPuller, zeroCursor},
	{"resume", "From every cursor a pull goes on, in another process too, and skips nothing.", "Puller", isPuller, resume},
	{"paging", "What is changed, made or deleted while a pull turns pages is not skipped, nor is what changes after it ended.", "Puller", isPuller, paging},
	{"keys", "Keys lists everything there is, also when something is deleted while it turns pages, and nothing that was deleted before.", "Lister", isLister, keys},
	{"find", "Find answers every ref with one message in their order, also one that is asked for twice, and those that are not there with Gone.", "Finder", isFinder, find},

	{"genuine", "A genuine request is filed word for word and answered with a 2xx status.", "Receiver", isReceiver, genuine},
	{"signature", "A request that is not signed, or not signed so, is Unauthorized and gives nothing.", "Receiver", isReceiver, signature},
	{"bounds", "A body beyond the limit is filed with a Fault, beyond the hard cap answered with 413; one that breaks off is an error; one that is no JSON is filed and gives a Fault.", "Receiver", isReceiver, bounds},

	{"project", "Project is pure: it wants the same for the same, and leaves record and view alone.", "Pusher", isPusher, project},
	{"receipts", "A batch has one receipt for each push, in their order, whatever goes wrong; one that is OK has the key and what the system holds.", "Pusher", isPusher, receipts},
	{"poison", "One bad record in a batch fails alone, wherever it stands, and not as something to be tried again as it is.", "Pusher", isPusher, poison},
	{"second send", "A second send ends as its door declares: refused has no second effect, found is seen by a look.", "Pusher", isPusher, secondSend},
	{"answer lost", "Where the system did it and the answer was lost, the receipt is Ambiguous or true: never a failure, and the same push again has no second effect.", "Pusher", isPusher, answerLost},
	{"expired within", "A credential that expires within a batch leaves the rest Unauthorized; what was done is never called failed.", "Pusher", isPusher, expiredWithin},
}

func everyone(connector.Connector) bool       { return true }
func isTranslator(c connector.Connector) bool { _, ok := c.(connector.Translator); return ok }
func isPuller(c connector.Connector) bool     { _, ok := c.(connector.Puller); return ok }
func isLister(c connector.Connector) bool     { _, ok := c.(connector.Lister); return ok }
func isFinder(c connector.Connector) bool     { _, ok := c.(connector.Finder); return ok }
func isReceiver(c connector.Connector) bool   { _, ok := c.(connector.Receiver); return ok }
func isPusher(c connector.Connector) bool     { _, ok := c.(connector.Pusher); return ok }

// Exercise holds a connector against every clause, each a subtest. A clause about a
// door the connector has not is not asked, and says so.
func Exercise(t *testing.T, s Subject) {
	for _, c := range clauses {
		t.Run(c.Name, func(t *testing.T) {
			problems, has := c.test(t, s)
			if !has {
				t.Logf("not asked: the connector %s is no %s", s.Type.Name, c.Door)
			}
			for _, p := range problems {
				t.Error(p)
			}
		})
	}
}

// test holds a connector against one clause. It returns what is wrong, and false
// for a connector that has not the door.
func (c Clause) test(t *testing.T, s Subject) (problems []string, has bool) {
	x := &trial{t: t, s: s, seen: map[string]bool{}}
	st := x.stage()
	has = c.has(st.conn)
	if !has || len(x.problems) > 0 {
		x.end()
		return x.problems, has
	}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(stop{}) {
				x.wrong("it panics: %v\n%s", r, debug.Stack())
			}
		}()
		c.hold(x)
	}()
	x.end()
	return x.problems, true
}

// trial is one connector before one clause.
type trial struct {
	t        *testing.T
	s        Subject
	problems []string
	seen     map[string]bool
	stages   []*stage
}

// most bounds what is said of one clause.
const most = 12

// wrong notes what the connector does wrong.
func (x *trial) wrong(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	if !x.seen[text] && len(x.problems) < most {
		x.seen[text] = true
		x.problems = append(x.problems, text)
	}
}

type stop struct{}

// need ends the clause where it can't go on.
func (x *trial) need(err error, format string, a ...any) {
	if err != nil {
		x.wrong("%s: %v", fmt.Sprintf(format, a...), err)
		panic(stop{})
	}
}

// stage is a world with the connector in it, and the proxy between them.
type stage struct {
	*trial
	w         *World
	p         *proxy
	conn      connector.Connector
	transport *http.Transport
}

// stage sets up a new world with a connector to it.
func (x *trial) stage() *stage {
	w := x.s.World(x.t)
	st := &stage{trial: x, w: w, p: newProxy(w.Handler)}
	x.stages = append(x.stages, st)
	st.open()
	return st
}

// open makes another connector to the same world, as after a restart.
func (st *stage) open() {
	if st.transport != nil {
		st.transport.CloseIdleConnections()
	}
	st.transport = &http.Transport{MaxIdleConnsPerHost: 4}
	c, err := st.w.Open(st.p.url, connector.Env{System: System, Transport: st.transport, Now: st.w.Now})
	if err != nil {
		st.t.Fatalf("the connector can't be opened: %v", err)
	}
	st.conn = c
}

func (x *trial) end() {
	for _, st := range x.stages {
		st.close()
	}
	x.stages = nil
}

func (st *stage) close() {
	st.p.close()
	st.transport.CloseIdleConnections()
}

// patience bounds a call that has no reason to take long.
const patience = 30 * time.Second

func (st *stage) ctx() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// call is one way into the connector that asks the system.
type call struct {
	name string
	read bool // has no effect, so its errors are never Ambiguous
	do   func(context.Context) error
}

// calls returns every read the connector has doors for. They are made of what is
// there now.
func (st *stage) calls() []call {
	out := []call{{"Ping", true, st.conn.Ping}}
	if p, ok := st.conn.(connector.Puller); ok {
		for _, k := range p.Kinds() {
			out = append(out, call{"Pull " + string(k), true, func(ctx context.Context) error {
				_, err := p.Pull(ctx, k, "")
				return err
			}})
			if l, ok := st.conn.(connector.Lister); ok {
				out = append(out, call{"Keys " + string(k), true, func(ctx context.Context) error {
					_, err := l.Keys(ctx, k, "")
					return err
				}})
			}
		}
	}
	if f, ok := st.conn.(connector.Finder); ok {
		if refs := st.there(); len(refs) > 0 {
			out = append(out, call{"Find", true, func(ctx context.Context) error {
				_, err := f.Find(ctx, refs)
				return err
			}})
		}
	}
	return out
}

// there returns refs of records that are there.
func (st *stage) there() []crossdock.Ref {
	if st.w.Find == nil {
		return nil
	}
	return st.w.Find()
}

// through returns the connector as one that has a door; the clause is about such.
func through[Door any](st *stage) Door {
	d, ok := st.conn.(Door)
	if !ok {
		panic(fmt.Sprintf("a clause is held against a %T, which has not the door %T", st.conn, &d))
	}
	return d
}

// push sends a batch and returns the receipts by push. A receipt that is missing, or
// about another push, is nil: the clause "receipts" is about that.
func (st *stage) push(ctx context.Context, batch []crossdock.Push) []*crossdock.Receipt {
	got := through[connector.Pusher](st).Push(ctx, batch)
	out := make([]*crossdock.Receipt, len(batch))
	for i, p := range batch {
		for j := range got {
			if got[j].Of == p.Of && got[j].Rev == p.Rev {
				out[i] = &got[j]
			}
		}
	}
	return out
}

// writes runs do for each write of the world, on a stage of its own.
func (x *trial) writes(do func(*stage, Write)) {
	for i := range x.stages[0].w.Writes {
		st := x.stage()
		if _, ok := st.conn.(connector.Pusher); !ok {
			return
		}
		do(st, st.w.Writes[i])
	}
}
