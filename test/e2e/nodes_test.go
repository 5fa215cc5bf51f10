package e2e

import (
	"context"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/testpg"
)

// node starts a second server on the world's database, with connectors to the
// same banks.
func (w *world) node(t *testing.T) *server.Server {
	t.Helper()
	master, err := keyset.LoadMaster(filepath.Join(w.Dir, "master.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	log := w.Journal.Logger().With("node", "B")
	qwac, qseal := w.Sandbox.TPP()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.Sandbox.CAPEM())
	var institutions []institution.Institution
	for _, info := range w.Sandbox.Banks() {
		b, err := xs2a.New(devserver.BankConfig(info), xs2a.Deps{Clock: w.clock, Logger: log, Wrap: w.judgeConnectors,
			Keys: &xs2a.Keys{QWAC: &qwac, QSEAL: &qseal, Roots: roots}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		institutions = append(institutions, b.Institution())
	}
	s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", Database: w.database},
		server.Parts{Clock: w.clock, Log: log, Master: master, Institutions: institutions})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// kill takes a server away as a crash does: its database goes from under its
// feet, so that nothing that it has under way is settled.
func kill(t *testing.T, s *server.Server) {
	t.Helper()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	t.Logf("killed: %v", s.Stop(over))
}

// TestTwoNodes: what one node has begun is seen on the other and, when the first
// dies, goes on there.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.URL(t), speed/2)
	other := w.node(t)
	p, reader := w.person(t, maja), w.person(t, ester)
	readable := reader.consents(t, ask{company: demo})

	id := p.asks(t, ask{company: demo})
	p.awaits(t, id, "AWAITING_AUTHORIZATION")
	p.client = p.on(other.URL())
	movingQR(t, p, id, 2) // a node that does not watch asks for every other text

	stalled := w.wire.stalls("GET", "/transactions")
	collection := reader.starts(t, stored(demo, readable, "")).ID
	w.caught(t, stalled)
	first := w.Server
	w.Server = other // the world's own end stops this one
	kill(t, first)
	died := w.clock.Now()
	w.wire.mend(stalled)

	p.signs(t, "approve", p.awaits(t, id, "AWAITING_AUTHORIZATION").AuthInstructions, "")
	p.awaits(t, id, "AUTHORIZED")
	if took := w.clock.Now().Sub(died); took > time.Minute {
		t.Errorf("the consent went on after %s", took)
	}
	p.collects(t, demo, id, home, "COMPLETED")

	reader.client = reader.on(other.URL())
	reader.ends(t, collection, "COMPLETED")
	if took := w.clock.Now().Sub(died); took > 2*time.Minute {
		t.Errorf("the collection went on after %s", took)
	}
	asTheBankHasThem(t, w, demo, ester, reader.data(t, collection), unattendedDays)
	if n := w.Sandbox.Stats().DuplicateConsents; n != 0 {
		t.Errorf("%d duplicate consents at the banks", n)
	}
}
