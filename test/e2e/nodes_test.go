package e2e

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/seal/keyset"
	"samla/internal/server"
)

// startNode starts a second server on the same database, with connectors to the same banks.
// Banks send persons back to the first one's address.
func (w *env) startNode(t *testing.T) *server.Server {
	t.Helper()
	master, err := keyset.LoadMaster(filepath.Join(w.Dir, "master.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	log := w.Log.Logger().With("node", "B")
	institutions, err := devserver.OpenBanks(t.Context(), t.TempDir(), w.Sandbox, institution.Deps{Clock: w.clock, Log: log, Wrap: w.validateConnectors})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(institutions.Close)
	s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", PublicURL: w.Server.URL(), Database: w.database, KeyDir: filepath.Join(w.Dir, "keys")},
		server.Parts{Clock: w.clock, Log: log, Master: master, Institutions: institutions})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// kill stops a server as a crash would: its store is closed immediately, so nothing
// in progress is completed.
func kill(t *testing.T, s *server.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Logf("killed: %v", s.Stop(ctx))
}

// What one node has started can be polled on the other node, which continues it when the
// first node is killed.
func TestTwoNodes_ContinueFlowsOfKilledNode(t *testing.T) {
	t.Parallel()
	w := newEnv(t, flowtest.Postgres(t), clockSpeed/2)
	other := w.startNode(t)
	p, reader := w.person(t, maja), w.person(t, ester)
	readable := reader.authorizeConsent(t, consentRequest{company: demoBank})

	id := p.requestConsent(t, consentRequest{company: demoBank})
	p.awaitConsent(t, id, "AWAITING_AUTHORIZATION")
	p.client = p.atNode(other.URL())
	pollQR(t, p, id, 2) // the node that does not watch the bank must ask it for each text

	stalled := w.interceptor.stall("GET", "/transactions")
	attended := reader.startCollection(t, storedConsent(demoBank, readable, address)).ID
	background := reader.startCollection(t, storedConsent(demoBank, readable, "")).ID
	w.awaitHits(t, stalled, 4) // both accounts of both collections
	first := w.Server
	w.Server = other // the one to stop at the end of the test
	kill(t, first)
	died := w.clock.Now()
	w.interceptor.end(stalled)

	reader.client = reader.atNode(other.URL())
	reader.pollCollection(t, attended)
	p.usePhone(t, "approve", p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions, "")
	p.awaitConsent(t, id, "AUTHORIZED")
	if took := w.clock.Now().Sub(died); took > time.Minute {
		t.Errorf("the consent continued after %s", took)
	}
	reader.pollCollection(t, attended)
	p.collect(t, demoBank, id, address, "COMPLETED")

	reader.awaitCollection(t, attended, "COMPLETED")
	compareWithBank(t, w, demoBank, ester, reader.products(t, attended), attendedDays)
	// What was asked without the person when the node died is not asked again: the
	// bank may have counted it.
	reader.awaitCollection(t, background, "COMPLETED_PARTIAL")
	if took := w.clock.Now().Sub(died); took > 2*time.Minute {
		t.Errorf("the collections continued after %s", took)
	}
	seen := map[string]bool{}
	for _, a := range w.interceptor.requestsFor(w.bankConsent(t, readable).ID) {
		if !a.isAccountRead() || a.attended() {
			continue
		}
		if seen[a.target] {
			t.Errorf("%s was asked twice without the person", a.path)
		}
		seen[a.target] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d questions were asked without the person", len(seen))
	}
	if n := w.Sandbox.Stats().DuplicateConsents; n != 0 {
		t.Errorf("%d duplicate consents at the banks", n)
	}
}
