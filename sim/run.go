package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/sandbox"
	"github.com/crossdockhq/crossdock/sim/checker"
)

// Report is what came of a run.
type Report struct {
	Seed      int64
	Odoo      int // its version
	Orders    int
	Confirmed int
	Kills     int
	Spoken    map[string]int // calls of Odoo by protocol: "json2" on 19, which takes the key as bearer
	Struck    map[string]int // faults of Odoo's door, by their word
	Wrong     []checker.Wrong
	Stories   map[string]string // of the orders that are wrong, by number
	Trace     []string          // everything that was done, with its time
	State     []string          // what the stand-ins hold in the end
}

// runner is one run on its way.
type runner struct {
	config   *config.Config
	land     Land
	rand     *rand.Rand // of the plan and of people
	choose   *rand.Rand // of what is done next
	w        *World
	events   []event                   // that are still to come, by time
	orders   map[string]*checker.Order // by name
	names    []string                  // of the orders, in the order they are planned
	story    checker.Story
	open     []checker.Exception // that the hub has in the end
	calm     time.Time           // since when Odoo's door has had no fault and the hub no crash
	ill      time.Time           // since when it has one; zero: it has none
	reorders bool                // webhooks are reordered in this run, and none is lost
	met      map[string]bool     // orders the hub has certainly learned the key of in Odoo
	ups      time.Time           // the hub is away until then
	log      []string            // what the world did
	report   Report
}

// Run plays one seed: it lets the world trade, people act and things fail, choosing
// what is done next by the seed, then lifts all faults, lets everything settle, and
// has the end checked. The same seed and plan give the same run. What is wrong is
// in the report; the error is of the simulation itself.
func Run(ctx context.Context, seed int64, p Plan) (Report, error) {
	dir, err := os.MkdirTemp("", "crossdock-sim-")
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a directory that stays is no reason to fail
	r, err := newRunner(ctx, seed, p, dir)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = r.w.Close() }() // nothing is read from it any more
	if err := r.play(ctx); err != nil {
		return r.report, fmt.Errorf("seed %d at %s: %w", seed, r.w.Clock.Now().Format(time.DateTime), err)
	}
	if err := r.finish(ctx); err != nil {
		return r.report, fmt.Errorf("seed %d, settling: %w", seed, err)
	}
	return r.report, nil
}

func newRunner(ctx context.Context, seed int64, p Plan, dir string) (*runner, error) {
	r := &runner{rand: sandbox.Rand(seed), choose: sandbox.Rand(^seed), orders: map[string]*checker.Order{}, met: map[string]bool{}, calm: begin}
	r.land = landOf(r.rand)
	r.report = Report{Seed: seed, Odoo: r.land.Odoo.Version, Stories: map[string]string{}}
	var err error
	if r.config, err = configOf(); err != nil {
		return nil, err
	}
	if r.w, err = New(ctx, Options{Config: r.config, Land: r.land, Seed: seed, Start: begin.Add(-time.Hour), Dir: dir, Wrap: p.Wrap}); err != nil {
		return nil, err
	}
	r.w.heard = r.deliver
	if err := r.furnished(ctx); err != nil {
		return nil, errors.Join(err, r.w.Close())
	}
	if err := r.plan(p); err != nil {
		return nil, errors.Join(err, r.w.Close())
	}
	slices.SortStableFunc(r.events, func(a, b event) int { return a.at.Compare(b.at) })
	return r, nil
}

// furnished tells the story what the land begins with, and lets the hub learn it.
func (r *runner) furnished(ctx context.Context) error {
	for _, i := range r.land.Odoo.Items {
		r.story.Items = append(r.story.Items, checker.Item{SKU: i.SKU, Stocked: !i.Service})
		for _, site := range slices.Sorted(maps.Keys(r.land.Odoo.Stock[i.SKU])) {
			r.story.Stock = append(r.story.Stock, checker.Count{At: r.w.Clock.Now(), SKU: i.SKU, Site: site, OnHand: r.land.Odoo.Stock[i.SKU][site]})
		}
	}
	if err := r.w.Settle(ctx, time.Hour); err != nil {
		return err
	}
	if r.w.Clock.Now().After(begin) {
		return errors.New("the land was not settled when the trade began")
	}
	r.w.Clock.To(begin)
	return nil
}

// hurry is how often, in a hundred, time moves on although something could be done.
const hurry = 3

// play does one thing after the other until no event is to come.
func (r *runner) play(ctx context.Context) error {
	idle := map[string]bool{}
	for step := 0; len(r.events) > 0 || r.w.House == nil; step++ {
		if step > 200_000 {
			return errors.New("it does not come to an end: something is done over and over")
		}
		works := r.works(ctx, idle)
		if len(works) == 0 || r.choose.IntN(100) < hurry {
			if err := r.wait(ctx, len(works) > 0); err != nil {
				return err
			}
			clear(idle)
			continue
		}
		work := works[r.choose.IntN(len(works))]
		house := r.w.House
		r.report.Trace = append(r.report.Trace, r.w.Clock.Now().Format("15:04:05.000 ")+work.Name)
		did, err := work.Do(ctx)
		if r.w.Crashed() {
			err = r.kill(r.pauseAfterCrash())
		}
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", work.Name, err)
		case did || r.w.House != house:
			clear(idle)
		default:
			idle[work.Name] = true
		}
	}
	return nil
}

func (r *runner) pauseAfterCrash() time.Duration {
	if r.choose.IntN(3) > 0 {
		return 0
	}
	return time.Duration(r.choose.Int64N(int64(2 * time.Minute)))
}

// works lists what can happen now: the hub's rooms and deliveries that are not
// known to be idle, the next event of the world, and the hub's coming back.
func (r *runner) works(ctx context.Context, idle map[string]bool) []Work {
	now := r.w.Clock.Now()
	works := slices.DeleteFunc(r.w.Works(), func(w Work) bool { return idle[w.Name] })
	if len(r.events) > 0 && !r.events[0].at.After(now) {
		e := r.events[0]
		works = append(works, Work{e.name, func(context.Context) (bool, error) {
			r.events = r.events[1:]
			r.say("%s", e.name)
			return true, e.do()
		}})
	}
	if r.w.House == nil && !r.ups.After(now) {
		works = append(works, Work{"the hub starts", func(ctx context.Context) (bool, error) { return true, r.w.Open(ctx) }})
	}
	return works
}

// wait moves the clock: a little, while something could be done, else to what
// comes next.
func (r *runner) wait(ctx context.Context, busy bool) error {
	now := r.w.Clock.Now()
	if busy {
		r.w.Clock.Advance(time.Duration(r.choose.Int64N(int64(3 * time.Second))))
		return nil
	}
	next, round, err := r.w.Next(ctx)
	if err != nil {
		return err
	}
	earlier(&next, round)
	if len(r.events) > 0 {
		earlier(&next, r.events[0].at)
	}
	if r.w.House == nil {
		earlier(&next, r.ups)
	}
	if !next.After(now) {
		next = now.Add(time.Millisecond)
	}
	r.w.Clock.To(next)
	return nil
}

// finish lifts all faults, lets everything come to rest and has it checked.
func (r *runner) finish(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(r.w.Doors)) {
		if err := r.w.Doors[name].Order("up"); err != nil {
			return err
		}
	}
	r.well(r.w.Clock.Now())
	r.w.crash = nil
	r.say("all faults are lifted")
	for range 20 {
		if err := r.w.Settle(ctx, 48*time.Hour); errors.Is(err, ErrUnsettled) {
			r.report.Wrong = append(r.report.Wrong, checker.Wrong{Text: "the hub does not come to rest within two days"})
			break
		} else if err != nil {
			return err
		}
		if again, err := r.retry(ctx); err != nil || !again {
			if err != nil {
				return err
			}
			break
		}
	}
	return r.judge(ctx)
}

// say notes what the world does.
func (r *runner) say(format string, a ...any) {
	r.log = append(r.log, r.w.Clock.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, a...))
}
