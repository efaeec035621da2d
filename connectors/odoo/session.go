package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// oldest and newest are the major versions whose words this connector knows;
// from json2Since on a key is tried as the bearer of JSON-2.
const (
	oldest, newest = 16, 19
	json2Since     = 19
)

// session is what a sign-in found out.
type session struct {
	dialect
	major     int
	companies []json.Number // allowed_company_ids of every call
}

// session returns that of the signed-in user; concurrent callers sign in once.
func (c *client) session(ctx context.Context) (*session, error) {
	if s := c.in.Load(); s != nil {
		return s, nil
	}
	select {
	case <-c.turn:
	case <-ctx.Done():
		return nil, crossdock.Errorf(crossdock.Unavailable, "waiting to sign in to Odoo: %w", ctx.Err())
	}
	defer func() { c.turn <- struct{}{} }()
	if s := c.in.Load(); s != nil {
		return s, nil
	}
	s, err := c.signIn(ctx)
	if err != nil {
		return nil, err
	}
	c.in.Store(s)
	return s, nil
}

// major returns the major version of the server.
func (c *client) major(ctx context.Context) (int, error) {
	s, err := c.session(ctx)
	if err != nil {
		return 0, err
	}
	return s.major, nil
}

// signIn asks which Odoo this is, chooses the dialect and finds the user's company.
func (c *client) signIn(ctx context.Context) (*session, error) {
	major, err := c.version(ctx)
	if err != nil {
		return nil, err
	}
	d, uid, err := c.choose(ctx, major)
	if err != nil {
		return nil, err
	}
	s := &session{dialect: d, major: major, companies: c.companies}
	return s, s.user(ctx, c.user, uid)
}

// choose returns the dialect and the id of the user. JSON-2 is spoken where the
// server has it and takes the key as bearer; a password is none, and the module
// with JSON-2 may not be installed: then JSON-RPC says who is let in.
func (c *client) choose(ctx context.Context, major int) (dialect, int64, error) {
	if major >= json2Since {
		d := json2{c}
		uid, err := d.user(ctx)
		if err == nil || !notSpoken(err) {
			return d, uid, err
		}
	}
	uid, err := c.authenticate(ctx)
	return jsonRPC{c, uid}, uid, err
}

// notSpoken reports a server that lets nobody in by JSON-2 with this key, or has none.
func notSpoken(err error) bool {
	var c *cause
	return errors.As(err, &c) && (c.class == notLetIn || c.class == "http 404")
}

// version returns the major version of the server. It is asked over /jsonrpc, which
// says it without a sign-in (recorded on 16, 18 and 19), or, where that is switched
// off, by /web/version (recorded on 19).
func (c *client) version(ctx context.Context) (int, error) {
	var said struct {
		Info []json.RawMessage `json:"server_version_info"`
		Text string            `json:"server_version"`
	}
	r := request{what: "version"}
	answer, err := c.rpc(ctx, r, "common", "version", []any{})
	if err == nil {
		err = r.into(answer, &said)
	}
	if off := new(cause); errors.As(err, &off) && off.class == "http 404" {
		said.Info, said.Text, err = c.webVersion(ctx, r, err)
	}
	if err != nil {
		return 0, err
	}
	v := 0
	if len(said.Info) > 0 {
		// Odoo online says "saas~18" where others say 18.
		v, _ = strconv.Atoi(strings.TrimPrefix(strings.Trim(string(said.Info[0]), `"`), "saas~"))
	}
	if v < oldest || v > newest {
		return 0, crossdock.Errorf(crossdock.Refused, "the server is Odoo %q; this connector speaks with %d to %d", said.Text, oldest, newest)
	}
	return v, nil
}

// webVersion asks /web/version; where there is none either, otherwise says why.
func (c *client) webVersion(ctx context.Context, r request, otherwise error) ([]json.RawMessage, string, error) {
	answer, err := c.post(ctx, r, "/web/version", http.Header{}, nil)
	if err != nil {
		return nil, "", err
	}
	var said struct {
		Info []json.RawMessage `json:"version_info"`
		Text string            `json:"version"`
	}
	if answer.StatusCode != http.StatusOK || json.Unmarshal(answer.body, &said) != nil || len(said.Info) == 0 {
		return nil, "", otherwise
	}
	return said.Info, said.Text, nil
}

// user reads the signed-in user: a key is its user's, whatever user is configured,
// and a user without configured companies works in his own.
func (s *session) user(ctx context.Context, login string, uid int64) error {
	r := requestOf("res.users", "read", []any{[]int64{uid}, []string{"company_id", "login"}})
	r.kw["context"] = map[string]any{}
	answer, err := s.run(ctx, r)
	if err != nil {
		return err
	}
	var rows []row
	if err := r.into(answer, &rows); err != nil {
		return err
	}
	if len(rows) != 1 {
		return crossdock.Errorf(crossdock.Unauthorized, "the user %q can't read his own record: give him the rights of an internal user", login)
	}
	f := &reader{row: rows[0]}
	is, company := f.str("login"), f.ref("company_id")
	switch {
	case f.err != nil:
		return f.err
	case !strings.EqualFold(is, login):
		return crossdock.Errorf(crossdock.Unauthorized, "the configured key is that of the user %q, not of %q: make a key as %[2]q, or mend user in crossdock.yaml", is, login)
	case len(s.companies) == 0:
		s.companies = []json.Number{json.Number(company)}
	}
	return nil
}
