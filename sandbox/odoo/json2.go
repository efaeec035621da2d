package odoo

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
)

// JSON-2 (Odoo 19 and later): POST /json/2/<model>/<method> with the ids, the
// context and the method's own parameters by name in one object, an API key as
// bearer, and errors as HTTP statuses (Odoo 19 recording).

// signature is what a method takes by name besides ids and context.
type signature struct {
	params   []string
	required int  // so many of the params, from the first on
	model    bool // it is called on the model: ids are refused
	open     bool // further names are passed on (**read_kwargs)
}

// signatures are those of Odoo 19. A method that is not here takes ids alone.
var signatures = map[string]signature{
	"search":            {params: []string{"domain", "offset", "limit", "order"}, required: 1, model: true},
	"search_count":      {params: []string{"domain", "limit"}, required: 1, model: true},
	"search_read":       {params: []string{"domain", "fields", "offset", "limit", "order"}, model: true, open: true},
	"read":              {params: []string{"fields", "load"}},
	"create":            {params: []string{"vals_list"}, required: 1, model: true},
	"write":             {params: []string{"vals"}, required: 1},
	"load":              {params: []string{"fields", "data"}, required: 2, model: true},
	"name_search":       {params: []string{"name", "domain", "operator", "limit"}, model: true},
	"fields_get":        {params: []string{"allfields", "attributes"}, model: true},
	"context_get":       {model: true},
	"address_get":       {params: []string{"adr_pref"}},
	"message_subscribe": {params: []string{"partner_ids", "subtype_ids"}},
}

// bind is Python's inspect.Signature.bind: it names the first thing that is wrong.
func (g signature) bind(named map[string]any) string {
	for _, p := range g.params[:g.required] {
		if _, ok := named[p]; !ok {
			return "missing a required argument: '" + p + "'"
		}
	}
	for _, name := range sortedKeys(named) {
		if !g.open && !slices.Contains(g.params, name) {
			return "got an unexpected keyword argument '" + name + "'"
		}
	}
	return ""
}

// statuses are the HTTP statuses of Odoo's own exceptions; every other is a 500.
var statuses = map[string]int{
	"odoo.exceptions.UserError": http.StatusUnprocessableEntity, "odoo.exceptions.ValidationError": http.StatusUnprocessableEntity,
	"odoo.exceptions.AccessError": http.StatusForbidden, "odoo.exceptions.AccessDenied": http.StatusForbidden,
	"odoo.exceptions.MissingError": http.StatusNotFound, notSupportedName: http.StatusNotImplemented,
}

// wrongDatabase is the page for a database that is not there.
const wrongDatabase = "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>\n\n<!-- Alternatively, use the X-Odoo-Database header. -->\n"

// webVersion answers GET /web/version: which Odoo this is, without a sign-in.
func (s *Server) webVersion(w http.ResponseWriter) {
	writeJSON(w, http.StatusOK, encode(map[string]any{"version_info": s.v.versionInfo(), "version": s.v.serie}))
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who asked may have gone
}

// httpFault answers an exception of the web server itself.
func httpFault(w http.ResponseWriter, status int, class, message string) {
	jsonFault(w, status, &fault{Name: "werkzeug.exceptions." + class, Message: message, Arguments: []any{message, status}})
}

func jsonFault(w http.ResponseWriter, status int, f *fault) {
	arguments := f.Arguments
	if arguments == nil {
		arguments = []any{f.Message}
	}
	writeJSON(w, status, encode(map[string]any{
		"name": f.Name, "message": f.Message, "arguments": arguments, "context": map[string]any{},
		"debug": "Traceback (most recent call last):\n" + f.Name + ": " + f.Message + "\n",
	}))
}

func (s *Server) serveJSON2(w http.ResponseWriter, r *http.Request) {
	if name := r.Header.Get("X-Odoo-Database"); name != "" && name != s.cfg.Database {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(wrongDatabase)) // who asked may have gone
		return
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/json/2/"), "/")
	if r.Method != http.MethodPost || len(path) != 2 {
		httpFault(w, http.StatusNotFound, "NotFound", "Did you mean POST /json/2/<model>/<method>?")
		return
	}
	if why := s.bearer(r.Header.Get("Authorization")); why != "" {
		w.Header().Set("WWW-Authenticate", "Bearer ")
		httpFault(w, http.StatusUnauthorized, "Unauthorized", why)
		return
	}
	named, err := readNamed(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		httpFault(w, http.StatusBadRequest, "BadRequest", "could not parse the body as json: "+err.Error())
		return
	}
	s.json2(w, path[0], path[1], named)
}

// bearer says why an Authorization header lets nobody in, "" if it does. A
// password does not stand in for a key.
func (s *Server) bearer(header string) string {
	scheme, key, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "bearer") || key == "" {
		return "User not authenticated, use an API Key with a Bearer Authorization header."
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.apiKeys[key] {
		return "Invalid apikey"
	}
	return ""
}

// readNamed reads the object of a request. No body, and JSON that is no object,
// count as one without names: Odoo then calls the method on no records at all,
// and a read answers [] (Odoo 19 recording).
func readNamed(body io.Reader) (map[string]any, error) {
	dec := json.NewDecoder(body)
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	named, ok := plain(v).(map[string]any)
	if !ok {
		named = map[string]any{}
	}
	return named, nil
}

// json2 is one call by the administrator, whose keys are the only ones there are.
func (s *Server) json2(w http.ResponseWriter, model, name string, named map[string]any) {
	if f := s.notFound(model, name); f != nil {
		httpFault(w, http.StatusNotFound, "NotFound", f.Message)
		return
	}
	ids, context := named["ids"], named["context"]
	delete(named, "ids")
	delete(named, "context")
	g := signatures[name]
	if g.model && !falsy(ids) {
		httpFault(w, http.StatusUnprocessableEntity, "UnprocessableEntity", "cannot call "+model+"."+name+" with ids")
		return
	}
	if !strings.HasPrefix(name, "_") { // that it is private is said first
		if wrong := g.bind(named); wrong != "" {
			httpFault(w, http.StatusUnprocessableEntity, "UnprocessableEntity", wrong)
			return
		}
	}
	var args []any
	if !g.model {
		if ids == nil {
			ids = []any{}
		}
		args = []any{ids}
	}
	if context != nil {
		named["context"] = context
	}
	if one, ok := named["vals_list"].(map[string]any); ok && name == "create" {
		named["vals_list"] = []any{one} // a recordset is answered as its ids, also of one
	}
	s.mu.Lock()
	s.spoken["json2"]++
	s.mu.Unlock()
	result, f := s.call(adminUser, model, name, args, named)
	switch {
	case f != nil && statuses[f.Name] != 0:
		jsonFault(w, statuses[f.Name], f)
	case f != nil:
		jsonFault(w, http.StatusInternalServerError, f)
	case result == nil:
		writeJSON(w, http.StatusOK, []byte("null"))
	default:
		writeJSON(w, http.StatusOK, []byte(strings.TrimSuffix(string(result), "\n")))
	}
}

// falsy says what Python takes for false in a list of ids.
func falsy(ids any) bool {
	list, ok := ids.([]any)
	return ok && len(list) == 0 || !ok && (ids == nil || ids == false || ids == 0 || ids == "")
}

// notFound is the fault of a model or a method that does not exist.
func (s *Server) notFound(model, name string) *fault {
	if strings.HasPrefix(name, "_") && s.models[model] != nil {
		return nil // which is an AccessError
	}
	f := caught(func() { (&env{s: s, db: s.db, v: s.v, uid: adminUser}).find(model, strings.TrimLeft(name, "_")) })
	switch {
	case f == nil || f.Name == notSupportedName:
		return nil
	case f.Name == "builtins.AttributeError":
		return f
	}
	return &fault{Message: "the model " + pyRepr(model) + " does not exist"}
}
