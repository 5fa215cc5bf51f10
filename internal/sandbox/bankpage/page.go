// Package bankpage is the page on which the customers of a simulated bank log in with
// BankID, choose accounts, and approve or refuse what a third party asks for. Banks whose
// customers sign by redirect send the browser to it.
//
// A bank implements Host and mounts a Pages at a path of its choice. It makes up an
// unguessable id for each login, and sends the browser to Pages.Path(id). When the login
// has ended, Pages tells the bank the decision, and sends the browser to the address that
// the bank returns.
//
// The page is used by persons, browser tests and plain HTTP clients: it works without
// JavaScript, and needs a cookie. Persons with a habit (persona.Habits) act on their own,
// so that a client that only follows the page reaches the end that belongs to the person.
package bankpage

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/journal"
)

// ErrNoVisit is returned by Host.Visit for an id that it does not know.
var ErrNoVisit = errors.New("bankpage: no such visit")

// Visit is one login, as the bank knows it. It does not change.
type Visit struct {
	Bank   string // the bank's name as its customers know it
	Client string // the third party's name as it is shown
	// PersonalNumber is the person who must log in, 12 digits; "" means any person.
	PersonalNumber string
	Until          time.Time // after which the login ends as TimedOut
	Asked          []string  // what the person is asked to approve, one sentence each
	Choose         bool      // the person chooses accounts; otherwise a decision has all of them
}

// Account is an account that the person can share.
type Account struct {
	ID     string // as the bank knows it
	Name   string
	Number string // as the person knows it
}

// Outcome is how a login ended.
type Outcome string

// The outcomes.
const (
	Approved    Outcome = "approved"
	Refused     Outcome = "refused"     // the person refused on the page, or cancelled in BankID
	TimedOut    Outcome = "timedOut"    // the person did not sign, or not decide, in time
	WrongPerson Outcome = "wrongPerson" // another person signed than the one who must log in, or who was named at the start
	NotEligible Outcome = "notEligible" // the bank must know more about its customer first (KYC)
	Failed      Outcome = "failed"      // a technical error of the bank or of BankID
)

// Decision is the end of a login.
type Decision struct {
	Outcome        Outcome
	PersonalNumber string   // who logged in, 12 digits; "" if nobody did
	Accounts       []string // ids; only if Approved
}

// Step is where a login is.
type Step string

// The steps.
const (
	Start  Step = "start"  // the page waits for the personal number
	Sign   Step = "sign"   // a BankID order waits for the phone
	Choose Step = "choose" // the person is logged in and decides
	Ended  Step = "ended"
)

// Host is the bank. Its methods are called with the lock of Pages held; they must not call
// Pages.
type Host interface {
	// Visit returns a login. The error is ErrNoVisit for an unknown id; any other is an
	// internal one.
	Visit(id string) (Visit, error)
	// Accounts returns the accounts of the person who logged in.
	Accounts(id, personalNumber string) ([]Account, error)
	// Decide tells the end of a login, and returns the absolute address to which the browser
	// goes, which may have a fragment; "" means that the browser stays. It is called again
	// with the same decision if the process was killed before Pages stored the address; then
	// it must return the same one.
	Decide(id string, d Decision) (returnTo string, err error)
}

// Follower is implemented by a Host that wants to know each step of a login.
type Follower interface {
	// Entered is called when a login has reached Sign or Choose; a restarted order enters
	// Sign again.
	Entered(id string, s Step)
}

// BankID is the part of the BankID service that the page uses.
type BankID interface {
	Auth(bankid.AuthRequest) (bankid.Order, error)
	Collect(orderRef string) (bankid.Collected, error)
	Cancel(orderRef string) error
}

// Config configures the pages of one bank.
type Config struct {
	Host   Host
	BankID BankID
	Clock  clock.Clock
	Random io.Reader // nil: crypto/rand
	// Prefix is the path under which the pages are, with a slash at both ends, such as
	// "/se-demo-redirect/login/".
	Prefix  string
	Journal string       // file that stores the logins; empty: memory only
	Log     *slog.Logger // nil: no log
}

// Pages are the pages of one bank. It is an http.Handler of all paths under Config.Prefix,
// and safe for concurrent use.
type Pages struct {
	Config
	mu      sync.Mutex
	logins  map[string]*login
	order   []string // ids of logins, oldest first
	journal *journal.File[login]
}

// New returns the pages of a bank, with the logins of the journal.
func New(c Config) (*Pages, error) {
	if !strings.HasPrefix(c.Prefix, "/") || !strings.HasSuffix(c.Prefix, "/") || len(c.Prefix) < 3 {
		return nil, fmt.Errorf("bankpage: the prefix %q has no slash at both ends", c.Prefix)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	p := &Pages{Config: c, logins: map[string]*login{}}
	if c.Journal != "" {
		var err error
		if p.journal, err = journal.Open(c.Journal, p.replay, p.entries); err != nil {
			return nil, fmt.Errorf("bankpage: %w", err)
		}
	}
	return p, nil
}

// Path returns the path of the page of a visit, to which the bank sends the browser.
func (p *Pages) Path(id string) string { return p.Prefix + id }

// Close closes the journal. Later changes are in memory only. A second Close does nothing.
func (p *Pages) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.journal
	p.journal = nil
	if err := j.Close(); err != nil {
		return fmt.Errorf("bankpage: %w", err)
	}
	return nil
}

// keepFor is how long a login is kept after its time, so that a reload shows its end.
const keepFor = 24 * time.Hour

// maxLogins limits the memory of logins: the oldest are dropped beyond it.
const maxLogins = 20_000

func (p *Pages) replay(l login) {
	if p.Clock.Now().Sub(l.Until) >= keepFor {
		return
	}
	if _, known := p.logins[l.ID]; !known {
		p.order = append(p.order, l.ID)
		if len(p.order) > maxLogins {
			delete(p.logins, p.order[0])
			p.order = p.order[1:]
		}
	}
	p.logins[l.ID] = &l
}

func (p *Pages) entries(yield func(login) bool) {
	for _, id := range p.order {
		if !yield(*p.logins[id]) {
			return
		}
	}
}

// store writes the next state of a login to the journal, then changes it.
func (p *Pages) store(next login) error {
	if err := p.journal.Write(next); err != nil {
		return fmt.Errorf("bankpage: %w", err)
	}
	p.replay(next)
	return nil
}
