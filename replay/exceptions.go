package replay

import (
	"context"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Asked says which exceptions are asked for; what is empty selects nothing out.
type Asked struct {
	All    bool             `json:"all,omitempty"` // the closed ones too
	ID     string           `json:"id,omitempty"`
	Check  string           `json:"check,omitempty"`
	System crossdock.System `json:"system,omitempty"`
	Record string           `json:"record,omitempty"` // order/1001
	After  string           `json:"after,omitempty"`  // the ID of an exception: only those behind it
	Limit  int              `json:"limit,omitempty"`  // 0: as many as there are
}

func (a Asked) selects(x *core.Exception) bool {
	return (a.ID == "" || x.ID == a.ID) && (a.Check == "" || x.Check == a.Check) && (a.System == "" || x.System == a.System) && (a.Record == "" || x.Of.Short() == a.Record)
}

// Listed is a page of exceptions.
type Listed struct {
	Exceptions []*core.Exception `json:"exceptions"` // never null
	More       int               `json:"more"`       // how many are behind the last of them
	Numbers    map[string]string `json:"numbers"`    // what people call the orders, by key (order/5001), where that is not the key
}

// Exceptions returns what people have to act on, the oldest first. An After that is
// no exception is Invalid.
func Exceptions(ctx context.Context, s store.Store, a Asked) (Listed, error) {
	out := Listed{Exceptions: []*core.Exception{}, Numbers: map[string]string{}}
	if a.Record != "" {
		of, err := find(ctx, s.Book(), a.Record)
		if crossdock.SubjectOf(err) == severalSubject {
			return out, err
		} else if err == nil { // of what is not there, there is no exception either
			a.Record = of.Short()
		}
	}
	last, err := exception(ctx, s.Book(), a.After)
	if err != nil {
		return out, err
	}
	for {
		page, err := s.Book().Exceptions(ctx, a.All, last, mostRead)
		if err != nil {
			return out, err
		}
		for _, x := range page {
			switch {
			case !a.selects(x):
			case a.Limit > 0 && len(out.Exceptions) == a.Limit:
				out.More++
			default:
				out.Exceptions = append(out.Exceptions, x)
			}
		}
		if len(page) < mostRead {
			return out, out.number(ctx, s.Book())
		}
		last = page[len(page)-1]
	}
}

func (l *Listed) number(ctx context.Context, b store.Book) (err error) {
	of := make([]crossdock.Ref, len(l.Exceptions))
	for i, x := range l.Exceptions {
		of[i] = x.Of
	}
	l.Numbers, err = numbers(ctx, b, of)
	return err
}

// exception returns the exception with an ID; nil for "".
func exception(ctx context.Context, b store.Book, id string) (*core.Exception, error) {
	if id == "" {
		return nil, nil
	}
	rows, err := b.Load(ctx, []core.Address{core.ExceptionAt(id)})
	if err != nil {
		return nil, err
	}
	x, ok := rows[0].(*core.Exception)
	if !ok {
		return nil, crossdock.Errorf(crossdock.Invalid, "there is no exception %q, and was none: crossdock exceptions lists them", id)
	}
	return x, nil
}
