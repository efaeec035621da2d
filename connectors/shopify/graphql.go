package shopify

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// The documents the connector sends, each with its fragments: Admin GraphQL
// schema 2026-07. They ask for what Translate reads and no more, because a field
// of a customer that nobody reads need not leave the shop.
var (
	//go:embed query/ping.graphql
	pingQuery string
	//go:embed query/order.graphql
	orderPart string
	//go:embed query/lines.graphql
	linesPart string
	//go:embed query/line.graphql
	linePart string

	orderQuery = orderPart + linePart
	linesQuery = linesPart + linePart
)

// answerCap bounds an answer in bytes; the largest the documents allow is far below.
const answerCap = 16 << 20

// api is the client of the Admin GraphQL API.
type api struct {
	endpoint, token string
	http            *http.Client
}

type answer struct {
	data    node
	version string // the version that answered, whatever was asked for
}

// ask sends one document and returns its data. Everything it sends is a read, so
// an answer that did not come is Unavailable, never Ambiguous. Any error in the
// answer refuses the whole of it: where Shopify denies a field it still sends the
// rest, and the gap would read as an empty field.
func (a api) ask(ctx context.Context, document string, variables map[string]any) (answer, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return answer{}, crossdock.Errorf(crossdock.Internal, "can't write the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint, bytes.NewReader(body))
	if err != nil {
		return answer{}, crossdock.Errorf(crossdock.Internal, "can't make a request to %s: %w", a.endpoint, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Shopify-Access-Token", a.token)
	resp, err := a.http.Do(req)
	if err != nil {
		return answer{}, crossdock.Errorf(crossdock.Unavailable, "no answer of the shop: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerCap+1))
	if resp.StatusCode != http.StatusOK {
		return answer{}, refused(resp, raw)
	}
	switch {
	case err != nil:
		return answer{}, crossdock.Errorf(crossdock.Unavailable, "the answer of %s broke off: %w", a.endpoint, err)
	case len(raw) > answerCap:
		return answer{}, crossdock.Errorf(crossdock.Internal, "the answer of %s is larger than %d bytes", a.endpoint, answerCap)
	}
	n, err := parse(raw)
	if err != nil {
		return answer{}, crossdock.Errorf(crossdock.Unavailable, "%s answered 200 and no JSON: something else than Shopify stands there", a.endpoint)
	}
	if err := failed(n, resp.Header); err != nil {
		return answer{}, err
	}
	return answer{data: node{value: n.at("data").value}, version: resp.Header.Get("X-Shopify-API-Version")}, nil
}

// statuses says what an HTTP status of the Admin API means for us (shopify.dev
// "Response and status codes"). A whole shop that is closed to us pauses the
// connection: no record could be mended.
var statuses = map[int]struct {
	code crossdock.Code
	text string
}{
	http.StatusUnauthorized:         {crossdock.Unauthorized, "the access token is not valid: give the connection a new one"},
	http.StatusPaymentRequired:      {crossdock.Unauthorized, "the shop is frozen until its owner has paid Shopify"},
	http.StatusForbidden:            {crossdock.Unauthorized, "the app may not do this: give it the scope read_orders, or approve its access to customers"},
	http.StatusNotFound:             {crossdock.Unauthorized, "there is no shop at this address: correct shop or url of the connection"},
	http.StatusLocked:               {crossdock.Unauthorized, "Shopify has locked the shop: ask its support"},
	430:                             {crossdock.Unauthorized, "Shopify refuses requests from this address for security reasons"},
	http.StatusTooManyRequests:      {crossdock.Throttled, "too many requests"},
	http.StatusRequestTimeout:       {crossdock.Unavailable, "the shop gave up waiting for the request"},
	http.StatusBadRequest:           {crossdock.Internal, "Shopify does not understand the request"},
	http.StatusUnsupportedMediaType: {crossdock.Internal, "Shopify does not understand the request"},
}

// refused makes an error of an answer that is not 200.
func refused(resp *http.Response, raw []byte) error {
	kind, ok := statuses[resp.StatusCode]
	switch {
	case resp.StatusCode/100 == 3:
		kind.code, kind.text = crossdock.Unauthorized, "the shop has moved: correct shop or url of the connection"
	case !ok && resp.StatusCode >= http.StatusInternalServerError:
		kind.code, kind.text = crossdock.Unavailable, "the shop is away"
	case !ok:
		kind.code, kind.text = crossdock.Internal, "an answer this connector does not know"
	}
	said := ""
	if n, err := parse(raw); err == nil {
		said = n.at("errors").text() // a string with 401, 402, 404
	}
	e := &crossdock.Error{Code: kind.code, Text: told("HTTP "+strconv.Itoa(resp.StatusCode)+": "+kind.text, said, resp.Header)}
	if kind.code == crossdock.Throttled {
		seconds, err := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
		if err != nil {
			seconds = 1
		}
		e.Err = Wait(bounded(seconds))
	}
	return e
}

// codes says what errors[].extensions.code means for us, the gravest first.
var codes = []struct {
	name string
	code crossdock.Code
}{
	{"ACCESS_DENIED", crossdock.Unauthorized},
	{"UNAUTHORIZED", crossdock.Unauthorized},
	{"SHOP_INACTIVE", crossdock.Unauthorized},
	{"THROTTLED", crossdock.Throttled},
	{"INTERNAL_SERVER_ERROR", crossdock.Unavailable},
	{"SERVICE_UNAVAILABLE", crossdock.Unavailable},
	{"TIMEOUT", crossdock.Unavailable},
}

// failed makes an error of the top-level errors of an answer, nil where there are
// none. A code that is not listed (MAX_COST_EXCEEDED, BAD_REQUEST, a field the
// served version does not have) means that our document is wrong.
func failed(n node, h http.Header) error {
	list := n.at("errors")
	if list.isNull() {
		if n.at("data").isNull() {
			return crossdock.Errorf(crossdock.Unavailable, "the answer has neither data nor errors")
		}
		return nil
	}
	said := map[string]string{}
	var first string
	for _, e := range list.items() {
		code := e.at("extensions").at("code").text()
		if said[code] == "" {
			said[code] = e.at("message").text()
		}
		if first == "" {
			first = e.at("message").text() + " " + code
		}
	}
	for _, c := range codes {
		text, ok := said[c.name]
		if !ok {
			continue
		}
		e := &crossdock.Error{Code: c.code, Text: told(c.name, text, h)}
		if c.code == crossdock.Throttled {
			e.Err = Wait(refill(n.at("extensions").at("cost")))
		}
		return e
	}
	return &crossdock.Error{Code: crossdock.Internal, Text: told("Shopify refused the connector's own query", either(first, list.text()), h)}
}

// Wait is how long Shopify asks to wait. It is in the chain of every error with
// code Throttled, where errors.As finds it by its method After.
type Wait time.Duration

// Error says it in words.
func (w Wait) Error() string { return "wait " + time.Duration(w).String() }

// After returns the time to wait.
func (w Wait) After() time.Duration { return time.Duration(w) }

// refill is how long the bucket takes to hold what the query asks: points missing
// over points restored a second (extensions.cost, shopify.dev "API limits").
func refill(cost node) time.Duration {
	number := func(n node) float64 {
		f, err := strconv.ParseFloat(n.text(), 64)
		if err != nil {
			return 0
		}
		return f
	}
	bucket := cost.at("throttleStatus")
	rate := number(bucket.at("restoreRate"))
	if rate <= 0 {
		return time.Second
	}
	return bounded((number(cost.at("requestedQueryCost")) - number(bucket.at("currentlyAvailable"))) / rate)
}

// bounded turns seconds into a wait of a tenth of a second to two minutes.
func bounded(seconds float64) time.Duration {
	return time.Duration(math.Ceil(min(max(seconds, 0.1), 120)*10)) * (time.Second / 10)
}

// told joins what we say, what Shopify says and the id its support asks for.
func told(what, said string, h http.Header) string {
	if said = strings.TrimSpace(said); said != "" {
		if len(said) > 300 {
			said = strings.ToValidUTF8(said[:300], "") + "…"
		}
		what += " (" + said + ")"
	}
	if id := h.Get("X-Request-Id"); id != "" {
		what += ", request " + id
	}
	return what
}
