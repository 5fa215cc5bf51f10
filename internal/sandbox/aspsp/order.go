package aspsp

import (
	"errors"
	"slices"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"
)

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
