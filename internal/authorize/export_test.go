package authorize

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/watch"
)

// StaleAfter is how old a QR text may be before a poll asks for a newer one.
const StaleAfter = staleAfter

// ConsentWorkers is how many consents are handled at once.
const ConsentWorkers = consentWorkers

// Remembered is how many consents this process holds instructions of.
func (s *Service) Remembered() int {
	s.instructions.mu.Lock()
	defer s.instructions.mu.Unlock()
	return len(s.instructions.entries)
}

// Watches reports whether this process follows the authorization of a consent.
func (s *Service) Watches(id consent.ID) bool { return s.watching.Watches(string(id)) }

// Ask is one question of the scheduler, which a test does not start.
func (s *Service) Ask(ctx context.Context, id consent.ID) watch.Outcome {
	out := s.ask(ctx, string(id))
	if out.Done {
		s.watching.Remove(string(id))
	}
	return out
}

// GiveUp is the last resort of the queue.
func (s *Service) GiveUp(ctx context.Context, id consent.ID) error { return s.giveUp(ctx, string(id)) }

// Refreshes lets a cache begin a refresh at each of the given times and get a text
// then; the refresh before it ends only after the next one has begun. It reports which
// began.
func Refreshes(at ...time.Time) (began []bool) {
	cache, c := newInstructionCache(), consent.Consent{ID: "c"}
	cache.put(c, consent.Signing{}, &consent.Instructions{QRData: "bankid.first"})
	earlier := 0
	for _, now := range at {
		_, refresh, _ := cache.show(c, institution.QRText, now, staleAfter)
		cache.asked(c.ID, earlier)
		_, second, _ := cache.show(c, institution.QRText, now, staleAfter)
		began = append(began, refresh != 0 && second == 0)
		cache.put(c, consent.Signing{}, &consent.Instructions{QRData: "bankid.next", RefreshedAt: now})
		earlier = refresh
	}
	return began
}

// Pace returns how often a bank is asked that has given these answers, when the last poll
// is so long ago.
func Pace(p institution.Profile, progress consent.Progress, sincePoll time.Duration, answers ...*consent.Instructions) watch.Pace {
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	cache, c := newInstructionCache(), consent.Consent{ID: "c"}
	for _, i := range answers {
		answer := *i
		answer.RefreshedAt = now.Add(-sincePoll)
		cache.put(c, consent.Signing{}, &answer)
	}
	moves, polled := cache.state(c.ID, now)
	return paceOf(p, moves, progress, now.Sub(polled))
}

// AwaitRefreshes returns when no question of a poll is under way.
func (s *Service) AwaitRefreshes() {
	for range cap(s.refreshes) {
		s.refreshes <- struct{}{}
	}
	for range cap(s.refreshes) {
		<-s.refreshes
	}
}
