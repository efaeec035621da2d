package storetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

func message(lane crossdock.Lane, key string) *store.Arrival {
	return &store.Arrival{Lane: lane, At: noon, Body: crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: key, Body: []byte(`{"key":"` + key + `"}`)}}
}

func (h *house) file(all ...*store.Arrival) {
	h.Helper()
	h.must(h.s.Journal().File(h.Context(), store.Filing{Arrivals: all}))
}

// lane reads all of a lane.
func (h *house) lane(lane crossdock.Lane) []store.Arrival {
	h.Helper()
	got, err := h.s.Journal().Read(h.Context(), lane, 0, 1<<20)
	h.must(err)
	return got
}

func keyOf(a store.Arrival) string {
	m, _ := a.Body.(crossdock.Message) // any other body has no key and is told by that
	return m.Key
}

func orderInLanes(h *house) {
	for i := range 20 {
		h.file(message(crossdock.Lanes[i%3], fmt.Sprint(i)))
	}
	for n, lane := range crossdock.Lanes {
		for i, a := range h.lane(lane) {
			if want := fmt.Sprint(i*3 + n); keyOf(a) != want || a.Number != int64(i+1) || a.Lane != lane {
				h.Errorf("place %d of lane %s holds %q under number %d, want %q", i+1, lane, keyOf(a), a.Number, want)
			}
		}
	}
	last, err := h.s.Journal().Last(h.Context(), crossdock.Bulk)
	h.must(err)
	h.same("the last of bulk", int64(6), last)
}

func severalLanes(h *house) {
	all := []*store.Arrival{message(crossdock.Bulk, "a"), message(crossdock.Urgent, "b"), message(crossdock.Bulk, "c"), message(crossdock.Urgent, "d")}
	h.file(all...)
	for i, want := range []int64{1, 1, 2, 2} {
		if all[i].Number != want || len(all[i].Digest) != 32 {
			h.Errorf("arrival %d got number %d and a digest of %d bytes, want %d and 32", i, all[i].Number, len(all[i].Digest), want)
		}
	}
	h.same("bulk", []string{"a", "c"}, keys(h.lane(crossdock.Bulk)))
	h.same("urgent", []string{"b", "d"}, keys(h.lane(crossdock.Urgent)))
}

func keys(all []store.Arrival) []string {
	var out []string
	for _, a := range all {
		out = append(out, keyOf(a))
	}
	return out
}

func noGaps(h *house) {
	const callers, each = 32, 20
	given := make([][]*store.Arrival, callers)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				pair := []*store.Arrival{message(crossdock.Normal, fmt.Sprintf("%d-%d", c, i)), message(crossdock.Urgent, "u")}
				ctx, cancel := context.WithCancel(h.Context())
				hasty := i%2 == 1
				if hasty { // at any moment: either it is filed and said so, or neither
					time.AfterFunc(time.Duration((c*each+i)%60)*100*time.Microsecond, cancel)
				}
				if err := h.s.Journal().File(ctx, store.Filing{Arrivals: pair}); err == nil {
					given[c] = append(given[c], pair[0])
				} else if !hasty {
					h.Error(err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	filed := h.lane(crossdock.Normal)
	for i, a := range filed {
		if a.Number != int64(i+1) {
			h.Fatalf("place %d of the lane has number %d", i+1, a.Number)
		}
	}
	count := 0
	for c := range given {
		before := int64(0)
		for _, a := range given[c] {
			count++
			if a.Number <= before || a.Number > int64(len(filed)) || keyOf(filed[a.Number-1]) != keyOf(*a) {
				h.Fatalf("caller %d was told number %d for %s after %d, and the lane holds something else there", c, a.Number, keyOf(*a), before)
			}
			before = a.Number
		}
	}
	if count != len(filed) || len(h.lane(crossdock.Urgent)) != count {
		h.Fatalf("%d were acknowledged, the lanes hold %d and %d", count, len(filed), len(h.lane(crossdock.Urgent)))
	}
}

func acknowledged(h *house) {
	want := []*store.Arrival{message(crossdock.Normal, "1"), message(crossdock.Normal, "2")}
	for _, a := range want {
		h.file(a)
	}
	h.restart()
	got := h.lane(crossdock.Normal)
	h.same("after a restart", []store.Arrival{*want[0], *want[1]}, got)
	third := message(crossdock.Normal, "3")
	h.file(third)
	h.same("the number after a restart", int64(3), third.Number)
}

func cursorAndRows(h *house) {
	j := h.s.Journal()
	c, err := j.Cursor(h.Context(), "odoo", crossdock.KindStock)
	h.must(err)
	h.same("before the first pull", store.Cursor{System: "odoo", Kind: crossdock.KindStock}, c)
	first := store.Cursor{System: "odoo", Kind: crossdock.KindStock, Text: "2026-11-02|7", At: noon, Whole: true}
	h.must(j.File(h.Context(), store.Filing{Arrivals: []*store.Arrival{message(crossdock.Bulk, "a")}, Cursor: &first}))

	second := first
	second.Text = "2026-11-03|9"
	err = j.File(h.Context(), store.Filing{Arrivals: []*store.Arrival{message(crossdock.Bulk, "b"), {Lane: crossdock.Bulk, At: noon}}, Cursor: &second})
	if err == nil {
		h.Fatal("an arrival without a body was filed")
	}
	h.restart()
	c, err = h.s.Journal().Cursor(h.Context(), "odoo", crossdock.KindStock)
	h.must(err)
	h.same("the cursor after a failed filing", first, c)
	h.same("the rows after a failed filing", []string{"a"}, keys(h.lane(crossdock.Bulk)))

	h.must(h.s.Journal().File(h.Context(), store.Filing{Cursor: &second})) // nothing new was there
	c, err = h.s.Journal().Cursor(h.Context(), "odoo", crossdock.KindStock)
	h.must(err)
	h.same("the cursor of an empty page", second, c)
	other, err := h.s.Journal().Cursor(h.Context(), "odoo", crossdock.KindItem)
	h.must(err)
	h.same("another kind's", "", other.Text)
}

func endedContext(h *house) {
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	a := message(crossdock.Normal, "late")
	h.refused(h.s.Journal().File(ctx, store.Filing{Arrivals: []*store.Arrival{a}}), context.Canceled)
	if a.Number != 0 || len(h.lane(crossdock.Normal)) != 0 {
		h.Fatal("it was filed all the same")
	}
}

func bodies(h *house) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	f := filler{}
	filled := []crossdock.Body{fill[crossdock.Message](&f), fill[crossdock.Action](&f), fill[crossdock.Attempt](&f), fill[crossdock.Result](&f), fill[crossdock.Tick](&f), fill[crossdock.Setup](&f)}
	all := append(filled,
		crossdock.Message{}, crossdock.Action{}, crossdock.Attempt{}, crossdock.Result{}, crossdock.Tick{}, crossdock.Setup{},
		crossdock.Message{From: "shop", Body: every, Key: "gid://shopify/Order/1001", Meta: crossdock.Meta{"": "", "a<b>&": "\x00\"\u2028"}},
		crossdock.Message{Body: bytes.Repeat(every, 100)},
		crossdock.Message{Body: []byte("not JSON {"), Fault: &crossdock.Fault{}},
		crossdock.Message{Asked: noon.In(time.FixedZone("", 7200))})
	for _, b := range all {
		h.file(&store.Arrival{Lane: crossdock.Urgent, At: noon, Body: b})
	}
	h.restart()
	got := h.lane(crossdock.Urgent)
	for i, want := range all {
		if a, ok := want.(crossdock.Attempt); ok {
			a.ID = int64(i + 1)
			want = a
		}
		h.same(fmt.Sprintf("%T %d", want, i), want, got[i].Body)
		one, err := h.s.Journal().Get(h.Context(), crossdock.Urgent, int64(i+1))
		h.must(err)
		h.same("the same by number", &got[i], one)
	}
	none, err := h.s.Journal().Get(h.Context(), crossdock.Urgent, int64(len(all)+1))
	h.must(err)
	if none != nil {
		h.Fatal("there is an arrival after the last")
	}
	attempt := &store.Arrival{Lane: crossdock.Urgent, At: noon, Body: crossdock.Attempt{System: "odoo"}}
	h.file(attempt)
	h.same("the attempt that was filed", crossdock.Attempt{ID: attempt.Number, System: "odoo"}, attempt.Body)
}

func digests(h *house) {
	one, two := message(crossdock.Normal, "same"), message(crossdock.Normal, "same")
	h.file(one, two)
	if bytes.Equal(one.Digest, two.Digest) {
		h.Fatal("two arrivals of one body have one digest: who knows the body of one could tell the other")
	}
	got := h.lane(crossdock.Normal)
	h.same("the digest that was told", one.Digest, got[0].Digest)
}

func openAttempts(h *house) {
	attempt := func(key string) *store.Arrival {
		return &store.Arrival{Lane: crossdock.Urgent, At: noon, Body: crossdock.Attempt{System: "odoo", Pushes: []crossdock.Push{{Of: order(key), Rev: 1, Door: crossdock.DoorFound}}}}
	}
	result := func(of int64) *store.Arrival {
		return &store.Arrival{Lane: crossdock.Urgent, At: noon, Body: crossdock.Result{Attempt: of, System: "odoo"}}
	}
	a, b, c := attempt("1"), attempt("2"), attempt("3")
	h.file(message(crossdock.Urgent, "before"), a)
	h.file(b, c)
	h.file(result(a.Number))
	h.file(result(0)) // of a look
	want := []crossdock.Attempt{}
	for _, a := range []*store.Arrival{b, c} {
		attempt, ok := a.Body.(crossdock.Attempt)
		if !ok || attempt.ID != a.Number {
			h.Fatalf("attempt %d became %+v", a.Number, a.Body)
		}
		want = append(want, attempt)
	}
	got, err := h.s.Journal().Open(h.Context())
	h.must(err)
	h.same("open attempts", want, got)
	h.restart()
	got, err = h.s.Journal().Open(h.Context())
	h.must(err)
	h.same("open attempts after a restart", want, got)
	h.file(result(b.Number), result(c.Number))
	h.file(result(c.Number)) // told twice
	got, err = h.s.Journal().Open(h.Context())
	h.must(err)
	h.same("open attempts at the end", []crossdock.Attempt{}, got)
}

func attemptsAreUrgent(h *house) {
	for _, b := range []crossdock.Body{crossdock.Attempt{}, crossdock.Result{}} {
		if err := h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{{Lane: crossdock.Normal, At: noon, Body: b}}}); err == nil {
			h.Errorf("a %T was filed in lane normal, where a result could overtake its attempt", b)
		}
	}
}

func pages(h *house) {
	var all []*store.Arrival
	for i := range 25 {
		all = append(all, message(crossdock.Normal, fmt.Sprint(i)))
	}
	h.file(all...)
	var got []string
	for after := int64(0); ; {
		page, err := h.s.Journal().Read(h.Context(), crossdock.Normal, after, 10)
		h.must(err)
		if len(page) == 0 {
			break
		}
		got = append(got, keys(page)...)
		after = page[len(page)-1].Number
	}
	want := make([]string, 0, len(all))
	for _, a := range all {
		want = append(want, keyOf(*a))
	}
	h.same("all pages", want, got)
	none, err := h.s.Journal().Read(h.Context(), crossdock.Bulk, 0, 10)
	h.must(err)
	h.same("an empty lane", 0, len(none))
}

func largeBesideUrgent(h *house) {
	line := `{"sku":"TEA-00000001","on_hand":"12","reserved":"3","site":"E","write_date":"2026-11-02 10:00:00"},`
	large := crossdock.Message{From: "odoo", Kind: crossdock.KindStock, Body: []byte(strings.Repeat(line, 100_000))}
	for i := range 50 {
		h.file(message(crossdock.Urgent, fmt.Sprint(i)))
	}
	filed := make(chan error, 1)
	go func() {
		filed <- h.s.Journal().File(h.Context(), store.Filing{Arrivals: []*store.Arrival{{Lane: crossdock.Bulk, At: noon, Body: large}}})
	}()
	reads := 0
	for waiting := true; waiting; {
		select {
		case err := <-filed:
			h.must(err)
			waiting = false
		default:
			h.same("urgent arrivals", 50, len(h.lane(crossdock.Urgent)))
			reads++
		}
	}
	h.restart()
	got := h.lane(crossdock.Bulk)
	h.same("arrivals in bulk", 1, len(got))
	if m, ok := got[0].Body.(crossdock.Message); !ok || !bytes.Equal(m.Body, large.Body) {
		h.Fatal("the large arrival is not what was filed")
	}
	h.Logf("%d bytes filed; %d reads of the urgent lane meanwhile", len(large.Body), reads)
}
