// Package families_test adds a family of institutions to a real server by one row
// of the registry.
package families_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/test/harness"
)

const banksFile = `{"banks": [{"company": "se-toy", "displayName": "Toy bank", "loginMethods": ["SWEDISH_MOBILE_BANKID_OTHER_DEVICE"],
	"family": "toy", "balance": "1234.50"}]}`

// start starts a server over SQLite that knows the toy family, and returns a
// client of its API.
func start(t *testing.T, clk clock.Clock) *apiclient.Client {
	t.Helper()
	registry := append(families.All(), institution.Family{Name: "toy", New: func() institution.Config { return new(toy) }})
	path := filepath.Join(t.TempDir(), "banks.json")
	if err := os.WriteFile(path, []byte(banksFile), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := registry.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	log := harness.NewLog()
	institutions, err := file.Open(institution.Deps{Clock: clk, Log: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(institutions.Close)
	master, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", Database: t.TempDir()},
		server.Parts{Clock: clk, Log: log.Logger(), Master: master, Institutions: institutions})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		log.Check(t)
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, key, err := s.Authn.CreateKey(t.Context(), "test", "test", "")
	if err != nil {
		t.Fatal(err)
	}
	validating := harness.Contract(t).Transport(http.DefaultTransport, func(err error) { t.Errorf("contract violation: %v", err) })
	return &apiclient.Client{Base: s.URL(), APIKey: key, HTTP: &http.Client{Transport: validating}}
}

// A family is added by one row: everything from POST /consents to products works
// with it.
func TestFamily_RunsWholeFlowByOneRow(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	clk := clock.NewFast(time.Now(), 10)
	const every = 200 * time.Millisecond
	client := start(t, clk)
	user, err := client.CreateUser(ctx, "customer-1")
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.CreateSession(ctx, user.ID)
	if err != nil {
		t.Fatal(err)
	}
	id, err := client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: "se-toy",
		LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", IPAddress: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	pending := map[string]bool{"INITIATED": true, "AWAITING_AUTHORIZATION": true}
	s, err := client.AwaitConsent(ctx, clk, token, id, every, func(s apiclient.ConsentStatus) bool { return !pending[s.Status] })
	if err != nil || s.Status != "AUTHORIZED" {
		t.Fatalf("the consent ended as %+v, %v", s, err)
	}
	collection, err := client.StartCollection(ctx, token, "se-toy", id, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if status, err := client.AwaitCollection(ctx, clk, token, collection, every); err != nil || status != "COMPLETED" {
		t.Fatalf("the collection ended as %s, %v", status, err)
	}
	data, err := client.Data(ctx, token, collection)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data) || !strings.Contains(string(data), "Toy account") || !strings.Contains(string(data), "1234.5") {
		t.Errorf("products: %s", data)
	}
}
