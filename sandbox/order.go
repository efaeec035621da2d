package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// words are the faults Order knows, with what they mean.
var words = []struct{ word, form, means string }{
	{"down", "down", "every request is answered 503 until up"},
	{"up", "up", "ends every fault, counted ones too, and the filter of only"},
	{"hang", "hang", "requests are accepted and never answered; they have no effect"},
	{"slow", "slow D", "every answer is delayed by D; slow 0s ends it"},
	{"errors", "errors P%", "a seeded share of the requests is answered 503 or 500 and has no effect; errors 0% ends it"},
	{"lose-answers", "lose-answers [N]", "the next N requests have their effect, then the connection is reset"},
	{"late-commit", "late-commit D [N]", "the next N connections are reset at once, the effect follows D later"},
	{"throttle", "throttle [N [D]]", "the next N requests are answered 429 with Retry-After D (2s)"},
	{"only", "only [METHOD] [PATH]", "faults touch only requests of this method and path prefix; bare only ends it"},
}

// Words lists the words Order knows, one line each, for help texts.
func Words() []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, w.form+": "+w.means)
	}
	return out
}

// Order arranges a fault: `down`, `up`, `hang`, `slow 4s`, `errors 5%`,
// `lose-answers 2`, `late-commit 16s 1`, `throttle 3`, `only POST /jsonrpc`. An
// unknown word or a number that makes no sense is an error and arranges
// nothing. Ordering a counted fault again sets its count anew.
func (d *Door) Order(order ...string) error {
	parts := strings.Fields(strings.Join(order, " "))
	if len(parts) == 0 {
		return fmt.Errorf("an order is empty; the faults are %s", names())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.arrange(parts[0], parts[1:]); err != nil {
		return fmt.Errorf("fault %q: %w", strings.Join(parts, " "), err)
	}
	return nil
}

func (d *Door) arrange(word string, rest []string) error {
	switch word {
	case "down", "up", "hang":
		if len(rest) > 0 {
			return fmt.Errorf("%q takes nothing after it, not %q", word, rest[0])
		}
		d.standing(word)
		return nil
	case "slow":
		wait, rest, err := takeDuration(rest, -1)
		if err == nil {
			err = nothingLeft(rest)
		}
		if err == nil {
			d.slow = wait
		}
		return err
	case "errors":
		return d.orderErrors(rest)
	case "lose-answers":
		n, rest, err := takeCount(rest)
		if err == nil {
			err = nothingLeft(rest)
		}
		if err == nil {
			d.lose = n
		}
		return err
	case "late-commit":
		wait, rest, err := takeDuration(rest, -1)
		if err != nil {
			return err
		}
		n, rest, err := takeCount(rest)
		if err == nil {
			err = nothingLeft(rest)
		}
		if err == nil {
			d.late, d.lateBy = n, wait
		}
		return err
	case "throttle":
		n, rest, err := takeCount(rest)
		if err != nil {
			return err
		}
		wait, rest, err := takeDuration(rest, 2*time.Second)
		if err == nil {
			err = nothingLeft(rest)
		}
		if err == nil {
			d.throttle, d.after = n, wait
		}
		return err
	case "only":
		return d.orderOnly(rest)
	}
	known := make([]string, 0, len(words))
	for _, w := range words {
		known = append(known, w.word)
	}
	return fmt.Errorf("unknown word %q%s; the faults are %s", word, Nearest(word, known), names())
}

func (d *Door) standing(word string) {
	switch word {
	case "down":
		d.down = true
	case "hang":
		d.hang = true
	case "up":
		d.down, d.hang, d.slow, d.errors = false, false, 0, 0
		d.lose, d.late, d.throttle = 0, 0, 0
		d.method, d.path = "", ""
	}
}

func (d *Door) orderErrors(rest []string) error {
	if len(rest) != 1 {
		return fmt.Errorf("errors takes a share, such as errors 5%%")
	}
	share, err := strconv.ParseFloat(strings.TrimSuffix(rest[0], "%"), 64)
	if err != nil || share < 0 || share > 100 || !strings.HasSuffix(rest[0], "%") {
		return fmt.Errorf("%q is not a share from 0%% to 100%%", rest[0])
	}
	d.errors = share / 100
	return nil
}

func (d *Door) orderOnly(rest []string) error {
	method, path := "", ""
	for _, part := range rest {
		switch {
		case strings.HasPrefix(part, "/") && path == "":
			path = part
		case method == "" && slices.Contains(methods, part):
			method = part
		default:
			return fmt.Errorf("%q is neither a method (%s) nor a path beginning with /", part, strings.Join(methods, ", "))
		}
	}
	d.method, d.path = method, path
	return nil
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// concerns tells whether the ordered faults touch r. The caller holds the lock.
func (d *Door) concerns(r *http.Request) bool {
	return (d.method == "" || d.method == r.Method) && strings.HasPrefix(r.URL.Path, d.path)
}

// takeDuration takes a leading duration such as 4s; otherwise is what stands
// when there is none, negative for "there must be one".
func takeDuration(rest []string, otherwise time.Duration) (time.Duration, []string, error) {
	if len(rest) == 0 {
		if otherwise < 0 {
			return 0, nil, fmt.Errorf("a duration is missing, such as 4s")
		}
		return otherwise, nil, nil
	}
	wait, err := time.ParseDuration(rest[0])
	if err != nil || wait < 0 {
		return 0, nil, fmt.Errorf("%q is not a duration such as 4s or 250ms", rest[0])
	}
	return wait, rest[1:], nil
}

// takeCount takes a leading number of at least 1; none means 1.
func takeCount(rest []string) (int, []string, error) {
	if len(rest) == 0 {
		return 1, nil, nil
	}
	n, err := strconv.Atoi(rest[0])
	if err != nil || n < 1 {
		return 0, nil, fmt.Errorf("%q is not a number of requests (1 or more)", rest[0])
	}
	return n, rest[1:], nil
}

func nothingLeft(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("%q is one word too many", rest[0])
	}
	return nil
}

func names() string {
	forms := make([]string, 0, len(words))
	for _, w := range words {
		forms = append(forms, w.form)
	}
	return strings.Join(forms, ", ")
}

// Nearest returns ` (did you mean "x"?)` with the known word closest to the one
// given, or nothing when none is near.
func Nearest(word string, known []string) string {
	best, least := "", len(word)/2+2
	for _, k := range known {
		if n := distance(strings.ToLower(word), strings.ToLower(k)); n < least {
			best, least = k, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is Levenshtein's: how many letters to add, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = 1 + min(last, row[j], row[j+1])
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
