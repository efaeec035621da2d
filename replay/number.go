package replay

import (
	"context"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// find returns the record of the book a person means: by its key in the book, by a
// system's own reference, or, of an order, by its number in any system (1001, #1001,
// order/1001, S00042).
func find(ctx context.Context, b store.Book, ref string) (crossdock.Ref, error) {
	if !strings.Contains(ref, "/") {
		return numbered(ctx, b, ref, ref)
	}
	whole := ref
	if strings.Count(ref, "/") == 1 {
		whole = string(crossdock.BookSystem) + "/" + ref
	}
	of, err := crossdock.ParseRef(whole)
	if err != nil {
		return of, err
	}
	at := core.LinkAt(of)
	if of.System == crossdock.BookSystem {
		at = core.RecordAt(of)
	}
	rows, err := b.Load(ctx, []core.Address{at})
	if err != nil {
		return of, err
	}
	switch row := rows[0].(type) {
	case *core.Record:
		return of, nil
	case *core.Link:
		return row.To, nil
	}
	switch {
	case of.System != crossdock.BookSystem:
		return of, crossdock.Errorf(crossdock.Invalid, "the book knows no %s", of)
	case of.Kind == crossdock.KindOrder:
		return numbered(ctx, b, of.Key, of.Short())
	}
	return of, crossdock.Errorf(crossdock.Invalid, "the book has no %s", of.Short())
}

// numbered returns the one order that has a number in some system. said is what the
// person wrote.
func numbered(ctx context.Context, b store.Book, number, said string) (crossdock.Ref, error) {
	rows, err := b.Load(ctx, []core.Address{core.SetupAt})
	if err != nil {
		return crossdock.Ref{}, err
	}
	number = strings.TrimPrefix(number, "#")
	at := []core.Address{core.RecordAt(crossdock.BookRef(crossdock.KindOrder, number))}
	if setup, ok := rows[0].(*core.Setup); ok {
		for _, c := range setup.Connections {
			at = append(at, core.NameAt(core.NumberName(c.System, number)), core.NameAt(core.NumberName(c.System, "#"+number)), core.NameAt(core.NumberName(c.System, strings.ToUpper(number))))
		}
	}
	if rows, err = b.Load(ctx, at); err != nil {
		return crossdock.Ref{}, err
	}
	var found []crossdock.Ref
	for _, row := range rows {
		switch r := row.(type) {
		case *core.Record:
			found = append(found, r.Of)
		case *core.Name:
			found = append(found, r.Of...)
		}
	}
	slices.SortFunc(found, crossdock.Ref.Compare)
	switch found = slices.Compact(found); len(found) {
	case 0:
		return crossdock.Ref{}, crossdock.Errorf(crossdock.Invalid, "the book has no %s, and no order with this number", said)
	case 1:
		return found[0], nil
	}
	names := make([]string, len(found))
	for i, of := range found {
		names[i] = of.String()
	}
	return crossdock.Ref{}, &crossdock.Error{Code: crossdock.Invalid, Subject: severalSubject,
		Text: "several orders are called " + number + ": say which with " + strings.Join(names, " or ")}
}

// severalSubject marks the error of a number that several orders have.
const severalSubject = "number"

// numbers returns what people call the orders among some records, by their short
// names, where that is not the key anyway.
func numbers(ctx context.Context, b store.Book, of []crossdock.Ref) (map[string]string, error) {
	out, at, seen := map[string]string{}, []core.Address{}, map[crossdock.Ref]bool{}
	for _, r := range of {
		if r.System == crossdock.BookSystem && r.Kind == crossdock.KindOrder && !seen[r] {
			at, seen[r] = append(at, core.RecordAt(r)), true
		}
	}
	for some := range slices.Chunk(at, mostRead) {
		rows, err := b.Load(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if r, ok := row.(*core.Record); ok {
				if n := r.Body.Text("number"); n != "" && n != r.Of.Key {
					out[r.Of.Short()] = n
				}
			}
		}
	}
	return out, nil
}
