package connectortest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// The clauses about writing.

// project asks twice, by the connector and by another one that is opened anew.
func project(x *trial) {
	st := x.stages[0]
	other := x.stage()
	for _, p := range st.w.Projections {
		before := p
		before.Record, before.View = p.Record.Clone(), p.View
		before.View.Held, before.View.Asked = p.View.Held.Clone(), p.View.Asked.Clone()
		a, err1 := through[connector.Projector](st).Project(p.Record, p.View, p.Known)
		b, err2 := through[connector.Projector](st).Project(p.Record, p.View, p.Known)
		c, err3 := through[connector.Projector](other).Project(p.Record, p.View, p.Known)
		st.need(err1, "projecting a %s", p.Record.Kind)
		if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(a, c) || err2 != nil || err3 != nil {
			x.wrong("the same %s is wanted as\n%+v\n%+v\n%+v", p.Record.Kind, a, b, c)
		}
		if !reflect.DeepEqual(p.Record, before.Record) || !reflect.DeepEqual(p.View, before.View) {
			x.wrong("Project changed the %s or its view", p.Record.Kind)
		}
		if a.Record.IsZero() || a.Door == "" {
			x.wrong("of a %s is wanted %v by the door %q: a door says how a second send ends", p.Record.Kind, a.Record, a.Door)
		}
	}
}

func receipts(x *trial) {
	x.writes(func(st *stage, w Write) {
		ctx, cancel := st.ctx()
		defer cancel()
		batch := w.Push(4)
		slices.Reverse(batch)
		got := through[connector.Pusher](st).Push(ctx, batch)
		x.inOrder(w, batch, got, "all well")
		keys := map[string]bool{}
		for i, r := range got[:min(len(got), len(batch))] {
			switch {
			case r.Of != batch[i].Of || r.Rev != batch[i].Rev: // said already
			case r.Code != crossdock.OK:
				x.wrong("%s: code %q (%s)", w.Name, r.Code, r.Text)
			case r.Key == "" || r.Holds.IsZero():
				x.wrong("%s: a receipt that is OK says nothing of what the system holds: key %q, %v", w.Name, r.Key, r.Holds)
			case keys[r.Key]:
				x.wrong("%s: two receipts have the key %s", w.Name, r.Key)
			case w.Effects(batch[i]) != 1:
				x.wrong("%s: %d effects", w.Name, w.Effects(batch[i]))
			}
			keys[r.Key] = true
		}
		if got := through[connector.Pusher](st).Push(ctx, nil); len(got) != 0 {
			x.wrong("%s: %d receipts for no push", w.Name, len(got))
		}
		for _, f := range leaks(0) {
			batch := w.Push(3)
			st.p.arm(every(f))
			st.within(f, func(ctx context.Context) {
				x.inOrder(w, batch, through[connector.Pusher](st).Push(ctx, batch), string(f))
			})
			st.p.disarm()
		}
	})
}

// inOrder holds receipts against the batch they are about.
func (x *trial) inOrder(w Write, batch []crossdock.Push, got []crossdock.Receipt, when string) {
	if len(got) != len(batch) {
		x.wrong("%s, %s: %d pushes and %d receipts", w.Name, when, len(batch), len(got))
		return
	}
	for i, r := range got {
		if r.Of != batch[i].Of || r.Rev != batch[i].Rev {
			x.wrong("%s, %s: the receipt at place %d is about %s revision %d, the push about %s revision %d", w.Name, when, i, r.Of, r.Rev, batch[i].Of, batch[i].Rev)
		}
	}
}

func poison(x *trial) {
	x.writes(func(st *stage, w Write) {
		if w.Poison == nil {
			x.wrong("%s: the world does not say how one is spoilt", w.Name)
			return
		}
		ctx, cancel := st.ctx()
		defer cancel()
		for _, bad := range []int{0, 3, 4} {
			batch := w.Push(5)
			batch[bad] = w.Poison(batch[bad])
			for i, r := range st.push(ctx, batch) {
				switch {
				case r == nil:
				case i == bad && !slices.Contains([]crossdock.Code{crossdock.Invalid, crossdock.Refused, crossdock.Gone, crossdock.Conflict}, r.Code):
					x.wrong("%s, the bad one at place %d: code %q (%s)", w.Name, bad, r.Code, r.Text)
				case i != bad && (r.Code != crossdock.OK || w.Effects(batch[i]) != 1):
					x.wrong("%s: a good one beside a bad one at place %d has code %q (%s) and %d effects", w.Name, bad, r.Code, r.Text, w.Effects(batch[i]))
				}
			}
		}
	})
}

func secondSend(x *trial) {
	x.writes(func(st *stage, w Write) {
		ctx, cancel := st.ctx()
		defer cancel()
		batch := w.Push(2)
		first := st.push(ctx, batch)
		for i, p := range batch {
			if first[i] == nil || first[i].Code != crossdock.OK {
				x.wrong("%s: the first send has the receipt %+v", w.Name, first[i])
				continue
			}
			switch p.Door {
			case crossdock.DoorRefused:
				st.sentTwice(ctx, w, p, *first[i])
			case crossdock.DoorFound:
				st.lookedFor(ctx, w, p, *first[i])
			}
		}
	})
}

// sentTwice sends a push of the door refused again, as after an answer that was lost.
func (st *stage) sentTwice(ctx context.Context, w Write, p crossdock.Push, first crossdock.Receipt) {
	again := st.push(ctx, []crossdock.Push{p})[0]
	if n := w.Effects(p); n != 1 {
		st.wrong("%s: its door is refused, and two sends have %d effects", w.Name, n)
	}
	if again != nil && (again.Code != crossdock.OK || again.Key != first.Key) {
		st.wrong("%s: its door is refused, and the second send ends with code %q, key %q (%s); the first had key %q", w.Name, again.Code, again.Key, again.Text, first.Key)
	}
}

// lookedFor looks for what a push of the door found did.
func (st *stage) lookedFor(ctx context.Context, w Write, p crossdock.Push, first crossdock.Receipt) {
	f, ok := st.conn.(connector.Finder)
	if !ok {
		st.wrong("%s: its door is found, and the connector is no Finder", w.Name)
		return
	}
	ref := p.Of // the hub's own key: the system's was never learned
	if p.Key != "" {
		ref = crossdock.Ref{System: System, Kind: p.Of.Kind, Key: first.Key}
	}
	got, err := f.Find(ctx, []crossdock.Ref{ref})
	st.need(err, "%s: looking for %s", w.Name, ref)
	for _, m := range got {
		m.From = System
		st.answers(ref, m, false)
	}
}

func answerLost(x *trial) {
	x.writes(func(st *stage, w Write) {
		st.warm(w)
		for _, f := range []Fault{faultLost, faultLate, faultTruncated, faultLength, faultHTML, faultStall} {
			for n := 1; n <= requests; n++ {
				ctx, cancel := st.ctx()
				batch := w.Push(2)
				var got []*crossdock.Receipt
				st.p.arm(only(n, f))
				st.within(f, func(ctx context.Context) { got = st.push(ctx, batch) })
				_, struck := st.p.disarm()
				if struck > 0 {
					st.lost(ctx, w, batch, got, fmt.Sprintf("%s at request %d", f, n))
				}
				cancel()
				if struck == 0 && n == 1 {
					x.wrong("%s asks the system nothing", w.Name)
				}
				if struck == 0 {
					break
				}
			}
		}
	})
}

// lost holds receipts of a batch in which an answer was lost against the world, and
// sends again what may be.
func (st *stage) lost(ctx context.Context, w Write, batch []crossdock.Push, got []*crossdock.Receipt, when string) {
	for i, r := range got {
		st.afterTrouble(w, batch[i], r, when)
		if r == nil || r.Code == crossdock.OK || batch[i].Door != crossdock.DoorRefused {
			continue
		}
		again := st.push(ctx, batch[i:i+1])[0]
		if n := w.Effects(batch[i]); n != 1 {
			st.wrong("%s, %s and sent again: %d effects", w.Name, when, n)
		}
		if again != nil && again.Code != crossdock.OK {
			st.wrong("%s, %s and sent again: code %q (%s)", w.Name, when, again.Code, again.Text)
		}
	}
}

func expiredWithin(x *trial) {
	x.writes(func(st *stage, w Write) {
		st.warm(w)
		codes := map[crossdock.Code]int{}
		for n := 2; n <= requests; n++ {
			ctx, cancel := st.ctx()
			batch := w.Push(3)
			st.p.arm(st.expires(n))
			got := st.push(ctx, batch)
			came, _ := st.p.disarm()
			st.w.Credential(true)
			cancel()
			if came < n {
				break
			}
			for i, r := range got {
				st.expired(w, batch[i], r, fmt.Sprintf("expired before request %d", n))
				if r != nil {
					codes[r.Code]++
				}
			}
		}
		if len(codes) > 0 && codes[crossdock.Unauthorized]+codes[crossdock.Ambiguous] == 0 {
			x.wrong("%s: a credential expired within batches, and the receipts' codes are %v", w.Name, slices.Sorted(maps.Keys(codes)))
		}
	})
}

// expired holds one receipt of a batch within which the credential expired.
func (st *stage) expired(w Write, p crossdock.Push, r *crossdock.Receipt, when string) {
	effects := w.Effects(p)
	switch {
	case effects > 1:
		st.wrong("%s, %s: %d effects of one push", w.Name, when, effects)
	case r == nil, r.Code == crossdock.OK && effects == 1, r.Code == crossdock.Unauthorized && effects == 0, r.Code == crossdock.Ambiguous && effects == 1:
	default:
		st.wrong("%s, %s: code %q (%s), and %d effects", w.Name, when, r.Code, r.Text, effects)
	}
}
