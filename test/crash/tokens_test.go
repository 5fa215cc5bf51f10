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
	"samla/internal/testpg"
	"samla/internal/visitor"
)

const (
	tokenBank    = "se-demo-oauth"
	tokenWorkers = 6
	// tokenLife is how long access tokens live: a node replaces one a minute before its end.
	tokenLife = time.Minute + 2*time.Second
)

// moment is when a node is killed, as seen by the bank's token endpoint.
type moment int

const (
	beforeHandling moment = iota // the request has arrived
	beforeAnswer                 // it was handled
	afterAnswer                  // the answer is on its way, or was stored
	moments
)

// tokenEndpoint watches the token endpoint of a bank, and lets a test act at its moments.
type tokenEndpoint struct {
	t        *testing.T
	mu       sync.Mutex
	sent     map[string]int // how often each code and refresh token was sent
	inFlight map[string]bool
	overlaps int
	at       map[string]map[moment]func() // what to do once, by grant type
}

func (e *tokenEndpoint) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/oauth/token") {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		if err != nil {
			return // the node was killed while it sent the request
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		grant := form.Get("grant_type")
		what := grant + " " + form.Get("code") + form.Get("refresh_token")
		e.enter(what)
		e.act(grant, beforeHandling)
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		e.act(grant, beforeAnswer)
		e.leave(what)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		e.act(grant, afterAnswer)
	})
}

func (e *tokenEndpoint) enter(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent[what]++
	if e.inFlight[what] {
		e.overlaps++
	}
	e.inFlight[what] = true
}

func (e *tokenEndpoint) leave(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.inFlight, what)
}

// act does what is planned for a moment, once.
func (e *tokenEndpoint) act(grant string, m moment) {
	e.mu.Lock()
	do := e.at[grant][m]
	delete(e.at[grant], m)
	e.mu.Unlock()
	if do != nil {
		do()
	}
}

// plan lets do be done at the next such moment, and returns a channel that is closed then.
func (e *tokenEndpoint) plan(grant string, m moment, do func()) <-chan struct{} {
	done := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at[grant] = map[moment]func(){m: func() { do(); close(done) }}
	return done
}

// TestCrash_ExchangesNoCodeTwice kills all servers around exchanges of codes and around
// refreshes, on SQLite and on two nodes with PostgreSQL. No consent stays in a state that
// nobody resolves, no two requests with one token are under way at once, and none is sent
// more than twice. What a kill between the bank's answer and the commit costs is counted: a
// bank that rotates refresh tokens does not take the old one again.
func TestCrash_ExchangesNoCodeTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	kills := envNumber(t, "SAMLA_CRASH_KILLS", defaultKills)
	for _, store := range []struct {
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
			r.run(kills)
		})
	}
}

// tokenTest is the servers behind one address, and a bank with short tokens.
type tokenTest struct {
	*crashTest
	bank     *sandbox.Sandbox
	endpoint *tokenEndpoint
	front    string // address of the servers in browsers
	client   *apiclient.Client

	mu       sync.Mutex
	consents map[string]string // id to session token
	ended    map[string]int    // status at the end
	reads    atomic.Int64
}

func setUpTokens(t *testing.T, database string, nodes int) *tokenTest {
	r := &tokenTest{consents: map[string]string{}, ended: map[string]int{},
		endpoint: &tokenEndpoint{t: t, sent: map[string]int{}, inFlight: map[string]bool{}, at: map[string]map[moment]func(){}}}
	dir := t.TempDir()
	var banks []aspsp.Behaviour
	for _, b := range aspsp.RedirectBanks() {
		if b.Company == tokenBank {
			server := *b.Server
			server.Policy.AccessLife = tokenLife
			b.Server = &server
			banks = append(banks, b)
		}
	}
	var err error
	r.bank, err = sandbox.New(sandbox.Config{Dir: filepath.Join(dir, "sandbox"), Banks: banks, Wrap: r.endpoint.wrap, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = r.bank.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.bank.Stop(context.Background()) })
	file := filepath.Join(dir, "sandbox", "banks.json")
	if err := devserver.WriteBanks(t.Context(), file, r.bank, institution.Deps{Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(http.HandlerFunc(r.forward))
	t.Cleanup(front.Close)
	r.front = front.URL
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

// run lets workers sign and read while the servers are killed at each moment in turn, and
// checks what is left.
func (r *tokenTest) run(kills int) {
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	var load sync.WaitGroup
	for range tokenWorkers {
		load.Go(func() { r.work(ctx) })
	}
	for i := range kills {
		grant := []string{"authorization_code", "refresh_token"}[i%2]
		struck := r.endpoint.plan(grant, moment(i/2)%moments, func() {
			for _, n := range r.nodes {
				n.kill()
			}
		})
		select {
		case <-struck:
		case <-time.After(2 * resumeTimeout):
			r.Fatalf("kill %d: no %s was seen", i, grant)
		}
		r.startNodes()
	}
	stop()
	load.Wait()
	r.check(kills)
}

// work signs one consent after the other, and reads under each twice at the same time.
func (r *tokenTest) work(ctx context.Context) {
	for ctx.Err() == nil {
		number := r.persons.next()
		user, err := r.client.CreateUser(ctx, number)
		if err != nil {
			continue
		}
		token, err := r.client.CreateSession(ctx, user.ID)
		if err != nil {
			continue
		}
		id, err := r.client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: tokenBank, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
			PersonalNumber: number, IPAddress: "192.0.2.1"})
		if err != nil {
			continue
		}
		r.mu.Lock()
		r.consents[id] = token
		r.mu.Unlock()
		if !r.sign(ctx, token, id, number) {
			continue
		}
		for range 3 {
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { r.read(ctx, token, id) })
			}
			both.Wait()
			if !pause(ctx, 2*time.Second) { // then the token is replaced again
				return
			}
		}
	}
}

func (r *tokenTest) sign(ctx context.Context, token, id, number string) bool {
	transport := apiclient.NewPhone(r.bank.URL(), r.bank.CAPEM()).HTTP.Transport
	shown := func(s apiclient.ConsentStatus) bool { return s.Status != "INITIATED" }
	s, err := r.client.AwaitConsent(ctx, clock.System(), token, id, retryGap, shown)
	if err != nil || s.AuthInstructions == nil {
		return false
	}
	browser := visitor.New(transport, clock.System(), r.bank.URL())
	back, err := browser.Visit(ctx, s.AuthInstructions.RedirectURL, visitor.Person{Number: number, Phone: visitor.Approve, SignsAs: number})
	if err != nil {
		return false
	}
	if _, err := browser.Arrive(ctx, back); err != nil {
		return false
	}
	s, err = r.client.AwaitConsent(ctx, clock.System(), token, id, retryGap, func(s apiclient.ConsentStatus) bool { return s.Status != "AWAITING_AUTHORIZATION" })
	return err == nil && s.Status == "AUTHORIZED"
}

func (r *tokenTest) read(ctx context.Context, token, consentID string) {
	id, err := r.client.StartCollection(ctx, token, tokenBank, consentID, "192.0.2.1")
	if err != nil {
		return
	}
	if status, err := r.client.AwaitCollection(ctx, clock.System(), token, id, retryGap); err == nil && strings.HasPrefix(status, "COMPLETED") {
		r.reads.Add(1)
	}
}

// check waits until each consent is authorized or final, and reads under each authorized
// one once more.
func (r *tokenTest) check(kills int) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*resumeTimeout)
	defer cancel()
	lost := 0
	for id, token := range r.consents {
		s, err := r.client.PollConsent(ctx, token, id)
		if err != nil {
			r.Fatal(err)
		}
		r.ended[s.Status]++
		if s.Status == "INITIATED" {
			r.Errorf("consent %s is INITIATED", id)
		}
		if s.Error != nil {
			r.ended[s.Error.Code]++
			if s.Error.Code == "AUTHENTICATION_FAILED" || s.Error.Code == "CONSENT_REJECTED" {
				lost++
			}
		}
	}
	twice := 0
	for what, n := range r.endpoint.sent {
		if n > 2 {
			r.Errorf("%d requests with one %.10s", n, what)
		}
		if n == 2 {
			twice++
		}
	}
	if r.endpoint.overlaps > 0 {
		r.Errorf("%d requests while another one with the same token was under way", r.endpoint.overlaps)
	}
	if twice > kills || lost > kills {
		r.Errorf("%d tokens were sent twice and %d consents were lost by %d kills", twice, lost, kills)
	}
	if r.reads.Load() == 0 || r.ended["AUTHORIZED"] == 0 {
		r.Errorf("nothing was read: %v", r.ended)
	}
	r.Logf("%d kills around exchanges and refreshes: consents %v, %d collections completed, %d codes and tokens sent, %d of them twice, %d consents lost",
		kills, r.ended, r.reads.Load(), len(r.endpoint.sent), twice, lost)
}
