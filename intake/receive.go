// Package intake is the room where things arrive: it checks that a message is
// genuine and bounded, files it, and answers. It understands nothing. It also
// pulls, on a schedule, what systems do not send by themselves.
package intake

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/store"
)

// Prefix is the path under which each connection has its door: /in/<connection>.
const Prefix = "/in/"

// Counts are what happened at the door since the start.
type Counts struct {
	Filed    atomic.Int64 // messages on disk
	Faulty   atomic.Int64 // of these: genuine and not to be translated
	Unsigned atomic.Int64 // refused: not genuine, nothing filed
	Refused  atomic.Int64 // refused for another reason, nothing filed
}

// Receive is the HTTP door of all connections that receive.
type Receive struct {
	Journal    store.Journal
	Connectors map[crossdock.System]connector.Connector
	Now        func() time.Time
	Log        *slog.Logger
	Filed      func()          // called after something was filed; may be nil
	Broken     func(err error) // called when the disk did not keep what was written: the process must stop
	Patience   time.Duration   // how long a large body waits before one that comes too slowly has to make room; zero: 10 s
	Counts     Counts

	room room
}

// ServeHTTP implements http.Handler. Whatever was acknowledged with 2xx is on disk (I1).
func (in *Receive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	system := crossdock.System(strings.TrimPrefix(r.URL.Path, Prefix))
	c, ok := in.Connectors[system].(connector.Receiver)
	if !ok {
		in.refuse(w, r, http.StatusNotFound, "no connection of this name receives messages")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		in.refuse(w, r, http.StatusMethodNotAllowed, "messages are posted")
		return
	}
	leave, err := in.room.enter(w, r, cmp.Or(in.Patience, patience))
	if err != nil {
		in.refuse(w, r, http.StatusRequestTimeout, "there was no room to read it in time")
		return
	}
	defer leave()
	messages, answer, err := c.Receive(r)
	var late net.Error
	switch {
	case crossdock.CodeOf(err) == crossdock.Unauthorized:
		in.Counts.Unsigned.Add(1)
		in.Log.Warn("unsigned message refused", "connection", system, "reason", err)
		http.Error(w, "not signed by this connection's secret", http.StatusUnauthorized)
		return
	case errors.As(err, &late) && late.Timeout():
		in.refuse(w, r, http.StatusRequestTimeout, err.Error())
		return
	case crossdock.CodeOf(err) == crossdock.Internal:
		in.Counts.Refused.Add(1)
		in.Log.Error("a message could not be read", "connection", system, "error", err)
		http.Error(w, "not filed", http.StatusInternalServerError)
		return
	case err != nil: // the sender hung up or spoke no HTTP
		in.refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	in.check(system, messages)
	if !in.file(w, r, messages) {
		return
	}
	if answer.Status == http.StatusRequestEntityTooLarge {
		http.Error(w, "larger than this hub keeps; its digest was filed", answer.Status)
		return
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body)
}

// check marks genuine messages that must not be translated. One whose connector
// has found a fault, such as a body beyond the hard cap, is marked already.
func (in *Receive) check(system crossdock.System, messages []crossdock.Message) {
	for i := range messages {
		m := &messages[i]
		m.From = system
		if m.Fault == nil {
			m.Fault = CheckJSON(m.Body)
		}
		if m.Fault != nil {
			in.Counts.Faulty.Add(1)
		}
	}
}

// file puts the messages on disk and answers where that can't be done.
func (in *Receive) file(w http.ResponseWriter, r *http.Request, messages []crossdock.Message) bool {
	now := in.Now()
	var f store.Filing
	for _, m := range messages {
		f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: crossdock.Urgent, At: now, Body: m})
	}
	err := in.Journal.File(r.Context(), f)
	switch {
	case err == nil:
		in.Counts.Filed.Add(int64(len(messages)))
		if in.Filed != nil {
			in.Filed()
		}
		return true
	case errors.Is(err, store.ErrFull):
		in.Log.Error("the disk is full: messages are refused until there is room", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "30")
		http.Error(w, "the disk is full; try again later", http.StatusServiceUnavailable)
	case errors.Is(err, store.ErrAway):
		in.Log.Error("the store is away: messages are refused until it is back", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the store is away; try again later", http.StatusServiceUnavailable)
	default:
		in.Log.Error("a message could not be filed", "path", r.URL.Path, "error", err)
		http.Error(w, "not filed", http.StatusInternalServerError)
		if errors.Is(err, store.ErrBroken) && in.Broken != nil {
			in.Broken(err)
		}
	}
	return false
}

func (in *Receive) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	in.Counts.Refused.Add(1)
	in.Log.Warn("message refused", "path", r.URL.Path, "status", status, "reason", why)
	http.Error(w, why, status)
}
