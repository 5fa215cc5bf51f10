package api

import (
	"context"
	"net/http"
	"net/url"

	"samla/internal/consent"
	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
)

// consentBody is a consent on the wire (docs/reference/api.md 4.1).
type consentBody struct {
	Company   string         `json:"company"`
	ConsentID consent.ID     `json:"consentId"`
	ExpiresAt string         `json:"expiresAt,omitempty"`
	Scope     scopeBody      `json:"scope"`
	Status    consent.Status `json:"status"`
}

type scopeBody struct {
	AccountIDs   []string `json:"accountIds,omitempty"`
	Balances     bool     `json:"balances"`
	Transactions bool     `json:"transactions"`
	Type         string   `json:"type"`
}

// consentOf shows a consent in a list: with what was requested, whatever was
// granted since (docs/reference/api.md 4.1).
func consentOf(c consent.Consent) consentBody {
	body := consentBody{Company: c.Company, ConsentID: c.ID, Status: c.Status, Scope: scopeBody{
		AccountIDs: c.Requested.AccountIDs, Balances: c.Requested.Balances, Transactions: c.Requested.Transactions, Type: scopeType}}
	if !c.ExpiresAt.IsZero() {
		body.ExpiresAt = jsontext.Time(c.ExpiresAt)
	}
	return body
}

func (h *Handler) createConsent(c *call) error {
	form, raw, err := h.readForm(c)
	if err != nil {
		return err
	}
	r := form.checkConsent()
	if err := form.done(); err != nil {
		return err
	}
	r.ClientID, r.UserID = c.who.ClientID, c.who.UserID
	return c.idempotent(raw, func(ctx context.Context, claim *dedupe.Claim) (dedupe.Response, error) {
		var resp dedupe.Response
		_, err := h.Consents.Create(ctx, r, func(ctx context.Context, made consent.Consent) (*idempotency.Record, error) {
			body, err := marshal(consentOf(made))
			if err != nil {
				return nil, err
			}
			resp = created("/consents/"+string(made.ID)+"/status", made.UserID, body)
			return claim.Prepare(ctx, resp)
		})
		return resp, err
	})
}

func (h *Handler) consents(c *call) error {
	q, f := c.query()
	if f != nil {
		return f
	}
	return h.listConsents(c, q, c.who.UserID)
}

func (h *Handler) consentsOfUser(c *call) error {
	q, id, err := h.queryOfUser(c)
	if err != nil {
		return err
	}
	return h.listConsents(c, q, id)
}

// queryOfUser reads the query and the user of a list that the API key asks for.
func (h *Handler) queryOfUser(c *call) (url.Values, string, error) {
	q, f := c.query()
	if f != nil {
		return nil, "", f
	}
	id, err := c.pathID("id", fault.UserNotFound)
	if err != nil {
		return nil, "", err
	}
	_, err = h.Users.ByID(c.ctx(), c.who.ClientID, id)
	return q, id, err
}

func (h *Handler) listConsents(c *call, q url.Values, userID string) error {
	p, f := page(q)
	if f != nil {
		return f
	}
	rows, err := h.Consents.List(c.ctx(), c.who.ClientID, userID, p)
	if err != nil {
		return err
	}
	return writePage(c, q, p, rows, func(row consent.Consent) string { return string(row.ID) }, consentOf)
}

func (h *Handler) consentStatus(c *call) error {
	id, err := c.pathID("consentId", fault.ConsentNotFound)
	if err != nil {
		return err
	}
	found, shown, err := h.Consents.Poll(c.ctx(), c.who.ClientID, c.who.UserID, consent.ID(id))
	if err != nil {
		return err
	}
	return c.append(func(b []byte) []byte { return appendConsentStatus(b, &found, shown) })
}

func (h *Handler) revokeConsent(c *call) error {
	id, err := c.pathID("consentId", fault.ConsentNotFound)
	if err != nil {
		return err
	}
	revoked, err := h.Consents.Revoke(c.ctx(), c.who.ClientID, c.who.UserID, consent.ID(id))
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, appendConsentStatus(nil, &revoked, nil))
}
