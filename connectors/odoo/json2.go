package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/crossdockhq/crossdock"
)

// json2 speaks /json/2/<model>/<method> (from 19 on): arguments by name, the key as
// bearer, Odoo's own errors as HTTP statuses with a body that names the class.
type json2 struct{ c *client }

// parameters name the arguments the connector gives by position; "ids" are the
// records a method is called on. The names are those of Odoo 19: recorded, except
// for search, context_get, get_external_id and action_cancel, which no recording has.
var parameters = map[string][]string{
	"action_cancel":   {"ids"},
	"action_confirm":  {"ids"},
	"context_get":     {},
	"fields_get":      {"allfields", "attributes"},
	"get_external_id": {"ids"},
	"load":            {"fields", "data"},
	"read":            {"ids", "fields"},
	"search":          {"domain"},
	"search_read":     {"domain", "fields"},
	"write":           {"ids", "vals"},
}

// named returns all arguments of a request by name.
func (r request) named() (map[string]any, error) {
	names, known := parameters[r.method]
	if !known || len(r.args) > len(names) {
		return nil, crossdock.Errorf(crossdock.Internal, "the names of the arguments of %s are not known: add them to parameters", r.what)
	}
	out := maps.Clone(r.kw)
	for i, a := range r.args {
		out[names[i]] = a
	}
	return out, nil
}

func (d json2) run(ctx context.Context, r request) (json.RawMessage, error) {
	named, err := r.named()
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	header.Set("Authorization", "bearer "+d.c.key)
	header.Set("X-Odoo-Database", d.c.database)
	answer, err := d.c.post(ctx, r, "/json/2/"+r.model+"/"+r.method, header, named)
	if err != nil {
		return nil, err
	}
	switch {
	case answer.StatusCode != http.StatusOK:
		return nil, bodyFault(r, answer)
	case !json.Valid(answer.body):
		return nil, lost(r, "the answer is no JSON: is the url that of an Odoo server?", nil)
	case string(answer.body) == "null":
		return nil, nil
	}
	return answer.body, nil
}

// bodyFault gives a status its code. One that Odoo itself answers names the class
// of its exception, which is then what counts, as in JSON-RPC; a page without one
// comes from what stands before Odoo, or from an Odoo without that database.
func bodyFault(r request, answer reply) error {
	var e rpcError
	if json.Unmarshal(answer.body, &e.Data) != nil || e.Data.Name == "" {
		return statusFault(r, answer.Response)
	}
	return e.fault(r)
}

// user returns the id of the key's user.
func (d json2) user(ctx context.Context) (int64, error) {
	r := requestOf("res.users", "context_get", nil)
	answer, err := d.run(ctx, r)
	if err != nil {
		return 0, err
	}
	var said struct {
		UID int64 `json:"uid"`
	}
	if err := r.into(answer, &said); err != nil {
		return 0, err
	}
	if said.UID <= 0 {
		return 0, lost(r, "the answer names no user: is the url that of an Odoo server?", nil)
	}
	return said.UID, nil
}
