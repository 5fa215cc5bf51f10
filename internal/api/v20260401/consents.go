package v20260401

import (
	"context"
	"net/http"
	"net/url"

	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/consent"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
	"samla/internal/user"
)

// appendConsent appends a consent as an item of a list: with the scope that was
// requested, even if another one was granted (docs/reference/api.md 4.1).
func appendConsent(b []byte, c *consent.Summary) []byte {
	b = jsontext.AppendMember(b, `{"company":`, c.Company)
	b = jsontext.AppendMember(b, `,"consentId":`, string(c.ID))
	if !c.ExpiresAt.IsZero() {
		b = jsontext.AppendTimeMember(b, `,"expiresAt":`, c.ExpiresAt)
	}
	b = jsontext.AppendNonEmpty(b, `,"renewedBy":`, string(c.RenewedBy))
	b = jsontext.AppendNonEmpty(b, `,"renews":`, string(c.Renews))
	b = appendScope(b, &c.Requested)
	return append(jsontext.AppendMember(b, `,"status":`, string(c.Status)), '}')
}

// readRequest reads the body of a call and begins its validation.
func (o *operations) readRequest(c *api.Call) (*collections.Validation, []byte, error) {
	body, f := c.Body()
	v, err := collections.Read(o.Institutions, o.Clock.Now(), body, f)
	return v, body, err
}

func (o *operations) createConsent(c *api.Call) error {
	v, body, err := o.readRequest(c)
	if err != nil {
		return err
	}
	r := v.Consent()
	if err := v.Err(); err != nil {
		return err
	}
	r.ClientID, r.UserID = c.Caller().ClientID, c.Caller().UserID
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Consents.Create(ctx, r, func(ctx context.Context, made consent.Consent) (*idempotency.Record, error) {
			summary := made.Summary()
			return respond(ctx, "/consents/"+string(made.ID)+"/status", made.UserID, appendConsent(nil, &summary))
		})
		return err
	})
}

func (o *operations) consents(c *api.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	return o.listConsents(c, q, c.Caller().UserID)
}

func (o *operations) consentsOfUser(c *api.Call) error {
	q, u, err := o.queryOfUser(c)
	if err != nil {
		return err
	}
	return o.listConsents(c, q, u.ID)
}

// queryOfUser returns the query and the user of a list of one user.
func (o *operations) queryOfUser(c *api.Call) (url.Values, user.User, error) {
	q, err := c.Query()
	if err != nil {
		return nil, user.User{}, err
	}
	u, err := o.user(c)
	return q, u, err
}

func (o *operations) listConsents(c *api.Call, q url.Values, userID string) error {
	p, err := api.Page(q)
	if err != nil {
		return err
	}
	rows, err := o.Consents.List(c.Context(), c.Caller().ClientID, userID, p)
	if err != nil {
		return err
	}
	return api.WritePage(c, q, p, rows, func(row *consent.Summary) string { return string(row.ID) }, appendConsent)
}

func (o *operations) consentStatus(c *api.Call) error {
	found, shown, err := o.Consents.Poll(c.Context(), c.Caller().ClientID, c.Caller().UserID, consent.ID(c.ID()))
	if err != nil {
		return err
	}
	accounts, err := o.Consents.AccountsSince(c.Context(), found)
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte { return appendConsentStatus(b, &found, shown, accounts) })
}

func (o *operations) revokeConsent(c *api.Call) error {
	revoked, err := o.Consents.Revoke(c.Context(), c.Caller().ClientID, c.Caller().UserID, consent.ID(c.ID()))
	if err != nil {
		return err
	}
	return c.Write(http.StatusOK, appendConsentStatus(nil, &revoked, nil, consent.AccountChange{}))
}
