package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/intake"
	shop "github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim"
	"github.com/crossdockhq/crossdock/store"
	"github.com/crossdockhq/crossdock/store/sqlite"

	shopify "github.com/crossdockhq/crossdock/connectors/shopify"
)

const (
	acceptConnections = 64
	acceptN           = 40_000
	bodySize          = 2 << 10
)

// webhooks returns signed requests of 2 KB, no two alike.
func webhooks(ctx context.Context, n int) ([][]byte, error) {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		var lines strings.Builder
		for lines.Len() < bodySize-300 {
			fmt.Fprintf(&lines, `{"id":%d,"sku":"SKU-%03d","quantity":%d,"price":"%d.%02d"},`, r.Uint64()>>12, r.IntN(900), r.IntN(20), r.IntN(500), r.IntN(100))
		}
		body := fmt.Sprintf(`{"admin_graphql_api_id":"gid://shopify/Order/%d","updated_at":"2026-11-02T10:00:00Z","line_items":[%s{}],"note":"%s"}`, i+1, lines.String(), strings.Repeat("x", max(0, bodySize-lines.Len()-110)))
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1"+intake.Prefix+"shop", strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		for name, value := range map[string]string{
			"X-Shopify-Hmac-Sha256": shop.Sign(sim.Secret, []byte(body)), "X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": "shop.myshopify.com",
			"X-Shopify-API-Version": shop.Version, "X-Shopify-Webhook-Id": fmt.Sprint(i), "X-Shopify-Event-Id": fmt.Sprint(i), "Content-Type": "application/json",
		} {
			request.Header.Set(name, value)
		}
		if out[i], err = bytesOf(request); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// door is the hub's door over a store, with nothing behind it.
func door(s store.Store) (*intake.Receive, error) {
	conn, err := shopify.Type.Open(&shopify.Config{Shop: "shop.myshopify.com", Token: sim.Token, Secret: sim.Secret}, connector.Env{System: "shop", Now: time.Now})
	if err != nil {
		return nil, err
	}
	return &intake.Receive{Journal: s.Journal(), Connectors: map[crossdock.System]connector.Connector{"shop": conn}, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, nil
}

func accept(ctx context.Context, o Options) (f Figure, err error) {
	requests, err := webhooks(ctx, acceptN)
	if err != nil {
		return f, err
	}
	kept, err := newSlab(filepath.Join(o.Dir, "slab"), acceptN*(bodySize+1024))
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, kept.file.Close()) }()
	s, err := sqlite.Open(filepath.Join(o.Dir, "accept"), sqlite.Options{})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	in, err := door(s)
	if err != nil {
		return f, err
	}
	// Hub and floor take turns, so that a machine that is slow for a while is slow for both.
	const turns = 4
	var hub, floor Figure
	for i := range turns {
		some := requests[i*acceptN/turns : (i+1)*acceptN/turns]
		a, err := accepting(ctx, bare(sim.Secret, kept), some)
		if err != nil {
			return f, fmt.Errorf("the floor: %w", err)
		}
		b, err := accepting(ctx, in, some)
		if err != nil {
			return f, err
		}
		floor, hub = average(floor, a, i), average(hub, b, i)
	}
	if n := in.Counts.Filed.Load(); n != acceptN {
		return f, fmt.Errorf("%d of %d webhooks were filed", n, acceptN)
	}
	f = hub.beside(floor)
	f.Store, f.N, f.Asked = "sqlite", acceptN, 0.5
	return f, nil
}

// average takes one more turn into a running mean of i turns; p99 is the worst.
func average(sum, turn Figure, i int) Figure {
	mean := func(a, b float64) float64 { return (a*float64(i) + b) / float64(i+1) }
	return Figure{Second: mean(sum.Second, turn.Second), CPU: mean(sum.CPU, turn.CPU), P99: max(sum.P99, turn.P99)}
}

// accepting measures how fast a handler takes requests.
func accepting(ctx context.Context, handler http.Handler, requests [][]byte) (Figure, error) {
	address, stop, err := serve(handler)
	if err != nil {
		return Figure{}, err
	}
	defer stop()
	r := begin()
	r.took, err = post(ctx, address, acceptConnections, requests)
	return r.figure(len(requests)), err
}

// acceptBeside paces webhooks while a book beside them is given large commits.
func acceptBeside(ctx context.Context, o Options) (f Figure, err error) {
	const n, aSecond, workers = 2000, 200, 8
	requests, err := webhooks(ctx, n)
	if err != nil {
		return f, err
	}
	s, err := sqlite.Open(filepath.Join(o.Dir, "beside"), sqlite.Options{})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	in, err := door(s)
	if err != nil {
		return f, err
	}
	address, stop, err := serve(in)
	if err != nil {
		return f, err
	}
	defer stop()
	inside, end := context.WithCancel(ctx)
	commits, failed := 0, make(chan error, 1)
	go func() {
		n, err := commit(inside, s.Book())
		commits = n
		failed <- err
	}()
	r := begin()
	r.took = make([]time.Duration, n)
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			from, to := w*n/workers, (w+1)*n/workers
			errs[w] = postAll(ctx, address, requests[from:to], r.took[from:to], func(i int) time.Time {
				return r.began.Add(time.Duration(i*workers+w) * time.Second / aSecond)
			})
		}()
	}
	group.Wait()
	f = r.figure(n)
	end()
	if err := errors.Join(append(errs, <-failed)...); err != nil {
		return f, err
	}
	if commits < 3 {
		return f, fmt.Errorf("only %d commits went on meanwhile: that shows nothing", commits)
	}
	o.Say("accept-beside: %d commits of 5,000 rows went on meanwhile", commits)
	f.Store, f.AskedP99 = "sqlite", 25
	return f, nil
}

// commit writes 5,000 rows at a time until the context ends.
func commit(ctx context.Context, b store.Book) (done int, err error) {
	pos, err := b.Claim(ctx)
	if err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		to := pos
		to.Seq++
		to.At = time.Now()
		c := store.Commit{From: pos, To: to, Entries: []store.Taken{{Seq: to.Seq, At: to.At, Lane: crossdock.Normal, Arrival: to.Seq, Kind: "message"}}}
		for i := range 5000 {
			r := &core.Record{Of: crossdock.BookRef(crossdock.KindItem, fmt.Sprintf("%d-%d", done%10, i)), Rev: int64(done),
				Body: crossdock.Record{Kind: crossdock.KindItem, Form: 1, Fields: map[string]json.RawMessage{"name": json.RawMessage(fmt.Sprintf("%q", strings.Repeat("thing ", 30)))}}}
			c.Changes = append(c.Changes, core.Change{At: r.Address(), Row: r})
		}
		if err := b.Commit(context.WithoutCancel(ctx), c); err != nil {
			return done, err
		}
		pos = to
		done++
	}
	return done, nil
}
