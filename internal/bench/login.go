package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/institution"
	"samla/internal/psu"
)

// collectByLogin measures collections of the company c.Company, whose persons log in by
// dialogue, from their start until they are completed. Callers poll once a second, as the
// API requires. The limit is the rate of the exchanges with the source that one collection
// needs, made by the same connector for as many persons at a time: the login takes its
// time at the source in both. Each collection is of another person.
func collectByLogin(ctx context.Context, c Config, l *devserver.Environment) (Result, error) {
	source, method, err := loginAt(l, c.Company)
	if err != nil {
		return Result{}, err
	}
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	client := &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}
	tokens, err := newSessions(ctx, client, collectors)
	if err != nil {
		return Result{}, err
	}
	var persons atomic.Int64
	collect := func(ctx context.Context, d time.Duration) (int, error) {
		return runCallers(ctx, host, c.Connections, d, func(conn *conn, caller int) error {
			u := collector{host: host, headers: map[string]string{"Authorization": "Bearer " + tokens[caller%len(tokens)], "Insurely-Version": "2026-04-01"}}
			u.start = request("POST", "/collections", host, u.headers, fmt.Sprintf(
				`{"company":%q,"loginMethod":%q,"parameters":[{"type":"SWEDISH_BANKID","personalNumber":%q}]}`,
				c.Company, method, personalNumber(int(persons.Add(1)))))
			_, err := u.collectOnce(ctx, c.Clock, conn)
			return err
		})
	}
	var asked atomic.Int64
	limit := func(ctx context.Context, d time.Duration) (int, error) {
		return runWorkers(ctx, c.Connections, d, sameOperation(func() error {
			n, err := logInOnce(ctx, c.Clock, source, method, int(persons.Add(1)))
			asked.Store(int64(n))
			return err
		}))
	}
	r, err := c.measure(ctx, "collect", l.Server.Store().Kind(), limit, collect)
	r.Company = c.Company
	c.Logf("bounds: %d exchanges with the source a collection", asked.Load())
	return r, err
}

// loginAt returns an institution with logins, and the login method of its first place.
func loginAt(l *devserver.Environment, company string) (institution.Institution, string, error) {
	source, ok := l.Institutions.Find(company)
	if !ok {
		return source, "", fmt.Errorf("the sandbox has no company %q", company)
	}
	if source.Loginer == nil || len(source.Company.LoginMethods) == 0 {
		return source, "", fmt.Errorf("%s has no login by dialogue", company)
	}
	return source, source.Company.LoginMethods[0], nil
}

// logInOnce makes the exchanges of one collection with a source: it begins a login, asks
// for the turn until the person is in, reads all pages, and ends the session. It returns
// the number of exchanges.
func logInOnce(ctx context.Context, clk clock.Clock, source institution.Institution, method string, person int) (asked int, err error) {
	subject := psu.Context{PersonalNumber: psu.Number(personalNumber(person)), IPAddress: benchAddress}
	session, err := source.Loginer.Login(ctx, institution.LoginRequest{RequestID: uuid.NewString(), LoginMethod: method, PSU: subject})
	if err != nil {
		return 0, err
	}
	asked++
	for turn := session.Turn; turn.In == nil; asked++ {
		if turn.Wait == nil {
			return asked, errors.New("the login needs an answer")
		}
		if err := clock.Sleep(ctx, clk, cmp.Or(turn.PollAfter, time.Second)); err != nil {
			return asked, err
		}
		if turn, err = source.Loginer.Turn(ctx, session.ID); err != nil {
			return asked, err
		}
	}
	pages, err := readOnce(ctx, source, institution.Access{Session: session.ID, PSU: subject}, "")
	if err != nil {
		return asked, err
	}
	return asked + pages + 1, source.Loginer.EndLogin(ctx, session.ID, uuid.NewString())
}
