package odoo

import (
	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// Project implements connector.Projector for parties and orders.
func (c *Connector) Project(r crossdock.Record, v crossdock.View, known connector.Known) (connector.Wanted, error) {
	switch r.Kind {
	case crossdock.KindParty:
		var p crossdock.Party
		if err := r.Unpack(&p); err != nil {
			return connector.Wanted{}, err
		}
		return projectParty(p, v, known), nil
	case crossdock.KindOrder:
		var o crossdock.Order
		if err := r.Unpack(&o); err != nil {
			return connector.Wanted{}, err
		}
		company, err := c.cfg.companyOf(o.Company)
		if err != nil {
			return connector.Wanted{}, err
		}
		return orderWriter{cfg: c.cfg, known: known, order: o, company: company}.project(v)
	}
	return connector.Wanted{}, crossdock.Errorf(crossdock.Refused, "Odoo is not told of the kind %q", r.Kind)
}

// sentAlready returns the want of a push that made a record, or may have, and
// whose key is not known yet. Saying exactly the same again teaches us the key:
// load with a known external id writes nothing and answers it. Were the newer
// content sent instead, the answer would look as if Odoo held that. It is written
// in the step after, to the key.
func sentAlready(v crossdock.View) (crossdock.Record, bool) {
	if v.Key != "" {
		return crossdock.Record{}, false
	}
	if v.Lost != nil && v.Lost.Push.Key == "" && !v.Lost.Push.Want.IsZero() {
		return v.Lost.Push.Want, true
	}
	for i := len(v.Open) - 1; i >= 0; i-- {
		if p := v.Open[i].Push; p.Key == "" && !p.Want.IsZero() {
			return p.Want, true
		}
	}
	return crossdock.Record{}, false
}
