package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/replay"
)

// listenSocket binds the socket of a hub; one that a crash has left behind is
// replaced. The directory's lock is held already, so no other hub listens on it.
func listenSocket(ctx context.Context, path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, crossdock.Errorf(crossdock.Unavailable, "replace the socket: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "bind the socket %s (its path may have about 100 characters): %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(crossdock.Errorf(crossdock.Unavailable, "protect the socket: %w", err), l.Close())
	}
	return l, nil
}

// private is what the socket answers.
func (h *Hub) private() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/trace", func(w http.ResponseWriter, r *http.Request) {
		story, err := replay.Trace(r.Context(), h.store, r.URL.Query().Get("of"))
		reply(w, story, err)
	})
	mux.HandleFunc("GET /v1/entry", func(w http.ResponseWriter, r *http.Request) {
		seq, err := strconv.ParseInt(r.URL.Query().Get("seq"), 10, 64)
		if err != nil {
			reply(w, nil, crossdock.Errorf(crossdock.Invalid, "the number of an entry is none: %w", err))
			return
		}
		filed, err := replay.Entry(r.Context(), h.store, seq)
		reply(w, filed, err)
	})
	mux.HandleFunc("POST /v1/exceptions", func(w http.ResponseWriter, r *http.Request) {
		var a replay.Asked
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&a); err != nil {
			reply(w, nil, crossdock.Errorf(crossdock.Invalid, "what is asked is no JSON: %w", err))
			return
		}
		list, err := replay.Exceptions(r.Context(), h.store, a)
		reply(w, list, err)
	})
	mux.HandleFunc("GET /v1/work", func(w http.ResponseWriter, r *http.Request) {
		list, err := replay.List(r.Context(), h.store, crossdock.System(r.URL.Query().Get("connection")))
		reply(w, list, err)
	})
	mux.HandleFunc("GET /v1/door", func(w http.ResponseWriter, _ *http.Request) {
		c := &h.house.Receive.Counts
		reply(w, DoorCounts{Filed: c.Filed.Load(), Faulty: c.Faulty.Load(), Unsigned: c.Unsigned.Load(), Refused: c.Refused.Load()}, nil)
	})
	mux.HandleFunc("POST /v1/actions", func(w http.ResponseWriter, r *http.Request) {
		var all []crossdock.Action
		if err := json.NewDecoder(io.LimitReader(r.Body, 4<<20)).Decode(&all); err != nil {
			reply(w, nil, crossdock.Errorf(crossdock.Invalid, "the actions are no JSON: %w", err))
			return
		}
		bodies := make([]crossdock.Body, len(all))
		for i, a := range all {
			bodies[i] = a
		}
		reply(w, struct{}{}, h.house.FileAll(r.Context(), bodies))
	})
	return mux
}

func reply(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		v = crossdock.FaultOf(err)
	}
	_ = json.NewEncoder(w).Encode(v) // it fails only when whoever asked has gone
}
