package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs samla and returns what it prints.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, log bytes.Buffer
	err := run(context.Background(), args, &out, &log)
	return out.String(), err
}

func TestAudit_ExportIsVerifiedWithoutTheDatabase(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	in := []string{"--data", file("data"), "--master-key-file", file("master")}
	must := func(args ...string) string {
		t.Helper()
		out, err := command(t, args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out
	}
	on := func(args ...string) string { return must(append(args, in...)...) }
	write := func(name, text string) string {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file(name)
	}
	must("master-key", file("master"))
	secret := on("key", "create", "acme")
	on("key", "create", "acme")
	key := write("audit.pem", on("audit", "public-key"))
	early := write("early", on("audit", "head"))
	on("key", "create", "other")
	late := on("audit", "head")
	head := write("head", on("audit", "head")+late)
	on("audit", "export", "--out", file("log"))
	if _, err := command(t, append([]string{"audit", "export", "--out", file("log")}, in...)...); err == nil || !strings.Contains(err.Error(), "exists already: name another file") {
		t.Error(err)
	}
	log, err := os.ReadFile(file("log"))
	if err != nil || strings.Contains(string(log), strings.TrimSpace(secret)) {
		t.Fatal("the log has a key, or cannot be read", err)
	}
	user := write("user", on("audit", "export", "--user", "nobody"))
	if err := os.RemoveAll(file("data")); err != nil {
		t.Fatal(err)
	}
	if out := must("audit", "verify", file("log"), "--public-key", key, "--head", head, "--head", early); !strings.HasPrefix(out, "ok: 3 entries") {
		t.Error(out)
	}
	if out := must("audit", "verify", user, "--public-key", key); !strings.HasPrefix(out, "ok: 0 entries of user nobody") {
		t.Error(out)
	}
	bad := write("bad", strings.Replace(string(log), "API_KEY_CREATED", "API_KEY_REVOKED", 1))
	for what, args := range map[string][]string{
		"entry 1 (line 2): changed": {bad, "--public-key", key},
		"is no public key in PEM":   {file("log"), "--public-key", head},
		"has no head":               {file("log"), "--public-key", key, "--head", key},
	} {
		if _, err := command(t, append([]string{"audit", "verify"}, args...)...); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What an operator registers for a client is in the log, without what was typed.
func TestClient_IsRecorded(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	store, master := []string{"--data", file("data")}, []string{"--master-key-file", file("master")}
	must := func(args ...string) {
		t.Helper()
		if _, err := command(t, args...); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	must("master-key", file("master"))
	must(append(append([]string{"key", "create", "acme"}, store...), master...)...)
	acts := [][]string{{"identity set", "--legal-name", "Acme Aktiebolag"}, {"return-url add", "https://back.acme.example/x"}, {"return-url remove", "https://back.acme.example/x"},
		{"origin add", "https://app.acme.example"}, {"origin remove", "https://app.acme.example"}}
	for _, a := range acts {
		must(append(append(append([]string{"client"}, append(strings.Fields(a[0]), "acme")...), a[1:]...), store...)...)
	}
	if _, err := command(t, append([]string{"client", "origin", "add", "acme", "no origin"}, store...)...); err == nil {
		t.Error("what is no origin is taken")
	}
	must(append(append([]string{"audit", "export", "--out", file("log")}, store...), master...)...)
	log, err := os.ReadFile(file("log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range acts {
		if n := strings.Count(string(log), `client `+a[0]+`\"`); n != 1 {
			t.Errorf("client %s is there %d times in\n%s", a[0], n, log)
		}
	}
	for _, typed := range []string{"acme.example", "Aktiebolag"} {
		if strings.Contains(string(log), typed) {
			t.Errorf("the log has %q", typed)
		}
	}
}
