package aspsp

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"samla/internal/sandbox/bankid"
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

// newOrder starts the BankID order of an authorisation. busy is BankID's code if it refuses.
func (b *Bank) newOrder(a *Authorisation, requestID, ip string) (busy string, err error) {
	expected, kind := a.PSUID, bankid.Auth
	if expected == "" {
		expected = persona.Default
	}
	if b.Push {
		kind = bankid.PhoneAuth
	}
	o, err := b.BankID.Auth(bankid.AuthRequest{
		// If the bank is killed after this call and the TPP repeats its request, BankID
		// returns the same order.
		RequestID: requestID, Kind: kind,
		EndUserIP: ip, Expected: expected,
		UserVisibleData: b.DisplayName + ": samtycke till kontoinformation",
	})
	var refused *bankid.Error
	if errors.As(err, &refused) {
		return refused.Code, nil
	}
	if err != nil {
		return "", err
	}
	a.Order.Order = o
	m, chosen := b.method(a.Method)
	if b.Token == StaticImage && !chosen || m.Token == StaticImage && chosen {
		a.Order.Image, err = qrImage(bankid.AutoStartURL(o.AutoStartToken))
	}
	return "", err
}

// refresh updates the consent's open authorisation from BankID and applies the time
// limits of the consent. The caller holds mu.
func (b *Bank) refresh(h *consentRecord) {
	for _, a := range h.authorisations {
		switch {
		case a.Status.Final():
		case a.Page != nil:
			if !b.Clock.Now().Before(a.Page.Until) {
				b.applySCA(h, a, OrderFailed{hintLate})
			}
		case a.Order.OrderRef == "": // the TPP has not chosen a method
			if b.Clock.Now().Sub(a.Created) > authorizeWithin {
				b.applySCA(h, a, OrderFailed{hintLate})
			}
		default:
			b.collect(h, a)
		}
	}
	// While an authorisation is open, BankID's time limits apply, not the consent's.
	if !slices.ContainsFunc(h.authorisations, func(a *Authorisation) bool { return !a.Status.Final() }) {
		_ = b.apply(h, TimePassed{}) // never fails
	}
}

// collect updates an authorisation from its BankID order. The caller holds mu.
func (b *Bank) collect(h *consentRecord, a *Authorisation) {
	got, err := b.BankID.Collect(a.Order.OrderRef)
	var unknown *bankid.Error
	switch {
	case errors.As(err, &unknown):
		b.applySCA(h, a, OrderFailed{hintOrderLost})
	case err != nil:
		b.Log.Error("sandbox bank: BankID collect failed", "bank", b.Company, "err", err)
	case got.User != nil:
		b.applySCA(h, a, OrderSigned{got.User.PersonalNumber})
	case got.Status == "failed" && got.HintCode == "startFailed" && b.Clock.Now().Sub(a.Created) < b.PushFor:
		b.pushAgain(h, a)
	case got.Status == "failed":
		b.applySCA(h, a, OrderFailed{got.HintCode})
	default:
		b.applySCA(h, a, OrderPending{got.HintCode})
	}
}

// pushAgain starts another order, because nobody opened the last one. The caller holds mu.
func (b *Bank) pushAgain(h *consentRecord, a *Authorisation) {
	next := *a
	busy, err := b.newOrder(&next, h.ID+"/"+a.Order.OrderRef, "")
	switch {
	case err != nil:
		b.Log.Error("sandbox bank: BankID order failed", "bank", b.Company, "err", err)
	case busy != "":
		b.applySCA(h, a, OrderFailed{busy})
	default:
		*a = next
		b.writeEntry(entry{Authorisation: a})
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
		next = b.grant(h, next)
	}
	if next.Status == Failed {
		_ = b.apply(h, AuthorisationFailed{}) // fails if the consent has already ended
	}
	if next.Status.Final() {
		next.Order = order{}
	}
	changed := next.Status != a.Status || next.Page != a.Page
	*a = next
	if changed {
		b.writeEntry(entry{Authorisation: a})
	}
}

// grant gives the consent what an authorisation has signed, and returns the authorisation,
// failed if the consent cannot have it. The caller holds mu.
func (b *Bank) grant(h *consentRecord, a Authorisation) Authorisation {
	granted, ok := Access{}, true
	if a.Page != nil {
		granted = *a.Page.Granted
	} else {
		p, _ := b.customers.Person(a.Signer)
		granted, ok = h.Access.grant(b.known(p).Accounts)
	}
	same := h.Status == Partly && a.Signer == h.Signer
	switch {
	case !ok:
		a.Status, a.Hint = Failed, hintNothingToGrant
	case same && a.Status == Finalised && slices.ContainsFunc(h.authorisations, func(o *Authorisation) bool { return o.ID != a.ID && o.Status == Finalised }):
		a.Status, a.Hint = Failed, hintSameSigner
	default:
		err := b.apply(h, Authorized{Signer: a.Signer, Granted: granted, More: h.Status == Received && b.Signers > 1})
		// If the consent already has it, the bank was killed after it wrote the consent and
		// before it wrote this authorisation.
		if err != nil && h.Status != Valid && !same {
			a.Status, a.Hint = Failed, hintCancelled
		}
	}
	return a
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
