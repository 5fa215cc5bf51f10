package v20260401

import (
	"context"
	"strconv"

	"samla/internal/api"
	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/idempotency"
)

// renewConsent asks for a consent that takes the place of another one when it is
// authorized (docs/reference/api.md 4.7).
func (o *operations) renewConsent(c *api.Call) error {
	v, body, err := o.readRequest(c)
	if err != nil {
		return err
	}
	ask := func(old authorize.Old) (authorize.Request, error) {
		r := v.Renewal(old)
		return r, v.Err()
	}
	caller := c.Caller()
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		answer := func(old authorize.Old) idempotency.Answer[consent.Consent] {
			return func(ctx context.Context, made consent.Consent) (*idempotency.Record, error) {
				return respond(ctx, "/consents/"+string(made.ID)+"/status", made.UserID, appendRenewal(nil, made, old.EndsAtBank))
			}
		}
		_, err := o.Consents.Renew(ctx, caller.ClientID, caller.UserID, consent.ID(c.ID()), ask, answer)
		return err
	})
}

// appendRenewal appends a Consent with what its renewal does to the old one.
func appendRenewal(b []byte, made consent.Consent, endsAtBank bool) []byte {
	summary := made.Summary()
	b = appendConsent(b, &summary)
	b = append(b[:len(b)-1], `,"oldConsentEndsAtBank":`...) // inside the last brace
	return append(strconv.AppendBool(b, endsAtBank), '}')
}
