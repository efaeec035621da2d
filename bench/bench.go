// Package bench measures the hub beside floors: what the same machine does in the
// same run with the same input when nothing but the unavoidable is done. Machines
// are noisy; the ratio to the floor and the processor time of one operation are
// what is compared from one day to the next.
package bench

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/crossdockhq/crossdock"
)

// Figure is one measurement.
type Figure struct {
	Name     string  `json:"name"`
	Store    string  `json:"store"`
	Second   float64 `json:"per_second"`
	Floor    float64 `json:"floor_per_second"` // 0: there is none
	Ratio    float64 `json:"ratio"`            // of the two
	CPU      float64 `json:"cpu_us"`           // processor time of one operation, in µs, of the whole process
	P99      float64 `json:"p99_ms"`           // of one operation; 0 where operations are only done together
	N        int     `json:"n"`                // operations measured
	Asked    float64 `json:"asked_ratio,omitempty"`
	AskedP99 float64 `json:"asked_p99_ms,omitempty"`
}

// Met reports whether the figure is as good as it has to be.
func (f Figure) Met() bool {
	return (f.Asked == 0 || f.Ratio >= f.Asked) && (f.AskedP99 == 0 || f.P99 <= f.AskedP99)
}

// Options are what a measurement is given.
type Options struct {
	Dir string // an empty directory on the disk that is measured
	Say func(format string, a ...any)
}

// Bench is one measurement.
type Bench struct {
	Name string
	Doc  string // one line
	Run  func(ctx context.Context, o Options) (Figure, error)
}

// All lists the measurements.
var All = []Bench{
	{"accept", "signed 2 KB webhooks over HTTP from 64 connections, each on disk before it is answered", accept},
	{"accept-beside", "200 such webhooks a second while commits of 5,000 rows go on", acceptBeside},
	{"decide", "orders of five lines, from the journal through desk and core into the book", decide},
}

// Named returns the measurements of these names, all when there are none.
func Named(names ...string) ([]Bench, error) {
	if len(names) == 0 {
		return All, nil
	}
	var out []Bench
	for _, name := range names {
		i := slices.IndexFunc(All, func(b Bench) bool { return b.Name == name })
		if i < 0 {
			return nil, crossdock.Errorf(crossdock.Invalid, "there is no measurement %q: there are %s", name, Names())
		}
		out = append(out, All[i])
	}
	return out, nil
}

// run is one stretch of measured work.
type run struct {
	began time.Time
	cpu   time.Duration
	took  []time.Duration // of single operations
}

func begin() run { return run{began: time.Now(), cpu: used()} }

// figure ends the stretch after n operations.
func (r run) figure(n int) Figure {
	spent := time.Since(r.began)
	f := Figure{N: n, Second: float64(n) / spent.Seconds(), CPU: float64((used() - r.cpu).Microseconds()) / float64(max(n, 1))}
	if len(r.took) > 0 {
		slices.Sort(r.took)
		f.P99 = float64(r.took[len(r.took)*99/100].Microseconds()) / 1000
	}
	return f
}

// beside puts a figure beside its floor.
func (f Figure) beside(floor Figure) Figure {
	f.Floor = floor.Second
	if floor.Second > 0 {
		f.Ratio = f.Second / floor.Second
	}
	return f
}

// used returns the processor time of this process so far.
func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Names lists the measurements for help texts.
func Names() string {
	var names []string
	for _, b := range All {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}
