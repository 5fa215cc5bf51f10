// Package uptime measures how available institutions are, on all nodes together, and
// answers what may be published of it (docs/reference/api.md 6.4). Calls are counted in
// memory and stored every few seconds; a node that is killed loses what it has counted
// since.
package uptime

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"samla/internal/availability"
	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/deviation"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
	"samla/internal/store"
)

const (
	// flushInterval is the time between two writes of what was counted, and the age of what
	// is published.
	flushInterval = 15 * time.Second
	// settled is how long after its end an hour can still be counted. It is then folded.
	settled = 10 * time.Minute
	// maxPersons limits the memory between two writes. Further persons are not counted.
	maxPersons = 100_000
)

// Deps are the dependencies of a Service.
type Deps struct {
	Store interface {
		store.AvailabilityReader
		store.Transactor
	}
	Institutions institution.Institutions
	Health       *company.Health
	Deviations   *deviation.Register // of this node; nil = they are not stored
	Clock        clock.Clock
	Log          *slog.Logger
}

// Service counts and publishes. Observe may be called before Run.
type Service struct {
	Deps
	mu      sync.Mutex
	calls   map[availability.Call]int64 // by everything but Calls
	persons map[personKey]availability.Person
	told    []deviation.Total // deviations that are stored; only flush uses it
	view    view
}

type personKey struct {
	company string
	hour    int64
	digest  digest
}

type digest [16]byte

// New returns a service that has counted nothing.
func New(d Deps) *Service {
	s := &Service{Deps: d}
	s.reset()
	return s
}

func (s *Service) reset() {
	s.calls, s.persons = map[availability.Call]int64{}, map[personKey]availability.Person{}
}

var causes = map[fault.Attribution]availability.Cause{fault.ByBank: availability.ByInstitution, fault.BySamla: availability.BySamla, fault.ByUser: availability.ByPerson}

// Observe implements intercept.Observer. A call that was cancelled here does not count.
func (s *Service) Observe(o intercept.Outcome) {
	if o.Cancelled {
		return
	}
	hour, cause := availability.HourOf(o.At), causes[o.Attribution]
	s.mu.Lock()
	defer s.mu.Unlock()
	if cause == availability.Served || cause == availability.ByPerson { // the institution has answered
		s.calls[availability.Call{Company: o.Company, Start: hour, Bucket: availability.BucketOf(o.Duration)}]++
	}
	if o.Subject == "" {
		return
	}
	key := personKey{o.Company, hour.Unix(), digestOf(o.Company, hour, o.Subject)}
	if last, known := s.persons[key]; (known || len(s.persons) < maxPersons) && !last.At.After(o.At) {
		s.persons[key] = availability.Person{Company: o.Company, Start: hour, Digest: key.digest[:], Cause: cause, At: o.At}
	}
}

// digestOf stands for a subject, a random id of ours, within one hour at one institution.
func digestOf(companyID string, hour time.Time, subject string) (d digest) {
	sum := sha256.Sum256([]byte(companyID + "\x00" + hour.Format(time.RFC3339) + "\x00" + subject))
	copy(d[:], sum[:])
	return d
}

// Run stores what was counted and reads what is published, until ctx ends. It stores once
// more at the end.
func (s *Service) Run(ctx context.Context) {
	for {
		s.step(ctx)
		if clock.Sleep(ctx, s.Clock, flushInterval) != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			s.report(s.flush(ctx))
			return
		}
	}
}

func (s *Service) step(ctx context.Context) {
	err := s.flush(ctx)
	if err == nil {
		err = s.refresh(ctx)
	}
	if ctx.Err() == nil {
		s.report(err)
	}
}

func (s *Service) report(err error) {
	if err != nil {
		s.Log.Error("the availability of institutions could not be stored or read", "error", err)
	}
}

// flush stores what was counted, and folds the hours that are over. What could not be
// stored is counted on.
func (s *Service) flush(ctx context.Context) error {
	s.mu.Lock()
	counted, seen := s.calls, s.persons
	s.reset()
	s.mu.Unlock()
	now := s.Clock.Now()
	open := availability.HourOf(now.Add(-settled)) // begins the oldest hour that is not folded
	calls := make([]availability.Call, 0, len(counted))
	for c, n := range counted {
		if !c.Start.Before(open) {
			c.Calls = n
			calls = append(calls, c)
		}
	}
	persons := make([]availability.Person, 0, len(seen))
	for _, p := range seen {
		if !p.Start.Before(open) {
			persons = append(persons, p)
		}
	}
	totals, deviations := s.deviations(now)
	err := s.Store.Write(ctx, func(tx store.Tx) error {
		if len(deviations) > 0 {
			if err := tx.AddDeviations(ctx, deviations, now); err != nil {
				return err
			}
		}
		if len(calls)+len(persons) > 0 {
			if err := tx.AddAvailability(ctx, calls, persons); err != nil {
				return err
			}
		}
		return tx.FoldAvailability(ctx, open, now)
	})
	if err != nil {
		s.putBack(counted, seen)
		return err
	}
	s.told = totals
	return nil
}

// deviations returns all deviations of the node, and those that are not stored yet.
func (s *Service) deviations(now time.Time) (totals []deviation.Total, more []deviation.Hour) {
	if s.Deviations == nil {
		return nil, nil
	}
	totals = s.Deviations.Totals()
	for _, t := range deviation.More(s.told, totals) {
		more = append(more, deviation.Hour{Company: t.Company, Kind: t.Kind, Start: availability.HourOf(now), N: t.N})
	}
	return totals, more
}

func (s *Service) putBack(calls map[availability.Call]int64, persons map[personKey]availability.Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, n := range calls {
		s.calls[c] += n
	}
	for key, p := range persons {
		if later, known := s.persons[key]; !known || later.At.Before(p.At) {
			s.persons[key] = p
		}
	}
}
