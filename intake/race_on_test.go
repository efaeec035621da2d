//go:build race

package intake_test

// slow is by how much the race detector slows a loop.
const slow = 20
