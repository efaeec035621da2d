package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// Lookup answers what a configuration refers to outside of itself. With the zero
// Lookup references stay as they are written.
type Lookup struct {
	Env  func(name string) (string, bool)
	File func(path string) ([]byte, error)
}

// System looks in the environment and the files of this process.
func System() Lookup { return Lookup{Env: os.LookupEnv, File: os.ReadFile} }

// mostBytes bounds a file that a reference names: what it holds is one secret.
const mostBytes = 64 << 10

// reference is a whole value that stands for one kept elsewhere.
var reference = regexp.MustCompile(`^\$\{(env|file):([^{}]+)\}$`)

// referenceWithin finds references in a line.
var referenceWithin = regexp.MustCompile(`\$\{(env|file):[^{}]+\}`)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Resolve returns what a text refers to, where all of it is a reference, and else the
// text itself. A relative path starts in the working directory.
func (l Lookup) Resolve(text string) (string, error) {
	m := reference.FindStringSubmatch(text)
	if m == nil {
		return text, nil
	}
	value, found, err := l.resolve(m[1], m[2], "")
	if err != nil || !found {
		return text, err
	}
	return value, nil
}

// resolve looks up a reference. found is false where it stays as it is. dir is
// where relative paths start: the folder of the configuration. No error of it
// says what was found.
func (l Lookup) resolve(kind, name, dir string) (value string, found bool, err error) {
	if kind == "env" {
		if !envName.MatchString(name) {
			return "", false, crossdock.Errorf(crossdock.Invalid, "%q is no name of an environment variable", name)
		}
		if l.Env == nil {
			return "", false, nil
		}
		value, ok := l.Env(name)
		switch {
		case !ok:
			return "", false, crossdock.Errorf(crossdock.Unavailable, "the environment variable %s is not set", name)
		case strings.TrimSpace(value) == "":
			return "", false, crossdock.Errorf(crossdock.Unavailable, "the environment variable %s is empty", name)
		case strings.ContainsAny(value, "\r\n"):
			return "", false, crossdock.Errorf(crossdock.Unavailable, "the environment variable %s holds several lines: a value is one", name)
		}
		return value, true, nil
	}
	if l.File == nil {
		return "", false, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := l.File(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, crossdock.Errorf(crossdock.Unavailable, "there is no file %s", path)
	case errors.Is(err, fs.ErrPermission):
		return "", false, crossdock.Errorf(crossdock.Unavailable, "the file %s may not be read by this user", path)
	case err != nil:
		return "", false, crossdock.Errorf(crossdock.Unavailable, "the file %s can't be read: %w", path, err)
	case len(b) > mostBytes:
		return "", false, crossdock.Errorf(crossdock.Unavailable, "the file %s is larger than %d bytes", path, mostBytes)
	}
	value = strings.TrimRight(string(b), "\r\n") // an editor ends the last line
	switch {
	case strings.TrimSpace(value) == "":
		return "", false, crossdock.Errorf(crossdock.Unavailable, "the file %s is empty", path)
	case strings.ContainsAny(value, "\r\n"):
		return "", false, crossdock.Errorf(crossdock.Unavailable, "the file %s holds several lines: a value is one, and its line end is cut off", path)
	}
	return value, true, nil
}
