package connectortest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Depot is the connector to the depot: the smallest that has every door and keeps
// every clause. It is also an example of how a connector is written.
type Depot struct {
	cfg  depotConfig
	http *http.Client
}

type depotConfig struct {
	URL    string `yaml:"url" required:"true" identity:"true" doc:"Address of the depot"`
	Key    string `yaml:"key" required:"true" secret:"true" doc:"Key of the hub"`
	Secret string `yaml:"secret" required:"true" secret:"true" doc:"Secret that webhooks are signed with"`
}

func openDepot(c depotConfig, env connector.Env) (connector.Connector, error) {
	return &Depot{cfg: c, http: &http.Client{Transport: env.Transport}}, nil
}

// asked is how long a throttled depot asks to wait; it is found by its method After.
type asked time.Duration

func (a asked) Error() string        { return "wait " + time.Duration(a).String() }
func (a asked) After() time.Duration { return time.Duration(a) }

// ask sends one request. lost is the code of an error after which nobody knows.
func (d *Depot) ask(ctx context.Context, path string, in any, lost crossdock.Code, out any) error {
	body, method := []byte(nil), http.MethodGet
	if in != nil {
		method = http.MethodPost
		var err error
		if body, err = json.Marshal(in); err != nil {
			return crossdock.Errorf(crossdock.Internal, "can't write the request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.cfg.URL+path, bytes.NewReader(body))
	if err != nil {
		return crossdock.Errorf(crossdock.Internal, "can't make the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+d.cfg.Key)
	resp, err := d.http.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			lost = crossdock.Unavailable
		}
		return crossdock.Errorf(lost, "no answer of the depot: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // none is 0
		return &crossdock.Error{Code: crossdock.Throttled, Text: "the depot takes no more requests for now", Err: asked(time.Duration(seconds) * time.Second)}
	case s == http.StatusUnauthorized:
		return crossdock.Errorf(crossdock.Unauthorized, "the depot does not accept the key: set a new one")
	case s >= http.StatusInternalServerError:
		return crossdock.Errorf(lost, "the depot answers HTTP %d", s)
	case s != http.StatusOK:
		return crossdock.Errorf(crossdock.Invalid, "the depot refuses the record with HTTP %d", s)
	case err != nil:
		return crossdock.Errorf(lost, "the answer of the depot broke off: %w", err)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return crossdock.Errorf(lost, "the answer of the depot is no JSON: %w", err)
	}
	return nil
}

func (d *Depot) read(ctx context.Context, path string, with url.Values, out any) error {
	return d.ask(ctx, path+"?"+with.Encode(), nil, crossdock.Unavailable, out)
}

// Ping implements connector.Connector.
func (d *Depot) Ping(ctx context.Context) error { return d.read(ctx, "/ping", nil, &struct{}{}) }

// Kinds implements connector.Puller.
func (d *Depot) Kinds() []crossdock.Kind { return []crossdock.Kind{crossdock.KindItem} }

func (d *Depot) rows(ctx context.Context, k crossdock.Kind, after connector.Cursor) (depotPages, error) {
	var got depotPages
	err := d.read(ctx, "/rows", url.Values{"kind": {string(k)}, "after": {string(after)}}, &got)
	return got, err
}

// Pull implements connector.Puller.
func (d *Depot) Pull(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.Page, error) {
	got, err := d.rows(ctx, k, after)
	return got.page(), err
}

func (p depotPages) page() connector.Page {
	out := connector.Page{Next: connector.Cursor(p.Next), More: p.More}
	for _, r := range p.Rows {
		out.Messages = append(out.Messages, crossdock.Message{Kind: r.Kind, Key: r.Key, Version: r.Version, Body: Body(r)})
	}
	return out
}

// Keys implements connector.Lister.
func (d *Depot) Keys(ctx context.Context, k crossdock.Kind, after connector.Cursor) (connector.KeyPage, error) {
	var got depotPages
	err := d.read(ctx, "/keys", url.Values{"kind": {string(k)}, "after": {string(after)}}, &got)
	return connector.KeyPage{Keys: got.Keys, Next: connector.Cursor(got.Next), More: got.More}, err
}

// Find implements connector.Finder.
func (d *Depot) Find(ctx context.Context, refs []crossdock.Ref) ([]crossdock.Message, error) {
	var out []crossdock.Message
	for _, ref := range refs {
		with, meta := url.Values{"kind": {string(ref.Kind)}}, crossdock.Meta{"door": "look"}
		if ref.System == crossdock.BookSystem {
			with.Set("of", ref.Short())
		} else {
			with.Set("key", ref.Key)
		}
		var r Row
		if err := d.read(ctx, "/row", with, &r); err != nil {
			return nil, err
		}
		if r.Gone {
			r.Key = ref.Key
			meta["system"] = string(ref.System)
		}
		out = append(out, crossdock.Message{Kind: r.Kind, Key: r.Key, Version: r.Version, Meta: meta, Body: Body(r)})
	}
	return out, nil
}

// Translate implements connector.Translator.
func (d *Depot) Translate(m crossdock.Message) []crossdock.Statement {
	of := crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}
	if m.Fault != nil {
		return []crossdock.Statement{{Of: of, Fault: m.Fault}}
	}
	var rows []Row
	if err := json.Unmarshal(m.Body, &rows); err != nil || len(rows) == 0 {
		return []crossdock.Statement{{Of: of, Fault: &crossdock.Fault{Code: crossdock.Invalid, Text: "the body is no list of rows"}}}
	}
	out := make([]crossdock.Statement, len(rows))
	for i, r := range rows {
		out[i] = r.statement(m.From)
		if err := out[i].Of.Validate(); err != nil {
			out[i].Said, out[i].Fault = crossdock.Record{}, crossdock.FaultOf(err)
		}
		if m.Meta["system"] == string(crossdock.BookSystem) {
			out[i].Of.System = crossdock.BookSystem
		}
	}
	return out
}

// Receive implements connector.Receiver.
func (d *Depot) Receive(r *http.Request) ([]crossdock.Message, connector.Answer, error) {
	mac := hmac.New(sha256.New, []byte(d.cfg.Secret))
	raw, err := connector.ReadRaw(r, mac)
	if err != nil {
		return nil, connector.Answer{}, err
	}
	said, err := hex.DecodeString(r.Header.Get(depotHeader))
	if err != nil || !hmac.Equal(said, mac.Sum(nil)) {
		return nil, connector.Answer{}, crossdock.Errorf(crossdock.Unauthorized, "the header %s does not fit the body", depotHeader)
	}
	m := crossdock.Message{Kind: crossdock.KindItem, Meta: crossdock.Meta{"door": "webhook"}, Body: raw.Body}
	answer := connector.Answer{Status: http.StatusOK}
	if raw.Size > connector.Limit {
		m.Fault = &crossdock.Fault{Code: crossdock.Invalid, Text: "the body is too large"}
	}
	if raw.Over() {
		answer.Status = http.StatusRequestEntityTooLarge
	}
	return []crossdock.Message{m}, answer, nil
}

// Project implements connector.Projector.
func (d *Depot) Project(r crossdock.Record, _ crossdock.View, _ connector.Known) (connector.Wanted, error) {
	want := crossdock.Record{Kind: r.Kind, Form: 1}
	if r.Kind == crossdock.KindParty {
		return connector.Wanted{Record: want.With(r, crossdock.Fields{"name", "phone"}), Door: crossdock.DoorRefused}, nil
	}
	return connector.Wanted{Record: want.With(r, crossdock.Fields{"number"}), Door: crossdock.DoorFound}, nil
}

// Push implements connector.Pusher: one request each, until the depot is not there.
func (d *Depot) Push(ctx context.Context, batch []crossdock.Push) []crossdock.Receipt {
	out := make([]crossdock.Receipt, len(batch))
	var down error
	for i, p := range batch {
		out[i] = crossdock.Receipt{Of: p.Of, Rev: p.Rev}
		var made Row
		err := down
		if err == nil {
			err = d.ask(ctx, "/make", depotWrite{Of: p.Of.Short(), Kind: p.Of.Kind, Fields: p.Want.Fields}, crossdock.Ambiguous, &made)
		}
		switch code := crossdock.CodeOf(err); code {
		case crossdock.OK:
			out[i].Key, out[i].Version, out[i].Holds = made.Key, made.Version, made.statement("").Said
			continue
		case crossdock.Ambiguous, crossdock.Unavailable:
			down = crossdock.Errorf(crossdock.Unavailable, "not sent: %w", err)
		case crossdock.Throttled, crossdock.Unauthorized:
			down = err
		}
		out[i].Code, out[i].Text = crossdock.CodeOf(err), err.Error()
		var a asked
		if errors.As(err, &a) {
			out[i].After = a.After()
		}
	}
	return out
}

var (
	_ connector.Puller   = (*Depot)(nil)
	_ connector.Lister   = (*Depot)(nil)
	_ connector.Finder   = (*Depot)(nil)
	_ connector.Receiver = (*Depot)(nil)
	_ connector.Pusher   = (*Depot)(nil)
)
