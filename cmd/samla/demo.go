package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/product"
)

type demoCmd struct {
	Company     string `default:"se-demo-psd2" help:"Company of the sandbox to collect from: se-demo-psd2 is a bank, by consent; se-demo an institution by login."`
	Person      string `placeholder:"NUMBER" help:"Personal number of a person of docs/sandbox.md; each company has a default."`
	LoginMethod string `placeholder:"METHOD" help:"One of the company's login methods; the default suits a terminal."`
	Yes         bool   `short:"y" help:"Answer the questions of the login with the sandbox's answers. That is also done where there is no terminal."`
	JSON        bool   `help:"Print only the products, as the API returns them."`
}

// What is true of the demonstrations of all companies.
const (
	demoAddress = "192.0.2.1" // of the person; RFC 5737, for documentation
	demoEmail   = "anna@example.com"
	demoTimeout = 30 * time.Second // if nobody is asked
	askTimeout  = 15 * time.Minute // if somebody is
	demoPoll    = 250 * time.Millisecond
)

// Persons who show much, customers of the sandbox (docs/sandbox.md).
const (
	bankPerson   = "198412099296" // accounts, savings and a card
	sourcePerson = "199006022397" // a whole household
	demoPerson   = "200001040000" // at se-demo, something of everything, behind a QR code
)

// Run starts a server and sandbox on free loopback ports and runs the main flow.
func (c *demoCmd) Run(a *app) (err error) {
	dir, remove, err := dataDirectory("")
	if err != nil {
		return err
	}
	defer remove()
	l, err := devserver.Start(a.ctx, devserver.Config{Dir: dir, Log: a.log})
	if err != nil {
		return err
	}
	defer a.stop(&err, l.Stop)
	w := &demo{terminal: newTerminal(a.out), clock: clock.System(), every: demoPoll, phone: apiclient.NewPhone(l.Sandbox.URL(), l.Sandbox.CAPEM()),
		client: &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}}
	timeout := demoTimeout
	switch {
	case c.JSON:
		w.terminal = terminal{out: io.Discard}
	case !c.Yes && w.canAsk(os.Stdin, os.Stdout):
		w.listen(os.Stdin)
		timeout = askTimeout
	}
	ctx, cancel := context.WithTimeout(a.ctx, timeout)
	defer cancel()
	data, err := w.run(ctx, c)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = fmt.Fprintf(a.out, "%s\n", data)
		return err
	}
	return printProducts(a.out, data)
}

// demo runs the main flow once and prints its steps.
type demo struct {
	terminal
	clock  clock.Clock
	client *apiclient.Client
	phone  *apiclient.Phone
	every  time.Duration // between polls
	// real says that a person acts, and not the sandbox: samla collect. Then nothing is
	// answered for the person, and what is printed are words, not calls.
	real  bool
	began func(id string) // if set, is called when a login has begun
}

func (w *demo) run(ctx context.Context, c *demoCmd) ([]byte, error) {
	of, err := w.choose(ctx, c)
	if err != nil {
		return nil, err
	}
	place := "bank and BankID"
	if !of.company.PSD2 {
		place = "institution " + column{}.cut(of.company.DisplayName)
	}
	w.printf("Samla runs at %s, its sandbox %s at %s.", w.client.Base, place, w.phone.Sandbox)
	user, err := w.client.CreateUser(ctx, "customer-4711")
	if err != nil {
		return nil, err
	}
	w.printf("POST /users                       user %s", user.ID)
	token, err := w.client.CreateSession(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	w.printf("POST /users/…/sessions            session token for this user")
	collect := w.collectByLogin
	if of.company.PSD2 {
		collect = w.collectByConsent
	}
	id, err := collect(ctx, token, of)
	if err != nil {
		return nil, err
	}
	status, err := w.client.AwaitCollection(ctx, w.clock, token, id, demoPoll)
	if err != nil {
		return nil, err
	}
	w.printf("GET  /collections/…/status        %s", status)
	if !strings.HasPrefix(status, "COMPLETED") {
		return nil, fmt.Errorf("the collection ended as %s", status)
	}
	data, err := w.client.Data(ctx, token, id)
	w.printf("GET  /collections/…/wealth/data   %d bytes\n", len(data))
	switch {
	case status == "COMPLETED_EMPTY":
		w.printf("The institution has nothing of this person.")
	case string(data) == "[]":
		w.printf("None of what the institution has is a product at version 2026-04-01.")
	case status == "COMPLETED_PARTIAL":
		w.printf("A part of it could not be read.\n")
	}
	return data, err
}

// choice is what is collected from whom.
type choice struct {
	company               apiclient.Company
	method, person, email string
}

// methods are the login methods that suit a terminal, the best first.
var methods = []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK", "SWEDISH_MOBILE_BANKID_ANY_DEVICE", "EMAIL"}

// choose finds the company, and a login method and a person where none is named.
func (w *demo) choose(ctx context.Context, c *demoCmd) (choice, error) {
	all, err := w.client.Companies(ctx)
	if err != nil {
		return choice{}, err
	}
	i := slices.IndexFunc(all, func(of apiclient.Company) bool { return of.ID == c.Company })
	if i < 0 {
		ids := make([]string, len(all))
		for i, of := range all {
			ids[i] = of.ID
		}
		return choice{}, fmt.Errorf("the sandbox has no company %q: --company is one of %s", c.Company, strings.Join(ids, ", "))
	}
	of := choice{company: all[i], method: c.LoginMethod, person: c.Person, email: demoEmail}
	if of.method == "" {
		of.method = of.company.LoginMethods[0]
		if best := slices.IndexFunc(methods, func(m string) bool { return slices.Contains(of.company.LoginMethods, m) }); best >= 0 {
			of.method = methods[best]
		}
	} else if !slices.Contains(of.company.LoginMethods, of.method) {
		return of, fmt.Errorf("%s has no login method %q: --login-method is one of %s", of.company.ID, of.method, strings.Join(of.company.LoginMethods, ", "))
	}
	switch {
	case of.person != "":
	case of.company.PSD2:
		of.person = bankPerson
	case of.company.ID == "se-demo":
		of.person = demoPerson
	default:
		of.person = sourcePerson
	}
	return of, nil
}

// printProducts prints the products as tables.
func printProducts(out io.Writer, data []byte) error {
	products, err := product.ReadAll(data)
	if err != nil {
		return err
	}
	s, err := summarize(products)
	if err != nil {
		return err
	}
	return s.print(out)
}
