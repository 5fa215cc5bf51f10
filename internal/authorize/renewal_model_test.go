package authorize_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/authorize"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
)

// modelBank is a bank that keeps the consents of one person, and ends the older ones as
// its profile says.
type modelBank struct {
	mu       sync.Mutex
	old      institution.OldConsent
	consents map[consent.RemoteID]institution.ConsentState
	failed   map[consent.RemoteID]bool
	byID     map[string]consent.RemoteID // X-Request-ID of the opening
	down     bool
}

func (m *modelBank) institution() institution.Institution {
	return institution.Institution{Company: company.Company{ID: theBank}, Opener: m, Authorizer: m, ConsentReader: m, Revoker: m,
		Profile: institution.Profile{ReplaySafe: true, OldConsent: m.old}.WithDefaults()}
}

func (m *modelBank) locked() (unlock func(), err error) {
	m.mu.Lock()
	if m.down {
		m.mu.Unlock()
		return nil, kind(institution.Unreachable)
	}
	return m.mu.Unlock, nil
}

// endOthers ends what is valid beside id.
func (m *modelBank) endOthers(id consent.RemoteID) {
	for other, state := range m.consents {
		if other != id && state == institution.ConsentValid {
			m.consents[other] = institution.ConsentRevoked
		}
	}
}

func (m *modelBank) OpenConsent(_ context.Context, r institution.OpenRequest) (institution.Opened, error) {
	unlock, err := m.locked()
	if err != nil {
		return institution.Opened{}, err
	}
	defer unlock()
	id, replay := m.byID[r.RequestID]
	if !replay {
		id = consent.RemoteID(fmt.Sprint("bank-", len(m.byID)))
		m.byID[r.RequestID], m.consents[id] = id, institution.ConsentPending
		if m.old == institution.OldEndsOnRequest {
			m.endOthers(id)
		}
	}
	return institution.Opened{ConsentID: id}, nil
}

func (m *modelBank) StartAuthorization(_ context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	unlock, err := m.locked()
	if err != nil {
		return institution.Authorization{}, err
	}
	defer unlock()
	return institution.Authorization{ID: "auth", StatusLink: "status", State: institution.AuthorizationPending,
		Instructions: &consent.Instructions{AutoStartToken: "token", QRData: "bankid"}}, nil
}

func (m *modelBank) AuthorizationStatus(_ context.Context, a institution.Access, _, _ string, _ bool) (institution.Authorization, error) {
	unlock, err := m.locked()
	if err != nil {
		return institution.Authorization{}, err
	}
	defer unlock()
	switch {
	case m.failed[a.ConsentID]:
		return institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.AuthenticationMismatch}, nil
	case m.consents[a.ConsentID] == institution.ConsentValid:
		return institution.Authorization{State: institution.AuthorizationDone}, nil
	}
	return institution.Authorization{State: institution.AuthorizationPending}, nil
}

func (m *modelBank) Consent(_ context.Context, a institution.Access) (institution.ConsentInfo, error) {
	unlock, err := m.locked()
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	defer unlock()
	return institution.ConsentInfo{State: m.consents[a.ConsentID]}, nil
}

func (m *modelBank) Revoke(_ context.Context, a institution.Access) error {
	unlock, err := m.locked()
	if err != nil {
		return err
	}
	defer unlock()
	if m.old == institution.OldKept && m.consents[a.ConsentID] == institution.ConsentValid {
		m.endOthers("") // to delete one ends them all
	}
	m.consents[a.ConsentID] = institution.ConsentRevoked
	return nil
}

// lineageModel is one lineage at the bank of a model, and what has taken its working
// consent away for a good reason.
type lineageModel struct {
	*env
	bank  *modelBank
	under store.Store
	node  *authorize.Service
	first consent.ID
	taken bool // the user or the bank has ended the working one since the last renewal
}

func (m *lineageModel) restart() {
	log := slog.New(slog.DiscardHandler)
	m.Store = m.under
	m.node = authorize.New(authorize.Deps{Store: m.Store, Vault: m.Vault, Institutions: institution.Set{theBank: m.bank.institution()},
		Jobs: jobs.New(m.Store, m.Clock, log), Clock: m.Clock, IDs: m.IDs, Log: log})
}

func (m *lineageModel) lineage() []consent.Consent {
	all, err := m.under.LineageConsents(m.Context(), m.first)
	if err != nil {
		m.Fatal(err)
	}
	return all
}

func (m *lineageModel) pending() (consent.Consent, bool) { return consent.PendingRenewal(m.lineage()) }

// remote returns the id of a consent at the bank; empty if it has none.
func (m *lineageModel) remote(c consent.Consent) consent.RemoteID {
	if len(c.Sealed) == 0 {
		return ""
	}
	return m.secret(c).RemoteID
}

// step runs the handler of a consent once, and asks the bank up to three times.
func (m *lineageModel) step(id consent.ID) {
	if err := m.Run(m.Context(), m.node.Handle, string(id)); err != nil && !errors.Is(err, errDied) {
		m.Logf("the handler of %s: %v", id, err) // it is tried again
	}
	for range 3 {
		if !m.node.Watches(id) {
			return
		}
		m.Clock.Advance(time.Second)
		m.node.Ask(m.Context(), id)
	}
}

// settle lets everything that is due happen, until nothing waits for the person.
func (m *lineageModel) settle() {
	m.restart()
	m.bank.down = false
	for round := 0; ; round++ {
		_, waits := m.pending()
		for _, c := range m.lineage() {
			if !c.Status.Final() {
				m.step(c.ID)
			}
		}
		m.deliverAll()
		if !waits && round > 3 {
			return
		}
		m.Clock.Advance(time.Minute)
	}
}

func (m *lineageModel) deliverAll() {
	for _, id := range m.dueMessages() {
		if err := m.deliverOn(m.node, id); err != nil {
			m.Logf("message %s: %v", id, err)
		}
	}
}

var errDied = errors.New("the process has died")

// dying is the store of a process that dies at one of its next commits, before or after it.
type dying struct {
	store.Store
	left  int
	after bool
}

func (d *dying) Write(ctx context.Context, fn func(store.Tx) error) error {
	if d.left--; d.left < 0 {
		return errDied
	}
	err := d.Store.Write(ctx, fn)
	if d.left == 0 && d.after {
		return errDied
	}
	return err
}

// Whatever happens to a lineage, in whatever order: renewals that are signed, given up,
// refused or revoked, banks that end the old consent in any of their ways, checks, crashes
// before and after a commit: there is one authorized consent at most, and as long as
// neither the user nor the bank takes it away, there is one, and it is valid at the bank.
func TestRenew_NeverLeavesAUserWithoutAWorkingConsent(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			b := newEnvOn(t, database(t))
			most := 40 // histories of a run of the suite; SAMLA_LINEAGES has another number
			if n, err := strconv.Atoi(os.Getenv("SAMLA_LINEAGES")); err == nil {
				most = n
			} else if engine == "postgres" {
				most = 10
			}
			rapid.Check(t, func(t *rapid.T) {
				if most--; most < 0 {
					return
				}
				before := most
				most = 1 << 30 // of a failure, rapid looks for a shorter history
				checkLineage(t, b)
				most = before
			})
		})
	}
}

func checkLineage(t *rapid.T, b *env) {
	m := &lineageModel{env: b, under: b.Store, bank: &modelBank{
		old: rapid.SampledFrom([]institution.OldConsent{institution.OldDeleted, institution.OldEndsWithNew,
			institution.OldEndsOnRequest, institution.OldKept}).Draw(t, "old"),
		consents: map[consent.RemoteID]institution.ConsentState{}, failed: map[consent.RemoteID]bool{}, byID: map[string]consent.RemoteID{}}}
	defer func() { b.Store = m.under }()
	m.restart()
	first, err := m.node.Create(m.Context(), m.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.first = first.ID
	m.step(first.ID)
	m.sign(m.Consent(first.ID))
	m.step(first.ID)
	if c := m.Consent(first.ID); c.Status != consent.Authorized {
		t.Fatalf("the first one is %s", c.Status)
	}
	actions := []string{"renew", "renew", "step", "step", "step", "sign", "sign", "fail", "revoke the renewal", "revoke", "bank ends", "time", "restart", "die", "down", "deliver"}
	for range rapid.IntRange(1, 25).Draw(t, "actions") {
		m.act(t, rapid.SampledFrom(actions).Draw(t, "action"))
		m.check(t, false)
	}
	m.settle()
	m.check(t, true)
}

func (m *lineageModel) act(t *rapid.T, action string) {
	all := m.lineage()
	one := all[rapid.IntRange(0, len(all)-1).Draw(t, "consent")]
	living, _ := consent.Living(all)
	pending, waits := m.pending()
	switch action {
	case "renew":
		_, err := m.node.Renew(m.Context(), m.User.ClientID, m.User.ID, one.ID,
			func(authorize.Old) (authorize.Request, error) { return m.request(), nil },
			func(authorize.Old) idempotency.Answer[consent.Consent] { return nil })
		if waits != (fault.CodeOf(err) == fault.ConsentRenewalPending) || !waits && err != nil && !errors.Is(err, errDied) {
			t.Fatalf("a renewal waits: %t; renewed with %v", waits, err)
		}
	case "step":
		if !one.Status.Final() {
			m.step(one.ID)
		}
	case "sign":
		if waits {
			m.sign(pending)
		}
	case "fail":
		if id := m.remote(pending); waits && id != "" && m.bank.consents[id] == institution.ConsentPending {
			m.bank.failed[id] = true
		}
	case "revoke the renewal":
		// One that is signed already may be in the place of the old one at the bank.
		if waits && m.bank.consents[m.remote(pending)] != institution.ConsentValid {
			m.revoke(t, pending.ID)
		}
	case "revoke": // by any id that was ever authorized: nothing lives after it
		if !one.WasAuthorized() {
			one = living
		}
		m.taken = true
		m.revoke(t, one.ID)
		for _, c := range m.lineage() {
			if !c.Status.Final() {
				t.Fatalf("%s is %s after %s was revoked", c.ID, c.Status, one.ID)
			}
		}
	case "bank ends":
		if id := m.remote(living); living.Status == consent.Authorized {
			m.taken = true
			m.bank.consents[id] = institution.ConsentRevoked
		}
	case "time":
		m.bank.down = false // a bank that is out of reach for an hour after a signature is believed to have none
		m.Clock.Advance(time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second)
	case "restart":
		m.restart()
	case "die":
		m.Store = &dying{Store: m.under, left: rapid.IntRange(0, 3).Draw(t, "commits"), after: rapid.Bool().Draw(t, "after")}
		m.node.Store = m.Store
		if !one.Status.Final() {
			m.step(one.ID)
		}
		m.restart()
	case "down":
		m.bank.down = !m.bank.down
	case "deliver":
		m.deliverAll()
	}
}

// sign is the person's signature at the bank, which the server does not know of yet.
func (m *lineageModel) sign(c consent.Consent) {
	id := m.remote(c)
	if id == "" || m.bank.consents[id] != institution.ConsentPending || m.bank.failed[id] || m.bank.down {
		return
	}
	m.bank.consents[id] = institution.ConsentValid
	if m.bank.old == institution.OldEndsWithNew {
		m.bank.endOthers(id)
	}
}

func (m *lineageModel) revoke(t *rapid.T, id consent.ID) {
	if _, err := m.node.Revoke(m.Context(), m.User.ClientID, m.User.ID, id); err != nil && fault.CodeOf(err) != fault.ConsentNotRevocable {
		t.Fatal(err)
	}
}

// check checks the lineage. settled: nothing waits for the person any more.
func (m *lineageModel) check(t *rapid.T, settled bool) {
	var working []consent.Consent
	for _, c := range m.lineage() {
		if c.Status == consent.Authorized {
			working = append(working, c)
		}
		if c.RenewedBy != "" && !m.Consent(c.RenewedBy).WasAuthorized() {
			t.Fatalf("%s was replaced by one that is not authorized", c.ID)
		}
	}
	if len(working) > 1 {
		t.Fatalf("%d consents are authorized", len(working))
	}
	// What the bank ends on request is gone until the person signs: the answer says so.
	if m.taken || m.bank.old == institution.OldEndsOnRequest && !settled {
		return
	}
	if len(working) == 0 {
		if m.bank.old == institution.OldEndsOnRequest && m.noneValid() {
			return // asked for, and not signed
		}
		t.Fatal("no consent works, and neither the user nor the bank has ended it")
	}
	if settled && !m.noneValid() && m.bank.consents[m.remote(working[0])] != institution.ConsentValid {
		t.Fatal("the authorized consent is not the one that is valid at the bank")
	}
}

func (m *lineageModel) noneValid() bool {
	for _, state := range m.bank.consents {
		if state == institution.ConsentValid {
			return false
		}
	}
	return true
}
