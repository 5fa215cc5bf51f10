package authn_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"samla/internal/authn"
	"samla/internal/client"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/user"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = flowtest.Start

// faultyStore counts the reads of API keys and fails reads on demand.
type faultyStore struct {
	store.Store
	mu       sync.Mutex
	keyReads int
	err      error
}

func (s *faultyStore) APIKeyByHash(ctx context.Context, h client.Hash) (client.Key, error) {
	s.mu.Lock()
	s.keyReads++
	s.mu.Unlock()
	if err := s.failure(); err != nil {
		return client.Key{}, err
	}
	return s.Store.APIKeyByHash(ctx, h)
}

func (s *faultyStore) SigningKeys(ctx context.Context) ([]session.SigningKey, error) {
	if err := s.failure(); err != nil {
		return nil, err
	}
	return s.Store.SigningKeys(ctx)
}

func (s *faultyStore) UserStatus(ctx context.Context, id string) (user.User, error) {
	if err := s.failure(); err != nil {
		return user.User{}, err
	}
	return s.Store.UserStatus(ctx, id)
}

func (s *faultyStore) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// fail makes reads return err from now on; nil ends it.
func (s *faultyStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// node is an Authenticator of one node; nodes may share a database.
type node struct {
	*authn.Authenticator
	*flowtest.Env
	store *faultyStore
}

func config(s store.Store, b *flowtest.Env) authn.Config {
	return authn.Config{Store: s, Vault: b.Vault, Clock: b.Clock, Issuer: "https://samla.test", Audience: "samla"}
}

func nodeOn(t testing.TB, b *flowtest.Env) *node {
	t.Helper()
	s := &faultyStore{Store: b.Store}
	a, err := authn.New(context.Background(), config(s, b))
	if err != nil {
		t.Fatal(err)
	}
	return &node{a, b, s}
}

// nodes starts n nodes on one new database.
func nodes(t testing.TB, database string, n int) []*node {
	t.Helper()
	b := flowtest.New(t, database)
	all := make([]*node, n)
	for i := range all {
		all[i] = nodeOn(t, b.Node())
	}
	return all
}

func newNode(t testing.TB) *node {
	t.Helper()
	return nodes(t, t.TempDir(), 1)[0]
}

// onBoth runs a test on both engines: PostgreSQL has several writers at once where
// SQLite has one.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, flowtest.Postgres(t)) })
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// codeOf is the code of a fault, empty for none.
func codeOf(_ authn.Identity, f *fault.Fault) fault.Code {
	if f == nil {
		return ""
	}
	return f.Code
}

// withKey authenticates a request with an API key.
func (n *node) withKey(secret string) fault.Code {
	return codeOf(n.Authenticate(request("authorization-token", secret)))
}

// withToken authenticates a request with a session token.
func (n *node) withToken(token string) fault.Code {
	return codeOf(n.Authenticate(request("Authorization", "Bearer "+token)))
}

func (n *node) checkUser(id authn.Identity) fault.Code {
	return codeOf(id, n.CheckUser(n.Context(), id))
}

func (n *node) createKey(clientName string) (client.Key, string) {
	n.Helper()
	k, secret, err := n.CreateKey(n.Context(), clientName, "test", "")
	if err != nil {
		n.Fatal(err)
	}
	return k, secret
}

// issue returns a token for the user of the environment.
func (n *node) issue() (token string, expiresAt time.Time) {
	n.Helper()
	token, expiresAt, err := n.IssueToken(n.Context(), n.User.ClientID, n.User.ID)
	if err != nil {
		n.Fatal(err)
	}
	return token, expiresAt
}

func TestAuthenticate_ReadsHeadersOfContract(t *testing.T) {
	n := newNode(t)
	k, secret := n.createKey("acme")
	token, _ := n.issue()
	for name, c := range map[string]struct {
		headers []string
		want    fault.Code
		kind    authn.Kind
	}{
		"key":                     {[]string{"authorization-token", secret}, "", authn.APIKey},
		"key, other case":         {[]string{"AUTHORIZATION-Token", secret}, "", authn.APIKey},
		"key, empty bearer":       {[]string{"authorization-token", secret, "Authorization", ""}, "", authn.APIKey},
		"key, blank bearer":       {[]string{"authorization-token", " " + secret + "\t", "Authorization", "  "}, "", authn.APIKey},
		"token":                   {[]string{"authorization", "Bearer " + token}, "", authn.Session},
		"token, scheme in case":   {[]string{"Authorization", "bEARER  " + token}, "", authn.Session},
		"token, empty key":        {[]string{"authorization-token", "", "Authorization", "Bearer " + token}, "", authn.Session},
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
		"no space after scheme":   {[]string{"Authorization", "Bearer" + token}, fault.Unauthorized, 0},
		"key twice":               {[]string{"authorization-token", secret, "authorization-token", secret}, fault.Unauthorized, 0},
		"token twice":             {[]string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, fault.Unauthorized, 0},
		"underscore in the field": {[]string{"authorization_token", secret}, fault.Unauthorized, 0},
	} {
		id, f := n.Authenticate(request(c.headers...))
		if codeOf(id, f) != c.want || id.Kind != c.kind {
			t.Errorf("%s: %+v, %v", name, id, f)
		}
		if f != nil {
			continue
		}
		want := authn.Identity{Kind: authn.APIKey, ClientID: k.ClientID, KeyID: k.ID}
		if c.kind == authn.Session {
			want = authn.Identity{Kind: authn.Session, ClientID: n.User.ClientID, UserID: n.User.ID}
		}
		if id != want {
			t.Errorf("%s: %+v, want %+v", name, id, want)
		}
	}
}

func TestNew_ValidatesConfig(t *testing.T) {
	n := newNode(t)
	for name, change := range map[string]func(*authn.Config){
		"short":       func(c *authn.Config) { c.SessionLife = session.MinLife - 1 },
		"long":        func(c *authn.Config) { c.SessionLife = session.MaxLife + 1 },
		"no issuer":   func(c *authn.Config) { c.Issuer = "" },
		"no audience": func(c *authn.Config) { c.Audience = "" },
	} {
		c := config(n.store, n.Env)
		change(&c)
		if _, err := authn.New(t.Context(), c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, life := range []time.Duration{session.MinLife, session.MaxLife} {
		c := config(n.store, n.Env)
		c.SessionLife = life
		if _, err := authn.New(t.Context(), c); err != nil {
			t.Errorf("%v: %v", life, err)
		}
	}
}

func TestCheckUser_RefusesUserThatIsGone(t *testing.T) {
	n := newNode(t)
	living := n.AddUser("erased")
	erased, _ := living.Anonymize(n.Clock.Now())
	n.Write(func(tx store.Tx) error { return tx.PutUser(t.Context(), living, erased) })
	session := func(clientID, userID string) authn.Identity {
		return authn.Identity{Kind: authn.Session, ClientID: clientID, UserID: userID}
	}
	for name, c := range map[string]struct {
		id   authn.Identity
		want fault.Code
	}{
		"alive":          {session(n.User.ClientID, n.User.ID), ""},
		"another client": {session("another", n.User.ID), fault.Unauthorized},
		"unknown":        {session(n.User.ClientID, "x"), fault.Unauthorized},
		"anonymized":     {session(n.User.ClientID, erased.ID), fault.Unauthorized},
		"API key":        {authn.Identity{Kind: authn.APIKey, ClientID: n.User.ClientID}, ""},
	} {
		if got := n.checkUser(c.id); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A client that gets 401 drops its session, so a failing database must not answer
// that.
func TestCheckUser_ReturnsInternalWhenStoreFails(t *testing.T) {
	n := newNode(t)
	for _, err := range []error{errors.New("connection lost"), context.DeadlineExceeded, store.ErrConflict} {
		n.store.fail(err)
		id := authn.Identity{Kind: authn.Session, ClientID: n.User.ClientID, UserID: n.User.ID}
		f := n.CheckUser(t.Context(), id)
		if codeOf(id, f) != fault.Internal || !errors.Is(f, err) {
			t.Errorf("%v: got %v", err, f)
		}
	}
}
