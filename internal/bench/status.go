package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
)

// Status measures status polls of consents in AWAITING_AUTHORIZATION. Each caller polls
// its own consent, whose QR code changes every second. With c.Company it measures those of
// collections that wait for a code in a login at that company. The limit is the rate of a
// bare handler that writes the same bytes.
func Status(ctx context.Context, c Config) (Result, error) {
	l, end, err := c.start(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	client := &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	waiting := awaitingConsent
	if c.Company != "" {
		waiting = waitingLogin
	}
	polls := make([][]byte, c.Connections)
	if err := parallel(c.Connections, func(i int) (err error) {
		polls[i], err = waiting(ctx, c, client, host, i)
		return err
	}); err != nil {
		return Result{}, err
	}
	sample, err := dial(ctx, host)
	if err != nil {
		return Result{}, err
	}
	status, body, err := sample.do(polls[0])
	if err == nil {
		err = checkStatus(http.StatusOK, status, body)
	}
	if err != nil {
		return Result{}, err
	}
	c.Logf("a response has %d bytes", len(body))
	bare, err := serveBare(ctx, append([]byte(nil), body...))
	if err != nil {
		return Result{}, err
	}
	defer bare.Close()
	poll := func(address string) func(context.Context, time.Duration) (int, error) {
		return func(ctx context.Context, d time.Duration) (int, error) {
			return runCallers(ctx, address, c.Connections, d, func(conn *conn, caller int) error {
				status, body, err := conn.do(polls[caller])
				if err != nil {
					return err
				}
				return checkStatus(http.StatusOK, status, body)
			})
		}
	}
	r, err := c.measure(ctx, "status", l.Server.Store().Kind(), poll(bare.address), poll(host))
	r.Company = c.Company
	return r, err
}

// patientPerson is a person of se-demo who is asked for a code, and for whom the company
// waits for ever (docs/sandbox.md).
const patientPerson = "200004140000"

// waitingLogin creates a user and a collection that waits for a code. It returns the request
// that polls the collection.
func waitingLogin(ctx context.Context, c Config, client *apiclient.Client, host string, i int) ([]byte, error) {
	_, token, err := newUser(ctx, client, fmt.Sprintf("status-%d", i))
	if err != nil {
		return nil, err
	}
	s, err := client.StartLogin(ctx, token, apiclient.Login{Company: c.Company, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", PersonalNumber: patientPerson})
	for err == nil && !s.Finished() && s.Status != "TWO_FACTOR_PENDING" {
		if err = clock.Sleep(ctx, c.Clock, 100*time.Millisecond); err == nil {
			s, err = client.PollCollection(ctx, token, s.ID)
		}
	}
	if err == nil && s.Finished() {
		err = fmt.Errorf("a collection to be polled is %s", s.Status)
	}
	return request("GET", "/collections/"+s.ID+"/status", host,
		map[string]string{"Authorization": "Bearer " + token, "Insurely-Version": "2026-04-01"}, ""), err
}

// awaitingConsent creates a user and a consent that waits for the person. It returns the
// request that polls the consent.
func awaitingConsent(ctx context.Context, c Config, client *apiclient.Client, host string, i int) ([]byte, error) {
	_, token, err := newUser(ctx, client, fmt.Sprintf("status-%d", i))
	if err != nil {
		return nil, err
	}
	id, err := client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: benchCompany, LoginMethod: benchMethod,
		PersonalNumber: personalNumber(i), IPAddress: benchAddress})
	if err != nil {
		return nil, err
	}
	s, err := client.AwaitConsent(ctx, c.Clock, token, id, 20*time.Millisecond, func(s apiclient.ConsentStatus) bool { return s.Status != "INITIATED" })
	if err == nil && (s.Status != "AWAITING_AUTHORIZATION" || s.AuthInstructions == nil) {
		err = fmt.Errorf("a consent to be polled is %s", s.Status)
	}
	return request("GET", "/consents/"+id+"/status", host,
		map[string]string{"Authorization": "Bearer " + token, "Insurely-Version": "2026-04-01"}, ""), err
}

// Company, login method and IP address of the benchmarks' persons.
const (
	benchCompany = "se-demo-psd2"
	benchMethod  = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	benchAddress = "192.0.2.1"
)

// bareServer returns the same bytes for every request.
type bareServer struct {
	*http.Server
	address string
}

func serveBare(ctx context.Context, body []byte) (*bareServer, error) {
	return serveHandler(ctx, func(w http.ResponseWriter, _ *http.Request) { writeBare(w, http.StatusOK, body) })
}

// writeBare writes a response with the least that it needs.
func writeBare(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func serveHandler(ctx context.Context, handler http.HandlerFunc) (*bareServer, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &bareServer{address: l.Addr().String(), Server: &http.Server{ReadHeaderTimeout: time.Minute, Handler: handler}}
	go func() { _ = s.Serve(l) }()
	return s, nil
}
