package permissions

import (
	"context"
	"errors"
	"slices"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/session"
	"samla/internal/store"
)

// Permission is a consent as the person sees it: the living one of its lineage.
type Permission struct {
	session.Visit // whose it is
	ID            consent.ID
	Company       string
	Status        consent.Status
	Scope         consent.Scope
	Purpose       string    // in the words of the client; empty: none is known
	Until         time.Time // until when it is valid, or when it ended
	DaysLeft      int
	Last          time.Time // when it was read last; zero: never
	Attended      bool      // the person was there then
	Used          int       // reads without the person in the last 24 hours
	Limit         int       // 0 = none is known
	AtBank        bool      // it was withdrawn at the institution
	ByPerson      bool      // it was withdrawn here, or by the client for the person
	Told          time.Time // when the institution was told; zero: not yet, or it need not be
	NotTold       bool      // the institution was not told, and is not any more: it has not confirmed
}

// Reading is a reading under a permission.
type Reading struct {
	At       time.Time
	Attended bool
	Accounts int  // 0 = not known
	Failed   bool // nothing was read
}

// List returns the permissions of the person: those that are valid, the one that ends
// soonest first, and those that have ended within two years, the newest first. What was
// never approved is not among them.
func (s *Service) List(ctx context.Context, visits []session.Visit) (valid, ended []Permission, err error) {
	for _, v := range visits {
		if valid, ended, err = s.list(ctx, v, valid, ended); err != nil {
			return nil, nil, err
		}
	}
	slices.SortStableFunc(valid, func(a, b Permission) int { return a.Until.Compare(b.Until) })
	slices.SortStableFunc(ended, func(a, b Permission) int { return b.Until.Compare(a.Until) })
	return valid, ended, nil
}

// list appends the permissions of a visit.
func (s *Service) list(ctx context.Context, v session.Visit, valid, ended []Permission) (_, _ []Permission, err error) {
	now := s.Clock.Now()
	seen := map[consent.ID]bool{}
	const page = 200
	for after := ""; ; {
		rows, err := s.Store.ConsentsOf(ctx, v.ClientID, v.UserID, store.Page{After: after, Limit: page})
		if err != nil {
			return nil, nil, err
		}
		for _, row := range rows {
			after = string(row.ID)
			if row.Status.Pending() || row.Status == consent.Failed {
				continue
			}
			lineage, err := s.lineage(ctx, v, row.ID)
			if errors.Is(err, fault.New(fault.ConsentNotFound)) {
				continue // of another person
			}
			if err != nil {
				return nil, nil, err
			}
			living, _ := consent.Living(lineage)
			if seen[living.ID] || !living.WasAuthorized() {
				continue
			}
			seen[living.ID] = true
			p, err := s.permission(ctx, v, living, lineage)
			if err != nil {
				return nil, nil, err
			}
			switch {
			case p.Status == consent.Authorized:
				valid = append(valid, p)
			case now.Sub(p.Until) < twoYears:
				ended = append(ended, p)
			}
		}
		if len(rows) < page {
			return valid, ended, nil
		}
	}
}

// lineage returns the consents of the lineage of a consent of the person, the newest
// first. Fault: ConsentNotFound, also for a consent of somebody else.
func (s *Service) lineage(ctx context.Context, v session.Visit, id consent.ID) ([]consent.Consent, error) {
	c, err := s.Store.Consent(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (c.ClientID != v.ClientID || c.UserID != v.UserID || c.CollectionID != "") {
		return nil, fault.New(fault.ConsentNotFound)
	}
	if err != nil {
		return nil, err
	}
	lineage, err := s.Store.LineageConsents(ctx, c.LineageID())
	if living, ok := consent.Living(lineage); err == nil && (!ok || !of(living, v)) {
		return nil, fault.New(fault.ConsentNotFound)
	}
	return lineage, err
}

// of reports whether a person sees a permission: who came by a link of the client sees those
// of the user, who has signed in those that are known to be given by that person.
func of(c consent.Consent, v session.Visit) bool { return v.Person == "" || c.Person == v.Person }

// permission describes the living consent of a lineage.
func (s *Service) permission(ctx context.Context, v session.Visit, c consent.Consent, lineage []consent.Consent) (Permission, error) {
	p := Permission{Visit: v, ID: c.ID, Company: c.Company, Status: c.Status, Scope: c.Scope(), Purpose: c.Purpose, Until: c.StatusChangedAt}
	readings, entries, err := s.readings(ctx, lineage)
	if err != nil {
		return p, err
	}
	if i := slices.IndexFunc(readings, func(r Reading) bool { return !r.Failed }); i >= 0 {
		p.Last, p.Attended = readings[i].At, readings[i].Attended
	}
	if c.Status == consent.Authorized {
		if p.Until = c.ExpiresAt; !c.SCAExpiresAt.IsZero() && c.SCAExpiresAt.Before(p.Until) {
			p.Until = c.SCAExpiresAt
		}
		access, err := s.Reads.Access(ctx, v.ClientID, v.UserID, c.ID)
		if err != nil {
			return p, err
		}
		p.Used, p.Limit, p.DaysLeft = access.Quota.Used, access.Quota.Limit, access.DaysLeft()
		return p, nil
	}
	for _, e := range entries {
		if e.ConsentID != c.ID {
			continue
		}
		switch f, _ := audit.FlowOf(e); {
		case e.Kind == string(audit.RevocationDelivered):
			p.Told = e.At
		case e.Kind == string(audit.RevocationGivenUp):
			p.NotTold = true
		case e.Kind == string(audit.ConsentRevoked):
			p.AtBank = consent.Cause(f.Cause) == consent.CauseBankRevoked
			p.ByPerson = consent.Cause(f.Cause) == consent.CauseUser
		}
	}
	return p, nil
}

// readings returns the readings under the consents of a lineage, the newest first, and all
// entries of the audit log about them.
func (s *Service) readings(ctx context.Context, lineage []consent.Consent) (readings []Reading, entries []audit.Entry, err error) {
	for _, c := range lineage {
		of, err := s.Store.AuditEntries(ctx, c.ID)
		if err != nil {
			return nil, nil, err
		}
		entries = append(entries, of...)
	}
	for _, e := range entries {
		if e.Kind != string(audit.CollectionFinished) {
			continue
		}
		f, ok := audit.FlowOf(e)
		if !ok {
			continue
		}
		readings = append(readings, Reading{At: e.At, Attended: f.Attended, Accounts: f.AccountsRead, Failed: collection.Status(f.Status).Class() != collection.Success})
	}
	slices.SortStableFunc(readings, func(a, b Reading) int { return b.At.Compare(a.At) })
	return readings, entries, nil
}

// HistoryPage is how many readings a page of History has.
const HistoryPage = 25

// History returns a page of the readings under a permission of the person, the newest
// first, counted from 0, and whether there are more. Fault: ConsentNotFound.
func (s *Service) History(ctx context.Context, v session.Visit, id consent.ID, page int) (p Permission, readings []Reading, more bool, err error) {
	lineage, err := s.lineage(ctx, v, id)
	if err != nil {
		return p, nil, false, err
	}
	living, _ := consent.Living(lineage)
	if p, err = s.permission(ctx, v, living, lineage); err != nil {
		return p, nil, false, err
	}
	if readings, _, err = s.readings(ctx, lineage); err != nil {
		return p, nil, false, err
	}
	first := min(max(page, 0)*HistoryPage, len(readings))
	last := min(first+HistoryPage, len(readings))
	return p, readings[first:last], last < len(readings), nil
}

// Withdraw withdraws a permission of the person: authorize.Service.Revoke says what that
// means. Faults: ConsentNotFound, ConsentNotRevocable.
func (s *Service) Withdraw(ctx context.Context, v session.Visit, id consent.ID) (consent.Consent, error) {
	return s.Consents.Revoke(ctx, v.ClientID, v.UserID, id)
}
