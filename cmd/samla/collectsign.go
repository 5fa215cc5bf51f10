package main

import (
	"context"
	"net/url"
	"os"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/qr"
)

// byConsent starts a collection with a consent: one that the user has given, or a new one
// that the person signs now. It returns the collection's id.
func (w *collecting) byConsent(ctx context.Context, of choice) (string, error) {
	ip, err := w.personAddress(ctx)
	if err != nil {
		return "", err
	}
	id, err := w.givenConsent(ctx, of.company)
	if err != nil {
		return "", err
	}
	if id == "" {
		id, err = w.newConsent(ctx, of, ip)
	} else {
		err = w.admit(ctx)
	}
	if err != nil {
		return "", err
	}
	return w.client.StartCollection(ctx, w.token, of.company.ID, id, ip)
}

// givenConsent returns the id of the consent that lasts longest; empty: there is none.
func (w *collecting) givenConsent(ctx context.Context, of apiclient.Company) (id string, err error) {
	if w.cmd.NewConsent || w.user == "" {
		return "", nil
	}
	all, err := w.client.Consents(ctx, w.user)
	if err != nil {
		return "", err
	}
	var until time.Time
	for _, c := range all {
		if c.Company == of.ID && c.Status == "AUTHORIZED" && c.ExpiresAt.After(until) {
			id, until = c.ID, c.ExpiresAt
		}
	}
	if id != "" {
		w.printf("Using the consent %s, which lasts until %s. --new-consent asks for another one.", plain(id), moment(&until))
	}
	return id, nil
}

// newConsent asks for a consent and lets the person sign it.
func (w *collecting) newConsent(ctx context.Context, of choice, ip string) (string, error) {
	if err := w.ask(ctx, &of); err != nil {
		return "", err
	}
	if err := w.admit(ctx); err != nil {
		return "", err
	}
	id, err := w.client.CreateConsent(ctx, w.token, apiclient.ConsentRequest{Company: of.company.ID, LoginMethod: of.method,
		PersonalNumber: of.person, IPAddress: ip, Locale: locale()})
	if err != nil {
		return "", err
	}
	w.undo = func(ctx context.Context) error { return w.client.RevokeConsent(ctx, w.token, id) }
	w.printf("%s is asked for a consent: all accounts, balances and transactions. Ctrl-C cancels it there.", plain(of.company.DisplayName))
	s, err := w.signature(ctx, id, of.company)
	if err != nil {
		return "", err
	}
	w.undo = nil
	w.wipe()
	if s.Status != "AUTHORIZED" {
		if s.Error != nil {
			return "", failure("the consent", s.Status+" "+s.Error.Code, statusText(s.Error.Code))
		}
		return "", failure("the consent", s.Status, "")
	}
	until, err := time.Parse(time.RFC3339, s.ExpiresAt)
	if err != nil {
		return "", err
	}
	w.printf("Signed. The consent %s lasts until %s; 'samla consents revoke %s --user %s' ends it.", plain(id), moment(&until), plain(id), plain(w.cmd.User))
	return id, nil
}

// signature shows what the person must do, until the consent is authorized or has ended.
func (w *collecting) signature(ctx context.Context, id string, of apiclient.Company) (apiclient.ConsentStatus, error) {
	g := signing{terminal: &w.terminal, bank: plain(of.DisplayName)}
	for {
		s, err := patiently(ctx, w.demo, func(ctx context.Context) (apiclient.ConsentStatus, error) {
			return w.client.PollConsent(ctx, w.token, id)
		})
		if err != nil || s.Status != "INITIATED" && s.Status != "AWAITING_AUTHORIZATION" {
			return s, err
		}
		if err := g.show(s); err != nil {
			return s, err
		}
		if err := clock.Sleep(ctx, w.clock, w.every); err != nil {
			return s, err
		}
	}
}

// signing shows how a consent is signed.
type signing struct {
	*terminal
	bank       string
	page, link string // that were printed last
}

// show shows what a status says. A code is drawn again each time, and taken away with the
// first status that has none.
func (g *signing) show(s apiclient.ConsentStatus) error {
	a := s.AuthInstructions
	if a == nil {
		g.live("Waiting for "+g.bank, " …")
		return nil
	}
	if a.RedirectURL != "" && a.RedirectURL != g.page {
		g.page = a.RedirectURL
		g.aside("Open this address in a browser, and sign on the bank's page:\n\n  " + plain(a.RedirectURL) + "\n")
	}
	if a.AutoStartToken != "" && a.AutoStartToken != g.link {
		g.link = a.AutoStartToken
		g.aside("BankID on this device: " + appLink(a.AutoStartToken))
	}
	said := plain(a.UserMessage.Text)
	switch {
	case a.QRData != "":
		drawn, err := qr.Text(a.QRData)
		if err != nil {
			return err
		}
		if said == "" {
			said = "Scan the code with the BankID app."
		}
		g.picture(drawn, said, true)
	case said != "":
		g.live(said, "")
	default:
		g.live("Waiting for the signature", " …")
	}
	return nil
}

// appLink returns the address that starts the BankID app on this device.
func appLink(token string) string {
	return "https://app.bankid.com/?" + url.Values{"autostarttoken": {token}, "redirect": {"null"}}.Encode()
}

// byLogin starts a collection that the person logs in to. It returns its id when the login
// has ended.
func (w *collecting) byLogin(ctx context.Context, of choice) (string, error) {
	w.began = func(id string) {
		w.undo = func(ctx context.Context) error { return w.client.CancelCollection(ctx, w.token, id) }
		w.printf("%s is logged in to. Ctrl-C cancels it there.", plain(of.company.DisplayName))
	}
	if err := w.ask(ctx, &of); err != nil {
		return "", err
	}
	if err := w.admit(ctx); err != nil {
		return "", err
	}
	if isTerminal(os.Stdin) {
		w.listen(os.Stdin)
	}
	of.email = w.cmd.Email
	return w.collectByLogin(ctx, w.token, of)
}
