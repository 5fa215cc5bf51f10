package e2e

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/backup"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/journal"
	"samla/internal/operator"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
)

// The drill of docs/operate-backup.md: a backup is made while the server runs; then a
// person is erased, a consent is revoked, data is erased and an API key is revoked; then
// the database is lost.
func TestRestore_KnowsWhatWasDecidedSinceTheBackup(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": testpg.URL} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			// The server that is restored stops before its database is dropped.
			restored := filepath.Join(t.TempDir(), "restored")
			if engine == "postgres" {
				restored = testpg.URL(t)
			}
			w := newEnv(t, database(t), clockSpeed)
			erased, kept, revoker := w.person(t, sam), w.person(t, noa), w.person(t, alva)
			erasedConsent := erased.authorizeConsent(t, consentRequest{company: demoBank})
			keptConsent := kept.authorizeConsent(t, consentRequest{company: demoBank})
			revokedConsent := revoker.authorizeConsent(t, consentRequest{company: demoBank})
			replacedConsent := revoker.authorizeConsent(t, consentRequest{company: demoBank})
			erasedData := erased.collect(t, demoBank, erasedConsent, address, "COMPLETED")
			keptData := kept.collect(t, demoBank, keptConsent, address, "COMPLETED")
			deletedData := kept.collect(t, demoBank, keptConsent, address, "COMPLETED")
			withTokens := w.person(t, maja)
			tokens := withTokens.requestConsent(t, consentRequest{company: "se-demo-oauth"})
			w.goAndReturn(t, w.browser(), withTokens.awaitPage(t, tokens), withTokens.acts())
			withTokens.awaitConsent(t, tokens, "AUTHORIZED")
			inFlight := w.person(t, elsa)
			signing := inFlight.requestConsent(t, consentRequest{company: autostartBank})
			inFlight.awaitConsent(t, signing, "AWAITING_AUTHORIZATION")
			_, secret, err := w.Server.Authn.CreateKey(t.Context(), "Example", "second", "")
			if err != nil {
				t.Fatal(err)
			}
			second := w.WithKey(secret)

			endpoints := map[string]string{}
			for _, use := range []string{"kept", "deleted", "rotated"} {
				var made struct{ ID string }
				w.backend.Do(t, "POST", "/webhook-endpoints", map[string]any{"url": "http://127.0.0.1:9/" + use}).WantStatus(t, 201, &made)
				endpoints[use] = made.ID
			}
			left, stays := operator.Account{Operator: operator.Operator{ID: "0199-left", Name: "left", Role: operator.Admin}}, operator.Account{Operator: operator.Operator{ID: "0199-stays", Name: "stays", Role: operator.Admin}, Enrol: "hash of another link"}
			reset := operator.Account{Operator: operator.Operator{ID: "0199-reset", Name: "reset", Role: operator.Admin}, Enrol: "hash of a link"}
			if err := w.Server.Store().Write(t.Context(), func(tx store.Tx) error {
				return errors.Join(tx.AddOperator(t.Context(), left), tx.AddOperator(t.Context(), reset), tx.AddOperator(t.Context(), stays))
			}); err != nil {
				t.Fatal(err)
			}
			// Told before the backup, committed after it: a reset that came last.
			for _, role := range []operator.Role{operator.Viewer, operator.Admin} {
				w.journal(t, journal.Record{Kind: journal.OperatorRole, ID: reset.ID, Detail: string(role)})
			}
			w.journal(t, journal.Record{Kind: journal.OperatorWays, ID: reset.ID, Detail: "0"})
			ring := w.openRing(t)
			path := filepath.Join(t.TempDir(), "backup")
			m, err := backup.Write(t.Context(), path, "0199", w.clock.Now(), w.Server.Store().(*sqlstore.Store), ring)
			if err != nil {
				t.Fatal(err)
			}

			w.backend.Do(t, "DELETE", "/users/"+erased.userID, nil).WantStatus(t, http.StatusNoContent, nil)
			revoker.revokeConsent(t, revokedConsent)
			w.backend.Do(t, "DELETE", "/collections/"+deletedData, nil).WantStatus(t, http.StatusNoContent, nil)
			w.revokeKey(t, "second")
			w.backend.Do(t, "DELETE", "/webhook-endpoints/"+endpoints["deleted"], nil).WantStatus(t, http.StatusNoContent, nil)
			w.backend.Do(t, "POST", "/webhook-endpoints/"+endpoints["rotated"]+"/rotate-secret", nil).WantStatus(t, 200, nil)
			w.awaitBankStatus(t, erasedConsent, "terminatedByTpp")
			w.awaitBankStatus(t, revokedConsent, "terminatedByTpp")
			w.awaitDelivered(t)
			told := []string{w.bankConsent(t, erasedConsent).ID, w.bankConsent(t, revokedConsent).ID}
			waiting := []string{w.bankConsent(t, signing).ID, w.bankConsent(t, replacedConsent).ID} // for their banks to be told

			// Two renewals after the backup: the database was lost before the commit of the first.
			replacing := func(id, by string) journal.Record {
				return journal.Record{Kind: journal.ConsentReplaced, ID: id, Detail: by}
			}
			w.journal(t, journal.Record{Kind: journal.OperatorRemoved, ID: left.ID}, journal.Record{Kind: journal.OperatorRole, ID: stays.ID, Detail: string(operator.Viewer)},
				journal.Record{Kind: journal.OperatorWays, ID: stays.ID, Detail: "-1"}) // an older revision than the backup's, but recorded after it
			w.journal(t, replacing(keptConsent, "lost"), replacing(replacedConsent, "kept"), journal.Record{Kind: journal.ConsentRenewed, ID: "kept"})

			w.stopServer(t)
			since := len(w.interceptor.all())
			config := server.Config{Listen: "127.0.0.1:0", Database: restored, KeyDir: filepath.Join(w.Dir, "keys")}
			parts := server.Parts{Clock: w.clock, Log: w.Log.Logger(), Master: w.master(t), Institutions: w.Institutions}
			r, err := server.Restore(t.Context(), config, parts, path)
			if err != nil {
				t.Fatal(err)
			}
			if r.Manifest.SHA256 != m.SHA256 || r.Bytes != m.Bytes {
				t.Errorf("the restored file is %+v, not %+v", r.Manifest, m)
			}
			elsewhere := config
			if elsewhere.Database = filepath.Join(t.TempDir(), "elsewhere"); engine == "postgres" {
				elsewhere.Database = testpg.URL(t)
			}
			if next, err := server.Restore(t.Context(), elsewhere, parts, path); err != nil || next.Users != r.Users || next.Endpoints != r.Endpoints {
				t.Errorf("the next restore %+v, not %+v, %v", next, r, err)
			}
			if r.Users != 1 || r.Keys != 1 || r.Data != 1 || r.Consents < 1 || r.InFlight != 1 || r.ID != m.ID {
				t.Errorf("restored %+v", r)
			}
			if r.Operators != 3 {
				t.Errorf("%d operators are changed", r.Operators)
			}
			if len(r.Tokens) != 1 || r.Tokens["se-demo-oauth"] != 1 {
				t.Errorf("consents with refresh tokens: %v", r.Tokens)
			}
			if n := len(w.interceptor.all()); n != since {
				t.Errorf("the restore sent %d requests to banks", n-since)
			}
			if w.Server, err = server.New(t.Context(), config, parts); err != nil {
				t.Fatal(err)
			}
			if all, err := w.Server.Store().Operators(t.Context()); err != nil || len(all) != 2 || all[0].ID != reset.ID || all[0].Enrol != "" || all[1].ID != stays.ID || all[1].Enrol != "" || all[1].Role != operator.Viewer {
				t.Errorf("operators after the restore: %v, %v", all, err)
			}
			if err := w.Server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}

			// The consent that was being signed is ended at the bank, once. What the banks were
			// told before is not told again, and nothing is opened again.
			// The bank may have ended it before, since nobody signed it for so long.
			w.await(t, "the bank to be told of the consent that was being signed", func() bool {
				return slices.ContainsFunc(w.interceptor.all()[since:], func(a bankRequest) bool {
					return a.method == http.MethodDelete && a.consentID == waiting[0]
				})
			})
			w.awaitDelivered(t)
			if s := w.bankConsent(t, signing).Status; s != "terminatedByTpp" && s != "rejected" {
				t.Errorf("the bank's consent is %s", s)
			}
			for _, a := range w.interceptor.all()[since:] {
				if a.method == http.MethodPost {
					t.Errorf("%s %s was sent after the restore", a.method, a.path)
				}
				for _, id := range told {
					if a.consentID == id {
						t.Errorf("%s %s was sent for a consent whose end the bank knew", a.method, a.path)
					}
				}
				if a.method == http.MethodDelete && !slices.Contains(waiting, a.consentID) {
					t.Errorf("%s %s was sent", a.method, a.path)
				}
			}

			backend := client{w.WithKey(w.APIKey), w}
			second.Base = w.Server.URL()
			second.Do(t, "GET", "/companies/availability", nil).WantProblem(t, fault.Unauthorized)
			kept.Env.Server = w.Server
			old := kept.atNode(w.Server.URL())
			old.Do(t, "GET", "/consents", nil).WantProblem(t, fault.Unauthorized) // a token from before
			backend.Do(t, "POST", "/users/"+erased.userID+"/sessions", nil).WantProblem(t, fault.UserAnonymized)
			backend.Do(t, "GET", "/collections/"+erasedData+"/wealth/data", nil).WantProblem(t, fault.DataExpired)
			backend.Do(t, "GET", "/collections/"+deletedData+"/wealth/data", nil).WantProblem(t, fault.DataExpired)
			backend.Do(t, "GET", "/collections/"+keptData+"/wealth/data", nil).WantStatus(t, 200, nil)
			if _, err := w.Server.Store().DataKey(t.Context(), erased.userID); !errors.Is(err, seal.ErrKeyDestroyed) {
				t.Errorf("the data key of the erased person: %v", err)
			}
			for id, want := range map[string]consent.Status{erasedConsent: consent.Revoked, revokedConsent: consent.Revoked,
				replacedConsent: consent.Revoked, signing: consent.Failed, keptConsent: consent.Authorized} {
				if c, err := w.Server.Store().Consent(t.Context(), consent.ID(id)); err != nil || c.Status != want {
					t.Errorf("consent %s is %s, want %s, %v", id, c.Status, want, err)
				}
			}
			var listed []struct{ ID, State, Reason string }
			backend.Do(t, "GET", "/webhook-endpoints", nil).WantStatus(t, 200, &listed)
			states := map[string]string{}
			for _, e := range listed {
				states[e.ID] = e.State + " " + e.Reason
			}
			if len(states) != 2 || states[endpoints["kept"]] != "ACTIVE " || states[endpoints["rotated"]] != "PAUSED RESTORED" {
				t.Errorf("webhook endpoints %v of %v", states, endpoints)
			}
			// Reads without the person count as used, reads with the person go on.
			if !recordsRestore(t, w.Server.Store()) {
				t.Error("the audit log does not say that it was restored")
			}
			again := backend.session(t, kept.userID)
			again.Do(t, "POST", "/collections", storedConsent(demoBank, keptConsent, "")).WantProblem(t, fault.BackgroundRefreshLimit)
			again.collect(t, demoBank, keptConsent, address, "COMPLETED")
			if engine == "sqlite" {
				w.Log.Secret("the person's number", sam)
				wantNowhere(t, filepath.Dir(config.Database), sam, erased.externalID)
			}
		})
	}
}

// wantNowhere fails if a file below a directory has one of the texts.
func wantNowhere(t *testing.T, dir string, texts ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, text := range texts {
			if strings.Contains(string(b), text) {
				t.Errorf("%s contains %q", d.Name(), text)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func (w *env) openRing(t *testing.T) *keyset.Ring {
	t.Helper()
	ring, err := keyset.OpenRing(keyset.RingConfig{Dir: filepath.Join(w.Dir, "keys"), Master: w.master(t), Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func (w *env) master(t *testing.T) *keyset.Master {
	t.Helper()
	m, err := keyset.LoadMaster(filepath.Join(w.Dir, "master.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// journal writes records as another node of the server does.
func (w *env) journal(t *testing.T, records ...journal.Record) {
	t.Helper()
	j, err := journal.Open(server.JournalDir(filepath.Join(w.Dir, "keys")), w.clock)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Record(t.Context(), records...), j.Close()); err != nil {
		t.Fatal(err)
	}
}

func (w *env) stopServer(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.Server.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

// revokeKey revokes an API key by its name.
func (w *env) revokeKey(t *testing.T, name string) {
	t.Helper()
	keys, err := w.Server.Authn.ListKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Name == name {
			err = errors.Join(err, w.Server.Authn.RevokeKey(t.Context(), k.ID))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// awaitDelivered waits until no message to a bank is left.
func (w *env) awaitDelivered(t *testing.T) {
	t.Helper()
	s := w.Server.Store().(*sqlstore.Store)
	w.await(t, "the outbox to be empty", func() bool {
		left, err := s.OutboxMessages(t.Context(), outbox.RevokeConsent)
		return err == nil && len(left) == 0
	})
}

// recordsRestore reports whether the audit log has an entry of a restore, chained or not.
func recordsRestore(t *testing.T, s store.Store) bool {
	t.Helper()
	waiting, err := s.UnchainedEntries(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	chained, err := s.AuditRows(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range chained {
		waiting = append(waiting, audit.Entry{Kind: row.Kind, Detail: row.Detail})
	}
	return slices.ContainsFunc(waiting, func(e audit.Entry) bool {
		return e.Kind == string(audit.OperatorCommand) && strings.Contains(string(e.Detail), `"restore"`)
	})
}
