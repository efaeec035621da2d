package postgres_test

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crossdockhq/crossdock/store/storetest"
)

// proxy stands between a node and the server and cuts all connections at a moment.
type proxy struct {
	t      testing.TB
	listen net.Listener
	server string
	away   atomic.Bool // nobody gets through any more

	mu    sync.Mutex
	conns map[net.Conn]bool
	cutAt int  // the message to the server at which it cuts, from 1; 0: never
	after bool // the message still gets through, its answer does not
	seen  int
	cut   chan struct{} // closed when it has cut
	stay  bool          // nobody gets through after it
}

// through returns the address of a schema by way of a proxy.
func through(t testing.TB, name string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(storetest.Database(t, name))
	must(t, err)
	q := u.Query()
	p := &proxy{t: t, server: filepath.Join(q.Get("host"), ".s.PGSQL.5432"), conns: map[net.Conn]bool{}}
	dir := t.TempDir()
	p.listen, err = net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	must(t, err)
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	go p.accept()
	t.Cleanup(func() { p.listen.Close(); p.drop() })
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		if p.away.Load() {
			client.Close()
			continue
		}
		server, err := net.Dial("unix", p.server)
		if err != nil {
			client.Close()
			return
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		go p.toServer(client, server)
		go func() {
			io.Copy(client, server) //nolint:errcheck // it ends with either
			client.Close()
		}()
	}
}

// toServer passes on what the node sends at once as one message.
func (p *proxy) toServer(client, server net.Conn) {
	defer server.Close()
	b := make([]byte, 1<<20)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.seen++
		now := p.cutAt > 0 && p.seen == p.cutAt
		p.mu.Unlock()
		if now {
			p.away.Store(p.stay)
			client.Close() // before the server can answer
			if p.after {
				server.Write(b[:n])
			}
			p.drop(server)
			close(p.cut)
			return
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// drop cuts all connections but one.
func (p *proxy) drop(but ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if len(but) == 0 || c != but[0] {
			c.Close()
			delete(p.conns, c)
		}
	}
}

// arm cuts at the n-th message from now.
func (p *proxy) arm(n int, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.cutAt, p.after, p.cut = 0, n, after, make(chan struct{})
}

// wasCut reports whether it came to the cut, and lets everything pass from now on.
func (p *proxy) wasCut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAt = 0
	select {
	case <-p.cut:
		return true
	default:
		return false
	}
}
