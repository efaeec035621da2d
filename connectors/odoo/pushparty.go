package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// makeParties makes partners by load. Where the external id was there already, load
// wrote nothing. A partner that then differs from what is wanted is one the decision
// did not see: it stays as it is, and the receipt says what stands there.
func (p *pushing) makeParties(ctx context.Context, idx []int) {
	if p.stopped(idx) {
		return
	}
	g := &group{model: partnerModel, with: loadContext}
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
	p.changeParties(ctx, made, rows)
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

// writeParties changes partners whose key is known: one read shows what stands there
// and who is gone.
func (p *pushing) writeParties(ctx context.Context, idx []int) {
	if p.stopped(idx) {
		return
	}
	rows, err := p.c.readRows(ctx, crossdock.KindParty, p.keys(idx))
	if err != nil {
		p.failAll(idx, err)
		return
	}
	p.changeParties(ctx, idx, rows)
}

// changeParties writes what differs from the rows, one call each, and nothing to a
// partner who is as wanted. Who differs and is not what the decision saw gets
// nothing either: his receipt says what stands there.
func (p *pushing) changeParties(ctx context.Context, idx []int, rows map[string]row) {
	var same, differ, written []int
	changes := map[int]map[string]any{}
	for _, i := range idx {
		r, there := rows[p.out[i].Key]
		if !there {
			same = append(same, i) // partiesDone says that he is gone
			continue
		}
		values, err := p.partyChanges(ctx, p.batch[i].Want, r)
		switch {
		case err != nil:
			p.failAll([]int{i}, err)
		case len(values) == 0:
			same = append(same, i)
		case p.partySeen(ctx, i, r):
			differ, changes[i] = append(differ, i), values
		}
	}
	p.partiesDone(ctx, same, rows)
	for _, i := range differ {
		if p.stopped([]int{i}) {
			continue
		}
		at := []any{json.Number(p.out[i].Key)} // a key of rows, so a number
		if err := p.c.rpc.call(ctx, string(partnerModel), "write", []any{at, changes[i]}, p.c.context(nil), nil); err != nil {
			p.failAll([]int{i}, err)
			continue
		}
		written = append(written, i)
	}
	if after, ok := p.partyRows(ctx, written); ok {
		p.partiesDone(ctx, written, after)
	}
}

// partySeen reports that a partner is as the decision saw him; to any other the
// receipt is written here.
func (p *pushing) partySeen(ctx context.Context, i int, r row) bool {
	m, s, err := p.partySaid(ctx, r)
	if err != nil {
		p.failAll([]int{i}, err)
		return false
	}
	want := p.batch[i].Want
	_, change := want.Fields[wantSaw]
	fields := unseen(want, s.Said)
	if change && s.Fault == nil && len(fields) == 0 {
		return true
	}
	why := "is there, and the decision saw none"
	if change {
		why = "is not what the decision saw, in " + or(strings.Join(fields, ", "), "what can't be read")
	}
	m.Asked = p.c.now()
	meta := crossdock.Meta{metaExternal: externalID(p.batch[i].Of)}
	maps.Copy(meta, m.Meta)
	m.Meta = meta
	p.fail(i, crossdock.Errorf(crossdock.Conflict, "partner %s %s", p.out[i].Key, why))
	p.out[i].Saw = []crossdock.Message{m}
	return false
}

// partySaid makes the message of a partner's row and says what it tells.
func (p *pushing) partySaid(ctx context.Context, r row) (crossdock.Message, crossdock.Statement, error) {
	m, err := message(crossdock.KindParty, r)
	if err == nil {
		err = p.c.addRegion(ctx, r, &m)
	}
	if err != nil {
		return m, crossdock.Statement{}, err
	}
	m.From = p.c.system
	return m, translate(m), nil
}

// partyChanges returns the values to be written to a partner's row: wanted ones that
// differ, and false for those to be emptied. What the want has no value for is left
// alone otherwise: a person in Odoo may have entered it. Only a state goes with its
// country, which is another one then.
func (p *pushing) partyChanges(ctx context.Context, want crossdock.Record, r row) (map[string]any, error) {
	country, state, err := p.place(ctx, want)
	if err != nil {
		return nil, err
	}
	write, empty := partnerFields, listIn(want, wantEmpty)
	if _, change := want.Fields[wantWrite]; change {
		write = listIn(want, wantWrite)
	}
	f, values := &reader{row: r}, map[string]any{}
	for _, name := range write {
		v := want.Text(name)
		switch {
		case v == "":
		case name == "is_company":
			if firm := v == "True"; f.bool(name) != firm {
				values[name] = firm
			}
		case name == "parent_id":
			if f.ref(name) != v {
				values[name] = json.Number(v)
			}
		case name == "country_code":
			if f.str(name) != v {
				values["country_id"] = json.Number(country)
				p.setState(f, state, values)
			}
		case name == "state_code":
			p.setState(f, state, values)
		case !sameText(name, f.str(name), v):
			values[name] = v
		}
	}
	for _, name := range empty {
		switch {
		case name == "parent_id":
			if f.ref(name) != "" {
				values[name] = false
			}
		case name == "country_code":
			if f.str(name) != "" {
				values["country_id"] = false
				p.setState(f, "", values)
			}
		case name == "state_code":
			if _, set := values["state_id"]; !set {
				p.setState(f, "", values)
			}
		case f.str(name) != "":
			values[name] = false
		}
	}
	return values, f.err
}

// setState brings a partner to the state of the wanted country, "" for none.
func (p *pushing) setState(f *reader, state string, values map[string]any) {
	switch has := f.ref("state_id"); {
	case has == state:
	case state == "":
		values["state_id"] = false
	default:
		values["state_id"] = json.Number(state)
	}
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
		_, s, err := p.partySaid(ctx, r)
		if err != nil {
			p.unread([]int{i}, err)
			continue
		}
		if s.Fault != nil {
			p.fail(i, &crossdock.Error{Code: s.Fault.Code, Text: s.Fault.Text, Place: s.Fault.Place})
			continue
		}
		p.out[i].Holds, p.out[i].Says, p.out[i].Version = s.Said, s.Says, s.Version
	}
}
