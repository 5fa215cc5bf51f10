package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A key directory that is not that of the database is refused by the commands that wrap
// by it, before they do anything: the master key stays, and no backup is made that the
// true directory cannot open.
func TestKeyDir_AnotherOneIsRefusedBeforeAnythingIsWrapped(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	flags := []string{"--data", file("data"), "--master-key-file", file("master")}
	with := func(keys string, args ...string) (string, error) {
		return command(t, append(append(args, flags...), "--key-dir", file(keys))...)
	}
	if _, err := command(t, "master-key", file("master")); err != nil {
		t.Fatal(err)
	}
	if _, err := with("true", "key", "create", "acme"); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file("master"))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"key", "rotate-master"}, {"backup", file("backup")}} {
		if out, err := with("false", args...); err == nil || !strings.Contains(err.Error(), "pass the --key-dir of the server") {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
	if after, err := os.ReadFile(file("master")); err != nil || string(after) != string(before) {
		t.Error("the master key was changed", err)
	}
	if _, err := os.Stat(file("backup")); err == nil {
		t.Error("there is a backup")
	}
	if out, err := with("false", "doctor", "--no-reach", "--banks", file("none")); err == nil || !strings.Contains(out, "the key directory does not have them") {
		t.Errorf("doctor: %s, %v", out, err)
	}
	for _, args := range [][]string{{"key", "rotate-master"}, {"backup", file("backup")}, {"key", "list"}} {
		if out, err := with("true", args...); err != nil {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
}
