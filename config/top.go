package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine

	"github.com/goccy/go-yaml/ast"

	"github.com/crossdockhq/crossdock"
)

// config reads the whole file.
func (r *reader) config() *Config {
	c := &Config{Name: r.file.name, Listen: DefaultListen, Data: filepath.Join(r.dir(), DefaultData), file: r.file}
	body, ok := r.body()
	if !ok {
		return c
	}
	all := r.entries(body, "", topKeys, r.at(body))
	// Connections name companies, whichever stands first in the file.
	var connections *entry
	for i, e := range all {
		switch e.key {
		case "version":
			r.version(e)
		case "listen":
			if v, ok := r.words(e.value, e.key, plain); ok && !v.open {
				c.Listen = v.text
				if err := checkListen(v.text); err != nil {
					r.wrong(v.at, e.key, "%s %s", v.shown(), err)
				}
			}
		case "data":
			if v, ok := r.words(e.value, e.key, plain); ok && !v.open {
				if c.Data = v.text; !filepath.IsAbs(c.Data) {
					c.Data = filepath.Join(r.dir(), c.Data)
				}
			}
		case "store":
			c.Store = r.store(e)
		case "companies":
			c.Companies = r.companies(e)
		case "connections":
			connections = &all[i]
		}
	}
	if connections != nil {
		c.Connections = r.connections(*connections, c.Companies)
	}
	return c
}

func (r *reader) version(e entry) {
	v, ok := r.scalar(e.value, e.key, "the number 1", writtenOut)
	if !ok {
		return
	}
	if _, number := v.node.(*ast.IntegerNode); !number || v.text != "1" {
		r.wrong(v.at, e.key, "this crossdock reads version 1 of the file, written version: 1")
	}
}

var companyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)

// companies reads them, and returns those with a good name, by name. One with a
// bad currency or zone is among them: that it exists is not in doubt.
func (r *reader) companies(e entry) []crossdock.Company {
	all, _ := r.mapping(e.value, e.key)
	var out []crossdock.Company
	for _, one := range all {
		path := e.key + "." + one.name
		if !companyName.MatchString(one.key) {
			r.wrong(one.at, path, "the key of a company is up to 40 letters, digits, _ and -")
			continue
		}
		c := crossdock.Company{Key: one.key}
		for _, f := range r.entries(one.value, path, companyKeys, one.at) {
			v, ok := r.words(f.value, path+"."+f.key, writtenOut)
			if !ok {
				continue
			}
			switch f.key {
			case "currency":
				c.Currency = v.text
				r.currency(v, path+"."+f.key)
			case "zone":
				c.Zone = v.text
				r.zone(v, path+"."+f.key)
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b crossdock.Company) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func (r *reader) currency(v value, path string) {
	if !slices.Contains(currencies, v.text) {
		r.wrongNear(v.at, path, v.text, v.shown()+" is no currency (ISO 4217)", currencies)
	}
}

func (r *reader) zone(v value, path string) {
	if _, err := time.LoadLocation(v.text); err != nil || v.text == "Local" {
		r.wrongNear(v.at, path, v.text, v.shown()+" is no time zone (IANA, such as Europe/Berlin)", zones)
	}
}
