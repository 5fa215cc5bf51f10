// Package aspsp owns the sandbox's banks: strict account servicing providers
// that speak Berlin Group XS2A 1.3.12 and let their customers sign with the
// sandbox's BankID. What a bank does differently from another is data
// (Behaviour); package sandbox mounts the banks on one HTTPS address.
//
// It is the second reading of the standard beside our connector, so it shares
// no code with it but facts (clock, identifiers, eIDAS). Where docs/reference/banks.md leaves a
// choice, the sandbox is strict: what a real bank might refuse, this one does.
//
// Sources: docs/reference/banks.md 1-9; draft-cavage-http-signatures-10 for the signature.
package aspsp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/journal"
	"samla/internal/sandbox/persona"

	"github.com/google/uuid"
)

// BankID is what a bank needs of the BankID service.
type BankID interface {
	Auth(bankid.AuthRequest) (bankid.Order, error)
	Collect(orderRef string) (bankid.Collected, error)
	Cancel(orderRef string) error
}

// Config is what a bank is made of.
type Config struct {
	Behaviour
	Clock  clock.Clock
	Random io.Reader      // ids and keys; nil: the machine's own source
	Roots  *x509.CertPool // who may issue TPP certificates
	BankID BankID
	// Message gives the BankID text for the PSU (code, text), docs/reference/banks.md 12.2.
	Message func(status, hintCode string, qr bool, lang string) (code, text string)
	Journal string // file that keeps the state over restarts; empty: memory only
	Log     *slog.Logger
}

// Bank is one bank. It is safe for concurrent use. Its state changes only under
// mu and through the pure machines of Consent and Authorisation.
type Bank struct {
	Config
	base    string // "/se-demo-psd2"
	people  *persona.Book
	tpps    *registry
	pageKey []byte

	mu         sync.Mutex
	consents   map[string]*held
	byRequest  map[string]string // TPP + X-Request-ID -> consent id
	recurring  map[string]*held  // TPP + signer -> the newest valid recurring consent
	order      []string          // consent ids, oldest first
	reads      map[string][]time.Time
	journal    *journal.File[entry]
	counters   counters
	accountSeq atomic.Int64
	attended   atomic.Int64
}

// held is a consent with its authorisations, oldest first.
type held struct {
	Consent
	authorisations []*Authorisation
}

// New makes a bank. With a journal it takes up the state that an earlier run
// left there. An authorisation that was under way goes on if its BankID has kept
// the order, else it fails.
func New(c Config) (*Bank, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bank{
		Config: c, base: "/" + c.Company, people: persona.NewBook(c.Behaviour.BankID),
		tpps: newRegistry(c.Roots), pageKey: make([]byte, 32),
		consents: map[string]*held{}, byRequest: map[string]string{}, recurring: map[string]*held{}, reads: map[string][]time.Time{},
	}
	if _, err := io.ReadFull(c.Random, b.pageKey); err != nil {
		return nil, fmt.Errorf("aspsp: page key: %w", err)
	}
	if c.Journal != "" {
		var err error
		if b.journal, err = journal.Open(c.Journal, b.take, b.state); err != nil {
			return nil, fmt.Errorf("aspsp: %w", err)
		}
	}
	return b, nil
}

// Close closes the journal; what changes afterwards is not kept. A second Close
// does nothing.
func (b *Bank) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.journal
	b.journal = nil
	return j.Close()
}

func (b *Bank) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(b.Random)
	if err != nil {
		return "", fmt.Errorf("aspsp: id: %w", err)
	}
	return id.String(), nil
}

// mac signs what the bank hands out and takes back.
func (b *Bank) mac(text string) []byte {
	m := hmac.New(sha256.New, b.pageKey)
	_, _ = m.Write([]byte(text))
	return m.Sum(nil)[:16]
}

// href makes a link relative to the host.
func (b *Bank) href(path string) link { return link{b.base + "/v1/" + path} }

type link struct {
	Href string `json:"href"`
}

// today is the bank's date, UTC.
func (b *Bank) today() persona.Day { return persona.DayAt(b.Clock.Now()) }

// apply changes a consent by an event and writes it down. The caller holds mu.
func (b *Bank) apply(h *held, e ConsentEvent) error {
	next, err := h.Consent.Apply(e, b.Clock.Now())
	if err != nil {
		return err
	}
	if next.Status == h.Status {
		return nil
	}
	h.Consent = next
	b.note(entry{Consent: &next})
	if next.Status == Valid && next.Recurring {
		b.replaceOlder(h)
	}
	return nil
}

// replaceOlder ends the earlier recurring consent of the same PSU and TPP
// (docs/reference/banks.md 3.1, recurringIndicator) and remembers the newer one.
func (b *Bank) replaceOlder(newer *held) {
	key := requestKey(newer.TPP, newer.Signer)
	older := b.recurring[key]
	b.recurring[key] = newer
	if older != nil && older.Status == Valid {
		_ = b.apply(older, Ended{}) // a valid consent can always be ended
	}
}
