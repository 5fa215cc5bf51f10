package access_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"samla/internal/access"
	"samla/internal/authorize"
	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
	"samla/internal/user"
	"samla/internal/uuid7"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// spied is a store that a test can watch, fail and interrupt.
type spied struct {
	store.Store
	mu         sync.Mutex
	keyReads   int
	failing    error
	beforeNext func() // runs once, ahead of the next Write
}

func (s *spied) KeyByHash(ctx context.Context, h client.Hash) (client.Key, error) {
	s.mu.Lock()
	s.keyReads++
	err := s.failing
	s.mu.Unlock()
	if err != nil {
		return client.Key{}, err
	}
	return s.Store.KeyByHash(ctx, h)
}

func (s *spied) SigningKeys(ctx context.Context) ([]session.SigningKey, error) {
	if err := s.failure(); err != nil {
		return nil, err
	}
	return s.Store.SigningKeys(ctx)
}

func (s *spied) User(ctx context.Context, clientID, id string) (user.User, error) {
	if err := s.failure(); err != nil {
		return user.User{}, err
	}
	return s.Store.User(ctx, clientID, id)
}

func (s *spied) Write(ctx context.Context, fn func(store.Tx) error) error {
	s.mu.Lock()
	before := s.beforeNext
	s.beforeNext = nil
	s.mu.Unlock()
	if before != nil {
		before()
	}
	return s.Store.Write(ctx, fn)
}

func (s *spied) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing
}

func (s *spied) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}

// node is one server on a store that it may share with others.
type node struct {
	*access.Gate
	users *access.Users
	once  *access.Once
	store *spied
	vault seal.Vault
	clk   *clock.Manual
}

func open(t testing.TB, dsn string) store.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), sqlstore.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func config(s store.Store, v seal.Vault, clk clock.Clock) access.Config {
	return access.Config{Store: s, Vault: v, Clock: clk, Issuer: "https://samla.test", Audience: "samla"}
}

func nodeOn(t testing.TB, s store.Store, master *keyset.Master, clk *clock.Manual) *node {
	t.Helper()
	spy := &spied{Store: s}
	v, err := keyset.New(master, s, clk)
	if err != nil {
		t.Fatal(err)
	}
	g, err := access.New(context.Background(), config(spy, v, clk))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	consents := authorize.New(authorize.Deps{Store: spy, Vault: v, Institutions: institution.Set{},
		Pump: jobs.New(spy, clk, log), Clock: clk, IDs: uuid7.NewGenerator(clk, nil), Log: log})
	return &node{g, access.NewUsers(g, consents), access.NewOnce(spy, v, clk), spy, v, clk}
}

// nodes starts n servers on one new SQLite store.
func nodes(t testing.TB, n int) []*node {
	t.Helper()
	return nodesOn(t, t.TempDir(), n)
}

// onBoth runs a test of what may race on either engine: PostgreSQL has several
// writers at once where SQLite has one.
func onBoth(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, testpg.URL(t)) })
}

func nodesOn(t testing.TB, dsn string, n int) []*node {
	t.Helper()
	s, clk, master := open(t, dsn), clock.NewManual(start), masterOf(t)
	all := make([]*node, n)
	for i := range all {
		all[i] = nodeOn(t, s, master, clk)
	}
	return all
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func withKey(secret string) *http.Request     { return request("authorization-token", secret) }
func withToken(token string) *http.Request    { return request("Authorization", "Bearer "+token) }
func codeOf(_ any, f *fault.Fault) fault.Code { return codeOfFault(f) }

func codeOfFault(f *fault.Fault) fault.Code {
	if f == nil {
		return ""
	}
	return f.Code
}

func (n *node) key(t testing.TB, clientName string) (client.Key, string) {
	t.Helper()
	k, secret, err := n.CreateKey(t.Context(), clientName, "test", "")
	if err != nil {
		t.Fatal(err)
	}
	return k, secret
}

func (n *node) person(t testing.TB, clientID, externalID string) user.User {
	t.Helper()
	u, err := n.users.Create(t.Context(), clientID, externalID, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (n *node) token(t testing.TB, clientID, userID string) access.Token {
	t.Helper()
	s, err := n.users.CreateSession(t.Context(), clientID, userID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHeadersOfTheContract(t *testing.T) {
	n := nodes(t, 1)[0]
	k, secret := n.key(t, "acme")
	u := n.person(t, k.ClientID, "customer-4711")
	token := n.token(t, k.ClientID, u.ID).Token
	for name, c := range map[string]struct {
		headers []string
		want    fault.Code
		kind    access.Kind
	}{
		"key":                     {[]string{"authorization-token", secret}, "", access.APIKey},
		"key, other case":         {[]string{"AUTHORIZATION-Token", secret}, "", access.APIKey},
		"key, empty bearer":       {[]string{"authorization-token", secret, "Authorization", ""}, "", access.APIKey},
		"key, blank bearer":       {[]string{"authorization-token", " " + secret + "\t", "Authorization", "  "}, "", access.APIKey},
		"token":                   {[]string{"authorization", "Bearer " + token}, "", access.Session},
		"token, scheme in case":   {[]string{"Authorization", "bEARER  " + token}, "", access.Session},
		"token, empty key":        {[]string{"authorization-token", "", "Authorization", "Bearer " + token}, "", access.Session},
		"both":                    {[]string{"authorization-token", secret, "Authorization", "Bearer " + token}, fault.AmbiguousCredentials, 0},
		"both, neither valid":     {[]string{"authorization-token", "x", "Authorization", "Basic eA=="}, fault.AmbiguousCredentials, 0},
		"none":                    {nil, fault.Unauthorized, 0},
		"all empty":               {[]string{"authorization-token", "", "Authorization", ""}, fault.Unauthorized, 0},
		"unknown key":             {[]string{"authorization-token", secret + "x"}, fault.Unauthorized, 0},
		"token as key":            {[]string{"authorization-token", token}, fault.Unauthorized, 0},
		"key as token":            {[]string{"Authorization", "Bearer " + secret}, fault.Unauthorized, 0},
		"another scheme":          {[]string{"Authorization", "Basic " + token}, fault.Unauthorized, 0},
		"no scheme":               {[]string{"Authorization", token}, fault.Unauthorized, 0},
		"scheme only":             {[]string{"Authorization", "Bearer"}, fault.Unauthorized, 0},
		"scheme run together":     {[]string{"Authorization", "Bearer" + token}, fault.Unauthorized, 0},
		"key twice":               {[]string{"authorization-token", secret, "authorization-token", secret}, fault.Unauthorized, 0},
		"token twice":             {[]string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, fault.Unauthorized, 0},
		"key in the query's name": {[]string{"authorization_token", secret}, fault.Unauthorized, 0},
	} {
		id, f := n.Identify(request(c.headers...))
		if codeOfFault(f) != c.want || id.Kind != c.kind {
			t.Errorf("%s: %+v, %v", name, id, f)
		}
		if f != nil {
			continue
		}
		want := access.Identity{Kind: access.APIKey, ClientID: k.ClientID, KeyID: k.ID}
		if c.kind == access.Session {
			want = access.Identity{Kind: access.Session, ClientID: k.ClientID, UserID: u.ID}
		}
		if id != want {
			t.Errorf("%s: %+v, want %+v", name, id, want)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	n := nodes(t, 1)[0]
	for name, change := range map[string]func(*access.Config){
		"short":       func(c *access.Config) { c.SessionLife = session.MinLife - 1 },
		"long":        func(c *access.Config) { c.SessionLife = session.MaxLife + 1 },
		"no issuer":   func(c *access.Config) { c.Issuer = "" },
		"no audience": func(c *access.Config) { c.Audience = "" },
	} {
		c := config(n.store, n.vault, n.clk)
		change(&c)
		if _, err := access.New(t.Context(), c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for _, life := range []time.Duration{session.MinLife, session.MaxLife} {
		c := config(n.store, n.vault, n.clk)
		c.SessionLife = life
		if _, err := access.New(t.Context(), c); err != nil {
			t.Errorf("%v: %v", life, err)
		}
	}
}

func masterOf(t testing.TB) *keyset.Master {
	t.Helper()
	m, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	return m
}
