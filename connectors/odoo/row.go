package odoo

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock"
)

// row is one record as Odoo returned it. Null is false in every type but boolean;
// a many2one is [id, name], or the id alone when read with load="".
type row map[string]json.RawMessage

// body writes the row with its keys sorted and no idle space: the same row gives
// the same bytes.
func (r row) body() []byte {
	b, err := json.Marshal(r)
	if err != nil { // values come out of a JSON decoder
		return nil
	}
	return b
}

func readRow(b []byte) (row, error) {
	var r row
	if err := json.Unmarshal(b, &r); err != nil || r == nil {
		return nil, crossdock.Errorf(crossdock.Invalid, "the row is no JSON object")
	}
	return r, nil
}

func (r row) get(name string) (json.RawMessage, error) {
	v, ok := r[name]
	if !ok {
		return nil, crossdock.At(name, crossdock.Errorf(crossdock.Invalid, "the field is missing: has the user the right to read it?"))
	}
	return bytes.TrimSpace(v), nil
}

func isNull(v json.RawMessage) bool { return string(v) == "false" || string(v) == "null" }

// text returns a text field; false is "".
func (r row) text(name string) (string, error) {
	v, err := r.get(name)
	if err != nil || isNull(v) {
		return "", err
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return "", crossdock.At(name, crossdock.Errorf(crossdock.Invalid, "%s is no text", clip(v)))
	}
	return s, nil
}

func (r row) flag(name string) (bool, error) {
	v, err := r.get(name)
	if err != nil {
		return false, err
	}
	b, err := strconv.ParseBool(string(v))
	if err != nil {
		return false, crossdock.At(name, crossdock.Errorf(crossdock.Invalid, "%s is neither true nor false", clip(v)))
	}
	return b, nil
}

// number returns a number without Odoo's float dust (2.3999999999999986), rounded
// to digits decimals, half away from zero.
func (r row) number(name string, digits int32) (decimal.Decimal, error) {
	v, err := r.get(name)
	if err != nil {
		return decimal.Decimal{}, err
	}
	d, err := parseNumber(string(v))
	if err != nil {
		return decimal.Decimal{}, crossdock.At(name, err)
	}
	return d.Round(digits), nil
}

// parseNumber reads a JSON number. Python writes 1e-05 and 1e+16, which a plain
// decimal may not have; the exponent is bounded so that a short text can't become
// a gigantic number.
func parseNumber(s string) (decimal.Decimal, error) {
	bad := func() (decimal.Decimal, error) {
		return decimal.Decimal{}, crossdock.Errorf(crossdock.Invalid, "%s is no number", clip([]byte(s)))
	}
	if len(s) > 40 || s == "" || s[0] == '"' {
		return bad()
	}
	if _, exp, ok := strings.Cut(strings.ToLower(s), "e"); ok {
		n, err := strconv.Atoi(exp)
		if err != nil || n > 30 || n < -60 {
			return bad()
		}
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return bad()
	}
	return d, nil
}

// id returns the key of a many2one, or of an id field; "" when it is false.
func (r row) id(name string) (string, error) {
	v, err := r.get(name)
	if err != nil || isNull(v) {
		return "", err
	}
	if key, ok := keyOf(v); ok {
		return key, nil
	}
	var pair []json.RawMessage
	if err := json.Unmarshal(v, &pair); err == nil && len(pair) > 0 {
		if key, ok := keyOf(pair[0]); ok {
			return key, nil
		}
	}
	return "", crossdock.At(name, crossdock.Errorf(crossdock.Invalid, "%s is no reference", clip(v)))
}

// label returns the name of a many2one as [id, name] shows it.
func (r row) label(name string) (string, error) {
	v, err := r.get(name)
	if err != nil || isNull(v) {
		return "", err
	}
	var pair []json.RawMessage
	var s string
	if err := json.Unmarshal(v, &pair); err != nil || len(pair) != 2 || json.Unmarshal(pair[1], &s) != nil {
		return "", crossdock.At(name, crossdock.Errorf(crossdock.Invalid, "%s is no reference with a name", clip(v)))
	}
	return s, nil
}

// keyOf reads a positive whole number as a key. Odoo's ids are 32 bits.
func keyOf(v json.RawMessage) (string, bool) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64)
	if err != nil || n <= 0 {
		return "", false
	}
	return strconv.FormatInt(n, 10), true
}

// written returns the row's version and time. Reads show whole seconds in UTC.
func (r row) written() (string, time.Time, error) {
	s, err := r.text("write_date")
	if err != nil {
		return "", time.Time{}, err
	}
	t, err := time.Parse(stamp, s)
	if err != nil {
		return "", time.Time{}, crossdock.At("write_date", crossdock.Errorf(crossdock.Invalid, "%q is no date and time of Odoo", s))
	}
	return s, t, nil
}

// stamp is how Odoo writes and reads dates: UTC, whole seconds, no T, no Z.
const stamp = "2006-01-02 15:04:05"

// clip says what a value is that has the wrong form: a number as it is, of anything
// else only its sort, because it may be a person's (I9).
func clip(v []byte) string {
	const most = 40
	v = bytes.TrimSpace(v)
	switch {
	case len(v) == 0:
		return "nothing"
	case v[0] == '"':
		return "a text"
	case v[0] == '[':
		return "a list"
	case v[0] == '{':
		return "an object"
	case len(v) > most:
		return string(v[:most]) + veiled
	}
	return string(v)
}

// ids turns keys into the numbers Odoo wants. A key that is no number is an error
// with code Invalid: it did not come from Odoo.
func ids(keys []string) ([]json.Number, error) {
	out := make([]json.Number, 0, len(keys))
	for _, k := range keys {
		if _, ok := keyOf(json.RawMessage(k)); !ok {
			return nil, crossdock.Errorf(crossdock.Invalid, "%q is no database id of Odoo", k)
		}
		out = append(out, json.Number(k))
	}
	return out, nil
}
