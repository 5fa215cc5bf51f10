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
	"samla/internal/quota"
	"samla/internal/refresh"
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

// ListPage is how many permissions that are valid a page of List has, and how many that have
// ended.
const ListPage = 25

// Pages says which pages of List are asked for, counted from 0.
type Pages struct{ Valid, Ended int }

// Listed is a page of List.
type Listed struct {
	Valid, Ended         []Permission
	MoreValid, MoreEnded bool
	// Withdrawn is the ended permission that was asked for besides; nil: there is none.
	Withdrawn *Permission
}

// held is a permission whose consents were read, and nothing else.
type held struct {
	Permission
	lineage []consent.Consent
}

// List returns the permissions of the person: those that are valid, the one that ends
// soonest first, and those that have ended within two years, the newest first. What was
// never approved is not among them. withdrawn is one that has ended and is wanted on any
// page; empty: none.
func (s *Service) List(ctx context.Context, visits []session.Visit, p Pages, withdrawn consent.ID) (Listed, error) {
	var valid, ended []held
	for _, v := range visits {
		all, err := s.held(ctx, v)
		if err != nil {
			return Listed{}, err
		}
		for _, one := range all {
			switch {
			case one.Status == consent.Authorized:
				valid = append(valid, one)
			case s.Clock.Now().Sub(one.Until) < twoYears:
				ended = append(ended, one)
			}
		}
	}
	slices.SortStableFunc(valid, func(a, b held) int { return a.Until.Compare(b.Until) })
	slices.SortStableFunc(ended, func(a, b held) int { return b.Until.Compare(a.Until) })
	var l Listed
	var fresh []held
	if i := slices.IndexFunc(ended, func(h held) bool { return h.ID == withdrawn }); i >= 0 {
		fresh = []held{ended[i]}
		ended = slices.Delete(ended, i, i+1)
	}
	valid, l.MoreValid = pageOf(valid, p.Valid)
	ended, l.MoreEnded = pageOf(ended, p.Ended)
	if err := s.describe(ctx, slices.Concat(valid, ended, fresh), func(i int, p Permission) {
		switch {
		case i < len(valid):
			l.Valid = append(l.Valid, p)
		case i < len(valid)+len(ended):
			l.Ended = append(l.Ended, p)
		default:
			l.Withdrawn = &p
		}
	}); err != nil {
		return Listed{}, err
	}
	return l, nil
}

func pageOf(all []held, page int) (_ []held, more bool) {
	first := min(max(page, 0)*ListPage, len(all))
	last := min(first+ListPage, len(all))
	return all[first:last], last < len(all)
}

// held returns the permissions of a visit, as far as consents say. It asks the store a few
// times for all of them.
func (s *Service) held(ctx context.Context, v session.Visit) (all []held, err error) {
	const page = 200
	var ids []consent.ID
	for after, more := "", true; more; {
		rows, err := s.Store.ConsentsOf(ctx, v.ClientID, v.UserID, store.Page{After: after, Limit: page})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if after = string(row.ID); !row.Status.Pending() && row.Status != consent.Failed {
				ids = append(ids, row.ID)
			}
		}
		more = len(rows) == page
	}
	consents, err := s.Store.ConsentsByID(ctx, v.ClientID, v.UserID, ids)
	if err != nil {
		return nil, err
	}
	lineages := map[consent.ID][]consent.Consent{}
	for _, c := range consents {
		lineages[c.LineageID()] = append(lineages[c.LineageID()], c)
	}
	for _, c := range consents { // newest first
		lineage := lineages[c.LineageID()]
		delete(lineages, c.LineageID())
		if living, ok := consent.Living(lineage); ok && living.WasAuthorized() && of(living, v) {
			all = append(all, held{s.plain(v, living), lineage})
		}
	}
	return all, nil
}

// plain describes the living consent of a lineage, as far as it says itself.
func (s *Service) plain(v session.Visit, c consent.Consent) Permission {
	p := Permission{Visit: v, ID: c.ID, Company: c.Company, Status: c.Status, Scope: c.Scope(), Purpose: c.Purpose, Until: c.StatusChangedAt}
	if c.Status == consent.Authorized {
		p.DaysLeft = refresh.DaysLeft(c, s.Clock.Now())
		if p.Until = c.ExpiresAt; !c.SCAExpiresAt.IsZero() && c.SCAExpiresAt.Before(p.Until) {
			p.Until = c.SCAExpiresAt
		}
	}
	return p
}

// newestReadings is among how many readings of a consent the last one that has read something
// is looked for first.
const newestReadings = 10

// describe adds what was read and what happened, and hands each permission on with its place.
func (s *Service) describe(ctx context.Context, all []held, give func(int, Permission)) error {
	var ids []consent.ID
	var valid [][]consent.Consent
	for _, h := range all {
		for _, c := range h.lineage {
			ids = append(ids, c.ID)
		}
		if h.Status == consent.Authorized {
			valid = append(valid, h.lineage)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	entries, err := s.Store.NewestEntries(ctx, ids, []audit.Kind{audit.CollectionFinished, audit.RevocationDelivered, audit.RevocationGivenUp, audit.ConsentRevoked}, newestReadings)
	if err != nil {
		return err
	}
	of := map[consent.ID][]audit.Entry{}
	for _, e := range entries {
		of[e.ConsentID] = append(of[e.ConsentID], e)
	}
	quotas, err := s.Reads.Quotas(ctx, valid)
	if err != nil {
		return err
	}
	for i, h := range all {
		var about []audit.Entry
		for _, c := range h.lineage {
			about = append(about, of[c.ID]...)
		}
		readings := readingsOf(about)
		if len(readings) >= newestReadings && !slices.ContainsFunc(readings, func(r Reading) bool { return !r.Failed }) {
			if readings, _, err = s.readings(ctx, h.lineage); err != nil { // all of the newest have failed
				return err
			}
		}
		give(i, h.with(readings, about, quotas[h.ID]))
	}
	return nil
}

// with adds what the audit log and the quota say.
func (p Permission) with(readings []Reading, entries []audit.Entry, q quota.State) Permission {
	if i := slices.IndexFunc(readings, func(r Reading) bool { return !r.Failed }); i >= 0 {
		p.Last, p.Attended = readings[i].At, readings[i].Attended
	}
	if p.Status == consent.Authorized {
		p.Used, p.Limit = q.Used, q.Limit
		return p
	}
	for _, e := range entries {
		if e.ConsentID != p.ID {
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
	return p
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
	return readingsOf(entries), entries, nil
}

// readingsOf returns the readings among entries, the newest first.
func readingsOf(entries []audit.Entry) (readings []Reading) {
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
	return readings
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
	readings, entries, err := s.readings(ctx, lineage)
	if err != nil {
		return p, nil, false, err
	}
	p = s.plain(v, living).with(readings, entries, quota.State{}) // the page shows no quota
	first := min(max(page, 0)*HistoryPage, len(readings))
	last := min(first+HistoryPage, len(readings))
	return p, readings[first:last], last < len(readings), nil
}

// Withdraw withdraws a permission of the person: authorize.Service.Revoke says what that
// means. Faults: ConsentNotFound, ConsentNotRevocable.
func (s *Service) Withdraw(ctx context.Context, v session.Visit, id consent.ID) (consent.Consent, error) {
	return s.Consents.Revoke(ctx, v.ClientID, v.UserID, id)
}
