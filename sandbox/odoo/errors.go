package odoo

import (
	"fmt"
	"strings"
)

// fault is an error as Odoo's JSON-RPC answers it: the Python class in Name and
// the text in Message. The engine raises it with panic, the request recovers it
// at its edge (see run in server.go): Odoo's own code is written that way, and
// a computed field deep in a read can refuse without every caller passing it on.
type fault struct {
	Name      string
	Message   string
	Arguments []any // data.arguments; nil means [Message]

	// missing is set for a mandatory column left empty: load and create word
	// the same database refusal differently.
	missing *missingColumn
	// database is set for a refusal by PostgreSQL (load keeps its text).
	database bool
}

type missingColumn struct{ model, field string }

func (f *fault) Error() string { return f.Name + ": " + f.Message }

const notSupportedName = "crossdock.sandbox.NotSupported"

func raise(name, format string, args ...any) {
	panic(&fault{Name: name, Message: fmt.Sprintf(format, args...)})
}

// refuse raises an error of Odoo's own exception classes.
func refuse(class, format string, args ...any) {
	raise("odoo.exceptions."+class, format, args...)
}

func userError(format string, args ...any) { refuse("UserError", format, args...) }

// notSupported says that a real Odoo answers this and the stand-in does not
// know what: it is never guessed.
func notSupported(format string, args ...any) {
	raise(notSupportedName, "the Odoo stand-in does not support this: "+format, args...)
}

// caught runs do and returns the fault it raised; any other panic passes on.
func caught(do func()) (f *fault) {
	defer func() {
		if r := recover(); r != nil {
			raised, ok := r.(*fault)
			if !ok {
				panic(r)
			}
			f = raised
		}
	}()
	do()
	return nil
}

func (e *env) missingRecord(model string, id int) {
	refuse("MissingError", "Record does not exist or has been deleted.\n(Record: %s(%d,), User: %d)", model, id, e.uid)
}

// missingValue refuses an empty mandatory column with the text of create; load
// replaces it by its own (see missingMessage).
func (e *env) missingValue(model, field string) {
	label := e.s.models[model].meta[field].Label
	panic(&fault{
		Name:    "odoo.exceptions.ValidationError",
		Message: e.v.missingOnCreate(e.v.modelLabel(model), model, label, field),
		missing: &missingColumn{model, field},
	})
}

// accessRule refuses a record the user may not see (Odoo 16, 18, 19 rights recordings).
func (e *env) accessRule(model, operation, hint string) {
	user := e.rec("res.users", e.uid)
	refuse("AccessError", "%s", e.v.accessRule(user.str("name"), e.uid, operation, e.v.modelLabel(model), model, hint))
}

// accessModel refuses a whole model (rights recordings: a salesman and ir.model.data or stock.quant).
func (e *env) accessModel(verb, label, model, group string) {
	refuse("AccessError", "You are not allowed to %s '%s' (%s) records.\n\nThis operation is allowed for the following groups:\n\t- %s\n\nContact your administrator to request access if necessary.", verb, label, model, group)
}

// pyRepr writes a value as Python's repr does, for the messages that quote one.
func pyRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		if strings.Contains(v, "'") && !strings.Contains(v, `"`) {
			return `"` + v + `"`
		}
		return "'" + strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), "'", `\'`) + "'"
	case int:
		return fmt.Sprint(v)
	case float64:
		return string(pyFloat(v).text())
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = pyRepr(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v)
}
