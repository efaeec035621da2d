package odoo

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
)

// Field is what Odoo's fields_get says of one field (Odoo 16.0, 18.0 and 19.0
// recordings, community with sale_management, stock, account, crm, delivery).
type Field struct {
	Type      string      `json:"type"`                 // char, many2one, one2many, float, datetime, ...
	Relation  string      `json:"relation,omitempty"`   // the other model of a relational field
	Inverse   string      `json:"inverse,omitempty"`    // for one2many: the field of Relation that points back
	Label     string      `json:"label,omitempty"`      // fields_get's "string", as error messages name it
	Required  bool        `json:"required,omitempty"`   // a value is mandatory
	Readonly  bool        `json:"readonly,omitempty"`   // a person cannot type it in the form
	Stored    bool        `json:"stored,omitempty"`     // it has a database column
	ByCompany bool        `json:"by_company,omitempty"` // each company has its own value
	Selection [][2]string `json:"-"`                    // key and label, in order
}

// UnmarshalJSON reads a field, whose selection may hold keys that are not text.
func (f *Field) UnmarshalJSON(b []byte) error {
	type plain Field
	aux := struct {
		*plain
		Selection [][2]any `json:"selection"`
	}{plain: (*plain)(f)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	for _, kv := range aux.Selection {
		f.Selection = append(f.Selection, [2]string{fmt.Sprint(kv[0]), fmt.Sprint(kv[1])})
	}
	return nil
}

//go:embed fields.json.gz
var fieldsArchive []byte

type recordedFields struct {
	Models map[string]map[string]Field `json:"models"`
	Others []string                    `json:"others"` // real models whose fields are not kept here
}

var readRecordedFields = sync.OnceValue(func() map[string]recordedFields {
	zr, err := gzip.NewReader(bytes.NewReader(fieldsArchive))
	if err != nil {
		panic("sandbox/odoo: fields.json.gz is not a gzip file: " + err.Error())
	}
	var all map[string]recordedFields
	if err := json.NewDecoder(zr).Decode(&all); err != nil {
		panic("sandbox/odoo: fields.json.gz cannot be read: " + err.Error())
	}
	return all
})

// KnownFields returns model -> field -> what fields_get says of it, as a real
// Odoo of that version (16, 18 or 19) answered, for the models the hub uses.
// It panics on another version. The maps are copies; the caller may change them.
func KnownFields(version int) map[string]map[string]Field {
	recorded, ok := readRecordedFields()[fmt.Sprint(version)]
	if !ok {
		panic(fmt.Sprintf("sandbox/odoo: no recording of Odoo %d; use 16, 18 or 19", version))
	}
	out := make(map[string]map[string]Field, len(recorded.Models))
	for name, fields := range recorded.Models {
		out[name] = maps.Clone(fields)
	}
	return out
}
