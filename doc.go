// Package crossdock is the vocabulary of the hub: the records a distributor's
// systems speak of (orders, parties, items, stock, documents), the amounts in
// them, and the entries, statements and receipts by which the hub learns of
// them. It imports nothing of ours, reads no clock and touches no network or
// disk, so that every other package can agree on the same words.
package crossdock
