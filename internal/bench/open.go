package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"samla/internal/clock"
)

// openPoll is the time between two polls of a consent that is being opened. It is short
// so that callers soon open another one.
const openPoll = 200 * time.Millisecond

// Open measures consents that are brought to AWAITING_AUTHORIZATION: created, opened at
// the bank and their authorizations started. The limit is the rate of the two exchanges
// with the bank that each needs, made by the same connector. The bank is asked about
// those that wait once a minute only, so that they do not count.
func Open(ctx context.Context, c CrowdConfig) (_ Result, err error) {
	sandbox, err := c.startSandbox(ctx)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, sandbox.Stop()) }()
	company := crowdCompany + c.Bank
	c.Server.Banks = filepath.Join(c.Server.Dir, "banks.json")
	if err := askSeldom(sandbox.Banks, c.Server.Banks, company); err != nil {
		return Result{}, err
	}
	l, end, err := c.start(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	bank, ok := l.Institutions.Find(company)
	if !ok {
		return Result{}, fmt.Errorf("the sandbox has no bank %s", company)
	}
	crowd := &crowd{CrowdConfig: c, company: company, host: strings.TrimPrefix(l.Server.URL(), "http://")}
	crowd.Waiting = c.Connections
	if err := crowd.register(ctx, l.APIKey); err != nil {
		return Result{}, err
	}
	var persons atomic.Int64 // a person can have one order at a time
	persons.Store(int64(c.Waiting))
	open := func(ctx context.Context, d time.Duration) (int, error) {
		return runCallers(ctx, crowd.host, c.Connections, d, func(conn *conn, caller int) error {
			return crowd.guests[caller].open(ctx, conn, int(persons.Add(1)))
		})
	}
	limit := func(ctx context.Context, d time.Duration) (int, error) {
		return runWorkers(ctx, limitCallers, d, sameOperation(func() error {
			_, _, err := startAuthorization(ctx, c.Config, bank, int(persons.Add(1)))
			return err
		}))
	}
	return c.measure(ctx, "open", l.Server.Store().Kind(), limit, open)
}

// open creates a consent for a person and polls it until the person can sign.
func (g *guest) open(ctx context.Context, conn *conn, person int) error {
	status, body, err := conn.do(g.createRequest(person))
	if err == nil {
		err = checkStatus(http.StatusCreated, status, body)
	}
	if err != nil {
		return err
	}
	poll := request("GET", "/consents/"+member(body, "consentId")+"/status", g.crowd.host, g.headers, "")
	for {
		if err := clock.Sleep(ctx, g.crowd.Clock, openPoll); err != nil {
			return err
		}
		if status, body, err = conn.do(poll); err == nil {
			err = checkStatus(http.StatusOK, status, body)
		}
		if err != nil {
			return err
		}
		switch member(body, "status") {
		case "INITIATED":
		case "AWAITING_AUTHORIZATION":
			return nil
		default:
			return fmt.Errorf("a consent was not opened: %.200s", body)
		}
	}
}

// askSeldom copies a banks file and makes the bank of a company be asked once a minute
// only.
func askSeldom(from, to, company string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var file struct {
		Banks []map[string]any `json:"banks"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	for _, bank := range file.Banks {
		if profile, ok := bank["profile"].(map[string]any); ok && bank["company"] == company {
			profile["pollInterval"] = "1m"
		}
	}
	if data, err = json.Marshal(file); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
