package core

import "slices"

// checks are the words of Exception.Check, sorted; docs/runbooks/exceptions.md has a
// section for each.
var checks = []string{
	"amount", "called off", "changed there", "clock", "confirmed there", "conflict", "credentials", "customer",
	"deleted", "document", "form", "internal", "item", "late cancel", "late change", "location", "look",
	"message", "project", "pull", "push", "record", "set back", "shipment", "short shipped", "site", "stock",
	"taken up", "totals", "twice",
}

// findings are the words of Finding.Check, sorted: what an order is judged by.
var findings = []string{"customer", "form", "item", "site", "stock", "test", "totals"}

// Checks returns what an exception can be about, sorted.
func Checks() []string { return slices.Clone(checks) }

// Findings returns what an order can be found wanting in, sorted.
func Findings() []string { return slices.Clone(findings) }
