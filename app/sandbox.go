package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/scenario"
	"github.com/crossdockhq/crossdock/sim"
)

// SandboxOptions say where the stand-ins listen; all of it on loopback.
type SandboxOptions struct {
	Types   []connector.Type
	Dir     string // where crossdock.yaml is written, if there is none
	Shop    string // addresses
	Odoo    string
	Control string
	Hub     string // where the hub listens: webhooks go there
	// Up is told once the doors are open; its error ends the sandbox.
	Up func(SandboxUp) error
}

// DefaultControl is the address that act and show speak to unless told another.
const DefaultControl = "127.0.0.1:8303"

// sandboxConfig is the crossdock.yaml for a hub beside the sandbox.
const sandboxConfig = `# A hub beside the sandbox. Its secrets are those of the stand-ins:
#   export SHOPIFY_TOKEN=%s SHOPIFY_SECRET=%s ODOO_KEY=%s
version: 1
listen: %s
companies:
  US1: { currency: USD, zone: America/Los_Angeles }
connections:
  shop:
    type: shopify
    company: US1
    sites: [E, W]
    shop: shop.myshopify.com
    url: http://%s
    token: "${env:SHOPIFY_TOKEN}"
    secret: "${env:SHOPIFY_SECRET}"
  odoo:
    type: odoo
    url: http://%s
    database: %s
    user: %s
    key: "${env:ODOO_KEY}"
    pull: 5s
    taxes: { "CA State Tax 8%%": "Tax 8%%" }
`

// Sandbox runs the stand-ins until the context ends. A port 0 takes a free one.
func Sandbox(ctx context.Context, o SandboxOptions) (err error) {
	doors := make([]net.Listener, 0, 3)
	defer func() {
		for _, l := range doors {
			_ = l.Close() // closed already by the server that it was given to, if it came so far
		}
	}()
	for _, d := range []struct {
		what string
		addr *string
	}{{"the shop", &o.Shop}, {"Odoo", &o.Odoo}, {"the control", &o.Control}} {
		l, err := listen(ctx, d.what, *d.addr)
		if err != nil {
			return err
		}
		*d.addr = l.Addr().String()
		doors = append(doors, l)
	}
	source := fmt.Sprintf(sandboxConfig, sim.Token, sim.Secret, sim.Password, o.Hub, o.Shop, o.Odoo, sim.Database, sim.User)
	cfg, err := config.Load("sandbox", []byte(source), o.Types, sim.Secrets())
	if err != nil {
		return err
	}
	in, err := sandboxLand().Build(cfg, time.Now, time.Now().UnixNano())
	if err != nil {
		return err
	}
	path := filepath.Join(o.Dir, config.DefaultName)
	written, err := writeNew(path, source)
	if err != nil {
		return err
	}
	if err := o.Up(SandboxUp{Shop: "http://" + o.Shop, Odoo: "http://" + o.Odoo, Control: "http://" + o.Control, Configuration: path, Written: written, hub: o.Hub}); err != nil {
		return err
	}
	group, inside := errgroup.WithContext(ctx)
	for i, h := range []http.Handler{in.Doors[demoShop], in.Doors[demoOdoo], control(sim.Around(cfg, in))} {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
		group.Go(func() error { return serve(s, doors[i]) })
		group.Go(func() error {
			<-inside.Done()
			return s.Close()
		})
	}
	group.Go(func() error {
		return in.Shops[demoShop].Deliver(inside, &http.Client{Timeout: 5 * time.Second}, "http://"+o.Hub)
	})
	return group.Wait()
}

// sandboxLand is the demo's, with 100 of everything.
func sandboxLand() sim.Land {
	land, _ := demoLand()
	demand := map[string]int{}
	for _, i := range land.Odoo.Items {
		if !i.Service {
			demand[i.SKU] = 100
		}
	}
	stockFor(&land, demand)
	return land
}

// SandboxUp is a sandbox that runs: where its doors are, and the configuration of a
// hub beside it.
type SandboxUp struct {
	Shop          string `json:"shop"` // addresses, with http://
	Odoo          string `json:"odoo"`
	Control       string `json:"control"`
	Configuration string `json:"configuration"`
	Written       bool   `json:"written"` // false: the file was there, and says something else

	hub string
}

// How says in lines where the doors are, with the commands that go with them, whole.
func (u SandboxUp) How() []string {
	out := []string{"the shop     " + u.Shop, "Odoo         " + u.Odoo, "the control  " + u.Control, "configuration " + u.Configuration}
	if !u.Written {
		out = append(out, fmt.Sprintf("It was there and is left as it is, though this sandbox would write another: see that it has the shop at %s and Odoo at %s and listens on %s, or name another folder with --dir.", u.Shop, u.Odoo, u.hub))
	}
	words, file := "crossdock sandbox ", u.Configuration
	control := ""
	if addr := strings.TrimPrefix(u.Control, "http://"); addr != DefaultControl {
		control = " --control " + addr
	}
	if strings.ContainsAny(file, " '\"$\\&;()*?") {
		file = "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
	}
	return append(out, fmt.Sprintf("\nIn another shell:\n  export SHOPIFY_TOKEN=%s SHOPIFY_SECRET=%s ODOO_KEY=%s\n  crossdock -c %s serve", sim.Token, sim.Secret, sim.Password, file),
		"and in a third:",
		"  "+words+"act"+control+" shop buy TEA-GREEN 2 as order-1001",
		"  "+words+"show"+control+" odoo sale.order client_order_ref=1001",
		"  crossdock -c "+file+" trace order/1001")
}

func listen(ctx context.Context, what, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, crossdock.Errorf(crossdock.Invalid, "%s is no loopback address: a sandbox has no secrets worth the name, and listens on 127.0.0.1:PORT only", addr)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "listen for %s: %w", what, err)
	}
	return l, nil
}

// writeNew writes a file that is not there yet and leaves one that is; written says
// that the file now holds the text.
func writeNew(path, text string) (written bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, crossdock.Errorf(crossdock.Unavailable, "make the sandbox's folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		have, err := os.ReadFile(path)
		return err == nil && string(have) == text, err
	}
	if err != nil {
		return false, crossdock.Errorf(crossdock.Unavailable, "write the sandbox's configuration: %w", err)
	}
	_, err = f.WriteString(text)
	return true, errors.Join(err, f.Close())
}

// control does what a line of scenario words says, and shows what a system holds.
func control(w *sim.World) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /act", func(rw http.ResponseWriter, r *http.Request) {
		who, words, err := line(r.Body)
		if err == nil {
			err = scenario.Act(r.Context(), w, who, words, nil)
		}
		reply(rw, struct{}{}, asInput(err))
	})
	mux.HandleFunc("POST /show", func(rw http.ResponseWriter, r *http.Request) {
		who, words, err := line(r.Body)
		var rows []map[string]any
		if err == nil {
			rows, err = scenario.Find(w, who, words)
		}
		reply(rw, rows, asInput(err))
	})
	return mux
}

func line(r io.Reader) (who string, words []string, err error) {
	text, err := bufio.NewReader(io.LimitReader(r, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, err
	}
	all := strings.Fields(text)
	if len(all) < 2 {
		return "", nil, errors.New("say who does what: shop buy TEA-GREEN 2 as order-1001")
	}
	return all[0], all[1:], nil
}

// asInput makes whatever a stand-in refuses an error of the one who asked.
func asInput(err error) error {
	if err == nil {
		return nil
	}
	return crossdock.Errorf(crossdock.Invalid, "%w", err)
}

// InSandbox says a line to the control of a running sandbox: what is "act" or "show".
func InSandbox(ctx context.Context, addr, what string, words []string) ([]map[string]any, error) {
	host, port, err := net.SplitHostPort(addr)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || host == "" {
		return nil, crossdock.Errorf(crossdock.Invalid, "--control %s is no host and port: write the address that crossdock sandbox names, such as %s", addr, DefaultControl)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/"+what, strings.NewReader(strings.Join(words, " ")))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "no sandbox answers at %s; start one with crossdock sandbox: %w", addr, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read from
	if resp.StatusCode != http.StatusOK {
		var f crossdock.Fault
		if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
			return nil, crossdock.Errorf(crossdock.Internal, "the sandbox answered %s", resp.Status)
		}
		return nil, &crossdock.Error{Code: f.Code, Text: f.Text, Place: f.Place}
	}
	var rows []map[string]any
	if what == "show" {
		err = json.NewDecoder(resp.Body).Decode(&rows)
	}
	return rows, err
}
