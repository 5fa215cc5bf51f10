package uptime

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"samla/internal/availability"
	"samla/internal/company"
)

// An hour is published when it cannot change any more, so that nobody learns of one person
// by comparing two answers.

// Figures are the published figures of a time that begins at Start.
type Figures struct {
	Start time.Time
	availability.Published
}

// Institution is what is published about one institution.
type Institution struct {
	Company   company.Company
	Condition company.Condition // of the last five minutes, as this node has seen it
	LastDay   Figures           // of the last 24 hours that are published
	Hours     []Figures         // each hour of the time that was asked for, oldest first
	Days      []Figures         // the same time in days of 24 hours, oldest first
}

// Days lists how many days can be asked for.
func Days() []int { return []int{1, 7, 30, 90} }

// view holds what was read last. The hours of an institution are in order, and only those
// in which something was counted are there.
type view struct {
	mu    sync.Mutex // held by refresh only
	hours map[string][]availability.Hour
	last  atomic.Pointer[snapshot]
}

// snapshot is what is published until the next refresh.
type snapshot struct {
	at    time.Time
	hours map[string][]availability.Hour
	made  sync.Map // by days: []Institution
}

// refresh reads what has changed since the last refresh.
func (s *Service) refresh(ctx context.Context) error {
	v := &s.view
	v.mu.Lock()
	defer v.mu.Unlock()
	now := s.Clock.Now()
	oldest := availability.HourOf(now).Add(-availability.Keep)
	from := oldest
	if v.hours != nil {
		from = availability.HourOf(now.Add(-settled)).Add(-time.Hour) // older ones do not change
	}
	read, err := s.Store.AvailabilityHours(ctx, from)
	if err != nil {
		return err
	}
	next := map[string][]availability.Hour{}
	for id, hours := range v.hours {
		next[id] = slices.DeleteFunc(slices.Clone(hours), func(h availability.Hour) bool { return h.Start.Before(oldest) || !h.Start.Before(from) })
	}
	for _, h := range read {
		next[h.Company] = append(next[h.Company], h)
	}
	v.hours = next
	v.last.Store(&snapshot{at: now, hours: next})
	return nil
}

// Published returns what is published about all institutions that are configured, by
// company id, for the last days, which is one of Days, and when it was read. The caller does
// not change it. It does no input or output. Before the first refresh nothing was measured.
func (s *Service) Published(days int) ([]Institution, time.Time) {
	last := s.view.last.Load()
	if last == nil {
		last = &snapshot{at: s.Clock.Now()}
	}
	made, ok := last.made.Load(days)
	if !ok {
		made, _ = last.made.LoadOrStore(days, s.figures(last, days))
	}
	return made.([]Institution), last.at
}

// Measured returns what was counted of a company in the hours of availability.Keep in which
// something was, oldest first. The last hour may go on. Unlike what Published returns it can
// be about one person: it is for operators. The caller does not change it.
func (s *Service) Measured(companyID string) []availability.Hour {
	if last := s.view.last.Load(); last != nil {
		return last.hours[companyID]
	}
	return nil
}

func (s *Service) figures(last *snapshot, days int) []Institution {
	all := s.Institutions.Offered()
	list := make([]Institution, 0, len(all))
	newest := availability.HourOf(last.at.Add(-settled)).Add(-time.Hour)
	for _, i := range all {
		hours := last.hours[i.Company.ID]
		about := Institution{Company: i.Company, Condition: s.Health.Condition(i.Company.ID, last.at), Hours: make([]Figures, 0, 24*days)}
		var day []availability.Hour
		for at := newest.Add(-time.Duration(24*days-1) * time.Hour); !at.After(newest); at = at.Add(time.Hour) {
			h := hourAt(hours, at)
			about.Hours = append(about.Hours, Figures{at, h.Publish()})
			if day = append(day, h); len(day) == 24 {
				about.Days = append(about.Days, Figures{at.Add(-23 * time.Hour), availability.PublishSum(day)})
				day = day[:0]
			}
		}
		about.LastDay = about.Days[days-1]
		list = append(list, about)
	}
	slices.SortFunc(list, func(a, b Institution) int {
		return cmp.Compare(strings.ToLower(a.Company.ID), strings.ToLower(b.Company.ID))
	})
	return list
}

func hourAt(hours []availability.Hour, at time.Time) availability.Hour {
	i, found := slices.BinarySearchFunc(hours, at, func(h availability.Hour, at time.Time) int { return h.Start.Compare(at) })
	if !found {
		return availability.Hour{}
	}
	return hours[i]
}
