package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

const plan = `
floor 0 clock ident
floor 1 user consent
floor 2 bank
floor 3 bank/xs2a outbound
floor 6 sandbox
floor 7 /cmd/samla
arrow bank/xs2a outbound
island sandbox
testonly testpg /test
`

// doc makes a file of a package with a comment and the given imports.
func doc(name string, imports ...string) string {
	s := "// Package " + name + " is a package.\npackage " + name + "\n"
	for _, i := range imports {
		s += "import _ \"" + i + "\"; "
	}
	return s + "\n"
}

func TestCheck_FindsBrokenRules(t *testing.T) {
	cases := []struct {
		name  string
		files map[string]string
		want  string // "" when nothing is broken, else a part of the one line
	}{
		{"downwards", map[string]string{"internal/user/user.go": doc("user", "samla/internal/clock", "fmt")}, ""},
		{"upwards", map[string]string{"internal/clock/c.go": doc("clock", "samla/internal/user")},
			"internal/clock/c.go:3: internal/clock (floor 0) imports upwards: internal/user is on floor 1"},
		{"sibling", map[string]string{"internal/user/user.go": doc("user", "samla/internal/consent")}, "no arrow"},
		{"arrow", map[string]string{"internal/bank/xs2a/x.go": doc("xs2a", "samla/internal/outbound")}, ""},
		{"arrow the other way", map[string]string{"internal/outbound/o.go": doc("outbound", "samla/internal/bank/xs2a")}, "no arrow"},
		{"inside a room", map[string]string{"internal/bank/xs2a/x.go": doc("xs2a", "samla/internal/bank/xs2a/sign")}, ""},
		{"a package below takes its room's floor", map[string]string{"internal/bank/xs2a/sign/s.go": doc("sign", "samla/cmd/samla")}, "upwards"},
		{"a longer name wins", map[string]string{"internal/bank/b.go": doc("bank", "samla/internal/bank/xs2a")}, "upwards"},
		{"test files go up", map[string]string{
			"internal/clock/c.go":      doc("clock"),
			"internal/clock/c_test.go": doc("clock", "samla/internal/user", "samla/internal/testpg")}, ""},
		{"island to the ground", map[string]string{"internal/sandbox/pki/p.go": doc("pki", "samla/internal/ident", "samla/internal/sandbox")}, ""},
		{"island ashore", map[string]string{"internal/sandbox/pki/p.go": doc("pki", "samla/internal/user")}, "is an island"},
		{"test support in the product", map[string]string{"internal/user/u.go": doc("user", "samla/internal/testpg")}, "for tests only"},
		{"test support in test support", map[string]string{"test/load/l.go": doc("load", "samla/internal/testpg")}, ""},
		{"unplanned package", map[string]string{"internal/attic/a.go": doc("attic")}, "internal/attic has no floor"},
		{"unplanned import", map[string]string{"internal/user/u.go": doc("user", "samla/internal/attic")}, "internal/attic has no floor"},
		{"tools are no room", map[string]string{"tools/cmd/x/x.go": doc("x", "time")}, ""},

		{"no comment in a package of tests", map[string]string{"test/load/l_test.go": "package load\n"}, "l_test.go:1: package test/load has no package comment"},
		{"no comment in another package", map[string]string{"internal/user/u.go": "package user\n"}, ""}, // revive finds it
		{"comment in another file", map[string]string{"test/load/l_test.go": "package load\n", "test/load/doc_test.go": doc("load")}, ""},
		{"long SQL", map[string]string{"internal/user/1.sql": strings.Repeat("\n", 501)}, "1.sql:501: 501 lines, more than 500"},
		{"SQL", map[string]string{"internal/user/1.sql": strings.Repeat("\n", 500)}, ""},
		{"a currency", map[string]string{"internal/user/1.sql": "-- XX" + "X for none\n"}, ""},
		{"a mark", map[string]string{"Makefile": "# XX" + "X: later\n"}, "XX" + "X:"},
		{"unfinished SQL", map[string]string{"internal/user/u.go": doc("user"), "internal/user/1.sql": "SELECT 1;\n-- TO" + "DO index\n"}, "1.sql:2: TO" + "DO"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			broken := look(t, c.files)
			switch {
			case c.want == "" && len(broken) > 0:
				t.Errorf("broken: %v", broken)
			case c.want != "" && (len(broken) != 1 || !strings.Contains(broken[0].String(), c.want)):
				t.Errorf("broken: %v, want one with %q", broken, c.want)
			}
		})
	}
}

func look(t *testing.T, files map[string]string) []Broken {
	t.Helper()
	root := fstest.MapFS{"go.mod": {Data: []byte("module samla\n")}}
	for p, text := range files {
		root[p] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := ReadTree(root)
	if err != nil {
		t.Fatal(err)
	}
	config, err := ReadConfig(strings.NewReader(plan))
	if err != nil {
		t.Fatal(err)
	}
	return Check(config, tree)
}

func TestReadConfig_RefusesMistakes(t *testing.T) {
	for _, text := range []string{"flor 0 clock", "floor x clock", "floor -1 clock", "floor 0 clock\nfloor 1 clock", "wallclock clock", "island"} {
		if _, err := ReadConfig(strings.NewReader(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestReadConfig_OfThisProject(t *testing.T) {
	text, err := os.ReadFile("../../../.house")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Floors) == 0 || len(c.Arrows) == 0 || len(c.TestOnly) == 0 || len(c.Islands) == 0 {
		t.Errorf("a rule is empty: %+v", c)
	}
}
