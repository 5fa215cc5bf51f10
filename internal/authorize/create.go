package authorize

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/idempotency"
	"samla/internal/jobs"
	"samla/internal/psu"
	"samla/internal/store"
)

// Request asks for a consent. The rules of docs/reference/api.md 4.3 that need no
// state are already checked.
type Request struct {
	ClientID, UserID string
	CollectionID     string // for a consent that lives inside a collection
	Company          string
	LoginMethod      string
	Scope            consent.Scope
	ValidUntil       time.Time // the day asked for, any time in it; zero = the longest
	PSU              psu.Context
	NumberAt         string // pointer to the personal number in the request, for the fault; "" = the body
	// Chooses: the person is asked which accounts the consent covers, where the bank lists
	// them before (institution.Profile.ListsAccounts): ChooseAccounts. Else it changes nothing.
	Chooses bool

	// ReturnTo is where the client wants the person to go at the end, an address that it has
	// registered; empty = nowhere.
	ReturnTo   string
	ReturnToAt string // pointer to it in the request, for the fault
	// ReturnsHere: ReturnTo is a page of this server, which no client registers.
	ReturnsHere bool
	// Also writes what must be committed together with the consent; nil: nothing. Its errors
	// are returned.
	Also func(store.Tx, consent.Consent) error

	Purpose string // see consent.Consent.Purpose

	// Lineage and Renews are those of a consent that renews another one; else empty.
	Lineage, Renews consent.ID
}

// Draft returns the row of a new consent, with its secret sealed, without storing
// it. ValidUntil is clipped to what the bank allows (docs/reference/api.md 4.3). A draft
// that is not stored has to be discarded. Faults: InvalidParameter when the client has not
// registered ReturnTo, Unauthorized when the user was erased, Unavailable when too many
// persons wait already.
func (s *Service) Draft(ctx context.Context, r Request) (consent.Consent, error) {
	if err := s.checkReturnTo(ctx, r); err != nil {
		return consent.Consent{}, err
	}
	now := s.Clock.Now()
	profile := s.Institutions.Of(r.Company).Profile
	c := consent.Consent{
		ID: consent.ID(s.IDs.New()), ClientID: r.ClientID, UserID: r.UserID, CollectionID: r.CollectionID,
		Company: r.Company, LoginMethod: r.LoginMethod, Lineage: r.Lineage, Renews: r.Renews, Purpose: r.Purpose,
		Status: consent.Initiated, Step: consent.StepOpen, Requested: r.Scope,
		CreatedAt: now, StatusChangedAt: now, AuthorizeBy: now.Add(profile.Deadline),
		ExpiresAt:     endOfDay(r.ValidUntil, now, profile.LongestConsent),
		OpenRequestID: s.IDs.New(), AuthorizeRequestID: s.IDs.New(), WakeAt: now,
	}
	if profile.LoginFirst {
		c.Step = consent.StepLogin
	}
	if err := s.admit(c.ID, c.Company); err != nil {
		return c, err
	}
	secret := consent.Secret{Context: r.PSU, Chooses: r.Chooses && profile.ListsAccounts && len(r.Scope.AccountIDs) == 0}
	if redirects(profile) {
		way, err := s.newWay(c.ID)
		if err != nil {
			s.Discard(c.ID)
			return c, err
		}
		secret.Way, c.Visit = way, consent.VisitOf(*way)
		c.Visit.ReturnTo, c.Visit.OnlyOnce = r.ReturnTo, profile.ReturnsOnce && !profile.LoginFirst
	}
	c, err := s.sealSecret(ctx, c, secret)
	if err != nil {
		s.Discard(c.ID)
	}
	return c, SealError(err)
}

// Discard gives up a draft that is not stored.
func (s *Service) Discard(id consent.ID) { s.watching.Remove(string(id)) }

// endOfDay is the last second of the latest day that may be asked for.
func endOfDay(asked, now time.Time, longestDays int) time.Time {
	last := now.AddDate(0, 0, longestDays)
	if !asked.IsZero() && asked.Before(last) {
		last = asked
	}
	return time.Date(last.Year(), last.Month(), last.Day(), 23, 59, 59, 0, time.UTC)
}

// Create creates a consent and starts its flow. The response that answer prepares
// is stored in the same transaction. Once Create has returned without an error the
// flow is carried to its end even if this process dies. Faults: Unauthorized when the
// user does not exist or is erased, Unavailable when too many persons wait already.
func (s *Service) Create(ctx context.Context, r Request, answer idempotency.Answer[consent.Consent]) (consent.Consent, error) {
	return s.create(ctx, r, answer, func(store.Tx, consent.Consent) error { return nil })
}

// create is Create with what else is checked and written in the transaction, after the
// user is locked.
func (s *Service) create(ctx context.Context, r Request, answer idempotency.Answer[consent.Consent],
	also func(store.Tx, consent.Consent) error) (consent.Consent, error) {
	c, err := s.Draft(ctx, r)
	if err != nil {
		return consent.Consent{}, err
	}
	response, err := answer.Prepare(ctx, c)
	if err != nil {
		s.Discard(c.ID)
		return consent.Consent{}, err
	}
	slot := s.Jobs.Reserve(store.Consents, c.Company)
	defer slot.Release()
	if slot != nil {
		c.WakeAt = c.WakeAt.Add(jobs.Lease)
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if err := LockUser(ctx, tx, r.ClientID, r.UserID); err != nil {
			return err
		}
		if err := also(tx, c); err != nil {
			return err
		}
		if err := s.Add(ctx, tx, c); err != nil {
			return err
		}
		if r.Also != nil {
			if err := r.Also(tx, c); err != nil {
				return err
			}
		}
		return response.Complete(ctx, tx)
	})
	if err != nil {
		s.Discard(c.ID)
		return consent.Consent{}, err
	}
	if slot == nil {
		s.Jobs.Wake(store.Consents)
	}
	slot.Run(string(c.ID))
	return c, nil
}

// List lists a user's consents, newest first.
func (s *Service) List(ctx context.Context, clientID, userID string, p store.Page) ([]consent.Summary, error) {
	return s.Store.ConsentsOf(ctx, clientID, userID, p)
}
