package main

import (
	"context"
	"fmt"

	"samla/internal/apiclient"
	"samla/internal/qr"
	"samla/internal/visitor"
)

// collectByConsent collects from a bank: the person signs a consent, and the collection
// uses it. It returns the collection's id.
func (w *demo) collectByConsent(ctx context.Context, token string, of choice) (id string, err error) {
	consentID, err := w.consent(ctx, token, of)
	if err != nil {
		return "", err
	}
	if id, err = w.client.StartCollection(ctx, token, of.company.ID, consentID, demoAddress); err != nil {
		return "", err
	}
	w.printf("POST /collections                 collection %s", id)
	return id, nil
}

// consent creates a consent and authorizes it: the phone scans the QR code of the status
// response, or starts by its token where the bank shows no code.
func (w *demo) consent(ctx context.Context, token string, of choice) (string, error) {
	id, err := w.client.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: of.company.ID, LoginMethod: of.method,
		PersonalNumber: of.person, IPAddress: demoAddress, Locale: "en-GB"})
	if err != nil {
		return "", err
	}
	w.printf("POST /consents                    consent %s", id)
	s, err := w.sign(ctx, token, id, of.person)
	if err != nil {
		return "", err
	}
	if s.Status != "AUTHORIZED" {
		return "", fmt.Errorf("the consent ended as %s", s.Status)
	}
	w.printf("GET  /consents/…/status           %s until %s", s.Status, s.ExpiresAt)
	return id, nil
}

// sign does what the person is asked to do, until the consent is authorized or has ended.
func (w *demo) sign(ctx context.Context, token, id, person string) (apiclient.ConsentStatus, error) {
	browser := visitor.New(w.phone.HTTP.Transport, w.clock, w.phone.Sandbox)
	signer := apiclient.Signer{Client: w.client, Phone: w.phone, Clock: w.clock, Person: person, Poll: demoPoll, Before: w.tellSigning}
	signer.Visit = func(ctx context.Context, address string) error { return w.visit(ctx, browser, address, person) }
	signer.Look = browser.Look
	signer.Second = func() {
		w.printf("\nThe bank waits for a second person, which can take days. Here the (simulated) second person signs at once, by\n"+
			"POST %s/sandbox/consents/…/sign, and the first one opens the link again.", w.phone.Sandbox)
	}
	return signer.Sign(ctx, token, id)
}

// tellSigning prints what the person does next.
func (w *demo) tellSigning(s apiclient.ConsentStatus, pushed bool) {
	a := s.AuthInstructions
	switch {
	case pushed:
		w.printf("The bank asks the person's (simulated) BankID app, and the person signs.")
	case a.RedirectURL != "":
		w.printf("GET  /consents/…/status           %s, on a page of the bank", s.Status)
	case a.QRData != "":
		drawn, err := qr.Text(a.QRData)
		if err != nil {
			drawn = a.QRData
		}
		w.printf("GET  /consents/…/status           %s\n\n%s\nThe person scans it with the (simulated) BankID app and signs.", s.Status, drawn)
	default:
		w.printf("GET  /consents/…/status           %s\n\nThe person starts the (simulated) BankID app and signs.", s.Status)
	}
}

// visit goes to the page of the bank, where the person logs in with BankID and approves,
// and back.
func (w *demo) visit(ctx context.Context, browser *visitor.Browser, address, person string) error {
	w.printf("\nThe person's browser opens %s", address)
	back, err := browser.Visit(ctx, address, visitor.Person{Number: person, Phone: visitor.Approve, SignsAs: person})
	if err != nil {
		return err
	}
	w.printf("and comes back from the (simulated) bank to %s://%s%s", back.Scheme, back.Host, back.Path)
	_, err = browser.Arrive(ctx, back)
	return err
}
