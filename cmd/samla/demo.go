package main

import (
	"context"
	"encoding/json"
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
	JSON bool `help:"Print the products as the API gives them, and nothing else."`
}

// Who walks, and where.
const (
	demoCompany = "se-demo-psd2"
	demoMethod  = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	demoPerson  = "198412099296" // one of Skatteverket's test numbers, a customer of the sandbox bank
	demoAddress = "192.0.2.1"    // the person's, from RFC 5737's range for documentation
	demoWithin  = 30 * time.Second
	demoPoll    = 250 * time.Millisecond
)

// Run starts everything on free loopback ports and walks the main flow.
func (c *demoCmd) Run(a *app) (err error) {
	dir, forget, err := directory("")
	if err != nil {
		return err
	}
	defer forget()
	l, err := devserver.Start(a.ctx, devserver.Config{Dir: dir, Log: a.log})
	if err != nil {
		return err
	}
	defer a.stop(&err, l.Stop)
	ctx, cancel := context.WithTimeout(a.ctx, demoWithin)
	defer cancel()
	say := a.out
	if c.JSON {
		say = io.Discard
	}
	w := demoWalk{out: say, clock: clock.System(), phone: apiclient.NewPhone(l.Sandbox.URL(), l.Sandbox.CAPEM()),
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

// demoWalk is one walk through the main flow, told as it goes.
type demoWalk struct {
	out    io.Writer
	clock  clock.Clock
	client *apiclient.Client
	phone  *apiclient.Phone
}

func (w *demoWalk) say(format string, args ...any) { fmt.Fprintf(w.out, format+"\n", args...) }

func (w *demoWalk) run(ctx context.Context) ([]byte, error) {
	w.say("Samla runs at %s, its sandbox bank and BankID at %s.\n", w.client.Base, w.phone.Sandbox)
	user, err := w.client.CreateUser(ctx, "customer-4711")
	if err != nil {
		return nil, err
	}
	w.say("POST /users                       user %s", user.ID)
	token, err := w.client.CreateSession(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	w.say("POST /users/…/sessions            session token for this user")
	consentID, err := w.consent(ctx, token)
	if err != nil {
		return nil, err
	}
	id, err := w.client.StartCollection(ctx, token, demoCompany, consentID, demoAddress)
	if err != nil {
		return nil, err
	}
	w.say("POST /collections                 collection %s", id)
	status, err := w.client.AwaitCollection(ctx, w.clock, token, id, demoPoll)
	if err != nil {
		return nil, err
	}
	w.say("GET  /collections/…/status        %s", status)
	if status != "COMPLETED" {
		return nil, fmt.Errorf("the collection ended as %s", status)
	}
	data, err := w.client.Data(ctx, token, id)
	w.say("GET  /collections/…/wealth/data   %d bytes\n", len(data))
	return data, err
}

// consent walks from a consent's request to its authorisation; the phone scans
// the QR code that the status shows.
func (w *demoWalk) consent(ctx context.Context, token string) (string, error) {
	id, err := w.client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: demoCompany, LoginMethod: demoMethod,
		PersonalNumber: demoPerson, IPAddress: demoAddress, Locale: "en-GB"})
	if err != nil {
		return "", err
	}
	w.say("POST /consents                    consent %s", id)
	s, err := w.client.AwaitConsent(ctx, w.clock, token, id, demoPoll, func(s apiclient.ConsentStatus) bool { return s.Status != "INITIATED" })
	if err != nil {
		return "", err
	}
	w.say("GET  /consents/…/status           %s", s.Status)
	if s.AuthInstructions == nil || s.AuthInstructions.QRData == "" {
		return "", fmt.Errorf("the consent is %s and shows no QR code", s.Status)
	}
	drawn, err := qr.Text(s.AuthInstructions.QRData)
	if err != nil {
		return "", err
	}
	w.say("\n%s\nThe person scans it with the (simulated) BankID app and signs.", drawn)
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
	w.say("GET  /consents/…/status           %s until %s", s.Status, s.ExpiresAt)
	return id, nil
}

// printProducts prints the products as a table.
func printProducts(out io.Writer, data []byte) error {
	var accounts []product.Psd2Account
	if err := json.Unmarshal(data, &accounts); err != nil {
		return err
	}
	return table(out, accounts)
}
