package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The first admin is made on the command line, beside a server or before its first start.
func TestOperator_IsMadeListedChangedAndRemoved(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	flags := []string{"--data", file("data"), "--master-key-file", file("master")}
	with := func(args ...string) (string, error) { return command(t, append(args, flags...)...) }
	if out, err := with("operator", "list"); err == nil || !strings.Contains(err.Error(), "contains no database") {
		t.Errorf("without a database: %q, %v", out, err)
	}
	if _, err := command(t, "master-key", file("master")); err != nil {
		t.Fatal(err)
	}
	if _, err := with("key", "create", "acme"); err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`^https://console\.example\.com/enrol/[\w-]{43}\n$`)
	if out, err := with("operator", "add", "maria.ek", "--role", "admin", "--console-url", "https://console.example.com"); err != nil || !link.MatchString(out) {
		t.Fatalf("%q, %v", out, err)
	}
	for _, c := range []struct {
		args []string
		want string // of the output, or of the error
	}{
		{[]string{"add", "maria.ek"}, "there is an operator of this name"}, {[]string{"add", "Maria"}, "has 1 to 64 of a to z"}, {[]string{"add", "kim", "--role", "root"}, "must be one of"},
		{[]string{"add", "kim", "--console-url", "http://console.example.com"}, "must begin with https"}, {[]string{"add", "kim"}, "http://localhost:8090/enrol/"},
		{[]string{"role", "maria.ek", "viewer"}, "this is the last admin"}, {[]string{"remove", "maria.ek"}, "this is the last admin"}, {[]string{"role", "kim", "operator"}, ""},
		{[]string{"reset", "kim"}, "http://localhost:8090/enrol/"}, {[]string{"reset", "nobody"}, "'samla operator list' lists them"},
		{[]string{"list"}, "kim       operator  0         -"}, {[]string{"list"}, "maria.ek  admin     0         -"}, {[]string{"remove", "kim"}, ""}, {[]string{"remove", "kim"}, "there is no such operator"},
	} {
		out, err := with(append([]string{"operator"}, c.args...)...)
		if err != nil {
			out = err.Error()
		}
		if !strings.Contains(out, c.want) || c.want == "" && out != "" {
			t.Errorf("%q: %q", c.args, out)
		}
	}
}
