package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// plan and rules describe a small project that is in order.
const (
	plan = "# Plan\n```floors\n" +
		"T test/load       drives the whole\n" +
		"  testpg          a database\n" +
		"2 sandbox         island: simulated banks\n" +
		"1 store           ports\n" +
		"  store/sqlstore  SQL\n" +
		"0 clock           time\n" +
		"  ident           numbers\n" +
		"```\n"
	rules = `
components:
  test/load: { in: test/load/** }
  testpg: { in: internal/testpg }
  sandbox: { in: internal/sandbox/** }
  store: { in: internal/store }
  store/sqlstore: { in: internal/store/sqlstore }
  clock: { in: internal/clock }
  ident: { in: internal/ident }
deps:
  test/load: { anyProjectDeps: true }
  sandbox: { mayDependOn: [sandbox, clock] }
  store/sqlstore: { mayDependOn: [store, clock] }
`
)

// files are those of the project that the rules allow something for.
var files = map[string]string{
	"internal/sandbox/pki/p.go":      "package pki\nimport _ \"samla/internal/clock\"\nimport _ \"samla/internal/sandbox\"\n",
	"internal/store/sqlstore/sql.go": "package sqlstore\nimport _ \"samla/internal/clock\"\nimport _ \"samla/internal/store\"\n",
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name            string
		inPlan, planned string // a part of the plan, and what replaces it
		inRules, ruled  string
		file, text      string
		want            string // a part of the one line, or of the error
	}{
		{name: "in order"},
		{name: "package without floor", inPlan: "  ident           numbers\n", want: "ident is on no floor of ARCHITECTURE.md"},
		{name: "floor without component", inRules: "  ident: { in: internal/ident }\n", want: "ARCHITECTURE.md:9: ident is no component"},
		{name: "upwards", inRules: "deps:\n", ruled: "deps:\n  clock: { mayDependOn: [store] }\n", file: "internal/clock/c.go", text: "package clock\nimport _ \"samla/internal/store\"\n",
			want: ".go-arch-lint.yml:11: clock may not import store of a higher floor"},
		{name: "tests in the product", inRules: "[store, clock]", ruled: "[store, clock, testpg]", file: "internal/store/sqlstore/x.go", text: "package sqlstore\nimport _ \"samla/internal/testpg\"\n",
			want: "store/sqlstore may not import testpg of a higher floor"},
		{name: "siblings", inRules: "deps:\n", ruled: "deps:\n  ident: { mayDependOn: [clock] }\n", file: "internal/ident/i.go", text: "package ident\nimport _ \"samla/internal/clock\"\n"},
		{name: "island", inRules: "[sandbox, clock]", ruled: "[sandbox, clock, store]", file: "internal/sandbox/s.go", text: "package sandbox\nimport _ \"samla/internal/store\"\n",
			want: "sandbox is an island"},
		{name: "anything", inRules: "deps:\n", ruled: "deps:\n  store: { anyProjectDeps: true }\n", want: "store may import anything"},
		{name: "unused", inRules: "[store, clock]", ruled: "[store, clock, ident]", want: "store/sqlstore does not import ident"},
		{name: "used by a test only", inRules: "[store, clock]", ruled: "[store, clock, ident]", file: "internal/store/sqlstore/s_test.go",
			text: "// Package sqlstore is.\npackage sqlstore\nimport _ \"samla/internal/ident\"\n", want: "store/sqlstore does not import ident"},
		{name: "name that is no folder", inRules: "ident: { in: internal/ident }", ruled: "ident: { in: internal/numbers }", want: "ident is in internal/numbers"},
		{name: "two floors", inPlan: "0 clock", planned: "0 store           again\n  clock", want: "ARCHITECTURE.md:8: store is on two floors"},
		{name: "no floor before the first", inPlan: "T test/load ", planned: "  test/load ", want: "ARCHITECTURE.md:3: test/load is on no floor"},
		{name: "line without description", inPlan: "  ident           numbers", planned: "  ident", want: "ARCHITECTURE.md:9: not a line of the form"},
		{name: "no plan", inPlan: "```floors", planned: "```", want: "no block of floors"},
		{name: "no rules", inRules: "components:", ruled: "parts:", want: "no components"},

		{name: "test package without comment", file: "test/load/l_test.go", text: "package load\n", want: "test/load/l_test.go:1: package test/load has no package comment"},
		{name: "test package with comment", file: "test/load/l_test.go", text: "// Package load is.\npackage load\n"},
		{name: "comment of another package", file: "internal/clock/c.go", text: "package clock\n"}, // revive finds it
		{name: "long SQL", file: "internal/store/1.sql", text: strings.Repeat("\n", 501), want: "1.sql:501: 501 lines, more than 500"},
		{name: "SQL", file: "internal/store/1.sql", text: strings.Repeat("\n", 500)},
		{name: "unfinished SQL", file: "internal/store/1.sql", text: "SELECT 1;\n-- TO" + "DO index\n", want: "1.sql:2: TO" + "DO"},
		{name: "mark", file: "Makefile", text: "# XX" + "X: later\n", want: "Makefile:1: XX" + "X:"},
		{name: "currency", file: "internal/store/1.sql", text: "-- XX" + "X for none\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := fstest.MapFS{
				"go.mod":   {Data: []byte("module samla\n")},
				floorsFile: {Data: []byte(replace(t, plan, c.inPlan, c.planned))},
				rulesFile:  {Data: []byte(replace(t, rules, c.inRules, c.ruled))},
			}
			for name, text := range files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if c.file != "" {
				root[c.file] = &fstest.MapFile{Data: []byte(c.text)}
			}
			var got []string
			broken, err := check(root)
			if err != nil {
				got = append(got, err.Error())
			}
			for _, b := range broken {
				got = append(got, b.String())
			}
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func replace(t *testing.T, text, old, new string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in the text", old)
	}
	return strings.Replace(text, old, new, 1)
}

func TestCheck_OfThisProject(t *testing.T) {
	broken, err := check(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Error(b)
	}
}
