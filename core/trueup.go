package core

import (
	"time"

	"github.com/crossdockhq/crossdock"
)

// Patience of parked work: after it a person is told what it waits for.
const parkedFor = 24 * time.Hour

// TrueUp compares what each touched system should hold with what it was last
// asked for and opens, changes or closes the want. It is the only place that does.
func TrueUp(b Book, seq int64, at time.Time, projected []Projected) Decision {
	return run(b, seq, at, func(l *layer) {
		var need []Address
		for _, p := range projected {
			about := string(p.System) + "|" + p.Of.Short()
			need = append(need, ViewAt(p.System, p.Of), WantAt(p.System, DoPush, p.Of), WantAt(p.System, DoLook, p.Of), TimerAt(p.Of, parkedTimer(p.System)),
				ExceptionAt(key("push", about)), ExceptionAt(key("project", about)))
			for _, w := range p.Waits {
				need = append(need, AwaitAt(keyName(p.System, w)))
			}
		}
		l.need(need...)
		for _, p := range projected {
			l.trueUp(p)
		}
	})
}

func (l *layer) trueUp(p Projected) {
	v := l.view(p.System, p.Of)
	old := get[Want](l, WantAt(p.System, DoPush, p.Of))
	if p.Err != nil {
		l.stop(v, old, crossdock.CodeOf(p.Err), p.Err)
		return
	}
	if v.Adopt { // a person's change was taken over: the target holds what is wanted, in its own form
		v.Adopt = false
		if !p.Want.IsZero() && len(p.Waits) == 0 {
			v.Asked, v.Doubt = p.Want, crossdock.Record{}
		}
		l.put(v)
	}
	if v.Gone { // a person deleted it: it is never made again (I5)
		l.closeWant(old)
		return
	}
	if v.Unknown && !l.resend(v, p) {
		l.closeWant(old)
		if p.Of.Kind == crossdock.KindDocument { // it can't be looked at, and nothing is left to tell
			return
		}
		if len(v.Open) == 0 {
			l.look(p.System, p.Of, keyed(p.System, p.Of, v), v.Settles, "what it holds is not known")
		}
		return
	}
	switch {
	case len(p.Waits) > 0:
		l.park(v, old, p)
	case p.Want.IsZero() || p.Want.Equal(v.Asked) && !v.Unknown:
		l.closeWant(old)
	default:
		l.want(v, old, p)
	}
}

// resend reports whether an ambiguous push may simply be sent again: the target
// refuses a second effect, and we still want the same. An offer is not: where the
// lost push was carried out and just as many were sold since, it would pass again.
// A document is found by its own push, which looks first, once the lost one settled.
func (l *layer) resend(v *View, p Projected) bool {
	if v.Lost == nil || p.Of.Kind == crossdock.KindOffer || !p.Want.Equal(v.Lost.Push.Want) || len(p.Waits) > 0 {
		return false
	}
	return v.Lost.Push.Door == crossdock.DoorRefused || p.Of.Kind == crossdock.KindDocument
}

// want opens work, or changes the work that is open.
func (l *layer) want(v *View, old *Want, p Projected) {
	w := &Want{System: p.System, Of: p.Of, Do: DoPush, Since: l.at, Due: l.at, Lane: crossdock.Normal}
	if old != nil {
		*w = *old
	}
	if old == nil || !old.Want.Equal(p.Want) {
		v.Rev++
		l.put(v)
		w.Rev, w.Tries, w.Due, w.State = v.Rev, 0, l.at, WantDue
		l.unstuck(w, "it is wanted differently now")
		l.clear("push", p.System, p.Of, "it is wanted differently now")
	}
	if w.State == WantParked {
		w.State, w.Due = WantDue, l.at
	}
	w.Want, w.Key, w.Door, w.Waits, w.Deadline = p.Want, v.Key, p.Door, nil, time.Time{}
	if p.Of.Kind == crossdock.KindOrder && v.Key != "" {
		w.Version, w.Held = v.Version, v.Held
	}
	if v.Unknown && p.Door == crossdock.DoorFound && w.Due.Before(v.Settles) {
		w.Due = v.Settles
	}
	if len(v.Open) > 0 {
		w.State = WantOpen
	} else if w.State == WantOpen {
		w.State = WantDue
	}
	l.drop(TimerAt(p.Of, parkedTimer(p.System)))
	l.clear("project", p.System, p.Of, "it can be written now")
	l.put(w)
}

// park keeps work back until the records it refers to have keys in the target.
func (l *layer) park(v *View, old *Want, p Projected) {
	w := &Want{System: p.System, Of: p.Of, Do: DoPush, Since: l.at, Lane: crossdock.Normal}
	if old != nil {
		*w = *old
	}
	if w.Deadline.IsZero() {
		w.Deadline = l.at.Add(parkedFor)
		l.put(&Timer{Of: p.Of, Name: parkedTimer(p.System), Due: w.Deadline})
	}
	l.unstuck(w, "it waits for something else")
	w.State, w.Waits, w.Want, w.Key, w.Why = WantParked, p.Waits, crossdock.Record{}, v.Key, "waits for "+p.Waits[0].Short()
	l.put(w)
	for _, dep := range p.Waits {
		l.await(keyName(p.System, dep), Waiting{Of: p.Of, System: p.System})
	}
}

// stop keeps work back until the record changes or a person says so.
func (l *layer) stop(v *View, old *Want, code crossdock.Code, err error) {
	w := &Want{System: v.System, Of: v.Of, Do: DoPush, Since: l.at, Lane: crossdock.Normal}
	if old != nil {
		*w = *old
	}
	w.State, w.Why, w.Want = WantStopped, err.Error(), crossdock.Record{} // what is wanted next is new, also where it is the same as before
	l.await(setupName, Waiting{Of: v.Of, System: v.System})
	f := crossdock.FaultOf(err)
	l.stuck(w, crossdock.SubjectOf(err), Exception{Check: "project", Code: code, Text: f.Text, Place: f.Place, Owner: ownerIntegrator})
	l.put(w)
}

func (l *layer) closeWant(old *Want) {
	if old == nil {
		return
	}
	c := *old
	l.unstuck(&c, "nothing is left to do")
	l.drop(old.Address())
	l.drop(TimerAt(old.Of, parkedTimer(old.System)))
	l.clear("push", old.System, old.Of, "nothing is left to do")
	l.clear("project", old.System, old.Of, "nothing is left to do")
}

// look asks for one record of one system to be read; several reasons cause one look.
func (l *layer) look(system crossdock.System, of, record crossdock.Ref, due time.Time, why string) {
	if due.Before(l.at) {
		due = l.at
	}
	if old := get[Want](l, WantAt(system, DoLook, of)); old != nil && old.State != WantStopped && !old.Due.After(due) && old.Due.After(l.at.Add(-lookStale)) {
		return
	}
	l.put(&Want{System: system, Of: of, Do: DoLook, Rev: l.seq, Record: record, Since: l.at, Due: due, Lane: crossdock.Normal, State: WantDue, Why: why})
}

// lookStale is how long an unanswered look stands before a new reason renews it.
const lookStale = time.Hour

// keyed returns the system's ref of a record, zero while its key is not known.
func keyed(system crossdock.System, of crossdock.Ref, v *View) crossdock.Ref {
	if v.Key == "" {
		return crossdock.Ref{}
	}
	kind := of.Kind
	if kind == crossdock.KindOffer { // to the channel it is a level of its stock
		kind = crossdock.KindStock
	}
	return crossdock.Ref{System: system, Kind: kind, Key: v.Key}
}

// keyName is what waits for a record to get its key in a system.
func keyName(system crossdock.System, of crossdock.Ref) string {
	return "key:" + string(system) + "/" + of.Short()
}

// setupName is what waits for another configuration: it may map what this one doesn't.
const setupName = "setup"

func parkedTimer(system crossdock.System) string { return "parked:" + string(system) }
