package aspsp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"samla/internal/sandbox/persona"
)

// consentRequest is the body of POST consents. All members are required.
type consentRequest struct {
	Access    *Access `json:"access"`
	Recurring *bool   `json:"recurringIndicator"`
	Until     *string `json:"validUntil"`
	Frequency *int    `json:"frequencyPerDay"`
	Combined  *bool   `json:"combinedServiceIndicator"`
}

// decode parses a body that must be exactly one JSON object without unknown members.
func decode(body []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
		return false
	}
	if dec.Decode(into) != nil {
		return false
	}
	_, err := dec.Token()
	return err == io.EOF
}

// parse validates the request and returns the consent, with validUntil and
// frequencyPerDay reduced to the bank's limits.
func (q consentRequest) parse(b Behaviour, today persona.Day) (Consent, *apiError) {
	if q.Access == nil || q.Recurring == nil || q.Until == nil || q.Frequency == nil || q.Combined == nil {
		return Consent{}, formatError("a required member of the consent is missing")
	}
	if text := q.Access.validate(); text != "" {
		return Consent{}, formatError(text)
	}
	until, err := time.Parse(time.DateOnly, *q.Until)
	if err != nil {
		return Consent{}, formatError("validUntil is not a date")
	}
	switch {
	case *q.Frequency < 1:
		return Consent{}, formatError("frequencyPerDay must be at least 1")
	case !*q.Recurring && *q.Frequency != 1:
		return Consent{}, newError(http.StatusBadRequest, "PARAMETER_NOT_CONSISTENT", "a one-off consent has frequencyPerDay 1")
	case *q.Combined:
		return Consent{}, newError(http.StatusBadRequest, "SESSIONS_NOT_SUPPORTED", "combined services are not supported")
	case persona.DayAt(until) < today:
		return Consent{}, newError(http.StatusBadRequest, "PERIOD_INVALID", "validUntil has passed")
	case b.NamedOnly && (q.Access.AllPSD2 != "" || q.Access.bankOffered()), b.NoList && q.Access.list():
		return Consent{}, newError(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", "this kind of access is not offered")
	}
	last := min(persona.DayAt(until), today+persona.Day(b.MaxValidDays))
	return Consent{
		Access: *q.Access, Recurring: *q.Recurring, Until: last.String(), Frequency: min(*q.Frequency, b.DailyLimit),
	}, nil
}

// fingerprint distinguishes a replay from another request with the same X-Request-ID.
func (c *call) fingerprint() string {
	text := c.r.Header.Get("PSU-ID") + "\n" + c.consentID + "\n" + string(c.body)
	if c.Approach != Decoupled {
		text += "\n" + c.r.Header.Get(redirectHeader) + "\n" + c.r.Header.Get(nokHeader)
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// createConsent handles POST consents. It is idempotent: the same TPP, X-Request-ID
// and body return the same consent in its current state. The same id with another
// body is an error.
func (c *call) createConsent() (response, *apiError) {
	if c.r.Header.Get("PSU-IP-Address") == "" {
		return response{}, formatError("PSU-IP-Address is required")
	}
	psu, f := c.psuID(false)
	if f != nil {
		return response{}, f
	}
	if f := c.checkCreateHeaders(); f != nil {
		return response{}, f
	}
	var q consentRequest
	if !decode(c.body, &q) {
		return response{}, formatError("the body is not a consent request")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, ok := c.byRequest[pairKey(c.tpp, c.requestID)]; ok {
		h := c.consents[id]
		if h.Fingerprint != c.fingerprint() {
			return response{}, formatError("X-Request-ID was used for another consent")
		}
		c.counters.ConsentReplays++
		c.refresh(h)
		return c.startedBy(h)
	}
	now := c.Clock.Now()
	consent, f := q.parse(c.Behaviour, c.today())
	if f != nil {
		return response{}, f
	}
	id, err := c.newID()
	if err != nil {
		return response{}, c.internal(err)
	}
	consent.ID, consent.TPP, consent.RequestID, consent.Fingerprint = id, c.tpp, c.requestID, c.fingerprint()
	consent.Created, consent.Changed, consent.Status, consent.PSUID = now, now, Received, psu
	consent.RedirectURI, consent.NokURI = c.r.Header.Get(redirectHeader), c.r.Header.Get(nokHeader)
	if err := c.journal.Write(entry{Consent: &consent}); err != nil {
		return response{}, c.internal(err)
	}
	c.replay(entry{Consent: &consent})
	if c.EndsOldOnRequest && consent.Recurring && psu != "" {
		c.end(c.recurring[pairKey(c.tpp, psu)])
	}
	return c.startedBy(c.consents[id])
}

// startedBy answers POST consents, after the bank has done what it does without the TPP:
// granted a list of accounts, or started the authorisation. After a kill in between, a
// repeated request does it. The caller holds mu.
func (c *call) startedBy(h *consentRecord) (response, *apiError) {
	switch {
	case h.Status != Received || len(h.authorisations) > 0:
	case c.ListAtOnce && h.Access.list():
		if err := c.apply(h, Authorized{Signer: h.PSUID, Granted: h.Access}); err != nil {
			return response{}, c.internal(err)
		}
	case c.implicit():
		if _, f := c.newAuthorisation(h, h.PSUID, ""); f != nil {
			return response{}, f
		}
	}
	return c.created(h), nil
}

// internal logs err and returns a response with status 500.
func (b *Bank) internal(err error) *apiError {
	b.Log.Error("sandbox bank", "bank", b.Company, "err", err)
	return &apiError{status: http.StatusInternalServerError}
}

type scaMethod struct {
	Type string `json:"authenticationType"`
	ID   string `json:"authenticationMethodId"`
	Name string `json:"name,omitempty"`
}

var bankIDMethod = scaMethod{"PUSH_OTP", "bankid", "BankID"}

func (c *call) created(h *consentRecord) response {
	self := c.href("consents/" + h.ID)
	links := map[string]link{"self": self, "status": {self.Href + "/status"}}
	body := map[string]any{"consentStatus": h.Status, "consentId": h.ID, "_links": links}
	header := map[string]string{"Location": self.Href, "ASPSP-Notification-Support": "false"}
	approach := c.approach()
	var implicit *Authorisation
	if c.implicit() && len(h.authorisations) > 0 {
		implicit = h.authorisations[0]
	}
	if c.Push {
		delete(links, "self")
	}
	switch {
	case c.ListAtOnce && h.Access.list():
		approach = "" // nobody signs
	case h.Status != Received:
	case implicit != nil:
		c.describe(h, implicit, body, links)
	case len(c.Methods) > 0:
		links["startAuthorisationWithPsuIdentification"], approach = link{self.Href + "/authorisations"}, ""
	case c.Approach == Decoupled:
		body["scaMethods"] = []scaMethod{bankIDMethod}
		links["startAuthorisationWithPsuIdentification"] = link{self.Href + "/authorisations"}
	default:
		links["startAuthorisation"] = link{self.Href + "/authorisations"}
	}
	if approach != "" {
		header["ASPSP-SCA-Approach"] = approach
	}
	return response{http.StatusCreated, header, body}
}

// approach returns the value of ASPSP-SCA-Approach.
func (s Signing) approach() string {
	if s.Approach == Decoupled {
		return "DECOUPLED"
	}
	return "REDIRECT"
}

// find returns a consent of this TPP after refreshing it. The caller holds mu.
func (c *call) find(id string) (*consentRecord, *apiError) {
	h, ok := c.consents[id]
	if !ok || h.TPP != c.tpp {
		return nil, newError(http.StatusForbidden, "CONSENT_UNKNOWN", "this TPP has no such consent")
	}
	c.refresh(h)
	return h, nil
}

func (c *call) getConsent() (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consentID)
	if f != nil {
		return response{}, f
	}
	links := map[string]link{"self": c.href("consents/" + h.ID)}
	if h.Status == Valid {
		links["account"] = c.href("accounts")
		if !c.CardsInAccounts && !c.NoCards {
			links["card-account"] = c.href("card-accounts")
		}
	}
	return response{http.StatusOK, nil, map[string]any{
		"access": h.Access, "recurringIndicator": h.Recurring, "validUntil": h.Until, "frequencyPerDay": h.Frequency,
		"lastActionDate": h.Changed.Format(time.DateOnly), "consentStatus": h.Status, "_links": links,
	}}, nil
}

func (c *call) getConsentStatus() (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consentID)
	if f != nil {
		return response{}, f
	}
	return response{http.StatusOK, nil, map[string]any{"consentStatus": h.Status}}, nil
}

// deleteConsent ends the consent. Deleting a consent that has already ended changes
// nothing and succeeds, so that a TPP can repeat the call.
func (c *call) deleteConsent() (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consentID)
	if f != nil {
		return response{}, f
	}
	if !h.Status.Final() {
		_ = c.apply(h, Terminated{}) // not final: it can be ended
	}
	for _, a := range h.authorisations {
		if !a.Status.Final() {
			if a.Order.OrderRef != "" {
				_ = c.BankID.Cancel(a.Order.OrderRef) // fails if the order has already ended
			}
			c.applySCA(h, a, OrderFailed{hintCancelled})
		}
	}
	return response{status: http.StatusNoContent}, nil
}
