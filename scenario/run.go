package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/crossdockhq/crossdock/sim"
)

// Options say how a scenario is run.
type Options struct {
	Permute bool // every order and repetition of the messages of one instant
	Kill    bool // the hub is killed after each entry in turn
	// Live opens the Odoo side of each run: a running scratch database instead of the
	// stand-in. nil: the stand-in.
	Live func(ctx context.Context) (*Live, error)
}

// Failure is an expectation that did not hold, or a step that could not be done.
type Failure struct {
	Run  string `json:"run"` // which variant
	Line string `json:"line"`
	Text string `json:"text"`
}

// Result is what came of a scenario.
type Result struct {
	Name     string         `json:"name"`
	Shows    string         `json:"shows"`
	Runs     int            `json:"runs"`
	Calls    int            `json:"odoo_calls"` // the hub made to Odoo in the first run
	Spoken   map[string]int `json:"-"`          // those calls by protocol, where Odoo is the stand-in
	Failures []Failure      `json:"failures"`
	Took     time.Duration  `json:"-"`
	Seconds  float64        `json:"seconds"` // Took
}

// line names a line of the scenario's file.
func (s *Scenario) line(n int) string { return fmt.Sprintf("%s.txtar:%d", s.Name, n) }

// variant is one way to run a scenario.
type variant struct {
	name    string
	steps   []Step
	rest    bool           // the hub comes to rest after each message of one instant
	killAt  int64          // the hub is killed once it has decided this entry; 0: never
	entries int64          // how many entries the run had; set by it
	calls   int            // how many calls the hub made to Odoo; set by it
	spoken  map[string]int // by protocol; set by it
}

// Run runs a scenario in all its variants; a fourth failure of one is not looked for.
func Run(ctx context.Context, s *Scenario, o Options) (Result, error) {
	res := Result{Name: s.Name, Shows: s.Shows, Failures: []Failure{}}
	began := time.Now()
	variants := []*variant{{name: "as written", steps: s.Steps}}
	if o.Permute {
		variants = append(variants, permuted(s.Steps)...)
	}
	for i := 0; i < len(variants) && len(res.Failures) < 4; i++ {
		v := variants[i]
		failures, err := s.once(ctx, v, o)
		if err != nil {
			return res, fmt.Errorf("%s (%s): %w", s.Name, v.name, err)
		}
		res.Runs++
		res.Failures = append(res.Failures, failures...)
		if i == 0 {
			res.Calls, res.Spoken = v.calls, v.spoken
		}
		if o.Kill && i == 0 {
			for n := int64(1); n <= v.entries; n++ {
				variants = append(variants, &variant{name: fmt.Sprintf("killed after entry %d", n), steps: s.Steps, killAt: n})
			}
		}
	}
	res.Took = time.Since(began)
	res.Seconds = res.Took.Seconds()
	return res, nil
}

// permuted returns the variants of the messages that are sent at one instant.
func permuted(steps []Step) []*variant {
	var out []*variant
	for from := 0; from < len(steps); {
		to := from + 1
		for to < len(steps) && isSend(steps[from]) && isSend(steps[to]) && steps[to].After == 0 && steps[to].At == steps[from].At {
			to++
		}
		if to-from > 1 {
			for _, group := range arrangements(steps[from:to]) {
				all := append(append(append([]Step{}, steps[:from]...), group.steps...), steps[to:]...)
				out = append(out, &variant{name: group.name, steps: all}, &variant{name: group.name + ", at rest between them", steps: all, rest: true})
			}
		}
		from = to
	}
	return out
}

func isSend(st Step) bool { return len(st.Words) > 0 && st.Words[0] == "send" }

type arrangement struct {
	name  string
	steps []Step
}

// arrangements returns every order of the steps, and every order of them with one repeated.
func arrangements(steps []Step) []arrangement {
	var out []arrangement
	seen := map[string]bool{}
	var place func(done, left []Step)
	place = func(done, left []Step) {
		if len(left) == 0 {
			name := "order"
			for _, st := range done {
				name += fmt.Sprint(" ", st.Line)
			}
			if !seen[name] {
				seen[name] = true
				out = append(out, arrangement{name, done})
			}
			return
		}
		for i := range left {
			rest := append(append([]Step{}, left[:i]...), left[i+1:]...)
			place(append(append([]Step{}, done...), left[i]), rest)
		}
	}
	place(nil, steps)
	for i := range steps {
		place(nil, append(append([]Step{}, steps...), steps[i]))
	}
	return out
}

// run is one run of a scenario.
type run struct {
	s      *Scenario
	v      *variant
	w      *sim.World
	fails  []Failure
	killed bool
	was    map[int]bool // of Expect: never lines that did not hold
}

func (s *Scenario) once(ctx context.Context, v *variant, o Options) (_ []Failure, err error) {
	dir, err := os.MkdirTemp("", "crossdock-scenario-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	opts := sim.Options{Config: s.Config, Land: s.Land, Seed: 1, Start: day.Add(firstAt(v.steps) - toKnow), Dir: dir}
	if o.Live != nil {
		if err := s.live(ctx, &opts, o); err != nil {
			return nil, err
		}
	}
	w, err := sim.New(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	r := &run{s: s, v: v, w: w}
	if o.Live == nil { // each look at a running Odoo is a call; there the lines of steps have to do
		w.After = r.afterEach
	}
	err = w.Settle(ctx, toKnow) // what is there is known before anything happens
	if errors.Is(err, sim.ErrUnsettled) {
		return []Failure{{Run: v.name, Line: "before the first step", Text: err.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	w.Clock.To(day.Add(firstAt(v.steps)))
	if err := r.steps(ctx); err != nil {
		return nil, err
	}
	r.never(ctx)
	for _, x := range s.Expect {
		if !x.Never {
			r.check(ctx, x)
		}
	}
	pos, err := w.Store.Book().Position(ctx)
	v.entries = pos.Seq
	if w.ERP != nil {
		for _, n := range w.ERP.Calls() {
			v.calls += n
		}
	}
	if w.Odoo != nil {
		v.spoken = w.Odoo.Spoken()
	}
	return r.fails, err
}

// toKnow is how long the hub has to learn what is there before the first step: time
// passes while it does, and the steps must not begin late.
const toKnow = time.Hour

// afterEach checks what must never be, after everything that happens, and kills
// the hub when its time has come.
func (r *run) afterEach(ctx context.Context) error {
	r.never(ctx)
	if r.v.killAt > 0 && !r.killed {
		return r.killOnce(ctx)
	}
	return nil
}

// never checks what must not be at any moment; what was is told once.
func (r *run) never(ctx context.Context) {
	for i, x := range r.s.Expect {
		if !x.Never || r.was[i] {
			continue
		}
		before := len(r.fails)
		r.check(ctx, x)
		if len(r.fails) > before {
			if r.was == nil {
				r.was = map[int]bool{}
			}
			r.was[i] = true
		}
	}
}

// killOnce kills the hub and starts it again once the entry was decided.
func (r *run) killOnce(ctx context.Context) error {
	pos, err := r.w.Store.Book().Position(ctx)
	if err != nil || pos.Seq < r.v.killAt {
		return err
	}
	r.killed = true
	if err := r.w.Kill(); err != nil {
		return err
	}
	return r.w.Open(ctx)
}

func firstAt(steps []Step) time.Duration {
	if len(steps) > 0 && steps[0].At > 0 {
		return steps[0].At
	}
	return 10 * time.Hour
}

func (r *run) steps(ctx context.Context) error {
	for _, st := range r.v.steps {
		at := r.w.Clock.Now().Add(st.After)
		if st.After == 0 && st.At > 0 {
			at = day.Add(st.At)
		}
		if at.After(r.w.Clock.Now()) {
			if err := r.w.Pass(ctx, at); err != nil {
				return fmt.Errorf("before the step in line %d: %w", st.Line, err)
			}
		}
		if err := r.step(ctx, st); err != nil {
			return fmt.Errorf("step in line %d: %w", st.Line, err)
		}
		r.never(ctx)
	}
	return nil
}

func (r *run) step(ctx context.Context, st Step) error {
	if st.Who == "settle" {
		limit := 48 * time.Hour
		if len(st.Words) == 1 {
			var err error
			if limit, err = time.ParseDuration(st.Words[0]); err != nil {
				return err
			}
		}
		err := r.w.Settle(ctx, limit)
		if errors.Is(err, sim.ErrUnsettled) {
			r.fails = append(r.fails, Failure{Run: r.v.name, Line: r.s.line(st.Line) + " settle", Text: err.Error()})
			return nil
		}
		return err
	}
	if err := Act(ctx, r.w, st.Who, st.Words, r.s.Files); err != nil {
		return err
	}
	if r.v.rest {
		_, err := r.w.Quiesce(ctx)
		return err
	}
	return nil
}

func (r *run) check(ctx context.Context, x Expectation) {
	if err := holds(ctx, r.w, x); err != nil {
		line := x.Who
		for _, word := range x.Words {
			line += " " + word
		}
		r.fails = append(r.fails, Failure{Run: r.v.name, Line: r.s.line(x.Line) + " " + line, Text: err.Error()})
	}
}
