package obie

import (
	"net/http"
	"strconv"
	"time"
)

// Call is one request that the bank answered.
type Call struct {
	// Kind is what the request was: metadata, jwks, authorize, page, token, the same with its
	// grant type ("token/authorization_code"), or a resource without its ids ("accounts/*/balances")
	// after its method for consents ("POST account-access-consents").
	Kind     string    `json:"kind"`
	Status   int       `json:"status"` // of the answer
	At       time.Time `json:"at"`
	Attended bool      `json:"attended,omitempty"` // x-fapi-customer-ip-address is present
}

// maxCalls is how many of the last calls the bank remembers; it counts all.
const maxCalls = 10_000

// callLog counts the calls. The bank's mu guards it.
type callLog struct {
	last   []Call
	counts map[string]int // by kind, and by kind with the status: "token/refresh_token 400"
}

func (l *callLog) add(c Call) {
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[c.Kind]++
	l.counts[c.Kind+" "+strconv.Itoa(c.Status)]++
	if len(l.last) == maxCalls {
		l.last = l.last[:copy(l.last, l.last[maxCalls/2:])]
	}
	l.last = append(l.last, c)
}

// Calls returns how many calls of a kind the bank answered since its start; kind may end
// with a status, such as "token/refresh_token 400".
func (b *Bank) Calls(kind string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.counts[kind]
}

// LastCalls returns the last calls, oldest first, at most 10 000.
func (b *Bank) LastCalls() []Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Call{}, b.log.last...)
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// logged calls serve, which returns the kind of the call, and logs it.
func (b *Bank) logged(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request) string) {
	rec := &recorder{ResponseWriter: w}
	kind := serve(rec, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log.add(Call{kind, rec.status, b.Clock.Now(), r.Header.Get(headerCustomerIP) != ""})
}
