package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
)

// lookups are what Odoo hardly ever changes. What an answer lacks is never kept: see
// whole, coded and lookAnew.
type lookups struct {
	countries  table                // by ISO code
	states     map[string]*table    // by country's id
	regions    map[string]string    // state's id → code
	pricelists map[priceList]string // → id
	currencies map[string]string    // company's id → its currency
	delivery   []string             // which of ofDelivery there are; nil: not asked yet
	warehouses map[string]string    // type of transfer → warehouse
}

// priceList is what a price list is looked for by: Odoo lets one name stand for a
// list in each currency, and in each company.
type priceList struct{ company, name, currency string }

// cached returns what get finds in the lookups, after fill where it is not there
// yet. Two callers may fill at once; they read the same.
func cached[T any](c *Connector, get func(*lookups) (T, bool), fill func() (func(*lookups), error)) (T, error) {
	c.mu.Lock()
	v, ok := get(&c.found)
	c.mu.Unlock()
	if ok {
		return v, nil
	}
	put, err := fill()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	put(&c.found)
	v, _ = get(&c.found)
	return v, nil
}

// table is what codes stand for, as it was read.
type table struct {
	of   map[string]string // code → id
	read time.Time
}

// lookAnew is how long a name that was not found is taken to be in no table; then the
// table is read again.
const lookAnew = time.Minute

// coded returns the id a code stands for in a table of the lookups, "" for none. The
// table is read where there is none yet and, at most once in lookAnew, where it lacks
// the code: Odoo may have it now, or what stands before Odoo may have answered for it.
func (c *Connector) coded(code string, of func(*lookups) *table, read func() (map[string]string, error)) (string, error) {
	c.mu.Lock()
	t := *of(&c.found)
	c.mu.Unlock()
	if id := t.of[code]; id != "" || t.of != nil && c.now().Before(t.read.Add(lookAnew)) {
		return id, nil
	}
	m, err := read()
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	*of(&c.found) = table{m, c.now()}
	c.mu.Unlock()
	return m[code], nil
}

// codes reads the records of a model as code → id.
func (c *Connector) codes(ctx context.Context, model, field string, domain []any) (map[string]string, error) {
	rows, err := c.searchRows(ctx, model, domain, []string{field}, nil)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, r := range rows {
		f := &reader{row: r}
		if code, id := f.str(field), f.ref("id"); f.err == nil && code != "" {
			out[code] = id
		}
	}
	return out, nil
}

// country returns the id of a country by its ISO code. An Odoo without a country is
// none: its own setup makes them.
func (c *Connector) country(ctx context.Context, code string) (string, error) {
	id, err := c.coded(code, func(l *lookups) *table { return &l.countries }, func() (map[string]string, error) {
		m, err := c.codes(ctx, "res.country", "code", nil)
		if err == nil && len(m) == 0 {
			err = lost(requestOf("res.country", "search_read", nil), "the answer has no country at all", nil)
		}
		return m, err
	})
	if err != nil || id != "" {
		return id, err
	}
	return "", crossdock.At("country_code", crossdock.About("country:"+code, crossdock.Errorf(crossdock.Invalid, "Odoo has no country with the code %q: add it there, or correct the address", code)))
}

// state returns the id of a country's state; "" where Odoo has no such state,
// which is so for most countries.
func (c *Connector) state(ctx context.Context, country, code string) (string, error) {
	of := func(l *lookups) *table {
		if l.states == nil {
			l.states = map[string]*table{}
		}
		if l.states[country] == nil {
			l.states[country] = new(table)
		}
		return l.states[country]
	}
	return c.coded(code, of, func() (map[string]string, error) {
		n, err := ids([]string{country})
		if err != nil {
			return nil, err
		}
		return c.codes(ctx, "res.country.state", "code", []any{[]any{"country_id", "=", n[0]}})
	})
}

// addRegion puts the code of a partner's state into the message: the row has only
// its name.
func (c *Connector) addRegion(ctx context.Context, r row, m *crossdock.Message) error {
	id, err := r.id("state_id")
	if err != nil || id == "" {
		return err
	}
	code, err := cached(c, func(l *lookups) (string, bool) { s, ok := l.regions[id]; return s, ok },
		func() (func(*lookups), error) {
			n, err := ids([]string{id})
			if err != nil {
				return nil, err
			}
			m, err := c.codes(ctx, "res.country.state", "code", []any{[]any{"id", "=", n[0]}})
			if err == nil && len(m) != 1 {
				err = lost(requestOf("res.country.state", "search_read", nil), "the answer lacks the code of state "+id, nil)
			}
			code := ""
			for k := range m {
				code = k
			}
			return func(l *lookups) {
				l.regions = maps.Clone(l.regions)
				if l.regions == nil {
					l.regions = map[string]string{}
				}
				l.regions[id] = code
			}, err
		})
	if err != nil || code == "" {
		return err
	}
	if m.Meta == nil {
		m.Meta = crossdock.Meta{}
	}
	m.Meta[metaRegion] = code
	return nil
}

// pricelist returns the id of the one price list of that name and currency which the
// company may use: its own, or one of all companies. A list
// in another currency would turn the order's amounts into that one: it is not taken.
func (c *Connector) pricelist(ctx context.Context, of priceList) (string, error) {
	name, currency := of.name, of.currency
	return cached(c, func(l *lookups) (string, bool) { s, ok := l.pricelists[of]; return s, ok },
		func() (func(*lookups), error) {
			rows, err := c.searchRows(ctx, "product.pricelist", []any{[]any{"name", "=", name}, []any{"active", "=", true}}, []string{"currency_id"}, only(of.company))
			if err != nil {
				return nil, err
			}
			got, others := map[string]bool{}, map[string]bool{}
			for _, r := range rows {
				f := &reader{row: r}
				switch in, id := f.name("currency_id"), f.ref("id"); {
				case f.err != nil:
					return nil, crossdock.At("pricelist", f.err)
				case in == currency:
					got[id] = true
				default:
					others[in] = true
				}
			}
			all := slices.Sorted(maps.Keys(got))
			unfit := func(err error) error {
				return crossdock.At("pricelist", crossdock.About("price list:"+name+" in "+currency, err))
			}
			switch len(all) {
			case 0:
				if len(others) > 0 {
					return nil, unfit(crossdock.Errorf(crossdock.Invalid, "the price list %q in Odoo is in %s, the order in %s: make one in %[3]s, or mend pricelists in crossdock.yaml",
						name, strings.Join(slices.Sorted(maps.Keys(others)), ", "), currency))
				}
				return nil, unfit(crossdock.Errorf(crossdock.Invalid, "Odoo has no price list %q in %s: make it, or mend pricelists in crossdock.yaml", name, currency))
			case 1:
				return func(l *lookups) {
					l.pricelists = maps.Clone(l.pricelists)
					if l.pricelists == nil {
						l.pricelists = map[priceList]string{}
					}
					l.pricelists[of] = all[0]
				}, nil
			}
			return nil, unfit(crossdock.Errorf(crossdock.Invalid, "Odoo has several price lists %q in %s (ids %s): rename all but one", name, currency, strings.Join(all, ", ")))
		})
}

// only returns the keyword arguments of a search in one company alone, in the scope
// of the connection for "".
func only(company string) map[string]any {
	if company == "" {
		return nil
	}
	return map[string]any{"context": map[string]any{"allowed_company_ids": []json.Number{json.Number(company)}, "active_test": false}}
}

// companyCurrency returns the currency of a company, which is that of its orders
// without a price list; "" is the one company of the connection.
func (c *Connector) companyCurrency(ctx context.Context, company string) (string, error) {
	if company == "" {
		s, err := c.rpc.session(ctx)
		if err != nil {
			return "", err
		}
		company = s.companies[0].String()
	}
	return cached(c, func(l *lookups) (string, bool) { s, ok := l.currencies[company]; return s, ok },
		func() (func(*lookups), error) {
			rows, err := c.searchRows(ctx, "res.company", []any{[]any{"id", "=", json.Number(company)}}, []string{"currency_id"}, nil)
			if err != nil {
				return nil, err
			}
			if len(rows) != 1 {
				return nil, crossdock.At("company_id", crossdock.Errorf(crossdock.Unauthorized, "the user may not see company %s: allow it, or mend company_id or companies in crossdock.yaml", company))
			}
			currency, err := rows[0].label("currency_id")
			if err == nil && currency == "" {
				err = lost(requestOf("res.company", "search_read", nil), "the answer lacks the currency of company "+company, nil)
			}
			return func(l *lookups) {
				l.currencies = maps.Clone(l.currencies)
				if l.currencies == nil {
					l.currencies = map[string]string{}
				}
				l.currencies[company] = currency
			}, err
		})
}
