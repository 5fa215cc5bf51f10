package apiclient

import (
	"context"
	"fmt"
	"time"

	"samla/internal/clock"
)

// Signer signs consents as their person would: with the sandbox's phone, and on the pages of
// its banks.
type Signer struct {
	Client *Client
	Phone  *Phone
	Clock  clock.Clock
	Person string // personal number
	Poll   time.Duration
	// Visit goes to a page of a bank, and comes back.
	Visit func(ctx context.Context, address string) error
	// Look, if set, opens the link to a page again, to see how it stands there. With it, the
	// sandbox's second person signs where one has to.
	Look func(ctx context.Context, address string) error
	// Second, if set, is called when the second person has signed.
	Second func()
	// Before, if set, is called before the person acts on what a status shows. pushed says
	// that the bank asks on the phone by itself.
	Before func(s ConsentStatus, pushed bool)
}

// pushAfter is after how many polls without anything new the person looks at the phone: some
// banks ask there by themselves after a login.
const pushAfter = 8

// Sign does what the person is asked to do, one thing after the other, until the consent is
// authorized or has ended: some banks ask for a login first. It returns the last status.
func (g Signer) Sign(ctx context.Context, token, id string) (ConsentStatus, error) {
	done := map[string]bool{}
	before := func(s ConsentStatus, pushed bool) {
		if g.Before != nil {
			g.Before(s, pushed)
		}
	}
	for {
		polls := 0
		s, err := g.Client.AwaitConsent(ctx, g.Clock, token, id, g.Poll, func(s ConsentStatus) bool {
			polls++
			return s.Status != "INITIATED" && (s.Status != "AWAITING_AUTHORIZATION" || !done[s.shows()] || polls > pushAfter)
		})
		if err != nil || s.Status != "AWAITING_AUTHORIZATION" {
			return s, err
		}
		a := s.AuthInstructions
		switch again := done[s.shows()]; {
		case s.shows() == "":
			err = fmt.Errorf("the consent is %s and shows nothing to sign", s.Status)
		case again:
			if g.Phone.Act(ctx, "approve", "", "", g.Person) == nil {
				before(s, true)
			} else if g.Look != nil && a.RedirectURL != "" {
				err = g.second(ctx, a.RedirectURL)
			}
		case a.RedirectURL != "":
			before(s, false)
			err = g.Visit(ctx, a.RedirectURL)
		default:
			before(s, false)
			qrData := a.QRData
			if a.AutoStartToken != "" {
				qrData = "" // one of them names the order
			}
			err = g.Phone.Act(ctx, "approve", a.AutoStartToken, qrData, "")
		}
		if err != nil {
			return s, err
		}
		done[s.shows()] = true
	}
}

// second lets the second person sign, if a bank of the sandbox waits for one, and looks how
// it stands.
func (g Signer) second(ctx context.Context, address string) error {
	signed, err := g.Phone.CoSign(ctx)
	if err != nil {
		return err
	}
	if signed && g.Second != nil {
		g.Second()
	}
	return g.Look(ctx, address)
}

// shows identifies what the person is shown; empty: nothing.
func (s ConsentStatus) shows() string {
	a := s.AuthInstructions
	switch {
	case a == nil:
		return ""
	case a.AutoStartToken == "" && a.RedirectURL == "":
		return a.QRData
	}
	return a.RedirectURL + a.AutoStartToken
}
