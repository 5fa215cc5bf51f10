package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/store/sqlstore"
)

func start(t *testing.T, dir string, master *keyset.Master) *server.Server {
	t.Helper()
	s, err := server.New(context.Background(), server.Config{Listen: "127.0.0.1:0", Database: dir}, parts(master))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func parts(master *keyset.Master) server.Parts {
	return server.Parts{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Master: master}
}

func stop(t *testing.T, s *server.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func master(t *testing.T) *keyset.Master {
	t.Helper()
	m, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStart_LogsCapabilitiesOfInstitutions(t *testing.T) {
	var log bytes.Buffer
	p := parts(master(t))
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	p.Institutions = institution.Set{"se-a": {Company: company.Company{ID: "se-a"}, Family: "toy",
		Revoker: struct{ institution.Revoker }{}, Collector: struct{ institution.Collector }{}}}
	s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", Database: t.TempDir()}, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if want := `company=se-a family=toy capabilities="[collect revoke]"`; !strings.Contains(log.String(), want) {
		t.Errorf("%s is not in the log: %s", want, &log)
	}
}

// A server whose persons are sent to pages of institutions keeps the release before off the
// database; one of banks that the release before knows too does not.
func TestStart_KeepsTheReleaseBeforeOffAfterTheFirstRedirect(t *testing.T) {
	oldest := func(i institution.Institution) int64 {
		t.Helper()
		dir := t.TempDir()
		p := parts(master(t))
		i.Company.ID = "se-a"
		p.Institutions = institution.Set{"se-a": i}
		s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", Database: dir}, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop(t, s)
		db, err := sqlstore.Inspect(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return db.Oldest
	}
	before := oldest(institution.Institution{})
	if before >= sqlstore.VisitsMigration {
		t.Errorf("binaries from %d on", before)
	}
	for name, i := range map[string]institution.Institution{
		"redirect": {Profile: institution.Profile{Redirects: true}}, "login first": {Profile: institution.Profile{LoginFirst: true}},
		"tokens": {Refresher: struct{ institution.Refresher }{}},
	} {
		if n := oldest(i); n != sqlstore.VisitsMigration {
			t.Errorf("%s: binaries from %d on", name, n)
		}
	}
}

func TestServer_AnswersOtherPathsWithNotFound(t *testing.T) {
	s := start(t, t.TempDir(), master(t))
	for _, path := range []string{"//users", "/users/../users", "/users/", "/./healthz", "/nothing"} {
		r, err := http.NewRequest(http.MethodGet, s.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		var problem struct{ Code string }
		err = json.NewDecoder(resp.Body).Decode(&problem)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusNotFound || problem.Code != "NOT_FOUND" {
			t.Errorf("%s: HTTP %d %s, %v", path, resp.StatusCode, problem.Code, err)
		}
	}
}

func TestNew_NeedsDirectoryForItselfAndItsMasterKey(t *testing.T) {
	dir, key := t.TempDir(), master(t)
	s, err := server.New(context.Background(), server.Config{Database: dir}, parts(key))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.New(context.Background(), server.Config{Database: dir}, parts(key)); !errors.Is(err, sqlstore.ErrInUse) {
		t.Errorf("a second server: %v", err)
	}
	stop(t, s)
	if _, err := server.New(context.Background(), server.Config{Database: dir}, parts(master(t))); !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("another master key: %v", err)
	}
	start(t, dir, key)
}
