package faulty

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/sandbox/pki"
)

// bank is a bank over real mutual TLS whose answers a test replaces. Its consents are
// signed as soon as somebody asks.
type bank struct {
	company string
	url     string
	asked   atomic.Int64 // requests
	inFlight,
	most atomic.Int64

	mu     sync.Mutex
	faults http.HandlerFunc // answers in place of the bank; nil = healthy
	ended  chan struct{}    // closed at the end of the test
}

// startBank starts a healthy bank. It is stopped at the end of the test.
func startBank(t testing.TB, company string, certs *pki.Set) *bank {
	t.Helper()
	b := &bank{company: company, ended: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.url = "https://" + l.Addr().String()
	server := &http.Server{Handler: b, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certs.Server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: certs.CA.Pool()}}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.ServeTLS(l, "", "") })
	t.Cleanup(func() {
		close(b.ended)
		_ = server.Close()
		serving.Wait()
	})
	return b
}

// fail makes the bank answer requests whose path ends with one of the paths by f; no
// path means every request.
func (b *bank) fail(f http.HandlerFunc, paths ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = func(w http.ResponseWriter, r *http.Request) {
		for _, path := range paths {
			if strings.HasSuffix(r.URL.Path, path) {
				f(w, r)
				return
			}
		}
		if len(paths) == 0 {
			f(w, r)
			return
		}
		b.answer(w, r)
	}
}

// sleep waits, or until the client is gone or the test has ended, and reports whether the
// whole time has passed.
func (b *bank) sleep(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
	case <-b.ended:
	}
	return false
}

// ServeHTTP implements http.Handler.
func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.asked.Add(1)
	defer b.inFlight.Add(-1)
	for n, m := b.inFlight.Add(1), b.most.Load(); n > m && !b.most.CompareAndSwap(m, n); m = b.most.Load() {
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-ID", r.Header.Get("X-Request-ID"))
	b.mu.Lock()
	answer := b.faults
	b.mu.Unlock()
	if answer == nil {
		answer = b.answer
	}
	answer(w, r)
}

// answer is the answer of the healthy bank.
func (b *bank) answer(w http.ResponseWriter, r *http.Request) {
	const row = `{"transactionId":"t%d","bookingDate":"%s","transactionAmount":{"currency":"SEK","amount":"-%d.00"},"remittanceInformationUnstructured":"Rent"}`
	say := func(status int, text string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch {
	case r.Method == http.MethodPost && path == "consents":
		say(http.StatusCreated, `{"consentStatus":"received","consentId":"c1","_links":{}}`)
	case r.Method == http.MethodPost:
		say(http.StatusCreated, `{"scaStatus":"received","authorisationId":"au1","challengeData":{"data":["67df3917-fa0d-44e5-b327-edcc928297f8"]},"_links":{}}`)
	case strings.HasPrefix(path, "consents/c1/authorisations/"):
		say(http.StatusOK, `{"scaStatus":"finalised"}`)
	case path == "consents/c1" && r.Method == http.MethodGet:
		say(http.StatusOK, `{"consentStatus":"valid","validUntil":"`+time.Now().AddDate(0, 0, 150).Format(time.DateOnly)+
			`","frequencyPerDay":4,"recurringIndicator":true,"access":{"allPsd2":"allAccounts"}}`)
	case path == "accounts":
		say(http.StatusOK, `{"accounts":[{"resourceId":"a1","iban":"SE4550000000058398257466","currency":"SEK","cashAccountType":"CACC",`+
			`"balances":[{"balanceType":"interimBooked","balanceAmount":{"currency":"SEK","amount":"100.00"}}]}]}`)
	case path == "accounts/a1/transactions":
		rows := make([]string, 20)
		for i := range rows {
			rows[i] = fmt.Sprintf(row, i, time.Now().AddDate(0, 0, -i).Format(time.DateOnly), 10+i)
		}
		say(http.StatusOK, `{"transactions":{"booked":[`+strings.Join(rows, ",")+`]}}`)
	default:
		say(http.StatusNotFound, `{"tppMessages":[{"category":"ERROR","code":"RESOURCE_UNKNOWN"}]}`)
	}
}
