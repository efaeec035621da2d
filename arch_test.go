package crossdock_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// room is one line of the floor plan: what a package may import.
type room struct {
	// ours lists our packages by their path below the module, "." for the
	// root, separated by spaces. "*" is all of them, a leading "-" takes one
	// away again.
	ours string
	// others lists third-party modules by the beginning of their path,
	// separated by spaces; "*" is any. The standard library is not listed
	// here: purity, below, is what limits it.
	others string
}

const (
	decimalLibrary = "github.com/shopspring/decimal"
	testing3       = "github.com/google/go-cmp pgregory.net/rapid" // what our conformance suites may use
	belowApp       = "* -app -cmd/crossdock"
)

// floor is the floor plan. A package without a line fails the build, and so
// does an arrow that is not written here; an arrow nobody uses is no harm.
// Only shipped code is held to it: test files may import what they need.
var floor = map[string]room{
	".":                      {ours: "", others: decimalLibrary},
	"core":                   {ours: ". atp policy", others: decimalLibrary},
	"atp":                    {ours: ".", others: decimalLibrary},
	"store":                  {ours: ". core", others: ""},
	"store/written":          {ours: ". core store", others: "github.com/klauspost/compress"},
	"store/sqlite":           {ours: ". core store store/written", others: "modernc.org/sqlite"},
	"store/postgres":         {ours: ". core store store/written", others: "github.com/jackc/pgx"},
	"store/postgres/cluster": {ours: ".", others: ""},
	// The suite drives the rooms over a store: what is hardest to keep right shows there.
	"store/storetest":         {ours: ". core store connector connector/connectortest house desk dispatch store/postgres/cluster", others: testing3},
	"connector":               {ours: ".", others: decimalLibrary + " golang.org/x/time"},
	"connector/connectortest": {ours: ". connector", others: testing3},
	"connectors/odoo":         {ours: ". connector", others: decimalLibrary + " golang.org/x/time"},
	"connectors/shopify":      {ours: ". connector", others: decimalLibrary + " golang.org/x/time"},
	"house":                   {ours: ". store core connector intake desk dispatch reconcile", others: ""},
	"intake":                  {ours: ". store connector", others: "golang.org/x/sync"},
	"desk":                    {ours: ". store connector core", others: ""},
	"dispatch":                {ours: ". store connector", others: ""},
	"reconcile":               {ours: ". store connector", others: ""},
	"replay":                  {ours: ". store core atp connector", others: ""},
	"config":                  {ours: ". connector", others: "github.com/goccy/go-yaml"},
	"sandbox":                 {ours: ".", others: ""},
	"sandbox/odoo":            {ours: ". sandbox", others: decimalLibrary},
	"sandbox/shopify":         {ours: ". sandbox", others: decimalLibrary + " github.com/vektah/gqlparser/v2"},
	"scenario":                {ours: belowApp, others: "*"},
	"sim":                     {ours: belowApp, others: "*"},
	"sim/checker":             {ours: "", others: decimalLibrary}, // of ours nothing: it must not agree with our mistakes
	"bench":                   {ours: belowApp, others: "*"},
	"app":                     {ours: "* -cmd/crossdock", others: "github.com/alecthomas/kong golang.org/x/sync"},
	"cmd/crossdock":           {ours: "*", others: "github.com/alecthomas/kong golang.org/x/sync"},
}

// walls are the arrows no line of the floor plan can grant. "x/..." is x and
// everything below it. Packages of one house, such as connectors/odoo and
// connectors/odoo/rpc, are not separated.
var walls = []struct{ from, to, why string }{
	{"connectors/...", "connectors/...", "a connector knows one system; what two share belongs to connector"},
	{"connectors/...", "sandbox/...", "a connector that reads its stand-in agrees with itself, not with the system"},
	{"sandbox/...", "connectors/...", "a stand-in that shares a connector's code repeats its mistakes"},
	{"sandbox/...", "connector/...", "a stand-in is the outside world and knows nothing of the hub's doors"},
	{"intake/...", "desk/... dispatch/... reconcile/...", "the rooms meet in the store"},
	{"desk/...", "intake/... dispatch/... reconcile/...", "the rooms meet in the store"},
	{"dispatch/...", "intake/... desk/... reconcile/...", "the rooms meet in the store"},
	{"reconcile/...", "intake/... desk/... dispatch/...", "the rooms meet in the store"},
}

// pure names the packages that decide without a clock, a network, a disk or
// chance, so that the journal replays bit for bit. A package below one of them
// is pure too, and so must be whatever they import of ours.
var pure = []string{".", "core", "atp", "policy", "mapping", "x12"}

// impureImports lists what pure code may not import; "x/..." is x and
// everything below it.
var impureImports = []string{
	"net", "net/http/...", "net/rpc/...", "net/smtp", "os/...", "io/ioutil", "syscall",
	"math/rand/...", "crypto/rand",
	"hash/maphash", // seeds itself anew in every process
}

// impureTime lists the names of package time that read the clock or the
// machine's zone, or wait. Using one as a value counts as calling it.
var impureTime = []string{
	"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick", "Local",
}

// bannedFolders say nothing about what is in them.
var bannedFolders = []string{"internal", "pkg", "utils", "common", "models"}

// bannedWords are parts of exported type names that say nothing about the type.
var bannedWords = []string{"Manager", "Helper", "Processor", "Service", "Util", "DTO"}

// allowedNames holds exported types that carry a banned word all the same,
// each with its reason: the outside system's own name for a thing, for example.
var allowedNames = map[string]string{}

// longestFile is the limit in lines for a source file; tests and generated
// files (_gen.go) may be longer.
const longestFile = 600

func TestArchitecture(t *testing.T) {
	h := readHouse(t, os.DirFS("."))
	if len(h.packages["."]) == 0 {
		t.Fatal("the root package was not found, so nothing would have been checked; run the test from the module's root")
	}
	for _, check := range []struct {
		name string
		find func(house) []string
	}{
		{"FloorPlan", floorBreaches},
		{"Walls", wallBreaches},
		{"PurePackages", purityBreaches},
		{"PureConnectorFiles", connectorPurityBreaches},
		{"PureConnectorCalls", callBreaches},
		{"Conformance", conformanceBreaches},
		{"FolderNames", folderBreaches},
		{"TypeNames", typeNameBreaches},
		{"FileLength", lengthBreaches},
	} {
		t.Run(check.name, func(t *testing.T) {
			for _, b := range check.find(h) {
				t.Error(b)
			}
		})
	}
}

// floorBreaches reports packages without a line in the floor plan and imports
// their line does not grant.
func floorBreaches(h house) (found []string) {
	for _, pkg := range h.names() {
		r, ok := floor[pkg]
		if !ok {
			found = append(found, fmt.Sprintf("%s: package has no line in the floor plan; add one to floor in arch_test.go", pkg))
			continue
		}
		for _, s := range h.packages[pkg] {
			for _, imp := range s.imports() {
				to, own := ours(imp)
				switch {
				case own && !r.grants(to):
					found = append(found, fmt.Sprintf("%s: %s may not import our %s; its line in floor (arch_test.go) grants %q", s.path, pkg, to, r.ours))
				case !own && thirdParty(imp) && !r.grantsOther(imp):
					found = append(found, fmt.Sprintf("%s: %s may not import %s; its line in floor (arch_test.go) grants %q", s.path, pkg, imp, r.others))
				}
			}
		}
	}
	return found
}

// grants reports whether the line allows importing our package to.
func (r room) grants(to string) bool {
	granted := strings.Fields(r.ours)
	if slices.Contains(granted, "-"+to) {
		return false
	}
	return slices.Contains(granted, "*") || slices.Contains(granted, to)
}

// grantsOther reports whether the line allows importing the third-party
// package imp.
func (r room) grantsOther(imp string) bool {
	return slices.ContainsFunc(strings.Fields(r.others), func(mod string) bool {
		return mod == "*" || within(imp, mod+"/...")
	})
}

// wallBreaches reports arrows through a wall, whatever the floor plan grants.
func wallBreaches(h house) (found []string) {
	for _, pkg := range h.names() {
		for _, s := range h.packages[pkg] {
			for _, imp := range s.imports() {
				to, own := ours(imp)
				if !own || sameHouse(pkg, to) {
					continue
				}
				for _, w := range walls {
					if within(pkg, w.from) && within(to, w.to) {
						found = append(found, fmt.Sprintf("%s: %s may never import %s: %s", s.path, pkg, to, w.why))
					}
				}
			}
		}
	}
	return found
}

// sameHouse reports whether two packages share their first two path elements,
// as connectors/odoo and connectors/odoo/rpc do, or one is the parent of the
// other, as sandbox is of sandbox/odoo.
func sameHouse(a, b string) bool {
	first := func(p string) string {
		parts := strings.SplitN(p, "/", 3)
		return strings.Join(parts[:min(len(parts), 2)], "/")
	}
	return first(a) == first(b) || within(a, b+"/...") || within(b, a+"/...")
}

// purityBreaches walks from every pure package through what it imports of ours
// and reports impure code there, with the way that leads to it.
func purityBreaches(h house) (found []string) {
	reported := map[string]bool{}
	var walk func(pkg, way string)
	walk = func(pkg, way string) {
		if reported[pkg] {
			return
		}
		reported[pkg] = true
		for _, s := range h.packages[pkg] {
			for _, what := range s.impurities() {
				found = append(found, fmt.Sprintf("%s (%s must be pure)", what, way))
			}
			for _, imp := range s.imports() {
				if to, own := ours(imp); own {
					walk(to, way+" → "+to)
				}
			}
		}
	}
	for _, pkg := range h.names() {
		if slices.ContainsFunc(pure, func(p string) bool { return pkg == p || p != "." && within(pkg, p+"/...") }) {
			walk(pkg, pkg)
		}
	}
	return found
}

// connectorPurityBreaches holds the files in which connectors translate and
// project to the same rule, and every Translate and Project to such a file.
// It looks at one file at a time; callBreaches follows what they call elsewhere.
func connectorPurityBreaches(h house) (found []string) {
	for _, pkg := range h.names() {
		if !within(pkg, "connectors/...") {
			continue
		}
		for _, s := range h.packages[pkg] {
			if s.translatesOrProjects() {
				found = append(found, s.impurities()...)
				continue
			}
			for _, m := range s.methods() {
				if m == "Translate" || m == "Project" {
					found = append(found, fmt.Sprintf("%s: method %s must be in a file whose name says so (translate.go, order_project.go), so that its purity is checked", s.path, m))
				}
			}
		}
	}
	return found
}

func folderBreaches(h house) (found []string) {
	for _, dir := range h.folders {
		if slices.Contains(bannedFolders, path.Base(dir)) {
			found = append(found, fmt.Sprintf("%s: a folder is not named %q; name it by what is in it", dir, path.Base(dir)))
		}
	}
	return found
}

func typeNameBreaches(h house) (found []string) {
	for _, pkg := range h.names() {
		for _, s := range h.packages[pkg] {
			for _, name := range s.exportedTypes() {
				if _, ok := allowedNames[name]; ok {
					continue
				}
				for _, w := range bannedWords {
					if strings.Contains(name, w) {
						found = append(found, fmt.Sprintf("%s: type %s is named %q; use the field's word for it", s.path, name, w))
					}
				}
			}
		}
	}
	return found
}

func lengthBreaches(h house) (found []string) {
	for _, pkg := range h.names() {
		for _, s := range h.packages[pkg] {
			if s.lines > longestFile && !strings.HasSuffix(s.path, "_gen.go") {
				found = append(found, fmt.Sprintf("%s: %d lines, more than %d; split it by subject", s.path, s.lines, longestFile))
			}
		}
	}
	return found
}
