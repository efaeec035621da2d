package odoo

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// veiled stands for what is left out of a text of Odoo's.
const veiled = "…"

// veil makes of a text of Odoo's what may stand in a receipt, an exception and a log
// (I9). Odoo and its modules write names, addresses and whole rows into their errors,
// so nothing is shown for being harmless, only for being known: the words of Odoo's own
// messages, names of models, fields, constraints and documents, short numbers, and a
// database id where the text says it is one.
// Everything else is "…", and so is every word of what was pushed.
//
// The shapes are those of recorded errors of Odoo 16, 18 and 19
// (testdata/veil.json).
func veil(text string, pushed []string) string {
	text, _, _ = strings.Cut(text, "\nDETAIL:") // the raw row
	text, _, _ = strings.Cut(text, "\nLINE ")   // the raw query
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	var out []string
	for _, w := range strings.Fields(veilQuotations(text, pushed)) {
		if !strings.Contains(w, kept) {
			w = veilWord(w, pushed)
		}
		if len(out) > 0 && out[len(out)-1] == veiled && digits(strings.Trim(w, "().,;")) { // "+1 (555) 010": a telephone number goes on
			w = veiled
		}
		if !strings.HasPrefix(w, veiled) || len(out) == 0 || out[len(out)-1] != veiled {
			out = append(out, w)
		}
	}
	return shorten(strings.ReplaceAll(strings.ReplaceAll(strings.Join(out, " "), kept, ""), keptSpace, " "))
}

// A quotation that may be shown is carried through the judging of words by marks
// that no text of Odoo's holds.
const kept, keptSpace = "\x00", "\x01"

// quotation finds what is quoted. It begins after a space or a bracket: the
// apostrophe of "doesn't" begins none.
var quotation = regexp.MustCompile(`(?:^|[\s(\[<:=,])('[^']*'|"[^"]*"|“[^”]*”)`)

var (
	named     = regexp.MustCompile(`^_?[a-z][a-z0-9]*(?:[._]+[a-z0-9]+)+$`) // a field, a method, a constraint: no word of a language
	model     = regexp.MustCompile(`^(?:account|base|crossdock|delivery|ir|mail|mrp|product|purchase|res|sale|stock|uom)(?:\.[a-z_]+)+(?:\(\d*,?\))?$`)
	label     = regexp.MustCompile(`^[A-Za-z /_-]{1,40}$`)
	describes = regexp.MustCompile(`^ \([a-z_]+(?:\.[a-z_]+)*[:)]`)
	number    = regexp.MustCompile(`^(?:\d{1,3}|id=\d{1,9})$`)
	document  = regexp.MustCompile(`^(?:S\d{5,}|[A-Z]{2,6}/(?:OUT|IN|INT)/\d{5,})$`)
)

// isKnown reports a word in lower case, or several joined by the marks of names and
// compounds ("xml_id", "multi-company"), of which each may be shown.
func isKnown(s string) bool {
	s = strings.ReplaceAll(s, "’", "'")
	some := false
	for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return strings.ContainsRune("._/-", c) }) {
		if !lowerWords[part] {
			return false
		}
		some = true
	}
	return some
}

// isLabel reports what a field, a model or a right is called where people read it:
// known words, with or without a capital.
func isLabel(s string) bool {
	if !label.MatchString(s) {
		return false
	}
	for word := range strings.FieldsFuncSeq(s, func(c rune) bool { return strings.ContainsRune(" _/-", c) }) {
		if !odooWords[word] && !lowerWords[strings.ToLower(word)] {
			return false
		}
	}
	return true
}

// isModel reports the name of a model of Odoo's own, with or without ids.
func isModel(s string) bool {
	name, _, _ := strings.Cut(s, "(")
	return model.MatchString(s) && isKnown(name)
}

// veilQuotations veils what is quoted, unless the words around it say what it names.
func veilQuotations(text string, pushed []string) string {
	var b strings.Builder
	done := 0
	for _, at := range quotation.FindAllStringSubmatchIndex(text, -1) {
		from, to := at[2], at[3]
		what := strings.Trim(text[from:to], `'"“”`)
		b.WriteString(text[done:from])
		b.WriteString(kept)
		switch {
		case what == "" || names(text[:from], what, text[to:]) && !touches(what, pushed):
			b.WriteString(strings.ReplaceAll(text[from:to], " ", keptSpace))
		default:
			b.WriteString(strings.Replace(text[from:to], what, veiled, 1))
		}
		done = to
	}
	b.WriteString(text[done:])
	return b.String()
}

// names reports that a quotation is the name of a model, a field, a constraint, a
// right, or an id, by the text before and after it.
func names(before, what, after string) bool {
	word := ""
	if w := strings.Fields(before); len(w) > 0 {
		word = w[len(w)-1]
	}
	switch {
	case word == "id" && strings.HasSuffix(before, "database id "):
		return digits(what)
	case word == "id":
		return strings.HasPrefix(what, module)
	case word == "field" || word == "fields":
		return isLabel(what) || named.MatchString(what) || isKnown(what)
	case strings.HasSuffix(before, "field name ") || slices.Contains([]string{"constraint", "relation", "method", "model"}, word):
		return named.MatchString(what) || isKnown(what)
	case strings.Contains(before, "allowed for groups "):
		return isLabel(what)
	case describes.MatchString(after): // 'Contact' (res.partner): the description of a model or a field
		return isLabel(what)
	}
	return isModel(what) || slices.Contains([]string{"read", "write", "create", "unlink"}, what)
}

func digits(s string) bool {
	return s != "" && len(s) <= 10 && strings.Trim(s, "0123456789") == ""
}

// veilWord shows a word that is known and not one of what was pushed.
func veilWord(w string, pushed []string) string {
	bare := strings.Trim(w, `.,:;!?()[]'"“”‘’«»•-–`)
	if bare == "" {
		return w
	}
	whole := strings.TrimRight(w, ".,:;!?") // with its brackets: "sale.order(7,)"
	whole = strings.TrimLeft(whole, "(")
	switch {
	case touches(bare, pushed):
	case isKnown(bare), isModel(bare), isModel(whole), number.MatchString(bare), document.MatchString(bare):
		return w
	case allOdoo(bare):
		return w
	}
	return veiled
}

// allOdoo reports a word of Odoo's own messages, or several with a slash between.
func allOdoo(w string) bool {
	for part := range strings.SplitSeq(w, "/") {
		if !odooWords[part] && !isKnown(part) {
			return false
		}
	}
	return true
}

// odooWords are words with a capital in the recorded messages, and those that begin
// sentences.
var odooWords = wordSet(`A Access Accounting Add Address Administration All An Another Archive AssertionError Barcode Basic Billing BaseModel
	Can Cancel Cannot Check Choose Companies Company Connection Constraint Contact Contacts Country Create Creation Currency Customer
	Database Date Datetime Delete Denied Delivery Discount Document Due Each Enter Entry Error Every Expected Extra FATAL Failed Features Field Fields
	First Found Go Group Groups If In Incompatible Instead Insufficient Integrity Invalid Inventory Invoice Invoicing It Journal KeyError
	Language Line Lines Location Looks Many-To-One Missing Model No Not Note Object Odoo Once Only Operation Or Order Orders
	Partner Payment Please Price Pricelist Private Product Products Quantity Quants Quotation Readonly Record Records Reference Rights
	Sale Sales Select Server Session Set Show Some Sorry State Stock Tag Tags Tax Taxes Technical Terms That The There These They There's This To
	Type Uh-oh Unable Unit Unknown User Users VAT Value Verify Warehouse Warehouses We When Wrong You Your You've You’ve`)

func wordSet(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}

// touches reports that a text shares a word with what was pushed.
func touches(s string, pushed []string) bool {
	if len(pushed) == 0 {
		return false
	}
	s = strings.ToLower(s)
	return slices.ContainsFunc(pushed, func(p string) bool { return s == p }) ||
		slices.ContainsFunc(splitWords(s), func(w string) bool { return slices.Contains(pushed, w) })
}

func splitWords(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// notPersonal are the fields of a push whose values are the hub's or Odoo's words.
var notPersonal = []string{"id", "is_company", "ref", "type", "origin", "date_order"}

// pushedWords returns the words a call writes, in lower case. Reads write none.
func pushedWords(method string, args []any) []string {
	var out []string
	add := func(field, value string) {
		if slices.Contains(notPersonal, field) || strings.HasSuffix(field, ".id") {
			return
		}
		for _, w := range splitWords(strings.ToLower(value)) {
			if len(w) > 1 && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	switch {
	case method == "load" && len(args) == 2:
		columns, _ := args[0].([]string)
		rows, _ := args[1].([][]string)
		for _, r := range rows {
			for i, cell := range r {
				add(columns[min(i, len(columns)-1)], cell)
			}
		}
	case method == "write" && len(args) == 2:
		writtenWords("", args[1], add)
	}
	return out
}

func writtenWords(field string, v any, add func(field, value string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			writtenWords(name, value, add)
		}
	case []any:
		for _, value := range v {
			writtenWords(field, value, add)
		}
	case json.Number, bool: // ids, quantities, amounts
	case string:
		add(field, v)
	}
}

// shorten bounds a text, so that a page can show it.
func shorten(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + veiled
}
