package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/crossdockhq/crossdock"
)

// shownConfig is what of a Config may be shown.
type shownConfig struct {
	File        string              `json:"file"`
	Listen      string              `json:"listen"`
	Data        string              `json:"data"`
	Store       string              `json:"store"`
	Companies   []crossdock.Company `json:"companies"`
	Connections []Connection        `json:"connections"`
}

// shownConnection is what of a Connection may be shown.
type shownConnection struct {
	System   crossdock.System `json:"system"`
	Type     string           `json:"type"`
	Company  string           `json:"company,omitempty"`
	Sites    []string         `json:"sites,omitempty"`
	Takes    []crossdock.Kind `json:"takes"`
	Owns     []crossdock.Kind `json:"owns"`
	Pull     string           `json:"pull"`
	Settles  string           `json:"settles"`
	Settings map[string]any   `json:"settings"`

	Locations map[string]string `json:"locations,omitempty"`
	Tell      []string          `json:"tell,omitempty"`
}

// MarshalJSON writes c without its secrets.
func (c Config) MarshalJSON() ([]byte, error) {
	s := shownConfig{File: c.Name, Listen: c.Listen, Data: c.Data, Store: c.Store.String(), Companies: c.Companies, Connections: c.Connections}
	if s.Companies == nil {
		s.Companies = []crossdock.Company{}
	}
	return json.Marshal(s)
}

// MarshalJSON writes n without its secrets.
func (n Connection) MarshalJSON() ([]byte, error) {
	s := shownConnection{
		System: n.System, Type: n.Type.Name, Company: n.Company, Sites: n.Sites,
		Takes: n.Takes, Owns: n.Owns, Pull: n.PullText(), Settles: n.Settles.String(), Settings: n.shown(),
		Locations: n.Locations, Tell: n.Tell,
	}
	if s.Takes == nil {
		s.Takes = []crossdock.Kind{}
	}
	if s.Owns == nil {
		s.Owns = []crossdock.Kind{}
	}
	return json.Marshal(s)
}

// Format prints c as JSON without its secrets, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { format(f, c) }

// Format prints n as JSON without its secrets, whatever the verb.
func (n Connection) Format(f fmt.State, _ rune) { format(f, n) }

func format(f fmt.State, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte("a configuration that can't be shown: " + err.Error())
	}
	_, _ = f.Write(b) // a fmt.State keeps what is written to it
}

// PullText writes the time between two pulls as the file has it: "1m", "off".
func (n Connection) PullText() string {
	if n.Pull == 0 {
		return "off"
	}
	return n.Pull.String()
}

// shown returns the settings of a connection by field. Secrets are hidden, and
// what was not looked up is shown as the reference it is.
func (n Connection) shown() map[string]any {
	out := map[string]any{}
	if n.settings == nil {
		return out
	}
	v := reflect.ValueOf(n.settings).Elem()
	for _, f := range n.Type.Fields {
		ref, open := n.refs[f.Name]
		field := v.Field(f.Index)
		switch {
		case f.Secret && field.IsZero():
			continue // not configured
		case f.Secret:
			out[f.Name] = hidden
		case open:
			out[f.Name] = ref
		default:
			out[f.Name] = field.Interface()
			if d, ok := field.Interface().(time.Duration); ok {
				out[f.Name] = d.String()
			}
		}
	}
	return out
}
