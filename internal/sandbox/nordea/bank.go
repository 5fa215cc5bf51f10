// Package nordea simulates a bank with Nordea's own wire: HTTP signatures with an
// application's key, decoupled BankID, redirects, scopes, tokens, accounts, transactions and
// cards, for persons and businesses in four countries. Package sandbox serves it beside the
// banks of package aspsp.
//
// It shares no code with our connector but basic packages; Nordea's own files judge both
// (package nordeaspec). Where they and docs/reference/families.md leave a choice, it is
// strict, or the choice is a member of Behaviour.
//
// Source: docs/reference/families.md 3 and 15.1.
package nordea

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/journal"
	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/opaque"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/reads"

	"github.com/google/uuid"
)

// BankID is the part of the BankID service that the bank uses.
type BankID interface {
	Auth(bankid.AuthRequest) (bankid.Order, error)
	Collect(orderRef string) (bankid.Collected, error)
	Cancel(orderRef string) error
}

// Application is a registered application of a third party.
type Application struct {
	ID, Secret string
	Name       string         // as persons see it
	Key        *rsa.PublicKey // of its signatures
	// Redirects are the addresses to which persons may be sent back. The port of a loopback
	// address is not compared (RFC 8252 7.3).
	Redirects []string
}

// mayReturnTo reports whether the address is registered.
func (a Application) mayReturnTo(address string) bool {
	return slices.ContainsFunc(a.Redirects, func(registered string) bool {
		return address == registered || withoutPort(address) != "" && withoutPort(address) == withoutPort(registered)
	})
}

// withoutPort returns a loopback address without its port, and "" for any other.
func withoutPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Fragment != "" || u.User != nil {
		return ""
	}
	if ip := parseIP(u.Hostname()); !ip.IsLoopback() {
		return ""
	}
	u.Host = u.Hostname()
	return u.String()
}

// Config configures a bank.
type Config struct {
	Behaviour
	Applications []Application
	Clock        clock.Clock
	Random       io.Reader // for ids, codes and tokens; nil: crypto/rand
	BankID       BankID
	// Verify checks a client certificate and its chain; nil: none is accepted.
	Verify  func(chain []*x509.Certificate) error
	Journal string // file that stores the state; empty: memory only
	Log     *slog.Logger
}

// Bank is the bank. It is safe for concurrent use. Its state changes only with mu held, and
// through Login.Apply, Visit.Apply and Grant.Apply.
type Bank struct {
	Config
	*faults.Switch
	customers *persona.Customers
	owners    map[string]string // account id of any version -> a persona who has it
	pageKey   opaque.Key
	pages     *bankpage.Pages
	calls     *calls.Log

	mu      sync.Mutex
	apps    map[string]Application
	logins  map[string]*grant.Login
	visits  map[string]*grant.Visit
	grants  map[string]*grant.Grant
	order   []string          // ids of logins, visits and grants, oldest first
	codes   map[string]string // code -> id of its login or grant
	byToken map[string]string // access or refresh token -> id of its grant
	polls   map[string]time.Time
	reads   reads.Log
	bursts  map[string]burst
	journal *journal.File[entry]
	stats   Stats
}

// New returns a bank. With a journal it loads the state of an earlier run: logins, visits to
// the page, grants and their tokens go on.
func New(c Config) (*Bank, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bank{
		Config: c, Switch: faults.New(language), customers: persona.NewCustomers(c.Behaviour.BankID), calls: calls.New(c.Clock),
		apps: map[string]Application{}, logins: map[string]*grant.Login{}, visits: map[string]*grant.Visit{}, grants: map[string]*grant.Grant{},
		codes: map[string]string{}, byToken: map[string]string{}, polls: map[string]time.Time{},
		reads: reads.Log{}, bursts: map[string]burst{},
	}
	for _, app := range c.Applications {
		if app.Key == nil || app.Key.N.BitLen() < minKeyBits {
			return nil, fmt.Errorf("nordea: application %s: an RSA key of %d bits is required", app.ID, minKeyBits)
		}
		b.apps[app.ID] = app
	}
	var err error
	if b.pageKey, err = opaque.New(c.Random); err != nil {
		return nil, fmt.Errorf("nordea: page key: %w", err)
	}
	b.owners = b.accountOwners()
	if c.Journal != "" {
		if b.journal, err = journal.Open(c.Journal, b.replay, b.entries); err != nil {
			return nil, fmt.Errorf("nordea: %w", err)
		}
	}
	if err := b.openPage(); err != nil {
		return nil, fmt.Errorf("nordea: %w", errors.Join(err, b.journal.Close()))
	}
	return b, nil
}

// Close closes the journals. Later changes are in memory only. A second Close does nothing.
func (b *Bank) Close() error {
	b.mu.Lock()
	j := b.journal
	b.journal = nil
	b.mu.Unlock() // the page calls the bank with its own lock held
	if err := errors.Join(j.Close(), b.pages.Close()); err != nil {
		return fmt.Errorf("nordea: %w", err)
	}
	return nil
}

// Register adds an address to which the persons of an application may be sent back. It
// fails for an unknown application, and for an address that is not absolute.
func (b *Bank) Register(application, redirect string) error {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Fragment != "" {
		return errors.New("nordea: a redirect address is an absolute URL without a fragment")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	app, ok := b.apps[application]
	if !ok {
		return errors.New("nordea: no such application")
	}
	if slices.Contains(app.Redirects, redirect) {
		return nil
	}
	if err := b.journal.Write(entry{Redirect: &registered{application, redirect}}); err != nil {
		return fmt.Errorf("nordea: %w", err)
	}
	b.register(registered{application, redirect})
	return nil
}

func (b *Bank) register(r registered) {
	if app, ok := b.apps[r.App]; ok && !slices.Contains(app.Redirects, r.Address) {
		app.Redirects = append(slices.Clone(app.Redirects), r.Address)
		b.apps[r.App] = app
	}
}

// newID returns a new unguessable id.
func (b *Bank) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(b.Random)
	if err != nil {
		return "", fmt.Errorf("nordea: reading randomness: %w", err)
	}
	return id.String(), nil
}

// newSecret returns a new code or token: a prefix that says which, and two ids.
func (b *Bank) newSecret(kind string) (string, error) {
	one, err := b.newID()
	if err != nil {
		return "", err
	}
	two, err := b.newID()
	return kind + "." + one + "." + two, err
}

// today is the bank's date, UTC.
func (b *Bank) today() persona.Day { return persona.DayAt(b.Clock.Now()) }
