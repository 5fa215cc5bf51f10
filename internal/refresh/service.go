// Package refresh owns reading without the person that is planned: the refresh plans of
// users, the collections that wait for the next allowed moment, and what a client can know
// of the quota of a consent (docs/reference/api.md 4.8, 5.11). Package quota decides, package
// collect reads.
package refresh

import (
	"context"
	"log/slog"

	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/quota"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// workers is how many schedules a node handles at once. A handler calls no institution.
const workers = 16

// Deps is what the service works with. All members are required.
type Deps struct {
	Store        store.Store
	Collections  *collect.Service
	Institutions institution.Institutions
	Jobs         *jobs.Runner
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Log          *slog.Logger
}

// Service is safe for concurrent use.
type Service struct{ Deps }

// New returns the service and registers its queue with the runner.
func New(d Deps) *Service {
	s := &Service{d}
	d.Jobs.Register(jobs.Queue{Name: store.Schedules, Workers: workers, Handle: s.Handle, MaxAttempts: -1})
	return s
}

// put stores a schedule that has changed, or deletes the row if it is not needed any more.
// A plan that comes to another state is told of. Errors: store.ErrConflict.
func (s *Service) put(ctx context.Context, tx store.Tx, before, after quota.Schedule) error {
	if after.Idle() {
		return tx.DeleteSchedule(ctx, before)
	}
	if err := tx.PutSchedule(ctx, after); err != nil {
		return err
	}
	if after.PerDay == 0 || before.PerDay == 0 || before.State == after.State {
		return nil
	}
	return tx.AddEvent(ctx, event.RefreshPlanChanged(s.IDs, event.PlanChange{ClientID: after.ClientID, UserID: after.UserID,
		ConsentID: string(after.Lineage), State: string(after.State), Reason: string(after.Reason), NextTry: after.DueAt}, s.Clock.Now()))
}

// EndUser deletes the plan and the schedules of a user who is anonymized. It implements
// users.Flow. Package collect ends the collections that wait.
func (s *Service) EndUser(ctx context.Context, clientID, userID string) error {
	return s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeletePlansOf(ctx, clientID, userID) })
}

// Consents keeps the schedules true to the consents: it is a subscriber of package
// authorize.
type Consents struct{ Clock clock.Clock }

// ConsentEnded implements authorize.EndSubscriber: the schedule of the lineage looks at its
// consent now.
func (c Consents) ConsentEnded(ctx context.Context, tx store.Tx, ended consent.Consent, _ consent.Cause) error {
	if ended.CollectionID != "" {
		return nil
	}
	return tx.WakeSchedule(ctx, ended.LineageID(), c.Clock.Now())
}

// ConsentAuthorized implements authorize.AuthorizedSubscriber: a plan for all consents
// covers a new one, and one that waited for its consent goes on.
func (c Consents) ConsentAuthorized(ctx context.Context, tx store.Tx, made consent.Consent) error {
	if made.CollectionID != "" || made.UserID == "" {
		return nil
	}
	now := c.Clock.Now()
	if made.Renews != "" {
		if err := tx.WakeSchedule(ctx, made.LineageID(), now); err != nil {
			return err
		}
	}
	return cover(ctx, tx, made, now)
}

var (
	_ authorize.EndSubscriber        = Consents{}
	_ authorize.AuthorizedSubscriber = Consents{}
)
