package core

import (
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// heldName is the field of what an ERP holds of an order in which it says what it
// calls it: S00042.
const heldName = "name"

// NumberName is the matching key under which an order is found by what people call
// it in a system: 1001 in the shop, S00042 in the ERP.
func NumberName(system crossdock.System, number string) string {
	return "number:" + string(system) + "/" + number
}

// numbered makes an order found by its number in a system; the one it had there before
// finds it no longer.
func (l *layer) numbered(r *Record, system crossdock.System, number string) {
	if number == "" {
		return
	}
	name := NumberName(system, number)
	if slices.Contains(r.Names, name) {
		return
	}
	names := slices.DeleteFunc(slices.Clone(r.Names), func(n string) bool { return strings.HasPrefix(n, NumberName(system, "")) })
	l.rename(r, append(names, name))
}

// numberedThere makes an order found by what an ERP calls it.
func (l *layer) numberedThere(v *View) {
	if number := v.Held.Text(heldName); number != "" {
		if r := edit[Record](l, RecordAt(v.Of)); !r.Of.IsZero() {
			l.numbered(r, v.System, number)
		}
	}
}
