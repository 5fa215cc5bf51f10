package cases

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/pki"
)

// basePath is the path of a bank's base URL.
const basePath = "/psd2"

// bank is a scripted bank: it speaks HTTPS with mutual TLS and answers as its scripts
// say. It shares no code with the connector.
type bank struct {
	host      string // host and port
	elsewhere string // of a server that must never be contacted
	clock     clock.Clock

	mu         sync.Mutex
	scripts    []*script // the first that has an answer is used
	counting   bool      // requests count in want.requests
	journal    []exchange
	violations []string
	started    time.Time // when the bank was first asked to start an authorisation
}

// exchange is a request that a bank received.
type exchange struct {
	ask, query string
	status     int
	counted    bool
}

func (e exchange) String() string {
	text := fmt.Sprintf("%s%s -> %d", e.ask, e.query, e.status)
	if !e.counted {
		text += " (standard signing)"
	}
	return text
}

// startBank starts a bank. It is stopped at the end of the test.
func startBank(t *testing.T, c clock.Clock, certs *pki.Set) *bank {
	t.Helper()
	b := &bank{clock: c}
	serving, trap := listen(t), listen(t)
	b.host, b.elsewhere = serving.Addr().String(), trap.Addr().String()
	server := &http.Server{Handler: b, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{certs.Server},
		ClientAuth:   tls.VerifyClientCertIfGiven, // ServeHTTP reports requests without one
		ClientCAs:    certs.CA.Pool(),
		Time:         c.Now,
	}}
	var running sync.WaitGroup
	running.Go(func() { _ = server.ServeTLS(sniffer{serving, b}, "", "") })
	running.Go(func() {
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			b.violation("a connection to the other server")
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = server.Close()
		_ = trap.Close()
		running.Wait()
	})
	return b
}

// listen listens at a port that the system hands out to nobody: one that it hands out may
// have been that of another test's server, whose clients are still there, and each of their
// requests would be a violation.
func listen(t *testing.T) net.Listener {
	t.Helper()
	const first, last = 10000, 30000 // below those that systems hand out
	for range 1000 {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", fmt.Sprint("127.0.0.1:", first+rand.IntN(last-first)))
		if err == nil {
			return l
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free")
	return nil
}

// use replaces the scripts. Requests count from then on if counting is set.
func (b *bank) use(counting bool, scripts ...*script) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scripts, b.counting = scripts, counting
}

func (b *bank) violation(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.violations = append(b.violations, text)
}

// ServeHTTP implements http.Handler.
func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		b.violation("a request without a client certificate: " + r.Method + " " + r.URL.Path)
	}
	path, below := strings.CutPrefix(r.URL.Path, basePath+"/")
	q := request{ask: r.Method + " /" + path, query: r.URL.Query(), header: r.Header, now: b.clock.Now()}
	a, earlier := answer{Status: http.StatusNotFound}, 0
	if below {
		a, earlier = b.choose(q)
	} else {
		q.ask = r.Method + " [outside " + basePath + "] " + r.URL.Path
	}
	status := cmp.Or(a.Status, http.StatusOK)
	b.record(q.ask, r.URL.RawQuery, status)

	place := strings.NewReplacer("{host}", b.host, "{elsewhere}", b.elsewhere, "{n}", strconv.Itoa(earlier))
	body := []byte(place.Replace(a.content(earlier)))
	if a.Latin1 {
		var err error
		if body, err = latin1(string(body)); err != nil {
			b.violation(err.Error())
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if id := r.Header.Get("X-Request-ID"); id != "" {
		w.Header().Set("X-Request-ID", id)
	}
	for name, value := range a.Headers {
		w.Header().Set(name, place.Replace(value))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; 204 has no body
}

// choose returns the answer of the first script that has one, or that to an unknown
// request.
func (b *bank) choose(r request) (_ answer, earlier int) {
	b.mu.Lock()
	scripts := slices.Clone(b.scripts)
	b.mu.Unlock()
	for _, s := range scripts {
		if a, earlier, ok := s.choose(r); ok {
			return a, earlier
		}
	}
	return answer{Status: http.StatusNotFound, Body: []byte(`{"tppMessages":[{"category":"ERROR","code":"RESOURCE_UNKNOWN"}]}`)}, 0
}

func (b *bank) record(ask, query string, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if query != "" {
		query = "?" + query
	}
	b.journal = append(b.journal, exchange{ask, query, status, b.counting})
	if strings.HasPrefix(ask, "POST ") && strings.HasSuffix(ask, "/authorisations") && b.started.IsZero() {
		b.started = b.clock.Now()
	}
}

// authorisationStarted returns when the bank was first asked to start an authorisation.
func (b *bank) authorisationStarted() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.started
}

// requests returns how many requests count for an ask.
func (b *bank) requests(ask string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.journal {
		if e.counted && e.ask == ask {
			n++
		}
	}
	return n
}

// shown is how many requests a failure message lists from each end of the journal.
const shown = 25

// received lists the requests that the bank received.
func (b *bank) received() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var text strings.Builder
	for i, e := range b.journal {
		if i >= shown && i < len(b.journal)-shown {
			if i == shown {
				fmt.Fprintf(&text, "\n    … %d more", len(b.journal)-2*shown)
			}
			continue
		}
		fmt.Fprintf(&text, "\n    %s", e)
	}
	return text.String()
}

// sniffer is a listener that reports connections on which something else than TLS is
// spoken.
type sniffer struct {
	net.Listener
	bank *bank
}

func (s sniffer) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	return &sniffed{Conn: conn, bank: s.bank}, err
}

type sniffed struct {
	net.Conn
	bank  *bank
	begun bool
}

// handshake is the first byte of a TLS connection.
const handshake = 0x16

func (c *sniffed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.begun {
		c.begun = true
		if p[0] != handshake {
			c.bank.violation(fmt.Sprintf("a request without TLS: %.200q", p[:n]))
		}
	}
	return n, err
}
