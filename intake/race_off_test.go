//go:build !race

package intake_test

// slow is by how much the race detector slows a loop: it is not there.
const slow = 1
