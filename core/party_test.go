package core

import (
	"slices"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// says is what a system says of Ada, whose key there is c1, as of a second.
func says(h *house, from crossdock.System, second int, p crossdock.Party) {
	body, err := crossdock.Pack(p)
	if err != nil {
		h.tb.Fatal(err)
	}
	if from == "shop" {
		h.hears(from, -1, h.at, crossdock.Statement{Of: crossdock.Ref{System: from, Kind: crossdock.KindParty, Key: "c1"}, Version: secondOf(second), Said: body, Names: []string{"email:" + p.Email}})
		return
	}
	key := h.erp.external["party/shop-c1"]
	h.hears(from, h.seq, h.at, crossdock.Statement{Of: crossdock.Ref{System: from, Kind: crossdock.KindParty, Key: key}, Version: secondOf(second), Said: body})
}

func secondOf(n int) string { return second(3600 + n) }

// known is a customer both the shop and the ERP have.
func known(t *testing.T) *house {
	h := newHouse(t, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	return h
}

func (h *house) party(key string) crossdock.Party {
	var p crossdock.Party
	if r := stored[Record](h, RecordAt(crossdock.BookRef(crossdock.KindParty, key))); r == nil || r.Body.Unpack(&p) != nil {
		h.tb.Fatalf("the book has no party %s", key)
	}
	return p
}

func TestPartyChangesInTheERP(t *testing.T) {
	h := known(t)
	n := len(h.pushed)
	ada := crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Phone: "555 0101"}
	says(h, "odoo", 1, ada)
	if got := h.party("shop-c1").Phone; got != "555 0101" {
		t.Errorf("the book has phone %q, want what a person wrote in the ERP", got)
	}
	h.works()
	if len(h.pushed) != n {
		t.Error("what the ERP said was pushed back to it")
	}
	h.exceptions()
}

// A change in the ERP while another of ours is still to be pushed: both stand.
func TestPartyChangesOnBothSides(t *testing.T) {
	h := known(t)
	says(h, "odoo", 1, crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Phone: "555 0101"})
	says(h, "shop", 2, crossdock.Party{Name: "Ada Lee-Byron", Email: "ada@example.org"})
	says(h, "odoo", 3, crossdock.Party{Name: "Ada Lee", Email: "ada@example.org", Phone: "555 0102"})
	if p := h.party("shop-c1"); p.Name != "Ada Lee-Byron" || p.Phone != "555 0102" {
		t.Errorf("the book has %s, %s; want both changes", p.Name, p.Phone)
	}
	h.works()
	last := h.pushed[len(h.pushed)-1]
	if got := last.Want.Text("name"); got != "Ada Lee-Byron" {
		t.Errorf("pushed last: name %q, want Ada Lee-Byron", got)
	}
	h.exceptions()
}

func TestCustomersOfOneEmail(t *testing.T) {
	h := known(t)
	o := order("1002", "1")
	o.Customer.Key = "c2" // the shop made a second account with the same address
	h.shop.webhook(o, 1)
	h.works()
	h.is("1002", crossdock.OrderConfirmed)
	if got := h.order("1002").Customer; got != crossdock.BookRef(crossdock.KindParty, "shop-c2") {
		t.Errorf("order 1002 is of %s, want the account that ordered", got.Short())
	}
	if len(h.erp.sales) != 4 {
		t.Errorf("the ERP holds %d records, want two customers and two orders", len(h.erp.sales))
	}
}

// An account that moved to another e-mail address is not found by the old one: who
// has that now is somebody else.
func TestEmailThatAnotherHasNow(t *testing.T) {
	h := known(t)
	says(h, "shop", 1, crossdock.Party{Name: "Ada Lee", Email: "ada@newjob.example"})
	h.works()
	if of := h.named("email:ada@example.org"); len(of) != 0 {
		t.Errorf("%v is found by an address it has not any more", of)
	}
	says(h, "shop", 0, crossdock.Party{Name: "Ada Lee", Email: "ada@example.org"}) // late
	if of := h.named("email:ada@example.org"); len(of) != 0 {
		t.Errorf("%v is found by what an older message says", of)
	}
	if of := h.named("email:ada@newjob.example"); len(of) != 1 {
		t.Errorf("found by the new address are %v", of)
	}
}

func (h *house) named(name string) []crossdock.Ref {
	if n := stored[Name](h, NameAt(name)); n != nil {
		return n.Of
	}
	return nil
}

// A guest may type anybody's e-mail address. In the shop of the account nothing is
// matched by it; in another shop it comes to the customer's record, fills what is
// empty there and changes nothing.
func TestGuestWithACustomersEmail(t *testing.T) {
	two := setup
	two.Connections = append(slices.Clone(setup.Connections), crossdock.Connection{System: "eu", Connector: "shopify", Company: "US", Sites: []string{"E"}, Settles: time.Minute})
	h := newHouseOf(t, two, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	guest := func(from crossdock.System) {
		body, err := crossdock.Pack(crossdock.Party{Name: "Eve Evil", Email: "ada@example.org", Phone: "555 0666", Address: crossdock.Address{Street: "1 Crook St", City: "Louisville", Country: "US"}})
		if err != nil {
			t.Fatal(err)
		}
		h.hears(from, -1, h.at, crossdock.Statement{Of: crossdock.Ref{System: from, Kind: crossdock.KindParty, Key: "guest-1"}, Version: secondOf(9), Said: body, Fills: true, Names: []string{"email:ada@example.org"}})
		h.works()
	}
	guest("shop")
	if ada, eve := h.party("shop-c1"), h.party("shop-guest-1"); ada.Name != "Ada Lee" || ada.Phone != "" || eve.Name != "Eve Evil" {
		t.Errorf("the customer is %+v, the guest %+v", ada, eve)
	}
	h = newHouseOf(t, two, "3")
	h.shop.webhook(order("1001", "2"), 0)
	h.works()
	guest("eu")
	if ada := h.party("shop-c1"); ada.Name != "Ada Lee" || ada.Address.Street != "1 Main St" || ada.Phone != "555 0666" {
		t.Errorf("the customer is %+v, want no more than the phone filled in", ada)
	}
}

func TestPartyDeletedInTheERP(t *testing.T) {
	h := known(t)
	n := len(h.pushed)
	h.hears("odoo", h.seq, h.at, crossdock.Statement{Of: crossdock.Ref{System: "odoo", Kind: crossdock.KindParty, Key: h.erp.external["party/shop-c1"]}, Gone: true})
	h.exceptions("deleted|odoo|party/shop-c1")
	says(h, "shop", 2, crossdock.Party{Name: "Ada Lee-Byron", Email: "ada@example.org"})
	h.works()
	if len(h.pushed) != n {
		t.Error("a deleted party was written again")
	}
}

// The addresses an order names are parties of their own, made once, which no later
// order of the customer changes.
func TestAddressesOfAnOrder(t *testing.T) {
	h := newHouse(t, "9")
	side := &crossdock.Address{Name: "Ada Lee", Street: "2 Side St", City: "Louisville", Country: "US"}
	for i, number := range []string{"1001", "1002"} {
		o := order(number, "1")
		o.ShipTo = side
		o.BillTo = &crossdock.Address{Street: "1  main ST", City: "Louisville", Country: "US"} // the customer's own, spelt otherwise
		h.shop.webhook(o, i)
	}
	h.works()
	a, b := h.order("1001"), h.order("1002")
	if a.BillToParty == a.Customer || a.ShipToParty == a.Customer || a.ShipToParty != b.ShipToParty || a.BillToParty != b.BillToParty {
		t.Errorf("bill to %s, ship to %s and %s: want addresses of the customer, the same for both", a.BillToParty.Short(), a.ShipToParty.Short(), b.ShipToParty.Short())
	}
	if p := h.party(a.ShipToParty.Key); p.Parent != a.Customer || p.Role != crossdock.UseDelivery {
		t.Errorf("the address %+v", p)
	}
	h.is("1001", crossdock.OrderConfirmed)
	h.is("1002", crossdock.OrderConfirmed)
	h.exceptions()
}
