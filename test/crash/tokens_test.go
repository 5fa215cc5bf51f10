package crash

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/institution"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/obie"
	"samla/internal/testpg"
	"samla/internal/visitor"
)

const (
	tokenWorkers = 6
	// tokenLife is how long access tokens live: a node replaces one a minute before its end.
	tokenLife = time.Minute + 2*time.Second
)

// TestCrash_ExchangesNoCodeTwice kills all servers around exchanges of codes and around
// refreshes at a bank of each family, on SQLite and on two nodes with PostgreSQL. No consent
// stays in a state that nobody resolves, no two requests with one token are under way at
// once, and none is sent more than twice. What a kill between the bank's answer and the
// commit costs is counted: a bank that rotates refresh tokens does not take the old one again.
// A few kills are at few of the banks: the stores take turns.
func TestCrash_ExchangesNoCodeTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	kills := envNumber(t, "SAMLA_CRASH_KILLS", defaultKills)
	for i, store := range []struct {
		name     string
		nodes    int
		database func(testing.TB) string
	}{
		{"sqlite", 1, func(testing.TB) string { return "" }},
		{"postgres", 2, testpg.URL},
	} {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			r := setUpTokens(t, store.database(t), store.nodes)
			r.run(i*kills, kills)
		})
	}
}

// tokenTest is the servers behind one address, and banks with short tokens.
type tokenTest struct {
	*crashTest
	bank     *sandbox.Sandbox
	endpoint *tokenEndpoint
	front    string // address of the servers in browsers
	client   *apiclient.Client
	wanted   atomic.Pointer[exchange] // what the next kill waits for

	mu       sync.Mutex
	consents map[string]*signed // by id
	reads    map[string]int     // completed collections by company
}

// signed is a consent at one of the banks.
type signed struct {
	id, token string // token is that of the session
	number    string
	company   string
	returned  bool // the person came back
	usable    bool // it was read, and no worker uses it
}

func setUpTokens(t *testing.T, database string, nodes int) *tokenTest {
	r := &tokenTest{consents: map[string]*signed{}, reads: map[string]int{}, endpoint: newTokenEndpoint()}
	dir := t.TempDir()
	front := httptest.NewServer(http.HandlerFunc(r.forward))
	t.Cleanup(front.Close)
	r.front = front.URL
	returnTo := func(name string) string { return r.front + "/callback/" + name }
	config := sandbox.Config{Dir: filepath.Join(dir, "sandbox"), Wrap: r.endpoint.wrap, Logger: slog.New(slog.DiscardHandler)}
	for _, b := range aspsp.RedirectBanks() {
		if b.Company == tokenBanks[0].company {
			server := *b.Server
			server.Policy.AccessLife = tokenLife
			b.Server = &server
			config.Banks = append(config.Banks, b)
		}
	}
	atNordea := nordea.DefaultBank()
	atNordea.AccessLife = tokenLife
	atOBIE := obie.DefaultBanks()[0]
	atOBIE.AccessLifetime = tokenLife
	config.Nordea, config.OBIE = []nordea.Behaviour{atNordea}, []obie.Behaviour{atOBIE}
	for _, b := range tokenBanks {
		config.RedirectURIs = append(config.RedirectURIs, returnTo(b.company))
	}
	var err error
	r.bank, err = sandbox.New(config)
	if err == nil {
		err = r.bank.Start(t.Context())
	}
	if err == nil {
		err = r.bank.Gateway().Register(returnTo(devserver.GatewayCompany))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.bank.Stop(context.Background()) })
	file := filepath.Join(dir, "sandbox", "banks.json")
	if err := devserver.WriteBanks(t.Context(), file, r.bank, institution.Deps{Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	r.crashTest = &crashTest{T: t, dir: dir, database: database, recorder: newRecorder(), persons: newPersons(), http: http.DefaultClient}
	master := r.masterFile()
	r.command("master-key", master)
	store := []string{"--master-key-file", master, "--data", r.dataDir()}
	if database != "" {
		store = append(store, "--database", database)
	}
	r.apiKey = strings.TrimSpace(r.command(append([]string{"key", "create", "crash"}, store...)...))
	for range nodes {
		n := &node{t: t, args: append([]string{"serve", "--banks", file, "--listen", "127.0.0.1:0", "--public-url", r.front, "--metrics", "off", "--rate-limit", "0"}, store...)}
		r.nodes = append(r.nodes, n)
	}
	r.startNodes()
	r.client = &apiclient.Client{Base: r.front, APIKey: r.apiKey, HTTP: &http.Client{Timeout: time.Minute}}
	return r
}

func (r *tokenTest) startNodes() {
	r.Helper()
	for _, n := range r.nodes {
		n.start()
	}
	for _, n := range r.nodes {
		if err := n.await(r.Context()); err != nil {
			r.Fatalf("a server does not start: %v\n%s", err, n.process.Log.Tail())
		}
	}
}

// forward sends a request to a server that runs, as a load balancer does. A request whose
// server is killed is sent again: the requests of this test may be repeated.
func (r *tokenTest) forward(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	for try := 0; q.Context().Err() == nil; try++ {
		address := r.nodes[try%len(r.nodes)].currentAddress()
		if address == "" {
			pause(q.Context(), retryGap)
			continue
		}
		target, err := url.Parse(address)
		if err != nil {
			return
		}
		failed := false
		proxy := httputil.ReverseProxy{
			Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(target) },
			ErrorHandler: func(http.ResponseWriter, *http.Request, error) { failed = true },
			ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		}
		again := q.Clone(q.Context())
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, again)
		if failed {
			pause(q.Context(), retryGap)
			continue
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		return
	}
}

// run lets workers sign and read while the servers are killed at each target in turn, and
// checks what is left. The first kill has the number first.
func (r *tokenTest) run(first, kills int) {
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	of, _ := target(first)
	r.wanted.Store(&of)
	var load sync.WaitGroup
	for range tokenWorkers {
		load.Go(func() { r.work(ctx) })
	}
	struckAt := map[exchange]int{}
	for i := range kills {
		of, m := target(first + i)
		r.wanted.Store(&of)
		struck := r.endpoint.plan(of, m, func() {
			for _, n := range r.nodes {
				n.kill()
			}
		})
		select {
		case <-struck:
		case <-time.After(2 * resumeTimeout):
			r.Fatalf("kill %d: no %s was seen at %s", i, of.grant, of.company)
		}
		struckAt[of]++
		r.startNodes()
	}
	stop()
	load.Wait()
	r.check(kills, struckAt)
}

// work signs and reads at the bank at which the next kill is to be. A refresh needs a
// consent that has been authorized for some seconds; there are some after the first turn.
func (r *tokenTest) work(ctx context.Context) {
	for ctx.Err() == nil {
		of := *r.wanted.Load()
		c := r.known(of)
		if c == nil {
			if c = r.open(ctx, of.company); c == nil || !r.sign(ctx, c) {
				continue
			}
		}
		var done atomic.Bool
		for range 2 {
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { done.Store(r.read(ctx, c)) })
			}
			both.Wait()
			if *r.wanted.Load() != of {
				break
			}
			if !pause(ctx, 2*time.Second) { // then the token is replaced again
				return
			}
		}
		r.mu.Lock()
		c.usable = done.Load()
		r.mu.Unlock()
	}
}

// known takes a consent whose tokens can be replaced, if that is wanted and there is one.
func (r *tokenTest) known(of exchange) *signed {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.consents {
		if of.grant == refreshGrant && c.company == of.company && c.usable {
			c.usable = false
			return c
		}
	}
	return nil
}

func (r *tokenTest) open(ctx context.Context, company string) *signed {
	number := r.persons.next()
	user, err := r.client.CreateUser(ctx, number)
	if err != nil {
		return nil
	}
	token, err := r.client.CreateSession(ctx, user.ID)
	if err != nil {
		return nil
	}
	id, err := r.client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: company, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		PersonalNumber: number, IPAddress: "192.0.2.1"})
	if err != nil {
		return nil
	}
	c := &signed{id: id, token: token, company: company, number: number}
	r.mu.Lock()
	r.consents[id] = c
	r.mu.Unlock()
	return c
}

func (r *tokenTest) sign(ctx context.Context, c *signed) bool {
	transport := apiclient.NewPhone(r.bank.URL(), r.bank.CAPEM()).HTTP.Transport
	shown := func(s apiclient.ConsentStatus) bool { return s.Status != "INITIATED" }
	s, err := r.client.AwaitConsent(ctx, clock.System(), c.token, c.id, retryGap, shown)
	if err != nil || s.AuthInstructions == nil {
		return false
	}
	browser := visitor.New(transport, clock.System(), r.bank.URL())
	back, err := browser.Visit(ctx, s.AuthInstructions.RedirectURL, visitor.Person{Number: c.number, Phone: visitor.Approve, SignsAs: c.number})
	if err != nil {
		return false
	}
	if _, err := browser.Arrive(ctx, back); err != nil {
		return false
	}
	r.mu.Lock()
	c.returned = true
	r.mu.Unlock()
	s, err = r.client.AwaitConsent(ctx, clock.System(), c.token, c.id, retryGap, func(s apiclient.ConsentStatus) bool { return s.Status != "AWAITING_AUTHORIZATION" })
	return err == nil && s.Status == "AUTHORIZED"
}

// read collects once, and reports whether that has completed.
func (r *tokenTest) read(ctx context.Context, c *signed) bool {
	id, err := r.client.StartCollection(ctx, c.token, c.company, c.id, "192.0.2.1")
	if err != nil {
		return false
	}
	status, err := r.client.AwaitCollection(ctx, clock.System(), c.token, id, retryGap)
	if err != nil || status != "COMPLETED" {
		return false
	}
	r.mu.Lock()
	r.reads[c.company]++
	r.mu.Unlock()
	return true
}

// check waits until each consent whose person came back is authorized or final, and checks
// and reports by bank what was sent and lost. A kill meets one exchange of each worker at
// most: so many can be sent twice, and lost.
func (r *tokenTest) check(kills int, struckAt map[exchange]int) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*resumeTimeout)
	defer cancel()
	ended, lost := map[string]map[string]int{}, map[string]int{}
	for _, b := range tokenBanks {
		ended[b.company] = map[string]int{}
	}
	for id, c := range r.consents {
		over := func(s apiclient.ConsentStatus) bool {
			return s.Status != "INITIATED" && (s.Status != "AWAITING_AUTHORIZATION" || !c.returned)
		}
		s, err := r.client.AwaitConsent(ctx, clock.System(), c.token, id, retryGap, over)
		if err != nil {
			r.Errorf("consent %s at %s is not resolved: %v", id, c.company, err)
			continue
		}
		ended[c.company][s.Status]++
		if s.Error != nil {
			ended[c.company][s.Error.Code]++
		}
		if s.Status == "FAILED" && c.returned || s.Status == "REVOKED" || s.Status == "EXPIRED" {
			lost[c.company]++
		}
	}
	if r.endpoint.overlaps > 0 {
		r.Errorf("%d requests while another one with the same token was under way", r.endpoint.overlaps)
	}
	for _, b := range tokenBanks {
		var sent, twice [2]int
		for i, grant := range []string{codeGrant, refreshGrant} {
			for what, n := range r.endpoint.sent[exchange{b.company, grant}] {
				if n > 2 {
					r.Errorf("%s: %d requests with one %s, %.6s…", b.company, n, grant, what)
				}
				if sent[i]++; n == 2 {
					twice[i]++
				}
			}
		}
		struck := struckAt[exchange{b.company, codeGrant}] + struckAt[exchange{b.company, refreshGrant}]
		if most := kills * tokenWorkers; twice[0]+twice[1] > most || lost[b.company] > most {
			r.Errorf("%s: %d codes and tokens were sent twice and %d consents were lost by %d kills", b.company, twice[0]+twice[1], lost[b.company], kills)
		}
		if struck > 0 && (ended[b.company]["AUTHORIZED"] == 0 && struck > 1 || sent[0] == 0) {
			r.Errorf("%s: nothing was authorized: %v", b.company, ended[b.company])
		}
		r.Logf("%s: %d kills around exchanges, %d around refreshes: consents %v, %d lost; %d collections completed; %d codes sent, %d of them twice; %d refresh tokens sent, %d of them twice",
			b.company, struckAt[exchange{b.company, codeGrant}], struckAt[exchange{b.company, refreshGrant}], ended[b.company], lost[b.company], r.reads[b.company],
			sent[0], twice[0], sent[1], twice[1])
	}
}
