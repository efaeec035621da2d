package shopify

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	bulkAtOnce = 5 // queries of one app in one shop (shopify.dev "bulk queries", from 2026-01)
	bulkStarts = time.Second
	bulkLife   = 7 * 24 * time.Hour // of a result's URL
)

// bulk is a BulkOperation that reads. What it answers is what the shop holds when
// it is asked for; how long it takes is ordered with `bulk takes`.
type bulk struct {
	id            uint64
	query         string
	created, ends time.Time
	outcome       string // what it ends as
	code          string // of a failure; "" is null
	status        string // "" until it ends; CANCELING in between
	lines         [][]byte
	roots         int
	token         string // in the result's URL
}

// bulks are the bulk operations and what is ordered for the next.
type bulks struct {
	jobs   []*bulk
	takes  time.Duration
	faults []bulkFault
	base   string // of this server's URLs, as the last request named it
}

type bulkFault struct {
	outcome, code string
	left          int
}

func (b *bulk) gid() string { return gid("BulkOperation", b.id) }

func (b *bulk) over() bool { return b.status != "" && b.status != "CANCELING" }

func (b *bulk) show(now time.Time) string {
	switch {
	case b.over() && !now.Before(b.ends.Add(bulkLife)):
		return "EXPIRED"
	case b.status != "":
		return b.status
	case now.Before(b.created.Add(bulkStarts)):
		return "CREATED"
	}
	return "RUNNING"
}

// advance ends the bulk operations whose time has come.
func (s *Server) advance() {
	for _, b := range s.jobs {
		if b.over() || s.Clock().Before(b.ends) {
			continue
		}
		b.status = b.outcome
		s.tell("bulk_operations/finish", body{"admin_graphql_api_id": b.gid(), "type": "query", "status": strings.ToLower(b.status),
			"error_code": text(strings.ToLower(b.code)), "created_at": s.zoned(b.created), "completed_at": s.zoned(b.ends)}, b.gid(), s.uuid())
	}
}

// nextBulk is when the next bulk operation ends, if somebody is told of that.
func (s *Server) nextBulk() (ends time.Time, ok bool) {
	if !s.heard("bulk_operations/finish") {
		return ends, false
	}
	for _, b := range s.jobs {
		if !b.over() && (!ok || b.ends.Before(ends)) {
			ends, ok = b.ends, true
		}
	}
	return ends, ok
}

// runBulk is bulkOperationRunQuery.
func (s *Server) runBulk(a arguments) (*object, error) {
	refuse := func(code, message string) *object {
		return &object{typ: "BulkOperationRunQueryPayload", fields: fields{"bulkOperation": nil, "userErrors": []any{
			&object{typ: "BulkOperationUserError", fields: fields{"code": code, "field": []any{"query"}, "message": message}}}}}
	}
	going := slices.DeleteFunc(slices.Clone(s.jobs), (*bulk).over)
	if len(going) >= bulkAtOnce {
		return refuse("LIMIT_REACHED", fmt.Sprintf("%d bulk query operations are running already.", bulkAtOnce)), nil
	}
	query := fmt.Sprint(a["query"])
	op, problem := bulkQuery(query)
	if problem != "" {
		return refuse("INVALID", problem), nil
	}
	b := &bulk{id: s.later(), query: query, created: s.Clock(), outcome: "COMPLETED", token: s.secretText("result")}
	b.ends = b.created.Add(s.takes)
	reader := &bulkRun{run: run{vars: map[string]any{}, allow: s.allow}}
	reader.emit = reader.connection
	var denied *graphError
	switch err := reader.read(op, &object{typ: "QueryRoot", fields: s.queries()}); {
	case errors.As(err, &denied) && denied.code == "ACCESS_DENIED":
		b.outcome, b.code = "FAILED", "ACCESS_DENIED"
	case err != nil:
		return nil, err
	}
	b.roots = reader.roots
	for _, l := range reader.lines {
		b.lines = append(b.lines, marshal(l))
	}
	if a["groupObjects"] != true {
		s.side.Shuffle(len(b.lines), func(i, j int) { b.lines[i], b.lines[j] = b.lines[j], b.lines[i] })
	}
	s.strikeBulk(b)
	s.jobs = append(s.jobs, b)
	return &object{typ: "BulkOperationRunQueryPayload", fields: fields{"bulkOperation": s.bulkObject(b), "userErrors": []any{}}}, nil
}

// strikeBulk plays what is ordered for the next bulk operation.
func (s *Server) strikeBulk(b *bulk) {
	if len(s.bulks.faults) == 0 {
		return
	}
	f := &s.bulks.faults[0]
	b.outcome, b.code = f.outcome, f.code
	if f.left--; f.left == 0 {
		s.bulks.faults = s.bulks.faults[1:]
	}
}

// cancelBulk is bulkOperationCancel: it is CANCELING for a second.
func (s *Server) cancelBulk(a arguments) (*object, error) {
	const typ = "BulkOperationCancelPayload"
	id, err := parseGID("BulkOperation", a["id"])
	if err != nil {
		return nil, err
	}
	b := s.bulkByID(id)
	switch {
	case b == nil:
		return told(typ, "bulkOperation", "Bulk operation does not exist", "id"), nil
	case b.over():
		out := told(typ, "bulkOperation", "A bulk operation cannot be canceled when it is "+strings.ToLower(b.status), "id")
		out.fields["bulkOperation"] = s.bulkObject(b)
		return out, nil
	}
	b.status, b.outcome, b.ends = "CANCELING", "CANCELED", s.Clock().Add(bulkStarts)
	return &object{typ: typ, fields: fields{"bulkOperation": s.bulkObject(b), "userErrors": []any{}}}, nil
}

func (s *Server) bulkByID(id uint64) *bulk {
	at := slices.IndexFunc(s.jobs, func(b *bulk) bool { return b.id == id })
	if at < 0 {
		return nil
	}
	return s.jobs[at]
}

// result is what of the lines can be fetched: all when it completed, the first
// half when it failed or was canceled.
func (b *bulk) result() []byte {
	lines := b.lines
	if b.status != "COMPLETED" {
		lines = lines[:len(lines)/2]
	}
	var out []byte
	for _, l := range lines {
		out = append(append(out, l...), '\n')
	}
	return out
}

// bulkObject is a BulkOperation; nil for none. url is null for an empty result
// and for whatever did not complete.
func (s *Server) bulkObject(b *bulk) *object {
	if b == nil {
		return nil
	}
	now := s.Clock()
	f := fields{"id": b.gid(), "type": "QUERY", "status": b.show(now), "errorCode": nil, "createdAt": utc(b.created), "completedAt": nil,
		"objectCount": "0", "rootObjectCount": "0", "fileSize": nil, "url": nil, "partialDataUrl": nil, "query": b.query}
	if !b.over() {
		if took := b.ends.Sub(b.created); took > 0 && b.status == "" {
			f["objectCount"] = fmt.Sprint(int(float64(len(b.lines)) * float64(now.Sub(b.created)) / float64(took)))
		}
		return &object{typ: "BulkOperation", fields: f}
	}
	f["completedAt"], f["errorCode"] = utc(b.ends), text(b.code)
	f["objectCount"], f["rootObjectCount"] = fmt.Sprint(len(b.lines)), fmt.Sprint(b.roots)
	size := len(b.result())
	if size > 0 && f["status"] != "EXPIRED" {
		at := "url"
		if b.status != "COMPLETED" {
			at = "partialDataUrl"
		}
		f[at], f["fileSize"] = s.base+"/bulk/"+b.token+".jsonl", fmt.Sprint(size)
	}
	return &object{typ: "BulkOperation", fields: f}
}

var bulkTerms = terms[*object]{
	"status":     byText(func(o *object) string { return fmt.Sprint(o.fields["status"]) }),
	"type":       byText(func(o *object) string { return fmt.Sprint(o.fields["type"]) }),
	"created_at": byTime(func(o *object) time.Time { return read(o.fields["createdAt"]) }),
}

func read(at any) time.Time {
	t, _ := time.Parse(time.RFC3339, fmt.Sprint(at)) // the stand-in wrote it
	return t
}

func (s *Server) queryBulks(a arguments) (any, error) {
	match, err := search(a["query"], "bulk operations", bulkTerms)
	if err != nil {
		return nil, err
	}
	if a["sortKey"] != "CREATED_AT" {
		return nil, refused("NOT_IN_STAND_IN", "the stand-in does not sort bulk operations by %v", a["sortKey"])
	}
	var found []entry
	for _, b := range s.jobs {
		if o := s.bulkObject(b); match(o) {
			found = append(found, entry{fmt.Sprintf("%s/%020d", stamp(b.created), b.id), func() *object { return o }})
		}
	}
	return connection("BulkOperation", a, found)
}

// currentBulk is the app's last query.
func (s *Server) currentBulk(a arguments) (any, error) {
	if len(s.jobs) == 0 || a["type"] == "MUTATION" {
		return nil, nil
	}
	return s.bulkObject(s.jobs[len(s.jobs)-1]), nil
}

// bulkFile serves a result at its URL, without a token, for a week.
func (s *Server) bulkFile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/bulk/"), ".jsonl")
	for _, b := range s.jobs {
		if b.token == name && b.over() && s.Clock().Before(b.ends.Add(bulkLife)) && r.Method == http.MethodGet {
			s.calls["bulk file"]++
			w.Header().Set("Content-Type", "application/jsonl")
			_, _ = w.Write(b.result()) // a client that went away is not an error of ours
			return
		}
	}
	answer(w, http.StatusNotFound, map[string]any{"errors": "Not Found"})
}
