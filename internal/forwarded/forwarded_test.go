package forwarded_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"samla/internal/forwarded"
)

func TestClient_IsTheLastThatIsNoProxy(t *testing.T) {
	proxies, err := forwarded.Parse([]string{"10.0.0.0/24", "192.0.2.7", "fd00::/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		connection string
		header     []string
		want       string
	}{
		{"198.51.100.1", nil, "198.51.100.1"},
		{"198.51.100.1", []string{"203.0.113.9"}, "198.51.100.1"}, // no proxy wrote it
		{"10.0.0.5", nil, "10.0.0.5"},
		{"10.0.0.5", []string{"203.0.113.9"}, "203.0.113.9"},
		{"10.0.1.5", []string{"203.0.113.9"}, "10.0.1.5"},
		{"10.0.0.5", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"}, // the client wrote the first
		{"10.0.0.5", []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		{"10.0.0.5", []string{"203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		{"10.0.0.5", []string{"203.0.113.9,192.0.2.7,10.0.0.9"}, "203.0.113.9"},
		{"10.0.0.5", []string{"10.0.0.8, 10.0.0.9"}, "10.0.0.8"},
		{"10.0.0.5", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"10.0.0.5", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"10.0.0.5", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"fd00::5", []string{"2001:db8::1"}, "2001:db8::1"},
		{"::ffff:10.0.0.5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"10.0.0.5", []string{"unknown"}, "10.0.0.5"},
		{"10.0.0.5", []string{"203.0.113.9, unknown"}, "10.0.0.5"},
		{"10.0.0.5", []string{""}, "10.0.0.5"},
		{"10.0.0.5", []string{"fe80::1%eth0"}, "fe80::1"},
	} {
		if got := proxies.Client(netip.MustParseAddr(c.connection), http.Header{"X-Forwarded-For": c.header}); got.String() != c.want {
			t.Errorf("%s with %q is %s, want %s", c.connection, c.header, got, c.want)
		}
	}
}

func TestParse_RefusesWhatIsNoNetwork(t *testing.T) {
	for _, text := range []string{"", "proxy.example.com", "10.0.0.0/33", "10.0.0.1:80", "fe80::1%eth0", "::ffff:10.0.0.0/104"} {
		if _, err := forwarded.Parse([]string{text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestHandler_TellsTheClientsAddress(t *testing.T) {
	var seen string
	h := forwarded.Local().Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.RemoteAddr }))
	for _, c := range []struct{ connection, header, want string }{
		{"127.0.0.1:5000", "203.0.113.9", "203.0.113.9:5000"},
		{"[::1]:5000", "2001:db8::1", "[2001:db8::1]:5000"},
		{"127.0.0.1:5000", "", "127.0.0.1:5000"},
		{"198.51.100.1:5000", "203.0.113.9", "198.51.100.1:5000"},
		{"@", "203.0.113.9", "@"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if r.RemoteAddr = c.connection; c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		if h.ServeHTTP(httptest.NewRecorder(), r); seen != c.want || r.RemoteAddr != c.connection {
			t.Errorf("%s with %q is %s, want %s", c.connection, c.header, seen, c.want)
		}
	}
}

// Whatever a client writes before what its proxy appends, it does not choose its address.
func FuzzClient_IsNotChosenByTheClient(f *testing.F) {
	f.Add("1.1.1.1")
	f.Add("10.0.0.1, ,[")
	f.Fuzz(func(t *testing.T, written string) {
		if strings.ContainsAny(written, "\r\n") {
			t.Skip()
		}
		h := http.Header{"X-Forwarded-For": {written + ", 203.0.113.9"}}
		if got := forwarded.Local().Client(netip.MustParseAddr("127.0.0.1"), h); got.String() != "203.0.113.9" {
			t.Errorf("%q is taken: %s", written, got)
		}
	})
}
