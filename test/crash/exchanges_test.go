package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The grant types of what is killed around.
const (
	codeGrant    = "authorization_code"
	refreshGrant = "refresh_token"
)

// tokenBank is a bank of a family, and where it exchanges.
type tokenBank struct {
	company  string
	prefix   string // of the bank's paths
	endpoint string // end of the path to which codes and refresh tokens are sent
	grants   []string
}

var tokenBanks = []tokenBank{
	{"se-demo-oauth", "/se-demo-oauth/", "/oauth/token", []string{codeGrant, refreshGrant}},
	{"se-demo-nordea-redirect", "/se-demo-nordea/", "/v5/authorize/token", []string{codeGrant, refreshGrant}},
	{"se-demo-obie", "/se-demo-obie/", "/token", []string{codeGrant, refreshGrant}},
	{"se-eb-lansforsakringar", "/enablebanking/", "/sessions", []string{codeGrant}},
}

// exchange is what is killed around: a grant at a bank.
type exchange struct{ company, grant string }

// exchanges returns all of them, the codes of all banks first.
func exchanges() (all []exchange) {
	for _, grant := range []string{codeGrant, refreshGrant} {
		for _, b := range tokenBanks {
			if slices.Contains(b.grants, grant) {
				all = append(all, exchange{b.company, grant})
			}
		}
	}
	return all
}

// target returns what the kill with this number is at: a whole turn of numbers has each
// exchange once, and three turns have each at each moment.
func target(number int) (exchange, moment) {
	all := exchanges()
	turn, i := number/len(all), number%len(all)
	return all[i], moment(i+turn) % moments
}

// moment is when a node is killed, as seen by the bank's token endpoint.
type moment int

const (
	beforeHandling moment = iota // the request has arrived
	beforeAnswer                 // it was handled
	afterAnswer                  // the answer is on its way, or was stored
	moments
)

// tokenEndpoint watches the token endpoints of the banks, and lets a test act at their
// moments.
type tokenEndpoint struct {
	mu       sync.Mutex
	sent     map[exchange]map[string]int // how often each code and refresh token was sent, until it was refused
	refused  map[string]bool             // codes and refresh tokens; the bank may be asked whether it means it
	inFlight map[string]bool
	overlaps int
	at       map[exchange]map[moment]func() // what to do once
}

func newTokenEndpoint() *tokenEndpoint {
	return &tokenEndpoint{sent: map[exchange]map[string]int{}, refused: map[string]bool{}, inFlight: map[string]bool{}, at: map[exchange]map[moment]func(){}}
}

// exchangeIn returns what a request exchanges, and its code or refresh token. It is not ok
// if the request exchanges nothing.
func exchangeIn(r *http.Request, body []byte) (of exchange, what string, ok bool) {
	i := slices.IndexFunc(tokenBanks, func(b tokenBank) bool {
		return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, b.prefix) && strings.HasSuffix(r.URL.Path, b.endpoint)
	})
	if i < 0 {
		return exchange{}, "", false
	}
	form, _ := url.ParseQuery(string(body))
	var session struct{ Code string }
	if json.Unmarshal(body, &session) == nil && session.Code != "" { // the gateway's
		form = url.Values{"grant_type": {codeGrant}, "code": {session.Code}}
	}
	of, what = exchange{tokenBanks[i].company, form.Get("grant_type")}, form.Get("code")+form.Get("refresh_token")
	return of, what, slices.Contains(tokenBanks[i].grants, of.grant) && what != ""
}

func (e *tokenEndpoint) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the node was killed while it sent the request
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		of, what, ok := exchangeIn(r, body)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		e.enter(of, what)
		e.act(of, beforeHandling)
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		e.act(of, beforeAnswer)
		e.leave(what, answer.Code)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		e.act(of, afterAnswer)
	})
}

func (e *tokenEndpoint) enter(of exchange, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sent[of] == nil {
		e.sent[of] = map[string]int{}
	}
	if !e.refused[what] {
		e.sent[of][what]++
	}
	if e.inFlight[what] {
		e.overlaps++
	}
	e.inFlight[what] = true
}

func (e *tokenEndpoint) leave(what string, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused[what] = e.refused[what] || status/100 == 4
	delete(e.inFlight, what)
}

// act does what is planned for a moment, once.
func (e *tokenEndpoint) act(of exchange, m moment) {
	e.mu.Lock()
	do := e.at[of][m]
	delete(e.at[of], m)
	e.mu.Unlock()
	if do != nil {
		do()
	}
}

// plan lets do be done at the next such moment, and returns a channel that is closed then.
func (e *tokenEndpoint) plan(of exchange, m moment, do func()) <-chan struct{} {
	done := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at[of] = map[moment]func(){m: func() { do(); close(done) }}
	return done
}

func TestTarget_HasEachExchangeAtEachMoment(t *testing.T) {
	seen := map[string]bool{}
	n := len(exchanges()) * int(moments)
	for i := range n {
		of, m := target(i)
		seen[fmt.Sprint(of, m)] = true
	}
	if len(seen) != n || n != 21 {
		t.Errorf("%d of %d", len(seen), n)
	}
}
