package main

import (
	"context"
	"fmt"

	"samla/internal/apiclient"
	"samla/internal/qr"
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
	s, err := w.client.AwaitConsent(ctx, w.clock, token, id, demoPoll, func(s apiclient.ConsentStatus) bool { return s.Status != "INITIATED" })
	if err != nil {
		return "", err
	}
	w.printf("GET  /consents/…/status           %s", s.Status)
	switch a := s.AuthInstructions; {
	case a == nil:
		return "", fmt.Errorf("the consent is %s and shows nothing to sign", s.Status)
	case a.QRData != "":
		drawn, err := qr.Text(a.QRData)
		if err != nil {
			return "", err
		}
		w.printf("\n%s\nThe person scans it with the (simulated) BankID app and signs.", drawn)
		err = w.phone.Act(ctx, "approve", "", a.QRData, "")
		if err != nil {
			return "", err
		}
	case a.AutoStartToken != "":
		w.printf("\nThe person starts the (simulated) BankID app and signs.")
		if err := w.phone.Act(ctx, "approve", a.AutoStartToken, "", ""); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("the consent is %s and shows nothing that the simulated BankID app can start with", s.Status)
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
