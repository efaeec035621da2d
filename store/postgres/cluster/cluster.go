// Package cluster starts a throw-away PostgreSQL server: for tests, and for a demo
// on a machine that has its programs and no database to spare.
package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/crossdockhq/crossdock"
)

// ErrMissing means that the server's programs are not on this machine.
var ErrMissing = errors.New("the programs of PostgreSQL 15 or later (initdb, postgres) are not installed: on Debian apt-get install postgresql")

// Cluster is a running server with one empty database in UTF8. It listens on a
// socket in its own directory and nowhere else.
type Cluster struct {
	dir   string
	guard *exec.Cmd
	hold  io.Closer // the server lives while it is open
}

// places are where distributions put the programs, the newest first.
var places = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"}

// programs returns the directory of the newest programs.
func programs() (string, error) {
	var found []string
	for _, p := range places {
		some, err := filepath.Glob(filepath.Join(p, "initdb"))
		if err != nil {
			return "", err
		}
		slices.SortFunc(some, func(a, b string) int { return release(b) - release(a) })
		found = append(found, some...)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	for _, f := range found {
		if n := release(f); n == 0 || n >= 15 {
			return filepath.Dir(f), nil
		}
	}
	return "", ErrMissing
}

// Installed reports ErrMissing where Start would find no programs.
func Installed() error {
	_, err := programs()
	return err
}

// release returns the number in a path such as /usr/lib/postgresql/15/bin/initdb, 0 without one.
func release(path string) int {
	digits := strings.FieldsFunc(filepath.Dir(path), func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, err := strconv.Atoi(digits[len(digits)-1])
	if err != nil {
		return 0
	}
	return n
}

// guardText runs the server and ends it, and removes its directory, when standard
// input is closed: also when this program is killed.
const guardText = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 -c log_min_messages=fatal "${@:3}" >"$2/log" 2>&1 </dev/null &
read -r _
kill -INT $!
wait $!
cd / && rm -rf "$2"
`

// Start makes a cluster in a temporary directory and waits until it answers. settings
// are server settings such as fsync=off. Where root starts it, it runs as user
// postgres or nobody: PostgreSQL refuses root. ErrMissing where there are no programs.
func Start(ctx context.Context, settings ...string) (_ *Cluster, err error) {
	bin, err := programs()
	if err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "start a database: %w", err)
	}
	c := &Cluster{}
	if c.dir, err = os.MkdirTemp(shortest(), "crossdock-pg-"); err != nil {
		return nil, crossdock.Errorf(crossdock.Unavailable, "start a database: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(crossdock.Errorf(crossdock.Unavailable, "start a database in %s: %w", c.dir, err), c.Stop())
		}
	}()
	as, err := c.owner()
	if err != nil {
		return nil, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(c.dir, "data"), "-U", "crossdock", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, c.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	args := []string{"-c", guardText, "guard", bin, c.dir}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	c.guard = exec.Command("bash", args...) //nolint:noctx // it ends with Stop
	c.guard.SysProcAttr, c.guard.Dir = as, c.dir
	if c.hold, err = c.guard.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.guard.Start(); err != nil {
		c.guard = nil
		return nil, err
	}
	return c, c.ready(ctx, bin)
}

// shortest returns where temporary directories are made: /tmp, because the path of a
// socket may have about 100 characters and another user may have to come to it; ""
// for the system's choice where there is none.
func shortest() string {
	if is, err := os.Stat("/tmp"); err == nil && is.IsDir() {
		return "/tmp"
	}
	return ""
}

// owner says as whom the server runs: nil, a group of its own aside, for as whom we do.
func (c *Cluster) owner() (*syscall.SysProcAttr, error) {
	as := &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for us, who end it in order
	if os.Geteuid() != 0 {
		return as, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody: %w", err)
		}
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as, os.Chown(c.dir, int(uid), int(gid))
}

// ready waits until the server answers.
func (c *Cluster) ready(ctx context.Context, bin string) error {
	var last []byte
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ask := exec.CommandContext(ctx, filepath.Join(bin, "psql"), "-X", "-q", "-h", c.dir, "-U", "crossdock", "-d", "postgres", "-c", "CREATE DATABASE crossdock")
		ask.Dir = c.dir
		var err error
		if last, err = ask.CombinedOutput(); err == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	log, err := os.ReadFile(filepath.Join(c.dir, "log"))
	return errors.Join(fmt.Errorf("it does not answer: %s %s", bytes.TrimSpace(last), bytes.TrimSpace(log)), err)
}

// URL returns the address of the database; schema is the search_path, "" for the
// store's default.
func (c *Cluster) URL(schema string) string {
	q := url.Values{"host": {c.dir}, "user": {"crossdock"}}
	if schema != "" {
		q.Set("search_path", schema)
	}
	return "postgres:///crossdock?" + q.Encode()
}

// Stop ends the server and removes all it has written. A second Stop does nothing.
func (c *Cluster) Stop() error {
	var err error
	if c.hold != nil {
		err = c.hold.Close()
		c.hold = nil
	}
	if c.guard != nil {
		err = errors.Join(err, c.guard.Wait())
		c.guard = nil
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}
