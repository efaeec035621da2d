package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock/connector"
	odooconn "github.com/crossdockhq/crossdock/connectors/odoo"
	shopifyconn "github.com/crossdockhq/crossdock/connectors/shopify"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim"
)

const (
	killSeed   = 7
	killOrders = 80
	kills      = 6
)

// victim is the binary people run, serving, and how it is started again.
type victim struct {
	t      *testing.T
	binary string
	config string
	url    string
	run    *exec.Cmd
	said   bytes.Buffer
	ended  chan error
}

func (v *victim) start() {
	v.t.Helper()
	v.run = exec.Command(v.binary, "serve", "--config", v.config)
	v.run.Env = append(os.Environ(), "SHOPIFY_TOKEN="+sim.Token, "SHOPIFY_SECRET="+sim.Secret, "ODOO_KEY="+sim.Password)
	v.run.Stdout, v.run.Stderr = io.Discard, &v.said
	v.run.WaitDelay = time.Second
	if err := v.run.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.ended = make(chan error, 1)
	go func() { v.ended <- v.run.Wait() }()
	v.within(20*time.Second, "the hub to answer", func() bool {
		resp, err := http.Get(v.url + "/healthz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
}

// stop sends the process a signal and waits for its end.
func (v *victim) stop(signal os.Signal) {
	v.t.Helper()
	if err := v.run.Process.Signal(signal); err != nil {
		v.t.Fatalf("it had ended by itself: %v\n%s", err, v.said.String())
	}
	select {
	case <-v.ended:
	case <-time.After(30 * time.Second):
		_ = v.run.Process.Kill()
		v.t.Fatalf("it did not end on %s", signal)
	}
}

func (v *victim) within(limit time.Duration, what string, is func() bool) {
	v.t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			if v.run.ProcessState == nil {
				_ = v.run.Process.Kill()
				<-v.ended
			}
			v.t.Fatalf("waiting for %s\n%s", what, v.said.String())
		}
	}
}

// TestKilledInTheMiddle kills the real binary (SIGKILL) again and again while it works,
// and starts it anew: in the end every order that was placed is in Odoo once, with what
// was ordered, the cancelled ones are called off, and no unit is sold twice. What is
// counted is what the stand-ins hold, by a checker that knows nothing of the hub.
func TestKilledInTheMiddle(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: it builds the binary and takes some 20 s")
	}
	dir, err := os.MkdirTemp("", "kill") // short: a socket's path may have about 100 characters
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	v := &victim{t: t, binary: filepath.Join(dir, "crossdock"), config: filepath.Join(dir, "crossdock.yaml")}
	if out, err := exec.Command("go", "build", "-o", v.binary, "github.com/crossdockhq/crossdock/cmd/crossdock").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	listen := freeAddress(t)
	v.url = "http://" + listen

	d := &Demo{o: DemoOptions{Types: []connector.Type{odooconn.Type, shopifyconn.Type}, Orders: killOrders, Seed: killSeed, Started: time.Now(),
		Say: func(string) {}, Log: slog.New(slog.DiscardHandler)}, dir: dir}
	if err := d.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.hub.Close(); err != nil { // the binary is the hub
		t.Fatal(err)
	}
	source, err := os.ReadFile(v.config)
	if err != nil {
		t.Fatal(err)
	}
	fixed := strings.Replace(string(source), "listen: 127.0.0.1:0", "listen: "+listen, 1)
	fixed = strings.Replace(fixed, "    pull: 5s\n", "    pull: 5s\n    settles: 1s\n", 1) // the stand-in commits at once
	if err := os.WriteFile(v.config, []byte(fixed), 0o600); err != nil {
		t.Fatal(err)
	}
	shop := d.in.Shops[demoShop]
	shop.Retries = slices.Repeat([]time.Duration{300 * time.Millisecond}, 100)

	v.start()
	time.Sleep(time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	delivered, traded := make(chan error, 1), make(chan error, 1)
	go func() { delivered <- shop.Deliver(ctx, &http.Client{Timeout: 5 * time.Second}, v.url) }()
	go func() { traded <- trade(d.plan.Events, shop) }()

	rng := rand.New(rand.NewPCG(killSeed, 1))
	amid := 0
	for range kills {
		time.Sleep(time.Duration(300+rng.IntN(1200)) * time.Millisecond)
		if placed := len(shop.Rows("order")); placed > len(d.in.Odoo.Rows("sale.order")) || len(d.in.Odoo.Rows("sale.order")) > len(confirmedOrders(d.in.Odoo)) {
			amid++
		}
		made := len(d.in.Odoo.Rows("sale.order")) // and best when Odoo has made orders and the hub has not yet noted it
		for end := time.Now().Add(time.Second); len(d.in.Odoo.Rows("sale.order")) == made && time.Now().Before(end); {
			time.Sleep(200 * time.Microsecond)
		}
		v.stop(syscall.SIGKILL)
		v.start()
	}
	if err := <-traded; err != nil {
		t.Fatal(err)
	}
	v.within(60*time.Second, "the last webhook to be delivered", func() bool { _, waiting := shop.Next(); return !waiting })
	want := wanted(d)
	v.within(60*time.Second, fmt.Sprintf("%d confirmed orders in Odoo", want), func() bool { return len(confirmedOrders(d.in.Odoo)) == want })
	time.Sleep(3 * time.Second) // for what would be done once too often
	v.stop(syscall.SIGTERM)
	cancel()
	if err := <-delivered; err != nil {
		t.Fatal(err)
	}
	if amid < kills/2 {
		t.Errorf("only %d of %d kills came while there was work to do", amid, kills)
	}

	if d.hub, err = Open(t.Context(), d.cfg, d.o.Log); err != nil { // to read its exceptions
		t.Fatal(err)
	}
	defer d.hub.Close()
	s, err := d.summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d kills came amid work", amid, kills)
	for _, w := range s.Wrong {
		t.Error(w)
	}
	if s.OrdersIn != killOrders || s.OrdersConfirmed != want || s.OdooDuplicates != 0 || s.OversoldUnits != 0 || s.StockDifferences != 0 || s.Exceptions != len(d.plan.Unknown) {
		t.Errorf("in the end: %+v; with %d confirmed orders wanted", *s, want)
	}
}

// trade acts a plan out in its time.
func trade(events []shopify.Event, shop *shopify.Server) error {
	began := time.Now()
	for _, e := range events {
		time.Sleep(time.Until(began.Add(e.After)))
		if err := shop.Act(e); err != nil {
			return err
		}
	}
	return nil
}

// wanted is how many orders are to be confirmed, by what the shop holds: those not
// cancelled, no tests, and not those for what nobody sells.
func wanted(d *Demo) int {
	n := 0
	for _, row := range d.in.Shops[demoShop].Rows("order") {
		if _, unknown := d.plan.Unknown[fmt.Sprint(row["key"])]; row["cancelled"] != true && row["test"] != true && !unknown {
			n++
		}
	}
	return n
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
