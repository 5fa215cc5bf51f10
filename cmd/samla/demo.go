package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/product"
	"samla/internal/qr"
)

type demoCmd struct {
	JSON bool `help:"Print only the products, as the API returns them."`
}

// The person of the demonstration and the timing of the calls.
const (
	demoCompany = "se-demo-psd2"
	demoMethod  = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	demoPerson  = "198412099296" // a test number of Skatteverket, a customer of the sandbox bank
	demoAddress = "192.0.2.1"    // of the person; RFC 5737, for documentation
	demoTimeout = 30 * time.Second
	demoPoll    = 250 * time.Millisecond
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
	ctx, cancel := context.WithTimeout(a.ctx, demoTimeout)
	defer cancel()
	progress := a.out
	if c.JSON {
		progress = io.Discard
	}
	w := demo{out: progress, clock: clock.System(), phone: apiclient.NewPhone(l.Sandbox.URL(), l.Sandbox.CAPEM()),
		client: &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}}
	data, err := w.run(ctx)
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
	out    io.Writer
	clock  clock.Clock
	client *apiclient.Client
	phone  *apiclient.Phone
}

func (w *demo) printf(format string, args ...any) { fmt.Fprintf(w.out, format+"\n", args...) }

func (w *demo) run(ctx context.Context) ([]byte, error) {
	w.printf("Samla runs at %s, its sandbox bank and BankID at %s.\n", w.client.Base, w.phone.Sandbox)
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
	consentID, err := w.consent(ctx, token)
	if err != nil {
		return nil, err
	}
	id, err := w.client.StartCollection(ctx, token, demoCompany, consentID, demoAddress)
	if err != nil {
		return nil, err
	}
	w.printf("POST /collections                 collection %s", id)
	status, err := w.client.AwaitCollection(ctx, w.clock, token, id, demoPoll)
	if err != nil {
		return nil, err
	}
	w.printf("GET  /collections/…/status        %s", status)
	if status != "COMPLETED" {
		return nil, fmt.Errorf("the collection ended as %s", status)
	}
	data, err := w.client.Data(ctx, token, id)
	w.printf("GET  /collections/…/wealth/data   %d bytes\n", len(data))
	return data, err
}

// consent creates a consent and authorizes it: the phone scans the QR code of the status
// response.
func (w *demo) consent(ctx context.Context, token string) (string, error) {
	id, err := w.client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: demoCompany, LoginMethod: demoMethod,
		PersonalNumber: demoPerson, IPAddress: demoAddress, Locale: "en-GB"})
	if err != nil {
		return "", err
	}
	w.printf("POST /consents                    consent %s", id)
	s, err := w.client.AwaitConsent(ctx, w.clock, token, id, demoPoll, func(s apiclient.ConsentStatus) bool { return s.Status != "INITIATED" })
	if err != nil {
		return "", err
	}
	w.printf("GET  /consents/…/status           %s", s.Status)
	if s.AuthInstructions == nil || s.AuthInstructions.QRData == "" {
		return "", fmt.Errorf("the consent is %s and shows no QR code", s.Status)
	}
	drawn, err := qr.Text(s.AuthInstructions.QRData)
	if err != nil {
		return "", err
	}
	w.printf("\n%s\nThe person scans it with the (simulated) BankID app and signs.", drawn)
	if err := w.phone.Act(ctx, "approve", "", s.AuthInstructions.QRData, ""); err != nil {
		return "", err
	}
	s, err = w.client.AwaitConsent(ctx, w.clock, token, id, demoPoll, func(s apiclient.ConsentStatus) bool { return s.Status != "AWAITING_AUTHORIZATION" })
	if err != nil {
		return "", err
	}
	if s.Status != "AUTHORIZED" {
		return "", fmt.Errorf("the consent ended as %s", s.Status)
	}
	w.printf("GET  /consents/…/status           %s until %s", s.Status, s.ExpiresAt)
	return id, nil
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
