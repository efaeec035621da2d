package core

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/crossdockhq/crossdock"
)

// spoken is a statement as a view hears it.
type spoken struct {
	said    crossdock.Record // with refs of the book
	says    crossdock.Fields
	version string
	asked   time.Time // zero: it came unasked
	after   int64
	seq     int64
}

// verdict says what a statement is to a view.
type verdict int

const (
	older     verdict = iota // a newer one was heard before (I4)
	echo                     // it says what the view holds
	unordered                // it can't be ordered after our own push: look
	foreign                  // somebody else changed the fields returned with it
)

// hear merges a statement into a view and returns the fields that somebody else
// changed there. Held moves only by statements that are known to be later than
// our last push: a push is open, it was asked for before the receipt, or it came
// unasked and is not strictly newer by the target's own clock → a look, no merge.
// Two answers of one second that overtook each other cause a look as well.
// models: the same rules hold 20,000 seeds of TestTrueUp without a lost edit.
func hear(v *crossdock.View, s spoken) (verdict, crossdock.Fields) {
	asked := !s.asked.IsZero()
	if s.version != "" && s.version < v.Version {
		if asked && v.Unknown { // the answer to our look left before what we know: the look is still owed
			return unordered, nil
		}
		return older, nil
	}
	changed := v.Held.Differs(s.said, s.says)
	late := len(v.Open) > 0 ||
		asked && s.after < v.Settled ||
		asked && s.after < v.Heard && s.version != "" && s.version == v.Version && len(changed) > 0 ||
		!asked && v.Wrote != "" && s.version <= v.Wrote ||
		v.Unknown && (!asked || s.asked.Before(v.Settles)) ||
		!asked && s.version != "" && s.version == v.Version && len(changed) > 0 ||
		!asked && s.version == "" && v.Heard > 0 && len(changed) > 0
	if late {
		if len(changed) == 0 && !v.Unknown && !v.Gone {
			return echo, nil
		}
		v.Unknown = true
		if !asked { // it is news: what was asked for before we had it does not tell what stands there now
			v.Settled = s.seq
		}
		return unordered, nil
	}
	lost, first := v.Lost, v.Held.IsZero()
	v.Held = v.Held.With(s.said, s.says)
	v.Version, v.Heard = max(v.Version, s.version), s.seq
	v.Unknown, v.Lost, v.Settles, v.Gone = false, nil, time.Time{}, false
	switch {
	case lost != nil && first: // what was made by the lost push is there
		v.Asked, v.Doubt, v.Told = lost.Push.Want, crossdock.Record{}, lost.Seq
		return echo, nil
	case lost != nil:
		changed = settle(v, lost, changed)
	}
	if len(changed) == 0 {
		return echo, nil
	}
	return foreign, changed
}

// settle tells, after a push whose answer was lost, whether what changed in the
// target is our own doing, and returns what is not. When all that changed reads
// like what we pushed, the push has landed and counts as asked. When nothing
// changed it has not, or it made no difference: the target's word is then older
// than the want, and the difference is pushed again.
func settle(v *crossdock.View, lost *crossdock.Open, changed crossdock.Fields) crossdock.Fields {
	var others crossdock.Fields
	for _, name := range changed {
		if !alike(v.Held.Fields[name], lost.Told.Fields[name]) {
			others = append(others, name)
		}
	}
	if len(others) == 0 && len(changed) > 0 {
		v.Asked, v.Doubt, v.Told = lost.Push.Want, crossdock.Record{}, lost.Seq
	} else {
		v.Asked, v.Doubt = crossdock.Record{}, lost.Push.Want
	}
	return others
}

// alike reports that two values differ at most in how a system writes them:
// spaces, punctuation, case, idle zeros.
func alike(a, b json.RawMessage) bool { return bare(a) == bare(b) }

func bare(v json.RawMessage) string {
	var text string
	if json.Unmarshal(v, &text) != nil {
		text = string(v)
	}
	if d, err := crossdock.ParseDecimal(text); err == nil {
		return d.String()
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// opened notes a push that is on its way, made from the book's record as it is at
// seq. A push of an older want was made from an older one: it tells nothing new.
func opened(v *crossdock.View, attempt int64, p crossdock.Push, told crossdock.Record, seq int64) {
	if p.Rev != v.Rev {
		seq = v.Told
	}
	v.Open = append(v.Open[:len(v.Open):len(v.Open)], crossdock.Open{Attempt: attempt, Push: p, Told: told, Seq: seq})
}

// closed takes the push of an attempt off the open ones; ok is false when there
// is none: its result was decided before.
func closed(v *crossdock.View, attempt int64) (open crossdock.Open, ok bool) {
	var rest []crossdock.Open
	for _, o := range v.Open {
		if o.Attempt == attempt {
			open, ok = o, true
		} else {
			rest = append(rest, o)
		}
	}
	v.Open = rest
	return open, ok
}

// answered merges a receipt: the target holds what it answered and was asked for
// what the push wanted. What is asked for before seq is older than our push.
// The same push sent again through a door that refuses a second effect settles
// the lost one.
func answered(v *crossdock.View, open crossdock.Open, r crossdock.Receipt, seq int64) {
	if !r.Holds.IsZero() {
		v.Held = v.Held.With(r.Holds, r.Fields())
	}
	if l := v.Lost; l != nil && v.Settled == v.Heard && l.Push.Door == crossdock.DoorRefused && l.Push.Want.Equal(open.Push.Want) {
		v.Unknown, v.Settles = false, time.Time{} // the lost push can't have a second effect, and nothing was heard since
	}
	v.Asked, v.Doubt, v.Told = open.Push.Want, crossdock.Record{}, open.Seq
	if r.Key != "" {
		v.Key = r.Key
	}
	v.Version, v.Wrote = max(v.Version, r.Version), max(v.Wrote, r.Version)
	v.Heard, v.Settled, v.Digest = seq, seq, ""
	v.Gone, v.Lost = false, nil
}

// unanswered marks a view whose push may or may not have happened: only a look
// that begins at or after settles tells.
func unanswered(v *crossdock.View, open crossdock.Open, seq int64, settles time.Time) {
	v.Unknown, v.Lost, v.Settles, v.Settled, v.Heard, v.Digest = true, &open, settles, seq, seq, ""
}
