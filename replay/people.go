package replay

import (
	"context"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Person is one whom a record is about. These are personal data, for people with
// access to the data directory; no log has them.
type Person struct {
	As    string          `json:"as"`          // "customer", "bill to", "ship to", or several of them; of a party also "itself", "address", "belongs to"
	Of    crossdock.Ref   `json:"of,omitzero"` // the party; zero where an order alone has the address
	Party crossdock.Party `json:"party"`
}

// people reads whom a record is about: an order's customer and addresses; a party
// itself, its addresses, and whose address it is.
func (st *Story) people(ctx context.Context, b store.Book) error {
	switch st.Of.Kind {
	case crossdock.KindOrder:
		return st.buyers(ctx, b)
	case crossdock.KindParty:
		return st.family(ctx, b)
	}
	return nil
}

func (st *Story) buyers(ctx context.Context, b store.Book) error {
	o, err := Order(st.Record)
	if err != nil {
		return nil //nolint:nilerr // an order that can't be read has nobody to show; its findings say why
	}
	if err := st.add(ctx, b, "customer", o.Customer, nil); err != nil {
		return err
	}
	if err := st.add(ctx, b, "bill to", o.BillToParty, o.BillTo); err != nil {
		return err
	}
	return st.add(ctx, b, "ship to", o.ShipToParty, o.ShipTo)
}

// add adds the party of, or, before there is one, the address an order names.
func (st *Story) add(ctx context.Context, b store.Book, as string, of crossdock.Ref, a *crossdock.Address) error {
	for i := range st.People {
		if !of.IsZero() && st.People[i].Of == of {
			st.People[i].As += ", " + as
			return nil
		}
	}
	if !of.IsZero() {
		rows, err := b.Load(ctx, []core.Address{core.RecordAt(of)})
		if err != nil {
			return err
		}
		if r, ok := rows[0].(*core.Record); ok {
			var p crossdock.Party
			if err := r.Body.Unpack(&p); err != nil {
				return err
			}
			st.People = append(st.People, Person{As: as, Of: of, Party: p})
			return nil
		}
	}
	if a != nil {
		st.People = append(st.People, Person{As: as, Party: crossdock.Party{Name: a.Name, Company: a.Company, Phone: a.Phone, Address: *a}})
	}
	return nil
}

func (st *Story) family(ctx context.Context, b store.Book) error {
	if err := st.add(ctx, b, "itself", st.Of, nil); err != nil {
		return err
	}
	if len(st.People) == 1 && !st.People[0].Party.Parent.IsZero() {
		if err := st.add(ctx, b, "belongs to", st.People[0].Party.Parent, nil); err != nil {
			return err
		}
	}
	// The key of an address begins with that of the party it belongs to.
	return each(ctx, b, core.Records, st.Of.Short()+"-", func(row core.Row) {
		var p crossdock.Party
		if r, ok := row.(*core.Record); ok && r.Body.Unpack(&p) == nil && p.Parent == st.Of {
			st.People = append(st.People, Person{As: "address", Of: r.Of, Party: p})
		}
	})
}
