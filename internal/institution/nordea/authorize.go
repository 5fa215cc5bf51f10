package nordea

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"samla/internal/bankidmsg"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
	"samla/internal/institution/oauth"
	"samla/internal/psu"
)

// authenticationRequest is the body of POST decoupled/authentications
// (docs/reference/families.md 3.4).
type authenticationRequest struct {
	Method       string `json:"authentication_method"`
	Country      string `json:"country"`
	ResponseType string `json:"response_type"`
	PSUID        string `json:"psu_id,omitempty"`
	CompanyID    string `json:"company_id,omitempty"`
}

// StartAuthorization implements institution.Authorizer: an order of BankID, or the page
// where the person signs. If the profile needs the personal number and it is not known, it
// fails with PersonRefused and sends nothing.
func (b *Bank) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	asked, ok := askedIn(r.ConsentID)
	if !ok {
		return institution.Authorization{}, &institution.Error{Kind: institution.ConsentGone, RequestID: r.RequestID, NotSent: true}
	}
	if asked.Flow == redirect {
		return b.startRedirect(ctx, asked, r)
	}
	if b.profile.NeedsPSUID && r.PSU.PersonalNumber == "" {
		return institution.Authorization{}, &institution.Error{Kind: institution.PersonRefused, RequestID: r.RequestID, NotSent: true}
	}
	resp, err := b.exchange(ctx, call{
		operation: opStart, method: http.MethodPost, path: b.authorization("decoupled", "authentications"), psu: r.PSU,
		json: authenticationRequest{b.config.decoupledMethod(), b.config.Country, "code", r.PSU.PersonalNumber.Digits(), b.config.CompanyID},
	})
	if err != nil {
		return institution.Authorization{}, err
	}
	f := failureIn(resp)
	if resp.Status < 200 || resp.Status > 299 || f.isAnswer {
		if why, known := failureOf(f); known && resp.Status < http.StatusInternalServerError {
			return institution.Authorization{ID: r.RequestID, State: institution.AuthorizationFailed, Failure: why}, nil
		}
		return institution.Authorization{}, b.refusal(call{operation: opStart}, resp, f)
	}
	started, id, err := b.authentication(resp.Body, r.PSU, r.OtherDevice)
	if err == nil && id == "" {
		err = malformed(errMissing)
	}
	if err != nil {
		return institution.Authorization{}, err
	}
	started.ID = id
	return started, nil
}

// AuthorizationStatus implements institution.Authorizer. There is no status for a failure:
// the bank refuses to give one, which it also does when it does not know the
// authentication any more (docs/reference/families.md 3.4).
func (b *Bank) AuthorizationStatus(ctx context.Context, a institution.Access, authorizationID, _ string, otherDevice bool) (institution.Authorization, error) {
	resp, err := b.exchange(ctx, call{operation: opStatus, method: http.MethodGet, path: b.authorization("decoupled", "authentications", authorizationID), psu: a.PSU})
	if err != nil {
		return institution.Authorization{}, err
	}
	f := failureIn(resp)
	if resp.Status < 200 || resp.Status > 299 || f.isAnswer {
		refused := b.refusal(call{operation: opStatus}, resp, f)
		why, known := failureOf(f)
		switch {
		case refused.Kind == institution.Unreachable, refused.Kind == institution.Busy, refused.Kind == institution.CertificateRejected,
			refused.Kind == institution.ForeignAddress, httperror.IsPage(resp.Body):
			return institution.Authorization{}, refused
		case !known:
			why = consent.AuthenticationFailed
		}
		return institution.Authorization{State: institution.AuthorizationFailed, Failure: why}, nil
	}
	status, _, err := b.authentication(resp.Body, a.PSU, otherDevice)
	return status, err
}

// authentication is the answer about an authentication. All of its members are optional in
// Nordea's file.
type authentication struct {
	SessionID      loose.Text `json:"session_id"`
	AutoStartToken loose.Text `json:"auto_start_token"`
	QRData         loose.Text `json:"qr_data"`
	Status         loose.Text `json:"status"`
	Code           loose.Text `json:"code"`
}

// What the completion of a decoupled authorization gets.
const (
	broughtCode      = "code"       // of the authentication
	broughtAgreement = "agreement"  // beside the code: the agreement to read
	broughtToken     = "token_code" //nolint:gosec // the name of a member: the code that is exchanged for tokens
)

// authentication reads the state of an authentication, and its id.
func (b *Bank) authentication(body []byte, person psu.Context, otherDevice bool) (institution.Authorization, string, error) {
	var said authentication
	if err := loose.Decode(body, &said); err != nil {
		return institution.Authorization{}, "", err
	}
	id := said.SessionID.Clean()
	hint := ""
	a := institution.Authorization{}
	switch strings.ToLower(said.Status.Clean()) {
	case "completed":
		if said.Code == "" {
			return institution.Authorization{}, "", malformed(errMissing)
		}
		a.State, a.Progress = institution.AuthorizationDone, consent.Scanned
		a.Brought = url.Values{broughtCode: {string(said.Code)}}
		return a, id, nil
	case "cancelled": // of a newer file than the published one (docs/reference/families.md 3.4)
		a.State, a.Failure = institution.AuthorizationFailed, consent.AuthenticationCancelled
		return a, id, nil
	case "assignment_pending":
		hint, a.Progress = "outstandingTransaction", consent.NotScanned
	case "confirmation_pending":
		hint, a.Progress = "userSign", consent.Scanned
	case "":
		return institution.Authorization{}, "", malformed(errMissing)
	}
	// A status that is not documented ends nothing: the person is waited for.
	i := consent.Instructions{AutoStartToken: tokenOf(said.AutoStartToken), QRData: qrTextOf(said.QRData), RefreshedAt: b.clock.Now()}
	if b.profile.QR == institution.QRNone {
		i.QRData = ""
	}
	if hint != "" {
		locale := person.Locale
		if locale == "" {
			locale = defaultLocale
		}
		i.UserMessage.Code, i.UserMessage.Text = bankidmsg.Message("pending", hint, otherDevice, locale)
	}
	if i.Usable() || hint != "" {
		a.Instructions = &i
	}
	return a, id, nil
}

// defaultLocale is used for persons whose locale is not known: BankID is Swedish.
const defaultLocale = "sv-SE"

// tokenOf returns the autostart token, which is a UUID, or "": it is passed to an app.
func tokenOf(t loose.Text) string {
	s := t.Clean()
	if _, err := uuid.Parse(s); err != nil || len(s) != len(uuid.Nil.String()) {
		return ""
	}
	return s
}

const maxQRText = 500 // characters; one of BankID has less than 150

// qrTextOf returns the text if it is that of a BankID QR code, else "".
func qrTextOf(t loose.Text) string {
	if s := t.Clean(); strings.HasPrefix(s, "bankid.") && len(s) <= maxQRText {
		return s
	}
	return ""
}

// failureOf returns why an authentication failed, as far as the code says it.
func failureOf(f failure) (consent.FailureCode, bool) {
	switch {
	case f.has("progress", "already", "concurrent", "conflict"):
		return consent.AuthenticationConflict, true
	case f.has("cancel", "aborted"):
		return consent.AuthenticationCancelled, true
	case f.has("mismatch"):
		return consent.AuthenticationMismatch, true
	case f.has("token"), f.has("apikey"), f.has("signature"):
		return "", false
	case f.has("expired", "timeout", "timed_out", "time_out", "startfailed", "start_failed"):
		return consent.AuthenticationTimeout, true
	}
	return "", false
}

// authorizeRequest is the body of POST authorize (docs/reference/families.md 3.5).
type authorizeRequest struct {
	AccountList   []string `json:"account_list,omitempty"`
	Method        string   `json:"authentication_method,omitempty"`
	CompanyID     string   `json:"company_id,omitempty"`
	Country       string   `json:"country"`
	Duration      int      `json:"duration"`
	Language      string   `json:"language,omitempty"`
	MaxHistory    int      `json:"max_tx_history,omitempty"`
	RedirectURI   string   `json:"redirect_uri"`
	Scope         []string `json:"scope"`
	SkipSelection bool     `json:"skip_account_selection,omitempty"`
	State         string   `json:"state"`
}

// startRedirect asks the bank for its page. The bank leads there with 302: the address is
// for the browser of the person, and nothing is sent to it from here.
func (b *Bank) startRedirect(ctx context.Context, asked asked, r institution.AuthorizeRequest) (institution.Authorization, error) {
	request := authorizeRequest{
		Method: b.config.AuthenticationMethod, CompanyID: b.config.CompanyID, Country: b.config.Country, Duration: asked.minutes(b.clock.Now()),
		Language: languageOf(r.PSU.Locale), MaxHistory: asked.months(b.config), RedirectURI: r.Way.Return, Scope: asked.scopes(b.config),
		SkipSelection: asked.skipsSelection(b.config), State: r.Way.State,
	}
	if request.SkipSelection {
		request.AccountList = asked.accountList(b.config)
	}
	if request.State == "" || request.RedirectURI == "" {
		return institution.Authorization{}, &institution.Error{Kind: institution.Refused, RequestID: r.RequestID, NotSent: true}
	}
	c := call{operation: opStart, method: http.MethodPost, path: b.authorization("authorize"), psu: r.PSU, json: request}
	resp, err := b.exchange(ctx, c)
	if err != nil {
		return institution.Authorization{}, err
	}
	if resp.Status < 300 || resp.Status > 399 {
		f := failureIn(resp)
		if resp.Status >= 200 && resp.Status <= 299 && !f.isAnswer {
			return institution.Authorization{}, malformed(errMissing)
		}
		return institution.Authorization{}, b.refusal(c, resp, f)
	}
	page := resp.Header.Get("Location")
	// AddQuery checks the address, and that it has no member of ours already.
	if _, err := oauth.AddQuery(page, nil); err != nil {
		return institution.Authorization{}, &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: resp.Status, Cause: err}
	}
	return institution.Authorization{Silent: true, Instructions: &consent.Instructions{RedirectURL: page, RefreshedAt: b.clock.Now()}}, nil
}

// pageLanguages are the languages of the bank's pages by that of the person (ia-v5.json).
var pageLanguages = map[string]string{"sv": "sv", "fi": "fi", "da": "da", "en": "en", "no": "no", "nb": "no", "nn": "no"}

func languageOf(locale string) string {
	primary, _, _ := strings.Cut(locale, "-")
	return pageLanguages[strings.ToLower(primary)]
}
