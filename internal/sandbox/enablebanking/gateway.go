package enablebanking

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
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
	"samla/internal/sandbox/journal"
	"samla/internal/sandbox/reads"

	"github.com/google/uuid"
)

// Config configures the gateway.
type Config struct {
	Clock  clock.Clock
	Random io.Reader // for ids and codes; nil: crypto/rand
	// Key is the public key of the application; its id follows from it.
	Key *rsa.PublicKey
	// Redirects are the addresses to which a browser may return; Register adds others.
	Redirects []string
	// Path is where the gateway is mounted, without a slash at the end.
	Path   string
	BankID bankpage.BankID
	// Journal is the file that stores the state, and PageJournal the one of the page; empty:
	// memory only.
	Journal, PageJournal string
	Log                  *slog.Logger
}

// Gateway is the simulated gateway. It is safe for concurrent use. A login changes only
// with mu held and through login.apply.
type Gateway struct {
	Config
	appID     string
	pages     *bankpage.Pages
	directory []*bank
	hidden    map[bankName]bool // those that others do not see; guarded by mu
	secret    []byte            // of continuation keys, transaction ids and hashes

	mu        sync.Mutex
	logins    map[string]*login // by authorization_id
	order     []string          // their ids, oldest first
	sessions  map[string]*login // by session_id
	codes     map[string]*login
	accounts  map[string]*login // by the uid of an account
	redirects []string
	reads     reads.Log // unattended ones, by account and kind
	journal   *journal.File[entry]
	counters  counters
	faults    []Fault
}

// ApplicationID returns the id of the application with a key: a UUID, which is the same
// for the same key.
func ApplicationID(key *rsa.PublicKey) string {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(key))
	id, _ := uuid.NewRandomFromReader(&fixed{sum[:]}) // 32 bytes are enough: it cannot fail
	return id.String()
}

type fixed struct{ left []byte }

func (f *fixed) Read(p []byte) (int, error) {
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// New returns a gateway. With a journal it loads the logins, sessions and counted reads
// of an earlier run.
func New(c Config) (*Gateway, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	id := ApplicationID(c.Key)
	secret := sha256.Sum256([]byte("enablebanking/" + id)) // stays over restarts
	g := &Gateway{
		Config: c, appID: id, directory: newDirectory(), hidden: map[bankName]bool{{Newcomer, "SE"}: true}, secret: secret[:],
		logins: map[string]*login{}, sessions: map[string]*login{}, codes: map[string]*login{}, accounts: map[string]*login{},
		redirects: slices.Clone(c.Redirects), reads: reads.Log{}, counters: newCounters(),
	}
	var err error
	g.pages, err = bankpage.New(bankpage.Config{
		Host: host{g}, BankID: c.BankID, Clock: c.Clock, Random: c.Random, Prefix: c.Path + "/login/", Journal: c.PageJournal, Log: c.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("enablebanking: %w", err)
	}
	if c.Journal != "" {
		if g.journal, err = journal.Open(c.Journal, g.replay, g.entries); err != nil {
			return nil, fmt.Errorf("enablebanking: %w", err)
		}
	}
	return g, nil
}

// Close closes the journals. Later changes are in memory only. A second Close does nothing.
func (g *Gateway) Close() error {
	err := g.pages.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	j := g.journal
	g.journal = nil
	return errors.Join(err, j.Close())
}

// ApplicationID returns the id that the application's tokens name as kid.
func (g *Gateway) ApplicationID() string { return g.appID }

// Register adds an address to which a browser may return, as the owner of the
// application does in the gateway's portal.
func (g *Gateway) Register(redirect string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(g.redirects, redirect) {
		return nil
	}
	g.redirects = append(g.redirects, redirect)
	if err := g.journal.Write(entry{Redirect: redirect}); err != nil {
		return fmt.Errorf("enablebanking: %w", err)
	}
	return nil
}

// entry is one line of the journal (package journal).
type entry struct {
	Login    *login     `json:"login,omitempty"`
	Read     *readEntry `json:"read,omitempty"`
	Redirect string     `json:"redirect,omitempty"`
}

type readEntry struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

func (g *Gateway) entries(yield func(entry) bool) {
	for _, id := range g.order {
		if !yield(entry{Login: g.logins[id]}) {
			return
		}
	}
	for key, times := range g.reads {
		for _, at := range times {
			if g.Clock.Now().Sub(at) < reads.Within && !yield(entry{Read: &readEntry{key, at}}) {
				return
			}
		}
	}
	for _, r := range g.redirects {
		if !yield(entry{Redirect: r}) {
			return
		}
	}
}

func (g *Gateway) replay(e entry) {
	switch {
	case e.Login != nil:
		g.put(e.Login)
	case e.Read != nil:
		g.reads.Add(e.Read.Key, e.Read.At)
	case e.Redirect != "" && !slices.Contains(g.redirects, e.Redirect):
		g.redirects = append(g.redirects, e.Redirect)
	}
}

// put stores a login under all its names.
func (g *Gateway) put(l *login) {
	if _, known := g.logins[l.ID]; !known {
		g.order = append(g.order, l.ID)
	}
	g.logins[l.ID] = l
	if l.Code != "" {
		g.codes[l.Code] = l
	}
	if l.Session == "" {
		return
	}
	g.sessions[l.Session] = l
	for _, uid := range l.UIDs {
		g.accounts[uid] = l
	}
}

// change applies an event to a login and stores it. The caller holds mu.
func (g *Gateway) change(id string, event any) (*login, error) {
	was := g.logins[id]
	next, err := was.apply(event, g.Clock.Now())
	if err != nil {
		return was, err
	}
	if next.Status == was.Status {
		return was, nil
	}
	if err := g.journal.Write(entry{Login: &next}); err != nil {
		return was, fmt.Errorf("enablebanking: %w", err)
	}
	g.put(&next)
	return &next, nil
}

// current returns a login after all that time has done to it, or nil for an unknown one.
// The caller holds mu.
func (g *Gateway) current(l *login) *login {
	if l == nil {
		return nil
	}
	next, err := g.change(l.ID, elapsed{})
	if err != nil {
		g.Log.Error("sandbox gateway: not stored", "err", err)
	}
	return next
}

func (g *Gateway) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(g.Random)
	if err != nil {
		return "", fmt.Errorf("enablebanking: id: %w", err)
	}
	return id.String(), nil
}

// mac authenticates what the gateway hands out, and hashes what it must not show.
func (g *Gateway) mac(parts ...string) []byte {
	m := hmac.New(sha256.New, g.secret)
	for _, p := range parts {
		_, _ = fmt.Fprintf(m, "%d:%s", len(p), p)
	}
	return m.Sum(nil)
}

func (g *Gateway) hash(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(g.mac(parts...))
}
