// Package crossdock is the vocabulary of the hub: the records a distributor
// trades with (Order, Party, Item, Stock …), the amounts they are made of (Money,
// Quantity), and the words in which systems and the hub speak about them (Ref,
// Message, Statement, View, Attempt, Receipt, Entry, Code).
//
// It is pure: no clock, no network, no file, no randomness. Every other package
// of the hub imports it and it imports none of them.
package crossdock
