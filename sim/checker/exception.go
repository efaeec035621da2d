package checker

import (
	"fmt"
	"slices"
	"strings"
)

// due is an exception that follows from what the world did and what became of it.
type due struct {
	checks  []string // any of them
	subject string   // the name of an order, or a SKU
	must    bool     // it has to be open; else it may be
}

// Exceptions compares the hub's list of open exceptions with what follows from the
// world: what is missing there is wrong, and so is what nobody planted.
func Exceptions(odoo Holds, s Story, open []Exception) []Wrong {
	c := judged(odoo, s)
	c.wrongs = nil
	seen := map[string]bool{}
	for _, x := range open {
		subject := subjectOf(x)
		if once := x.Check + " " + subject; seen[once] {
			c.wrong(x.Order, "the exception %q of %s is open twice: %s", x.Check, subject, x.Text)
		} else {
			seen[once] = true
		}
		if !slices.ContainsFunc(c.due, func(d due) bool { return d.subject == subject && slices.Contains(d.checks, x.Check) }) {
			c.wrong(x.Order, "nobody planted a cause for the exception %q: %s", x.Check, x.Text)
		}
	}
	missed := map[string]bool{}
	for _, d := range c.due {
		once := fmt.Sprint(d.checks, d.subject)
		if !d.must || missed[once] || slices.ContainsFunc(d.checks, func(check string) bool { return seen[check+" "+d.subject] }) {
			continue
		}
		missed[once] = true
		c.wrong(d.subject, "no exception tells a person of it: %s", strings.Join(d.checks, " or "))
	}
	return c.wrongs
}

// subjectOf returns what an exception is about: its order, or the SKU that the text
// of one about an item names; one SKU has one exception, whoever ordered it.
func subjectOf(x Exception) string {
	if x.Check != "item" {
		return x.Order
	}
	_, rest, _ := strings.Cut(x.Text, `"`)
	sku, _, _ := strings.Cut(rest, `"`)
	return sku
}

func (c *check) must(o Order, check string) {
	c.due = append(c.due, due{[]string{check}, o.Name(), true})
}

func (c *check) either(o Order, checks ...string) {
	c.due = append(c.due, due{checks, o.Name(), true})
}

func (c *check) may(o Order, check string) {
	c.due = append(c.due, due{[]string{check}, o.Name(), false})
}

// items is one exception for each SKU of an order that Odoo does not know.
func (c *check) items(o Order, must bool) {
	for _, sku := range c.unknown(o) {
		c.due = append(c.due, due{[]string{"item"}, sku, must})
	}
}
