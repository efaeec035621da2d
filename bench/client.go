package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// post sends requests over their own connections, one after the other on each, and
// returns how long each took. Requests are the bytes of whole HTTP/1.1 requests,
// written beforehand, so that the client takes little of the machine from the hub.
func post(ctx context.Context, address string, connections int, requests [][]byte) ([]time.Duration, error) {
	var group sync.WaitGroup
	took, errs := make([]time.Duration, len(requests)), make([]error, connections)
	share := (len(requests) + connections - 1) / connections
	for c := range connections {
		from, to := min(c*share, len(requests)), min((c+1)*share, len(requests))
		group.Add(1)
		go func() {
			defer group.Done()
			errs[c] = postAll(ctx, address, requests[from:to], took[from:to], nil)
		}()
	}
	group.Wait()
	return took, errors.Join(errs...)
}

// postAll sends requests over one connection. pace, where it is set, says when the
// i-th may leave; the time of one that leaves late counts from when it should have.
func postAll(ctx context.Context, address string, requests [][]byte, took []time.Duration, pace func(i int) time.Time) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // what matters was answered
	answers := bufio.NewReader(conn)
	for i, request := range requests {
		began := time.Now()
		if pace != nil {
			began = pace(i)
			time.Sleep(time.Until(began))
		}
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := accepted(answers); err != nil {
			return fmt.Errorf("request %d: %w", i, err)
		}
		took[i] = time.Since(began)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// accepted reads one answer and reports any that is not 200.
func accepted(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("answered %s", strings.TrimSpace(string(line)))
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			_, err := r.Discard(length)
			return err
		}
		if name, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(name, "Content-Length") {
			if _, err := fmt.Sscan(value, &length); err != nil {
				return err
			}
		}
	}
}

// bytesOf returns the bytes of a request.
func bytesOf(r *http.Request) ([]byte, error) {
	var b bytes.Buffer
	err := r.Write(&b)
	return b.Bytes(), err
}

// serve answers on loopback until the returned function is called.
func serve(handler http.Handler) (address string, stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), func() { _ = s.Close() }, nil
}

// readAll reads a body of at most a megabyte.
func readAll(r *http.Request) ([]byte, error) { return io.ReadAll(io.LimitReader(r.Body, 1<<20)) }
