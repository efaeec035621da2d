package crossdock_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// proof is a small tree, the check it is put to, and what that must find.
type proof struct {
	name  string
	check func(house) []string
	files map[string]string
	want  string // part of the only breach; "" if the tree is sound
}

// TestArchitectureChecksCanFail builds small trees with one fault each and
// demands that the check meant for it names that fault, and that the sound
// trees beside them pass. A file is written as its imports and its body.
func TestArchitectureChecksCanFail(t *testing.T) {
	const crossdock = `"github.com/crossdockhq/crossdock`
	importing := func(pkg string, imports ...string) string {
		return "package " + pkg + "\nimport (\n_ " + strings.Join(imports, "\n_ ") + "\n)\n"
	}
	timely := func(use string) string { return "package core\nimport \"time\"\nvar _ = " + use + "\n" }
	long := func(n int) string { return "package core\n" + strings.Repeat("// A line.\n", n-1) }

	tests := []proof{
		{"arrows of the plan", floorBreaches, map[string]string{
			"core/order.go": importing("core", crossdock+`"`, crossdock+`/atp"`, `"github.com/shopspring/decimal"`, `"strings"`),
			"sim/sim.go":    importing("sim", crossdock+`/desk"`, crossdock+`/sandbox/odoo"`, `"example.org/anything"`),
		}, ""},
		{"package without a line", floorBreaches, map[string]string{"billing/billing.go": "package billing"}, "billing: package has no line"},
		{"arrow not in the plan", floorBreaches, map[string]string{"core/order.go": importing("core", crossdock+`/store"`)}, "core/order.go: core may not import our store"},
		{"root imports one of ours", floorBreaches, map[string]string{"order.go": importing("crossdock", crossdock+`/core"`)}, "order.go: . may not import our core"},
		{"a granted arrow grants nothing below it", floorBreaches, map[string]string{"desk/desk.go": importing("desk", crossdock+`/store/sqlite"`)}, "may not import our store/sqlite"},
		{"everything below app is not app", floorBreaches, map[string]string{"sim/sim.go": importing("sim", crossdock+`/app"`)}, "sim may not import our app"},
		{"app does not know its command", floorBreaches, map[string]string{"app/app.go": importing("app", crossdock+`/cmd/crossdock"`)}, "app may not import our cmd/crossdock"},
		{"module not in the second column", floorBreaches, map[string]string{"core/order.go": importing("core", `"modernc.org/sqlite"`)}, "core may not import modernc.org/sqlite"},
		{"module whose name only begins alike", floorBreaches, map[string]string{"core/order.go": importing("core", `"github.com/shopspring/decimalx"`)}, "may not import github.com/shopspring/decimalx"},
		{"file for another platform", floorBreaches, map[string]string{"core/order_windows.go": importing("core", `"golang.org/x/sys/windows"`)}, "may not import golang.org/x/sys/windows"},
		{"file behind a build tag", floorBreaches, map[string]string{"core/order.go": "//go:build odd\n\n" + importing("core", crossdock+`/app"`)}, "may not import our app"},
		{"test files, stand-alone programs, other modules, test data", floorBreaches, map[string]string{
			"core/order.go":              "package core",
			"core/order_test.go":         importing("core", crossdock+`/app"`),
			"core/draw.go":               "//go:build ignore\n\n" + importing("main", crossdock+`/app"`),
			"core/testdata/x/x.go":       "package x",
			"elsewhere/go.mod":           "module elsewhere",
			"elsewhere/a.go":             "package elsewhere",
			"web/node_modules/left/a.go": "package left",
		}, ""},

		{"within one connector and up to its parent", wallBreaches, map[string]string{
			"connectors/odoo/odoo.go": importing("odoo", crossdock+`/connectors/odoo/rpc"`, crossdock+`/connector"`),
			"sandbox/odoo/odoo.go":    importing("odoo", crossdock+`/sandbox"`),
			"desk/desk.go":            importing("desk", crossdock+`/store"`),
		}, ""},
		{"connector imports connector", wallBreaches, map[string]string{"connectors/odoo/odoo.go": importing("odoo", crossdock+`/connectors/shopify"`)}, "connectors/odoo may never import connectors/shopify"},
		{"connector imports stand-in", wallBreaches, map[string]string{"connectors/odoo/odoo.go": importing("odoo", crossdock+`/sandbox/odoo"`)}, "connectors/odoo may never import sandbox/odoo"},
		{"stand-in imports connector", wallBreaches, map[string]string{"sandbox/odoo/odoo.go": importing("odoo", crossdock+`/connectors/odoo"`)}, "sandbox/odoo may never import connectors/odoo"},
		{"stand-in imports the hub's doors", wallBreaches, map[string]string{"sandbox/sandbox.go": importing("sandbox", crossdock+`/connector"`)}, "sandbox may never import connector"},
		{"room imports room", wallBreaches, map[string]string{"intake/intake.go": importing("intake", crossdock+`/desk"`)}, "intake may never import desk"},
		{"room imports a part of a room", wallBreaches, map[string]string{"desk/desk.go": importing("desk", crossdock+`/dispatch/budget"`)}, "desk may never import dispatch/budget"},

		{"pure code", purityBreaches, map[string]string{
			"order.go":           importing("crossdock", `"net/url"`, `"time"`, `"strings"`),
			"core/order.go":      timely("time.Time{}.Add(time.Second)"),
			"dispatch/clock.go":  "package dispatch\nimport (\"time\"; _ \"net/http\")\nvar _ = time.Now",
			"core/order_test.go": importing("core", `"os"`),
		}, ""},
		{"pure code reads the clock", purityBreaches, map[string]string{"core/order.go": timely("time.Now()")}, "core/order.go:3:9: pure code may not use time.Now"},
		{"the clock as a value", purityBreaches, map[string]string{"core/order.go": timely("time.Now")}, "time.Now"},
		{"the clock under another name", purityBreaches, map[string]string{"atp/atp.go": "package atp\nimport c \"time\"\nvar _ = c.Since"}, "time.Since"},
		{"the clock under two names", purityBreaches, map[string]string{"atp/atp.go": "package atp\nimport \"time\"\nimport c \"time\"\nvar _, _ = time.Second, c.Until"}, "time.Until"},
		{"the clock by dot import", purityBreaches, map[string]string{"atp/atp.go": "package atp\nimport . \"time\"\nvar _ = Now"}, "may not dot-import time"},
		{"impure package below a pure one", purityBreaches, map[string]string{"x12/segment/read.go": importing("segment", `"os"`)}, "x12/segment/read.go: pure code may not import os"},
		{"impure by way of another package", purityBreaches, map[string]string{
			"core/order.go":   importing("core", crossdock+`/store"`),
			"store/store.go":  importing("store", crossdock+`/config"`),
			"config/yaml.go":  importing("config", `"os/user"`),
			"store/s_test.go": importing("store", `"net"`),
		}, "config/yaml.go: pure code may not import os/user (core → store → config must be pure)"},

		{"a connector's pure and impure files", connectorPurityBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\nfunc (c *conn) Translate() {}",
			"connectors/odoo/push.go":      "package odoo\nimport (\"time\"; _ \"net/http\")\nvar _ = time.Now",
			"desk/translate.go":            importing("desk", `"os"`),
		}, ""},
		{"translate.go on the network", connectorPurityBreaches, map[string]string{"connectors/odoo/translate.go": importing("odoo", `"net/http"`)}, "connectors/odoo/translate.go: pure code may not import net/http"},
		{"order_project.go reads the clock", connectorPurityBreaches, map[string]string{"connectors/odoo/order_project.go": "package odoo\nimport \"time\"\nvar _ = time.Now()"}, "connectors/odoo/order_project.go:3:9"},
		{"translate_order.go by chance", connectorPurityBreaches, map[string]string{"connectors/odoo/translate_order.go": importing("odoo", `"math/rand/v2"`)}, "math/rand/v2"},
		{"Translate elsewhere", connectorPurityBreaches, map[string]string{"connectors/odoo/odoo.go": "package odoo\nfunc (c *conn) Translate() {}"}, "connectors/odoo/odoo.go: method Translate must be in a file"},

		{"what Translate and Project do not come to", callBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\nimport \"time\"\ntype conn struct{ at func() time.Time }\nfunc (c *conn) Translate() { c.row(); _ = time.Second }\nfunc (c conn) row() { _ = known }\nvar known = 1",
			"connectors/odoo/push.go":      "package odoo\nimport (\"context\"; \"os\"; \"time\")\nfunc (c *conn) Push(ctx context.Context) { os.Exit(1); c.Translate(); _ = time.Now }\nvar other = time.Now()",
			"desk/desk.go":                 "package desk\nimport \"os\"\nfunc (d *desk) Translate() { os.Exit(1) }\ntype desk struct{}",
		}, ""},
		{"a clock in another file", callBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\nfunc (c *conn) Translate() { stamp() }\ntype conn struct{}",
			"connectors/odoo/stamp.go":     "package odoo\nimport \"time\"\nfunc stamp() { _ = time.Now() }",
		}, "connectors/odoo/stamp.go:3:20: pure code may not use time.Now (Translate → stamp must be pure)"},
		{"a clock behind two calls and a method", callBreaches, map[string]string{
			"connectors/odoo/project.go": "package odoo\nfunc (c conn) Project() { w := &writer{}; w.write() }\ntype conn struct{}",
			"connectors/odoo/write.go":   "package odoo\nimport \"time\"\ntype writer struct{}\nfunc (w *writer) write() { func() { w.stamp() }() }\nfunc (*writer) stamp() { time.Sleep(1) }",
		}, "time.Sleep (Project → write → stamp must be pure)"},
		{"a function handed on", callBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\nimport \"slices\"\nfunc (c *conn) Translate() { slices.SortFunc(nil, by) }\ntype conn struct{}",
			"connectors/odoo/by.go":        "package odoo\nimport \"math/rand/v2\"\nfunc by(a, b int) int { return rand.Int() }",
		}, "may not use math/rand/v2.Int"},
		{"a table of functions", callBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\nfunc (c *conn) Translate() { kinds[1]() }\ntype conn struct{}",
			"connectors/odoo/kinds.go":     "package odoo\nimport \"os\"\nvar kinds = map[int]func(){1: home}\nfunc home() { os.Getenv(\"HOME\") }",
		}, "os.Getenv (Translate → kinds → home must be pure)"},
		{"a method behind an interface", callBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\ntype reads interface{ read() }\nfunc (c *conn) Translate() { var r reads = c; r.read() }\ntype conn struct{}",
			"connectors/odoo/read.go":      "package odoo\nimport \"net/http\"\nfunc (c *conn) read() { http.Get(\"\") }",
		}, "net/http.Get (Translate → read must be pure)"},
		{"a call that can wait", callBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\nfunc (c *conn) Translate() { c.ask(nil) }\ntype conn struct{}",
			"connectors/odoo/ask.go":       "package odoo\nimport \"context\"\nfunc (c *conn) ask(ctx context.Context) {}",
		}, "may not use context.Context (Translate → ask must be pure)"},
		{"a function of another package", callBreaches, map[string]string{
			"connectors/odoo/translate.go": "package odoo\nimport " + crossdock + "/connector\"\nfunc (c *conn) Translate() { connector.Stamp() }\ntype conn struct{}",
			"connector/stamp.go":           "package connector\nimport \"time\"\nfunc Stamp() { _ = time.Now() }\nfunc Wait() { time.Sleep(1) }",
		}, "connector/stamp.go:3:20: pure code may not use time.Now (Translate → Stamp must be pure)"},

		{"folder names", folderBreaches, map[string]string{"desk/desk.go": "package desk", "core/testdata/models/a.txt": "", ".git/common/a": ""}, ""},
		{"type names", typeNameBreaches, map[string]string{"core/a.go": "package core\ntype orderHelper struct{}\ntype Order struct{}\nfunc NewManager() {}"}, ""},
		{"a file of 600 lines", lengthBreaches, map[string]string{"core/a.go": long(600), "core/a_test.go": long(700), "core/b_gen.go": long(700)}, ""},
		{"a file of 601 lines", lengthBreaches, map[string]string{"core/a.go": long(601)}, "core/a.go: 601 lines"},
	}
	for _, imp := range []string{"net", "net/http", "net/http/httptest", "os", "os/exec", "io/ioutil", "syscall", "math/rand", "math/rand/v2", "crypto/rand"} {
		tests = append(tests, proof{"pure code imports " + imp, purityBreaches, map[string]string{"core/order.go": importing("core", `"`+imp+`"`)}, "pure code may not import " + imp + " "})
	}
	for _, use := range impureTime {
		tests = append(tests, proof{"pure code uses time." + use, purityBreaches, map[string]string{"core/order.go": timely("time." + use)}, "may not use time." + use + ";"})
	}
	for _, dir := range bannedFolders {
		tests = append(tests, proof{"folder " + dir, folderBreaches, map[string]string{"desk/" + dir + "/a.sql": ""}, "desk/" + dir + ": a folder is not named"})
	}
	for _, word := range bannedWords {
		tests = append(tests, proof{"type " + word, typeNameBreaches, map[string]string{"core/a.go": "package core\ntype (\nA int\nOrder" + word + "s struct{}\n)"}, "type Order" + word + "s is named"})
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, text := range tt.files {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
			found := tt.check(readHouse(t, tree))
			if tt.want == "" && len(found) > 0 {
				t.Fatalf("a sound tree is refused: %q", found)
			}
			if tt.want != "" && (len(found) != 1 || !strings.Contains(found[0], tt.want)) {
				t.Fatalf("found %q, want one breach with %q in it", found, tt.want)
			}
		})
	}
}

// TestFloorGrantsNothingThroughWalls keeps the plan itself honest: no line
// names an arrow that a wall forbids.
func TestFloorGrantsNothingThroughWalls(t *testing.T) {
	granted := 0
	for from, r := range floor {
		for to := range floor {
			if from == to || !slices.Contains(strings.Fields(r.ours), to) {
				continue
			}
			granted++
			for _, w := range walls {
				if within(from, w.from) && within(to, w.to) && !sameHouse(from, to) {
					t.Errorf("floor grants %s → %s: %s", from, to, w.why)
				}
			}
		}
	}
	if granted == 0 {
		t.Fatal("no arrow was looked at")
	}
}
