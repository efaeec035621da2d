package desk_test

import (
	"testing"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connector/connectortest"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// listener is a shop that is told what left.
type listener struct{ connectortest.Plain }

// Project implements connector.Projector.
func (listener) Project(r crossdock.Record, _ crossdock.View, _ connector.Known) (connector.Wanted, error) {
	var d crossdock.Document
	if err := r.Unpack(&d); err != nil {
		return connector.Wanted{}, err
	}
	want := crossdock.Record{Kind: "fulfillment", Form: 1}
	err := want.Set("text", d.Text)
	return connector.Wanted{Record: want, Door: crossdock.DoorFound}, err
}

// write puts rows into the book as they are, between two desks.
func (o *office) write(rows ...core.Row) {
	o.Helper()
	at, err := o.s.Book().Claim(o.Context())
	o.must(err)
	c := store.Commit{From: at, To: at}
	for _, r := range rows {
		c.Changes = append(c.Changes, core.Change{At: r.Address(), Row: r})
	}
	o.must(o.s.Book().Commit(o.Context(), c))
	o.desk = o.another()
}

// A document is projected from the table of documents, word for word, as long as it
// is to be told; one that was taken asks for nothing any more.
func TestDocumentIsProjected(t *testing.T) {
	for state, wanted := range map[crossdock.DocumentState]bool{
		crossdock.DocumentIssued: true, crossdock.DocumentSent: true, crossdock.DocumentAcknowledged: false,
	} {
		t.Run(string(state), func(t *testing.T) {
			o := enter(t)
			o.conns["shop"] = listener{}
			of := crossdock.BookRef(crossdock.KindDocument, "fulfilment-300")
			text, err := crossdock.Pack(crossdock.Fulfilment{Order: crossdock.BookRef(crossdock.KindOrder, "1001"), Shipment: crossdock.BookRef(crossdock.KindShipment, "300"), Tracking: []string{"Z1"}})
			o.must(err)
			old := &core.Want{System: "shop", Of: of, Do: core.DoPush, Rev: 1, State: core.WantDue, Due: o.at, Since: o.at, Lane: crossdock.Normal}
			o.write(&core.Document{Of: of, Document: crossdock.Document{Number: "fulfilment-300", Type: "fulfilment", To: "shop", State: state, Text: text}},
				&core.View{View: crossdock.View{System: "shop", Of: of, Rev: 1}}, old)
			o.file(crossdock.Urgent, crossdock.Setup{Hash: "d", Connections: []crossdock.Connection{{System: "shop", Takes: []crossdock.Kind{crossdock.KindDocument}}}},
				crossdock.Action{Do: "retry", By: "ada", Of: of})
			o.rest()
			rows, err := o.s.Book().Load(o.Context(), []core.Address{old.Address()})
			o.must(err)
			w, _ := rows[0].(*core.Want)
			if !wanted {
				if w != nil {
					t.Errorf("it is wanted again: %+v", w)
				}
				return
			}
			var want crossdock.Record
			o.must(want.Set("text", text))
			if w == nil || string(w.Want.Fields["text"]) != string(want.Fields["text"]) || w.Door != crossdock.DoorFound {
				t.Errorf("it is wanted as %+v", w)
			}
		})
	}
}
