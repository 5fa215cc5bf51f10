// Package obie simulates banks that speak OBIE's Account and Transaction API, 3.1.11 or
// 4.0, with an authorisation server of FAPI 1 Advanced: the person is sent to a page of
// the bank, logs in with the sandbox's BankID, chooses accounts and approves. The
// differences between banks are data (Behaviour).
//
// It implements the standard independently of our connector, so it shares no code with
// it except basic packages. Where docs/reference/families.md leaves a choice, it is
// strict.
//
// Package grant has the state machines, signed the signed messages, resource the data.
//
// Sources: docs/reference/families.md 4, 15.2.
package obie

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/journal"
	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/resource"
	"samla/internal/sandbox/obie/signed"
	"samla/internal/sandbox/opaque"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/reads"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

// Client is a registered client.
type Client struct {
	ID   string
	Name string // as the page shows it
	// Keys are the public keys that verify its request objects and assertions.
	Keys jose.JSONWebKeySet
	// Subject is the subject of its TLS certificate, as pkix.Name.String formats it.
	Subject string
	// RedirectURIs are compared as texts.
	RedirectURIs []string
}

// Config configures a bank.
type Config struct {
	Behaviour
	Clock   clock.Clock
	Random  io.Reader      // for ids, codes and tokens; nil: crypto/rand
	Roots   *x509.CertPool // CAs of client certificates
	Clients []Client
	// Key returns the nth key with which the bank signs, from 0 on. The same n is the same
	// key at the next start.
	Key func(n int) (*rsa.PrivateKey, error)
	// Origin returns the address of the sandbox, such as "https://127.0.0.1:40123".
	Origin func() string
	BankID bankpage.BankID // of the page; nil: no page
	// Journal and PageJournal are files that store the state and the page's; empty: memory
	// only.
	Journal, PageJournal string
	Log                  *slog.Logger
}

// Bank is one bank. It is safe for concurrent use. Its state changes only with mu held.
type Bank struct {
	Config
	*faults.Switch
	base      string // "/se-demo-obie"
	customers *persona.Customers
	pageKey   opaque.Key
	calls     *calls.Log
	pages     *bankpage.Pages // nil without Config.BankID

	mu      sync.Mutex
	clients map[string]*Client
	// registered are the addresses that an operator added to those of the clients.
	registered []redirectEntry
	consents   map[string]*grant.Consent
	order      []string // consent ids, oldest first
	logins     map[string]*grant.Login
	codes      map[string]*grant.Code  // by hash
	tokens     map[string]*grant.Token // by hash
	jtis       map[string]time.Time    // used assertions, until they expire
	reads      reads.Log
	keys       []signed.Key // the last one signs
	rotated    int          // how often the key was replaced
	variant    signed.Variant
	foreign    string // the last code that a person got, in clear, for signed.ForeignCode
	journal    *journal.File[entry]
}

// New returns a bank. With a journal it loads the state of an earlier run: logins go on,
// tokens and codes live as long as they would have.
func New(c Config) (*Bank, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bank{
		Config: c, Switch: faults.New(language), base: "/" + c.Company, customers: persona.NewCustomers(c.Behaviour.BankID),
		calls: calls.New(c.Clock), clients: map[string]*Client{}, consents: map[string]*grant.Consent{}, logins: map[string]*grant.Login{},
		codes: map[string]*grant.Code{}, tokens: map[string]*grant.Token{}, jtis: map[string]time.Time{}, reads: reads.Log{},
	}
	for _, one := range c.Clients {
		one.RedirectURIs = slices.Clone(one.RedirectURIs)
		b.clients[one.ID] = &one
	}
	var err error
	if b.pageKey, err = opaque.New(c.Random); err != nil {
		return nil, fmt.Errorf("obie: page key: %w", err)
	}
	if c.Journal != "" {
		if b.journal, err = journal.Open(c.Journal, b.replay, b.entries); err != nil {
			return nil, fmt.Errorf("obie: %w", err)
		}
	}
	if c.BankID != nil {
		b.pages, err = bankpage.New(bankpage.Config{
			Host: b, BankID: c.BankID, Clock: c.Clock, Random: c.Random, Prefix: b.base + pagePath, Journal: c.PageJournal, Log: c.Log,
		})
		if err != nil {
			return nil, fmt.Errorf("obie: %w", err)
		}
	}
	return b, nil
}

// Close closes the journals. Later changes are in memory only. A second Close does nothing.
func (b *Bank) Close() error {
	var err error
	if b.pages != nil {
		err = b.pages.Close()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.journal
	b.journal = nil
	return errors.Join(err, j.Close())
}

// Calls is the log of the bank's calls, without those of its page.
func (b *Bank) Calls() *calls.Log { return b.calls }

// Issuer is the bank's issuer identifier; its metadata are below it (OpenID Connect
// Discovery 4).
func (b *Bank) Issuer() string { return b.Origin() + b.base }

// Resources is the address below which the resources are.
func (b *Bank) Resources() string { return b.Issuer() + b.Version.Base() }

func (b *Bank) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(b.Random)
	if err != nil {
		return "", fmt.Errorf("obie: id: %w", err)
	}
	return id.String(), nil
}

// secret returns 32 random bytes in base64url: a code or a token.
func (b *Bank) secret() (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(b.Random, raw); err != nil {
		return "", fmt.Errorf("obie: secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

func (b *Bank) today() persona.Day { return persona.DayAt(b.Clock.Now()) }

// key returns the key that signs now. The caller holds mu.
func (b *Bank) key() (signed.Key, error) { return b.keyAt(b.rotated) }

// keyAt returns the nth key. Keys are made when they are first used, because that takes
// long.
func (b *Bank) keyAt(n int) (signed.Key, error) {
	for len(b.keys) <= n {
		private, err := b.Key(len(b.keys))
		if err != nil {
			return signed.Key{}, fmt.Errorf("obie: key: %w", err)
		}
		k, err := signed.NewKey(private)
		if err != nil {
			return signed.Key{}, err
		}
		b.keys = append(b.keys, k)
	}
	return b.keys[n], nil
}

// apply applies an event to a consent and writes the change to the journal. The caller
// holds mu.
func (b *Bank) apply(c *grant.Consent, e grant.ConsentEvent) error {
	next, err := c.Apply(e, b.Clock.Now())
	if err != nil {
		return err
	}
	if _, passed := e.(grant.TimePassed); passed && next.Status == c.Status {
		return nil
	}
	*c = next
	b.write(entry{Consent: c})
	return nil
}

// consent returns a consent with the time limits applied, or nil. The caller holds mu.
func (b *Bank) consent(id string) *grant.Consent {
	c := b.consents[id]
	if c != nil {
		_ = b.apply(c, grant.TimePassed{}) // never fails
	}
	return c
}

// accounts are the accounts of a person at this bank.
func (b *Bank) accounts(p persona.Person) []resource.Account {
	return resource.Accounts(p, b.ledger)
}

func (b *Bank) ledger(a persona.Account) *persona.Ledger { return b.customers.Ledger(a, b.today()) }
