package desk

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crossdockhq/crossdock"
)

// taken writes turns as letters: u, n, b.
func taken(turns []turn) string {
	var b strings.Builder
	for _, t := range turns {
		b.WriteByte(t.lane[0])
	}
	return b.String()
}

func TestLanesTakeTurns(t *testing.T) {
	ones := func(n int) []int { return slices.Repeat([]int{1}, n) }
	for _, c := range []struct {
		name                 string
		urgent, normal, bulk []int
		at, room             int
		want                 string
	}{
		{"nothing waits", nil, nil, nil, 0, 24, ""},
		{"all are full", ones(99), ones(99), ones(99), 0, 12, "uunuunuubunu"},
		{"two rounds", ones(99), ones(99), ones(99), 0, 24, "uunuunuubunuuunuunuubunu"},
		{"a round goes on where it was cut", ones(99), ones(99), ones(99), 8, 12, "bunuuunuunuu"},
		{"what an empty lane leaves goes by turns, too", nil, ones(99), ones(99), 0, 12, "nnbnnnbnnnbn"},
		{"only bulk", nil, nil, ones(99), 3, 6, "bbbbbb"},
		{"a lane runs dry", ones(2), nil, ones(99), 0, 6, "uubbbb"},
		{"messages that say nothing cost one", []int{0, 0}, nil, []int{0}, 0, 2, "uu"},
		{"a large slice is its lane's share", ones(99), ones(99), []int{8, 8}, 8, 24, "bunuuunuunuuunuuu"},
		{"two large slices alone", nil, nil, []int{500, 500, 500}, 0, 1000, "bb"},
		{"a large slice beside few", ones(3), nil, []int{500, 500, 500}, 0, 1000, "uuubb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := taken(lineUp(map[crossdock.Lane][]int{crossdock.Urgent: c.urgent, crossdock.Normal: c.normal, crossdock.Bulk: c.bulk}, c.at, c.room))
			if got != c.want {
				t.Errorf("taken %q, want %q", got, c.want)
			}
		})
	}
}

// Whatever waits in the lanes, whatever it costs, and wherever batches are cut, a
// lane that has something is taken from within as many batches as a round has turns.
func TestNoLaneStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		waiting := map[crossdock.Lane][]int{}
		cost := rapid.SampledFrom([]int{0, 1, 1, 1, 2, 7, 100, 500})
		at, idle := 0, map[crossdock.Lane]int{}
		for range rapid.IntRange(1, 60).Draw(t, "batches") {
			for _, lane := range crossdock.Lanes {
				waiting[lane] = append(waiting[lane], rapid.SliceOfN(cost, 0, 5).Draw(t, "arrive in "+string(lane))...)
			}
			turns := lineUp(waiting, at, mostStatements)
			had := map[crossdock.Lane]bool{}
			for _, lane := range crossdock.Lanes {
				had[lane] = len(waiting[lane]) > 0
			}
			if cut := rapid.IntRange(1, 4).Draw(t, "cut"); cut < len(turns) { // the clock said so
				turns = turns[:cut]
			}
			took, spent := map[crossdock.Lane]int{}, 0
			for i, turn := range turns {
				if spent >= mostStatements {
					t.Fatalf("turn %d is beyond the room of a batch", i)
				}
				spent += max(waiting[turn.lane][0], 1)
				waiting[turn.lane] = waiting[turn.lane][1:]
				took[turn.lane]++
				at = turn.next
			}
			for _, lane := range crossdock.Lanes {
				if idle[lane]++; took[lane] > 0 || !had[lane] {
					idle[lane] = 0
				}
				if idle[lane] >= len(round) {
					t.Fatalf("lane %s waits for %d batches", lane, idle[lane])
				}
			}
			if len(turns) == 0 && (had[crossdock.Urgent] || had[crossdock.Normal] || had[crossdock.Bulk]) {
				t.Fatal("something waits and nothing was taken")
			}
		}
	})
}
