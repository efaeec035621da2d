package shopify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock/sandbox"
)

// webhookFault is an order for the next webhooks.
type webhookFault struct {
	word   string // lose, duplicate, delay or reorder
	left   int    // webhooks it still strikes
	topic  string // only of this topic; "" all
	copies int    // a duplicated webhook is delivered so many times more
	apart  time.Duration
	group  *group
}

// group holds back the webhooks of one reorder until all have come.
type group struct {
	want int
	held []*hook
}

// patience is how long a reordered webhook waits for the others.
const patience = time.Minute

// webhookWords are the faults Order knows, with what they mean.
var webhookWords = []struct{ word, form, means string }{
	{"lose", "lose next [N] [TOPIC]", "the next N webhooks are never sent"},
	{"duplicate", "duplicate next [N] [times M] [after D] [TOPIC]", "each of the next N webhooks is delivered M times (2) with one webhook id, at one instant or D apart"},
	{"delay", "delay next [N] after D [TOPIC]", "the next N webhooks leave D later than they should"},
	{"reorder", "reorder next [N] [TOPIC]", "the next N webhooks (2) are held until all have come, or a minute, and leave in another order"},
}

// FaultWords lists what Order understands, one line each, for help texts.
func FaultWords() []string {
	out := make([]string, 0, len(webhookWords))
	for _, w := range webhookWords {
		out = append(out, w.form+": "+w.means)
	}
	for _, w := range weatherWords() {
		out = append(out, w.form+": "+w.means)
	}
	return out
}

// Order arranges what happens to the next webhooks and requests; FaultWords lists
// what it understands. N is 1 where nothing else is said. A word it doesn't know is an
// error and arranges nothing. Several orders may wait; each webhook is struck by
// the first that concerns its topic.
func (s *Server) Order(words ...string) error {
	parts := strings.Fields(strings.Join(words, " "))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range weatherWords() {
		if len(parts) > 0 && w.word == parts[0] {
			if err := w.do(s, parts[1:]); err != nil {
				return fmt.Errorf("fault %q: %w", strings.Join(parts, " "), err)
			}
			return nil
		}
	}
	f, err := parseFault(parts)
	if err != nil {
		return fmt.Errorf("fault %q: %w", strings.Join(parts, " "), err)
	}
	s.outbox.faults = append(s.outbox.faults, f)
	return nil
}

func parseFault(parts []string) (webhookFault, error) {
	known := make([]string, 0, len(webhookWords))
	for _, w := range webhookWords {
		known = append(known, w.word)
	}
	if len(parts) == 0 || !slices.Contains(known, parts[0]) {
		word := strings.Join(parts, " ")
		other := []string{}
		for _, w := range weatherWords() {
			other = append(other, w.word)
		}
		return webhookFault{}, fmt.Errorf("unknown word%s; the faults of webhooks are %s, each followed by next; those of the shop are %s",
			sandbox.Nearest(word, append(slices.Clone(known), other...)), list(known), list(other))
	}
	if len(parts) < 2 || parts[1] != "next" {
		return webhookFault{}, fmt.Errorf("%s is followed by next", parts[0])
	}
	f := webhookFault{word: parts[0], left: 1}
	least := 1
	switch f.word {
	case "duplicate":
		f.copies = 1
	case "reorder":
		f.left, least = 2, 2
	}
	rest := parts[2:]
	if len(rest) > 0 {
		if n, err := strconv.Atoi(rest[0]); err == nil {
			f.left, rest = n, rest[1:]
		}
	}
	for len(rest) > 0 {
		var err error
		if rest, err = f.take(rest); err != nil {
			return f, err
		}
	}
	switch {
	case f.left < least:
		return f, fmt.Errorf("%d webhooks are too few to %s", f.left, f.word)
	case f.word == "delay" && f.apart <= 0:
		return f, fmt.Errorf("delay says by how much, such as after 2s")
	case f.word == "reorder":
		f.group = &group{want: f.left}
	}
	return f, nil
}

// take reads one more part of an order.
func (f *webhookFault) take(rest []string) ([]string, error) {
	switch {
	case rest[0] == "times" && f.word == "duplicate" && len(rest) > 1:
		n, err := strconv.Atoi(rest[1])
		if err != nil || n < 2 {
			return nil, fmt.Errorf("%q is not a number of times (2 or more)", rest[1])
		}
		f.copies = n - 1
		return rest[2:], nil
	case rest[0] == "after" && (f.word == "duplicate" || f.word == "delay") && len(rest) > 1:
		d, err := time.ParseDuration(rest[1])
		if err != nil || d < 0 {
			return nil, fmt.Errorf("%q is not a duration such as 2s", rest[1])
		}
		f.apart = d
		return rest[2:], nil
	case f.topic == "" && slices.Contains(Topics(), rest[0]):
		f.topic = rest[0]
		return rest[1:], nil
	case f.topic == "" && strings.Contains(rest[0], "/"):
		return nil, fmt.Errorf("unknown topic %q%s; the topics are %s", rest[0], sandbox.Nearest(rest[0], Topics()), list(Topics()))
	}
	return nil, fmt.Errorf("%q doesn't belong here", rest[0])
}

// takeFault uses up the first order that strikes a webhook of the topic.
func (s *Server) takeFault(topic string) webhookFault {
	for i := range s.outbox.faults {
		f := &s.outbox.faults[i]
		if f.topic != "" && f.topic != topic {
			continue
		}
		f.left--
		struck := *f
		if f.left == 0 {
			s.outbox.faults = slices.Delete(s.outbox.faults, i, i+1)
		}
		return struck
	}
	return webhookFault{}
}

// holdBack keeps a webhook for its group; the last to come lets all go, in a
// seeded order that is never the one they came in.
func (s *Server) holdBack(h *hook, g *group) {
	g.held = append(g.held, h)
	h.due = h.made.Add(patience)
	if len(g.held) < g.want {
		return
	}
	places := make([]int, len(g.held))
	for i, one := range g.held {
		places[i] = one.order
	}
	s.rand.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	if slices.IsSorted(places) {
		slices.Reverse(places)
	}
	for i, one := range g.held {
		if one.state == "waiting" && one.tries == 0 {
			one.due, one.order = h.made, places[i]
		}
	}
}
