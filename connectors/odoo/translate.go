package odoo

import (
	"encoding/json"

	"github.com/crossdockhq/crossdock"
)

// What travels in a message's Meta.
const (
	metaRef      = "ref"         // what a look asked for, as Ref.String
	metaExternal = "external_id" // the record's external id, where it is ours
	metaRegion   = "region"      // code of a partner's state: its row has only the name
)

// goneBody is the body of a look that found nothing.
var goneBody = []byte(`{"gone":true}`)

// Translate implements connector.Translator. A message is one row of Odoo, as
// Pull and Find return it. Where the row carries an external id of ours, the
// statement's Names say whose it is: "of:order/1001".
//
// A look that found nothing gives a statement with Gone. Of then names the record
// by its key in Odoo or, where it was looked up by the book's key and Odoo's is
// not known, by the book's.
func (c *Connector) Translate(m crossdock.Message) []crossdock.Statement {
	if m.Fault != nil {
		return nil
	}
	return []crossdock.Statement{c.cfg.withCompany(translate(m), m)}
}

func translate(m crossdock.Message) crossdock.Statement {
	s := crossdock.Statement{Of: crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}, Version: m.Version}
	r, err := readRow(m.Body)
	if err != nil {
		return faulty(s, err)
	}
	if gone, _ := r["gone"]; string(gone) == "true" {
		s.Gone = true
		if asked, err := crossdock.ParseRef(m.Meta[metaRef]); err == nil && !asked.IsZero() && m.Key == "" {
			s.Of, s.Names = asked, []string{"of:" + asked.Short()}
		}
		return s
	}
	form, ok := forms[m.Kind]
	if !ok {
		return faulty(s, crossdock.Errorf(crossdock.Internal, "this connector does not translate the kind %q", m.Kind))
	}
	if m.Kind != crossdock.KindStock {
		version, at, err := r.written()
		if err != nil {
			return faulty(s, err)
		}
		s.Version, s.At = version, at
	}
	out, err := form(r, m, s)
	if err != nil {
		return faulty(s, err)
	}
	if of, ok := parseExternalID(m.Meta[metaExternal]); ok && of.Kind == m.Kind {
		out.Names = append(out.Names, "of:"+of.Short())
	}
	return out
}

// forms says how a row of each kind is read.
var forms = map[crossdock.Kind]func(row, crossdock.Message, crossdock.Statement) (crossdock.Statement, error){
	crossdock.KindSite:     translateSite,
	crossdock.KindTax:      translateTax,
	crossdock.KindItem:     translateItem,
	crossdock.KindStock:    translateStock,
	crossdock.KindOrder:    translateOrder,
	crossdock.KindParty:    translateParty,
	crossdock.KindShipment: translateShipment,
}

func faulty(s crossdock.Statement, err error) crossdock.Statement {
	s.Said, s.Says, s.Names = crossdock.Record{}, nil, nil
	s.Fault = crossdock.FaultOf(err)
	return s
}

// pack makes a statement of a typed record; a form that is not valid is a fault.
func pack(s crossdock.Statement, f crossdock.Form) (crossdock.Statement, error) {
	if err := f.Validate(); err != nil {
		return s, err
	}
	said, err := crossdock.Pack(f)
	s.Said = said
	return s, err
}

// reader collects the first error of a row's fields, so that a form reads in one go.
type reader struct {
	row
	err error
}

func (r *reader) str(name string) string  { return keep(r, r.row.text, name) }
func (r *reader) bool(name string) bool   { return keep(r, r.row.flag, name) }
func (r *reader) ref(name string) string  { return keep(r, r.row.id, name) }
func (r *reader) name(name string) string { return keep(r, r.row.label, name) }
func (r *reader) num(name string, digits int32) crossdock.Decimal {
	return keep(r, func(n string) (crossdock.Decimal, error) { return r.row.number(n, digits) }, name)
}

func keep[T any](r *reader, read func(string) (T, error), name string) T {
	v, err := read(name)
	if r.err == nil {
		r.err = err
	}
	return v
}

func (r *reader) money(name, currency string) crossdock.Money {
	return crossdock.Money{Amount: r.num(name, crossdock.Digits(currency)), Currency: currency}
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // strings, numbers and slices of them
		return nil
	}
	return b
}
