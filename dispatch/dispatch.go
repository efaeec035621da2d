// Package dispatch is the room from which work leaves: it takes due wants of one
// connection, files the attempt, waits until the core has noted it, pushes, and files
// what came back. It never writes the book and decides nothing. It also looks, where
// the core asked for it.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/store"
)

// Bounds of one step.
const (
	mostPushes = 50               // in one attempt
	mostLooks  = 25               // in one call
	patience   = 90 * time.Second // for one batch; a hot row in Odoo takes 16 s to refuse
	longPause  = time.Minute      // of a connection that is away, at the most
)

// Dispatch does the work of one connection. Step and Run are for one goroutine.
type Dispatch struct {
	system  crossdock.System
	conn    connector.Connector
	journal store.Journal
	book    store.Book
	now     func() time.Time

	recovered bool
	upTo      int64                         // of the urgent lane: what must be decided before the first push
	sent      map[store.Address]int64       // wants whose outcome was filed and may not be decided yet, by its number
	unfiled   map[int64][]crossdock.Receipt // by attempt: what came back and could not be filed
	filed     *filed                        // the attempt that is to be noted before it is sent; nil: none
	paused    time.Time
	failures  int // in a row, of whole batches
}

// filed is an attempt that is on disk and has not been sent.
type filed struct {
	attempt crossdock.Attempt
	wants   []*store.Want
	number  int64 // of its arrival
}

// New makes the dispatch of one connection. It starts nothing.
func New(s store.Store, system crossdock.System, conn connector.Connector, now func() time.Time) *Dispatch {
	return &Dispatch{system: system, conn: conn, journal: s.Journal(), book: s.Book(), now: now, sent: map[store.Address]int64{}}
}

// Step does one batch of looks, files one attempt, or sends one batch of pushes. did
// is false when nothing is due, the connection is paused, or what was filed is still
// to be decided.
func (d *Dispatch) Step(ctx context.Context) (did bool, err error) {
	if !d.recovered {
		if err := d.recover(ctx); err != nil {
			return false, err
		}
		d.recovered = true
	}
	now := d.now()
	if d.filed == nil && now.Before(d.paused) {
		return false, nil
	}
	pos, err := d.book.Position(ctx)
	if err != nil {
		return false, err
	}
	decided := pos.Lanes[crossdock.Urgent].Number
	if d.filed != nil {
		if decided < d.filed.number {
			return false, nil
		}
		return true, d.send(ctx, pos.Seq)
	}
	if decided < d.upTo {
		return false, nil
	}
	for at, number := range d.sent {
		if number <= decided {
			delete(d.sent, at)
		}
	}
	due, err := d.book.Due(ctx, d.system, now, mostPushes+len(d.sent))
	if err != nil {
		return false, fmt.Errorf("what is due in %s: %w", d.system, err)
	}
	looks, pushes := d.sort(due)
	if len(looks) > 0 {
		return true, d.look(ctx, looks, pos.Seq)
	}
	if len(pushes) > 0 {
		return true, d.attempt(ctx, pushes)
	}
	return false, nil
}

// Run works until the context ends. wake tells that the desk has committed.
func (d *Dispatch) Run(ctx context.Context, wake <-chan struct{}) error {
	return store.Loop(ctx, "dispatch "+string(d.system), wake, d.Step)
}

// sort splits due work into looks and pushes, without what is on its way.
func (d *Dispatch) sort(due []*store.Want) (looks, pushes []*store.Want) {
	for _, w := range due {
		if _, onItsWay := d.sent[w.Address()]; onItsWay {
			continue
		}
		switch {
		case w.Do == store.DoLook && len(looks) < mostLooks:
			looks = append(looks, w)
		case w.Do == store.DoPush && len(pushes) < mostPushes:
			pushes = append(pushes, w)
		}
	}
	return looks, pushes
}

// recover files an ambiguous receipt for every attempt that was open when the hub
// ended, and keeps pushes back until the desk has decided all that was filed.
func (d *Dispatch) recover(ctx context.Context) error {
	d.sent = map[store.Address]int64{}
	open, err := d.journal.Open(ctx)
	if err != nil {
		return fmt.Errorf("open attempts: %w", err)
	}
	for _, a := range open {
		if a.System != d.system {
			continue
		}
		result := crossdock.Result{Attempt: a.ID, System: d.system, Receipts: d.unfiled[a.ID]}
		if result.Receipts != nil { // it came back to us, and only its filing failed
			if _, err := d.file(ctx, result); err != nil {
				return err
			}
			continue
		}
		for _, p := range a.Pushes {
			result.Receipts = append(result.Receipts, crossdock.Receipt{Of: p.Of, Rev: p.Rev, Code: crossdock.Ambiguous, Text: "the hub ended before the answer came"})
		}
		if _, err := d.file(ctx, result); err != nil {
			return err
		}
	}
	d.unfiled = nil
	d.upTo, err = d.journal.Last(ctx, crossdock.Urgent)
	return err
}

// attempt files that wants are about to be pushed. They are sent when the core has
// noted it: what it decides until then it decides knowing that nothing has left, and
// afterwards knowing that it may have (I6). A want read from the book may be another
// by the time it is sent; only the core knows.
func (d *Dispatch) attempt(ctx context.Context, wants []*store.Want) error {
	if _, ok := d.conn.(connector.Pusher); !ok {
		return crossdock.Errorf(crossdock.Internal, "connection %s has work and can't push", d.system)
	}
	a := crossdock.Attempt{System: d.system}
	for _, w := range wants {
		a.Pushes = append(a.Pushes, crossdock.Push{Of: w.Of, Rev: w.Rev, Want: w.Want, Key: w.Key, Door: w.Door, Version: w.Version, Held: w.Held})
	}
	id, err := d.file(ctx, a)
	if err != nil {
		return err
	}
	a.ID = id
	for _, w := range wants {
		d.sent[w.Address()] = 1<<63 - 1 // until its result has a number
	}
	d.filed = &filed{attempt: a, wants: wants, number: id}
	return nil
}

// noted leaves in an attempt the pushes the core has noted as open: the others it
// wants differently by now, or not any more.
func (d *Dispatch) noted(ctx context.Context, a crossdock.Attempt) (crossdock.Attempt, error) {
	at := make([]store.Address, len(a.Pushes))
	for i, p := range a.Pushes {
		at[i] = store.ViewAt(d.system, p.Of)
	}
	rows, err := d.book.Load(ctx, at)
	if err != nil {
		return a, fmt.Errorf("what was noted of attempt %d on %s: %w", a.ID, d.system, err)
	}
	var open []crossdock.Push
	for i, p := range a.Pushes {
		v, _ := rows[i].(*store.View)
		if v != nil && slices.ContainsFunc(v.Open, func(o crossdock.Open) bool { return o.Attempt == a.ID }) {
			open = append(open, p)
		}
	}
	a.Pushes = open
	return a, nil
}

// send sends the attempt that was filed, and files the receipts. Once it is sent it
// goes on to the end even if ctx ends: an answer that was waited for is better than
// one that was not. An attempt of which nothing is wanted any more gets its result,
// too, with no receipts.
func (d *Dispatch) send(ctx context.Context, seq int64) error {
	pusher, ok := d.conn.(connector.Pusher)
	if !ok {
		return crossdock.Errorf(crossdock.Internal, "connection %s has work and can't push", d.system)
	}
	a, err := d.noted(ctx, d.filed.attempt)
	if err != nil {
		return err
	}
	id, wants := a.ID, d.filed.wants
	d.filed = nil
	asked := d.now()
	sending, cancel := context.WithDeadline(context.WithoutCancel(ctx), until(ctx))
	defer cancel()
	receipts := []crossdock.Receipt{}
	if len(a.Pushes) > 0 {
		receipts = d.answers(a.Pushes, pushed(sending, pusher, a.Pushes))
	}
	for i := range receipts {
		for j := range receipts[i].Saw {
			m := &receipts[i].Saw[j]
			m.From, m.Asked, m.After = d.system, asked, seq
		}
	}
	number, err := d.file(context.WithoutCancel(ctx), crossdock.Result{Attempt: id, System: d.system, Receipts: receipts})
	if err != nil {
		d.recovered, d.unfiled = false, map[int64][]crossdock.Receipt{id: receipts} // the next step files what came back
		return err
	}
	for _, w := range wants {
		d.sent[w.Address()] = number
	}
	if len(receipts) > 0 {
		d.pause(receipts)
	}
	return nil
}

// until is when a batch that is sent now has to be over: after patience, and before
// the deadline of the step, where the lease of this room ends.
func until(ctx context.Context) time.Time {
	end := time.Now().Add(patience)
	if other, ok := ctx.Deadline(); ok && other.Before(end) {
		return other
	}
	return end
}

// pushed calls the connector; one that panics leaves open what happened.
func pushed(ctx context.Context, p connector.Pusher, batch []crossdock.Push) (out []crossdock.Receipt) {
	defer func() {
		if r := recover(); r != nil {
			out = nil
			for _, push := range batch {
				out = append(out, crossdock.Receipt{Of: push.Of, Code: crossdock.Ambiguous, Text: fmt.Sprintf("the connector failed: %v", r)})
			}
		}
	}()
	return p.Push(ctx, batch)
}

// answers brings receipts in line with the pushes: a connector that returned too
// few, or others, leaves open what happened.
func (d *Dispatch) answers(pushes []crossdock.Push, got []crossdock.Receipt) []crossdock.Receipt {
	byOf := map[crossdock.Ref]crossdock.Receipt{}
	for _, r := range got {
		byOf[r.Of] = r
	}
	out := make([]crossdock.Receipt, len(pushes))
	for i, p := range pushes {
		r, ok := byOf[p.Of]
		if !ok {
			r = crossdock.Receipt{Code: crossdock.Ambiguous, Text: fmt.Sprintf("the connector of %s gave no receipt", d.system)}
		}
		r.Of, r.Rev = p.Of, p.Rev
		out[i] = r
	}
	return out
}

// look reads records and files them as messages; what fails is filed as well.
func (d *Dispatch) look(ctx context.Context, wants []*store.Want, seq int64) error {
	refs := make([]crossdock.Ref, len(wants))
	for i, w := range wants {
		refs[i] = w.Record
		if refs[i].IsZero() {
			refs[i] = w.Of
		}
	}
	asked := d.now()
	finding, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	messages, err := d.found(finding, refs)
	if ctx.Err() != nil {
		return nil // the hub ends: the look stays due
	}
	var bodies []crossdock.Body
	for _, m := range messages {
		m.From, m.Asked, m.After = d.system, asked, seq
		bodies = append(bodies, m)
	}
	if code := crossdock.CodeOf(err); err != nil && len(wants) > 1 && !code.Waits() && code != crossdock.Unauthorized {
		return d.lookOneByOne(ctx, wants, seq) // one record that can't be read must not hold the others back
	}
	if err == nil && len(messages) < len(refs) { // those that were answered are closed by their messages first
		err = crossdock.Errorf(crossdock.Internal, "the connector of %s answered %d of %d looks", d.system, len(messages), len(refs))
	}
	if err != nil {
		failed := crossdock.Result{System: d.system}
		for _, w := range wants {
			failed.Receipts = append(failed.Receipts, crossdock.Receipt{Of: w.Of, Look: true, Code: crossdock.CodeOf(err), Text: err.Error(), After: asksToWait(err)})
		}
		bodies = append(bodies, failed)
		d.pause(failed.Receipts)
	} else {
		d.failures, d.paused = 0, time.Time{}
		if r := unnamed(wants, refs, messages); r != nil {
			bodies = append(bodies, crossdock.Result{System: d.system, Receipts: r})
		}
	}
	number, err := d.file(ctx, bodies...)
	if err != nil {
		return err
	}
	for _, w := range wants {
		d.sent[w.Address()] = number
	}
	return nil
}

// unnamed returns receipts of the looks whose record no answer names by its key: the
// core is told that they were answered, should they stand nevertheless.
func unnamed(wants []*store.Want, refs []crossdock.Ref, answers []crossdock.Message) (out []crossdock.Receipt) {
	named := map[crossdock.Ref]bool{}
	for _, m := range answers {
		named[crossdock.Ref{Kind: m.Kind, Key: m.Key}] = true
	}
	for i, w := range wants {
		if refs[i].System == crossdock.BookSystem || !named[crossdock.Ref{Kind: refs[i].Kind, Key: refs[i].Key}] {
			out = append(out, crossdock.Receipt{Of: w.Of, Rev: w.Rev, Look: true})
		}
	}
	return out
}

// found calls the connector; one that panics has found nothing.
func (d *Dispatch) found(ctx context.Context, refs []crossdock.Ref) (out []crossdock.Message, err error) {
	f, ok := d.conn.(connector.Finder)
	if !ok {
		return nil, crossdock.Errorf(crossdock.Refused, "the connector of %s can't be asked for one record", d.system)
	}
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, crossdock.Errorf(crossdock.Internal, "the connector failed: %v", r)
		}
	}()
	return f.Find(ctx, refs)
}

// lookOneByOne reads each record by itself.
func (d *Dispatch) lookOneByOne(ctx context.Context, wants []*store.Want, seq int64) error {
	for _, w := range wants {
		if err := d.look(ctx, []*store.Want{w}, seq); err != nil {
			return err
		}
	}
	return nil
}

// asksToWait returns how long a system asked us to wait, 0 where it did not.
func asksToWait(err error) time.Duration {
	var w interface{ After() time.Duration }
	if errors.As(err, &w) {
		return w.After()
	}
	return 0
}

// pause holds the connection back after a batch of which nothing came through,
// longer each time, so that a target that is away is not asked once per record.
func (d *Dispatch) pause(receipts []crossdock.Receipt) {
	wait := time.Duration(0)
	for _, r := range receipts {
		switch r.Code {
		case crossdock.Throttled, crossdock.Unavailable, crossdock.Unauthorized, crossdock.Ambiguous:
			wait = max(wait, r.After)
		default:
			d.failures, d.paused = 0, time.Time{}
			return
		}
	}
	d.failures++
	d.paused = d.now().Add(max(wait, min(time.Second<<min(d.failures-1, 10), longPause)))
}

// file puts bodies into the urgent lane and returns the number of the last.
func (d *Dispatch) file(ctx context.Context, bodies ...crossdock.Body) (int64, error) {
	now := d.now()
	var f store.Filing
	for _, b := range bodies {
		f.Arrivals = append(f.Arrivals, &store.Arrival{Lane: crossdock.Urgent, At: now, Body: b})
	}
	if err := d.journal.File(ctx, f); err != nil {
		return 0, fmt.Errorf("file what happened in %s: %w", d.system, err)
	}
	return f.Arrivals[len(f.Arrivals)-1].Number, nil
}

// Paused returns until when the connection is held back, zero when it is not.
func (d *Dispatch) Paused() time.Time { return d.paused }
