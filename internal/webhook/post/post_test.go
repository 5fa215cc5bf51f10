package post_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/webhook"
	"samla/internal/webhook/post"
)

// The limits of attempts: ample for those that a busy machine must not end, short for those
// that end by it.
const (
	ample = time.Minute
	short = 500 * time.Millisecond
)

func sign(h http.Header) error {
	h.Set("X-Insurely-Event-Id", "e")
	return nil
}

// raw starts a receiver that answers each request of each connection with fn, over plain TCP.
func raw(t *testing.T, fn func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					fn(c)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/hook"
}

func attempt(t *testing.T, c *post.Client, url string) webhook.Outcome {
	t.Helper()
	r := c.Receiver(url)
	defer r.Close()
	o, begun := r.Post(t.Context(), sign, []byte(`{"a":1}`))
	if !begun {
		t.Fatal("not begun")
	}
	o.Took = 0
	return o
}

func TestPost_Answers(t *testing.T) {
	write := func(text string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, text) } }
	for name, test := range map[string]struct {
		serve func(net.Conn)
		want  webhook.Outcome
	}{
		"ok":                {write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), webhook.Outcome{Status: 200}},
		"no reason":         {write("HTTP/1.0 204\r\n\r\n"), webhook.Outcome{Status: 204}},
		"status alone":      {write("HTTP/1.1 200 OK\r\n"), webhook.Outcome{Status: 200}},
		"reset in a header": {func(c net.Conn) { write("HTTP/1.1 200 OK\r\nX-A: 1")(c); _ = c.(*net.TCPConn).SetLinger(0); c.Close() }, webhook.Outcome{Status: 200}},
		"reset before":      {func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() }, webhook.Outcome{Err: webhook.ConnectionClosed}},
		"half a status":     {func(c net.Conn) { write("HTTP/1.1 20")(c); c.Close() }, webhook.Outcome{Err: webhook.ConnectionClosed}},
		"500":               {write("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), webhook.Outcome{Status: 500, Err: webhook.StatusNot2xx}},
		"redirect":          {write("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"), webhook.Outcome{Status: 302, Err: webhook.RedirectIgnored}},
		"429":               {write("HTTP/1.1 429 No\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"), webhook.Outcome{Status: 429, Err: webhook.StatusNot2xx, RetryAfter: 17 * time.Second}},
		"503":               {write("HTTP/1.1 503 No\r\nretry-after: 9999999999\r\nContent-Length: 0\r\n\r\n"), webhook.Outcome{Status: 503, Err: webhook.StatusNot2xx, RetryAfter: webhook.LongestRetryAfter}},
		"1xx":               {write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), webhook.Outcome{Status: 200}},
		"101":               {write("HTTP/1.1 101 Up\r\n\r\n"), webhook.Outcome{Status: 101, Err: webhook.StatusNot2xx}},
		"no http":           {write("SSH-2.0-OpenSSH_9.9\r\n"), webhook.Outcome{Err: webhook.InvalidAnswer}},
		"a long line":       {write("HTTP/1.1 200 " + strings.Repeat("x", 10_000)), webhook.Outcome{Err: webhook.InvalidAnswer}},
		"1xx flood":         {flood("HTTP/1.1 100 Continue\r\n\r\n"), webhook.Outcome{Err: webhook.InvalidAnswer}},
		"endless 1xx":       {func(c net.Conn) { write("HTTP/1.1 100 Continue\r\n")(c); flood("X-A: 1\r\n")(c) }, webhook.Outcome{Err: webhook.InvalidAnswer}},
		"endless header":    {func(c net.Conn) { write("HTTP/1.1 200 OK\r\n")(c); flood("X-A: 1\r\n")(c) }, webhook.Outcome{Status: 200}},
		"endless body":      {func(c net.Conn) { write("HTTP/1.1 200 OK\r\n\r\n")(c); flood("aaaa\r\n")(c) }, webhook.Outcome{Status: 200}},
		"silence":           {func(net.Conn) { select {} }, webhook.Outcome{Err: webhook.TimedOut}},
		"slow status": {func(c net.Conn) {
			for range 100 {
				write("H")(c)
				time.Sleep(20 * time.Millisecond)
			}
		}, webhook.Outcome{Err: webhook.TimedOut}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := ample
			if test.want.Err == webhook.TimedOut {
				limit = short
			}
			local := post.New(post.Config{Targets: webhook.LoopbackTargets, Timeout: limit})
			if o := attempt(t, local, raw(t, test.serve)); o != test.want {
				t.Errorf("%+v, want %+v", o, test.want)
			}
		})
	}
}

func flood(text string) func(net.Conn) {
	return func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, strings.Repeat(text, 100)); err != nil {
				return
			}
		}
	}
}

// names is a resolver whose answers change with each question.
type names struct {
	answers [][]string
	asked   atomic.Int32
}

func (n *names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	i := int(n.asked.Add(1)) - 1
	if i >= len(n.answers) {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	var all []netip.Addr
	for _, text := range n.answers[i] {
		all = append(all, netip.MustParseAddr(text))
	}
	return all, nil
}

func TestPost_RefusesAddresses(t *testing.T) {
	for name, test := range map[string]struct {
		answers []string
		want    webhook.Error
	}{
		"private":          {[]string{"10.0.0.1", "192.168.1.1", "fd00::1"}, webhook.AddressRefused},
		"metadata in IPv6": {[]string{"::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"}, webhook.AddressRefused},
		"loopback":         {[]string{"127.0.0.1"}, webhook.AddressRefused},
		"nothing":          {nil, webhook.NameNotResolved},
	} {
		n := &names{answers: [][]string{test.answers}}
		c := post.New(post.Config{Targets: webhook.PublicTargets, Timeout: ample, Resolver: n})
		if o := attempt(t, c, "https://receiver.example.com/"); o.Err != test.want {
			t.Errorf("%s: %+v", name, o)
		}
	}
	public := post.New(post.Config{Targets: webhook.PublicTargets, Timeout: ample})
	for _, url := range []string{"http://receiver.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data/", "::"} {
		if o := attempt(t, public, url); o.Err != webhook.AddressRefused {
			t.Errorf("%s: %+v", url, o)
		}
	}
}

// A name that leads to a public address first and to this machine later is not called there:
// each new connection is checked.
func TestPost_DNSRebinding(t *testing.T) {
	var called atomic.Int32
	url := raw(t, func(c net.Conn) {
		called.Add(1)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/hook"))
	n := &names{answers: [][]string{{"127.0.0.1"}, {"192.168.7.7"}, {"169.254.169.254"}, {"10.1.1.1", "127.0.0.1"}}}
	c := post.New(post.Config{Targets: webhook.LoopbackTargets, Timeout: ample, Resolver: n})
	r := c.Receiver("http://localhost:" + port + "/hook")
	defer r.Close()
	var got []webhook.Outcome
	for range 4 {
		o, _ := r.Post(t.Context(), sign, nil)
		o.Took = 0
		got = append(got, o)
	}
	want := []webhook.Outcome{{Status: 200}, {Err: webhook.AddressRefused}, {Err: webhook.AddressRefused}, {Status: 200}}
	if fmt.Sprint(got) != fmt.Sprint(want) || called.Load() != 2 {
		t.Errorf("%v, called %d times", got, called.Load())
	}
}

func TestPost_TLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != `{"a":1}` || r.Header.Get("X-Insurely-Event-Id") != "e" || r.Header.Get("Content-Type") != "application/json" || r.ProtoMajor != 1 {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	known := post.New(post.Config{Targets: webhook.LoopbackTargets, Timeout: ample, Roots: roots})
	if o := attempt(t, known, s.URL); !o.Success() {
		t.Errorf("%+v", o)
	}
	unknown := post.New(post.Config{Targets: webhook.LoopbackTargets, Timeout: ample})
	if o := attempt(t, unknown, s.URL); o.Err != webhook.TLSFailed {
		t.Errorf("an unknown certificate: %+v", o)
	}
	other := post.New(post.Config{Targets: webhook.LoopbackTargets, Timeout: ample, Roots: roots, Resolver: &names{answers: [][]string{{"127.0.0.1"}}}})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	if o := attempt(t, other, "https://other.localhost:"+port); o.Err != webhook.TLSFailed {
		t.Errorf("another name: %+v", o)
	}
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	if o := attempt(t, known, old.URL); o.Err != webhook.TLSFailed {
		t.Errorf("TLS 1.1: %+v", o)
	}
}

// The environment's proxy would be asked for each host but this machine's.
func TestPost_UsesNoProxy(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	c := post.New(post.Config{Targets: webhook.AnyTargets, Timeout: ample, Resolver: &names{}})
	if o := attempt(t, c, "http://receiver.example.com/"); o.Err != webhook.NameNotResolved || asked.Load() != 0 {
		t.Errorf("%+v, the proxy was asked %d times", o, asked.Load())
	}
}

func TestReceiver_ReusesFourConnections(t *testing.T) {
	var open, most, made atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Millisecond)
		w.WriteHeader(http.StatusNoContent)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			made.Add(1)
			most.Store(max(most.Load(), open.Add(1)))
		case http.StateClosed:
			open.Add(-1)
		}
	}
	s.Start()
	defer s.Close()
	r := post.New(post.Config{Targets: webhook.LoopbackTargets}).Receiver(s.URL)
	defer r.Close()
	done := make(chan webhook.Outcome)
	for range 20 {
		go func() {
			for range 10 {
				o, _ := r.Post(context.Background(), sign, []byte("{}"))
				done <- o
			}
		}()
	}
	for range 200 {
		if o := <-done; !o.Success() {
			t.Errorf("%+v", o)
		}
	}
	if made.Load() > 8 || most.Load() > post.Connections {
		t.Errorf("%d connections made, %d at once", made.Load(), most.Load())
	}
}

// A connection that the receiver has closed while it was idle is not used again.
func TestReceiver_SeesClosedConnections(t *testing.T) {
	var conns atomic.Int32
	closed := make(chan struct{}, 10)
	url := raw(t, func(c net.Conn) {
		conns.Add(1)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		time.Sleep(20 * time.Millisecond)
		c.Close()
		closed <- struct{}{}
	})
	r := post.New(post.Config{Targets: webhook.LoopbackTargets}).Receiver(url)
	defer r.Close()
	for i := range 3 {
		if o, _ := r.Post(t.Context(), sign, nil); !o.Success() {
			t.Errorf("attempt %d: %+v", i, o)
		}
		<-closed
		time.Sleep(10 * time.Millisecond)
	}
}
