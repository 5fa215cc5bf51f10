package collect

import (
	"cmp"
	"context"
	"errors"
	"time"

	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/watch"
)

// LoginLimits bound what logins by dialogue cost this node. Zero members take the
// defaults of package watch.
type LoginLimits struct {
	InFlight       int     // calls to institutions under way at once
	PerInstitution int     // of one institution
	PerSecond      float64 // calls a second that are taken to be possible until they are measured
	MaxWaiting     int     // persons who may log in at once; 0 = as many as can be asked about in time
	Dialogue       dialogue.Limits
}

// newLoginWatch returns the scheduler of all logins that this node watches
// (docs/decisions/2026-11-26-one-scheduler-watches.md). It is another one than that of
// consents, so that neither takes what the other needs.
func (s *Service) newLoginWatch() *watch.Scheduler {
	l := s.Logins
	return watch.New(watch.Config{
		Clock: s.Clock, Ask: s.stepLogin, Log: s.Log, LeaseTime: jobs.Lease, Timeout: jobs.Budget,
		Renew: func(ctx context.Context, leases []watch.Lease, until time.Time) ([]string, error) {
			return s.Store.RenewLeases(ctx, store.Dialogues, leases, until)
		},
		Dropped:  func(id string) { s.watchedLogins.Delete(id) },
		InFlight: l.InFlight, PerGroup: l.PerInstitution, PerSecond: l.PerSecond, MaxItems: l.MaxWaiting,
	})
}

// StartLogins begins to watch logins by dialogue.
func (s *Service) StartLogins() { s.loginWatch.Start() }

// StopLogins ends that and makes the rows due, so that another node goes on at once.
func (s *Service) StopLogins(ctx context.Context) error { return s.loginWatch.Stop(ctx) }

// paceOf returns how often an institution is asked for the turn: as the turn says, but not
// more often than the institution's entry allows.
func paceOf(t dialogue.Turn, least time.Duration) watch.Pace {
	pace := max(t.Pace(), least)
	return watch.Pace{After: pace, Within: 2 * pace}
}

// limitsOf returns the limits of logins at a company.
func (s *Service) limitsOf(company string) dialogue.Limits {
	l := s.Logins.Dialogue
	l.Total = cmp.Or(s.Institutions.Of(company).Profile.LoginTime, l.Total)
	return l
}

// atOnce is the pace of a step that has waited long enough. It counts as one question a
// second, because it is one step of many.
var atOnce = watch.Pace{After: time.Millisecond, Within: time.Second}

// watchLogin hands a login to the scheduler, which keeps the lease of its row until due, and
// renews it. Another writer may have changed the row since c was read, but due must not be
// newer than c: then the lease is lost with the change, or the other writer calls
// watchLogin too. Where this node watches the login already, that watch goes on and reads
// the row before its next step, so that the order of the calls does not matter. It reports
// false after StopLogins.
func (s *Service) watchLogin(c collection.Collection, secret collection.Secret, bank institution.Institution, due time.Time) bool {
	t := &watchedLogin{Service: s, c: c, secret: secret, bank: bank, answered: s.Clock.Now()}
	if found, here := s.watchedLogins.LoadOrStore(c.ID, t); here {
		found.(*watchedLogin).changed.Store(true)
		s.loginWatch.Sooner(c.ID, atOnce)
		if ends := s.loginWatch.LeaseEnds(c.ID); ends.After(due) { // an answer has renewed the lease since
			due = ends
		}
	} else {
		s.setKnown(c, *secret.Dialogue)
	}
	added := s.loginWatch.Add(watch.Item{ID: c.ID, Group: c.Company, Pace: atOnce, Lease: due})
	// An earlier watch of the same row may have ended between the two calls, and its end
	// has removed this one: store it again.
	if s.watchedLogins.LoadOrStore(c.ID, t); !s.loginWatch.Watches(c.ID) {
		s.watchedLogins.Delete(c.ID)
	}
	return added
}

// leaveLogin makes the row of a login due at once, for another node.
func (s *Service) leaveLogin(ctx context.Context, id string) error {
	defer s.Jobs.Wake(store.Dialogues)
	return s.Store.Write(ctx, func(tx store.Tx) error { return tx.SetDialogueDue(ctx, id, s.Clock.Now()) })
}

// stepLogin is one question of the scheduler: a step of a login.
func (s *Service) stepLogin(ctx context.Context, id string) watch.Outcome {
	found, ok := s.watchedLogins.Load(id)
	if !ok {
		return watch.Outcome{Done: true}
	}
	t := found.(*watchedLogin)
	t.retryAfter = 0
	done, err := t.step(institution.WithSubject(ctx, t.c.Subject()))
	switch {
	case errors.Is(err, store.ErrConflict): // another writer was faster
		t.changed.Store(true)
	case errors.Is(err, seal.ErrKeyDestroyed), errors.Is(err, store.ErrNotFound): // it was ended or erased meanwhile
		return watch.Outcome{Done: true}
	case err != nil && ctx.Err() == nil:
		s.Log.Warn("a step of a login could not be stored", "company", t.c.Company, "collection", id, "error", err)
	}
	if done && !t.changed.Load() { // else the next step decides by the row as it is now
		return watch.Outcome{Done: true}
	}
	return watch.Outcome{Pace: t.pace()}
}

// handleLogin is the job handler of collections of mode Dialogue: it reads the data of a
// person who is in, and hands other logins to the scheduler.
func (s *Service) handleLogin(ctx context.Context, id string) error {
	// The lease is read before the row: a writer that changes the row in between takes the
	// lease, and this one is lost.
	due, err := s.Store.DialogueDue(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := s.Store.Collection(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx = institution.WithSubject(ctx, c.Subject())
	err = s.advanceLogin(ctx, c, due)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, seal.ErrKeyDestroyed) { // it was ended or erased meanwhile
		return nil
	}
	if err != nil && !s.Clock.Now().Before(s.latestEnd(c)) {
		return s.giveUpLate(ctx, id, err)
	}
	return err
}

func (s *Service) advanceLogin(ctx context.Context, c collection.Collection, due time.Time) error {
	if c.Status.Terminal() { // ended by a node of the release before
		return s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteDialogue(ctx, c.ID) })
	}
	secret, err := s.secret(ctx, c)
	if err != nil {
		return err
	}
	c.PolledAt = s.polls.last(c)
	tick := collection.Ticked{Lease: s.Lease, ChoiceOpen: secret.Dialogue.ChoiceOpen()}
	ticked, err := c.Apply(tick, s.Clock.Now())
	if err != nil {
		return err
	}
	if ticked.Status.Terminal() {
		return s.conclude(ctx, c, tick, nil)
	}
	bank, _ := s.Institutions.Find(c.Company)
	switch {
	case bank.Loginer == nil || bank.Collector == nil:
		s.Log.Error("the institution of a collection is not configured, or nobody can log in there", "company", c.Company, "collection", c.ID)
		return s.fail(ctx, c, collection.Failed)
	case secret.Dialogue.In():
		return s.readLogin(ctx, c, secret, bank)
	}
	if !s.watchLogin(c, secret, bank, due) { // this node stops
		return s.leaveLogin(ctx, c.ID)
	}
	return nil
}
