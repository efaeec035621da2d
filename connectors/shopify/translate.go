package shopify

import (
	"slices"

	"github.com/crossdockhq/crossdock"
)

// Topics whose body is not the whole order (webhook schemas orders/* 2026-07).
const (
	topicEdited = "orders/edited" // only which lines changed, by how much
	topicDelete = "orders/delete" // only the id, and not signed to be a deletion
)

// whole lists the topics whose body is the whole order.
var whole = []string{"orders/create", "orders/updated", "orders/cancelled", "orders/paid", "orders/fulfilled", "orders/partially_fulfilled"}

// What a channel says of an order and of a party, sorted: also where it is empty,
// so that a note taken out in the shop is taken out in the book.
var (
	orderFields = crossdock.Fields{"bill_to", "cancelled", "channel", "charges", "currency", "customer", "discount", "lines", "note",
		"number", "placed", "purchase_code", "ship_to", "tax_included", "test", "totals"}
	partyFields = crossdock.Fields{"address", "company", "email", "name", "phone"}
)

// Translate makes statements of a webhook or of the answer to a look: the
// customer, where the order names one, then the order. A body that tells no more
// than which order changed gives a statement that says nothing, which causes a look.
// So does orders/delete: its topic is not signed, and the body of any webhook of the
// order fits it.
func (s *Shop) Translate(m crossdock.Message) []crossdock.Statement {
	of := crossdock.Ref{System: m.From, Kind: m.Kind, Key: m.Key}
	switch {
	case m.Kind == "":
		return nil
	case m.Fault != nil:
		return []crossdock.Statement{{Of: of, Fault: m.Fault}}
	case m.Kind != crossdock.KindOrder:
		return []crossdock.Statement{{Of: of, Fault: &crossdock.Fault{Code: crossdock.Invalid, Text: "the connector reads orders only"}}}
	}
	looked := m.Meta[metaShape] == shapeGraphQL
	topic := m.Meta[metaTopic]
	if !looked && (!slices.Contains(whole, topic) || m.Meta[metaDoubt] != "") {
		return []crossdock.Statement{named(of, false)}
	}
	n, err := parse(m.Body)
	if err != nil {
		return []crossdock.Statement{{Of: of, Fault: crossdock.FaultOf(err)}}
	}
	as := webhookShape
	if looked {
		if n.at("gone").isTrue() {
			return []crossdock.Statement{named(of, true)}
		}
		as = lookedShape
	}
	o, err := as.order(n)
	if isGID(o.gid) {
		of.Key = o.gid
		if !looked && !n.has(as.currency) && !n.has(as.lines) { // its subscription has cut it down to ids
			return []crossdock.Statement{named(of, false)}
		}
	}
	if err != nil {
		return []crossdock.Statement{{Of: of, Version: stamp(o.updated), At: o.updated, Fault: crossdock.FaultOf(err)}}
	}
	return o.statements(of)
}

// named is a statement that names an order and no more, or says that it is gone.
func named(of crossdock.Ref, gone bool) crossdock.Statement {
	if of.Key == "" {
		return crossdock.Statement{Of: of, Fault: &crossdock.Fault{Code: crossdock.Invalid, Text: "neither body nor headers say which order this is about"}}
	}
	if gone {
		return crossdock.Statement{Of: of, Gone: true}
	}
	return crossdock.Statement{Of: of, Says: crossdock.Fields{}}
}

// statements makes the party's and the order's. The party's version is the
// order's: what an order says of its customer is as old as the order. What a guest
// typed is nobody's word: it fills what is empty. A test order, and one that can't be
// used, says nothing of its customer, who is a real one.
func (o order) statements(of crossdock.Ref) []crossdock.Statement {
	var buyer crossdock.Ref
	key, p := o.buyer()
	if key != "" {
		buyer = crossdock.Ref{System: of.System, Kind: crossdock.KindParty, Key: key}
	}
	order := o.say(of, o.form(of.System, buyer), orderFields)
	if key == "" || o.test || order.Fault != nil {
		return []crossdock.Statement{order}
	}
	party := o.say(buyer, p, partyFields)
	party.Names, party.Fills = matching(p), o.customer == nil
	return []crossdock.Statement{party, order}
}

// say states a form; one that is not valid becomes a fault with its place.
func (o order) say(of crossdock.Ref, f crossdock.Form, says crossdock.Fields) crossdock.Statement {
	st := crossdock.Statement{Of: of, Version: stamp(o.updated), At: o.updated}
	err := f.Validate()
	if err == nil {
		if st.Said, err = crossdock.Pack(f); err == nil {
			st.Says = says
			return st
		}
	}
	st.Said = crossdock.Record{}
	st.Fault = crossdock.FaultOf(err)
	return st
}
