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
	word   string // lose, duplicate or reorder
	left   int    // webhooks it still strikes
	topic  string // only of this topic; "" all
	copies int    // a duplicated webhook is delivered so many times more
	group  *group
}

// group holds back the webhooks of one reorder until all have come.
type group struct {
	want int
	held []*hook
}

// patience is how long a reordered webhook waits for the others.
const patience = time.Minute

// Order arranges what happens to the next webhooks:
//
//	lose next [N] [TOPIC]                 they are never sent
//	duplicate next [N] [times M] [TOPIC]  each is delivered M times (2) at one instant, with one webhook id
//	reorder next [N] [TOPIC]              N (2) are held until all have come, or a minute, and leave in another order
//
// N is 1 where nothing else is said. An unknown word is an error.
func (s *Server) Order(words ...string) error {
	parts := strings.Fields(strings.Join(words, " "))
	f, err := parseFault(parts)
	if err != nil {
		return fmt.Errorf("fault %q: %w", strings.Join(parts, " "), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
	return nil
}

// FaultWords lists the faults of webhooks, one line each, for help texts.
func FaultWords() []string {
	return []string{
		"lose next [N] [TOPIC]: the next N webhooks are never sent",
		"duplicate next [N] [times M] [TOPIC]: each of the next N webhooks is delivered M times at one instant",
		"reorder next [N] [TOPIC]: the next N webhooks leave in another order",
	}
}

func parseFault(parts []string) (webhookFault, error) {
	known := []string{"lose", "duplicate", "reorder"}
	if len(parts) == 0 || !slices.Contains(known, parts[0]) {
		word := strings.Join(parts, " ")
		return webhookFault{}, fmt.Errorf("unknown word%s; the faults of webhooks are lose next, duplicate next, reorder next",
			sandbox.Nearest(word, known))
	}
	if len(parts) < 2 || parts[1] != "next" {
		return webhookFault{}, fmt.Errorf("%s is followed by next", parts[0])
	}
	f := webhookFault{word: parts[0], left: 1}
	switch f.word {
	case "duplicate":
		f.copies = 1
	case "reorder":
		f.left = 2
	}
	rest := parts[2:]
	if len(rest) > 0 {
		if n, err := strconv.Atoi(rest[0]); err == nil {
			f.left, rest = n, rest[1:]
		}
	}
	if len(rest) > 1 && rest[0] == "times" && f.word == "duplicate" {
		n, err := strconv.Atoi(rest[1])
		if err != nil || n < 2 {
			return f, fmt.Errorf("%q is not a number of times (2 or more)", rest[1])
		}
		f.copies, rest = n-1, rest[2:]
	}
	if len(rest) > 0 {
		if !slices.Contains(Topics(), rest[0]) {
			return f, fmt.Errorf("unknown topic %q%s; the topics are %s", rest[0], sandbox.Nearest(rest[0], Topics()), list(Topics()))
		}
		f.topic, rest = rest[0], rest[1:]
	}
	switch {
	case len(rest) > 0:
		return f, fmt.Errorf("%q is one word too many", rest[0])
	case f.left < 1 || (f.word == "reorder" && f.left < 2):
		return f, fmt.Errorf("%d webhooks are too few", f.left)
	}
	if f.word == "reorder" {
		f.group = &group{want: f.left}
	}
	return f, nil
}

// takeFault uses up the first order that strikes a webhook of the topic.
func (s *Server) takeFault(topic string) webhookFault {
	for i := range s.faults {
		f := &s.faults[i]
		if f.topic != "" && f.topic != topic {
			continue
		}
		f.left--
		struck := *f
		if f.left == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return struck
	}
	return webhookFault{}
}

// holdBack keeps a webhook for its group; the last to come lets all go, in a
// seeded order that is never the one they came in.
func (s *Server) holdBack(h *hook, f webhookFault) {
	g := f.group
	g.held = append(g.held, h)
	h.due = h.made.Add(patience)
	if len(g.held) < g.want {
		return
	}
	places := make([]int, len(g.held))
	for i, h := range g.held {
		places[i] = h.order
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
