// Package aspsp simulates banks: account servicing payment service providers (ASPSP)
// that implement Berlin Group XS2A 1.3.12 and whose customers sign with the sandbox's
// BankID. The differences between banks are data (Behaviour). Package sandbox serves
// all banks on one HTTPS address.
//
// It implements the standard independently of our connector, so it shares no code
// with it except basic packages (clock, identifiers, eIDAS). Where
// docs/reference/banks.md leaves a choice, the sandbox is strict: it rejects what a
// real bank might reject.
//
// Sources: docs/reference/banks.md 1-9; docs/reference/families.md 2. Package tpp checks who calls.
package aspsp

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"samla/internal/clock"
	"samla/internal/sandbox/aspsp/tpp"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/journal"
	"samla/internal/sandbox/oauth"
	"samla/internal/sandbox/opaque"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/reads"

	"github.com/google/uuid"
)

// BankID is the part of the BankID service that a bank uses.
type BankID interface {
	Auth(bankid.AuthRequest) (bankid.Order, error)
	Collect(orderRef string) (bankid.Collected, error)
	Cancel(orderRef string) error
}

// Config configures a bank.
type Config struct {
	Behaviour
	Clock  clock.Clock
	Random io.Reader      // for ids and keys; nil: crypto/rand
	Roots  *x509.CertPool // CAs of TPP certificates
	BankID BankID
	// Message returns BankID's message for the PSU (docs/reference/banks.md 12.2).
	Message func(status, hintCode string, qr bool, lang string) (code, text string)
	Journal string // file that stores the state; empty: memory only
	Log     *slog.Logger
}

// Bank is one bank. It is safe for concurrent use. Its state changes only with mu held
// and through Consent.Apply and Authorisation.Apply.
type Bank struct {
	Config
	*faults.Switch
	base      string // "/se-demo-psd2"
	customers *persona.Customers
	tpps      *tpp.Checker
	pageKey   opaque.Key
	calls     *calls.Log
	pages     *bankpage.Pages // nil: nobody signs or logs in on a page
	server    *oauth.Server   // nil: none

	mu         sync.Mutex
	consents   map[string]*consentRecord
	byRequest  map[string]string         // TPP + X-Request-ID -> consent id
	recurring  map[string]*consentRecord // TPP + signer -> the newest valid recurring consent (with OneConsent: any valid one)
	visits     map[string]*Authorisation // by pageSide.Visit
	logins     map[string]*login         // logins before any call, by id
	order      []string                  // consent ids, oldest first
	reads      reads.Log
	journal    *journal.File[entry]
	counters   counters
	accountSeq atomic.Int64
	attended   atomic.Int64
}

// consentRecord is a consent with its authorisations, oldest first.
type consentRecord struct {
	Consent
	authorisations []*Authorisation
}

// New returns a bank. With a journal it loads the state of an earlier run. A pending
// authorisation continues if BankID still has its order, and fails otherwise.
func New(c Config) (*Bank, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bank{
		Config: c, Switch: faults.New(language), base: "/" + c.Company, customers: persona.NewCustomers(c.Behaviour.BankID),
		tpps:     tpp.New(c.Rules, c.Roots, c.Clock),
		consents: map[string]*consentRecord{}, byRequest: map[string]string{}, recurring: map[string]*consentRecord{}, reads: reads.Log{},
		visits: map[string]*Authorisation{}, logins: map[string]*login{}, calls: calls.New(c.Clock),
	}
	var err error
	if b.pageKey, err = opaque.New(c.Random); err != nil {
		return nil, fmt.Errorf("aspsp: page key: %w", err)
	}
	if c.Journal != "" {
		if b.journal, err = journal.Open(c.Journal, b.replay, b.entries); err != nil {
			return nil, fmt.Errorf("aspsp: %w", err)
		}
	}
	if err := b.openPages(); err != nil {
		return nil, err
	}
	return b, nil
}

// Close closes the journals. Later changes are in memory only. A second Close does
// nothing.
func (b *Bank) Close() error {
	var err error
	if b.pages != nil {
		err = b.pages.Close()
	}
	if b.server != nil {
		err = errors.Join(err, b.server.Close())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.journal
	b.journal = nil
	return errors.Join(err, j.Close())
}

// Calls returns the log of the bank's calls.
func (b *Bank) Calls() *calls.Log { return b.calls }

// Server returns the bank's authorization server, whose policy a test or an operator can
// change; nil: it has none.
func (b *Bank) Server() *oauth.Server { return b.server }

func (b *Bank) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(b.Random)
	if err != nil {
		return "", fmt.Errorf("aspsp: id: %w", err)
	}
	return id.String(), nil
}

// href returns a link to an operation, relative to the host.
func (b *Bank) href(path string) link {
	if strings.HasPrefix(path, "consents") {
		return link{b.base + b.ConsentsPath() + "/" + path}
	}
	return link{b.base + b.AccountsPath() + "/" + path}
}

type link struct {
	Href string `json:"href"`
}

// today is the bank's date, UTC.
func (b *Bank) today() persona.Day { return persona.DayAt(b.Clock.Now()) }

// apply applies an event to a consent and writes the change to the journal. The caller
// holds mu.
func (b *Bank) apply(h *consentRecord, e ConsentEvent) error {
	next, err := h.Consent.Apply(e, b.Clock.Now())
	if err != nil {
		return err
	}
	if next.Status == h.Status {
		return nil
	}
	h.Consent = next
	b.writeEntry(entry{Consent: &next})
	if next.Status == Valid && b.replaces(next) {
		b.replaceOlder(h)
	}
	if next.Status.Final() && b.server != nil && !b.preStep() {
		return b.server.End(h.ID)
	}
	return nil
}

// replaces reports whether a consent ends an earlier one when it becomes valid.
func (b *Bank) replaces(c Consent) bool { return c.Recurring || b.OneConsent }

// replaceOlder ends the earlier consent of the same PSU and TPP
// (docs/reference/banks.md 3.1, recurringIndicator) and stores the newer one in
// b.recurring.
func (b *Bank) replaceOlder(newer *consentRecord) {
	key := pairKey(newer.TPP, newer.Signer)
	older := b.recurring[key]
	b.recurring[key] = newer
	b.end(older)
}

// end ends a consent that is valid.
func (b *Bank) end(c *consentRecord) {
	if c != nil && c.Status == Valid {
		_ = b.apply(c, Terminated{}) // a valid consent can always be ended
	}
}

// pairKey joins two strings so that different pairs have different keys.
func pairKey(a, b string) string {
	return strconv.Itoa(len(a)) + ":" + a + b
}
