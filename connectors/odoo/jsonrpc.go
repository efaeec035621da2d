package odoo

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/crossdockhq/crossdock"
)

// jsonRPC speaks /jsonrpc (16 to 19, deprecated since 19): every call carries the
// user's id and his key or password.
type jsonRPC struct {
	c   *client
	uid int64
}

func (d jsonRPC) run(ctx context.Context, r request) (json.RawMessage, error) {
	return d.c.rpc(ctx, r, "object", "execute_kw", []any{d.c.database, d.uid, d.c.key, r.model, r.method, r.args, r.kw})
}

// authenticate returns the id of the configured user.
func (c *client) authenticate(ctx context.Context) (int64, error) {
	answer, err := c.rpc(ctx, request{what: "authenticate"}, "common", "authenticate", []any{c.database, c.user, c.key, map[string]any{}})
	if err != nil {
		return 0, err
	}
	uid, err := strconv.ParseInt(string(answer), 10, 64)
	if err != nil || uid <= 0 {
		return 0, crossdock.Errorf(crossdock.Unauthorized, "Odoo does not accept user %q with the configured key in database %q: make a new API key and set it", c.user, c.database)
	}
	return uid, nil
}

// rpc sends one JSON-RPC request. Odoo answers its own errors with HTTP 200.
func (c *client) rpc(ctx context.Context, r request, service, method string, args []any) (json.RawMessage, error) {
	answer, err := c.post(ctx, r, "/jsonrpc", http.Header{}, map[string]any{
		"jsonrpc": "2.0", "method": "call", "id": 1,
		"params": map[string]any{"service": service, "method": method, "args": args},
	})
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, statusFault(r, answer.Response)
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *rpcError       `json:"error"`
	}
	if err := json.Unmarshal(answer.body, &envelope); err != nil {
		return nil, lost(r, "the answer is no JSON: is the url that of an Odoo server?", err)
	}
	if envelope.Error != nil {
		return nil, envelope.Error.fault(r)
	}
	return envelope.Result, nil
}
