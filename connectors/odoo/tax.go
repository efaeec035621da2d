package odoo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// taxes returns the keys of the Odoo taxes that stand for what the channel
// computed. A tax of nothing on an amount of something means that the customer is
// exempt: no tax is set then.
func (w *orderWriter) taxes(amounts []crossdock.TaxAmount, place string) []string {
	out := []string{}
	for i, t := range amounts {
		if t.Amount.IsZero() && !t.Rate.IsZero() {
			continue
		}
		key, err := w.tax(t)
		if err != nil {
			w.fail(fmt.Sprintf("%s.taxes[%d]", place, i), err)
		}
		if key != "" && !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}

// tax finds the one Odoo tax of a channel's tax: by the configured table under
// "Title 8%", "Title" and "8%"; without an entry, the tax of the same name and
// rate. A tax of 0 that nothing stands for is left out.
func (w *orderWriter) tax(t crossdock.TaxAmount) (string, error) {
	rate := t.Rate.Shift(2).String() + "%"
	full := strings.TrimSpace(t.Title + " " + rate)
	for _, n := range []string{full, t.Title, rate} {
		if to := w.cfg.Taxes[n]; n != "" && to != "" {
			key, err := w.taxNamed(to, nil)
			if key == "" && err == nil {
				err = crossdock.About("tax:"+full, crossdock.Errorf(crossdock.Invalid, "crossdock.yaml maps the tax %q to %q, and there is no active sales tax of that name in Odoo", n, to))
			}
			return key, err
		}
	}
	for _, n := range []string{full, t.Title} {
		if key, err := w.taxNamed(n, &t.Rate); key != "" || err != nil {
			return key, err
		}
	}
	if t.Amount.IsZero() {
		return "", nil
	}
	return "", crossdock.About("tax:"+full, crossdock.Errorf(crossdock.Invalid, "no Odoo tax is known for %q: add to crossdock.yaml under taxes: %q: the name of the sales tax in Odoo", full, full))
}

// taxNamed returns the key of the one tax of that name, "" where there is none.
// With a rate, a percentage of another rate is an error.
func (w *orderWriter) taxNamed(name string, rate *crossdock.Decimal) (string, error) {
	refs := w.taxesNamed(name)
	if len(refs) == 0 {
		return "", nil
	}
	if len(refs) > 1 {
		var all []string
		for _, r := range refs {
			all = append(all, w.known.Key(r))
		}
		return "", crossdock.About("tax:"+name, crossdock.Errorf(crossdock.Invalid, "several sales taxes in Odoo are named %q (ids %s): rename all but one, or set company_id in crossdock.yaml", name, strings.Join(all, ", ")))
	}
	r, ok := w.known.Record(refs[0])
	if !ok {
		return w.known.Key(refs[0]), nil
	}
	var tax crossdock.Tax
	if err := r.Unpack(&tax); err != nil {
		return "", err
	}
	if rate != nil && !tax.Rate.IsZero() && !tax.Rate.Equal(*rate) {
		return "", crossdock.Errorf(crossdock.Invalid, "the channel computed %q with %s%% and Odoo has it with %s%%: map it to the right sales tax in crossdock.yaml under taxes", name, rate.Shift(2), tax.Rate.Shift(2))
	}
	return w.known.Key(refs[0]), w.includes(tax)
}

// taxesNamed returns the taxes of that name that Odoo has.
func (w *orderWriter) taxesNamed(name string) []crossdock.Ref {
	if name == "" {
		return nil
	}
	var out []crossdock.Ref
	for _, r := range w.known.Named("tax:" + name) {
		_, _ = w.known.Record(r) // asked for together with the key, since it is needed next
		if w.known.Key(r) != "" && w.ours(r) {
			out = append(out, r)
		}
	}
	return out
}

// includes reports a tax that reads prices otherwise than the order states them.
func (w *orderWriter) includes(tax crossdock.Tax) error {
	if tax.Included == w.order.TaxIncluded {
		return nil
	}
	with := map[bool]string{true: "contain tax", false: "are without tax"}
	return crossdock.Errorf(crossdock.Invalid, "the prices of order %s %s, and the Odoo tax %q reads prices that %s: map it to a tax with the other setting of \"Included in Price\"",
		w.order.Number, with[w.order.TaxIncluded], tax.Name, with[tax.Included])
}
