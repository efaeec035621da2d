package odoo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// maxBody is the largest request read; Odoo itself takes 128 MiB.
const maxBody = 128 << 20

type rpcRequest struct {
	ID     json.RawMessage `json:"id"`
	Params struct {
		Service string `json:"service"`
		Method  string `json:"method"`
		Args    []any  `json:"args"`
	} `json:"params"`
}

// ServeHTTP answers POST /jsonrpc, and since 19 POST /json/2/<model>/<method>
// (see json2.go) and GET /web/version. Every answer closes the connection, as
// Odoo's own server does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	switch path := r.URL.Path; {
	case path == "/jsonrpc":
		s.serveRPC(w, r)
	case s.v.json2 && (path == "/json/2" || strings.HasPrefix(path, "/json/2/")):
		s.serveJSON2(w, r)
	case s.v.json2 && path == "/web/version" && r.Method == http.MethodGet:
		s.webVersion(w)
	default:
		http.Error(w, "404 Not Found: the Odoo stand-in serves its external API only", http.StatusNotFound)
	}
}

// serveRPC answers JSON-RPC. Application errors are HTTP 200 with an error object.
func (s *Server) serveRPC(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	var req rpcRequest
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.UseNumber()
	if err := dec.Decode(&req); err != nil {
		http.Error(w, "400 Bad Request: Invalid JSON data: "+err.Error(), http.StatusBadRequest)
		return
	}
	args, _ := plain(req.Params.Args).([]any)
	result, f := s.answer(req.Params.Service, req.Params.Method, args)
	body := s.envelope(req.ID, result, f)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // who asked may have gone
}

// envelope writes the JSON-RPC answer; result nil means none (Python's None).
func (s *Server) envelope(id, result json.RawMessage, f *fault) []byte {
	answer := map[string]any{"jsonrpc": "2.0", "id": json.RawMessage("null")}
	if len(id) > 0 {
		answer["id"] = id
	}
	switch {
	case f != nil:
		arguments := f.Arguments
		if arguments == nil {
			arguments = []any{f.Message}
		}
		answer["error"] = map[string]any{
			"code": s.v.errorCode, "message": "Odoo Server Error",
			"data": map[string]any{
				"name": f.Name, "message": f.Message, "arguments": arguments, "context": map[string]any{},
				"debug": "Traceback (most recent call last):\n" + f.Name + ": " + f.Message + "\n",
			},
		}
	case result != nil:
		answer["result"] = result
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		panic("sandbox/odoo: an answer cannot be written as JSON: " + err.Error())
	}
	return buf.Bytes()
}

// plain turns decoded JSON numbers into int where they are whole as written
// (3, not 3.0) and float64 otherwise, as Python reads them.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return int(i)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

func (s *Server) answer(service, method string, args []any) (json.RawMessage, *fault) {
	switch service + "." + method {
	case "common.version":
		return encode(map[string]any{
			"server_version": s.v.serverName, "server_serie": s.v.serie, "protocol_version": 1,
			"server_version_info": s.v.versionInfo(),
		}), nil
	case "common.authenticate", "common.login":
		return s.authenticate(args)
	case "object.execute_kw", "object.execute":
		return s.execute(method, args)
	}
	return nil, &fault{Name: notSupportedName, Message: "the Odoo stand-in does not support this: service " + service + ", method " + method}
}

func encode(v any) json.RawMessage {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("sandbox/odoo: an answer cannot be written as JSON: " + err.Error())
	}
	return buf.Bytes()
}

func (s *Server) databaseFault(name any) *fault {
	if name == s.cfg.Database {
		return nil
	}
	text, _ := name.(string)
	return &fault{
		Name:    "psycopg2.OperationalError",
		Message: "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  database \"" + text + "\" does not exist\n",
	}
}

// authenticate answers the user's id, or false for a wrong login or password.
func (s *Server) authenticate(args []any) (json.RawMessage, *fault) {
	if len(args) < 3 {
		return nil, &fault{Name: "builtins.TypeError", Message: "exp_authenticate() missing required positional arguments"}
	}
	if f := s.databaseFault(args[0]); f != nil {
		return nil, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.db.table("res.users").ids {
		if s.db.table("res.users").rows[id]["login"] == args[1] && s.passwordOf(id, args[2]) {
			return encode(id), nil
		}
	}
	return encode(false), nil
}

func (s *Server) passwordOf(uid int, password any) bool {
	user, ok := s.db.table("res.users").rows[uid]
	text, isText := password.(string)
	if !ok || !isText || text == "" {
		return false
	}
	return user["~password"] == text || (uid == adminUser && s.apiKeys[text])
}

// execute is one call of a model's method: database, uid, password, model,
// method and the arguments.
func (s *Server) execute(kind string, args []any) (json.RawMessage, *fault) {
	if len(args) < 5 {
		return nil, &fault{Name: "builtins.TypeError", Message: "execute() missing required positional arguments"}
	}
	if f := s.databaseFault(args[0]); f != nil {
		return nil, f
	}
	uid, _ := args[1].(int)
	s.mu.Lock()
	known := s.passwordOf(uid, args[2])
	s.mu.Unlock()
	if !known {
		return nil, &fault{Name: "odoo.exceptions.AccessDenied", Message: "Access Denied"}
	}
	model, _ := args[3].(string)
	name, _ := args[4].(string)
	params, kw := args[5:], map[string]any{}
	if kind == "execute_kw" {
		params = nil
		if len(args) > 5 {
			params, _ = args[5].([]any)
		}
		if len(args) > 6 {
			kw, _ = args[6].(map[string]any)
		}
	}
	s.mu.Lock()
	s.spoken["jsonrpc"]++
	s.mu.Unlock()
	return s.call(uid, model, name, params, kw)
}

func (s *Server) call(uid int, model, name string, args []any, kw map[string]any) (json.RawMessage, *fault) {
	context, _ := kw["context"].(map[string]any)
	if context == nil {
		context = map[string]any{}
	}
	s.mu.Lock()
	s.calls[model+"."+name]++
	s.mu.Unlock()
	var result json.RawMessage
	f := s.run(uid, context, func(e *env) {
		do := e.find(model, name)
		e.checkLanguage()
		if s.rejects[model+"."+name] > 0 {
			s.rejects[model+"."+name]--
			if name != "load" {
				userError("Refused by an ordered fault of the Odoo stand-in.")
			}
			result = encode(e.rejectedLoad("Refused by an ordered fault of the Odoo stand-in."))
			return
		}
		answer := do(e, args, kw)
		if _, ok := answer.(none); !ok {
			result = encode(answer)
		}
	})
	if f != nil {
		return nil, f
	}
	return result, nil
}

// find looks up a method, with the errors of Odoo for what does not exist.
func (e *env) find(model, name string) method {
	if strings.HasPrefix(name, "_") {
		refuse("AccessError", "%s", e.v.privateMethod(model, name))
	}
	m := e.model(model)
	if m == nil {
		if e.s.others[model] || strings.HasPrefix(model, "ir.") || strings.HasPrefix(model, "account.") || strings.HasPrefix(model, "stock.") ||
			strings.HasPrefix(model, "mrp.") || strings.HasPrefix(model, "mail.") || strings.HasPrefix(model, "sale.") || strings.HasPrefix(model, "purchase.") {
			notSupported("model %s (called %s)", model, name)
		}
		userError("Object %s doesn't exist", model)
	}
	if do := m.methods[name]; do != nil {
		return do
	}
	if do := commonMethods[name]; do != nil {
		return func(e *env, args []any, kw map[string]any) any { return do(e, m, args, kw) }
	}
	if realMethods[name] {
		notSupported("method %s of %s", name, model)
	}
	raise("builtins.AttributeError", "%s", e.v.unknownMethod(model, name))
	return nil
}

func (e *env) checkLanguage() {
	if lang, ok := e.ctx["lang"].(string); ok && e.v.languageChecked && lang != "en_US" {
		userError("Invalid language code: %s", lang)
	}
}

// realMethods exist in Odoo and are not modelled.
var realMethods = map[string]bool{
	"copy": true, "default_get": true, "onchange": true, "web_read": true, "web_search_read": true, "web_save": true,
	"read_group": true, "formatted_read_group": true, "name_create": true, "name_get": true, "export_data": true,
	"check_access_rights": true, "has_access": true, "check_access": true, "message_post": true, "message_unsubscribe": true,
	"action_archive": true, "action_unarchive": true, "toggle_active": true, "get_views": true, "fields_view_get": true,
	"search_fetch": true, "exists": true, "create_invoices": true, "action_send_and_print": true, "action_preview_sale_order": true,
	"action_quotation_send": true, "action_view_delivery": true, "action_update_prices": true, "action_update_taxes": true,
	"action_detailed_operations": true, "action_put_in_pack": true, "try_loading": true, "button_scrap": true, "action_toggle_is_locked": true,
	"get_metadata": true, "web_read_group": true, "preference_save": true, "change_password": true,
}
