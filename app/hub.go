// Package app builds the house and lives in it: it opens store and connectors,
// runs the rooms, listens for messages and for the command line, and ends in
// order. Tests embed the whole program through it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/house"
	"github.com/crossdockhq/crossdock/intake"
	"github.com/crossdockhq/crossdock/store"
)

// Times of the hub's own making; what is configurable is in crossdock.yaml.
const (
	reconcileEvery = 15 * time.Minute
	grace          = 10 * time.Second // what is under way may end within it
)

// SocketName is the name of the socket in the data directory through which the
// command line speaks to a running hub. Only the user who runs the hub may.
const SocketName = "crossdock.sock"

// Hub is one running crossdock.
type Hub struct {
	cfg      *config.Config
	log      *slog.Logger
	store    store.Store
	lock     io.Closer // of the data directory; nil: the store holds it
	house    *house.House
	listener net.Listener
	socket   net.Listener
	broken   chan error
}

// Open opens the store and the connectors, binds listener and socket, and files
// the configuration when it has changed. It sends nothing to anybody. Errors have
// the code Unavailable where the machine is in the way: a port in use, a directory
// of another hub.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (_ *Hub, err error) {
	h := &Hub{cfg: cfg, log: log, broken: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	if h.store, err = openStore(ctx, cfg, config.Lookup{}, false); err != nil {
		return nil, err
	}
	owner, err := h.enter(ctx)
	if err != nil {
		return nil, err
	}
	conns := map[crossdock.System]connector.Connector{}
	pull := map[crossdock.System]time.Duration{}
	for _, c := range cfg.Connections {
		conn, err := c.Open(connector.Env{Now: time.Now})
		if err != nil {
			return nil, cfg.Wrong(c, err)
		}
		conns[c.System], pull[c.System] = conn, c.Pull
	}
	h.house = house.New(house.Options{
		Store: h.store, Setup: cfg.Setup(), Connectors: conns, Pull: pull, Reconcile: reconcileEvery, Now: time.Now, Log: log, Owner: owner,
		Broken: func(err error) {
			select {
			case h.broken <- err:
			default:
			}
		},
	})
	if h.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen); err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "listen on %s (listen in %s): %w", cfg.Listen, cfg.Name, err)
	}
	if h.socket, err = listenSocket(ctx, filepath.Join(cfg.Data, SocketName)); err != nil {
		return nil, err
	}
	return h, h.house.Open(ctx)
}

// Address returns where messages are received, for instance 127.0.0.1:8300.
func (h *Hub) Address() string { return h.listener.Addr().String() }

// Close ends a hub that is not running. It may be called twice.
func (h *Hub) Close() error {
	var err error
	for _, l := range []net.Listener{h.listener, h.socket} {
		if l != nil {
			if e := l.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
				err = errors.Join(err, e)
			}
		}
	}
	if h.store != nil {
		err = errors.Join(err, h.store.Close())
	}
	if h.lock != nil {
		err = errors.Join(err, h.lock.Close())
		h.lock = nil
	}
	return err
}

// Run works until the context ends: then the door closes first, what was received
// is filed, rooms end their step, and the store is closed. A disk that does not
// keep what is written ends the hub with store.ErrBroken.
func (h *Hub) Run(ctx context.Context) error {
	group, inside := errgroup.WithContext(ctx)
	public := &http.Server{Handler: h.public(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug)}
	private := &http.Server{Handler: h.private(), ReadHeaderTimeout: 5 * time.Second}
	group.Go(func() error { return serve(public, h.listener) })
	group.Go(func() error { return serve(private, h.socket) })
	for _, room := range h.house.Rooms() {
		group.Go(func() error { return store.Loop(inside, room.Name, room.Wake, h.told(room)) })
	}
	if l, ok := h.store.(store.Listener); ok {
		group.Go(func() error { return l.Listen(inside, h.house.Wake) })
	}
	group.Go(func() error {
		select {
		case err := <-h.broken:
			return err
		case <-inside.Done():
			return nil
		}
	})
	group.Go(func() error {
		<-inside.Done()
		closing, cancel := context.WithTimeout(context.WithoutCancel(inside), grace)
		defer cancel()
		return errors.Join(public.Shutdown(closing), private.Shutdown(closing))
	})
	h.log.Info("crossdock serves", "address", h.Address(), "data", h.cfg.Data, "store", h.cfg.Store.String())
	ended := make(chan error, 1)
	go func() { ended <- group.Wait() }()
	var err error
	select {
	case err = <-ended:
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if err := h.house.Leave(leaving); err != nil {
			h.log.Warn("leases could not be given back: other nodes wait until they end", "error", err)
		}
	case <-after(inside, grace+time.Second):
		h.log.Warn("a call outside is still under way: its outcome is found out at the next start")
		if ctx.Err() == nil { // it was not told to end
			err = context.Cause(inside)
		}
	}
	if err != nil {
		h.log.Error("crossdock ends", "error", err)
	} else {
		h.log.Info("crossdock ends")
	}
	return errors.Join(err, h.Close())
}

// told logs each step that did something, for serve -v.
func (h *Hub) told(room house.Room) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		began := time.Now()
		did, err := room.Step(ctx)
		if did {
			h.log.Debug("a step was done", "room", room.Name, "took", time.Since(began))
		}
		return did, err
	}
}

// after returns a channel that is closed some time after the context has ended.
func after(ctx context.Context, wait time.Duration) <-chan struct{} {
	done := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(wait, func() { close(done) }) })
	return done
}

func serve(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listen on %s: %w", l.Addr(), err)
	}
	return nil
}

// public is what the outside reaches: the doors of the connections, and a word
// that the hub is there.
func (h *Hub) public() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(intake.Prefix, h.house.Receive)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	return mux
}
