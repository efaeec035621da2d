package odoo

import (
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// module is the module part of the hub's external ids.
const module = "crossdock."

// externalID returns the external id of a record of the book in Odoo, for instance
// crossdock.order_1001. It is the key by which Odoo refuses to make a record
// twice. Characters outside letters, digits and -_./:# are written as %XX: a
// space breaks a constraint of Odoo's (recorded), dots and slashes are fine.
func externalID(of crossdock.Ref) string {
	return module + string(of.Kind) + "_" + escape(of.Key)
}

// parseExternalID returns the book's record an external id of ours names; ok is
// false for anybody else's.
func parseExternalID(s string) (crossdock.Ref, bool) {
	s, ours := strings.CutPrefix(s, module)
	kind, key, ok := strings.Cut(s, "_")
	if !ours || !ok || kind == "" || key == "" {
		return crossdock.Ref{}, false
	}
	return crossdock.BookRef(crossdock.Kind(kind), unescape(key)), true
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_./:#", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte("0123456789ABCDEF"[c>>4])
		b.WriteByte("0123456789ABCDEF"[c&15])
	}
	return b.String()
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
