package bench

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/devserver"
)

// longHistory is the personal number of a person of the sandbox whose data of two
// years has about 250 kB.
const longHistory = "198412099296"

// read is a request whose answer does not change.
type read struct {
	name    string
	request []byte
}

// Data measures the data of a collection, about 250 kB, as it is and compressed. The
// limit is a bare handler that writes the same bytes.
func Data(ctx context.Context, c Config) ([]Result, error) {
	return c.reads(ctx, func(ctx context.Context, l *devserver.Environment, host string) ([]read, error) {
		u, id, err := c.collectOf(ctx, l, host, account{benchCompany, "data", longHistory, ""})
		if err != nil {
			return nil, err
		}
		return []read{{"data-identity", u.data(id, "")}, {"data-gzip", u.data(id, "gzip")}}, nil
	})
}

// collectOf creates a person with a consent and collects once.
func (c Config) collectOf(ctx context.Context, l *devserver.Environment, host string, of account) (u collector, id string, err error) {
	phone := apiclient.NewPhone(l.Sandbox.URL(), l.Sandbox.CAPEM())
	if u, _, err = newCollectorOf(ctx, c, l, phone, of, host); err != nil {
		return u, "", err
	}
	conn, err := dial(ctx, host)
	if err != nil {
		return u, "", err
	}
	defer conn.Close()
	id, err = u.collectOnce(ctx, c.Clock, conn)
	return u, id, err
}

// data returns the request for the data of a collection in an encoding.
func (u collector) data(id, encoding string) []byte {
	headers := maps.Clone(u.headers)
	if encoding != "" {
		headers["Accept-Encoding"] = encoding
	}
	return request("GET", "/collections/"+id+"/wealth/data", u.host, headers, "")
}

// Lists measures lists of 1 and of 50 consents, and one user. The limit is a bare
// handler that writes the same bytes.
func Lists(ctx context.Context, c Config) ([]Result, error) {
	return c.reads(ctx, func(ctx context.Context, l *devserver.Environment, host string) ([]read, error) {
		client := &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}
		var all []read
		for _, n := range []int{1, 50} {
			user, token, err := newUser(ctx, client, fmt.Sprintf("list-%d", n))
			if err != nil {
				return nil, err
			}
			for i := range n {
				if _, err := client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: benchCompany, LoginMethod: benchMethod,
					PersonalNumber: personalNumber(i), IPAddress: benchAddress}); err != nil {
					return nil, err
				}
			}
			session := map[string]string{"Authorization": "Bearer " + token, "Insurely-Version": "2026-04-01"}
			all = append(all, read{fmt.Sprintf("lists-%d", n), request("GET", "/consents", host, session, "")})
			if n == 1 {
				key := map[string]string{"Authorization-Token": l.APIKey, "Insurely-Version": "2026-04-01"}
				all = append(all, read{"lists-user", request("GET", "/users/"+user.ID, host, key, "")})
			}
		}
		return all, nil
	})
}

// reads measures requests that prepare returns, one after the other.
func (c Config) reads(ctx context.Context, prepare func(context.Context, *devserver.Environment, string) ([]read, error)) ([]Result, error) {
	l, end, err := c.start(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	all, err := prepare(ctx, l, host)
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, r := range all {
		result, err := c.compare(ctx, r, l.Server.Store().Kind(), host)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		results = append(results, result)
	}
	return results, nil
}

// compare measures a request and a bare handler that writes the same bytes.
func (c Config) compare(ctx context.Context, r read, store, host string) (Result, error) {
	sample, err := dial(ctx, host)
	if err != nil {
		return Result{}, err
	}
	defer sample.Close()
	status, body, err := sample.do(r.request)
	if err == nil {
		err = checkStatus(http.StatusOK, status, body)
	}
	if err != nil {
		return Result{}, err
	}
	c.Logf("%s: a response has %d bytes", r.name, len(body))
	bare, err := serveBare(ctx, append([]byte(nil), body...))
	if err != nil {
		return Result{}, err
	}
	defer bare.Close()
	call := func(address string) func(context.Context, time.Duration) (int, error) {
		return func(ctx context.Context, d time.Duration) (int, error) {
			return runCallers(ctx, address, c.Connections, d, func(conn *conn, _ int) error {
				status, body, err := conn.do(r.request)
				if err != nil {
					return err
				}
				return checkStatus(http.StatusOK, status, body)
			})
		}
	}
	return c.measure(ctx, r.name, store, call(bare.address), call(host))
}
