package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"samla/internal/clock"
)

// state is where a person of a crowd is.
type state int

const (
	arriving  state = iota // has no consent yet
	initiated              // the bank has not answered yet
	awaiting               // has instructions
	refused                // was told to come later
	over                   // the consent has ended
	states
)

// counts counts the persons in each state.
type counts [states]atomic.Int64

func (c *counts) get() (n [states]int64) {
	for i := range c {
		n[i] = c[i].Load()
	}
	return n
}

// guest is one person of a crowd. Only its goroutine uses it, until that has ended.
type guest struct {
	crowd   *crowd
	headers map[string]string
	create  []byte        // request that creates the consent
	phase   time.Duration // from the creation to the first poll: persons do not poll in step

	state   state
	status  string // the last one of the consent
	samples []sample
}

// sample is one poll of a consent that awaits authorization.
type sample struct {
	due    time.Time
	took   time.Duration // from due
	token  string        // of the QR text
	second int           // of the QR text
}

// phaseStep spreads the polls of any number of persons evenly over pollInterval: it is
// the golden section of it.
const phaseStep = 618_033_989 * time.Nanosecond

// pollInterval is the time between two polls, which the API asks for.
const pollInterval = time.Second

func (g *guest) enter(s state) {
	g.crowd.counts[g.state].Add(-1)
	g.state = s
	g.crowd.counts[s].Add(1)
}

// stay creates a consent and polls it until ctx ends or the consent does.
func (g *guest) stay(ctx context.Context) error {
	conn, id, err := g.arrive(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	poll := request("GET", "/consents/"+id+"/status", g.crowd.host, g.headers, "")
	clk := g.crowd.Clock
	for due := clk.Now().Add(g.phase); ; due = due.Add(pollInterval) {
		if err := clock.Sleep(ctx, clk, due.Sub(clk.Now())); err != nil {
			return err
		}
		status, body, err := conn.do(poll)
		took := clk.Now().Sub(due)
		if err == nil {
			err = checkStatus(http.StatusOK, status, body)
		}
		if err != nil {
			return err
		}
		if done := g.see(body, due, took); done {
			return nil
		}
		conn.release()
	}
}

// see takes note of the answer to a poll and reports whether the consent has ended.
func (g *guest) see(body []byte, due time.Time, took time.Duration) (done bool) {
	switch status := member(body, "status"); status {
	case "INITIATED":
		return false
	case "AWAITING_AUTHORIZATION":
		if g.state != awaiting {
			g.enter(awaiting)
		}
	default:
		g.status = status + " " + member(body, "code")
		g.enter(over)
		return true
	}
	s := sample{due: due, took: took}
	// bankid.<token>.<second>.<HMAC>
	if parts := strings.Split(member(body, "qrData"), "."); len(parts) == 4 {
		s.second, _ = strconv.Atoi(parts[2])
		s.token = parts[1]
		if n := len(g.samples); n > 0 && g.samples[n-1].token == s.token {
			s.token = g.samples[n-1].token // one string for all
		}
	}
	g.samples = append(g.samples, s)
	return false
}

// member returns the string value of the first member of this name in a JSON text,
// whose strings need no escapes.
func member(body []byte, name string) string {
	_, rest, found := bytes.Cut(body, []byte(`"`+name+`":"`))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte{'"'})
	return string(value)
}

// arrive creates the consent, and returns the connection for its polls. A person who is
// refused comes again after the time in Retry-After.
func (g *guest) arrive(ctx context.Context) (_ *conn, id string, err error) {
	for {
		select {
		case g.crowd.door <- struct{}{}:
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
		conn, status, body, err := g.tryToEnter(ctx)
		<-g.crowd.door
		switch {
		case err != nil:
			return nil, "", err
		case status == http.StatusCreated:
			g.enter(initiated)
			id := member(body, "consentId")
			conn.release()
			return conn, id, nil
		}
		_ = conn.Close()
		switch {
		case status != http.StatusServiceUnavailable:
			return nil, "", checkStatus(http.StatusCreated, status, body)
		case conn.retryAfter == 0:
			return nil, "", fmt.Errorf("refused without Retry-After: %.200s", body)
		}
		if g.state != refused {
			g.enter(refused)
		}
		if err := clock.Sleep(ctx, g.crowd.Clock, conn.retryAfter); err != nil {
			return nil, "", err
		}
	}
}

// tryToEnter sends the request for the consent on a new connection: servers close one
// that is silent for long.
func (g *guest) tryToEnter(ctx context.Context) (c *conn, status int, body []byte, err error) {
	if c, err = dialSmall(ctx, g.crowd.host); err != nil {
		return nil, 0, nil, err
	}
	if status, body, err = c.do(g.create); err != nil {
		_ = c.Close()
	}
	return c, status, body, err
}

// createRequest returns a request for a consent that the n-th person signs.
func (g *guest) createRequest(n int) []byte {
	return request("POST", "/consents", g.crowd.host, g.headers, fmt.Sprintf(
		`{"company":%q,"loginMethod":%q,"parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":%q},{"type":"SWEDISH_BANKID","personalNumber":%q}]}`,
		g.crowd.company, benchMethod, benchAddress, personalNumber(n)))
}

// register creates the users of the crowd and their sessions.
func (c *crowd) register(ctx context.Context, apiKey string) error {
	c.guests = make([]*guest, c.Waiting)
	c.counts[arriving].Store(int64(c.Waiting))
	key := map[string]string{"authorization-token": apiKey, "Insurely-Version": "2026-04-01"}
	var next atomic.Int64
	return parallel(min(c.Waiting, registrars), func(int) error {
		conn, err := dial(ctx, c.host)
		if err != nil {
			return err
		}
		defer conn.Close()
		create := func(path, body string) ([]byte, error) {
			status, answer, err := conn.do(request("POST", path, c.host, key, body))
			if err == nil {
				err = checkStatus(http.StatusCreated, status, answer)
			}
			return answer, err
		}
		for {
			i := int(next.Add(1)) - 1
			if i >= c.Waiting {
				return nil
			}
			answer, err := create("/users", fmt.Sprintf(`{"externalId":"crowd-%d"}`, i))
			if err == nil {
				answer, err = create("/users/"+member(answer, "userUuid")+"/sessions", "")
			}
			if err != nil {
				return err
			}
			g := &guest{crowd: c, phase: time.Duration(i) * phaseStep % pollInterval, headers: map[string]string{"Authorization": "Bearer " + member(answer, "token"), "Insurely-Version": "2026-04-01"}}
			g.create = g.createRequest(i)
			c.guests[i] = g
		}
	})
}

// registrars is the number of connections over which users are created.
const registrars = 32
