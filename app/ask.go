package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/replay"
	"github.com/crossdockhq/crossdock/store"
)

// Asked is a hub that answers the command line, whether it runs or not.
type Asked interface {
	Trace(ctx context.Context, ref string) (*replay.Story, error)
	// Entry returns one entry as it was filed.
	Entry(ctx context.Context, seq int64) (*replay.Filed, error)
	Exceptions(ctx context.Context, a replay.Asked) (replay.Listed, error)
	Work(ctx context.Context, system crossdock.System) ([]replay.Work, error)
	// Act files what a person decided, all of it or, with an error, the first of it;
	// the running hub does it, or the next one that starts.
	Act(ctx context.Context, all []crossdock.Action) error
	// Door returns what happened at the door since the hub started; ok is false for
	// a hub that does not run.
	Door(ctx context.Context) (counts DoorCounts, ok bool, err error)
	Close() error
}

// DoorCounts are the messages that came to the door since the hub started.
type DoorCounts struct {
	Filed    int64 `json:"filed"`
	Faulty   int64 `json:"faulty"`   // of these: genuine, and not to be used
	Unsigned int64 `json:"unsigned"` // refused: not genuine; nothing of them is kept
	Refused  int64 `json:"refused"`  // refused for another reason
}

// Ask returns the hub of a configuration: the one that runs on this machine through
// the socket in its data directory, else its store, read as it is. The address of a
// database is looked up in env.
func Ask(ctx context.Context, cfg *config.Config, env config.Lookup) (Asked, error) {
	r := &running{path: filepath.Join(cfg.Data, SocketName)}
	r.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", r.path)
	}}}
	if conn, err := new(net.Dialer).DialContext(ctx, "unix", r.path); err == nil {
		return r, conn.Close()
	}
	if _, err := os.Stat(cfg.Data); !cfg.Store.Postgres() && errors.Is(err, fs.ErrNotExist) {
		return nil, crossdock.Errorf(crossdock.Unavailable, "there is no data directory %s: start the hub once with crossdock serve, or name the configuration with -c", cfg.Data)
	}
	s, err := openStore(ctx, cfg, env, true)
	if err != nil {
		return nil, err
	}
	return &stopped{cfg: cfg, env: env, store: s}, nil
}

// stopped answers from the store of a hub that does not run here.
type stopped struct {
	cfg   *config.Config
	env   config.Lookup
	store store.Store
}

func (s *stopped) Trace(ctx context.Context, ref string) (*replay.Story, error) {
	return replay.Trace(ctx, s.store, ref)
}

func (s *stopped) Entry(ctx context.Context, seq int64) (*replay.Filed, error) {
	return replay.Entry(ctx, s.store, seq)
}

func (s *stopped) Exceptions(ctx context.Context, a replay.Asked) (replay.Listed, error) {
	return replay.Exceptions(ctx, s.store, a)
}

func (s *stopped) Work(ctx context.Context, system crossdock.System) ([]replay.Work, error) {
	return replay.List(ctx, s.store, system)
}

// mostActions is how many actions are filed, or sent to the running hub, at once.
const mostActions = 500

// Act files the actions in the journal; the hub does them when it starts, or where it runs.
func (s *stopped) Act(ctx context.Context, all []crossdock.Action) (err error) {
	w, err := openStore(ctx, s.cfg, s.env, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for some := range slices.Chunk(all, mostActions) {
		var f store.Filing
		for _, a := range some {
			f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: crossdock.Urgent, At: time.Now(), Body: a})
		}
		if err := w.Journal().File(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *stopped) Door(context.Context) (DoorCounts, bool, error) { return DoorCounts{}, false, nil }

func (s *stopped) Close() error { return s.store.Close() }

// running asks a hub through its socket.
type running struct {
	path   string
	client *http.Client
}

func (r *running) Trace(ctx context.Context, ref string) (*replay.Story, error) {
	var s replay.Story
	return &s, r.do(ctx, http.MethodGet, "/v1/trace?"+url.Values{"of": {ref}}.Encode(), nil, &s)
}

func (r *running) Entry(ctx context.Context, seq int64) (*replay.Filed, error) {
	var f replay.Filed
	return &f, r.do(ctx, http.MethodGet, "/v1/entry?"+url.Values{"seq": {strconv.FormatInt(seq, 10)}}.Encode(), nil, &f)
}

func (r *running) Exceptions(ctx context.Context, a replay.Asked) (list replay.Listed, err error) {
	b, err := json.Marshal(a)
	if err != nil {
		return list, err
	}
	err = r.do(ctx, http.MethodPost, "/v1/exceptions", b, &list)
	return list, err
}

func (r *running) Work(ctx context.Context, system crossdock.System) (list []replay.Work, err error) {
	err = r.do(ctx, http.MethodGet, "/v1/work?"+url.Values{"connection": {string(system)}}.Encode(), nil, &list)
	return list, err
}

func (r *running) Door(ctx context.Context) (c DoorCounts, ok bool, err error) {
	err = r.do(ctx, http.MethodGet, "/v1/door", nil, &c)
	return c, err == nil, err
}

func (r *running) Act(ctx context.Context, all []crossdock.Action) error {
	for some := range slices.Chunk(all, mostActions) {
		b, err := json.Marshal(some)
		if err != nil {
			return err
		}
		if err := r.do(ctx, http.MethodPost, "/v1/actions", b, nil); err != nil {
			return err
		}
	}
	return nil
}

func (r *running) Close() error {
	r.client.CloseIdleConnections()
	return nil
}

func (r *running) do(ctx context.Context, method, path string, body []byte, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://hub"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return crossdock.Errorf(crossdock.Unavailable, "ask the running hub at %s: %w", r.path, err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		var f crossdock.Fault
		if json.NewDecoder(resp.Body).Decode(&f) == nil && f.Text != "" {
			return &crossdock.Error{Code: f.Code, Text: f.Text, Place: f.Place}
		}
		return crossdock.Errorf(crossdock.Internal, "the running hub answered %s", resp.Status)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("what the running hub answered: %w", err)
	}
	return nil
}
