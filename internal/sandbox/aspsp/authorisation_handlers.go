package aspsp

import (
	"net/http"
	"slices"
	"strings"

	"samla/internal/sandbox/persona"
)

// psuID returns the header PSU-ID, which must be a valid personal number, or the person who
// has logged in before.
func (c *call) psuID(required bool) (string, *apiError) {
	psu := c.r.Header.Get("PSU-ID")
	if c.person != "" {
		if psu != "" && psu != c.person {
			return "", unauthorized("PSU_CREDENTIALS_INVALID", "PSU-ID is not the person who has logged in")
		}
		return c.person, nil
	}
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
	if f := body.parse(c.Signing, c.body); f != nil {
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
	if c.implicit() || !h.Status.waits() || slices.ContainsFunc(h.authorisations, func(a *Authorisation) bool { return !a.Status.Final() }) {
		return response{}, newError(http.StatusConflict, "STATUS_INVALID", "the consent cannot be authorised in its state")
	}
	method := ""
	if body.Method != nil && len(c.Methods) > 0 {
		method = *body.Method
	}
	a, f := c.newAuthorisation(h, psu, method)
	if f != nil {
		return response{}, f
	}
	return c.started(h, a), nil
}

// newAuthorisation creates an authorisation with the chosen method, if there is one, and
// starts it. The caller holds mu.
func (c *call) newAuthorisation(h *consentRecord, psu, method string) (*Authorisation, *apiError) {
	id, err := c.newID()
	if err != nil {
		return nil, c.internal(err)
	}
	a := &Authorisation{
		ID: id, ConsentID: h.ID, RequestID: c.requestID, Fingerprint: c.fingerprint(), Created: c.Clock.Now(),
		Status: SCAReceived, PSUID: psu,
	}
	if psu != "" && len(c.Methods) > 0 {
		a.Status = PSUIdentified
	}
	busy, f := c.begin(h, a, method)
	if f != nil {
		return nil, f
	}
	if err := c.journal.Write(entry{Authorisation: a}); err != nil {
		return nil, c.internal(err)
	}
	h.authorisations = append(h.authorisations, a)
	if a.Page != nil {
		c.visits[a.Page.Visit] = a
	}
	c.counters.Authorisations++
	if busy != "" {
		c.applySCA(h, a, OrderFailed{busy})
	}
	return a, nil
}

// begin starts an authorisation with a method: on the page, or with a BankID order. Without
// a method, one with a choice of methods waits. busy is why the order could not start. The
// caller stores the authorisation.
func (c *call) begin(h *consentRecord, a *Authorisation, method string) (busy string, f *apiError) {
	m, ok := c.method(method)
	switch {
	case c.Approach != Decoupled:
		return "", c.newPage(h, a)
	case len(c.Methods) > 0 && method == "":
		return "", nil
	case len(c.Methods) > 0 && !ok:
		return "", newError(http.StatusBadRequest, "SCA_METHOD_UNKNOWN", "no such method")
	case m.Redirect:
		a.Method = method
		return "", c.newPage(h, a)
	}
	if next, err := a.Apply(MethodChosen{method}); err == nil {
		*a = next
	}
	a.Hint = hintOutstanding
	busy, err := c.newOrder(a, h.ID+"/"+a.RequestID, c.r.Header.Get("PSU-IP-Address"))
	if err != nil {
		return "", c.internal(err)
	}
	return busy, nil
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
	answer := response{http.StatusOK, nil, c.authorisationBody(h, a)}
	if a.Page != nil && a.Status == PSUAuthenticated {
		// The person is on the page from now on until the end. Each status is told once at
		// least, so that a test sees them all.
		if a.Page.Seen {
			c.applySCA(h, a, PageReached{Started})
			answer.body = c.authorisationBody(h, a)
		} else {
			a.Page.Seen = true
		}
	}
	return answer, nil
}

// updateAuthorisation handles PUT authorisation: the choice of a method, or a confirmation.
func (c *call) updateAuthorisation() (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, a, f := c.authorisation()
	if f != nil {
		return response{}, f
	}
	if a.Page != nil {
		return c.confirm(h, a)
	}
	var body authorisationRequest
	if f := body.parse(c.Signing, c.body); f != nil {
		return response{}, f
	}
	psu, f := c.psuID(false)
	if f != nil {
		return response{}, f
	}
	if a.Status.Final() {
		return response{}, newError(http.StatusConflict, "STATUS_INVALID", "the authorisation has ended")
	}
	if psu != "" && psu != a.PSUID {
		return response{}, unauthorized("PSU_CREDENTIALS_INVALID", "the authorisation was started for someone else")
	}
	if len(c.Methods) > 0 && body.Method != nil && *body.Method != a.Method {
		if f := c.choose(h, a, *body.Method); f != nil {
			return response{}, f
		}
	}
	v := c.authorisationBody(h, a)
	c.choice(a, v)
	return response{http.StatusOK, c.approachOf(a), v}, nil
}

// choose starts an authorisation that waited for its method. The caller holds mu.
func (c *call) choose(h *consentRecord, a *Authorisation, method string) *apiError {
	if a.Method != "" {
		return newError(http.StatusConflict, "STATUS_INVALID", "a method is chosen already")
	}
	next := *a
	busy, f := c.begin(h, &next, method)
	if f != nil {
		return f
	}
	if err := c.journal.Write(entry{Authorisation: &next}); err != nil {
		return c.internal(err)
	}
	*a = next
	if a.Page != nil {
		c.visits[a.Page.Visit] = a
	}
	if busy != "" {
		c.applySCA(h, a, OrderFailed{busy})
	}
	return nil
}

// authorisationRequest is the body of POST and PUT authorisations.
type authorisationRequest struct {
	Method           *string        `json:"authenticationMethodId"`
	PSUData          map[string]any `json:"psuData"`
	SCAData          *string        `json:"scaAuthenticationData"`
	ConfirmationCode *string        `json:"confirmationCode"`
}

func (q *authorisationRequest) parse(s Signing, body []byte) *apiError {
	if !decode(body, q) {
		return formatError("the body is not an authorisation request")
	}
	switch {
	case q.PSUData != nil, q.ConfirmationCode != nil:
		return newError(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", "passwords and confirmation codes are not supported")
	case q.SCAData != nil:
		return newError(http.StatusBadRequest, "SCA_INVALID", "BankID needs no authentication data")
	case q.Method == nil:
	case len(s.Methods) == 0 && *q.Method != bankIDMethod.ID:
		return newError(http.StatusBadRequest, "SCA_METHOD_UNKNOWN", "the only method is bankid")
	case len(s.Methods) > 0:
		if _, ok := s.method(*q.Method); !ok {
			return newError(http.StatusBadRequest, "SCA_METHOD_UNKNOWN", "no such method")
		}
	}
	return nil
}

// english reports whether the PSU prefers English. The bank's other language is
// Swedish.
func (c *call) english() bool {
	first, _, _ := strings.Cut(c.r.Header.Get("PSU-Accept-Language"), ",")
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(first)), "en")
}
