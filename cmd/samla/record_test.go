package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/collection"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/user"
)

// The audit log has no text that an operator typed, and has the reading of a collection
// among the entries of its user.
func TestRecord_IsInTheAuditLogOfTheUser(t *testing.T) {
	const id, typed = "0195f0c0-0000-7000-8000-00000000c011", "191212121212"
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	in := []string{"--data", file("data"), "--master-key-file", file("master")}
	must := func(args ...string) {
		t.Helper()
		if _, err := command(t, args...); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	must("master-key", file("master"))
	must(append([]string{"key", "create", "acme"}, in...)...)
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: filepath.Join(file("data"), "store")})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := db.Write(t.Context(), func(tx store.Tx) error {
		return tx.AddClient(t.Context(), client.Client{ID: "c", CreatedAt: now})
	}); err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx store.Tx) error {
		if err := tx.AddUser(t.Context(), user.User{ID: "u", ClientID: "c", CreatedAt: now}); err != nil {
			return err
		}
		return tx.AddCollection(t.Context(), collection.Collection{ID: id, ClientID: "c", UserID: "u", Status: collection.Failed, CreatedAt: now})
	})
	db.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("RECORD_TEST_SECRET", "0123456789012345678901")
	const bank = `{"banks": [{"company": "se-x", "family": "source", "secretVariable": "RECORD_TEST_SECRET", "displayName": "X", "loginMethods": ["EID"], "baseURL": "https://x.example"}]}`
	if err := os.WriteFile(file("banks"), []byte(bank), 0o600); err != nil {
		t.Fatal(err)
	}
	for of, want := range map[string]string{typed: "there is no collection with this id", id: "the collection has no stored answers"} {
		_, err := command(t, append([]string{"record", of, "--banks", file("banks"), "--out", file("case")}, in...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", of, err)
		}
	}
	for name, more := range map[string][]string{"all": nil, "user": {"--user", "u"}} {
		must(append(append([]string{"audit", "export", "--out", file(name)}, more...), in...)...)
		log, err := os.ReadFile(file(name))
		if err != nil || strings.Contains(string(log), typed) || strings.Count(string(log), id) != 1 {
			t.Errorf("%s: %v\n%s", name, err, log)
		}
	}
}
