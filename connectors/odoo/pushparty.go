package odoo

import (
	"context"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/crossdockhq/crossdock"
)

// makeParties makes partners by load. Where the external id was there already,
// load wrote nothing: what then differs is written, so that the partner is as wanted
// either way.
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
// partner who is as wanted.
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
		default:
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

// partyChanges returns the wanted values that differ from a partner's row. What the
// want has no value for is left alone: a person in Odoo may have entered it. Only a
// state goes with its country, which is another one then.
func (p *pushing) partyChanges(ctx context.Context, want crossdock.Record, r row) (map[string]any, error) {
	country, state, err := p.place(ctx, want)
	if err != nil {
		return nil, err
	}
	f, values := &reader{row: r}, map[string]any{}
	for _, name := range partnerFields {
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
				if state == "" && f.ref("state_id") != "" {
					values["state_id"] = false
				}
			}
		case name == "state_code":
			if state != "" && f.ref("state_id") != state {
				values["state_id"] = json.Number(state)
			}
		case !sameText(name, f.str(name), v):
			values[name] = v
		}
	}
	return values, f.err
}

// sameText compares what stands in Odoo with what is wanted. Odoo formats telephone
// and tax numbers in its own way.
func sameText(name, has, want string) bool {
	if name != "phone" && name != "vat" {
		return has == want
	}
	return bare(has) == bare(want)
}

// bare leaves the letters, digits and the plus of a number.
func bare(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '+' || unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToUpper(c)
		}
		return -1
	}, s)
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
