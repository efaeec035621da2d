package odoo

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// sheet is what load is given: columns, and for each record its rows. A record's
// further lines are rows whose header cells are empty. An empty cell is an explicit
// "none" and no default (recorded), so a column is there only where every record
// has it: records are grouped by their columns.
type sheet struct {
	model   crossdock.Kind
	with    map[string]any // context
	columns []string
	rows    map[int][][]string // by place in the batch
	idx     []int
}

// group puts records with the same columns on one sheet, in the order of the batch.
type group struct {
	model  crossdock.Kind
	with   map[string]any // context
	sheets []*sheet
}

func (g *group) add(i int, columns []string, rows [][]string) {
	at := slices.IndexFunc(g.sheets, func(s *sheet) bool { return slices.Equal(s.columns, columns) })
	if at < 0 {
		at = len(g.sheets)
		g.sheets = append(g.sheets, &sheet{model: g.model, with: g.with, columns: columns, rows: map[int][][]string{}})
	}
	s := g.sheets[at]
	s.rows[i] = rows
	s.idx = append(s.idx, i)
}

// loadContext makes a repeated load write nothing (noupdate), spares the log of
// tracked fields, and has dates read as UTC: load reads them in the user's zone.
var loadContext = map[string]any{"mode": "update", "noupdate": true, "tracking_disable": true, "tz": "UTC"}

// load makes the records of every sheet and returns those that are there now;
// their receipts have the key.
func (p *pushing) load(ctx context.Context, g *group) []int {
	var made []int
	for _, s := range g.sheets {
		for _, idx := range chunks(s.idx, p.c.cfg.Batch) {
			made = append(made, p.loadSome(ctx, s, idx)...)
		}
	}
	slices.Sort(made)
	return made
}

// loaded is what load answers: ids in the order of the records, or false with
// messages that name each bad record. It is all or nothing.
type loaded struct {
	IDs      json.RawMessage `json:"ids"`
	Messages []struct {
		Type    string `json:"type"`
		Record  *int   `json:"record"`
		Message string `json:"message"`
	} `json:"messages"`
}

func (p *pushing) loadSome(ctx context.Context, s *sheet, idx []int) []int {
	if p.stopped(idx) {
		return nil
	}
	var data [][]string
	for _, i := range idx {
		data = append(data, s.rows[i]...)
	}
	var answer loaded
	err := p.c.rpc.call(ctx, string(s.model), "load", []any{s.columns, data}, p.c.context(s.with), &answer)
	if err != nil {
		if halve(err) && len(idx) > 1 {
			return p.loadHalves(ctx, s, idx)
		}
		p.failAll(idx, err)
		return nil
	}
	var got []json.Number
	if json.Unmarshal(answer.IDs, &got) == nil && len(got) == len(idx) {
		for n, i := range idx {
			p.out[i].Key = got[n].String()
		}
		return idx
	}
	return p.loadRest(ctx, s, idx, answer)
}

func (p *pushing) loadHalves(ctx context.Context, s *sheet, idx []int) []int {
	half := len(idx) / 2
	return append(p.loadSome(ctx, s, idx[:half:half]), p.loadSome(ctx, s, idx[half:])...)
}

// loadRest fails the records that the messages name and loads the others again.
// Where no message names one, the batch is halved down to the bad record.
func (p *pushing) loadRest(ctx context.Context, s *sheet, idx []int, answer loaded) []int {
	bad := map[int][]string{}
	var loose []string
	for _, m := range answer.Messages {
		text := m.Message
		switch {
		case raced(m.Message):
			p.failAll(idx, fail(crossdock.Unavailable, &cause{class: "load"}, "Odoo made none of these records, because somebody else was writing the same: %s", veil(text, nil)))
			return nil
		case m.Type != "error":
		case m.Record == nil || *m.Record < 0 || *m.Record >= len(idx):
			loose = append(loose, text)
		default:
			bad[*m.Record] = append(bad[*m.Record], text)
		}
	}
	if len(bad) == 0 {
		if len(idx) > 1 {
			return p.loadHalves(ctx, s, idx)
		}
		bad[0] = loose
	}
	var rest []int
	for n, i := range idx {
		if texts, ok := bad[n]; ok {
			p.fail(i, loadFault(s, i, texts))
			continue
		}
		rest = append(rest, i)
	}
	return p.loadSome(ctx, s, rest)
}

// raced reports that another transaction was making the same record: the loser of
// two loads gets this, and finds the winner's record the next time (recorded).
func raced(text string) bool {
	return strings.Contains(text, "could not serialize access") ||
		strings.Contains(text, "ir_model_data") && strings.Contains(text, "duplicate key")
}

// loadFault is the outcome of the record at place i of the batch.
func loadFault(s *sheet, i int, texts []string) error {
	said := strings.Join(slices.Compact(texts), "; ")
	code := crossdock.Invalid
	switch {
	case accessCode(said) == crossdock.Refused:
		code = crossdock.Refused
	case strings.Contains(said, "You are not allowed to"): // a right the user lacks, for any record
		code = crossdock.Unauthorized
	}
	pushed := pushedWords("load", []any{s.columns, s.rows[i]})
	shown := make([]string, 0, len(texts))
	for _, t := range texts {
		shown = append(shown, veil(t, pushed))
	}
	return fail(code, &cause{class: "load"}, "Odoo does not take the %s: %s", s.model, or(shorten(strings.Join(slices.Compact(shown), "; ")), "it gave no reason"))
}
