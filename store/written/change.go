package written

import (
	"slices"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// Change is a core.Change in columns: the row as JSON, and beside it what it is
// looked for by, nil where it is not.
type Change struct {
	At     core.Address
	Body   []byte  // nil: the row is dropped
	System *string // of a want
	Rank   *int32  // of a want's lane, 0 the most urgent; nil unless its state is due
	Due    *string // of a timer, and of a want whose state is due
	Opened *string // of an exception
	Open   *bool   // of an exception: somebody has to act
}

// Changes turns changes into columns. Of several changes of one address only the
// last is kept.
func Changes(all []core.Change) ([]Change, error) {
	last := make(map[core.Address]int, len(all))
	for i, c := range all {
		last[c.At] = i
	}
	out := make([]Change, 0, len(last))
	for i, c := range all {
		if last[c.At] != i {
			continue
		}
		ch := Change{At: c.At}
		if core.NewRow(c.At.Table) == nil {
			return nil, crossdock.Errorf(crossdock.Internal, "the book has no table %q", c.At.Table)
		}
		if c.Row != nil {
			var err error
			if ch.Body, err = store.WriteRow(c.Row); err != nil {
				return nil, err
			}
			ch.search(c.Row)
		}
		out = append(out, ch)
	}
	return out, nil
}

// search sets the columns a row is looked for by.
func (c *Change) search(row core.Row) {
	switch row := row.(type) {
	case *core.Want:
		c.System = new(string(row.System))
		if row.State == core.WantDue {
			c.Rank, c.Due = new(rankOf(row.Lane)), new(Time(row.Due))
		}
	case *core.Timer:
		c.Due = new(Time(row.Due))
	case *core.Exception:
		c.Opened, c.Open = new(Time(row.Opened)), new(row.Open())
	}
}

// rankOf returns the place of a lane among the lanes, the most urgent first; one
// that is not among them comes last.
func rankOf(lane crossdock.Lane) int32 {
	if i := slices.Index(crossdock.Lanes, lane); i >= 0 {
		return int32(i)
	}
	return int32(LastRank())
}

// LastRank is the highest rank there is.
func LastRank() int { return len(crossdock.Lanes) }

// Above returns the first text after all that begin with prefix; "" when there is none.
func Above(prefix string) string {
	end := []byte(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return ""
	}
	end[len(end)-1]++
	return string(end)
}
