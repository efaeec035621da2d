package sim_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/crossdockhq/crossdock/sim"
)

var (
	only  = flag.Int64("seed", 0, "play this seed alone")
	first = flag.Int64("first", 1, "the first seed of TestSeeds")
	seeds = flag.Int64("seeds", 50, "how many seeds TestSeeds plays")
	rough = flag.Int("rough", 1, "so many times as much happens to each seed of TestSeeds: more orders, faults and crashes")
)

// TestSeeds plays seeded runs with faults and crashes and has an independent
// checker judge each from outside.
func TestSeeds(t *testing.T) {
	from, n := *first, *seeds
	if *only != 0 {
		from, n = *only, 1
	}
	for seed := from; seed < from+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r, err := sim.Run(t.Context(), seed, plan())
			if err != nil {
				t.Errorf("%v\nreplay: go test ./sim -run TestSeeds -seed %d -rough %d -v", err, seed, *rough)
			}
			for _, w := range r.Wrong {
				t.Errorf("seed %d: %s", seed, w)
			}
			for _, story := range r.Stories {
				t.Log(story)
			}
			if len(r.Wrong) > 0 {
				t.Errorf("replay: go test ./sim -run TestSeeds -seed %d -rough %d -v", seed, *rough)
			}
			if said := map[bool]string{true: "json2", false: "jsonrpc"}[r.Odoo == 19]; r.Spoken[said] == 0 || len(r.Spoken) != 1 {
				t.Errorf("Odoo %d was spoken with in %v", r.Odoo, r.Spoken)
			}
			t.Logf("Odoo %d: %d orders, %d confirmed, %d steps, %d kills, faults %v", r.Odoo, r.Orders, r.Confirmed, len(r.Trace), r.Kills, r.Struck)
		})
	}
}

func plan() sim.Plan {
	p := sim.Usual
	p.Orders, p.Faults, p.Crashes = p.Orders**rough, p.Faults**rough, p.Crashes**rough
	return p
}

// TestTheSameSeedIsTheSameRun plays a seed twice and compares everything that was
// done and everything the stand-ins hold.
func TestTheSameSeedIsTheSameRun(t *testing.T) {
	for _, seed := range []int64{3, 4} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			one, err := sim.Run(t.Context(), seed, sim.Usual)
			if err != nil {
				t.Fatal(err)
			}
			two, err := sim.Run(t.Context(), seed, sim.Usual)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "step", one.Trace, two.Trace)
			same(t, "row", one.State, two.State)
			if len(one.Trace) < 1000 || len(one.State) < 20 {
				t.Errorf("%d steps and %d rows are too few to compare anything", len(one.Trace), len(one.State))
			}
		})
	}
}

func same(t *testing.T, what string, a, b []string) {
	t.Helper()
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s %d: %s\nthe second time: %s", what, i, a[i], b[i])
		}
	}
	if !slices.Equal(a, b) {
		t.Fatalf("%d %ss, %d the second time", len(a), what, len(b))
	}
}
