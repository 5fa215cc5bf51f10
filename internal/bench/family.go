package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/devserver"
	"samla/internal/institution"
	"samla/internal/visitor"
)

// CollectFrom measures collections from the company c.Company of the sandbox: a bank of any
// family, or an institution by login.
func CollectFrom(ctx context.Context, c Config) (Result, error) {
	l, end, err := c.start(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	switch i, ok := l.Institutions.Find(c.Company); {
	case ok && i.Opener != nil && !i.Retired:
		return collectOfFamily(ctx, c, l, i)
	case ok && i.Loginer != nil && asksOnlyBankID(i):
		return collectByLogin(ctx, c, l)
	}
	var can []string
	for _, i := range l.Institutions.All() {
		if !i.Retired && (i.Opener != nil || i.Loginer != nil && asksOnlyBankID(i)) {
			can = append(can, i.Company.ID)
		}
	}
	return Result{}, fmt.Errorf("the sandbox has no company %q to collect from: it has %s", c.Company, strings.Join(can, ", "))
}

// asksOnlyBankID reports whether the first login method of an institution by login is
// BankID: nobody answers the questions of the others here.
func asksOnlyBankID(i institution.Institution) bool {
	return len(i.Company.LoginMethods) > 0 && strings.Contains(i.Company.LoginMethods[0], "BANKID")
}

// collectOfFamily measures collections from the bank c.Company of the sandbox, whatever its
// family, from their start until they are completed. The limit is the rate of the exchanges
// with the bank that one collection needs, made by the same connector with the tokens of one
// of the consents.
func collectOfFamily(ctx context.Context, c Config, l *devserver.Environment, connector institution.Institution) (Result, error) {
	phone := apiclient.NewPhone(l.Sandbox.URL(), l.Sandbox.CAPEM())
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	method := benchMethod
	if can := connector.Company.LoginMethods; !slices.Contains(can, method) {
		method = can[0]
	}
	users, ids := make([]collector, collectors), make([]string, collectors)
	if err := parallel(collectors, func(i int) (err error) {
		users[i], ids[i], err = newCollectorOf(ctx, c, l, phone, account{c.Company, fmt.Sprintf("collect-%d", i), personalNumber(i), method}, host)
		return err
	}); err != nil {
		return Result{}, err
	}
	access, err := l.Server.AccessOf(ctx, ids[0])
	if err != nil {
		return Result{}, err
	}
	from := c.Clock.Now().AddDate(0, 0, -89).Format(time.DateOnly)
	access.PSU.IPAddress = benchAddress
	questions, err := readOnce(ctx, connector, access, from)
	if err != nil {
		return Result{}, err
	}
	limit := func(ctx context.Context, d time.Duration) (int, error) {
		return runWorkers(ctx, limitCallers, d, sameOperation(func() error {
			_, err := readOnce(ctx, connector, access, from)
			return err
		}))
	}
	collect := func(ctx context.Context, d time.Duration) (int, error) {
		return runCallers(ctx, host, c.Connections, d, func(conn *conn, caller int) error {
			_, err := users[caller%collectors].collectOnce(ctx, c.Clock, conn)
			return err
		})
	}
	r, err := c.measure(ctx, "collect", l.Server.Store().Kind(), limit, collect)
	r.Company = c.Company
	c.Logf("bounds: %d exchanges with the bank a collection", questions)
	return r, err
}

// visitsOf returns what goes to a page of the sandbox's banks and back as a person, and what
// opens the link again in the same browser.
func visitsOf(c Config, phone *apiclient.Phone, number string) (visit, look func(context.Context, string) error) {
	browser := visitor.New(phone.HTTP.Transport, c.Clock, phone.Sandbox)
	visit = func(ctx context.Context, address string) error {
		back, err := browser.Visit(ctx, address, visitor.Person{Number: number, Phone: visitor.Approve, SignsAs: number})
		if err != nil {
			return err
		}
		_, err = browser.Arrive(ctx, back)
		return err
	}
	return visit, browser.Look
}
