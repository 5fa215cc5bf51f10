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

// pushAfter is after how many polls without anything new the person looks at the phone: some
// banks ask there by themselves after a login.
const pushAfter = 8

// sign does what the person is asked to do, one thing after the other, until the consent is
// authorized or has ended: some banks ask for a login first.
func (w *demo) sign(ctx context.Context, token, id, person string) (apiclient.ConsentStatus, error) {
	browser := visitor.New(w.phone.HTTP.Transport, w.clock, w.phone.Sandbox)
	done := map[string]bool{}
	for {
		polls := 0
		s, err := w.client.AwaitConsent(ctx, w.clock, token, id, demoPoll, func(s apiclient.ConsentStatus) bool {
			polls++
			return s.Status != "INITIATED" && (s.Status != "AWAITING_AUTHORIZATION" || !done[shownOf(s)] || polls > pushAfter)
		})
		if err != nil || s.Status != "AWAITING_AUTHORIZATION" {
			return s, err
		}
		a := s.AuthInstructions
		switch again := done[shownOf(s)]; {
		case a == nil:
			err = fmt.Errorf("the consent is %s and shows nothing to sign", s.Status)
		case again:
			if w.phone.Act(ctx, "approve", "", "", person) == nil {
				w.printf("The bank asks the person's (simulated) BankID app, and the person signs.")
			}
		case a.RedirectURL != "":
			err = w.visit(ctx, browser, a.RedirectURL, person)
		case a.QRData != "":
			var drawn string
			if drawn, err = qr.Text(a.QRData); err == nil {
				w.printf("GET  /consents/…/status           %s\n\n%s\nThe person scans it with the (simulated) BankID app and signs.", s.Status, drawn)
				err = w.phone.Act(ctx, "approve", "", a.QRData, "")
			}
		default:
			w.printf("GET  /consents/…/status           %s\n\nThe person starts the (simulated) BankID app and signs.", s.Status)
			err = w.phone.Act(ctx, "approve", a.AutoStartToken, "", "")
		}
		if err != nil {
			return s, err
		}
		done[shownOf(s)] = true
	}
}

// shownOf identifies what the person is shown; empty: nothing.
func shownOf(s apiclient.ConsentStatus) string {
	if s.AuthInstructions == nil {
		return ""
	}
	return s.AuthInstructions.RedirectURL + s.AuthInstructions.AutoStartToken
}

// visit goes to the page of the bank, where the person logs in with BankID and approves,
// and back.
func (w *demo) visit(ctx context.Context, browser *visitor.Browser, address, person string) error {
	w.printf("GET  /consents/…/status           a page of the bank\n\nThe person's browser opens %s", address)
	back, err := browser.Visit(ctx, address, visitor.Person{Number: person, Phone: visitor.Approve, SignsAs: person})
	if err != nil {
		return err
	}
	w.printf("and comes back from the (simulated) bank to %s://%s%s", back.Scheme, back.Host, back.Path)
	_, err = browser.Arrive(ctx, back)
	return err
}
