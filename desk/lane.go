package desk

import "github.com/crossdockhq/crossdock"

// round is one round of turns: eight of twelve are the urgent lane's, three the
// normal one's, one is the bulk lane's. A turn is one entry. A lane with nothing
// to take gives its turns to the others, and one that has something gets one in
// every twelve entries at the latest, however few of them a batch comes to.
var round = [...]crossdock.Lane{
	crossdock.Urgent, crossdock.Urgent, crossdock.Normal, crossdock.Urgent,
	crossdock.Urgent, crossdock.Normal, crossdock.Urgent, crossdock.Urgent,
	crossdock.Bulk, crossdock.Urgent, crossdock.Normal, crossdock.Urgent,
}

// shareOf is how many of so many statements are a lane's before the others had theirs.
func shareOf(lane crossdock.Lane, statements int) int {
	turns := 0
	for _, l := range round {
		if l == lane {
			turns++
		}
	}
	return statements * turns / len(round)
}

// turn is one entry to be taken: of which lane, and where the round goes on after it.
type turn struct {
	lane crossdock.Lane
	next int
}

// lineUp says in which order entries are taken: those of one lane in their order,
// the lanes by turns, from place at in the round. costs holds for each lane the
// statements of the entries that wait in it. A lane takes no more once it has had
// its share of room, unless the others leave theirs; the last entry of a share, and
// of the room, may go beyond it.
func lineUp(costs map[crossdock.Lane][]int, at, room int) (out []turn) {
	took, used := map[crossdock.Lane]int{}, map[crossdock.Lane]int{}
	left := room
	waits := func(lane crossdock.Lane) bool { return took[lane] < len(costs[lane]) }
	within := func(lane crossdock.Lane) bool { return waits(lane) && used[lane] < shareOf(lane, room) }
	for left > 0 {
		i, ok := turnOf(at, within)
		if !ok {
			i, ok = turnOf(at, waits)
		}
		if !ok {
			return out
		}
		lane := round[i]
		cost := max(costs[lane][took[lane]], 1)
		took[lane]++
		used[lane] += cost
		left -= cost
		at = (i + 1) % len(round)
		out = append(out, turn{lane, at})
	}
	return out
}

// turnOf returns the first place in the round, from at on, whose lane may take one.
func turnOf(at int, may func(crossdock.Lane) bool) (int, bool) {
	for i := range round {
		if at := (at + i) % len(round); may(round[at]) {
			return at, true
		}
	}
	return 0, false
}
