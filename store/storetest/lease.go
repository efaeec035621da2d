package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/store"
)

// long is longer than any test; short is waited for.
const (
	long  = time.Hour
	short = 30 * time.Millisecond
)

func (h *house) acquire(name, owner string, ttl time.Duration) store.Lease {
	h.Helper()
	l, err := h.s.Leases().Acquire(h.Context(), name, owner, ttl)
	h.must(err)
	if l.Name != name || l.Owner != owner || l.Epoch < 1 || !l.Until.After(time.Now().Add(ttl/2-time.Second)) {
		h.Fatalf("%s acquired %s for %s and got %+v", owner, name, ttl, l)
	}
	return l
}

// acquireLater waits until a lease has expired and takes it over.
func (h *house) acquireLater(name, owner string) store.Lease {
	h.Helper()
	for range 2000 {
		l, err := h.s.Leases().Acquire(h.Context(), name, owner, long)
		if err == nil {
			return l
		}
		h.refused(err, store.ErrHeld)
		time.Sleep(5 * time.Millisecond)
	}
	h.Fatal("the lease never expires")
	return store.Lease{}
}

func oneHolder(h *house) {
	held := h.acquire("desk", "ada", long)
	h.same("the first epoch", int64(1), held.Epoch)
	for _, owner := range []string{"bob", "ada"} {
		_, err := h.s.Leases().Acquire(h.Context(), "desk", owner, long)
		h.refused(err, store.ErrHeld)
	}
	other := h.acquire("pull odoo", "bob", long)
	h.same("the epoch of another lease", int64(1), other.Epoch)

	var got atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			_, err := h.s.Leases().Acquire(h.Context(), "dispatch odoo", fmt.Sprint("node", i), long)
			switch {
			case err == nil:
				got.Add(1)
			case !errors.Is(err, store.ErrHeld):
				h.Error(err)
			}
		})
	}
	all.Wait()
	h.same("of 16 that ask at once", int32(1), got.Load())
}

func renewAndRelease(h *house) {
	leases := h.s.Leases()
	first := h.acquire("desk", "ada", long)
	renewed, err := leases.Renew(h.Context(), first, 2*long)
	h.must(err)
	if !renewed.Is(first) || !renewed.Until.After(first.Until) {
		h.Fatalf("%+v was renewed to %+v", first, renewed)
	}
	h.must(leases.Release(h.Context(), renewed))
	_, err = leases.Renew(h.Context(), renewed, long)
	h.refused(err, store.ErrStale)
	second := h.acquire("desk", "bob", long)
	h.same("the epoch after a release", first.Epoch+1, second.Epoch)
	h.must(leases.Release(h.Context(), first)) // it is somebody else's: nothing happens
	_, err = leases.Acquire(h.Context(), "desk", "ada", long)
	h.refused(err, store.ErrHeld)
	for what, wrong := range map[string]store.Lease{
		"another owner":     {Name: "desk", Owner: "ada", Epoch: second.Epoch},
		"another epoch":     {Name: "desk", Owner: "bob", Epoch: first.Epoch},
		"nobody's":          {Name: "pull", Owner: "bob", Epoch: 1},
		"one of the future": {Name: "desk", Owner: "bob", Epoch: second.Epoch + 1},
	} {
		if _, err := leases.Renew(h.Context(), wrong, long); !errors.Is(err, store.ErrStale) {
			h.Errorf("%s was renewed: %v", what, err)
		}
	}
}

func expiry(h *house) {
	first := h.acquire("desk", "ada", short)
	second := h.acquireLater("desk", "bob")
	h.same("the epoch after it expired", first.Epoch+1, second.Epoch)
	_, err := h.s.Leases().Renew(h.Context(), first, long)
	h.refused(err, store.ErrStale)

	alone := h.acquire("pull", "ada", short)
	time.Sleep(10 * short) // nobody takes it, and still it is over
	_, err = h.s.Leases().Renew(h.Context(), alone, long)
	h.refused(err, store.ErrStale)
	err = h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{message(crossdock.Normal, "late")}, Under: &alone})
	h.refused(err, store.ErrStale)
	h.same("what is filed", 0, len(h.lane(crossdock.Normal)))
}

func vacated(h *house) {
	desk, pull, other := h.acquire("desk", "ada", long), h.acquire("pull odoo", "ada", long), h.acquire("dispatch odoo", "bob", long)
	h.must(h.s.Leases().Vacate(h.Context(), "ada"))
	h.must(h.s.Leases().Vacate(h.Context(), "nobody"))
	for _, l := range []store.Lease{desk, pull} {
		err := h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{message(crossdock.Normal, "late")}, Under: &l})
		h.refused(err, store.ErrStale)
		h.same("the epoch after it", l.Epoch+1, h.acquire(l.Name, "eve", long).Epoch)
	}
	_, err := h.s.Leases().Renew(h.Context(), other, long)
	h.must(err)
}

// epochFences has a holder that looked whether it still holds its lease, was paused
// and goes on after somebody else has taken over.
func epochFences(h *house) {
	d := h.desk()
	d.commit(put(row("1", 1)), order("1"))
	cursor := store.Cursor{System: "odoo", Kind: crossdock.KindStock, Text: "1", At: noon}
	held := h.acquire("desk", "ada", long)
	h.must(h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{message(crossdock.Normal, "first")}, Cursor: &cursor, Under: &held}))
	c := d.next(put(row("1", 2)), order("1"))
	c.Under = &held
	h.must(h.s.Book().Commit(h.Context(), c))
	d.at = c.To

	held, err := h.s.Leases().Renew(h.Context(), held, short)
	h.must(err) // it still holds it
	next := h.acquireLater("desk", "bob")
	later := cursor
	later.Text = "2"
	under := store.Under(h.s, func() store.Lease { return held })
	late := message(crossdock.Normal, "late")
	h.refused(under.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{late}, Cursor: &later}), store.ErrStale)
	h.refused(under.Book().Commit(h.Context(), d.next(put(row("1", 3)), order("1"))), store.ErrStale)
	h.same("the number of what was not filed", int64(0), late.Number)
	h.same("what is filed", []string{"first"}, keys(h.lane(crossdock.Normal)))
	got, err := h.s.Journal().Cursor(h.Context(), "odoo", crossdock.KindStock)
	h.must(err)
	h.same("the cursor", cursor, got)
	h.same("the row", []core.Row{row("1", 2)}, h.load(row("1", 0).Address()))
	h.same("the position", d.at, h.position())

	now := store.Under(h.s, func() store.Lease { return next })
	h.must(now.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{message(crossdock.Normal, "second")}}))
	h.must(now.Book().Commit(h.Context(), d.next(put(row("1", 4)), order("1"))))
	h.same("what is filed then", []string{"first", "second"}, keys(h.lane(crossdock.Normal)))
}

// staleBesideGood files under a lease that is over beside calls that share its
// commit: they are not held up by it.
func staleBesideGood(h *house) {
	stale := store.Lease{Name: "desk", Owner: "nobody", Epoch: 7}
	var good, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			f := store.Filing{Arrivals: []*store.Arrival{message(crossdock.Normal, fmt.Sprint(i))}}
			if i%3 == 0 {
				f.Under = &stale
			}
			err := h.s.Journal().File(h.Context(), f)
			switch {
			case err == nil && f.Under == nil:
				good.Add(1)
			case errors.Is(err, store.ErrStale) && f.Under != nil:
				refused.Add(1)
			default:
				h.Errorf("call %d: %v", i, err)
			}
		})
	}
	all.Wait()
	h.same("refused", int32(10), refused.Load())
	h.same("filed", 20, len(h.lane(crossdock.Normal)))
	h.same("acknowledged", int32(20), good.Load())
}

// orderOfEpochs has several owners take one short lease from each other while they
// write as fast as they can. In the order of the lane no epoch comes after a later
// one, and what an owner sees when it takes over is all there will be of those before.
func orderOfEpochs(h *house) {
	ctx, cancel := context.WithTimeout(h.Context(), time.Second)
	defer cancel()
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				l, err := h.s.Leases().Acquire(ctx, "desk", fmt.Sprint("node", n), short)
				if err != nil {
					time.Sleep(time.Millisecond)
					continue
				}
				found, err := h.s.Journal().Last(h.Context(), crossdock.Normal)
				if err != nil {
					h.Error(err)
					return
				}
				for i := 0; ctx.Err() == nil; i++ {
					a := message(crossdock.Normal, fmt.Sprintf("%d.%d.%d", l.Epoch, i, found))
					err := h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{a}, Under: &l})
					if errors.Is(err, store.ErrStale) {
						break
					}
					if err != nil {
						h.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	before, epochs := int64(0), 0
	for _, a := range h.lane(crossdock.Normal) {
		words := strings.Split(keyOf(a), ".")
		epoch, err := strconv.ParseInt(words[0], 10, 64)
		h.must(err)
		if epoch < before {
			h.Fatalf("arrival %d of epoch %d was filed after epoch %d had begun", a.Number, epoch, before)
		}
		if epoch > before && words[2] != fmt.Sprint(a.Number-1) {
			h.Fatalf("epoch %d began to write at %d and had found %s", epoch, a.Number, words[2])
		}
		if epoch > before {
			epochs++
		}
		before = epoch
	}
	if epochs < 3 {
		h.Fatalf("only %d epochs wrote anything: nothing was tried", epochs)
	}
	h.Logf("%d epochs", epochs)
}

func incarnations(h *house) {
	d := h.desk()
	d.commit(put(row("1", 1)), order("1"))
	is := func(want int64) {
		h.Helper()
		n, err := h.s.Book().Incarnation(h.Context())
		h.must(err)
		h.same("the incarnation", want, n)
	}
	is(1)
	n, err := h.s.Book().Reincarnate(h.Context())
	h.must(err)
	h.same("the next life", int64(2), n)
	h.refused(h.s.Book().Commit(h.Context(), d.next(put(row("1", 2)), order("1"))), store.ErrStale)
	h.restart()
	is(2)
	h.same("the row", []core.Row{row("1", 1)}, h.load(row("1", 0).Address()))
}
