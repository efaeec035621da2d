package core

import (
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
)

// What a statement is to a view, clause by clause. The view holds "5 550100" as
// of second 10, heard by entry 7; our own last push was settled by entry 5.
func TestHear(t *testing.T) {
	settles := worldStart.Add(time.Minute)
	known := func() crossdock.View {
		return crossdock.View{Held: phoneRecord("5 550100"), Asked: phoneRecord("555 0100"), Version: second(10), Wrote: second(8), Heard: 7, Settled: 5}
	}
	with := func(change func(*crossdock.View)) crossdock.View {
		v := known()
		change(&v)
		return v
	}
	pushing := with(func(v *crossdock.View) {
		opened(v, 9, crossdock.Push{Want: phoneRecord("555 0109")}, phoneRecord("555 0109"), 8)
	})
	lost := with(func(v *crossdock.View) {
		unanswered(v, crossdock.Open{Attempt: 9, Push: crossdock.Push{Want: phoneRecord("555 0109")}, Told: phoneRecord("555 0109")}, 9, settles)
	})
	unasked := func(phone string, version int) spoken {
		return spoken{said: phoneRecord(phone), says: crossdock.Fields{"phone"}, version: second(version), seq: 20}
	}
	asked := func(phone string, version int, after int64, at time.Time) spoken {
		s := unasked(phone, version)
		s.after, s.asked = after, at
		return s
	}
	before, later := settles.Add(-time.Second), settles

	for _, c := range []struct {
		name  string
		view  crossdock.View
		said  spoken
		want  verdict
		held  string
		asked string // "": nothing counts as asked for
	}{
		{"a newer webhook that says something else", known(), unasked("555 0101", 11), foreign, "555 0101", "555 0100"},
		{"a newer webhook that says what is held", known(), unasked("5 550100", 11), echo, "5 550100", "555 0100"},
		{"a webhook of an older second", known(), unasked("555 0101", 9), older, "5 550100", "555 0100"},
		{"a webhook of the same second that says something else", known(), unasked("555 0101", 10), unordered, "5 550100", "555 0100"},
		{"a webhook of the same second that says what is held", known(), unasked("5 550100", 10), echo, "5 550100", "555 0100"},
		{"a webhook of the second of our own write", with(func(v *crossdock.View) { v.Wrote = second(12) }), unasked("555 0101", 12), unordered, "5 550100", "555 0100"},
		{"an answer asked for after the receipt", known(), asked("555 0101", 11, 8, later), foreign, "555 0101", "555 0100"},
		{"an answer asked for before the receipt", known(), asked("555 0101", 11, 4, later), unordered, "5 550100", "555 0100"},
		{"an answer asked for before the receipt that says what is held", known(), asked("5 550100", 10, 4, later), echo, "5 550100", "555 0100"},
		{"an answer of the same second asked for before what was heard last", known(), asked("555 0101", 10, 6, later), unordered, "5 550100", "555 0100"},
		{"an answer of the same second asked for after what was heard last", known(), asked("555 0101", 10, 7, later), foreign, "555 0101", "555 0100"},
		{"a webhook while a push is open", pushing, unasked("555 0101", 11), unordered, "5 550100", "555 0100"},
		{"an answer while a push is open", pushing, asked("555 0101", 11, 9, later), unordered, "5 550100", "555 0100"},
		{"a webhook after a lost answer", lost, unasked("555 0109", 11), unordered, "5 550100", "555 0100"},
		{"an answer after a lost answer, asked for before it settled", lost, asked("555 0109", 11, 9, before), unordered, "5 550100", "555 0100"},
		{"an old answer after a lost answer", lost, asked("5 550100", 9, 9, before), unordered, "5 550100", "555 0100"},
		{"a look after a lost answer: it has landed, in the target's own form", lost, asked("5 550109", 11, 9, later), echo, "5 550109", "555 0109"},
		{"a look after a lost answer: it has not landed", lost, asked("5 550100", 10, 9, later), echo, "5 550100", ""},
		{"a look after a lost answer: somebody else was there", lost, asked("555 0101", 11, 9, later), foreign, "555 0101", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := c.view
			was := v.Unknown
			got, changed := hear(&v, c.said)
			if got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
			if (got == foreign) != (len(changed) > 0) {
				t.Errorf("verdict %d with changed fields %v", got, changed)
			}
			if held := v.Held.Text("phone"); held != c.held {
				t.Errorf("held %q, want %q", held, c.held)
			}
			if asked := v.Asked.Text("phone"); asked != c.asked {
				t.Errorf("asked %q, want %q", asked, c.asked)
			}
			if want := c.want == unordered || was && c.want == older; v.Unknown != want {
				t.Errorf("unknown %v, want %v", v.Unknown, want)
			}
			if known := c.want == echo || c.want == foreign; known && v.Lost != nil {
				t.Error("the lost push is still open")
			}
		})
	}
}

// What came unasked and can't be ordered is news: a look that had begun before
// does not say what stands there now.
func TestNewsOutdatesALookThatHadBegun(t *testing.T) {
	v := crossdock.View{Held: phoneRecord("555 0100"), Asked: phoneRecord("555 0100"), Version: "10", Unknown: true}
	news := spoken{said: phoneRecord("555 0101"), says: crossdock.Fields{"phone"}, version: "12", seq: 30}
	if got, _ := hear(&v, news); got != unordered {
		t.Fatalf("verdict %d, want unordered", got)
	}
	stale := spoken{said: phoneRecord("555 0100"), says: crossdock.Fields{"phone"}, version: "10", asked: worldStart, after: 29, seq: 31}
	if got, _ := hear(&v, stale); got != unordered || !v.Unknown {
		t.Errorf("the look that had begun before: verdict %d, unknown %v; want unordered and still unknown", got, v.Unknown)
	}
	look := spoken{said: phoneRecord("555 0101"), says: crossdock.Fields{"phone"}, version: "12", asked: worldStart, after: 30, seq: 32}
	if got, _ := hear(&v, look); got != foreign || v.Unknown {
		t.Errorf("the look that began after: verdict %d, unknown %v; want foreign and known", got, v.Unknown)
	}
}

// A push whose answer came is settled: what was asked for before, and what has
// the second of the write, is ordered by a look.
func TestAnsweredSettles(t *testing.T) {
	v := crossdock.View{Held: phoneRecord("5 550100"), Version: "10", Digest: "d"}
	push := crossdock.Push{Want: phoneRecord("555 0109")}
	opened(&v, 9, push, phoneRecord("555 0109"), 8)
	open, ok := closed(&v, 9)
	if !ok || len(v.Open) != 0 {
		t.Fatalf("closed: %v, %d still open", ok, len(v.Open))
	}
	if _, again := closed(&v, 9); again {
		t.Error("an attempt was closed twice")
	}
	answered(&v, open, crossdock.Receipt{Holds: phoneRecord("5 550109"), Key: "57", Version: "12"}, 11)
	if v.Held.Text("phone") != "5 550109" || v.Asked.Text("phone") != "555 0109" || v.Key != "57" {
		t.Errorf("held %q, asked %q, key %q", v.Held.Text("phone"), v.Asked.Text("phone"), v.Key)
	}
	if v.Version != "12" || v.Wrote != "12" || v.Settled != 11 || v.Heard != 11 || v.Digest != "" {
		t.Errorf("version %q, wrote %q, settled %d, heard %d, digest %q", v.Version, v.Wrote, v.Settled, v.Heard, v.Digest)
	}
}

// After a lost push of which nobody can tell whether it landed, what it asked for is
// kept as doubt, until something is known to have been asked for again.
func TestDoubtAfterALostPush(t *testing.T) {
	settles := worldStart.Add(time.Minute)
	want := phoneRecord("555 0109")
	v := &crossdock.View{Key: "1", Held: phoneRecord("5 550100"), Asked: phoneRecord("555 0100"), Version: "2026-11-02T10:00:10Z"}
	unanswered(v, crossdock.Open{Attempt: 9, Push: crossdock.Push{Want: want}, Told: want}, 9, settles)
	if got, _ := hear(v, spoken{said: phoneRecord("5 550100"), says: crossdock.Fields{"phone"}, version: v.Version, asked: settles, after: 9, seq: 10}); got != echo {
		t.Fatalf("verdict %d", got)
	}
	if !v.Asked.IsZero() || !v.Doubt.Equal(want) {
		t.Fatalf("asked %v, doubt %v", v.Asked, v.Doubt)
	}
	answered(v, crossdock.Open{Attempt: 10, Push: crossdock.Push{Want: want}, Told: want}, crossdock.Receipt{Key: "1", Holds: want}, 11)
	if !v.Asked.Equal(want) || !v.Doubt.IsZero() {
		t.Fatalf("asked %v, doubt %v", v.Asked, v.Doubt)
	}
}

// The same push again settles a lost one where the target refuses a second
// effect, unless something was heard in between that nobody could order.
func TestResendSettles(t *testing.T) {
	push := crossdock.Push{Want: phoneRecord("555 0109"), Door: crossdock.DoorRefused}
	for _, c := range []struct {
		name    string
		resent  crossdock.Push
		news    bool
		unknown bool
	}{
		{"the same push", push, false, false},
		{"the same push after news", push, true, true},
		{"another push", crossdock.Push{Want: phoneRecord("555 0108"), Door: crossdock.DoorRefused}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := crossdock.View{Held: phoneRecord("5 550100"), Version: second(10), Heard: 7, Settled: 5}
			unanswered(&v, crossdock.Open{Attempt: 9, Push: push, Told: push.Want}, 9, worldStart.Add(time.Minute))
			if c.news {
				hear(&v, spoken{said: phoneRecord("555 0101"), says: crossdock.Fields{"phone"}, version: second(11), seq: 10})
			}
			opened(&v, 11, c.resent, c.resent.Want, 11)
			open, _ := closed(&v, 11)
			answered(&v, open, crossdock.Receipt{Holds: phoneRecord("5 550109"), Version: second(12)}, 12)
			if v.Unknown != c.unknown || v.Lost != nil {
				t.Errorf("unknown %v, want %v; lost %v", v.Unknown, c.unknown, v.Lost)
			}
		})
	}
}
