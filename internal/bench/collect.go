package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/devserver"
	"samla/internal/institution"
)

// collectors is the number of users, each of which has its own consent.
const collectors = 20

// limitCallers is the number of concurrent readers that measure the limit. It is large
// enough to use all cores.
const limitCallers = 16

// Collect measures collections from their start until they are completed. Callers poll
// once a second, as the API requires. The limit is the rate of the exchanges with the
// bank that one collection needs, made by the same connector.
func Collect(ctx context.Context, c Config) (Result, error) {
	c.Server.Crowd = true
	company := crowdCompany + c.Bank
	l, end, err := c.start(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	phone := apiclient.NewPhone(l.Sandbox.URL(), l.Sandbox.CAPEM())
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	users := make([]collector, collectors)
	if err := parallel(collectors, func(i int) (err error) {
		users[i], _, err = newCollectorOf(ctx, c, l, phone, account{company, fmt.Sprintf("collect-%d", i), personalNumber(i), ""}, host)
		return err
	}); err != nil {
		return Result{}, err
	}
	connector, ok := l.Institutions.Find(company)
	if !ok {
		return Result{}, errors.New("no connector for " + company)
	}
	access, err := openConsent(ctx, c, connector, phone)
	if err != nil {
		return Result{}, err
	}
	var used time.Duration // by the collections
	collected := 0
	collect := func(ctx context.Context, d time.Duration) (int, error) {
		before := cpuTime(os.Getpid())
		n, err := runCallers(ctx, host, c.Connections, d, func(conn *conn, caller int) error {
			_, err := users[caller%collectors].collectOnce(ctx, c.Clock, conn)
			return err
		})
		used += cpuTime(os.Getpid()) - before
		collected += n
		return n, err
	}
	from := c.Clock.Now().AddDate(0, 0, -89).Format(time.DateOnly)
	limit := func(ctx context.Context, d time.Duration) (int, error) {
		return runWorkers(ctx, limitCallers, d, sameOperation(func() error {
			_, err := readOnce(ctx, connector, access, from)
			return err
		}))
	}
	questions, err := readOnce(ctx, connector, access, from)
	if err != nil {
		return Result{}, err
	}
	r, err := c.measure(ctx, "collect", l.Server.Store().Kind(), limit, collect)
	if err != nil {
		return Result{}, err
	}
	key, err := signingKey(l.Banks, company)
	if err != nil {
		return Result{}, err
	}
	rate, cost, err := signatures(ctx, key)
	if err != nil {
		return Result{}, err
	}
	each := used / time.Duration(max(collected, 1))
	r.Bank, r.Signatures = c.Bank, share(time.Duration(questions)*cost, each)
	c.Logf("bounds: %.0f signatures a second, %v each; %d questions in %v of processor time a collection", rate, cost, questions, each)
	return r, nil
}

// collector is a user with an authorized consent.
type collector struct {
	host    string
	headers map[string]string
	start   []byte // request that starts a collection
}

// collectOnce starts a collection and polls it until it has ended. It returns its id. A
// node that takes no more persons who wait is asked again when it says.
func (u collector) collectOnce(ctx context.Context, clk clock.Clock, conn *conn) (id string, err error) {
	status, body, err := conn.do(u.start)
	for err == nil && status == http.StatusServiceUnavailable && conn.retryAfter > 0 {
		if err := clock.Sleep(ctx, clk, conn.retryAfter); err != nil {
			return "", err
		}
		status, body, err = conn.do(u.start)
	}
	if err == nil {
		err = checkStatus(http.StatusCreated, status, body)
	}
	if err != nil {
		return "", err
	}
	var s struct{ ID, Status string }
	if err := json.Unmarshal(body, &s); err != nil {
		return "", err
	}
	poll := request("GET", "/collections/"+s.ID+"/status", u.host, u.headers, "")
	for s.Status == "RUNNING" || s.Status == "LOGIN" || s.Status == "COLLECTING" {
		if err := clock.Sleep(ctx, clk, time.Second); err != nil {
			return "", err
		}
		if status, body, err = conn.do(poll); err == nil {
			err = checkStatus(http.StatusOK, status, body)
		}
		if err == nil {
			err = json.Unmarshal(body, &s)
		}
		if err != nil {
			return "", err
		}
	}
	if s.Status != "COMPLETED" {
		return "", fmt.Errorf("a collection ended as %s", s.Status)
	}
	return s.ID, nil
}

// account is what a person has at a company. method is the login method; empty:
// benchMethod.
type account struct{ company, externalID, number, method string }

// newCollectorOf creates a user and an authorized consent of a person. It returns the id of
// the consent too.
func newCollectorOf(ctx context.Context, c Config, l *devserver.Environment, phone *apiclient.Phone, of account, host string) (u collector, id string, err error) {
	u.host = host
	client := &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}
	_, token, err := newUser(ctx, client, of.externalID)
	if err != nil {
		return u, "", err
	}
	id, err = client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: of.company, LoginMethod: cmp.Or(of.method, benchMethod),
		PersonalNumber: of.number, IPAddress: benchAddress})
	if err != nil {
		return u, "", err
	}
	signer := apiclient.Signer{Client: client, Phone: phone, Clock: c.Clock, Person: of.number, Poll: 50 * time.Millisecond}
	signer.Visit, signer.Look = visitsOf(c, phone, of.number)
	s, err := signer.Sign(ctx, token, id)
	if err == nil && s.Status != "AUTHORIZED" {
		err = fmt.Errorf("the consent ended as %s", s.Status)
	}
	u.headers = map[string]string{"Authorization": "Bearer " + token, "Insurely-Version": "2026-04-01"}
	u.start = request("POST", "/collections", host, u.headers, fmt.Sprintf(
		`{"company":%q,"parameters":[{"type":"STORED_CONSENT","consentId":%q,"psuIpAddress":%q}]}`, of.company, id, benchAddress))
	return u, id, err
}

// openConsent opens a consent at the bank with the connector alone and authorizes it.
func openConsent(ctx context.Context, c Config, b institution.Institution, phone *apiclient.Phone) (institution.Access, error) {
	a, access, err := startAuthorization(ctx, c, b, otherPersons)
	if err != nil {
		return access, err
	}
	if err := phone.Act(ctx, "approve", a.Instructions.AutoStartToken, "", ""); err != nil {
		return access, err
	}
	id, link := a.ID, a.StatusLink
	for a.State == institution.AuthorizationPending {
		if a, err = b.Authorizer.AuthorizationStatus(ctx, access, id, link, true); err != nil {
			return access, err
		}
		if err := clock.Sleep(ctx, c.Clock, 20*time.Millisecond); err != nil {
			return access, err
		}
	}
	return access, nil
}

// readOnce sends the requests of one collection, and returns their number.
func readOnce(ctx context.Context, b institution.Institution, a institution.Access, from string) (asked int, err error) {
	scope := consent.Scope{Balances: true, Transactions: true}
	questions := b.Collector.Start(scope, from)
	for len(questions) > 0 {
		answer, err := b.Collector.Fetch(ctx, a, questions[0])
		if err != nil {
			return asked, err
		}
		asked++
		read, err := b.Collector.Read(answer)
		if err != nil {
			return asked, err
		}
		questions = append(questions[1:], read.Questions...)
	}
	return asked, nil
}
