package aspsp

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"
)

// psuID returns the header PSU-ID, which must be a valid personal number.
func (c *call) psuID(required bool) (string, *apiError) {
	psu := c.r.Header.Get("PSU-ID")
	switch {
	case psu == "" && required:
		return "", formatError("PSU-ID is required")
	case psu != "" && !persona.Valid(psu):
		return "", unauthorized("PSU_CREDENTIALS_INVALID", "PSU-ID is not a customer")
	}
	return psu, nil
}

// startAuthorisation handles POST authorisations. It starts a BankID order. It is
// idempotent for the same X-Request-ID, like createConsent.
func (c *call) startAuthorisation() (response, *apiError) {
	var body authorisationRequest
	if f := body.parse(c.body); f != nil {
		return response{}, f
	}
	psu, f := c.psuID(false)
	if f != nil {
		return response{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consentID)
	if f != nil {
		return response{}, f
	}
	for _, a := range h.authorisations {
		if a.RequestID != c.requestID {
			continue
		}
		if a.Fingerprint != c.fingerprint() {
			return response{}, formatError("X-Request-ID was used for another authorisation")
		}
		return c.started(h, a), nil
	}
	if psu == "" {
		psu = h.PSUID
	}
	if psu == "" && c.PSUIDRequired {
		return response{}, formatError("PSU-ID is required")
	}
	if h.Status != Received || slices.ContainsFunc(h.authorisations, func(a *Authorisation) bool { return !a.Status.Final() }) {
		return response{}, newError(http.StatusConflict, "STATUS_INVALID", "the consent cannot be authorised in its state")
	}
	a, err := c.newAuthorisation(h, psu)
	if err != nil {
		return response{}, c.internal(err)
	}
	return c.started(h, a), nil
}

// newAuthorisation creates an authorisation and its BankID order. If the order cannot
// start, the authorisation is failed. The caller holds mu.
func (c *call) newAuthorisation(h *consentRecord, psu string) (*Authorisation, error) {
	id, err := c.newID()
	if err != nil {
		return nil, err
	}
	a := &Authorisation{
		ID: id, ConsentID: h.ID, RequestID: c.requestID, Fingerprint: c.fingerprint(), Created: c.Clock.Now(),
		Status: MethodSelected, Hint: hintOutstanding, PSUID: psu,
	}
	expected := psu
	if expected == "" {
		expected = persona.Default
	}
	o, err := c.BankID.Auth(bankid.AuthRequest{
		// If the bank is killed after this call and the TPP repeats its request, BankID
		// returns the same order.
		RequestID: h.ID + "/" + c.requestID,
		EndUserIP: c.r.Header.Get("PSU-IP-Address"), Expected: expected,
		UserVisibleData: c.DisplayName + ": samtycke till kontoinformation",
	})
	var busy *bankid.Error
	switch {
	case err == nil:
		a.Order.Order = o
		if c.Token == StaticImage {
			if a.Order.Image, err = qrImage(bankid.AutoStartURL(o.AutoStartToken)); err != nil {
				return nil, err
			}
		}
	case errors.As(err, &busy):
	default:
		return nil, err
	}
	if err := c.journal.Write(entry{Authorisation: a}); err != nil {
		return nil, err
	}
	h.authorisations = append(h.authorisations, a)
	c.counters.Authorisations++
	if busy != nil {
		c.applySCA(h, a, OrderFailed{string(busy.Code)})
	}
	return a, nil
}

// refresh updates the consent's open authorisation from BankID and applies the time
// limits of the consent. The caller holds mu.
func (b *Bank) refresh(h *consentRecord) {
	for _, a := range h.authorisations {
		if a.Status.Final() {
			continue
		}
		got, err := b.BankID.Collect(a.Order.OrderRef)
		var unknown *bankid.Error
		switch {
		case errors.As(err, &unknown):
			b.applySCA(h, a, OrderFailed{hintOrderLost})
		case err != nil:
			b.Log.Error("sandbox bank: BankID collect failed", "bank", b.Company, "err", err)
		case got.User != nil:
			b.applySCA(h, a, OrderSigned{got.User.PersonalNumber})
		case got.Status == "failed":
			b.applySCA(h, a, OrderFailed{got.HintCode})
		default:
			b.applySCA(h, a, OrderPending{got.HintCode})
		}
	}
	// While an authorisation is open, BankID's time limits apply, not the consent's.
	if !slices.ContainsFunc(h.authorisations, func(a *Authorisation) bool { return !a.Status.Final() }) {
		_ = b.apply(h, TimePassed{}) // never fails
	}
}

// applySCA applies an event to an open authorisation and, if that ends it, updates the
// consent. The caller holds mu.
func (b *Bank) applySCA(h *consentRecord, a *Authorisation, e SCAEvent) {
	next, err := a.Apply(e)
	if err != nil {
		return
	}
	if next.Status == Finalised {
		p, _ := b.customers.Person(next.Signer)
		granted, ok := h.Access.grant(p.Accounts)
		if !ok {
			next.Status, next.Hint = Failed, hintNothingToGrant
		} else if err := b.apply(h, Authorized{next.Signer, granted}); err != nil && h.Status != Valid {
			// If the consent is already valid, the bank was killed after it wrote the
			// consent and before it wrote this authorisation.
			next.Status, next.Hint = Failed, hintCancelled
		}
	}
	if next.Status == Failed {
		_ = b.apply(h, AuthorisationFailed{}) // fails if the consent has already ended
	}
	if next.Status.Final() {
		next.Order = order{}
	}
	changed := next.Status != a.Status
	*a = next
	if changed {
		b.writeEntry(entry{Authorisation: a})
	}
}

func (c *call) listAuthorisations() (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consentID)
	if f != nil {
		return response{}, f
	}
	ids := []string{}
	for _, a := range h.authorisations {
		ids = append(ids, a.ID)
	}
	return response{http.StatusOK, nil, map[string]any{"authorisationIds": ids}}, nil
}

// authorisation returns the authorisation of the path. The caller holds mu.
func (c *call) authorisation() (*consentRecord, *Authorisation, *apiError) {
	h, f := c.find(c.consentID)
	if f != nil {
		return nil, nil, f
	}
	for _, a := range h.authorisations {
		if a.ID == c.authorisationID {
			return h, a, nil
		}
	}
	return nil, nil, resourceUnknown("no such authorisation")
}

func (c *call) getAuthorisation() (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, a, f := c.authorisation()
	if f != nil {
		return response{}, f
	}
	return response{http.StatusOK, nil, c.authorisationBody(h, a)}, nil
}

func (c *call) updateAuthorisation() (response, *apiError) {
	var body authorisationRequest
	if f := body.parse(c.body); f != nil {
		return response{}, f
	}
	psu, f := c.psuID(false)
	if f != nil {
		return response{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, a, f := c.authorisation()
	if f != nil {
		return response{}, f
	}
	if a.Status.Final() {
		return response{}, newError(http.StatusConflict, "STATUS_INVALID", "the authorisation has ended")
	}
	if psu != "" && psu != a.PSUID {
		return response{}, unauthorized("PSU_CREDENTIALS_INVALID", "the authorisation was started for someone else")
	}
	v := c.authorisationBody(h, a)
	v["chosenScaMethod"] = bankIDMethod
	return response{http.StatusOK, map[string]string{"ASPSP-SCA-Approach": "DECOUPLED"}, v}, nil
}

// authorisationRequest is the body of POST and PUT authorisations.
type authorisationRequest struct {
	Method           *string        `json:"authenticationMethodId"`
	PSUData          map[string]any `json:"psuData"`
	SCAData          *string        `json:"scaAuthenticationData"`
	ConfirmationCode *string        `json:"confirmationCode"`
}

func (q *authorisationRequest) parse(body []byte) *apiError {
	if !decode(body, q) {
		return formatError("the body is not an authorisation request")
	}
	switch {
	case q.PSUData != nil, q.ConfirmationCode != nil:
		return newError(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", "passwords and confirmation codes are not supported")
	case q.SCAData != nil:
		return newError(http.StatusBadRequest, "SCA_INVALID", "BankID needs no authentication data")
	case q.Method != nil && *q.Method != bankIDMethod.ID:
		return newError(http.StatusBadRequest, "SCA_METHOD_UNKNOWN", "the only method is bankid")
	}
	return nil
}

// english reports whether the PSU prefers English. The bank's other language is
// Swedish.
func (c *call) english() bool {
	first, _, _ := strings.Cut(c.r.Header.Get("PSU-Accept-Language"), ",")
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(first)), "en")
}
