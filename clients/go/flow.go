package samla

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime/types"
)

// EnsureUser returns the user with your own id of the person, and creates it if there is
// none.
func (c *Client) EnsureUser(ctx context.Context, externalID string) (uuid.UUID, error) {
	u, err := c.CreateUser(ctx, nil, CreateUserRequest{ExternalId: externalID})
	var p *Problem
	if errors.As(err, &p) && p.Document.Status == http.StatusConflict {
		u, err = c.FindUserByExternalId(ctx, &FindUserByExternalIdParams{ExternalId: externalID})
	}
	return u.UserUuid, err
}

// OpenSession returns a client for one user, which opens consents. The token of the session
// runs out after a while: open another one then.
func (c *Client) OpenSession(ctx context.Context, user uuid.UUID) (*Client, error) {
	s, err := c.CreateSession(ctx, user, nil)
	if err != nil {
		return nil, err
	}
	return c.ForSession(s.Token)
}

// Bank is what a consent at a bank is asked for. Company, LoginMethod and IPAddress are
// required; PersonalNumber is where the person signs with BankID.
type Bank struct {
	Company, LoginMethod string
	PersonalNumber       string
	IPAddress            string // of the person
	Locale               string // of texts for the person, such as sv-SE
	ReturnURL            string // registered: where the browser goes after the bank's page
}

// AskConsent opens a consent, which the person then has to sign: AwaitConsent.
func (c *Client) AskConsent(ctx context.Context, b Bank) (Consent, error) {
	var access ConsentParameter
	err := access.FromPsd2AisConsentParameter(Psd2AisConsentParameter{PsuIpAddress: b.IPAddress, PsuLocale: optional(b.Locale), ReturnUrl: optional(b.ReturnURL)})
	parameters := []ConsentParameter{access}
	if b.PersonalNumber != "" {
		var person ConsentParameter
		err = errors.Join(err, person.FromSwedishBankIdParameter(SwedishBankIdParameter{PersonalNumber: b.PersonalNumber}))
		parameters = append(parameters, person)
	}
	if err != nil {
		return Consent{}, err
	}
	return c.CreateConsent(ctx, nil, CreateConsentRequest{Company: b.Company, LoginMethod: optional(b.LoginMethod), Parameters: parameters})
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ErrEnded is that of a consent or collection that ended in another way than hoped for. The
// status that is returned with it says how.
var ErrEnded = errors.New("it has ended")

// AwaitConsent polls a consent until it is authorized, and shows the person what to do. If
// it ends otherwise, or ctx ends, the error says so.
func (c *Client) AwaitConsent(ctx context.Context, id uuid.UUID, show func(View)) (ConsentStatusResponse, error) {
	var shown codes
	s, err := await(ctx, nil, func() (ConsentStatusResponse, error) { return c.GetConsentStatus(ctx, id) },
		func(s ConsentStatusResponse) (*int32, bool) {
			if s.AuthInstructions != nil && show != nil {
				v := consentView(s)
				v.QRUntil = shown.until(v, time.Now())
				show(v)
			}
			return s.PollingInterval, s.Status == ConsentStatusAUTHORIZED
		})
	if err == nil && s.Status != ConsentStatusAUTHORIZED {
		err = fmt.Errorf("the consent: %w: %s", ErrEnded, s.Status)
		if s.Error != nil {
			err = fmt.Errorf("%w, %s: %s", err, s.Error.Code, s.Error.Message)
		}
	}
	return s, err
}

// CollectWithConsent starts a collection of what a consent covers. ip is the address of the
// person; empty: nobody is there, which banks allow four times a day.
func (c *Client) CollectWithConsent(ctx context.Context, company string, consent uuid.UUID, ip string) (CollectionStatusResponse, error) {
	var stored CollectionParameter
	if err := stored.FromStoredConsentParameter(StoredConsentParameter{ConsentId: consent, PsuIpAddress: optional(ip)}); err != nil {
		return CollectionStatusResponse{}, err
	}
	return c.InitiateCollection(ctx, nil, InitiateCollectionRequest{Company: company, Parameters: &[]CollectionParameter{stored}})
}

// Login is what a collection by login begins with. PersonalNumber or Email is left out if
// the login method needs none.
type Login struct{ Company, LoginMethod, PersonalNumber, Email string }

// CollectByLogin starts a collection from an institution that the person logs in to; what
// it then asks, AwaitCollection answers.
func (c *Client) CollectByLogin(ctx context.Context, l Login) (CollectionStatusResponse, error) {
	parameters := []CollectionParameter{}
	var err error
	if l.PersonalNumber != "" {
		var p CollectionParameter
		err = p.FromSwedishBankIdCollectionParameter(SwedishBankIdCollectionParameter{PersonalNumber: l.PersonalNumber})
		parameters = append(parameters, p)
	}
	if l.Email != "" {
		var p CollectionParameter
		err = errors.Join(err, p.FromEmailParameter(EmailParameter{Email: types.Email(l.Email)}))
		parameters = append(parameters, p)
	}
	if err != nil {
		return CollectionStatusResponse{}, err
	}
	return c.InitiateCollection(ctx, nil, InitiateCollectionRequest{Company: l.Company, LoginMethod: optional(l.LoginMethod), Parameters: &parameters})
}

// AppLink is the address that opens BankID on the same device. It belongs in a link that
// the person presses: a page that opens it by itself opens it again after each reload.
// back is where the app returns to; empty: nowhere. https is the form for phones, which
// works without BankID installed.
func AppLink(autoStartToken, back string, https bool) string {
	if back == "" {
		back = "null"
	}
	start := "bankid:///?"
	if https {
		start = "https://app.bankid.com/?"
	}
	return start + "autostarttoken=" + url.QueryEscape(autoStartToken) + "&redirect=" + url.QueryEscape(back)
}
