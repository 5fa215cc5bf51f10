package accounts

import (
	"context"
	"slices"

	"samla/internal/audit"
	"samla/internal/fault"
)

// entry is the entry of the audit log for a caller who gets accounts.
func (s *Service) entry(o Owner, list []Listed) audit.Entry {
	a := audit.Access{ClientID: o.ClientID, KeyID: o.KeyID, UserID: o.UserID, AccountIDs: make([]string, len(list)),
		Route: o.Route, Basis: audit.ByConsent}
	for i := range list {
		a.AccountIDs[i] = list[i].ID
		for _, lineage := range list[i].Lineages() {
			if !slices.Contains(a.Consents, lineage) {
				a.Consents = append(a.Consents, lineage)
			}
		}
	}
	return a.Entry(s.IDs, s.Clock.Now())
}

// record writes to the audit log that a caller gets accounts: nobody gets one without an
// entry that is on disk. Fault: Unavailable.
func (s *Service) record(ctx context.Context, o Owner, list []Listed) error {
	if len(list) == 0 {
		return nil
	}
	if err := s.Access.RecordAccess(ctx, s.entry(o, list)); err != nil {
		s.Log.Error("a read of accounts could not be recorded in the audit log and was refused", "route", o.Route, "error", err)
		return fault.New(fault.Unavailable)
	}
	return nil
}
