package odoo

import (
	"encoding/json"
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

func indent(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// book is what a projection may know, by name.
type book struct {
	keys  map[string]string
	names map[string][]string
	taxes map[string]crossdock.Tax
	units map[string]string
}

func (b book) Key(of crossdock.Ref) string { return b.keys[of.Short()] }

func (b book) Record(of crossdock.Ref) (crossdock.Record, bool) {
	var f crossdock.Form
	if tax, ok := b.taxes[of.Short()]; ok {
		f = tax
	} else if unit, ok := b.units[of.Short()]; ok {
		f = crossdock.Item{Name: "x", Unit: unit}
	} else {
		return crossdock.Record{}, false
	}
	r, err := crossdock.Pack(f)
	return r, err == nil
}

func (b book) Named(name string) []crossdock.Ref {
	var out []crossdock.Ref
	for _, short := range b.names[name] {
		kind, key, _ := strings.Cut(short, "/")
		out = append(out, crossdock.BookRef(crossdock.Kind(kind), key))
	}
	return out
}

func shelf() book {
	return book{
		keys: map[string]string{
			"party/P7": "57", "party/P7-dock": "58", "item/TEA": "12", "item/SHIP": "13", "item/CUT": "14", "site/E": "1",
			"tax/State": "3", "tax/City": "4", "tax/VAT": "5", "tax/Twin": "6", "tax/Twin2": "7",
		},
		names: map[string][]string{
			"sku:SHIPPING": {"item/SHIP"}, "sku:DISCOUNT": {"item/CUT"},
			"tax:State 8%": {"tax/State"}, "tax:City": {"tax/City"}, "tax:VAT incl": {"tax/VAT"}, "tax:Twin": {"tax/Twin", "tax/Twin2"},
		},
		taxes: map[string]crossdock.Tax{
			"tax/State": {Name: "State 8%", Rate: d("0.08")}, "tax/City": {Name: "City", Rate: d("0.02")}, "tax/VAT": {Name: "VAT incl", Rate: d("0.19"), Included: true},
		},
		units: map[string]string{"item/TEA": "Units"},
	}
}

func d(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func eur(s string) crossdock.Money { return crossdock.Money{Amount: d(s), Currency: "EUR"} }

func taxed(title, rate, amount string) crossdock.TaxAmount {
	return crossdock.TaxAmount{Title: title, Rate: d(rate), Amount: eur(amount)}
}

func tea(key, qty, price string, taxes ...crossdock.TaxAmount) crossdock.Line {
	return crossdock.Line{Key: key, SKU: "TEA", Item: crossdock.BookRef(crossdock.KindItem, "TEA"), Title: "Green tea", Quantity: crossdock.Quantity{Count: d(qty)}, Price: eur(price), Taxes: taxes}
}

func order(lines ...crossdock.Line) crossdock.Order {
	return crossdock.Order{
		Number: "1001", Channel: "shop", Placed: time.Date(2026, 11, 2, 11, 0, 0, 500, time.FixedZone("", 3600)), Currency: "EUR",
		Customer: crossdock.BookRef(crossdock.KindParty, "P7"), State: crossdock.OrderPromised, Lines: lines,
	}
}

func connOf(cfg Config) *Connector { return &Connector{cfg: cfg.withDefaults(), system: "odoo"} }

func projectOrder(t *testing.T, cfg Config, o crossdock.Order, v crossdock.View, b book) (want wantText, err error) {
	t.Helper()
	r, err := crossdock.Pack(o)
	if err != nil {
		t.Fatal(err)
	}
	v.System, v.Of = "odoo", crossdock.BookRef(crossdock.KindOrder, "1001")
	before := string(raw(v)) + string(raw(r))
	c := connOf(cfg)
	got, err := c.Project(r, v, b)
	again, err2 := c.Project(r, v, b)
	if string(raw(got)) != string(raw(again)) || (err == nil) != (err2 == nil) || before != string(raw(v))+string(raw(r)) {
		t.Error("a second projection differs, or the first changed what it was given")
	}
	return wantText{got.Record, got.Waits, got.Door}, err
}

// wantText is a Wanted as goldens show it.
type wantText struct {
	Record crossdock.Record `json:"record"`
	Waits  []crossdock.Ref  `json:"waits,omitempty"`
	Door   crossdock.Door   `json:"door,omitempty"`
}

// TestProjectOrders holds whole wants.
func TestProjectOrders(t *testing.T) {
	state := taxed("State", "0.08", "1.60")
	cut := func(l crossdock.Line, discount string) crossdock.Line { l.Discount = eur(discount); return l }
	full := order(tea("1", "2", "10.00", state), cut(tea("2", "3", "10.00", state, taxed("City", "0.02", "0.1")), "7.50"), cut(tea("3", "3", "10.00"), "1.00"), tea("4", "0", "5.00", state))
	full.Site, full.PurchaseCode, full.Note = "E", "PO 4711", "Ring twice\n<b>please</b>"
	full.ShipToParty = crossdock.BookRef(crossdock.KindParty, "P7-dock")
	full.Charges = []crossdock.Charge{{Title: "Post", Price: eur("5.00"), Discount: eur("0.50"), Taxes: []crossdock.TaxAmount{state}}, {Title: "Free", Price: eur("0")}}
	full.Discount = eur("10.00")
	incl := order(tea("1", "1", "11.90", taxed("VAT", "0.19", "1.90")))
	incl.TaxIncluded = true
	waiting := order(tea("1", "1", "1.00"))
	waiting.Customer, waiting.Site = crossdock.BookRef(crossdock.KindParty, "new"), "W"
	waiting.Lines[0].Item = crossdock.BookRef(crossdock.KindItem, "new")
	all := map[string]wantText{}
	for name, c := range map[string]struct {
		cfg Config
		o   crossdock.Order
	}{
		"full":         {Config{Pricelists: map[string]string{"EUR": "Web EUR"}}, full},
		"tax included": {Config{Taxes: map[string]string{"VAT 19%": "VAT incl"}}, incl},
		"waits":        {Config{}, waiting},
	} {
		want, err := projectOrder(t, c.cfg, c.o, crossdock.View{}, shelf())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all[name] = want
	}
	golden(t, "project-orders.json", indent(t, all))
}

func TestProjectSteps(t *testing.T) {
	o := order(tea("1", "2", "10.00"))
	first, err := projectOrder(t, Config{}, o, crossdock.View{}, shelf())
	if err != nil {
		t.Fatal(err)
	}
	as := func(r crossdock.Record, state string) crossdock.Record {
		r = r.Clone()
		r.Fields["state"] = raw(state)
		return r
	}
	draft, sale, cancel := first.Record, as(first.Record, "sale"), as(first.Record, "cancel")
	changed := o
	changed.Lines = []crossdock.Line{tea("1", "3", "10.00")}
	other, err := projectOrder(t, Config{}, changed, crossdock.View{}, shelf())
	if err != nil {
		t.Fatal(err)
	}
	bare := func(state string) crossdock.Record {
		return crossdock.Record{Kind: orderModel, Form: 1, Fields: map[string]json.RawMessage{
			"client_order_ref": raw("1001"), "origin": raw("crossdock.order_1001"), "state": raw(state)}}
	}
	held := func(state crossdock.OrderState) crossdock.Record {
		return crossdock.Record{Kind: crossdock.KindOrder, Form: 1, Fields: map[string]json.RawMessage{"state": raw(state)}}
	}
	open := crossdock.Open{Attempt: 4, Push: crossdock.Push{Want: draft, Door: crossdock.DoorRefused}}
	in := func(o crossdock.Order, s crossdock.OrderState) crossdock.Order { o.State = s; return o }
	none := crossdock.Record{}
	for _, c := range []struct {
		name string
		o    crossdock.Order
		v    crossdock.View
		want crossdock.Record
		door crossdock.Door
	}{
		{"promised", o, crossdock.View{}, draft, crossdock.DoorRefused},
		{"confirmed in the book, never made", in(o, crossdock.OrderConfirmed), crossdock.View{}, draft, crossdock.DoorRefused},
		{"received", in(o, crossdock.OrderReceived), crossdock.View{}, none, ""},
		{"held", in(o, crossdock.OrderHeld), crossdock.View{}, none, ""},
		{"refused", in(o, crossdock.OrderRefused), crossdock.View{}, none, ""},
		{"cancelled before anything was sent", in(o, crossdock.OrderCancelled), crossdock.View{}, none, ""},
		{"cancelled while the load is on its way: its key is needed first", in(o, crossdock.OrderCancelled), crossdock.View{Open: []crossdock.Open{open}}, draft, crossdock.DoorRefused},
		{"cancelled and the load's answer lost", in(o, crossdock.OrderCancelled), crossdock.View{Unknown: true, Lost: &open}, draft, crossdock.DoorRefused},
		{"changed and the load's answer lost: the same is said again", changed, crossdock.View{Unknown: true, Lost: &open}, draft, crossdock.DoorRefused},
		{"unknown after a restore", in(o, crossdock.OrderCancelled), crossdock.View{Unknown: true}, none, ""},
		{"made", o, crossdock.View{Key: "812", Asked: draft, Held: held(crossdock.OrderPromised)}, sale, crossdock.DoorFound},
		{"made and changed", changed, crossdock.View{Key: "812", Asked: draft, Held: held(crossdock.OrderPromised)}, other.Record, crossdock.DoorFound},
		{"made and on hold", in(o, crossdock.OrderHeld), crossdock.View{Key: "812", Asked: draft, Held: held(crossdock.OrderPromised)}, draft, crossdock.DoorFound},
		{"made and refused", in(o, crossdock.OrderRefused), crossdock.View{Key: "812", Asked: draft, Held: held(crossdock.OrderPromised)}, cancel, crossdock.DoorFound},
		{"made and cancelled", in(o, crossdock.OrderCancelled), crossdock.View{Key: "812", Asked: draft, Held: held(crossdock.OrderPromised)}, cancel, crossdock.DoorFound},
		{"found by a look", o, crossdock.View{Key: "812", Held: held(crossdock.OrderPromised)}, draft, crossdock.DoorFound},
		{"found by a look, confirmed", o, crossdock.View{Key: "812", Held: held(crossdock.OrderConfirmed)}, bare("sale"), crossdock.DoorFound},
		{"found by a look, to be cancelled", in(o, crossdock.OrderCancelled), crossdock.View{Key: "812", Held: held(crossdock.OrderConfirmed)}, bare("cancel"), crossdock.DoorFound},
		{"confirmed", in(o, crossdock.OrderConfirmed), crossdock.View{Key: "812", Asked: sale, Held: held(crossdock.OrderConfirmed)}, sale, crossdock.DoorFound},
		{"confirmed, and the book's lines changed", in(changed, crossdock.OrderConfirmed), crossdock.View{Key: "812", Asked: sale, Held: held(crossdock.OrderConfirmed)}, sale, crossdock.DoorFound},
		{"confirmed by a person", o, crossdock.View{Key: "812", Asked: draft, Held: held(crossdock.OrderConfirmed)}, sale, crossdock.DoorFound},
		{"confirmed, then set back to a quotation", in(changed, crossdock.OrderConfirmed), crossdock.View{Key: "812", Asked: sale, Held: held(crossdock.OrderPromised)}, sale, crossdock.DoorFound},
		{"confirmed and cancelled in the channel", in(o, crossdock.OrderCancelled), crossdock.View{Key: "812", Asked: sale, Held: held(crossdock.OrderConfirmed)}, cancel, crossdock.DoorFound},
		{"cancelled by a person", o, crossdock.View{Key: "812", Asked: sale, Held: held(crossdock.OrderCancelled)}, sale, crossdock.DoorFound},
		{"cancelled by a person as a draft", changed, crossdock.View{Key: "812", Asked: draft, Held: held(crossdock.OrderCancelled)}, draft, crossdock.DoorFound},
		{"cancelled by us, set back to a quotation by a person", o, crossdock.View{Key: "812", Asked: cancel, Held: held(crossdock.OrderPromised)}, cancel, crossdock.DoorFound},
		{"shipped", in(o, crossdock.OrderShipped), crossdock.View{Key: "812", Asked: sale, Held: held(crossdock.OrderConfirmed)}, sale, crossdock.DoorFound},
		{"deleted by a person", o, crossdock.View{Key: "812", Asked: sale, Gone: true}, none, ""},
		{"deleted by a person, cancelled since", in(o, crossdock.OrderCancelled), crossdock.View{Key: "812", Asked: sale, Gone: true}, none, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := projectOrder(t, Config{}, c.o, c.v, shelf())
			if err != nil || !got.Record.Equal(c.want) || got.Door != c.door || len(got.Waits) > 0 {
				t.Errorf("got %s by %q (%v), want %s by %q", raw(got.Record), got.Door, err, raw(c.want), c.door)
			}
		})
	}
}

func TestProjectRefuses(t *testing.T) {
	state := taxed("State", "0.08", "1.60")
	with := func(o crossdock.Order, change func(*crossdock.Order)) crossdock.Order { change(&o); return o }
	one := order(tea("1", "2", "10.00", state))
	lacking := func(name string) book { b := shelf(); delete(b.names, name); return b }
	for _, c := range []struct {
		name  string
		cfg   Config
		o     crossdock.Order
		b     book
		code  crossdock.Code
		place string
		text  string
	}{
		{"tax nobody knows", Config{}, order(tea("1", "2", "10.00", taxed("Import", "0.05", "1"))), shelf(), crossdock.Invalid, "lines[0].taxes[0]", `"Import 5%"`},
		{"mapped to a tax that is not there", Config{Taxes: map[string]string{"State": "Gone 8%"}}, one, shelf(), crossdock.Invalid, "lines[0].taxes[0]", `"Gone 8%"`},
		{"two taxes of a name", Config{}, order(tea("1", "2", "10.00", taxed("Twin", "0.05", "1"))), shelf(), crossdock.Invalid, "lines[0].taxes[0]", "6, 7"},
		{"same name, other rate", Config{}, order(tea("1", "2", "10.00", taxed("City", "0.05", "1"))), shelf(), crossdock.Invalid, "lines[0].taxes[0]", "5%"},
		{"prices with tax, tax without", Config{}, with(one, func(o *crossdock.Order) { o.TaxIncluded = true }), shelf(), crossdock.Invalid, "lines[0].taxes[0]", "contain tax"},
		{"prices without tax, tax with", Config{Taxes: map[string]string{"8%": "VAT incl"}}, one, shelf(), crossdock.Invalid, "lines[0].taxes[0]", "without tax"},
		{"charge's tax", Config{}, with(one, func(o *crossdock.Order) {
			o.Charges = []crossdock.Charge{{Title: "Post", Price: eur("5"), Taxes: []crossdock.TaxAmount{taxed("Import", "0.05", "1")}}}
		}), shelf(), crossdock.Invalid, "charges[0].taxes[0]", "Import"},
		{"no shipping product", Config{}, with(one, func(o *crossdock.Order) { o.Charges = []crossdock.Charge{{Title: "Post", Price: eur("5")}} }), lacking("sku:SHIPPING"), crossdock.Invalid, "charges[0]", "shipping_product"},
		{"no discount product", Config{}, with(one, func(o *crossdock.Order) { o.Discount = eur("1") }), lacking("sku:DISCOUNT"), crossdock.Invalid, "discount", "discount_product"},
		{"line without item", Config{}, with(order(tea("1", "2", "10.00")), func(o *crossdock.Order) { o.Lines[0].Item = crossdock.Ref{} }), shelf(), crossdock.Invalid, "lines[0].item", "TEA"},
		{"line in another unit", Config{}, with(order(tea("1", "2", "10.00")), func(o *crossdock.Order) { o.Lines[0].Quantity.Unit = "Case of 12" }), shelf(), crossdock.Invalid, "lines[0].quantity", "Case of 12"},
		{"nothing left", Config{}, order(tea("1", "0", "10.00")), shelf(), crossdock.Refused, "lines", "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := projectOrder(t, c.cfg, c.o, crossdock.View{}, c.b)
			var e *crossdock.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Place != c.place || !strings.Contains(e.Text, c.text) {
				t.Errorf("%#v", err)
			}
		})
	}
}

func TestTaxesOfNothing(t *testing.T) {
	for name, c := range map[string]struct {
		tax  crossdock.TaxAmount
		want string
	}{
		"exempt from a known tax":     {taxed("State", "0.08", "0"), `[]`},
		"exempt from an unknown tax":  {taxed("Import", "0.05", "0"), `[]`},
		"zero rate nobody stands for": {taxed("Zero", "0", "0"), `[]`},
		"charged":                     {taxed("State", "0.08", "0.01"), `["3"]`},
	} {
		got, err := projectOrder(t, Config{}, order(tea("1", "1", "1", c.tax)), crossdock.View{}, shelf())
		var lines []orderLine
		if err != nil || json.Unmarshal(got.Record.Fields["order_line"], &lines) != nil || string(raw(lines[0].Taxes)) != c.want {
			t.Errorf("%s: %v %v", name, lines, err)
		}
	}
}

func TestProjectParties(t *testing.T) {
	parent := crossdock.BookRef(crossdock.KindParty, "P7")
	address := crossdock.Address{Name: "Ada", Company: "Lee Ltd", Street: "1 Main St", Street2: "Floor 2", City: "Lexington", Zip: "40502", Region: "KY", Country: "US", Phone: "+1"}
	all := map[string]wantText{}
	for name, c := range map[string]struct {
		p crossdock.Party
		v crossdock.View
	}{
		"person":   {crossdock.Party{Name: "Ada Lee", Company: "Lee Ltd", Email: "ada@example.org", Phone: "+15550100", TaxID: "US123", Address: address}, crossdock.View{}},
		"firm":     {crossdock.Party{Name: "Lee Ltd", IsFirm: true, TaxID: "US123"}, crossdock.View{Key: "57"}},
		"delivery": {crossdock.Party{Name: "Dock", Parent: parent, Role: crossdock.UseDelivery, TaxID: "US123", Address: address}, crossdock.View{}},
		"billing":  {crossdock.Party{Name: "Office", Parent: parent, Role: crossdock.UseBilling}, crossdock.View{}},
		"both":     {crossdock.Party{Name: "House", Parent: parent, Role: crossdock.UseBoth, Address: address}, crossdock.View{}},
		"contact":  {crossdock.Party{Name: "Bob", Parent: parent}, crossdock.View{}},
		"waits":    {crossdock.Party{Name: "Dock", Parent: crossdock.BookRef(crossdock.KindParty, "new")}, crossdock.View{}},
		"deleted":  {crossdock.Party{Name: "Ada Lee"}, crossdock.View{Key: "57", Gone: true}},
		"lost": {crossdock.Party{Name: "Ada Lee"}, crossdock.View{Unknown: true, Lost: &crossdock.Open{Push: crossdock.Push{
			Want: crossdock.Record{Kind: partnerModel, Form: 1, Fields: map[string]json.RawMessage{"name": raw("Ada")}}}}}},
	} {
		r, err := crossdock.Pack(c.p)
		if err != nil {
			t.Fatal(err)
		}
		c.v.Of = crossdock.BookRef(crossdock.KindParty, "X 1")
		got, err := connOf(Config{}).Project(r, c.v, shelf())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all[name] = wantText{got.Record, got.Waits, got.Door}
	}
	golden(t, "project-parties.json", indent(t, all))
	if _, err := connOf(Config{}).Project(crossdock.Record{Kind: crossdock.KindItem, Form: 1}, crossdock.View{}, shelf()); crossdock.CodeOf(err) != crossdock.Refused {
		t.Errorf("an item: %v", err)
	}
}

// TestWhatIsTheHubs: a want remembers which values are the hub's, through adopted
// changes of people and through pushes that were lost.
func TestWhatIsTheHubs(t *testing.T) {
	party := func(p crossdock.Party) crossdock.Record {
		r, err := crossdock.Pack(p)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	v := crossdock.View{Of: crossdock.BookRef(crossdock.KindParty, "1"), Key: "57"}
	want := func(p crossdock.Party) crossdock.Record {
		w, err := connOf(Config{}).Project(party(p), v, shelf())
		if err != nil {
			t.Fatal(err)
		}
		return w.Record
	}
	says := func(w crossdock.Record, write, empty string) {
		t.Helper()
		if got := strings.Join(listIn(w, wantWrite), " "); got != write {
			t.Errorf("written: %q, want %q", got, write)
		}
		if got := strings.Join(listIn(w, wantEmpty), " "); got != empty {
			t.Errorf("emptied: %q, want %q", got, empty)
		}
	}
	made := crossdock.Party{Name: "Ada", Email: "a@example.org"}
	v.Key = ""
	v.Asked, v.Key, v.Held = want(made), "57", party(made)
	if !want(made).Equal(v.Asked) {
		t.Fatal("what was asked for is wanted otherwise")
	}

	adopted := crossdock.Party{Name: "Ada", Email: "a@example.org", TaxID: "US1"} // by a person, heard and adopted
	v.Held = party(adopted)
	w := want(adopted)
	says(w, "vat", "")
	v.Asked = w
	if !want(adopted).Equal(v.Asked) {
		t.Error("an adopted change is work again")
	}
	w = want(crossdock.Party{Name: "Ada"})
	says(w, "", "email") // the tax number is a person's

	// The push that empties the e-mail is lost, and nobody can tell what it did.
	v.Asked, v.Doubt = crossdock.Record{}, w
	w = want(crossdock.Party{Name: "Ada"})
	says(w, "name is_company type ref", "email")
	v.Asked, v.Doubt, v.Held = w, crossdock.Record{}, party(crossdock.Party{Name: "Ada", TaxID: "US1"})
	says(want(crossdock.Party{Name: "Bob"}), "name", "")
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		discount, gross, want string
	}{
		{"5", "20", "25"}, {"0.01", "100", "0.01"}, {"20", "20", "100"}, {"6.6666", "20", ""}, {"1", "30", ""}, {"21", "20", ""}, {"1", "0", ""},
		{"0.333", "10", "3.33"},
	} {
		got, ok := percent(d(c.discount), d(c.gross))
		if ok != (c.want != "") || ok && !got.Equal(d(c.want)) {
			t.Errorf("%s of %s: %s %v, want %q", c.discount, c.gross, got, ok, c.want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		total  string
		nets   []string
		digits int32
		want   []string
	}{
		{"10.00", []string{"100"}, 2, []string{"10"}},
		{"10.00", []string{"1", "1", "1"}, 2, []string{"3.34", "3.33", "3.33"}},
		{"0.02", []string{"1", "1", "1"}, 2, []string{"0.01", "0.01", "0"}},
		{"6.40", []string{"44", "20"}, 2, []string{"4.4", "2"}},
		{"5", []string{"0", "20"}, 2, []string{"0", "5"}},
		{"5", []string{"0", "0"}, 2, []string{"5", "0"}},
		{"100", []string{"1", "2"}, 0, []string{"33", "67"}},
		{"0.005", []string{"1", "2"}, 2, []string{"0", "0.005"}},
	} {
		var shares []share
		for _, n := range c.nets {
			shares = append(shares, share{net: d(n)})
		}
		var got []string
		sum := decimal.Zero
		for _, p := range split(d(c.total), shares, c.digits) {
			got, sum = append(got, p.String()), sum.Add(p)
		}
		if !slices.Equal(got, c.want) || !sum.Equal(d(c.total)) {
			t.Errorf("%s over %v: %v, want %v", c.total, c.nets, got, c.want)
		}
	}
}

func TestExternalIDs(t *testing.T) {
	for _, key := range []string{"1001", "1001/E", "F 1/ü", "a_b", "50%", "x.y"} {
		of := crossdock.BookRef(crossdock.KindParty, key)
		id := externalID(of)
		back, ok := parseExternalID(id)
		if !ok || back != of || strings.ContainsAny(id, " %\x00") && !strings.Contains(id, "%") {
			t.Errorf("%s → %s → %s", of, id, back)
		}
		if strings.ContainsRune(id, ' ') {
			t.Errorf("%s has a space, which breaks a constraint", id)
		}
	}
	for _, id := range []string{"", "crossdock.", "crossdock.order", "crossdock.order_", "base.us"} {
		if of, ok := parseExternalID(id); ok {
			t.Errorf("%q → %s", id, of)
		}
	}
}

// pureFiles hold what Translate and Project are made of.
var pureFiles = []string{"external.go", "item.go", "line.go", "order.go", "party.go", "partychange.go", "project.go", "row.go", "stock.go", "tax.go", "translate.go"}

// TestPurity: the files may import nothing that knows time, chance, files or
// networks, read no clock, and reach nothing of the connector but its configuration.
func TestPurity(t *testing.T) {
	allowed := []string{"bytes", "encoding/json", "fmt", "html", "slices", "strconv", "strings", "time", "unicode",
		"github.com/shopspring/decimal", "github.com/crossdockhq/crossdock", "github.com/crossdockhq/crossdock/connector"}
	for _, file := range pureFiles {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range tree.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", file, path)
			}
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, _ := sel.X.(*ast.Ident)
			switch {
			case x != nil && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep", "Local"}, sel.Sel.Name):
				t.Errorf("%s reads the clock: time.%s", file, sel.Sel.Name)
			case x != nil && x.Name == "c" && slices.Contains([]string{"rpc", "now", "mu", "found"}, sel.Sel.Name):
				t.Errorf("%s reaches c.%s", file, sel.Sel.Name)
			}
			return true
		})
	}
}
