package api_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/api"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

var errDown = errors.New("connection refused")

// failing is a version whose endpoint getLoan returns the error of f.
func failing(t *testing.T, f func(*api.Call) error) api.Version {
	v := newer(t)
	v.Endpoints["getLoan"] = api.Endpoint{Serve: f}
	return v
}

func TestProblem_OfOutageIs503(t *testing.T) {
	e := newEnv(t)
	key := map[string]string{"Authorization-Token": e.key}
	down := failing(t, func(*api.Call) error { return fmt.Errorf("read: %w", errDown) })
	e.config.OutageOf = func(err error) store.Outage {
		if errors.Is(err, errDown) {
			return store.Unreachable
		}
		return ""
	}
	got := e.page(e.handler(mounts(down)), "GET", "/loans/7", "", key)
	body, _ := io.ReadAll(got.Body)
	if got.StatusCode != 503 || got.Header.Get("Retry-After") == "" || !strings.Contains(string(body), `"SERVICE_UNAVAILABLE"`) {
		t.Errorf("%d %v %s", got.StatusCode, got.Header, body)
	}
	if !strings.Contains(e.log.String(), errDown.Error()) || strings.Contains(string(body), errDown.Error()) {
		t.Errorf("the cause belongs in the log only:\n%s\n%s", e.log, body)
	}
	other := failing(t, func(*api.Call) error { return errors.New("a fault of ours") })
	if got := e.page(e.handler(mounts(other)), "GET", "/loans/7", "", key); got.StatusCode != 500 {
		t.Errorf("another error: %d", got.StatusCode)
	}
}

// A request that the store does not answer is answered after RequestTimeout.
func TestRequest_EndsAfterRequestTimeout(t *testing.T) {
	e := newEnv(t)
	e.config.RequestTimeout, e.config.OutageOf = 20*time.Millisecond, sqlstore.OutageOf
	stuck := failing(t, func(c *api.Call) error {
		<-c.Context().Done()
		return c.Context().Err()
	})
	if got := e.page(e.handler(mounts(stuck)), "GET", "/loans/7", "", map[string]string{"Authorization-Token": e.key}); got.StatusCode != 503 {
		t.Errorf("%d", got.StatusCode)
	}
}

// What follows a request with two lengths on a connection could be another's request.
func TestRequest_WithTwoLengthsClosesTheConnection(t *testing.T) {
	e := newEnv(t)
	server := httptest.NewServer(e.handler(mounts(newer(t))))
	defer server.Close()
	for _, lengths := range []string{"Content-Length: 2\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 60"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /loans HTTP/1.1\r\nHost: x\r\nAuthorization-Token: %s\r\nContent-Type: application/json\r\n%s\r\n\r\n2\r\n{}\r\n0\r\n\r\nGET /hours HTTP/1.1\r\nHost: x\r\n\r\n", e.key, lengths)
		r := bufio.NewReader(conn)
		first, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, first.Body)
		if second, err := http.ReadResponse(r, nil); !first.Close || err == nil {
			t.Errorf("%q: close %v, then %v, %v", lengths, first.Close, second, err)
		}
		conn.Close()
	}
}
