package server_test

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/server"
	"samla/internal/store/sqlstore"
)

// A node stores who has called it, with which key and in which version, also what it has
// counted since the last write when it ends.
func TestServer_CountsUses(t *testing.T) {
	dir := t.TempDir()
	s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", Database: dir}, parts(master(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, secret, err := s.Authn.CreateKey(t.Context(), "acme", "backend", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ secret, version string }{{secret, "2026-04-01"}, {secret, "2026-04-01"}, {secret, ""}, {"wrong", "2026-04-01"}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization-Token", c.secret)
		if c.version != "" {
			r.Header.Set("Insurely-Version", c.version)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	stop(t, s)
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	uses, err := db.UsesSince(t.Context(), time.Time{})
	named, unnamed := int64(0), int64(0)
	for _, u := range uses {
		if u.ClientID != key.ClientID || u.KeyID != key.ID || u.LastAt.IsZero() {
			t.Errorf("%+v", u)
		}
		if u.Named {
			named += u.Requests
		} else {
			unnamed += u.Requests
		}
	}
	if err != nil || named != 2 || unnamed != 1 {
		t.Errorf("%d named, %d not: %+v, %v", named, unnamed, uses, err)
	}
}
