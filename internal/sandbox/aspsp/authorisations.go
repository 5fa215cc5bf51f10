package aspsp

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"
)

// psuID reads the header PSU-ID: a personal number whose check digit holds.
func (c *call) psuID(required bool) (string, *refusal) {
	psu := c.r.Header.Get("PSU-ID")
	switch {
	case psu == "" && required:
		return "", formatError("PSU-ID is required")
	case psu != "" && !persona.Valid(psu):
		return "", unauthorized("PSU_CREDENTIALS_INVALID", "PSU-ID is no customer")
	}
	return psu, nil
}

// startAuthorisation is POST authorisations. It starts a BankID order. It is
// safe to repeat with the same X-Request-ID, like createConsent.
func (c *call) startAuthorisation() (answer, *refusal) {
	var body authorisationBody
	if f := body.read(c.body); f != nil {
		return answer{}, f
	}
	psu, f := c.psuID(false)
	if f != nil {
		return answer{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consent)
	if f != nil {
		return answer{}, f
	}
	for _, a := range h.authorisations {
		if a.RequestID != c.requestID {
			continue
		}
		if a.Print != c.print() {
			return answer{}, formatError("X-Request-ID was used for another authorisation")
		}
		return c.started(h, a), nil
	}
	if psu == "" {
		psu = h.PSUID
	}
	if psu == "" && c.PSUIDRequired {
		return answer{}, formatError("PSU-ID is required")
	}
	if h.Status != Received || slices.ContainsFunc(h.authorisations, func(a *Authorisation) bool { return !a.Status.Final() }) {
		return answer{}, refuse(http.StatusConflict, "STATUS_INVALID", "the consent cannot be authorised in its state")
	}
	a, err := c.begin(h, psu)
	if err != nil {
		return answer{}, c.internal(err)
	}
	return c.started(h, a), nil
}

// begin makes the authorisation and its BankID order. An order that cannot start
// leaves a failed authorisation. The caller holds mu.
func (c *call) begin(h *held, psu string) (*Authorisation, error) {
	id, err := c.newID()
	if err != nil {
		return nil, err
	}
	a := &Authorisation{
		ID: id, ConsentID: h.ID, RequestID: c.requestID, Print: c.print(), Created: c.Clock.Now(),
		Status: MethodSelected, Hint: outstanding, PSUID: psu,
	}
	expected := psu
	if expected == "" {
		expected = persona.Default
	}
	o, err := c.BankID.Auth(bankid.AuthRequest{
		// A bank that was killed here gets the same order when the TPP repeats.
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
		c.applySCA(h, a, Broken{string(busy.Code)})
	}
	return a, nil
}

// progress asks BankID how the consent's open authorisation stands and lets
// time work on the consent. The caller holds mu.
func (b *Bank) progress(h *held) {
	for _, a := range h.authorisations {
		if a.Status.Final() {
			continue
		}
		got, err := b.BankID.Collect(a.Order.OrderRef)
		var gone *bankid.Error
		switch {
		case errors.As(err, &gone):
			b.applySCA(h, a, Broken{hintLost})
		case err != nil:
			b.Log.Error("sandbox bank: BankID does not tell", "bank", b.Company, "err", err)
		case got.User != nil:
			b.applySCA(h, a, Signed{got.User.PersonalNumber})
		case got.Status == "failed":
			b.applySCA(h, a, Broken{got.HintCode})
		default:
			b.applySCA(h, a, Pending{got.HintCode})
		}
	}
	// While an order is open BankID's limits rule, not the consent's.
	if !slices.ContainsFunc(h.authorisations, func(a *Authorisation) bool { return !a.Status.Final() }) {
		_ = b.apply(h, Passed{}) // always fits
	}
}

// applySCA changes an open authorisation and, when it ends, its consent. The
// caller holds mu.
func (b *Bank) applySCA(h *held, a *Authorisation, e SCAEvent) {
	next, err := a.Apply(e)
	if err != nil {
		return
	}
	if next.Status == Finalised {
		p, _ := b.people.Person(next.Signer)
		granted, ok := h.Access.grant(p.Accounts)
		if !ok {
			next.Status, next.Hint = Failed, hintNothing
		} else if err := b.apply(h, Authorised{next.Signer, granted}); err != nil && h.Status != Valid {
			// Valid already: a kill came between the lines of the consent and of
			// this authorisation.
			next.Status, next.Hint = Failed, hintCancelled
		}
	}
	if next.Status == Failed {
		_ = b.apply(h, Refused{}) // a consent that has ended stays ended
	}
	if next.Status.Final() {
		next.Order = order{}
	}
	changed := next.Status != a.Status
	*a = next
	if changed {
		b.note(entry{Authorisation: a})
	}
}

func (c *call) listAuthorisations() (answer, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, f := c.find(c.consent)
	if f != nil {
		return answer{}, f
	}
	ids := []string{}
	for _, a := range h.authorisations {
		ids = append(ids, a.ID)
	}
	return answer{http.StatusOK, nil, map[string]any{"authorisationIds": ids}}, nil
}

// authorisation finds the authorisation of the path. The caller holds mu.
func (c *call) authorisation() (*held, *Authorisation, *refusal) {
	h, f := c.find(c.consent)
	if f != nil {
		return nil, nil, f
	}
	for _, a := range h.authorisations {
		if a.ID == c.auth {
			return h, a, nil
		}
	}
	return nil, nil, resourceUnknown("no such authorisation")
}

func (c *call) getAuthorisation() (answer, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, a, f := c.authorisation()
	if f != nil {
		return answer{}, f
	}
	return answer{http.StatusOK, nil, c.view(h, a)}, nil
}

func (c *call) updateAuthorisation() (answer, *refusal) {
	var body authorisationBody
	if f := body.read(c.body); f != nil {
		return answer{}, f
	}
	psu, f := c.psuID(false)
	if f != nil {
		return answer{}, f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, a, f := c.authorisation()
	if f != nil {
		return answer{}, f
	}
	if a.Status.Final() {
		return answer{}, refuse(http.StatusConflict, "STATUS_INVALID", "the authorisation has ended")
	}
	if psu != "" && psu != a.PSUID {
		return answer{}, unauthorized("PSU_CREDENTIALS_INVALID", "the authorisation was started for someone else")
	}
	v := c.view(h, a)
	v["chosenScaMethod"] = bankIDMethod
	return answer{http.StatusOK, map[string]string{"ASPSP-SCA-Approach": "DECOUPLED"}, v}, nil
}

// authorisationBody is what POST and PUT authorisations may carry.
type authorisationBody struct {
	Method           *string        `json:"authenticationMethodId"`
	PSUData          map[string]any `json:"psuData"`
	SCAData          *string        `json:"scaAuthenticationData"`
	ConfirmationCode *string        `json:"confirmationCode"`
}

func (q *authorisationBody) read(body []byte) *refusal {
	if !decode(body, q) {
		return formatError("the body is no authorisation request")
	}
	switch {
	case q.PSUData != nil, q.ConfirmationCode != nil:
		return refuse(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", "this bank takes no passwords and no confirmation codes")
	case q.SCAData != nil:
		return refuse(http.StatusBadRequest, "SCA_INVALID", "BankID needs no authentication data")
	case q.Method != nil && *q.Method != bankIDMethod.ID:
		return refuse(http.StatusBadRequest, "SCA_METHOD_UNKNOWN", "the only method is bankid")
	}
	return nil
}

// english tells whether the PSU prefers English; the bank speaks Swedish
// otherwise.
func (c *call) english() bool {
	first, _, _ := strings.Cut(c.r.Header.Get("PSU-Accept-Language"), ",")
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(first)), "en")
}
