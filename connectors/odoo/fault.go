package odoo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// rpcError is the error of a JSON-RPC answer. Odoo 16 to 18 give code 200 for
// every exception, 19 gives 0; 100 is an expired session. The class in data.name
// is what tells them apart (recorded).
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"data"`
}

// cause is what lies under a *crossdock.Error of this package: the class of
// Odoo's exception and how long it asks to wait.
type cause struct {
	class  string
	after  time.Duration
	column bool // Odoo does not know a field or a column: no record is to blame
	err    error
}

func (c *cause) Error() string {
	if c.err != nil {
		return c.class + ": " + c.err.Error()
	}
	return c.class
}

func (c *cause) Unwrap() error { return c.err }

// fail makes the error of a call.
func fail(code crossdock.Code, c *cause, format string, a ...any) error {
	return &crossdock.Error{Code: code, Text: fmt.Sprintf(format, a...), Err: c}
}

// afterOf returns how long the target asked to wait, 0 if it did not.
func afterOf(err error) time.Duration {
	var c *cause
	if errors.As(err, &c) {
		return c.after
	}
	return 0
}

const (
	accessDenied   = "odoo.exceptions.AccessDenied"
	sessionExpired = "odoo.http.SessionExpiredException"
	notLetIn       = "werkzeug.exceptions.Unauthorized" // JSON-2: the key is none, or not any more
	notThere       = "werkzeug.exceptions.NotFound"     // JSON-2: no such model, no such method
)

// signedOut reports an error that a fresh sign-in may cure.
func signedOut(err error) bool {
	var c *cause
	return errors.As(err, &c) && (c.class == accessDenied || c.class == sessionExpired || c.class == notLetIn)
}

// className is the form of an exception's class. Anything else is not shown.
var className = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]{0,120}$`)

// pushed returns the words the call was to write.
func (r request) pushed() []string { return pushedWords(r.method, r.args) }

// fault gives an exception its code. Odoo rolls its transaction back on every
// exception, so a call that ends in one did nothing, except where PostgreSQL
// itself went away: then the commit may have passed.
func (e *rpcError) fault(r request) error {
	said, class := or(e.Data.Message, e.Message), e.Data.Name
	if !className.MatchString(class) {
		class = "an exception without a class"
	}
	text := veil(said, r.pushed())
	c := &cause{class: class, column: class == "builtins.KeyError" || strings.Contains(said, "Invalid field")}
	switch {
	case e.Code == 100 || class == sessionExpired:
		return fail(crossdock.Unauthorized, &cause{class: sessionExpired}, "Odoo does not know the session any more (%s)", r.what)
	case class == accessDenied || class == notLetIn:
		return fail(crossdock.Unauthorized, c, "Odoo denies access to the configured user (%s): make a new API key and set it", r.what)
	case class == "odoo.exceptions.AccessError":
		return fail(accessCode(said), c, "Odoo does not allow %s: %s", r.what, text)
	case class == "odoo.exceptions.MissingError" && strings.Contains(said, r.model+"("):
		return fail(crossdock.Gone, c, "%s: %s", r.what, text)
	case class == "odoo.exceptions.MissingError": // something it refers to: a product, an address
		return fail(crossdock.Invalid, c, "%s refers to what Odoo does not have: %s", r.what, text)
	case class == notThere && strings.HasPrefix(said, "the model "), class == "odoo.exceptions.UserError" || class == "odoo.exceptions.RedirectWarning":
		return fail(crossdock.Refused, c, "Odoo refuses %s: %s", r.what, text)
	case class == "odoo.exceptions.ValidationError":
		return fail(crossdock.Invalid, c, "Odoo finds fault in %s: %s", r.what, text)
	case strings.HasPrefix(class, "psycopg2.") || strings.Contains(said, "psycopg2.errors."):
		return fail(databaseCode(r, class, said), c, "Odoo's database, at %s: %s", r.what, text)
	}
	return fail(crossdock.Internal, c, "%s failed inside Odoo with %s: %s", r.what, class, text)
}

// accessCode tells a right the user lacks, which stops everything, from a single
// record he may not touch (record rules, another company: both worded as "top-secret
// records" or "security restrictions", recorded).
func accessCode(text string) crossdock.Code {
	for _, s := range []string{"top-secret", "security restrictions", "multi-company", "stumbled upon"} {
		if strings.Contains(text, s) {
			return crossdock.Refused
		}
	}
	return crossdock.Unauthorized
}

// databaseCode sorts what PostgreSQL says through Odoo.
func databaseCode(r request, class, text string) crossdock.Code {
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(class, p) || strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case strings.Contains(text, "FATAL") && strings.Contains(text, "does not exist"):
		return crossdock.Unauthorized // the configured database; the connection is no use until that is mended
	case has("SerializationFailure", "could not serialize", "DeadlockDetected", "LockNotAvailable", "TransactionRollback", "QueryCanceled"):
		return crossdock.Unavailable // rolled back after Odoo's own five tries
	case has("UniqueViolation", "NotNullViolation", "CheckViolation", "ForeignKeyViolation", "IntegrityError", "InvalidTextRepresentation", "InFailedSqlTransaction", "NumericValueOutOfRange", "StringDataRightTruncation"):
		return crossdock.Invalid
	case has("PoolError", "connection to server", "too many", "starting up"):
		return crossdock.Unavailable // it never had a connection
	}
	return r.lost()
}

// lost is the code of a call whose answer did not come or can't be read.
func (r request) lost() crossdock.Code {
	if r.writes {
		return crossdock.Ambiguous
	}
	return crossdock.Unavailable
}

func lost(r request, why string, err error) error {
	text := "Odoo, " + r.what + ": " + why
	if err != nil {
		text += " (" + err.Error() + ")"
	}
	return fail(r.lost(), &cause{class: "transport", err: err}, "%s", text)
}

// fault gives a transport error its code: Unavailable when it is certain that not
// one byte left, Ambiguous for a write otherwise.
func (w *wire) fault(r request, err error) error {
	var op *net.OpError
	unsent := w.asked.Load() && !w.got.Load() || errors.As(err, &op) && op.Op == "dial"
	if unsent {
		return fail(crossdock.Unavailable, &cause{class: "transport", err: err}, "Odoo can't be reached, %s was not sent: %s", r.what, err)
	}
	why := "no answer came"
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		why = "no answer came in time"
	}
	return lost(r, why, err)
}

// statusFault gives an HTTP status its code. Odoo itself answers 200 to nearly
// everything; other statuses come from what stands before it. 503 says that nothing
// was begun; every other 5xx may hide a commit: a proxy answers 502 as well when the
// worker that had the request died after committing it.
func statusFault(r request, resp *http.Response) error {
	c := &cause{class: "http " + strconv.Itoa(resp.StatusCode), after: retryAfter(resp)}
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		return fail(crossdock.Throttled, c, "Odoo's server takes no more calls for now (HTTP 429 to %s)", r.what)
	case s == http.StatusServiceUnavailable:
		return fail(crossdock.Unavailable, c, "Odoo is away (HTTP 503 to %s)", r.what)
	case s >= 500 || s == http.StatusRequestTimeout:
		if !r.writes {
			return fail(crossdock.Unavailable, c, "Odoo is away (HTTP %d to %s)", s, r.what)
		}
		return fail(crossdock.Ambiguous, c, "HTTP %d to %s: it may or may not have been done", s, r.what)
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return fail(crossdock.Unauthorized, c, "the server before Odoo asks for credentials (HTTP %d to %s)", s, r.what)
	case s >= 300 && s < 400:
		return fail(crossdock.Unauthorized, c, "the configured url redirects to %s: set that address", resp.Header.Get("Location"))
	case s == http.StatusNotFound:
		return fail(crossdock.Unauthorized, c, "HTTP 404: there is no Odoo at the configured url, or it has no such database, or its external API is switched off")
	default:
		return fail(crossdock.Refused, c, "HTTP %d to %s", s, r.what)
	}
}

// retryAfter reads Retry-After in seconds; a date is measured from the answer's own Date.
func retryAfter(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return min(time.Duration(n)*time.Second, time.Hour)
	}
	until, err1 := http.ParseTime(v)
	from, err2 := http.ParseTime(resp.Header.Get("Date"))
	if err1 != nil || err2 != nil || until.Before(from) {
		return 0
	}
	return min(until.Sub(from), time.Hour)
}
