package connect

import (
	"context"
	"errors"
	"slices"

	"samla/internal/authorize"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/idempotency"
)

// Renewal asks for a link on which a person gives a permission again.
type Renewal struct {
	ClientID, UserID string
	Consent          consent.ID // any of its lineage
	Language         string     // one of Languages
	ReturnURL        string     // where the person goes at the end: a page of this server
}

// Renew makes a link to the connect page on which a person gives a permission again, on the
// terms of before (flow.RenewalOf). The personal number that is kept with it is not asked for
// again. Faults: those of authorize.Service.Renewable, UserNotFound, UserAnonymized.
func (s *Service) Renew(ctx context.Context, r Renewal) (NewLink, error) {
	link := LinkRequest{ClientID: r.ClientID, UserID: r.UserID}
	if err := s.checkUser(ctx, link); err != nil {
		return NewLink{}, err
	}
	old, err := s.Consents.Renewable(ctx, r.ClientID, r.UserID, r.Consent)
	if err != nil {
		return NewLink{}, err
	}
	terms, ok := flow.RenewalOf(old.Consent)
	if i, known := s.Institutions.Find(old.Company); !ok || !known || i.Retired {
		return NewLink{}, fault.New(fault.ConsentNotRenewable)
	}
	terms.Language, terms.ReturnURL = r.Language, r.ReturnURL
	link.Terms, link.Known.PersonalNumber = terms, string(old.PersonalNumber)
	return s.makeLink(ctx, link, nil)
}

func noAnswer(authorize.Old) idempotency.Answer[consent.Consent] { return nil }

// beginConsent asks for the consent of a flow: a new one, or one in place of another.
func (s *Service) beginConsent(ctx context.Context, f flow.Flow, r authorize.Request) error {
	if f.Terms.Renews == "" {
		_, err := s.Consents.Create(ctx, r, nil)
		return err
	}
	ask := func(old authorize.Old) (authorize.Request, error) {
		terms, ok := flow.RenewalOf(old.Consent)
		if !ok {
			return r, fault.New(fault.ConsentNotRenewable)
		}
		// It may have been renewed since the person has read the slip: neither goes beyond it.
		scope := flow.RenewalScope(old.Consent)
		scope.Balances, scope.Transactions = scope.Balances && f.Terms.Balances, scope.Transactions && f.Terms.Transactions
		if old.PersonalNumber != "" { // whatever a form says: nobody else gives it again
			r.PSU.PersonalNumber = old.PersonalNumber
		}
		r.Scope, r.ValidUntil = scope, s.Clock.Now().AddDate(0, 0, min(terms.ValidDays, f.Terms.ValidDays))
		return r, nil
	}
	_, err := s.Consents.Renew(ctx, f.ClientID, f.UserID, f.Terms.Renews, ask, noAnswer)
	var refused *fault.Fault
	if errors.As(err, &refused) && refused.Code == fault.ConsentRenewalPending {
		// The person has left one unsigned, in another page: this one takes its place.
		if _, err = s.Consents.Revoke(ctx, f.ClientID, f.UserID, consent.ID(refused.ConsentID)); err == nil || errors.Is(err, fault.New(fault.ConsentNotRevocable)) {
			_, err = s.Consents.Renew(ctx, f.ClientID, f.UserID, f.Terms.Renews, ask, noAnswer)
		}
	}
	return err
}

// completeRenewal adds what the page of a renewal needs. The number that is kept with the
// permission is not asked for.
func (s *Service) completeRenewal(ctx context.Context, view View) (View, error) {
	if view.Typed.PersonalNumber != "" {
		view.Needs = slices.DeleteFunc(view.Needs, func(need string) bool { return need == company.NeedsPersonalNumber })
	}
	old, err := s.Store.ConsentStatus(ctx, view.Flow.Terms.Renews)
	view.Holds = err == nil && old.Status == consent.Authorized
	if err == nil && old.Person != "" && view.Typed.PersonalNumber == "" && view.Institution.Profile.ProvesNumber() && !slices.Contains(view.Needs, company.NeedsPersonalNumber) {
		view.Needs = append(view.Needs, company.NeedsPersonalNumber) // whose it was is known: nobody else gives it again
	}
	return view, unknown(err)
}
