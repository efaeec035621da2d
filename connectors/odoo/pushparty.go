package odoo

import (
	"context"
	"encoding/json"

	"github.com/crossdockhq/crossdock"
)

// makeParties makes partners by load. Where the external id was there already,
// load wrote nothing: what then differs is written, so that the partner is as wanted
// either way.
func (p *pushing) makeParties(ctx context.Context, idx []int) {
	if p.stopped(idx) {
		return
	}
	g := &group{model: partnerModel}
	for _, i := range idx {
		columns, cells, err := p.partyRow(ctx, p.batch[i])
		if err != nil {
			p.failAll([]int{i}, err)
			continue
		}
		g.add(i, columns, [][]string{cells})
	}
	made := p.load(ctx, g)
	rows, ok := p.partyRows(ctx, made)
	if !ok {
		return
	}
	var stale, fine []int
	for _, i := range made {
		if r, there := rows[p.out[i].Key]; there && !partyAgrees(r, p.batch[i].Want) {
			stale = append(stale, i)
			continue
		}
		fine = append(fine, i)
	}
	p.partiesDone(ctx, fine, rows)
	p.writeParties(ctx, stale)
}

// partyRow returns the columns and cells of a new partner.
func (p *pushing) partyRow(ctx context.Context, b crossdock.Push) (columns, cells []string, err error) {
	columns, cells = []string{"id"}, []string{externalID(b.Of)}
	add := func(column, cell string) {
		columns, cells = append(columns, column), append(cells, cell)
	}
	country, state, err := p.place(ctx, b.Want)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range partnerFields {
		v := b.Want.Text(name)
		switch {
		case v == "":
		case name == "parent_id":
			add("parent_id/.id", v)
		case name == "country_code":
			add("country_id/.id", country)
		case name == "state_code":
			if state != "" {
				add("state_id/.id", state)
			}
		default:
			add(name, v)
		}
	}
	return columns, cells, nil
}

// place resolves the country and the state of a wanted partner. A state Odoo does
// not know is left out; a country it does not know is an error.
func (p *pushing) place(ctx context.Context, want crossdock.Record) (country, state string, err error) {
	code := want.Text("country_code")
	if code == "" {
		return "", "", nil
	}
	if country, err = p.c.country(ctx, code); err != nil {
		return "", "", err
	}
	if region := want.Text("state_code"); region != "" {
		state, err = p.c.state(ctx, country, region)
	}
	return country, state, err
}

// writeParties writes partners whose key is known, one call each. The values are
// absolute: what the want lacks is emptied.
func (p *pushing) writeParties(ctx context.Context, idx []int) {
	var written []int
	for _, i := range idx {
		if p.stopped([]int{i}) {
			continue
		}
		values, err := p.partyValues(ctx, p.batch[i].Want)
		if err != nil {
			p.failAll([]int{i}, err)
			continue
		}
		n, err := ids([]string{p.out[i].Key})
		if err != nil {
			p.fail(i, err)
			continue
		}
		if err := p.c.rpc.call(ctx, string(partnerModel), "write", []any{n, values}, p.c.context(nil), nil); err != nil {
			p.failAll([]int{i}, err)
			continue
		}
		written = append(written, i)
	}
	if rows, ok := p.partyRows(ctx, written); ok {
		p.partiesDone(ctx, written, rows)
	}
}

func (p *pushing) partyValues(ctx context.Context, want crossdock.Record) (map[string]any, error) {
	country, state, err := p.place(ctx, want)
	if err != nil {
		return nil, err
	}
	reference := func(key string) any {
		if key == "" {
			return false
		}
		return json.Number(key)
	}
	parent := want.Text("parent_id")
	values := map[string]any{"country_id": reference(country), "state_id": reference(state), "parent_id": reference(parent)}
	for _, name := range partnerFields {
		v := want.Text(name)
		switch name {
		case "parent_id", "country_code", "state_code":
		case "is_company":
			values[name] = v == "True"
		case "vat":
			if parent == "" { // an address has its customer's, which must not be emptied
				values[name] = textOrFalse(v)
			}
		default:
			values[name] = textOrFalse(v)
		}
	}
	return values, nil
}

func textOrFalse(s string) any {
	if s == "" {
		return false
	}
	return s
}

// partyRows reads partners that were written; ok is false when that failed, which
// their receipts then say.
func (p *pushing) partyRows(ctx context.Context, idx []int) (rows map[string]row, ok bool) {
	if len(idx) == 0 {
		return nil, false
	}
	rows, err := p.c.readRows(ctx, crossdock.KindParty, p.keys(idx))
	if err != nil {
		p.unread(idx, err)
		return nil, false
	}
	return rows, true
}

func (p *pushing) partiesDone(ctx context.Context, idx []int, rows map[string]row) {
	for _, i := range idx {
		r, there := rows[p.out[i].Key]
		if !there {
			p.fail(i, crossdock.Errorf(crossdock.Gone, "partner %s was deleted in Odoo", p.out[i].Key))
			continue
		}
		m, err := message(crossdock.KindParty, r)
		if err == nil {
			err = p.c.addRegion(ctx, r, &m)
		}
		if err != nil {
			p.unread([]int{i}, err)
			continue
		}
		m.From = p.c.system
		s := translate(m)
		if s.Fault != nil {
			p.fail(i, &crossdock.Error{Code: s.Fault.Code, Text: s.Fault.Text, Place: s.Fault.Place})
			continue
		}
		p.out[i].Holds, p.out[i].Says, p.out[i].Version = s.Said, s.Says, s.Version
	}
}

// partyAgrees compares the fields that Odoo keeps as they are written; it formats
// telephone and tax numbers in its own way.
func partyAgrees(r row, want crossdock.Record) bool {
	for _, name := range []string{"name", "email", "street", "street2", "city", "zip", "type"} {
		if has, err := r.text(name); err != nil || has != want.Text(name) {
			return false
		}
	}
	return true
}
