package odoo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// commonMethods are what every model answers.
var commonMethods = map[string]func(e *env, m *model, args []any, kw map[string]any) any{
	"search":          (*env).callSearch,
	"search_count":    (*env).callSearchCount,
	"search_read":     (*env).callSearchRead,
	"read":            (*env).callRead,
	"create":          (*env).callCreate,
	"write":           (*env).callWrite,
	"unlink":          (*env).callUnlink,
	"name_search":     (*env).callNameSearch,
	"fields_get":      (*env).callFieldsGet,
	"get_external_id": (*env).callExternalID,
	"load":            (*env).callLoad,
}

// argument returns the i-th positional argument or the named one.
func argument(args []any, i int, kw map[string]any, name string) any {
	if i < len(args) {
		return args[i]
	}
	return kw[name]
}

func domainOf(v any) []any {
	d, ok := v.([]any)
	if !ok && v != nil && v != false {
		notSupported("the domain %s", pyRepr(v))
	}
	return d
}

func namesOf(v any) []string {
	var names []string
	list, _ := v.([]any)
	for _, x := range list {
		if s, ok := x.(string); ok {
			names = append(names, s)
		}
	}
	return names
}

// pageArgs reads offset, limit and order, from the i-th argument on or by name.
// A limit that is no number is refused: a real Odoo passes it to PostgreSQL,
// whose error names the whole query.
func (e *env) pageArgs(args []any, i int, kw map[string]any) (offset, limit int, order string) {
	whole := func(v any, name string) int {
		switch v := v.(type) {
		case nil, bool:
			return 0
		case int:
			return v
		}
		notSupported("the %s %s", name, pyRepr(v))
		return 0
	}
	offset = whole(argument(args, i, kw, "offset"), "offset")
	limit = whole(argument(args, i+1, kw, "limit"), "limit")
	order, _ = argument(args, i+2, kw, "order").(string)
	return offset, limit, order
}

func (e *env) mayRead(m *model) {
	if m.name == "ir.model.data" && e.ownDocumentsOnly() {
		e.accessModel("access", "Model Data", m.name, e.v.accessRightsGroup)
	}
}

func (e *env) callSearch(m *model, args []any, kw map[string]any) any {
	if len(args) > 4 {
		if e.v.searchArguments == 0 {
			notSupported("search with %d positional arguments", len(args))
		}
		raise("builtins.TypeError", "BaseModel.search() takes from 2 to %d positional arguments but %d were given", e.v.searchArguments, len(args)+1)
	}
	e.mayRead(m)
	offset, limit, order := e.pageArgs(args, 1, kw)
	ids := e.page(e.search(m, domainOf(argument(args, 0, kw, "domain")), order), offset, limit)
	return append([]int{}, ids...)
}

func (e *env) callSearchCount(m *model, args []any, kw map[string]any) any {
	e.mayRead(m)
	ids := e.search(m, domainOf(argument(args, 0, kw, "domain")), "id")
	if limit, _ := argument(args, 1, kw, "limit").(int); limit > 0 {
		return min(limit, len(ids))
	}
	return len(ids)
}

func (e *env) callSearchRead(m *model, args []any, kw map[string]any) any {
	e.mayRead(m)
	offset, limit, order := e.pageArgs(args, 2, kw)
	ids := e.page(e.search(m, domainOf(argument(args, 0, kw, "domain")), order), offset, limit)
	return e.read(m, ids, namesOf(argument(args, 1, kw, "fields")), byID(kw["load"]))
}

// byID says whether many2one values are plain ids: load is empty text or false.
func byID(load any) bool { return load == "" || load == false }

func (e *env) callRead(m *model, args []any, kw map[string]any) any {
	e.mayRead(m)
	load := argument(args, 2, kw, "load")
	ids, fields := toIDs(argument(args, 0, kw, "ids")), namesOf(argument(args, 1, kw, "fields"))
	if len(ids) == 0 && len(fields) == 0 {
		return []any{} // all fields of nothing, modelled here or not
	}
	return e.read(m, ids, fields, byID(load))
}

func (e *env) callCreate(m *model, args []any, kw map[string]any) any {
	switch vals := cmp.Or(argument(args, 0, kw, "vals_list"), kw["vals"]).(type) {
	case map[string]any:
		return e.create(m.name, vals)
	case []any:
		ids := []int{}
		for _, v := range vals {
			one, ok := v.(map[string]any)
			if !ok {
				notSupported("create of %s from %s", m.name, pyRepr(v))
			}
			ids = append(ids, e.create(m.name, one))
		}
		return ids
	}
	notSupported("create of %s without values", m.name)
	return nil
}

func (e *env) callWrite(m *model, args []any, kw map[string]any) any {
	vals, ok := argument(args, 1, kw, "vals").(map[string]any)
	if !ok {
		notSupported("write of %s without values", m.name)
	}
	e.write(m.name, toIDs(argument(args, 0, kw, "ids")), vals)
	return true
}

func (e *env) callUnlink(m *model, args []any, kw map[string]any) any {
	e.unlink(m.name, toIDs(argument(args, 0, kw, "ids")))
	return true
}

func (e *env) callNameSearch(m *model, args []any, kw map[string]any) any {
	text, _ := argument(args, 0, kw, "name").(string)
	test := "ilike"
	if op, ok := argument(args, 2, kw, "operator").(string); ok {
		test = op
	}
	limit := 100
	if n, ok := argument(args, 3, kw, "limit").(int); ok {
		limit = n
	}
	allowed := e.search(m, domainOf(cmp.Or(argument(args, 1, kw, "args"), kw["domain"])), "")
	out := [][]any{}
	for _, id := range allowed {
		if len(out) == limit {
			break
		}
		if r := e.rec(m.name, id); text == "" || e.named(r, text, test) {
			out = append(out, []any{id, r.display()})
		}
	}
	return out
}

// named says whether name_search with this text and operator finds r.
func (e *env) named(r rec, text, test string) bool {
	names := []string{r.display()}
	for _, f := range r.m.search {
		names = append(names, r.str(f))
	}
	return slices.ContainsFunc(names, func(n string) bool {
		if test == "=" {
			return n == text
		}
		return n != "" && textTest(test, n, text)
	})
}

// callFieldsGet answers what the recorded server answered, for every field of
// the model, modelled here or not.
func (e *env) callFieldsGet(m *model, args []any, kw map[string]any) any {
	only := namesOf(argument(args, 0, kw, "allfields"))
	attributes := namesOf(argument(args, 1, kw, "attributes"))
	out := map[string]map[string]any{}
	for f, meta := range m.meta {
		if len(only) > 0 && !slices.Contains(only, f) {
			continue
		}
		all := map[string]any{
			"type": meta.Type, "string": meta.Label, "required": meta.Required, "readonly": meta.Readonly,
			"store": meta.Stored, "company_dependent": meta.ByCompany,
		}
		if meta.Relation != "" {
			all["relation"] = meta.Relation
		}
		if meta.Inverse != "" {
			all["relation_field"] = meta.Inverse
		}
		if meta.Type == "selection" {
			all["selection"] = append([][2]string{}, meta.Selection...)
		}
		if len(attributes) > 0 {
			for a := range all {
				if !slices.Contains(attributes, a) {
					delete(all, a)
				}
			}
		}
		out[f] = all
	}
	return out
}

func (e *env) callExternalID(m *model, args []any, kw map[string]any) any {
	out := map[string]string{}
	for _, id := range toIDs(argument(args, 0, kw, "ids")) {
		out[fmt.Sprint(id)] = e.externalIDOf(m.name, id)
	}
	return out
}

// externalIDOf returns "module.name", or "" when the record has none.
func (e *env) externalIDOf(model string, id int) string {
	for _, x := range e.db.table("ir.model.data").having("res_id", id) {
		if d := e.rec("ir.model.data", x); d.str("model") == model {
			return d.str("module") + "." + d.str("name")
		}
	}
	return ""
}

// splitKey splits an external id at its first dot; one without a dot belongs
// to the module __import__ (load recording "external id without module").
func splitKey(key string) (module, name string) {
	module, name, found := strings.Cut(key, ".")
	if !found {
		return "__import__", key
	}
	return module, name
}

func (e *env) externalID(key string) rec {
	module, name := splitKey(key)
	return e.rec("ir.model.data", e.db.external[module+"."+name])
}

// setExternalID gives the record an external id.
func (e *env) setExternalID(key, model string, id int, noupdate bool) {
	module, name := splitKey(key)
	if strings.Contains(name, " ") {
		panic(&fault{
			Name: "psycopg2.errors.CheckViolation", database: true,
			Message: fmt.Sprintf("new row for relation \"ir_model_data\" violates check constraint \"ir_model_data_name_nospaces\"\nDETAIL:  Failing row contains (%d, null, %s, null, %d, %s, %s, %s).\n", e.db.table("ir.model.data").last+1, e.now.Format(datetimeLayout), id, name, module, model),
		})
	}
	if old := e.externalID(key); old.exists() {
		old.set(row{"model": model, "res_id": id})
		return
	}
	e.addExternalID(row{"module": module, "name": name, "model": model, "res_id": id, "noupdate": noupdate})
}

func (e *env) addExternalID(vals row) int {
	key := fmt.Sprintf("%v.%v", vals["module"], vals["name"])
	id := e.insert("ir.model.data", vals)
	e.db.external[key] = id
	e.db.journal = append(e.db.journal, func() { delete(e.db.external, key) })
	return id
}

func (e *env) dropExternalID(d rec) {
	key := d.str("module") + "." + d.str("name")
	id := d.id
	e.db.remove("ir.model.data", id)
	delete(e.db.external, key)
	e.db.journal = append(e.db.journal, func() { e.db.external[key] = id })
}
