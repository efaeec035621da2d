package shopify

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// weather is what is ordered for the API and the app, not for single webhooks.
type weather struct {
	served  string // version answers say they are of
	lag     time.Duration
	storms  []storm
	running int // idempotent mutations still to be answered as running already
}

// storm answers the next requests with a status.
type storm struct {
	status, left int
	after        time.Duration // Retry-After; 0 for none
}

// storm answers a request instead of the API, if that is ordered.
func (s *Server) storm(w http.ResponseWriter) bool {
	if len(s.storms) == 0 {
		return false
	}
	f := &s.storms[0]
	s.calls[fmt.Sprintf("HTTP %d", f.status)]++
	if f.after > 0 {
		w.Header().Set("Retry-After", strconv.FormatFloat(f.after.Seconds(), 'f', 1, 64))
	}
	words := map[int]string{402: "Unavailable Shop", 423: "Locked", 429: "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.",
		430: "Security Rejection"}
	why := words[f.status]
	if why == "" {
		why = http.StatusText(f.status)
	}
	status := f.status
	if f.left--; f.left == 0 {
		s.storms = s.storms[1:]
	}
	answer(w, status, map[string]any{"errors": why})
	return true
}

// weatherWord is an order for the API or the app.
type weatherWord struct {
	word, form, means string
	do                func(*Server, []string) error
}

func weatherWords() []weatherWord {
	return []weatherWord{
		{"refuse", "refuse STATUS [N] [after D]", "the next N requests are answered 402, 403, 423, 429 (Retry-After D, 2s), 430 or 5xx", (*Server).orderStorm},
		{"drain", "drain [POINTS]", "the bucket of cost points holds POINTS (0) and fills again", (*Server).orderDrain},
		{"restore", "restore POINTS", "so many cost points come back a second from now on; the bucket holds 20 times as many", (*Server).orderRestore},
		{"serve", "serve VERSION", "answers say they are of another API version, with status 200; serve " + Version + " ends it", (*Server).orderVersion},
		{"lag", "lag D", "searches for orders know what happened only D later; lag 0s ends it", (*Server).orderLag},
		{"busy", "busy [N]", "the next N idempotent mutations are answered as running already, and have no effect", (*Server).orderBusy},
		{"bulk", "bulk failed|canceled [N] [CODE] · bulk takes D", "the next N bulk operations end so, a failure with an errorCode or none; or all take D (3s)", (*Server).orderBulk},
		{"unsubscribe", "unsubscribe [TOPIC]", "webhook subscriptions made over the API are gone", (*Server).orderUnsubscribe},
		{"rotate", "rotate SECRET", "the app has a new client secret, the one before is valid too", (*Server).orderRotate},
		{"sign", "sign old|new", "webhooks are signed with the secret before the last rotation, or with the new one", (*Server).orderSign},
		{"expire", "expire tokens", "access tokens of /admin/oauth/access_token end now, refresh tokens stay", (*Server).orderExpire},
		{"token", "token revoke|restore", "the fixed access token is valid no more, or again", (*Server).orderToken},
		{"scopes", "scopes all|HANDLE …", "the app has these access scopes only", (*Server).orderScopes},
	}
}

// count reads an optional number of at least 1; none is 1.
func count(rest []string) (int, []string, error) {
	if len(rest) == 0 {
		return 1, rest, nil
	}
	n, err := strconv.Atoi(rest[0])
	if err != nil {
		return 1, rest, nil //nolint:nilerr // it is another word, which the caller reads
	}
	if n < 1 {
		return 0, nil, fmt.Errorf("%d is no number of times (1 or more)", n)
	}
	return n, rest[1:], nil
}

func tooMany(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("%q doesn't belong here", rest[0])
	}
	return nil
}

func duration(rest []string) (time.Duration, error) {
	if len(rest) != 1 {
		return 0, fmt.Errorf("one duration belongs here, such as 30s")
	}
	d, err := time.ParseDuration(rest[0])
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as 30s", rest[0])
	}
	return d, nil
}

func points(rest []string, least int) (int, error) {
	if len(rest) != 1 {
		return 0, fmt.Errorf("one number of points belongs here")
	}
	n, err := strconv.Atoi(rest[0])
	if err != nil || n < least {
		return 0, fmt.Errorf("%q is no number of points (%d or more)", rest[0], least)
	}
	return n, nil
}

func (s *Server) orderStorm(rest []string) error {
	if len(rest) == 0 {
		return fmt.Errorf("with which status? 429, 430, 423")
	}
	f := storm{}
	var err error
	f.status, err = strconv.Atoi(rest[0])
	if err != nil || !(slices.Contains([]int{402, 403, 423, 429, 430}, f.status) || (f.status >= 500 && f.status < 600)) {
		return fmt.Errorf("%q is none of 402, 403, 423, 429, 430 and 5xx", rest[0])
	}
	if f.left, rest, err = count(rest[1:]); err != nil {
		return err
	}
	if f.status == http.StatusTooManyRequests {
		f.after = 2 * time.Second
	}
	if len(rest) > 0 && rest[0] == "after" {
		if f.after, err = duration(rest[1:]); err != nil {
			return err
		}
		rest = nil
	}
	if err := tooMany(rest); err != nil {
		return err
	}
	s.storms = append(s.storms, f)
	return nil
}

func (s *Server) orderDrain(rest []string) error {
	n := 0
	if len(rest) > 0 {
		var err error
		if n, err = points(rest, 0); err != nil {
			return err
		}
	}
	s.refill()
	s.bucket.level = min(s.size(), float64(n))
	return nil
}

func (s *Server) orderRestore(rest []string) error {
	n, err := points(rest, 1)
	if err != nil {
		return err
	}
	s.refill()
	s.Restore = n
	s.bucket.level = min(s.bucket.level, s.size())
	return nil
}

var versionForm = regexp.MustCompile(`^(\d{4}-\d{2}|unstable)$`)

func (s *Server) orderVersion(rest []string) error {
	if len(rest) != 1 || !versionForm.MatchString(rest[0]) {
		return fmt.Errorf("one version belongs here, such as 2026-10")
	}
	s.served = rest[0]
	return nil
}

func (s *Server) orderLag(rest []string) (err error) {
	d, err := duration(rest)
	if err == nil {
		s.lag = d
	}
	return err
}

func (s *Server) orderBusy(rest []string) error {
	n, rest, err := count(rest)
	if err == nil {
		err = tooMany(rest)
	}
	if err == nil {
		s.running = n
	}
	return err
}

func (s *Server) orderBulk(rest []string) error {
	if len(rest) == 0 {
		return fmt.Errorf("bulk what? bulk failed, bulk canceled, bulk takes D")
	}
	if rest[0] == "takes" {
		d, err := duration(rest[1:])
		if err == nil {
			s.takes = d
		}
		return err
	}
	f := bulkFault{outcome: strings.ToUpper(rest[0])}
	if f.outcome != "FAILED" && f.outcome != "CANCELED" {
		return fmt.Errorf("a bulk operation takes D, or ends failed or canceled, not %q", rest[0])
	}
	var err error
	if f.left, rest, err = count(rest[1:]); err != nil {
		return err
	}
	if f.outcome == "FAILED" && len(rest) > 0 {
		if f.code = rest[0]; schema().Types["BulkOperationErrorCode"].EnumValues.ForName(f.code) == nil {
			return fmt.Errorf("%q is none of ACCESS_DENIED, INTERNAL_SERVER_ERROR, TIMEOUT", f.code)
		}
		rest = rest[1:]
	}
	if err := tooMany(rest); err != nil {
		return err
	}
	s.bulks.faults = append(s.bulks.faults, f)
	return nil
}

func (s *Server) orderUnsubscribe(rest []string) error {
	if len(rest) > 1 || (len(rest) == 1 && !slices.Contains(Topics(), rest[0])) {
		return fmt.Errorf("one topic belongs here, or none; the topics are %s", list(Topics()))
	}
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(one *subscription) bool { return len(rest) == 0 || one.topic == enumTopic(rest[0]) })
	return nil
}

func (s *Server) orderRotate(rest []string) error {
	if len(rest) != 1 {
		return fmt.Errorf("one new secret belongs here")
	}
	s.former, s.Secret = s.Secret, rest[0]
	return nil
}

func (s *Server) orderSign(rest []string) error {
	if len(rest) != 1 || (rest[0] != "old" && rest[0] != "new") {
		return fmt.Errorf("sign old, or sign new")
	}
	s.signOld = rest[0] == "old"
	return nil
}

func (s *Server) orderExpire(rest []string) error {
	if len(rest) != 1 || rest[0] != "tokens" {
		return fmt.Errorf("expire tokens")
	}
	for _, g := range s.access {
		g.ends = s.Clock()
	}
	return nil
}

func (s *Server) orderToken(rest []string) error {
	if len(rest) != 1 || (rest[0] != "revoke" && rest[0] != "restore") {
		return fmt.Errorf("token revoke, or token restore")
	}
	s.revoked = rest[0] == "revoke"
	return nil
}

func (s *Server) orderScopes(rest []string) error {
	if len(rest) == 0 {
		return fmt.Errorf("which? scopes all, or scopes read_orders write_inventory")
	}
	if len(rest) == 1 && rest[0] == "all" {
		s.Scopes = nil
		return nil
	}
	s.Scopes = slices.Clone(rest)
	return nil
}
