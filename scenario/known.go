package scenario

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
	"github.com/crossdockhq/crossdock/sim"
)

// known is what the words of a scenario can mean: its connections, what its world
// has, what its steps and bodies name.
type known struct {
	types    map[string]string // of connections, by name
	files    []string
	items    []string // that the world has, or a step adds
	named    []string // SKUs: those, and what orders ask for though nobody sells it
	sites    []string
	standIns *sim.StandIns // as they are before the first step; nil when the world could not be read
}

var bodySKU = regexp.MustCompile(`"sku"\s*:\s*"([^"]+)"`)

// knownOf reads what the world of s has. steps are read for what they name.
func (s *Scenario) knownOf(steps []line) (*known, error) {
	k := &known{types: map[string]string{}, files: slices.Sorted(maps.Keys(s.Files))}
	for _, c := range s.Config.Connections {
		k.types[string(c.System)] = c.Type.Name
	}
	for _, i := range s.Land.Odoo.Items {
		k.items = append(k.items, i.SKU)
	}
	for _, w := range s.Land.Odoo.Warehouses {
		k.sites = append(k.sites, w.Code)
	}
	for _, shop := range s.Land.Shops {
		k.named = append(k.named, shop.Items...)
	}
	for _, l := range steps {
		k.reads(l)
	}
	for _, body := range s.Files {
		for _, m := range bodySKU.FindAllSubmatch(body, -1) {
			k.named = append(k.named, string(m[1]))
		}
	}
	k.named = append(k.named, k.items...)
	slices.Sort(k.named)
	k.named = slices.Compact(k.named)
	var err error
	k.standIns, err = s.Land.Build(s.Config, func() time.Time { return day }, 1)
	return k, err
}

// reads notes what a step makes or asks for.
func (k *known) reads(l line) {
	if len(l.words) < 4 {
		return
	}
	switch what := l.words[2:]; {
	case what[0] == "add" && what[1] == "item" && len(what) > 2:
		k.items = append(k.items, what[2])
	case what[0] == "buy":
		for i := 1; i < len(what) && what[i] != "as"; i += 2 {
			k.named = append(k.named, what[i])
		}
	case what[0] == "edit" && len(what) > 2:
		k.named = append(k.named, what[2])
	}
}

func (k *known) connections() []string { return slices.Sorted(maps.Keys(k.types)) }

// orderStates are the states an order can be in.
func orderStates() []string {
	all := map[string]bool{}
	for from, to := range core.Moves() {
		all[string(from)] = true
		for _, state := range to {
			all[string(state)] = true
		}
	}
	delete(all, "")
	return slices.Sorted(maps.Keys(all))
}

// fieldsOf are the fields of a kind of record, by its schema.
func fieldsOf(kind crossdock.Kind) ([]string, error) {
	src, err := crossdock.Schema(kind)
	if err != nil {
		return nil, err
	}
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(src, &s); err != nil {
		return nil, fmt.Errorf("the schema of %s: %w", kind, err)
	}
	return slices.Sorted(maps.Keys(s.Properties)), nil
}
