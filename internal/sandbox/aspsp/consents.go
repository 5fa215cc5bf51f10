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

// consentRequest is the body of POST consents; all members are required.
type consentRequest struct {
	Access    *Access `json:"access"`
	Recurring *bool   `json:"recurringIndicator"`
	Until     *string `json:"validUntil"`
	Frequency *int    `json:"frequencyPerDay"`
	Combined  *bool   `json:"combinedServiceIndicator"`
}

// decode reads a JSON object strictly: no unknown members, nothing after it.
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

// read checks the body and returns the consent it asks for, shortened to what
// this bank gives.
func (q consentRequest) read(b Behaviour, today persona.Day) (Consent, *refusal) {
	if q.Access == nil || q.Recurring == nil || q.Until == nil || q.Frequency == nil || q.Combined == nil {
		return Consent{}, formatError("a required member of the consent is missing")
	}
	if text := q.Access.check(); text != "" {
		return Consent{}, formatError(text)
	}
	until, err := time.Parse(time.DateOnly, *q.Until)
	if err != nil {
		return Consent{}, formatError("validUntil is no date")
	}
	switch {
	case *q.Frequency < 1:
		return Consent{}, formatError("frequencyPerDay must be at least 1")
	case !*q.Recurring && *q.Frequency != 1:
		return Consent{}, refuse(http.StatusBadRequest, "PARAMETER_NOT_CONSISTENT", "a one-off consent has frequencyPerDay 1")
	case *q.Combined:
		return Consent{}, refuse(http.StatusBadRequest, "SESSIONS_NOT_SUPPORTED", "combined services are not offered")
	case persona.DayAt(until) < today:
		return Consent{}, refuse(http.StatusBadRequest, "PERIOD_INVALID", "validUntil has passed")
	}
	last := min(persona.DayAt(until), today+persona.Day(b.MaxValidDays))
	return Consent{
		Access: *q.Access, Recurring: *q.Recurring, Until: last.String(), Frequency: min(*q.Frequency, b.DailyLimit),
	}, nil
}

// print is what tells a replay from another request with the same id.
func (c *call) print() string {
	sum := sha256.Sum256(append([]byte(c.r.Header.Get("PSU-ID")+"\n"+c.consent+"\n"), c.body...))
	return hex.EncodeToString(sum[:])
}

// createConsent is POST consents. It is safe to repeat: the same TPP, request id
// and body give the same consent, in the state it has now; the same id with
// another body is refused.
func (c *call) createConsent() (answer, *refusal) {
	if c.r.Header.Get("PSU-IP-Address") == "" {
		return answer{}, formatError("PSU-IP-Address is required")
	}
	psu, f := c.psuID(false)
	if f != nil {
		return answer{}, f
	}
	var q consentRequest
	if !decode(c.body, &q) {
		return answer{}, formatError("the body is not a consent request")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, ok := c.byRequest[requestKey(c.tpp, c.requestID)]; ok {
		h := c.consents[id]
		if h.Print != c.print() {
			return answer{}, formatError("X-Request-ID was used for another consent")
		}
		c.counters.ConsentReplays++
		c.progress(h)
		return c.created(h), nil
	}
	now := c.Clock.Now()
	consent, f := q.read(c.Behaviour, c.today())
	if f != nil {
		return answer{}, f
	}
	id, err := c.newID()
	if err != nil {
		return answer{}, c.internal(err)
	}
	consent.ID, consent.TPP, consent.RequestID, consent.Print = id, c.tpp, c.requestID, c.print()
	consent.Created, consent.Changed, consent.Status, consent.PSUID = now, now, Received, psu
	if err := c.journal.Write(entry{Consent: &consent}); err != nil {
		return answer{}, c.internal(err)
	}
	c.take(entry{Consent: &consent})
	return c.created(c.consents[id]), nil
}

// internal answers 500 and tells the log why.
func (b *Bank) internal(err error) *refusal {
	b.Log.Error("sandbox bank", "bank", b.Company, "err", err)
	return &refusal{status: http.StatusInternalServerError}
}

type scaMethod struct {
	Type string `json:"authenticationType"`
	ID   string `json:"authenticationMethodId"`
	Name string `json:"name,omitempty"`
}

var bankIDMethod = scaMethod{"PUSH_OTP", "bankid", "BankID"}

func (c *call) created(h *held) answer {
	self := c.href("consents/" + h.ID)
	links := map[string]link{"self": self, "status": {self.Href + "/status"}}
	if h.Status == Received {
		links["startAuthorisationWithPsuIdentification"] = link{self.Href + "/authorisations"}
	}
	return answer{http.StatusCreated,
		map[string]string{"Location": self.Href, "ASPSP-SCA-Approach": "DECOUPLED", "ASPSP-Notification-Support": "false"},
		map[string]any{"consentStatus": h.Status, "consentId": h.ID, "scaMethods": []scaMethod{bankIDMethod}, "_links": links}}
}

// find returns the consent of the path or header, brought up to date. The caller
// holds mu.
func (c *call) find(id string) (*held, *refusal) {
	h, ok := c.consents[id]
	if !ok || h.TPP != c.tpp {
		return nil, refuse(http.StatusForbidden, "CONSENT_UNKNOWN", "this TPP has no such consent")
	}
	c.progress(h)
	return h, nil
}

func (c *call) getConsent() (answer, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consent)
	if f != nil {
		return answer{}, f
	}
	links := map[string]link{"self": c.href("consents/" + h.ID)}
	if h.Status == Valid {
		links["account"] = c.href("accounts")
		if !c.CardsInAccounts {
			links["card-account"] = c.href("card-accounts")
		}
	}
	return answer{http.StatusOK, nil, map[string]any{
		"access": h.Access, "recurringIndicator": h.Recurring, "validUntil": h.Until, "frequencyPerDay": h.Frequency,
		"lastActionDate": h.Changed.Format(time.DateOnly), "consentStatus": h.Status, "_links": links,
	}}, nil
}

func (c *call) getConsentStatus() (answer, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consent)
	if f != nil {
		return answer{}, f
	}
	return answer{http.StatusOK, nil, map[string]any{"consentStatus": h.Status}}, nil
}

// deleteConsent ends the consent. One that has ended already stays as it is: to
// delete it again is no error, so that a TPP may repeat the call.
func (c *call) deleteConsent() (answer, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consent)
	if f != nil {
		return answer{}, f
	}
	if !h.Status.Final() {
		_ = c.apply(h, Ended{}) // not final: it can be ended
	}
	for _, a := range h.authorisations {
		if !a.Status.Final() {
			_ = c.BankID.Cancel(a.Order.OrderRef) // an order that is gone is as good as cancelled
			c.applySCA(h, a, Broken{hintCancelled})
		}
	}
	return answer{status: http.StatusNoContent}, nil
}
