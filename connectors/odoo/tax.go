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
func (w *orderWriter) taxes(amounts []crossdock.TaxAmount, place string) ([]string, error) {
	out := []string{}
	for i, t := range amounts {
		if t.Amount.IsZero() && !t.Rate.IsZero() {
			continue
		}
		key, err := w.tax(t)
		if err != nil {
			return nil, crossdock.At(fmt.Sprintf("%s.taxes[%d]", place, i), err)
		}
		if key != "" && !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out, nil
}

// tax finds the one Odoo tax of a channel's tax: by the configured table under
// "Title 8%", "Title" and "8%", then by its title itself. A tax of 0 that nothing
// stands for is left out.
func (w *orderWriter) tax(t crossdock.TaxAmount) (string, error) {
	rate := t.Rate.Shift(2).String() + "%"
	names := []string{strings.TrimSpace(t.Title + " " + rate), t.Title, rate}
	name, mapped := t.Title, false
	for _, n := range names {
		if to := w.cfg.Taxes[n]; n != "" && to != "" {
			name, mapped = to, true
			break
		}
	}
	refs := w.taxesNamed(name)
	switch {
	case len(refs) == 1:
		return w.checkedTax(refs[0], name)
	case len(refs) > 1:
		var all []string
		for _, r := range refs {
			all = append(all, w.known.Key(r))
		}
		return "", crossdock.Errorf(crossdock.Invalid, "several sales taxes in Odoo are named %q (ids %s): rename all but one, or set company in crossdock.yaml", name, strings.Join(all, ", "))
	case mapped:
		return "", crossdock.Errorf(crossdock.Invalid, "crossdock.yaml maps the tax %q to %q, and there is no active sales tax of that name in Odoo", names[0], name)
	case t.Amount.IsZero():
		return "", nil
	}
	return "", crossdock.Errorf(crossdock.Invalid, "no Odoo tax is known for %q: add to crossdock.yaml under taxes: %q: the name of the sales tax in Odoo", names[0], names[0])
}

// taxesNamed returns the taxes of that name that Odoo has.
func (w *orderWriter) taxesNamed(name string) []crossdock.Ref {
	if name == "" {
		return nil
	}
	var out []crossdock.Ref
	for _, r := range w.known.Named("tax:" + name) {
		if w.known.Key(r) != "" {
			out = append(out, r)
		}
	}
	return out
}

// checkedTax returns a tax's key if it reads prices as the order states them.
func (w *orderWriter) checkedTax(of crossdock.Ref, name string) (string, error) {
	r, ok := w.known.Record(of)
	if !ok {
		return w.known.Key(of), nil
	}
	var tax crossdock.Tax
	if err := r.Unpack(&tax); err != nil {
		return "", err
	}
	if tax.Included == w.order.TaxIncluded {
		return w.known.Key(of), nil
	}
	with := map[bool]string{true: "contain tax", false: "are without tax"}
	return "", crossdock.Errorf(crossdock.Invalid, "the prices of order %s %s, and the Odoo tax %q reads prices that %s: map it to a tax with the other setting of \"Included in Price\"",
		w.order.Number, with[w.order.TaxIncluded], name, with[tax.Included])
}
